// SPDX-License-Identifier: MIT
// Linear models and support vector machines of ai.onnx.ml.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_ml.hpp"

#include <algorithm>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;
using reals = std::vector<float>;

// rows (N, F) times the transpose of (outputs, F), in the type of the rows.
instruction_ref times_transposed(node_reader& n, instruction_ref rows, const reals& weights,
                                 std::size_t outputs) {
    const auto features = weights.size() / outputs;
    const auto w = row_literal(n, rows->get_shape().type(), weights, {outputs, features});
    return n.add("dot", rows, n.add(make_op("transpose", {{"permutation", ints{1, 0}}}), {w}));
}

// One number for each column, or one for all.
instruction_ref plus_row(node_reader& n, instruction_ref x, const reals& v) {
    if (v.size() == 1)
        return n.with_number("add", x, double(v[0]));
    return n.add("add", x,
                 n.stretch_along(row_literal(n, x->get_shape().type(), v, {v.size()}), 1, x));
}

// (N, outputs)
instruction_ref linear_scores(node_reader& n, std::size_t outputs) {
    const auto weights = n.reals("coefficients"), intercepts = n.reals("intercepts");
    const auto x = feature_rows(n);
    if (outputs == 0 or weights.empty() or weights.size() % outputs != 0)
        n.malformed(
            str("coefficients for ", outputs, " outputs were expected, got ", weights.size()));
    if (not intercepts.empty() and intercepts.size() != outputs)
        n.malformed(str(outputs, " intercepts were expected, got ", intercepts.size()));
    const auto scores = times_transposed(n, x, weights, outputs);
    return intercepts.empty() ? scores : plus_row(n, scores, intercepts);
}

instructions read_linear_regressor(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto targets = n.integer("targets", 1);
    if (targets < 1)
        n.malformed(str("targets of 1 or more were expected, got ", targets));
    const auto y = linear_scores(n, std::size_t(targets));
    return {n.convert(transformed(n, y, post_transform_of(n)), shape::float_type)};
}

instructions read_linear_classifier(node_reader& n) {
    n.expect_inputs(1, 1);
    class_labels labels(n, "classlabels_ints", "classlabels_strings");
    // One for each intercept or, without any, as the coefficients divide over the features.
    auto outputs = n.reals("intercepts").size();
    if (outputs == 0)
        outputs = n.reals("coefficients").size() /
                  std::size_t(std::max<int64_t>(1, n.known_size(n.input(0), -1)));
    const auto scores = linear_scores(n, outputs);
    const auto transform = post_transform_of(n);
    const auto real = [&](instruction_ref x) { return n.convert(x, shape::float_type); };
    if (outputs > 1)
        return {labels.of_largest(scores), real(transformed(n, scores, transform))};
    const auto label = labels.of_two(scores, 0);
    return {label, real(labels.size() == 2 ? scores_of_two(n, scores, transform, true)
                                           : transformed(n, scores, transform))};
}

// Support vectors and the kernel between them and rows; computed in double, since the distances of
// the radial kernel are differences of large numbers.
class kernel_machine {
public:
    explicit kernel_machine(node_reader& reader)
        : n(reader), rows(n.convert(feature_rows(n), shape::double_type)),
          coefficients(n.reals("coefficients")), rho(n.reals("rho")),
          vectors(n.reals("support_vectors")), kind(n.text("kernel_type", "LINEAR")) {
        const auto params = n.reals("kernel_params");
        if (not params.empty() and params.size() != 3)
            n.malformed(str("3 kernel_params were expected, got ", params.size()));
        if (not params.empty()) {
            gamma = double(params[0]);
            coef0 = double(params[1]);
            degree = double(params[2]);
        }
        if (kind != "LINEAR" and kind != "POLY" and kind != "RBF" and kind != "SIGMOID")
            n.malformed("kernel_type: LINEAR, POLY, RBF or SIGMOID was expected, got '" + kind +
                        "'");
        if (rho.empty() or coefficients.empty())
            n.malformed("coefficients and rho were expected, got none");
    }
    // (N, count)
    instruction_ref kernel(std::size_t count) {
        if (count == 0 or vectors.empty() or vectors.size() % count != 0)
            n.malformed(
                str("numbers for ", count, " support vectors were expected, got ", vectors.size()));
        const auto product = times_transposed(n, rows, vectors, count);
        if (kind == "LINEAR")
            return product;
        if (kind == "RBF")
            return n.add("exp", n.with_number("mul", distances(product, count), -gamma));
        const auto scaled = n.with_number("add", n.with_number("mul", product, gamma), coef0);
        return kind == "SIGMOID" ? n.add("tanh", scaled) : n.with_number("pow", scaled, degree);
    }
    // (N, outputs) of a model without support vectors.
    instruction_ref linear(std::size_t outputs) {
        if (coefficients.size() % outputs != 0)
            n.malformed(str("coefficients for ", outputs, " outputs were expected, got ",
                            coefficients.size()));
        return n.with_number("add", times_transposed(n, rows, coefficients, outputs),
                             double(rho[0]));
    }

