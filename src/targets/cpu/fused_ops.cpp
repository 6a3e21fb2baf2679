// SPDX-License-Identifier: MIT
// cpu::convolution, cpu::convolution_backwards, cpu::dot: the operator, then a pointwise module on
// its result; cpu::pointwise_depthwise: two convolutions, each with such a module;
// cpu::scaled_convolution: one of a product. Inputs: those of the operator, then what else the module reads; the module's
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

template <class Op>
void convolution_fields(field_list<Op>& f) {
    f.normalized("padding", &Op::padding, "zeros around the spatial axes", normalize_kind::padding);
    f.add("stride", &Op::stride, "step of the window");
    f.add("dilation", &Op::dilation, "distance of the kernel's taps");
    f.add("group", &Op::group, "channels are split in this many parts");
    f.add("padding_mode", &Op::padding_mode, "0 given, 1 same_lower, 2 same_upper");
}

operation convolution_of(const char* anchor, const op::convolution& c) {
    return make_op(anchor, {{"padding", c.padding},
                            {"stride", c.stride},
                            {"dilation", c.dilation},
                            {"group", c.group},
                            {"padding_mode", c.padding_mode}});
}

template <class Fields>
struct fused_convolution : op::convolution {
    static constexpr auto name = Fields::name;
    static constexpr auto summary = Fields::summary;
    static void fields(field_list<fused_convolution>& f) { convolution_fields(f); }
    operation anchor() const { return convolution_of(Fields::anchor, *this); }
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

// A depthwise convolution of the result of a 1x1. Inputs: x, the weights of both, then what the
// first module reads besides its "x0", then what the second does.
struct pointwise_depthwise : op::convolution {
    static constexpr auto name = "cpu::pointwise_depthwise";
    static constexpr auto summary =
        "1x1 convolution, then one of each channel by itself, each with a pointwise epilogue";
    static void fields(field_list<pointwise_depthwise>& f) {
        convolution_fields(f);
    }
    using parts = std::vector<module_ref>;
    static operation first() { return make_op("convolution"); }
    operation second() const { return convolution_of("convolution", *this); }
    static void expect_two(const parts& mods) {
        if (mods.size() != 2)
            fail_shape(str("two modules were expected, got ", mods.size()));
    }
    shape infer(const std::vector<shape>& in, const parts& mods) const {
        expect(in).at_least(3);
        expect_two(mods);
        const auto middle = result_shape(first(), {in[0], in[1]}, {mods[0]});
        // Its memory is never seen: the order is that of convolutions' results.
        return result_shape(second(), {middle, in[2]}, {mods[1]});
    }
    argument evaluate(const shape& output, const std::vector<argument>& in, const parts& mods,
                      const module_runner&) const {
        expect_two(mods);
        const auto extra = mods[0]->get_parameter_names().size() - 1;
        const auto middle_end = in.begin() + std::ptrdiff_t(3 + extra);
        std::vector<argument> a{in[0], in[1]}, b;
        a.insert(a.end(), in.begin() + 3, middle_end);
        b.push_back(evaluate_fused(
            first(), result_shape(first(), {in[0].get_shape(), in[1].get_shape()}, {mods[0]}), a,
            {mods[0]}));
        b.push_back(in[2]);
        b.insert(b.end(), middle_end, in.end());
        return evaluate_fused(second(), output, b, {mods[1]});
    }
};

// A 1x1 convolution of x * s. Inputs: x, the weights, s (like x, stretched over the positions),
// then what the module reads besides its "x0".
struct scaled_convolution : op::convolution {
    static constexpr auto name = "cpu::scaled_convolution";
    static constexpr auto summary =
        "1x1 convolution of a product with values for each channel, with a pointwise epilogue";
    static void fields(field_list<scaled_convolution>& f) { convolution_fields(f); }
    operation anchor() const { return convolution_of("convolution", *this); }
    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        expect(in).at_least(3);
        if (not shape::same_lens(in[0], in[2]))
            fail_shape("values of the dimensions of the image were expected");
        return result_shape(anchor(), {in[0], in[1]}, mods);
    }
    argument evaluate(const shape& output, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner&) const {
        const auto mul = make_op("mul");
        const std::vector<argument> factors{in[0], in[2]};
        std::vector<argument> rest{mul.compute(mul.compute_shape(to_shapes(factors)), factors),
                                   in[1]};
        rest.insert(rest.end(), in.begin() + 3, in.end());
        return evaluate_fused(anchor(), output, rest, mods);
    }
};

const registered_op<fused_convolution<forward>> convolution_registered;
const registered_op<fused_convolution<backwards>> convolution_backwards_registered;
const registered_op<fused_dot> dot_registered;
const registered_op<pointwise_depthwise> pointwise_depthwise_registered;
const registered_op<scaled_convolution> scaled_convolution_registered;

} // namespace

} // namespace migraphx::cpu
