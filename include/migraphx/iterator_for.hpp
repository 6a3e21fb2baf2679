// SPDX-License-Identifier: MIT
// iterator(range): the range of a range's iterators, for loops that need positions.
#ifndef MIGRAPHX_GUARD_ITERATOR_FOR_HPP
#define MIGRAPHX_GUARD_ITERATOR_FOR_HPP

#include <iterator>
#include <utility>

namespace migraphx {

template <class Iterator>
struct iterator_for_range {
    struct position {
        Iterator i;
        Iterator operator*() const { return i; }
        position& operator++() {
            ++i;
            return *this;
        }
        bool operator!=(const position& other) const { return i != other.i; }
        bool operator==(const position& other) const { return i == other.i; }
    };
    Iterator first;
    Iterator last;
    position begin() const { return {first}; }
    position end() const { return {last}; }
};

// `r` must outlive the result.
template <class Range>
auto iterator_for(Range& r) {
    using std::begin;
    using std::end;
    return iterator_for_range<decltype(begin(r))>{begin(r), end(r)};
}

template <class Range>
auto reverse_iterator_for(Range& r) {
    return iterator_for_range<decltype(r.rbegin())>{r.rbegin(), r.rend()};
}

} // namespace migraphx
#endif
