// SPDX-License-Identifier: MIT
// Every named builder (op::builder::add, Python's macro) against its formula, on ref and on cpu.
#include <migraphx/errors.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/op/builder/insert.hpp>
#include <migraphx/program.hpp>
#include <migraphx/register_target.hpp>

#include "ops/tensor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

using namespace migraphx;

namespace {

using lens = std::vector<std::size_t>;
using numbers_t = std::vector<double>;

argument tensor(shape::type_t t, const lens& l, const numbers_t& values) {
    argument a{shape{t, l}};
    store(a, values);
    return a;
}
argument floats(const lens& l, const numbers_t& values) {
    return tensor(shape::float_type, l, values);
}
argument ramp(const lens& l, double from, double step) {
    argument a{shape{shape::float_type, l}};
    numbers_t values(a.get_shape().elements());
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = from + step * double(i);
    store(a, values);
    return a;
}

struct built {
    shape type;
    numbers_t values;
};

// The results of a builder; both targets must agree.
std::vector<built> build(const std::string& name, const std::vector<argument>& in,
                         const value& options = {}) {
    std::vector<built> result;
    for (const char* target : {"ref", "cpu"}) {
        program p;
        auto* m = p.get_main_module();
        std::vector<instruction_ref> inputs;
        parameter_map parameters;
        for (std::size_t i = 0; i < in.size(); ++i) {
            const auto n = "x" + std::to_string(i);
            inputs.push_back(m->insert_parameter(m->end(), n, in[i].get_shape()));
            parameters[n] = in[i];
        }
        m->add_return(op::builder::add(name, *m, inputs, options));
        p.compile(make_target(target));
        const auto out = p.eval(parameters);
        for (std::size_t i = 0; i < out.size(); ++i) {
            const auto values = load<double>(out[i]);
            if (target == std::string("ref")) {
                result.push_back({out[i].get_shape(), values});
                continue;
            }
            for (std::size_t k = 0; k < values.size(); ++k)
                EXPECT_NEAR(values[k], result.at(i).values[k], 1e-5 * (1 + std::fabs(values[k])))
                    << name;
        }
    }
    return result;
}

void expect_values(const std::string& name, const std::vector<argument>& in, const value& options,
                   const lens& l, const numbers_t& wanted, double tolerance = 1e-5) {
    const auto got = build(name, in, options).at(0);
    EXPECT_EQ(got.type.lens(), l) << name;
    ASSERT_EQ(got.values.size(), wanted.size()) << name;
    for (std::size_t i = 0; i < wanted.size(); ++i)
        EXPECT_NEAR(got.values[i], wanted[i], tolerance) << name << " element " << i;
}

void expect_function(const std::string& name, const value& options,
                     const std::function<double(double)>& f, double tolerance = 1e-5) {
    const numbers_t x{-3, -1, -0.5, 0, 0.25, 1, 2.5};
    numbers_t wanted;
    for (double v : x)
        wanted.push_back(f(v));
    expect_values(name, {floats({7}, x)}, options, {7}, wanted, tolerance);
}

std::string error_of(const std::function<void()>& f) {
    try {
        f();
        return "";
    } catch (const exception& e) {
        return e.what();
    }
}

} // namespace

TEST(op_builders, all_names_are_there) {
    const auto names = op::builder::get_builder_names();
    for (const char* name : {"gemm",
                             "dot",
                             "quant_dot",
                             "convolution",
                             "quant_convolution",
                             "batchnorm",
                             "clip",
                             "celu",
                             "einsum",
                             "gelu_erf",
                             "gelu_tanh",
                             "gelu_quick",
                             "gelu_split",
                             "mean_variance_normalization",
                             "quantizelinear",
                             "dequantizelinear",
                             "rotary_embedding",
                             "tile",
                             "bias_uint8",
                             "add",
                             "sub",
                             "mul",
                             "div",
                             "pow",
                             "prelu",
                             "sqdiff",
                             "logical_and",
                             "logical_or",
                             "logical_xor",
                             "bitwise_and"})
        EXPECT_EQ(std::count(names.begin(), names.end(), name), 1) << name;
    // Others are operators of that name.
    expect_values("neg", {floats({2}, {1, -2})}, {}, {2}, {-1, 2});
    EXPECT_NE(error_of([] {
                  build("celu", {ramp({2}, 0, 1)}, {{"beta", 1}});
              }).find("'beta'"),
              std::string::npos);
}

