// SPDX-License-Identifier: MIT
// Building blocks of the vectorised tile machine that runs nests (codegen/nest.hpp). A tile is a
// short run of iterations; each register is an array of one value per iteration: float (class f32,
// which also holds bool as 0 and 1), double (f64) or int64 (i64). nest_plan.hpp strings the blocks
// together.
#pragma once

#include <cstdint>

namespace migraphx::cpu {

enum class vm_class : uint8_t { f32, f64, i64 };
constexpr int vm_class_count = 3;

// Numbered as shape::type_t.
enum class vm_type : uint8_t {
    bool_type,
    half_type,
    float_type,
    double_type,
    uint8_type,
    int8_type,
    uint16_type,
    int16_type,
    int32_type,
    int64_type,
    uint32_type,
    uint64_type,
    fp8e4m3fnuz_type,
    fp8e4m3fn_type,
    fp8e5m2_type,
    bf16_type,
    fp8e5m2fnuz_type
};
constexpr int vm_type_count = 17;

// Operand k is src[k]: n values, or one value that stands for all if bit k of `splats` is set. dst
// may be the memory of an operand of the same value size.
struct vm_args {
    void* dst;
    const void* const* src;
    int64_t n;
    uint32_t splats;
    const void* data;
};
using vm_fn = void (*)(const vm_args&);

// A chain: src[0], then steps that each turn the accumulator `a` into a new one, with up to two
// more operands x and y. The accumulator stays in machine registers.
enum class chain_op : uint8_t {
    add,
    sub,
    rsub,
    mul,
    div,
    rdiv,
    max,
    min,
    sqdiff,
    prelu,
    rprelu,
    leaky_relu,
    equal,
    greater,
    less,
    logical_and,
    logical_or,
    logical_xor,
    where_cond, // a ? x : y
    where_then, // x ? a : y
    where_else, // x ? y : a
    clip,       // min(max(a, x), y)
    mul_add,    // a * x + y
    max_number,
    min_number,
    clip_number, // as max, min, clip when x and y are not NaN
    abs,
    neg,
    relu,
    logical_not,
    sign,
    square,
    sqrt,
    rsqrt,
    recip,
    ceil,
    floor,
    nearbyint,
    isnan,
    isinf,
    positive,     // a > 0
    nonzero,      // a != 0
    clamp_finite, // finite values into [-x, x]
    round_half,
    round_bf16 // to the values of the type
};

struct chain_step {
    chain_op op;
    uint8_t x, y; // operand numbers
};

struct chain_program {
    const chain_step* steps;
    int32_t count;
};

// Functions of f32, one operand each unless shown.
enum class vm_math : uint8_t {
    exp,
    log,
    log2,
    erf,
    tanh,
    sigmoid,
    silu,
    gelu_erf,
    sin,
    cos,
    tan,
    elu, // x, alpha
    pow, // x, y
    count
};

// Functions of f64 and i64.
enum class vm_wide : uint8_t {
    add,
    sub,
    mul,
    div,
    max,
    min,
    sqdiff,
    equal,
    greater,
    less,
    logical_and,
    logical_or,
    logical_xor,
    bitwise_and,
    abs,
    neg,
    relu,
    logical_not,
    sign,
    sqrt,
    where,
    clip,
    wrap_u8,
    wrap_i8,
    wrap_u16,
    wrap_i16,
    wrap_u32,
    wrap_i32, // i64 to the range of a narrower type
    count
};

// Changes of class, as `convert` does: floats become integers by truncation, NaN gives 0, finite
// values out of range saturate. The `truth` forms give 1 for a nonzero value.
enum class vm_cast : uint8_t {
    f32_f64,
    f32_i64,
    f64_f32,
    f64_i64,
    i64_f32,
    i64_f64,
    f64_truth,
    i64_truth,
    count
};

// Between memory and a tile: `rows` runs of `cols` elements, strides in elements, the tile
// contiguous.
using vm_load_fn = void (*)(void* tile, const void* memory, int64_t rows, int64_t row_stride,
                            int64_t cols, int64_t col_stride);
using vm_store_fn = void (*)(void* memory, const void* tile, int64_t rows, int64_t row_stride,
                             int64_t cols, int64_t col_stride);

// A fold of the tiles of a row. Accumulators are `vectors` (1, 2 or 4) times as many lanes as a
// vector of f32 has, each of the class's size; the end makes one value of them.
enum class vm_fold : uint8_t { sum, prod, max, min, count };
constexpr int most_fold_vectors = 4;
struct vm_fold_kernel {
    void (*begin)(void* accumulators, int vectors);
    void (*step)(void* accumulators, const void* tile, int64_t n, int vectors, bool splat);
    void (*end)(void* result, const void* accumulators, int vectors);
};

// A null pointer means that the level has no such block.
struct nest_kernels {
    vm_fn chain; // data: chain_program
    vm_fn math[int(vm_math::count)];
    vm_fn wide_f64[int(vm_wide::count)];
    vm_fn wide_i64[int(vm_wide::count)];
    vm_fn cast[int(vm_cast::count)];
    vm_load_fn load[vm_type_count][vm_class_count];
    vm_store_fn store[vm_type_count][vm_class_count]; // integers wrap, bool is != 0
    vm_fold_kernel fold[int(vm_fold::count)][vm_class_count];
    vm_store_fn saturating_store[vm_type_count];      // f32 to integers as `convert` does
};

} // namespace migraphx::cpu
