// SPDX-License-Identifier: MIT
#include "targets/cpu/lower/split_product.hpp"

#include "base/parallel.hpp"
#include "base/rounding.hpp"
#include "base/str.hpp"
#include "runtime/buffer_pool.hpp"
#include "runtime/weight_store.hpp"

namespace migraphx::cpu {

namespace {

constexpr int64_t tile = amx_kernels::tile_rows, step = amx_kernels::step;

// The share of the tiles' work that counts.
double filling(const split_schedule& s) {
    const auto& q = s.product;
    const double depth = double(q.depth) / double(round_up(q.depth, step));
    const double columns = double(q.columns) / double(round_up(q.columns, tile / 2));
    const double rows =
        double(q.kept) / double(q.line) * double(q.rows) / double(round_up(q.rows, tile / 2));
    return depth * columns * rows;
}

const float* floats(const char* p) {
    return reinterpret_cast<const float*>(p);
}

struct split_kernel : kernel {
    split_schedule schedule;
    planned_epilogue epilogue;
    std::shared_ptr<const packed_weight> panels;

    void run(const kernel_args& args) const override {
        const auto* bias = epilogue.bias ? floats(args.inputs[*epilogue.bias]) : nullptr;
        run_split(schedule, floats(args.inputs[0]), floats(panels->data.get()),
                  reinterpret_cast<float*>(args.outputs[0]), epilogue.bound(args, bias),
                  args.scratch, kernels().amx);
    }
    std::size_t scratch_bytes() const override { return schedule.scratch_bytes(); }
    std::string name() const override { return "split_product amx"; }
    bool reads_input(std::size_t i) const override { return i != 1; }
    void add_constants(held_constants& held) const override { panels->add_to(held); }
};

} // namespace

std::string split_refusal(const problem& p) {
    if (kernels().amx.multiply == nullptr)
        return "no matrix tiles";
    if (not p.fast_math)
        return "plain sums are asked for";
    return "";
}

std::string split_size_refusal(const split_convolution& c) {
    const auto s = schedule_split(c, 1, kernels().amx);
    // Vectors do a third to two fifths of what full tiles do; cutting A and the panels costs as
    // much as some 20 columns and 30 rows.
    const double rows = double(c.images * c.out_height * c.out_width), columns = double(c.outputs);
    const double share = filling(s) * rows / (rows + 30) * columns / (columns + 20);
    if (share < 0.4)
        return str("tiles would be filled to ", int(share * 100), " %");
    // Measured, 1x1 windows on two threads of a Sapphire Rapids: 5 million multiplications take 47
    // us on tiles and 16 on vectors, 13 million 0.14 ms on both, 51 million 0.23 and 0.38 ms.
    const double least_work = 10e6 * num_threads();
    if (rows * columns * double(c.channels * c.kernel_height * c.kernel_width) < least_work)
        return "too little work for each thread";
    return "";
}

lowered make_split_kernel(const problem& p, const split_problem& s) {
    const auto& c = s.sizes;
    if (auto r = split_size_refusal(c); not r.empty())
        return lowered::refuse(r);
    auto result = std::make_unique<split_kernel>();
    const auto form = str("split columns ", tile, ' ', p.inputs[1], ' ', s.weights.output, ' ',
                          s.weights.channel);
    const auto count = split_panel_floats(c);
    result->panels = p.weights->get(p.constants[1], form, [&] {
        auto packed = allocate_weight((count + 1) * sizeof(float));
        auto* panels = reinterpret_cast<float*>(packed.data.get());
        panels[count] = pack_split(c, s.weights, panels) ? 1 : 0;
        return packed;
    });
    if (floats(result->panels->data.get())[count] == 0)
        return lowered::refuse("weights that are not finite");
    result->schedule = schedule_split(c, num_threads(), kernels().amx);
    result->epilogue = s.epilogue;
    return result;
}

} // namespace migraphx::cpu
