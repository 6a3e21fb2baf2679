// SPDX-License-Identifier: MIT
// Inputs that are gathered or have a border.
#include "codegen/reads.hpp"

#include "codegen/interpret.hpp"
#include "ops/indices.hpp"

#include <algorithm>

namespace migraphx::codegen {

namespace {

[[noreturn]] void bad(const std::string& what) {
    fail(error_kind::invalid_argument, "nest: " + what + " was expected of an input");
}

void validate_gather(const std::vector<nest_access>& inputs, const nest_gather& g) {
    if (g.input < 0 or g.input >= int(inputs.size()))
        bad("an input to gather by");
    const auto& by = inputs[std::size_t(g.input)];
    if (is_float_class(class_of(by.type)) or by.type == shape::bool_type)
        bad("an integer to gather by");
    if (not by.by_strides())
        bad("an index that is walked by strides");
    if (g.extent < 0)
        bad("an extent of at least 0");
}

} // namespace

bool moves_along(const std::vector<nest_access>& inputs, const nest_access& a, std::size_t dim) {
    return a.strides[dim] != 0 or a.has_border(dim) or
           (a.gathered and inputs[std::size_t(a.gathered->input)].strides[dim] != 0);
}

bool walks_as_one(const nest_access& a, std::size_t dim, int64_t size) {
    return a.strides[dim - 1] == a.strides[dim] * size and not a.has_border(dim);
}

void merge_dim(nest_access& a, std::size_t dim, int64_t size) {
    const auto at = std::ptrdiff_t(dim);
    a.strides[dim - 1] = a.strides[dim];
    a.strides.erase(a.strides.begin() + at);
    if (a.border.empty())
        return;
    a.border[dim - 1].before *= size;
    a.border[dim - 1].after *= size;
    a.border.erase(a.border.begin() + at);
}

void validate_reads(const std::vector<nest_access>& inputs, const std::vector<int64_t>& dims) {
    const bool empty = std::find(dims.begin(), dims.end(), 0) != dims.end();
    for (const auto& a : inputs) {
        if (a.gathered)
            validate_gather(inputs, *a.gathered);
        if (a.border.empty())
            continue;
        if (a.gathered)
            bad("a border or an index to gather by, not both,");
        if (a.border.size() != dims.size())
            bad("a border for each dim");
        for (std::size_t d = 0; d < dims.size(); d++)
            if (a.border[d].before < 0 or a.border[d].after < 0 or
                (not empty and (a.border[d].before >= dims[d] or
                                a.border[d].after >= dims[d] - a.border[d].before)))
                bad("a border smaller than the dim");
    }
}

std::vector<bool> read_where_computed(const std::vector<nest_access>& inputs) {
    std::vector<bool> result;
    for (const auto& a : inputs)
        result.push_back(a.by_strides());
    for (const auto& a : inputs)
        if (a.gathered)
            result[std::size_t(a.gathered->input)] = false;
    return result;
}

const void* element_at(const std::vector<nest_access>& inputs, std::size_t number,
                       std::span<const void* const> memory, const std::vector<int64_t>& index,
                       const std::vector<int64_t>& dims) {
    const auto& a = inputs[number];
    int64_t elements = 0;
    for (std::size_t d = 0; d < index.size(); d++) {
        auto i = index[d];
        if (not a.border.empty()) {
            i -= a.border[d].before;
            if (i < 0 or i >= dims[d] - a.border[d].before - a.border[d].after)
                return a.fill.data();
        }
        elements += i * a.strides[d];
    }
    if (a.gathered) {
        const auto by = std::size_t(a.gathered->input);
        const auto i =
            load_scalar(inputs[by].type, element_at(inputs, by, memory, index, dims)).integer;
        elements += int64_t(position_of(i, std::size_t(a.gathered->extent))) * a.gathered->stride;
    }
    return static_cast<const char*>(memory[number]) +
           elements * int64_t(shape(a.type).type_size());
}

} // namespace migraphx::codegen
