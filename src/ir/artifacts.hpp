// SPDX-License-Identifier: MIT
// What compiling a program made beside it and what is worth keeping: object code of kernels and the
// like. It travels in compiled `.mxr` files, so that loading one makes nothing again.
#pragma once

#include <migraphx/value.hpp>

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace migraphx {

/// Bytes by name. A name says all that its bytes depend on (what was compiled, instruction set,
/// library versions), so that what does not hold on this machine is not found and is made again.
/// Copies of a binary share its memory. Thread-safe.
class artifact_store {
public:
    std::optional<value::binary> find(const std::string& name) const;
    void put(const std::string& name, value::binary bytes);
    /// For what is not needed yet but belongs into a file: made when the program is saved, unless
    /// it is there by then. No bytes: there is nothing to keep.
    void offer(const std::string& name, std::function<value::binary()> make);
    bool empty() const;

    /// An object of binaries; those of a mapped file refer to it.
    value to_value() const;
    void from_value(const value& v);

private:
    mutable std::mutex mutex;
    mutable std::map<std::string, value::binary> items;
    std::map<std::string, std::function<value::binary()>> offers;
};

} // namespace migraphx
