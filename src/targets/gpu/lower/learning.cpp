// SPDX-License-Identifier: MIT
// tree_ensemble, ngram_count, pairwise_probabilities: device_code/learning.cuh.
#include "targets/gpu/lower/copy.hpp"

#include "base/str.hpp"
#include "ops/shape_input.hpp"

#include <algorithm>
#include <map>

namespace migraphx::gpu {

namespace {

// Strides of rows and columns; one row where there are no dimensions for them.
void add_rows(index_params& params, const shape& s) {
    params.add(s.ndim() < 2 ? 0 : strides_of(s)[0]);
    params.add(strides_of(s).back());
}

lowered tree_ensemble(const device_problem& p) {
    const auto &x = p.inputs[0], &out = p.output;
    const auto type = device_type(out.type()), from = device_type(x.type());
    if (type.empty() or from.empty())
        return lowered::refuse("type " + x.type_string());
    for (std::size_t i = 1; i < p.inputs.size(); i++)
        if (not is_dense(p.inputs[i]))
            return lowered::refuse("tables that are not row-major");
    static constexpr const char* ways[] = {"average", "sum", "min", "max"};
    index_params params{box{lens_of(x), {strides_of(x)}}.is_large() or
                        box{lens_of(out), {strides_of(out)}}.is_large()};
    const auto rows = int64_t(out.lens()[0]), targets = int64_t(out.lens()[1]);
    for (auto v : {rows, int64_t(x.lens()[1]), int64_t(p.inputs[1].lens()[0]),
                   int64_t(p.inputs[5].lens()[0]), int64_t(p.inputs[3].lens()[0]),
                   int64_t(p.inputs[6].lens()[0]), targets})
        params.add(v);
    add_rows(params, x);
    add_rows(params, out);
    generated g;
    g.name = "tree_ensemble";
    g.entry = "trees";
    const auto list = str("const ", type, "* ");
    g.source = entry_text("learning.cuh", g.entry,
                          str("const ", from, "* x, const i32* nodes, ", list,
                              "thresholds, const i32* vote_targets, ", list,
                              "weights, const i32* roots, ", list, "members, ", type,
                              "* y, f64* sums, const tree_params<", params.type(), "> p"),
                          str("tree_rows<tree_aggregate::", ways[p.op.get<int>("aggregate")],
                              ">(y, x, nodes, thresholds, vote_targets, weights, roots, members, "
                              "sums, p);"));
    g.params = params.data();
    g.scratch = std::size_t(std::max<int64_t>(rows * targets, 1)) * 9;
    g.launch = launch_for(*p.on, rows);
    return make_generated(p, std::move(g));
}

lowered ngram_count(const device_problem& p) {
    const auto &x = p.inputs[0], &pool = p.inputs[1], &out = p.output;
    const auto from = index_type(x.type()), tokens = index_type(pool.type());
    if (from.empty() or tokens.empty())
        return lowered::refuse("type " + x.type_string() + " or " + pool.type_string());
    if (not p.is_constant(1))
        return lowered::refuse("a pool that is not constant");
    const auto starts = p.op.get_vector<int64_t>("starts"),
               columns = p.op.get_vector<int64_t>("columns");
    const auto shortest = p.op.get<int64_t>("min_length"),
               longest = p.op.get<int64_t>("max_length");
    const auto values = read_integers(p.constants[1]);
    // The last of equal n-grams counts.
    std::map<std::vector<int64_t>, std::pair<int64_t, int64_t>> grams; // where, column
    std::size_t number = 0;
    for (std::size_t n = 0; n < starts.size(); n++) {
        const auto length = int64_t(n) + 1;
        const auto end = n + 1 < starts.size() ? starts[n + 1] : int64_t(values.size());
        for (auto at = starts[n]; at < end; at += length, number++)
            if (length >= shortest and length <= longest)
                grams[{values.begin() + at, values.begin() + at + length}] = {at, columns[number]};
    }
    std::vector<int32_t> table;
    for (const auto& [gram, place] : grams)
        table.insert(table.end(),
                     {int32_t(gram.size()), int32_t(place.first), int32_t(place.second)});
    const auto length = int64_t(x.lens().back());
    const auto rows = length == 0 ? 0 : int64_t(x.elements()) / length;
    const auto n = rows * int64_t(grams.size());
    index_params params{n >= int64_t{1} << 30 or x.elements() >= std::size_t{1} << 30 or
                        out.elements() >= std::size_t{1} << 30};
    params.add(n);
    params.add_divider(int64_t(grams.size()));
    params.add(length);
    add_rows(params, x);
    add_rows(params, out);
    params.add(int64_t(pool.strides()[0]));
    params.add(std::min(p.op.get<int64_t>("max_skip") + 1, std::max<int64_t>(length, 1)));
    std::vector<generated> launches;
    launches.push_back(fill_box(*p.on, {lens_of(out), {strides_of(out)}}, std::vector<char>(4)));
    if (n > 0) {
        generated g;
        g.name = "ngram_count";
        g.entry = "ngrams";
        g.source = entry_text("learning.cuh", g.entry,
                              str("const ", from, "* x, const ", tokens,
                                  "* pool, f32* y, const i32* table, const ngram_params<",
                                  params.type(), "> p"),
                              "count_ngrams(y, x, pool, table, p);");
        g.params = params.data();
        const auto* bytes = reinterpret_cast<const char*>(table.data());
        g.table = {bytes, bytes + table.size() * sizeof(int32_t)};
        g.launch = launch_for(*p.on, n);
        launches.push_back(std::move(g));
    }
    return make_generated(p, std::move(launches));
}

lowered pairwise(const device_problem& p) {
    const auto &x = p.inputs[0], &out = p.output;
    const auto type = device_type(x.type());
    if (type.empty())
        return lowered::refuse("type " + x.type_string());
    const auto rows = int64_t(out.lens()[0]), classes = int64_t(out.lens()[1]);
    index_params params{box{lens_of(x), {strides_of(x)}}.is_large() or
                        rows * classes * (classes + 2) >= int64_t{1} << 30};
    params.add(rows);
    params.add(classes);
    add_rows(params, x);
    add_rows(params, out);
    generated g;
    g.name = "pairwise_probabilities";
    g.entry = "pairs";
    g.source = entry_text("learning.cuh", g.entry,
                          str("const ", type, "* x, ", type,
                              "* y, f64* work, const pairwise_params<", params.type(), "> p"),
                          "couple_pairs(y, x, work, p);");
    g.params = params.data();
    g.scratch = std::size_t(std::max<int64_t>(rows * classes * (classes + 2), 1)) * 8;
    g.launch = launch_for(*p.on, rows);
    return make_generated(p, std::move(g));
}

const implementations tree_choices{{"tree_ensemble"}, {{"rows", tree_ensemble}}};
const implementations ngram_choices{{"ngram_count"}, {{"grams", ngram_count}}};
const implementations pairwise_choices{{"pairwise_probabilities"}, {{"rows", pairwise}}};

} // namespace

} // namespace migraphx::gpu
