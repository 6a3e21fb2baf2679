// SPDX-License-Identifier: MIT
// Lowering of nests to the tile machine, one operator after the other.

#include "targets/cpu/nest_lower.hpp"

#include "codegen/interpret.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string_view>

namespace migraphx::cpu {
namespace {

using codegen::nest;
using codegen::nest_op;
using codegen::nest_operand;

constexpr std::size_t most_chain_operands = 24;
constexpr std::size_t most_chain_steps = 64;

struct chain_row {
    std::string_view name;
    chain_op op;      // with the accumulator as first operand
    chain_op swapped; // with the accumulator as second operand
};

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

struct math_row {
    std::string_view name;
    vm_math f;
};

constexpr math_row math_rows[] = {
    {"exp", vm_math::exp},         {"log", vm_math::log},   {"log2", vm_math::log2},
    {"erf", vm_math::erf},         {"tanh", vm_math::tanh}, {"sigmoid", vm_math::sigmoid},
    {"sin", vm_math::sin},         {"cos", vm_math::cos},   {"tan", vm_math::tan},
    {"elu", vm_math::elu},         {"pow", vm_math::pow},
};

struct wide_row {
    std::string_view name;
    vm_wide op;
};

constexpr wide_row wide_rows[] = {
    {"add", vm_wide::add},         {"sub", vm_wide::sub},
    {"mul", vm_wide::mul},         {"div", vm_wide::div},
    {"max", vm_wide::max},         {"min", vm_wide::min},
    {"sqdiff", vm_wide::sqdiff},   {"equal", vm_wide::equal},
    {"greater", vm_wide::greater}, {"less", vm_wide::less},
    {"logical_and", vm_wide::logical_and}, {"logical_or", vm_wide::logical_or},
    {"logical_xor", vm_wide::logical_xor}, {"bitwise_and", vm_wide::bitwise_and},
    {"abs", vm_wide::abs},         {"neg", vm_wide::neg},
    {"relu", vm_wide::relu},       {"not", vm_wide::logical_not},
    {"sign", vm_wide::sign},       {"sqrt", vm_wide::sqrt},
    {"where", vm_wide::where},     {"clip", vm_wide::clip},
};

// Operators on bool whose value on 0 and 1 in float, not 0, equals the integer one.
constexpr std::string_view bool_rows[] = {"add",  "sub",         "mul",        "max",         "min",
                                          "abs",  "neg",         "sign",       "relu",        "not",
                                          "less", "logical_and", "logical_or", "logical_xor", "equal",
                                          "where", "clip",       "greater",    "sqdiff"};
constexpr std::string_view bool_needs_wrap[] = {"add", "sub", "neg", "sqdiff", "sign"};

// Operators whose low bits depend on the low bits of their operands only.
constexpr std::string_view ring_rows[] = {"add", "sub", "mul", "neg", "sqdiff"};
constexpr std::string_view can_leave_range[] = {"add", "sub", "mul", "neg", "sqdiff", "abs", "div"};

template <class Rows>
const auto* find_row(const Rows& rows, std::string_view name) {
    const auto at = std::find_if(std::begin(rows), std::end(rows),
                                 [&](const auto& r) { return r.name == name; });
    return at == std::end(rows) ? nullptr : &*at;
}

template <class Names>
bool contains(const Names& names, std::string_view name) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool is_integer_type(shape::type_t t) {
    return t != shape::bool_type and codegen::class_of(t) == codegen::value_class::i64;
}
bool is_short_float(shape::type_t t) {
    return codegen::class_of(t) == codegen::value_class::f32 and t != shape::float_type;
}

struct integer_limits {
    int64_t low, high;
};

integer_limits limits_of(shape::type_t t) {
    const double huge = std::numeric_limits<double>::infinity();
    return {codegen::convert_scalar(shape::double_type, {-huge, 0}, t).integer,
            codegen::convert_scalar(shape::double_type, {huge, 0}, t).integer};
}

class nest_lowering {
public:
    nest_lowering(const nest& source, const nest_kernels& table, bool by_rows, isa level)
        : n(source), kernels(table), rowwise(by_rows),
          lane_cost(level == isa::avx512 ? 1 : level == isa::avx2 ? 1.3 : 2.5) {}

