// SPDX-License-Identifier: MIT
// Test data. Element i of the memory is a hash of seed and i, so large tensors are filled in
// parallel.
//   floats    legacy: multiples of 1/64 in [-1, 1]; random: uniform in [-1, 1)
//   8, 16 bit integers  [-64, 63], unsigned [0, 127]
//   32, 64 bit integers legacy: [-8, 7], unsigned [0, 15]; random: 0 and 1, which serve as indices,
//             flags and lengths of any model
#include <migraphx/generate.hpp>

#include "base/parallel.hpp"
#include "ir/small_number.hpp"

#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>

namespace migraphx {

namespace {

constexpr std::int64_t generated_grain = 1 << 15;

// The finaliser of splitmix64.
std::uint64_t mixed_bits(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

template <class T>
T element_from_bits(std::uint64_t bits, random_mode mode) {
    if constexpr (std::is_same_v<T, double>) {
        if (mode == random_mode::random)
            return static_cast<double>(static_cast<std::int64_t>(bits)) * 0x1p-63;
        return static_cast<double>(bits % 129) / 64 - 1;
    } else if constexpr (not std::is_integral_v<T>) {
        const auto top = static_cast<std::int32_t>(bits >> 32);
        if (mode == random_mode::random) // 24 bits: exact in float, never rounded up to 1
            return static_cast<T>(static_cast<float>(top >> 8) * 0x1p-23F);
        return static_cast<T>(static_cast<float>(bits % 129) / 64 - 1);
    } else if constexpr (sizeof(T) <= 2) {
        const auto small = static_cast<int>(bits >> 57);
        return static_cast<T>(std::is_signed_v<T> ? small - 64 : small);
    } else {
        if (mode == random_mode::random)
            return static_cast<T>(bits >> 63);
        const auto small = static_cast<int>(bits >> 60);
        return static_cast<T>(std::is_signed_v<T> ? small - 8 : small);
    }
}

template <class F>
void fill_memory(char* data, std::size_t bytes, std::size_t width, F f) {
    parallel_for(static_cast<std::int64_t>(bytes / width), generated_grain,
                 [&](std::int64_t begin, std::int64_t end) { f(data, begin, end); });
}

void fill_random(const argument& a, std::uint64_t seed, random_mode mode) {
    const auto& s = a.get_shape();
    const auto start = mixed_bits(seed);
    auto bits = [start](std::int64_t i) {
        return mixed_bits(start + static_cast<std::uint64_t>(i));
    };
    if (not s.computable() or s.type() == shape::bool_type) {
        const auto code_bits = s.type() == shape::bool_type  ? 1
                               : s.type() == shape::fp4_type ? 4
                                                             : small_integer_bits(s.type());
        const unsigned mask = code_bits == 0 ? 255 : (1u << code_bits) - 1;
        fill_memory(a.data(), s.bytes(), 1, [=](char* out, auto begin, auto end) {
            for (auto i = begin; i < end; ++i)
                out[i] = static_cast<char>((bits(i) >> 40) & mask);
        });
        return;
    }
    shape::visit(s.type(), [&](auto as) {
        using type = typename decltype(as)::type;
        fill_memory(a.data(), s.bytes(), sizeof(type), [=](char* data, auto begin, auto end) {
            auto* out = reinterpret_cast<type*>(data);
            for (auto i = begin; i < end; ++i)
                out[i] = element_from_bits<type>(bits(i), mode);
        });
    });
}

// Sizes for what is open: one in each dimension.
shape some_shape(const shape& s) {
    if (s.is_sequence() or s.is_optional())
        return s;
    return s.has_rank() ? s.to_static(1) : shape{s.type(), {1}};
}

} // namespace

argument generate_argument(shape s, unsigned long seed, random_mode m) {
    if (s.is_sequence() or s.is_optional())
        s = shape{std::vector<shape>(s.is_sequence() ? 2 : 1, some_shape(s.element()))};
    if (s.type() == shape::tuple_type) {
        std::vector<argument> subs;
        for (const auto& sub : s.sub_shapes())
            subs.push_back(generate_argument(sub, seed + subs.size(), m));
        return {subs};
    }
    if (s.type() == shape::string_type) {
        std::vector<std::string> words;
        for (std::size_t i = 0; i < s.elements(); ++i)
            words.push_back("word" + std::to_string(mixed_bits(mixed_bits(seed) + i) >> 57));
        return string_argument(s, {words.begin(), words.end()});
    }
    auto a = argument::uninitialized(s);
    fill_random(a, seed, m);
    return a;
}

literal generate_literal(shape s, unsigned long seed) {
    return literal::adopt(generate_argument(std::move(s), seed));
}

argument fill_argument(shape s, double value) {
    if (s.type() == shape::tuple_type) {
        std::vector<argument> subs;
        for (const auto& sub : s.sub_shapes())
            subs.push_back(fill_argument(sub, value));
        return {subs};
    }
    argument a{s};
    if (shape::is_small(s.type()))
        std::fill_n(a.data(), s.bytes(), static_cast<char>(small_code(s.type(), value)));
    if (s.computable())
        a.visit([&](auto view) {
            using type = std::decay_t<decltype(*view.begin())>;
            for (auto& x : view)
                x = static_cast<type>(value);
        });
    return a;
}

argument iota_argument(shape s, int64_t start) {
    if (s.type() == shape::tuple_type) {
        std::vector<argument> subs;
        for (const auto& sub : s.sub_shapes())
            subs.push_back(iota_argument(sub, start));
        return {subs};
    }
    argument a{s};
    a.visit([&](auto view) {
        using type = std::decay_t<decltype(*view.begin())>;
        auto i = start;
        for (auto& x : view) {
            if constexpr (std::is_integral_v<type>)
                x = static_cast<type>(i);
            else
                x = static_cast<type>(static_cast<double>(i));
            ++i;
        }
    });
    return a;
}

literal abs(literal l) {
    return transform(l, [](auto x) {
        if constexpr (std::is_unsigned_v<decltype(x)>)
            return x;
        else if constexpr (std::is_integral_v<decltype(x)>)
            return x < 0 ? static_cast<decltype(x)>(-x) : x;
        else
            return static_cast<decltype(x)>(std::fabs(static_cast<double>(x)));
    });
}

} // namespace migraphx
