// SPDX-License-Identifier: MIT
// Makes plans of row nests: how rows are walked, blocks, memory.
#include "targets/cpu/row_plan.hpp"

#include "base/rounding.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

namespace migraphx::cpu {

namespace {

using codegen::fold;
using codegen::row_nest;
using codegen::stage_tensor;
using codegen::staged_rows;

constexpr int64_t longest_chunk = 4096;       // elements of a row that are summed in float
constexpr int64_t block_bytes = 24 * 1024;    // of rows: first cache
constexpr int64_t columns_bytes = 256 * 1024; // of rows side by side: second cache
constexpr int64_t second_cache = 1024 * 1024;
constexpr int64_t line = 16, most_columns = 512; // positions
constexpr int64_t worth_sharing = 2 * longest_chunk;

int64_t product(std::vector<int64_t>::const_iterator from,
                std::vector<int64_t>::const_iterator to) {
    return std::accumulate(from, to, int64_t{1}, std::multiplies<>{});
}

int64_t size_of(shape::type_t type) {
    return int64_t(shape(type).type_size());
}

// Bytes of all tensors for each element of a row, held ones as well.
int64_t element_bytes(const row_nest& n, const staged_rows& s) {
    int64_t bytes = 0;
    const auto add = [&](const codegen::nest_access& a) {
        const auto first = a.strides.begin() + std::ptrdiff_t(n.kept.size());
        if (std::any_of(first, a.strides.end(), [](auto x) { return x != 0; }))
            bytes += size_of(a.type);
    };
    for (const auto& a : n.inputs)
        add(a);
    for (const auto& o : n.outputs)
        add(o.access);
    for (auto t : s.held)
        bytes += size_of(t);
    return std::max<int64_t>(bytes, 1);
}

class row_compiler {
public:
    row_compiler(const row_nest& n, int64_t threads) : p(std::make_shared<row_plan>()) {
        p->source = codegen::simplify(n);
        p->threads = std::max<int64_t>(threads, 1);
        p->row_length = p->source.row_length();
        p->rows = p->source.rows();
    }

    std::shared_ptr<row_plan> run(isa level, nest_backend backend, artifact_store* artifacts) {
        if (backend == nest_backend::interpreter or p->rows == 0 or p->row_length == 0)
            return p;
        row_nest& s = p->source;
        p->tables = take_tables(s);
        const bool columns = codegen::rows_side_by_side(s);
        if (codegen::has_positions(s)) {
            s = codegen::simplify(codegen::with_plain_folds(s));
            p->positions.resize(std::size_t(p->row_length));
            std::iota(p->positions.begin(), p->positions.end(), 0.0f);
        }
        if (s.reduced.empty())
            add_reduced_dim(s);
        if (columns)
            lay_columns();
        else
            lay_rows();
        for (auto& stage : p->staged.stages) {
            row_plan_stage r;
            r.of_rows = stage.body.dims.size() == s.kept.size();
            r.plan = compile_stage(stage.body, level, backend, artifacts);
            r.inputs = std::move(stage.inputs);
            r.outputs = std::move(stage.outputs);
            r.folds = std::move(stage.folds);
            const auto elements = r.of_rows ? s.rows() : s.rows() * p->row_length;
            p->nanoseconds += double(elements) * r.plan->nanoseconds_per_element;
            p->memory.tiles = std::max(p->memory.tiles, r.plan->scratch_bytes);
            p->stages.push_back(std::move(r));
        }
        p->staged.stages.clear();
        if (not columns) {
            share_or_block();
            plan_fetching();
        }
        lay_memory();
        return p;
    }

private:
    std::shared_ptr<row_plan> p;

    static void add_reduced_dim(row_nest& n) {
        n.reduced = {1};
        for (auto& a : n.inputs)
            a.strides.push_back(0);
        for (auto& o : n.outputs)
            o.access.strides.push_back(0);
    }

    void lay_rows() {
        p->staged = codegen::stages_of(p->source, false, 0);
        const auto& reduced = p->source.reduced;
        p->inner = reduced.back();
        cut_rows();
        p->chunks = int64_t(p->cuts.size()) - 1;
        p->parts = product(reduced.begin(), reduced.end() - 1) * p->chunks;
    }

