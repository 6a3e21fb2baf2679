// SPDX-License-Identifier: MIT
// Which reductions are worth one kernel with what stands around them (row_plan.hpp) on this target.
// Measured on two cores of a Xeon with AVX-512: rows whose elements are neighbours 1.1 to 5 times
// as fast as separate kernels by generated code, 0.5 to 1.3 on tiles; rows side by side 0.85 to
// 1.0, a normalization and what follows it 0.9; softmax of a region, functions that are held and
// positions 1.3 to 2.2 in rows of 64 elements, 0.6 to 1.0 in rows of 768; fewer than 8192 elements
// 0.6 to 1.1. Pointwise regions with several results 1.3 to 2.4.
#include "targets/cpu/passes/passes.hpp"

#include "targets/cpu/jit/code.hpp"
#include "targets/cpu/nest_plan.hpp"

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

// Rows of a gather: what lies behind the axis is one run of memory.
bool reads_in_place(const reduce_region&, instruction_ref x) {
    if (not generates_code() or not x->get_shape().standard())
        return false;
    const auto& data = x->inputs().front()->get_shape();
    if (x->name() == "gather") {
        const auto axis = x->normalized_operator().get<std::size_t>("axis");
        std::size_t run = 1;
        for (auto d = data.ndim(); d-- > axis + 1;) {
            if (data.lens()[d] != 1 and data.strides()[d] != run)
                return false;
            run *= data.lens()[d];
        }
        return run >= 16;
    }
    const auto op = x->normalized_operator();
    const auto pads = op.get_vector<int64_t>("pads");
    return op.get<int64_t>("mode") == 0 and data.elements() > 0 and
           std::none_of(pads.begin(), pads.end(), [](auto p) { return p < 0; });
}

} // namespace

fuse_reduce reduce_fusion() {
    fuse_reduce pass;
    pass.joins_regions = true;
    pass.reads = reads_in_place;
    pass.takes = [](const reduce_region& r) { return region_rules{r}.take(); };
    return pass;
}

} // namespace migraphx::cpu
