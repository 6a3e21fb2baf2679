// SPDX-License-Identifier: MIT
// convolution of x (N, C, spatial...) with weights (O, C / group, kernel...).
#include "ops/convolve.hpp"
#include "ops/expect.hpp"
#include "ops/tensor.hpp"

namespace migraphx {

namespace {

struct convolution_op : op::convolution {
    static constexpr auto name = "convolution";
    static constexpr auto summary = "Weighted sums of a window sliding over the spatial dimensions";
    static void fields(field_list<convolution_op>& f) {
        convolution_fields(f, normalize_kind::padding);
    }
    static void traits(op_info& info) { info.type = &typeid(op::convolution); }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).tensor();
        // Float weights of halves: small ones, whose rounding would show (passes/half_data.hpp).
        const auto x = in[0].type();
        if ((x != shape::half_type and x != shape::bf16_type) or in[1].type() != shape::float_type)
            expect(in).same_type();
        expect(in).that(in[0].computable(), "a type that can be multiplied was expected");
        return convolution_shape(in[0], in[1], *this, in[0].type());
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto loader = [](const argument& a) -> matrix_loader<double> {
            return [&a](std::size_t first, std::size_t n, double* to) { load(a, first, n, to); };
        };
        convolve(out, in[0].get_shape().lens(), loader(in[0]), in[1].get_shape().lens(),
                 loader(in[1]), *this);
    }
};

const registered_op<convolution_op> convolution_registered;

} // namespace

} // namespace migraphx
