// SPDX-License-Identifier: MIT
// What the nest tests share: tensors with any strides, running a nest on the interpreter and on the
// tile machine of every level, comparing.
#pragma once

#include "codegen/interpret.hpp"
#include "targets/cpu/nest_plan.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace nest_test {

using migraphx::shape;
using migraphx::codegen::nest;
using migraphx::codegen::nest_builder;
using migraphx::codegen::nest_operand;
using migraphx::codegen::scalar_value;
using migraphx::cpu::isa;
using migraphx::cpu::nest_backend;
using dims = std::vector<int64_t>;

inline std::vector<isa> nest_levels() {
    std::vector<isa> levels;
    for (isa level : {isa::baseline, isa::avx2, isa::avx512})
        if (migraphx::cpu::isa_supported(level))
            levels.push_back(level);
    return levels;
}

inline nest_operand r(int reg) {
    return nest_operand::reg(reg);
}
inline nest_operand imm(double v) {
    return nest_operand::real(v);
}
inline nest_operand imm_int(int64_t v) {
    return nest_operand::integer(v);
}

inline dims row_major(const dims& lens) {
    dims strides(lens.size(), 1);
    for (std::size_t i = lens.size(); i-- > 1;)
        strides[i - 1] = strides[i] * lens[i];
    return strides;
}

inline bool is_real(shape::type_t t) {
    return migraphx::codegen::is_float_class(migraphx::codegen::class_of(t));
}

inline const std::vector<shape::type_t>& all_types() {
    static const std::vector<shape::type_t> types = [] {
        std::vector<shape::type_t> v;
        for (int t = 0; t < shape::tuple_type; ++t)
            v.push_back(shape::type_t(t));
        return v;
    }();
    return types;
}

// Memory of a strided tensor between two guard zones.
struct buffer {
    static constexpr std::size_t guard = 64;
    static constexpr char guard_byte = 0x5a;

    shape::type_t type = shape::float_type;
    std::size_t element = 4;
    int64_t low = 0; // lowest element offset touched
    std::vector<char> bytes;

    buffer() = default;
    buffer(shape::type_t t, const dims& lens, const dims& strides)
        : type(t), element(shape(t).type_size()) {
        int64_t high = 0;
        for (std::size_t i = 0; i < lens.size(); ++i) {
            const int64_t reach = std::max<int64_t>(lens[i] - 1, 0) * strides[i];
            (reach < 0 ? low : high) += reach;
        }
        bytes.assign(2 * guard + std::size_t(high - low + 1) * element, guard_byte);
    }

    std::size_t count() const { return (bytes.size() - 2 * guard) / element; }
    char* begin() { return bytes.data() + guard; }
    const char* begin() const { return bytes.data() + guard; }
    void* data() { return begin() - low * int64_t(element); }
    const void* data() const { return begin() - low * int64_t(element); }

    scalar_value get(std::size_t i) const {
        return migraphx::codegen::load_scalar(type, begin() + i * element);
    }
    void set(std::size_t i, const scalar_value& v) {
        migraphx::codegen::store_scalar(type, begin() + i * element, v);
    }
    void set_all(const std::function<scalar_value(std::size_t)>& f) {
        for (std::size_t i = 0; i < count(); ++i)
            set(i, f(i));
    }
    bool guards_intact() const {
        for (std::size_t i = 0; i < guard; ++i)
            if (bytes[i] != guard_byte or bytes[bytes.size() - 1 - i] != guard_byte)
                return false;
        return true;
    }
};

inline void fill_random(buffer& b, std::mt19937& random, double lo, double hi) {
    std::uniform_real_distribution<double> values(lo, hi);
    b.set_all([&](std::size_t) {
        const double v = values(random);
        return scalar_value{v,
                            b.type == shape::bool_type ? int64_t(v > 0) : int64_t(std::floor(v))};
    });
}

// Distance of a float from the true value, in units of the true value's last place.
inline double ulps(float got, double want) {
    const auto rounded = float(want);
    if (std::isnan(want) or std::isnan(got))
        return std::isnan(want) and std::isnan(got) ? 0 : 1e30;
    if (got == rounded)
        return 0;
    if (std::isinf(rounded) or std::isinf(got)) {
        // One beyond the largest float counts as infinity.
        const double finite = std::isinf(got) ? want : got;
        return std::fabs(finite) >= double(std::numeric_limits<float>::max()) * (1 - 1e-6) and
                       (finite > 0) == ((std::isinf(got) ? double(got) : want) > 0)
                   ? 1
                   : 1e30;
    }
    int exponent = 0;
    std::frexp(want, &exponent);
    const double unit = std::ldexp(1.0, std::max(exponent - 24, -149));
    return std::fabs(double(got) - want) / unit;
}