    node_reader& n;
    instruction_ref rows;
    reals coefficients, rho;

private:
    // |x - v|^2 = |x|^2 + |v|^2 - 2 x v
    instruction_ref distances(instruction_ref product, std::size_t count) {
        const auto features = vectors.size() / count;
        std::vector<double> squares(count, 0);
        for (std::size_t i = 0; i < vectors.size(); i++)
            squares[i / features] += double(vectors[i]) * double(vectors[i]);
        const auto own = n.literal(migraphx::literal{shape{shape::double_type, {count}}, squares});
        const auto of_rows =
            n.add(make_op("reduce_sum", {{"axes", ints{1}}}), {n.add("mul", rows, rows)});
        const auto sum =
            n.add("add", n.broadcast_like(of_rows, product), n.stretch_along(own, 1, product));
        return n.add("add", sum, n.with_number("mul", product, -2));
    }

    reals vectors;
    std::string kind;
    double gamma = 0, coef0 = 0, degree = 0;
};

instructions read_svm_regressor(node_reader& n) {
    n.expect_inputs(1, 1);
    kernel_machine machine(n);
    const auto count = n.integer("n_supports", 0);
    instruction_ref y;
    if (count > 0) {
        if (int64_t(machine.coefficients.size()) != count)
            n.malformed(
                str(count, " coefficients were expected, got ", machine.coefficients.size()));
        const auto k = machine.kernel(std::size_t(count));
        y = n.with_number("add", times_transposed(n, k, machine.coefficients, 1),
                          double(machine.rho[0]));
    } else
        y = machine.linear(1);
    if (n.integer("one_class", 0) != 0) {
        const auto inside = n.convert(n.with_number("greater", y, 0), shape::bool_type);
        const auto side = [&](double v) {
            return n.broadcast_like(n.scalar(shape::float_type, v), y);
        };
        return {n.add("where", inside, side(1), side(-1))};
    }
    return {n.convert(transformed(n, y, post_transform_of(n)), shape::float_type)};
}

