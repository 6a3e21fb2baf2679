// SPDX-License-Identifier: MIT
// concat: several inputs in one launch; the blocks' y is the number of the input. What was written
// to its place already (backend::writes_strided) costs nothing.
#include "targets/gpu/lower/copy.hpp"

#include "base/str.hpp"

#include <algorithm>

namespace migraphx::gpu {

namespace {

struct part {
    std::size_t input = 0;
    int64_t to = 0; // of its first element, in elements
    box copy;
};

// Structs of this many bytes go to a kernel by value on every device.
constexpr std::size_t most_params = 3800;
constexpr std::size_t most_parts = 32;

generated join(const device_problem& p, std::vector<part> parts) {
    const auto elem = p.output.type_size();
    std::size_t rank = 1;
    int64_t wide = 16 / int64_t(elem), longest = 0, end = 0;
    bool large = false;
    for (auto& q : parts) {
        rank = std::max(rank, q.copy.rank());
        wide = std::min(wide, q.copy.widest_access(elem, 2, {q.to}));
        large = large or q.copy.is_large();
        end = std::max(end, q.to);
    }
    index_params params{large or end >= int64_t{1} << 30};
    for (auto& q : parts) {
        q.copy.widen(wide, 2);
        while (q.copy.rank() < rank) {
            q.copy.lens.insert(q.copy.lens.begin(), 1);
            for (auto& s : q.copy.strides)
                s.insert(s.begin(), 0);
        }
        params.add(q.copy);
        params.add(q.copy.elements());
        params.add(q.to / wide);
        longest = std::max(longest, q.copy.elements());
    }
    generated g;
    g.name = g.entry = "concat";
    std::string pointers, branches;
    for (std::size_t i = 0; i < parts.size(); i++) {
        pointers += str("const char* x", i, ", ");
        branches += str(i == 0 ? "" : "    ", "case ", i, ": copy_part<", wide * int64_t(elem),
                        ", ", elem, ">(y, x", i, ", p.parts[", i, "]); break;\n");
        g.inputs.push_back(parts[i].input);
    }
    g.source = entry_text("move.cuh", g.entry,
                          str(pointers, "char* y, const join_params<", parts.size(), ", ", rank,
                              ", ", params.type(), "> p"),
                          str("switch (blockIdx.y) {\n    ", branches, "    }"));
    g.params = params.data();
    g.launch = launch_for(*p.on, longest);
    g.launch.grid.y = uint32_t(parts.size());
    g.needless = [elem, parts = std::move(parts)](const kernel_args& args) {
        return std::all_of(parts.begin(), parts.end(), [&](const part& q) {
            return args.inputs[q.input] == args.outputs[0] + q.to * int64_t(elem);
        });
    };
    return g;
}

lowered concat(const device_problem& p) {
    if (not is_movable(p.output))
        return lowered::refuse("elements that are not of 1, 2, 4 or 8 bytes");
    const auto axis = p.op.get<std::size_t>("axis");
    std::vector<generated> launches;
    std::vector<part> parts;
    int64_t at = 0;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < p.inputs.size(); i++) {
        const auto& in = p.inputs[i];
        if (in.elements() > 0) {
            part q{
                i, at * int64_t(p.output.strides()[axis]),
                box{lens_of(in),
                    {strides_of(shape{in.type(), in.lens(), p.output.strides()}), strides_of(in)}}};
            q.copy.simplify();
            const auto size = (p.output.ndim() * 40) + 16;
            if (parts.size() == most_parts or bytes + size > most_params) {
                launches.push_back(join(p, std::move(parts)));
                parts.clear();
                bytes = 0;
            }
            bytes += size;
            parts.push_back(std::move(q));
        }
        at += int64_t(in.lens()[axis]);
    }
    if (not parts.empty())
        launches.push_back(join(p, std::move(parts)));
    if (launches.empty())
        return one_launch(p, fill_box(*p.on, {{0}, {{0}}}, std::vector<char>(1)));
    return make_generated(p, std::move(launches));
}

const implementations concat_choices{{"concat"}, {{"concat", concat}}};

} // namespace

} // namespace migraphx::gpu
