// SPDX-License-Identifier: MIT
// cpu::interleave: channel c of input j becomes channel c * inputs + j, channels last (what a
// concat, a reshape, a transpose and another reshape do in a channel shuffle).
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include <migraphx/permutation.hpp>

namespace migraphx::cpu {

namespace {

struct interleave_op {
    static constexpr auto name = "cpu::interleave";
    static constexpr auto summary = "The channels of images in turn";
    shape infer(const std::vector<shape>& in) const {
        expect(in).at_least(1).tensor().same_type().same_rank();
        auto lens = in[0].lens();
        if (lens.size() < 3)
            fail_shape("images were expected");
        for (const auto& x : in)
            if (x.lens() != lens)
                fail_shape("images of equal sizes were expected");
        lens[1] *= in.size();
        std::vector<int64_t> order{0};
        for (std::size_t d = 2; d < lens.size(); d++)
            order.push_back(int64_t(d));
        order.push_back(1);
        return shape::from_permutation(in[0].type(), lens, order);
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& s = out.get_shape();
        for (std::size_t j = 0; j < in.size(); j++) {
            auto strides = s.strides();
            const auto first = j * strides[1] * s.type_size();
            strides[1] *= in.size();
            copy_elements(
                argument{shape{s.type(), in[j].get_shape().lens(), strides}, out.data() + first},
                in[j]);
        }
    }
};

const registered_op<interleave_op> interleave_registered;

} // namespace

} // namespace migraphx::cpu
