// SPDX-License-Identifier: MIT
// topk, nonzero and nonmaxsuppression.
#include "targets/cpu/kernels/dispatch/run_select.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/lowering.hpp"

#include <migraphx/errors.hpp>

#include "base/str.hpp"
#include "ops/shape_input.hpp"

#include <algorithm>
#include <cstring>

namespace migraphx::cpu {

namespace {

lowered topk(const problem& p) {
    const auto& x = p.inputs[0];
    const auto type = element_of(x.type());
    if (not type)
        return lowered::refuse("type " + x.type_string());
    if (x.ndim() == 0 or x.ndim() > 8)
        return lowered::refuse("no axes, or more than 8");
    const auto &values = p.output.sub_shapes()[0], &indices = p.output.sub_shapes()[1];
    const auto axis = p.op.get<std::size_t>("axis");
    scratch_layout scratch;
    std::optional<dense_input> names;
    if (p.inputs.size() == 2 and p.op.name() == "topk") {
        if (p.inputs[1].type() != shape::int64_type)
            return lowered::refuse("indices of type " + p.inputs[1].type_string());
        names = dense_input::make(p, 1, scratch);
        if (not names)
            return lowered::refuse("indices that cannot be copied");
    }
    topk_problem q;
    q.type = *type;
    q.largest = p.op.get<bool>("largest");
    q.k = int64_t(values.lens()[axis]);
    q.rank = int(x.ndim());
    q.axis = int(axis);
    if (q.k > int64_t(x.lens()[axis]))
        return lowered::refuse("more elements than there are");
    return make_kernel(
        "topk", scratch.bytes(),
        [q, names, lens = lens_of(x), xs = strides_of(x), ys = strides_of(values),
         is = strides_of(indices), none = values.elements() == 0](const kernel_args& args) {
            if (none)
                return;
            auto r = q;
            r.lens = lens.data();
            r.x = args.inputs[0];
            r.x_strides = xs.data();
            r.y = args.outputs[0];
            r.y_strides = ys.data();
            r.idx = reinterpret_cast<int64_t*>(args.outputs[1]);
            r.idx_strides = is.data();
            r.names = names ? reinterpret_cast<const int64_t*>(names->get(args)) : nullptr;
            run_topk(r);
        });
}

[[noreturn]] void fail_count(const char* op, std::size_t wanted, std::size_t got) {
    fail(error_kind::invalid_argument, str(op, ": ", wanted, " results were expected, got ", got));
}

// Flat positions as indices along axis d, whose elements lie `step` apart.
void write_indices(const std::vector<int64_t>& found, int64_t step, int64_t len, bool outermost,
                   int64_t* to) {
    if (step == 1 and outermost)
        std::copy(found.begin(), found.end(), to);
    else
        for (std::size_t i = 0; i < found.size(); i++)
            to[i] = found[i] / step % len;
}

lowered nonzero(const problem& p) {
    const auto& x = p.inputs[0];
    const auto type = element_of(x.type());
    if (not type or not is_dense(p.output))
        return lowered::refuse("type " + x.type_string());
    scratch_layout scratch;
    const auto in = dense_input::make(p, 0, scratch);
    if (not in)
        return lowered::refuse("more than 8 axes");
    const bool exact = p.op.get<bool>("use_dyn_output");
    const auto columns = p.output.lens()[1];
    return make_kernel("nonzero", scratch.bytes(),
                       [=, type = *type, in = *in, lens = lens_of(x),
                        n = int64_t(x.elements())](const kernel_args& args) {
                           const auto found = run_nonzero(type, in.get(args), n);
                           if (found.size() > columns or (exact and found.size() != columns))
                               fail_count("nonzero", columns, found.size());
                           auto* to = reinterpret_cast<int64_t*>(args.outputs[0]);
                           int64_t step = 1;
                           for (std::size_t d = lens.size(); d-- > 0; step *= lens[d]) {
                               auto* row = to + d * columns;
                               write_indices(found, step, lens[d], d == 0, row);
                               std::fill(row + found.size(), row + columns, 0);
                           }
                       });
}

double number_at(elem_type type, const char* at) {
    switch (type) {
    case elem_type::f32:
        return double(*reinterpret_cast<const float*>(at));
    case elem_type::f64:
        return *reinterpret_cast<const double*>(at);
    case elem_type::i32:
        return double(*reinterpret_cast<const int32_t*>(at));
    default:
        return double(*reinterpret_cast<const int64_t*>(at));
    }
}

// A limit of any size as a count.
int64_t count_of(double limit) {
    return int64_t(std::clamp(limit, 0.0, 0x1p62));
}

bool is_number(elem_type type) {
    return type == elem_type::f32 or type == elem_type::f64 or type == elem_type::i32 or
           type == elem_type::i64;
}

// A number from an optional input.
struct number_input {
    std::size_t index = 0;
    std::optional<elem_type> type; ///< none: the input is not there

