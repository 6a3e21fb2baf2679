// SPDX-License-Identifier: MIT
// Operators on float or double in a shorter floating-point type: their operands are converted,
// their results are converted back. Conversions between neighbours go.
#include <migraphx/make_op.hpp>
#include <migraphx/truncate_float.hpp>

#include "ops/pointwise_table.hpp"
#include "passes/channel_numbers.hpp"
#include "passes/data_type.hpp"
#include "passes/flat_images.hpp"
#include "passes/float_gates.hpp"
#include "passes/float_images.hpp"
#include "passes/float_scales.hpp"
#include "passes/pass_registry.hpp"
#include "passes/rounded_windows.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <vector>

namespace migraphx {

namespace {

using instruction_set = std::unordered_set<instruction_ref>;

bool is_pointwise(instruction_ref ins) {
    return find_pointwise_row(ins->name()) != nullptr;
}

bool is_square(instruction_ref ins) {
    const auto& in = ins->inputs();
    return ins->name() == "pow" or ins->name() == "sqdiff" or
           (ins->name() == "mul" and in[0] == in[1]);
}

// Half ends at 65504: squares leave it from 256 on, sums of many elements soon. So sums stay as
// they are, with the squares that they add, and so does what is computed from them alone (the
// variance and its root in a norm), up to where it meets another tensor.
instruction_set sums_in_float(const module& m) {
    instruction_set kept;
    const auto follows = [&](instruction_ref x) { return kept.contains(x) or x->can_eval(); };
    for (auto ins = m.begin(); ins != m.end(); ++ins) {
        const auto& in = ins->inputs();
        if (ins->name() == "reduce_sum") {
            kept.insert(ins);
            if (is_square(in.front()) and in.front()->outputs().size() == 1)
                kept.insert(in.front());
        } else if ((is_pointwise(ins) or ins->get_operator().info().is_view) and
                   std::any_of(in.begin(), in.end(), [&](auto x) { return kept.contains(x); }) and
                   std::all_of(in.begin(), in.end(), follows))
            kept.insert(ins);
    }
    return kept;
}

// Rounded once, where what is computed from constants meets data.
bool is_constant_arithmetic(instruction_ref ins) {
    return is_pointwise(ins) and ins->can_eval();
}

// A result with several readers is stored: rounded, as it would be otherwise.
void round_result(module& m, instruction_ref ins, shape::type_t t) {
    const std::vector<instruction_ref> readers(ins->outputs());
    const auto after = std::next(ins);
    const auto type = ins->get_shape().type();
    const auto stored =
        m.insert_instruction(after, make_op("convert", {{"target_type", t}}), {ins});
    const auto read =
        m.insert_instruction(after, make_op("convert", {{"target_type", type}}), {stored});
    for (auto reader : readers)
        instruction::replace_argument(reader, ins, read);
}

// Weights stay as they are, data are rounded as if they were not.
void keep_weights(module& m, instruction_ref ins, shape::type_t t) {
    const auto x = ins->inputs()[0];
    const auto type = x->get_shape().type();
    if (x->name() == "convert" and x->inputs().front()->get_shape().type() == t)
        return;
    const auto rounded = m.insert_instruction(ins, make_op("convert", {{"target_type", t}}), x);
    instruction::replace_argument(
        ins, x, m.insert_instruction(ins, make_op("convert", {{"target_type", type}}), rounded));
}

// Means that are poolings become reductions, which the conversion of their data runs together with.
// Where gates meet their data, and scales, the results of kernels are rounded, not what they read,
// but for images that stay in float.
void keep_gates(module& m, instruction_set& kept, shape::type_t t) {
    const auto gates = float_gates(m);
    const auto windows = convolutions_of_float_images(m);
    kept.insert(windows.begin(), windows.end());
    const auto reads_in_float = [&](instruction_ref reader) {
        return is_pointwise(reader) or gates.contains(reader) or windows.contains(reader);
    };
    for (auto ins : float_scales(m, t, gates)) {
        kept.insert(ins);
        const auto readers = value_readers(ins);
        if (not is_pointwise(ins) or readers.size() < 2 or has_pointwise_readers(ins) or
            (is_narrow_image(ins) and std::all_of(readers.begin(), readers.end(), reads_in_float)))
            continue;
        round_result(m, ins, t);
    }
    for (auto ins : products_before_gates(m, gates)) {
        keep_weights(m, ins, t);
        kept.insert(ins);
    }
    kept.insert(gates.begin(), gates.end());
    for (auto ins : gates) {
        if (not is_mean_pooling(ins))
            continue;
        std::vector<int64_t> spatial;
        for (std::size_t i = 2; i < ins->get_shape().ndim(); i++)
            spatial.push_back(int64_t(i));
        kept.erase(ins);
        kept.insert(
            m.replace_instruction(ins, make_op("reduce_mean", {{"axes", spatial}}), ins->inputs()));
    }
}

// Constant weights of convolutions in the type that these are about to be computed in: the sums of
// windows stay, and what flat images lose is added again. Where there are many, sums over channels
// even out what single windows lose, and the time would be felt.
class weight_rounder {
public:
    weight_rounder(module& mod, const type_change& c, bool keeps_gates) : m(mod), change(c) {
        if (not keeps_gates)
            return;
        in_float = float_gates(m);
        const auto products = products_before_gates(m, in_float);
        in_float.insert(products.begin(), products.end());
        in_float.merge(convolutions_of_float_images(m));
    }

