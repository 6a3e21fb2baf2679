// SPDX-License-Identifier: MIT
// fixed_pad: the data at the origin of a tensor of the largest size of each dimension, zeros
// elsewhere.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include <cstring>

namespace migraphx {

namespace {

struct fixed_pad_op {
    static constexpr auto name = "fixed_pad";
    static constexpr auto summary = "The data at the origin of a tensor of the largest size";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        return in[0].dynamic() ? shape{in[0].type(), in[0].max_lens()} : in[0].as_standard();
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& lens = in[0].get_shape().lens();
        std::memset(out.data(), 0, out.get_shape().bytes());
        for (std::size_t d = 0; d < lens.size(); ++d)
            if (lens[d] > out.get_shape().lens()[d])
                fail_shape(str("at most ", out.get_shape().lens()[d],
                               " positions were expected for dimension ", d, ", got ", lens[d]));
        copy_elements(block_of(out, std::vector<std::size_t>(lens.size(), 0), lens), in[0]);
    }
};

const registered_op<fixed_pad_op> fixed_pad_registered;

} // namespace

} // namespace migraphx
