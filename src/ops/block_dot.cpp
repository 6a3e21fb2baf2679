// SPDX-License-Identifier: MIT
// block_dot(x (..., K), q (N, K * bits / 8), scale (N, blocks)[, zero (N, blocks)]) -> (..., N):
// the product of x with weights of few bits, which are
//   w[n, k] = (q[n, k] - zero[n, k / block]) * scale[n, k / block].
// Weights are signed where q is int8, else unsigned; of 4 bits two lie in a byte, the even k in the
// low half. Zero points have the type of q, one in a byte.
#include "ops/block_weights.hpp"
#include "ops/expect.hpp"
#include "ops/matrix_product.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "base/parallel.hpp"
#include "ir/shape_rules.hpp"

namespace migraphx {

void block_weights(const argument& out, const std::vector<argument>& in, std::size_t bits,
                   std::size_t block) {
    const auto &q = in[0], &scale = in[1];
    const auto n = q.get_shape().lens()[0], bytes = q.get_shape().lens()[1], k = bytes * 8 / bits;
    const auto blocks = scale.get_shape().lens()[1];
    const bool is_signed = q.get_shape().type() == shape::int8_type;
    parallel_for(std::int64_t(n), 1 + std::int64_t{1 << 14} / std::int64_t(k + 1),
                 [&](std::int64_t begin, std::int64_t end) {
                     std::vector<std::int64_t> codes(bytes), zeros(blocks, 0);
                     std::vector<double> factors(blocks), w(k);
                     for (auto row = std::size_t(begin); row < std::size_t(end); ++row) {
                         load(q, row * bytes, bytes, codes.data());
                         load(scale, row * blocks, blocks, factors.data());
                         if (in.size() == 3)
                             load(in[2], row * blocks, blocks, zeros.data());
                         for (std::size_t i = 0; i < k; ++i) {
                             auto v = codes[i * bits / 8];
                             if (bits == 4) {
                                 v = (v >> (i % 2 * 4)) & 15;
                                 if (is_signed and v > 7)
                                     v -= 16;
                             }
                             w[i] = double(v - zeros[i / block]) * factors[i / block];
                         }
                         store(out, row * k, k, w.data());
                     }
                 });
}

namespace {

struct block_dot_op {
    std::size_t bits = 4;
    std::size_t block = 32;

    static constexpr auto name = "block_dot";
    static constexpr auto summary =
        "Product with weights of few bits that have a scale for each block";
    static void fields(field_list<block_dot_op>& f) {
        f.add("bits", &block_dot_op::bits, "of a weight: 4 or 8");
        f.add("block", &block_dot_op::block, "weights along k that share a scale");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({3, 4}).tensor().rank_at_least(2);
        expect(in).only(0, 1).floating();
        expect(in).only(1, in.size()).rank(2).static_shapes();
        expect(in).that(bits == 4 or bits == 8, str("bits of 4 or 8 were expected, got ", bits));
        expect(in).that(block > 0, "a block of weights was expected, got 0");
        const auto t = in[1].type();
        if (t != shape::int8_type and t != shape::uint8_type)
            fail_shape(str("weights of int8 or uint8 were expected, got ", in[1].type_string()));
        expect(in).that(
            in[2].type() == in[0].type(),
            str("scales of ", in[0].type_string(), " were expected, got ", in[2].type_string()));
        auto dims = dims_of(in[0]);
        const auto n = in[1].lens()[0], k = in[1].lens()[1] * 8 / bits;
        if (not dims.back().is_fixed() or dims.back().get_interval().min != k)
            fail_shape(str("rows of ", k, " elements were expected, as q has, got ", dims.back()));
        for (std::size_t i = 2; i < in.size(); ++i)
            expect(in).that(in[i].lens() == std::vector<std::size_t>{n, (k + block - 1) / block},
                            str("scales and zero points of {", n, ", ", (k + block - 1) / block,
                                "} were expected, got ", in[i]));
        if (in.size() == 4)
            expect(in).that(in[3].type() == t, str("zero points of ", in[1].type_string(),
                                                   " were expected, got ", in[3].type_string()));
        dims.back() = {n, n};
        if (in[0].dynamic())
            return dynamic_shape(in[0], in[0].type(), dims);
        return {in[0].type(), shape{in[0].type(), dims}.max_lens()};
    }

    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto depth = in[0].get_shape().lens().back();
        auto dense = argument::uninitialized(
            shape{shape::double_type, {in[1].get_shape().lens()[0], depth}});
        block_weights(dense, {in.begin() + 1, in.end()}, bits, block);
        const auto w = load<double>(dense);
        const auto n = in[1].get_shape().lens()[0];
        const auto rows = in[0].get_shape().elements() / std::max<std::size_t>(depth, 1);
        // One matrix of all rows; columns of the other are rows of w.
        auto result = argument::uninitialized(shape{shape::double_type, {rows, n}});
        matrix_product<double>(
            result, depth,
            [&](std::size_t first, std::size_t count, double* to) {
                load(in[0], first, count, to);
            },
            [&](std::size_t first, std::size_t count, double* to) {
                for (std::size_t i = 0; i < count; ++i)
                    to[i] = w[(first + i) % n * depth + (first + i) / n];
            });
        store(out, load<double>(result));
    }
};

const registered_op<block_dot_op> block_dot_registered;

} // namespace

} // namespace migraphx
