// SPDX-License-Identifier: MIT
// Values that the model states or that follow from sizes.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"
#include "import/onnx/tensor_argument.hpp"

#include <algorithm>
#include <cmath>

namespace migraphx::onnx {

shape::type_t type_attribute(node_reader& n, const char* name, shape::type_t fallback) {
    if (not n.has_attribute(name))
        return fallback;
    const auto code = element_type(n.integer(name));
    const auto t = to_shape_type(code);
    if (not t or not shape::is_computable(*t))
        n.unsupported(std::string(name) + ": a type of numbers was expected, got " +
                      type_name(code));
    return *t;
}

std::vector<std::size_t> checked_sizes(node_reader& n, const std::vector<int64_t>& dims,
                                       std::size_t most) {
    std::vector<std::size_t> lens;
    std::size_t elements = 1;
    for (auto d : dims) {
        if (d < 0)
            n.malformed(str("sizes of 0 or more were expected, got ", d));
        if (__builtin_mul_overflow(elements, std::size_t(d), &elements) or elements > most)
            n.unsupported(str("sizes that fit the memory were expected, got ", dims));
        lens.push_back(std::size_t(d));
    }
    return lens;
}

namespace {

constexpr std::size_t most_literal_elements = std::size_t{1} << 26;

instructions read_constant(node_reader& n) {
    n.expect_inputs(0, 0);
    const auto& attributes = n.get_node().attributes;
    if (attributes.size() != 1)
        n.malformed(str("one attribute was expected, got ", attributes.size()));
    const auto& a = attributes.front();
    const auto vector_of = [&](shape::type_t t, const auto& values) {
        return n.literal(migraphx::literal{shape{t, {values.size()}}, values});
    };
    if (a.name == "value_float")
        return {n.literal(migraphx::literal{shape{shape::float_type},
                                            std::vector<float>{n.real("value_float", 0)}})};
    if (a.name == "value_int")
        return {n.literal(migraphx::literal{shape{shape::int64_type},
                                            std::vector<int64_t>{n.integer("value_int")}})};
    if (a.name == "value_floats")
        return {vector_of(shape::float_type, n.reals("value_floats"))};
    if (a.name == "value_ints")
        return {vector_of(shape::int64_type, n.integers("value_ints"))};
    const auto strings_of = [&](const shape& s, const std::vector<std::string>& values) {
        return n.literal(
            migraphx::literal::adopt(string_argument(s, {values.begin(), values.end()})));
    };
    if (a.name == "value_string")
        return {strings_of(shape{shape::string_type}, {n.text("value_string", "")})};
    if (a.name == "value_strings") {
        const auto values = n.texts("value_strings");
        return {strings_of(shape{shape::string_type, {values.size()}}, values)};
    }
    const auto& model = n.whole().get_model();
    if (a.name == "value" and not a.tensors.empty())
        return {n.literal(migraphx::literal::adopt(tensor_argument(model, a.t())))};
    if (a.name == "sparse_value" and not a.sparse_tensors.empty())
        return {
            n.literal(migraphx::literal::adopt(tensor_argument(model, a.sparse_tensors.front())))};
    n.unsupported("numbers or strings were expected as attribute, got '" + std::string(a.name) +
                  "'");
}

// The element that fills a tensor: a tensor attribute of one element, 0 as float without it.
argument fill_value(node_reader& n) {
    const auto* a = n.find("value");
    if (a == nullptr)
        return migraphx::literal{shape{shape::float_type}, std::vector<float>{0}}.get_argument();
    if (a->tensors.empty())
        n.malformed("value: a tensor was expected, got another attribute");
    const auto v = tensor_argument(n.whole().get_model(), a->t());
    if (v.get_shape().elements() != 1 or v.get_shape().type() == shape::string_type)
        n.malformed(str("value of one number was expected, got ", v.get_shape()));
    return v;
}

instruction_ref filled(node_reader& n, const argument& v, const std::vector<std::size_t>& lens) {
    const auto t = v.get_shape().type();
    auto one = argument::uninitialized(shape{t});
    std::copy(v.data(), v.data() + shape{t}.bytes(), one.data());
    const auto scalar = n.literal(migraphx::literal::adopt(one));
    if (lens.empty())
        return scalar;
    const shape s{t, lens};
    if (s.elements() > 1024)
        return n.add(make_op("multibroadcast", {{"out_lens", lens}}), {scalar});
    argument all{s};
    for (std::size_t i = 0; i < s.elements(); i++)
        std::copy(v.data(), v.data() + s.type_size(), all.data() + i * s.type_size());
    return n.literal(migraphx::literal::adopt(all));
}

instructions read_constant_of_shape(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto v = fill_value(n);
    if (const auto dims = n.constant_ints(0))
        return {filled(n, v, checked_sizes(n, *dims))};
    const auto t = v.get_shape().type();
    value number;
    if (t == shape::uint64_type)
        number = v.at<uint64_t>();
    else if (shape::is_integral(t) or t == shape::bool_type)
        number = v.at<int64_t>();
    else
        number = v.at<double>();
    return {n.add(make_op("constant_of_shape", {{"dtype", t}, {"value", number}}), {n.input(0)})};
}

// Contrib form: the shape as an input or an attribute, the value a number.
instructions read_constant_fill(node_reader& n) {
    if (n.has_attribute("extra_shape"))
        n.unsupported("no extra_shape was expected, got one");
    const auto t = to_shape_type(element_type(n.integer("dtype", 1)));
    if (not t or not shape::is_computable(*t))
        n.unsupported("dtype: a type of numbers was expected, got another");
    std::vector<int64_t> dims;
    if (n.integer("input_as_shape", 0) != 0) {
        const auto given = n.constant_ints(0);
        if (not given)
            n.unsupported("a shape that is known at import was expected, got values of a run");
        dims = *given;
    } else
        dims = n.integers("shape");
    const auto v = migraphx::literal{shape{*t}, std::vector<double>{double(n.real("value", 0))}};
    return {filled(n, v.get_argument(), checked_sizes(n, dims))};
}

template <class T>
migraphx::literal counted(node_reader& n, shape::type_t t, T start, T limit, T delta) {
    if (delta == 0)
        n.malformed("a delta other than 0 was expected, got 0");
    const double count = std::ceil((double(limit) - double(start)) / double(delta));
    if (not(count < double(most_literal_elements)))
        n.unsupported("a range that fits the memory was expected, got more");
    std::vector<T> values(count > 0 ? std::size_t(count) : 0);
    for (std::size_t i = 0; i < values.size(); i++)
        values[i] = T(start + T(i) * delta);
    return migraphx::literal{shape{t, {values.size()}}, values};
}

instructions read_range(node_reader& n) {
    n.expect_inputs(3, 3);
    const auto start = n.constant(0), limit = n.constant(1), delta = n.constant(2);
    if (not start or not limit or not delta)
        return {n.add("dynamic_range", n.input(0), n.input(1), n.input(2))};
    for (const auto& v : {*start, *limit, *delta})
        if (v.get_shape().elements() != 1)
            n.malformed(str("one number was expected, got ", v.get_shape()));
    const auto t = n.shape_of(0).type();
    if (shape::is_integral(t))
        return {n.literal(
            counted(n, t, start->at<int64_t>(), limit->at<int64_t>(), delta->at<int64_t>()))};
    return {
        n.literal(counted(n, t, start->at<double>(), limit->at<double>(), delta->at<double>()))};
}

instructions read_eye_like(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto& s = n.shape_of(0);
    const auto k = n.integer("k", 0);
    if (s.ndim() != 2)
        n.malformed(str("a matrix was expected, got ", s));
    if (s.dynamic() or s.elements() > most_literal_elements) {
        const auto row = n.along_axis(count_along(n, n.input(0), 0), 0, 2);
        const auto column = n.along_axis(count_along(n, n.input(0), 1), 1, 2);
        const auto distance = n.add_common("sub", {column, row});
        return {n.convert(n.with_number("equal", distance, double(k)),
                          type_attribute(n, "dtype", s.type()))};
    }
    const auto rows = s.lens()[0], columns = s.lens()[1];
    std::vector<int> values(rows * columns, 0);
    for (std::size_t i = 0; i < rows; i++) {
        const auto j = int64_t(i) + k;
        if (j >= 0 and j < int64_t(columns))
            values[i * columns + std::size_t(j)] = 1;
    }
    return {n.literal(
        migraphx::literal{shape{type_attribute(n, "dtype", s.type()), {rows, columns}}, values})};
}

instructions read_onehot(node_reader& n) {
    n.expect_inputs(3, 3);
    const auto axis = n.integer("axis", -1);
    auto indices = n.input(0);
    if (not shape::is_integral(indices->get_shape().type()))
        indices = n.convert(indices, shape::int64_type);
    if (const auto depth = n.constant_ints(1)) {
        if (depth->size() != 1 or depth->front() < 0)
            n.malformed(str("a depth of 0 or more was expected, got ", *depth));
        return {n.add(make_op("onehot", {{"axis", axis}, {"depth", depth->front()}}),
                      {indices, n.input(2)})};
    }
    const auto depth = n.convert(n.input(1), shape::int64_type);
    return {n.add(make_op("onehot", {{"axis", axis}}), {indices, depth, n.input(2)})};
}

const operators constant_operators{
    {"Constant", read_constant},          {"ConstantOfShape", read_constant_of_shape},
    {"ConstantFill", read_constant_fill}, {"Range", read_range},
    {"EyeLike", read_eye_like},           {"OneHot", read_onehot}};

} // namespace

} // namespace migraphx::onnx
