// SPDX-License-Identifier: MIT
// Normalisation over the dimensions from `axis` on.
//   layer_norm(x[, scale[, bias]]) = (x - mean) / sqrt(mean of (x - mean)² + epsilon) * scale +
//   bias
//     d = sub(x, reduce_mean(x)); y = mul(d, rsqrt(add(reduce_mean(mul(d, d)), epsilon)))
//     add(mul(y, scale), bias)
//   rms_norm(x[, scale]) = x / sqrt(mean of x² + epsilon) * scale
//     mul(mul(x, rsqrt(add(reduce_mean(mul(x, x)), epsilon))), scale)
// Scale and bias stretch to the dimensions of x from the right.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "base/parallel.hpp"
#include "ir/shape_rules.hpp"

#include <migraphx/common_shape.hpp>

#include <cmath>

namespace migraphx {

namespace {

template <bool Center>
struct norm_op {
    int64_t axis = -1;
    float epsilon = 1e-5f;

    static constexpr auto name = Center ? "layer_norm" : "rms_norm";
    static constexpr auto summary = Center ? "Mean 0 and variance 1 over the last dimensions"
                                           : "Mean square 1 over the last dimensions";
    static void fields(field_list<norm_op>& f) {
        f.axis("axis", &norm_op::axis, "first of the dimensions to normalise");
        f.add("epsilon", &norm_op::epsilon, "added to the variance");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).at_least(1).tensor().axis(axis);
        const std::size_t most = Center ? 3 : 2;
        expect(in)
            .that(in.size() <= most,
                  str("at most ", most, " inputs were expected, got ", in.size()))
            .only(0, 1)
            .floating();
        for (std::size_t i = 1; i < in.size(); ++i) {
            if (is_absent(in, i))
                continue;
            expect(in).only(i, i + 1).floating();
            if (not in[i].dynamic() and not in[0].dynamic())
                make_bcast_shape(in[i], in[0].lens());
        }
        return keep_permutation_or_standard(in[0], in[0].type());
    }
    static argument stretched(const argument& a, const std::vector<std::size_t>& lens) {
        return a.view(make_bcast_shape(a.get_shape(), lens), 0);
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& lens = in[0].get_shape().lens();
        std::size_t rows = 1, size = 1;
        for (std::size_t i = 0; i < lens.size(); ++i)
            (i < static_cast<std::size_t>(axis) ? rows : size) *= lens[i];
        const bool has_scale = not is_absent(in, 1), has_bias = not is_absent(in, 2);
        const auto scale = has_scale ? stretched(in[1], lens) : argument{};
        const auto bias = has_bias ? stretched(in[2], lens) : argument{};
        parallel_for(static_cast<int64_t>(rows), 4, [&](int64_t begin, int64_t end) {
            std::vector<double> x(size), s(size, 1.0), b(size, 0.0);
            for (auto r = static_cast<std::size_t>(begin); r < static_cast<std::size_t>(end); ++r) {
                load(in[0], r * size, size, x.data());
                if (has_scale)
                    load(scale, r * size, size, s.data());
                if (has_bias)
                    load(bias, r * size, size, b.data());
                double mean = 0, squares = 0;
                if (Center) {
                    for (auto v : x)
                        mean += v;
                    mean /= static_cast<double>(size);
                }
                for (auto& v : x) {
                    v -= mean;
                    squares += v * v;
                }
                const double factor =
                    1 / std::sqrt(squares / static_cast<double>(size) + double(epsilon));
                for (std::size_t i = 0; i < size; ++i)
                    x[i] = x[i] * factor * s[i] + b[i];
                store(out, r * size, size, x.data());
            }
        });
    }
};

const registered_op<norm_op<true>> layer_norm_registered;
const registered_op<norm_op<false>> rms_norm_registered;

} // namespace

} // namespace migraphx
