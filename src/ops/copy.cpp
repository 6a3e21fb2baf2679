// SPDX-License-Identifier: MIT
// Strided copies. Axes of one element are dropped and neighbours that are dense in both tensors are
// merged first, so that the innermost loop is as long as the layouts allow.
#include "ops/copy.hpp"

#include "ops/tensor.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace migraphx {

namespace {

struct copy_axis {
    std::size_t len;
    std::size_t out;
    std::size_t in;
};

void copy_run(char* out, const char* in, const copy_axis& a, std::size_t size) {
    if (a.out == 1 and a.in == 1) {
        std::memmove(out, in, a.len * size);
        return;
    }
    const auto run = [&](auto bytes) {
        constexpr std::size_t n = decltype(bytes)::value;
        if (a.in == 0 and a.out == 1) {
            std::array<char, n> element;
            std::memcpy(element.data(), in, n);
            for (std::size_t i = 0; i < a.len; ++i)
                std::memcpy(out + i * n, element.data(), n);
            return;
        }
        for (std::size_t i = 0; i < a.len; ++i)
            std::memcpy(out + i * a.out * n, in + i * a.in * n, n);
    };
    switch (size) {
    case 1:
        return run(std::integral_constant<std::size_t, 1>{});
    case 2:
        return run(std::integral_constant<std::size_t, 2>{});
    case 4:
        return run(std::integral_constant<std::size_t, 4>{});
    case 8:
        return run(std::integral_constant<std::size_t, 8>{});
    default:
        return run(std::integral_constant<std::size_t, sizeof(std::string_view)>{});
    }
}

void copy_axes(char* out, const char* in, const std::vector<copy_axis>& axes, std::size_t level,
               std::size_t size) {
    const auto& a = axes[level];
    if (level + 1 == axes.size())
        return copy_run(out, in, a, size);
    for (std::size_t i = 0; i < a.len; ++i)
        copy_axes(out + i * a.out * size, in + i * a.in * size, axes, level + 1, size);
}

std::vector<copy_axis> merged_axes(const shape& out, const shape& in) {
    std::vector<copy_axis> axes;
    for (std::size_t d = 0; d < out.ndim(); ++d) {
        const copy_axis a{out.lens()[d], out.strides()[d], in.strides()[d]};
        if (a.len == 1)
            continue;
        if (not axes.empty() and axes.back().out == a.len * a.out and
            axes.back().in == a.len * a.in)
            axes.back() = {axes.back().len * a.len, a.out, a.in};
        else
            axes.push_back(a);
    }
    if (axes.empty())
        axes.push_back({1, 1, 1});
    return axes;
}

void check_copy(const argument& out, const argument& in) {
    if (out.get_shape().type_size() != in.get_shape().type_size())
        fail(error_kind::internal, "copy: equal element sizes were expected, got others");
    if ((out.data() == nullptr and out.get_shape().elements() != 0) or
        (in.data() == nullptr and in.get_shape().elements() != 0))
        fail(error_kind::invalid_argument, "copy: data was expected, got an empty argument");
}

struct source_axis {
    std::size_t out_stride;
    std::vector<int64_t> from; ///< offset in elements of the input, or no_source
};

void copy_sources(char* out, const char* in, const std::vector<source_axis>& axes,
                  std::size_t level, std::size_t size) {
    const auto& a = axes[level];
    const bool last = level + 1 == axes.size();
    for (std::size_t i = 0; i < a.from.size(); ++i) {
        if (a.from[i] == no_source)
            continue;
        char* to = out + i * a.out_stride * size;
        const char* source = in + static_cast<std::size_t>(a.from[i]) * size;
        if (last)
            std::memcpy(to, source, size);
        else
            copy_sources(to, source, axes, level + 1, size);
    }
}

// The last axis is contiguous in both and copied as it is: runs of bytes instead of elements.
bool is_dense_axis(const shape& out, const shape& in, const std::vector<int64_t>& from,
                   std::size_t axis) {
    if (out.strides()[axis] != 1 or in.strides()[axis] != 1 or from.size() != in.lens()[axis])
        return false;
    for (std::size_t i = 0; i < from.size(); ++i)
        if (from[i] != static_cast<int64_t>(i))
            return false;
    return true;
}

} // namespace

