// SPDX-License-Identifier: MIT
#include "targets/cpu/kernels/dispatch/run_split_product.hpp"

#include "base/parallel.hpp"
#include "targets/cpu/kernels/dispatch/run_copy.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace migraphx::cpu {

namespace {

constexpr int64_t panel = amx_kernels::tile_rows;

int64_t ceil_div(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

int64_t round_up(int64_t a, int64_t b) {
    return ceil_div(a, b) * b;
}

// A window of one position: rows of A are pixels, wherever they lie.
void lay_out_pixels(split_schedule& s) {
    auto& c = s.given;
    auto& l = s.lines;
    auto& q = s.product;
    l.x_line = c.x_row * c.stride_y;
    l.x_pixel = c.x_column * c.stride_x;
    l.lines = l.all_lines = c.out_height;
    l.width = l.all_width = c.out_width;
    // Rows a multiple of a page apart would meet in the same sets of the cache.
    l.pixel = round_up(c.channels, amx_kernels::step);
    if (l.pixel % 512 == 0)
        l.pixel += amx_kernels::step;
    if (c.merge_images and c.x_image == c.out_height * l.x_line) {
        l.lines = l.all_lines = c.images * c.out_height;
        s.images = 1;
    }
    if (l.x_line == l.width * l.x_pixel) { // as one line for each pixel, which divides well
        l.lines *= l.width;
        l.all_lines = l.lines;
        l.width = l.all_width = 1;
        l.x_line = l.x_pixel;
    }
    l.phases = 1;
    l.line = l.all_width * l.pixel;
    l.phase = 0;
    l.part = l.all_lines * l.line;
    q.row = l.pixel;
    s.segments = {0};
    q.depth = c.channels;
    q.rows = q.line = q.kept = l.lines * l.width;
}

void lay_out_windows(split_schedule& s) {
    auto& c = s.given;
    auto& l = s.lines;
    auto& q = s.product;
    l.x_line = c.x_row;
    l.x_pixel = c.x_column;
    l.lines = c.height;
    l.width = c.width;
    l.before = c.top;
    l.left = c.left;
    l.pixel = c.channels;
    l.phases = c.stride_y;
    const int64_t last_line = (c.out_height - 1) * c.stride_y + (c.kernel_height - 1) * c.dilation_y;
    const int64_t last_pixel = (c.out_width - 1) * c.stride_x + (c.kernel_width - 1) * c.dilation_x;
    l.all_lines = round_up(std::max(c.top + c.height, last_line + 1), l.phases);
    l.all_width = round_up(std::max(c.left + c.width, last_pixel + 1), c.stride_x);
    l.line = l.all_width * l.pixel;
    l.phase = l.all_lines / l.phases * l.line;
    l.part = l.phases * l.phase;
    q.row = c.stride_x * l.pixel;
    q.line = l.all_width / c.stride_x;
    q.kept = c.out_width;
    q.rows = (c.out_height - 1) * q.line + c.out_width;
    // Neighbouring pixels of a window's row are one segment.
    const bool dense = c.dilation_x == 1;
    q.depth = dense ? c.kernel_width * c.channels : c.channels;
    for (int64_t y = 0; y < c.kernel_height; ++y) {
        const int64_t line = y * c.dilation_y;
        const int64_t at = line % l.phases * l.phase + line / l.phases * l.line;
        for (int64_t x = 0; x < (dense ? 1 : c.kernel_width); ++x)
            s.segments.push_back(at + x * c.dilation_x * l.pixel);
    }
}

// Threads share rows or panels, whichever leaves the least to the busiest. Each cuts its panels for
// itself, at the price of about a tile of rows.
void share(split_schedule& s, int threads) {
    const auto& q = s.product;
    const int64_t tiles = ceil_div(q.rows, panel), panels = ceil_div(q.columns, panel);
    double best = 0;
    for (int rows = 1; rows <= threads; ++rows) {
        const int columns = threads / rows;
        if (rows > tiles or columns > panels)
            continue;
        const double cost = double(ceil_div(panels, columns)) *
                            (double(ceil_div(tiles, rows)) + 0.8);
        if (best == 0 or cost < best) {
            best = cost;
            s.row_parts = rows;
            s.panel_parts = columns;
        }
    }
}

struct image_run {
    const split_schedule& s;
    const float* x;
    const float* panels;
    float* y;
    const row_epilogue& epilogue;
    const amx_kernels& k;

    split_product_params product(int64_t image) const {
        auto q = s.product;
        q.segments = s.segments.data();
        q.panels = panels;
        q.y = y + image * s.given.out_height * s.given.out_width * s.given.y_position;
        q.image = image;
        q.epilogue = epilogue;
        return q;
    }
};

// Sums in the usual way, for what has no parts: infinities and NaN. `image` may be all, merged.
void sum_plainly(const image_run& r, int64_t image) {
    const auto& c = r.s.given;
    const auto q = r.product(image);
    const int64_t depth = c.kernel_height * c.kernel_width * c.channels;
    const int64_t positions = c.out_height * c.out_width;
    const int64_t rows = r.s.images == 1 ? c.images * positions : positions;
    parallel_for(rows, 64, [&](int64_t begin, int64_t end) {
        alignas(64) float sums[panel];
        for (int64_t row = begin; row < end; ++row) {
            const float* pixels = r.x + (image + row / positions) * c.x_image;
            const int64_t at = row % positions;
            const int64_t top = at / c.out_width * c.stride_y - c.top;
            const int64_t left = at % c.out_width * c.stride_x - c.left;
            for (int64_t n = 0; n * panel < c.outputs; ++n) {
                std::fill_n(sums, panel, 0.0f);
                const float* w = r.panels + n * panel * depth;
                for (int64_t ky = 0; ky < c.kernel_height; ++ky)
                    for (int64_t kx = 0; kx < c.kernel_width; ++kx, w += c.channels * panel) {
                        const int64_t line = top + ky * c.dilation_y;
                        const int64_t column = left + kx * c.dilation_x;
                        if (line < 0 or column < 0 or line >= c.height or column >= c.width)
                            continue;
                        const float* pixel = pixels + line * c.x_row + column * c.x_column;
                        for (int64_t i = 0; i < c.channels; ++i)
                            for (int64_t j = 0; j < panel; ++j)
                                sums[j] += pixel[i * c.x_channel] * w[i * panel + j];
                    }
                r.k.finish(q, sums, row, n);
            }
        }
    });
}

// Cuts the image; false when it is not finite.
bool cut_image(const image_run& r, int64_t image, uint16_t* to) {
    auto lines = r.s.lines;
    lines.x = r.x + image * r.s.given.x_image;
    lines.a = to;
    std::memset(to + 3 * lines.part, 0, amx_kernels::slack * sizeof(uint16_t));
    std::atomic<bool> finite{true};
    const int64_t line = lines.all_width * lines.pixel;
    parallel_for(lines.all_lines, 1 + 16384 / line, [&](int64_t begin, int64_t end) {
        if (not r.k.split(lines, begin, end))
            finite = false;
    });
    return finite;
}

void run_image(const image_run& r, int64_t image, char* scratch) {
    const auto& s = r.s;
    auto* parts = reinterpret_cast<uint16_t*>(scratch);
    if (not cut_image(r, image, parts))
        return sum_plainly(r, image);
    auto q = r.product(image);
    q.a = parts;
    const int64_t tiles = ceil_div(q.rows, panel), panels = ceil_div(q.columns, panel);
    const int64_t row_share = ceil_div(tiles, s.row_parts) * panel;
    const int64_t panel_share = ceil_div(panels, s.panel_parts);
    parallel_for(s.row_parts * s.panel_parts, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            const int64_t row = i / s.panel_parts * row_share;
            const int64_t first = i % s.panel_parts * panel_share;
            char* mine = scratch + s.split_bytes + std::size_t(i) * s.product_bytes;
            if (row < q.rows and first < panels)
                r.k.multiply(q, row, std::min(q.rows, row + row_share), first,
                             std::min(panels, first + panel_share),
                             reinterpret_cast<float*>(mine));
        }
    });
}

} // namespace

