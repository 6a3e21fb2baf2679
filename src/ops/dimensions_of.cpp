// SPDX-License-Identifier: MIT
// dimensions_of: the lengths of dimensions start..end-1 as integers.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

namespace migraphx {

namespace {

struct dimensions_of_op {
    std::size_t start = 0;
    std::size_t end = 0;

    static constexpr auto name = "dimensions_of";
    static constexpr auto summary = "The lengths of some dimensions as int64 values";
    static void fields(field_list<dimensions_of_op>& f) {
        f.add("start", &dimensions_of_op::start, "first dimension");
        f.add("end", &dimensions_of_op::end, "dimension after the last");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(1).tensor();
        if (start >= end or end > in[0].ndim())
            fail_shape(
                str("start < end <= ", in[0].ndim(), " was expected, got ", start, " and ", end));
        return {shape::int64_type, {end - start}};
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& lens = in[0].get_shape().lens();
        std::vector<int64_t> values;
        for (auto i = start; i < end; ++i)
            values.push_back(static_cast<int64_t>(lens.at(i)));
        store(out, values);
    }
};

const registered_op<dimensions_of_op> dimensions_of_registered;

} // namespace

} // namespace migraphx
