// SPDX-License-Identifier: MIT
// The check of sources for CUDA, which makes no code of most, finds what compiling would.
#include <migraphx/errors.hpp>

#include "targets/gpu/compiler/compilers.hpp"
#include "targets/gpu/compiler/source_text.hpp"

#include <gtest/gtest.h>

using namespace migraphx;
using namespace migraphx::gpu;

namespace {

device_properties hopper() {
    device_properties facts;
    facts.kind = platform::cuda;
    facts.architecture = "sm_90";
    facts.capability = 90;
    return facts;
}

std::string kernel_with(const std::string& body) {
    return with_headers("#include \"dialect.cuh\"\nnamespace mgx {\n"
                        "MGX_KERNEL void k(float* x, int n) {\n" +
                        body + "\n}\n}\n");
}

bool passes(const std::string& body) {
    try {
        check_with_nvrtc(kernel_with(body), hopper());
        return true;
    } catch (const exception& e) {
        EXPECT_NE(e.message().find("does not compile"), std::string::npos) << e.message();
        return false;
    }
}

// Static shared memory of so many bytes, all of it used.
std::string shared_bytes(const std::string& bytes) {
    return "__shared__ unsigned char s[" + bytes +
           "]; for (int i = threadIdx.x; i < n; i += blockDim.x) s[i] = i;"
           "__syncthreads(); x[threadIdx.x] = s[n - 1 - threadIdx.x];";
}

} // namespace

TEST(gpu_source_check, finds_what_compiling_would) {
    if (nvrtc().version().empty())
        GTEST_SKIP() << "no NVRTC";
    EXPECT_TRUE(passes("x[0] = 1;"));
    EXPECT_FALSE(passes("x[0] = undeclared;"));
    EXPECT_FALSE(passes("x[0] = half(1.0f) * from_f32<nothing>(2);"));
    EXPECT_TRUE(passes(R"(asm volatile("mov.f32 %0, %0;" : "+f"(x[0]));)"));
    EXPECT_FALSE(passes(R"(asm volatile("no_such_instruction %0;" : "+f"(x[0]));)"));
    EXPECT_TRUE(passes(shared_bytes("1024")));
    EXPECT_TRUE(passes(shared_bytes("48 * 1024")));
    EXPECT_FALSE(passes(shared_bytes("64 * 1024")));
}

// The host has no clusters: what only a Hopper gets is compiled here.
TEST(gpu_source_check, weights_of_four_bits_in_clusters) {
    if (nvrtc().version().empty())
        GTEST_SKIP() << "no NVRTC";
    for (const std::string type : {"half", "bf16"})
        for (const std::string form : {"16, 64, 16, 4", "32, 128, 32, 4", "64, 128, 32, 3"}) {
            const auto source =
                "#include \"block_mma.cuh\"\nnamespace mgx {\nusing T = " + type +
                ";\nstruct tail {\nusing anchor = T;\nstatic constexpr int operands = 0;\nT* d;\n"
                "template <int V> MGX_DEVICE void finish(const f32 (&x)[V], const gemm_params&, "
                "const gemm_place&, int, int, int) const {\n"
                "for (int e = 0; e < V; e++) d[e] = convert<T>(x[e]);\n}\n};\n"
                "MGX_KERNEL_BOUNDS(128) MGX_CLUSTER_Z(8) void k(const T* x, const u8* q, "
                "const T* s, const u8* z, T* y, block_params p) {\n"
                "MGX_DYNAMIC_SHARED(unsigned char, shared);\nblock_gemm<block_form<T, " +
                form + ">, u8, 8, 8>(x, q, s, z, shared, p, tail{y});\n}\n}\n";
            EXPECT_NO_THROW(check_with_nvrtc(with_headers(source), hopper())) << source;
        }
}
