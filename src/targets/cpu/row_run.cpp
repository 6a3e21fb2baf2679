// SPDX-License-Identifier: MIT
// Executes plans of row nests.
#include "targets/cpu/row_plan.hpp"

#include "base/parallel.hpp"
#include "codegen/interpret.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

namespace migraphx::cpu {

namespace {

using codegen::fold;
using codegen::stage_tensor;
using codegen::staged_fold;

constexpr std::size_t most_tensors = 128; // of a stage
constexpr int64_t added_in_float = 64; // rows side by side
constexpr double grain_nanoseconds = 10000;

// What a block's stages are called with. Scratch memory is the block's own: its addresses are those
// that index 0 would have.
class block_runner {
public:
    block_runner(const row_plan& plan, const void* const* in, void* const* out, char* scratch)
        : p(plan), inputs(in), outputs(out), memory(scratch) {}

    // Rows lie one after the other; those up to `next` come after them.
    void run_rows(int64_t begin, int64_t end, int64_t next) {
        for (std::size_t i = 0; i < p.stages.size(); i++) {
            const auto& s = p.stages[i];
            if (i == 1)
                fetch(end, next);
            if (s.of_rows) {
                bind(s, begin, 0);
                execute_nest(*s.plan, in.data(), out.data(), begin, end, tiles());
                continue;
            }
            const int64_t lines = p.parts / p.chunks;
            for (int64_t c = 0; c < p.chunks; c++)
                run_chunk(s, {begin * lines, end * lines, cut(c), cut(c + 1)}, begin, c, tiles());
            for (int f : s.folds)
                finish(f, end - begin);
        }
    }

    // Rows lie side by side: positions begin .. end of the innermost kept dim.
    void run_columns(int64_t outer, int64_t begin, int64_t end) {
        const int64_t length = p.row_length, width = end - begin;
        for (const auto& s : p.stages) {
            bind(s, begin, 0);
            if (s.of_rows) {
                execute_stage(*s.plan, in.data(), out.data(), {outer, outer + 1, begin, end},
                              tiles());
                continue;
            }
            const bool in_float = std::any_of(s.folds.begin(), s.folds.end(),
                                              [&](int f) { return adds_floats(of(f)); });
            const int64_t step = in_float ? added_in_float : length;
            for (int f : s.folds)
                start(f, width);
            for (int64_t r = 0; r < length; r += step) {
                execute_stage(
                    *s.plan, in.data(), out.data(),
                    {outer * length + r, outer * length + std::min(length, r + step), begin, end},
                    tiles());
                for (int f : s.folds)
                    if (adds_floats(of(f)))
                        add_to_totals(f, width, r);
            }
            for (int f : s.folds)
                finish_columns(f, width);
        }
    }

    // All rows, each stage by all threads.
    void run_shared() {
        const int64_t lines = p.rows * (p.parts / p.chunks);
        const int64_t tile_bytes = (int64_t(p.memory.bytes) - int64_t(p.memory.tiles)) / p.threads;
        for (const auto& s : p.stages) {
            if (s.of_rows) {
                bind(s, 0, 0);
                execute_nest(*s.plan, in.data(), out.data(), 0, p.rows, tiles());
                continue;
            }
            const int64_t units = lines * p.chunks;
            const double each =
                s.plan->nanoseconds_per_element * double(p.inner) / double(p.chunks);
            const int64_t parts = std::clamp(int64_t(double(units) * each / grain_nanoseconds),
                                             int64_t{1}, std::min(units, p.threads));
            parallel_for(parts, 1, [&](int64_t first, int64_t last) {
                block_runner mine(p, inputs, outputs, memory);
                for (int64_t i = first; i < last; i++)
                    for (int64_t u = units * i / parts; u < units * (i + 1) / parts; u++) {
                        const int64_t row = u / p.chunks, c = u % p.chunks;
                        mine.run_chunk(s, {row, row + 1, cut(c), cut(c + 1)}, 0, c,
                                       tiles() + i * tile_bytes);
                    }
            });
            for (int f : s.folds)
                finish(f, p.rows);
        }
    }

private:
    const row_plan& p;
    const void* const* inputs;
    void* const* outputs;
    char* memory;
    std::array<const void*, most_tensors> in{};
    std::array<void*, most_tensors> out{};

