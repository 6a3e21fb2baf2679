// SPDX-License-Identifier: MIT
// col2im(x (N, C * taps, positions)[, image, block]): the sum of blocks that slide over an image,
// its spatial dimensions `image` and those of a block `block`; what falls in the padding is
// dropped.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"
#include "ops/window.hpp"

#include "base/parallel.hpp"
#include "ir/shape_rules.hpp"

#include <algorithm>

namespace migraphx {

namespace {

struct col2im_op {
    std::vector<std::size_t> image;
    std::vector<std::size_t> block;
    std::vector<std::size_t> padding;
    std::vector<std::size_t> stride;
    std::vector<std::size_t> dilation;

    static constexpr auto name = "col2im";
    static constexpr auto summary = "An image as the sum of sliding blocks";
    static void fields(field_list<col2im_op>& f) {
        f.add("image", &col2im_op::image,
              "spatial dimensions, unless inputs give them and `block`");
        f.add("block", &col2im_op::block, "taps of a block, per spatial dimension");
        f.add("padding", &col2im_op::padding,
              "elements around the image: begins, then ends; none: 0");
        f.add("stride", &col2im_op::stride, "step between blocks; none: 1");
        f.add("dilation", &col2im_op::dilation, "step between taps; none: 1");
    }
    static std::vector<std::size_t> shape_inputs() { return {1, 2}; }

    struct geometry {
        std::vector<std::size_t> image, kernel, places;
        std::vector<window> windows;
        std::size_t taps = 1, positions = 1;
    };
    geometry geometry_of(const std::vector<std::size_t>& image_lens,
                         const std::vector<std::size_t>& block_lens) const {
        const auto spatial = image_lens.size();
        if (spatial == 0 or block_lens.size() != spatial)
            fail_shape(str("as many block as image dimensions were expected, got ",
                           block_lens.size(), " and ", spatial));
        const auto filled = [&](const std::vector<std::size_t>& v, std::size_t n, std::size_t one) {
            return v.empty() ? std::vector<std::size_t>(n, one) : v;
        };
        geometry g;
        g.image = image_lens;
        g.kernel = block_lens;
        g.windows =
            make_windows(block_lens, filled(padding, spatial, 0), filled(stride, spatial, 1),
                         filled(dilation, spatial, 1), op::default_, "block");
        for (std::size_t d = 0; d < spatial; ++d)
            g.places.push_back(g.windows[d].positions(g.image[d]));
        g.taps = checked_elements(g.kernel);
        g.positions = checked_elements(g.places);
        checked_elements(g.image);
        return g;
    }
    // Dimensions of the result for the first input (static).
    std::vector<std::size_t> result_lens(const shape& x, const geometry& g) const {
        const auto& lens = x.lens();
        if (lens[1] % g.taps != 0)
            fail_shape(str("channels times ", g.taps, " taps were expected, got ", lens[1]));
        if (lens[2] != g.positions)
            fail_shape(str(g.positions, " blocks were expected, got ", lens[2]));
        std::vector<std::size_t> result{lens[0], lens[1] / g.taps};
        result.insert(result.end(), g.image.begin(), g.image.end());
        checked_elements(result);
        return result;
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count({1, 3}).tensor();
        expect(in).only(0, 1).rank(3);
        const auto t = in[0].type();
        auto dims = dims_of(in[0]);
        const auto batch = dims[0];
        if (in.size() == 3) {
            const auto spatial = shape_input_size(in[1], "image");
            shape_input_size(in[2], "block");
            dims.assign(spatial + 2, {0, unlimited_size});
            dims[0] = batch;
            return {t, dims};
        }
        const auto g = geometry_of(image, block);
        if (not in[0].dynamic())
            return {t, result_lens(in[0], g)};
        dims[1] = dims[1] / g.taps;
        dims.resize(2);
        for (auto n : g.image)
            dims.emplace_back(n, n);
        return dynamic_shape(in[0], t, dims);
    }
    geometry geometry_of(const std::vector<argument>& in) const {
        return in.size() == 3 ? geometry_of(read_sizes(in[1], "image"), read_sizes(in[2], "block"))
                              : geometry_of(image, block);
    }
    shape resolve(const std::vector<argument>& in) const {
        return {in[0].get_shape().type(), result_lens(in[0].get_shape(), geometry_of(in))};
    }

    void compute(const argument& out, const std::vector<argument>& in) const {
        const auto g = geometry_of(in);
        const auto& lens = out.get_shape().lens();
        const auto size = checked_elements(g.image);
        if (out.get_shape().elements() == 0)
            return;
        with_number(out.get_shape().type(), [&](auto tag) {
            using number = decltype(tag);
            // Sums of integers wrap round.
            using sum = std::conditional_t<std::is_same_v<number, int64_t>, uint64_t, number>;
            const auto one = [&](std::size_t plane) {
                std::vector<number> columns(g.taps * g.positions), result(size);
                std::vector<sum> total(size);
                load(in[0], plane * columns.size(), columns.size(), columns.data());
                add_blocks(g, columns, total);
                for (std::size_t i = 0; i < size; ++i)
                    result[i] = static_cast<number>(total[i]);
                store(out, plane * size, size, result.data());
            };
            parallel_for(static_cast<int64_t>(lens[0] * lens[1]), 1,
                         [&](int64_t begin, int64_t end) {
                             for (auto i = begin; i < end; ++i)
                                 one(static_cast<std::size_t>(i));
                         });
        });
    }

private:
    // Row by row: along the last dimension, the places whose tap lies in the image are a range.
    template <class T, class Sum>
    static void add_blocks(const geometry& g, const std::vector<T>& columns,
                           std::vector<Sum>& total) {
        const auto outer = g.image.size() - 1;
        const auto& w = g.windows[outer];
        const auto length = g.image[outer], count = g.places[outer];
        const std::vector<std::size_t> rows(g.places.begin(), g.places.end() - 1);
        std::vector<std::size_t> tap(outer + 1, 0), row(outer);
        if (g.positions == 0)
            return;
        const T* from = columns.data();
        do {
            const auto shift = tap[outer] * w.dilation;
            const auto first = shift >= w.before ? 0 : (w.before - shift + w.stride - 1) / w.stride;
            const auto end = shift >= length + w.before
                                 ? 0
                                 : std::min(count, (length + w.before - shift - 1) / w.stride + 1);
            std::fill(row.begin(), row.end(), std::size_t{0});
            do {
                std::size_t at = 0;
                bool inside = true;
                for (std::size_t d = 0; d < outer and inside; ++d) {
                    const auto& v = g.windows[d];
                    const auto padded = row[d] * v.stride + tap[d] * v.dilation;
                    inside = padded >= v.before and padded - v.before < g.image[d];
                    at = at * g.image[d] + (padded - v.before);
                }
                if (inside) {
                    Sum* to = total.data() + at * length;
                    for (auto p = first; p < end; ++p)
                        to[p * w.stride + shift - w.before] += static_cast<Sum>(from[p]);
                }
                from += count;
            } while (next_index(row, rows));
        } while (next_index(tap, g.kernel));
    }
};

const registered_op<col2im_op> col2im_registered;

} // namespace

} // namespace migraphx
