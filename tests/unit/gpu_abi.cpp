// SPDX-License-Identifier: MIT
// Our declarations of the drivers' interfaces against the vendors' headers, where those are
// installed: names, arguments, constants.
#include "targets/gpu/device/driver_api.hpp"

#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <type_traits>

#if __has_include(<cuda.h>)
#define HAS_CUDA 1
#include <cuda.h>
#endif
#if __has_include(<hip/hip_runtime_api.h>)
#define HAS_HIP 1
#ifndef __HIP_PLATFORM_AMD__
#define __HIP_PLATFORM_AMD__
#endif
#include <hip/hip_runtime_api.h>
#endif

using namespace migraphx::gpu;

namespace {

// Passed alike: pointers (and the integer that CUDA has for an address), or integers and
// enumerations of one size.
template <class A>
constexpr bool is_address = std::is_pointer_v<A>;
template <class Ours, class Theirs>
constexpr bool
    same_type = (is_address<Ours> and (is_address<Theirs> or (std::is_integral_v<Theirs> and
                                                              sizeof(Theirs) == sizeof(void*)))) or
                ((std::is_integral_v<Ours> or std::is_enum_v<Ours>)and(std::is_integral_v<Theirs> or
                                                                       std::is_enum_v<Theirs>) and
                 sizeof(Ours) == sizeof(Theirs));

template <class Ours, class Theirs>
struct same_function : std::false_type {};
template <class R, class... A, class Q, class... B>
requires(sizeof...(A) == sizeof...(B)) struct same_function<R (*)(A...), Q (*)(B...)>
    : std::bool_constant<same_type<R, Q> and (... and same_type<A, B>)> {
};

// A wrong declaration is seen: this check can fail.
static_assert(same_function<int (*)(void*, unsigned), int (*)(char*, int)>::value);
static_assert(not same_function<int (*)(void*, unsigned), int (*)(char*, long)>::value);
static_assert(not same_function<int (*)(void*, unsigned), int (*)(char*)>::value);
static_assert(not same_function<int (*)(void*), int (*)(int)>::value);

#define TEXT_OF(x) #x
#define EXPANDED(x) TEXT_OF(x)

using named = std::map<std::string, std::string>;

// Name in the library by member's place, for one platform.
std::map<std::ptrdiff_t, std::string> names_of(platform kind) {
    std::map<std::ptrdiff_t, std::string> names;
    driver_api a;
    visit_functions(a, [&](auto& f, const char* cuda, const char* hip, bool) {
        if (const char* name = kind == platform::cuda ? cuda : hip)
            names[reinterpret_cast<const char*>(&f) - reinterpret_cast<const char*>(&a)] = name;
    });
    return names;
}

// The functions that are held against the header; what is left over was forgotten here.
struct checked_names {
    std::map<std::ptrdiff_t, std::string> left;
    template <class F>
    void check(const driver_api& a, const F& member, const std::string& name) {
        const auto at = reinterpret_cast<const char*>(&member) - reinterpret_cast<const char*>(&a);
        const auto it = left.find(at);
        ASSERT_NE(it, left.end()) << name;
        EXPECT_EQ(it->second, name);
        left.erase(it);
    }
};

#define SAME(member, function)                                                                     \
    static_assert(same_function<decltype(driver_api::member), decltype(&function)>::value);        \
    names.check(a, a.member, EXPANDED(function))

#ifdef HAS_CUDA
TEST(gpu_abi, cuda_functions) {
    const driver_api a;
    checked_names names{names_of(platform::cuda)};
    SAME(init, cuInit);
    SAME(driver_version, cuDriverGetVersion);
    SAME(device_count, cuDeviceGetCount);
    SAME(device_get, cuDeviceGet);
    SAME(device_name, cuDeviceGetName);
    SAME(device_memory, cuDeviceTotalMem);
    SAME(device_attribute, cuDeviceGetAttribute);
    SAME(context_retain, cuDevicePrimaryCtxRetain);
    SAME(context_get, cuCtxGetCurrent);
    SAME(context_set, cuCtxSetCurrent);
    SAME(synchronise, cuCtxSynchronize);
    SAME(memory_info, cuMemGetInfo);
    SAME(allocate, cuMemAlloc);
    SAME(release, cuMemFree);
    SAME(allocate_host, cuMemHostAlloc);
    SAME(release_host, cuMemFreeHost);
    SAME(copy_to_device, cuMemcpyHtoDAsync);
    SAME(copy_to_host, cuMemcpyDtoHAsync);
    SAME(copy_on_device, cuMemcpyDtoDAsync);
    SAME(fill, cuMemsetD8Async);
    SAME(pointer_attributes, cuPointerGetAttributes);
    SAME(stream_create, cuStreamCreate);
    SAME(stream_destroy, cuStreamDestroy);
    SAME(stream_synchronise, cuStreamSynchronize);
    SAME(stream_query, cuStreamQuery);
    SAME(stream_wait, cuStreamWaitEvent);
    SAME(capture_begin, cuStreamBeginCapture);
    SAME(capture_end, cuStreamEndCapture);
    SAME(event_create, cuEventCreate);
    SAME(event_destroy, cuEventDestroy);
    SAME(event_record, cuEventRecord);
    SAME(event_record_flags, cuEventRecordWithFlags);
    SAME(event_query, cuEventQuery);
    SAME(event_synchronise, cuEventSynchronize);
    // CUDA 13 renamed it for new programs; the old name is there in all versions.
    static_assert(
        same_function<decltype(driver_api::event_elapsed), decltype(&cuEventElapsedTime)>::value);
    names.check(a, a.event_elapsed, "cuEventElapsedTime");
    SAME(graph_instantiate, cuGraphInstantiateWithFlags);
    SAME(graph_launch, cuGraphLaunch);
    SAME(graph_upload, cuGraphUpload);
    SAME(graph_exec_destroy, cuGraphExecDestroy);
    SAME(graph_destroy, cuGraphDestroy);
    SAME(module_load, cuModuleLoadDataEx);
    SAME(module_unload, cuModuleUnload);
    SAME(module_function, cuModuleGetFunction);
    SAME(function_attribute, cuFuncSetAttribute);
    SAME(launch, cuLaunchKernel);
    SAME(error_name, cuGetErrorName);
    SAME(error_text, cuGetErrorString);
    EXPECT_TRUE(names.left.empty()) << names.left.begin()->second;
}

static_assert(driver_success == CUDA_SUCCESS and driver_invalid_value == CUDA_ERROR_INVALID_VALUE);
static_assert(driver_out_of_memory == CUDA_ERROR_OUT_OF_MEMORY);
static_assert(driver_not_initialised == CUDA_ERROR_NOT_INITIALIZED);
static_assert(driver_deinitialised == CUDA_ERROR_DEINITIALIZED);
static_assert(driver_no_device == CUDA_ERROR_NO_DEVICE);
static_assert(driver_invalid_device == CUDA_ERROR_INVALID_DEVICE);
static_assert(driver_no_code_for_device == CUDA_ERROR_NO_BINARY_FOR_GPU);
static_assert(driver_invalid_code == CUDA_ERROR_INVALID_PTX);
static_assert(driver_newer_code == CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
static_assert(driver_not_found == CUDA_ERROR_NOT_FOUND);
static_assert(driver_not_ready == CUDA_ERROR_NOT_READY);
static_assert(driver_illegal_address == CUDA_ERROR_ILLEGAL_ADDRESS);
static_assert(driver_out_of_resources == CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
static_assert(driver_launch_failure == CUDA_ERROR_LAUNCH_FAILED);
static_assert(driver_capture_unsupported == CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
static_assert(driver_capture_invalidated == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
static_assert(stream_non_blocking == CU_STREAM_NON_BLOCKING);
static_assert(event_without_timing == CU_EVENT_DISABLE_TIMING);
static_assert(host_memory_portable == CU_MEMHOSTALLOC_PORTABLE);
static_assert(capture_relaxed == CU_STREAM_CAPTURE_MODE_RELAXED);
static_assert(pointer_memory_type == CU_POINTER_ATTRIBUTE_MEMORY_TYPE);
static_assert(pointer_device_ordinal == CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL);
static_assert(driver_api{}.device_memory_type == CU_MEMORYTYPE_DEVICE);
static_assert(function_dynamic_shared == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
static_assert(jit_error_log == CU_JIT_ERROR_LOG_BUFFER);
static_assert(jit_error_log_bytes == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
static_assert(cuda_attributes.multiprocessors == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
static_assert(cuda_attributes.warp_size == CU_DEVICE_ATTRIBUTE_WARP_SIZE);
static_assert(cuda_attributes.l2 == CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
static_assert(cuda_attributes.shared == CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
static_assert(cuda_attributes.major == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
static_assert(cuda_attributes.minor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
#endif

#ifdef HAS_HIP
TEST(gpu_abi, hip_functions) {
    const driver_api a;
    checked_names names{names_of(platform::hip)};
    SAME(init, hipInit);
    SAME(driver_version, hipDriverGetVersion);
    SAME(device_count, hipGetDeviceCount);
    SAME(device_get, hipDeviceGet);
    SAME(device_name, hipDeviceGetName);
    SAME(device_memory, hipDeviceTotalMem);
    SAME(device_attribute, hipDeviceGetAttribute);
    SAME(current_get, hipGetDevice);
    SAME(current_set, hipSetDevice);
    SAME(synchronise, hipDeviceSynchronize);
    SAME(memory_info, hipMemGetInfo);
    // Templates of C++ have these names too.
    using allocate_type = hipError_t (*)(void**, std::size_t);
    static_assert(same_function<decltype(driver_api::allocate), allocate_type>::value);
    static_assert(sizeof(static_cast<allocate_type>(&hipMalloc)) > 0);
    names.check(a, a.allocate, "hipMalloc");
    using allocate_host_type = hipError_t (*)(void**, std::size_t, unsigned);
    static_assert(same_function<decltype(driver_api::allocate_host), allocate_host_type>::value);
    static_assert(sizeof(static_cast<allocate_host_type>(&hipHostMalloc)) > 0);
    names.check(a, a.allocate_host, "hipHostMalloc");
    SAME(release, hipFree);
    SAME(release_host, hipHostFree);
    SAME(copy_to_device, hipMemcpyHtoDAsync);
    SAME(copy_to_host, hipMemcpyDtoHAsync);
    SAME(copy_on_device, hipMemcpyDtoDAsync);
    SAME(fill, hipMemsetD8Async);
    SAME(pointer_attributes, hipDrvPointerGetAttributes);
    SAME(stream_create, hipStreamCreateWithFlags);
    SAME(stream_destroy, hipStreamDestroy);
    SAME(stream_synchronise, hipStreamSynchronize);
    SAME(stream_query, hipStreamQuery);
    SAME(stream_wait, hipStreamWaitEvent);
    SAME(capture_begin, hipStreamBeginCapture);
    SAME(capture_end, hipStreamEndCapture);
    SAME(event_create, hipEventCreateWithFlags);
    SAME(event_destroy, hipEventDestroy);
    SAME(event_record, hipEventRecord);
    SAME(event_query, hipEventQuery);
    SAME(event_synchronise, hipEventSynchronize);
    SAME(event_elapsed, hipEventElapsedTime);
    SAME(graph_instantiate, hipGraphInstantiateWithFlags);
    SAME(graph_launch, hipGraphLaunch);
    // These came with later releases (the first with ROCm 5.3) and are optional.
    names.check(a, a.graph_upload, "hipGraphUpload");
    names.check(a, a.event_record_flags, "hipEventRecordWithFlags");
    SAME(graph_exec_destroy, hipGraphExecDestroy);
    SAME(graph_destroy, hipGraphDestroy);
    SAME(module_load, hipModuleLoadDataEx);
    SAME(module_unload, hipModuleUnload);
    SAME(module_function, hipModuleGetFunction);
    SAME(launch, hipModuleLaunchKernel);
    SAME(error_name_of, hipGetErrorName);
    SAME(error_text_of, hipGetErrorString);
    static_assert(same_function<decltype(driver_api::properties),
                                hipError_t (*)(hipDeviceProp_t*, int)>::value);
    names.check(a, a.properties, "hipGetDeviceProperties");
    EXPECT_TRUE(names.left.empty()) << names.left.begin()->second;
}

static_assert(driver_success == hipSuccess and driver_invalid_value == hipErrorInvalidValue);
static_assert(driver_out_of_memory == hipErrorOutOfMemory);
static_assert(driver_not_initialised == hipErrorNotInitialized);
static_assert(driver_deinitialised == hipErrorDeinitialized);
static_assert(driver_insufficient == hipErrorInsufficientDriver);
static_assert(driver_no_device == hipErrorNoDevice);
static_assert(driver_invalid_device == hipErrorInvalidDevice);
static_assert(driver_no_code_for_device == hipErrorNoBinaryForGpu);
static_assert(driver_not_found == hipErrorNotFound and driver_not_ready == hipErrorNotReady);
static_assert(driver_illegal_address == hipErrorIllegalAddress);
static_assert(driver_out_of_resources == hipErrorLaunchOutOfResources);
static_assert(driver_launch_failure == hipErrorLaunchFailure);
static_assert(driver_capture_unsupported == hipErrorStreamCaptureUnsupported);
static_assert(driver_capture_invalidated == hipErrorStreamCaptureInvalidated);
static_assert(stream_non_blocking == hipStreamNonBlocking);
static_assert(event_without_timing == hipEventDisableTiming);
static_assert(host_memory_portable == hipHostMallocPortable);
static_assert(capture_relaxed == hipStreamCaptureModeRelaxed);
static_assert(pointer_memory_type == HIP_POINTER_ATTRIBUTE_MEMORY_TYPE);
static_assert(pointer_device_ordinal == HIP_POINTER_ATTRIBUTE_DEVICE_ORDINAL);
static_assert(hip_attributes.multiprocessors == hipDeviceAttributeMultiprocessorCount);
static_assert(hip_attributes.warp_size == hipDeviceAttributeWarpSize);
static_assert(hip_attributes.l2 == hipDeviceAttributeL2CacheSize);
static_assert(hip_attributes.shared == hipDeviceAttributeMaxSharedMemoryPerBlock);
static_assert(hip_attributes.major == hipDeviceAttributeComputeCapabilityMajor);
static_assert(hip_attributes.minor == hipDeviceAttributeComputeCapabilityMinor);
#endif

// Both platforms name each function at most once, and at least one of them does.
TEST(gpu_abi, every_function_has_a_name) {
    driver_api a;
    named seen;
    visit_functions(a, [&](auto& f, const char* cuda, const char* hip, bool) {
        EXPECT_EQ(f, nullptr);
        EXPECT_TRUE(cuda != nullptr or hip != nullptr);
        for (const char* name : {cuda, hip})
            if (name != nullptr) {
                EXPECT_TRUE(seen.emplace(name, name).second) << name;
            }
    });
    EXPECT_GE(seen.size(), 85U);
}

} // namespace