    const staged_fold& of(int f) const { return p.staged.folds[std::size_t(f)]; }
    int64_t cut(int64_t c) const { return p.cuts[std::size_t(c)]; }
    char* tiles() const { return memory + p.memory.tiles; }
    template <class T>
    T* row_values(int f) const {
        return reinterpret_cast<T*>(memory + p.memory.rows[std::size_t(f)]);
    }
    template <class T>
    T* partials(int f) const {
        return reinterpret_cast<T*>(memory + p.memory.partials[std::size_t(f)]);
    }
    static int64_t size_of(shape::type_t type) { return type == shape::float_type ? 4 : 8; }

    // Addresses for a block whose first row, or position, is `begin`.
    char* address(const stage_tensor& t, int64_t begin, int64_t c) const {
        const auto k = std::size_t(t.number);
        const auto count = p.source.inputs.size();
        const bool columns = p.staged.columns;
        switch (t.what) {
        case stage_tensor::kind::tensor:
            return k >= count ? static_cast<char*>(outputs[k - count])
                              : static_cast<char*>(const_cast<void*>(
                                    k + 1 == count and not p.positions.empty() ? p.positions.data()
                                                                               : inputs[k]));
        case stage_tensor::kind::row:
            return before(p.memory.rows[k], begin * size_of(of(t.number).cell));
        case stage_tensor::kind::partial: {
            const auto size = size_of(of(t.number).cell);
            const auto lines = columns ? 1 : p.parts / p.chunks;
            return before(p.memory.partials[k], (begin - c * p.block) * lines * size);
        }
        case stage_tensor::kind::held:
            break;
        }
        return before(p.memory.held[k],
                      begin * (columns ? 1 : p.row_length) * size_of(p.staged.held[k]));
    }
    char* before(std::size_t at, int64_t bytes) const {
        return reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(memory) + at - uintptr_t(bytes));
    }
    void bind(const row_plan_stage& s, int64_t begin, int64_t c) {
        for (std::size_t i = 0; i < s.inputs.size(); i++)
            in[i] = address(s.inputs[i], begin, c);
        for (std::size_t i = 0; i < s.outputs.size(); i++)
            out[i] = address(s.outputs[i], begin, c);
    }
    void fetch(int64_t begin, int64_t end) const {
        constexpr int64_t cache_line = 64;
        for (const auto& f : p.fetched)
            for (int64_t r = begin; r < end; r++) {
                const char* row = static_cast<const char*>(inputs[f.input]) + r * f.step;
                for (int64_t i = 0; i < f.bytes; i += cache_line)
                    __builtin_prefetch(row + i, 0, 2);
            }
    }
    void run_chunk(const row_plan_stage& s, const nest_part& part, int64_t begin, int64_t c,
                   char* tile_memory) {
        bind(s, begin, c);
        execute_stage(*s.plan, in.data(), out.data(), part, tile_memory);
    }

    // ---- folds

    static bool adds_floats(const staged_fold& f) {
        return f.cell == shape::float_type and f.step == fold::sum;
    }
    // NaN if either is.
    template <class T>
    static T joined(fold step, T a, T x) {
        switch (step) {
        case fold::prod:
            return a * x;
        case fold::max:
            return x > a or x != x ? x : a;
        case fold::min:
            return x < a or x != x ? x : a;
        default:
            return a + x;
        }
    }
    static int64_t joined(fold step, int64_t a, int64_t x) {
        switch (step) {
        case fold::prod:
            return int64_t(uint64_t(a) * uint64_t(x));
        case fold::max:
            return std::max(a, x);
        case fold::min:
            return std::min(a, x);
        default:
            return int64_t(uint64_t(a) + uint64_t(x));
        }
    }
    template <class T>
    T finished(const staged_fold& f, T x) const {
        if constexpr (std::is_same_v<T, int64_t>)
            return codegen::wrap_integer(f.type, f.how == fold::mean ? x / p.row_length : x);
        else
            return f.how == fold::mean ? x / T(p.row_length) : x;
    }

