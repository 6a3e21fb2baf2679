// SPDX-License-Identifier: MIT
// Executes plans of the tile machine: walks the iteration space and calls the blocks.

#include "targets/cpu/nest_plan.hpp"

#include "base/parallel.hpp"
#include "codegen/interpret.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace migraphx::cpu {
namespace {

constexpr double inline_nanoseconds = 20000;
constexpr double grain_nanoseconds = 10000;
constexpr double step_nanoseconds = 15; // of tiles, beside their elements
constexpr int64_t split_unit = 256;     // elements
constexpr std::size_t stack_scratch = 48 * 1024;
constexpr std::size_t most_streams = 256;   // where inputs are placed row by row
constexpr int64_t placed_elements = 16 * 1024; // of rows whose pieces are walked one after the other

// State of one execution; its arrays are at the end of the scratch memory.
struct nest_walker {
    const nest_plan& plan;
    const void* const* inputs;
    void* const* outputs;
    char* scratch;
    char** bases = nullptr;   // scratch, constants, cursors
    char** rows = nullptr;    // where each stream's current row begins
    int64_t* index = nullptr; // of the current row
    const void** pointers = nullptr;

    nest_walker(const nest_plan& p, const void* const* in, void* const* out, void* memory)
        : plan(p), inputs(in), outputs(out), scratch(static_cast<char*>(memory)) {
        const std::size_t streams = plan.streams.size();
        const std::size_t tail = (2 + 2 * streams + plan.dims.size() + 32) * 8;
        char* at = scratch + plan.scratch_bytes - (tail + 63) / 64 * 64;
        bases = reinterpret_cast<char**>(at);
        rows = bases + 2 + streams;
        index = reinterpret_cast<int64_t*>(rows + streams);
        pointers = reinterpret_cast<const void**>(index + plan.dims.size());
        bases[0] = scratch;
        bases[1] = reinterpret_cast<char*>(const_cast<int64_t*>(plan.constants.data()));
    }

    char* begin_of(std::size_t stream) const {
        const auto count = std::size_t(plan.inputs);
        return stream < count ? static_cast<char*>(const_cast<void*>(inputs[stream]))
                              : static_cast<char*>(outputs[stream - count]);
    }

    char* address(const nest_ref& r) const { return bases[r.base] + r.offset; }

    void call(const nest_step& s, int64_t n) const {
        for (int32_t k = 0; k < s.operand_count; ++k)
            pointers[k] = address(plan.operands[std::size_t(s.first_operand + k)]);
        s.fn({address(s.dst), pointers, n, s.splats, s.data});
    }

    // A part of a stage.
    void run_part(const nest_part& part) {
        const std::size_t inner = plan.dims.size() - 1;
        const std::size_t streams = plan.streams.size();
        begin_rows(part.row_begin);
        run_splats(plan.once);
        for (int64_t row = part.row_begin; row < part.row_end; ++row) {
            if (not plan.reads.empty())
                find_rows(row, part.col_begin);
            for (std::size_t s = 0; s < streams; ++s)
                bases[2 + s] = rows[s];
            run_splats(plan.per_row);
            for (const nest_step& f : plan.folds)
                f.folds->begin(address(f.dst), plan.fold_vectors);
            for (int64_t column = part.col_begin; column < part.col_end; column += plan.tile) {
                const int64_t n = std::min(plan.tile, part.col_end - column);
                for (std::size_t s = 0; s < streams; ++s)
                    bases[2 + s] = rows[s] + column * plan.streams[s].steps[inner];
                run_row_tile(n);
                for (const nest_step& f : plan.folds)
                    f.folds->step(address(f.dst), address(f.src), n, plan.fold_vectors, f.splat);
            }
            for (const nest_step& f : plan.folds)
                f.folds->end(rows[std::size_t(f.stream)], address(f.dst), plan.fold_vectors);
            next_row(inner);
        }
    }

    // Values that stand for a whole row, or for everything.
    void run_splats(const std::vector<nest_step>& steps) const {
        for (const nest_step& s : steps) {
            if (s.action == nest_action::load)
                s.load(address(s.dst), address(s.src), 1, 0, 1, 1);
            else
                call(s, 1);
        }
    }

    // Strides of loads and stores are in elements.
    int64_t stride(int32_t stream, std::size_t dim) const {
        const nest_stream& s = plan.streams[std::size_t(stream)];
        return s.steps[dim] / s.element_bytes;
    }

