// SPDX-License-Identifier: MIT
// What is computed of a reduction's results keeps their reduced dimensions, each of one element:
//   reshape(f(squeeze(reduce(x)), ...)) → f(reduce(x), ...)
// so that rows meet the tensors that they are of again (fuse_reduce). Run after fuse_pointwise.
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include "ir/shape_rules.hpp"
#include "passes/pass_registry.hpp"

#include <algorithm>
#include <unordered_map>

namespace migraphx {

namespace {

using sizes = std::vector<std::size_t>;

bool is_view(instruction_ref ins) {
    const auto name = ins->name();
    return (name == "squeeze" or name == "unsqueeze" or name == "reshape" or
            name == "reshape_lazy") and
           ins->inputs().size() == 1;
}

sizes long_dims(const shape& s) {
    sizes r;
    std::copy_if(s.lens().begin(), s.lens().end(), std::back_inserter(r),
                 [](auto n) { return n != 1; });
    return r;
}

bool same_but_for_ones(const shape& a, const shape& b) {
    return not a.dynamic() and not b.dynamic() and a.type() != shape::tuple_type and
           long_dims(a) == long_dims(b);
}

struct keep_reduced_dims {
    std::string name() const { return "keep_reduced_dims"; }

    void apply(module& m) const {
        // Of values without their dims of one element: the value with them.
        std::unordered_map<instruction_ref, instruction_ref> kept;
        std::vector<instruction_ref> all;
        for (auto i = m.begin(); i != m.end(); ++i)
            all.push_back(i);
        for (auto ins : all) {
            if (is_view(ins)) {
                view(m, ins, kept);
            } else if (ins->name() == "pointwise") {
                region(m, ins, kept);
            }
        }
    }

private:
    using values = std::unordered_map<instruction_ref, instruction_ref>;

    static bool comes_from_reduction(instruction_ref x) { return x->name().starts_with("reduce_"); }

    static void view(module& m, instruction_ref ins, values& kept) {
        const auto x = ins->inputs().front();
        const auto found = kept.find(x);
        const auto from = found != kept.end() ? found->second : x;
        if (not same_but_for_ones(from->get_shape(), ins->get_shape()) or
            (found == kept.end() and not comes_from_reduction(x)))
            return;
        if (from->get_shape() == ins->get_shape())
            m.replace_instruction(ins, from);
        else
            kept[ins] = from;
    }

    // A region of such values only, or of others that can be seen in their dims.
    static void region(module& m, instruction_ref ins, values& kept) {
        const auto& result = ins->get_shape();
        const auto first = std::find_if(ins->inputs().begin(), ins->inputs().end(),
                                        [&](auto x) { return kept.contains(x); });
        if (first == ins->inputs().end() or result.type() == shape::tuple_type)
            return;
        const auto lens = kept.at(*first)->get_shape().lens();
        std::vector<instruction_ref> in;
        for (auto x : ins->inputs()) {
            const auto found = kept.find(x);
            if (found != kept.end() and found->second->get_shape().lens() == lens)
                in.push_back(found->second);
            else if (same_but_for_ones(x->get_shape(), kept.at(*first)->get_shape()) and
                     reshape_without_copy(x->get_shape(), lens))
                in.push_back(m.insert_instruction(ins, make_op("reshape", {{"dims", lens}}), {x}));
            else
                return;
        }
        const auto whole = m.insert_instruction(ins, ins->get_operator(), in, ins->module_inputs());
        const auto back =
            m.insert_instruction(ins, make_op("reshape", {{"dims", result.lens()}}), {whole});
        if (back->get_shape() != result)
            return;
        m.replace_instruction(ins, back);
        kept[back] = whole;
    }
};

const registered_pass keep_reduced_dims_registered{"keep_reduced_dims",
                                                   [] { return keep_reduced_dims{}; }};

} // namespace

} // namespace migraphx
