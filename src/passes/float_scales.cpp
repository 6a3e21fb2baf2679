// SPDX-License-Identifier: MIT
#include "passes/float_scales.hpp"

#include "ir/number_kinds.hpp"
#include "ops/pointwise_table.hpp"
#include "ops/tensor.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace migraphx {

namespace {

bool is_convolution(instruction_ref ins) {
    return ins->name() == "convolution" or ins->name() == "convolution_backwards";
}

bool is_arithmetic(instruction_ref ins) {
    const auto& name = ins->name();
    return name == "add" or name == "sub" or name == "mul" or name == "div";
}

// A constant of one element, behind the operators that stretch it (to sizes that may be open).
std::optional<double> single_number(instruction_ref x) {
    while (x->name() == "multibroadcast" or x->name() == "broadcast")
        x = x->inputs().front();
    if (not x->can_eval() or x->get_shape().elements() != 1)
        return std::nullopt;
    return load<double>(x->eval()).front();
}

bool is_constant(instruction_ref x) {
    return x->can_eval() or single_number(x);
}

// Whether rounding to `t` changes a number of its range.
bool changes(double x, shape::type_t t) {
    const argument rounded{shape{t, {1}}};
    store(rounded, std::vector<double>{x});
    return std::isfinite(x) and std::fabs(x) <= number_limits(t).second and
           load<double>(rounded).front() != x;
}

} // namespace

std::unordered_set<instruction_ref> float_scales(const module& m, shape::type_t t) {
    std::unordered_set<instruction_ref> images, scales;
    for (auto ins = m.begin(); ins != m.end(); ++ins) {
        const auto& in = ins->inputs();
        if (is_convolution(ins)) {
            images.insert(ins);
            continue;
        }
        const auto of_images = [&](auto x) { return images.contains(x); };
        if ((ins->name() != "convert" and find_pointwise_row(ins->name()) == nullptr) or
            std::none_of(in.begin(), in.end(), of_images) or
            not std::all_of(in.begin(), in.end(),
                            [&](auto x) { return of_images(x) or is_constant(x); }))
            continue;
        images.insert(ins);
        if (not is_arithmetic(ins) or ins->get_shape().type() != shape::float_type or
            of_images(in[0]) == of_images(in[1]))
            continue;
        const auto image = of_images(in[0]) ? in[0] : in[1];
        const auto number = single_number(image == in[0] ? in[1] : in[0]);
        if (number and changes(*number, t) and image->outputs().size() == 1)
            scales.insert(ins);
    }
    return scales;
}

} // namespace migraphx
