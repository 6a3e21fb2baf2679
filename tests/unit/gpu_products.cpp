// SPDX-License-Identifier: MIT
// Own kernels of products on the host device against the reference: each kernel by itself, all
// types, orders, edges of tiles, batches, epilogues.
#include "ops_compute_support.hpp"

#include <migraphx/generate.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>
#include <migraphx/program.hpp>

#include "ops/tensor.hpp"
#include "runtime/weight_store.hpp"
#include "targets/gpu/lower/dot.hpp"
#include "targets/gpu/lower/own_product.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <sstream>

using namespace migraphx;
using namespace migraphx::gpu;
using lens = std::vector<std::size_t>;

namespace {

using maker = lowered (*)(const device_problem&);

// add(x0, x1) → gelu (erf form) → mul(_, x2), and so on: what the library cannot do.
enum class tail { none, bias_gelu_residual };

struct case_of {
    shape a, b;
    tail what = tail::none;
    bool constant_weights = false;
    int variant = 0;
    double tolerance = 2e-5;
    std::shared_ptr<device> on = host_device();
};

argument number_tensor(const shape& s, unsigned long seed) {
    if (shape::is_integral(s.type()))
        return generate_argument(s, seed, random_mode::random);
    argument a(s);
    std::vector<double> values(s.elements());
    for (std::size_t i = 0; i < values.size(); i++)
        values[i] = double((i * 7 + seed * 13) % 31) / 16 - 1;
    store(a, values);
    return a;
}

module epilogue_body(shape::type_t t) {
    module m("tail");
    const shape one{t};
    const auto x0 = m.add_parameter("x0", one), x1 = m.add_parameter("x1", one),
               x2 = m.add_parameter("x2", one);
    const auto number = [&](double v) {
        literal l{one, std::vector<float>{float(v)}};
        return m.add_literal(l);
    };
    const auto u = m.add_instruction(make_op("add"), x0, x1);
    const auto e = m.add_instruction(make_op("erf"),
                                     m.add_instruction(make_op("mul"), u, number(std::sqrt(0.5))));
    const auto h =
        m.add_instruction(make_op("mul"), m.add_instruction(make_op("mul"), u, number(0.5)),
                          m.add_instruction(make_op("add"), e, number(1)));
    m.add_return({m.add_instruction(make_op("add"), h, x2)});
    return m;
}

void check(maker make, const case_of& c) {
    std::ostringstream text;
    text << c.a << " x " << c.b << " variant " << c.variant;
    SCOPED_TRACE(text.str());
    device_problem p;
    p.on = c.on;
    p.variant = c.variant;
    p.weights = &weight_store::instance();
    std::vector<argument> in{number_tensor(c.a, 1), number_tensor(c.b, 2)};
    const auto dot = make_op(c.a.type_size() == 1 ? "quant_dot" : "dot");
    const auto plain = dot.compute_shape({c.a, c.b});
    p.op = dot;
    auto body = epilogue_body(plain.type());
    if (c.what != tail::none) {
        p.op = make_op("gpu::dot");
        auto bias_strides = lens(plain.ndim(), 0);
        bias_strides.back() = 1;
        in.push_back(number_tensor(shape{plain.type(), plain.lens(), bias_strides}, 3));
        in.push_back(number_tensor(plain, 4));
        p.modules = {&body};
    }
    for (const auto& x : in) {
        p.inputs.push_back(x.get_shape());
        p.constants.emplace_back();
    }
    if (c.constant_weights)
        p.constants[1] = in[1];
    p.output = plain;
    auto result = make(p);
    ASSERT_TRUE(result) << result.reason;
    argument got(p.output),
        wanted(shape{plain.type() == shape::int32_type or shape::is_integral(plain.type())
                         ? plain.type()
                         : shape::double_type,
                     plain.lens()});
    std::memset(got.data(), 0x7f, got.get_shape().bytes());
    std::vector<char*> inputs, outputs{got.data()};
    for (std::size_t i = 0; i < in.size(); i++)
        inputs.push_back(result.k->reads_input(i) ? in[i].data() : nullptr);
    std::vector<char> scratch(result.k->scratch_bytes() + 256);
    result.k->run({inputs.data(), outputs.data(), scratch.data(), nullptr});

    // The same in double.
    if (shape::is_integral(plain.type())) {
        const auto expected = dot.compute(plain, {in[0], in[1]});
        EXPECT_EQ(load<int64_t>(got), load<int64_t>(expected));
        return;
    }
    const auto wide = [](const argument& x) {
        argument y(shape{shape::double_type, x.get_shape().lens()});
        store(y, load<double>(x));
        return y;
    };
    const auto d = make_op("dot");
    const shape wide_shape{shape::double_type, plain.lens()};
    auto values = load<double>(d.compute(wide_shape, {wide(in[0]), wide(in[1])}));
    if (c.what != tail::none) {
        const auto bias = load<double>(in[2]), residual = load<double>(in[3]);
        for (std::size_t i = 0; i < values.size(); i++) {
            const auto u = values[i] + bias[i];
            values[i] = u / 2 * (1 + std::erf(u * std::sqrt(0.5))) + residual[i];
        }
    }
    const auto x = load<double>(got);
    double top = 1e-30;
    for (auto v : values)
        top = std::max(top, std::fabs(v));
    for (std::size_t i = 0; i < x.size(); i++)
        ASSERT_NEAR(x[i], values[i], c.tolerance * top) << "element " << i;
}

shape packed(shape::type_t t, lens l) {
    return {t, std::move(l)};
}
// The last two axes swapped in memory.
shape turned(shape::type_t t, const lens& l) {
    std::vector<int64_t> order(l.size());
    for (std::size_t i = 0; i < l.size(); i++)
        order[i] = int64_t(i);
    std::swap(order[l.size() - 1], order[l.size() - 2]);
    return shape::from_permutation(t, l, order);
}

constexpr double half_rounding = 1e-3, bf16_rounding = 8e-3;

TEST(gpu_products, matrix_units_in_every_order) {
    for (const auto& a : {packed(shape::half_type, {40, 72}), turned(shape::half_type, {40, 72})})
        for (const auto& b :
             {packed(shape::half_type, {72, 88}), turned(shape::half_type, {72, 88})})
            check(matrix_unit_product, {a, b, tail::none, false, 3, half_rounding});
    check(matrix_unit_product,
          {packed(shape::bf16_type, {17, 33}), packed(shape::bf16_type, {33, 19}), tail::none,
           false, 5, bf16_rounding});
}

// Both operands along k: those that are not are constant, or refused.
TEST(gpu_products, bytes_on_matrix_units) {
    constexpr double exact = 2e-7;
    for (auto t : {shape::int8_type, shape::uint8_type, shape::fp8e4m3fn_type, shape::fp8e5m2_type})
        for (int variant = 1; variant <= 6; variant++)
            check(matrix_unit_product,
                  {packed(t, {70, 176}), packed(t, {176, 88}), tail::none, true, variant, exact});
    for (const auto& [m, n, k] :
         {std::array<std::size_t, 3>{1, 1, 1}, {3, 5, 7}, {16, 64, 128}, {33, 65, 129}})
        check(matrix_unit_product,
              {packed(shape::int8_type, {2, m, k}), turned(shape::int8_type, {2, k, n})});
    device_problem p;
    p.on = host_device();
    p.op = make_op("quant_dot");
    p.inputs = {packed(shape::int8_type, {9, 64}), packed(shape::int8_type, {64, 8})};
    p.output = packed(shape::int32_type, {9, 8});
    p.constants.resize(2);
    EXPECT_EQ(matrix_unit_product(p).reason, "bytes whose neighbours are not along k");
}

TEST(gpu_products, matrix_units_with_every_tile) {
    for (int variant = 1; variant <= 6; variant++)
        check(matrix_unit_product,
              {packed(shape::half_type, {130, 200}), packed(shape::half_type, {200, 136}),
               tail::bias_gelu_residual, false, variant, half_rounding});
}

TEST(gpu_products, groups_of_four_warps) {
    for (const auto make : {wide_group_product, narrow_group_product}) {
        // Rows and columns that fill no tile, depths of one step, two and many, uneven rows.
        for (const auto& [m, n, k] : {std::array<std::size_t, 3>{130, 136, 200},
                                      {64, 24, 16},
                                      {5, 131, 72},
                                      {129, 64, 128},
                                      {20, 40, 392}})
            check(make, {packed(shape::half_type, {m, k}), turned(shape::half_type, {k, n}),
                         tail::bias_gelu_residual, false, 0, half_rounding});
        check(make, {packed(shape::bf16_type, {2, 33, 72}), turned(shape::bf16_type, {2, 72, 40}),
                     tail::none, false, 0, bf16_rounding});
        device_problem p;
        p.on = host_device();
        p.op = make_op("dot");
        p.inputs = {packed(shape::half_type, {9, 64}), packed(shape::half_type, {64, 8})};
        p.output = packed(shape::half_type, {9, 8});
        EXPECT_EQ(make(p).reason, "not halves along k");
    }
}

TEST(gpu_products, matrix_units_at_edges) {
    // Rows that are no whole runs of 16 bytes, one element, less than one step of k.
    for (const auto& [m, n, k] : {std::array<std::size_t, 3>{1, 1, 1},
                                  {3, 5, 7},
                                  {16, 64, 64},
                                  {15, 63, 65},
                                  {65, 65, 8},
                                  {1, 64, 129}})
        check(matrix_unit_product,
              {packed(shape::half_type, {m, k}), packed(shape::half_type, {k, n}),
               tail::bias_gelu_residual, false, 0, half_rounding});
}

TEST(gpu_products, matrix_units_on_batches) {
    check(matrix_unit_product,
          {packed(shape::half_type, {2, 3, 20, 24}), turned(shape::half_type, {2, 3, 24, 17}),
           tail::bias_gelu_residual, false, 0, half_rounding});
    // One B for all, but A's rows do not continue.
    check(matrix_unit_product, {shape{shape::half_type, {2, 3, 20, 24}, {480, 960, 24, 1}},
                                shape{shape::half_type, {2, 3, 24, 16}, {0, 0, 16, 1}}, tail::none,
                                false, 0, half_rounding});
}

TEST(gpu_products, floats_on_matrix_units_are_as_exact_as_multiply_adds) {
    constexpr double float_rounding = 2e-7;
    for (const auto& a : {packed(shape::float_type, {40, 72}), turned(shape::float_type, {40, 72})})
        for (const auto& b :
             {packed(shape::float_type, {72, 88}), turned(shape::float_type, {72, 88})})
            for (int variant = 1; variant <= 3; variant++)
                check(split_float_product, {a, b, tail::none, false, variant, float_rounding});
    for (const auto& [m, n, k] : {std::array<std::size_t, 3>{1, 1, 1}, {3, 5, 7}, {33, 65, 31}})
        check(split_float_product,
              {packed(shape::float_type, {2, m, k}), packed(shape::float_type, {2, k, n}),
               tail::bias_gelu_residual, false, 0, float_rounding});
}

TEST(gpu_products, parts_of_k) {
    // A device of many multiprocessors splits them; the host plays one.
    struct wide_host : device {
        std::shared_ptr<device> real = host_device();
        device_properties facts = real->properties();
        const device_properties& properties() const override { return facts; }
        std::shared_ptr<char> allocate(std::size_t n) override { return real->allocate(n); }
        std::shared_ptr<char> allocate_pinned(std::size_t n) override {
            return real->allocate_pinned(n);
        }
        std::optional<int> device_of(const void* p) const override { return real->device_of(p); }
        std::size_t free_memory() const override { return real->free_memory(); }
        void copy(void* to, const void* from, std::size_t n, copy_kind k, stream s) override {
            real->copy(to, from, n, k, s);
        }
        void fill(void* to, int byte, std::size_t n, stream s) override {
            real->fill(to, byte, n, s);
        }
        std::shared_ptr<void> make_stream() override { return real->make_stream(); }
        void synchronize(stream s) override { real->synchronize(s); }
        std::unique_ptr<event> make_event() override { return real->make_event(); }
        void begin_recording(stream s) override { real->begin_recording(s); }
        std::unique_ptr<recorded_graph> end_recording(stream s) override {
            return real->end_recording(s);
        }
        std::shared_ptr<code_module> load(const std::string& image) override {
            return real->load(image);
        }
        void launch(void* f, extent3 grid, extent3 block, std::size_t shared, stream s,
                    void** args) override {
            real->launch(f, grid, block, shared, s, args);
        }
        void make_current() override {}
    };
    const auto wide = std::make_shared<wide_host>();
    wide->facts.multiprocessors = 132;
    check(matrix_unit_product,
          {packed(shape::half_type, {2, 20, 700}), packed(shape::half_type, {2, 700, 37}),
           tail::bias_gelu_residual, false, 0, half_rounding, wide});
    check(matrix_unit_product,
          {packed(shape::int8_type, {2, 20, 1600}), turned(shape::int8_type, {2, 1600, 37}),
           tail::none, false, 0, 0, wide});
    check(split_float_product,
          {packed(shape::float_type, {20, 900}), packed(shape::float_type, {900, 37}),
           tail::bias_gelu_residual, false, 0, 5e-7, wide});
}

TEST(gpu_products, numbers_without_parts_are_multiplied_plainly) {
    device_problem p;
    p.on = host_device();
    p.op = make_op("dot");
    p.inputs = {packed(shape::float_type, {4, 3}), packed(shape::float_type, {3, 2})};
    p.output = packed(shape::float_type, {4, 2});
    p.constants.resize(2);
    const auto inf = std::numeric_limits<float>::infinity();
    std::vector<float> a{1, 2, 3, inf, 1, 1, std::nanf(""), 1, 1, 3.4e38f, 0, 0},
        b{1, 0.5f, 1, 1, 1, 1}, d(8);
    auto r = split_float_product(p);
    ASSERT_TRUE(r) << r.reason;
    char* in[] = {reinterpret_cast<char*>(a.data()), reinterpret_cast<char*>(b.data())};
    char* out[] = {reinterpret_cast<char*>(d.data())};
    std::vector<char> scratch(r.k->scratch_bytes() + 256);
    r.k->run({in, out, scratch.data(), nullptr});
    EXPECT_EQ(d[0], 6);
    EXPECT_EQ(d[1], 5.5f);
    EXPECT_EQ(d[2], inf);
    EXPECT_TRUE(std::isnan(d[4]));
    EXPECT_EQ(d[6], 3.4e38f);
    EXPECT_EQ(d[7], 1.7e38f);
}

TEST(gpu_products, the_library_and_what_it_leaves) {
    check(library_in_one_call,
          {packed(shape::half_type, {2, 9, 16}), packed(shape::half_type, {2, 16, 24}), tail::none,
           false, 0, half_rounding});
    // The product is rounded to half in between.
    check(library_in_two_steps,
          {packed(shape::half_type, {9, 16}), turned(shape::half_type, {16, 24}),
           tail::bias_gelu_residual, false, 0, 2 * half_rounding});
    check(library_in_two_steps, {packed(shape::float_type, {2, 9, 16}),
                                 packed(shape::float_type, {2, 16, 23}), tail::bias_gelu_residual});
    check(library_in_even_rows,
          {packed(shape::half_type, {9, 16}), turned(shape::half_type, {16, 23}), tail::none, false,
           0, half_rounding});
    check(library_in_even_rows,
          {packed(shape::float_type, {1, 9, 16}), packed(shape::float_type, {1, 16, 23})});
}

// Sums near 100, where halves are 1/16 apart, less 100: what was rounded in between shows.
TEST(gpu_products, sums_of_images_are_rounded_once) {
    const shape a{shape::half_type, {9, 64}}, b{shape::half_type, {64, 24}};
    const shape y{shape::float_type, {9, 24}};
    argument x(a), w(b), less(y);
    std::vector<double> values(a.elements()), weights(b.elements());
    for (std::size_t i = 0; i < values.size(); i++)
        values[i] = 1 + double(i * 7 % 31) / 256;
    for (std::size_t i = 0; i < weights.size(); i++)
        weights[i] = 1.5 + double(i * 5 % 29) / 512;
    store(x, values);
    store(w, weights);
    store(less, std::vector<double>(y.elements(), -100));
    module body("tail");
    const auto x0 = body.add_parameter("x0", shape{shape::half_type});
    const auto x1 = body.add_parameter("x1", shape{shape::float_type});
    const auto sum =
        body.add_instruction(make_op("convert", {{"target_type", shape::float_type}}), x0);
    body.add_return({body.add_instruction(make_op("add"), sum, x1)});
    device_problem p;
    p.on = host_device();
    p.weights = &weight_store::instance();
    p.op = make_op("gpu::dot");
    p.modules = {&body};
    p.inputs = {a, b, y};
    p.constants.resize(3);
    p.output = y;
    for (const bool image : {false, true}) {
        p.image = image;
        const auto made = library_in_two_steps(p);
        ASSERT_TRUE(made) << made.reason;
        argument got(y);
        std::vector<char*> in{x.data(), w.data(), less.data()}, out{got.data()};
        std::vector<char> scratch(made.k->scratch_bytes() + 256);
        made.k->run({in.data(), out.data(), scratch.data(), nullptr});
        double worst = 0;
        for (std::size_t i = 0; i < 9; i++)
            for (std::size_t j = 0; j < 24; j++) {
                double wanted = -100;
                for (std::size_t k = 0; k < 64; k++)
                    wanted += values[i * 64 + k] * weights[k * 24 + j];
                worst = std::max(worst, std::fabs(load<double>(got)[i * 24 + j] - wanted));
            }
        EXPECT_EQ(worst < 1e-4, image) << worst;
    }
}

// Constants in float beside halves, as sums of two halves: every tile, rows and columns that fill
// none.
TEST(gpu_products, constants_in_parts) {
    for (const auto& [m, k, n] : std::vector<std::array<std::size_t, 3>>{
             {9, 40, 24}, {70, 24, 13}, {130, 72, 67}, {33, 200, 64}, {16, 8, 1}})
        for (const int variant : {0, 1, 2, 3, 4, 5, 6})
            for (const bool turned_weights : {false, true}) {
                const shape a{shape::half_type, {m, k}};
                const auto b = turned_weights ? turned(shape::half_type, {k, n})
                                              : packed(shape::half_type, {k, n});
                argument x(a), w(b.with_type(shape::float_type));
                std::vector<double> values(m * k), weights(k * n);
                for (std::size_t i = 0; i < values.size(); i++)
                    values[i] = double(i * 7 % 31) / 16;
                for (std::size_t i = 0; i < weights.size(); i++)
                    weights[i] = float(std::sin(double(i))); // 24 bits
                store(x, values);
                store(w, weights);
                device_problem p;
                p.on = host_device();
                p.weights = &weight_store::instance();
                p.op = make_op("dot");
                p.inputs = {a, b};
                p.constants = {argument{}, w};
                p.output = shape{shape::half_type, {m, n}};
                p.in_parts = true;
                p.variant = variant;
                const auto made = matrix_unit_product(p);
                ASSERT_TRUE(made) << made.reason;
                EXPECT_FALSE(made.k->reads_input(1));
                argument got(p.output);
                std::vector<char*> in{x.data(), nullptr}, out{got.data()};
                std::vector<char> scratch(made.k->scratch_bytes() + 256);
                made.k->run({in.data(), out.data(), scratch.data(), nullptr});
                const auto numbers = load<double>(got);
                for (std::size_t i = 0; i < m; i++)
                    for (std::size_t j = 0; j < n; j++) {
                        double wanted = 0, size = 0;
                        for (std::size_t l = 0; l < k; l++) {
                            wanted += values[i * k + l] * weights[l * n + j];
                            size += std::fabs(values[i * k + l] * weights[l * n + j]);
                        }
                        // What a half loses, and 22 bits of the weights.
                        ASSERT_NEAR(numbers[i * n + j], wanted,
                                    std::fabs(wanted) / 2048 + size / (1 << 21))
                            << m << 'x' << k << 'x' << n << " variant " << variant << " at " << i
                            << ", " << j;
                    }
            }
}

TEST(gpu_products, thin_products) {
    for (const std::size_t m : {1, 2, 3, 5, 8})
        for (const auto constant : {false, true})
            check(thin_product, {packed(shape::half_type, {m, 160}),
                                 constant ? packed(shape::half_type, {160, 37})
                                          : turned(shape::half_type, {160, 37}),
                                 tail::bias_gelu_residual, constant, 0, half_rounding});
    check(thin_product,
          {packed(shape::float_type, {1, 4096}), turned(shape::float_type, {4096, 5})});
    check(thin_product, {packed(shape::float_type, {2, 64}), packed(shape::float_type, {64, 4100}),
                         tail::none, true});
    check(thin_product, {packed(shape::double_type, {1, 64}), turned(shape::double_type, {64, 5})});
    for (auto t : {shape::int8_type, shape::uint8_type})
        check(thin_product, {packed(t, {3, 64}), turned(t, {64, 5})});
    check(thin_product, {packed(shape::bf16_type, {4, 2, 64}), turned(shape::bf16_type, {4, 64, 5}),
                         tail::bias_gelu_residual, false, 0, bf16_rounding});
}

TEST(gpu_products, thin_products_refuse_what_they_cannot_read) {
    device_problem p;
    p.on = host_device();
    p.op = make_op("dot");
    p.inputs = {packed(shape::half_type, {9, 64}), turned(shape::half_type, {64, 8})};
    p.output = packed(shape::half_type, {9, 8});
    p.constants.resize(2);
    EXPECT_EQ(thin_product(p).reason, "9 rows");
    p.inputs = {packed(shape::half_type, {1, 63}), turned(shape::half_type, {63, 8})};
    p.output = packed(shape::half_type, {1, 8});
    EXPECT_EQ(thin_product(p).reason, "rows of A without whole runs of 16 bytes");
    p.inputs = {packed(shape::half_type, {1, 64}), packed(shape::half_type, {64, 8})};
    EXPECT_EQ(thin_product(p).reason, "columns of B without whole runs of 16 bytes");
}

TEST(gpu_products, plain_products_of_every_type) {
    for (auto t : {shape::float_type, shape::double_type, shape::half_type, shape::bf16_type,
                   shape::int32_type, shape::int8_type, shape::uint8_type, shape::int64_type,
                   shape::uint64_type, shape::uint16_type})
        check(plain_product_kernel, {packed(t, {5, 19}), turned(t, {19, 70}), tail::none, false, 0,
                                     t == shape::half_type   ? half_rounding
                                     : t == shape::bf16_type ? bf16_rounding
                                                             : 2e-6});
}

TEST(gpu_products, plain_products_of_any_strides) {
    // Every other column, rows that repeat.
    check(plain_product_kernel,
          {shape{shape::float_type, {2, 9, 8}, {160, 16, 2}},
           shape{shape::float_type, {2, 8, 7}, {56, 0, 1}}, tail::bias_gelu_residual});
    check(plain_product_kernel,
          {packed(shape::float_type, {3, 1, 8}), packed(shape::float_type, {3, 8, 1})});
}

} // namespace
