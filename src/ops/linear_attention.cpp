// SPDX-License-Identifier: MIT
// linear_attention(q (B, T, H * D), k (B, T, G * D), v (B, T, K * E), state (B, K, D, E)[, decay
// (B, T, K or K * D)][, beta (B, T, K or 1)]) -> (B, T, max(H, K) * E), the last states. For each
// head with its state S (D, E), token after token:
//   S *= exp(decay)                  (gated rules)
//   v  = beta * (v - transpose(S) . k)  (delta rules)
//   S += outer(k, v);  y = scale * transpose(S) . q
// The fewer of the heads of q, k and v are shared by equal numbers of the others. scale 0 stands
// for 1 / sqrt(D). With a window of W the states after the last W tokens come as (W, B, K, D, E),
// 0 where there are fewer, and the last one of `state` of that shape is where it begins.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "base/parallel.hpp"
#include "ir/shape_rules.hpp"

#include <cmath>

namespace migraphx {

namespace {

struct linear_attention_op {
    enum rule_t : int64_t { linear, gated, delta, gated_delta };

    std::size_t num_heads = 1;
    std::size_t kv_num_heads = 1;
    rule_t rule = gated_delta;
    float scale = 0;
    std::size_t window = 0;

    static constexpr auto name = "linear_attention";
    static constexpr auto summary = "Attention by a state that every token updates";
    static void fields(field_list<linear_attention_op>& f) {
        f.add("num_heads", &linear_attention_op::num_heads, "heads of queries");
        f.add("kv_num_heads", &linear_attention_op::kv_num_heads, "heads of values and states");
        f.choice("rule", &linear_attention_op::rule, "how a token changes the state",
                 {"linear", "gated", "delta", "gated_delta"});
        f.add("scale", &linear_attention_op::scale, "factor of the result; 0: 1 / sqrt(D)");
        f.add("window", &linear_attention_op::window, "states to return; 0: the last one alone");
    }
    bool is_gated() const { return rule == gated or rule == gated_delta; }
    bool is_delta() const { return rule == delta or rule == gated_delta; }

    struct sizes {
        std::size_t key_heads, depth, width;
    };
    static std::size_t known_last(const shape& s, const char* what) {
        const auto last = dims_of(s).back();
        if (not last.is_fixed())
            fail_shape(str(what, " of a known size was expected, got ", s));
        return last.get_interval().max;
    }
    sizes sizes_of(const std::vector<shape>& in) const {
        const auto q = known_last(in[0], "q"), k = known_last(in[1], "k"),
                   v = known_last(in[2], "v");
        if (num_heads == 0 or kv_num_heads == 0 or q == 0 or v == 0 or q % num_heads != 0 or
            v % kv_num_heads != 0)
            fail_shape(str("sizes of q and v that ", num_heads, " and ", kv_num_heads,
                           " heads divide were expected, got ", q, " and ", v));
        const sizes s{k / (q / num_heads), q / num_heads, v / kv_num_heads};
        const auto shares = [](std::size_t a, std::size_t b) {
            return a != 0 and b != 0 and (a % b == 0 or b % a == 0);
        };
        if (k % s.depth != 0 or s.key_heads == 0 or kv_num_heads % s.key_heads != 0 or
            not shares(num_heads, kv_num_heads))
            fail_shape(str("heads of one number or shared by equal numbers were expected, got ",
                           num_heads, ", ", s.key_heads, " and ", kv_num_heads));
        return s;
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).at_least(4).tensor().that(in.size() <= 6, "at most 6 inputs were expected");
        expect(in).only(0, 3).rank(3).floating();
        expect(in).only(3, 4).rank(window == 0 ? 4 : 5).floating();
        const auto s = sizes_of(in);
        const auto gate = [&](std::size_t i, bool wanted, std::size_t width, const char* what) {
            if (is_absent(in, i) == wanted)
                fail_shape(str(wanted ? "a " : "no ", what, " was expected"));
            if (not wanted)
                return;
            expect(in).only(i, i + 1).rank(3).floating();
            const auto n = known_last(in[i], what);
            if (n != kv_num_heads and n != width)
                fail_shape(str(kv_num_heads, " or ", width, " numbers of ", what,
                               " for each token were expected, got ", n));
        };
        gate(4, is_gated(), kv_num_heads * s.depth, "decay");
        gate(5, is_delta(), 1, "beta");
        const auto state = dims_of(in[3]);
        const auto at = state.size() - 3;
        const std::size_t wanted[] = {kv_num_heads, s.depth, s.width};
        for (std::size_t i = 0; i < 3; ++i) {
            const auto d = state[at + i].get_interval();
            if (wanted[i] < d.min or wanted[i] > d.max)
                fail_shape(str(wanted[i], " as dimension ", at + i,
                               " of the state was expected, got ", state[at + i]));
        }
        if (window != 0 and
            not(state[0].get_interval().min <= window and window <= state[0].get_interval().max))
            fail_shape(str(window, " states were expected, got ", state[0]));
        const auto width = std::max(num_heads, kv_num_heads) * s.width;
        if (not in[0].dynamic()) {
            auto lens = in[0].lens();
            lens[2] = width;
            return shape{std::vector<shape>{{in[0].type(), lens}, in[3].as_standard()}};
        }
        auto dims = in[0].dyn_dims();
        dims[2] = in[0].symbolic() ? dims_of(shape{in[0].type(), {width}}, true)[0]
                                   : shape::dynamic_dimension{width, width};
        return shape{std::vector<shape>{{in[0].type(), dims}, in[3].as_standard()}};
    }