    void run_row_tile(int64_t n) const {
        const std::size_t inner = plan.dims.size() - 1;
        for (const nest_step& s : plan.per_tile) {
            switch (s.action) {
            case nest_action::call:
                call(s, n);
                break;
            case nest_action::load:
                s.load(address(s.dst), address(s.src), 1, 0, n, stride(s.stream, inner));
                break;
            case nest_action::store:
                s.store(address(s.dst), address(s.src), 1, 0, n, stride(s.stream, inner));
                break;
            case nest_action::fold:
                break;
            }
        }
    }

    // Puts the cursors at the row.
    void begin_rows(int64_t row) {
        const std::size_t inner = plan.dims.size() - 1;
        for (std::size_t d = inner; d-- > 0;) {
            index[d] = row % plan.dims[d];
            row /= plan.dims[d];
        }
        for (std::size_t s = 0; s < plan.streams.size(); ++s) {
            rows[s] = begin_of(s);
            for (std::size_t d = 0; d < inner; ++d)
                rows[s] += index[d] * plan.streams[s].steps[d];
            bases[2 + s] = rows[s];
        }
    }

    // Of inputs that strides alone do not find, for columns that are read as `column` is.
    void find_rows(int64_t row, int64_t column) {
        int64_t all_alike[most_streams];
        begin_rows(row);
        plan.reads.gather(rows);
        plan.reads.place(rows, all_alike, index, 0, column, 1);
    }

    void run_rows(int64_t begin, int64_t end) {
        const std::size_t inner = plan.dims.size() - 1;
        const int64_t columns = plan.dims[inner];
        const std::size_t streams = plan.streams.size();
        int64_t column = begin % columns;
        begin_rows(begin / columns);
        run_splats(plan.once);
        for (int64_t left = end - begin; left > 0;) {
            for (std::size_t s = 0; s < streams; ++s)
                bases[2 + s] = rows[s];
            run_splats(plan.per_row);
            const int64_t stop = std::min(columns, column + left);
            left -= stop - column;
            for (; column < stop; column += plan.tile) {
                for (std::size_t s = 0; s < streams; ++s)
                    bases[2 + s] = rows[s] + column * plan.streams[s].steps[inner];
                run_row_tile(std::min(plan.tile, stop - column));
            }
            column = 0;
            next_row(inner);
        }
    }

    void next_row(std::size_t inner) {
        const std::size_t streams = plan.streams.size();
        for (std::size_t d = inner; d-- > 0;) {
            const bool wraps = ++index[d] == plan.dims[d];
            const int64_t moved = wraps ? 1 - plan.dims[d] : 1;
            for (std::size_t s = 0; s < streams; ++s)
                rows[s] += moved * plan.streams[s].steps[d];
            if (not wraps)
                return;
            index[d] = 0;
        }
    }

    // f(position in the tile, byte offset, rows, cols) for rectangles of the two inner dims that
    // cover the iterations at .. at + n in order.
    template <class F>
    void for_each_rectangle(const nest_stream& s, int64_t at, int64_t n, F f) const {
        const std::size_t inner = plan.dims.size() - 1;
        const int64_t columns = plan.dims[inner];
        for (int64_t done = 0; done < n;) {
            const int64_t column = (at + done) % columns;
            int64_t row = (at + done) / columns;
            int64_t offset = column * s.steps[inner];
            int64_t rows_left = 1;
            for (std::size_t d = inner; d-- > 0;) {
                const int64_t i = row % plan.dims[d];
                row /= plan.dims[d];
                offset += i * s.steps[d];
                if (d + 1 == inner)
                    rows_left = plan.dims[d] - i;
            }
            const int64_t left = n - done;
            if (column != 0 or left < columns) {
                const int64_t cols = std::min(columns - column, left);
                f(done, offset, int64_t{1}, cols);
                done += cols;
            } else {
                const int64_t count = std::min(rows_left, left / columns);
                f(done, offset, count, columns);
                done += count * columns;
            }
        }
    }

    void move_tile(const nest_step& step, int64_t at, int64_t n) const {
        const nest_stream& s = plan.streams[std::size_t(step.stream)];
        const std::size_t inner = plan.dims.size() - 1;
        const int64_t col_stride = stride(step.stream, inner);
        const int64_t row_stride = inner > 0 ? stride(step.stream, inner - 1) : 0;
        const bool loads = step.action == nest_action::load;
        char* tile = address(loads ? step.dst : step.src);
        if (s.linear) {
            char* memory = bases[2 + step.stream];
            if (loads)
                step.load(tile, memory, 1, 0, n, col_stride);
            else
                step.store(memory, tile, 1, 0, n, col_stride);
            return;
        }
        char* memory = begin_of(std::size_t(step.stream));
        for_each_rectangle(s, at, n, [&](int64_t to, int64_t offset, int64_t r, int64_t c) {
            if (loads)
                step.load(tile + to * step.tile_element, memory + offset, r, row_stride, c,
                          col_stride);
            else
                step.store(memory + offset, tile + to * step.tile_element, r, row_stride, c,
                           col_stride);
        });
    }

