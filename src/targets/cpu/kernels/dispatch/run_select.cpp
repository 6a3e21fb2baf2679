// SPDX-License-Identifier: MIT
// Selections. Sorting works on keys that put the order of the values, then the position, into one
// integer.
#include "targets/cpu/kernels/dispatch/run_select.hpp"

#include "base/parallel.hpp"
#include <migraphx/errors.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <type_traits>

namespace migraphx::cpu {

namespace {

void check_select_rank(const char* what, int rank) {
    if (rank < 1 or rank > 8)
        fail(error_kind::unsupported,
             std::string(what) + ": expected 1 to 8 dimensions, got " + std::to_string(rank));
}

// ---- topk

// Unsigned numbers in the order of the values, NaN above all, -0 equal to 0.
template <class U>
U float_order(U bits, int mantissa) {
    const U sign = U(1) << (sizeof(U) * 8 - 1);
    const U magnitude = U(bits & ~sign);
    const U infinity = U((sign - 1) >> mantissa << mantissa);
    if (magnitude > infinity)
        return U(~U(0));
    if (magnitude == 0)
        return sign;
    return U((bits & sign) != 0 ? ~bits : bits | sign);
}

uint64_t order_of(elem_type type, const void* x, int64_t at) {
    const auto get = [&](auto zero) {
        std::memcpy(&zero, static_cast<const char*>(x) + at * int64_t(sizeof(zero)), sizeof(zero));
        return zero;
    };
    constexpr uint64_t sign = uint64_t(1) << 63;
    switch (type) {
    case elem_type::f32:
        return float_order(get(uint32_t{}), 23);
    case elem_type::f64:
        return float_order(get(uint64_t{}), 52);
    case elem_type::f16:
        return float_order(get(uint16_t{}), 10);
    case elem_type::bf16:
        return float_order(get(uint16_t{}), 7);
    case elem_type::i8:
        return uint64_t(int64_t(get(int8_t{})) + 128);
    case elem_type::i16:
        return uint64_t(int64_t(get(int16_t{})) + 32768);
    case elem_type::i32:
        return uint64_t(int64_t(get(int32_t{})) + (int64_t(1) << 31));
    case elem_type::i64:
        return uint64_t(get(int64_t{})) ^ sign;
    case elem_type::u8:
    case elem_type::boolean:
        return get(uint8_t{});
    case elem_type::u16:
        return get(uint16_t{});
    case elem_type::u32:
        return get(uint32_t{});
    case elem_type::u64:
        return get(uint64_t{});
    }
    return 0;
}

struct wide_key {
    uint64_t order, position;
    bool operator<(const wide_key& o) const {
        return order != o.order ? order < o.order : position < o.position;
    }
};

// Keys ascend from the best element on.
template <class Key>
Key topk_key(const topk_problem& p, int64_t at, int64_t position) {
    const uint64_t order = order_of(p.type, p.x, at);
    if constexpr (std::is_same_v<Key, uint64_t>) // the order has at most 32 bits
        return (p.largest ? uint64_t(0xffffffff) - order : order) << 32 | uint64_t(position);
    else
        return {p.largest ? ~order : order, uint64_t(position)};
}

template <class Key>
uint64_t key_position(const Key& k) {
    if constexpr (std::is_same_v<Key, uint64_t>)
        return k & 0xffffffff;
    else
        return k.position;
}

struct topk_line {
    int64_t x, y, idx, name;
};

// The k smallest keys, sorted, at the front of `best`. Candidates gather behind a bound that falls
// each time they are thinned out, so most elements cost one comparison.
template <class Key, class KeyAt>
void smallest_keys(int64_t n, int64_t k, std::vector<Key>& best, KeyAt key_at) {
    const auto room = size_t(std::max<int64_t>(4 * k, 512));
    best.clear();
    int64_t i = 0;
    for (; i < n and best.size() < room; ++i)
        best.push_back(key_at(i));
    const auto thin_out = [&] {
        if (int64_t(best.size()) > k)
            std::nth_element(best.begin(), best.begin() + (k - 1), best.end());
        best.resize(size_t(k));
    };
    while (i < n) {
        thin_out();
        const Key bound = best[size_t(k - 1)];
        for (; i < n and best.size() < room; ++i)
            if (const Key key = key_at(i); key < bound)
                best.push_back(key);
    }
    thin_out();
    std::sort(best.begin(), best.end());
}

template <class Key>
void topk_of_line(const topk_problem& p, const topk_line& line, int64_t name_step,
                  std::vector<Key>& best) {
    const int64_t n = p.lens[p.axis], step = p.x_strides[p.axis];
    const int64_t elem = elem_size(p.type);
    bool done = false;
    if constexpr (std::is_same_v<Key, uint64_t>)
        if (p.type == elem_type::f32) {
            const auto* x = static_cast<const float*>(p.x) + line.x;
            const uint32_t flip = p.largest ? ~uint32_t(0) : 0;
            smallest_keys(n, p.k, best, [&](int64_t i) {
                uint32_t bits;
                std::memcpy(&bits, x + i * step, sizeof(bits));
                return uint64_t(float_order(bits, 23) ^ flip) << 32 | uint64_t(i);
            });
            done = true;
        }
    if (not done)
        smallest_keys(n, p.k, best,
                      [&](int64_t i) { return topk_key<Key>(p, line.x + i * step, i); });
    for (int64_t i = 0; i < p.k; ++i) {
        const auto at = int64_t(key_position(best[size_t(i)]));
        std::memcpy(static_cast<char*>(p.y) + (line.y + i * p.y_strides[p.axis]) * elem,
                    static_cast<const char*>(p.x) + (line.x + at * step) * elem, size_t(elem));
        p.idx[line.idx + i * p.idx_strides[p.axis]] =
            p.names == nullptr ? at : p.names[line.name + at * name_step];
    }
}

template <class Key>
void topk_lines(const topk_problem& p) {
    int64_t packed[8];
    int64_t lines = 1, size = 1;
    for (int d = p.rank - 1; d >= 0; --d) {
        packed[d] = size;
        size *= p.lens[d];
        if (d != p.axis)
            lines *= p.lens[d];
    }
    const int64_t n = p.lens[p.axis];
    parallel_for(lines, std::max<int64_t>(1, 16384 / n), [&](int64_t begin, int64_t end) {
        std::vector<Key> best;
        for (int64_t l = begin; l < end; ++l) {
            topk_line line{};
            int64_t rest = l;
            for (int d = p.rank - 1; d >= 0; --d) {
                if (d == p.axis)
                    continue;
                const int64_t i = rest % p.lens[d];
                rest /= p.lens[d];
                line.x += i * p.x_strides[d];
                line.y += i * p.y_strides[d];
                line.idx += i * p.idx_strides[d];
                line.name += i * packed[d];
            }
            topk_of_line(p, line, packed[p.axis], best);
        }
    });
}

// ---- non-maximum suppression

struct chosen_boxes {
    std::vector<float> x0, y0, x1, y1, area;
    void add(const box& b) {
        x0.push_back(b.x0);
        y0.push_back(b.y0);
        x1.push_back(b.x1);
        y1.push_back(b.y1);
        area.push_back(b.area);
    }
    box_list list() const {
        return {x0.data(), y0.data(), x1.data(), y1.data(), area.data(), int64_t(x0.size())};
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

// Rows of one batch and class.
void suppress_class(const suppression_problem& p, int64_t batch, int64_t cls,
                    const kernel_table& table, std::vector<int64_t>& rows) {
    const float* score = p.scores + (batch * p.classes + cls) * p.count;
    std::vector<int64_t> order;
    for (int64_t i = 0; i < p.count; ++i)
        if (not p.has_threshold or score[i] > p.threshold)
            order.push_back(i);
    const auto before = [&](int64_t a, int64_t b) {
        return score[a] != score[b] ? score[a] > score[b] : a < b;
    };
    // Sorted a part at a time: often few boxes are wanted of many.
    chosen_boxes chosen;
    size_t sorted = 0;
    for (size_t i = 0; i < order.size() and int64_t(chosen.x0.size()) < p.most; ++i) {
        if (i == sorted) {
            sorted = std::min(order.size(), std::max<size_t>(256, 2 * sorted));
            std::partial_sort(order.begin() + int64_t(i), order.begin() + int64_t(sorted),
                              order.end(), before);
        }
        const box b = box_of(p.boxes + (batch * p.count + order[i]) * 4, p.center_point_box);
        if (table.overlap.any(chosen.list(), b, p.iou))
            continue;
        chosen.add(b);
        rows.insert(rows.end(), {batch, cls, order[i]});
    }
}

// ---- nonzero

template <class T>
void find_nonzero(const void* x, int64_t begin, int64_t end, std::vector<int64_t>& found) {
    const T* p = static_cast<const T*>(x);
    for (int64_t i = begin; i < end; ++i)
        if (p[i] != 0)
            found.push_back(i);
}

void find_nonzero_halves(const void* x, int64_t begin, int64_t end, std::vector<int64_t>& found) {
    const auto* p = static_cast<const uint16_t*>(x);
    for (int64_t i = begin; i < end; ++i)
        if ((p[i] & 0x7fff) != 0)
            found.push_back(i);
}

void find_nonzero(elem_type type, const void* x, int64_t begin, int64_t end,
                  std::vector<int64_t>& found) {
    switch (type) {
    case elem_type::f32:
        find_nonzero<float>(x, begin, end, found);
        return;
    case elem_type::f64:
        find_nonzero<double>(x, begin, end, found);
        return;
    case elem_type::f16:
    case elem_type::bf16:
        find_nonzero_halves(x, begin, end, found);
        return;
    default:
        break;
    }
    switch (elem_size(type)) {
    case 1:
        find_nonzero<uint8_t>(x, begin, end, found);
        break;
    case 2:
        find_nonzero<uint16_t>(x, begin, end, found);
        break;
    case 4:
        find_nonzero<uint32_t>(x, begin, end, found);
        break;
    default:
        find_nonzero<uint64_t>(x, begin, end, found);
        break;
    }
}

std::vector<int64_t> joined_parts(const std::vector<std::vector<int64_t>>& parts) {
    std::vector<int64_t> all;
    for (const auto& part : parts)
        all.insert(all.end(), part.begin(), part.end());
    return all;
}

} // namespace

void run_topk(const topk_problem& p) {
    check_select_rank("topk", p.rank);
    const int64_t n = p.lens[p.axis];
    if (p.k < 0 or p.k > n)
        fail(error_kind::invalid_argument,
             "topk: expected k of at most " + std::to_string(n) + ", got " + std::to_string(p.k));
    if (p.k == 0)
        return;
    if (elem_size(p.type) <= 4 and n <= int64_t(UINT32_MAX))
        topk_lines<uint64_t>(p);
    else
        topk_lines<wide_key>(p);
}

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
    return joined_parts(rows);
}

std::vector<int64_t> run_nonzero(elem_type type, const void* x, int64_t count) {
    constexpr int64_t part = 256 * 1024;
    const int64_t parts = (count + part - 1) / part;
    std::vector<std::vector<int64_t>> found;
    found.resize(size_t(parts));
    parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
            find_nonzero(type, x, i * part, std::min(count, (i + 1) * part), found[size_t(i)]);
    });
    return parts == 1 ? std::move(found[0]) : joined_parts(found);
}

