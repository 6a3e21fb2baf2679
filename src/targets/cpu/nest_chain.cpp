// SPDX-License-Identifier: MIT
// Chains: cheap float operators one after the other on an accumulator.

#include "targets/cpu/nest_lowering.hpp"

#include <algorithm>
#include <cmath>

namespace migraphx::cpu {
namespace {

constexpr std::size_t most_chain_operands = 24;
constexpr std::size_t most_chain_steps = 64;

constexpr chain_row chain_rows[] = {
    {"add", chain_op::add, chain_op::add},
    {"sub", chain_op::sub, chain_op::rsub},
    {"mul", chain_op::mul, chain_op::mul},
    {"div", chain_op::div, chain_op::rdiv},
    {"max", chain_op::max, chain_op::max},
    {"min", chain_op::min, chain_op::min},
    {"sqdiff", chain_op::sqdiff, chain_op::sqdiff},
    {"prelu", chain_op::prelu, chain_op::rprelu},
    {"leaky_relu", chain_op::leaky_relu, chain_op::leaky_relu},
    {"equal", chain_op::equal, chain_op::equal},
    {"greater", chain_op::greater, chain_op::less},
    {"less", chain_op::less, chain_op::greater},
    {"logical_and", chain_op::logical_and, chain_op::logical_and},
    {"logical_or", chain_op::logical_or, chain_op::logical_or},
    {"logical_xor", chain_op::logical_xor, chain_op::logical_xor},
    {"abs", chain_op::abs, chain_op::abs},
    {"neg", chain_op::neg, chain_op::neg},
    {"relu", chain_op::relu, chain_op::relu},
    {"not", chain_op::logical_not, chain_op::logical_not},
    {"sign", chain_op::sign, chain_op::sign},
    {"sqrt", chain_op::sqrt, chain_op::sqrt},
    {"rsqrt", chain_op::rsqrt, chain_op::rsqrt},
    {"recip", chain_op::recip, chain_op::recip},
    {"ceil", chain_op::ceil, chain_op::ceil},
    {"floor", chain_op::floor, chain_op::floor},
    {"nearbyint", chain_op::nearbyint, chain_op::nearbyint},
    {"isnan", chain_op::isnan, chain_op::isnan},
    {"isinf", chain_op::isinf, chain_op::isinf},
};

} // namespace

const chain_row* find_chain_row(std::string_view name) {
    const auto* at = std::find_if(std::begin(chain_rows), std::end(chain_rows),
                                  [&](const chain_row& r) { return r.name == name; });
    return at == std::end(chain_rows) ? nullptr : at;
}

bool nest_lowering::can_extend(int id, int times_used, const nest_operand* o, vm_rate rate) {
    const vm_node& v = node(id);
    if (v.what != vm_node::kind::chain or v.rate != rate or
        v.operands.size() > most_chain_operands or v.steps.size() >= most_chain_steps)
        return false;
    return o == nullptr or (o->is_reg() and uses[std::size_t(o->number)] == times_used);
}

vm_node nest_lowering::start_chain(int from, bool extend) {
    if (extend)
        return node(from);
    vm_node v;
    v.what = vm_node::kind::chain;
    v.cls = vm_class::f32;
    v.rate = node(from).rate;
    v.operands = {from};
    v.name = "chain";
    v.cost = 0.04 * lane_cost;
    return v;
}

uint8_t nest_lowering::chain_operand(vm_node& chain, int id) {
    const auto at = std::find(chain.operands.begin(), chain.operands.end(), id);
    const auto index = at - chain.operands.begin();
    if (at == chain.operands.end())
        chain.operands.push_back(id);
    return uint8_t(index);
}

int nest_lowering::push_step(vm_node chain, chain_op op, int x, int y) {
    chain_step step{op, 0, 0};
    if (x >= 0) {
        step.x = chain_operand(chain, x);
        chain.rate = std::max(chain.rate, node(x).rate);
    }
    if (y >= 0) {
        step.y = chain_operand(chain, y);
        chain.rate = std::max(chain.rate, node(y).rate);
    }
    const bool slow = op == chain_op::div or op == chain_op::rdiv or op == chain_op::sqrt or
                      op == chain_op::rsqrt or op == chain_op::recip;
    chain.cost += (slow ? 0.2 : 0.03) * lane_cost;
    chain.steps.push_back(step);
    return add_node(std::move(chain));
}

int nest_lowering::step_on(int id, const nest_operand* o, chain_op op, int x) {
    return push_step(start_chain(id, can_extend(id, 1, o, node(id).rate)), op, x);
}

std::size_t nest_lowering::accumulator(const nest_op& op, const std::vector<int>& nodes,
                                       std::size_t count) {
    const vm_rate rate = fastest(nodes);
    std::size_t best = count;
    std::size_t length = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (node(nodes[i]).rate != rate)
            continue;
        const bool extends = can_extend(nodes[i], 1, &op.operands[i], rate);
        const std::size_t steps = extends ? node(nodes[i]).steps.size() : 0;
        if (best == count or steps > length) {
            best = i;
            length = steps;
        }
    }
    return best;
}

