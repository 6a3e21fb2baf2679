// SPDX-License-Identifier: MIT
// Building, checking, simplifying and printing nests.

#include "codegen/nest.hpp"

#include "codegen/reads.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <numeric>
#include <string_view>

namespace migraphx::codegen {
namespace {

std::string list_text(const std::vector<int64_t>& values) {
    std::string text = "{";
    for (std::size_t i = 0; i < values.size(); ++i)
        text += (i == 0 ? "" : ", ") + std::to_string(values[i]);
    return text + "}";
}

std::string type_text(shape::type_t type) {
    return shape(type).type_string();
}

std::string number_text(double value) {
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
    return std::string(buffer, end);
}

// Index of the first operand that carries the type of the result, and whether any does.
bool type_is_free(const nest_op& op, std::size_t operand) {
    if (op.row == nullptr or op.row->bool_result)
        return true;
    return operand == 0 and std::string_view(op.row->name) == "where";
}

bool is_integral(shape::type_t type) {
    return class_of(type) == value_class::i64;
}

struct nest_checker {
    const nest& n;

    [[noreturn]] void bad(const std::string& expected, const std::string& got) const {
        fail(error_kind::internal, "nest: " + expected + ", got " + got + " in\n" + to_string(n));
    }

    void access(const nest_access& a, const char* what) const {
        (void)class_of(a.type);
        if (a.strides.size() != n.dims.size())
            bad(std::string("one stride per dim was expected for ") + what,
                std::to_string(a.strides.size()));
    }

    void operands(const nest_op& op, int self) const {
        const std::size_t count = op.row == nullptr ? 1 : std::size_t(op.row->operands());
        if (op.operands.size() != count)
            bad(std::to_string(count) + " operands were expected for " + op.name(),
                std::to_string(op.operands.size()));
        for (std::size_t i = 0; i < count; ++i) {
            const nest_operand& o = op.operands[i];
            const bool attribute = op.row != nullptr and int(i) >= op.row->arity;
            if (attribute and o.is_reg())
                bad(std::string("an immediate attribute was expected for ") + op.name(),
                    "a register");
            if (not o.is_reg())
                continue;
            if (o.number >= self)
                bad("operands defined before their use were expected",
                    "%" + std::to_string(o.number) + " in %" + std::to_string(self));
            const auto type = n.reg_type(o.number);
            if (not type_is_free(op, i) and type != op.type)
                bad("operands of " + type_text(op.type) + " were expected for " + op.name(),
                    type_text(type));
        }
    }

    void result(const nest_op& op) const {
        if (op.row == nullptr)
            return;
        if (op.row->bool_result and op.type != shape::bool_type)
            bad(std::string("a bool result was expected for ") + op.name(), type_text(op.type));
        if (op.row->integral_only and not is_integral(op.type))
            bad(std::string("integers were expected for ") + op.name(), type_text(op.type));
    }

    void output(const nest_output& o) const {
        access(o.access, "an output");
        if (not o.access.by_strides())
            bad("an output that is walked by strides was expected", "another");
        if (o.reg < 0 or o.reg >= n.registers())
            bad("a stored register was expected", "%" + std::to_string(o.reg));
        if (n.reg_type(o.reg) != o.access.type)
            bad("an output of " + type_text(n.reg_type(o.reg)) + " was expected",
                type_text(o.access.type));
        for (std::size_t d = 0; d < n.dims.size(); ++d)
            if (n.dims[d] > 1 and o.access.strides[d] == 0 and n.elements() > 0)
                bad("outputs without broadcast dims were expected", list_text(o.access.strides));
    }

