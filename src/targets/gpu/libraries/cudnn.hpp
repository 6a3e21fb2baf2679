// SPDX-License-Identifier: MIT
// cuDNN 9 by its backend interface (graphs of operations), opened at run time: what is used of it
// is declared here, so that no toolkit is needed to build. Numbers as in cudnn_graph_v9.h; a test
// compares them where that is found.
#pragma once

#include "targets/gpu/device/device.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace migraphx::gpu::cudnn {

using handle = struct opaque_handle*;

enum class data_type : int {
    f32 = 0,
    f64 = 1,
    f16 = 2,
    i8 = 3,
    i32 = 4,
    u8 = 6,
    bf16 = 9,
    i64 = 10,
    boolean = 11,
    e4m3 = 12,
    e5m2 = 13
};

enum class kind : int {
    pointwise = 0,
    convolution = 1,
    engine = 2,
    engine_config = 3,
    heuristics = 4,
    plan = 5,
    convolution_forward = 10,
    convolution_backward_data = 12,
    pointwise_operation = 13,
    operation_graph = 15,
    variant_pack = 16,
    tensor = 17,
    device_properties = 38,
    attention_forward = 41
};

enum class attribute : int {
    pointwise_mode = 0,
    pointwise_precision = 1,
    pointwise_relu_lower = 3,
    pointwise_relu_upper = 4,
    pointwise_relu_slope = 5,
    pointwise_elu_alpha = 6,
    pointwise_swish_beta = 8,
    convolution_type = 100,
    convolution_mode = 101,
    convolution_dilations = 102,
    convolution_strides = 103,
    convolution_after = 104,
    convolution_before = 105,
    convolution_dims = 106,
    heuristics_mode = 200,
    heuristics_graph = 201,
    heuristics_results = 202,
    heuristics_device = 204,
    config_engine = 300,
    plan_handle = 400,
    plan_config = 401,
    plan_workspace = 402,
    plan_json = 405,
    plan_device = 407,
    forward_alpha = 700,
    forward_beta = 701,
    forward_convolution = 702,
    forward_w = 703,
    forward_x = 704,
    forward_y = 705,
    backward_alpha = 706,
    backward_beta = 707,
    backward_convolution = 708,
    backward_w = 709,
    backward_dx = 710,
    backward_dy = 711,
    operation_pointwise = 750,
    operation_x = 751,
    operation_b = 752,
    operation_y = 753,
    graph_handle = 800,
    graph_operations = 801,
    tensor_alignment = 900,
    tensor_type = 901,
    tensor_dims = 902,
    tensor_strides = 903,
    tensor_id = 906,
    tensor_virtual = 907,
    tensor_by_value = 908,
    pack_ids = 1000,
    pack_pointers = 1001,
    pack_workspace = 1003,
    engine_index = 1301,
    engine_numerical_notes = 1303,
    device_json = 2702,
    attention_q = 2800,
    attention_k = 2801,
    attention_v = 2802,
    attention_y = 2803,
    attention_scale = 2805
};

enum class type : int {
    handle = 0,
    data_type = 1,
    boolean = 2,
    int64 = 3,
    f32 = 4,
    f64 = 5,
    pointer = 6,
    convolution_mode = 7,
    heuristics_mode = 8,
    numerical_note = 11,
    pointwise_mode = 14,
    descriptor = 15,
    character = 24
};

enum class pointwise : int {
    add = 0,
    mul = 1,
    min = 2,
    max = 3,
    sqrt = 4,
    div = 6,
    sub = 9,
    abs = 10,
    exp = 13,
    identity = 21,
    relu = 100,
    tanh = 101,
    sigmoid = 102,
    elu = 103,
    gelu = 104,
    swish = 106,
    gelu_tanh = 107
};

enum class note : int {
    tensor_core = 0,
    down_convert = 1,
    reduced_precision = 2,
    nondeterministic = 4
};
constexpr int notes = 10;

enum class search : int { instant = 0, b = 1, fallback = 2, a = 3 };

/// The library's functions, without their prefix `cudnn`.
struct functions {
    std::size_t (*get_version)() = nullptr;
    int (*create)(handle*) = nullptr;
    int (*destroy)(handle) = nullptr;
    int (*set_stream)(handle, void*) = nullptr;
    const char* (*get_error_string)(int) = nullptr;
    void (*get_last_error_string)(char*, std::size_t) = nullptr;
    int (*create_descriptor)(int, void**) = nullptr;
    int (*destroy_descriptor)(void*) = nullptr;
    int (*finalize)(void*) = nullptr;
    int (*set_attribute)(void*, int, int, int64_t, const void*) = nullptr;
    int (*get_attribute)(void*, int, int, int64_t, int64_t*, void*) = nullptr;
    int (*execute)(handle, void*, void*) = nullptr;
};

