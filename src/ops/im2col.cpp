// SPDX-License-Identifier: MIT
// im2col(x (1, C, H, W), w (O, C, kH, kW)): a row for each position of the kernel, holding the C x
// kH x kW elements under it; zero in the padding. The values of w are not read.
#include "ops/enum_field.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"
#include "ops/window.hpp"

#include "ir/shape_rules.hpp"

namespace migraphx {

namespace {

struct im2col_op {
    std::vector<std::size_t> padding = {0, 0};
    std::vector<std::size_t> stride = {1, 1};
    std::vector<std::size_t> dilation = {1, 1};
    op::padding_mode_t padding_mode = op::default_;

    static constexpr auto name = "im2col";
    static constexpr auto summary = "The elements under every position of a kernel as rows";
    static void fields(field_list<im2col_op>& f) {
        f.normalized("padding", &im2col_op::padding, "elements around the data",
                     normalize_kind::padding);
        f.add("stride", &im2col_op::stride, "step between positions");
        f.add("dilation", &im2col_op::dilation, "step between taps");
        enum_field(f, "padding_mode", &im2col_op::padding_mode,
                   "0: `padding`; 1, 2: so that ceil(in / stride) fit", padding_mode_words());
    }

    std::vector<window> windows(const std::vector<std::size_t>& w) const {
        return make_windows({w[2], w[3]}, padding, stride, dilation, padding_mode, "kernel");
    }
    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).tensor().rank(4);
        const auto aligned = align_kinds(in);
        const auto x = dims_of(aligned[0]), w = dims_of(aligned[1]);
        if (not x[0].intersection({1, 1}))
            fail_shape(str("a batch of 1 was expected, got ", x[0]));
        if (x[1].is_fixed() and w[1].is_fixed() and x[1] != w[1])
            fail_shape(str("equal channels were expected, got ", x[1], " and ", w[1]));
        const auto one = windows(in[1].max_lens());
        const std::vector<shape::dynamic_dimension> dims{
            one[0].positions(x[2], w[2]) * one[1].positions(x[3], w[3]), x[1] * w[2] * w[3]};
        if (not aligned[0].dynamic())
            return {in[0].type(), shape{in[0].type(), dims}.max_lens()};
        return dynamic_shape(aligned[0], in[0].type(), dims);
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& lens = in[0].get_shape().lens();
        const auto x = load<double>(in[0]);
        const auto w = windows(in[1].get_shape().lens());
        std::vector<double> y;
        const auto columns = w[1].positions(lens[3]);
        for (std::size_t row = 0; row < out.get_shape().lens()[0]; ++row)
            for (std::size_t c = 0; c < lens[1]; ++c)
                for (std::size_t i = 0; i < w[0].kernel; ++i)
                    for (std::size_t j = 0; j < w[1].kernel; ++j) {
                        const auto h = row / columns * w[0].stride + i * w[0].dilation;
                        const auto v = row % columns * w[1].stride + j * w[1].dilation;
                        const auto top = w[0].padding(lens[2]).first;
                        const auto left = w[1].padding(lens[3]).first;
                        const bool inside =
                            h >= top and h - top < lens[2] and v >= left and v - left < lens[3];
                        y.push_back(inside ? x[(c * lens[2] + h - top) * lens[3] + v - left] : 0);
                    }
        store(out, y);
    }
};

const registered_op<im2col_op> im2col_registered;

} // namespace

} // namespace migraphx