std::size_t split_schedule::scratch_bytes() const {
    return std::size_t(image_parts) *
           (split_bytes + std::size_t(row_parts * panel_parts) * product_bytes);
}

split_schedule schedule_split(const split_convolution& c, int threads, const amx_kernels& k) {
    split_schedule s{};
    s.given = c;
    s.images = c.images;
    s.lines.x_channel = c.x_channel;
    s.lines.channels = c.channels;
    if (c.kernel_height == 1 and c.kernel_width == 1 and c.top == 0 and c.left == 0 and
        (c.out_height - 1) * c.stride_y < c.height and (c.out_width - 1) * c.stride_x < c.width)
        lay_out_pixels(s);
    else
        lay_out_windows(s);
    auto& q = s.product;
    q.part = s.lines.part;
    q.segment_count = int64_t(s.segments.size());
    q.columns = c.outputs;
    q.y_row = c.y_position;
    s.image_parts = s.row_parts = s.panel_parts = 1;
    if (s.images >= threads)
        s.image_parts = int(std::min<int64_t>(s.images, std::max(1, threads)));
    else
        share(s, std::max(1, threads));
    // Tiles of rows reach beyond the last row, and steps beyond the last segment.
    const int64_t beyond = panel * q.row + round_up(q.depth, amx_kernels::step) + amx_kernels::slack;
    s.split_bytes = std::size_t(round_up((3 * q.part + beyond) * int64_t(sizeof(uint16_t)), 4096));
    const int64_t rows = ceil_div(ceil_div(q.rows, panel), s.row_parts) * panel;
    const int64_t panels = ceil_div(ceil_div(q.columns, panel), s.panel_parts);
    s.product_bytes =
        std::size_t(round_up(k.scratch(q, rows, panels) * int64_t(sizeof(float)), 4096));
    return s;
}

