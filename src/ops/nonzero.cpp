// SPDX-License-Identifier: MIT
// nonzero: the indices of the nonzero elements, one per column, in row-major order. The columns
// after the last one are zero, or not there with `use_dyn_output`.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

namespace migraphx {

namespace {

struct nonzero_op {
    bool use_dyn_output = false;

    static constexpr auto name = "nonzero";
    static constexpr auto summary = "Indices of the nonzero elements, one per column";
    static void fields(field_list<nonzero_op>& f) {
        f.add("use_dyn_output", &nonzero_op::use_dyn_output,
              "as many columns as nonzero elements, else as elements");
    }
    static std::vector<std::size_t> shape_inputs() { return {0}; }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        const auto& x = in[0];
        std::size_t elements = 1;
        for (auto n : x.max_lens())
            if (__builtin_mul_overflow(elements, n, &elements))
                elements = std::numeric_limits<std::size_t>::max();
        if (x.dynamic() or use_dyn_output)
            return {shape::int64_type,
                    std::vector<shape::dynamic_dimension>{{x.ndim(), x.ndim()}, {0, elements}}};
        return {shape::int64_type, {x.ndim(), elements}};
    }
    static std::vector<std::size_t> positions(const argument& a) {
        const auto x = load<double>(a);
        std::vector<std::size_t> result;
        for (std::size_t i = 0; i < x.size(); ++i)
            if (x[i] != 0)
                result.push_back(i);
        return result;
    }
    shape resolve(const std::vector<argument>& in) const {
        if (not use_dyn_output)
            return infer(to_shapes(in));
        expect(to_shapes(in)).count(1).tensor();
        return {shape::int64_type, {in[0].get_shape().ndim(), positions(in[0]).size()}};
    }
    argument evaluate(const shape&, const std::vector<argument>& in) const {
        const auto& lens = in[0].get_shape().lens();
        const auto found = positions(in[0]);
        const auto columns = use_dyn_output ? found.size() : in[0].get_shape().elements();
        numbers<int64_t> result({lens.size(), columns});
        for (std::size_t n = 0; n < found.size(); ++n) {
            auto rest = found[n];
            for (std::size_t d = lens.size(); d-- > 0; rest /= lens[d])
                result[d * columns + n] = static_cast<int64_t>(rest % lens[d]);
        }
        auto out = argument::uninitialized({shape::int64_type, {lens.size(), columns}});
        store(out, result.data);
        return out;
    }
};

const registered_op<nonzero_op> nonzero_registered;

} // namespace

} // namespace migraphx