    argument evaluate(const shape&, const std::vector<argument>& in) const {
        const auto s = sizes_of(to_shapes(in));
        auto out = argument::uninitialized(infer(to_shapes(in)));
        const auto parts = out.get_sub_objects();
        const auto batches = in[0].get_shape().lens()[0], tokens = in[0].get_shape().lens()[1];
        for (std::size_t i : {1, 2, 4, 5})
            if (not is_absent(in, i) and
                (in[i].get_shape().lens()[0] != batches or in[i].get_shape().lens()[1] != tokens))
                fail_shape(str("tokens (", batches, ", ", tokens, ", …) were expected, got ",
                               in[i].get_shape()));
        if (in[3].get_shape().lens()[window == 0 ? 0 : 1] != batches)
            fail_shape(str("a state for each of ", batches, " batches was expected, got ",
                           in[3].get_shape()));
        const auto q = load<double>(in[0]), k = load<double>(in[1]), v = load<double>(in[2]);
        const auto first = load<double>(in[3]);
        const auto decay = is_gated() ? load<double>(in[4]) : std::vector<double>{};
        const auto beta = is_delta() ? load<double>(in[5]) : std::vector<double>{};
        const auto heads = std::max(num_heads, kv_num_heads),
                   slots = std::max<std::size_t>(1, window);
        const auto cells = s.depth * s.width, all = batches * kv_num_heads * cells;
        const double factor =
            scale == 0 ? 1 / std::sqrt(static_cast<double>(s.depth)) : static_cast<double>(scale);
        std::vector<double> y(batches * tokens * heads * s.width), states(slots * all, 0.0);
        const auto one_head = [&](std::size_t b, std::size_t h) {
            const auto offset = (b * kv_num_heads + h) * cells;
            std::vector<double> state(&first[(slots - 1) * all + offset],
                                      &first[(slots - 1) * all + offset] + cells),
                change(s.width);
            for (std::size_t t = 0; t < tokens; ++t) {
                const auto row = b * tokens + t;
                const double* key =
                    &k[(row * s.key_heads + h / (kv_num_heads / s.key_heads)) * s.depth];
                const double* now = &v[(row * kv_num_heads + h) * s.width];
                if (is_gated()) {
                    const auto gates = decay.size() / (batches * tokens * kv_num_heads);
                    for (std::size_t d = 0; d < s.depth; ++d) {
                        const double g = std::exp(
                            decay[(row * kv_num_heads + h) * gates + (gates == 1 ? 0 : d)]);
                        for (std::size_t e = 0; e < s.width; ++e)
                            state[d * s.width + e] *= g;
                    }
                }
                change.assign(now, now + s.width);
                if (is_delta()) {
                    const auto rates = beta.size() / (batches * tokens);
                    for (std::size_t d = 0; d < s.depth; ++d)
                        for (std::size_t e = 0; e < s.width; ++e)
                            change[e] -= state[d * s.width + e] * key[d];
                    for (auto& c : change)
                        c *= beta[row * rates + (rates == 1 ? 0 : h)];
                }
                for (std::size_t d = 0; d < s.depth; ++d)
                    for (std::size_t e = 0; e < s.width; ++e)
                        state[d * s.width + e] += key[d] * change[e];
                // The queries of the head: several, one, or one that other heads use too.
                const auto readers = std::max<std::size_t>(1, num_heads / kv_num_heads);
                for (std::size_t r = 0; r < readers; ++r) {
                    const auto to = h * readers + r, from = to * num_heads / heads;
                    double* result = &y[(row * heads + to) * s.width];
                    for (std::size_t d = 0; d < s.depth; ++d)
                        for (std::size_t e = 0; e < s.width; ++e)
                            result[e] += factor * q[(row * num_heads + from) * s.depth + d] *
                                         state[d * s.width + e];
                }
                if (t + slots >= tokens)
                    std::copy(state.begin(), state.end(),
                              states.begin() +
                                  static_cast<std::ptrdiff_t>((t + slots - tokens) * all + offset));
            }
            if (tokens == 0)
                std::copy(state.begin(), state.end(),
                          states.begin() + static_cast<std::ptrdiff_t>((slots - 1) * all + offset));
        };
        const auto units = static_cast<int64_t>(batches * kv_num_heads);
        parallel_for(units, 1, [&](int64_t begin, int64_t end) {
            for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
                one_head(i / kv_num_heads, i % kv_num_heads);
        });
        store(parts[0], y);
        store(parts[1], states);
        return out;
    }
};

const registered_op<linear_attention_op> linear_attention_registered;

} // namespace

} // namespace migraphx