TEST(op_builders, functions_of_one_operand) {
    expect_function("celu", {},
                    [](double x) { return std::max(0.0, x) + std::min(0.0, std::expm1(x)); });
    expect_function("celu", {{"alpha", 2}}, [](double x) {
        return std::max(0.0, x) + std::min(0.0, 2 * std::expm1(x / 2));
    });
    const auto gelu = [](double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2))); };
    expect_function("gelu_erf", {}, gelu);
    expect_function("gelu_quick", {}, [](double x) { return x / (1 + std::exp(-x)); });
    expect_function("gelu_quick", {{"alpha", 1.7}},
                    [](double x) { return x / (1 + std::exp(-1.7 * x)); });
    for (bool fast : {false, true})
        expect_function("gelu_tanh", {{"fast", fast}}, [](double x) {
            return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
        });
    expect_values("gelu_split", {floats({1, 4}, {2, 3, 0.5, -1})}, {}, {1, 2},
                  {2 * gelu(0.5), 3 * gelu(-1)});
    EXPECT_NE(error_of([] {
                  build("celu", {ramp({2}, 0, 1)}, {{"alpha", 0}});
              }).find("alpha"),
              std::string::npos);
    EXPECT_NE(error_of([] {
                  build("gelu_split", {ramp({1, 3}, 0, 1)});
              }).find("even last dimension"),
              std::string::npos);
}

TEST(op_builders, binaries_broadcast) {
    const auto a = floats({2, 3}, {1, 2, 3, 4, 5, 6}), row = floats({3}, {2, 2, 3}),
               column = floats({2}, {2, 3});
    expect_values("add", {a, row}, {}, {2, 3}, {3, 4, 6, 6, 7, 9});
    expect_values("sub", {a, row}, {}, {2, 3}, {-1, 0, 0, 2, 3, 3});
    expect_values("mul", {row, a}, {}, {2, 3}, {2, 4, 9, 8, 10, 18});
    expect_values("div", {a, row}, {}, {2, 3}, {0.5, 1, 1, 2, 2.5, 2});
    expect_values("pow", {a, row}, {}, {2, 3}, {1, 4, 27, 16, 25, 216}, 1e-3);
    expect_values("sqdiff", {a, row}, {}, {2, 3}, {1, 0, 0, 4, 9, 9});
    expect_values("prelu", {floats({2, 1}, {-2, 4}), row}, {}, {2, 3}, {-4, -4, -6, 4, 4, 4});
    // The lower rank lies along an axis.
    expect_values("add", {a, column}, {{"broadcasted_axis", 0}}, {2, 3}, {3, 4, 5, 7, 8, 9});
    expect_values("mul", {a, row}, {{"broadcasted_axis", 1}}, {2, 3}, {2, 4, 9, 8, 10, 18});
    EXPECT_NE(error_of([&] {
                  build("add", {a, row}, {{"broadcasted_axis", 2}});
              }).find("broadcasted_axis"),
              std::string::npos);
    const auto flag = [](const lens& l, const numbers_t& v) {
        return tensor(shape::bool_type, l, v);
    };
    expect_values("logical_and", {flag({2, 1}, {1, 0}), flag({2}, {1, 0})}, {}, {2, 2},
                  {1, 0, 0, 0});
    expect_values("logical_or", {flag({2, 1}, {1, 0}), flag({2}, {1, 0})}, {}, {2, 2},
                  {1, 1, 1, 0});
    expect_values("logical_xor", {flag({2, 1}, {1, 0}), flag({2}, {1, 0})}, {}, {2, 2},
                  {0, 1, 1, 0});
    const auto whole = [](const lens& l, const numbers_t& v) {
        return tensor(shape::int32_type, l, v);
    };
    expect_values("bitwise_and", {whole({2, 1}, {12, 7}), whole({2}, {10, 3})}, {}, {2, 2},
                  {8, 0, 2, 3});
    // Types are brought together: int and float give float, int8 and int16 give int32.
    EXPECT_EQ(build("add", {whole({2}, {1, 2}), floats({2}, {0.5, 1})}).at(0).type.type(),
              shape::float_type);
    EXPECT_EQ(
        build("add", {tensor(shape::int8_type, {1}, {100}), tensor(shape::int16_type, {1}, {100})})
            .at(0)
            .type.type(),
        shape::int32_type);
    EXPECT_EQ(
        build("add", {tensor(shape::half_type, {1}, {1}), tensor(shape::double_type, {1}, {1})})
            .at(0)
            .type.type(),
        shape::double_type);
}

