// SPDX-License-Identifier: MIT
// cpu::convolution, cpu::convolution_backwards, cpu::dot: the operator, then a pointwise module on
// its result; cpu::pointwise_depthwise: two convolutions, each with such a module;
// cpu::scaled_convolution: one of a product. Inputs: those of the operator, then what else the
// module reads; the module's parameter "x0" is the result of the operator, the others bind in the
// order of their names.
#include "ops/with_epilogue.hpp"

namespace migraphx::cpu {

namespace {

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

struct product {
    static constexpr auto name = "cpu::dot";
    static constexpr auto anchor = "dot";
    static constexpr auto summary = "dot with a pointwise epilogue";
};

// A depthwise convolution of the result of a 1x1. Inputs: x, the weights of both, then what the
// first module reads besides its "x0", then what the second does.
struct pointwise_depthwise : op::convolution {
    static constexpr auto name = "cpu::pointwise_depthwise";
    static constexpr auto summary =
        "1x1 convolution, then one of each channel by itself, each with a pointwise epilogue";
    static void fields(field_list<pointwise_depthwise>& f) {
        convolution_fields(f, normalize_kind::padding);
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
        const auto middle = shape_with_epilogue(first(), {in[0], in[1]}, {mods[0]});
        // Its memory is never seen: the order is that of convolutions' results.
        return shape_with_epilogue(second(), {middle, in[2]}, {mods[1]});
    }
    argument evaluate(const shape& output, const std::vector<argument>& in, const parts& mods,
                      const module_runner&) const {
        expect_two(mods);
        const auto extra = mods[0]->get_parameter_names().size() - 1;
        const auto middle_end = in.begin() + std::ptrdiff_t(3 + extra);
        std::vector<argument> a{in[0], in[1]}, b;
        a.insert(a.end(), in.begin() + 3, middle_end);
        b.push_back(evaluate_with_epilogue(
            first(),
            shape_with_epilogue(first(), {in[0].get_shape(), in[1].get_shape()}, {mods[0]}), a,
            {mods[0]}));
        b.push_back(in[2]);
        b.insert(b.end(), middle_end, in.end());
        return evaluate_with_epilogue(second(), output, b, {mods[1]});
    }
};

// A 1x1 convolution of x * s. Inputs: x, the weights, s (like x, stretched over the positions),
// then what the module reads besides its "x0".
struct scaled_convolution : op::convolution {
    static constexpr auto name = "cpu::scaled_convolution";
    static constexpr auto summary =
        "1x1 convolution of a product with values for each channel, with a pointwise epilogue";
    static void fields(field_list<scaled_convolution>& f) {
        convolution_fields(f, normalize_kind::padding);
    }
    operation anchor() const { return convolution_of("convolution", *this); }
    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        expect(in).at_least(3);
        if (not shape::same_lens(in[0], in[2]))
            fail_shape("values of the dimensions of the image were expected");
        return shape_with_epilogue(anchor(), {in[0], in[1]}, mods);
    }
    argument evaluate(const shape& output, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner&) const {
        const auto mul = make_op("mul");
        const std::vector<argument> factors{in[0], in[2]};
        std::vector<argument> rest{mul.compute(mul.compute_shape(to_shapes(factors)), factors),
                                   in[1]};
        rest.insert(rest.end(), in.begin() + 3, in.end());
        return evaluate_with_epilogue(anchor(), output, rest, mods);
    }
};

const registered_op<convolution_with_epilogue<forward>> convolution_registered;
const registered_op<convolution_with_epilogue<backwards>> convolution_backwards_registered;
const registered_op<product_with_epilogue<product>> dot_registered;
const registered_op<pointwise_depthwise> pointwise_depthwise_registered;
const registered_op<scaled_convolution> scaled_convolution_registered;

} // namespace

} // namespace migraphx::cpu
