// SPDX-License-Identifier: MIT
#include "runtime/backend.hpp"

namespace migraphx {

namespace {

struct reference : backend {
    std::string name() const override { return "ref"; }
    std::vector<pass> static_passes(const compile_options&) const override { return {}; }
    std::unique_ptr<kernel> lower(const problem& p) const override {
        return make_reference_kernel(p);
    }
};

} // namespace

std::shared_ptr<const backend> reference_backend() {
    static const auto b = std::make_shared<const reference>();
    return b;
}

} // namespace migraphx
