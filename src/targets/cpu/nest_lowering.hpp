// SPDX-License-Identifier: MIT
// The lowering of one nest: nest_lower.cpp (operators), nest_chain.cpp (float chains),
// nest_convert.cpp (conversions and stores).
#pragma once

#include "targets/cpu/nest_lower.hpp"

#include <bit>
#include <string_view>

namespace migraphx::cpu {

using codegen::nest;
using codegen::nest_op;
using codegen::nest_operand;

// An operator that can be a step of a chain.
struct chain_row {
    std::string_view name;
    chain_op op;      // with the accumulator as first operand
    chain_op swapped; // with the accumulator as second operand
};

const chain_row* find_chain_row(std::string_view name);

inline bool is_integer_type(shape::type_t t) {
    return t != shape::bool_type and codegen::class_of(t) == codegen::value_class::i64;
}

struct integer_limits {
    int64_t low, high;
};

class nest_lowering {
public:
    nest_lowering(const nest& source, const nest_kernels& table, bool by_rows, isa level)
        : n(source), kernels(table), rowwise(by_rows), lane_cost(level == isa::avx512 ? 1
                                                                 : level == isa::avx2 ? 1.3
                                                                                      : 2.5) {}
    vm_graph run();

private:
    const nest& n;
    const nest_kernels& kernels;
    bool rowwise;
    double lane_cost;
    vm_graph graph;
    std::vector<int> values;    // node of each register of the body, -1 where not held
    std::vector<int> uses;      // of each register, stores included
    std::vector<int> stored;    // of each register, by outputs
    std::vector<char> low_bits; // only used where its low bits count

    void count_uses();
    const nest_op* definition(const nest_operand& o) const;
    shape::type_t operand_type(const nest_op& op, std::size_t i) const;
    vm_node& node(int id) { return graph.nodes[std::size_t(id)]; }
    vm_class class_of_node(int id) { return node(id).cls; }
    int add_node(vm_node v);
    int constant(vm_class cls, double real, int64_t integer);
    int real_constant(double value) { return constant(vm_class::f32, value, 0); }
    vm_load_fn load_function(shape::type_t type, vm_class cls) const;
    int load(int input, vm_class cls);
    bool is_input(int reg) const { return reg < int(n.inputs.size()); }
    int reg_node(int reg);
    // The operand as a value of the operator's own class.
    int operand_node(const nest_op& op, std::size_t i);
    vm_rate fastest(const std::vector<int>& operands);
    vm_fn pointer_to(vm_function f, vm_class cls) const;
    int call(const char* name, vm_class cls, vm_function f, std::vector<int> operands, double cost);
    int math(vm_math f, const char* name, std::vector<int> operands, double cost) {
        return call(name, vm_class::f32, {vm_family::math, uint8_t(f)}, std::move(operands), cost);
    }
    int wide(vm_wide f, const char* name, vm_class cls, std::vector<int> operands, double cost) {
        return call(name, cls, {vm_family::wide, uint8_t(f)}, std::move(operands), cost);
    }
    int cast(vm_cast c, vm_class cls, int operand);
    int scalar(const nest_op& op);
    static bool is_condition(const nest_op& op, std::size_t i) {
        return i == 0 and std::string_view(op.name()) == "where";
    }
    // Nonzero or zero in the given class.
    int condition(const nest_operand& o, vm_class wanted);
    int lower(int reg, const nest_op& op);
    int lower_float(const nest_op& op);
    int lower_classification(const nest_op& op);
    int lower_bool(const nest_op& op);
    int lower_wide(int reg, const nest_op& op);
    // Brings narrow integers back into their range where somebody would see the difference.
    int wrapped(int reg, const nest_op& op, int id);
    // x^y for the exponents that models use.
    int lower_simple_power(const nest_op& op);
    // x * sigmoid(x), and x * (1 + erf(x / sqrt(2))) * 0.5 however it is grouped; -1 if neither.
    int lower_product(const nest_op& op);
    void collect_factors(const nest_op& product, std::vector<nest_operand>& factors);
    // 1 + erf(x / sqrt(2)); sets x.
    bool is_gelu_gate(const nest_operand& o, shape::type_t type, nest_operand& x) const;

    // Chains.
    // True if the node of this operand is a chain that nobody else needs and that can grow.
    bool can_extend(int id, int times_used, const nest_operand* o, vm_rate rate);
    // A chain that starts where `from` ends, or at it.
    vm_node start_chain(int from, bool extend);
    static uint8_t chain_operand(vm_node& chain, int id);
    int push_step(vm_node chain, chain_op op, int x = -1, int y = -1);
    // A unary step on a value made on the way, or on an operand.
    int step_on(int id, const nest_operand* o, chain_op op, int x = -1);
    // The operand to accumulate on: a chain to extend if there is one, else any of the fastest.
    std::size_t accumulator(const nest_op& op, const std::vector<int>& nodes, std::size_t count);
    int chain_unary_or_binary(const nest_op& op, const chain_row& row);
    double constant_value(int id);
    bool is_number(int id);
    // Costs one more rounding, of the reciprocal.
    bool divides_as_product(int id);
    int chain_where(const nest_op& op);
    int chain_clip(const nest_op& op);

    // Conversions and stores.
    int lower_convert(int reg, const nest_op& op);
    int from_bool(const nest_op& op);
    int from_integer(int reg, const nest_op& op, shape::type_t from);
    int clipped(int id, integer_limits have, shape::type_t to);
    int from_double(const nest_op& op);
    int from_float(int reg, const nest_op& op, shape::type_t from);
    bool stored_only(int reg) const;
    // Saturates and rounds to a floating-point type of class f32; stores round by themselves.
    int to_float_type(int reg, shape::type_t type, int id, const nest_operand* o);
    vm_store lower_store(const codegen::nest_output& o);
};

} // namespace migraphx::cpu