std::size_t split_panel_floats(const split_convolution& c) {
    return std::size_t(ceil_div(c.outputs, panel) * panel * c.kernel_height * c.kernel_width *
                       c.channels);
}

bool pack_split(const split_convolution& c, const split_weights& w, float* panels,
                const kernel_table& table) {
    const int64_t depth = c.kernel_height * c.kernel_width * c.channels;
    const int64_t whole = c.outputs / panel, left = c.outputs % panel;
    // Panels, rows and columns of the window, channels, columns of a panel.
    const auto copy = [&](int64_t first, int64_t count, int64_t columns) {
        const int64_t lens[] = {count, c.kernel_height, c.kernel_width, c.channels, columns};
        const int64_t from[] = {panel * w.output, w.row, w.column, w.channel, w.output};
        const int64_t to[] = {depth * panel, c.kernel_width * c.channels * panel,
                              c.channels * panel, panel, 1};
        run_copy(int(sizeof(float)), 5, lens, w.data + first * panel * w.output, from,
                 panels + first * depth * panel, to, table);
    };
    if (left > 0) {
        std::memset(panels + whole * depth * panel, 0, std::size_t(depth * panel) * sizeof(float));
        copy(whole, 1, left);
    }
    if (whole > 0)
        copy(0, whole, panel);
    std::atomic<bool> finite{true};
    parallel_for(int64_t(split_panel_floats(c)), 1 << 16, [&](int64_t begin, int64_t end) {
        if (not table.amx.finite(panels + begin, end - begin))
            finite = false;
    });
    return finite;
}

void run_split(const split_schedule& s, const float* x, const float* panels, float* y,
               const row_epilogue& epilogue, char* scratch, const amx_kernels& k) {
    const image_run r{s, x, panels, y, epilogue, k};
    if (s.image_parts == 1) {
        for (int64_t image = 0; image < s.images; ++image)
            run_image(r, image, scratch);
        return;
    }
    const int64_t share = ceil_div(s.images, s.image_parts);
    parallel_for(s.image_parts, 1, [&](int64_t begin, int64_t end) {
        for (int64_t part = begin; part < end; ++part) {
            char* mine = scratch + std::size_t(part) * (s.split_bytes + s.product_bytes);
            for (int64_t i = part * share; i < std::min(s.images, (part + 1) * share); ++i)
                run_image(r, i, mine);
        }
    });
}

} // namespace migraphx::cpu
