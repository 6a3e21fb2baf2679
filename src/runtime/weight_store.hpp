// SPDX-License-Identifier: MIT
// Constants shared by everything in the process that uses them: each with its packed forms (blocked
// for a kernel, transformed …), made once and dropped with the last user.
#pragma once

#include <migraphx/argument.hpp>

#include "runtime/kernel.hpp"

#include <functional>
#include <memory>
#include <string>

namespace migraphx {

/// A packed form; `bytes` is its size.
struct packed_weight {
    std::shared_ptr<char> data;
    std::size_t bytes = 0;

    void add_to(held_constants& held) const { held[data.get()] = bytes; }
    std::span<const char> memory() const { return {data.get(), bytes}; }
};

/// Memory for a packed form, not initialised, 64-byte aligned. Forms lie side by side in large
/// pages; their memory goes back to the system one by one.
packed_weight allocate_weight(std::size_t bytes);

/// Whether two forms of one size have the same bytes.
using same_form = std::function<bool(const packed_weight&, const packed_weight&)>;

struct weight_store {
    /// The form of `original` that `layout` describes (library, kernel, layout); `make` builds it,
    /// every byte of it, when no one holds it. Thread-safe; two threads never build the form of one
    /// constant twice. Of equal constants in different memory one form is kept. `same` compares
    /// forms whose memory is not the host's.
    std::shared_ptr<const packed_weight> get(const argument& original, const std::string& layout,
                                             const std::function<packed_weight()>& make,
                                             const same_form& same = nullptr);

    /// The one of this process.
    static weight_store& instance();

    weight_store();
    ~weight_store();

private:
    struct state;
    std::unique_ptr<state> impl;
};

} // namespace migraphx
