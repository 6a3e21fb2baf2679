// SPDX-License-Identifier: MIT
// What the interpreters of nests and of row nests share.
#pragma once

#include "codegen/interpret.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace migraphx::codegen {

// Operators over registers of a nest or of a row nest.
template <class Nest>
struct nest_interpreter {
    const Nest& n;
    std::vector<scalar_value> regs;

    scalar_value operand(const nest_operand& o) const {
        if (o.is_reg())
            return regs[std::size_t(o.number)];
        return {o.real_value, o.int_value};
    }

    bool truth(const nest_operand& o) const {
        const scalar_value v = operand(o);
        if (o.is_reg() and not is_float_class(class_of(n.reg_type(o.number))))
            return v.integer != 0;
        return v.real != 0;
    }

    // isnan and isinf look at the operand's own type.
    scalar_value classify(const nest_op& op) const {
        const nest_operand& o = op.operands.front();
        if (o.is_reg() and not is_float_class(class_of(n.reg_type(o.number))))
            return {};
        const double x = operand(o).real;
        return {0, int64_t(op.row->real(&x))};
    }

    scalar_value evaluate(const nest_op& op) const {
        if (op.row == nullptr) {
            const nest_operand& o = op.operands.front();
            return o.is_reg() ? convert_scalar(n.reg_type(o.number), operand(o), op.type)
                              : convert_scalar(shape::double_type, operand(o), op.type);
        }
        if (op.row->bool_result)
            return classify(op);
        std::array<double, 4> real{};
        std::array<int64_t, 4> integer{};
        for (std::size_t i = 0; i < op.operands.size(); ++i) {
            const scalar_value v = operand(op.operands[i]);
            real[i] = v.real;
            integer[i] = v.integer;
            if (not op.operands[i].is_reg())
                integer[i] = wrap_integer(op.type, v.integer);
        }
        if (std::string_view(op.row->name) == "where") {
            real[0] = truth(op.operands.front()) ? 1 : 0;
            integer[0] = int64_t(real[0]);
        }
        if (is_float_class(class_of(op.type)))
            return {op.row->real(real.data()), 0};
        const int64_t v =
            evaluate_integer(*op.row, op.type, integer.data(), real[std::size_t(op.row->arity)]);
        return {0, wrap_integer(op.type, v)};
    }
};

inline int64_t byte_offset(const nest_access& a, const std::vector<int64_t>& index) {
    int64_t elements = 0;
    for (std::size_t d = 0; d < index.size(); ++d)
        elements += index[d] * a.strides[d];
    return elements * int64_t(shape(a.type).type_size());
}

// To the next index of the dims from `first` to `last`, round to the first one.
inline void step(std::vector<int64_t>& index, const std::vector<int64_t>& dims, std::size_t first,
                 std::size_t last) {
    for (std::size_t d = last; d-- > first;) {
        if (++index[d] < dims[d])
            return;
        index[d] = 0;
    }
}

} // namespace migraphx::codegen
