// SPDX-License-Identifier: MIT
// prefix_scan_sum: out[i] = x[0] + .. + x[i] along `axis`; exclusive leaves out x[i], reverse
// starts from the end.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

namespace migraphx {

namespace {

struct prefix_scan_sum_op {
    int64_t axis = 0;
    bool exclusive = false;
    bool reverse = false;

    static constexpr auto name = "prefix_scan_sum";
    static constexpr auto summary = "Running sums along `axis`";
    static void fields(field_list<prefix_scan_sum_op>& f) {
        f.axis("axis", &prefix_scan_sum_op::axis, "dimension to sum along");
        f.add("exclusive", &prefix_scan_sum_op::exclusive, "leave out the element itself");
        f.add("reverse", &prefix_scan_sum_op::reverse, "sum from the end");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor().axis(axis);
        return keep_permutation_or_standard(in[0], in[0].type());
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        with_number(out.get_shape().type(), [&](auto tag) {
            // Sums of integers wrap round, as they do in the element type.
            using number = decltype(tag);
            using sum = std::conditional_t<std::is_same_v<number, int64_t>, uint64_t, number>;
            auto x = load<number>(in[0]);
            for_each_line(out.get_shape().lens(), static_cast<std::size_t>(axis),
                          [&](std::size_t first, std::size_t stride, std::size_t len) {
                              sum total{};
                              for (std::size_t i = 0; i < len; ++i) {
                                  auto& v = x[first + (reverse ? len - 1 - i : i) * stride];
                                  const auto before = total;
                                  total += static_cast<sum>(v);
                                  v = static_cast<number>(exclusive ? before : total);
                              }
                          });
            store(out, x);
        });
    }
};

const registered_op<prefix_scan_sum_op> prefix_scan_sum_registered;

} // namespace

} // namespace migraphx
