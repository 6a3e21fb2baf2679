// SPDX-License-Identifier: MIT
#include "runtime/device_access.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/gpu/hip.hpp>
#include <migraphx/register_target.hpp>

#include "base/str.hpp"

#include <atomic>

namespace migraphx {

namespace {

std::atomic<device_access*> offered = nullptr;

} // namespace

void offer_device_access(device_access* a) {
    offered = a;
}

device_access* loaded_gpu_access() {
    return offered;
}

device_access& gpu_access() {
    if (offered == nullptr)
        make_target("null"); // in the same library, and there with any hardware
    if (offered == nullptr)
        fail(error_kind::internal, "gpu: access to devices was expected in the target's library");
    return *offered;
}

bool is_on_device(const argument& a) {
    auto* access = loaded_gpu_access();
    return access != nullptr and a.data() != nullptr and access->device_of(a.data()).has_value();
}

namespace gpu {

namespace {

void check_same(const argument& from, const argument& to) {
    if (from.get_shape() != to.get_shape())
        fail(error_kind::invalid_argument, str("gpu_copy: memory of the shape ", from.get_shape(),
                                               " was expected, got ", to.get_shape()));
}

} // namespace

argument allocate_gpu(const shape& s, bool host) {
    return gpu_access().allocate(s, host);
}
argument register_on_gpu(const argument& arg) {
    return gpu_access().to_device(arg, true);
}
argument to_gpu(const argument& arg, bool host) {
    return gpu_access().to_device(arg, host);
}
argument from_gpu(const argument& arg) {
    return gpu_access().to_host(arg);
}
void set_device(std::size_t id) {
    gpu_access().set_device(id);
}
void gpu_sync() {
    gpu_access().synchronize();
}
void gpu_sync(const context& ctx) {
    ctx.finish();
}
void gpu_copy(context& ctx, const argument& src, const argument& dst) {
    check_same(src, dst);
    gpu_access().copy(ctx, src, dst);
}
void copy_to_gpu(context& ctx, const argument& src, const argument& dst) {
    gpu_copy(ctx, src, dst);
}
void copy_from_gpu(context& ctx, const argument& src, const argument& dst) {
    gpu_copy(ctx, src, dst);
}
void gpu_fill(context& ctx, const argument& dst, int value) {
    gpu_access().fill(ctx, dst, value);
}

} // namespace gpu

} // namespace migraphx
