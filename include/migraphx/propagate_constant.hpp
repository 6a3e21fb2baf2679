// SPDX-License-Identifier: MIT
// What depends on constants alone becomes a literal.
#ifndef MIGRAPHX_PROPAGATE_CONSTANT_HPP
#define MIGRAPHX_PROPAGATE_CONSTANT_HPP

#include <cstddef>
#include <string>
#include <unordered_set>

namespace migraphx {

struct module;

/// Views of literals stay views, and what would take much more memory than the literals it is
/// computed from (broadcasts, unpacked weights) stays computed.
struct propagate_constant {
    /// Operators that are not folded.
    std::unordered_set<std::string> skip_ops = {};
    /// A result may have four times the bytes of its literals and this many more.
    std::size_t budget = std::size_t{1} << 20;
    /// Constants joined by a concat to more bytes than this stay joined by it: a target may compute
    /// them while it packs them, and never hold them beside the packed form.
    std::size_t joined = std::size_t(-1);

    std::string name() const { return "propagate_constant"; }
    void apply(module& m) const;
};

} // namespace migraphx
#endif
