// SPDX-License-Identifier: MIT
// Constants are found in one walk; then, from the users that are not constant, each operand that
// may be folded is evaluated (with what it needs, each once) and replaced by a literal.
#include <migraphx/errors.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/logger.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>
#include <migraphx/op_info.hpp>
#include <migraphx/propagate_constant.hpp>

#include "base/settings.hpp"
#include "ir/text.hpp"
#include "ops/copy.hpp"
#include "passes/pass_registry.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_map>

namespace migraphx {

namespace {

const setting<bool> trace_propagate_constant{"MIGRAPHX_TRACE_PROPAGATE_CONSTANT", false,
                                             "instructions that are replaced by literals"};

constexpr std::size_t constant_growth = 4;

struct constant_info {
    std::size_t literal_bytes = 0; // of the literals it is computed from
    bool foldable = false;
};

class constant_folder {
public:
    constant_folder(module& mod, const propagate_constant& pass) : m(mod), options(pass) {}

    void run() {
        find_constants();
        std::vector<instruction_ref> users;
        for (auto i = m.begin(); i != m.end(); ++i)
            if (not constants.contains(i))
                users.push_back(i);
        for (auto user : users) {
            const auto operands = user->inputs(); // a copy: folding edits it
            for (auto x : operands)
                fold(x);
        }
        // The result of a module without a return.
        if (not m.empty() and constants.contains(std::prev(m.end())))
            fold(std::prev(m.end()));
    }

private:
    bool computes_constant(instruction_ref ins) const {
        const auto& info = ins->get_operator().info();
        return info.compute and not info.is_builtin and not info.has_side_effect and
               info.is_context_free and ins->module_inputs().empty() and
               not ins->inputs().empty() and ins->name() != "@outline" and
               not options.skip_ops.contains(ins->name()) and
               std::all_of(ins->inputs().begin(), ins->inputs().end(),
                           [&](auto a) { return constants.contains(a); });
    }

    void find_constants() {
        for (auto i = m.begin(); i != m.end(); ++i) {
            if (i->name() == "@literal") {
                constants[i] = {i->get_shape().bytes(), false};
                continue;
            }
            // Operators without inputs (a range, a one-hot pattern) are constant as well.
            const auto& info = i->get_operator().info();
            const bool source =
                i->inputs().empty() and info.compute and not info.is_builtin and
                not info.has_side_effect and info.is_context_free and i->name().front() != '@' and
                i->name() != "undefined" and i->name().find("allocate") == std::string::npos and
                i->module_inputs().empty() and not options.skip_ops.contains(i->name());
            if (not source and not computes_constant(i))
                continue;
            constant_info c;
            for (auto a : i->inputs())
                c.literal_bytes += constants.at(a).literal_bytes;
            const auto& s = i->get_shape();
            const auto limit = constant_growth * c.literal_bytes + options.budget;
            const bool stays = i->name() == "concat" and not s.dynamic() and
                               s.type() != shape::tuple_type and s.bytes() > options.joined;
            c.foldable = not stays and s.type() != shape::tuple_type and not info.is_view and
                         (s.dynamic() or s.bytes() <= limit);
            constants[i] = c;
        }
    }

    // Makes literals of what this operand of a non-constant user is computed from.
    void fold(instruction_ref x) {
        auto c = constants.find(x);
        if (c == constants.end() or x->name() == "@literal" or not visited.insert(x).second)
            return;
        if (c->second.foldable and replace(x))
            return;
        const auto operands = x->inputs();
        for (auto a : operands)
            fold(a);
    }

    bool replace(instruction_ref x) {
        const auto result = value_of(x);
        if (not result or result->empty())
            return false;
        const auto& s = x->get_shape();
        if (s.dynamic() and result->get_shape().bytes() >
                                constant_growth * constants.at(x).literal_bytes + options.budget)
            return false;
        if (trace_propagate_constant)
            log::info() << "propagate_constant: " << to_text(x, {});
        const bool same_shape = s.dynamic() or result->get_shape() == s;
        const auto value = same_shape ? *result : relaid(*result, s);
        const auto kept = grew_by_stretching(x) ? without_repeats(value) : std::nullopt;
        auto l = m.insert_literal(x, literal::adopt(kept ? *kept : value));
        l->add_debug_symbols(x->get_debug_symbols());
        constants[l] = {l->get_shape().bytes(), false};
        if (kept) {
            auto whole =
                m.insert_instruction(x, make_op("multibroadcast", {{"out_lens", s.lens()}}), l);
            constants[whole] = {l->get_shape().bytes(), false};
            m.replace_instruction(x, whole);
        } else
            m.replace_instruction(x, l);
        return true;
    }

    // Of operands that are stretched: its value may repeat as theirs do.
    bool grew_by_stretching(instruction_ref x) const {
        const auto& s = x->get_shape();
        return x->get_operator().info().is_pointwise and not s.dynamic() and
               s.bytes() > constants.at(x).literal_bytes;
    }

    // The value with one element along the axes that it repeats on; none if it does not. It is kept
    // small so that what reads it, a bias say, is seen as such.
    static std::optional<argument> without_repeats(const argument& a) {
        const auto& s = a.get_shape();
        if (not s.standard())
            return std::nullopt;
        auto lens = s.lens();
        const auto size = s.type_size();
        std::size_t step = s.elements();
        bool any = false;
        for (std::size_t d = 0; d < lens.size(); ++d) {
            const auto block = step / lens[d] * size, all = s.bytes();
            bool repeats = lens[d] > 1;
            for (std::size_t at = 0; repeats and at < all; at += step * size)
                for (std::size_t i = 1; repeats and i < s.lens()[d]; ++i)
                    repeats = std::memcmp(a.data() + at, a.data() + at + i * block, block) == 0;
            step /= s.lens()[d];
            any = any or repeats;
            if (repeats)
                lens[d] = 1;
        }
        if (not any)
            return std::nullopt;
        argument small{shape{s.type(), lens}};
        copy_in_order(small, a.view(shape{s.type(), lens, s.strides()}, 0));
        return small;
    }

    // The same elements in the layout that was inferred.
    static argument relaid(const argument& a, const shape& s) {
        argument out{s};
        copy_in_order(out, a);
        return out;
    }

    std::optional<argument> value_of(instruction_ref x) {
        if (x->name() == "@literal")
            return x->get_literal().get_argument();
        if (auto it = values.find(x); it != values.end())
            return it->second;
        std::vector<argument> inputs;
        for (auto a : x->inputs()) {
            auto v = value_of(a);
            if (not v)
                return std::nullopt;
            inputs.push_back(std::move(*v));
        }
        std::optional<argument> result;
        try {
            result = x->get_operator().compute(x->get_shape(), inputs);
        } catch (const exception& e) {
            // Left to run time, which reports it if it is really computed.
            log::debug() << "propagate_constant: " << e.what();
        }
        values[x] = result;
        return result;
    }

    module& m;
    const propagate_constant& options;
    std::unordered_map<instruction_ref, constant_info> constants;
    std::unordered_map<instruction_ref, std::optional<argument>> values;
    std::unordered_set<instruction_ref> visited;
};

} // namespace

void propagate_constant::apply(module& m) const {
    constant_folder{m, *this}.run();
}

namespace {

const registered_pass propagate_constant_registered{"propagate_constant",
                                                    [] { return pass{propagate_constant{}}; }};

} // namespace

} // namespace migraphx