    void run_across_rows(int64_t begin, int64_t end) {
        const std::size_t streams = plan.streams.size();
        for (std::size_t s = 0; s < streams; ++s)
            bases[2 + s] = begin_of(s);
        run_splats(plan.once);
        for (int64_t at = begin; at < end; at += plan.tile) {
            const int64_t n = std::min(plan.tile, end - at);
            for (std::size_t s = 0; s < streams; ++s)
                if (plan.streams[s].linear)
                    bases[2 + s] = begin_of(s) + at * plan.streams[s].steps.back();
            for (const nest_step& s : plan.per_tile) {
                if (s.action == nest_action::call)
                    call(s, n);
                else
                    move_tile(s, at, n);
            }
        }
    }
};

template <class F>
void with_scratch(const nest_plan& plan, F run) {
    if (plan.scratch_bytes <= stack_scratch) {
        alignas(64) char scratch[stack_scratch];
        run(static_cast<void*>(scratch));
        return;
    }
    struct release {
        void operator()(void* p) const { std::free(p); }
    };
    const std::unique_ptr<void, release> scratch(std::aligned_alloc(64, plan.scratch_bytes));
    if (scratch == nullptr)
        throw std::bad_alloc();
    run(scratch.get());
}

void run_part(const nest_plan& plan, const void* const* inputs, void* const* outputs, int64_t begin,
              int64_t end) {
    with_scratch(plan, [&](void* scratch) {
        execute_nest(plan, inputs, outputs, begin, end, scratch);
    });
}

} // namespace

void execute_nest(const nest_plan& plan, const void* const* inputs, void* const* outputs,
                  int64_t begin, int64_t end, void* scratch) {
    if (begin >= end)
        return;
    if (not plan.reads.empty()) {
        // Up to the end of the first row, whole rows, and what is left.
        const int64_t columns = plan.dims.back();
        while (begin < end) {
            const int64_t row = begin / columns, column = begin % columns;
            const bool whole = column == 0 and end - begin >= columns;
            const int64_t last = whole ? end / columns : row + 1;
            const int64_t stop = whole ? columns : std::min(columns, column + end - begin);
            execute_stage(plan, inputs, outputs, {row, last, column, stop}, scratch);
            begin = (last - 1) * columns + stop;
        }
        return;
    }
    nest_walker walker(plan, inputs, outputs, scratch);
    if (plan.rowwise)
        walker.run_rows(begin, end);
    else
        walker.run_across_rows(begin, end);
}

namespace {

void run_generated(const nest_plan& plan, jit_kernel kernel, const void* const* inputs,
                   void* const* outputs) {
    const jit_nest& j = *plan.generated;
    const double estimate = double(plan.elements) * plan.nanoseconds_per_element;
    if (estimate < inline_nanoseconds) {
        execute_jit_nest(j, kernel, inputs, outputs, 0, j.rows, 0, j.cols, plan.reads);
        return;
    }
    const auto grain = int64_t(grain_nanoseconds / std::max(plan.nanoseconds_per_element, 1e-3));
    if (j.rows >= 4 * num_threads() or j.cols < 4 * split_unit) {
        parallel_for(j.rows, std::max<int64_t>(grain / j.cols, 1), [&](int64_t begin, int64_t end) {
            execute_jit_nest(j, kernel, inputs, outputs, begin, end, 0, j.cols, plan.reads);
        });
        return;
    }
    const int64_t units = (j.cols + split_unit - 1) / split_unit;
    parallel_for(units, std::max<int64_t>(grain / (split_unit * j.rows), 1),
                 [&](int64_t begin, int64_t end) {
                     execute_jit_nest(j, kernel, inputs, outputs, 0, j.rows, begin * split_unit,
                                      std::min(end * split_unit, j.cols), plan.reads);
                 });
}

} // namespace