TEST(op_builders, clip_with_absent_bounds) {
    const auto x = floats({4}, {-2, -1, 1, 2});
    expect_values("clip", {x}, {}, {4}, {-2, -1, 1, 2});
    expect_values("clip", {x, floats({1}, {-1})}, {}, {4}, {-1, -1, 1, 2});
    expect_values("clip", {x, floats({1}, {-1}), floats({1}, {1})}, {}, {4}, {-1, -1, 1, 1});
}

TEST(op_builders, products) {
    const auto a = floats({2, 3}, {1, 2, 3, 4, 5, 6}), b = floats({3, 2}, {1, 0, 0, 1, 1, 1});
    expect_values("dot", {a, b}, {}, {2, 2}, {4, 5, 10, 11});
    expect_values("dot", {ramp({2, 1, 1, 3}, 1, 1), ramp({2, 3, 1}, 0, 1)}, {}, {2, 2, 1, 1},
                  {8, 26, 17, 62});
    expect_values("gemm", {a, b, floats({2}, {10, 20})}, {{"alpha", 2}, {"beta", 0.5}}, {2, 2},
                  {13, 20, 25, 32});
    expect_values("gemm", {b, a}, {{"transA", true}, {"transB", true}}, {2, 2}, {4, 10, 5, 11});
    const auto byte = [](const lens& l, const numbers_t& v) {
        return tensor(shape::int8_type, l, v);
    };
    expect_values("quant_dot", {byte({1, 1, 2}, {100, 100}), byte({2, 2, 1}, {100, 100, 1, 1})}, {},
                  {2, 1, 1}, {20000, 200});
    expect_values("einsum", {a, b}, {{"equation", "ij,jk->ik"}}, {2, 2}, {4, 5, 10, 11});
    expect_values("einsum", {a}, {{"equation", "ij->j"}}, {3}, {5, 7, 9});
    expect_values("einsum", {a}, {{"equation", "ij->ji"}}, {3, 2}, {1, 4, 2, 5, 3, 6});
}

TEST(op_builders, convolutions) {
    const auto x = floats({1, 1, 2, 2}, {1, 2, 3, 4}), w = floats({1, 1, 2, 2}, {1, 1, 1, 1}),
               bias = floats({1}, {100});
    expect_values("convolution", {x, w}, {}, {1, 1, 1, 1}, {10});
    expect_values("convolution", {x, w, bias}, {{"paddings", {0, 0, 1, 1}}}, {1, 1, 2, 2},
                  {110, 106, 107, 104});
    expect_values("convolution", {x, w}, {{"auto_pad", "SAME_UPPER"}}, {1, 1, 2, 2}, {10, 6, 7, 4});
    expect_values(
        "convolution", {x, w},
        {{"auto_pad", "SAME_LOWER"}, {"strides", {1, 1}}, {"dilations", {1, 1}}, {"group", 1}},
        {1, 1, 2, 2}, {1, 3, 4, 10});
    const auto byte = [](const lens& l, const numbers_t& v) {
        return tensor(shape::int8_type, l, v);
    };
    const auto xq = byte({1, 1, 2, 2}, {1, 2, 3, 4}), wq = byte({1, 1, 2, 2}, {1, 1, 1, 1}),
               zero = byte({1}, {1});
    expect_values("quant_convolution", {xq, wq}, {}, {1, 1, 1, 1}, {10});
    expect_values("quant_convolution", {xq, wq, zero}, {}, {1, 1, 1, 1}, {6});
    const auto unsigned_x = tensor(shape::uint8_type, {2}, {0, 200});
    const auto shifted = build("bias_uint8", {unsigned_x}).at(0);
    EXPECT_EQ(shifted.type.type(), shape::int8_type);
    EXPECT_EQ(shifted.values, (numbers_t{-128, 72}));
    EXPECT_EQ(build("bias_uint8", {unsigned_x, tensor(shape::uint8_type, {1}, {128})},
                    {{"has_bias", true}})
                  .at(1)
                  .values,
              numbers_t{0});
    EXPECT_NE(error_of([&] {
                  build("convolution", {x, w}, {{"auto_pad", "SOME"}});
              }).find("auto_pad"),
              std::string::npos);
}

