// SPDX-License-Identifier: MIT
#include "passes/float_images.hpp"

#include "ops/pointwise_table.hpp"
#include "passes/channel_numbers.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>

namespace migraphx {

namespace {

constexpr std::size_t channels_of_a_step = 32;
constexpr std::size_t few_bytes = std::size_t(8) << 20; // 2^21 floats

bool is_convolution(instruction_ref ins) {
    return ins->name() == "convolution" or ins->name() == "convolution_backwards";
}

bool is_float_image(instruction_ref ins) {
    return ins->get_shape().type() == shape::float_type and ins->get_shape().ndim() > 2;
}

// A window for each channel.
bool is_depthwise(instruction_ref ins) {
    const auto& lens = ins->inputs()[1]->get_shape().max_lens();
    return ins->name() == "convolution" and lens[1] == 1 and lens[0] > 1 and
           lens[0] == ins->inputs()[0]->get_shape().max_lens()[1];
}

} // namespace

bool is_narrow_image(instruction_ref ins) {
    return is_float_image(ins) and ins->get_shape().max_lens()[1] < channels_of_a_step;
}

std::unordered_set<instruction_ref> convolutions_of_float_images(const module& m) {
    std::unordered_set<instruction_ref> found;
    for (auto ins = m.begin(); ins != m.end(); ++ins) {
        if (not is_convolution(ins) or not is_float_image(ins))
            continue;
        const auto x = ins->inputs()[0], w = ins->inputs()[1];
        const bool narrow = is_narrow_image(x) and is_narrow_image(ins);
        if (not(is_depthwise(ins) ? narrow or x->get_shape().bytes() <= few_bytes
                                  : narrow and ins->name() == "convolution_backwards"))
            continue;
        if (w->can_eval() and not x->can_eval() and value_readers(x).size() == 1 and
            (is_convolution(x) or find_pointwise_row(x->name()) != nullptr))
            found.insert(ins);
    }
    return found;
}

} // namespace migraphx