int nest_lowering::chain_unary_or_binary(const nest_op& op, const chain_row& row) {
    std::vector<int> nodes;
    for (std::size_t i = 0; i < op.operands.size(); ++i)
        nodes.push_back(operand_node(op, i));
    if (nodes.size() == 1)
        return step_on(nodes[0], &op.operands[0], row.op);
    if (row.op == chain_op::mul and nodes[0] == nodes[1])
        return push_step(
            start_chain(nodes[0], can_extend(nodes[0], 2, &op.operands[0], node(nodes[0]).rate)),
            chain_op::square);
    const std::size_t acc = accumulator(op, nodes, 2);
    const bool extend = can_extend(nodes[acc], 1, &op.operands[acc], fastest(nodes));
    chain_op step = acc == 0 ? row.op : row.swapped;
    int other = nodes[1 - acc];
    if (step == chain_op::div and divides_as_product(other)) {
        step = chain_op::mul;
        other = real_constant(1 / constant_value(other));
    }
    if (step == chain_op::max and is_number(other))
        step = chain_op::max_number;
    if (step == chain_op::min and is_number(other))
        step = chain_op::min_number;
    return push_step(start_chain(nodes[acc], extend), step, other);
}

double nest_lowering::constant_value(int id) {
    return double(std::bit_cast<float>(int32_t(node(id).bits)));
}

bool nest_lowering::is_number(int id) {
    return node(id).what == vm_node::kind::constant and not std::isnan(constant_value(id));
}

bool nest_lowering::divides_as_product(int id) {
    if (node(id).what != vm_node::kind::constant)
        return false;
    const double size = std::fabs(constant_value(id));
    return size > 0x1p-120 and size < 0x1p120;
}

int nest_lowering::chain_where(const nest_op& op) {
    std::vector<int> nodes = {condition(op.operands[0], vm_class::f32), operand_node(op, 1),
                              operand_node(op, 2)};
    const std::size_t acc = accumulator(op, nodes, 3);
    const bool extend = can_extend(nodes[acc], 1, &op.operands[acc], fastest(nodes));
    const vm_node chain = start_chain(nodes[acc], extend);
    switch (acc) {
    case 0:
        return push_step(chain, chain_op::where_cond, nodes[1], nodes[2]);
    case 1:
        return push_step(chain, chain_op::where_then, nodes[0], nodes[2]);
    default:
        return push_step(chain, chain_op::where_else, nodes[0], nodes[1]);
    }
}

int nest_lowering::chain_clip(const nest_op& op) {
    const std::vector<int> nodes = {operand_node(op, 0), operand_node(op, 1), operand_node(op, 2)};
    const vm_rate rate = fastest(nodes);
    if (node(nodes[0]).rate == rate) {
        const bool extend = can_extend(nodes[0], 1, &op.operands[0], rate);
        const bool numbers = is_number(nodes[1]) and is_number(nodes[2]);
        return push_step(start_chain(nodes[0], extend),
                         numbers ? chain_op::clip_number : chain_op::clip, nodes[1], nodes[2]);
    }
    const bool low_first = node(nodes[1]).rate >= node(nodes[0]).rate;
    const int raised = low_first ? push_step(start_chain(nodes[1], false), chain_op::max, nodes[0])
                                 : push_step(start_chain(nodes[0], false), chain_op::max, nodes[1]);
    if (node(raised).rate == rate)
        return push_step(start_chain(raised, true), chain_op::min, nodes[2]);
    return push_step(start_chain(nodes[2], false), chain_op::min, raised);
}

} // namespace migraphx::cpu
