// SPDX-License-Identifier: MIT
#include "base/fetch_ahead.hpp"

namespace migraphx {
namespace {

struct thread_ahead {
    ahead_cursor cursor{};
    const memory_ahead* next = nullptr; // of the list
    std::size_t left = 0;
    int share = 0;
    ahead_list list; // of loops that this thread starts
};

thread_local thread_ahead self;

void begin(const ahead_list& list, int share) {
    self.cursor = {};
    self.next = list.first;
    self.left = list.count;
    self.share = share;
}

} // namespace

ahead_cursor& this_thread_ahead() {
    auto& s = self;
    if (s.left > 0 and s.cursor.next >= s.cursor.end) {
        const auto* first = s.next->first + s.share * s.next->step;
        s.cursor = {first, first + s.next->bytes};
        ++s.next;
        --s.left;
    }
    return s.cursor;
}

fetch_ahead_guard::fetch_ahead_guard(const ahead_list& list) {
    self.list = list;
    if (list.shares == 1) // there are no loops of several threads
        begin(list, 0);
}

fetch_ahead_guard::~fetch_ahead_guard() {
    self.list = {};
    begin({}, 0);
}

const ahead_list& fetch_ahead_guard::current() {
    return self.list;
}

fetch_ahead_part::fetch_ahead_part(const ahead_list& list, int part, int parts) {
    if (list.count > 0 and list.shares == parts)
        begin(list, part);
}

fetch_ahead_part::~fetch_ahead_part() {
    begin({}, 0);
}

} // namespace migraphx
