// SPDX-License-Identifier: MIT
// Features of ai.onnx.ml: scaled, imputed, encoded, put side by side.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_ml.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

// One number, or one for each column of `like`, stretched over it.
instruction_ref per_column(node_reader& n, const char* name, const std::vector<float>& v,
                           instruction_ref like) {
    const auto t = like->get_shape().type();
    if (v.size() == 1)
        return n.broadcast_like(n.scalar(t, double(v[0])), like);
    const auto last = like->get_shape().ndim() - 1;
    if (int64_t(v.size()) != n.known_size(like, -1))
        n.malformed(
            str(name, ": 1 or ", n.known_size(like, -1), " values were expected, got ", v.size()));
    return n.stretch_along(row_literal(n, t, v, {v.size()}), last, like);
}

instruction_ref as_real(node_reader& n, instruction_ref x) {
    return x->get_shape().type() == shape::double_type ? x : n.convert(x, shape::float_type);
}

// The last axis at the indices, whatever their dimensions.
instructions read_array_feature_extractor(node_reader& n) {
    n.expect_inputs(2, 2);
    auto x = n.input(0);
    if (n.rank_of(0) == 1)
        x = n.add(make_op("unsqueeze", {{"axes", ints{0}}}), {x});
    const auto index = n.add(make_op("reshape", {{"dims", ints{-1}}}), {n.input(1)});
    return {n.add(make_op("gather", {{"axis", -1}}), {x, index})};
}

instructions read_binarizer(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto x = n.input(0);
    const auto t = x->get_shape().type();
    // Integers are above a number when they are above its floor.
    const double threshold = double(n.real("threshold", 0));
    const auto above =
        n.with_number("greater", x, shape::is_integral(t) ? std::floor(threshold) : threshold);
    return {n.convert(n.convert(above, shape::bool_type), t)};
}

instructions read_scaler(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto x = as_real(n, n.input(0));
    const auto offset = per_column(n, "offset", n.reals("offset", {0}), x);
    const auto scale = per_column(n, "scale", n.reals("scale", {1}), x);
    return {n.convert(n.add("mul", n.add("sub", x, offset), scale), shape::float_type)};
}

instructions read_normalizer(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto x = as_real(n, n.input(0));
    const auto norm = n.text("norm", "MAX");
    const auto axis = int64_t(n.rank_of(0)) - 1;
    const auto reduced = [&](const char* op, instruction_ref v) {
        return n.add(make_op(op, {{"axes", ints{axis}}}), {v});
    };
    instruction_ref divisor;
    if (norm == "MAX")
        divisor = reduced("reduce_max", x);
    else if (norm == "L1")
        divisor = reduced("reduce_sum", n.add("abs", x));
    else if (norm == "L2")
        divisor = n.add("sqrt", reduced("reduce_sum", n.add("mul", x, x)));
    else
        n.malformed("norm: MAX, L1 or L2 was expected, got '" + norm + "'");
    // A row whose divisor is 0 stays as it is.
    const auto one = n.broadcast_like(n.scalar(x->get_shape().type(), 1), divisor);
    divisor = n.add("where", n.convert(n.with_number("equal", divisor, 0), shape::bool_type), one,
                    divisor);
    return {n.convert(n.add("div", x, n.broadcast_like(divisor, x)), shape::float_type)};
}

instructions read_imputer(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto x = n.input(0);
    const auto t = x->get_shape().type();
    instruction_ref missing, value;
    if (n.has_attribute("imputed_value_floats")) {
        const double replaced = double(n.real("replaced_value_float", 0));
        missing = std::isnan(replaced) ? n.add("isnan", x) : n.with_number("equal", x, replaced);
        value = per_column(n, "imputed_value_floats", n.reals("imputed_value_floats"), x);
    } else {
        const auto one_of = [&](const ints& v) {
            return n.literal(migraphx::literal{shape{t, {v.size()}}, v});
        };
        const auto values = n.integers("imputed_value_int64s");
        if (values.empty())
            n.malformed("imputed_value_floats or imputed_value_int64s was expected, got none");
        const auto last = n.rank_of(0) - 1;
        const auto replaced =
            n.broadcast_like(n.to_scalar(one_of({n.integer("replaced_value_int64", 0)})), x);
        missing = n.add("equal", x, replaced);
        if (values.size() == 1)
            value = n.broadcast_like(n.to_scalar(one_of(values)), x);
        else if (int64_t(values.size()) == n.known_size(x, -1))
            value = n.stretch_along(one_of(values), last, x);
        else
            n.malformed(str("imputed_value_int64s: 1 or ", n.known_size(x, -1),
                            " values were expected, got ", values.size()));
    }
    return {n.add("where", n.convert(missing, shape::bool_type), value, x)};
}

// Side by side, each cut or filled with 0 to its columns.
instructions read_feature_vectorizer(node_reader& n) {
    const auto widths = n.integers("inputdimensions");
    if (n.input_count() == 0 or widths.size() != n.input_count())
        n.malformed(str("as many inputdimensions as inputs were expected, got ", widths.size(),
                        " and ", n.input_count()));
    instructions parts;
    for (std::size_t i = 0; i < widths.size(); i++) {
        auto x = n.convert(n.input(i), shape::float_type);
        if (x->get_shape().ndim() == 1)
            x = n.add(make_op("unsqueeze", {{"axes", ints{0}}}), {x});
        if (x->get_shape().ndim() != 2)
            n.malformed(
                str("rows of features were expected for input ", i, ", got ", n.shape_of(i)));
        const auto have = n.known_size(x, 1);
        if (widths[i] < 0 or widths[i] > (int64_t{1} << 26))
            n.malformed(str("inputdimensions of 0 or more were expected, got ", widths[i]));
        if (widths[i] != have)
            x = n.add(make_op("pad", {{"pads", ints{0, 0, 0, widths[i] - have}}}), {x});
        parts.push_back(x);
    }
    return {parts.size() == 1 ? parts[0] : n.add(make_op("concat", {{"axis", 1}}), parts)};
}

