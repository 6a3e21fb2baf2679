// SPDX-License-Identifier: MIT
// Which reductions are worth one kernel with what stands around them (row_plan.hpp) on this target.
// Measured on two cores of a Xeon with AVX-512: rows whose elements are neighbours 1.1 to 5 times
// as fast as separate kernels by generated code, 0.5 to 1.3 on tiles; rows side by side 0.85 to
// 1.0, a normalization and what follows it 0.9; softmax of a region, functions that are held and
// positions 1.3 to 2.2 in rows of 64 elements, 0.6 to 1.0 in rows of 768; fewer than 8192 elements
// 0.6 to 1.1. Pointwise regions with several results 1.3 to 2.4.
#include "targets/cpu/passes/passes.hpp"

#include "runtime/row_problem.hpp"
#include "targets/cpu/jit/code.hpp"
#include "targets/cpu/row_plan.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>

#include <algorithm>
#include <numeric>
#include <unordered_set>

namespace migraphx::cpu {

namespace {

// Elements of a row that are neighbours in memory.
int64_t run_length(const shape& s, const std::vector<bool>& reduced) {
    std::size_t step = 1;
    for (std::size_t d = 0; d < reduced.size();) {
        const bool next = reduced[d] and s.lens()[d] != 1 and s.strides()[d] == step;
        if (next)
            step *= s.lens()[d];
        d = next ? 0 : d + 1;
    }
    return int64_t(step);
}

// Those with kernels of their own, which are faster unless what is in front of them comes along in
// generated code.
bool has_own_kernel(instruction_ref x) {
    const auto name = x->name();
    return name == "layer_norm" or name == "rms_norm" or name == "softmax" or name == "logsoftmax";
}

bool generates_code() {
    return chosen_nest_backend() != nest_backend::automatic or jit_installed();
}

bool gives_positions(instruction_ref x) {
    return x->name() == "argmax" or x->name() == "argmin";
}

// Operators of which an element costs little more than its memory.
bool is_cheap(const std::string& name) {
    static const std::unordered_set<std::string> names{
        "add",   "sub",  "mul",     "div",   "max",   "min",    "neg",         "abs",       "relu",
        "clip",  "sqrt", "rsqrt",   "recip", "where", "equal",  "greater",     "less",      "not",
        "isnan", "sign", "convert", "ceil",  "floor", "sqdiff", "logical_and", "logical_or"};
    return names.contains(name) or name.starts_with('@');
}

class region_rules {
public:
    explicit region_rules(const reduce_region& region)
        : r(region), body(r.body.begin(), r.body.end()) {}

    bool take() const {
        if (elements(r.lens) < least_elements)
            return false;
        if (r.axes.empty())
            return true;
        if (not generates_code() or not fits_types() or run_length() < vector)
            return false;
        // Separate kernels do these as fast unless their rows are short.
        if (length_of_rows() > short_row and std::any_of(r.body.begin(), r.body.end(), [&](auto x) {
                return gives_positions(x) or is_held(x);
            }))
            return false;
        return std::none_of(r.body.begin(), r.body.end(), [&](auto x) {
            return has_own_kernel(x) and not body.contains(x->inputs().front());
        });
    }

private:
    static constexpr int64_t vector = 16;
    static constexpr int64_t short_row = 128;
    static constexpr int64_t least_elements = 8192;

    const reduce_region& r;
    std::unordered_set<instruction_ref> body;

    static int64_t elements(const std::vector<std::size_t>& lens) {
        return std::accumulate(lens.begin(), lens.end(), int64_t{1},
                               [](int64_t n, std::size_t d) { return n * int64_t(d); });
    }
    int64_t length_of_rows() const { return elements(r.lens) / elements(r.row_lens()); }

