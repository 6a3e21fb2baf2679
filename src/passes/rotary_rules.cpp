// SPDX-License-Identifier: MIT
// Rotary embeddings as exporters write them:
//   x * cos + concat(-x2, x1) * sin
//   concat(x1 * cos - x2 * sin, x1 * sin + x2 * cos)
// where x1 and x2 are the halves of x.
#include "passes/rotary_rules.hpp"

#include <migraphx/make_op.hpp>

#include "passes/data_type.hpp"

#include <algorithm>

namespace migraphx {

namespace {

bool is_last_axis(int64_t axis, const shape& s) {
    return axis == -1 or axis == int64_t(s.ndim()) - 1;
}

// Is it the first or the second half of x along the last axis?
bool is_half(instruction_ref ins, instruction_ref x, bool second) {
    if (ins->name() != "slice" or ins->inputs().size() != 1 or ins->inputs().front() != x)
        return false;
    const auto& s = x->get_shape();
    const auto& op = ins->get_operator();
    const auto axes = op.get_vector<int64_t>("axes"), starts = op.get_vector<int64_t>("starts");
    const auto half = int64_t(s.lens().back() / 2);
    return axes.size() == 1 and is_last_axis(axes.front(), s) and s.lens().back() % 2 == 0 and
           int64_t(ins->get_shape().lens().back()) == half and
           starts.front() == (second ? half : 0);
}

// The operand as it was before it was stretched along leading axes, for less to read.
instruction_ref unstretched(instruction_ref x) {
    const bool stretched = x->name() == "multibroadcast" and x->inputs().size() == 1;
    if (not stretched)
        return x;
    const auto from = x->inputs().front();
    const auto &s = from->get_shape(), &to = x->get_shape();
    return not s.dynamic() and s.ndim() == to.ndim() and s.lens().back() == to.lens().back() ? from
                                                                                             : x;
}

bool suits(instruction_ref ins) {
    return is_computed_in_float(ins->get_shape()) and ins->get_shape().ndim() > 1;
}

replacement turned_whole(const match& m, rewriter& rw) {
    const auto joined = m["joined"], x = m["first"]->inputs().front();
    // A product matches in either order.
    if (m["a"] != x and m["b"] != x)
        return declined;
    const auto cos = m["a"] == x ? m["b"] : m["a"];
    if (not suits(m.root) or x->get_shape().dynamic() or
        not is_last_axis(joined->get_operator().get<int64_t>("axis"), x->get_shape()) or
        not is_half(m["second"], x, true) or not is_half(m["first"], x, false))
        return declined;
    return rw.add("rotary", {x, unstretched(cos), unstretched(m["sin"])});
}

replacement turned_halves(const match& m, rewriter& rw) {
    if (not suits(m.root) or m["first"]->inputs().empty() or
        not is_last_axis(m.root->get_operator().get<int64_t>("axis"), m.root->get_shape()))
        return declined;
    const auto x = m["first"]->inputs().front();
    if (x->get_shape().dynamic() or x->get_shape().lens() != m.root->get_shape().lens() or
        not is_half(m["first"], x, false) or not is_half(m["second"], x, true))
        return declined;
    return rw.add("rotary", {x, unstretched(m["cos"]), unstretched(m["sin"])});
}

} // namespace

std::vector<rule> rotary_rules() {
    return {{"x * cos + concat(-x2, x1) * sin -> rotary(x, cos, sin)",
             op("add", op("mul", any("a"), any("b")),
                op("mul",
                   op("concat", op("neg", op("slice").as("second")), op("slice").as("first"))
                       .as("joined"),
                   any("sin"))),
             turned_whole},
            {"concat(x1 * cos - x2 * sin, x1 * sin + x2 * cos) -> rotary(x, cos, sin)",
             op("concat",
                op("sub", op("mul", op("slice").as("first"), any("cos")),
                   op("mul", op("slice").as("second"), any("sin"))),
                op("add", op("mul", op("slice").as("first"), any("sin")),
                   op("mul", op("slice").as("second"), any("cos")))),
             turned_halves}};
}

} // namespace migraphx
