// SPDX-License-Identifier: MIT
// Permutations of axes, and the memory order of shapes as one.
#include <algorithm>
#include <map>
#include <numeric>

#include <migraphx/permutation.hpp>

namespace migraphx {

bool is_permutation_of_axes(const std::vector<std::int64_t>& perm, std::size_t n) {
    if (perm.size() != n)
        return false;
    std::vector<bool> seen(n, false);
    for (std::int64_t axis : perm) {
        if (axis < 0 || static_cast<std::size_t>(axis) >= n || seen[static_cast<std::size_t>(axis)])
            return false;
        seen[static_cast<std::size_t>(axis)] = true;
    }
    return true;
}

shape reorder_shape(const shape& s, const std::vector<std::int64_t>& perm) {
    if (!s.dynamic())
        return {s.type(), reorder_dims(s.lens(), perm), reorder_dims(s.strides(), perm)};
    if (s.symbolic())
        return {s.type(), reorder_dims(s.dyn_dims(), perm), reorder_dims(s.dyn_strides(), perm)};
    return {s.type(), reorder_dims(s.dyn_dims(), perm)};
}

std::vector<std::int64_t> invert_permutation(const std::vector<std::int64_t>& perm) {
    if (!is_permutation_of_axes(perm, perm.size()))
        fail(error_kind::invalid_argument,
             "invert_permutation: expected each axis once, got another list");
    std::vector<std::int64_t> result(perm.size());
    for (std::size_t i = 0; i < perm.size(); ++i)
        result[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
    return result;
}

std::vector<std::int64_t> identity_permutation(std::size_t n) {
    std::vector<std::int64_t> result(n);
    std::iota(result.begin(), result.end(), 0);
    return result;
}

std::vector<std::int64_t> find_permutation(const shape& s) {
    std::vector<std::int64_t> result = identity_permutation(s.ndim());
    if (s.dynamic() && (s.standard() || !s.symbolic()))
        return result;
    // Broadcast axes keep their places; the others are sorted among theirs.
    auto sort_by = [&](const auto& strides, const auto& is_zero, const auto& length) {
        std::vector<std::int64_t> axes;
        for (std::int64_t axis : result)
            if (!is_zero(strides[static_cast<std::size_t>(axis)]))
                axes.push_back(axis);
        std::stable_sort(axes.begin(), axes.end(), [&](std::int64_t a, std::int64_t b) {
            const auto i = static_cast<std::size_t>(a);
            const auto j = static_cast<std::size_t>(b);
            if (strides[i] != strides[j])
                return strides[j] < strides[i];
            return length(i) > length(j);
        });
        auto next = axes.begin();
        for (std::int64_t& axis : result)
            if (!is_zero(strides[static_cast<std::size_t>(axis)]))
                axis = *next++;
    };
    if (s.symbolic())
        sort_by(
            s.dyn_strides(), [](const sym::expr& x) { return x == sym::lit(0); },
            [&](std::size_t i) { return s.dyn_dims()[i].get_interval().max; });
    else
        sort_by(
            s.strides(), [](std::size_t x) { return x == 0; },
            [&](std::size_t i) { return std::max<std::size_t>(1, s.lens()[i]); });
    return result;
}

std::vector<std::int64_t> find_permutation(const std::vector<shape>& shapes) {
    if (shapes.empty())
        fail(error_kind::invalid_argument, "find_permutation: expected shapes, got none");
    const bool all_broadcast =
        std::all_of(shapes.begin(), shapes.end(), [](const shape& s) { return s.broadcasted(); });
    std::vector<std::pair<std::vector<std::int64_t>, std::size_t>> votes;
    for (const shape& s : shapes) {
        if (s.broadcasted() && !all_broadcast)
            continue;
        auto perm = find_permutation(s);
        auto it = std::find_if(votes.begin(), votes.end(),
                               [&](const auto& v) { return v.first == perm; });
        if (it == votes.end())
            votes.emplace_back(std::move(perm), 1);
        else
            ++it->second;
    }
    return std::max_element(votes.begin(), votes.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
}

std::vector<shape> normalize_permutation(const std::vector<shape>& shapes) {
    if (shapes.empty())
        return {};
    const auto perm = find_permutation(shapes);
    std::vector<shape> result;
    for (const shape& s : shapes)
        result.push_back(reorder_shape(s, perm));
    return result;
}

} // namespace migraphx
