// SPDX-License-Identifier: MIT
// tile_dynamic: x repeated along each dimension, as often as known at run time.
#include "ops/copy.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"

namespace migraphx {

namespace {

struct tile_dynamic_op {
    static constexpr auto name = "tile_dynamic";
    static constexpr auto summary = "tile(x, repeats) with run-time repeats";

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).tensor();
        const auto n = shape_input_size(in[1], "repeats");
        if (n != in[0].ndim() and not(n == 0 and in[0].ndim() == 1))
            fail_shape(
                str("a repeat for each of ", in[0].ndim(), " dimensions was expected, got ", n));
        return n == 0 ? in[0].as_standard() : shape{in[0].type(), unknown_dims(n)};
    }
    static std::vector<std::size_t> shape_inputs() { return {1}; }
    shape resolve(const std::vector<argument>& in) const {
        auto lens = in[0].get_shape().lens();
        const auto repeats = read_sizes(in[1], "repeats");
        for (std::size_t d = 0; d < repeats.size(); ++d)
            lens[d] = checked_elements({lens[d], repeats[d]});
        return {in[0].get_shape().type(), lens};
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto& lens = in[0].get_shape().lens();
        auto from = same_positions(out.get_shape().lens());
        for (std::size_t d = 0; d < lens.size(); ++d)
            for (auto& p : from[d])
                p %= static_cast<int64_t>(lens[d]);
        copy_by_axis(out, in[0], from);
    }
};

const registered_op<tile_dynamic_op> tile_dynamic_registered;

} // namespace

} // namespace migraphx
