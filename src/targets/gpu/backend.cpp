// SPDX-License-Identifier: MIT
#include "targets/gpu/backend.hpp"

#include <migraphx/fuse_pointwise.hpp>
#include <migraphx/pass_manager.hpp>
#include <migraphx/program.hpp>
#include <migraphx/propagate_constant.hpp>
#include <migraphx/simplify_qdq.hpp>

#include "ops/padding.hpp"
#include "passes/channels_last.hpp"
#include "passes/fuse_block_weights.hpp"
#include "passes/fuse_epilogue.hpp"
#include "passes/fuse_reduce.hpp"
#include "passes/half_data.hpp"
#include "passes/merge_products.hpp"
#include "passes/pass_registry.hpp"
#include "runtime/row_problem.hpp"
#include "targets/gpu/fold_channels.hpp"
#include "targets/gpu/lower/convolution.hpp"
#include "targets/gpu/lower/nest_kernel.hpp"
#include "targets/gpu/lower/product.hpp"
#include "targets/gpu/lower/row_kernel.hpp"
#include "targets/gpu/lower/strided.hpp"
#include "targets/gpu/lowering.hpp"
#include "targets/gpu/plan/between_parts.hpp"
#include "targets/gpu/plan/device_arguments.hpp"
#include "targets/gpu/plan/device_runner.hpp"

#include <algorithm>
#include <limits>
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

// Matrix units multiply bytes, of integers and of fp8.
simplify_qdq quantised_products() {
    simplify_qdq pass;
    pass.fp8 = true;
    return pass;
}

const registered_pass quantised_products_registered{"gpu::simplify_qdq",
                                                    [] { return quantised_products(); }};
const registered_pass merge_products_registered{"gpu::merge_products",
                                                [] { return merge_all_products(); }};

// Rows of a gather, or what a border of a constant goes round, that only a region uses are read
// there: a launch and a copy less. What lies behind the axis of a gather is a run of memory that
// vectors divide.
bool reads_in_place(const reduce_region& region, instruction_ref x) {
    constexpr std::size_t least_row = 64;
    const auto& data = x->inputs().front()->get_shape();
    if (x->name() == "pad") {
        const auto op = x->normalized_operator();
        const auto pads = op.get_vector<int64_t>("pads");
        return region.axes.empty() and op.get<int64_t>("mode") == op::pad::constant_pad and
               data.packed() and data.elements() > 0 and
               std::none_of(pads.begin(), pads.end(), [](auto n) { return n < 0; });
    }
    if (x->name() != "gather" or not x->get_shape().standard() or not data.standard())
        return false;
    const auto axis = x->normalized_operator().get<std::size_t>("axis");
    return data.elements() > 0 and data.strides()[axis] >= least_row;
}

fuse_reduce reduce_fusion() {
    fuse_reduce pass;
    pass.reads = reads_in_place;
    return pass;
}

fuse_reduce reduce_fusion(std::shared_ptr<device> on) {
    auto pass = reduce_fusion();
    pass.runs = [on](const operation& op, const std::vector<shape>& inputs, const shape& output,
                     module& body) {
        const auto built = rows_of(op, inputs, output, body);
        if (not built.refusal.empty())
            return false;
        return op.get_vector<int64_t>("axes").empty()
                   ? nest_reads_refusal(codegen::without_rows(built.nest)).empty()
                   : row_reads_refusal(built.nest, on->properties()).empty();
    };
    return pass;
}

const registered_pass reduce_fusion_registered{"gpu::fuse_reduce", [] { return reduce_fusion(); }};

struct gpu_backend : backend {
    std::shared_ptr<device> on;
    between_parts between;

    explicit gpu_backend(std::shared_ptr<device> d) : on(d), between(std::move(d)) {}