    double get(const kernel_args& args) const {
        return type ? number_at(*type, args.inputs[index]) : 0;
    }
};

bool read_number(const problem& p, std::size_t i, number_input& n) {
    n.index = i;
    if (is_absent(p.inputs, i) or p.inputs[i].elements() == 0)
        return true;
    n.type = element_of(p.inputs[i].type());
    return n.type and is_number(*n.type);
}

lowered nonmaxsuppression(const problem& p) {
    const auto &boxes = p.inputs[0], &scores = p.inputs[1];
    if (boxes.type() != shape::float_type or scores.type() != shape::float_type or
        not is_dense(p.output))
        return lowered::refuse("type " + boxes.type_string());
    scratch_layout scratch;
    const auto box_input = dense_input::make(p, 0, scratch),
               score_input = dense_input::make(p, 1, scratch);
    number_input most, iou, threshold;
    if (not box_input or not score_input or not read_number(p, 2, most) or
        not read_number(p, 3, iou) or not read_number(p, 4, threshold))
        return lowered::refuse("limits of another type");
    suppression_problem q;
    q.batches = int64_t(scores.lens()[0]);
    q.classes = int64_t(scores.lens()[1]);
    q.count = int64_t(scores.lens()[2]);
    q.center_point_box = p.op.get<bool>("center_point_box");
    q.has_threshold = not is_absent(p.inputs, 4);
    const bool exact = p.op.get<bool>("use_dyn_output");
    const auto rows = p.output.lens()[0];
    return make_kernel(
        "nonmaxsuppression", scratch.bytes(),
        [=, box_input = *box_input, score_input = *score_input](const kernel_args& args) {
            auto r = q;
            r.boxes = reinterpret_cast<const float*>(box_input.get(args));
            r.scores = reinterpret_cast<const float*>(score_input.get(args));
            r.most = count_of(most.get(args));
            r.iou = float(iou.get(args));
            r.threshold = float(threshold.get(args));
            const auto chosen = r.most > 0 ? run_suppression(r) : std::vector<int64_t>{};
            if (chosen.size() > 3 * rows or (exact and chosen.size() != 3 * rows))
                fail_count("nonmaxsuppression", rows, chosen.size() / 3);
            auto* to = reinterpret_cast<int64_t*>(args.outputs[0]);
            std::copy(chosen.begin(), chosen.end(), to);
            std::fill(to + chosen.size(), to + 3 * rows, 0);
        });
}

// ---- results of unknown size

argument row_major(const argument& a) {
    if (is_dense(a.get_shape()))
        return a;
    const auto c = strided_copy::make(a.get_shape(), a.get_shape().as_standard());
    if (not c)
        return {};
    auto copy = argument::uninitialized(a.get_shape().as_standard());
    c->run(a.data(), copy.data());
    return copy;
}

std::optional<argument> nonzero_columns(const argument& given) {
    const auto type = element_of(given.get_shape().type());
    const auto x = row_major(given);
    if (not type or x.get_shape().elements() != given.get_shape().elements())
        return std::nullopt;
    const auto found = run_nonzero(*type, x.data(), int64_t(x.get_shape().elements()));
    const auto lens = lens_of(given.get_shape());
    auto result = argument::uninitialized(shape{shape::int64_type, {lens.size(), found.size()}});
    auto* to = reinterpret_cast<int64_t*>(result.data());
    int64_t step = 1;
    for (std::size_t d = lens.size(); d-- > 0; step *= lens[d])
        write_indices(found, step, lens[d], d == 0, to + d * found.size());
    return result;
}

std::optional<argument> chosen_boxes(const operation& op, const std::vector<argument>& in) {
    if (in[0].get_shape().type() != shape::float_type or
        in[1].get_shape().type() != shape::float_type)
        return std::nullopt;
    double limits[3] = {};
    for (std::size_t i = 2; i < in.size() and i < 5; i++) {
        if (is_absent(in, i) or in[i].get_shape().elements() == 0)
            continue;
        const auto type = element_of(in[i].get_shape().type());
        if (not type or not is_number(*type))
            return std::nullopt;
        limits[i - 2] = number_at(*type, in[i].data());
    }
    const auto &boxes = in[0].get_shape().lens(), &scores = in[1].get_shape().lens();
    if (boxes[0] != scores[0] or boxes[1] != scores[2])
        return std::nullopt;
    const auto b = row_major(in[0]), s = row_major(in[1]);
    if (b.get_shape().lens() != boxes or s.get_shape().lens() != scores)
        return std::nullopt;
    suppression_problem q;
    q.boxes = reinterpret_cast<const float*>(b.data());
    q.scores = reinterpret_cast<const float*>(s.data());
    q.batches = int64_t(scores[0]);
    q.classes = int64_t(scores[1]);
    q.count = int64_t(scores[2]);
    q.center_point_box = op.get<bool>("center_point_box");
    q.most = count_of(limits[0]);
    q.iou = float(limits[1]);
    q.has_threshold = not is_absent(in, 4);
    q.threshold = float(limits[2]);
    const auto rows = q.most > 0 ? run_suppression(q) : std::vector<int64_t>{};
    auto result = argument::uninitialized(shape{shape::int64_type, {rows.size() / 3, 3}});
    std::copy(rows.begin(), rows.end(), reinterpret_cast<int64_t*>(result.data()));
    return result;
}

const implementations topk_choices{{"topk", "topk_dynamic"}, {{"topk", topk}}};
const implementations nonzero_choices{{"nonzero"}, {{"nonzero", nonzero}}};
const implementations suppression_choices{{"nonmaxsuppression"},
                                          {{"nonmaxsuppression", nonmaxsuppression}}};

} // namespace

std::optional<argument> evaluate_selection(const operation& op, const std::vector<argument>& in) {
    const auto name = op.name();
    if ((name != "nonzero" and name != "nonmaxsuppression") or not op.get<bool>("use_dyn_output"))
        return std::nullopt;
    return name == "nonzero" ? nonzero_columns(in[0]) : chosen_boxes(op, in);
}

} // namespace migraphx::cpu