    // At borders of inputs, and where sums have become long.
    void cut_rows() {
        std::vector<int64_t> edges{0, p->inner};
        for (const auto& a : p->source.inputs)
            if (not a.border.empty()) {
                edges.push_back(a.border.back().before);
                edges.push_back(p->inner - a.border.back().after);
            }
        std::sort(edges.begin(), edges.end());
        for (auto edge : edges) {
            while (not p->cuts.empty() and edge - p->cuts.back() > longest_chunk)
                p->cuts.push_back(p->cuts.back() + longest_chunk);
            if (p->cuts.empty() or edge > p->cuts.back())
                p->cuts.push_back(edge);
        }
    }

    // Blocks wide enough for whole lines of memory and all threads, and low enough for the cache.
    void lay_columns() {
        const auto& n = p->source;
        p->inner = n.kept.back();
        p->rows = product(n.kept.begin(), n.kept.end() - 1);
        const auto bytes = element_bytes(n, codegen::stages_of(n, true, line)) * p->row_length;
        const auto wanted = (p->threads + p->rows - 1) / p->rows;
        auto width = std::min(columns_bytes / bytes, (p->inner + wanted - 1) / wanted);
        width = std::clamp(width / line * line, line, most_columns);
        p->block = std::min(width, round_up(p->inner, line));
        p->staged = codegen::stages_of(n, true, p->block);
    }

    void share_or_block() {
        const auto bytes = element_bytes(p->source, p->staged) * p->row_length;
        p->shared = p->threads > 1 and p->rows < p->threads and p->row_length >= worth_sharing;
        p->block = p->shared ? p->rows : std::clamp(block_bytes / bytes, int64_t{1}, p->rows);
    }

    // Several stages go over a block, and the first waits for memory when the others are dear.
    void plan_fetching() {
        const auto& n = p->source;
        const auto row = element_bytes(n, p->staged) * p->row_length;
        if (p->shared or n.kept.size() != 1 or n.reduced.size() != 1 or
            row * p->block > second_cache / 4 or row * p->rows < second_cache)
            return;
        for (std::size_t i = 0; i < n.inputs.size(); i++) {
            const auto& a = n.inputs[i];
            const auto size = size_of(a.type);
            if (a.by_strides() and a.strides[1] == 1 and a.strides[0] != 0)
                p->fetched.push_back({int(i), a.strides[0] * size, p->row_length * size});
        }
    }

    void lay_memory() {
        auto& m = p->memory;
        const auto take = [&](int64_t count, shape::type_t type) {
            const auto at = m.bytes;
            m.bytes += std::size_t(round_up(count * size_of(type), 64));
            return at;
        };
        for (const auto& f : p->staged.folds) {
            m.rows.push_back(take(p->block, f.cell));
            m.partials.push_back(p->parts == 1 and not p->staged.columns
                                     ? m.rows.back()
                                     : take(p->block * p->parts, f.cell));
        }
        for (auto t : p->staged.held)
            m.held.push_back(take(p->block * p->row_length, t));
        if (p->staged.columns)
            m.totals = take(p->block * int64_t(p->staged.folds.size()), shape::double_type);
        const auto tiles = std::size_t(round_up(int64_t(m.tiles), 64));
        m.tiles = m.bytes;
        m.bytes += tiles * std::size_t(p->shared ? p->threads : 1);
    }
};

} // namespace

std::string row_refusal(const row_nest& n) {
    constexpr std::size_t most_tensors = 32;
    if (n.inputs.size() + n.outputs.size() > most_tensors)
        return "more than 32 tensors";
    for (int r = 0; r < n.registers(); r++)
        if (n.reg_type(r) == shape::uint64_type)
            return "type uint64_type";
    if (codegen::has_positions(n) and n.row_length() > codegen::most_positions)
        return "positions in rows of more than 2^20 elements";
    return reads_refusal(codegen::simplify(n));
}

std::size_t row_plan::scratch_bytes() const {
    return stages.empty() ? 0 : memory.bytes * std::size_t(shared ? 1 : threads);
}

std::shared_ptr<const row_plan> compile_rows(const row_nest& n, int64_t threads, isa level,
                                             nest_backend backend, artifact_store* artifacts) {
    return row_compiler{n, threads}.run(level, backend, artifacts);
}

} // namespace migraphx::cpu
