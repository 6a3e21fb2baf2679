// SPDX-License-Identifier: MIT
// random_seed: a number that differs from run to run. random_uniform(seed, like): numbers in [0,
// 1), or any integers that are not negative (below 2^63). multinomial(cdf (B, C), uniform (B, S)):
// for each number the class whose part of the (not necessarily normalised) cumulative distribution
// it falls in.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"
#include "ops/type_field.hpp"

#include "ir/shape_rules.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace migraphx {

namespace {

struct random_seed_op {
    shape::type_t dtype = shape::uint64_type;

    static constexpr auto name = "random_seed";
    static constexpr auto summary = "A number that differs from run to run";
    static void fields(field_list<random_seed_op>& f) {
        type_field(f, "dtype", &random_seed_op::dtype, "element type of the result");
    }
    static void traits(op_info& info) {
        info.has_side_effect = true;
        info.is_context_free = false;
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(0);
        expect(in).that(shape{dtype}.computable(), "a type of numbers was expected");
        return {dtype};
    }
    void compute(const argument& out, const std::vector<argument>&) const {
        std::random_device device;
        const auto bits = (uint64_t{device()} << 32) | device();
        const auto t = out.get_shape().type();
        if (shape::is_integral(t))
            store(out, 0, 1, &bits);
        else {
            const auto small = static_cast<double>(bits & 0x7fff);
            store(out, 0, 1, &small);
        }
    }
};

struct random_uniform_op {
    static constexpr auto name = "random_uniform";
    static constexpr auto summary = "Numbers of the dimensions of the second input, from a seed";
    static void traits(op_info& info) { info.has_side_effect = true; }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).tensor();
        if (not in[0].dynamic() and in[0].elements() != 1)
            fail_shape(str("one number as a seed was expected, got ", in[0]));
        return in[1].dynamic() ? in[1] : keep_permutation_or_standard(in[1], in[1].type());
    }
    // Made from draws of the Mersenne Twister by rules that no standard library has a part in, so
    // that every target gives the same: the upper bits of one draw (of two, the upper half first,
    // for 64 bits), or a draw as a part of 2^32 in float.
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        const auto& like = in[1].get_shape();
        const auto type = like.type();
        auto out = argument::uninitialized(keep_permutation_or_standard(like, type));
        std::mt19937 engine(static_cast<std::mt19937::result_type>(load<uint64_t>(in[0]).at(0)));
        const auto n = like.elements();
        if (shape::is_integral(type)) {
            const auto width = 8 * like.type_size(), sign = shape::is_unsigned(type) ? 0UL : 1UL;
            std::vector<int64_t> values(n);
            for (auto& x : values) {
                const auto upper = static_cast<int64_t>(engine());
                x = width == 64 ? (upper >> 1) << 32 | static_cast<int64_t>(engine())
                                : upper >> (32 - (width - sign));
            }
            store(out, values);
        } else {
            const auto largest = std::nextafter(1.0f, 0.0f);
            std::vector<double> values(n);
            for (auto& x : values)
                x = std::min(static_cast<float>(engine()) / 0x1p32f, largest);
            store(out, values);
            if (type != shape::float_type and type != shape::double_type) {
                // Below 1 after rounding, too.
                auto rounded = load<double>(out);
                for (auto& x : rounded)
                    x = x >= 1 ? 1 - 0x1p-4 : x;
                store(out, rounded);
            }
        }
        return out;
    }
};

struct multinomial_op {
    shape::type_t dtype = shape::int32_type;

    static constexpr auto name = "multinomial";
    static constexpr auto summary = "Samples of a cumulative distribution";
    static void fields(field_list<multinomial_op>& f) {
        type_field(f, "dtype", &multinomial_op::dtype, "element type of the result");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).tensor().rank(2);
        if (dtype == shape::bool_type or not shape{dtype}.computable())
            fail_shape(
                str("a type of numbers for class indices was expected, got ", shape::name(dtype)));
        if (not in[0].dynamic() and not in[1].dynamic()) {
            if (in[0].lens()[0] != in[1].lens()[0])
                fail_shape(str("equal batches were expected, got ", in[0].lens()[0], " and ",
                               in[1].lens()[0]));
            return {dtype, in[1].lens()};
        }
        const auto aligned = align_kinds(in);
        const auto x = dims_of(aligned[0]), u = dims_of(aligned[1]);
        const auto batch = x[0].intersection(u[0]);
        if (not batch)
            fail_shape(str("equal batches were expected, got ", x[0], " and ", u[0]));
        return dynamic_shape(aligned[1], dtype, {*batch, u[1]});
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const numbers<double> cdf(in[0]), uniform(in[1]);
        const auto classes = cdf.lens[1], samples = uniform.lens[1];
        std::vector<int64_t> result;
        for (std::size_t b = 0; b < uniform.lens[0]; ++b) {
            const double* row = cdf.data.data() + b * classes;
            for (std::size_t s = 0; s < samples; ++s) {
                if (classes == 0)
                    fail_shape("at least 1 class was expected, got 0");
                const double at = uniform[b * samples + s] * row[classes - 1];
                const auto found = std::upper_bound(row, row + classes, at) - row;
                result.push_back(std::min<int64_t>(found, static_cast<int64_t>(classes) - 1));
            }
        }
        store(out, result);
    }
};

const registered_op<random_seed_op> random_seed_registered;
const registered_op<random_uniform_op> random_uniform_registered;
const registered_op<multinomial_op> multinomial_registered;

} // namespace

} // namespace migraphx
