// SPDX-License-Identifier: MIT
// cpu::convolution, cpu::convolution_backwards, cpu::dot: the operator, then a pointwise module on
// its result. Inputs: those of the operator, then what else the module reads; the module's
// parameter "x0" is the result of the operator, the others bind in the order of their names.
#include "ops/expect.hpp"
#include "ops/module_body.hpp"
#include "ops/op.hpp"

#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>
#include <migraphx/op/convolution.hpp>

#include <algorithm>

namespace migraphx::cpu {

namespace {

shape result_shape(const operation& anchor, const std::vector<shape>& in,
                   const std::vector<module_ref>& mods) {
    if (mods.size() != 1)
        fail_shape(str("one module was expected, got ", mods.size()));
    const auto first = anchor.compute_shape({in.begin(), in.begin() + 2});
    const auto out = mods.front()->get_output_shapes();
    if (out.size() != 1)
        fail_shape("a module with one result was expected");
    return first.with_type(out.front().type());
}

argument evaluate_fused(const operation& anchor, const shape& output,
                        const std::vector<argument>& in, const std::vector<module_ref>& mods) {
    const std::vector<argument> operands(in.begin(), in.begin() + 2);
    std::vector<argument> bound{
        anchor.compute(anchor.compute_shape(to_shapes(operands)), operands)};
    bound.insert(bound.end(), in.begin() + 2, in.end());
    return evaluate_elementwise(*only_module(mods), {output}, bound).front();
}

template <class Fields>
struct fused_convolution : op::convolution {
    static constexpr auto name = Fields::name;
    static constexpr auto summary = Fields::summary;
    static void fields(field_list<fused_convolution>& f) {
        f.normalized("padding", &fused_convolution::padding, "zeros around the spatial axes",
                     normalize_kind::padding);
        f.add("stride", &fused_convolution::stride, "step of the window");
        f.add("dilation", &fused_convolution::dilation, "distance of the kernel's taps");
        f.add("group", &fused_convolution::group, "channels are split in this many parts");
        f.add("padding_mode", &fused_convolution::padding_mode,
              "0 given, 1 same_lower, 2 same_upper");
    }
    operation anchor() const {
        return make_op(Fields::anchor, {{"padding", padding},
                                        {"stride", stride},
                                        {"dilation", dilation},
                                        {"group", group},
                                        {"padding_mode", padding_mode}});
    }
    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        expect(in).at_least(2);
        return result_shape(anchor(), in, mods);
    }
    argument evaluate(const shape& output, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner&) const {
        return evaluate_fused(anchor(), output, in, mods);
    }
};

struct forward {
    static constexpr auto name = "cpu::convolution";
    static constexpr auto anchor = "convolution";
    static constexpr auto summary = "convolution with a pointwise epilogue";
};
struct backwards {
    static constexpr auto name = "cpu::convolution_backwards";
    static constexpr auto anchor = "convolution_backwards";
    static constexpr auto summary = "convolution_backwards with a pointwise epilogue";
};

struct fused_dot {
    static constexpr auto name = "cpu::dot";
    static constexpr auto summary = "dot with a pointwise epilogue";
    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        expect(in).at_least(2);
        return result_shape(make_op("dot"), in, mods);
    }
    argument evaluate(const shape& output, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner&) const {
        return evaluate_fused(make_op("dot"), output, in, mods);
    }
};

const registered_op<fused_convolution<forward>> convolution_registered;
const registered_op<fused_convolution<backwards>> convolution_backwards_registered;
const registered_op<fused_dot> dot_registered;

} // namespace

} // namespace migraphx::cpu
