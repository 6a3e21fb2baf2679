// SPDX-License-Identifier: MIT
// Prepares nests for generated code and walks their outer dims.

#include "targets/cpu/jit/nest.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace migraphx::cpu {
namespace {

constexpr std::size_t most_streams = 256;
constexpr std::size_t most_dims = 64;
constexpr int64_t longest_column_step = int64_t{1} << 24; // bytes

// Whether the lines that a row touches stay in the first-level cache until the next row reads their
// other elements: 64 sets of at least 8 lines.
bool stays_in_cache(int64_t step, int64_t cols) {
    constexpr int64_t line = 64;
    constexpr int64_t sets = 64;
    constexpr int64_t ways = 8;
    step = std::llabs(step);
    if (step < line)
        return true;
    const int64_t reached = step % line != 0 ? sets : sets / std::gcd(step / line, sets);
    return cols <= reached * ways;
}

bool calls_tile_machine(const vm_node& v) {
    if (v.what != vm_node::kind::call)
        return false;
    if (v.function.family != vm_family::math)
        return v.function.family == vm_family::scalar;
    const auto f = vm_math(v.function.code);
    return f == vm_math::sin or f == vm_math::cos or f == vm_math::tan or f == vm_math::pow;
}

// Measured with nest_timing: tiles fill vectors better when rows are short, move better what lies
// far across the rows, do functions that generated code must call them for, and lose nothing on a
// single function of packed floats. Everything else is 1.05 to 4 times faster in generated code.
bool faster_than_tiles(const jit_nest& n, const jit_form& form, int lanes) {
    if (n.cols < lanes)
        return false;
    bool plain = n.rows == 1;
    for (std::size_t s = 0; s < form.streams.size(); ++s) {
        if (not stays_in_cache(n.col_steps[s], n.cols))
            return false;
        plain = plain and form.streams[s].type == vm_type::float_type and
                form.streams[s].stride == jit_stride::unit;
    }
    int operators = 0;
    for (const vm_node& v : form.graph.nodes) {
        if (v.rate != vm_rate::per_element or v.what == vm_node::kind::load)
            continue;
        if (calls_tile_machine(v))
            return false;
        operators += v.what == vm_node::kind::call and v.function.family == vm_family::math ? 1 : 2;
    }
    return operators > 1 or not plain or form.graph.has_folds();
}

} // namespace

std::shared_ptr<const jit_nest> make_jit_nest(const codegen::nest& simplified, isa level) {
    const codegen::nest n = codegen::with_a_dim(simplified);
    if (n.inputs.size() + n.outputs.size() > most_streams or n.dims.size() > most_dims)
        return nullptr;
    const nest_kernels& kernels = kernels_for(level).nest;
    auto j = std::make_shared<jit_nest>();
    j->inputs = int(n.inputs.size());
    j->outer.assign(n.dims.begin(), n.dims.end() - 1);
    for (int64_t d : j->outer)
        j->rows *= d;
    j->cols = n.dims.back();
    const auto add_stream = [&](const codegen::nest_access& a) {
        const auto bytes = int64_t(shape(a.type).type_size());
        std::vector<int64_t> steps;
        for (int64_t stride : a.strides)
            steps.push_back(stride * bytes);
        j->col_steps.push_back(steps.back());
        steps.pop_back();
        j->row_steps.push_back(steps.empty() ? 0 : steps.back());
        j->outer_steps.push_back(std::move(steps));
    };
    for (const auto& a : n.inputs)
        add_stream(a);
    for (const auto& o : n.outputs)
        add_stream(o.access);
    if (std::any_of(j->col_steps.begin(), j->col_steps.end(),
                    [](int64_t s) { return std::llabs(s) > longest_column_step; }))
        return nullptr;
    jit_form form = make_form(n, lower_nest(n, kernels, true, level), level);
    j->scalar_calls = std::move(form.graph.scalar_calls);
    form.graph.scalar_calls.clear();
    for (const vm_node& v : form.graph.nodes) {
        j->constants.push_back(v.bits);
        const bool loads = v.what == vm_node::kind::load;
        j->helpers.push_back(loads ? reinterpret_cast<const void*>(v.load)
                                   : reinterpret_cast<const void*>(v.fn));
        j->helpers.push_back(v.scalar_call < 0 ? nullptr
                                               : &j->scalar_calls[std::size_t(v.scalar_call)]);
    }
    for (const vm_store& s : form.graph.stores) {
        j->helpers.push_back(reinterpret_cast<const void*>(s.fn));
        j->helpers.push_back(nullptr);
    }
    j->pays = faster_than_tiles(*j, form, level == isa::avx512 ? 16 : 8);
    j->code = code_of(std::move(form));
    return j;
}

void execute_jit_nest(const jit_nest& n, jit_kernel kernel, const void* const* inputs,
                      void* const* outputs, int64_t row_begin, int64_t row_end, int64_t col_begin,
                      int64_t col_end, const nest_reads& reads) {
    const std::size_t streams = n.col_steps.size();
    char* begins[most_streams];
    int64_t index[most_dims], steps[most_streams];
    jit_call call{
        begins, n.row_steps.data(), n.col_steps.data(), n.constants.data(), n.helpers.data(),
        0,      col_end - col_begin};
    const int64_t together = n.outer.empty() ? 1 : n.outer.back();
    for (int64_t row = row_begin; row < row_end; row += call.rows) {
        call.rows = std::min(together - row % together, row_end - row);
        for (std::size_t s = 0; s < streams; ++s) {
            const auto k = s - std::size_t(n.inputs);
            begins[s] = s < std::size_t(n.inputs) ? static_cast<char*>(const_cast<void*>(inputs[s]))
                                                  : static_cast<char*>(outputs[k]);
            begins[s] += col_begin * n.col_steps[s];
        }
        int64_t rest = row;
        for (std::size_t d = n.outer.size(); d-- > 0;) {
            const int64_t i = rest % n.outer[d];
            rest /= n.outer[d];
            index[d] = i;
            if (i != 0)
                for (std::size_t s = 0; s < streams; ++s)
                    begins[s] += i * n.outer_steps[s][d];
        }
        if (reads.has_borders()) {
            std::copy(n.row_steps.begin(), n.row_steps.end(), steps);
            call.row_steps = steps;
            call.rows = reads.place(begins, steps, index, col_begin, col_begin, call.rows);
        }
        kernel(call);
    }
}

} // namespace migraphx::cpu
