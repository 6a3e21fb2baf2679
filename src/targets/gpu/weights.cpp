// SPDX-License-Identifier: MIT
#include "targets/gpu/weights.hpp"

#include "base/parallel.hpp"
#include "base/str.hpp"
#include "ops/tensor.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

namespace migraphx::gpu {

namespace {

std::string name_of(const device& on) {
    const auto& facts = on.properties();
    return str("device ", int(facts.kind), '.', facts.id, ' ');
}

// A stream for copies; whoever copies at the same time has another.
struct mover {
    explicit mover(device& d) : on(d), queue(d.make_stream()) {}

    // Drivers move memory that is not pinned through pieces of their own about as fast as the host
    // fills them.
    void upload(char* to, const char* from, std::size_t bytes) {
        on.copy(to, from, bytes, copy_kind::to_device, queue.get());
        on.synchronize(queue.get());
    }

    bool same(const char* x, const char* y, std::size_t bytes) {
        constexpr std::size_t piece = std::size_t{4} << 20;
        std::vector<char> first(std::min(piece, bytes)), second(first.size());
        for (std::size_t at = 0; at < bytes; at += piece) {
            const auto n = std::min(piece, bytes - at);
            on.copy(first.data(), x + at, n, copy_kind::to_host, queue.get());
            on.copy(second.data(), y + at, n, copy_kind::to_host, queue.get());
            on.synchronize(queue.get());
            if (std::memcmp(first.data(), second.data(), n) != 0)
                return false;
        }
        return true;
    }

    device& on;
    std::shared_ptr<void> queue;
};

device_weight shared(mover& with, const argument& constant, const std::string& layout,
                     const std::function<packed_weight()>& make) {
    with.on.make_current();
    return weight_store::instance().get(constant, name_of(with.on) + layout, make,
                                        [&](const packed_weight& x, const packed_weight& y) {
                                            return with.same(x.data.get(), y.data.get(), x.bytes);
                                        });
}

device_weight as_it_is(mover& with, const argument& constant) {
    return shared(with, constant, "as it is", [&] {
        const auto bytes = constant.get_shape().bytes();
        packed_weight w{with.on.allocate(bytes), bytes};
        with.upload(w.data.get(), constant.data(), bytes);
        return w;
    });
}

} // namespace

device_weight device_constant(device& on, const argument& constant) {
    mover with(on);
    return as_it_is(with, constant);
}

std::vector<device_weight> device_constants(device& on, const std::vector<argument>& constants) {
    std::vector<device_weight> result(constants.size());
    std::atomic<std::size_t> next = 0;
    parallel_for(std::min<std::int64_t>(std::int64_t(constants.size()), 4), 1, [&](auto, auto) {
        mover with(on);
        for (auto i = next++; i < constants.size(); i = next++)
            result[i] = as_it_is(with, constants[i]);
    });
    return result;
}

device_weight device_constant(device& on, const argument& constant, const std::string& layout,
                              std::size_t bytes, const std::function<void(char* to)>& make) {
    mover with(on);
    return shared(with, constant, layout, [&] {
        std::vector<char> form(bytes);
        make(form.data());
        packed_weight w{on.allocate(bytes), bytes};
        with.upload(w.data.get(), form.data(), bytes);
        return w;
    });
}

std::pair<argument, argument> as_sum(const std::vector<double>& numbers, shape::type_t type) {
    const shape s{type, {numbers.size()}};
    argument high{s}, low{s};
    store(high, numbers);
    auto rest = load<double>(high);
    for (std::size_t i = 0; i < rest.size(); i++) {
        rest[i] = numbers[i] - rest[i];
        if (not std::isfinite(rest[i]))
            rest[i] = 0;
    }
    store(low, rest);
    return {std::move(high), std::move(low)};
}

} // namespace migraphx::gpu