    std::string name() const override { return "gpu"; }
    std::vector<pass> static_passes(const compile_options& options) const override {
        return {make_pass("simplify_reshapes"), make_pass("simplify_algebra"),
                make_pass("eliminate_common_subexpression"), make_pass("fold_convolution"),
                make_pass("simplify_algebra"), make_pass("recognise_composites"),
                make_pass("simplify_reshapes"), make_pass("move_reshapes"),
                make_pass("simplify_reshapes"), merge_all_products(), propagate_constant{},
                make_pass("nest_concats"),
                enable_pass(multiplies_halves(*on), half_data{rounded_positions(options)}),
                enable_pass(multiplies_halves(*on), fold_channels{}), channels_last{layouts()},
                fuse_pointwise{}, fuse_epilogue{epilogues()}, reduce_fusion(on),
                // Last: what is a view depends on layouts, which fusion still changes.
                make_pass("lazy_reshapes")};
    }
    // Weights beside halves. On an H200 a second product of the sums costs EfficientNet and
    // MobileNet-V3 17 % where all have it, 3 and 6 % where results of two tiles of rows have none,
    // PP-OCR's models nothing; matrix units that the host emulates are slow at any size.
    std::size_t rounded_positions(const compile_options& options) const {
        constexpr std::size_t few = 256, all = std::numeric_limits<std::size_t>::max();
        return not options.fast_math ? 0 : on->properties().kind == platform::host ? all : few;
    }
    std::unique_ptr<kernel> lower(const problem& p) const override {
        return gpu::lower(device_problem{p, on});
    }
    bool writes_strided(const problem& p) const override { return gpu::writes_strided(p); }
    bool reads_strided(const problem& p, std::size_t i) const override {
        return gpu::reads_strided(p, i);
    }

    std::size_t alignment() const override { return device_alignment; }
    std::shared_ptr<run_memory> make_memory() const override {
        return std::make_shared<run_lanes>(on);
    }
    std::unique_ptr<plan_runner> make_runner(const plan_data& data, const compile_options& options,
                                             std::shared_ptr<run_memory> memory) const override {
        return make_device_runner(data, options, std::dynamic_pointer_cast<run_lanes>(memory));
    }
    std::unique_ptr<kernel> adopt(const problem& p, std::unique_ptr<kernel> k) const override {
        return on_host(device_problem{p, on}, std::move(k));
    }
    bool parts_stay() const override { return true; }
    std::optional<argument> evaluate(const operation& op,
                                     const std::vector<argument>& in) const override {
        return between.evaluate(op, in);
    }
    std::vector<argument> fetch(std::vector<argument> values) const override {
        return between.to_host(std::move(values));
    }
    argument to_host(const argument& a) const override { return gpu::to_host(on, a); }
    argument from_host(const argument& a) const override { return to_device(on, a); }
};

// Results of programs whose sizes are all known go where the caller wants them, unless they are
// copied to the host.
struct results_by_parameter {
    std::string name() const { return "results_by_parameter"; }
    void apply(program& p) const {
        if (all_static(p))
            run_passes(p, {make_pass("add_output_parameters")}, {});
    }
};

} // namespace

std::shared_ptr<const backend> make_backend(std::shared_ptr<device> on) {
    return std::make_shared<const gpu_backend>(std::move(on));
}

std::vector<pass> passes_for_all_sizes(std::shared_ptr<const backend> b,
                                       const compile_options& options) {
    return {
        make_pass("normalize_ops"),
        make_pass("relax_views"),
        make_pass("rewrite_rnn"),
        make_pass("eliminate_identity"),
        make_pass("eliminate_common_subexpression"),
        quantised_products(),
        fuse_block_weights{},
        propagate_constant{},
        make_pass("fold_convolution"),
        propagate_constant{},
        simplify_for_all_sizes(),
        enable_pass(not options.is_dynamic, specialise_static(std::move(b), options)),
        enable_pass(not options.is_dynamic and not options.offload_copy, results_by_parameter{})};
}

} // namespace migraphx::gpu
