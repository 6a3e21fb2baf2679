// SPDX-License-Identifier: MIT
// Tokens: counts of n-grams.
#include <migraphx/make_op.hpp>

#include "import/onnx/importer.hpp"

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

// Counts of the n-grams of the pool (TF, TFIDF) or 1 for those that occur (IDF); but for TF times
// the weight of each.
instructions read_tf_idf_vectorizer(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto mode = n.text("mode", "");
    if (mode != "TF" and mode != "IDF" and mode != "TFIDF")
        n.malformed("mode: TF, IDF or TFIDF was expected, got '" + mode + "'");
    const auto pool = n.integers("pool_int64s");
    if (not n.has_attribute("pool_int64s"))
        n.unsupported("pool_int64s was expected, got none");
    const auto tokens = n.literal(migraphx::literal{shape{shape::int64_type, {pool.size()}}, pool});
    const auto indexes = n.integers("ngram_indexes");
    auto y = n.add(make_op("ngram_count", {{"min_length", n.integer("min_gram_length")},
                                           {"max_length", n.integer("max_gram_length")},
                                           {"max_skip", n.integer("max_skip_count")},
                                           {"starts", n.integers("ngram_counts")},
                                           {"columns", indexes}}),
                   {n.convert(n.input(0), shape::int64_type), tokens});
    if (mode == "TF")
        return {y};
    if (mode == "IDF")
        y = n.with_number("min", y, 1);
    const auto weights = n.reals("weights");
    if (weights.empty())
        return {y};
    // A weight for each n-gram of the pool.
    if (weights.size() != indexes.size())
        n.malformed(
            str("weights: ", indexes.size(), " values were expected, got ", weights.size()));
    std::vector<float> of_columns(std::size_t(n.known_size(y, -1)), 1);
    for (std::size_t i = 0; i < indexes.size(); i++)
        of_columns[std::size_t(indexes[i])] = weights[i];
    const auto w =
        n.literal(migraphx::literal{shape{shape::float_type, {of_columns.size()}}, of_columns});
    return {n.add("mul", y, n.stretch_along(w, y->get_shape().ndim() - 1, y))};
}

const operators text_operators{{"TfIdfVectorizer", read_tf_idf_vectorizer}};

} // namespace

} // namespace migraphx::onnx
