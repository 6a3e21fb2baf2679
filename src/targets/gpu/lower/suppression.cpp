// SPDX-License-Identifier: MIT
// nonmaxsuppression: the scores of each line are sorted (topk), then device_code/suppression.cuh.
#include "targets/gpu/lower/copy.hpp"
#include "targets/gpu/lower/sorted.hpp"

#include "base/rounding.hpp"
#include "base/str.hpp"
#include "ops/shape_input.hpp"

#include <algorithm>

namespace migraphx::gpu {

namespace {

// A limit as the text reads it, and its parameter, if there is one.
struct limit_text {
    std::string value, pointer;
};

limit_text limit_of(const device_problem& p, std::size_t i, const char* name, const char* type) {
    if (i >= p.inputs.size())
        return {"0", ""};
    if (is_absent(p.inputs, i) or p.inputs[i].elements() == 0)
        return {"0", str("const void* ", name, ", ")};
    const auto given = device_type(p.inputs[i].type());
    return {str("convert<", type, ">(*", name, ")"), str("const ", given, "* ", name, ", ")};
}

lowered nonmaxsuppression(const device_problem& p) {
    const auto &boxes = p.inputs[0], &scores = p.inputs[1];
    for (const auto& s : p.inputs)
        if (s.elements() > 0 and device_type(s.type()).empty())
            return lowered::refuse("type " + s.type_string());
    if (not is_dense(p.output))
        return lowered::refuse("a result that is not row-major");
    if (scores.elements() == 0)
        return one_launch(p, fill_box(*p.on, {lens_of(p.output), {strides_of(p.output)}},
                                      std::vector<char>(p.output.type_size())));
    const auto lines = int64_t(scores.lens()[0] * scores.lens()[1]);
    const auto count = int64_t(scores.lens()[2]);

    sorted_lines s{p, scores, true};
    if (not s.sort)
        return lowered::refuse(s.sort.reason);
    const auto q = s.after(boxes, {p.inputs.begin() + 2, p.inputs.end()});
    index_params params{box{lens_of(boxes), {strides_of(boxes)}}.is_large() or
                        lines * count >= int64_t{1} << 28};
    const auto chosen = round_up<int64_t>((lines + 1) * 8, 256);
    params.add_divider(int64_t(scores.lens()[1]));
    params.add(strides_of(boxes));
    for (auto v : {lines, count, int64_t(p.output.lens()[0]), chosen})
        params.add(v);
    const auto most = limit_of(p, 2, "most", "i64"), iou = limit_of(p, 3, "iou", "f64"),
               threshold = limit_of(p, 4, "threshold", "f64");
    const auto flag = [](bool b) { return b ? "true" : "false"; };
    const auto parameters =
        str("const ", device_type(boxes.type()), "* boxes, const ", device_type(scores.type()),
            "* scores, const i64* order, ", most.pointer, iou.pointer, threshold.pointer,
            "i64* y, char* scratch, const suppression_params<", params.type(), "> p");
    entry_list entries{"nonmaxsuppression", "suppression.cuh", parameters, params.data(),
                       std::size_t(chosen + lines * count * 4)};
    const auto over_lines = launch_for(*p.on, lines * block_size);
    entries.add("suppress",
                str("choose_boxes<", flag(p.op.get<bool>("center_point_box")), ", ",
                    flag(not is_absent(p.inputs, 4)), ">(boxes, scores, order, scratch, ",
                    most.value, ", ", iou.value, ", ", threshold.value, ", p);"),
                over_lines);
    entries.add("add_up",
                str("add_up_counts(reinterpret_cast<", params.type(), "*>(scratch), p.lines);"),
                {{1}, {block_size}});
    entries.add("write", "write_chosen(y, scratch, p);", over_lines);
    auto k = s.then(make_generated(q, std::move(entries.launches)), 1);
    const auto bytes = std::size_t(params.large() ? 8 : 4);
    const auto total = k->own_scratch() + std::size_t(lines) * bytes;
    return std::make_unique<counted_kernel>(std::move(k), total, bytes);
}

const implementations choices{{"nonmaxsuppression"}, {{"tiles", nonmaxsuppression}}};

} // namespace

} // namespace migraphx::gpu