    vm_graph run() {
        count_uses();
        values.assign(std::size_t(n.registers()), -1);
        for (std::size_t i = 0; i < n.body.size(); ++i) {
            const int reg = int(n.inputs.size() + i);
            values[std::size_t(reg)] = lower(reg, n.body[i]);
        }
        for (const codegen::nest_output& o : n.outputs)
            graph.stores.push_back(lower_store(o));
        return std::move(graph);
    }

private:
    const nest& n;
    const nest_kernels& kernels;
    bool rowwise;
    double lane_cost;
    vm_graph graph;
    std::vector<int> values;       // node of each register of the body, -1 where not held
    std::vector<int> uses;         // of each register, stores included
    std::vector<int> stored;       // of each register, by outputs
    std::vector<char> low_bits;    // only used where its low bits count

    void count_uses() {
        const auto count = std::size_t(n.registers());
        uses.assign(count, 0);
        stored.assign(count, 0);
        low_bits.assign(count, 1);
        for (const nest_op& op : n.body)
            for (const nest_operand& o : op.operands)
                if (o.is_reg()) {
                    ++uses[std::size_t(o.number)];
                    if (not contains(ring_rows, op.name()))
                        low_bits[std::size_t(o.number)] = 0;
                }
        for (const codegen::nest_output& o : n.outputs) {
            ++uses[std::size_t(o.reg)];
            ++stored[std::size_t(o.reg)];
        }
    }

    const nest_op* definition(const nest_operand& o) const {
        const int index = o.number - int(n.inputs.size());
        return o.is_reg() and index >= 0 ? &n.body[std::size_t(index)] : nullptr;
    }

    shape::type_t operand_type(const nest_op& op, std::size_t i) const {
        const nest_operand& o = op.operands[i];
        if (o.is_reg())
            return n.reg_type(o.number);
        return op.row == nullptr or op.row->bool_result ? shape::double_type : op.type;
    }

    // --- nodes ---

    vm_node& node(int id) { return graph.nodes[std::size_t(id)]; }
    vm_class class_of_node(int id) { return node(id).cls; }

    int add_node(vm_node v) {
        graph.nodes.push_back(std::move(v));
        return int(graph.nodes.size()) - 1;
    }

    int constant(vm_class cls, double real, int64_t integer) {
        vm_node v;
        v.cls = cls;
        switch (cls) {
        case vm_class::f32: v.bits = std::bit_cast<int32_t>(float(real)); break;
        case vm_class::f64: v.bits = std::bit_cast<int64_t>(real); break;
        case vm_class::i64: v.bits = integer; break;
        }
        v.name = "constant";
        for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
            const vm_node& old = graph.nodes[i];
            if (old.what == vm_node::kind::constant and old.cls == cls and old.bits == v.bits)
                return int(i);
        }
        return add_node(std::move(v));
    }

    int real_constant(double value) { return constant(vm_class::f32, value, 0); }

    vm_load_fn load_function(shape::type_t type, vm_class cls) const {
        if (vm_load_fn fn = scalar_load(type); fn != nullptr)
            return cls == vm_class::f32 ? fn : nullptr;
        return kernels.load[int(type)][int(cls)];
    }

    int load(int input, vm_class cls) {
        for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
            const vm_node& old = graph.nodes[i];
            if (old.what == vm_node::kind::load and old.input == input and old.cls == cls)
                return int(i);
        }
        const codegen::nest_access& a = n.inputs[std::size_t(input)];
        vm_node v;
        v.what = vm_node::kind::load;
        v.cls = cls;
        v.input = input;
        v.load = load_function(a.type, cls);
        v.name = "load";
        v.cost = (a.strides.back() == 1 ? 0.08 : 0.6) * lane_cost;
        if (std::all_of(a.strides.begin(), a.strides.end(), [](int64_t s) { return s == 0; }))
            v.rate = vm_rate::once;
        else if (rowwise and a.strides.back() == 0)
            v.rate = vm_rate::per_row;
        else
            v.rate = vm_rate::per_element;
        return add_node(std::move(v));
    }

    bool is_input(int reg) const { return reg < int(n.inputs.size()); }

    int reg_node(int reg) {
        if (is_input(reg))
            return load(reg, vm_class_of(n.reg_type(reg)));
        return values[std::size_t(reg)];
    }

