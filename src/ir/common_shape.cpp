// SPDX-License-Identifier: MIT
// Broadcasting of dimensions and promotion of element types.
#include <algorithm>
#include <optional>

#include <migraphx/common_shape.hpp>
#include <migraphx/errors.hpp>

#include "ir/shape_rules.hpp"

namespace migraphx {

namespace {

using dim_list = std::vector<shape::dynamic_dimension>;

std::string list_dims(const dim_list& dims) {
    return shape::to_sizes_string({shape{shape::float_type, dims}});
}

[[noreturn]] void broadcast_error(const std::string& a, const std::string& b) {
    fail(error_kind::invalid_argument,
         "broadcast: expected dimensions that are equal or 1, got " + a + " and " + b);
}

bool allows(const shape::dynamic_dimension& d, std::size_t n) {
    const auto bounds = d.get_interval();
    return bounds.min <= n && n <= bounds.max;
}

bool overlap(const shape::dynamic_dimension& a, const shape::dynamic_dimension& b) {
    const auto x = a.get_interval();
    const auto y = b.get_interval();
    return std::max(x.min, y.min) <= std::min(x.max, y.max);
}

// The broadcast of two different symbolic dimensions where one expression can tell it: a dimension
// that is never 1 wins.
std::optional<shape::dynamic_dimension> broadcast_symbols(const shape::dynamic_dimension& a,
                                                          const shape::dynamic_dimension& b) {
    if (a == b || b == 1)
        return a;
    if (a == 1)
        return b;
    if (a.get_interval().min >= 2 && (allows(b, 1) || overlap(a, b)))
        return a;
    if (b.get_interval().min >= 2 && (allows(a, 1) || overlap(a, b)))
        return b;
    return std::nullopt;
}

dim_list to_ranges(dim_list dims) {
    for (auto& d : dims)
        if (d.is_symbolic())
            d = {d.get_interval().min, d.get_interval().max, d.get_optimals()};
    return dims;
}

bool has_symbol(const dim_list& dims) {
    return std::any_of(dims.begin(), dims.end(), [](const auto& d) { return d.is_symbolic(); });
}

bool has_open_range(const dim_list& dims) {
    return std::any_of(dims.begin(), dims.end(),
                       [](const auto& d) { return !d.is_symbolic() && !d.is_fixed(); });
}

// Stretches to any size; a result of no elements is as good as one with the other's range.
bool at_most_one(const shape::dynamic_dimension& d) {
    return !d.is_symbolic() && d.get_interval().max <= 1;
}

enum class promotion { integer, real32, real64, none };

promotion promotion_of(shape::type_t t) {
    switch (t) {
    case shape::double_type:
        return promotion::real64;
    default:
        if (not shape::is_computable(t))
            return promotion::none;
        return shape::is_integral(t) ? promotion::integer : promotion::real32;
    }
}

std::size_t integer_size(shape::type_t t) {
    std::size_t result = 0;
    shape::visit(t, [&](auto as) { result = as.size(); });
    return result;
}

} // namespace

std::vector<std::size_t> compute_broadcasted_lens(std::vector<std::size_t> s0,
                                                  std::vector<std::size_t> s1) {
    if (s0 == s1)
        return s0;
    if (s0.size() > s1.size())
        std::swap(s0, s1);
    const std::size_t offset = s1.size() - s0.size();
    std::vector<std::size_t> result = s1;
    for (std::size_t i = 0; i < s0.size(); ++i) {
        std::size_t& out = result[offset + i];
        if (out == s0[i] || s0[i] == 1)
            continue;
        if (out != 1)
            broadcast_error("{" + shape::to_sizes_string({shape{shape::uint8_type, s0}}) + "}",
                            "{" + shape::to_sizes_string({shape{shape::uint8_type, s1}}) + "}");
        out = s0[i];
    }
    return result;
}

std::vector<std::size_t> compute_common_lens(const std::vector<shape>& shapes) {
    std::vector<std::size_t> result;
    bool first = true;
    for (const shape& s : shapes) {
        result = first ? s.lens() : compute_broadcasted_lens(std::move(result), s.lens());
        first = false;
    }
    return result;
}

dim_list compute_broadcasted_dyn_dims(dim_list dds0, dim_list dds1) {
    if (dds0 == dds1)
        return dds0;
    if (dds0.size() > dds1.size())
        std::swap(dds0, dds1);
    const bool symbolic =
        (has_symbol(dds0) || has_symbol(dds1)) && !has_open_range(dds0) && !has_open_range(dds1);
    const std::size_t offset = dds1.size() - dds0.size();
    if (symbolic) {
        dim_list result = dds1;
        bool known = true;
        for (std::size_t i = 0; i < dds0.size() && known; ++i) {
            auto both = broadcast_symbols(dds1[offset + i], dds0[i]);
            known = both.has_value();
            if (known)
                result[offset + i] = *both;
        }
        if (known)
            return result;
    }
    dds0 = to_ranges(std::move(dds0));
    dds1 = to_ranges(std::move(dds1));
    dim_list result = dds1;
    for (std::size_t i = 0; i < dds0.size(); ++i) {
        auto& out = result[offset + i];
        if (out == dds0[i] || at_most_one(dds0[i]))
            continue;
        if (at_most_one(out)) {
            out = dds0[i];
            continue;
        }
        auto both = out.intersection(dds0[i]);
        if (!both)
            broadcast_error("{" + list_dims(dds0) + "}", "{" + list_dims(dds1) + "}");
        out = *both;
    }
    return result;
}

dim_list compute_broadcasted_dyn_dims(shape s0, shape s1) {
    return compute_common_dyn_dims({std::move(s0), std::move(s1)});
}

dim_list compute_common_dyn_dims(const std::vector<shape>& shapes) {
    const bool symbolic = std::none_of(shapes.begin(), shapes.end(), [](const shape& s) {
        return s.dynamic() && !s.symbolic() && !s.is_fixed();
    });
    dim_list result;
    bool first = true;
    for (const shape& s : shapes) {
        dim_list dims = dims_of(s, symbolic);
        if (!symbolic)
            dims = to_ranges(std::move(dims));
        result = first ? std::move(dims)
                       : compute_broadcasted_dyn_dims(std::move(result), std::move(dims));
        first = false;
    }
    return result;
}

shape::type_t compute_common_type(shape::type_t t1, shape::type_t t2) {
    if (t1 == t2)
        return t1;
    const promotion p1 = promotion_of(t1);
    const promotion p2 = promotion_of(t2);
    if (p1 == promotion::none || p2 == promotion::none)
        fail(error_kind::invalid_argument, "common type: expected types to compute with, got " +
                                               shape::name(t1) + " and " + shape::name(t2));
    if (p1 == promotion::real64 || p2 == promotion::real64)
        return shape::double_type;
    if (p1 == promotion::real32 || p2 == promotion::real32)
        return shape::float_type;
    const std::size_t size = std::max(integer_size(t1), integer_size(t2));
    if (size < 4)
        return shape::int32_type;
    auto is_wide_unsigned = [&](shape::type_t t) {
        return integer_size(t) == size && shape::is_unsigned(t);
    };
    const bool is_unsigned = is_wide_unsigned(t1) || is_wide_unsigned(t2);
    if (size == 4)
        return is_unsigned ? shape::uint32_type : shape::int32_type;
    return is_unsigned ? shape::uint64_type : shape::int64_type;
}

shape::type_t compute_common_types(const std::vector<shape>& shapes) {
    if (shapes.empty())
        fail(error_kind::invalid_argument, "common type: expected shapes, got none");
    shape::type_t result = shapes.front().type();
    for (const shape& s : shapes)
        result = compute_common_type(result, s.type());
    return result;
}

shape common_shape(const std::vector<shape>& shapes) {
    if (shapes.empty())
        return {};
    const shape::type_t t = compute_common_types(shapes);
    if (std::none_of(shapes.begin(), shapes.end(), [](const shape& s) { return s.dynamic(); }))
        return {t, compute_common_lens(shapes)};
    return {t, compute_common_dyn_dims(shapes)};
}

shape make_bcast_shape(const shape& input_shape, const std::vector<std::size_t>& bcast_lens) {
    if (input_shape.dynamic()) {
        dim_list dims;
        for (std::size_t n : bcast_lens)
            dims.emplace_back(n, n);
        return make_bcast_shape(input_shape, dims);
    }
    const auto& lens = input_shape.lens();
    if (lens.size() > bcast_lens.size())
        broadcast_error(input_shape.to_string(),
                        "{" + shape::to_sizes_string({shape{shape::uint8_type, bcast_lens}}) + "}");
    const std::size_t offset = bcast_lens.size() - lens.size();
    std::vector<std::size_t> strides(bcast_lens.size(), 0);
    for (std::size_t i = 0; i < lens.size(); ++i) {
        if (bcast_lens[offset + i] == lens[i])
            strides[offset + i] = input_shape.strides()[i];
        else if (lens[i] != 1)
            broadcast_error(input_shape.to_string(),
                            "{" + shape::to_sizes_string({shape{shape::uint8_type, bcast_lens}}) +
                                "}");
    }
    return {input_shape.type(), bcast_lens, std::move(strides)};
}

shape make_bcast_shape(const shape& input_shape, const dim_list& bcast_dyn_dims) {
    const std::size_t rank = input_shape.ndim();
    if (rank > bcast_dyn_dims.size())
        broadcast_error(input_shape.to_string(), "{" + list_dims(bcast_dyn_dims) + "}");
    const std::size_t offset = bcast_dyn_dims.size() - rank;
    const bool has_layout =
        (!input_shape.dynamic() || input_shape.symbolic()) && !has_open_range(bcast_dyn_dims);
    const shape in = has_layout ? input_shape.to_symbolic() : demote_to_range(input_shape);
    const dim_list dims = dims_of(in);
    std::vector<sym::expr> strides(bcast_dyn_dims.size(), sym::lit(0));
    bool known = has_layout;
    for (std::size_t i = 0; i < rank; ++i) {
        const auto& target = bcast_dyn_dims[offset + i];
        if (has_layout && dims[i] == target)
            strides[offset + i] = in.dyn_strides()[i];
        else if (dims[i] == 1 || dims[i] == target)
            continue;
        else if (!allows(dims[i], 1) && !overlap(dims[i], target))
            broadcast_error(input_shape.to_string(), "{" + list_dims(bcast_dyn_dims) + "}");
        else
            known = false;
    }
    if (known)
        return {in.type(), bcast_dyn_dims, std::move(strides)};
    return {in.type(), to_ranges(bcast_dyn_dims)};
}

} // namespace migraphx
