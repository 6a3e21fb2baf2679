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
