// SPDX-License-Identifier: MIT
#include "targets/gpu/weights.hpp"

#include "base/str.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace migraphx::gpu {

namespace {

// Host memory is uploaded through pinned pieces of this size, two of them in turn.
constexpr std::size_t piece = std::size_t{4} << 20;
constexpr std::size_t copied_at_once = std::size_t{256} << 10;

std::string name_of(const device& on) {
    const auto& facts = on.properties();
    return str("device ", int(facts.kind), '.', facts.id, ' ');
}

packed_weight allocate(device& on, std::size_t bytes) {
    return {on.allocate(bytes), bytes};
}

// Whoever uploads or compares at the same time has a stream and pieces of its own.
struct mover {
    explicit mover(device& d) : on(d), queue(d.make_stream()) {}
    ~mover() { on.synchronize(queue.get()); }

    void upload(char* to, const char* from, std::size_t bytes) {
        if (bytes <= copied_at_once) {
            on.copy(to, from, bytes, copy_kind::to_device, queue.get());
            on.synchronize(queue.get());
            return;
        }
        std::shared_ptr<char> host[2];
        std::unique_ptr<event> free[2];
        for (std::size_t i = 0, at = 0; at < bytes; i = 1 - i, at += piece) {
            const auto n = std::min(piece, bytes - at);
            if (host[i] == nullptr) {
                host[i] = on.allocate_pinned(std::min(piece, bytes));
                free[i] = on.make_event();
            } else
                free[i]->synchronize();
            std::memcpy(host[i].get(), from + at, n);
            on.copy(to + at, host[i].get(), n, copy_kind::to_device, queue.get());
            free[i]->record(queue.get());
        }
        on.synchronize(queue.get());
    }

    bool same(const char* x, const char* y, std::size_t bytes) {
        const auto first = on.allocate_pinned(std::min(piece, bytes));
        const auto second = on.allocate_pinned(std::min(piece, bytes));
        for (std::size_t at = 0; at < bytes; at += piece) {
            const auto n = std::min(piece, bytes - at);
            on.copy(first.get(), x + at, n, copy_kind::to_host, queue.get());
            on.copy(second.get(), y + at, n, copy_kind::to_host, queue.get());
            on.synchronize(queue.get());
            if (std::memcmp(first.get(), second.get(), n) != 0)
                return false;
        }
        return true;
    }

    device& on;
    std::shared_ptr<void> queue;
};

device_weight shared(device& on, const argument& constant, const std::string& layout,
                     const std::function<packed_weight()>& make) {
    on.make_current();
    return weight_store::instance().get(
        constant, name_of(on) + layout, make, [&](const packed_weight& x, const packed_weight& y) {
            return mover{on}.same(x.data.get(), y.data.get(), x.bytes);
        });
}

} // namespace

device_weight device_constant(device& on, const argument& constant) {
    return shared(on, constant, "as it is", [&] {
        auto w = allocate(on, constant.get_shape().bytes());
        mover{on}.upload(w.data.get(), constant.data(), w.bytes);
        return w;
    });
}

device_weight device_constant(device& on, const argument& constant, const std::string& layout,
                              std::size_t bytes, const std::function<void(char* to)>& make) {
    return shared(on, constant, layout, [&] {
        std::vector<char> form(bytes);
        make(form.data());
        auto w = allocate(on, bytes);
        mover{on}.upload(w.data.get(), form.data(), bytes);
        return w;
    });
}

} // namespace migraphx::gpu
