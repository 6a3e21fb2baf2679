// SPDX-License-Identifier: MIT
// Memory that a later step reads from end to end comes near while an earlier one computes: kernels
// whose loops leave memory idle fetch it, each thread the share that it will read.
#ifndef MIGRAPHX_GUARD_BASE_FETCH_AHEAD_HPP
#define MIGRAPHX_GUARD_BASE_FETCH_AHEAD_HPP

#include <cstddef>
#include <cstdint>

namespace migraphx {

// `bytes` of each of some shares, one for each thread.
struct memory_ahead {
    const char* first;  // of the first share
    std::int64_t step;  // from a share to the next
    std::int64_t bytes; // at least one
};

// What a thread fetches next.
struct ahead_cursor {
    const char *next, *end;
};

// That of the calling thread, on which nothing may be left. It is to be asked for now and then: a
// cursor at its end goes on to the next memory.
ahead_cursor& this_thread_ahead();

// What the parts of a loop fetch: part i share i, if there are as many parts as shares.
struct ahead_list {
    const memory_ahead* first = nullptr;
    std::size_t count = 0;
    int shares = 0;
};

// While it lives, loops of the calling thread have this list.
class fetch_ahead_guard {
public:
    explicit fetch_ahead_guard(const ahead_list& list);
    fetch_ahead_guard(const fetch_ahead_guard&) = delete;
    fetch_ahead_guard& operator=(const fetch_ahead_guard&) = delete;
    ~fetch_ahead_guard();
    // The list of the calling thread.
    static const ahead_list& current();
};

// While it lives, the calling thread runs a part of a loop.
class fetch_ahead_part {
public:
    fetch_ahead_part(const ahead_list& list, int part, int parts);
    fetch_ahead_part(const fetch_ahead_part&) = delete;
    fetch_ahead_part& operator=(const fetch_ahead_part&) = delete;
    ~fetch_ahead_part();
};

} // namespace migraphx
#endif
