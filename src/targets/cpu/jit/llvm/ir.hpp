// SPDX-License-Identifier: MIT
// What the emitter needs of LLVM, without LLVM's headers: one function under construction, and its
// translation into position-independent machine code. ir.cpp is the only file that sees LLVM.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace llvm {
class Value;
class BasicBlock;
} // namespace llvm

namespace migraphx::cpu::jit {

using value = llvm::Value*;
using block = llvm::BasicBlock*;

enum class elem : uint8_t { i1, i8, i16, i32, i64, f16, f32, f64 };

enum class binary : uint8_t {
    fadd,
    fsub,
    fmul,
    fdiv,
    add,
    sub,
    mul,
    sdiv,
    bit_and,
    bit_or,
    bit_xor,
    shl,
    lshr,
    ashr
};

// Floating point: false if either is NaN, except fne.
enum class compare : uint8_t { feq, fne, fgt, flt, fge, fle, eq, ne, sgt, slt, ult };

// fptosi saturates, NaN gives 0; fptosi_fits is for values in range.
enum class change : uint8_t { bits, zext, sext, trunc, sitofp, uitofp, fptosi, fptosi_fits, fpext, fptrunc };

enum class unary : uint8_t { neg, sqrt, nearest, floor, ceil };

class ir {
public:
    explicit ir(isa level);
    ~ir();
    ir(const ir&) = delete;
    ir& operator=(const ir&) = delete;

    int lanes() const; // of f32 in a vector of the level's width
    isa level() const;

    // The function's only parameter, a pointer.
    value argument();

    // Vectors of n lanes; scalars where lanes is 0.
    value number(elem type, double v, int lanes = 0);
    value integer(elem type, int64_t v, int lanes = 0);
    value lane_numbers(elem type, int lanes); // 0, 1, 2 ...
    value splat(value scalar, int lanes);

    value apply(binary op, value a, value b);
    value apply(compare op, value a, value b);
    value apply(unary op, value a);
    value fma(value a, value b, value c); // a * b + c where the level has no FMA
    value select(value mask, value a, value b);
    value convert(change how, value a, elem to);
    value raw_max(value x, value y); // x > y ? x : y
    value raw_min(value x, value y);
    value scale_by_power(value x, value n); // avx512 only
    value to_int(value x);                  // f32 to i32, to nearest
    value any(value mask);                  // i1
    value half_of(value v, bool high);
    value join(value low, value high);
    value extract(value v, int lane);
    value insert(value v, value scalar, int lane);

    // Addresses are bytes from a pointer; vector accesses need no alignment. `mask` may be null.
    value advance(value pointer, value bytes);
    value load(elem type, int lanes, value pointer, value mask = nullptr);
    void store(value v, value pointer, value mask = nullptr);
    value load_pointer(value pointer, int64_t offset);
    value load_scalar(elem type, value pointer, int64_t offset);
    value gather(elem type, value pointer, value byte_offsets, value mask);
    void scatter(value v, value pointer, value byte_offsets, value mask);
    value stack(int64_t bytes); // aligned to 64, in the entry block
    void call(value function, value argument);
    void call_move(value function, value to, value from, value rows, value row_stride, value cols,
                   value col_stride);

    block add_block(const char* name);
    block current() const;
    void enter(block b);
    void jump(block to);
    void branch(value condition, block yes, block no);
    value join_point(elem type, bool pointer, int lanes); // a phi at the start of the current block
    void flow_in(value phi, value v, block from);
    void finish(); // return

    std::string text() const;

    // Machine code with its constants; empty, and `why`, if it would need anything else.
    std::vector<char> compile(std::size_t& entry, std::string& why);

private:
    struct state;
    std::unique_ptr<state> s;
};

} // namespace migraphx::cpu::jit