    // The operand as a value of the operator's own class.
    int operand_node(const nest_op& op, std::size_t i) {
        const nest_operand& o = op.operands[i];
        if (o.is_reg())
            return reg_node(o.number);
        const vm_class cls = vm_class_of(operand_type(op, i));
        const bool integral = not codegen::is_float_class(codegen::class_of(op.type));
        const bool attribute = op.row != nullptr and int(i) >= op.row->arity;
        const int64_t integer = integral ? codegen::wrap_integer(op.type, o.int_value) : o.int_value;
        return constant(cls, integral and not attribute ? double(integer) : o.real_value, integer);
    }

    vm_rate fastest(const std::vector<int>& operands) {
        vm_rate r = vm_rate::once;
        for (int o : operands)
            r = std::max(r, node(o).rate);
        return r;
    }

    int call(const char* name, vm_class cls, vm_fn fn, std::vector<int> operands, double cost) {
        vm_node v;
        v.what = vm_node::kind::call;
        v.cls = cls;
        v.rate = fastest(operands);
        v.fn = fn;
        v.operands = std::move(operands);
        v.cost = cost * lane_cost;
        v.name = name;
        return add_node(std::move(v));
    }

    int cast(vm_cast c, vm_class cls, int operand) {
        return call("cast", cls, kernels.cast[int(c)], {operand}, 0.3);
    }

    int scalar(const nest_op& op) {
        nest_scalar_call s;
        s.row = op.row;
        s.type = op.type;
        std::vector<int> operands;
        for (std::size_t i = 0; i < op.operands.size(); ++i) {
            const bool attribute = op.row != nullptr and int(i) >= op.row->arity;
            const shape::type_t type = attribute ? shape::double_type : operand_type(op, i);
            s.operand_types.push_back(type);
            operands.push_back(attribute ? constant(vm_class::f64, op.operands[i].real_value, 0)
                                         : operand_node(op, i));
        }
        graph.scalar_calls.push_back(std::move(s));
        const int id = call(op.name(), vm_class_of(op.type), scalar_call_tile, std::move(operands), 20);
        node(id).scalar_call = int(graph.scalar_calls.size()) - 1;
        return id;
    }

    static bool is_condition(const nest_op& op, std::size_t i) {
        return i == 0 and std::string_view(op.name()) == "where";
    }

    // --- chains ---

    // True if the node of this operand is a chain that nobody else needs and that can grow.
    bool can_extend(int id, int times_used, const nest_operand* o, vm_rate rate) {
        const vm_node& v = node(id);
        if (v.what != vm_node::kind::chain or v.rate != rate or
            v.operands.size() > most_chain_operands or v.steps.size() >= most_chain_steps)
            return false;
        return o == nullptr or (o->is_reg() and uses[std::size_t(o->number)] == times_used);
    }

