// SPDX-License-Identifier: MIT
// The plans that were used last, by the executable that they belong to and the sizes that they are
// for.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

namespace migraphx {

struct prepared;

/// Thread-safe. One thread builds what several ask for at once; the others wait. What falls out of
/// the cache lives on until its last user is done.
class plan_cache {
public:
    using entry = std::shared_ptr<const prepared>;
    using sizes = std::vector<std::size_t>;

    explicit plan_cache(std::size_t most) : limit(std::max<std::size_t>(1, most)) {}

    /// `build()` makes the entry when it is not there.
    template <class Build>
    entry get(const void* owner, const sizes& key, Build build) {
        std::promise<entry> promise;
        std::shared_future<entry> found;
        std::list<item> dropped; // destroyed after the lock is released: entries hold executables
        {
            std::lock_guard lock(mutex);
            auto it = find(owner, key);
            if (it != items.end()) {
                items.splice(items.begin(), items, it);
                found = it->value;
            } else {
                items.push_front({owner, key, promise.get_future().share()});
                while (items.size() > limit)
                    dropped.splice(dropped.begin(), items, std::prev(items.end()));
            }
        }
        if (found.valid())
            return found.get();
        dropped.clear();
        try {
            auto e = build();
            promise.set_value(e);
            return e;
        } catch (...) {
            {
                std::lock_guard lock(mutex);
                auto it = find(owner, key);
                if (it != items.end())
                    items.erase(it);
            }
            promise.set_exception(std::current_exception());
            throw;
        }
    }

    /// Forgets the entries of an executable that goes away.
    void drop(const void* owner) {
        std::list<item> dropped;
        std::lock_guard lock(mutex);
        for (auto it = items.begin(); it != items.end();) {
            auto next = std::next(it);
            if (it->owner == owner)
                dropped.splice(dropped.begin(), items, it);
            it = next;
        }
    }

    /// The entries that are complete.
    std::vector<entry> all() const {
        std::vector<entry> result;
        std::lock_guard lock(mutex);
        for (const auto& x : items)
            if (x.value.wait_for(std::chrono::seconds(0)) == std::future_status::ready)
                result.push_back(x.value.get());
        return result;
    }

private:
    struct item {
        const void* owner;
        sizes key;
        std::shared_future<entry> value;
    };
    std::list<item>::iterator find(const void* owner, const sizes& key) {
        return std::find_if(items.begin(), items.end(),
                            [&](const auto& x) { return x.owner == owner and x.key == key; });
    }

    std::size_t limit;
    mutable std::mutex mutex;
    std::list<item> items; ///< the one used last is the first
};

} // namespace migraphx
