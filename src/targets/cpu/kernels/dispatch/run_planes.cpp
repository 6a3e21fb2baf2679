// SPDX-License-Identifier: MIT
#include "targets/cpu/kernels/dispatch/run_planes.hpp"

#include "base/parallel.hpp"

#include <algorithm>

namespace migraphx::cpu {

int64_t planes_scratch(const plane_params& p, int64_t threads) {
    return plane_scratch(p) * threads;
}

void run_planes(const plane_params& p, float* scratch, int64_t images, int64_t threads,
                const kernel_table& table) {
    constexpr double least = 200e3; // multiplications of a part
    const auto& w = p.windows;
    const int64_t rows = images * w.out_height;
    const double products = double(rows * w.out_width) * double(p.outputs) *
                            double(w.channels * p.kernel_h * w.kernel_w);
    const auto worth = int64_t(std::min(products / least, double(threads)));
    const int64_t parts =
        std::clamp<int64_t>(worth, 1, std::max<int64_t>(1, std::min(rows, threads)));
    parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
        for (auto i = begin; i < end; i++)
            for (int64_t from = rows * i / parts, until = rows * (i + 1) / parts; from < until;) {
                const auto image = from / w.out_height, first = image * w.out_height;
                const auto stop = std::min(until, first + w.out_height);
                table.planes.run(p, scratch + i * plane_scratch(p), image, from - first,
                                 stop - first);
                from = stop;
            }
    });
}

} // namespace migraphx::cpu
