// SPDX-License-Identifier: MIT
#include "targets/cpu/kernels/dispatch/run_split_product.hpp"

#include "base/parallel.hpp"
#include "base/rounding.hpp"
#include "targets/cpu/kernels/dispatch/run_copy.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace migraphx::cpu {

namespace {

constexpr int64_t panel = amx_kernels::tile_rows;

// A window of one position: rows of A are pixels, wherever they lie.
void lay_out_pixels(split_schedule& s) {
    auto& c = s.given;
    auto& l = s.lines;
    l.x_line = c.x_row * c.stride_y;
    l.x_pixel = c.x_column * c.stride_x;
    l.lines = c.out_height;
    l.width = l.all_width = c.out_width;
    // Rows a multiple of a page apart would meet in the same sets of the cache.
    l.pixel = round_up(c.channels, amx_kernels::step);
    if (l.pixel % 512 == 0)
        l.pixel += amx_kernels::step;
    if (c.merge_images and c.x_image == c.out_height * l.x_line) {
        l.lines *= c.images;
        s.images = 1;
    }
    if (l.x_line == l.width * l.x_pixel) { // as lines of one pixel, which divide well
        l.lines *= l.width;
        l.width = l.all_width = 1;
        l.x_line = l.x_pixel;
    }
    l.phases = 1;
    l.line = l.all_width * l.pixel;
    s.all_lines = l.lines;
    s.line_rows = s.line_pitch = l.width;
    s.line_step = s.window_lines = 1;
    auto& q = s.product;
    q.row = l.pixel;
    q.depth = c.channels;
    q.segment_count = 1;
}

void lay_out_windows(split_schedule& s) {
    auto& c = s.given;
    auto& l = s.lines;
    l.x_line = c.x_row;
    l.x_pixel = c.x_column;
    l.lines = c.height;
    l.width = c.width;
    l.before = c.top;
    l.left = c.left;
    l.pixel = c.channels;
    l.phases = c.stride_y;
    const int64_t last_pixel = (c.out_width - 1) * c.stride_x + (c.kernel_width - 1) * c.dilation_x;
    l.all_width = round_up(std::max(c.left + c.width, last_pixel + 1), c.stride_x);
    l.line = l.all_width * l.pixel;
    s.all_lines = c.out_height;
    s.line_rows = c.out_width;
    s.line_pitch = l.all_width / c.stride_x;
    s.line_step = c.stride_y;
    s.window_lines = (c.kernel_height - 1) * c.dilation_y + 1;
    auto& q = s.product;
    q.row = c.stride_x * l.pixel;
    // Neighbouring pixels of a window's row are one segment.
    const bool dense = c.dilation_x == 1;
    q.depth = dense ? c.kernel_width * c.channels : c.channels;
    q.segment_count = c.kernel_height * (dense ? 1 : c.kernel_width);
}

// Lines of x that so many of the result read, with those that fill the phases.
int64_t lines_for(const split_schedule& s, int64_t lines) {
    return round_up((lines - 1) * s.line_step + s.window_lines, s.lines.phases);
}

// Rows of A for so many lines of the result.
int64_t rows_for(const split_schedule& s, int64_t lines) {
    return (lines - 1) * s.line_pitch + s.line_rows;
}

// Strips whose parts stay in the second-level cache, the same number for each thread; as long as
// they are tall enough to pay for cutting all panels.
void cut_in_strips(split_schedule& s, int threads) {
    constexpr int64_t most_bytes = 768 << 10, least_rows = 192;
    const int64_t all = s.all_lines;
    const int64_t line_bytes = 3 * 2 * s.lines.line * s.line_step;
    const int64_t line_rows = s.line_pitch;
    s.strips = std::clamp(all * line_rows / least_rows, int64_t{1},
                          ceil_div(all * line_bytes, most_bytes));
    // The same number for each thread: a few more, or a few less where they would be too short.
    const auto tall = [&](int64_t strips) { return all * line_rows / strips >= least_rows; };
    bool for_threads = s.images >= threads;
    if (s.images == 1) {
        const int64_t more = round_up(s.strips, threads);
        const int64_t fewer = std::max<int64_t>(threads, s.strips / threads * threads);
        for_threads = tall(more) or tall(fewer);
        if (for_threads)
            s.strips = std::min(tall(more) ? more : fewer, all);
    }
    s.strip_lines = ceil_div(all, s.strips);
    s.strips = ceil_div(all, s.strip_lines);
    s.threads = for_threads ? int(std::min<int64_t>(threads, s.strips * s.images)) : 1;
}

void place_parts(split_schedule& s) {
    const auto& c = s.given;
    auto& l = s.lines;
    auto& q = s.product;
    l.all_lines = lines_for(s, s.strip_lines);
    l.phase = l.all_lines / l.phases * l.line;
    l.part = q.part = l.phases * l.phase;
    q.rows = rows_for(s, s.strip_lines);
    const bool gaps = s.line_pitch != s.line_rows;
    q.line = gaps ? s.line_pitch : q.rows; // a run of rows for the epilogue
    q.kept = gaps ? s.line_rows : q.rows;
    const int64_t beside = q.segment_count == 1 ? 1 : q.segment_count / c.kernel_height;
    for (int64_t i = 0; i < q.segment_count; ++i) {
        const int64_t line = i / beside * c.dilation_y;
        s.segments.push_back(line % l.phases * l.phase + line / l.phases * l.line +
                             i % beside * c.dilation_x * l.pixel);
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
        const double cost =
            double(ceil_div(panels, columns)) * (double(ceil_div(tiles, rows)) + 0.8);
        if (best == 0 or cost < best) {
            best = cost;
            s.row_parts = rows;
            s.panel_parts = columns;
        }
    }
}

struct split_run {
    const split_schedule& s;
    const float* x;
    const float* panels;
    float* y;
    const row_epilogue& epilogue;
    const amx_kernels& k;
};

// A strip of an image; with merged images it may lie in several.
struct strip_place {
    int64_t image, line, lines; ///< of the result
};

strip_place place_of(const split_schedule& s, int64_t unit) {
    const int64_t line = unit % s.strips * s.strip_lines;
    return {unit / s.strips, line, std::min(s.strip_lines, s.all_lines - line)};
}

split_product_params product_of(const split_run& r, const strip_place& at) {
    auto q = r.s.product;
    q.segments = r.s.segments.data();
    q.panels = r.panels;
    q.rows = rows_for(r.s, at.lines);
    q.image = at.image;
    q.first = at.line * r.s.line_rows;
    q.y = r.y + at.image * r.s.all_lines * r.s.line_rows * q.y_row;
    q.epilogue = r.epilogue;
    return q;
}

// Sums in the usual way, for what has no parts: infinities and NaN.
void sum_plainly(const split_run& r, const strip_place& at) {
    const auto& c = r.s.given;
    const auto q = product_of(r, at);
    const int64_t depth = c.kernel_height * c.kernel_width * c.channels;
    const int64_t positions = c.out_height * c.out_width;
    parallel_for(at.lines * r.s.line_rows, 64, [&](int64_t begin, int64_t end) {
        alignas(64) float sums[panel];
        for (int64_t row = begin; row < end; ++row) {
            const int64_t all = at.image * positions + q.first + row; // of all images
            const float* pixels = r.x + all / positions * c.x_image;
            const int64_t place = all % positions;
            const int64_t top = place / c.out_width * c.stride_y - c.top;
            const int64_t left = place % c.out_width * c.stride_x - c.left;
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

// Cuts what the strip reads; false when it is not finite.
bool cut_strip(const split_run& r, const strip_place& at, uint16_t* to) {
    auto lines = r.s.lines;
    lines.x = r.x + at.image * r.s.given.x_image;
    lines.a = to;
    lines.first = at.line * r.s.line_step;
    std::memset(to + 3 * lines.part, 0, amx_kernels::slack * sizeof(uint16_t));
    std::atomic<bool> finite{true};
    const int64_t line = lines.all_width * lines.pixel;
    // All, even where the last strip needs fewer: steps read beyond their windows.
    parallel_for(lines.all_lines, 1 + 16384 / line, [&](int64_t begin, int64_t end) {
        if (not r.k.split(lines, begin, end))
            finite = false;
    });
    return finite;
}

void run_strip(const split_run& r, int64_t unit, char* scratch) {
    const auto& s = r.s;
    const auto at = place_of(s, unit);
    auto* parts = reinterpret_cast<uint16_t*>(scratch);
    if (not cut_strip(r, at, parts))
        return sum_plainly(r, at);
    auto q = product_of(r, at);
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
                             std::min(panels, first + panel_share), reinterpret_cast<float*>(mine));
        }
    });
}

} // namespace

