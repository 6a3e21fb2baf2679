// SPDX-License-Identifier: MIT
// Storage behind value: shared text, and the items of an object with their index.
#ifndef MIGRAPHX_GUARD_BASE_VALUE_DATA_HPP
#define MIGRAPHX_GUARD_BASE_VALUE_DATA_HPP

#include <migraphx/value.hpp>

#include <atomic>
#include <string>
#include <string_view>
#include <unordered_map>

namespace migraphx {

struct value::shared_string {
    explicit shared_string(std::string_view s) : text(s) {}

    void retain() noexcept { uses.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
        if (uses.fetch_sub(1, std::memory_order_acq_rel) == 1)
            delete this;
    }

    const std::string text;

private:
    ~shared_string() = default;
    std::atomic<std::size_t> uses = 1;
};

// Items have distinct keys. The index exists only above `linear_search` items; its keys live in the
// items' shared text.
struct value::object_data {
    static constexpr std::size_t linear_search = 12;

    array items;
    std::unordered_map<std::string_view, std::size_t> index;

    // v has a key that is not here yet.
    void add(value&& v);
    value* find(std::string_view k);
    object_data* clone() const {
        auto* copy = new object_data{items, index};
        for (auto& x : copy->items)
            x.flags = in_object;
        return copy;
    }
};

} // namespace migraphx
#endif
