// SPDX-License-Identifier: MIT
#include "runtime/weight_store.hpp"

#include "base/files.hpp"
#include "base/phase_times.hpp"
#include "base/str.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <tuple>
#include <vector>

namespace migraphx {

namespace {

// Constants up to this size are known by all of their bytes, larger ones by lines spread over them.
constexpr std::size_t hashed_whole = 16384;
constexpr std::size_t hashed_lines = 64;
constexpr std::size_t line_bytes = 64;

// 64-bit hash, four lanes at a time (multiply-xorshift of independent words).
class hasher {
public:
    void add(const char* p, std::size_t n) {
        std::size_t i = 0;
        for (; i + 32 <= n; i += 32)
            for (int l = 0; l < 4; l++) {
                uint64_t w;
                std::memcpy(&w, p + i + 8 * l, 8);
                lanes[l] = (lanes[l] ^ w) * 0x9fb21c651e98df25;
                lanes[l] ^= lanes[l] >> 29;
            }
        for (; i < n; i++)
            tail = (tail ^ static_cast<unsigned char>(p[i])) * 0x100000001b3;
    }
    uint64_t result(std::size_t bytes) const {
        uint64_t h = tail ^ bytes;
        for (auto l : lanes)
            h = (h ^ l ^ (l >> 32)) * 0x9e3779b97f4a7c15;
        return h ^ (h >> 31);
    }

private:
    uint64_t lanes[4] = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb,
                         0xd6e8feb86659fd93};
    uint64_t tail = 0;
};

uint64_t content_hash(const char* p, std::size_t n) {
    hasher h;
    if (n <= hashed_whole)
        h.add(p, n);
    else
        for (std::size_t i = 0; i < hashed_lines; i++)
            h.add(p + (n - line_bytes) / (hashed_lines - 1) * i, line_bytes);
    return h.result(n);
}

// Constants that look equal are equal when their forms are.
std::shared_ptr<const packed_weight>
equal_form(const std::vector<std::weak_ptr<const packed_weight>>& forms, const packed_weight& x,
           const same_form& same) {
    for (const auto& f : forms)
        if (auto other = f.lock(); other != nullptr and other->bytes == x.bytes and same(*other, x))
            return other;
    return nullptr;
}

bool same_bytes(const packed_weight& x, const packed_weight& y) {
    return std::memcmp(x.data.get(), y.data.get(), x.bytes) == 0;
}

} // namespace

struct weight_store::state {
    using content_key = std::tuple<uint64_t, std::size_t, std::string>;

    // The forms of constants that look the same.
    struct entry {
        std::mutex building;
        std::vector<std::weak_ptr<const packed_weight>> forms;

        bool expired() const {
            return std::all_of(forms.begin(), forms.end(),
                               [](const auto& f) { return f.expired(); });
        }
    };
    struct place {
        std::weak_ptr<char> owner; ///< of the constant's memory
        std::weak_ptr<const packed_weight> form;
    };

    std::mutex mutex;
    std::map<content_key, std::shared_ptr<entry>> entries;
    std::map<std::pair<const char*, std::string>, place> places;

    // Literals never change: what lies in the same memory is the same constant while the memory
    // lives.
    std::shared_ptr<const packed_weight> find_place(const argument& a, const std::string& form) {
        const std::lock_guard lock(mutex);
        auto it = places.find({a.data(), form});
        if (it == places.end() or it->second.owner.owner_before(a.handle()) or
            a.handle().owner_before(it->second.owner))
            return nullptr;
        return it->second.form.lock();
    }

    void add_place(const argument& a, const std::string& form,
                   const std::shared_ptr<const packed_weight>& p) {
        if (a.handle() == nullptr or a.handle().use_count() == 0)
            return;
        const std::lock_guard lock(mutex);
        if (places.size() > 4096)
            std::erase_if(places, [](const auto& x) { return x.second.form.expired(); });
        places[{a.data(), form}] = {a.handle(), p};
    }

    std::shared_ptr<entry> entry_of(const content_key& k) {
        const std::lock_guard lock(mutex);
        auto& slot = entries[k];
        if (slot == nullptr)
            slot = std::make_shared<entry>();
        auto e = slot;
        // Forms that nobody holds any more leave their key behind: swept when there are many.
        if (entries.size() > 4096)
            std::erase_if(entries, [&](const auto& x) {
                return x.second != e and x.second.use_count() == 1 and x.second->expired();
            });
        return e;
    }
};

weight_store::weight_store() : impl(std::make_unique<state>()) {}
weight_store::~weight_store() = default;

weight_store& weight_store::instance() {
    static auto* store = new weight_store; // users may outlive static destruction
    return *store;
}

std::shared_ptr<const packed_weight> weight_store::get(const argument& original,
                                                       const std::string& layout,
                                                       const std::function<packed_weight()>& make,
                                                       const same_form& same) {
    const timed_work packing("packing");
    const auto form = str(layout, ' ', original.get_shape());
    if (auto found = impl->find_place(original, form))
        return found;
    const auto bytes = original.get_shape().bytes();
    const auto e = impl->entry_of({content_hash(original.data(), bytes), bytes, form});
    const std::lock_guard lock(e->building);
    if (auto found = impl->find_place(original, form))
        return found;
    std::erase_if(e->forms, [](const auto& f) { return f.expired(); });
    std::shared_ptr<const packed_weight> result;
    if (bytes <= hashed_whole and not e->forms.empty())
        result = e->forms.front().lock();
    if (result == nullptr) {
        result = std::make_shared<const packed_weight>(make());
        drop_mapped_pages(original.data(), bytes); // not read again in the steady state
        const auto equal = equal_form(e->forms, *result, same ? same : same_bytes);
        if (equal == nullptr)
            e->forms.push_back(result);
        else
            result = equal;
    }
    impl->add_place(original, form, result);
    return result;
}

} // namespace migraphx
