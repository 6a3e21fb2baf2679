// SPDX-License-Identifier: MIT
// gqa_rotary_embedding: rotates the queries and keys of packed (B, H + 2K, S, D) heads by the
// angles of their positions; values, and what lies behind the rotary part, are copied.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

namespace migraphx {

namespace {

struct gqa_rotary_embedding_op {
    std::size_t num_heads = 1;
    std::size_t kv_num_heads = 1;
    bool interleaved = false;

    static constexpr auto name = "gqa_rotary_embedding";
    static constexpr auto summary = "Queries and keys rotated by the angles of their positions";
    static void fields(field_list<gqa_rotary_embedding_op>& f) {
        f.add("num_heads", &gqa_rotary_embedding_op::num_heads, "heads of queries");
        f.add("kv_num_heads", &gqa_rotary_embedding_op::kv_num_heads,
              "heads of keys and of values");
        f.add("interleaved", &gqa_rotary_embedding_op::interleaved,
              "pairs are neighbours instead of the two halves");
    }

    // qkv (B, H + 2K, S, D), seqlens_k (B), cos and sin (positions, rotary / 2)
    shape infer(const std::vector<shape>& in) const {
        expect(in).count(4).tensor().only(1, 2).integral();
        expect(in).only(0, 1).rank(4);
        expect(in).only(2, 4).rank(2).same_dims();
        if (in[0].dynamic() or in[1].dynamic() or in[2].dynamic())
            return keep_permutation_or_standard(in[0], in[0].type()); // a run's sizes are checked
        const auto& lens = in[0].lens();
        if (lens[1] != num_heads + 2 * kv_num_heads)
            fail_shape(str(num_heads + 2 * kv_num_heads, " heads were expected, got ", lens[1]));
        if (2 * in[2].lens()[1] > lens[3])
            fail_shape(str("a rotary part of at most ", lens[3], " was expected, got ",
                           2 * in[2].lens()[1]));
        if (in[1].elements() < lens[0])
            fail_shape(str(lens[0], " sequence lengths were expected, got ", in[1].elements()));
        return keep_permutation_or_standard(in[0], in[0].type());
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        numbers<double> x{in[0]};
        const numbers<double> cos{in[2]}, sin{in[3]};
        const auto lengths = load<int64_t>(in[1]);
        const auto heads = x.lens[1], rows = x.lens[2], width = x.lens[3], pairs = cos.lens[1];
        for (std::size_t b = 0; b < x.lens[0]; ++b)
            for (std::size_t h = 0; h < num_heads + kv_num_heads; ++h)
                for (std::size_t s = 0; s < rows; ++s) {
                    const auto position = rows > 1 ? static_cast<int64_t>(s) : lengths.at(b);
                    if (position < 0 or static_cast<std::size_t>(position) >= cos.lens[0])
                        fail_shape(
                            str("a position below ", cos.lens[0], " was expected, got ", position));
                    const auto angle = static_cast<std::size_t>(position) * pairs;
                    double* row = &x.data[((b * heads + h) * rows + s) * width];
                    for (std::size_t i = 0; i < pairs; ++i) {
                        double& p = row[interleaved ? 2 * i : i];
                        double& q = row[interleaved ? 2 * i + 1 : i + pairs];
                        const auto c = cos[angle + i], d = sin[angle + i];
                        const auto rotated = p * c - q * d;
                        q = q * c + p * d;
                        p = rotated;
                    }
                }
        store(out, x.data);
    }
};

const registered_op<gqa_rotary_embedding_op> gqa_rotary_embedding_registered;

} // namespace

} // namespace migraphx
