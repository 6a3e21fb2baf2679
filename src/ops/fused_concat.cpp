// SPDX-License-Identifier: MIT
// fused_concat with n + 1 elementwise modules: the results of the first n, each of which takes as
// many of the operands as it has parameters, are concatenated; the last module is applied to that
// and to the operands that are left.
#include "ops/expect.hpp"
#include "ops/module_body.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

namespace migraphx {

namespace {

struct fused_concat_op {
    int64_t axis = 0;

    static constexpr auto name = "fused_concat";
    static constexpr auto summary = "Elementwise operators around a concatenation";
    static void fields(field_list<fused_concat_op>& f) {
        f.axis("axis", &fused_concat_op::axis, "dimension along which results are joined");
    }

    // For each of the first modules, one operand's shape with the module's result type.
    static std::vector<shape> joined(const std::vector<shape>& in,
                                     const std::vector<module_ref>& mods, std::size_t& used) {
        if (mods.size() < 2)
            fail_shape(str("at least 2 modules were expected, got ", mods.size()));
        std::vector<shape> result;
        used = 0;
        for (std::size_t m = 0; m + 1 < mods.size(); ++m) {
            const auto count = mods[m]->get_parameter_names().size();
            if (count == 0 or used + count > in.size())
                fail_shape(str("operands for the parameters of every module were expected, got ",
                               in.size()));
            const std::vector<shape> own(in.begin() + static_cast<std::ptrdiff_t>(used),
                                         in.begin() + static_cast<std::ptrdiff_t>(used + count));
            result.push_back(pointwise_shape(own, mods[m]->get_output_shapes().at(0).type(), name));
            used += count;
        }
        return result;
    }
    shape concatenated(const std::vector<shape>& parts) const {
        auto lens = parts.front().lens();
        const auto at = static_cast<std::size_t>(axis);
        for (std::size_t i = 1; i < parts.size(); ++i) {
            auto other = parts[i].lens();
            if (other.size() != lens.size())
                fail_shape("operands of one rank were expected, got others");
            lens[at] += other[at];
            other[at] = lens[at];
            if (other != lens)
                fail_shape("equal dimensions but for the axis were expected, got others");
        }
        return majority_shape(parts, parts.front().type(), lens);
    }
    shape infer(const std::vector<shape>& in, const std::vector<module_ref>& mods) const {
        expect(in).at_least(1).tensor().static_shapes().axis(axis);
        std::size_t used = 0;
        const auto whole = concatenated(joined(in, mods, used));
        const auto left = in.size() - used;
        if (mods.back()->get_parameter_names().size() != left + 1)
            fail_shape(str("a last module with ", left + 1, " parameters was expected, got ",
                           mods.back()->get_parameter_names().size()));
        return whole.with_type(mods.back()->get_output_shapes().at(0).type());
    }
    argument evaluate(const shape& output, const std::vector<argument>& in,
                      const std::vector<module_ref>& mods, const module_runner&) const {
        std::size_t used = 0;
        const auto parts = joined(to_shapes(in), mods, used);
        const auto whole = argument::uninitialized(concatenated(parts));
        const auto& s = whole.get_shape();
        std::size_t offset = 0, next = 0;
        for (std::size_t m = 0; m < parts.size(); ++m) {
            const auto count = mods[m]->get_parameter_names().size();
            const std::vector<argument> own(in.begin() + static_cast<std::ptrdiff_t>(next),
                                            in.begin() + static_cast<std::ptrdiff_t>(next + count));
            next += count;
            const auto part = evaluate_elementwise(*mods[m], {parts[m]}, own).at(0);
            copy_elements(
                whole.view(shape{s.type(), parts[m].lens(), s.strides()}, offset * s.type_size()),
                part);
            offset += parts[m].lens()[static_cast<std::size_t>(axis)] *
                      s.strides()[static_cast<std::size_t>(axis)];
        }
        std::vector<argument> last{whole};
        last.insert(last.end(), in.begin() + static_cast<std::ptrdiff_t>(used), in.end());
        return evaluate_elementwise(*mods.back(), {output}, last).at(0);
    }
};

const registered_op<fused_concat_op> fused_concat_registered;

} // namespace

} // namespace migraphx
