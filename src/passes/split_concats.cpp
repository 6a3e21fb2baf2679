// SPDX-License-Identifier: MIT
// A region of joined tensors reads the parts where they lie, and writes what it makes of each into
// its place of the result:
//   pointwise(concat(a, b), c) → concat(pointwise(a, c[..]), pointwise(b, c[..]))
// The parts of c are views, and plans let kernels write into the memory of a concat
// (runtime/concat_slices.hpp), so the joined tensor is never made. Run after all fusion.
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include "passes/pass_registry.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>

namespace migraphx {

namespace {

using instructions = std::vector<instruction_ref>;

// Kernels of small tensors cost more than what they move, and parts that are short along the
// innermost dimensions are moved line by line.
constexpr std::size_t least_bytes = 256 << 10;
constexpr std::size_t most_parts = 4;
constexpr std::size_t shortest_run = 64; // elements

bool is_plain(instruction_ref ins) {
    const auto& s = ins->get_shape();
    return s.type() != shape::tuple_type and not s.any_of_dynamic() and s.computable();
}

struct cut {
    std::size_t axis = 0;
    std::vector<std::size_t> lens; ///< along the axis

    bool operator==(const cut&) const = default;
};

// How an operand is joined of parts, if it can be taken apart again.
std::optional<cut> cut_of(instruction_ref x, instruction_ref reader) {
    if (x->name() != "concat" or not is_plain(x) or x->inputs().size() > most_parts or
        x->inputs().size() < 2 or x->get_shape() != reader->get_shape() or
        not x->get_shape().standard())
        return std::nullopt;
    if (std::any_of(x->outputs().begin(), x->outputs().end(), [&](auto u) { return u != reader; }))
        return std::nullopt;
    cut c;
    c.axis = x->normalized_operator().get<std::size_t>("axis");
    for (auto part : x->inputs()) {
        if (not is_plain(part))
            return std::nullopt;
        c.lens.push_back(part->get_shape().lens()[c.axis]);
    }
    const auto inner = x->get_shape().strides()[c.axis];
    if (*std::min_element(c.lens.begin(), c.lens.end()) * inner < shortest_run)
        return std::nullopt;
    return c;
}

struct split_concats {
    std::string name() const { return "split_concats"; }

    void apply(module& m) const {
        instructions all;
        for (auto i = m.begin(); i != m.end(); ++i)
            all.push_back(i);
        for (auto ins : all)
            if (ins->name() == "pointwise" and is_plain(ins) and
                ins->get_shape().bytes() >= least_bytes)
                split(m, ins);
    }

private:
    static void split(module& m, instruction_ref ins) {
        const auto& in = ins->inputs();
        std::optional<cut> c;
        for (auto x : in)
            if (auto found = cut_of(x, ins); found and not c)
                c = std::move(found);
        if (not c)
            return;
        instructions parts;
        std::size_t begin = 0;
        for (std::size_t k = 0; k < c->lens.size(); k++) {
            instructions operands;
            for (auto x : in) {
                if (cut_of(x, ins) == c)
                    operands.push_back(x->inputs()[k]);
                else
                    operands.push_back(
                        m.insert_instruction(ins,
                                             make_op("slice", {{"axes", {c->axis}},
                                                               {"starts", {begin}},
                                                               {"ends", {begin + c->lens[k]}}}),
                                             {x}));
            }
            parts.push_back(
                m.insert_instruction(ins, ins->get_operator(), operands, ins->module_inputs()));
            begin += c->lens[k];
        }
        const auto whole = m.insert_instruction(ins, make_op("concat", {{"axis", c->axis}}), parts);
        if (whole->get_shape() == ins->get_shape())
            m.replace_instruction(ins, whole);
    }
};

const registered_pass split_concats_registered{"split_concats", [] { return split_concats{}; }};

} // namespace

} // namespace migraphx
