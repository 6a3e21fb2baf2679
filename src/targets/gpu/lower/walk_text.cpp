// SPDX-License-Identifier: MIT
#include "targets/gpu/lower/walk_text.hpp"

#include "codegen/device_text.hpp"

#include <algorithm>
#include <cstring>

namespace migraphx::gpu {

namespace {

// The index of dim `d` of a walk, in the text.
std::string index_name(const walk& w, std::size_t d) {
    return w.name + std::to_string(d);
}

std::string stride_name(const walk& w, const std::string& access, std::size_t d) {
    return "step_" + access + "_" + index_name(w, d);
}

int64_t stride_of(const walk& w, const walked& a, std::size_t d) {
    return w.dims[d] == 1 ? 0 : a.access->strides[w.first + d];
}

// Steps of the innermost dim are whole vectors.
int64_t step_of(const walk& w, std::size_t d) {
    return d + 1 == w.dims.size() ? w.step : 1;
}

std::string offset_of(const walk& w, const walked& a) {
    std::string sum;
    for (std::size_t d = 0; d < w.dims.size(); d++) {
        const auto s = stride_of(w, a, d), step = step_of(w, d);
        if (s == 0)
            continue;
        sum += (sum.empty() ? "" : " + ") + index_name(w, d);
        if (s != 1)
            sum += " * p." + stride_name(w, a.name, d);
        else if (step != 1)
            sum += " * " + std::to_string(step);
    }
    if (w.chooses and a.access->gathered) {
        const auto by = "x" + std::to_string(a.access->gathered->input);
        sum += (sum.empty() ? "" : " + ") + ("chosen<Index>(" + by + "[" + offset_name(w, by)) +
               "], p.extent_" + a.name + ") * p.chosen_" + a.name;
    }
    if (w.chooses and not a.access->border.empty())
        sum += " - p.back_" + a.name;
    return sum.empty() ? "0" : sum;
}

std::string low_name(const walk& w, const std::string& access, std::size_t d) {
    return "low_" + access + "_" + index_name(w, d);
}
std::string size_name(const walk& w, const std::string& access, std::size_t d) {
    return "size_" + access + "_" + index_name(w, d);
}

} // namespace

std::string reads_refusal(const std::vector<codegen::nest_access>& inputs,
                          const std::vector<int64_t>& dims, const std::vector<std::size_t>& fixed,
                          bool borders) {
    for (const auto& a : inputs) {
        if (not a.border.empty() and not borders)
            return "a border";
        if (not a.gathered)
            continue;
        if (a.gathered->extent == 0)
            return "nothing to choose from";
        const auto& by = inputs[std::size_t(a.gathered->input)];
        for (auto d : fixed)
            if (dims[d] > 1 and by.strides[d] != 0)
                return "indices that change along vectors";
    }
    return "";
}

bool needs_wide_index(const std::vector<int64_t>& dims,
                      const std::vector<const codegen::nest_access*>& accesses) {
    box all{dims, {}};
    for (const auto* a : accesses)
        if (a->gathered and box{{a->gathered->extent}, {{a->gathered->stride}}}.is_large())
            return true;
    for (const auto* a : accesses)
        all.strides.emplace_back(a->strides.begin(),
                                 a->strides.begin() + std::ptrdiff_t(dims.size()));
    return all.is_large();
}

std::string pointer_parameters(const std::vector<walked>& inputs,
                               const std::vector<walked>& outputs) {
    std::string text;
    for (const auto& a : inputs)
        text += std::string("const ") + codegen::stored_type(a.access->type) + "* " + a.name + ", ";
    for (const auto& a : outputs)
        text += std::string(codegen::stored_type(a.access->type)) + "* " + a.name + ", ";
    return text;
}

void declare_walk(const walk& w, const std::vector<walked>& accesses, index_params& params) {
    for (std::size_t d = 1; d < w.dims.size(); d++)
        params.add_divider("by_" + index_name(w, d),
                           std::max<int64_t>(w.dims[d] / step_of(w, d), 1));
    for (const auto& a : accesses)
        for (std::size_t d = 0; d < w.dims.size(); d++)
            if (const auto s = stride_of(w, a, d); s != 0 and s != 1)
                params.add(stride_name(w, a.name, d), s * step_of(w, d));
    for (const auto& a : accesses)
        if (w.chooses and a.access->gathered) {
            params.add("extent_" + a.name, a.access->gathered->extent);
            params.add("chosen_" + a.name, a.access->gathered->stride);
        }
    for (const auto& a : accesses) {
        if (not w.chooses or a.access->border.empty())
            continue;
        int64_t back = 0;
        for (std::size_t d = 0; d < w.dims.size(); d++) {
            const auto& b = a.access->border[w.first + d];
            back += b.before * a.access->strides[w.first + d];
            if (not a.access->has_border(w.first + d))
                continue;
            params.add(low_name(w, a.name, d), b.before);
            params.add(size_name(w, a.name, d), w.dims[d] - b.before - b.after);
        }
        params.add("back_" + a.name, back);
    }
}

void emit_offsets(const walk& w, const std::string& position, const std::vector<walked>& accesses,
                  code_text& code) {
    if (not w.dims.empty())
        code.line("Index " + index_name(w, 0) + " = " + position + ";");
    for (std::size_t d = w.dims.size(); d-- > 1;)
        code.line("const Index " + index_name(w, d) + " = p.by_" + index_name(w, d) + ".split(" +
                  index_name(w, 0) + ");");
    // Indices come before what is gathered by them.
    for (const bool chosen : {false, true})
        for (const auto& a : accesses)
            if (chosen == (w.chooses and a.access->gathered.has_value()))
                code.line("const Index " + offset_name(w, a.name) + " = " + offset_of(w, a) + ";");
}

std::string offset_name(const walk& w, const std::string& access) {
    return "at_" + w.name + "_" + access;
}

// Indices are unsigned: those before the first element are beyond all sizes.
border_text border_of(const walk& w, const walked& a) {
    border_text t;
    const auto inner = w.dims.size() - 1;
    for (std::size_t d = 0; d < w.dims.size(); d++) {
        if (not a.access->has_border(w.first + d))
            continue;
        auto position = index_name(w, d);
        if (step_of(w, d) != 1)
            position += " * " + std::to_string(step_of(w, d));
        position += " - p." + low_name(w, a.name, d);
        const auto size = "p." + size_name(w, a.name, d);
        if (d == inner) {
            t.position = position;
            t.size = size;
        } else
            t.inside += (t.inside.empty() ? "" : " && ") + position + " < " + size;
    }
    if (t.inside.empty())
        t.inside = "true";
    const auto bytes = shape(a.access->type).type_size();
    uint64_t bits = 0;
    std::memcpy(&bits, a.access->fill.data(), bytes);
    t.fill = std::string("bits_as<") + codegen::stored_type(a.access->type) + ">(static_cast<u" +
             std::to_string(8 * bytes) + ">(" + std::to_string(bits) + "u))";
    return t;
}

std::string source_head(const std::string& header, bool fast_math,
                        const std::vector<codegen::nest_output>& outputs) {
    const bool small = std::all_of(outputs.begin(), outputs.end(), [](const auto& o) {
        const auto type = o.access.type;
        return shape(type).type_size() <= 2 and codegen::is_float_class(codegen::class_of(type));
    });
    return std::string(fast_math and small ? "#define MGX_SMALL_RESULTS 1\n" : "") + "#include \"" +
           header + "\"\nnamespace mgx {\n";
}

const char* run_kind(int64_t stride, int64_t dim) {
    return dim == 1 or stride == 0 ? "run::repeated" : stride == 1 ? "run::unit" : "run::strided";
}

bool stays_aligned(const codegen::nest_access& a, const std::vector<int64_t>& dims,
                   std::size_t inner, int n) {
    for (std::size_t d = 0; d < dims.size(); d++)
        if (d != inner and dims[d] > 1 and a.strides[d] % n != 0)
            return false;
    return not a.gathered or a.gathered->stride % n == 0;
}

int vector_size(const std::vector<const codegen::nest_access*>& accesses, std::size_t inner,
                int64_t dim) {
    constexpr int widest = 16;
    int n = 1;
    for (const auto* a : accesses)
        if (a->strides[inner] == 1)
            n = std::max(n, widest / int(shape(a->type).type_size()));
    while (n > 1 and dim % n != 0)
        n /= 2;
    return n;
}

} // namespace migraphx::gpu
