// SPDX-License-Identifier: MIT
// The functions of <migraphx/gpu/hip.hpp>, as libmigraphx asks for them.
#include "runtime/device_access.hpp"

#include "targets/gpu/plan/device_arguments.hpp"
#include "targets/gpu/plan/device_context.hpp"
#include "targets/gpu/plan/opened_devices.hpp"

#include <cstring>

namespace migraphx::gpu {

namespace {

constexpr int dlpack_cuda = 2, dlpack_rocm = 10;

// The device and the queue of a context; of another target's: the current device, and waits.
struct queued_on {
    explicit queued_on(context& ctx) {
        if (auto* c = ctx.any_cast<device_context>()) {
            on = c->on();
            queue = c->get_queue().unsafe_get();
        } else {
            on = use_device(0);
            own = on->make_stream();
            queue = own.get();
        }
    }
    ~queued_on() {
        if (own != nullptr)
            on->synchronize(queue);
    }
    std::shared_ptr<device> on;
    std::shared_ptr<void> own;
    stream queue = nullptr;
};

struct access : device_access {
    argument allocate(const shape& s, bool pinned) override {
        return allocate_on(use_device(0), s, pinned);
    }
    argument to_device(const argument& a, bool pinned) override {
        return gpu::to_device(use_device(0), a, pinned);
    }
    argument to_host(const argument& a) override {
        const auto holder = device_holding(a.data());
        return gpu::to_host(holder != nullptr ? holder : use_device(0), a);
    }
    void copy(context& ctx, const argument& from, const argument& to) override {
        const queued_on q(ctx);
        const auto bytes = from.get_shape().bytes();
        const auto source = q.on->device_of(from.data()), sink = q.on->device_of(to.data());
        const int here = q.on->properties().id;
        if (source or sink)
            q.on->copy(to.data(), from.data(), bytes,
                       not source                        ? copy_kind::to_device
                       : not sink                        ? copy_kind::to_host
                       : source == here and sink == here ? copy_kind::on_device
                                                         : copy_kind::between_devices,
                       q.queue);
        else
            std::memcpy(to.data(), from.data(), bytes);
    }
    void fill(context& ctx, const argument& to, int byte) override {
        const queued_on q(ctx);
        q.on->fill(to.data(), byte, to.get_shape().bytes(), q.queue);
    }
    void synchronize() override { use_device(0)->synchronize(nullptr); }
    void use(std::size_t id) override { use_numbered_device(id); }
    void set_device(std::size_t id) override { set_current_device(id); }
    std::optional<place> device_of(const void* p) override {
        const auto d = device_holding(p);
        if (d == nullptr or d->properties().kind == platform::host)
            return {};
        const auto& facts = d->properties();
        return place{facts.kind == platform::cuda ? dlpack_cuda : dlpack_rocm, facts.id};
    }
};

const bool offered = [] {
    offer_device_access(new access);
    return true;
}();

} // namespace

} // namespace migraphx::gpu