    void run() const {
        int64_t total = 1;
        for (int64_t d : n.dims) {
            if (d < 0)
                bad("dims of at least 0 were expected", std::to_string(d));
            if (__builtin_mul_overflow(total, std::max<int64_t>(d, 1), &total))
                bad("at most 2^63 elements were expected", list_text(n.dims));
        }
        for (const nest_access& a : n.inputs)
            access(a, "an input");
        validate_reads(n.inputs, n.dims);
        for (std::size_t i = 0; i < n.body.size(); ++i) {
            (void)class_of(n.body[i].type);
            operands(n.body[i], int(n.inputs.size() + i));
            result(n.body[i]);
        }
        for (const nest_output& o : n.outputs)
            output(o);
    }
};

// " at %2 * 768 of 100", " in {0-0, 1-1}"
std::string read_text(const nest_access& a) {
    std::string text;
    if (a.gathered)
        text += " at %" + std::to_string(a.gathered->input) + " * " +
                std::to_string(a.gathered->stride) + " of " + std::to_string(a.gathered->extent);
    for (std::size_t d = 0; d < a.border.size(); ++d)
        text += (d == 0 ? " in {" : ", ") + std::to_string(a.border[d].before) + "-" +
                std::to_string(a.border[d].after) + (d + 1 == a.border.size() ? "}" : "");
    return text;
}

template <class F>
void for_each_access(nest& n, F f) {
    for (nest_access& a : n.inputs)
        f(a);
    for (nest_output& o : n.outputs)
        f(o.access);
}

// Removes dims of size 1; an empty iteration space becomes the single dim 0.
void drop_unit_dims(nest& n) {
    const bool empty = n.elements() == 0;
    std::vector<int64_t> dims;
    if (empty)
        dims = {0};
    for_each_access(n, [&](nest_access& a) {
        std::vector<int64_t> strides;
        for (std::size_t d = 0; d < n.dims.size(); ++d)
            if (n.dims[d] != 1)
                strides.push_back(a.strides[d]);
        a.strides = empty ? std::vector<int64_t>{0} : strides;
        if (a.border.empty())
            return;
        std::vector<nest_border> border;
        for (std::size_t d = 0; d < n.dims.size(); ++d)
            if (n.dims[d] != 1)
                border.push_back(a.border[d]);
        a.border = empty ? std::vector<nest_border>{} : border;
    });
    if (not empty)
        std::copy_if(n.dims.begin(), n.dims.end(), std::back_inserter(dims),
                     [](int64_t d) { return d != 1; });
    n.dims = dims;
}

// Dims by falling stride of the first output, so that stores run through memory in order.
void sort_dims(nest& n) {
    if (n.outputs.empty())
        return;
    std::vector<std::size_t> order(n.dims.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto key = n.outputs.front().access.strides;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::llabs(key[a]) > std::llabs(key[b]);
    });
    const auto permuted = [&]<class T>(const std::vector<T>& from) {
        std::vector<T> to(from.size());
        for (std::size_t i = 0; i < to.size(); ++i)
            to[i] = from[order[i]];
        return to;
    };
    n.dims = permuted(n.dims);
    for_each_access(n, [&](nest_access& a) {
        a.strides = permuted(a.strides);
        if (not a.border.empty())
            a.border = permuted(a.border);
    });
}

void merge_dims(nest& n) {
    for (std::size_t d = n.dims.size(); d-- > 1;) {
        const std::size_t outer = d - 1;
        bool one_walk = true;
        for_each_access(n, [&](nest_access& a) {
            one_walk = one_walk and walks_as_one(a, d, n.dims[d]);
        });
        if (not one_walk)
            continue;
        for_each_access(n, [&](nest_access& a) { merge_dim(a, d, n.dims[d]); });
        n.dims[outer] *= n.dims[d];
        n.dims.erase(n.dims.begin() + std::ptrdiff_t(d));
    }
}

bool is_identity(const nest& n, const nest_op& op) {
    if (not op.operands.front().is_reg())
        return false;
    if (op.row == nullptr)
        return n.reg_type(op.operands.front().number) == op.type;
    return std::string_view(op.row->name) == "identity";
}

void remove_dead_operators(nest& n) {
    const int first = int(n.inputs.size());
    std::vector<int> same_as(std::size_t(n.registers()));
    std::iota(same_as.begin(), same_as.end(), 0);
    for (std::size_t i = 0; i < n.body.size(); ++i) {
        for (nest_operand& o : n.body[i].operands)
            if (o.is_reg())
                o.number = same_as[std::size_t(o.number)];
        if (is_identity(n, n.body[i]))
            same_as[std::size_t(first) + i] = n.body[i].operands.front().number;
    }
    std::vector<char> live(same_as.size(), 0);
    for (nest_output& o : n.outputs) {
        o.reg = same_as[std::size_t(o.reg)];
        live[std::size_t(o.reg)] = 1;
    }
    for (std::size_t i = n.body.size(); i-- > 0;)
        if (live[std::size_t(first) + i] != 0)
            for (const nest_operand& o : n.body[i].operands)
                if (o.is_reg())
                    live[std::size_t(o.number)] = 1;
    std::vector<int> renumbered(same_as.size());
    std::iota(renumbered.begin(), renumbered.begin() + first, 0);
    std::vector<nest_op> kept;
    for (std::size_t i = 0; i < n.body.size(); ++i) {
        if (live[std::size_t(first) + i] == 0)
            continue;
        renumbered[std::size_t(first) + i] = first + int(kept.size());
        for (nest_operand& o : n.body[i].operands)
            if (o.is_reg())
                o.number = renumbered[std::size_t(o.number)];
        kept.push_back(std::move(n.body[i]));
    }
    n.body = std::move(kept);
    for (nest_output& o : n.outputs)
        o.reg = renumbered[std::size_t(o.reg)];
}

std::vector<int64_t> static_strides(const nest& n, const shape& s) {
    std::vector<int64_t> lens(s.lens().begin(), s.lens().end());
    if (lens != n.dims)
        fail(error_kind::invalid_argument, "nest: tensors of dims " + list_text(n.dims) +
                                               " were expected, got " + list_text(lens));
    return {s.strides().begin(), s.strides().end()};
}

} // namespace

