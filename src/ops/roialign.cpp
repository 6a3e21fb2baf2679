// SPDX-License-Identifier: MIT
// roialign(x (N, C, H, W), rois (n, 4), batch index (n)): every region (x1, y1, x2, y2) is divided
// in output_height x output_width bins; a bin is the average (or the maximum) of samples
// interpolated between four neighbours.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <migraphx/op/common.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace migraphx {

namespace {

// A coordinate as two neighbours and the fraction between them; none when it is outside.
struct roi_neighbours {
    bool inside = false;
    std::size_t low = 0, high = 0;
    double fraction = 0;
};

roi_neighbours neighbours(double v, std::size_t length) {
    const auto size = static_cast<double>(length);
    if (not(v >= -1 and v <= size) or length == 0)
        return {};
    v = std::max(v, 0.0);
    const auto low = std::min(static_cast<std::size_t>(v), length - 1);
    const auto high = std::min(low + 1, length - 1);
    return {true, low, high, low == high ? 0 : v - static_cast<double>(low)};
}

struct roialign_op {
    std::string coordinate_transformation_mode = "half_pixel";
    op::pooling_mode mode = op::pooling_mode::average;
    int64_t output_height = 1;
    int64_t output_width = 1;
    int64_t sampling_ratio = 0;
    float spatial_scale = 1.0f;

    static constexpr auto name = "roialign";
    static constexpr auto summary = "Regions of an image resampled to one size";
    static void fields(field_list<roialign_op>& f) {
        f.add("coordinate_transformation_mode", &roialign_op::coordinate_transformation_mode,
              "half_pixel shifts the regions by half an element");
        f.choice("mode", &roialign_op::mode, "what is taken of the samples",
                 {"average", "max", "lpnorm"});
        f.add("output_height", &roialign_op::output_height, "bins along H");
        f.add("output_width", &roialign_op::output_width, "bins along W");
        f.add("sampling_ratio", &roialign_op::sampling_ratio,
              "samples of a bin along each dimension; 0: by the size of the region");
        f.add("spatial_scale", &roialign_op::spatial_scale,
              "from the regions' unit to elements of x");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(3).tensor();
        expect(in).only(0, 2).same_type().floating();
        expect(in).only(0, 1).rank(4);
        expect(in).only(1, 2).rank(2);
        expect(in).only(2, 3).rank(1).integral();
        const auto aligned = align_kinds(in);
        const auto regions = dims_of(aligned[1]), indices = dims_of(aligned[2]);
        if (not regions[1].intersection({4, 4}))
            fail_shape(str("4 coordinates for each region were expected, got ", regions[1]));
        const auto count = regions[0].intersection(indices[0]);
        if (not count)
            fail_shape(str("as many batch indices as regions were expected, got ", indices[0],
                           " and ", regions[0]));
        if (output_height < 1 or output_width < 1 or sampling_ratio < 0 or sampling_ratio > 65536)
            fail_shape("positive output sizes and a sampling ratio from 0 to 65536 were expected");
        const auto height = static_cast<std::size_t>(output_height);
        const auto width = static_cast<std::size_t>(output_width);
        if (not std::any_of(in.begin(), in.end(), [](const auto& s) { return s.dynamic(); }))
            return {in[0].type(), {in[1].lens()[0], in[0].lens()[1], height, width}};
        const auto channels = dims_of(aligned[0])[1];
        return dynamic_shape(aligned[0], in[0].type(),
                             {*count, channels, {height, height}, {width, width}});
    }

    // Positions of the samples of each bin along one dimension.
    std::vector<std::vector<double>> samples(double from, double to, int64_t bins) const {
        const bool half = coordinate_transformation_mode == "half_pixel";
        const double offset = half ? 0.5 : 0;
        const double scale = static_cast<double>(spatial_scale);
        const double start = from * scale - offset;
        double size = to * scale - offset - start;
        if (not half)
            size = std::max(size, 1.0);
        const double bin = size / static_cast<double>(bins);
        auto count = static_cast<double>(sampling_ratio);
        if (sampling_ratio == 0)
            count = std::isfinite(bin) ? std::clamp(std::ceil(bin), 1.0, 65536.0) : 1.0;
        std::vector<std::vector<double>> result(static_cast<std::size_t>(bins));
        for (std::size_t b = 0; b < result.size(); ++b)
            for (double i = 0; i < count; ++i)
                result[b].push_back(start + static_cast<double>(b) * bin + (i + 0.5) * bin / count);
        return result;
    }

    void compute(const argument& out, const std::vector<argument>& in) const {
        const numbers<double> x(in[0]), rois(in[1]);
        const auto batch = load<int64_t>(in[2]);
        const auto channels = x.lens[1], height = x.lens[2], width = x.lens[3];
        std::vector<double> y;
        const auto along = [](const std::vector<double>& positions, std::size_t length) {
            std::vector<roi_neighbours> result;
            for (auto v : positions)
                result.push_back(neighbours(v, length));
            return result;
        };
        for (std::size_t r = 0; r < batch.size(); ++r) {
            if (batch[r] < 0 or static_cast<std::size_t>(batch[r]) >= x.lens[0])
                fail_shape(str("a batch index below ", x.lens[0], " was expected, got ", batch[r]));
            std::vector<std::vector<roi_neighbours>> rows, columns;
            for (const auto& p : samples(rois[r * 4 + 1], rois[r * 4 + 3], output_height))
                rows.push_back(along(p, height));
            for (const auto& p : samples(rois[r * 4], rois[r * 4 + 2], output_width))
                columns.push_back(along(p, width));
            for (std::size_t c = 0; c < channels; ++c) {
                const double* image =
                    x.data.data() +
                    (static_cast<std::size_t>(batch[r]) * channels + c) * height * width;
                for (const auto& i : rows)
                    for (const auto& j : columns)
                        y.push_back(pooled(i, j, image, width));
            }
        }
        store(out, y);
    }
    // One bin: samples at all pairs of a row and a column.
    double pooled(const std::vector<roi_neighbours>& rows,
                  const std::vector<roi_neighbours>& columns, const double* image,
                  std::size_t width) const {
        double sum = 0, top = -std::numeric_limits<double>::infinity();
        for (const auto& i : rows)
            for (const auto& j : columns) {
                if (not i.inside or not j.inside) {
                    top = std::max(top, 0.0);
                    continue;
                }
                const double p = i.fraction, q = j.fraction;
                const double weights[] = {(1 - p) * (1 - q), (1 - p) * q, p * (1 - q), p * q};
                const double corners[] = {
                    image[i.low * width + j.low], image[i.low * width + j.high],
                    image[i.high * width + j.low], image[i.high * width + j.high]};
                for (std::size_t k = 0; k < 4; ++k) {
                    const double v = weights[k] == 0 ? 0 : weights[k] * corners[k];
                    sum += v;
                    top = std::max(top, v);
                }
            }
        return mode == op::pooling_mode::average
                   ? sum / static_cast<double>(rows.size() * columns.size())
                   : top;
    }
};

const registered_op<roialign_op> roialign_registered;

} // namespace

} // namespace migraphx
