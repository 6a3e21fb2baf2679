// SPDX-License-Identifier: MIT
#include "runtime/weight_store.hpp"

#include "base/files.hpp"
#include "base/phase_times.hpp"

#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <tuple>

namespace migraphx {

namespace {

// 64-bit hash of the content, eight lanes at a time (multiply-xorshift of independent words).
uint64_t content_hash(const char* p, std::size_t n) {
    uint64_t lanes[4] = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb,
                         0xd6e8feb86659fd93};
    std::size_t i = 0;
    for (; i + 32 <= n; i += 32)
        for (int l = 0; l < 4; l++) {
            uint64_t w;
            std::memcpy(&w, p + i + 8 * l, 8);
            lanes[l] = (lanes[l] ^ w) * 0x9fb21c651e98df25;
            lanes[l] ^= lanes[l] >> 29;
        }
    uint64_t h = n;
    for (; i < n; i++)
        h = (h ^ static_cast<unsigned char>(p[i])) * 0x100000001b3;
    for (auto l : lanes)
        h = (h ^ l ^ (l >> 32)) * 0x9e3779b97f4a7c15;
    return h ^ (h >> 31);
}

} // namespace

struct weight_store::state {
    using key = std::tuple<uint64_t, std::size_t, std::string>;
    struct entry {
        std::mutex building;
        std::weak_ptr<const packed_weight> form;
    };
    std::mutex mutex;
    std::map<key, std::shared_ptr<entry>> forms;
};

weight_store::weight_store() : impl(std::make_unique<state>()) {}
weight_store::~weight_store() = default;

weight_store& weight_store::instance() {
    static auto* store = new weight_store; // users may outlive static destruction
    return *store;
}

std::shared_ptr<const packed_weight> weight_store::get(const argument& original,
                                                       const std::string& form,
                                                       const std::function<packed_weight()>& make) {
    const timed_work packing("packing");
    const auto bytes = original.get_shape().bytes();
    state::key k{content_hash(original.data(), bytes), bytes, form};
    std::shared_ptr<state::entry> e;
    {
        std::lock_guard lock(impl->mutex);
        auto& slot = impl->forms[k];
        if (slot == nullptr)
            slot = std::make_shared<state::entry>();
        e = slot;
        // Forms that nobody holds any more leave their key behind: swept when there are many.
        if (impl->forms.size() > 4096)
            std::erase_if(impl->forms, [&](const auto& item) {
                return item.second != e and item.second.use_count() == 1 and
                       item.second->form.expired();
            });
    }
    std::lock_guard lock(e->building);
    auto result = e->form.lock();
    if (result == nullptr) {
        result = std::make_shared<const packed_weight>(make());
        e->form = result;
        drop_mapped_pages(original.data(), bytes); // not read again in the steady state
    }
    return result;
}

} // namespace migraphx