value_class class_of(shape::type_t type) {
    switch (type) {
    case shape::float_type:
    case shape::half_type:
    case shape::bf16_type:
    case shape::fp8e4m3fnuz_type:
    case shape::fp8e4m3fn_type:
    case shape::fp8e5m2_type:
    case shape::fp8e5m2fnuz_type:
        return value_class::f32;
    case shape::double_type:
        return value_class::f64;
    default:
        if (shape::is_computable(type))
            return value_class::i64;
    }
    fail(error_kind::invalid_argument,
         "nest: a type to compute with was expected, got " + type_text(type));
}

bool is_float_class(value_class c) {
    return c != value_class::i64;
}

shape::type_t nest::reg_type(int reg) const {
    const auto r = std::size_t(reg);
    return r < inputs.size() ? inputs[r].type : body[r - inputs.size()].type;
}

int64_t nest::elements() const {
    return std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>{});
}

nest_builder::nest_builder(std::vector<int64_t> dims) {
    result.dims = std::move(dims);
}

int nest_builder::input(shape::type_t type, std::vector<int64_t> strides) {
    if (not result.body.empty())
        fail(error_kind::internal,
             "nest: inputs before operators were expected, got an input after");
    result.inputs.push_back({type, std::move(strides)});
    return int(result.inputs.size()) - 1;
}

int nest_builder::input(const shape& s) {
    return input(s.type(), static_strides(result, s));
}

int nest_builder::op(const std::string& name, std::vector<nest_operand> operands,
                     shape::type_t immediate_type) {
    nest_op op;
    op.row = find_pointwise_row(name);
    if (op.row == nullptr)
        fail(error_kind::invalid_argument,
             "nest: a pointwise operator was expected, got '" + name + "'");
    if (op.row->attribute != nullptr and int(operands.size()) == op.row->arity)
        operands.push_back(nest_operand::real(op.row->attribute_default));
    op.type = immediate_type;
    for (std::size_t i = operands.size(); i-- > 0;)
        if (operands[i].is_reg() and operands[i].number < result.registers() and
            not type_is_free(op, i))
            op.type = result.reg_type(operands[i].number);
    if (op.row->bool_result)
        op.type = shape::bool_type;
    op.operands = std::move(operands);
    result.body.push_back(std::move(op));
    return result.registers() - 1;
}

int nest_builder::convert(int reg, shape::type_t type) {
    nest_op op;
    op.type = type;
    op.operands = {nest_operand::reg(reg)};
    result.body.push_back(std::move(op));
    return result.registers() - 1;
}

int nest_builder::append(nest_op op) {
    result.body.push_back(std::move(op));
    return result.registers() - 1;
}

void nest_builder::output(int reg, std::vector<int64_t> strides) {
    if (reg < 0 or reg >= result.registers())
        fail(error_kind::internal,
             "nest: a defined register was expected for an output, got %" + std::to_string(reg));
    result.outputs.push_back({{result.reg_type(reg), std::move(strides)}, reg});
}

void nest_builder::output(const shape& s, int reg) {
    output(reg, static_strides(result, s));
    result.outputs.back().access.type = s.type();
}

nest nest_builder::finish() {
    validate(result);
    return std::move(result);
}

void validate(const nest& n) {
    nest_checker{n}.run();
}

nest simplify(nest n) {
    validate(n);
    remove_dead_operators(n);
    drop_unit_dims(n);
    sort_dims(n);
    merge_dims(n);
    return n;
}

nest with_a_dim(nest n) {
    if (n.dims.empty()) {
        n.dims = {1};
        for (auto& a : n.inputs)
            a.strides = {1};
        for (auto& o : n.outputs)
            o.access.strides = {1};
    }
    return n;
}

std::string to_string(const nest& n) {
    std::string text = "nest " + list_text(n.dims) + "\n";
    for (std::size_t i = 0; i < n.inputs.size(); ++i)
        text += "%" + std::to_string(i) + " = load " + type_text(n.inputs[i].type) + " " +
                list_text(n.inputs[i].strides) + read_text(n.inputs[i]) + "\n";
    for (std::size_t i = 0; i < n.body.size(); ++i) {
        const nest_op& op = n.body[i];
        text += "%" + std::to_string(n.inputs.size() + i) + " = " + op.name() + "(";
        for (std::size_t k = 0; k < op.operands.size(); ++k) {
            const nest_operand& o = op.operands[k];
            const bool real = is_float_class(class_of(op.type)) or
                              (op.row != nullptr and int(k) >= op.row->arity);
            text += k == 0 ? "" : ", ";
            text += o.is_reg() ? "%" + std::to_string(o.number)
                    : real     ? number_text(o.real_value)
                               : std::to_string(o.int_value);
        }
        text += ") " + type_text(op.type) + "\n";
    }
    for (const nest_output& o : n.outputs)
        text += "store %" + std::to_string(o.reg) + " " + type_text(o.access.type) + " " +
                list_text(o.access.strides) + "\n";
    return text;
}

} // namespace migraphx::codegen
