// SPDX-License-Identifier: MIT
// Non-maximum suppression. Boxes whose extents along x form groups without a common point (detectors
// shift the boxes of each class to a range of its own) never meet: each group is for itself, so many
// boxes cost the sum of the groups' squares and the groups share the threads.
#include "targets/cpu/kernels/dispatch/float_order.hpp"
#include "targets/cpu/kernels/dispatch/run_select.hpp"

#include "base/parallel.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace migraphx::cpu {

namespace {

struct chosen_boxes {
    std::vector<float> x0, y0, x1, y1, area;
    void add(const box& b) {
        x0.push_back(b.x0);
        y0.push_back(b.y0);
        x1.push_back(b.x1);
        y1.push_back(b.y1);
        area.push_back(b.area);
    }
    int64_t count() const { return int64_t(x0.size()); }
    box_list list() const {
        return {x0.data(), y0.data(), x1.data(), y1.data(), area.data(), count()};
    }
};

box box_of(const float* p, bool center) {
    box b{std::min(p[1], p[3]), std::min(p[0], p[2]), std::max(p[1], p[3]), std::max(p[0], p[2]),
          0};
    if (center)
        b = {p[0] - p[2] / 2, p[1] - p[3] / 2, p[0] + p[2] / 2, p[1] + p[3] / 2, 0};
    b.area = std::max(0.0f, b.x1 - b.x0) * std::max(0.0f, b.y1 - b.y0);
    return b;
}

uint32_t order_of(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof(bits));
    return float_order(bits, 23);
}

// An order in the high half, an index in the low one.
using sort_key = uint64_t;

sort_key key_of(uint32_t order, int64_t index) {
    return sort_key(order) << 32 | sort_key(index);
}
int64_t index_of(sort_key k) {
    return int64_t(k & 0xffffffff);
}

// By the order; indices ascend already, and passes over digits keep equal ones as they are.
void sort_keys(std::vector<sort_key>& keys) {
    constexpr size_t few = 256;
    if (keys.size() <= few) {
        std::sort(keys.begin(), keys.end());
        return;
    }
    constexpr int digit = 11, digits = 3;
    constexpr size_t values = size_t{1} << digit;
    std::vector<uint32_t> counts(values * digits);
    const auto value = [&](sort_key k, int d) { return (k >> (32 + d * digit)) & (values - 1); };
    for (const auto k : keys)
        for (int d = 0; d < digits; ++d)
            counts[size_t(d) * values + value(k, d)]++;
    std::vector<sort_key> other(keys.size());
    for (int d = 0; d < digits; ++d) {
        uint32_t* start = counts.data() + size_t(d) * values;
        uint32_t sum = 0;
        for (size_t v = 0; v < values; ++v)
            sum += std::exchange(start[v], sum);
        for (const auto k : keys)
            other[start[value(k, d)]++] = k;
        keys.swap(other);
    }
}

// The boxes of one batch and class that may be chosen, as keys: the best score first.
struct candidates {
    const suppression_problem& p;
    int64_t batch;
    std::vector<sort_key> keys;

    box at(size_t rank) const {
        return box_of(p.boxes + (batch * p.count + index_of(keys[rank])) * 4, p.center_point_box);
    }
};

// Extents along x that can be ordered.
bool ordered(const box& b) {
    return not std::isnan(b.x0) and not std::isnan(b.x1);
}

// Ranks by group, each group's ascending; where groups begin, and the end of the last. No groups:
// some box has no extent.
struct grouped_ranks {
    std::vector<uint32_t> ranks, begins;
};

