// SPDX-License-Identifier: MIT
#include "targets/cpu/nest_reads.hpp"

#include "base/str.hpp"
#include "codegen/interpret.hpp"
#include "codegen/reads.hpp"
#include "codegen/row_stages.hpp"
#include "ops/indices.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace migraphx::cpu {

namespace {

using codegen::nest;
using codegen::nest_access;
using codegen::row_nest;

int64_t size_of(shape::type_t type) {
    return int64_t(shape(type).type_size());
}

void shift_register(codegen::nest_operand& x, int first, int by) {
    if (x.is_reg() and x.number >= first)
        x.number += by;
}
codegen::nest_op& operator_of(codegen::nest_op& op) {
    return op;
}
codegen::nest_op& operator_of(codegen::row_op& op) {
    return op.op;
}

offset_table table_of(const nest_access& a, const nest_access& by,
                      const std::vector<int64_t>& dims) {
    offset_table t;
    t.input = a.gathered->input;
    t.type = by.type;
    t.extent = a.gathered->extent;
    t.step = a.gathered->stride * size_of(a.type);
    int64_t last = 0;
    for (std::size_t d = 0; d < dims.size(); d++) {
        if (dims[d] == 0)
            return t;
        if (dims[d] == 1 or by.strides[d] == 0)
            continue;
        t.dims.push_back(dims[d]);
        t.strides.push_back(by.strides[d]);
        const auto far = (dims[d] - 1) * by.strides[d];
        (far < 0 ? t.first : last) += far;
    }
    t.size = last - t.first + 1;
    return t;
}

template <class Nest>
std::vector<offset_table> take_tables_of(Nest& n, const std::vector<int64_t>& dims) {
    std::vector<offset_table> tables;
    const auto count = n.inputs.size();
    for (std::size_t i = 0; i < count; i++) {
        auto& a = n.inputs[i];
        if (not a.gathered)
            continue;
        const auto by = n.inputs[std::size_t(a.gathered->input)];
        tables.push_back(table_of(a, by, dims));
        a.gathered = {int(n.inputs.size()), 1, 0};
        n.inputs.push_back({shape::int64_type, by.strides});
    }
    const int more = int(tables.size());
    for (auto& op : n.body)
        for (auto& x : operator_of(op).operands)
            shift_register(x, int(count), more);
    for (auto& o : n.outputs)
        o.reg += o.reg >= int(count) ? more : 0;
    return tables;
}

std::vector<int64_t> all_dims(const row_nest& n) {
    auto dims = n.kept;
    dims.insert(dims.end(), n.reduced.begin(), n.reduced.end());
    return dims;
}

constexpr int64_t most_fill_bytes = int64_t{1} << 20;

// `inner` is the dim that a walk has innermost.
std::string refusal_of(const std::vector<nest_access>& inputs, const nest_access& a,
                       const std::vector<int64_t>& dims, std::size_t inner) {
    if (a.gathered and dims[inner] > 1 and
        inputs[std::size_t(a.gathered->input)].strides[inner] != 0)
        return "indices that change along the innermost dim";
    if (not a.border.empty() and
        dims[inner] > most_fill_bytes / size_of(a.type) /
                          std::max<int64_t>(std::llabs(a.strides[inner]), 1))
        return "a border of long rows";
    return "";
}

} // namespace

void offset_table::fill(const void* indices, int64_t* to) const {
    if (size == 0)
        return;
    std::vector<int64_t> index(dims.size(), 0);
    const auto bytes = size_of(type);
    for (int64_t at = 0;;) {
        const auto value =
            codegen::load_scalar(type, static_cast<const char*>(indices) + at * bytes).integer;
        std::size_t position = 0;
        if (not find_position(value, std::size_t(extent), position))
            fail(error_kind::invalid_argument,
                 str("gather: an index inside of the data was expected, got ", value));
        to[at - first] = int64_t(position) * step;
        std::size_t d = dims.size();
        while (d-- > 0) {
            at += strides[d];
            if (++index[d] < dims[d])
                break;
            at -= dims[d] * strides[d];
            index[d] = 0;
        }
        if (d == std::size_t(-1))
            return;
    }
}

std::vector<offset_table> take_tables(nest& n) {
    return take_tables_of(n, n.dims);
}