void run_scan(elem_type type, bool exclusive, bool reverse, int rank, int axis, const int64_t* lens,
              const void* x, const int64_t* x_strides, void* y, const int64_t* y_strides,
              const kernel_table& table) {
    check_select_rank("prefix_scan_sum", rank);
    scan_params p{};
    p.x = x;
    p.y = y;
    p.type = type;
    p.exclusive = exclusive;
    p.reverse = reverse;
    p.n = lens[axis];
    p.x_n = x_strides[axis];
    p.y_n = y_strides[axis];
    int inner = -1; // the axis of the smallest steps
    for (int i = 0; i < rank; ++i)
        if (i != axis and lens[i] > 1 and
            (inner < 0 or std::abs(y_strides[i]) < std::abs(y_strides[inner])))
            inner = i;
    p.inner = 1;
    int64_t outer = 1;
    for (int i = 0; i < rank; ++i) {
        if (i == axis)
            continue;
        if (i == inner) {
            p.inner = lens[i];
            p.x_inner = x_strides[i];
            p.y_inner = y_strides[i];
            continue;
        }
        outer *= lens[i];
        p.lens[p.rank] = lens[i];
        p.x_steps[p.rank] = x_strides[i];
        p.y_steps[p.rank++] = y_strides[i];
    }
    const int64_t units = outer * ((p.inner + scan_params::block - 1) / scan_params::block);
    if (units * p.n > 0)
        parallel_for(units,
                     std::max<int64_t>(1, 16384 / (p.n * std::min(p.inner, scan_params::block))),
                     [&](int64_t begin, int64_t end) { table.scan.sum(p, begin, end); });
}

void run_lrn(lrn_params p, int64_t images, bool channels_last, const kernel_table& table) {
    const int64_t units =
        images * (channels_last ? p.inner : (p.inner + lrn_params::block - 1) / lrn_params::block);
    auto f = channels_last ? table.lrn.pixels : table.lrn.planes;
    if (p.channels > 0)
        parallel_for(
            units,
            std::max<int64_t>(1, 16384 / (p.channels * (channels_last ? 1 : lrn_params::block))),
            [&](int64_t begin, int64_t end) { f(p, begin, end); });
}

} // namespace migraphx::cpu
