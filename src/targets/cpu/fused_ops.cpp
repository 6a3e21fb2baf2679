// SPDX-License-Identifier: MIT
// cpu::convolution, cpu::convolution_backwards, cpu::dot: the operator, then a pointwise module on
// its result; cpu::separable: two or three convolutions, each with such a module;
// cpu::scaled_convolution: one of scaled channels; cpu::plane_convolution: one with channels last.
// Inputs: those of the operator, then what else the module reads; the module's parameter "x0" is
// the result of the operator, the others bind in the order of their names.
#include "ops/with_epilogue.hpp"
#include "passes/channels_last.hpp"

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

// A depthwise convolution with the 1x1 before it, the one after it, or both. Inputs: x, the weights
// of each in their order, then what the first module reads besides its "x0", and so on; there is a
// module for each convolution.
struct separable : op::convolution {
    bool before = false, after = false;
    static constexpr auto name = "cpu::separable";
    static constexpr auto summary = "convolution of each channel by itself and the 1x1 before or "
                                    "after it, each with a pointwise epilogue";
    static void fields(field_list<separable>& f) {
        convolution_fields(f, normalize_kind::padding);
        f.add("before", &separable::before, "there is a 1x1 before it");
        f.add("after", &separable::after, "there is a 1x1 after it");
    }
    using parts = std::vector<module_ref>;
    std::size_t count(const parts& mods) const {
        const auto n = std::size_t(1) + (before ? 1 : 0) + (after ? 1 : 0);
        if (mods.size() != n)
            fail_shape(
                str("a module for each of ", n, " convolutions was expected, got ", mods.size()));
        return n;
    }
    operation part(std::size_t i) const {
        return i == (before ? 1 : 0) ? convolution_of("convolution", *this)
                                     : make_op("convolution");
    }
    shape infer(const std::vector<shape>& in, const parts& mods) const {
        const auto n = count(mods);
        expect(in).at_least(n + 1);
        auto s = in[0];
        // Memory that is never seen has the order of convolutions' results.
        for (std::size_t i = 0; i < n; i++)
            s = shape_with_epilogue(part(i), {s, in[i + 1]}, {mods[i]});
        return s;
    }
    argument evaluate(const shape& output, const std::vector<argument>& in, const parts& mods,
                      const module_runner&) const {
        const auto n = count(mods);
        auto x = in[0];
        auto next = in.begin() + std::ptrdiff_t(n + 1);
        for (std::size_t i = 0; i < n; i++) {
            const auto extra = std::ptrdiff_t(mods[i]->get_parameter_names().size()) - 1;
            const auto result =
                i + 1 == n ? output
                           : shape_with_epilogue(part(i), {x.get_shape(), in[i + 1].get_shape()},
                                                 {mods[i]});
            std::vector<argument> own{x, in[i + 1]};
            own.insert(own.end(), next, next + extra);
            next += extra;
            x = evaluate_with_epilogue(part(i), result, own, {mods[i]});
        }
        return x;
    }
};

// A 1x1 convolution of x * s, of x * s + t, or of what is positive of these. Inputs: x, the
// weights, s and t (like x, stretched over the positions), then what the module reads besides its
// "x0".
struct scaled_convolution : op::convolution {
    bool shift = false, relu = false;
    static constexpr auto name = "cpu::scaled_convolution";
    static constexpr auto summary = "1x1 convolution of a product with values for each channel, "
                                    "which may be shifted and rectified, with a pointwise epilogue";
    static void fields(field_list<scaled_convolution>& f) {
        convolution_fields(f, normalize_kind::padding);
        f.add("shift", &scaled_convolution::shift, "values for each channel are added");
        f.add("relu", &scaled_convolution::relu, "then negative numbers become 0");
    }
    operation anchor() const { return convolution_of("convolution", *this); }
    std::size_t own() const { return shift ? 4 : 3; }
    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        expect(in).at_least(own());
        for (std::size_t i = 2; i < own(); i++)
            if (not shape::same_lens(in[0], in[i]))
                fail_shape("values of the dimensions of the image were expected");
        return shape_with_epilogue(anchor(), {in[0], in[1]}, mods);
    }
    argument evaluate(const shape& output, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner&) const {
        const auto apply = [](const char* op, const std::vector<argument>& args) {
            const auto o = make_op(op);
            return o.compute(o.compute_shape(to_shapes(args)), args);
        };
        auto x = apply("mul", {in[0], in[2]});
        if (shift)
            x = apply("add", {x, in[3]});
        if (relu)
            x = apply("relu", {x});
        std::vector<argument> rest{x, in[1]};
        rest.insert(rest.end(), in.begin() + std::ptrdiff_t(own()), in.end());
        return evaluate_with_epilogue(anchor(), output, rest, mods);
    }
};

// A convolution of an image in any order, the result of which lies channels last.
struct plane_convolution : op::convolution {
    static constexpr auto name = "cpu::plane_convolution";
    static constexpr auto summary =
        "convolution with a pointwise epilogue whose result lies channels last";
    static void fields(field_list<plane_convolution>& f) {
        convolution_fields(f, normalize_kind::padding);
    }
    operation anchor() const { return convolution_of("convolution", *this); }
    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        expect(in).at_least(2);
        const auto& x = in[0];
        return shape_with_epilogue(
            anchor(),
            {shape::from_permutation(x.type(), x.lens(), channels_last_order(x.ndim())), in[1]},
            mods);
    }
    argument evaluate(const shape& output, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner&) const {
        return evaluate_with_epilogue(anchor(), output, in, mods);
    }
};

const registered_op<convolution_with_epilogue<forward>> convolution_registered;
const registered_op<convolution_with_epilogue<backwards>> convolution_backwards_registered;
const registered_op<product_with_epilogue<product>> dot_registered;
const registered_op<separable> separable_registered;
const registered_op<scaled_convolution> scaled_convolution_registered;
const registered_op<plane_convolution> plane_convolution_registered;

} // namespace

} // namespace migraphx::cpu