std::vector<offset_table> take_tables(row_nest& n) {
    return take_tables_of(n, all_dims(n));
}

inputs_with_tables::inputs_with_tables(const std::vector<offset_table>& tables,
                                       const void* const* inputs, std::size_t count)
    : given(inputs) {
    if (tables.empty())
        return;
    std::size_t size = 0;
    for (const auto& t : tables)
        size += std::size_t(t.size);
    offsets.resize(size);
    all.assign(inputs, inputs + count);
    int64_t* at = offsets.data();
    for (const auto& t : tables) {
        t.fill(inputs[t.input], at);
        all.push_back(at - t.first);
        at += t.size;
    }
}

std::string reads_refusal(const nest& n) {
    std::string why;
    for (const auto& a : n.inputs)
        if (why.empty() and not n.dims.empty() and n.elements() > 0)
            why = refusal_of(n.inputs, a, n.dims, n.dims.size() - 1);
    return why;
}

std::string reads_refusal(const row_nest& n) {
    const auto dims = all_dims(n);
    const auto elements = n.of_elements();
    const bool columns = codegen::rows_side_by_side(n);
    std::string why;
    // Stages that write results of rows walk kept dims only.
    for (std::size_t i = 0; i < n.inputs.size(); i++)
        if (why.empty() and not dims.empty() and n.rows() > 0 and n.row_length() > 0)
            why = refusal_of(n.inputs, n.inputs[i], dims,
                             columns or (not elements[i] and not n.kept.empty())
                                 ? n.kept.size() - 1
                                 : dims.size() - 1);
    return why;
}

nest_reads::nest_reads(const nest& n) : dims(n.dims), cuts{0, n.dims.back()} {
    const auto inner = dims.size() - 1;
    for (std::size_t i = 0; i < n.inputs.size(); i++) {
        const auto& a = n.inputs[i];
        if (a.gathered)
            gathers.push_back({i, std::size_t(a.gathered->input)});
        if (a.border.empty())
            continue;
        bordered_input r;
        const auto bytes = size_of(a.type);
        r.input = i;
        r.step = a.strides[inner] * bytes;
        r.border = a.border;
        for (std::size_t d = 0; d < dims.size(); d++)
            r.back += a.border[d].before * a.strides[d] * bytes;
        const auto reach = (dims[inner] - 1) * a.strides[inner];
        for (int64_t k = 0; k <= std::llabs(reach); k++)
            r.fill.insert(r.fill.end(), a.fill.begin(), a.fill.begin() + bytes);
        r.lowest = std::min<int64_t>(0, reach * bytes);
        cuts.push_back(a.border[inner].before);
        cuts.push_back(dims[inner] - a.border[inner].after);
        borders.push_back(std::move(r));
    }
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
}

int64_t nest_reads::columns_end(int64_t column, int64_t end) const {
    return borders.empty() ? end
                           : std::min(*std::upper_bound(cuts.begin(), cuts.end(), column), end);
}

void nest_reads::gather(char** begins) const {
    for (const auto& g : gathers) {
        int64_t offset = 0;
        std::memcpy(&offset, begins[g.table], sizeof(offset));
        begins[g.input] += offset;
    }
}

int64_t nest_reads::place(char** begins, int64_t* steps, const int64_t* index, int64_t column,
                          int64_t from, int64_t rows) const {
    const auto inner = dims.size() - 1;
    for (const auto& r : borders) {
        const auto is_outside = [&](std::size_t d, int64_t i) {
            return i < r.border[d].before or i >= dims[d] - r.border[d].after;
        };
        bool outside = is_outside(inner, from);
        for (std::size_t d = 0; d < inner; d++)
            outside = outside or is_outside(d, index[d]);
        if (inner > 0 and not is_outside(inner, from)) {
            const auto i = index[inner - 1], before = r.border[inner - 1].before,
                       end = dims[inner - 1] - r.border[inner - 1].after;
            rows = std::min(rows, i < before ? before - i : i < end ? end - i : rows);
        }
        if (outside) {
            begins[r.input] = const_cast<char*>(r.fill.data()) - r.lowest + column * r.step;
            steps[r.input] = 0;
        } else {
            begins[r.input] -= r.back;
        }
    }
    return rows;
}

} // namespace migraphx::cpu
