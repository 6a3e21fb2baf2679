// SPDX-License-Identifier: MIT
// quant_dot(A, B) is the matrix product in wider numbers, quant_dot(A, B, sa, sb) that of A * sa
// and B * sb. int32 for integers without scales, else float.
#include "ops/matrix_product.hpp"
#include "ops/op.hpp"
#include "ops/quant_scale.hpp"

namespace migraphx {

namespace {

struct quant_dot_op {
    static constexpr auto name = "quant_dot";
    static constexpr auto summary = "Product of quantised matrices, with a scale for each operand";
    value attributes() const { return {{"general_data_type", "dot"}}; }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({2, 4}).tensor().rank_at_least(2);
        expect_quantised(in);
        return matrix_product_shape(in[0], in[1], quantised_result(in));
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        // All products of 8-bit integers, and sums of 2^37 of them, are exact in double.
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
        matrix_product<double>(out, in[0].get_shape().lens().back(), loader(0), loader(1));
    }
};

const registered_op<quant_dot_op> quant_dot_registered;

} // namespace

} // namespace migraphx