void copy_elements(const argument& out, const argument& in) {
    const auto& to = out.get_shape();
    const auto& from = in.get_shape();
    if (to.lens() != from.lens())
        fail(error_kind::internal, "copy: equal dimensions were expected, got others");
    check_copy(out, in);
    if (to.elements() != 0)
        copy_axes(out.data(), in.data(), merged_axes(to, from), 0, to.type_size());
}

void copy_in_order(const argument& out, const argument& in) {
    const auto& to = out.get_shape();
    const auto& from = in.get_shape();
    if (to.elements() != from.elements())
        fail(error_kind::invalid_argument, "copy: " + std::to_string(to.elements()) +
                                               " elements were expected, got " +
                                               std::to_string(from.elements()));
    if (to.lens() == from.lens())
        return copy_elements(out, in);
    if (from.standard())
        return copy_elements(out, in.reshape(shape{from.type(), to.lens()}));
    if (to.standard())
        return copy_elements(out.reshape(shape{to.type(), from.lens()}), in);
    const auto dense = argument::uninitialized(shape{from.type(), from.lens()});
    copy_elements(dense, in);
    copy_elements(out, dense.reshape(shape{from.type(), to.lens()}));
}

axis_sources same_positions(const std::vector<std::size_t>& lens) {
    axis_sources result;
    for (auto n : lens) {
        auto& from = result.emplace_back(n);
        for (std::size_t i = 0; i < n; ++i)
            from[i] = static_cast<int64_t>(i);
    }
    return result;
}

void copy_by_axis(const argument& out, const argument& in, const axis_sources& from) {
    const auto& to = out.get_shape();
    const auto& source = in.get_shape();
    const auto rank = to.ndim();
    if (source.ndim() != rank or from.size() != rank)
        fail(error_kind::internal, "copy: positions for each axis were expected, got others");
    check_copy(out, in);
    std::vector<source_axis> axes;
    for (std::size_t d = 0; d < rank; ++d) {
        if (from[d].size() != to.lens()[d])
            fail(error_kind::internal, "copy: a position for each element was expected");
        source_axis a{to.strides()[d], from[d]};
        for (auto& p : a.from) {
            if (p == no_source)
                continue;
            if (p < 0 or p >= static_cast<int64_t>(source.lens()[d]))
                fail(error_kind::invalid_argument, "position: a value below " +
                                                       std::to_string(source.lens()[d]) +
                                                       " was expected, got " + std::to_string(p));
            p *= static_cast<int64_t>(source.strides()[d]);
        }
        axes.push_back(std::move(a));
    }
    if (to.elements() == 0)
        return;
    auto size = to.type_size();
    if (rank > 1 and is_dense_axis(to, source, from[rank - 1], rank - 1)) {
        // Offsets are counted in elements, and the run is the element of the outer axes.
        axes.pop_back();
        const auto run = to.lens()[rank - 1] * size;
        std::vector<std::size_t> index(axes.size(), 0);
        std::vector<std::size_t> lens(to.lens().begin(), to.lens().end() - 1);
        do {
            std::size_t t = 0;
            int64_t s = 0;
            for (std::size_t d = 0; d < axes.size() and s != no_source; ++d) {
                t += index[d] * axes[d].out_stride;
                const auto p = axes[d].from[index[d]];
                s = p == no_source ? no_source : s + p;
            }
            if (s != no_source)
                std::memcpy(out.data() + t * size, in.data() + static_cast<std::size_t>(s) * size,
                            run);
        } while (next_index(index, lens));
        return;
    }
    copy_sources(out.data(), in.data(), axes, 0, size);
}

void fill_elements(const argument& out, const void* element) {
    const auto& s = out.get_shape();
    const auto size = s.type_size();
    if (out.data() == nullptr and s.elements() != 0)
        fail(error_kind::invalid_argument, "fill: data was expected, got an empty argument");
    each_offset(
        s, [&](std::size_t offset) { std::memcpy(out.data() + offset * size, element, size); });
}

argument block_of(const argument& a, const std::vector<std::size_t>& start,
                  const std::vector<std::size_t>& lens) {
    const auto& s = a.get_shape();
    std::size_t offset = 0;
    for (std::size_t d = 0; d < s.ndim(); ++d) {
        if (start[d] > s.lens()[d] or lens[d] > s.lens()[d] - start[d])
            fail(error_kind::internal, "block: a part of the tensor was expected, got more");
        offset += start[d] * s.strides()[d];
    }
    const shape part{s.type(), lens, s.strides()};
    return a.view(part, part.elements() == 0 ? 0 : offset * s.type_size());
}

} // namespace migraphx