grouped_ranks groups_along_x(const candidates& c) {
    const size_t n = c.keys.size();
    std::vector<sort_key> left;
    std::vector<uint32_t> right; // orders
    left.reserve(n);
    right.reserve(n);
    for (size_t r = 0; r < n; ++r) {
        const auto b = c.at(r);
        if (not ordered(b))
            return {};
        left.push_back(key_of(order_of(b.x0), int64_t(r)));
        right.push_back(order_of(std::max(b.x0, b.x1)));
    }
    sort_keys(left);
    std::vector<uint32_t> group(n);
    uint32_t number = 0;
    uint32_t reached = 0;
    std::vector<uint32_t> sizes{0};
    for (const auto k : left) {
        const auto r = size_t(index_of(k));
        if (uint32_t(k >> 32) > reached and k != left[0]) {
            number++;
            sizes.push_back(0);
        }
        reached = std::max(reached, right[r]);
        group[r] = number;
        sizes[number]++;
    }
    grouped_ranks g;
    g.begins.push_back(0);
    for (const auto s : sizes)
        g.begins.push_back(g.begins.back() + s);
    auto next = g.begins;
    g.ranks.resize(n);
    for (size_t r = 0; r < n; ++r)
        g.ranks[next[group[r]]++] = uint32_t(r);
    return g;
}

void suppress_groups(const candidates& c, const grouped_ranks& g, const kernel_table& table,
                     std::vector<char>& chosen) {
    parallel_for(int64_t(g.begins.size()) - 1, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            chosen_boxes kept;
            for (auto at = g.begins[size_t(i)]; at < g.begins[size_t(i) + 1]; ++at) {
                const auto rank = g.ranks[at];
                const box b = c.at(rank);
                if (kept.count() == c.p.most)
                    break;
                if (table.overlap.any(kept.list(), b, c.p.iou))
                    continue;
                kept.add(b);
                chosen[rank] = 1;
            }
        }
    });
}

// Rows of one batch and class.
void suppress_class(const suppression_problem& p, int64_t batch, int64_t cls,
                    const kernel_table& table, std::vector<int64_t>& rows) {
    const float* score = p.scores + (batch * p.classes + cls) * p.count;
    candidates c{p, batch, {}};
    for (int64_t i = 0; i < p.count; ++i)
        if (not p.has_threshold or score[i] > p.threshold)
            c.keys.push_back(key_of(~order_of(score[i]), i));
    // Often few boxes are wanted of many: the best ones come first, the others are sorted when
    // these do not do.
    std::vector<sort_key> best(std::min<size_t>(c.keys.size(), 256));
    std::partial_sort_copy(c.keys.begin(), c.keys.end(), best.begin(), best.end());
    const size_t all = c.keys.size(), sorted = best.size();
    best.swap(c.keys);
    const auto add_row = [&](size_t rank) {
        rows.insert(rows.end(), {batch, cls, index_of(c.keys[rank])});
    };
    chosen_boxes kept;
    for (size_t i = 0; i < all and kept.count() < p.most; ++i) {
        if (i == sorted) {
            best.swap(c.keys);
            sort_keys(c.keys);
            constexpr size_t many = 1024;
            // A negative limit suppresses boxes that do not meet.
            const auto g = all >= many and p.iou >= 0 ? groups_along_x(c) : grouped_ranks{};
            if (g.begins.size() > 2) {
                std::vector<char> chosen(all);
                suppress_groups(c, g, table, chosen);
                rows.clear();
                int64_t left = p.most;
                for (size_t r = 0; r < all and left > 0; ++r)
                    if (chosen[r] != 0) {
                        add_row(r);
                        left--;
                    }
                return;
            }
        }
        const box b = c.at(i);
        if (table.overlap.any(kept.list(), b, p.iou))
            continue;
        kept.add(b);
        add_row(i);
    }
}

} // namespace

std::vector<int64_t> run_suppression(const suppression_problem& p, const kernel_table& table) {
    const int64_t pairs = p.batches * p.classes;
    if (pairs <= 0 or p.most <= 0)
        return {};
    std::vector<std::vector<int64_t>> rows;
    rows.resize(size_t(pairs));
    parallel_for(pairs, std::max<int64_t>(1, 8192 / std::max<int64_t>(1, p.count)),
                 [&](int64_t begin, int64_t end) {
                     for (int64_t i = begin; i < end; ++i)
                         suppress_class(p, i / p.classes, i % p.classes, table, rows[size_t(i)]);
                 });
    if (pairs == 1)
        return std::move(rows[0]);
    std::vector<int64_t> all;
    for (const auto& list : rows)
        all.insert(all.end(), list.begin(), list.end());
    return all;
}

} // namespace migraphx::cpu
