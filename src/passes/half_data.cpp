// SPDX-License-Identifier: MIT
#include "passes/half_data.hpp"

#include "passes/channel_numbers.hpp"
#include "passes/data_type.hpp"
#include "passes/flat_images.hpp"
#include "passes/float_gates.hpp"
#include "passes/pass_registry.hpp"

#include <migraphx/make_op.hpp>

#include <limits>
#include <unordered_map>
#include <vector>

namespace migraphx {

namespace {

bool widens(instruction_ref ins) {
    return ins->name() == "convert" and ins->get_shape().type() == shape::float_type and
           is_short(ins->inputs().front()->get_shape().type()) and
           not ins->inputs().front()->can_eval();
}

bool reads_widened_data(instruction_ref ins) {
    if (ins->name() != "convolution" or ins->get_shape().type() != shape::float_type)
        return false;
    const auto x = ins->inputs()[0], w = ins->inputs()[1];
    if (x->name() != "convert" or not is_short(x->inputs().front()->get_shape().type()) or
        not w->can_eval() or w->get_shape().dynamic())
        return false;
    return has_windows_of_one(w->get_shape());
}

// Of all images; the most where sizes change.
std::size_t positions_of(const shape& s) {
    auto lens = s.max_lens();
    lens[1] = 1;
    std::size_t n = 1;
    for (auto l : lens)
        if (__builtin_mul_overflow(n, l, &n))
            return std::numeric_limits<std::size_t>::max();
    return n;
}

instruction_ref rounded(module& m, instruction_ref ins, instruction_ref w, shape::type_t t) {
    const auto converted = m.insert_instruction(ins, make_op("convert", {{"target_type", t}}), {w});
    const auto value = converted->eval();
    return m.replace_instruction(converted, m.add_literal(value.get_shape(), value.data()));
}

} // namespace

void half_data::apply(module& m) const {
    for (auto ins : instructions_of(m))
        if (widens(ins)) {
            const std::vector<instruction_ref> readers(ins->outputs());
            for (std::size_t i = 1; i < readers.size(); i++)
                instruction::replace_argument(
                    readers[i], ins,
                    m.insert_instruction(readers[i], ins->get_operator(), ins->inputs()));
        }
    std::vector<instruction_ref> found;
    for (auto ins = m.begin(); ins != m.end(); ++ins)
        if (reads_widened_data(ins))
            found.push_back(ins);
    std::unordered_map<instruction_ref, flat_image> images;
    if (rounded_positions > 0 and not found.empty())
        images = flat_images(m);
    for (auto ins : found) {
        const auto x = ins->inputs()[0]->inputs().front();
        const auto w = ins->inputs()[1];
        const bool rounds = positions_of(ins->get_shape()) <= rounded_positions;
        const auto used = rounds ? rounded(m, ins, w, x->get_shape().type()) : w;
        const auto sums = m.insert_instruction(ins, ins->get_operator(), {x, used});
        sums->add_debug_symbols(ins->get_debug_symbols());
        const auto wide = m.insert_instruction(
            ins, make_op("convert", {{"target_type", ins->get_shape().type()}}), {sums});
        const auto image = rounds ? images.find(x) : images.end();
        m.replace_instruction(ins, wide);
        if (image != images.end())
            add_to_channels(m, wide,
                            lost_by_rounding(w->eval(), used->eval(),
                                             sums->get_operator().get<std::size_t>("group"),
                                             image->second));
        // Not rounded twice where the type is wanted.
        for (auto reader : std::vector<instruction_ref>(wide->outputs()))
            if (reader->name() == "convert" and
                reader->get_shape().type() == sums->get_shape().type())
                m.replace_instruction(reader, sums);
    }
}

namespace {

const registered_pass half_data_registered{"half_data", [] { return half_data{}; }};

} // namespace

} // namespace migraphx
