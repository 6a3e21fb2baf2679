// SPDX-License-Identifier: MIT
// dft: discrete Fourier transform along `axis` of numbers whose last dimension holds the real part
// and, if there are two, the imaginary part. The signal is cut or padded with zeros to the length
// of the transform. Further inputs, of one number each, give that length and the axis at run time.
//   forward            X[k] = sum x[n] exp(-2 pi i k n / N)
//   inverse            x[n] = sum X[k] exp(2 pi i k n / N) / N
//   onesided forward   the first N / 2 + 1 of X
//   onesided inverse   real x from the first N / 2 + 1 of X
#include "ops/expect.hpp"
#include "ops/fourier.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "base/parallel.hpp"
#include "ir/shape_rules.hpp"

#include <algorithm>
#include <optional>

namespace migraphx {

namespace {

struct dft_op {
    int64_t axis = -2;
    bool inverse = false;
    bool onesided = false;
    std::optional<int64_t> length;

    static constexpr auto name = "dft";
    static constexpr auto summary = "Discrete Fourier transform along `axis`";
    static void fields(field_list<dft_op>& f) {
        f.axis("axis", &dft_op::axis, "dimension to transform, unless a third input names it");
        f.add("inverse", &dft_op::inverse, "from frequencies to the signal");
        f.add("onesided", &dft_op::onesided, "only the frequencies that real signals need");
        f.add("length", &dft_op::length,
              "of the transform, unless a second input gives it; none: that of the input");
    }
    static std::vector<std::size_t> shape_inputs() { return {1, 2}; }

    bool real_result() const { return inverse and onesided; }
    // Of the result along `axis`, from the length of the transform.
    std::size_t result_length(std::size_t n) const {
        return onesided and not inverse ? n / 2 + 1 : n;
    }
    // Length of the transform when nothing else is said.
    std::size_t default_length(std::size_t n) const {
        return real_result() ? 2 * (std::max<std::size_t>(n, 1) - 1) : n;
    }
    shape::dynamic_dimension result_dim(const shape::dynamic_dimension& d) const {
        if (not onesided)
            return d;
        return inverse ? (d - 1) * 2 : d / 2 + 1;
    }
    static std::size_t checked_length(int64_t n) {
        if (n < 1 or n > (int64_t{1} << 40))
            fail_shape(str("a length of 1 or more was expected, got ", n));
        return static_cast<std::size_t>(n);
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({1, 2, 3}).tensor().axis(axis);
        expect(in).only(0, 1).floating().rank_at_least(2);
        for (std::size_t i = 1; i < in.size(); ++i)
            if (not is_absent(in, i) and
                (not shape::is_integral(in[i].type()) or in[i].dynamic() or in[i].elements() != 1))
                fail_shape(str("one integer was expected for input ", i, ", got ", in[i]));
        auto dims = dims_of(in[0]);
        const auto parts = dims.back().get_interval();
        if (parts.max < 1 or parts.min > 2)
            fail_shape(str("a last dimension of 1 or 2 was expected, got ", dims.back()));
        dims.back() =
            real_result() ? shape::dynamic_dimension{1, 1} : shape::dynamic_dimension{2, 2};
        const auto t = in[0].type();
        const shape::dynamic_dimension unknown{0, unlimited_size};
        if (not is_absent(in, 2)) {
            // Any axis may have another length, if lengths change.
            if (onesided or length or not is_absent(in, 1))
                std::fill(dims.begin(), dims.end() - 1, unknown);
        } else {
            auto& d = dims[checked_axis(axis, dims.size())];
            if (not is_absent(in, 1))
                d = unknown;
            else if (length) {
                const auto n = result_length(checked_length(*length));
                d = {n, n};
            } else
                d = result_dim(d);
        }
        if (in[0].dynamic())
            return dynamic_shape(in[0], t, dims);
        if (std::any_of(dims.begin(), dims.end(), [](const auto& d) { return not d.is_fixed(); }))
            return {t, dims};
        std::vector<std::size_t> lens;
        for (const auto& d : dims)
            lens.push_back(d.get_interval().max);
        checked_elements(lens);
        return {t, lens};
    }
    shape resolve(const std::vector<argument>& in) const {
        const auto at = axis_of(in);
        auto lens = in[0].get_shape().lens();
        lens[at] = result_length(transform_length(in, at));
        lens.back() = real_result() ? 1 : 2;
        checked_elements(lens);
        return {in[0].get_shape().type(), lens};
    }

