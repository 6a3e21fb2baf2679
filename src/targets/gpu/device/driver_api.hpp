// SPDX-License-Identifier: MIT
// What is used of a GPU's driver, as our own declarations: CUDA's driver API and HIP, one table for
// both. Their functions take the same arguments in the same order; handles are pointers, results
// and enumerations are ints, and an address of device memory (CUdeviceptr, an integer, or
// hipDeviceptr_t, a pointer) is passed alike, so `void*` stands for each of these.
// Facts are from the CUDA driver API reference and HIP's API reference; tests/unit/gpu_abi.cpp
// holds them against the vendors' headers where those are installed.
#pragma once

#include "targets/gpu/device/device.hpp"

#include <cstddef>
#include <string>

namespace migraphx::gpu {

class opened_library;

// Results that both number alike; 0 is success.
constexpr int driver_success = 0;
constexpr int driver_invalid_value = 1;
constexpr int driver_out_of_memory = 2;
constexpr int driver_not_initialised = 3;
constexpr int driver_deinitialised = 4;
constexpr int driver_insufficient = 35;
constexpr int driver_no_device = 100;
constexpr int driver_invalid_device = 101;
constexpr int driver_no_code_for_device = 209;
constexpr int driver_invalid_code = 218;
constexpr int driver_newer_code = 222;
constexpr int driver_not_found = 500;
constexpr int driver_not_ready = 600;
constexpr int driver_illegal_address = 700;
constexpr int driver_out_of_resources = 701;
constexpr int driver_launch_failure = 719;
constexpr int driver_capture_unsupported = 900;
constexpr int driver_capture_invalidated = 901;

// Flags and attributes that both number alike.
constexpr unsigned stream_non_blocking = 1;
constexpr unsigned event_without_timing = 2;
constexpr unsigned event_record_external = 1; ///< a node of the graph, seen from outside
constexpr unsigned host_memory_portable = 1;
constexpr int capture_relaxed = 2;
constexpr int pointer_memory_type = 2;
constexpr int pointer_device_ordinal = 9;
constexpr int function_dynamic_shared = 8;
constexpr int jit_error_log = 5;
constexpr int jit_error_log_bytes = 6;

struct device_attributes {
    int multiprocessors, warp_size, l2, shared, major, minor;
};
constexpr device_attributes cuda_attributes{16, 10, 38, 97, 75, 76};
constexpr device_attributes hip_attributes{63, 87, 19, 74, 23, 61};

struct driver_api {
    platform kind = platform::cuda;
    device_attributes attributes = cuda_attributes;
    int device_memory_type = 2; ///< what pointer_memory_type is for memory of a device

    int (*init)(unsigned flags) = nullptr;
    int (*driver_version)(int* version) = nullptr;
    int (*device_count)(int* count) = nullptr;
    int (*device_get)(int* device, int ordinal) = nullptr;
    int (*device_name)(char* name, int bytes, int device) = nullptr;
    int (*device_memory)(std::size_t* bytes, int device) = nullptr;
    int (*device_attribute)(int* value, int attribute, int device) = nullptr;

    // A thread's current device: CUDA's is a context, HIP's a number. Null on the other.
    int (*context_retain)(void** context, int device) = nullptr;
    int (*context_get)(void** context) = nullptr;
    int (*context_set)(void* context) = nullptr;
    int (*current_get)(int* device) = nullptr;
    int (*current_set)(int device) = nullptr;
    int (*synchronise)() = nullptr;

    int (*memory_info)(std::size_t* free, std::size_t* total) = nullptr;
    int (*allocate)(void** p, std::size_t bytes) = nullptr;
    int (*release)(void* p) = nullptr;
    int (*allocate_host)(void** p, std::size_t bytes, unsigned flags) = nullptr;
    int (*release_host)(void* p) = nullptr;
    int (*copy_to_device)(void* to, const void* from, std::size_t bytes, void* stream) = nullptr;
    int (*copy_to_host)(void* to, void* from, std::size_t bytes, void* stream) = nullptr;
    int (*copy_on_device)(void* to, void* from, std::size_t bytes, void* stream) = nullptr;
    int (*fill)(void* to, unsigned char byte, std::size_t bytes, void* stream) = nullptr;
    // Values of memory that is not the driver's stay as they are or become 0: no error.
    int (*pointer_attributes)(unsigned count, int* attributes, void** values, void* p) = nullptr;

