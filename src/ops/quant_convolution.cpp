// SPDX-License-Identifier: MIT
// quant_convolution(x, w[, sx, sw]): convolution in wider numbers, of x * sx and w * sw if there
// are scales. int32 for integers without scales, else float.
#include "ops/convolve.hpp"
#include "ops/quant_scale.hpp"

#include <migraphx/op/quant_convolution.hpp>

namespace migraphx {

namespace {

struct quant_convolution_op : op::quant_convolution {
    static constexpr auto name = "quant_convolution";
    static constexpr auto summary =
        "Convolution of quantised tensors, with a scale for each operand";
    static void fields(field_list<quant_convolution_op>& f) {
        convolution_fields(f, normalize_kind::padding);
    }
    static void traits(op_info& info) { info.type = &typeid(op::quant_convolution); }
    value attributes() const { return {{"general_data_type", "convolution"}}; }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({2, 4}).tensor();
        expect_quantised(in);
        return convolution_shape(in[0], in[1], *this, quantised_result(in));
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        std::vector<argument> scales;
        for (std::size_t i = 2; i < in.size(); ++i)
            scales.push_back(stretched_scale(in[i], in[i - 2]));
        const auto loader = [&](std::size_t i) -> matrix_loader<double> {
            return [&, i](std::size_t first, std::size_t n, double* to) {
                if (scales.empty())
                    load(in[i], first, n, to);
                else
                    load_scaled(in[i], scales[i], first, n, to);
            };
        };
        convolve(out, in[0].get_shape().lens(), loader(0), in[1].get_shape().lens(), loader(1),
                 *this);
    }
};

const registered_op<quant_convolution_op> quant_convolution_registered;

} // namespace

} // namespace migraphx
