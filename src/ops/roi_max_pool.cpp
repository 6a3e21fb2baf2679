// SPDX-License-Identifier: MIT
// roi_max_pool(x (N, C, H, W), rois (n, 5)): every region (batch index, x1, y1, x2, y2) is divided
// in pooled_height x pooled_width bins of whole elements; a bin is their maximum, 0 when it has
// none.
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/shape_input.hpp"
#include "ops/tensor.hpp"

#include "base/parallel.hpp"
#include "ir/shape_rules.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace migraphx {

namespace {

// The elements of a bin along one dimension: [first, last).
struct roi_bin {
    std::size_t first = 0, last = 0;
};

std::vector<roi_bin> roi_bins(double from, double to, std::size_t count, std::size_t length) {
    const double start = std::round(from), size = std::max(std::round(to) - start + 1, 1.0);
    const double step = size / static_cast<double>(count);
    const auto clipped = [&](double v) {
        return static_cast<std::size_t>(std::clamp(v, 0.0, static_cast<double>(length)));
    };
    std::vector<roi_bin> result;
    for (std::size_t i = 0; i < count; ++i)
        result.push_back({clipped(start + std::floor(static_cast<double>(i) * step)),
                          clipped(start + std::ceil(static_cast<double>(i + 1) * step))});
    return result;
}

struct roi_max_pool_op {
    int64_t pooled_height = 1;
    int64_t pooled_width = 1;
    float spatial_scale = 1.0f;

    static constexpr auto name = "roi_max_pool";
    static constexpr auto summary = "Maxima of the bins of regions of an image";
    static void fields(field_list<roi_max_pool_op>& f) {
        f.add("pooled_height", &roi_max_pool_op::pooled_height, "bins along H");
        f.add("pooled_width", &roi_max_pool_op::pooled_width, "bins along W");
        f.add("spatial_scale", &roi_max_pool_op::spatial_scale,
              "from the regions' unit to elements of x");
    }

    shape infer(const std::vector<shape>& in) const {
        expect(in).count(2).floating().same_type();
        expect(in).only(0, 1).rank(4);
        expect(in).only(1, 2).rank(2);
        const auto x = dims_of(in[0]), rois = dims_of(in[1]);
        if (rois[1].is_fixed() and rois[1].get_interval().min != 5)
            fail_shape(str("5 numbers for each region were expected, got ", rois[1]));
        constexpr auto most = int64_t{1} << 20;
        if (pooled_height < 1 or pooled_width < 1 or pooled_height > most or pooled_width > most)
            fail_shape(str("pooled sizes of 1 or more were expected, got ", pooled_height, " and ",
                           pooled_width));
        const auto h = static_cast<std::size_t>(pooled_height);
        const auto w = static_cast<std::size_t>(pooled_width);
        if (not in[0].dynamic() and not in[1].dynamic())
            return {in[0].type(), {in[1].lens()[0], in[0].lens()[1], h, w}};
        const std::vector<shape::dynamic_dimension> dims{rois[0], x[1], {h, h}, {w, w}};
        const auto kinds = align_kinds(in);
        return dynamic_shape(kinds[0], in[0].type(), dims);
    }
    void compute(const argument& out, const std::vector<argument>& in) const {
        const numbers<double> x(in[0]), rois(in[1]);
        const auto& lens = out.get_shape().lens();
        const auto channels = lens[1], size = lens[2] * lens[3];
        if (rois.lens[1] != 5)
            fail_shape(str("5 numbers for each region were expected, got ", rois.lens[1]));
        const auto one = [&](std::size_t r) {
            const double* roi = rois.data.data() + 5 * r;
            if (not(roi[0] >= 0 and roi[0] < static_cast<double>(x.lens[0])))
                fail_shape(str("a batch index below ", x.lens[0], " was expected, got ", roi[0]));
            for (std::size_t i = 1; i < 5; ++i)
                if (not std::isfinite(roi[i]))
                    fail_shape(str("coordinates that are finite were expected, got ", roi[i]));
            const double scale = static_cast<double>(spatial_scale);
            const auto columns = roi_bins(roi[1] * scale, roi[3] * scale, lens[3], x.lens[3]);
            const auto rows = roi_bins(roi[2] * scale, roi[4] * scale, lens[2], x.lens[2]);
            std::vector<double> y(size);
            for (std::size_t c = 0; c < channels; ++c) {
                const auto plane = static_cast<std::size_t>(roi[0]) * channels + c;
                const double* image = x.data.data() + plane * x.lens[2] * x.lens[3];
                for (std::size_t i = 0; i < size; ++i)
                    y[i] = maximum(image, x.lens[3], rows[i / lens[3]], columns[i % lens[3]]);
                store(out, (r * channels + c) * size, size, y.data());
            }
        };
        parallel_for(static_cast<int64_t>(lens[0]), 1, [&](int64_t begin, int64_t end) {
            for (auto r = begin; r < end; ++r)
                one(static_cast<std::size_t>(r));
        });
    }

private:
    static double maximum(const double* image, std::size_t width, roi_bin rows, roi_bin columns) {
        if (rows.first >= rows.last or columns.first >= columns.last)
            return 0;
        double top = -std::numeric_limits<double>::infinity();
        for (auto i = rows.first; i < rows.last; ++i)
            for (auto j = columns.first; j < columns.last; ++j)
                top = std::max(top, image[i * width + j]);
        return top;
    }
};

const registered_op<roi_max_pool_op> roi_max_pool_registered;

} // namespace

} // namespace migraphx
