// SPDX-License-Identifier: MIT
// onehot: a new dimension of `depth` at `axis`: values[1] where its position is the index, else
// values[0].
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/indices.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <cstring>
#include <optional>

namespace migraphx {

namespace {

struct onehot_op {
    int64_t axis = -1;
    std::optional<int64_t> depth;

    static constexpr auto name = "onehot";
    static constexpr auto summary = "values[1] at the position each index names, else values[0]";
    static void fields(field_list<onehot_op>& f) {
        f.normalized("axis", &onehot_op::axis, "where the new dimension is in the result",
                     normalize_kind::axis_output);
        f.add("depth", &onehot_op::depth, "its length, unless the second of three inputs gives it");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({2, 3}).tensor();
        const auto& values = in.back();
        if (values.dynamic() or values.ndim() != 1 or values.elements() != 2)
            fail_shape(str("values {off, on} were expected, got ", values));
        if (axis < 0 or axis > static_cast<int64_t>(in[0].ndim()))
            fail_shape(str("axis must be in [0, ", in[0].ndim(), "], got ", axis));
        const auto at = static_cast<std::ptrdiff_t>(axis);
        if (in.size() == 3) {
            if (in[1].dynamic() or in[1].elements() != 1)
                fail_shape(str("a depth of one element was expected, got ", in[1]));
            return {values.type(), unknown_dims(in[0].ndim() + 1)};
        }
        if (not depth or *depth < 0)
            fail_shape("a depth of 0 or more was expected, got " +
                       (depth ? std::to_string(*depth) : std::string("none")));
        const auto n = static_cast<std::size_t>(*depth);
        if (not in[0].dynamic()) {
            auto lens = in[0].lens();
            lens.insert(lens.begin() + at, n);
            return {values.type(), lens};
        }
        auto dims = in[0].dyn_dims();
        dims.insert(dims.begin() + at, shape::dynamic_dimension{n, n});
        return dynamic_shape(in[0], values.type(), dims);
    }
    static std::vector<std::size_t> shape_inputs() { return {1}; }
    shape resolve(const std::vector<argument>& in) const {
        const auto n = in.size() == 3 ? load<int64_t>(in[1]).at(0) : depth.value_or(-1);
        if (n < 0)
            fail_shape(str("a depth of 0 or more was expected, got ", n));
        auto lens = in[0].get_shape().lens();
        lens.insert(lens.begin() + static_cast<std::ptrdiff_t>(axis), static_cast<std::size_t>(n));
        return {in.back().get_shape().type(), lens};
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& s = out.get_shape();
        fill_elements(out, in.back().element(0).data());
        const auto on = in.back().element(1);
        const auto at = static_cast<std::size_t>(axis);
        const auto& lens = in[0].get_shape().lens();
        std::vector<std::size_t> index(lens.size(), 0);
        for (auto i : load<int64_t>(in[0])) {
            std::size_t position = 0;
            if (find_position(i, s.lens()[at], position)) {
                auto target = index;
                target.insert(target.begin() + static_cast<std::ptrdiff_t>(at), position);
                std::memcpy(out.data() + s.index(target) * s.type_size(), on.data(), s.type_size());
            }
            next_index(index, lens);
        }
    }
};

const registered_op<onehot_op> onehot_registered;

} // namespace

} // namespace migraphx
