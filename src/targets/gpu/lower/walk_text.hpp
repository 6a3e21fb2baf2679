// SPDX-License-Identifier: MIT
// How the text of a nest finds elements: positions are split into an index for each dim, by fast
// division, and each tensor's strides make an offset of it; strides of 0 and 1 are left out.
// Extents and strides are members of the kernel's `sizes`.
#pragma once

#include "targets/gpu/lower/code_text.hpp"
#include "targets/gpu/lower/walk.hpp"

#include "codegen/nest.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace migraphx::gpu {

/// Whether elements of these dims and strides need indices of 64 bits.
bool needs_wide_index(const std::vector<int64_t>& dims,
                      const std::vector<const codegen::nest_access*>& accesses);

/// Some consecutive dims as a kernel walks them. The innermost counts in steps of `step` elements
/// (vectors).
struct walk {
    std::string name;          ///< of the position, and the start of its members in `sizes`
    std::vector<int64_t> dims; ///< outer to inner
    std::size_t first = 0;     ///< place of the first one among an access's strides
    int step = 1;
    bool chooses = false; ///< its indices choose the rows of gathered inputs and tell borders
};

/// Why a kernel that has vectors along the dims `fixed` does not read inputs so; empty: it does.
/// `borders`: one walk that chooses has all dims.
std::string reads_refusal(const std::vector<codegen::nest_access>& inputs,
                          const std::vector<int64_t>& dims, const std::vector<std::size_t>& fixed,
                          bool borders);

/// One access of a kernel: `name` is that of its pointer. Input i is `x<i>`.
struct walked {
    std::string name;
    const codegen::nest_access* access = nullptr;
};

/// "const half* x0, float* y0, ": how a kernel declares its pointers.
std::string pointer_parameters(const std::vector<walked>& inputs,
                               const std::vector<walked>& outputs);

/// Adds the extents of a walk and the strides along it.
void declare_walk(const walk& w, const std::vector<walked>& accesses, index_params& params);
/// The statements that split `position` (an expression) and `const Index at_<walk>_<name> = ...`
/// for each access; those of a walk that chooses hold the inputs that others are gathered by.
void emit_offsets(const walk& w, const std::string& position, const std::vector<walked>& accesses,
                  code_text& code);
std::string offset_name(const walk& w, const std::string& access);

/// Of an input with a border, as expressions.
struct border_text {
    std::string inside;   ///< along all dims but the innermost; "true" if there is none
    std::string position; ///< along the innermost one, of the vector's first element; "" likewise
    std::string size;     ///< positions from 0 on below it are inside
    std::string fill;     ///< the element around them
};
border_text border_of(const walk& w, const walked& a);

/// The first lines of a source: the header and, where `fast_math` holds and every output has 16
/// bits or fewer, leave to compute with few more.
std::string source_head(const std::string& header, bool fast_math,
                        const std::vector<codegen::nest_output>& outputs);

/// How vectors lie along one dim: "run::unit", "run::repeated" or "run::strided".
const char* run_kind(int64_t stride, int64_t dim);
/// Whether vectors of `n` elements along `inner` always start at a multiple of their size.
bool stays_aligned(const codegen::nest_access& a, const std::vector<int64_t>& dims,
                   std::size_t inner, int n);
/// The largest vector (a power of two) that divides `dim`, of at most 16 bytes of the smallest
/// element type among the accesses that have stride 1 along `inner`.
int vector_size(const std::vector<const codegen::nest_access*>& accesses, std::size_t inner,
                int64_t dim);

} // namespace migraphx::gpu
