// SPDX-License-Identifier: MIT
// pad: a border of a constant, of mirrored elements, of the edge or of the tensor repeated;
// negative paddings cut.
#include "ops/enum_field.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/padding.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "ir/number_kinds.hpp"
#include "ir/shape_rules.hpp"

#include <algorithm>
#include <cmath>

namespace migraphx {

namespace {

// The value as an element of type t: finite ones saturate, infinities stay where the type has them.
argument pad_element(shape::type_t t, double x) {
    argument element{shape{t}};
    if (not shape::is_computable(t) and not shape::is_small(t))
        return element;
    const auto [lowest, largest] = number_limits(t);
    const bool bounded = not std::isinf(x) or is_whole_number(t);
    if (bounded and not std::isnan(x) and t != shape::bool_type)
        x = std::clamp(x, lowest, largest);
    store(element, std::vector<double>{x});
    return element;
}

struct pad_op : op::pad {
    static constexpr auto name = "pad";
    static constexpr auto summary = "A border before and after each dimension";
    static void fields(field_list<pad_op>& f) {
        enum_field(f, "mode", &op::pad::mode, "0 constant, 1 reflect, 2 edge, 3 wrap",
                   pad_mode_words());
        f.add("pads", &op::pad::pads, "begins of all dimensions, then ends");
        f.add("value", &op::pad::value, "the constant");
    }
    static void traits(op_info& info) { info.type = &typeid(op::pad); }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        const auto& x = in[0];
        const auto rank = x.ndim();
        if (pads.size() != 2 * rank)
            fail_shape(str(2 * rank, " pads were expected, got ", pads.size()));
        if (mode < constant_pad or mode > wrap_pad)
            fail_shape(str("mode 0 to 3 was expected, got ", int(mode)));
        if (not x.dynamic()) {
            auto lens = x.lens();
            for (std::size_t d = 0; d < rank; ++d)
                lens[d] = padded_length(lens[d], pads[d], pads[d + rank]);
            return shape::from_permutation(x.type(), lens, find_permutation(x));
        }
        auto dims = x.dyn_dims();
        for (std::size_t d = 0; d < rank; ++d) {
            const auto grow = std::max<int64_t>(0, pads[d]) + std::max<int64_t>(0, pads[d + rank]);
            const auto cut = std::max<int64_t>(0, -pads[d]) + std::max<int64_t>(0, -pads[d + rank]);
            dims[d] = dims[d] + static_cast<std::size_t>(grow) - static_cast<std::size_t>(cut);
        }
        const auto s = dynamic_shape(x, x.type(), dims);
        return s.symbolic() ? shape::from_permutation(x.type(), s.dyn_dims(), find_permutation(x))
                            : s;
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto element = pad_element(out.get_shape().type(), static_cast<double>(value));
        pad_elements(out, in[0], pads, mode, element.data());
    }
};

// pad with paddings, value and axes that are known at run time.
struct pad_dynamic_op {
    op::pad::pad_op_mode_t mode = op::pad::constant_pad;

    static constexpr auto name = "pad_dynamic";
    static constexpr auto summary = "pad(x, pads[, value][, axes]) with run-time paddings";
    static void fields(field_list<pad_dynamic_op>& f) {
        enum_field(f, "mode", &pad_dynamic_op::mode, "0 constant, 1 reflect, 2 edge, 3 wrap",
                   pad_mode_words());
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({2, 3, 4}).tensor().rank_at_least(0);
        shape_input_size(in[1], "pads");
        if (mode < op::pad::constant_pad or mode > op::pad::wrap_pad)
            fail_shape(str("mode 0 to 3 was expected, got ", int(mode)));
        if (not is_absent(in, 2) and in[2].type() != in[0].type())
            fail_shape(str("a value of type ", in[0].type_string(), " was expected, got ",
                           in[2].type_string()));
        if (not is_absent(in, 3))
            shape_input_size(in[3], "axes");
        return {in[0].type(), unknown_dims(in[0].ndim())};
    }
    static std::vector<std::size_t> shape_inputs() { return {1, 3}; }
    // Paddings of all dimensions.
    static std::vector<int64_t> all_pads(const std::vector<argument>& in) {
        const auto rank = in[0].get_shape().ndim();
        const auto given = read_integers(in[1]);
        std::vector<std::size_t> axes;
        if (is_absent(in, 3)) {
            for (std::size_t d = 0; d < rank; ++d)
                axes.push_back(d);
            // The element of a tensor without dimensions has no paddings.
            if (given.empty() and in[0].get_shape().elements() == 1)
                axes.clear();
        } else
            axes = normalize_axes(read_integers(in[3]), rank, "axes");
        if (given.size() != 2 * axes.size())
            fail_shape(str(2 * axes.size(), " pads were expected, got ", given.size()));
        std::vector<int64_t> pads(2 * rank, 0);
        for (std::size_t i = 0; i < axes.size(); ++i) {
            pads[axes[i]] = given[i];
            pads[axes[i] + rank] = given[i + axes.size()];
        }
        return pads;
    }
    shape resolve(const std::vector<argument>& in) const {
        const auto pads = all_pads(in);
        auto lens = in[0].get_shape().lens();
        for (std::size_t d = 0; d < lens.size(); ++d)
            lens[d] = padded_length(lens[d], pads[d], pads[d + lens.size()]);
        return {in[0].get_shape().type(), lens};
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto t = out.get_shape().type();
        const bool given = not is_absent(in, 2) and in[2].get_shape().elements() > 0;
        const auto element = given ? in[2].element(0) : argument{shape{t}};
        pad_elements(out, in[0], all_pads(in), mode, element.data());
    }
};

const registered_op<pad_op> pad_registered;
const registered_op<pad_dynamic_op> pad_dynamic_registered;

} // namespace

} // namespace migraphx