/// Null, with the reason, where the library cannot be opened or is older than 9.
const functions* find(std::string& reason);

/// What the library says about something it does not do. Building of graphs catches it.
struct refused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Throws `refused` with the library's words unless `status` is success.
void check(const functions& f, int status, const char* what);

/// A descriptor of the backend interface. Attributes are set, then it is finalized.
class descriptor {
public:
    descriptor(const functions& functions_, kind k);
    descriptor(descriptor&& other) noexcept;
    descriptor& operator=(descriptor&& other) noexcept;
    ~descriptor();

    void* get() const { return raw; }
    void set(attribute a, type t, int64_t count, const void* values);
    template <class E>
    void set_enum(attribute a, type t, E value) {
        set(a, t, 1, &value);
    }
    void set(attribute a, int64_t v) { set(a, type::int64, 1, &v); }
    void set(attribute a, const std::vector<int64_t>& v) {
        set(a, type::int64, int64_t(v.size()), v.data());
    }
    void set(attribute a, bool v) { set(a, type::boolean, 1, &v); }
    void set(attribute a, float v) { set(a, type::f32, 1, &v); }
    void set(attribute a, double v) { set(a, type::f64, 1, &v); }
    void set(attribute a, const descriptor& v) { set(a, type::descriptor, 1, &v.raw); }
    void set(attribute a, handle v) { set(a, type::handle, 1, &v); }
    void finalize();

    int64_t get_int64(attribute a) const;
    /// How many values it has.
    int64_t count(attribute a, type t) const;
    /// At most `room` values; how many they are.
    int64_t get(attribute a, type t, int64_t room, void* values) const;

private:
    const functions* f;
    void* raw = nullptr;
};

/// A handle of the library for this thread and device until the object ends; they are pooled.
class borrowed_handle {
public:
    borrowed_handle(const functions& functions_, device& on);
    borrowed_handle(const borrowed_handle&) = delete;
    borrowed_handle& operator=(const borrowed_handle&) = delete;
    ~borrowed_handle();
    handle get() const { return h; }

private:
    const functions& f;
    int device_id;
    handle h = nullptr;
};

/// A tensor as the library sees it. `virtual_`: between operations, never in memory.
struct tensor_form {
    int64_t id = 0;
    data_type type = data_type::f32;
    std::vector<int64_t> lens, strides;
    int64_t alignment = 16; ///< bytes
    bool virtual_ = false;
    bool by_value = false; ///< its pointer is to one number on the host
};
descriptor make_tensor(const functions& f, const tensor_form& t);

/// An execution plan and what running it takes.
struct built_plan {
    descriptor plan;
    std::size_t workspace = 0; ///< bytes
    int64_t engine = 0;
};

/// What plans are made for: a handle, or a device that need not be here.
struct plan_target {
    handle h = nullptr;
    const descriptor* device = nullptr;
};
/// A device from the library's own description of it (JSON).
descriptor make_device(const functions& f, const std::string& json);

struct plan_wishes {
    std::size_t most = 1; ///< plans
    std::vector<note> without = {
        note::nondeterministic}; ///< engines with any of these are left out
    std::size_t workspace = std::size_t{256} << 20;
};

/// Plans for the graph of these (finalized) operations, those first that the library thinks
/// fastest. Empty, with the reason, when there is none. `operations` stay alive as long as the
/// plans.
std::vector<built_plan> make_plans(const functions& f, const plan_target& target,
                                   const std::vector<descriptor>& operations,
                                   const plan_wishes& wishes, std::string& reason);

/// The plan as text, with the code that was compiled for it, for the same version of the library
/// and an equal device; and back. Both throw `refused`.
std::string to_text(const built_plan& p);
built_plan plan_of_text(const functions& f, const plan_target& target, const std::string& text);

/// Puts the plan's work on the stream; throws an internal error when the library fails.
void execute(const functions& f, device& on, const built_plan& p, const std::vector<int64_t>& ids,
             const std::vector<void*>& pointers, void* workspace, stream s);

} // namespace migraphx::gpu::cudnn
