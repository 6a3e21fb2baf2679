// SPDX-License-Identifier: MIT
#include "passes/float_scales.hpp"

#include "ir/number_kinds.hpp"
#include "ops/pointwise_table.hpp"
#include "ops/tensor.hpp"
#include "passes/channel_numbers.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

namespace migraphx {

namespace {

bool is_convolution(instruction_ref ins) {
    return ins->name() == "convolution" or ins->name() == "convolution_backwards";
}

bool is_arithmetic(instruction_ref ins) {
    const auto& name = ins->name();
    return name == "add" or name == "sub" or name == "mul" or name == "div";
}

bool is_constant(instruction_ref x) {
    return stretched_source(x)->can_eval();
}

// Whether rounding to `t` changes one of some numbers, which are all in its range.
bool changes(const std::vector<double>& numbers, shape::type_t t) {
    const auto most = number_limits(t).second;
    const argument rounded{shape{t, {numbers.size()}}};
    store(rounded, numbers);
    return std::all_of(numbers.begin(), numbers.end(),
                       [&](auto x) { return std::fabs(x) <= most; }) and
           load<double>(rounded) != numbers;
}

bool is_pointwise(instruction_ref ins) {
    return find_pointwise_row(ins->name()) != nullptr;
}

class scale_finder {
public:
    scale_finder(const module& mod, shape::type_t type,
                 const std::unordered_set<instruction_ref>& g)
        : m(mod), t(type), gates(g) {}

    std::unordered_set<instruction_ref> run() {
        for (auto ins = m.begin(); ins != m.end(); ++ins) {
            const bool from_images = is_convolution(ins) or follows_images(ins);
            if (from_images)
                images.insert(ins);
            if (not is_pointwise(ins) or gates.contains(ins) or ins->can_eval() or
                ins->get_shape().type() != shape::float_type)
                continue;
            if ((from_images and is_scale(ins)) or reads(ins, [&](auto x) { return is_gate(x); }) or
                reads(ins, [&](auto x) {
                    return kept.contains(x) and is_pointwise(x) and has_pointwise_readers(x);
                }))
                keep(ins);
        }
        return kept;
    }

private:
    template <class F>
    static bool reads(instruction_ref ins, F f) {
        const auto& in = ins->inputs();
        return std::any_of(in.begin(), in.end(), f);
    }

    bool follows_images(instruction_ref ins) const {
        if (ins->name() != "convert" and not is_pointwise(ins))
            return false;
        const auto of_images = [&](auto x) { return images.contains(x); };
        return reads(ins, of_images) and
               not reads(ins, [&](auto x) { return not of_images(x) and not is_constant(x); });
    }

    bool is_scale(instruction_ref ins) const {
        if (not is_arithmetic(ins))
            return false;
        const auto a = ins->inputs()[0], b = ins->inputs()[1];
        if (images.contains(a) == images.contains(b))
            return false;
        const auto image = images.contains(a) ? a : b;
        const auto numbers = channel_numbers(image == a ? b : a);
        return numbers and changes(*numbers, t) and value_readers(image).size() == 1;
    }

    bool is_gate(instruction_ref x) const {
        return gates.contains(x) or gates.contains(stretched_source(x));
    }

    void keep(instruction_ref ins) {
        kept.insert(ins);
        for (auto x : ins->inputs())
            if (is_gate(x) or channel_numbers(x))
                for (const auto source = stretched_source(x); x != source; x = x->inputs().front())
                    kept.insert(x);
    }

    const module& m;
    shape::type_t t;
    const std::unordered_set<instruction_ref>& gates;
    std::unordered_set<instruction_ref> images, kept;
};

} // namespace

bool has_pointwise_readers(instruction_ref ins) {
    const auto out = value_readers(ins);
    return std::all_of(out.begin(), out.end(), is_pointwise);
}

std::unordered_set<instruction_ref> float_scales(const module& m, shape::type_t t,
                                                 const std::unordered_set<instruction_ref>& gates) {
    return scale_finder{m, t, gates}.run();
}

} // namespace migraphx
