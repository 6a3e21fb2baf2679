// SPDX-License-Identifier: MIT
// What the kernel tests share: the levels of this machine, index loops, random data, error
// measures.
#pragma once

#include "targets/cpu/kernels/kernel_table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace kernel_test {

using dims = std::vector<int64_t>;

inline std::vector<migraphx::cpu::isa> levels() {
    std::vector<migraphx::cpu::isa> out;
    for (auto level :
         {migraphx::cpu::isa::baseline, migraphx::cpu::isa::avx2, migraphx::cpu::isa::avx512})
        if (migraphx::cpu::isa_supported(level))
            out.push_back(level);
    return out;
}

inline int64_t count(const dims& lens) {
    int64_t n = 1;
    for (auto l : lens)
        n *= l;
    return n;
}

inline dims packed(const dims& lens) {
    dims s(lens.size(), 1);
    for (size_t i = lens.size(); i-- > 1;)
        s[i - 1] = s[i] * lens[i];
    return s;
}

inline int64_t dot(const dims& a, const dims& b) {
    int64_t s = 0;
    for (size_t i = 0; i < a.size(); ++i)
        s += a[i] * b[i];
    return s;
}

// Lowest and highest element offset a strided region touches.
struct extent {
    int64_t low, high;
    int64_t size() const { return high - low + 1; }
};

inline extent extent_of(const dims& lens, const dims& strides) {
    extent e{0, 0};
    for (size_t i = 0; i < lens.size(); ++i) {
        const int64_t reach = std::max<int64_t>(lens[i] - 1, 0) * strides[i];
        (reach < 0 ? e.low : e.high) += reach;
    }
    return e;
}

template <class F>
void for_each_index(const dims& lens, F f) {
    dims i(lens.size(), 0);
    for (int64_t n = count(lens); n > 0; --n) {
        f(i);
        for (size_t d = lens.size(); d-- > 0;) {
            if (++i[d] < lens[d])
                break;
            i[d] = 0;
        }
    }
}

inline std::vector<char> random_bytes(size_t n, unsigned seed) {
    std::mt19937 gen(seed);
    std::vector<char> out(n);
    for (auto& c : out)
        c = char(gen() >> 11);
    return out;
}

inline std::vector<float> random_floats(size_t n, unsigned seed, float low = -1, float high = 1) {
    std::mt19937 gen(seed);
    std::uniform_real_distribution<float> d(low, high);
    std::vector<float> out(n);
    for (auto& x : out)
        x = d(gen);
    return out;
}

inline std::string show(const dims& v) {
    std::string s = "{";
    for (auto x : v)
        s += (s.size() > 1 ? ", " : "") + std::to_string(x);
    return s + "}";
}

} // namespace kernel_test
