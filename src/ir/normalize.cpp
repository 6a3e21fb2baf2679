// SPDX-License-Identifier: MIT
#include "ir/normalize.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>
#include <string>

namespace migraphx {

namespace {

int64_t normalized_axis(int64_t axis, int64_t rank, bool end_included) {
    const auto top = end_included ? rank : rank - 1;
    if (axis < -rank or axis > top)
        fail(error_kind::invalid_argument, "axis must be in [" + std::to_string(-rank) + ", " +
                                               std::to_string(top) + "], got " +
                                               std::to_string(axis));
    return axis < 0 ? axis + rank : axis;
}

value normalized_axes(const value& v, int64_t rank, bool end_included) {
    if (v.is_array()) {
        std::vector<int64_t> axes;
        for (auto a : v.to_vector<int64_t>())
            axes.push_back(normalized_axis(a, rank, end_included));
        return value(axes);
    }
    if (v.is_null())
        return v;
    return normalized_axis(v.to<int64_t>(), rank, end_included);
}

// Bounds of a slice: clipped to their axis; left alone when a sliced dimension is not known yet.
value normalized_bounds(const value& v, const std::vector<int64_t>& axes, const shape& in) {
    auto bounds = v.to_vector<int64_t>();
    if (bounds.size() != axes.size())
        return v;
    std::vector<int64_t> lens;
    for (auto a : axes) {
        if (in.dynamic()) {
            const auto& d = in.dyn_dims().at(static_cast<std::size_t>(a));
            if (not d.is_fixed())
                return v;
            lens.push_back(static_cast<int64_t>(d.get_interval().max));
        } else
            lens.push_back(static_cast<int64_t>(in.lens().at(static_cast<std::size_t>(a))));
    }
    for (std::size_t i = 0; i < bounds.size(); i++) {
        bounds[i] = std::clamp(bounds[i], -lens[i], lens[i]);
        if (bounds[i] < 0)
            bounds[i] += lens[i];
    }
    return value(bounds);
}

// n paddings for n spatial dimensions stand for both ends.
value normalized_padding(const operation& op, const value& v, const shape& in) {
    if (op.has_attribute("padding_mode") and op.get<int64_t>("padding_mode") != 0)
        return v;
    // The operator itself says what rank it wants.
    if (in.ndim() < 3)
        return v;
    auto padding = v.to_vector<int64_t>();
    const auto spatial = in.ndim() < 2 ? 0 : in.ndim() - 2;
    if (padding.size() == 2 * spatial)
        return v;
    if (padding.size() != spatial)
        fail(error_kind::invalid_argument, "padding must have " + std::to_string(spatial) + " or " +
                                               std::to_string(2 * spatial) + " values, got " +
                                               std::to_string(padding.size()));
    padding.insert(padding.end(), padding.begin(),
                   padding.begin() + static_cast<std::ptrdiff_t>(spatial));
    return value(padding);
}

} // namespace

bool detail::needs_normalization(const op_info& info) {
    return std::any_of(info.fields.begin(), info.fields.end(),
                       [](const field_info& f) { return f.normalize != normalize_kind::none; });
}

operation normalize_attributes(const operation& op, const std::vector<shape>& inputs) {
    if (inputs.empty())
        fail(error_kind::invalid_argument, "at least one input was expected, got none");
    const auto& in = inputs.front();
    const auto rank = static_cast<int64_t>(in.ndim());
    value changed = value::object{};
    std::vector<int64_t> axes;
    for (const auto& f : op.info().fields) {
        if (f.normalize == normalize_kind::none)
            continue;
        const auto v = f.get(op.self());
        value canonical;
        switch (f.normalize) {
        case normalize_kind::axis:
            canonical = normalized_axes(v, rank, false);
            break;
        case normalize_kind::axis_output:
            canonical = normalized_axes(
                v, rank + (v.is_array() ? static_cast<int64_t>(v.size()) : 1), false);
            break;
        case normalize_kind::axis_end:
            canonical = normalized_axes(v, rank, true);
            break;
        case normalize_kind::slice_bound:
            canonical = normalized_bounds(v, axes, in);
            break;
        case normalize_kind::padding:
            canonical = normalized_padding(op, v, in);
            break;
        case normalize_kind::none:
            break;
        }
        if (f.name == "axes")
            axes = canonical.to_vector<int64_t>();
        if (canonical != v)
            changed[f.name] = canonical;
    }
    if (changed.empty())
        return op;
    auto result = op;
    result.from_value(changed);
    return result;
}

} // namespace migraphx
