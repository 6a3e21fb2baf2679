// SPDX-License-Identifier: MIT
// prefix_scan_sum, prefix_scan_prod: out[i] = x[0] + .. + x[i] (or their product) along `axis`;
// exclusive leaves out x[i], reverse starts from the end.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <functional>

namespace migraphx {

namespace {

// Op gives name, summary, `initial` and `combine`, the function of two numbers.
template <class Op>
struct prefix_scan {
    int64_t axis = 0;
    bool exclusive = false;
    bool reverse = false;

    static void fields(field_list<Op>& f) {
        f.axis("axis", &Op::axis, "dimension to go along");
        f.add("exclusive", &Op::exclusive, "leave out the element itself");
        f.add("reverse", &Op::reverse, "begin at the end");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor().axis(axis);
        return keep_permutation_or_standard(in[0], in[0].type());
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        with_number(out.get_shape().type(), [&](auto tag) {
            // Integers wrap round, as they do in the element type.
            using number = decltype(tag);
            using wide = std::conditional_t<std::is_same_v<number, int64_t>, uint64_t, number>;
            auto x = load<number>(in[0]);
            for_each_line(out.get_shape().lens(), static_cast<std::size_t>(axis),
                          [&](std::size_t first, std::size_t stride, std::size_t len) {
                              wide total{Op::initial};
                              for (std::size_t i = 0; i < len; ++i) {
                                  auto& v = x[first + (reverse ? len - 1 - i : i) * stride];
                                  const auto before = total;
                                  total = typename Op::combine{}(total, static_cast<wide>(v));
                                  v = static_cast<number>(exclusive ? before : total);
                              }
                          });
            store(out, x);
        });
    }
};

struct prefix_scan_sum_op : prefix_scan<prefix_scan_sum_op> {
    static constexpr auto name = "prefix_scan_sum";
    static constexpr auto summary = "Running sums along `axis`";
    static constexpr int initial = 0;
    using combine = std::plus<>;
};

struct prefix_scan_prod_op : prefix_scan<prefix_scan_prod_op> {
    static constexpr auto name = "prefix_scan_prod";
    static constexpr auto summary = "Running products along `axis`";
    static constexpr int initial = 1;
    using combine = std::multiplies<>;
};

const registered_op<prefix_scan_sum_op> prefix_scan_sum_registered;
const registered_op<prefix_scan_prod_op> prefix_scan_prod_registered;

} // namespace

} // namespace migraphx