    int (*stream_create)(void** stream, unsigned flags) = nullptr;
    int (*stream_destroy)(void* stream) = nullptr;
    int (*stream_synchronise)(void* stream) = nullptr;
    int (*stream_query)(void* stream) = nullptr;
    int (*stream_wait)(void* stream, void* event, unsigned flags) = nullptr;
    int (*capture_begin)(void* stream, int mode) = nullptr;
    int (*capture_end)(void* stream, void** graph) = nullptr;

    int (*event_create)(void** event, unsigned flags) = nullptr;
    int (*event_destroy)(void* event) = nullptr;
    int (*event_record)(void* event, void* stream) = nullptr;
    int (*event_record_flags)(void* event, void* stream, unsigned flags) = nullptr; ///< optional
    int (*event_query)(void* event) = nullptr;
    int (*event_synchronise)(void* event) = nullptr;
    int (*event_elapsed)(float* ms, void* start, void* end) = nullptr;

    int (*graph_instantiate)(void** exec, void* graph, unsigned long long flags) = nullptr;
    int (*graph_launch)(void* exec, void* stream) = nullptr;
    int (*graph_upload)(void* exec, void* stream) = nullptr; ///< may be null
    int (*graph_exec_destroy)(void* exec) = nullptr;
    int (*graph_destroy)(void* graph) = nullptr;

    int (*module_load)(void** module, const void* image, unsigned options, int* keys,
                       void** values) = nullptr;
    int (*module_unload)(void* module) = nullptr;
    int (*module_function)(void** function, void* module, const char* name) = nullptr;
    int (*function_attribute)(void* function, int attribute, int value) = nullptr; ///< CUDA only
    int (*launch)(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                  unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared,
                  void* stream, void** args, void** extra) = nullptr;