    void run() {
        const auto images = flat_images(m);
        for (auto ins : instructions_of(m)) {
            if (ins->name() != "convolution" or in_float.contains(ins))
                continue;
            const auto w = ins->inputs()[1];
            const auto& s = w->get_shape();
            if (not w->can_eval() or s.dynamic() or not change.from.contains(s.type()))
                continue;
            const auto image = images.find(ins->inputs()[0]);
            round(ins, w, image == images.end() ? nullptr : &image->second);
        }
    }

private:
    void round(instruction_ref ins, instruction_ref w, const flat_image* x) {
        constexpr std::size_t most = std::size_t{1} << 18;
        const auto& s = w->get_shape();
        if (s.elements() > most)
            return;
        const auto weights = w->eval();
        const auto rounded = rounded_windows(weights, change.to);
        if (x != nullptr)
            add_to_channels(m, ins,
                            lost_by_rounding(weights, rounded,
                                             ins->get_operator().get<std::size_t>("group"), *x));
        const auto value = m.add_literal(literal::adopt(rounded));
        const auto back = make_op("convert", {{"target_type", s.type()}});
        instruction::replace_argument(ins, w, m.insert_instruction(ins, back, {value}));
    }

    module& m;
    const type_change& change;
    instruction_set in_float;
};

} // namespace

void truncate_float_pass::apply(module& m) const {
    const auto named = [&](const std::string& name) {
        return std::any_of(ins_names.begin(), ins_names.end(),
                           [&](const auto& x) { return x == "all" or x == name; });
    };
    const type_change change{{shape::float_type, shape::double_type}, float_type};
    const bool shorter = is_short(float_type);
    const bool all = std::find(ins_names.begin(), ins_names.end(), "all") != ins_names.end();
    if (shorter and all)
        fold_channel_constants(m);
    if (shorter and named("convolution"))
        weight_rounder{m, change, all}.run();
    instruction_set kept;
    if (all) {
        kept = sums_in_float(m);
        if (shorter)
            keep_gates(m, kept, float_type);
    }
    for (auto ins : instructions_of(m)) {
        if (not named(ins->name()) or kept.contains(ins) or (all and is_constant_arithmetic(ins)) or
            ins->name() == "quantizelinear" or ins->name() == "dequantizelinear")
            continue;
        compute_in(m, ins, change);
    }
}

namespace {

const registered_pass truncate_float_registered{"truncate_float",
                                                [] { return truncate_float_pass{}; }};

} // namespace

} // namespace migraphx