    void compute(const argument& out, const std::vector<argument>& in) const {
        const numbers<double> x(in[0]);
        numbers<double> y(out.get_shape().lens());
        if (y.size() == 0)
            return;
        const auto at = axis_of(in);
        const auto n = transform_length(in, at);
        const fourier plan(n);
        std::vector<std::size_t> from, to;
        std::size_t inner = 1;
        const auto lines = [&](const std::vector<std::size_t>& lens,
                               std::vector<std::size_t>& first) {
            for_each_line({lens.begin(), lens.end() - 1}, at,
                          [&](std::size_t o, std::size_t stride, std::size_t) {
                              first.push_back(o);
                              inner = stride;
                          });
        };
        lines(x.lens, from);
        lines(y.lens, to);
        const auto grain = std::max<int64_t>(1, int64_t{4096} / static_cast<int64_t>(n));
        parallel_for(static_cast<int64_t>(to.size()), grain, [&](int64_t begin, int64_t end) {
            std::vector<complex_number> signal(n), result(n);
            for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
                read_line(x, {from[i], inner, x.lens[at]}, signal);
                plan.transform(signal.data(), result.data());
                write_line(y, {to[i], inner, y.lens[at]}, result);
            }
        });
        store(out, y.data);
    }

private:
    static std::size_t checked_axis(int64_t a, std::size_t rank) {
        const auto n = static_cast<int64_t>(rank);
        if (a < -n or a >= n - 1 or a == -1)
            fail_shape(str("an axis from ", -n, " to ", n - 2, " was expected, got ", a));
        return static_cast<std::size_t>(a < 0 ? a + n : a);
    }
    std::size_t axis_of(const std::vector<argument>& in) const {
        return checked_axis(is_absent(in, 2) ? axis : load<int64_t>(in[2]).at(0),
                            in[0].get_shape().ndim());
    }
    std::size_t transform_length(const std::vector<argument>& in, std::size_t at) const {
        if (not is_absent(in, 1))
            return checked_length(load<int64_t>(in[1]).at(0));
        return length ? checked_length(*length) : default_length(in[0].get_shape().lens()[at]);
    }

    // Numbers of a tensor along its axis; positions in numbers.
    struct line {
        std::size_t first, stride, count;
    };
    // A line, padded with zeros; conjugate for the inverse, which is the conjugate of the transform
    // of the conjugate.
    void read_line(const numbers<double>& x, const line& from,
                   std::vector<complex_number>& signal) const {
        const auto parts = x.lens.back(), n = signal.size();
        const auto wanted = real_result() ? n / 2 + 1 : n;
        const auto count = std::min(from.count, wanted);
        std::fill(signal.begin(), signal.end(), complex_number{});
        for (std::size_t k = 0; k < count; ++k) {
            const double* v = x.data.data() + (from.first + k * from.stride) * parts;
            const double im = parts == 2 ? v[1] : 0;
            signal[k] = {v[0], inverse ? -im : im};
        }
        if (not real_result())
            return;
        // Frequency n - k is the conjugate of frequency k; those that are their own are real.
        signal[0].im = 0;
        for (std::size_t k = 1; 2 * k < n; ++k)
            signal[n - k] = {signal[k].re, -signal[k].im};
        if (n % 2 == 0)
            signal[n / 2].im = 0;
    }
    void write_line(numbers<double>& y, const line& to,
                    const std::vector<complex_number>& result) const {
        const auto parts = y.lens.back();
        const double scale = inverse ? 1 / static_cast<double>(result.size()) : 1;
        for (std::size_t k = 0; k < to.count; ++k) {
            double* v = y.data.data() + (to.first + k * to.stride) * parts;
            v[0] = result[k].re * scale;
            if (parts == 2)
                v[1] = (inverse ? -result[k].im : result[k].im) * scale;
        }
    }
};

const registered_op<dft_op> dft_registered;

} // namespace

} // namespace migraphx
