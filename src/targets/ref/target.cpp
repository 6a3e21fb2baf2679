// SPDX-License-Identifier: MIT
// The reference target: every operator as it is written down, in double. The oracle of the others.
#include <migraphx/register_target.hpp>

#include "passes/pass_registry.hpp"
#include "runtime/backend.hpp"

namespace migraphx {

namespace {

struct ref_target {
    std::string name() const { return "ref"; }
    std::vector<pass> get_passes(context&, const compile_options&) const {
        return {make_pass("normalize_ops"), make_pass("rewrite_rnn")};
    }
    context get_context() const { return {}; }
    std::shared_ptr<executable> make_executable(const program& p,
                                                const compile_options& options) const {
        return make_planned_executable(p, reference_backend(), options);
    }
};

MIGRAPHX_REGISTER_TARGET(ref_target)

} // namespace

} // namespace migraphx
