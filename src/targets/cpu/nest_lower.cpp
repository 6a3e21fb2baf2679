// SPDX-License-Identifier: MIT
// Lowering of nests to the tile machine, one operator after the other.

#include "targets/cpu/nest_lowering.hpp"

#include "codegen/interpret.hpp"

#include <algorithm>
#include <cmath>

namespace migraphx::cpu {
namespace {

struct math_row {
    std::string_view name;
    vm_math f;
};

constexpr math_row math_rows[] = {
    {"exp", vm_math::exp}, {"log", vm_math::log},   {"log2", vm_math::log2},
    {"erf", vm_math::erf}, {"tanh", vm_math::tanh}, {"sigmoid", vm_math::sigmoid},
    {"sin", vm_math::sin}, {"cos", vm_math::cos},   {"tan", vm_math::tan},
    {"elu", vm_math::elu}, {"pow", vm_math::pow},
};

struct wide_row {
    std::string_view name;
    vm_wide op;
};

constexpr wide_row wide_rows[] = {
    {"add", vm_wide::add},
    {"sub", vm_wide::sub},
    {"mul", vm_wide::mul},
    {"div", vm_wide::div},
    {"max", vm_wide::max},
    {"min", vm_wide::min},
    {"sqdiff", vm_wide::sqdiff},
    {"equal", vm_wide::equal},
    {"greater", vm_wide::greater},
    {"less", vm_wide::less},
    {"logical_and", vm_wide::logical_and},
    {"logical_or", vm_wide::logical_or},
    {"logical_xor", vm_wide::logical_xor},
    {"bitwise_and", vm_wide::bitwise_and},
    {"abs", vm_wide::abs},
    {"neg", vm_wide::neg},
    {"relu", vm_wide::relu},
    {"not", vm_wide::logical_not},
    {"sign", vm_wide::sign},
    {"sqrt", vm_wide::sqrt},
    {"where", vm_wide::where},
    {"clip", vm_wide::clip},
};

// Operators on bool whose value on 0 and 1 in float, not 0, equals the integer one.
constexpr std::string_view bool_rows[] = {
    "add",   "sub",   "mul",  "max",     "min",         "abs",        "neg",
    "sign",  "relu",  "not",  "less",    "logical_and", "logical_or", "logical_xor",
    "equal", "where", "clip", "greater", "sqdiff"};
constexpr std::string_view bool_needs_wrap[] = {"add", "sub", "neg", "sqdiff", "sign"};

// Operators whose low bits depend on the low bits of their operands only.
constexpr std::string_view ring_rows[] = {"add", "sub", "mul", "neg", "sqdiff"};
constexpr std::string_view can_leave_range[] = {"add", "sub", "mul", "neg", "sqdiff", "abs", "div"};

template <class Rows>
const auto* find_named_row(const Rows& rows, std::string_view name) {
    const auto at = std::find_if(std::begin(rows), std::end(rows),
                                 [&](const auto& r) { return r.name == name; });
    return at == std::end(rows) ? nullptr : &*at;
}

template <class Names>
bool lists_name(const Names& names, std::string_view name) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

} // namespace

vm_graph nest_lowering::run() {
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

bool vm_graph::has_folds() const {
    return std::any_of(stores.begin(), stores.end(), [](auto& s) { return s.folds != nullptr; });
}

// Enough work for the latencies of one iteration to overlap with those of the next, in little code.
int vectors_at_once(const vm_graph& g) {
    std::vector<char> live(g.nodes.size(), 0);
    for (const vm_store& s : g.stores)
        live[std::size_t(s.node)] = 1;
    int work = 0;
    for (std::size_t i = g.nodes.size(); i-- > 0;) {
        const vm_node& v = g.nodes[i];
        if (live[i] == 0)
            continue;
        for (int o : v.operands)
            live[std::size_t(o)] = 1;
        if (v.rate == vm_rate::per_element)
            work += v.what == vm_node::kind::chain  ? int(v.steps.size())
                    : v.what == vm_node::kind::load ? 1
                                                    : 20;
    }
    return work <= 6 ? most_fold_vectors : work <= 16 ? 2 : 1;
}

void nest_lowering::count_uses() {
    const auto count = std::size_t(n.registers());
    uses.assign(count, 0);
    stored.assign(count, 0);
    low_bits.assign(count, 1);
    for (const nest_op& op : n.body)
        for (const nest_operand& o : op.operands)
            if (o.is_reg()) {
                ++uses[std::size_t(o.number)];
                if (not lists_name(ring_rows, op.name()))
                    low_bits[std::size_t(o.number)] = 0;
            }
    for (const codegen::nest_output& o : n.outputs) {
        ++uses[std::size_t(o.reg)];
        // As elements of its own type: stores of those may do what is left of an operator.
        if (o.access.type == n.reg_type(o.reg) and not o.how)
            ++stored[std::size_t(o.reg)];
        if (o.how == codegen::fold::max or o.how == codegen::fold::min)
            low_bits[std::size_t(o.reg)] = 0;
    }
}

const nest_op* nest_lowering::definition(const nest_operand& o) const {
    const int index = o.number - int(n.inputs.size());
    return o.is_reg() and index >= 0 ? &n.body[std::size_t(index)] : nullptr;
}

shape::type_t nest_lowering::operand_type(const nest_op& op, std::size_t i) const {
    const nest_operand& o = op.operands[i];
    if (o.is_reg())
        return n.reg_type(o.number);
    return op.row == nullptr or op.row->bool_result ? shape::double_type : op.type;
}

int nest_lowering::add_node(vm_node v) {
    graph.nodes.push_back(std::move(v));
    return int(graph.nodes.size()) - 1;
}

int nest_lowering::constant(vm_class cls, double real, int64_t integer) {
    vm_node v;
    v.cls = cls;
    switch (cls) {
    case vm_class::f32:
        v.bits = std::bit_cast<int32_t>(float(real));
        break;
    case vm_class::f64:
        v.bits = std::bit_cast<int64_t>(real);
        break;
    case vm_class::i64:
        v.bits = integer;
        break;
    }
    v.name = "constant";
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        const vm_node& old = graph.nodes[i];
        if (old.what == vm_node::kind::constant and old.cls == cls and old.bits == v.bits)
            return int(i);
    }
    return add_node(std::move(v));
}

vm_load_fn nest_lowering::load_function(shape::type_t type, vm_class cls) const {
    if (vm_load_fn fn = scalar_load(type); fn != nullptr)
        return cls == vm_class::f32 ? fn : nullptr;
    return kernels.load[int(type)][int(cls)];
}

int nest_lowering::load(int input, vm_class cls) {
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
    if (a.by_strides() and
        std::all_of(a.strides.begin(), a.strides.end(), [](int64_t s) { return s == 0; }))
        v.rate = vm_rate::once;
    else if (rowwise and a.strides.back() == 0)
        v.rate = vm_rate::per_row;
    else
        v.rate = vm_rate::per_element;
    return add_node(std::move(v));
}

int nest_lowering::reg_node(int reg) {
    if (is_input(reg))
        return load(reg, vm_class_of(n.reg_type(reg)));
    return values[std::size_t(reg)];
}

int nest_lowering::operand_node(const nest_op& op, std::size_t i) {
    const nest_operand& o = op.operands[i];
    if (o.is_reg())
        return reg_node(o.number);
    const vm_class cls = vm_class_of(operand_type(op, i));
    const bool integral = not codegen::is_float_class(codegen::class_of(op.type));
    const bool attribute = op.row != nullptr and int(i) >= op.row->arity;
    const int64_t integer = integral ? codegen::wrap_integer(op.type, o.int_value) : o.int_value;
    return constant(cls, integral and not attribute ? double(integer) : o.real_value, integer);
}

vm_rate nest_lowering::fastest(const std::vector<int>& operands) {
    vm_rate r = vm_rate::once;
    for (int o : operands)
        r = std::max(r, node(o).rate);
    return r;
}

vm_fn nest_lowering::pointer_to(vm_function f, vm_class cls) const {
    switch (f.family) {
    case vm_family::math:
        return kernels.math[f.code];
    case vm_family::wide:
        return cls == vm_class::f64 ? kernels.wide_f64[f.code] : kernels.wide_i64[f.code];
    case vm_family::cast:
        return kernels.cast[f.code];
    case vm_family::scalar:
        return scalar_call_tile;
    case vm_family::none:
        break;
    }
    return nullptr;
}

int nest_lowering::call(const char* name, vm_class cls, vm_function f, std::vector<int> operands,
                        double cost) {
    vm_node v;
    v.what = vm_node::kind::call;
    v.cls = cls;
    v.rate = fastest(operands);
    v.function = f;
    v.fn = pointer_to(f, cls);
    v.operands = std::move(operands);
    v.cost = cost * lane_cost;
    v.name = name;
    return add_node(std::move(v));
}

int nest_lowering::cast(vm_cast c, vm_class cls, int operand) {
    return call("cast", cls, {vm_family::cast, uint8_t(c)}, {operand}, 0.3);
}

int nest_lowering::scalar(const nest_op& op) {
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
    const int id = call(op.name(), vm_class_of(op.type), {vm_family::scalar}, std::move(operands), 20);
    node(id).scalar_call = int(graph.scalar_calls.size()) - 1;
    return id;
}

int nest_lowering::condition(const nest_operand& o, vm_class wanted) {
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
    if (wanted != vm_class::f32 and o.is_reg() and
        vm_class_of(n.reg_type(o.number)) == vm_class::f32)
        id = step_on(id, &o, chain_op::nonzero);
    if (wanted == vm_class::f64)
        return cast(vm_cast::f32_f64, vm_class::f64, id);
    if (wanted == vm_class::i64)
        return cast(vm_cast::f32_i64, vm_class::i64, id);
    return id;
}

int nest_lowering::lower(int reg, const nest_op& op) {
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

int nest_lowering::lower_float(const nest_op& op) {
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
    if (const chain_row* row = find_chain_row(name))
        return chain_unary_or_binary(op, *row);
    if (const math_row* row = find_named_row(math_rows, name)) {
        std::vector<int> operands;
        for (std::size_t i = 0; i < op.operands.size(); ++i)
            operands.push_back(operand_node(op, i));
        const double cost = row->f == vm_math::pow ? 4 : 0.7;
        return math(row->f, op.name(), std::move(operands), cost);
    }
    return scalar(op);
}

int nest_lowering::lower_classification(const nest_op& op) {
    const vm_class own = vm_class_of(operand_type(op, 0));
    if (operand_type(op, 0) == shape::bool_type or own == vm_class::i64)
        return real_constant(0);
    if (own == vm_class::f64)
        return scalar(op);
    return chain_unary_or_binary(op, *find_chain_row(op.name()));
}

int nest_lowering::lower_bool(const nest_op& op) {
    const std::string_view name = op.name();
    if (name == "identity")
        return operand_node(op, 0);
    if (name == "bitwise_and")
        return chain_unary_or_binary(op, *find_chain_row("logical_and"));
    if (not lists_name(bool_rows, name))
        return scalar(op);
    const int id = lower_float(op);
    return lists_name(bool_needs_wrap, name) ? step_on(id, nullptr, chain_op::nonzero) : id;
}

int nest_lowering::lower_wide(int reg, const nest_op& op) {
    const std::string_view name = op.name();
    const vm_class cls = vm_class_of(op.type);
    const wide_row* row = find_named_row(wide_rows, name);
    if (name == "identity")
        return operand_node(op, 0);
    if (row == nullptr or pointer_to({vm_family::wide, uint8_t(row->op)}, cls) == nullptr or
        (op.type == shape::uint64_type and differs_for_unsigned(*op.row)))
        return scalar(op);
    std::vector<int> operands;
    for (std::size_t i = 0; i < op.operands.size(); ++i)
        operands.push_back(is_condition(op, i) ? condition(op.operands[i], cls)
                                               : operand_node(op, i));
    const int id = wide(row->op, op.name(), cls, std::move(operands), name == "div" ? 2 : 0.25);
    return wrapped(reg, op, id);
}

int nest_lowering::wrapped(int reg, const nest_op& op, int id) {
    if (not lists_name(can_leave_range, op.name()) or low_bits[std::size_t(reg)] != 0)
        return id;
    const auto wrap = [&](vm_wide w) { return wide(w, "wrap", vm_class::i64, {id}, 0.2); };
    switch (op.type) {
    case shape::uint8_type:
        return wrap(vm_wide::wrap_u8);
    case shape::int8_type:
        return wrap(vm_wide::wrap_i8);
    case shape::uint16_type:
        return wrap(vm_wide::wrap_u16);
    case shape::int16_type:
        return wrap(vm_wide::wrap_i16);
    case shape::uint32_type:
        return wrap(vm_wide::wrap_u32);
    case shape::int32_type:
        return wrap(vm_wide::wrap_i32);
    default:
        return id;
    }
}

int nest_lowering::lower_simple_power(const nest_op& op) {
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

int nest_lowering::lower_product(const nest_op& op) {
    for (int side = 0; side < 2; ++side) {
        const nest_operand& x = op.operands[std::size_t(side)];
        const nest_op* gate = definition(op.operands[std::size_t(1 - side)]);
        if (gate != nullptr and std::string_view(gate->name()) == "sigmoid" and
            gate->operands[0] == x and x.is_reg())
            return math(vm_math::silu, "silu", {reg_node(x.number)}, 0.8);
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
    return math(vm_math::gelu_erf, "gelu_erf", {reg_node(x.number)}, 0.9);
}

void nest_lowering::collect_factors(const nest_op& product, std::vector<nest_operand>& factors) {
    for (const nest_operand& o : product.operands) {
        const nest_op* d = definition(o);
        if (d != nullptr and d->row != nullptr and std::string_view(d->name()) == "mul" and
            uses[std::size_t(o.number)] == 1 and factors.size() < 4)
            collect_factors(*d, factors);
        else
            factors.push_back(o);
    }
}

bool nest_lowering::is_gelu_gate(const nest_operand& o, shape::type_t type, nest_operand& x) const {
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

vm_graph lower_nest(const nest& n, const nest_kernels& kernels, bool rowwise, isa level) {
    return nest_lowering(n, kernels, rowwise, level).run();
}

} // namespace migraphx::cpu
