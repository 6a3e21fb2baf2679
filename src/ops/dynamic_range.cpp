// SPDX-License-Identifier: MIT
// dynamic_range: start, start + delta, ... up to but without limit, with bounds known at run time.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include <algorithm>
#include <cmath>

namespace migraphx {

namespace {

struct dynamic_range_op {
    uint64_t max_output = 2147483647;

    static constexpr auto name = "dynamic_range";
    static constexpr auto summary = "start, start + delta, ... up to but without limit";
    static void fields(field_list<dynamic_range_op>& f) {
        f.add("max_output", &dynamic_range_op::max_output, "largest number of elements");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(3).tensor().same_type().static_shapes();
        for (std::size_t i = 0; i < 3; ++i)
            if (in[i].elements() != 1)
                fail_shape(
                    str("one element was expected for input ", i, ", got ", in[i].elements()));
        return {in[0].type(), {shape::dynamic_dimension{0, max_output}}};
    }

    static double count(double start, double limit, double delta) {
        return std::ceil((limit - start) / delta);
    }
    template <class T>
    static double count(T start, T limit, T delta) {
        // Distances of 64-bit numbers fit the unsigned type, whatever their signs.
        const bool down = delta < 0;
        if (down ? limit >= start : limit <= start)
            return 0;
        const auto distance = down ? static_cast<uint64_t>(start) - static_cast<uint64_t>(limit)
                                   : static_cast<uint64_t>(limit) - static_cast<uint64_t>(start);
        const auto step =
            down ? uint64_t{0} - static_cast<uint64_t>(delta) : static_cast<uint64_t>(delta);
        return static_cast<double>(distance / step + (distance % step != 0 ? 1 : 0));
    }

    static std::vector<std::size_t> shape_inputs() { return {0, 1, 2}; }
    shape resolve(const std::vector<argument>& in) const {
        double n = 0;
        with_number(in[0].get_shape().type(), [&](auto tag) {
            using number = decltype(tag);
            const auto delta = load<number>(in[2]).at(0);
            if (delta == 0)
                fail_shape("a delta other than 0 was expected");
            n = count(load<number>(in[0]).at(0), load<number>(in[1]).at(0), delta);
        });
        if (std::isnan(n))
            fail_shape("bounds that are numbers were expected, got NaN");
        n = std::clamp(n, 0.0, static_cast<double>(max_output));
        return {in[0].get_shape().type(), {static_cast<std::size_t>(n)}};
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        with_number(out.get_shape().type(), [&](auto tag) {
            using number = decltype(tag);
            using sum = std::conditional_t<std::is_same_v<number, int64_t>, uint64_t, number>;
            const auto start = static_cast<sum>(load<number>(in[0]).at(0));
            const auto delta = static_cast<sum>(load<number>(in[2]).at(0));
            std::vector<number> x(out.get_shape().elements());
            for (std::size_t i = 0; i < x.size(); ++i)
                x[i] = static_cast<number>(start + static_cast<sum>(i) * delta);
            store(out, x);
        });
    }
};

const registered_op<dynamic_range_op> dynamic_range_registered;

} // namespace

} // namespace migraphx
