// SPDX-License-Identifier: MIT
#include "targets/gpu/backend.hpp"

#include <migraphx/fuse_pointwise.hpp>
#include <migraphx/propagate_constant.hpp>

#include "passes/channels_last.hpp"
#include "passes/fuse_epilogue.hpp"
#include "passes/merge_products.hpp"
#include "passes/pass_registry.hpp"
#include "targets/gpu/lower/convolution.hpp"
#include "targets/gpu/lower/product.hpp"
#include "targets/gpu/lower/strided.hpp"
#include "targets/gpu/lowering.hpp"

#include <utility>

namespace migraphx::gpu {

namespace {

// A launch costs more than the copy of any weights; products read slices in place.
merge_products merge_all_products() {
    merge_products pass;
    pass.most_weights = pass.most_weights_of_few_rows = std::size_t(1) << 40;
    pass.readers.emplace_back("dot");
    return pass;
}

const registered_pass merge_products_registered{"gpu::merge_products",
                                                [] { return merge_all_products(); }};

struct gpu_backend : backend {
    std::shared_ptr<device> on;

    explicit gpu_backend(std::shared_ptr<device> d) : on(std::move(d)) {}

    std::string name() const override { return "gpu"; }
    std::vector<pass> static_passes(const compile_options&) const override {
        return {make_pass("simplify_reshapes"), make_pass("simplify_algebra"),
                make_pass("eliminate_common_subexpression"), make_pass("fold_convolution"),
                make_pass("simplify_algebra"), make_pass("recognise_composites"),
                make_pass("simplify_reshapes"), make_pass("move_reshapes"),
                make_pass("simplify_reshapes"), merge_all_products(), propagate_constant{},
                channels_last{layouts()}, fuse_pointwise{}, fuse_epilogue{epilogues()},
                // Last: what is a view depends on layouts, which fusion still changes.
                make_pass("lazy_reshapes")};
    }
    std::unique_ptr<kernel> lower(const problem& p) const override {
        return gpu::lower(device_problem{p, on});
    }
    bool writes_strided(const problem& p) const override { return gpu::writes_strided(p); }
    bool reads_strided(const problem& p, std::size_t i) const override {
        return gpu::reads_strided(p, i);
    }
};

} // namespace

std::shared_ptr<const backend> make_backend(std::shared_ptr<device> on) {
    return std::make_shared<const gpu_backend>(std::move(on));
}

std::vector<pass> passes_for_all_sizes(std::shared_ptr<const backend> b,
                                       const compile_options& options) {
    return {make_pass("normalize_ops"),
            make_pass("relax_views"),
            make_pass("rewrite_rnn"),
            make_pass("eliminate_identity"),
            make_pass("eliminate_common_subexpression"),
            propagate_constant{},
            make_pass("fold_convolution"),
            propagate_constant{},
            enable_pass(not options.is_dynamic, specialise_static(std::move(b), options))};
}

} // namespace migraphx::gpu
