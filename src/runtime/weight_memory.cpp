// SPDX-License-Identifier: MIT
// Memory of packed weights: slabs that are filled front to back, so that large pages serve small
// weights too and no weight rounds up to whole ones.
#include "runtime/weight_store.hpp"

#include <migraphx/errors.hpp>

#include "base/rounding.hpp"
#include "runtime/mapping.hpp"

#include <algorithm>
#include <mutex>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

namespace migraphx {

namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t first_slab = std::size_t{1} << 20;
constexpr std::size_t largest_slab = std::size_t{64} << 20;

[[noreturn]] void fail_allocation(std::size_t bytes) {
    fail(error_kind::io, "memory: " + std::to_string(bytes) + " bytes were expected, got none");
}

// Filled front to back.
class slab {
public:
    explicit slab(std::size_t bytes) : memory(bytes), size(bytes) {}

    // Null when it is full.
    char* take(std::size_t bytes) {
        if (bytes > size - used)
            return nullptr;
        char* p = memory.data() + used;
        used += bytes;
        if (not memory.is_huge())
            touch(p, bytes);
        return p;
    }

    // The pages that lie inside of a block nobody uses any more.
    static void give_back(char* p, std::size_t bytes) {
        const auto page = page_size();
        const auto begin = round_up(reinterpret_cast<std::uintptr_t>(p), page);
        const auto end = (reinterpret_cast<std::uintptr_t>(p) + bytes) / page * page;
        if (begin < end)
            ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
    }

private:
    // Pages for all of a block at once are cheaper than a fault for each.
    static void touch(char* p, std::size_t bytes) {
        const auto begin = reinterpret_cast<std::uintptr_t>(p) / page_size() * page_size();
        const auto end = reinterpret_cast<std::uintptr_t>(p) + bytes;
#if defined(MADV_POPULATE_WRITE)
        ::madvise(reinterpret_cast<void*>(begin), round_up(end - begin, page_size()),
                  MADV_POPULATE_WRITE);
#else
        (void)begin, (void)end;
#endif
    }
    static std::size_t page_size() {
        static const auto n = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        return n;
    }

    mapping memory;
    std::size_t size, used = 0;
};

struct slab_allocator {
    std::mutex mutex;
    std::weak_ptr<slab> current; // lives as long as one of its weights
    std::size_t next_size = first_slab;
};

slab_allocator& slabs() {
    static auto* s = new slab_allocator; // weights may outlive static destruction
    return *s;
}

} // namespace

packed_weight allocate_weight(std::size_t bytes) {
    const auto size = round_up(std::max<std::size_t>(bytes, 1), alignment);
    if (size < bytes)
        fail_allocation(bytes);
    std::shared_ptr<slab> owner;
    char* p = nullptr;
    if (size > largest_slab / 4) {
        owner = std::make_shared<slab>(size);
        p = owner->take(size);
    } else {
        auto& s = slabs();
        const std::lock_guard lock(s.mutex);
        owner = s.current.lock();
        if (owner == nullptr)
            s.next_size = first_slab;
        else
            p = owner->take(size);
        if (p == nullptr) {
            owner = std::make_shared<slab>(std::max(s.next_size, round_up(size, huge_page)));
            p = owner->take(size);
            s.current = owner;
            s.next_size = std::min(largest_slab, 4 * s.next_size);
        }
    }
    return {{p,
             [owner, size](char* q) mutable {
                 if (owner.use_count() > 1)
                     slab::give_back(q, size);
                 owner = nullptr;
             }},
            bytes};
}

} // namespace migraphx
