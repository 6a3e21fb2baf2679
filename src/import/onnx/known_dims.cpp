// SPDX-License-Identifier: MIT
#include "import/onnx/known_dims.hpp"
#include "import/onnx/importer.hpp"
#include "ir/constant_value.hpp"
#include "ops/copy.hpp"

#include <algorithm>

namespace migraphx::onnx {

namespace {

constexpr std::size_t most_known = 64;
constexpr std::size_t most_folded_bytes = 4096;

bool all_numbers(const known_dims& dims) {
    return not dims.empty() and
           std::all_of(dims.begin(), dims.end(), [](const auto& d) { return d.is_number(); });
}

known_dims dims_of_shape(const node_reader& n) {
    const auto x = n.input(0);
    const auto& s = x->get_shape();
    const auto rank = int64_t(s.ndim());
    auto bound = [&](const char* name, int64_t fallback) {
        const auto v = n.integer(name, fallback);
        return std::clamp<int64_t>(v < 0 ? v + rank : v, 0, rank);
    };
    const auto start = bound("start", 0), end = bound("end", rank);
    const auto lo = s.min_lens(), hi = s.max_lens();
    known_dims result;
    for (auto i = std::size_t(start); i < std::size_t(std::max(start, end)); i++)
        result.push_back(lo[i] == hi[i] ? known_dim::value(int64_t(lo[i]))
                                        : known_dim{known_dim::kind::dimension, 0, x, i});
    return result;
}

known_dims gathered(const known_dims& from, const std::vector<int64_t>& indices) {
    known_dims result;
    for (auto i : indices) {
        const auto at = i < 0 ? i + int64_t(from.size()) : i;
        if (at < 0 or at >= int64_t(from.size()))
            return {};
        result.push_back(from[std::size_t(at)]);
    }
    return result;
}

known_dims sliced(const node_reader& n, const known_dims& from) {
    std::vector<int64_t> bounds[3];
    if (n.has_attribute("starts")) {
        bounds[0] = n.integers("starts");
        bounds[1] = n.integers("ends");
        bounds[2] = {1};
    } else {
        const auto starts = n.constant_ints(1), ends = n.constant_ints(2);
        const auto steps = n.has(4) ? n.constant_ints(4) : std::vector<int64_t>{1};
        if (not starts or not ends or not steps)
            return {};
        bounds[0] = *starts;
        bounds[1] = *ends;
        bounds[2] = *steps;
    }
    for (const auto& b : bounds)
        if (b.size() != 1)
            return {};
    const auto len = int64_t(from.size());
    auto clipped = [&](int64_t v) {
        return std::clamp<int64_t>(v < 0 ? std::max(v, -len) + len : v, 0, len);
    };
    if (bounds[2][0] < 1)
        return {};
    known_dims result;
    for (auto i = clipped(bounds[0][0]); i < clipped(bounds[1][0]);
         i += std::min(bounds[2][0], len))
        result.push_back(from[std::size_t(i)]);
    return result;
}

known_dims joined(const known_dims_table& table, const node_reader& n) {
    known_dims result;
    for (auto in : n.inputs()) {
        if (in->get_shape().dynamic() or in->get_shape().ndim() != 1)
            return {};
        auto part = find_known_dims(table, in);
        part.resize(in->get_shape().elements());
        result.insert(result.end(), part.begin(), part.end());
        if (result.size() > most_known)
            return {};
    }
    return result;
}

known_dims find_result(const known_dims_table& table, const node_reader& n) {
    const auto op = n.op_type();
    if (op == "Shape")
        return dims_of_shape(n);
    if (op == "Concat")
        return joined(table, n);
    const auto first = find_known_dims(table, n.input(0));
    if (first.empty() or n.shape_of(0).ndim() != 1)
        return {};
    if (op == "Gather") {
        const auto indices = n.constant_ints(1);
        return indices ? gathered(first, *indices) : known_dims{};
    }
    if (op == "Slice")
        return sliced(n, first);
    if (op == "Unsqueeze" or op == "Squeeze" or op == "Cast" or op == "Identity" or op == "Reshape")
        return first;
    return {};
}

bool foldable(const node_reader& n, instruction_ref output) {
    const auto& s = output->get_shape();
    if (output->name() == "@literal" or s.any_of_dynamic() or not s.computable() or
        s.elements() > most_folded_bytes / s.type_size() or n.op_type().starts_with("Random"))
        return false;
    return not n.inputs().empty() and
           std::all_of(n.inputs().begin(), n.inputs().end(), [](auto in) {
               return in->name() == "undefined" or
                      (in->name() == "@literal" and
                       in->get_shape().bytes() <= 4 * most_folded_bytes);
           });
}

shape plain(const shape& s) {
    return s.scalar() and s.ndim() == 1 ? s : s.as_standard();
}

} // namespace

known_dims find_known_dims(const known_dims_table& table, instruction_ref ins) {
    if (auto it = table.find(ins); it != table.end())
        return it->second;
    const auto& s = ins->get_shape();
    if (ins->name() != "@literal" or not shape::is_integral(s.type()) or s.elements() > most_known)
        return {};
    known_dims result;
    for (auto v : ins->get_literal().get_argument().to_vector<int64_t>())
        result.push_back(known_dim::value(v));
    return result;
}

void note_known_dims(known_dims_table& table, const node_reader& n, instructions& outputs) {
    for (auto& output : outputs) {
        if (not foldable(n, output))
            continue;
        const auto v = constant_value(output);
        if (not v or v->data() == nullptr)
            continue;
        // Views may see more memory than they use, so the elements are copied.
        auto value = argument::uninitialized(plain(v->get_shape()));
        copy_in_order(value, *v);
        output = node_reader::put_literal(n.target_module(), literal::adopt(value));
    }
    if (outputs.size() != 1 or n.input_count() == 0)
        return;
    const auto& s = outputs[0]->get_shape();
    if (outputs[0]->name() == "@literal" or s.dynamic() or not shape::is_integral(s.type()) or
        s.ndim() > 1 or s.elements() > most_known)
        return;
    const auto dims = find_result(table, n);
    if (dims.size() != s.elements())
        return;
    if (all_numbers(dims)) {
        std::vector<int64_t> values;
        for (const auto& d : dims)
            values.push_back(d.number);
        outputs[0] = node_reader::put_literal(n.target_module(), literal{plain(s), values});
    } else
        table[outputs[0]] = dims;
}

std::vector<int64_t> reshape_attribute(const known_dims& target, instruction_ref x) {
    const auto& s = x->get_shape();
    const auto dims = s.dynamic() ? s.dyn_dims() : s.to_dynamic().dyn_dims();
    std::vector<int64_t> result;
    int inferred = 0;
    for (std::size_t i = 0; i < target.size(); i++) {
        const auto& d = target[i];
        if (d.is_number()) {
            if (d.number == 0 and i >= dims.size())
                return {};
            result.push_back(d.number);
            inferred += d.number == -1;
            continue;
        }
        bool copied = false;
        if (d.is == known_dim::kind::dimension and i < dims.size()) {
            const auto& from = d.of->get_shape().dyn_dims().at(d.axis);
            copied = (d.of == x and d.axis == i) or (from.is_symbolic() and from == dims[i]);
        }
        result.push_back(copied ? 0 : -1);
        inferred += copied ? 0 : 1;
    }
    if (inferred > 1)
        return {};
    return result;
}

} // namespace migraphx::onnx
