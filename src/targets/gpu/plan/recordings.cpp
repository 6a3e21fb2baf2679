// SPDX-License-Identifier: MIT
#include "targets/gpu/plan/recordings.hpp"

#include <algorithm>
#include <utility>

namespace migraphx::gpu {

std::shared_ptr<recording> recordings::find(const recording_key& key) {
    const std::lock_guard lock(mutex);
    auto it = std::find_if(items.begin(), items.end(), [&](const auto& x) { return x.key == key; });
    if (it == items.end())
        return nullptr;
    items.splice(items.begin(), items, it);
    return it->what;
}

void recordings::add(recording_key key, std::shared_ptr<recording> r) {
    std::list<item> dropped; // destroyed after the lock
    const std::lock_guard lock(mutex);
    items.push_front({std::move(key), std::move(r)});
    while (items.size() > limit)
        dropped.splice(dropped.begin(), items, std::prev(items.end()));
}

bool recordings::seen(const recording_key& key) {
    const std::lock_guard lock(mutex);
    const auto it = std::find(asked.begin(), asked.end(), key);
    const bool found = it != asked.end();
    if (found)
        asked.splice(asked.begin(), asked, it);
    else
        asked.push_front(key);
    if (asked.size() > 2 * limit)
        asked.pop_back();
    return found;
}

} // namespace migraphx::gpu
