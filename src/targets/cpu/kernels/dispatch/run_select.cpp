// SPDX-License-Identifier: MIT
// Selections. Sorting works on keys that put the order of the values, then the position, into one
// integer.
#include "targets/cpu/kernels/dispatch/run_select.hpp"
#include "targets/cpu/kernels/dispatch/float_order.hpp"

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

// ---- nonzero

// Every position is written and the end moves on behind those that count: no branch to mispredict.
template <class Test>
void keep_positions(int64_t begin, int64_t end, std::vector<int64_t>& found, Test test) {
    found.resize(size_t(end - begin));
    int64_t* to = found.data();
    for (int64_t i = begin; i < end; ++i) {
        *to = i;
        to += test(i) ? 1 : 0;
    }
    found.resize(size_t(to - found.data()));
}

template <class T>
void find_nonzero(const void* x, int64_t begin, int64_t end, std::vector<int64_t>& found) {
    const T* p = static_cast<const T*>(x);
    keep_positions(begin, end, found, [&](int64_t i) { return p[i] != 0; });
}

void find_nonzero_halves(const void* x, int64_t begin, int64_t end, std::vector<int64_t>& found) {
    const auto* p = static_cast<const uint16_t*>(x);
    keep_positions(begin, end, found, [&](int64_t i) { return (p[i] & 0x7fff) != 0; });
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

std::vector<int64_t> run_nonzero(elem_type type, const void* x, int64_t count) {
    constexpr int64_t part = 256 * 1024;
    const int64_t parts = (count + part - 1) / part;
    std::vector<std::vector<int64_t>> found;
    found.resize(size_t(parts));
    parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
            find_nonzero(type, x, i * part, std::min(count, (i + 1) * part), found[size_t(i)]);
    });
    if (parts == 1)
        return std::move(found[0]);
    std::vector<int64_t> all;
    for (const auto& list : found)
        all.insert(all.end(), list.begin(), list.end());
    return all;
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
