// SPDX-License-Identifier: MIT
#ifndef MIGRAPHX_RECOGNISE_COMPOSITES_HPP
#define MIGRAPHX_RECOGNISE_COMPOSITES_HPP

#include <string>

namespace migraphx {

struct module;

/// Normalisations and attention however exporters wrote them become layer_norm, rms_norm,
/// attention.
struct recognise_composites {
    std::string name() const { return "recognise_composites"; }
    void apply(module& m) const;
};

} // namespace migraphx
#endif
