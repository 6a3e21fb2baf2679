// SPDX-License-Identifier: MIT
#include "targets/gpu/lower/own_product.hpp"

#include "base/str.hpp"
#include "targets/gpu/generated.hpp"
#include "targets/gpu/lower/own_form.hpp"
#include "targets/gpu/lower/product.hpp"
#include "targets/gpu/lower/walk.hpp"

#include <algorithm>
#include <utility>

namespace migraphx::gpu {

lowered plain_product_kernel(const device_problem& p) {
    std::string reason;
    const auto f = own_form_of(p, reason);
    if (not f)
        return lowered::refuse(std::move(reason));
    const auto& w = f->what;
    const auto held = sum_type(*f);
    const auto units = int64_t(p.on->properties().multiprocessors);
    const bool large = held != "f64" and held != "u64" and
                       int64_t(blocks_of(w.m, 128)) * blocks_of(w.n, 128) * w.batches() >= units;
    const int side = large ? 128 : (w.m <= 16 ? 16 : 64);
    const int wide = large ? 128 : 64;
    if (blocks_of(w.m, side) > most_rows_of_blocks)
        return lowered::refuse("too many rows");
    generated g;
    g.name = str("plain_gemm ", held, f->finish.empty() ? "" : " fused");
    g.entry = "product";
    g.source = str(
        precision_text(p), "#include \"gemm_plain.cuh\"\n", tail_text(*f, p),
        product_entry(p, bounds_of(256), "", tail_of(*f),
                      str("plain_gemm<", held, ", ", device_type(w.a.type), ", ",
                          device_type(w.b.type), ", ", side, ", ", wide, ", 16>(a, b, p, t);")));
    g.launch.grid = {blocks_of(w.n, wide), blocks_of(w.m, side), batch_blocks(w)};
    g.launch.block = {256};
    g.params = bytes_of(gemm_params_of(w));
    return make_generated(p, std::move(g));
}

lowered thin_product(const device_problem& p) {
    std::string reason;
    const auto f = own_form_of(p, reason);
    if (not f)
        return lowered::refuse(std::move(reason));
    auto w = f->what;
    constexpr int64_t most_rows = 8;
    if (w.m > most_rows)
        return lowered::refuse(str(w.m, " rows"));
    const auto held = sum_type(*f);
    const int64_t run = int64_t(16 / shape{w.b.type}.type_size());
    const auto whole_runs = [&](const gemm_matrix& x, int64_t step) {
        return step % run == 0 and
               std::all_of(x.batch.begin(), x.batch.end(), [&](auto s) { return s % run == 0; });
    };
    if (w.a.type != w.b.type or (w.a.column != 1 and w.k != 1) or w.k % run != 0 or
        not whole_runs(w.a, w.m == 1 ? 0 : w.a.row))
        return lowered::refuse("rows of A without whole runs of 16 bytes");
    if (w.batches() > most_rows_of_blocks)
        return lowered::refuse("too many matrices");
    device_weight packed;
    if (w.b.row != 1 or not whole_runs(w.b, w.b.column)) {
        if (not p.is_constant(1) or not w.batch.empty())
            return lowered::refuse("columns of B without whole runs of 16 bytes");
        packed = columns_of(p, w);
        w.b.row = 1;
        w.b.column = w.k;
    }
    auto params = gemm_params_of(w);
    if (packed)
        params.weights = packed->data.get();
    // Enough warps for all of the device: columns' sums are split where there are few.
    constexpr int warps = 8;
    const int rows = w.m <= 1 ? 1 : (w.m <= 2 ? 2 : (w.m <= 4 ? 4 : 8));
    const int columns = rows <= 2 and w.n >= 4096 ? 2 : 1;
    const auto wanted = int64_t(p.on->properties().multiprocessors) * 16;
    int split = 1;
    while (split < warps and blocks_of(w.n, columns) * w.batches() * split < wanted and
           w.k / (split * 2) >= 64 * run)
        split *= 2;
    generated g;
    g.name = str("thin_gemm ", rows, 'x', columns, 'x', split, f->finish.empty() ? "" : " fused");
    g.entry = "product";
    g.source = str(precision_text(p), "#include \"gemv.cuh\"\n", tail_text(*f, p),
                   product_entry(p, bounds_of(warps * 32), "", tail_of(*f),
                                 str("thin_gemm<", held, ", ", device_type(w.a.type), ", ",
                                     device_type(w.b.type), ", ", rows, ", ", columns, ", ", split,
                                     ", ", warps, ", ", run, ">(a, b, p, t);")));
    g.launch.grid = {blocks_of(w.n, int64_t(warps / split) * columns), blocks_of(w.m, rows),
                     batch_blocks(w)};
    g.launch.block = {warps * 32};
    g.params = bytes_of(params);
    auto k = make_generated(p, std::move(g));
    if (packed == nullptr)
        return k;
    return with_weights(std::move(k), std::move(packed));
}

} // namespace migraphx::gpu
