// SPDX-License-Identifier: MIT
// cuDNN's graphs of convolutions: its numbers against its header, and plans for an H200, which the
// library makes without one.
#include "targets/gpu/libraries/convolution_graph.hpp"
#include "targets/gpu/libraries/open_library.hpp"
#include "targets/gpu/libraries/sdpa.hpp"

#include <migraphx/make_op.hpp>

#include <gtest/gtest.h>

#if __has_include(<cudnn_graph.h>)
#include <cudnn_graph.h>
#endif

using namespace migraphx;
using namespace migraphx::gpu;

namespace {

#if __has_include(<cudnn_graph.h>)

TEST(gpu_cudnn, numbers_are_those_of_the_header) {
#define EXPECT_SAME(ours, theirs) EXPECT_EQ(int(cudnn::ours), int(theirs))
    EXPECT_SAME(data_type::f16, CUDNN_DATA_HALF);
    EXPECT_SAME(data_type::bf16, CUDNN_DATA_BFLOAT16);
    EXPECT_SAME(data_type::e4m3, CUDNN_DATA_FP8_E4M3);
    EXPECT_SAME(data_type::i32, CUDNN_DATA_INT32);
    EXPECT_SAME(kind::plan, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    EXPECT_SAME(kind::engine_config, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    EXPECT_SAME(kind::convolution_forward, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    EXPECT_SAME(kind::convolution_backward_data,
                CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR);
    EXPECT_SAME(kind::pointwise_operation, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    EXPECT_SAME(kind::operation_graph, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    EXPECT_SAME(kind::variant_pack, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    EXPECT_SAME(kind::tensor, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    EXPECT_SAME(attribute::pointwise_relu_slope, CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE);
    EXPECT_SAME(attribute::pointwise_swish_beta, CUDNN_ATTR_POINTWISE_SWISH_BETA);
    EXPECT_SAME(attribute::convolution_after, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS);
    EXPECT_SAME(attribute::convolution_before, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS);
    EXPECT_SAME(attribute::convolution_dims, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS);
    EXPECT_SAME(attribute::heuristics_results, CUDNN_ATTR_ENGINEHEUR_RESULTS);
    EXPECT_SAME(attribute::plan_workspace, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
    EXPECT_SAME(attribute::plan_json, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION);
    EXPECT_SAME(attribute::forward_y, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y);
    EXPECT_SAME(attribute::backward_dx, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX);
    EXPECT_SAME(attribute::backward_dy, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY);
    EXPECT_SAME(attribute::operation_b, CUDNN_ATTR_OPERATION_POINTWISE_BDESC);
    EXPECT_SAME(attribute::graph_operations, CUDNN_ATTR_OPERATIONGRAPH_OPS);
#if CUDNN_VERSION >= 91301
    EXPECT_SAME(kind::attention_forward, CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
    EXPECT_SAME(attribute::attention_q, CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC);
    EXPECT_SAME(attribute::attention_y, CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC);
    EXPECT_SAME(attribute::attention_scale, CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC);
#endif
    EXPECT_SAME(attribute::tensor_by_value, CUDNN_ATTR_TENSOR_IS_BY_VALUE);
    EXPECT_SAME(attribute::pack_workspace, CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
    EXPECT_SAME(attribute::engine_numerical_notes, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE);
    EXPECT_SAME(attribute::device_json, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION);
    EXPECT_SAME(type::descriptor, CUDNN_TYPE_BACKEND_DESCRIPTOR);
    EXPECT_SAME(type::pointwise_mode, CUDNN_TYPE_POINTWISE_MODE);
    EXPECT_SAME(type::numerical_note, CUDNN_TYPE_NUMERICAL_NOTE);
    EXPECT_SAME(type::character, CUDNN_TYPE_CHAR);
    EXPECT_SAME(pointwise::relu, CUDNN_POINTWISE_RELU_FWD);
    EXPECT_SAME(pointwise::gelu_tanh, CUDNN_POINTWISE_GELU_APPROX_TANH_FWD);
    EXPECT_SAME(pointwise::swish, CUDNN_POINTWISE_SWISH_FWD);
    EXPECT_SAME(note::nondeterministic, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC);
    EXPECT_SAME(notes, CUDNN_NUMERICAL_NOTE_TYPE_COUNT);
    EXPECT_SAME(search::a, CUDNN_HEUR_MODE_A);
#undef EXPECT_SAME
}

#endif

// What an H200 says of itself.
constexpr auto h200 =
    R"({"maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64],"regsPerBlock":65536,)"
    R"("multiProcessorCount":132,"warpSize":32,"maxSharedMemoryPerBlock":49152,)"
    R"("maxSharedMemoryPerBlockOptin":232448,"reservedSharedMemoryPerBlock":1024,)"
    R"("maxRegistersPerSM":65536,"maxCtasPerSM":32,"maxThreadsPerBlock":1024,)"
    R"("maxThreadsPerSM":2048,"pciDeviceId":6,"isTccDriver":0,"supportCoopLaunch":1,)"
    R"("totalGlobalMem":150109880320,"smClockRateKHz":1980000,"memClockRateKHz":3201000,)"
    R"("l2CacheSize":62914560,"cudaDeviceId":0,"deviceVer":900,"driverVer":13000,)"
    R"("deviceName":"NVIDIA H200"})";

using lens = std::vector<std::size_t>;

shape last(shape::type_t t, const lens& l) {
    std::vector<int64_t> order{0};
    for (std::size_t i = 2; i < l.size(); i++)
        order.push_back(int64_t(i));
    order.push_back(1);
    return shape::from_permutation(t, l, order);
}

convolution_desc desc_of(shape::type_t t, const lens& x, const lens& w, const lens& y,
                         int64_t stride, int64_t pad, int64_t group = 1) {
    convolution_desc d;
    d.x = last(t, x);
    d.w = last(t, w);
    d.y = last(t, y);
    const auto n = x.size() - 2;
    d.stride.assign(n, stride);
    d.dilation.assign(n, 1);
    d.before.assign(n, pad);
    d.after.assign(n, pad);
    d.group = group;
    return d;
}

convolution_step bias(const convolution_desc& d) {
    lens strides(d.y.ndim(), 0);
    strides[1] = 1;
    return {{post_algorithm::add, 0, 0, "x1"}, shape{d.y.type(), d.y.lens(), strides}};
}

class gpu_cudnn_plans : public testing::Test {
protected:
    void SetUp() override {
        f = cudnn::find(reason);
        if (f == nullptr)
            GTEST_SKIP() << reason;
    }
    std::size_t plans(const convolution_desc& d) {
        const auto device = cudnn::make_device(*f, h200);
        const auto g = make_convolution_graph(*f, d);
        const auto made = cudnn::make_plans(*f, {nullptr, &device}, g.operations,
                                            convolution_wishes(d, 2), reason);
        // As text and back.
        for (const auto& p : made) {
            const auto again = cudnn::plan_of_text(*f, {nullptr, &device}, cudnn::to_text(p));
            EXPECT_EQ(again.workspace, p.workspace);
            EXPECT_EQ(again.engine, p.engine);
        }
        return made.size();
    }
    static bool compiles() { return find_library(library::cuda) != nullptr; }
    const cudnn::functions* f = nullptr;
    std::string reason;
};

TEST_F(gpu_cudnn_plans, half_with_bias_residual_relu) {
    auto d = desc_of(shape::half_type, {1, 64, 56, 56}, {64, 64, 3, 3}, {1, 64, 56, 56}, 1, 1);
    EXPECT_GT(plans(d), 0u) << reason;
    d.steps.push_back(bias(d));
    d.steps.push_back({{post_algorithm::relu}});
    EXPECT_GT(plans(d), 0u) << reason;
    if (not compiles())
        GTEST_SKIP() << "engines that compile need the driver's library";
    d.steps.insert(d.steps.begin() + 1, {{post_algorithm::add, 0, 0, "x2"}, d.y});
    EXPECT_GT(plans(d), 0u) << reason;
}

TEST_F(gpu_cudnn_plans, attention) {
    const shape q{shape::half_type, {2, 8, 512, 64}}, k{shape::half_type, {2, 2, 512, 64}};
    const auto g = make_sdpa_graph(*f, {q, k, k, q, 0.125f});
    EXPECT_EQ(g.ids.size(), 5u);
    if (not compiles())
        GTEST_SKIP() << "engines that compile need the driver's library";
    const auto device = cudnn::make_device(*f, h200);
    EXPECT_FALSE(cudnn::make_plans(*f, {nullptr, &device}, g.operations, {}, reason).empty())
        << reason;
}

TEST_F(gpu_cudnn_plans, other_activations) {
    if (not compiles())
        GTEST_SKIP() << "engines that compile need the driver's library";
    auto d = desc_of(shape::half_type, {1, 32, 28, 28}, {192, 32, 1, 1}, {1, 192, 28, 28}, 1, 0);
    d.steps = {bias(d), {{post_algorithm::clip, 0, 6}}};
    EXPECT_GT(plans(d), 0u) << reason;
    d.steps = {bias(d), {{post_algorithm::swish, 1}}};
    EXPECT_GT(plans(d), 0u) << reason;
    d.steps = {bias(d), {{post_algorithm::hardswish, 1.f / 6, 0.5f}}};
    EXPECT_GT(plans(d), 0u) << reason;
    d.steps = {bias(d), {{post_algorithm::relu, 0.1f}}};
    EXPECT_GT(plans(d), 0u) << reason;
}

TEST_F(gpu_cudnn_plans, floats_by_multiply_adds) {
    auto d = desc_of(shape::float_type, {1, 64, 56, 56}, {64, 64, 3, 3}, {1, 64, 56, 56}, 1, 1);
    EXPECT_GT(plans(d), 0u) << reason;
    d.steps = {bias(d), {{post_algorithm::relu}}};
    EXPECT_GT(plans(d), 0u) << reason;
    d.tf32 = true;
    EXPECT_GT(plans(d), 0u) << reason;
}

TEST_F(gpu_cudnn_plans, groups_axes_transposed) {
    EXPECT_GT(
        plans(desc_of(shape::half_type, {1, 64, 14, 14}, {64, 16, 3, 3}, {1, 64, 14, 14}, 1, 1, 4)),
        0u)
        << reason;
    EXPECT_GT(plans(desc_of(shape::half_type, {1, 64, 100}, {64, 64, 3}, {1, 64, 100}, 1, 1)), 0u)
        << reason;
    auto d = desc_of(shape::half_type, {1, 64, 14, 14}, {64, 32, 2, 2}, {1, 32, 28, 28}, 2, 0);
    d.transposed = true;
    EXPECT_GT(plans(d), 0u) << reason;
}

} // namespace
