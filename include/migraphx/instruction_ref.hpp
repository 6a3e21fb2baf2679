// SPDX-License-Identifier: MIT
// A stable reference to an instruction of a module: survives every edit but the removal of its
// target.
#ifndef MIGRAPHX_INSTRUCTION_REF_HPP
#define MIGRAPHX_INSTRUCTION_REF_HPP

#include <cstddef>
#include <functional>
#include <iterator>
#include <list>
#include <memory>

namespace migraphx {

struct instruction;

/// Behaves as std::list<instruction>::iterator; equality and hash are by address.
struct instruction_ref : std::list<instruction>::iterator {
    using instruction_iterator = std::list<instruction>::iterator;
    using instruction_const_iterator = std::list<instruction>::const_iterator;

    instruction_ref() = default;
    instruction_ref(const instruction_iterator& other) : instruction_iterator(other) {}

    friend bool operator==(const instruction_ref& x, const instruction_ref& y) {
        return static_cast<const instruction_iterator&>(x) ==
               static_cast<const instruction_iterator&>(y);
    }
    friend bool operator!=(const instruction_ref& x, const instruction_ref& y) {
        return not(x == y);
    }
    instruction_ref& operator++() {
        instruction_iterator::operator++();
        return *this;
    }
    instruction_ref operator++(int) {
        instruction_ref old = *this;
        ++*this;
        return old;
    }
    instruction_ref& operator--() {
        instruction_iterator::operator--();
        return *this;
    }
    instruction_ref operator--(int) {
        instruction_ref old = *this;
        --*this;
        return old;
    }
};

/// Address of the instruction, also for the end of a module.
inline const void* as_address(const instruction_ref& ins) {
    return ins._M_node;
}

} // namespace migraphx

namespace std {
template <>
struct hash<migraphx::instruction_ref> {
    std::size_t operator()(const migraphx::instruction_ref& x) const noexcept {
        return std::hash<const void*>{}(migraphx::as_address(x));
    }
};
template <>
struct iterator_traits<migraphx::instruction_ref>
    : iterator_traits<migraphx::instruction_ref::instruction_iterator> {};
} // namespace std
#endif
