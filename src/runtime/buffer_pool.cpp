// SPDX-License-Identifier: MIT
#include "runtime/buffer_pool.hpp"

#include <migraphx/errors.hpp>

#include <cstdlib>
#include <string>

#include <sys/mman.h>

namespace migraphx {

namespace {

constexpr std::size_t alignment  = 64;
constexpr std::size_t huge_page  = std::size_t{2} << 20;

} // namespace

std::shared_ptr<char> allocate_host(std::size_t bytes)
{
    // Large buffers start at a huge page, so that the kernel can back them with few TLB entries.
    const std::size_t align = bytes >= 2 * huge_page ? huge_page : alignment;
    const std::size_t size  = bytes == 0 ? align : (bytes + align - 1) / align * align;
    void* p                 = size < bytes ? nullptr : std::aligned_alloc(align, size);
    if(p == nullptr)
        fail(error_kind::io, "memory: " + std::to_string(bytes) + " bytes were expected, got none");
    if(align == huge_page)
        madvise(p, size, MADV_HUGEPAGE);
    return {static_cast<char*>(p), [](char* q) { std::free(q); }};
}

struct buffer_pool::state {
    struct item {
        std::size_t bytes;
        std::shared_ptr<char> memory;
    };
    std::mutex mutex;
    std::vector<item> free;
    std::size_t most_kept = 0;
    std::size_t held      = 0;
};

buffer_pool::buffer_pool(std::size_t most_kept) : shared(std::make_shared<state>()) { shared->most_kept = most_kept; }

std::shared_ptr<char> buffer_pool::get(std::size_t bytes)
{
    std::shared_ptr<char> memory;
    std::size_t capacity = bytes;
    {
        std::lock_guard lock(shared->mutex);
        auto best = shared->free.end();
        for(auto it = shared->free.begin(); it != shared->free.end(); ++it)
            if(it->bytes >= bytes and it->bytes <= 2 * bytes + 4096 and (best == shared->free.end() or it->bytes < best->bytes))
                best = it;
        if(best != shared->free.end())
        {
            capacity = best->bytes;
            memory   = std::move(best->memory);
            *best    = std::move(shared->free.back());
            shared->free.pop_back();
        }
    }
    if(memory == nullptr)
    {
        memory = allocate_host(bytes);
        std::lock_guard lock(shared->mutex);
        shared->held += capacity;
    }
    char* p = memory.get();
    return {p, [owner = std::move(memory), pool = std::weak_ptr<state>(shared), capacity](char*) mutable {
                auto s = pool.lock();
                if(s == nullptr)
                    return;
                std::lock_guard lock(s->mutex);
                if(s->free.size() < s->most_kept)
                    s->free.push_back({capacity, std::move(owner)});
                else
                    s->held -= capacity;
            }};
}

std::size_t buffer_pool::held_bytes() const
{
    std::lock_guard lock(shared->mutex);
    return shared->held;
}

} // namespace migraphx
