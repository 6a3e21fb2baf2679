// SPDX-License-Identifier: MIT
// The plans that were used last, by the executable that they belong to and the sizes that they are
// for.
#pragma once

#include "runtime/kernel.hpp"

#include <cstddef>
#include <functional>
#include <future>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace migraphx {

struct prepared;

/// Thread-safe. One thread builds what several ask for at once; the others wait. What falls out of
/// the cache lives on until its last user is done.
class plan_cache {
public:
    using entry = std::shared_ptr<const prepared>;
    using sizes = std::vector<std::size_t>;
    using constants_of = std::function<held_constants(const prepared&)>;

    /// Keeps `most` entries, and fewer where they hold much: the constants that a new entry does
    /// not share with them are at most `most_bytes`. Weights, which entries share, are no reason.
    explicit plan_cache(std::size_t most,
                        std::size_t most_bytes = std::numeric_limits<std::size_t>::max(),
                        constants_of constants = nullptr);

    /// `build()` makes the entry when it is not there.
    entry get(const void* owner, const sizes& key, const std::function<entry()>& build);

    /// Forgets the entries of an executable that goes away.
    void drop(const void* owner);

    /// The entries that are complete.
    std::vector<entry> all() const;

private:
    struct item {
        const void* owner;
        sizes key;
        std::shared_future<entry> value;
        held_constants held = {}; ///< once it is complete
    };
    struct constant_use {
        std::size_t bytes = 0, items = 0;
    };
    using item_list = std::list<item>;

    item_list::iterator find(const void* owner, const sizes& key);
    // With the lock held. What is taken out goes to `dropped`, whose owner destroys it after the
    // lock is released: entries hold executables.
    void take_out(item_list::iterator it, item_list& dropped);
    void add_completed(const void* owner, const sizes& key, const prepared& e);

    std::size_t limit, byte_limit;
    constants_of constants;
    mutable std::mutex mutex;
    item_list items; ///< the one used last is the first
    std::unordered_map<const void*, constant_use> uses;
    std::size_t bytes = 0; ///< of `uses`
};

} // namespace migraphx
