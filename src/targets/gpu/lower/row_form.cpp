// SPDX-License-Identifier: MIT
#include "targets/gpu/lower/row_form.hpp"

#include "targets/gpu/lower/walk_text.hpp"

#include <algorithm>
#include <bit>

namespace migraphx::gpu {

namespace {

using codegen::nest_access;
using codegen::row_nest;

constexpr int64_t warp = 32;
constexpr int most_held = 32; // elements of one input in a thread's registers
constexpr int largest_block = 1024;
// Bytes that one multiprocessor reads in about the time of another launch.
constexpr int64_t worth_a_launch = int64_t{128} << 10;

int64_t div_up(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

int power_above(int64_t x) {
    return int(std::bit_ceil(uint64_t(std::max<int64_t>(x, 1))));
}

// The input that most bytes come from.
const nest_access* main_access(const row_nest& n) {
    const nest_access* best = nullptr;
    int64_t most = -1;
    for (const auto& a : n.inputs) {
        int64_t bytes = int64_t(shape(a.type).type_size());
        for (std::size_t d = 0; d < a.strides.size(); d++)
            if (codegen::moves_along(n.inputs, a, d))
                bytes *= d < n.kept.size() ? n.kept[d] : n.reduced[d - n.kept.size()];
        if (bytes > most) {
            most = bytes;
            best = &a;
        }
    }
    return best;
}

bool rows_lie_side_by_side(const row_nest& n) {
    const auto* a = main_access(n);
    if (a == nullptr or n.kept.empty())
        return false;
    const bool along_row = not n.reduced.empty() and a->strides.back() == 1;
    return not along_row and a->strides[n.kept.size() - 1] == 1;
}

int largest_vector(const row_nest& n, const row_form& f) {
    const auto length = vector_dim_length(n, f);
    return length <= 1 ? 1 : vector_size(accesses_of(n), vector_dim(n, f), length);
}

void lay_rows(const row_nest& n, const device_properties& on, row_form& f) {
    f.vector = largest_vector(n, f);
    const auto vectors = items_of(n, f), rows = n.rows();
    const int most = std::max(1, most_held / f.vector);
    constexpr int few = 4, usual_block = 512;
    if (vectors <= warp) {
        f.lanes = power_above(vectors);
    } else if (vectors <= warp * std::min(few, most)) {
        f.lanes = int(warp);
    } else if (vectors <= int64_t{usual_block} * most) {
        f.lanes = std::clamp(power_above(div_up(vectors, std::min(few, most))), 2 * int(warp),
                             usual_block);
    } else {
        f.lanes = largest_block;
    }
    f.chunk = int(std::clamp<int64_t>(div_up(vectors, f.lanes), 1, most));
    // A block of 1024 threads has 64 registers for each.
    if (f.lanes == largest_block)
        f.held = vectors <= int64_t{largest_block} * std::max(1, most / 2);
    if (not f.held) {
        f.lanes = usual_block;
        f.chunk = std::min(few, most);
        const auto* a = main_access(n);
        const auto bytes = n.row_length() * int64_t(a == nullptr ? 1 : shape(a->type).type_size());
        if (rows < on.multiprocessors and bytes > worth_a_launch)
            f.parts =
                std::clamp<int64_t>(vectors / (int64_t{f.lanes} * f.chunk * 2), 1,
                                    div_up(2 * on.multiprocessors, std::max<int64_t>(rows, 1)));
    }
    if (f.lanes <= warp) {
        const auto least = std::max<int64_t>(on.warp_size / f.lanes, 1);
        const auto even = int64_t(std::bit_floor(uint64_t(rows / (2 * on.multiprocessors) + 1)));
        f.across = int(std::clamp<int64_t>(even, least, std::max<int64_t>(256 / f.lanes, least)));
    }
}

void lay_columns(const row_nest& n, const device_properties& on, row_form& f) {
    constexpr int threads = 256, few = 4;
    constexpr std::size_t shared = std::size_t{40} << 10;
    f.vector = largest_vector(n, f);
    const auto length = n.row_length();
    std::size_t accumulators = 0;
    for (const auto& o : n.body)
        if (o.how)
            accumulators += accumulator_bytes(n, o, true);
    while (f.vector > 1 and accumulators * std::size_t(f.vector) * threads > shared)
        f.vector /= 2;
    f.across = std::min(int(warp), power_above(lines_of(n, f)));
    // More blocks, as long as they read whole sectors of memory.
    constexpr int least_across = 8, sector = 64;
    const auto blocks = [&] { return div_up(lines_of(n, f), f.across); };
    while (f.across > least_across and blocks() < on.multiprocessors)
        f.across /= 2;
    const auto size = int(shape(main_access(n)->type).type_size());
    while (f.vector > 1 and f.vector * f.across * size > sector and blocks() < on.multiprocessors)
        f.vector /= 2;
    const int most = std::max(1, most_held / f.vector);
    // Larger blocks rather than loops where there are few.
    for (int block = threads; block <= largest_block; block *= 2) {
        if (block > threads and
            (blocks() >= on.multiprocessors or
             accumulators * std::size_t(f.vector) * std::size_t(block) > shared))
            break;
        f.lanes = std::clamp(power_above(div_up(length, few)), std::max(on.warp_size / f.across, 1),
                             block / f.across);
        // A block of 1024 threads has 64 registers for each.
        const int room = block == largest_block ? std::max(1, most / 2) : most;
        f.held = div_up(length, f.lanes) <= room;
        if (f.held)
            break;
    }
    f.chunk = f.held ? int(std::max<int64_t>(div_up(length, f.lanes), 1)) : std::min(few, most);
    const auto bytes = length * f.across * f.vector * size;
    if (not f.held and blocks() < on.multiprocessors and bytes > worth_a_launch)
        f.parts =
            std::clamp<int64_t>(length / (int64_t{f.lanes} * f.chunk * 2), 1,
                                div_up(2 * on.multiprocessors, std::max<int64_t>(blocks(), 1)));
}

} // namespace

std::size_t vector_dim(const row_nest& n, const row_form& f) {
    return (f.columns ? n.kept.size() : n.kept.size() + n.reduced.size()) - 1;
}

int64_t vector_dim_length(const row_nest& n, const row_form& f) {
    const auto& dims = f.columns ? n.kept : n.reduced;
    return dims.empty() ? 1 : dims.back();
}

int64_t items_of(const row_nest& n, const row_form& f) {
    return f.columns ? n.row_length() : n.row_length() / f.vector;
}

int64_t lines_of(const row_nest& n, const row_form& f) {
    return f.columns ? n.rows() / f.vector : n.rows();
}

std::size_t accumulator_bytes(const row_nest& n, const codegen::row_op& fold, bool wide_index) {
    const auto type = n.reg_type(fold.op.operands.front().number);
    const std::size_t held = codegen::class_of(type) == codegen::value_class::f32 ? 4 : 8;
    if (not codegen::is_position(*fold.how))
        return held;
    return held == 4 and not wide_index ? 8 : 16;
}

std::vector<const nest_access*> accesses_of(const row_nest& n) {
    std::vector<const nest_access*> result;
    for (const auto& a : n.inputs)
        result.push_back(&a);
    for (const auto& o : n.outputs)
        result.push_back(&o.access);
    return result;
}

row_form row_form_of(const row_nest& n, const device_properties& on) {
    row_form f;
    f.columns = rows_lie_side_by_side(n);
    if (f.columns)
        lay_columns(n, on, f);
    else
        lay_rows(n, on, f);
    return f;
}

} // namespace migraphx::gpu
