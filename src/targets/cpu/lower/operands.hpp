// SPDX-License-Identifier: MIT
// What the lowerings of this folder share: shapes as the kernels see them, strided copies planned
// at lowering time, and operands that are brought to row-major order in scratch memory when they
// are not.
#pragma once

#include "runtime/kernel.hpp"
#include "runtime/walked_shape.hpp"
#include "targets/cpu/kernels/copy.hpp"
#include "targets/cpu/kernels/elem_type.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace migraphx::cpu {

/// The kernels' name of a type; none for those that they do not compute with.
std::optional<elem_type> element_of(shape::type_t t);
/// The distance of consecutive rows when the axes [first, last) count as one; none when they do not
/// merge. 0 for one row.
std::optional<int64_t> merged_stride(const shape& s, std::size_t first, std::size_t last);
/// Elements of the axes [first, last).
int64_t elements_between(const shape& s, std::size_t first, std::size_t last);

/// A copy between addresses that are known at run time.
class strided_copy {
public:
    /// `elem` is 1, 2, 4 or 8 bytes. None when more than 8 axes remain after merging.
    static std::optional<strided_copy> make(std::size_t elem, const sizes& lens, const sizes& from,
                                            const sizes& to);
    /// Between shapes of equal dimensions.
    static std::optional<strided_copy> make(const shape& from, const shape& to);

    void run(const char* from, char* to) const;
    bool empty() const { return nothing; }

private:
    copy_params plan{};
    bool nothing = true;
};

/// Parts of a kernel's scratch memory, each on a cache line of its own.
class scratch_layout {
public:
    std::size_t take(std::size_t bytes) {
        const auto at = total;
        total += (bytes + 63) / 64 * 64;
        return at;
    }
    std::size_t bytes() const { return total; }

private:
    std::size_t total = 0;
};

/// An input that the kernel reads in row-major order: as it is, or copied to scratch memory first.
struct dense_input {
    std::size_t index = 0;
    bool direct = true;
    std::size_t offset = 0;
    strided_copy copy;

    static std::optional<dense_input> make(const problem& p, std::size_t index,
                                           scratch_layout& scratch);
    const char* get(const kernel_args& args) const;
};

/// An output that the kernel writes in row-major order: in place, or in scratch memory and then
/// copied.
struct dense_output {
    std::size_t index = 0;
    bool direct = true;
    std::size_t offset = 0;
    strided_copy copy;

    static std::optional<dense_output> make(const shape& s, std::size_t index,
                                            scratch_layout& scratch);
    char* begin(const kernel_args& args) const;
    void end(const kernel_args& args) const;
};

/// A kernel that is a function of the addresses.
template <class F>
struct function_kernel : kernel {
    std::string label;
    std::size_t scratch = 0;
    std::vector<bool> over; ///< by input
    F work;

    function_kernel(std::string name, std::size_t scratch_size, F f)
        : label(std::move(name)), scratch(scratch_size), work(std::move(f)) {}
    void run(const kernel_args& args) const override { work(args); }
    std::string name() const override { return label; }
    std::size_t scratch_bytes() const override { return scratch; }
    bool can_write_over(std::size_t i) const override { return i < over.size() and over[i]; }
};

template <class F>
std::unique_ptr<function_kernel<F>> make_kernel(std::string name, std::size_t scratch, F f) {
    return std::make_unique<function_kernel<F>>(std::move(name), scratch, std::move(f));
}

} // namespace migraphx::cpu
