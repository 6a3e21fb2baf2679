// SPDX-License-Identifier: MIT
#include "targets/gpu/device/memory_pool.hpp"

#include <migraphx/errors.hpp>

#include <limits>

namespace migraphx::gpu {

namespace {

// Sizes are rounded up to an eighth of their magnitude at most, so that blocks fit again.
std::size_t rounded(std::size_t bytes) {
    std::size_t step = 512;
    while (step * 16 < bytes and step < (std::size_t{1} << 21))
        step *= 2;
    if (bytes > std::numeric_limits<std::size_t>::max() - step)
        return bytes;
    return bytes == 0 ? step : (bytes + step - 1) / step * step;
}

} // namespace

memory_pool::~memory_pool() {
    trim();
}

char* memory_pool::reuse(std::size_t bytes, std::size_t& size) {
    std::lock_guard lock(mutex);
    auto best = free.end();
    for (auto it = free.begin(); it != free.end(); ++it) {
        if (it->bytes < bytes or it->bytes > bytes + bytes / 4 or
            (best != free.end() and best->bytes <= it->bytes))
            continue;
        if (it->mark != nullptr and it->mark->passed())
            it->mark = nullptr;
        if (it->mark == nullptr)
            best = it;
    }
    if (best == free.end())
        return nullptr;
    char* p = best->p;
    size = best->bytes;
    free_bytes -= best->bytes;
    free.erase(best);
    return p;
}

std::shared_ptr<char> memory_pool::allocate(std::size_t bytes) {
    auto size = rounded(bytes);
    char* p = reuse(size, size);
    if (p == nullptr)
        p = source.take(size);
    if (p == nullptr) {
        // Full, perhaps of what waits here.
        if (source.wait()) {
            p = reuse(size, size);
            if (p == nullptr)
                trim();
        }
        if (p == nullptr)
            p = source.take(size);
    }
    if (p == nullptr)
        source.full(bytes);
    return {p, [this, size](char* q) { release(q, size); }};
}

void memory_pool::release(char* p, std::size_t bytes) noexcept {
    auto mark = source.mark();
    std::lock_guard lock(mutex);
    free.push_back({p, bytes, std::move(mark)});
    free_bytes += bytes;
    if (free_bytes > limit)
        shrink(limit / 2);
}

// The source waits for work by itself before it takes memory back.
void memory_pool::shrink(std::size_t to) noexcept {
    while (free_bytes > to and not free.empty()) {
        auto& oldest = free.front();
        source.give_back(oldest.p);
        free_bytes -= oldest.bytes;
        free.pop_front();
    }
}

void memory_pool::trim() {
    std::lock_guard lock(mutex);
    shrink(0);
}

std::size_t memory_pool::unused() const {
    std::lock_guard lock(mutex);
    return free_bytes;
}

} // namespace migraphx::gpu