instruction_ref int64_vector(node_reader& n, const ints& v) {
    return n.literal(migraphx::literal{shape{shape::int64_type, {v.size()}}, v});
}

instruction_ref counted(node_reader& n, std::size_t count) {
    ints v(count);
    std::iota(v.begin(), v.end(), 0);
    return int64_vector(n, v);
}

instructions read_one_hot_encoder(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto numbers = n.integers("cats_int64s");
    const auto names = n.texts("cats_strings");
    const auto count = std::max(numbers.size(), names.size());
    if (numbers.empty() == names.empty())
        n.malformed("one of cats_int64s and cats_strings was expected, got both or none");
    const auto order = counted(n, count);
    const auto beyond = int64_vector(n, {int64_t(count)});
    auto index = names.empty() ? n.add("lookup", n.convert(n.input(0), shape::int64_type),
                                       int64_vector(n, numbers), order, beyond)
                               : n.add("lookup", n.input(0), text_literal(n, names), order, beyond);
    // An index beyond the last category gives zeros; the gather refuses it.
    if (n.integer("zeros", 1) == 0)
        index = n.add(make_op("gather", {{"axis", 0}}), {order, index});
    const auto values = row_literal(n, shape::float_type, {0, 1}, {2});
    return {n.add(make_op("onehot", {{"axis", -1}, {"depth", int64_t(count)}}), {index, values})};
}

// A list in attributes named `prefix`_tensor, _int64s, _floats or _strings.
std::optional<instruction_ref> list_of(node_reader& n, const std::string& prefix) {
    if (auto t = tensor_attribute(n, prefix + "_tensor"))
        return n.literal(migraphx::literal::adopt(*t));
    if (n.has_attribute(prefix + "_int64s"))
        return int64_vector(n, n.integers(prefix + "_int64s"));
    if (n.has_attribute(prefix + "_strings"))
        return text_literal(n, n.texts(prefix + "_strings"));
    if (n.has_attribute(prefix + "_floats")) {
        const auto v = n.reals(prefix + "_floats");
        return row_literal(n, shape::float_type, v, {v.size()});
    }
    return std::nullopt;
}

// What stands for a value of type `t` that is not found.
instruction_ref default_of(node_reader& n, shape::type_t t) {
    if (auto given = tensor_attribute(n, "default_tensor"))
        return n.literal(migraphx::literal::adopt(*given));
    if (t == shape::string_type)
        return text_literal(n, {n.text("default_string", "_Unused")});
    if (shape::is_integral(t))
        return n.literal(migraphx::literal{shape{t, {1}}, ints{n.integer("default_int64", -1)}});
    return row_literal(n, t, {n.real("default_float", -0.0F)}, {1});
}

instructions looked_up(node_reader& n, instruction_ref keys, instruction_ref values) {
    return {n.add("lookup", n.input(0), keys, values, default_of(n, values->get_shape().type()))};
}

// Strings to numbers or numbers to strings, as the input has it.
instructions between_lists(node_reader& n, const std::vector<std::string>& names,
                           instruction_ref numbers) {
    const auto texts = text_literal(n, names);
    return n.shape_of(0).type() == shape::string_type ? looked_up(n, texts, numbers)
                                                      : looked_up(n, numbers, texts);
}

instructions read_label_encoder(node_reader& n) {
    n.expect_inputs(1, 1);
    if (n.opset() < 2) {
        const auto classes = n.texts("classes_strings");
        return between_lists(n, classes, counted(n, classes.size()));
    }
    const auto keys = list_of(n, "keys"), values = list_of(n, "values");
    if (not keys or not values)
        n.malformed("keys and values were expected, got none");
    return looked_up(n, *keys, *values);
}

instructions read_category_mapper(node_reader& n) {
    n.expect_inputs(1, 1);
    return between_lists(n, n.texts("cats_strings"), int64_vector(n, n.integers("cats_int64s")));
}

// A map for each row, as the matrix of its values: the columns are in the order of the classes.
instructions read_zip_map(node_reader& n) {
    n.expect_inputs(1, 1);
    const class_labels labels(n, "classlabels_int64s", "classlabels_strings");
    const auto& s = n.shape_of(0);
    if (s.ndim() > 2 or (not s.dynamic() and s.lens().back() != labels.size()))
        n.malformed(str("a column for each of ", labels.size(), " classes was expected, got ", s));
    return {n.input(0)};
}

const operators feature_operators{
    {"ArrayFeatureExtractor", read_array_feature_extractor, ml_domain},
    {"Binarizer", read_binarizer, ml_domain},
    {"Scaler", read_scaler, ml_domain},
    {"Normalizer", read_normalizer, ml_domain},
    {"Imputer", read_imputer, ml_domain},
    {"FeatureVectorizer", read_feature_vectorizer, ml_domain},
    {"OneHotEncoder", read_one_hot_encoder, ml_domain},
    {"LabelEncoder", read_label_encoder, ml_domain},
    {"CategoryMapper", read_category_mapper, ml_domain},
    {"ZipMap", read_zip_map, ml_domain,
     "gives the matrix of the maps' values, columns in the order of the classes"}};

} // namespace

} // namespace migraphx::onnx
