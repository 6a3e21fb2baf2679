// SPDX-License-Identifier: MIT
#include "targets/gpu/libraries/convolution.hpp"

#include "base/str.hpp"

namespace migraphx::gpu {

std::string to_string(const convolution_desc& d) {
    std::string text =
        str(d.transposed ? "transposed " : "", d.x, " * ", d.w, " -> ", d.y, " group ", d.group,
            d.tf32 ? " tf32" : "", d.aligned ? "" : " unaligned");
    const auto add = [&](const char* name, const std::vector<int64_t>& v) {
        text += str(' ', name);
        for (auto n : v)
            text += str(' ', n);
    };
    add("stride", d.stride);
    add("dilation", d.dilation);
    add("before", d.before);
    add("after", d.after);
    for (const auto& s : d.steps) {
        text += str(" step ", int(s.what.algorithm), ' ', s.what.alpha, ' ', s.what.beta);
        if (s.what.is_binary())
            text += str(' ', s.operand);
    }
    return text;
}

double convolution_desc::work() const {
    return double(transposed ? x.elements() : y.elements()) * double(w.elements()) /
           double(w.lens()[0]);
}

} // namespace migraphx::gpu
