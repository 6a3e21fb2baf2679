// SPDX-License-Identifier: MIT
// The form of a nest: everything that its generated code depends on. Nests of one form differ in
// extents, strides and constants, and share the code.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"
#include "targets/cpu/nest_lower.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace migraphx::cpu {

enum class jit_stride : uint8_t { none, unit, other }; // along the inner dim

struct jit_stream {
    vm_type type = vm_type::float_type;
    jit_stride stride = jit_stride::unit;
    int table = -1; // stream of byte offsets, one for each row, that its rows begin at
};

struct jit_form {
    isa level = isa::baseline;
    std::vector<jit_stream> streams; // inputs, then outputs
    vm_graph graph;                  // without dead nodes
    int vectors = 1;                 // computed at once

    int inputs() const { return int(streams.size() - graph.stores.size()); }
};

// `graph` is lowered for walking in rows.
jit_form make_form(const codegen::nest& simplified, vm_graph graph, isa level);

// Equal exactly for equal forms; not for people.
std::string form_key(const jit_form& f);

constexpr int vm_type_size(vm_type t) {
    switch (t) {
    case vm_type::half_type:
    case vm_type::bf16_type:
    case vm_type::uint16_type:
    case vm_type::int16_type:
        return 2;
    case vm_type::float_type:
    case vm_type::int32_type:
    case vm_type::uint32_type:
        return 4;
    case vm_type::double_type:
    case vm_type::int64_type:
    case vm_type::uint64_type:
        return 8;
    default:
        return 1;
    }
}

} // namespace migraphx::cpu
