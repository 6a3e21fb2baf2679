// SPDX-License-Identifier: MIT
// nonmaxsuppression(boxes (B, N, 4), scores (B, C, N)[, most, iou, score]): for each batch and
// class, boxes by falling score (equal ones by index) that no chosen box overlaps by more than
// `iou`, at most `most` of them, as rows (batch, class, box). The rows after the last one are zero,
// or not there with `use_dyn_output`.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include <algorithm>
#include <array>

namespace migraphx {

namespace {

struct nms_box {
    double x0, y0, x1, y1;
    double area() const { return std::max(0.0, x1 - x0) * std::max(0.0, y1 - y0); }
};

double overlap(const nms_box& a, const nms_box& b) {
    const nms_box both{std::max(a.x0, b.x0), std::max(a.y0, b.y0), std::min(a.x1, b.x1),
                       std::min(a.y1, b.y1)};
    const auto shared = both.area();
    const auto all = a.area() + b.area() - shared;
    return all > 0 ? shared / all : 0;
}

struct nonmaxsuppression_op {
    bool center_point_box = false;
    bool use_dyn_output = false;

    static constexpr auto name = "nonmaxsuppression";
    static constexpr auto summary = "Boxes of high score that do not overlap, for each class";
    static void fields(field_list<nonmaxsuppression_op>& f) {
        f.add("center_point_box", &nonmaxsuppression_op::center_point_box,
              "boxes are (x center, y center, width, height), else two corners (y, x, y, x)");
        f.add("use_dyn_output", &nonmaxsuppression_op::use_dyn_output,
              "as many rows as boxes chosen, else as scores");
    }
    static std::vector<std::size_t> shape_inputs() { return {0, 1, 2, 3, 4}; }

    shape infer(const std::vector<shape>& in) const {
        expect(in).at_least(2).that(in.size() <= 5,
                                    str("at most 5 inputs were expected, got ", in.size()));
        expect(in).only(0, 2).rank(3).floating();
        const auto boxes = in[0].max_lens(), scores = in[1].max_lens();
        if (boxes[2] != 4)
            fail_shape(str("4 coordinates for each box were expected, got ", boxes[2]));
        if (not in[0].dynamic() and not in[1].dynamic() and
            (boxes[0] != scores[0] or boxes[1] != scores[2]))
            fail_shape(
                str("boxes and scores of equal batches and numbers of boxes were expected, got ",
                    in[0], " and ", in[1]));
        for (std::size_t i = 2; i < in.size(); ++i)
            if (not is_absent(in, i) and not in[i].dynamic() and in[i].elements() > 1)
                fail_shape(str("one number was expected for input ", i, ", got ", in[i]));
        std::size_t rows = scores[0];
        for (auto n : {scores[1], scores[2]})
            if (__builtin_mul_overflow(rows, n, &rows))
                rows = std::numeric_limits<std::size_t>::max();
        if (not use_dyn_output and in[1].symbolic()) {
            const auto& d = in[1].dyn_dims();
            return dynamic_shape(in[1], shape::int64_type, {d[0] * d[1] * d[2], {3, 3}});
        }
        if (use_dyn_output or in[0].dynamic() or in[1].dynamic())
            return {shape::int64_type, std::vector<shape::dynamic_dimension>{{0, rows}, {3, 3}}};
        return {shape::int64_type, {rows, 3}};
    }

    template <class T>
    static T number(const std::vector<argument>& in, std::size_t i, T otherwise) {
        if (is_absent(in, i) or in[i].get_shape().elements() == 0)
            return otherwise;
        return load<T>(in[i])[0];
    }
    nms_box box(const double* p) const {
        if (center_point_box)
            return {p[0] - p[2] / 2, p[1] - p[3] / 2, p[0] + p[2] / 2, p[1] + p[3] / 2};
        return {std::min(p[1], p[3]), std::min(p[0], p[2]), std::max(p[1], p[3]),
                std::max(p[0], p[2])};
    }
    std::vector<std::array<std::size_t, 3>> choose(const std::vector<argument>& in) const {
        const numbers<double> boxes(in[0]), scores(in[1]);
        const auto most = number<int64_t>(in, 2, 0);
        const auto iou = number<double>(in, 3, 0), threshold = number<double>(in, 4, 0);
        const bool has_threshold = not is_absent(in, 4);
        const auto batches = scores.lens[0], classes = scores.lens[1], n = scores.lens[2];
        if (boxes.lens[0] != batches or boxes.lens[1] != n)
            fail_shape(
                "boxes and scores of equal batches and numbers of boxes were expected, got others");
        std::vector<std::array<std::size_t, 3>> result;
        for (std::size_t b = 0; b < batches and most > 0; ++b)
            for (std::size_t c = 0; c < classes; ++c) {
                const double* score = scores.data.data() + (b * classes + c) * n;
                std::vector<std::size_t> order;
                for (std::size_t i = 0; i < n; ++i)
                    if (not has_threshold or score[i] > threshold)
                        order.push_back(i);
                std::stable_sort(order.begin(), order.end(),
                                 [&](std::size_t i, std::size_t j) { return score[i] > score[j]; });
                std::vector<nms_box> kept;
                for (auto i : order) {
                    if (kept.size() == static_cast<std::size_t>(most))
                        break;
                    const auto candidate = box(boxes.data.data() + (b * n + i) * 4);
                    if (std::any_of(kept.begin(), kept.end(),
                                    [&](const nms_box& k) { return overlap(k, candidate) > iou; }))
                        continue;
                    kept.push_back(candidate);
                    result.push_back({b, c, i});
                }
            }
        return result;
    }
    shape resolve(const std::vector<argument>& in) const {
        const auto stated = infer(to_shapes(in));
        return use_dyn_output ? shape{shape::int64_type, {choose(in).size(), 3}} : stated;
    }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        const auto rows = choose(in);
        const auto all = in[1].get_shape().elements();
        argument out(shape{shape::int64_type, {use_dyn_output ? rows.size() : all, 3}});
        std::vector<int64_t> flat;
        for (const auto& row : rows)
            for (auto x : row)
                flat.push_back(static_cast<int64_t>(x));
        store(out, 0, flat.size(), flat.data());
        return out;
    }
};

const registered_op<nonmaxsuppression_op> nonmaxsuppression_registered;

} // namespace

} // namespace migraphx
