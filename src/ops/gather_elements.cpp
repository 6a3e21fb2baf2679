// SPDX-License-Identifier: MIT
// gather_elements: out[.., i, ..] = data[.., indices[.., i, ..], ..] at `axis`; data and indices
// have equal rank, and the indices' other dimensions are at most those of the data.
#include "ops/expect.hpp"
#include "ops/indices.hpp"
#include "ops/op.hpp"
#include "ops/tensor.hpp"

#include <cstring>

namespace migraphx {

namespace {

struct gather_elements_op {
    int64_t axis = 0;

    static constexpr auto name = "gather_elements";
    static constexpr auto summary = "Elements of the data, each chosen by an index along `axis`";
    static void fields(field_list<gather_elements_op>& f) {
        f.axis("axis", &gather_elements_op::axis, "dimension that the indices count in");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).tensor().same_rank().axis(axis).only(1, 2).integral();
        const auto data = in[0].max_lens(), least = in[1].min_lens();
        for (std::size_t d = 0; d < data.size(); ++d)
            if (d != static_cast<std::size_t>(axis) and least[d] > data[d])
                fail_shape(str("indices inside of the data were expected, got ", least[d],
                               " for a dimension of ", data[d]));
        return in[1].dynamic() ? in[1].with_type(in[0].type()) : shape{in[0].type(), in[1].lens()};
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& data = in[0].get_shape();
        const auto& lens = in[1].get_shape().lens();
        const auto at = static_cast<std::size_t>(axis);
        const auto indices = load<int64_t>(in[1]);
        const auto size = data.type_size();
        const auto& target = out.get_shape();
        std::vector<std::size_t> index(lens.size(), 0);
        for (std::size_t i = 0; i < indices.size(); ++i) {
            auto from = index;
            from[at] = position_of(indices[i], data.lens()[at]);
            std::memcpy(out.data() + target.index(index) * size,
                        in[0].data() + data.index(from) * size, size);
            next_index(index, lens);
        }
    }
};

const registered_op<gather_elements_op> gather_elements_registered;

} // namespace

} // namespace migraphx
