// SPDX-License-Identifier: MIT
// topk, topk_dynamic: device_code/sort.cuh.
#include "targets/gpu/lower/walk.hpp"

#include "base/str.hpp"

#include <algorithm>

namespace migraphx::gpu {

namespace {

constexpr int64_t chunk = 2048; // elements that a block sorts

// What all launches of one problem share.
struct sorting {
    const device_problem& p;
    box rows; // tensors: x, values, indices, names
    sizes steps;
    int64_t length = 0, keep = 0;
    std::string type;
    bool largest = true, named = false, large = false;
    std::vector<generated> launches = {};
    std::size_t item = 8, scratch = 0;

    int64_t row_count() const { return rows.elements(); }

    void add(const std::string& name, const std::string& body, const std::string& params_type,
             const index_params& params, launch_shape launch, bool uses_scratch) {
        generated g;
        g.name = "topk";
        g.entry = name;
        g.source =
            entry_text("sort.cuh", name,
                       str("const ", type, "* x, ", named ? "const i64* names, " : "", type,
                           "* y, i64* indices, ", uses_scratch ? "char* scratch, " : "", "const ",
                           params_type, "<", rows.rank(), ", ", params.type(), "> p"),
                       body);
        g.params = params.data();
        g.launch = launch;
        g.inputs = named ? std::vector<std::size_t>{0, 1} : std::vector<std::size_t>{0};
        g.scratch = uses_scratch ? 1 : 0;
        launches.push_back(std::move(g));
    }
    index_params row_params(int64_t chunks, int64_t blocks, int64_t count, int64_t kept,
                            int64_t from, int64_t to) const {
        index_params params{large};
        params.add(rows);
        params.add_divider(chunks);
        params.add(steps);
        for (auto x : {blocks, count, kept, from, to})
            params.add(x);
        return params;
    }
    const char* names() const { return named ? "names" : "nullptr"; }

    // Sorts `count` elements of each row in chunks; those kept of each chunk go to items `to`.
    void sort(int64_t count, bool from_items, bool last, int64_t kept, int64_t from, int64_t to) {
        int64_t size = chunk;
        while (size > 32 and size / 2 >= count)
            size /= 2;
        const auto chunks = (count + size - 1) / size;
        const auto blocks = chunks * row_count();
        const auto params = row_params(chunks, blocks, count, kept, from, to);
        const int64_t most = int64_t{256} * std::max(1, p.on->properties().multiprocessors);
        const launch_shape launch{{uint32_t(std::min(blocks, most))},
                                  {uint32_t(std::clamp<int64_t>(size / 2, 32, block_size))}};
        const auto flag = [](bool b) { return b ? "true" : "false"; };
        add("sort",
            str("sort_chunks<", size, ", ", flag(largest), ", ", flag(from_items), ", ", flag(last),
                ">(x, y, indices, ", names(), ", ", last and not from_items ? "nullptr" : "scratch",
                ", p);"),
            "sort_params", params, launch, not(last and not from_items));
    }
    void merge(int64_t runs, int64_t count, int64_t kept, int64_t from, int64_t to) {
        const auto pairs = (runs + 1) / 2;
        const auto n = row_count() * pairs * 2 * count;
        index_params params{large};
        params.add_divider(2 * count);
        params.add_divider(pairs);
        for (auto x : {n, runs, count, kept, from, to})
            params.add(x);
        generated g;
        g.name = "topk (merge)";
        g.entry = "merge";
        g.source = entry_text(
            "sort.cuh", g.entry,
            str("char*, char*, char* scratch, const merge_params<", params.type(), "> p"),
            str("merge_runs<", item == 8 ? "u32" : "u64", ">(scratch, p);"));
        g.params = params.data();
        g.launch = launch_for(*p.on, n);
        g.takes_inputs = false;
        g.scratch = 1;
        launches.push_back(std::move(g));
    }
    void write(int64_t count, int64_t from) {
        const auto n = row_count() * keep;
        add("write", str("write_sorted(x, y, indices, ", names(), ", scratch, p);"), "sort_params",
            row_params(keep, n, count, keep, from, 0), launch_for(*p.on, n), true);
    }

    void plan() {
        if (length <= chunk)
            return sort(length, false, true, keep, 0, 0);
        auto runs = (length + chunk - 1) / chunk;
        auto kept = std::min(keep, chunk);
        // Two halves of the scratch memory in turn.
        const auto half = row_count() * (runs + 1) * std::max(kept, std::min(keep, 2 * kept));
        scratch = std::size_t(2 * half) * item;
        large = large or 2 * half >= int64_t{1} << 30;
        sort(length, false, false, kept, 0, 0);
        int64_t at = 0;
        // Sorting again leaves an eighth, or less, of what merging in pairs would leave half of.
        while (keep <= chunk / 8) {
            const auto count = runs * kept;
            if (count <= chunk)
                return sort(count, true, true, keep, at, 0);
            sort(count, true, false, kept, at, half - at);
            at = half - at;
            runs = (count + chunk - 1) / chunk;
        }
        while (runs > 1) {
            const auto next = std::min(keep, 2 * kept);
            merge(runs, kept, next, at, half - at);
            at = half - at;
            kept = next;
            runs = (runs + 1) / 2;
        }
        write(kept, at);
    }
};

lowered topk(const device_problem& p) {
    const auto& x = p.inputs[0];
    const auto type = device_type(x.type());
    if (type.empty())
        return lowered::refuse("type " + x.type_string());
    const auto axis = p.op.get<std::size_t>("axis");
    const auto &values = p.output.sub_shapes()[0], &indices = p.output.sub_shapes()[1];
    const auto length = int64_t(x.lens()[axis]), keep = int64_t(values.lens()[axis]);
    if (keep > length)
        return lowered::refuse("more elements than there are");
    if (length >= int64_t{0xffffffff})
        return lowered::refuse("rows of 2^32 elements");
    const bool named = p.inputs.size() == 2 and p.op.name() == "topk";
    if (named and p.inputs[1].type() != shape::int64_type)
        return lowered::refuse("indices of type " + p.inputs[1].type_string());
    sorting s{p, {}, {}, length, keep, type, p.op.get<bool>("largest"), named};
    s.item = x.type_size() == 8 ? 16 : 8;
    auto lens = lens_of(x);
    lens[axis] = 1;
    s.rows.lens = lens;
    box reach{lens_of(x), {}};
    for (const auto* t : {&x, &values, &indices, named ? &p.inputs[1] : &indices}) {
        auto strides = strides_of(*t);
        reach.strides.push_back(strides);
        s.steps.push_back(strides[axis]);
        strides[axis] = 0;
        s.rows.strides.push_back(std::move(strides));
    }
    s.large = reach.is_large() or x.elements() >= std::size_t{1} << 29;
    if (values.elements() == 0)
        s.rows = {{0}, std::vector<sizes>(4, {0})};
    s.rows.simplify();
    s.plan();
    for (auto& g : s.launches)
        if (g.scratch > 0)
            g.scratch = std::max<std::size_t>(s.scratch, 16);
    return make_generated(p, std::move(s.launches));
}

const implementations topk_choices{{"topk", "topk_dynamic"}, {{"sort", topk}}};

} // namespace

} // namespace migraphx::gpu