namespace {

void execute_part(const nest_plan& plan, const void* const* inputs, void* const* outputs,
                  const nest_part& part, void* scratch) {
    if (plan.generated != nullptr) {
        const jit_kernel k = plan.generated->code->kernel.load(std::memory_order_acquire);
        if (k != nullptr) {
            execute_jit_nest(*plan.generated, k, inputs, outputs, part.row_begin, part.row_end,
                             part.col_begin, part.col_end, plan.reads);
            return;
        }
        const auto steps = plan.per_row.size() + plan.per_tile.size() + 2 * plan.folds.size();
        count_towards_code(plan.generated->code, double(part.row_end - part.row_begin) *
                                                     (double(part.col_end - part.col_begin) *
                                                          plan.nanoseconds_per_element +
                                                      double(steps) * step_nanoseconds));
    }
    nest_walker(plan, inputs, outputs, scratch).run_part(part);
}

// A nest whose inputs are placed row by row, shared by rows or, of few, by columns.
void run_placed(const nest_plan& plan, const void* const* inputs, void* const* outputs) {
    const int64_t cols = plan.dims.back(), rows = plan.elements / cols;
    const auto run = [&](const nest_part& part) {
        with_scratch(plan, [&](void* scratch) {
            execute_stage(plan, inputs, outputs, part, scratch);
        });
    };
    if (double(plan.elements) * plan.nanoseconds_per_element < inline_nanoseconds) {
        run({0, rows, 0, cols});
        return;
    }
    const auto grain = int64_t(grain_nanoseconds / std::max(plan.nanoseconds_per_element, 1e-3));
    if (rows >= 4 * num_threads() or cols < 4 * split_unit) {
        parallel_for(rows, std::max<int64_t>(grain / cols, 1),
                     [&](int64_t begin, int64_t end) { run({begin, end, 0, cols}); });
        return;
    }
    parallel_for((cols + split_unit - 1) / split_unit,
                 std::max<int64_t>(grain / (split_unit * rows), 1),
                 [&](int64_t begin, int64_t end) {
                     run({0, rows, begin * split_unit, std::min(end * split_unit, cols)});
                 });
}

} // namespace

void execute_stage(const nest_plan& plan, const void* const* inputs, void* const* outputs,
                   const nest_part& part, void* scratch) {
    if (part.row_begin >= part.row_end or part.col_begin >= part.col_end)
        return;
    if (plan.reads.columns_end(part.col_begin, part.col_end) == part.col_end) {
        execute_part(plan, inputs, outputs, part, scratch);
        return;
    }
    // Pieces of columns, of so many rows that they are still in cache.
    const int64_t block = std::max<int64_t>(placed_elements / (part.col_end - part.col_begin), 1);
    for (int64_t row = part.row_begin; row < part.row_end; row += block)
        for (int64_t from = part.col_begin; from < part.col_end;) {
            const int64_t to = plan.reads.columns_end(from, part.col_end);
            execute_part(plan, inputs, outputs,
                         {row, std::min(row + block, part.row_end), from, to}, scratch);
            from = to;
        }
}

void run_nest(const nest_plan& plan, const void* const* inputs, void* const* outputs) {
    if (plan.elements > 0 and not plan.reads.empty() and
        plan.backend != nest_backend::interpreter) {
        const inputs_with_tables all(plan.tables, inputs,
                                     std::size_t(plan.inputs) - plan.tables.size());
        run_placed(plan, all.data(), outputs);
        return;
    }
    const double estimate = double(plan.elements) * plan.nanoseconds_per_element;
    if (plan.backend == nest_backend::interpreter) {
        codegen::interpret(plan.source, {inputs, plan.source.inputs.size()},
                           {outputs, plan.source.outputs.size()});
        return;
    }
    if (plan.generated != nullptr) {
        const jit_kernel k = plan.generated->code->kernel.load(std::memory_order_acquire);
        if (k != nullptr) {
            run_generated(plan, k, inputs, outputs);
            return;
        }
        count_towards_code(plan.generated->code, estimate);
    }
    if (estimate < inline_nanoseconds) {
        run_part(plan, inputs, outputs, 0, plan.elements);
        return;
    }
    // Parts are whole units, so that no two threads write one cache line of a contiguous output.
    const int64_t unit = split_unit;
    const int64_t units = (plan.elements + unit - 1) / unit;
    const auto grain =
        int64_t(grain_nanoseconds / std::max(plan.nanoseconds_per_element, 1e-3)) / unit;
    parallel_for(units, std::max<int64_t>(grain, 1), [&](int64_t begin, int64_t end) {
        run_part(plan, inputs, outputs, begin * unit, std::min(end * unit, plan.elements));
    });
}

} // namespace migraphx::cpu
