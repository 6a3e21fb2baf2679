// SPDX-License-Identifier: MIT
#include "runtime/plan_cache.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace migraphx {

plan_cache::plan_cache(std::size_t most, std::size_t most_bytes, constants_of what)
    : limit(std::max<std::size_t>(1, most)), byte_limit(most_bytes), constants(std::move(what)) {}

plan_cache::entry plan_cache::get(const void* owner, const sizes& key,
                                  const std::function<entry()>& build) {
    std::promise<entry> promise;
    std::shared_future<entry> found;
    item_list dropped;
    {
        std::lock_guard lock(mutex);
        auto it = find(owner, key);
        if (it != items.end()) {
            items.splice(items.begin(), items, it);
            found = it->value;
        } else {
            items.push_front({owner, key, promise.get_future().share()});
            while (items.size() > limit)
                take_out(std::prev(items.end()), dropped);
        }
    }
    if (found.valid())
        return found.get();
    dropped.clear();
    try {
        auto e = build();
        if (constants != nullptr)
            add_completed(owner, key, *e);
        promise.set_value(e);
        return e;
    } catch (...) {
        {
            std::lock_guard lock(mutex);
            auto it = find(owner, key);
            if (it != items.end())
                take_out(it, dropped);
        }
        promise.set_exception(std::current_exception());
        throw;
    }
}

void plan_cache::add_completed(const void* owner, const sizes& key, const prepared& e) {
    auto held = constants(e);
    item_list dropped;
    std::lock_guard lock(mutex);
    const auto it = find(owner, key);
    if (it == items.end()) // too many came meanwhile
        return;
    std::size_t own = 0;
    for (const auto& [at, size] : held) {
        auto& use = uses[at];
        use.items++;
        if (size > use.bytes) { // another may see a part of it
            bytes += size - use.bytes;
            use.bytes = size;
        }
        own += use.bytes;
    }
    it->held = std::move(held);
    while (bytes - own > byte_limit and std::prev(items.end()) != it)
        take_out(std::prev(items.end()), dropped);
}

void plan_cache::take_out(item_list::iterator it, item_list& dropped) {
    for (const auto& c : it->held) {
        const auto use = uses.find(c.first);
        if (--use->second.items == 0) {
            bytes -= use->second.bytes;
            uses.erase(use);
        }
    }
    it->held.clear();
    dropped.splice(dropped.begin(), items, it);
}

void plan_cache::drop(const void* owner) {
    item_list dropped;
    std::lock_guard lock(mutex);
    for (auto it = items.begin(); it != items.end();) {
        auto next = std::next(it);
        if (it->owner == owner)
            take_out(it, dropped);
        it = next;
    }
}

std::vector<plan_cache::entry> plan_cache::all() const {
    std::vector<entry> result;
    std::lock_guard lock(mutex);
    for (const auto& x : items)
        if (x.value.wait_for(std::chrono::seconds(0)) == std::future_status::ready)
            result.push_back(x.value.get());
    return result;
}

plan_cache::item_list::iterator plan_cache::find(const void* owner, const sizes& key) {
    return std::find_if(items.begin(), items.end(),
                        [&](const auto& x) { return x.owner == owner and x.key == key; });
}

} // namespace migraphx
