// SPDX-License-Identifier: MIT
// broadcast: the dimensions of x placed at `axis` of a larger shape, stride 0 elsewhere.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"

#include "ir/shape_rules.hpp"

namespace migraphx {

namespace {

struct broadcast_op {
    uint64_t axis = 0;
    std::vector<std::size_t> out_lens;
    std::vector<shape::dynamic_dimension> out_dyn_dims;

    static constexpr auto name = "broadcast";
    static constexpr auto summary = "The input repeated along new dimensions, over the same memory";
    static void fields(field_list<broadcast_op>& f) {
        f.add("axis", &broadcast_op::axis, "where the dimensions of the input are in the result");
        f.add("out_lens", &broadcast_op::out_lens, "dimensions of the result");
        f.add("out_dyn_dims", &broadcast_op::out_dyn_dims, "the same when they are not known yet");
    }

    void check_place(std::size_t rank, std::size_t out_rank) const {
        if (axis > out_rank or rank > out_rank - axis)
            fail_shape(str("rank ", rank, " at axis ", axis, " inside of rank ", out_rank,
                           " was expected"));
    }
    template <class Dims>
    void check_equal(const Dims& dims, const Dims& to) const {
        check_place(dims.size(), to.size());
        for (std::size_t i = 0; i < dims.size(); ++i)
            if (dims[i] != to[axis + i])
                fail_shape(str("dimension ", axis + i, " of the result was expected to be ",
                               dims[i], ", got ", to[axis + i]));
    }

    shape to_lens(const shape& x, const std::vector<std::size_t>& lens) const {
        check_equal(x.lens(), lens);
        std::vector<std::size_t> strides(lens.size(), 0);
        for (std::size_t i = 0; i < x.ndim(); ++i)
            strides[axis + i] = x.strides()[i];
        return {x.type(), lens, strides};
    }
    shape to_symbols(const shape& x, const shape& target) const {
        const auto s = x.to_symbolic();
        const auto dims = dims_of(target, true);
        check_equal(s.dyn_dims(), dims);
        std::vector<sym::expr> strides(dims.size(), sym::lit(0));
        for (std::size_t i = 0; i < s.ndim(); ++i)
            strides[axis + i] = s.dyn_strides()[i];
        return {x.type(), dims, strides};
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({1, 2}).tensor().only(0, 1).not_range_dynamic();
        const auto& x = in[0];
        if (in.size() == 1 and out_dyn_dims.empty()) {
            if (out_lens.empty())
                fail_shape("out_lens, out_dyn_dims or a second input was expected, got none");
            expect(in).static_shapes();
            return to_lens(x, out_lens);
        }
        if (in.size() == 2 and x.ndim() != 1)
            fail_shape(str("a 1-D input was expected, got rank ", x.ndim()));
        const auto target = in.size() == 2 ? in[1] : shape{x.type(), out_dyn_dims};
        if (not x.dynamic() and not target.dynamic())
            return to_lens(x, target.lens());
        const auto kinds = align_kinds({x, target});
        if (kinds[1].symbolic())
            return to_symbols(x, kinds[1]);
        const auto& dims = kinds[1].dyn_dims();
        check_place(x.ndim(), dims.size());
        for (std::size_t i = 0; i < x.ndim(); ++i)
            if (not dims[axis + i].intersection(kinds[0].dyn_dims()[i]))
                fail_shape(str("dimension ", axis + i, " of the result was expected to be ",
                               kinds[0].dyn_dims()[i], ", got ", dims[axis + i]));
        return {x.type(), dims};
    }
    argument view(const shape& out, const std::vector<argument>& in) const {
        return in[0].view(out, 0);
    }
};

const registered_op<broadcast_op> broadcast_registered;

} // namespace

} // namespace migraphx