// A nest with its data.
struct run_case {
    nest n;
    std::vector<buffer> inputs;
    std::vector<buffer> outputs;

    explicit run_case(nest from) : n(std::move(from)) {
        for (const auto& a : n.inputs)
            inputs.emplace_back(a.type, n.dims, a.strides);
        for (const auto& o : n.outputs)
            outputs.emplace_back(o.access.type, n.dims, o.access.strides);
    }

    void randomise(std::mt19937& random, double lo, double hi) {
        for (buffer& b : inputs)
            fill_random(b, random, lo, hi);
    }

    std::vector<const void*> input_pointers() const {
        std::vector<const void*> p;
        for (const buffer& b : inputs)
            p.push_back(b.data());
        return p;
    }

    template <class F>
    std::vector<buffer> run(F f) const {
        std::vector<buffer> results = outputs;
        std::vector<void*> p;
        for (buffer& b : results)
            p.push_back(b.data());
        f(input_pointers(), p);
        for (const buffer& b : results)
            EXPECT_TRUE(b.guards_intact());
        return results;
    }

    std::vector<buffer> interpreted() const {
        return run(
            [&](const auto& in, const auto& out) { migraphx::codegen::interpret(n, in, out); });
    }
    std::vector<buffer> executed(isa level, nest_backend backend = nest_backend::tiles) const {
        const auto plan = migraphx::cpu::compile_nest(n, level, backend);
        if (backend == nest_backend::generated and n.elements() > 0) {
            EXPECT_NE(plan->generated, nullptr);
            EXPECT_EQ(plan->generated->code->why, "") << migraphx::codegen::to_string(n);
        }
        return run([&](const auto& in, const auto& out) {
            migraphx::cpu::run_nest(*plan, in.data(), out.data());
        });
    }
};

// Integers must be equal; floats within `tolerance` units of the type's last place, where a
// magnitude below `scale` counts as `scale`.
inline void expect_close(const buffer& got, const buffer& want, double tolerance, double scale,
                         const std::string& what) {
    const double epsilon = want.type == shape::double_type  ? 0x1p-52
                           : want.type == shape::float_type ? 0x1p-23
                           : want.type == shape::half_type  ? 0x1p-10
                           : want.type == shape::bf16_type  ? 0x1p-7
                                                            : 0x1p-2;
    for (std::size_t i = 0; i < want.count(); ++i) {
        const scalar_value g = got.get(i);
        const scalar_value w = want.get(i);
        if (not is_real(want.type)) {
            ASSERT_EQ(g.integer, w.integer) << what << " element " << i;
            continue;
        }
        if (std::isnan(w.real)) {
            ASSERT_TRUE(std::isnan(g.real)) << what << " element " << i << " got " << g.real;
            continue;
        }
        if (g.real == w.real)
            continue;
        const double magnitude = std::max(std::fabs(w.real), scale);
        ASSERT_LE(std::fabs(g.real - w.real), tolerance * epsilon * magnitude)
            << what << " element " << i << " got " << g.real << " want " << w.real;
    }
}

// The same bits everywhere; NaN is NaN.
inline void expect_same_bits(const buffer& got, const buffer& want, const std::string& what) {
    for (std::size_t i = 0; i < want.count(); ++i) {
        const std::size_t at = buffer::guard + i * want.element;
        if (std::memcmp(got.bytes.data() + at, want.bytes.data() + at, want.element) == 0)
            continue;
        const scalar_value g = got.get(i);
        const scalar_value w = want.get(i);
        if (is_real(want.type) and std::isnan(w.real) and std::isnan(g.real))
            continue;
        FAIL() << what << " element " << i << " got " << g.real << " " << g.integer << " want "
               << w.real << " " << w.integer;
    }
}

inline void check_case(const run_case& c, double tolerance, double scale, const std::string& what) {
    const auto want = c.interpreted();
    for (isa level : nest_levels()) {
        const auto got = c.executed(level);
        const auto text = [&](std::size_t k) {
            return what + " on " + migraphx::cpu::to_string(level) + " output " +
                   std::to_string(k) + "\n" + migraphx::codegen::to_string(c.n);
        };
        for (std::size_t k = 0; k < want.size(); ++k)
            expect_close(got[k], want[k], tolerance, scale, text(k));
        const bool brief = std::getenv("MGX_TEST_QUICK") != nullptr;
        if (not migraphx::cpu::jit_available() or (brief and level != migraphx::cpu::kernels_isa()))
            continue;
        const auto generated = c.executed(level, nest_backend::generated);
        for (std::size_t k = 0; k < want.size(); ++k)
            expect_same_bits(generated[k], got[k], "generated code: " + text(k));
    }
}

} // namespace nest_test
