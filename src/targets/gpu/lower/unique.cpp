// SPDX-License-Identifier: MIT
// unique of a list: it is sorted (topk), then device_code/unique.cuh.
#include "targets/gpu/lower/sorted.hpp"

#include "base/rounding.hpp"
#include "base/str.hpp"

#include <algorithm>

namespace migraphx::gpu {

namespace {

lowered unique(const device_problem& p) {
    const auto& x = p.inputs[0];
    const auto type = device_type(x.type());
    if (type.empty())
        return lowered::refuse("type " + x.type_string());
    if (x.ndim() != 1 and p.op.has_attribute("axis") and not p.op.attribute("axis").is_null())
        return lowered::refuse("slices of several elements");
    if (not is_dense(x) or x.elements() == 0)
        return lowered::refuse("no row-major list");
    const auto n = int64_t(x.elements());
    sorted_lines s{p, shape{x.type(), {1, x.elements()}}, false};
    if (not s.sort)
        return lowered::refuse(s.sort.reason);

    constexpr int64_t part = 4096; // elements that a block counts
    const auto parts = (n + part - 1) / part;
    index_params params{n >= int64_t{1} << 26};
    const int64_t word = params.large() ? 8 : 4;
    for (auto v : {n, part, parts})
        params.add(v);
    int64_t scratch = 0;
    const auto array = [&](int64_t words) {
        const auto at = scratch;
        scratch = round_up(scratch + words * word, int64_t{256});
        return at;
    };
    array(parts + 1);
    for (auto words : {n + 1, n, n, parts + 1})
        params.add(array(words));
    auto q = s.after({x});
    const auto index = std::string(params.type());
    const auto parameters =
        str("const ", type, "* x, const ", type, "* sorted, const i64* order, ", type,
            "* y, i64* first, i64* inverse, i64* counts, char* scratch, const unique_params<",
            index, "> p");
    entry_list entries{"unique", "unique.cuh", parameters, params.data(), std::size_t(scratch)};
    const auto over_parts = launch_for(*p.on, parts * block_size), over_all = launch_for(*p.on, n);
    const launch_shape one_block{{1}, {block_size}};
    entries.add("count", "count_where(begins_run(sorted), p.at(scratch, 0), p.parts);", over_parts);
    entries.add("add_up", "add_up_counts(p.at(scratch, 0), p.parts.parts);", one_block);
    entries.add("groups", "number_groups(sorted, order, inverse, scratch, p);", over_parts);
    const bool sorted = p.op.get<bool>("sorted");
    if (not sorted) {
        entries.add("clear", "clear_ranks(scratch, p);", over_all);
        entries.add("mark", "mark_firsts(scratch, p);", over_all);
        entries.add("count_marks",
                    "count_where(is_marked(scratch, p), p.at(scratch, p.ranked), p.parts);",
                    over_parts);
        entries.add("add_up_marks", "add_up_counts(p.at(scratch, p.ranked), p.parts.parts);",
                    one_block);
        entries.add("rank", "rank_firsts(scratch, p);", over_parts);
    }
    entries.add("write",
                str("write_groups<", sorted ? "true" : "false",
                    ">(x, y, first, inverse, counts, scratch, p);"),
                over_all);
    auto k = s.then(make_generated(q, std::move(entries.launches)));
    const auto at = k->own_scratch() + std::size_t(parts * word);
    return std::make_unique<counted_kernel>(std::move(k), at, std::size_t(word));
}

const implementations choices{{"unique"}, {{"sort", unique}}};

} // namespace

} // namespace migraphx::gpu
