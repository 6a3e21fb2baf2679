// SPDX-License-Identifier: MIT
// attention(q (B, H, S, D), k (B, K, T, D), v (B, K, T, E)[, mask][, sink (H)]) -> (B, H, S, E),
// where K divides H: head h uses key and value head h / (H / K).
//   softmax(cap(q . transpose(k) * scale) + mask) . v
//     k and v repeated H / K times; dot(q, transpose(k)); mul by scale; x -> softcap *
//     tanh(x / softcap); add(mask); softmax[axis=3]; dot with v
// A bool mask hides where it is false (where(mask, x, -inf)), others are added; it stretches to
// (B, H, S, T). `causal` hides key t from query s where t > s + T - S. A sink is one more score of
// each query of its head, with a value of 0. A query that sees no key gives 0. scale 0 stands for
// 1 / sqrt(D), softcap 0 for no bound.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "base/parallel.hpp"
#include "ir/shape_rules.hpp"

#include <migraphx/common_shape.hpp>

#include <cmath>
#include <limits>

namespace migraphx {

namespace {

struct attention_op {
    float scale = 0;
    bool causal = false;
    float softcap = 0;

    static constexpr auto name = "attention";
    static constexpr auto summary = "softmax(q . k' * scale + mask) . v for every head";
    static void fields(field_list<attention_op>& f) {
        f.add("scale", &attention_op::scale, "factor of the scores; 0: 1 / sqrt(size of a head)");
        f.add("causal", &attention_op::causal, "queries see no later keys");
        f.add("softcap", &attention_op::softcap, "bound of the scores; 0: none");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({3, 4, 5}).tensor().only(0, 3).rank(4).same_type().floating();
        const auto aligned = align_kinds({in[0], in[1], in[2]});
        const auto q = dims_of(aligned[0]), k = dims_of(aligned[1]), v = dims_of(aligned[2]);
        const auto equal = [](const shape::dynamic_dimension& a, const shape::dynamic_dimension& b,
                              const char* what) {
            if (a.is_fixed() and b.is_fixed() and a != b)
                fail_shape(str("equal ", what, " were expected, got ", a, " and ", b));
        };
        equal(q[0], k[0], "batches");
        equal(q[0], v[0], "batches");
        equal(q[3], k[3], "head sizes of q and k");
        equal(k[1], v[1], "heads of k and v");
        equal(k[2], v[2], "lengths of k and v");
        if (q[1].is_fixed() and k[1].is_fixed()) {
            const auto heads = q[1].get_interval().min, of_k = k[1].get_interval().min;
            if (of_k == 0 or heads % of_k != 0)
                fail_shape(str("heads of k that divide those of q were expected, got ", of_k,
                               " and ", heads));
        }
        if (not is_absent(in, 3) and not in[3].dynamic() and not in[0].dynamic() and
            not in[1].dynamic())
            make_bcast_shape(in[3],
                             {in[0].lens()[0], in[0].lens()[1], in[0].lens()[2], in[1].lens()[2]});
        if (not is_absent(in, 4)) {
            expect(in).only(4, 5).rank(1).floating();
            equal(q[1], dims_of(in[4])[0], "heads of q and sinks");
        }
        if (not aligned[0].dynamic()) {
            const std::vector<std::size_t> lens{in[0].lens()[0], in[0].lens()[1], in[0].lens()[2],
                                                in[2].lens()[3]};
            // Heads that lie side by side in the rows of q do so in the result.
            const auto& steps = in[0].strides();
            if (lens[1] > 1 and lens[2] > 1 and steps[1] != 0 and steps[1] < steps[2])
                return shape::from_permutation(in[0].type(), lens, {0, 2, 1, 3});
            return {in[0].type(), lens};
        }
        return {in[0].type(), std::vector<shape::dynamic_dimension>{q[0], q[1], q[2], v[3]}};
    }

    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& q = in[0].get_shape().lens();
        const auto& v = in[2].get_shape().lens();
        const auto heads = q[1], queries = q[2], size = q[3], keys = v[2], width = v[3];
        const bool masked = not is_absent(in, 3);
        const auto mask =
            masked
                ? in[3].view(make_bcast_shape(in[3].get_shape(), {q[0], heads, queries, keys}), 0)
                : argument{};
        const bool hides = masked and in[3].get_shape().type() == shape::bool_type;
        const double factor =
            scale == 0 ? 1 / std::sqrt(static_cast<double>(size)) : static_cast<double>(scale);
        const bool drains = not is_absent(in, 4);
        const auto sinks = drains ? load<double>(in[4]) : std::vector<double>{};
        constexpr double hidden = -std::numeric_limits<double>::infinity();
        const auto capped = [cap = static_cast<double>(softcap)](double x) {
            return cap > 0 ? cap * std::tanh(x / cap) : x;
        };

        const auto one_head = [&](std::size_t b, std::size_t h) {
            const auto kv = b * v[1] + h / (heads / v[1]);
            std::vector<double> x(queries * size), k(keys * size), values(keys * width),
                bias(keys, 0.0), score(keys), y(width);
            load(in[0], (b * heads + h) * x.size(), x.size(), x.data());
            load(in[1], kv * k.size(), k.size(), k.data());
            load(in[2], kv * values.size(), values.size(), values.data());
            for (std::size_t s = 0; s < queries; ++s) {
                const auto row = (b * heads + h) * queries + s;
                if (masked)
                    load(mask, row * keys, keys, bias.data());
                double top = drains ? sinks.at(h) : hidden;
                for (std::size_t t = 0; t < keys; ++t) {
                    double sum = 0;
#pragma omp simd reduction(+ : sum)
                    for (std::size_t d = 0; d < size; ++d)
                        sum += x[s * size + d] * k[t * size + d];
                    score[t] =
                        capped(sum * factor) + (hides ? (bias[t] != 0 ? 0 : hidden) : bias[t]);
                    if (causal and t + queries > s + keys)
                        score[t] = hidden;
                    top = std::max(top, score[t]);
                }
                double total = drains ? std::exp(sinks.at(h) - top) : 0;
                std::fill(y.begin(), y.end(), 0.0);
                for (std::size_t t = 0; t < keys and top != hidden; ++t) {
                    const double weight = std::exp(score[t] - top);
                    total += weight;
                    for (std::size_t d = 0; d < width; ++d)
                        y[d] += weight * values[t * width + d];
                }
                for (auto& r : y)
                    r = top == hidden ? 0 : r / total;
                store(out, row * width, width, y.data());
            }
        };
        parallel_for(static_cast<int64_t>(q[0] * heads), 1, [&](int64_t begin, int64_t end) {
            for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
                one_head(i / heads, i % heads);
        });
    }
};

const registered_op<attention_op> attention_registered;

} // namespace

} // namespace migraphx
