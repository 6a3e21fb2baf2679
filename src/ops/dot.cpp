// SPDX-License-Identifier: MIT
// dot(A, B)[..., m, n] = sum over k of A[..., m, k] * B[..., k, n]
#include "ops/expect.hpp"
#include "ops/matrix_product.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

namespace migraphx {

namespace {

struct dot_op {
    static constexpr auto name = "dot";
    static constexpr auto summary = "Product of matrices in the last two dimensions";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).tensor().same_type();
        expect(in).that(in[0].computable(), str("a type that can be multiplied was expected, got ",
                                                in[0].type_string()));
        return matrix_product_shape(in[0], in[1], in[0].type());
    }
    template <class T>
    static void product(const argument& out, const std::vector<argument>& in) {
        const auto loader = [](const argument& x) -> matrix_loader<T> {
            return [&x](std::size_t first, std::size_t n, T* to) { load(x, first, n, to); };
        };
        matrix_product<T>(out, in[0].get_shape().lens().back(), loader(in[0]), loader(in[1]));
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        with_number(out.get_shape().type(), [&](auto zero) {
            product<std::conditional_t<std::is_same_v<decltype(zero), double>, double, uint64_t>>(
                out, in);
        });
    }
};

const registered_op<dot_op> dot_registered;

} // namespace

} // namespace migraphx
