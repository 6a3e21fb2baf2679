// SPDX-License-Identifier: MIT
// Operators on strings alone; comparison, choice and casts of strings are with those of numbers.
#include <migraphx/make_op.hpp>

#include "import/onnx/importer.hpp"

namespace migraphx::onnx {

namespace {

instructions read_string_concat(node_reader& n) {
    n.expect_inputs(2, 2);
    return {n.add_common("string_concat", n.inputs())};
}

instructions read_string_split(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto parts = n.add(make_op("string_split", {{"delimiter", n.text("delimiter", "")},
                                                      {"maxsplit", n.integer("maxsplit", -1)}}),
                             {n.input(0)});
    return {n.add(make_op("get_tuple_elem", {{"index", 0}}), {parts}),
            n.add(make_op("get_tuple_elem", {{"index", 1}}), {parts})};
}

instructions read_string_normalizer(node_reader& n) {
    n.expect_inputs(1, 1);
    const auto change = n.text("case_change_action", "NONE");
    const int64_t number = change == "NONE"    ? 0
                           : change == "LOWER" ? 1
                           : change == "UPPER" ? 2
                                               : -1;
    if (number < 0)
        n.malformed("case_change_action: NONE, LOWER or UPPER was expected, got '" + change + "'");
    return {n.add(
        make_op("string_normalizer", {{"case_change", number},
                                      {"is_case_sensitive", n.integer("is_case_sensitive", 0) != 0},
                                      {"stopwords", n.texts("stopwords")}}),
        {n.input(0)})};
}

instructions read_regex_full_match(node_reader& n) {
    n.expect_inputs(1, 1);
    if (not n.has_attribute("pattern"))
        n.malformed("attribute \"pattern\" was expected, got none");
    return {n.add(make_op("regex_full_match", {{"pattern", n.text("pattern", "")}}), {n.input(0)})};
}

const operators string_operators{{"StringConcat", read_string_concat},
                                 {"StringSplit", read_string_split},
                                 {"StringNormalizer", read_string_normalizer},
                                 {"RegexFullMatch", read_regex_full_match}};

} // namespace

} // namespace migraphx::onnx
