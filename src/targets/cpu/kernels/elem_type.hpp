// SPDX-License-Identifier: MIT
// Element types as the kernels see them: an enumeration free of headers whose inline functions must
// not be compiled for one instruction set and linked for all.
#pragma once

#include <cstdint>

namespace migraphx::cpu {

enum class elem_type : int32_t {
    f32,
    f16,
    bf16,
    f64,
    i8,
    u8,
    i16,
    u16,
    i32,
    u32,
    i64,
    u64,
    boolean
};

constexpr int elem_size(elem_type t) {
    switch (t) {
    case elem_type::i8:
    case elem_type::u8:
    case elem_type::boolean:
        return 1;
    case elem_type::f16:
    case elem_type::bf16:
    case elem_type::i16:
    case elem_type::u16:
        return 2;
    case elem_type::f32:
    case elem_type::i32:
    case elem_type::u32:
        return 4;
    case elem_type::f64:
    case elem_type::i64:
    case elem_type::u64:
        break;
    }
    return 8;
}

constexpr bool is_floating(elem_type t) {
    return t <= elem_type::f64;
}

} // namespace migraphx::cpu
