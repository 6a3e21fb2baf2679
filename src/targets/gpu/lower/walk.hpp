// SPDX-License-Identifier: MIT
// The host's side of device_code/walk.cuh: boxes of positions with the strides of several tensors,
// in the form that costs a kernel least, and the structs that tell it: those of the templates of
// device_code, and those that a text declares for itself (walk_text.hpp).
#pragma once

#include "runtime/walked_shape.hpp"
#include "targets/gpu/generated.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace migraphx::gpu {

int64_t product_of(const sizes& lens);

/// Positions 0 .. lens in each axis, and how far apart neighbours are in each tensor (in elements).
struct box {
    sizes lens;
    std::vector<sizes> strides; ///< by tensor, then axis

    box() = default;
    box(sizes l, std::vector<sizes> s) : lens(std::move(l)), strides(std::move(s)) {}

    std::size_t rank() const { return lens.size(); }
    int64_t elements() const { return product_of(lens); }
    /// Drops axes of one element, puts the axis of tensor 0's largest stride first unless the order
    /// of the positions matters, and merges neighbours that continue each other in every tensor. At
    /// least one axis remains.
    void simplify(bool in_order = false);
    /// The largest of 16 / elem, 8 / elem, … elements that an access may move at once: the
    /// innermost axis has stride 1 in the first `moved` tensors (0 in those after them) and a
    /// multiple of it elements, and all other strides of these and `offsets` are multiples of it.
    int64_t widest_access(std::size_t elem, std::size_t moved, const sizes& offsets = {}) const;
    /// Counts the innermost axis, and the other strides of the first `moved` tensors, in accesses
    /// of so many elements.
    void widen(int64_t elements, std::size_t moved);
    /// Whether a count or an offset (from `from` on) needs 64 bits.
    bool is_large() const;
};

/// Members of a struct of device code, in its order, all as wide as an index (words that come first
/// aside).
class index_params {
public:
    explicit index_params(bool large) : wide(large) {}

    /// `i32` or `i64`.
    const char* type() const { return wide ? "i64" : "i32"; }
    bool large() const { return wide; }
    void add(int64_t x);
    void add(const sizes& x);
    void add_divider(int64_t n);
    /// A `walk` over the box's tensors.
    void add(const box& b);
    /// The same with a name: members of `declaration`.
    void add(const std::string& name, int64_t x);
    void add_divider(const std::string& name, int64_t n);
    /// "using Index = u32; struct sizes {…};" with all that has a name.
    std::string declaration() const;
    void add_int(int32_t x) { block.add(x); }
    void add_float(float x) { block.add(x); }
    void add_double(double x) { block.add(x); }
    std::vector<char> data() const;

private:
    bool wide;
    param_block block;
    std::string members;
};

/// 16 bytes of an element of `size` bytes repeated.
void add_repeated(index_params& params, const std::vector<char>& element);

constexpr uint32_t block_size = 256;
/// Blocks of `block_size` threads for a loop of n positions.
launch_shape launch_for(const device& on, int64_t n);

/// The text of one entry, which calls templates of `header`.
std::string entry_text(const std::string& header, const std::string& entry,
                       const std::string& parameters, const std::string& body);

/// Launches in a row of entries that call templates of one header and take the same parameters.
struct entry_list {
    std::string name, header, parameters;
    std::vector<char> params;
    std::size_t scratch = 0; ///< bytes, of all
    std::vector<generated> launches = {};

    void add(const std::string& entry, const std::string& body, launch_shape launch);
};

/// The type's name in device code; empty for those it does not know.
std::string device_type(shape::type_t t);
/// The same for integers only.
std::string index_type(shape::type_t t);

} // namespace migraphx::gpu