std::size_t split_schedule::scratch_bytes() const {
    return std::size_t(threads) *
           (split_bytes + std::size_t(row_parts * panel_parts) * product_bytes);
}

split_schedule schedule_split(const split_convolution& c, int threads, const amx_kernels& k) {
    split_schedule s{};
    s.given = c;
    s.images = c.images;
    s.lines.x_channel = c.x_channel;
    s.lines.channels = c.channels;
    const bool pixels = c.kernel_height == 1 and c.kernel_width == 1 and c.top == 0 and
                        c.left == 0 and (c.out_height - 1) * c.stride_y < c.height and
                        (c.out_width - 1) * c.stride_x < c.width;
    if (pixels)
        lay_out_pixels(s);
    else
        lay_out_windows(s);
    auto& q = s.product;
    q.columns = c.outputs;
    q.y_row = c.y_position;
    cut_in_strips(s, std::max(1, threads));
    place_parts(s);
    s.row_parts = s.panel_parts = 1;
    if (s.threads == 1)
        share(s, std::max(1, threads));
    // Tiles of rows reach beyond the last row, and steps beyond the last segment.
    const int64_t beyond =
        panel * q.row + round_up(q.depth, amx_kernels::step) + amx_kernels::slack;
    s.split_bytes = std::size_t(round_up((3 * q.part + beyond) * int64_t(sizeof(uint16_t)), 4096));
    const int64_t rows = ceil_div(ceil_div(q.rows, panel), s.row_parts) * panel;
    const int64_t panels = ceil_div(ceil_div(q.columns, panel), s.panel_parts);
    s.product_bytes = std::size_t(round_up(k.plan(q, rows, panels) * int64_t(sizeof(float)), 4096));
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
    const split_run r{s, x, panels, y, epilogue, k};
    const int64_t units = s.images * s.strips;
    if (s.threads == 1) {
        for (int64_t i = 0; i < units; ++i)
            run_strip(r, i, scratch);
        return;
    }
    const int64_t share = ceil_div(units, s.threads);
    parallel_for(s.threads, 1, [&](int64_t begin, int64_t end) {
        for (int64_t part = begin; part < end; ++part) {
            char* mine = scratch + std::size_t(part) * (s.split_bytes + s.product_bytes);
            for (int64_t i = part * share; i < std::min(units, (part + 1) * share); ++i)
                run_strip(r, i, mine);
        }
    });
}

} // namespace migraphx::cpu
