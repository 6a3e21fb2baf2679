// SPDX-License-Identifier: MIT
// f32 products on matrix tiles of bf16 (Intel AMX). Each float is cut into three parts of 8
// significant bits, x = x1 + x2 + x3 exactly, and six of the nine products of parts are summed in
// f32; the other three are below 2^-21 of a product (Henry, Tang and Heinecke, "Leveraging the
// bfloat16 Artificial Intelligence Datatype For Higher-Precision Computations", 2019).
//
// Rows of A are windows of one memory: a matrix has one segment in a row, a convolution has one for
// each row of its window, whose pixels are neighbours. So consecutive rows overlap, and nothing is
// copied but the parts.
#pragma once

#include "targets/cpu/kernels/row_epilogue.hpp"

#include <cstdint>

namespace migraphx::cpu {

// Cuts lines of pixels into parts, with zeros around them. A matrix: one line of `width` 1 for each
// row.
struct split_lines {
    const float* x;
    int64_t x_line, x_pixel, x_channel; // steps in elements
    int64_t lines, width, channels;     // of x
    int64_t before, left;               // zero lines and pixels around it
    int64_t first;                      // of the lines with those, the first that is wanted
    int64_t all_lines, all_width;       // wanted
    int64_t pixel;                      // elements of a pixel in a part: channels, and zeros after them
    // Line i lies at (i % phases) * phase + (i / phases) * line, so that lines a stride apart are
    // neighbours.
    int64_t phases, phase, line;
    uint16_t* a;
    int64_t part; // between the parts, in elements
};

struct split_product_params {
    const uint16_t* a; // part p of element k of segment s of row r: a[p * part + segments[s] + r * row + k]
    int64_t part, row;
    const int64_t* segments;
    int64_t segment_count;
    int64_t depth; // elements of a segment
    // Columns in panels of 32: element k of segment s of panel n at
    // panels[((n * segment_count + s) * depth + k) * 32], filled up with zeros.
    const float* panels;
    int64_t columns;
    int64_t rows;       // of A
    // Rows that meet all panels before the next, and steps that are summed before the next panel;
    // `plan` sets them.
    int64_t block_rows, block_steps;
    int64_t line, kept; // row r counts when r % line < kept
    float* y;           // counting rows, one after another; columns are neighbours
    int64_t y_row;
    int64_t first; // of the rows of y and of the epilogue, the first that counts
    int64_t image; // for the epilogue
    row_epilogue epilogue;
};

struct amx_kernels {
    static constexpr int64_t tile_rows = 32; // of A, and columns of a panel
    static constexpr int64_t step = 32;      // elements of a segment that are multiplied at once
    static constexpr int64_t slack = 64;     // zeros after the last part, for reads beyond a segment

    // Units: lines wanted, `all_lines`. False when an element is infinite or NaN, whose
    // parts mean nothing.
    bool (*split)(const split_lines& p, int64_t begin, int64_t end);
    bool (*finite)(const float* x, int64_t n);
    // What `multiply` does with the 32 sums of a counting row and a panel.
    void (*finish)(const split_product_params& p, const float* sums, int64_t row, int64_t panel);
    // For at most so many rows and panels in a call of `multiply`; returns the elements of `scratch`
    // that it takes.
    int64_t (*plan)(split_product_params& p, int64_t rows, int64_t panels);
    // Rows [row_begin, row_end), the first a multiple of tile_rows, and panels.
    void (*multiply)(const split_product_params& p, int64_t row_begin, int64_t row_end,
                     int64_t panel_begin, int64_t panel_end, float* scratch);
};

} // namespace migraphx::cpu
