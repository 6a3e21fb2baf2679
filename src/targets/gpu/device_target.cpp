// SPDX-License-Identifier: MIT
#include "targets/gpu/device_target.hpp"

#include "targets/gpu/backend.hpp"
#include "targets/gpu/plan/device_arguments.hpp"

#include <map>
#include <mutex>
#include <utility>

namespace migraphx::gpu {

namespace {

// One backend for each device, made once.
std::shared_ptr<const backend> backend_of(const std::shared_ptr<device>& on) {
    static auto* mutex = new std::mutex;
    static auto* made = new std::map<std::shared_ptr<device>, std::shared_ptr<const backend>>;
    const std::lock_guard lock(*mutex);
    auto& b = (*made)[on];
    if (b == nullptr)
        b = make_backend(on);
    return b;
}

} // namespace

device_target::device_target(std::string target_name, device_context::opener o)
    : own_name(std::move(target_name)), open(o) {}

std::vector<pass> device_target::get_passes(context& ctx, const compile_options& options) const {
    if (auto* c = ctx.any_cast<device_context>())
        c->choose(options.device_id);
    return passes_for_all_sizes(backend_of(open(options.device_id)), options);
}

argument device_target::copy_to(const argument& a) const {
    return to_device(open(0), a);
}
argument device_target::copy_from(const argument& a) const {
    return to_host(open(0), a);
}
argument device_target::allocate(const shape& s) const {
    return allocate_on(open(0), s);
}

std::shared_ptr<executable> device_target::make_executable(const program& p,
                                                           const compile_options& options) const {
    return make_planned_executable(p, backend_of(open(options.device_id)), options);
}

} // namespace migraphx::gpu