    // Of rows one after the other: W is what partials are added in.
    template <class T, class W>
    void finish_as(int f, int64_t rows) {
        const auto& fold_of = of(f);
        const int64_t lines = p.parts / p.chunks;
        const T* from = partials<T>(f);
        T* to = row_values<T>(f);
        if (p.parts == 1 and fold_of.how != fold::mean and not std::is_same_v<T, int64_t>)
            return;
        for (int64_t r = 0; r < rows; r++) {
            W total = W(from[r * lines]);
            for (int64_t c = 0; c < p.chunks; c++)
                for (int64_t l = c == 0 ? 1 : 0; l < lines; l++)
                    total = joined(fold_of.step, total, W(from[(c * p.block + r) * lines + l]));
            to[r] = T(finished(fold_of, total));
        }
    }
    void finish(int f, int64_t rows) {
        switch (of(f).cell) {
        case shape::float_type:
            return finish_as<float, double>(f, rows);
        case shape::double_type:
            return finish_as<double, double>(f, rows);
        default:
            return finish_as<int64_t, int64_t>(f, rows);
        }
    }

    template <class T>
    static T start_of(fold step) {
        using limits = std::numeric_limits<T>;
        const auto top = limits::has_infinity ? limits::infinity() : limits::max();
        const auto bottom = limits::has_infinity ? T(-limits::infinity()) : limits::lowest();
        return step == fold::max    ? bottom
               : step == fold::min  ? top
               : step == fold::prod ? T(1)
                                    : T(0);
    }
    void start(int f, int64_t width) {
        switch (of(f).cell) {
        case shape::float_type:
            std::fill_n(partials<float>(f), width, start_of<float>(of(f).step));
            break;
        case shape::double_type:
            std::fill_n(partials<double>(f), width, start_of<double>(of(f).step));
            break;
        default:
            std::fill_n(partials<int64_t>(f), width, start_of<int64_t>(of(f).step));
            break;
        }
    }
    double* totals(int f) const {
        return reinterpret_cast<double*>(memory + p.memory.totals) + f * p.block;
    }
    void add_to_totals(int f, int64_t width, int64_t done) {
        float* from = partials<float>(f);
        double* to = totals(f);
        for (int64_t i = 0; i < width; i++) {
            to[i] = (done == 0 ? 0 : to[i]) + double(from[i]);
            from[i] = 0;
        }
    }
    template <class T, class From>
    void finish_columns_as(int f, const From* from, int64_t width) {
        T* to = row_values<T>(f);
        for (int64_t i = 0; i < width; i++)
            to[i] = T(finished(of(f), from[i]));
    }
    void finish_columns(int f, int64_t width) {
        if (adds_floats(of(f)))
            return finish_columns_as<float>(f, totals(f), width);
        switch (of(f).cell) {
        case shape::float_type:
            return finish_columns_as<float>(f, partials<float>(f), width);
        case shape::double_type:
            return finish_columns_as<double>(f, partials<double>(f), width);
        default:
            return finish_columns_as<int64_t>(f, partials<int64_t>(f), width);
        }
    }
};

void run_blocks(const row_plan& p, const void* const* inputs, void* const* outputs, char* scratch) {
    const bool columns = p.staged.columns;
    const int64_t across = columns ? (p.inner + p.block - 1) / p.block : 1;
    const int64_t units = columns ? p.rows * across : p.rows;
    const int64_t parts = std::clamp(int64_t(p.nanoseconds / grain_nanoseconds), int64_t{1},
                                     std::min(units, p.threads));
    parallel_for(parts, 1, [&](int64_t first, int64_t last) {
        for (int64_t i = first; i < last; i++) {
            block_runner runner(p, inputs, outputs, scratch + i * int64_t(p.memory.bytes));
            const int64_t begin = units * i / parts, end = units * (i + 1) / parts;
            if (not columns) {
                for (int64_t r = begin; r < end; r += p.block)
                    runner.run_rows(r, std::min(end, r + p.block), std::min(end, r + 2 * p.block));
                continue;
            }
            for (int64_t u = begin; u < end; u++)
                runner.run_columns(u / across, u % across * p.block,
                                   std::min(p.inner, (u % across + 1) * p.block));
        }
    });
}

} // namespace

void run_rows(const row_plan& p, const void* const* inputs, void* const* outputs, char* scratch) {
    if (p.stages.empty()) {
        codegen::interpret(p.source, {inputs, p.source.inputs.size()},
                           {outputs, p.source.outputs.size()});
        return;
    }
    const auto more = p.tables.size() + (p.positions.empty() ? 0 : 1);
    const inputs_with_tables all(p.tables, inputs, p.source.inputs.size() - more);
    if (p.shared)
        block_runner(p, all.data(), outputs, scratch).run_shared();
    else
        run_blocks(p, all.data(), outputs, scratch);
}

} // namespace migraphx::cpu