// Decisions between pairs of classes.
class pair_votes {
public:
    pair_votes(kernel_machine& m, const ints& vectors_per_class)
        : machine(m), n(m.n), sizes(vectors_per_class) {
        for (auto s : sizes) {
            if (s < 0 or s > (int64_t{1} << 31))
                n.malformed(str("vectors_per_class of 0 or more were expected, got ", s));
            starts.push_back(count);
            count += std::size_t(s);
        }
        classes = sizes.size();
        pairs = classes * (classes - 1) / 2;
        if (classes < 2 or count == 0 or machine.coefficients.size() != (classes - 1) * count)
            n.malformed(str("coefficients of ", classes, " classes and ", count,
                            " support vectors were expected, got ", machine.coefficients.size()));
        if (machine.rho.size() != pairs)
            n.malformed(str(pairs, " values of rho were expected, got ", machine.rho.size()));
        if (count > (std::size_t{1} << 28) / pairs)
            n.unsupported(str("support vectors times pairs that fit the memory were expected, got ",
                              count, " times ", pairs));
    }
    // (N, pairs): above 0 for the first class of a pair.
    instruction_ref decisions() {
        // Vector v of class i has for the pair with class j its coefficient number j, without its
        // own.
        std::vector<float> weights(count * pairs, 0);
        each_pair([&](std::size_t p, std::size_t i, std::size_t j) {
            const auto put = [&](std::size_t own, std::size_t row) {
                for (auto v = starts[own]; v < starts[own] + std::size_t(sizes[own]); v++)
                    weights[p * count + v] = machine.coefficients[row * count + v];
            };
            put(i, j - 1);
            put(j, i);
        });
        return plus_row(n, times_transposed(n, machine.kernel(count), weights, pairs), machine.rho);
    }
    // (N, classes): how many pairs each class wins.
    instruction_ref votes(instruction_ref decisions) {
        std::vector<float> weights(classes * pairs, 0), losses(classes, 0);
        each_pair([&](std::size_t p, std::size_t i, std::size_t j) {
            weights[i * pairs + p] = 1;
            weights[j * pairs + p] = -1;
            losses[j] += 1;
        });
        const auto won =
            n.convert(n.convert(n.with_number("greater", decisions, 0), shape::bool_type),
                      shape::double_type);
        return plus_row(n, times_transposed(n, won, weights, classes), losses);
    }
    // (N, classes) from the decisions and the coefficients of their sigmoids.
    instruction_ref probabilities(instruction_ref decisions, const reals& a, const reals& b) {
        if (a.size() != pairs or b.size() != pairs)
            n.malformed(str(pairs, " values of prob_a and prob_b were expected, got ", a.size(),
                            " and ", b.size()));
        const auto factor =
            n.stretch_along(row_literal(n, shape::double_type, a, {pairs}), 1, decisions);
        const auto fitted = n.add("neg", plus_row(n, n.add("mul", decisions, factor), b));
        auto first = n.add("sigmoid", fitted);
        first = n.with_number("min", n.with_number("max", first, 1e-7), 1 - 1e-7);
        return n.add(make_op("pairwise_probabilities", {{"classes", classes}}), {first});
    }
    std::size_t number_of_classes() const { return classes; }

private:
    template <class F>
    void each_pair(F f) const {
        std::size_t p = 0;
        for (std::size_t i = 0; i < classes; i++)
            for (std::size_t j = i + 1; j < classes; j++)
                f(p++, i, j);
    }

    kernel_machine& machine;
    node_reader& n;
    ints sizes;
    std::vector<std::size_t> starts;
    std::size_t count = 0, classes = 0, pairs = 0;
};

instructions read_svm_classifier(node_reader& n) {
    n.expect_inputs(1, 1);
    class_labels labels(n, "classlabels_ints", "classlabels_strings");
    kernel_machine machine(n);
    const auto transform = post_transform_of(n);
    const auto real = [&](instruction_ref x) { return n.convert(x, shape::float_type); };
    const auto sizes = n.integers("vectors_per_class");
    if (std::all_of(sizes.begin(), sizes.end(), [](auto s) { return s == 0; })) {
        const auto scores = machine.linear(std::max<std::size_t>(1, labels.size()));
        const auto label = labels.size() > 1 ? labels.of_largest(scores) : labels.of_two(scores, 0);
        return {label, real(transformed(n, scores, transform))};
    }
    pair_votes pairs(machine, sizes);
    if (labels.size() != 0 and labels.size() != pairs.number_of_classes())
        n.malformed(
            str(pairs.number_of_classes(), " class labels were expected, got ", labels.size()));
    const auto decisions = pairs.decisions();
    const auto label = labels.of_largest(pairs.votes(decisions));
    if (n.has_attribute("prob_a") and not n.reals("prob_a").empty()) {
        const auto p = pairs.probabilities(decisions, n.reals("prob_a"), n.reals("prob_b"));
        return {label, real(transformed(n, p, transform))};
    }
    if (pairs.number_of_classes() == 2)
        return {label, real(scores_of_two(n, decisions, transform, false))};
    return {label, real(transformed(n, decisions, transform))};
}

const operators linear_operators{{"LinearRegressor", read_linear_regressor, ml_domain},
                                 {"LinearClassifier", read_linear_classifier, ml_domain},
                                 {"SVMRegressor", read_svm_regressor, ml_domain},
                                 {"SVMClassifier", read_svm_classifier, ml_domain}};

} // namespace

} // namespace migraphx::onnx
