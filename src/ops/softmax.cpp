// SPDX-License-Identifier: MIT
// softmax(x)[axis] = exp(x - max) / sum(exp(x - max)) along `axis`; logsoftmax is its logarithm.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <cmath>

namespace migraphx {

namespace {

template <bool Log>
struct softmax_op {
    int64_t axis = 1;

    static constexpr auto name = Log ? "logsoftmax" : "softmax";
    static constexpr auto summary = Log ? "Logarithm of softmax along `axis`"
                                        : "Exponentials along `axis`, scaled to sum to one";
    static void fields(field_list<softmax_op>& f) {
        f.axis("axis", &softmax_op::axis, "dimension to normalise");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).floating().axis(axis);
        return keep_permutation(in[0], in[0].type());
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        auto x = load<double>(in[0]);
        for_each_line(in[0].get_shape().lens(), static_cast<std::size_t>(axis),
                      [&](std::size_t first, std::size_t stride, std::size_t n) {
                          double top = n == 0 ? 0 : x[first];
                          for (std::size_t i = 1; i < n; ++i)
                              top = std::max(top, x[first + i * stride]);
                          double total = 0;
                          for (std::size_t i = 0; i < n; ++i)
                              total += std::exp(x[first + i * stride] - top);
                          for (std::size_t i = 0; i < n; ++i) {
                              auto& y = x[first + i * stride];
                              y = Log ? y - top - std::log(total) : std::exp(y - top) / total;
                          }
                      });
        store(out, x);
    }
};

const registered_op<softmax_op<false>> softmax_registered;
const registered_op<softmax_op<true>> logsoftmax_registered;

} // namespace

} // namespace migraphx
