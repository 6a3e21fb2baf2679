// SPDX-License-Identifier: MIT
#include "targets/gpu/plan/device_arguments.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace migraphx::gpu {

namespace {

template <class F>
argument for_each_member(const argument& a, F f) {
    std::vector<argument> members;
    for (const auto& m : a.get_sub_objects())
        members.push_back(f(m));
    return {members};
}

// Strings and values without memory stay on the host.
bool stays(const argument& a) {
    return a.data() == nullptr or a.get_shape().type() == shape::string_type;
}

} // namespace

argument allocate_on(const std::shared_ptr<device>& on, const shape& s, bool pinned) {
    if (s.type() == shape::tuple_type) {
        std::vector<argument> members;
        for (const auto& sub : s.sub_shapes())
            members.push_back(allocate_on(on, sub, pinned));
        return {members};
    }
    const auto bytes = std::max<std::size_t>(s.bytes(), 1);
    return {s, pinned ? on->allocate_pinned(bytes) : on->allocate(bytes)};
}

argument nearby(device& on, const argument& a, stream queue) {
    const auto at = on.device_of(a.data());
    if (not at or *at == on.properties().id)
        return a;
    const auto bytes = a.get_shape().bytes();
    argument result{a.get_shape(), on.allocate(std::max<std::size_t>(bytes, 1))};
    on.copy(result.data(), a.data(), bytes, copy_kind::between_devices, queue);
    return result;
}

argument to_device(const std::shared_ptr<device>& on, const argument& a, bool pinned) {
    if (a.get_shape().type() == shape::tuple_type)
        return for_each_member(a, [&](const auto& m) { return to_device(on, m, pinned); });
    if (stays(a) or (on->owns(a.data()) and not pinned))
        return a;
    const auto at = on->device_of(a.data());
    const auto bytes = a.get_shape().bytes();
    if (pinned and not at) {
        auto result = allocate_on(on, a.get_shape(), pinned);
        std::memcpy(result.data(), a.data(), bytes);
        return result;
    }
    const auto queue = on->make_stream();
    auto result = a;
    if (at)
        result = nearby(*on, a, queue.get());
    if (pinned or not at) {
        const auto from = result;
        result = allocate_on(on, a.get_shape(), pinned);
        on->copy(result.data(), from.data(), bytes,
                 pinned ? copy_kind::to_host : copy_kind::to_device, queue.get());
    }
    on->synchronize(queue.get());
    return result;
}

argument to_host(const std::shared_ptr<device>& on, const argument& a) {
    if (a.get_shape().type() == shape::tuple_type)
        return for_each_member(a, [&](const auto& m) { return to_host(on, m); });
    if (stays(a) or not on->device_of(a.data()))
        return a;
    auto result = argument::uninitialized(a.get_shape());
    on->synchronize(nullptr);
    const auto queue = on->make_stream();
    const auto near = nearby(*on, a, queue.get());
    on->copy(result.data(), near.data(), a.get_shape().bytes(), copy_kind::to_host, queue.get());
    on->synchronize(queue.get());
    return result;
}

} // namespace migraphx::gpu