TEST(op_builders, normalisations) {
    const auto x = floats({1, 2, 2}, {1, 3, 10, 30});
    const auto scale = floats({2}, {2, 1}), bias = floats({2}, {0.5, 0}),
               mean = floats({2}, {2, 20}), variance = floats({2}, {1, 100});
    expect_values("batchnorm", {x, scale, bias, mean, variance}, {{"epsilon", 0}}, {1, 2, 2},
                  {-1.5, 2.5, -1, 1});
    expect_values("mean_variance_normalization", {x}, {{"axes", {0, 2}}}, {1, 2, 2},
                  {-1, 1, -1, 1});
    expect_values("mean_variance_normalization", {ramp({1, 1, 1, 2}, 1, 2)}, {}, {1, 1, 1, 2},
                  {-1, 1});
    EXPECT_NE(error_of([&] {
                  build("mean_variance_normalization", {x}, {{"axes", std::vector<int64_t>{}}});
              }).find("1 to 3 axes were expected"),
              std::string::npos);
}

TEST(op_builders, quantised_pairs) {
    const auto x = floats({2, 4}, {1, 2, 3, 4, 1, 2, 3, 4});
    const auto one = build("quantizelinear", {x, floats({1}, {0.5})}).at(0);
    EXPECT_EQ(one.type.type(), shape::uint8_type);
    EXPECT_EQ(one.values, (numbers_t{2, 4, 6, 8, 2, 4, 6, 8}));
    EXPECT_EQ(build("quantizelinear", {x, floats({2}, {0.5, 1})},
                    {{"axis", 0}, {"output_type", int(shape::int8_type)}})
                  .at(0)
                  .values,
              (numbers_t{2, 4, 6, 8, 1, 2, 3, 4}));
    EXPECT_EQ(build("quantizelinear", {x, floats({2, 2}, {0.5, 1, 1, 0.5})},
                    {{"axis", 1}, {"block_size", 2}})
                  .at(0)
                  .values,
              (numbers_t{2, 4, 3, 4, 1, 2, 6, 8}));
    const auto q = tensor(shape::int8_type, {2, 2}, {2, 4, -6, 8}),
               zero = tensor(shape::int8_type, {2}, {2, 0});
    expect_values("dequantizelinear", {q, floats({2}, {0.5, 1}), zero}, {{"axis", 1}}, {2, 2},
                  {0, 4, -4, 8});
    expect_values("dequantizelinear", {q, floats({2, 1}, {0.5, 1})},
                  {{"axis", 1}, {"block_size", 2}}, {2, 2}, {1, 2, -6, 8});
}

TEST(op_builders, tile_and_rotary_embedding) {
    expect_values("tile", {floats({2, 1}, {1, 2})}, {{"repeats", {2, 3}}}, {4, 3},
                  {1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2});
    EXPECT_NE(error_of([] {
                  build("tile", {ramp({2}, 0, 1)}, {{"repeats", {1, 2}}});
              }).find("repeats"),
              std::string::npos);
    // A quarter turn at position 1.
    const auto x = floats({1, 1, 2, 4}, {1, 2, 3, 4, 1, 2, 3, 4}),
               positions = tensor(shape::int64_type, {1, 2}, {0, 1});
    const auto cos = floats({2, 2}, {1, 1, 0, 0}), sin = floats({2, 2}, {0, 0, 1, 1});
    expect_values("rotary_embedding", {x, positions, cos, sin}, {}, {1, 1, 2, 4},
                  {1, 2, 3, 4, -3, -4, 1, 2});
    expect_values("rotary_embedding", {x, positions, cos, sin}, {{"interleaved", true}},
                  {1, 1, 2, 4}, {1, 2, 3, 4, -2, 1, -4, 3});
}

TEST(op_builders, enumerations_by_number_or_name) {
    EXPECT_EQ(make_op("pooling", {{"mode", "max"}}), make_op("pooling", {{"mode", 1}}));
    EXPECT_EQ(make_op("pooling", {{"mode", "1"}}), make_op("pooling", {{"mode", 1}}));
    EXPECT_EQ(make_op("gru", {{"direction", "bidirectional"}}), make_op("gru", {{"direction", 2}}));
    EXPECT_EQ(make_op("pad", {{"mode", "edge_pad"}}), make_op("pad", {{"mode", 2}}));
    EXPECT_EQ(make_op("convolution", {{"padding_mode", "same_upper"}}),
              make_op("convolution", {{"padding_mode", 2}}));
    EXPECT_EQ(make_op("convert", {{"target_type", "float_type"}}),
              make_op("convert", {{"target_type", 2}}));
    EXPECT_NE(error_of([] {
                  make_op("pooling", {{"mode", "middle"}});
              }).find("mode"),
              std::string::npos);
}