    // CUDA gives texts through a pointer, HIP as the result. Null on the other.
    int (*error_name)(int result, const char** text) = nullptr;
    int (*error_text)(int result, const char** text) = nullptr;
    const char* (*error_name_of)(int result) = nullptr;
    const char* (*error_text_of)(int result) = nullptr;
    int (*properties)(void* all, int device) = nullptr; ///< HIP: hipDeviceProp_t, for its name
};

/// v(function, name in CUDA, name in HIP, whether it is needed) for each; a null name: not there.
template <class Visit>
void visit_functions(driver_api& a, Visit&& v) {
    v(a.init, "cuInit", "hipInit", true);
    v(a.driver_version, "cuDriverGetVersion", "hipDriverGetVersion", true);
    v(a.device_count, "cuDeviceGetCount", "hipGetDeviceCount", true);
    v(a.device_get, "cuDeviceGet", "hipDeviceGet", true);
    v(a.device_name, "cuDeviceGetName", "hipDeviceGetName", true);
    v(a.device_memory, "cuDeviceTotalMem_v2", "hipDeviceTotalMem", true);
    v(a.device_attribute, "cuDeviceGetAttribute", "hipDeviceGetAttribute", true);
    v(a.context_retain, "cuDevicePrimaryCtxRetain", nullptr, true);
    v(a.context_get, "cuCtxGetCurrent", nullptr, true);
    v(a.context_set, "cuCtxSetCurrent", nullptr, true);
    v(a.current_get, nullptr, "hipGetDevice", true);
    v(a.current_set, nullptr, "hipSetDevice", true);
    v(a.synchronise, "cuCtxSynchronize", "hipDeviceSynchronize", true);
    v(a.memory_info, "cuMemGetInfo_v2", "hipMemGetInfo", true);
    v(a.allocate, "cuMemAlloc_v2", "hipMalloc", true);
    v(a.release, "cuMemFree_v2", "hipFree", true);
    v(a.allocate_host, "cuMemHostAlloc", "hipHostMalloc", true);
    v(a.release_host, "cuMemFreeHost", "hipHostFree", true);
    v(a.copy_to_device, "cuMemcpyHtoDAsync_v2", "hipMemcpyHtoDAsync", true);
    v(a.copy_to_host, "cuMemcpyDtoHAsync_v2", "hipMemcpyDtoHAsync", true);
    v(a.copy_on_device, "cuMemcpyDtoDAsync_v2", "hipMemcpyDtoDAsync", true);
    v(a.fill, "cuMemsetD8Async", "hipMemsetD8Async", true);
    v(a.pointer_attributes, "cuPointerGetAttributes", "hipDrvPointerGetAttributes", true);
    v(a.stream_create, "cuStreamCreate", "hipStreamCreateWithFlags", true);
    v(a.stream_destroy, "cuStreamDestroy_v2", "hipStreamDestroy", true);
    v(a.stream_synchronise, "cuStreamSynchronize", "hipStreamSynchronize", true);
    v(a.stream_query, "cuStreamQuery", "hipStreamQuery", true);
    v(a.stream_wait, "cuStreamWaitEvent", "hipStreamWaitEvent", true);
    v(a.capture_begin, "cuStreamBeginCapture_v2", "hipStreamBeginCapture", true);
    v(a.capture_end, "cuStreamEndCapture", "hipStreamEndCapture", true);
    v(a.event_create, "cuEventCreate", "hipEventCreateWithFlags", true);
    v(a.event_destroy, "cuEventDestroy_v2", "hipEventDestroy", true);
    v(a.event_record, "cuEventRecord", "hipEventRecord", true);
    v(a.event_record_flags, "cuEventRecordWithFlags", "hipEventRecordWithFlags", false);
    v(a.event_query, "cuEventQuery", "hipEventQuery", true);
    v(a.event_synchronise, "cuEventSynchronize", "hipEventSynchronize", true);
    v(a.event_elapsed, "cuEventElapsedTime", "hipEventElapsedTime", true);
    v(a.graph_instantiate, "cuGraphInstantiateWithFlags", "hipGraphInstantiateWithFlags", true);
    v(a.graph_launch, "cuGraphLaunch", "hipGraphLaunch", true);
    v(a.graph_upload, "cuGraphUpload", "hipGraphUpload", false);
    v(a.graph_exec_destroy, "cuGraphExecDestroy", "hipGraphExecDestroy", true);
    v(a.graph_destroy, "cuGraphDestroy", "hipGraphDestroy", true);
    v(a.module_load, "cuModuleLoadDataEx", "hipModuleLoadDataEx", true);
    v(a.module_unload, "cuModuleUnload", "hipModuleUnload", true);
    v(a.module_function, "cuModuleGetFunction", "hipModuleGetFunction", true);
    v(a.function_attribute, "cuFuncSetAttribute", nullptr, true);
    v(a.launch, "cuLaunchKernel", "hipModuleLaunchKernel", true);
    v(a.error_name, "cuGetErrorName", nullptr, true);
    v(a.error_text, "cuGetErrorString", nullptr, true);
    v(a.error_name_of, nullptr, "hipGetErrorName", true);
    v(a.error_text_of, nullptr, "hipGetErrorString", true);
    v(a.properties, nullptr, "hipGetDeviceProperties", true);
}

/// The functions of an opened libcuda or libamdhip64. Throws when one that is needed is missing.
driver_api load_driver(platform kind, const opened_library& lib);

/// Where a driver stands: `api` is null when it cannot be used, and `problem` says why, as the end
/// of a sentence.
struct driver_state {
    const driver_api* api = nullptr;
    int devices = 0;
    std::string problem;
};
/// Opened and initialised at the first call.
const driver_state& cuda_driver();
const driver_state& hip_driver();

/// "CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected"
std::string error_text(const driver_api& api, int result);
/// What would help; empty when nothing in particular does.
std::string remedy(const driver_api& api, int result);

/// The device `id` of an initialised driver. It must outlive all that was made by it.
std::shared_ptr<device> make_driver_device(const driver_api& api, int id);

/// "gfx90a" of HIP's device; empty when it cannot be told.
std::string hip_architecture(const driver_api& api, int device);

} // namespace migraphx::gpu
