// SPDX-License-Identifier: MIT
// Operators "target::anchor": a product or a convolution, then a pointwise module on its result.
// Inputs: those of the anchor, then what else the module reads; the module's parameter "x0" is the
// anchor's result, the others bind in the order of their names. A target registers those it lowers.
#pragma once

#include "ops/convolve.hpp"
#include "ops/expect.hpp"
#include "ops/module_body.hpp"
#include "ops/op.hpp"

#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>
#include <migraphx/op/convolution.hpp>

#include <vector>

namespace migraphx {

/// The anchor's inputs among all.
inline std::size_t anchor_inputs(std::size_t inputs, const std::vector<module_ref>& mods) {
    const auto read = only_module(mods)->get_parameter_names().size();
    if (read == 0 or inputs + 1 < read + 2)
        fail_shape(str("two operands and one for each of the module's ", read,
                       " parameters but the first were expected, got ", inputs));
    return inputs + 1 - read;
}

/// `own`: the anchor's inputs only.
inline shape shape_with_epilogue(const operation& anchor, const std::vector<shape>& own,
                                 const std::vector<module_ref>& mods) {
    const auto first = anchor.compute_shape(own);
    const auto out = only_module(mods)->get_output_shapes();
    if (out.size() != 1)
        fail_shape("a module with one result was expected");
    return first.with_type(out.front().type());
}

/// Of all inputs, those of the anchor.
inline std::vector<shape> own_shapes(const std::vector<shape>& in,
                                     const std::vector<module_ref>& mods) {
    return {in.begin(), in.begin() + std::ptrdiff_t(anchor_inputs(in.size(), mods))};
}

inline argument evaluate_with_epilogue(const operation& anchor, const shape& output,
                                       const std::vector<argument>& in,
                                       const std::vector<module_ref>& mods) {
    const auto own = std::ptrdiff_t(anchor_inputs(in.size(), mods));
    const std::vector<argument> operands(in.begin(), in.begin() + own);
    std::vector<argument> bound{
        anchor.compute(anchor.compute_shape(to_shapes(operands)), operands)};
    bound.insert(bound.end(), in.begin() + own, in.end());
    return evaluate_elementwise(*only_module(mods), {output}, bound).front();
}

inline operation convolution_of(const char* anchor, const op::convolution& c) {
    return make_op(anchor, {{"padding", c.padding},
                            {"stride", c.stride},
                            {"dilation", c.dilation},
                            {"group", c.group},
                            {"padding_mode", c.padding_mode}});
}

/// `Names`: static `name`, `anchor` and `summary`.
template <class Names>
struct convolution_with_epilogue : op::convolution {
    static constexpr auto name = Names::name;
    static constexpr auto summary = Names::summary;
    static void fields(field_list<convolution_with_epilogue>& f) {
        convolution_fields(f, normalize_kind::padding);
    }
    operation anchor() const { return convolution_of(Names::anchor, *this); }
    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        expect(in).at_least(2);
        return shape_with_epilogue(anchor(), own_shapes(in, mods), mods);
    }
    argument evaluate(const shape& output, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner&) const {
        return evaluate_with_epilogue(anchor(), output, in, mods);
    }
};

/// An anchor without attributes. `Names` as above.
template <class Names>
struct product_with_epilogue {
    static constexpr auto name = Names::name;
    static constexpr auto summary = Names::summary;
    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        expect(in).at_least(2);
        return shape_with_epilogue(make_op(Names::anchor), own_shapes(in, mods), mods);
    }
    argument evaluate(const shape& output, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner&) const {
        return evaluate_with_epilogue(make_op(Names::anchor), output, in, mods);
    }
};

} // namespace migraphx
