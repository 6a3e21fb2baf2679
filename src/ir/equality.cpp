// SPDX-License-Identifier: MIT
// Equality of modules and programs: the same instructions in the same order, with equal operations,
// corresponding operands, modules of the same names and bodies, equal shapes and debug symbols.
// Like in the printed form, values of literals count up to `printed_literal_elements`, the order of
// parameters and the optimal sizes of dimensions do not.
#include <migraphx/module.hpp>
#include <migraphx/op_info.hpp>
#include <migraphx/program.hpp>

#include "ir/text.hpp"

#include <cstring>
#include <unordered_map>

namespace migraphx {

namespace {

bool same_shape_text(const shape& x, const shape& y) {
    return x == y or
           (x.dynamic() == y.dynamic() and x.any_of_dynamic() and to_text(x) == to_text(y));
}

bool same_literal_text(const literal& x, const literal& y) {
    const auto n = x.get_shape().elements();
    if (x.data() == y.data() or n == 0 or n > printed_literal_elements)
        return true;
    if (x.empty() or y.empty())
        return false;
    std::string a;
    std::string b;
    append_elements(a, x.get_shape(), x.data());
    append_elements(b, y.get_shape(), y.data());
    return a == b;
}

class graph_comparison {
public:
    bool same_module(const module& x, const module& y) {
        auto [it, fresh] = modules.emplace(&x, &y);
        if (not fresh)
            return it->second == &y;
        if (x.size() != y.size())
            return false;
        auto j = y.begin();
        for (auto i = x.begin(); i != x.end(); ++i, ++j) {
            if (not same_instruction(i, j))
                return false;
            matched[i] = j;
        }
        return true;
    }

private:
    bool same_instruction(instruction_ref x, instruction_ref y) {
        if (x->inputs().size() != y->inputs().size() or
            x->module_inputs().size() != y->module_inputs().size() or
            x->get_target_id() != y->get_target_id() or
            x->get_debug_symbols() != y->get_debug_symbols() or
            not same_shape_text(x->get_shape(), y->get_shape()) or
            x->get_operator() != y->get_operator())
            return false;
        if (x->name() == "@literal" and not same_literal_text(x->get_literal(), y->get_literal()))
            return false;
        for (std::size_t i = 0; i < x->inputs().size(); ++i)
            if (not same_operand(x->inputs()[i], y->inputs()[i]))
                return false;
        for (std::size_t i = 0; i < x->module_inputs().size(); ++i) {
            const auto& a = *x->module_inputs()[i];
            const auto& b = *y->module_inputs()[i];
            if (a.name() != b.name() or not same_module(a, b))
                return false;
        }
        return true;
    }

    // An operand of an outer module that is not compared corresponds to the first one it met.
    bool same_operand(instruction_ref x, instruction_ref y) {
        return matched.emplace(x, y).first->second == y;
    }

    std::unordered_map<const module*, const module*> modules;
    std::unordered_map<instruction_ref, instruction_ref> matched;
};

} // namespace

bool operator==(const module& x, const module& y) {
    return &x == &y or graph_comparison{}.same_module(x, y);
}

bool operator==(const program& x, const program& y) {
    return &x == &y or graph_comparison{}.same_module(*x.get_main_module(), *y.get_main_module());
}

} // namespace migraphx