    bool fits_types() const {
        for (const auto* list : {&r.inputs, &r.body})
            for (auto x : *list)
                if (x->get_shape().type() == shape::uint64_type)
                    return false;
        return true;
    }
    // Of the largest input; 0 if there is none of whole tensors.
    int64_t run_length() const {
        std::vector<bool> reduced(r.lens.size(), false);
        for (auto a : r.axes)
            reduced[a] = true;
        const shape* largest = nullptr;
        for (auto x : r.inputs) {
            const auto& s = x->get_shape();
            if (s.lens() == r.lens and not s.broadcasted() and
                (largest == nullptr or s.bytes() > largest->bytes()))
                largest = &s;
        }
        return largest == nullptr ? 0 : cpu::run_length(*largest, reduced);
    }
    // What is dear and needed on both sides of a reduction lies in memory between.
    bool is_held(instruction_ref x) const {
        if (x->name() == "softmax")
            return true;
        if (x->name() != "pointwise" or x->get_shape().lens() != r.lens)
            return false;
        const auto& m = *x->module_inputs().front();
        if (std::all_of(m.begin(), m.end(), [](auto& op) { return is_cheap(op.name()); }))
            return false;
        const auto& users = x->outputs();
        const auto reduces = [&](auto u) { return body.contains(u) and u->name() != "pointwise"; };
        return users.size() > 1 and std::any_of(users.begin(), users.end(), reduces);
    }
};

// Gathers and pads that regions read where they lie (nest_reads.hpp). Measured as above, sum of
// both and relu: rows of 128 elements and more 1.0 to 1.5 times as fast, of 64 0.8 to 1.4, of 16
// 0.4 to 0.7; borders 1.2 to 3.0 where a piece that is walked at once has 600 elements, 0.6 to 0.9
// where it has 50 to 200; fewer than 8192 elements 0.8 to 1.2.
constexpr std::size_t least_read = 8192;
constexpr std::size_t least_row = 128;
constexpr std::size_t least_piece = 512;

// Whether what lies behind the axis is one run of memory.
bool gathers_long_rows(const shape& data, std::size_t axis) {
    std::size_t run = 1;
    for (auto d = data.ndim(); d-- > axis + 1;) {
        if (data.lens()[d] != 1 and data.strides()[d] != run)
            return false;
        run *= data.lens()[d];
    }
    return run >= least_row;
}

// Pieces that are in the border or not: those along the last dim that has one, and of rows, which
// are the dims before it up to the next that has one; indices of what is before that.
std::size_t pieces_of(const shape& padded, const std::vector<int64_t>& pads) {
    const auto rank = padded.ndim();
    const auto has_border = [&](std::size_t d) { return pads[d] != 0 or pads[d + rank] != 0; };
    const auto borders = [&](std::size_t d) {
        return std::size_t(pads[d] != 0) + std::size_t(pads[d + rank] != 0);
    };
    auto d = rank;
    while (d > 0 and not has_border(d - 1))
        d--;
    if (d-- == 0)
        return 1;
    auto pieces = 1 + borders(d);
    if (d > 0 and has_border(d - 1))
        pieces += borders(--d);
    else
        while (d > 0 and not has_border(d - 1))
            d--;
    while (d-- > 0)
        pieces *= padded.lens()[d];
    return pieces;
}

bool reads_in_place(const reduce_region&, instruction_ref x) {
    const auto& s = x->get_shape();
    const auto& data = x->inputs().front()->get_shape();
    if (not generates_code() or not s.standard() or s.elements() < least_read)
        return false;
    const auto op = x->normalized_operator();
    if (x->name() == "gather")
        return gathers_long_rows(data, op.get<std::size_t>("axis"));
    const auto pads = op.get_vector<int64_t>("pads");
    return op.get<int64_t>("mode") == 0 and data.standard() and data.elements() > 0 and
           std::none_of(pads.begin(), pads.end(), [](auto p) { return p < 0; }) and
           s.elements() / pieces_of(s, pads) >= least_piece;
}

} // namespace

fuse_reduce reduce_fusion() {
    fuse_reduce pass;
    pass.joins_regions = true;
    pass.reads = reads_in_place;
    pass.runs = [](const operation& op, const std::vector<shape>& inputs, const shape& output,
                   module& body) {
        const auto built = rows_of(op, inputs, output, body);
        if (not built.refusal.empty())
            return false;
        return op.get_vector<int64_t>("axes").empty()
                   ? reads_refusal(codegen::simplify(codegen::without_rows(built.nest))).empty()
                   : row_refusal(built.nest).empty();
    };
    pass.takes = [](const reduce_region& r) { return region_rules{r}.take(); };
    return pass;
}

} // namespace migraphx::cpu
