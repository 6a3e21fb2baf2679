// SPDX-License-Identifier: MIT
// Largest error of each pointwise operator's vector form over its tested range, and its behaviour
// at NaN, infinities, zeros and denormals, for every level.
#include "nest_support.hpp"

#include <cstdlib>

using namespace nest_test;

namespace {

nest one_operator(const migraphx::pointwise_row& row, int64_t n) {
    nest_builder b({n});
    std::vector<nest_operand> operands;
    for (int i = 0; i < row.arity; ++i)
        operands.push_back(r(b.input(shape::float_type, {1})));
    b.output(b.op(row.name, operands), {1});
    return b.finish();
}

double true_value(const migraphx::pointwise_row& row, const run_case& c, std::size_t i) {
    double operands[4] = {};
    for (int k = 0; k < row.arity; ++k)
        operands[k] = c.inputs[std::size_t(k)].get(i).real;
    operands[row.arity] = row.attribute_default;
    return row.real(operands);
}

struct worst_error {
    double ulp = 0;
    std::string where;
};

worst_error measure(const migraphx::pointwise_row& row, const run_case& c, isa level) {
    const auto got = c.executed(level);
    worst_error worst;
    for (std::size_t i = 0; i < c.outputs[0].count(); ++i) {
        const double want = true_value(row, c, i);
        const auto value =
            row.bool_result ? float(got[0].get(i).integer) : float(got[0].get(i).real);
        const double error = ulps(value, want);
        if (error > worst.ulp) {
            worst.ulp = error;
            worst.where = std::string(row.name) + " on " + migraphx::cpu::to_string(level) + " of";
            for (int k = 0; k < row.arity; ++k)
                worst.where += " " + std::to_string(c.inputs[std::size_t(k)].get(i).real);
            worst.where += ": got " + std::to_string(value) + " want " + std::to_string(want);
        }
    }
    return worst;
}

} // namespace

TEST(nest_accuracy, tested_range) {
    std::mt19937 random(42);
    for (const auto& row : migraphx::pointwise_rows()) {
        if (row.integral_only)
            continue;
        run_case c(one_operator(row, 60000));
        for (buffer& in : c.inputs) {
            fill_random(in, random, row.lo, row.hi);
            // A third near zero, where relative error shows; some equal to each other.
            std::uniform_real_distribution<double> small(-30, 0);
            for (std::size_t i = 0; i < in.count(); i += 3) {
                const double v = std::exp2(small(random)) * (random() % 2 == 0 ? 1 : -1);
                if (v >= row.lo and v <= row.hi)
                    in.set(i, {double(float(v)), 0});
            }
            for (std::size_t i = 0; i < 50; ++i)
                in.set(i * 7, {double(int(i % 5) - 2) * (row.hi > 1 ? 1 : 0.5), 0});
        }
        for (isa level : nest_levels()) {
            const worst_error worst = measure(row, c, level);
            EXPECT_LE(worst.ulp, row.max_ulp + 0.5001) << worst.where;
            if (std::getenv("NEST_ULPS") != nullptr)
                printf("%-12s %-9s %.3f\n", row.name, migraphx::cpu::to_string(level), worst.ulp);
        }
    }
}

TEST(nest_accuracy, special_values) {
    const float inf = std::numeric_limits<float>::infinity();
    const std::vector<float> values = {
        0.0f,          -0.0f,    1.0f,    -1.0f,  inf,     -inf,
        std::nanf(""), 1e-45f,   -1e-45f, 1e-39f, -1e-39f, 1.17549435e-38f,
        3.4e38f,       -3.4e38f, 0.5f,    -0.5f,  2.0f,    -2.0f,
        3.0f,          1e5f,     1.1e5f,  -1e10f, 88.7f,   88.8f,
        -87.3f,        -103.9f,  -104.1f, 1e-8f,  1e8f};
    for (const auto& row : migraphx::pointwise_rows()) {
        if (row.integral_only)
            continue;
        const std::size_t count = values.size();
        const std::size_t total = row.arity == 1   ? count
                                  : row.arity == 2 ? count * count
                                                   : count * count * 3;
        run_case c(one_operator(row, int64_t(total)));
        for (std::size_t i = 0; i < total; ++i)
            for (int k = 0; k < row.arity; ++k) {
                const std::size_t digit = k == 0   ? i % count
                                          : k == 1 ? i / count % count
                                                   : i / count / count;
                c.inputs[std::size_t(k)].set(i, {values[digit], 0});
            }
        for (isa level : nest_levels()) {
            const worst_error worst = measure(row, c, level);
            EXPECT_LE(worst.ulp, std::max(row.max_ulp, 0.5) + 0.5001) << worst.where;
        }
    }
}

TEST(nest_accuracy, every_float_bit_pattern_class) {
    // Steps through all exponents and signs of float for the functions with polynomials.
    std::mt19937 random(8);
    for (const char* name :
         {"exp", "log", "log2", "erf", "tanh", "sigmoid", "sin", "cos", "tan", "elu"}) {
        const auto& row = *migraphx::find_pointwise_row(name);
        run_case c(one_operator(row, 256 * 2 * 64));
        for (int exponent = 0; exponent < 256; ++exponent)
            for (int k = 0; k < 128; ++k) {
                const uint32_t bits =
                    (k & 1u) << 31 | uint32_t(exponent) << 23 | (random() & 0x7fffffu);
                float x;
                std::memcpy(&x, &bits, 4);
                std::memcpy(c.inputs[0].begin() + (exponent * 128 + k) * 4, &x, 4);
            }
        for (isa level : nest_levels()) {
            const worst_error worst = measure(row, c, level);
            EXPECT_LE(worst.ulp, 4.5) << worst.where;
        }
    }
}
