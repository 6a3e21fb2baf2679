// SPDX-License-Identifier: MIT
// The functions of <migraphx/gpu/hip.hpp>, as libmigraphx asks for them.
#include "runtime/device_access.hpp"

#include "targets/gpu/plan/device_arguments.hpp"
#include "targets/gpu/plan/device_context.hpp"
#include "targets/gpu/plan/opened_devices.hpp"

#include <cstring>

namespace migraphx::gpu {

namespace {

constexpr int dlpack_host = 1, dlpack_cuda = 2, dlpack_rocm = 10;

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
        for (const auto& d : opened_devices())
            if (d->owns(a.data()))
                return gpu::to_host(d, a);
        return gpu::to_host(use_device(0), a);
    }
    void copy(context& ctx, const argument& from, const argument& to) override {
        const queued_on q(ctx);
        const bool from_device = q.on->owns(from.data()), to_device = q.on->owns(to.data());
        const auto bytes = from.get_shape().bytes();
        if (from_device or to_device)
            q.on->copy(to.data(), from.data(), bytes,
                       not from_device ? copy_kind::to_device
                       : to_device     ? copy_kind::on_device
                                       : copy_kind::to_host,
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
        for (const auto& d : opened_devices())
            if (d->owns(p)) {
                const auto& facts = d->properties();
                const int kind = facts.kind == platform::cuda  ? dlpack_cuda
                                 : facts.kind == platform::hip ? dlpack_rocm
                                                               : dlpack_host;
                if (kind == dlpack_host)
                    return {};
                return place{kind, facts.id};
            }
        return {};
    }
};

const bool offered = [] {
    offer_device_access(new access);
    return true;
}();

} // namespace

} // namespace migraphx::gpu