    // A chain that starts where `from` ends, or at it.
    vm_node start_chain(int from, bool extend) {
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

    static uint8_t chain_operand(vm_node& chain, int id) {
        const auto at = std::find(chain.operands.begin(), chain.operands.end(), id);
        const auto index = at - chain.operands.begin();
        if (at == chain.operands.end())
            chain.operands.push_back(id);
        return uint8_t(index);
    }

    int push_step(vm_node chain, chain_op op, int x = -1, int y = -1) {
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

    // A unary step on a value made on the way, or on an operand.
    int step_on(int id, const nest_operand* o, chain_op op, int x = -1) {
        return push_step(start_chain(id, can_extend(id, 1, o, node(id).rate)), op, x);
    }

    // The operand to accumulate on: a chain to extend if there is one, else any of the fastest.
    std::size_t accumulator(const nest_op& op, const std::vector<int>& nodes, std::size_t count) {
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

    int chain_unary_or_binary(const nest_op& op, const chain_row& row) {
        std::vector<int> nodes;
        for (std::size_t i = 0; i < op.operands.size(); ++i)
            nodes.push_back(operand_node(op, i));
        if (nodes.size() == 1)
            return step_on(nodes[0], &op.operands[0], row.op);
        if (row.op == chain_op::mul and nodes[0] == nodes[1])
            return push_step(start_chain(nodes[0], can_extend(nodes[0], 2, &op.operands[0],
                                                              node(nodes[0]).rate)),
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

    // --- constants of class f32 ---

    double constant_value(int id) { return double(std::bit_cast<float>(int32_t(node(id).bits))); }
    bool is_number(int id) {
        return node(id).what == vm_node::kind::constant and not std::isnan(constant_value(id));
    }
    // Costs one more rounding, of the reciprocal.
    bool divides_as_product(int id) {
        if (node(id).what != vm_node::kind::constant)
            return false;
        const double size = std::fabs(constant_value(id));
        return size > 0x1p-120 and size < 0x1p120;
    }

    int chain_where(const nest_op& op) {
        std::vector<int> nodes = {condition(op.operands[0], vm_class::f32), operand_node(op, 1),
                                  operand_node(op, 2)};
        const std::size_t acc = accumulator(op, nodes, 3);
        const bool extend = can_extend(nodes[acc], 1, &op.operands[acc], fastest(nodes));
        const vm_node chain = start_chain(nodes[acc], extend);
        switch (acc) {
        case 0: return push_step(chain, chain_op::where_cond, nodes[1], nodes[2]);
        case 1: return push_step(chain, chain_op::where_then, nodes[0], nodes[2]);
        default: return push_step(chain, chain_op::where_else, nodes[0], nodes[1]);
        }
    }

    int chain_clip(const nest_op& op) {
        const std::vector<int> nodes = {operand_node(op, 0), operand_node(op, 1),
                                        operand_node(op, 2)};
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

    // --- operators ---

    // Nonzero or zero in the given class.
    int condition(const nest_operand& o, vm_class wanted) {
        int id = 0;
        if (not o.is_reg()) {
            id = constant(vm_class::f32, o.real_value != 0 or o.int_value != 0 ? 1 : 0, 0);
        } else {
            const shape::type_t type = n.reg_type(o.number);
            const vm_class own = vm_class_of(type);
            if (is_input(o.number) and wanted == vm_class::f32 and is_integer_type(type) and
                load_function(type, vm_class::f32) != nullptr)
                return load(o.number, vm_class::f32);
            id = reg_node(o.number);
            if (own == wanted)
                return id;
            if (own == vm_class::f64)
                id = cast(vm_cast::f64_truth, vm_class::f32, id);
            if (own == vm_class::i64)
                id = cast(vm_cast::i64_truth, vm_class::f32, id);
        }
        // Of short floats the value itself may be a fraction.
        if (wanted != vm_class::f32 and o.is_reg() and vm_class_of(n.reg_type(o.number)) == vm_class::f32)
            id = step_on(id, &o, chain_op::nonzero);
        if (wanted == vm_class::f64)
            return cast(vm_cast::f32_f64, vm_class::f64, id);
        if (wanted == vm_class::i64)
            return cast(vm_cast::f32_i64, vm_class::i64, id);
        return id;
    }

    int lower(int reg, const nest_op& op) {
        if (op.row == nullptr)
            return lower_convert(reg, op);
        const std::string_view name = op.name();
        const vm_class cls = vm_class_of(op.type);
        if (op.row->bool_result)
            return lower_classification(op);
        if (op.type == shape::bool_type)
            return lower_bool(op);
        if (cls != vm_class::f32)
            return lower_wide(reg, op);
        if (name == "mul")
            if (const int id = lower_product(op); id >= 0)
                return id;
        return lower_float(op);
    }

    int lower_float(const nest_op& op) {
        const std::string_view name = op.name();
        if (name == "where")
            return chain_where(op);
        if (name == "clip")
            return chain_clip(op);
        if (name == "identity")
            return operand_node(op, 0);
        if (name == "pow")
            if (const int id = lower_simple_power(op); id >= 0)
                return id;
        if (const chain_row* row = find_row(chain_rows, name))
            return chain_unary_or_binary(op, *row);
        if (const math_row* row = find_row(math_rows, name)) {
            std::vector<int> operands;
            for (std::size_t i = 0; i < op.operands.size(); ++i)
                operands.push_back(operand_node(op, i));
            const double cost = row->f == vm_math::pow ? 4 : 0.7;
            return call(op.name(), vm_class::f32, kernels.math[int(row->f)], std::move(operands), cost);
        }
        return scalar(op);
    }

    int lower_classification(const nest_op& op) {
        const vm_class own = vm_class_of(operand_type(op, 0));
        if (operand_type(op, 0) == shape::bool_type or own == vm_class::i64)
            return real_constant(0);
        if (own == vm_class::f64)
            return scalar(op);
        return chain_unary_or_binary(op, *find_row(chain_rows, op.name()));
    }

    int lower_bool(const nest_op& op) {
        const std::string_view name = op.name();
        if (name == "identity")
            return operand_node(op, 0);
        if (name == "bitwise_and")
            return chain_unary_or_binary(op, *find_row(chain_rows, "logical_and"));
        if (not contains(bool_rows, name))
            return scalar(op);
        const int id = lower_float(op);
        return contains(bool_needs_wrap, name) ? step_on(id, nullptr, chain_op::nonzero) : id;
    }

    int lower_wide(int reg, const nest_op& op) {
        const std::string_view name = op.name();
        const vm_class cls = vm_class_of(op.type);
        const wide_row* row = find_row(wide_rows, name);
        vm_fn fn = nullptr;
        if (row != nullptr)
            fn = cls == vm_class::f64 ? kernels.wide_f64[int(row->op)] : kernels.wide_i64[int(row->op)];
        if (name == "identity")
            return operand_node(op, 0);
        if (fn == nullptr)
            return scalar(op);
        std::vector<int> operands;
        for (std::size_t i = 0; i < op.operands.size(); ++i)
            operands.push_back(is_condition(op, i) ? condition(op.operands[i], cls)
                                                   : operand_node(op, i));
        const int id = call(op.name(), cls, fn, std::move(operands), name == "div" ? 2 : 0.25);
        return wrapped(reg, op, id);
    }

    // Brings narrow integers back into their range where somebody would see the difference.
    int wrapped(int reg, const nest_op& op, int id) {
        if (not contains(can_leave_range, op.name()) or low_bits[std::size_t(reg)] != 0)
            return id;
        const auto wrap = [&](vm_wide w) {
            return call("wrap", vm_class::i64, kernels.wide_i64[int(w)], {id}, 0.2);
        };
        switch (op.type) {
        case shape::uint8_type: return wrap(vm_wide::wrap_u8);
        case shape::int8_type: return wrap(vm_wide::wrap_i8);
        case shape::uint16_type: return wrap(vm_wide::wrap_u16);
        case shape::int16_type: return wrap(vm_wide::wrap_i16);
        case shape::uint32_type: return wrap(vm_wide::wrap_u32);
        case shape::int32_type: return wrap(vm_wide::wrap_i32);
        default: return id;
        }
    }

    // x^y for the exponents that models use.
    int lower_simple_power(const nest_op& op) {
        if (op.operands[1].is_reg())
            return -1;
        const double y = op.operands[1].real_value;
        const int x = operand_node(op, 0);
        if (y == 1)
            return x;
        if (y == 2)
            return step_on(x, &op.operands[0], chain_op::square);
        if (y == 3) {
            // Not one chain: the third factor is x itself.
            const int square = push_step(start_chain(x, false), chain_op::square);
            return push_step(start_chain(square, true), chain_op::mul, x);
        }
        if (y == -1)
            return step_on(x, &op.operands[0], chain_op::recip);
        return -1;
    }

    // x * sigmoid(x), and x * (1 + erf(x / sqrt(2))) * 0.5 however it is grouped; -1 if neither.
    int lower_product(const nest_op& op) {
        for (int side = 0; side < 2; ++side) {
            const nest_operand& x = op.operands[std::size_t(side)];
            const nest_op* gate = definition(op.operands[std::size_t(1 - side)]);
            if (gate != nullptr and std::string_view(gate->name()) == "sigmoid" and
                gate->operands[0] == x and x.is_reg())
                return call("silu", vm_class::f32, kernels.math[int(vm_math::silu)],
                            {reg_node(x.number)}, 0.8);
        }
        std::vector<nest_operand> factors;
        collect_factors(op, factors);
        if (factors.size() != 3)
            return -1;
        std::size_t half = 3;
        std::size_t gate = 3;
        nest_operand x;
        for (std::size_t i = 0; i < 3; ++i) {
            if (not factors[i].is_reg() and factors[i].real_value == 0.5)
                half = i;
            else if (gate == 3 and is_gelu_gate(factors[i], op.type, x))
                gate = i;
        }
        if (half == 3 or gate == 3 or factors[3 - half - gate] != x)
            return -1;
        return call("gelu_erf", vm_class::f32, kernels.math[int(vm_math::gelu_erf)],
                    {reg_node(x.number)}, 0.9);
    }

    void collect_factors(const nest_op& product, std::vector<nest_operand>& factors) {
        for (const nest_operand& o : product.operands) {
            const nest_op* d = definition(o);
            if (d != nullptr and d->row != nullptr and std::string_view(d->name()) == "mul" and
                uses[std::size_t(o.number)] == 1 and factors.size() < 4)
                collect_factors(*d, factors);
            else
                factors.push_back(o);
        }
    }

    // 1 + erf(x / sqrt(2)); sets x.
    bool is_gelu_gate(const nest_operand& o, shape::type_t type, nest_operand& x) const {
        const nest_op* sum = definition(o);
        if (sum == nullptr or std::string_view(sum->name()) != "add")
            return false;
        for (int side = 0; side < 2; ++side) {
            const nest_operand& one = sum->operands[std::size_t(1 - side)];
            const nest_op* e = definition(sum->operands[std::size_t(side)]);
            if (one.is_reg() or one.real_value != 1 or e == nullptr or
                std::string_view(e->name()) != "erf")
                continue;
            const nest_op* scaled = definition(e->operands[0]);
            if (scaled == nullptr)
                continue;
            const bool divided = std::string_view(scaled->name()) == "div";
            if (not divided and std::string_view(scaled->name()) != "mul")
                continue;
            const std::size_t factor = scaled->operands[1].is_reg() and not divided ? 0 : 1;
            const nest_operand& c = scaled->operands[factor];
            const double scale = divided ? 1 / c.real_value : c.real_value;
            const double tolerance = type == shape::float_type ? 1e-6 : 4e-3;
            x = scaled->operands[1 - factor];
            if (not c.is_reg() and x.is_reg() and std::fabs(scale - std::sqrt(0.5)) < tolerance)
                return true;
        }
        return false;
    }

    // --- conversions ---

    int lower_convert(int reg, const nest_op& op) {
        const nest_operand& o = op.operands[0];
        if (not o.is_reg()) {
            const codegen::scalar_value v =
                codegen::convert_scalar(shape::double_type, {o.real_value, o.int_value}, op.type);
            return constant(vm_class_of(op.type), op.type == shape::bool_type ? double(v.integer) : v.real,
                            v.integer);
        }
        const shape::type_t from = n.reg_type(o.number);
        if (from == op.type)
            return reg_node(o.number);
        if (from == shape::uint64_type or op.type == shape::uint64_type)
            return scalar(op);
        if (from == shape::bool_type)
            return from_bool(op);
        if (is_integer_type(from))
            return from_integer(reg, op, from);
        return from == shape::double_type ? from_double(op) : from_float(reg, op, from);
    }

    int from_bool(const nest_op& op) {
        const int id = reg_node(op.operands[0].number);
        switch (vm_class_of(op.type)) {
        case vm_class::f32: return id;
        case vm_class::f64: return cast(vm_cast::f32_f64, vm_class::f64, id);
        case vm_class::i64: break;
        }
        return cast(vm_cast::f32_i64, vm_class::i64, id);
    }

    int from_integer(int reg, const nest_op& op, shape::type_t from) {
        const int source = op.operands[0].number;
        if (op.type == shape::bool_type) {
            const int positive = call("greater", vm_class::i64, kernels.wide_i64[int(vm_wide::greater)],
                                      {reg_node(source), constant(vm_class::i64, 0, 0)}, 0.25);
            return cast(vm_cast::i64_f32, vm_class::f32, positive);
        }
        if (op.type == shape::double_type)
            return cast(vm_cast::i64_f64, vm_class::f64, reg_node(source));
        if (vm_class_of(op.type) == vm_class::f32) {
            if (is_input(source) and load_function(from, vm_class::f32) != nullptr)
                return to_float_type(reg, op.type, load(source, vm_class::f32), nullptr);
            return to_float_type(reg, op.type, cast(vm_cast::i64_f32, vm_class::f32, reg_node(source)),
                                 nullptr);
        }
        return clipped(reg_node(source), limits_of(from), op.type);
    }

    int clipped(int id, integer_limits have, shape::type_t to) {
        const integer_limits want = limits_of(to);
        if (have.low < want.low)
            id = call("max", vm_class::i64, kernels.wide_i64[int(vm_wide::max)],
                      {id, constant(vm_class::i64, 0, want.low)}, 0.25);
        if (have.high > want.high)
            id = call("min", vm_class::i64, kernels.wide_i64[int(vm_wide::min)],
                      {id, constant(vm_class::i64, 0, want.high)}, 0.25);
        return id;
    }

    int from_double(const nest_op& op) {
        const int id = reg_node(op.operands[0].number);
        if (op.type == shape::bool_type) {
            const int positive = call("greater", vm_class::f64, kernels.wide_f64[int(vm_wide::greater)],
                                      {id, constant(vm_class::f64, 0, 0)}, 0.25);
            return cast(vm_cast::f64_f32, vm_class::f32, positive);
        }
        if (op.type == shape::float_type)
            return cast(vm_cast::f64_f32, vm_class::f32, id);
        if (is_integer_type(op.type))
            return clipped(cast(vm_cast::f64_i64, vm_class::i64, id), limits_of(shape::int64_type),
                           op.type);
        return scalar(op);
    }

    int from_float(int reg, const nest_op& op, shape::type_t from) {
        const nest_operand& o = op.operands[0];
        const int id = reg_node(o.number);
        if (op.type == shape::bool_type)
            return step_on(id, &o, chain_op::positive);
        if (op.type == shape::double_type)
            return cast(vm_cast::f32_f64, vm_class::f64, id);
        if (vm_class_of(op.type) == vm_class::f32)
            return is_short_float(from) and op.type == shape::float_type
                       ? id
                       : to_float_type(reg, op.type, id, &o);
        if (stored_only(reg) and kernels.saturating_store[int(op.type)] != nullptr)
            return id; // the store converts
        return clipped(cast(vm_cast::f32_i64, vm_class::i64, id), limits_of(shape::int64_type), op.type);
    }

    bool stored_only(int reg) const {
        return uses[std::size_t(reg)] > 0 and uses[std::size_t(reg)] == stored[std::size_t(reg)];
    }

    // Saturates and rounds to a floating-point type of class f32; stores round by themselves.
    int to_float_type(int reg, shape::type_t type, int id, const nest_operand* o) {
        if (type == shape::float_type)
            return id;
        const double top = codegen::convert_scalar(shape::double_type, {1e300, 0}, type).real;
        const bool extend = o != nullptr ? can_extend(id, 1, o, node(id).rate) : false;
        const int inside =
            push_step(start_chain(id, extend), chain_op::clamp_finite, real_constant(top));
        if (stored_only(reg))
            return inside;
        if (type == shape::half_type)
            return push_step(start_chain(inside, true), chain_op::round_half);
        if (type == shape::bf16_type)
            return push_step(start_chain(inside, true), chain_op::round_bf16);
        nest_scalar_call s;
        s.type = type;
        s.operand_types = {shape::float_type};
        graph.scalar_calls.push_back(std::move(s));
        const int rounded = call("convert", vm_class::f32, scalar_call_tile, {inside}, 20);
        node(rounded).scalar_call = int(graph.scalar_calls.size()) - 1;
        return rounded;
    }

    vm_store lower_store(const codegen::nest_output& o) {
        vm_store s;
        s.node = reg_node(o.reg);
        const shape::type_t type = o.access.type;
        const vm_class cls = class_of_node(s.node);
        s.native = (type == shape::float_type and cls == vm_class::f32) or
                   (type == shape::double_type and cls == vm_class::f64) or
                   ((type == shape::int64_type or type == shape::uint64_type) and cls == vm_class::i64);
        if (is_integer_type(type) and cls == vm_class::f32)
            s.fn = kernels.saturating_store[int(type)];
        else if (vm_store_fn fn = scalar_store(type); fn != nullptr)
            s.fn = fn;
        else
            s.fn = kernels.store[int(type)][int(cls)];
        return s;
    }
};

} // namespace

vm_graph lower_nest(const nest& n, const nest_kernels& kernels, bool rowwise, isa level) {
    return nest_lowering(n, kernels, rowwise, level).run();
}

} // namespace migraphx::cpu
