// SPDX-License-Identifier: MIT
#include "import/onnx/ops_ml.hpp"

#include <migraphx/make_op.hpp>

#include "import/onnx/tensor_argument.hpp"

#include <cmath>
#include <numbers>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

instruction_ref is_true(node_reader& n, const char* op, instruction_ref x, double v) {
    return n.convert(n.with_number(op, x, v), shape::bool_type);
}

instruction_ref choose(node_reader& n, instruction_ref condition, instruction_ref yes,
                       instruction_ref no) {
    return n.add("where", condition, yes, n.broadcast_like(no, yes));
}

instruction_ref along_row(node_reader& n, const char* reduce, instruction_ref x) {
    return n.broadcast_like(n.add(make_op(reduce, {{"axes", ints{1}}}), {x}), x);
}

// exp(x - max) over their sum, where an x of 0 stays 0. A row of zeros becomes 0.5.
instruction_ref softmax_zero(node_reader& n, instruction_ref x) {
    const auto top = along_row(n, "reduce_max", x);
    const auto small = n.convert(n.with_number("greater", n.add("abs", x), 1e-7), shape::bool_type);
    const auto parts = choose(n, small, n.add("exp", n.add("sub", x, top)),
                              n.add("mul", x, n.add("exp", n.add("neg", top))));
    const auto sum = along_row(n, "reduce_sum", parts);
    const auto half = n.scalar(x->get_shape().type(), 0.5);
    const auto none = is_true(n, "equal", sum, 0);
    return n.add("where", none, n.broadcast_like(half, parts), n.add("div", parts, sum));
}

// sqrt(2) erfinv(2 x - 1), with erfinv by Winitzki's formula, as the peers have it.
instruction_ref probit(node_reader& n, instruction_ref x) {
    constexpr double a = 0.147;
    const auto t = n.with_number("sub", n.with_number("mul", x, 2), 1);
    const auto product =
        n.add("mul", n.with_number("add", n.add("neg", t), 1), n.with_number("add", t, 1));
    const auto log = n.add("log", product);
    const auto v = n.with_number("add", n.with_number("mul", log, 0.5), 2 / (std::numbers::pi * a));
    const auto root =
        n.add("sqrt", n.add("sub", n.add("mul", v, v), n.with_number("mul", log, 1 / a)));
    const auto magnitude = n.with_number("mul", n.add("sqrt", n.add("sub", root, v)), 1.41421356);
    return n.add("where", is_true(n, "less", t, 0), n.add("neg", magnitude), magnitude);
}

} // namespace

std::optional<argument> tensor_attribute(node_reader& n, std::string_view name) {
    const auto* a = n.find(name);
    if (a == nullptr)
        return std::nullopt;
    if (a->tensors.empty())
        n.malformed(std::string(name) + ": a tensor was expected, got another attribute");
    return tensor_argument(n.whole().get_model(), a->t());
}

instruction_ref feature_rows(node_reader& n) {
    auto x = n.input(0);
    const auto t = x->get_shape().type();
    if (t != shape::float_type and t != shape::double_type)
        x = n.convert(x, shape::float_type);
    if (x->get_shape().ndim() == 1)
        x = n.add(make_op("unsqueeze", {{"axes", ints{0}}}), {x});
    if (x->get_shape().ndim() != 2)
        n.malformed(str("rows of features were expected, got ", n.shape_of(0)));
    return x;
}

instruction_ref row_literal(node_reader& n, shape::type_t t, const std::vector<float>& v,
                            const std::vector<std::size_t>& lens) {
    return n.literal(migraphx::literal{shape{t, lens}, v});
}

instruction_ref text_literal(node_reader& n, const std::vector<std::string>& v) {
    const shape s{shape::string_type, {v.size()}};
    return n.literal(migraphx::literal::adopt(string_argument(s, {v.begin(), v.end()})));
}

post_transform post_transform_of(node_reader& n) {
    const auto* a = n.find("post_transform");
    if (a != nullptr and a->type == attribute_type::int_value) {
        if (a->i < 0 or a->i > 4)
            n.malformed(str("post_transform: 0 to 4 was expected, got ", a->i));
        return static_cast<post_transform>(a->i);
    }
    const auto name = n.text("post_transform", "NONE");
    const char* const names[] = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"};
    for (int i = 0; i < 5; i++)
        if (name == names[i])
            return static_cast<post_transform>(i);
    n.malformed(
        "post_transform: NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT was expected, got '" +
        name + "'");
}

instruction_ref transformed(node_reader& n, instruction_ref scores, post_transform t) {
    switch (t) {
    case post_transform::none:
        break;
    case post_transform::softmax:
        return n.add(make_op("softmax", {{"axis", 1}}), {scores});
    case post_transform::logistic:
        return n.add("sigmoid", scores);
    case post_transform::softmax_zero:
        return softmax_zero(n, scores);
    case post_transform::probit:
        return probit(n, scores);
    }
    return scores;
}

instruction_ref scores_of_two(node_reader& n, instruction_ref second, post_transform t,
                              bool shares) {
    const bool complement = t == post_transform::probit or (t == post_transform::none and shares);
    auto first = n.add("neg", second);
    if (complement)
        first = n.with_number("add", first, 1);
    return transformed(n, n.add(make_op("concat", {{"axis", 1}}), {first, second}), t);
}

class_labels::class_labels(node_reader& reader, std::string_view ints_name,
                           std::string_view texts_name)
    : n(reader), numbers(n.integers(ints_name)), names(n.texts(texts_name)) {
    if (not numbers.empty() and not names.empty())
        n.malformed(str("one of ", ints_name, " and ", texts_name, " was expected, got both"));
    count = std::max(numbers.size(), names.size());
}

instruction_ref class_labels::of(instruction_ref index) {
    if (count == 0)
        return index;
    const auto labels =
        names.empty() ? n.literal(migraphx::literal{shape{shape::int64_type, {count}}, numbers})
                      : text_literal(n, names);
    return n.add(make_op("gather", {{"axis", 0}}), {labels, index});
}

instruction_ref class_labels::of_largest(instruction_ref scores) {
    const auto best = n.add(make_op("argmax", {{"axis", 1}}), {scores});
    return of(n.add(make_op("squeeze", {{"axes", ints{1}}}), {best}));
}

instruction_ref class_labels::of_two(instruction_ref score, double limit) {
    const auto above = n.convert(is_true(n, "greater", score, limit), shape::int64_type);
    const auto index = n.add(make_op("squeeze", {{"axes", ints{1}}}), {above});
    return count == 2 ? of(index) : index;
}

} // namespace migraphx::onnx
