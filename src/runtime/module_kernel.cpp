// SPDX-License-Identifier: MIT
#include "runtime/module_kernel.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/module.hpp>

#include "base/str.hpp"
#include "ops/tensor.hpp"

#include <cstring>

namespace migraphx {

namespace {

void leaves_of(const shape& s, std::vector<shape>& out) {
    if (s.type() != shape::tuple_type)
        out.push_back(s);
    for (const auto& sub : s.sub_shapes())
        leaves_of(sub, out);
}

argument bind_leaves(const shape& s, char* const*& next) {
    if (s.type() != shape::tuple_type)
        return {s, *next++};
    std::vector<argument> subs;
    for (const auto& sub : s.sub_shapes())
        subs.push_back(bind_leaves(sub, next));
    return {subs};
}

void copy_result(const argument& result, const shape& expected, char* const*& next) {
    if (expected.type() == shape::tuple_type) {
        const auto subs = result.get_sub_objects();
        if (subs.size() != expected.sub_shapes().size())
            fail(error_kind::internal, str("a tuple of ", expected.sub_shapes().size(),
                                           " was expected, got ", subs.size()));
        for (std::size_t i = 0; i < subs.size(); i++)
            copy_result(subs[i], expected.sub_shapes()[i], next);
        return;
    }
    char* to = *next++;
    if (result.get_shape().lens() != expected.lens() or
        result.get_shape().type() != expected.type())
        fail(error_kind::invalid_argument,
             str("a result of shape ", expected, " was expected, got ", result.get_shape()));
    if (expected.elements() != 0 and result.data() != to)
        copy_elements(argument{expected, to}, result);
}

struct reference_kernel : kernel {
    explicit reference_kernel(const problem& p)
        : op(p.op), inputs(p.inputs), output(p.output), mods(p.modules) {}

    void run(const kernel_args& args) const override {
        std::vector<argument> in;
        in.reserve(inputs.size());
        auto next = args.inputs;
        for (const auto& s : inputs)
            in.push_back(bind_leaves(s, next));
        auto to = args.outputs;
        // Bodies of fused operators are evaluated by the operator itself.
        const auto result =
            mods.empty()
                ? op.compute(output, in)
                : op.compute(output, in, mods,
                             [&](module_ref&, const parameter_map&) -> std::vector<argument> {
                                 fail(error_kind::internal,
                                      op.name() + ": a body of pointwise operators was expected");
                             });
        copy_result(result, output, to);
    }
    std::string name() const override { return "ref::" + op.name(); }

    operation op;
    std::vector<shape> inputs;
    shape output;
    std::vector<module_ref> mods;
};

struct module_kernel : kernel {
    module_kernel(const problem& p, std::vector<lifted_module> m)
        : op(p.op), inputs(p.inputs), output(p.output), mods(p.modules), lifted(std::move(m)) {}

    void run(const kernel_args& args) const override {
        std::vector<argument> in;
        auto next = args.inputs;
        for (const auto& s : inputs)
            in.push_back(bind_leaves(s, next));
        std::vector<std::vector<argument>> captured;
        for (const auto& m : lifted) {
            captured.emplace_back();
            for (auto c : m.captured)
                captured.back().push_back(bind_leaves(c->get_shape(), next));
        }
        auto to = args.outputs;
        copy_result(evaluate_with_modules(op, output, in, mods, lifted, captured), output, to);
    }
    std::string name() const override { return op.name(); }
    void add_constants(held_constants& held) const override {
        for (const auto& m : lifted)
            m.exec->add_constants(held);
    }

    operation op;
    std::vector<shape> inputs;
    shape output;
    std::vector<module_ref> mods;
    std::vector<lifted_module> lifted;
};

} // namespace

argument evaluate_with_modules(const operation& op, const shape& output,
                               const std::vector<argument>& inputs,
                               const std::vector<module_ref>& mods,
                               const std::vector<lifted_module>& lifted,
                               const std::vector<std::vector<argument>>& captured) {
    auto run = [&](module_ref& m, const std::unordered_map<std::string, argument>& params) {
        for (std::size_t i = 0; i < mods.size(); i++) {
            if (mods[i] != m)
                continue;
            auto all = params;
            for (std::size_t c = 0; c < captured[i].size(); c++)
                all[lifted[i].captured_names[c]] = captured[i][c];
            return lifted[i].exec->run(all, {});
        }
        fail(error_kind::internal,
             op.name() + ": one of its own modules was expected, got another");
    };
    return op.compute(output, inputs, mods, run);
}

std::unique_ptr<kernel> make_reference_kernel(const problem& p) {
    return std::make_unique<reference_kernel>(p);
}

std::unique_ptr<kernel> make_module_kernel(const problem& p, std::vector<lifted_module> modules) {
    return std::make_unique<module_kernel>(p, std::move(modules));
}

} // namespace migraphx
