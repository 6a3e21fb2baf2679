// SPDX-License-Identifier: MIT
// prefix_scan_sum, prefix_scan_prod, nonzero: device_code/scan.cuh.
#include "targets/gpu/lower/copy.hpp"

#include "base/str.hpp"

#include <algorithm>

namespace migraphx::gpu {

namespace {

lowered prefix_scan(const device_problem& p) {
    const auto& x = p.inputs[0];
    const auto type = device_type(x.type());
    if (type.empty())
        return lowered::refuse("type " + x.type_string());
    const auto axis = p.op.get<std::size_t>("axis");
    box lines{lens_of(p.output), {strides_of(p.output), strides_of(x)}};
    box reach = lines;
    const auto length = lines.lens[axis];
    const sizes steps{lines.strides[0][axis], lines.strides[1][axis]};
    lines.lens[axis] = 1;
    lines.simplify();
    const auto count = length == 0 ? 0 : lines.elements();
    index_params params{reach.is_large()};
    params.add(lines);
    params.add(steps);
    params.add(count);
    params.add(length);
    // Neighbouring threads should read neighbours: lines do that when the axis is not the
    // innermost.
    const bool by_lines = length <= 16 or (steps[0] != 1 and count >= 4096);
    const auto flag = [&](const char* name) { return p.op.get<bool>(name) ? "true" : "false"; };
    generated g;
    g.name = p.op.name();
    g.entry = "scan";
    g.source = entry_text("scan.cuh", g.entry,
                          str("const ", type, "* x, ", type, "* y, const scan_params<",
                              lines.rank(), ", ", params.type(), "> p"),
                          str(by_lines ? "scan_lines<" : "scan_line_by_block<",
                              p.op.name() == "prefix_scan_sum" ? "scan_sum" : "scan_product", ", ",
                              flag("exclusive"), ", ", flag("reverse"), ">(y, x, p);"));
    g.params = params.data();
    g.launch = launch_for(*p.on, by_lines ? count : count * block_size);
    return one_launch(p, std::move(g));
}

lowered nonzero(const device_problem& p) {
    const auto& x = p.inputs[0];
    const auto type = device_type(x.type());
    if (type.empty())
        return lowered::refuse("type " + x.type_string());
    if (x.ndim() == 0 or not is_dense(p.output))
        return lowered::refuse("no dimensions, or a result that is not row-major");
    constexpr int64_t part = 4096; // elements that a block counts
    const auto n = int64_t(x.elements()), columns = int64_t(p.output.lens()[1]);
    const auto parts = (n + part - 1) / part;
    box b{lens_of(x), {strides_of(x)}};
    b.simplify(true);
    index_params params{b.is_large() or int64_t(p.output.elements()) >= int64_t{1} << 30};
    params.add(b);
    for (auto len : x.lens())
        params.add_divider(int64_t(len));
    for (auto v : {n, part, parts, columns})
        params.add(v);
    const auto index = std::string(params.type());
    const auto params_type =
        str("const nonzero_params<", b.rank(), ", ", x.ndim(), ", ", index, "> p");
    entry_list entries{"nonzero", "scan.cuh",
                       str("const ", type, "* x, i64* y, ", index, "* counts, ", params_type),
                       params.data(), std::size_t(parts + 1) * 8};
    auto over_parts = launch_for(*p.on, parts * block_size);
    entries.add("count", "count_where(is_nonzero(x, p), counts, p.parts);", over_parts);
    entries.add("add_up", "add_up_counts(counts, p.parts.parts);", {{1}, {block_size}});
    over_parts.grid.x = std::max(over_parts.grid.x, 1u);
    entries.add("write",
                str("write_nonzero<", p.op.get<bool>("use_dyn_output") ? "true" : "false",
                    ">(x, y, counts, p);"),
                over_parts);
    const auto bytes = std::size_t(params.large() ? 8 : 4);
    return std::make_unique<counted_kernel>(make_generated(p, std::move(entries.launches)),
                                            std::size_t(parts) * bytes, bytes);
}

const implementations scan_choices{{"prefix_scan_sum", "prefix_scan_prod"},
                                   {{"prefix_scan", prefix_scan}}};
const implementations nonzero_choices{{"nonzero"}, {{"nonzero", nonzero}}};

} // namespace

} // namespace migraphx::gpu
