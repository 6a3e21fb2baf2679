// SPDX-License-Identifier: MIT
// nonmaxsuppression: the scores of each line are sorted (topk), then device_code/suppression.cuh.
#include "targets/gpu/lower/copy.hpp"

#include <migraphx/make_op.hpp>

#include "base/rounding.hpp"
#include "base/str.hpp"
#include "ops/shape_input.hpp"
#include "runtime/implementation_table.hpp"

#include <algorithm>

namespace migraphx::gpu {

namespace {

// Memory of the steps, in bytes: sorted scores, their order, what a step needs for itself.
struct suppression_kernel : kernel {
    std::unique_ptr<kernel> sort, choose;
    std::size_t inputs = 0, order = 0, rest = 0;

    void run(const kernel_args& args) const override {
        char* const sorted[] = {args.scratch, args.scratch + order};
        sort->run({args.inputs + 1, sorted, args.scratch + rest, args.queue});
        char* in[6] = {args.inputs[0], sorted[0], sorted[1]};
        std::copy(args.inputs + 2, args.inputs + inputs, in + 3);
        choose->run({in, args.outputs, args.scratch + rest, args.queue});
    }
    std::size_t scratch_bytes() const override {
        return rest + std::max(sort->scratch_bytes(), choose->scratch_bytes());
    }
    std::string name() const override { return choose->name(); }
};

// A limit as the text reads it, and the type of its pointer.
struct limit_text {
    std::string value, pointer;
};

limit_text limit_of(const device_problem& p, std::size_t i, const char* name, const char* type) {
    if (is_absent(p.inputs, i) or p.inputs[i].elements() == 0)
        return {"0", str("const void* ", name)};
    const auto given = device_type(p.inputs[i].type());
    return {str("convert<", type, ">(*", name, ")"), str("const ", given, "* ", name)};
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

    auto q = p;
    q.ins = {};
    q.op = make_op("topk", {{"axis", 2}, {"k", count}, {"largest", 1}});
    q.inputs = {scores};
    q.constants.clear();
    const auto sorted = scores.as_standard();
    const shape order{shape::int64_type, sorted.lens()};
    q.output = shape{std::vector<shape>{sorted, order}};
    auto sort = first_that_takes(q, implementations_of("topk"));
    if (not sort)
        return lowered::refuse(sort.reason);

    q.op = p.op;
    q.output = p.output;
    q.inputs = {boxes, sorted, order};
    q.inputs.resize(6);
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
    const auto parameters = str(
        "const ", device_type(boxes.type()), "* boxes, const ", device_type(scores.type()),
        "* scores, const i64* order, ", most.pointer, ", ", iou.pointer, ", ", threshold.pointer,
        ", i64* y, char* scratch, const suppression_params<", params.type(), "> p");
    std::vector<generated> launches;
    const auto add = [&](const char* name, const std::string& body, launch_shape launch) {
        generated g;
        g.name = "nonmaxsuppression";
        g.entry = name;
        g.source = entry_text("suppression.cuh", name, parameters, body);
        g.params = params.data();
        g.scratch = std::size_t(chosen + lines * count * 4);
        g.launch = launch;
        launches.push_back(std::move(g));
    };
    const auto over_lines = launch_for(*p.on, lines * block_size);
    add("suppress",
        str("choose_boxes<", flag(p.op.get<bool>("center_point_box")), ", ",
            flag(not is_absent(p.inputs, 4)), ">(boxes, scores, order, scratch, ", most.value, ", ",
            iou.value, ", ", threshold.value, ", p);"),
        over_lines);
    add("add_up", str("add_up_counts(reinterpret_cast<", params.type(), "*>(scratch), p.lines);"),
        {{1}, {block_size}});
    add("write", "write_chosen(y, scratch, p);", over_lines);
    auto k = std::make_unique<suppression_kernel>();
    k->sort = std::move(sort.k);
    k->choose = make_generated(q, std::move(launches));
    k->order = round_up(sorted.bytes(), std::size_t{256});
    k->rest = k->order + round_up(order.bytes(), std::size_t{256});
    k->inputs = p.inputs.size();
    return k;
}

const implementations choices{{"nonmaxsuppression"}, {{"tiles", nonmaxsuppression}}};

} // namespace

} // namespace migraphx::gpu
