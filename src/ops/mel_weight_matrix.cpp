// SPDX-License-Identifier: MIT
// mel_weight_matrix(bins, dft_length, sample_rate, lower, upper): triangles over the frequencies of
// a one-sided spectrum, one column for each mel bin, their corners equally far apart on the scale
// mel(f) = 2595 log10(1 + f / 700) between the edges, which are in hertz.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"
#include "ops/type_field.hpp"

#include <algorithm>
#include <cmath>

namespace migraphx {

namespace {

struct mel_weight_matrix_op {
    shape::type_t dtype = shape::float_type;

    static constexpr auto name = "mel_weight_matrix";
    static constexpr auto summary = "Weights from a linear spectrum to mel bins";
    static void fields(field_list<mel_weight_matrix_op>& f) {
        type_field(f, "dtype", &mel_weight_matrix_op::dtype, "element type of the result");
    }
    static std::vector<std::size_t> shape_inputs() { return {0, 1}; }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(5).tensor();
        expect(in).only(0, 3).integral();
        expect(in).only(3, 5).floating();
        for (const auto& s : in)
            if (s.dynamic() or s.elements() != 1)
                fail_shape(str("one number was expected for each input, got ", s));
        if (not shape::is_computable(dtype) or dtype == shape::bool_type)
            fail_shape("dtype: a type of numbers was expected, got " + shape::name(dtype));
        return {dtype, unknown_dims(2)};
    }
    shape resolve(const std::vector<argument>& in) const {
        const auto bins = load<int64_t>(in[0]).at(0), length = load<int64_t>(in[1]).at(0);
        constexpr auto most = int64_t{1} << 32;
        if (bins < 0 or bins > most or length < 0 or length > most)
            fail_shape(str("sizes of 0 or more were expected, got ", bins, " and ", length));
        const std::vector<std::size_t> lens{static_cast<std::size_t>(length / 2 + 1),
                                            static_cast<std::size_t>(bins)};
        checked_elements(lens);
        return {dtype, lens};
    }

    // Row of the spectrum for each corner: bins + 2 of them.
    static std::vector<double> corners(const std::vector<argument>& in) {
        const auto number = [&](std::size_t i) { return load<double>(in[i]).at(0); };
        const double count = number(0) + 2, length = number(1), rate = number(2);
        if (not(rate > 0))
            fail_shape(str("a sample rate above 0 was expected, got ", rate));
        const double log_ten = std::log(10.0);
        const auto mel = [&](double hertz) { return 2595 * std::log1p(hertz / 700) / log_ten; };
        const double low = mel(number(3)), high = mel(number(4));
        if (not std::isfinite(low) or not std::isfinite(high))
            fail_shape("edges of 0 Hz or more were expected, got others");
        std::vector<double> result(static_cast<std::size_t>(count));
        for (std::size_t i = 0; i < result.size(); ++i) {
            const double at = static_cast<double>(i) * ((high - low) / count) + low;
            const double hertz = 700 * std::expm1(at / 2595 * log_ten);
            result[i] = std::floor((length + 1) * hertz / rate);
        }
        return result;
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        numbers<double> y(out.get_shape().lens());
        const auto rows = static_cast<double>(y.lens[0]);
        const auto columns = y.lens[1];
        const auto corner = corners(in);
        const auto set = [&](double row, std::size_t column, double v) {
            if (row >= 0 and row < rows)
                y[static_cast<std::size_t>(row) * columns + column] = v;
        };
        for (std::size_t i = 0; i < columns; ++i) {
            const double left = corner[i], top = corner[i + 1], right = corner[i + 2];
            if (left == top)
                set(top, i, 1);
            else
                for (auto j = std::max(left, 0.0); j <= std::min(top, rows - 1); ++j)
                    set(j, i, (j - left) / (top - left));
            for (auto j = std::max(top, 0.0); j < std::min(right, rows); ++j)
                set(j, i, (right - j) / (right - top));
        }
        store(out, y.data);
    }
};

const registered_op<mel_weight_matrix_op> mel_weight_matrix_registered;

} // namespace

} // namespace migraphx
