// SPDX-License-Identifier: MIT
// Tokens: counts of n-grams.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_ml.hpp"

#include <unordered_map>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

// The input and the pool in numbers: strings in those of a dictionary, -1 for what the pool lacks.
std::pair<instruction_ref, instruction_ref> numbered_tokens(node_reader& n) {
    const auto list = [&](const ints& v) {
        return n.literal(migraphx::literal{shape{shape::int64_type, {v.size()}}, v});
    };
    if (n.has_attribute("pool_int64s") == n.has_attribute("pool_strings"))
        n.malformed("one of pool_int64s and pool_strings was expected, got both or none");
    if (n.has_attribute("pool_int64s"))
        return {n.convert(n.input(0), shape::int64_type), list(n.integers("pool_int64s"))};
    std::unordered_map<std::string, int64_t> dictionary;
    std::vector<std::string> words;
    ints pool, order;
    for (const auto& word : n.texts("pool_strings")) {
        const auto [place, fresh] = dictionary.try_emplace(word, int64_t(words.size()));
        if (fresh) {
            order.push_back(place->second);
            words.push_back(word);
        }
        pool.push_back(place->second);
    }
    return {n.add("lookup", n.input(0), text_literal(n, words), list(order), list({-1})),
            list(pool)};
}

// Counts of the n-grams of the pool (TF, TFIDF) or 1 for those that occur (IDF); but for TF times
// the weight of each.
instructions read_tf_idf_vectorizer(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto mode = n.text("mode", "");
    if (mode != "TF" and mode != "IDF" and mode != "TFIDF")
        n.malformed("mode: TF, IDF or TFIDF was expected, got '" + mode + "'");
    const auto [x, tokens] = numbered_tokens(n);
    const auto indexes = n.integers("ngram_indexes");
    auto y = n.add(make_op("ngram_count", {{"min_length", n.integer("min_gram_length")},
                                           {"max_length", n.integer("max_gram_length")},
                                           {"max_skip", n.integer("max_skip_count")},
                                           {"starts", n.integers("ngram_counts")},
                                           {"columns", indexes}}),
                   {x, tokens});
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
