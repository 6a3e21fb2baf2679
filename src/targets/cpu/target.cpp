// SPDX-License-Identifier: MIT
// The cpu target: its passes, and the backend that lowers their result.
#include <migraphx/fuse_pointwise.hpp>
#include <migraphx/propagate_constant.hpp>
#include <migraphx/register_target.hpp>
#include <migraphx/simplify_qdq.hpp>

#include "passes/pass_registry.hpp"
#include "runtime/backend.hpp"
#include "targets/cpu/lower/quant_product.hpp"
#include "targets/cpu/lowering.hpp"
#include "targets/cpu/passes/passes.hpp"

namespace migraphx::cpu {

namespace {

// Large weights that are joined are joined while they are packed.
propagate_constant fold_constants() {
    propagate_constant pass;
    pass.joined = std::size_t{256} << 10;
    return pass;
}

struct cpu_backend : backend {
    std::string name() const override { return "cpu"; }
    std::vector<pass> static_passes(const compile_options&) const override {
        return {half_in_float{}, enable_pass(not has_int8_products(), int8_in_float{}),
                make_pass("simplify_reshapes"), make_pass("simplify_algebra"),
                make_pass("eliminate_common_subexpression"), make_pass("fold_convolution"),
                make_pass("simplify_algebra"), make_pass("recognise_composites"),
                make_pass("simplify_reshapes"), make_pass("move_reshapes"),
                make_pass("simplify_reshapes"), make_pass("merge_products"), fold_constants(),
                make_pass("nest_concats"), channels_last{layouts()}, fuse_pointwise{},
                fuse_epilogue{epilogues()}, fuse_layout{}, fuse_depthwise{}, fuse_channel_scale{},
                make_pass("keep_reduced_dims"), reduce_fusion(), make_pass("split_concats"),
                // Last: what is a view depends on layouts, which fusion still changes.
                make_pass("lazy_reshapes")};
    }
    std::unique_ptr<kernel> lower(const problem& p) const override { return cpu::lower(p); }
    bool writes_strided(const problem& p) const override { return cpu::writes_strided(p); }
    bool reads_strided(const problem& p, std::size_t i) const override {
        return cpu::reads_strided(p, i);
    }
    std::optional<argument> evaluate(const operation& op,
                                     const std::vector<argument>& in) const override {
        return evaluate_selection(op, in);
    }
};

std::shared_ptr<const backend> instance() {
    static const auto b = std::make_shared<const cpu_backend>();
    return b;
}

struct cpu_target {
    std::string name() const { return "cpu"; }
    std::vector<pass> get_passes(context&, const compile_options& options) const {
        // Once for all sizes; what needs concrete shapes follows, here or for each set of sizes.
        return {make_pass("normalize_ops"),
                make_pass("relax_views"),
                make_pass("rewrite_rnn"),
                make_pass("eliminate_identity"),
                make_pass("eliminate_common_subexpression"),
                enable_pass(has_int8_products(), simplify_qdq{}),
                fold_constants(),
                make_pass("fold_convolution"),
                fold_constants(),
                simplify_for_all_sizes(),
                enable_pass(not options.is_dynamic, specialise_static(instance(), options))};
    }
    context get_context() const { return {}; }
    std::shared_ptr<executable> make_executable(const program& p,
                                                const compile_options& options) const {
        return make_planned_executable(p, instance(), options);
    }
};

MIGRAPHX_REGISTER_TARGET(cpu_target)

} // namespace

} // namespace migraphx::cpu
