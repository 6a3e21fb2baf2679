// SPDX-License-Identifier: MIT
// gather: out[.., i.., ..] = data[.., indices[i..], ..] at `axis`.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/indices.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

namespace migraphx {

namespace {

struct gather_op {
    int64_t axis = 0;

    static constexpr auto name = "gather";
    static constexpr auto summary = "Slices of the data along `axis`, chosen by indices";
    static void fields(field_list<gather_op>& f) {
        f.axis("axis", &gather_op::axis, "dimension that the indices count in");
    }

    // An index tensor without dimensions.
    static bool is_single(const shape& s) {
        return not s.dynamic() and s.ndim() == 1 and s.scalar() and s.elements() == 1;
    }
    template <class Dims>
    Dims replaced(const Dims& data, const Dims& index) const {
        Dims result(data.begin(), data.begin() + axis);
        result.insert(result.end(), index.begin(), index.end());
        result.insert(result.end(), data.begin() + axis + 1, data.end());
        return result;
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).tensor().axis(axis).only(1, 2).integral();
        const auto single = is_single(in[1]);
        if (not in[0].dynamic() and not in[1].dynamic())
            return tensor_shape(
                in[0].type(),
                replaced(in[0].lens(), single ? std::vector<std::size_t>{} : in[1].lens()));
        const auto kinds = align_kinds(in);
        const auto dims =
            replaced(kinds[0].dyn_dims(),
                     single ? std::vector<shape::dynamic_dimension>{} : kinds[1].dyn_dims());
        return tensor_shape(in[0].type(), dims);
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& data = in[0].get_shape();
        const auto at = static_cast<std::size_t>(axis);
        const auto indices = load<int64_t>(in[1]);
        auto lens = data.lens();
        lens[at] = indices.size();
        auto from = same_positions(lens);
        for (std::size_t i = 0; i < indices.size(); ++i)
            from[at][i] = static_cast<int64_t>(position_of(indices[i], data.lens()[at]));
        const auto& s = out.get_shape();
        if (s.standard()) {
            copy_by_axis(out.reshape(shape{s.type(), lens}), in[0], from);
            return;
        }
        const auto dense = argument::uninitialized(shape{s.type(), lens});
        copy_by_axis(dense, in[0], from);
        copy_in_order(out, dense);
    }
};

const registered_op<gather_op> gather_registered;

} // namespace

} // namespace migraphx
