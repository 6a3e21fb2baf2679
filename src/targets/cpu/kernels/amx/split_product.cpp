// SPDX-License-Identifier: MIT
#include "targets/cpu/kernels/amx/split_product.hpp"

#include "targets/cpu/kernels/row_tile.hpp"

namespace migraphx::cpu::KERNEL_ISA {

namespace {

constexpr int64_t panel = 32;                      // columns, two tiles
constexpr int64_t tile_bytes = 1024;               // 16 rows of 64
constexpr int64_t step_bytes = 3 * 2 * tile_bytes; // parts x tiles of 32 elements x 32 columns
// What stays in the second-level cache while it is used again (2 MiB where there is AMX).
constexpr int64_t most_a_bytes = 1 << 20;

constexpr int not_finite = 0x99; // of fpclass: NaN and infinities

struct parts {
    __m512i x1, x2, x3; // in the upper halves; x3's lower half is not zero
};

// Cutting bits off is exact, and so are the differences.
MIGRAPHX_VEC_INLINE parts cut(__m512i x) {
    const __m512i upper = _mm512_set1_epi32(int32_t(0xffff0000));
    parts p;
    p.x1 = _mm512_and_si512(x, upper);
    const __m512 r = _mm512_sub_ps(__m512(x), __m512(p.x1));
    p.x2 = _mm512_and_si512(__m512i(r), upper);
    p.x3 = __m512i(_mm512_sub_ps(r, __m512(p.x2)));
    return p;
}

MIGRAPHX_VEC_INLINE __m256i upper_halves(__m512i x) {
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(x, 16));
}

MIGRAPHX_VEC_INLINE __mmask16 first(int64_t n) {
    return n >= 16 ? __mmask16(0xffff) : n <= 0 ? __mmask16(0) : __mmask16((1u << n) - 1);
}

// `n` floats a step apart, at most 16.
MIGRAPHX_VEC_INLINE __m512i load_floats(const float* x, int64_t step, int64_t n) {
    if (step == 1)
        return _mm512_maskz_loadu_epi32(first(n), x);
    alignas(64) float v[16] = {};
    for (int64_t i = 0; i < n; ++i)
        v[i] = x[i * step];
    return _mm512_load_si512(v);
}

// A run of floats; returns the lanes that were infinite or NaN.
MIGRAPHX_VEC_INLINE __mmask16 split_run(const float* x, int64_t step, int64_t n, uint16_t* to,
                                        int64_t part) {
    __mmask16 bad = 0;
    for (int64_t i = 0; i < n; i += 16) {
        const __m512i v = load_floats(x + i * step, step, n - i < 16 ? n - i : 16);
        bad |= _mm512_fpclass_ps_mask(__m512(v), not_finite);
        const parts p = cut(v);
        const __mmask16 on = first(n - i);
        _mm256_mask_storeu_epi16(to + i, on, upper_halves(p.x1));
        _mm256_mask_storeu_epi16(to + i + part, on, upper_halves(p.x2));
        _mm256_mask_storeu_epi16(to + i + 2 * part, on, upper_halves(p.x3));
    }
    return bad;
}

void zero_run(uint16_t* to, int64_t n, int64_t part) {
    for (int p = 0; p < 3; ++p)
        for (int64_t i = 0; i < n; i += 32) {
            const int64_t left = n - i;
            const __mmask32 on = left >= 32 ? ~__mmask32(0) : (__mmask32(1) << left) - 1;
            _mm512_mask_storeu_epi16(to + p * part + i, on, _mm512_setzero_si512());
        }
}

// While it lives numbers below 2^-126 count as zero, as they do in tiles: differences of parts that
// small would take an assist of the processor each.
class flush_denormals {
public:
    flush_denormals() : before(_mm_getcsr()) { _mm_setcsr(before | 0x8040); } // FTZ and DAZ
    flush_denormals(const flush_denormals&) = delete;
    flush_denormals& operator=(const flush_denormals&) = delete;
    ~flush_denormals() { _mm_setcsr(before); }

private:
    unsigned before;
};

bool split(const split_lines& p, int64_t begin, int64_t end) {
    const flush_denormals guard;
    __mmask16 bad = 0;
    for (int64_t i = begin; i < end; ++i) {
        uint16_t* to = p.a + (i % p.phases) * p.phase + (i / p.phases) * p.line;
        const int64_t line = p.first + i - p.before;
        if (line < 0 || line >= p.lines) {
            zero_run(to, p.all_width * p.pixel, p.part);
            continue;
        }
        const float* x = p.x + line * p.x_line;
        zero_run(to, p.left * p.pixel, p.part);
        to += p.left * p.pixel;
        if (p.x_channel == 1 && p.x_pixel == p.channels && p.pixel == p.channels)
            bad |= split_run(x, 1, p.width * p.channels, to, p.part);
        else
            for (int64_t w = 0; w < p.width; ++w) {
                bad |=
                    split_run(x + w * p.x_pixel, p.x_channel, p.channels, to + w * p.pixel, p.part);
                if (p.pixel > p.channels)
                    zero_run(to + w * p.pixel + p.channels, p.pixel - p.channels, p.part);
            }
        to += p.width * p.pixel;
        zero_run(to, (p.all_width - p.left - p.width) * p.pixel, p.part);
    }
    return bad == 0;
}

bool finite(const float* x, int64_t n) {
    __mmask16 bad = 0;
    for (int64_t i = 0; i < n; i += 16)
        bad |= _mm512_fpclass_ps_mask(_mm512_maskz_loadu_ps(first(n - i), x + i), not_finite);
    return bad == 0;
}

// Pairs of elements [begin, end) of a step's 32, of 32 columns, as the second operand's tiles have
// them: a pair side by side, the lower element first. Elements from `count` on are zero.
MIGRAPHX_VEC_INLINE void split_pairs(const float* w, int64_t count, char* to, int begin, int end) {
    const __m512i upper = _mm512_set1_epi32(int32_t(0xffff0000));
    for (int pair = begin; pair < end; ++pair)
        for (int half = 0; half < 2; ++half) {
            const float* at = w + pair * 2 * panel + half * 16;
            const parts even = cut(_mm512_maskz_loadu_epi32(pair * 2 < count ? 0xffff : 0, at));
            const parts odd =
                cut(_mm512_maskz_loadu_epi32(pair * 2 + 1 < count ? 0xffff : 0, at + panel));
            char* t = to + half * tile_bytes + pair * 64;
            const auto join = [&](__m512i lower, __m512i higher) {
                // upper ? higher : lower >> 16
                return _mm512_ternarylogic_epi32(upper, higher, _mm512_srli_epi32(lower, 16), 0xca);
            };
            _mm512_store_si512(t, join(even.x1, odd.x1));
            _mm512_store_si512(t + 2 * tile_bytes, join(even.x2, odd.x2));
            _mm512_store_si512(t + 4 * tile_bytes, join(even.x3, odd.x3));
        }
}

// Tiles 0 to 3 sum two tiles of rows by two of columns, 4 and 5 hold rows, 6 and 7 columns.
template <int R, int C>
MIGRAPHX_VEC_INLINE void multiply_tiles() {
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (C == 2)
        _tile_dpbf16ps(1, 4, 7);
    if constexpr (R == 2)
        _tile_dpbf16ps(2, 5, 6);
    if constexpr (R == 2 && C == 2)
        _tile_dpbf16ps(3, 5, 7);
}

template <int R>
MIGRAPHX_VEC_INLINE void load_rows(const char* a, int64_t row) {
    _tile_loadd(4, a, row);
    if constexpr (R == 2)
        _tile_loadd(5, a + 16 * row, row);
}

template <int C>
MIGRAPHX_VEC_INLINE void load_columns(const char* b) {
    _tile_loadd(6, b, 64);
    if constexpr (C == 2)
        _tile_loadd(7, b + tile_bytes, 64);
}

// The six products of parts, small ones first; each needs one new operand only. `beside(i)` is
// called with each and runs on the vector units meanwhile.
template <int R, int C, class F>
MIGRAPHX_VEC_INLINE void multiply_step(const char* a, int64_t part, int64_t row, const char* b,
                                       F beside) {
    load_rows<R>(a, row);
    load_columns<C>(b + 4 * tile_bytes);
    multiply_tiles<R, C>(); // 1 x 3
    beside(0);
    load_columns<C>(b + 2 * tile_bytes);
    multiply_tiles<R, C>(); // 1 x 2
    beside(1);
    load_rows<R>(a + part, row);
    multiply_tiles<R, C>(); // 2 x 2
    beside(2);
    load_columns<C>(b);
    multiply_tiles<R, C>(); // 2 x 1
    beside(3);
    load_rows<R>(a + 2 * part, row);
    multiply_tiles<R, C>(); // 3 x 1
    beside(4);
    load_rows<R>(a, row);
    multiply_tiles<R, C>(); // 1 x 1
    beside(5);
}

struct step_range {
    int64_t begin, end; // of all steps of a row
};

struct tile_work {
    const split_product_params& p;
    int64_t steps;       // of a segment
    step_range range;    // to sum now
    const float* w;      // the panel
    char* b;             // its parts, of the range
    const char* ahead;   // what is wanted next from memory
    int64_t ahead_bytes; // of it, during a step
};

struct step_place {
    int64_t segment, step; // of the segment

    void advance(int64_t steps) {
        if (++step == steps) {
            step = 0;
            ++segment;
        }
    }
};

// Sums a tile over the range; with Cut, its parts of the panel are made on the way, each step's
// while the one before it is multiplied.
template <int R, int C, bool Cut>
void sum_tile(const tile_work& t, int64_t row) {
    const auto& p = t.p;
    const char* rows = reinterpret_cast<const char*>(p.a + row * p.row);
    const int64_t part = p.part * 2, row_bytes = p.row * 2;
    step_place at{t.range.begin / t.steps, t.range.begin % t.steps};
    const auto weights = [&](step_place x) {
        return t.w + (x.segment * p.depth + x.step * 32) * panel;
    };
    char* b = t.b;
    if constexpr (Cut)
        split_pairs(weights(at), p.depth - at.step * 32, b, 0, 16);
    const char* ahead = t.ahead;
    const int64_t share = (t.ahead_bytes / 6 + 63) / 64 * 64;
    for (int64_t s = t.range.begin; s < t.range.end; ++s) {
        step_place next = at;
        next.advance(t.steps);
        const float* w = weights(next);
        const int64_t count = s + 1 < t.range.end ? p.depth - next.step * 32 : 0;
        const char* a = rows + (p.segments[at.segment] + at.step * 32) * 2;
        multiply_step<R, C>(
            a, part, row_bytes, b, [&](int i) __attribute__((always_inline)) {
                if constexpr (Cut) {
                    constexpr int pairs[] = {0, 3, 6, 9, 12, 14, 16};
                    if (count > 0)
                        split_pairs(w, count, b + step_bytes, pairs[i], pairs[i + 1]);
                }
                for (int64_t j = 0; j < share; j += 64)
                    _mm_prefetch(ahead + j, _MM_HINT_T1);
                ahead += share;
            });
        b += step_bytes;
        at = next;
    }
}

template <bool Cut>
void sum_tile_of(const tile_work& t, int64_t row, int64_t rows, int64_t columns) {
    if (rows <= 16) {
        if (columns <= 16)
            sum_tile<1, 1, Cut>(t, row);
        else
            sum_tile<1, 2, Cut>(t, row);
    } else if (columns <= 16)
        sum_tile<2, 1, Cut>(t, row);
    else
        sum_tile<2, 2, Cut>(t, row);
}

void start_tile(const float* sums) {
    if (sums == nullptr) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
        return;
    }
    _tile_loadd(0, sums, panel * 4);
    _tile_loadd(1, sums + 16, panel * 4);
    _tile_loadd(2, sums + 16 * panel, panel * 4);
    _tile_loadd(3, sums + 16 * panel + 16, panel * 4);
}

void store_tile(float* sums) {
    _tile_stored(0, sums, panel * 4);
    _tile_stored(1, sums + 16, panel * 4);
    _tile_stored(2, sums + 16 * panel, panel * 4);
    _tile_stored(3, sums + 16 * panel + 16, panel * 4);
}

// The counting rows among the `count` of a tile, in runs of one line.
template <class F>
MIGRAPHX_VEC_INLINE void for_runs(const split_product_params& p, int64_t row, int64_t count, F f) {
    int64_t line = row / p.line, at = row % p.line;
    for (int64_t r = 0; r < count;) {
        const int64_t left = p.line - at < count - r ? p.line - at : count - r;
        const int64_t run = p.kept - at < left ? p.kept - at : left;
        if (run > 0)
            f(r, run, line * p.kept + at);
        r += left;
        at = 0;
        ++line;
    }
}

// Brings the lines that a tile will be written to near, while it is summed.
void fetch_result(const split_product_params& p, int64_t row, int64_t count, int64_t n) {
    for_runs(p, row, count, [&](int64_t, int64_t run, int64_t to) {
        for (int64_t r = 0; r < run; ++r) {
            const float* y = p.y + (p.first + to + r) * p.y_row + n * panel;
            __builtin_prefetch(y, 1);
            __builtin_prefetch(y + 16, 1);
        }
    });
}

template <int R>
MIGRAPHX_VEC_INLINE void finish_some(const float* sums, const vf* bias, const row_epilogue& e,
                                     const tile_place& at) {
    vf acc[R][2];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v)
            acc[r][v] = load(sums + r * panel + v * 16) + bias[v];
    finish_tile<R, 2>(acc, e, at);
}

void finish_rows(const split_product_params& p, const float* sums, int64_t rows, tile_place at) {
    const auto& e = p.epilogue;
    vf bias[2] = {};
    if (e.bias != nullptr)
        for (int v = 0; v < 2; ++v) {
            const int64_t left = at.channels - v * 16;
            bias[v] = load_first(e.bias + at.channel + v * 16, left < 0    ? 0
                                                               : left < 16 ? left
                                                                           : 16);
        }
    const auto advance = [&](int64_t n) {
        sums += n * panel;
        at.row += n;
        at.y += n * at.y_row;
        rows -= n;
    };
    for (; rows >= 4; advance(4))
        finish_some<4>(sums, bias, e, at);
    for (; rows > 0; advance(1))
        finish_some<1>(sums, bias, e, at);
}

// Row `row` of those that count is the first.
void finish_panel(const split_product_params& p, const float* sums, int64_t rows, int64_t row,
                  int64_t n) {
    const int64_t channels = p.columns - n * panel < panel ? p.columns - n * panel : panel;
    row += p.first;
    finish_rows(
        p, sums, rows,
        tile_place{p.y + row * p.y_row + n * panel, p.y_row, p.image, row, n * panel, channels});
}

void finish(const split_product_params& p, const float* sums, int64_t row, int64_t n) {
    finish_panel(p, sums, 1, row, n);
}

int64_t steps_of(const split_product_params& p) {
    return p.segment_count * ((p.depth + 31) / 32);
}

bool sums_in_memory(const split_product_params& p) {
    return p.block_steps < steps_of(p);
}

// Cutting a panel costs as much as multiplying it with 32 rows does, so blocks of rows are not
// short; what is long instead is cut in chunks.
int64_t plan(split_product_params& p, int64_t rows, int64_t panels) {
    const int64_t steps = steps_of(p);
    // Rows of a convolution overlap: an element is in memory once for all windows.
    const int64_t row_bytes = 3 * 2 * (p.row < p.depth ? p.row : p.depth);
    const int64_t fitting = most_a_bytes / row_bytes / 32 * 32;
    const int64_t most = fitting > 256 ? fitting : 256;
    const int64_t blocks = (rows + most - 1) / most;
    p.block_rows = ((rows + blocks - 1) / blocks + 31) / 32 * 32;
    const int64_t bytes = (p.block_rows < rows ? p.block_rows : rows) * row_bytes;
    const int64_t chunks = p.segment_count > 1 ? 1 : (bytes + most_a_bytes - 1) / most_a_bytes;
    p.block_steps = (steps + chunks - 1) / chunks;
    return p.block_steps * step_bytes / 4 +
           (sums_in_memory(p) ? panels * p.block_rows * panel : 32 * panel);
}

void load_configuration() {
    struct alignas(64) {
        uint8_t palette = 1, start_row = 0, zero[14] = {};
        uint16_t row_bytes[16] = {};
        uint8_t rows[16] = {};
    } c;
    for (int i = 0; i < 8; ++i) {
        c.row_bytes[i] = 64;
        c.rows[i] = 16;
    }
    _tile_loadconfig(&c);
}

void multiply_block(const split_product_params& p, int64_t row_begin, int64_t row_end,
                    int64_t panel_begin, int64_t panel_end, float* scratch) {
    const int64_t rows = row_end - row_begin;
    const int64_t row_tiles = (rows + 31) / 32;
    char* parts_of_panel = reinterpret_cast<char*>(scratch);
    float* all_sums = scratch + p.block_steps * step_bytes / 4;
    const int64_t steps = steps_of(p);
    const bool several = sums_in_memory(p);
    for (int64_t begin = 0; begin < steps; begin += p.block_steps) {
        const int64_t end = begin + p.block_steps < steps ? begin + p.block_steps : steps;
        const bool begins = begin == 0, ends = end == steps;
        for (int64_t n = panel_begin; n < panel_end; ++n) {
            const int64_t channels = p.columns - n * panel < panel ? p.columns - n * panel : panel;
            const int64_t panel_floats = p.segment_count * p.depth * panel;
            tile_work t{p,
                        (p.depth + 31) / 32,
                        {begin, end},
                        p.panels + n * panel_floats,
                        parts_of_panel,
                        nullptr,
                        0};
            // Weights come to the second-level cache before they are cut: with the first tile
            // what follows soon, with the others the next panel.
            const char* here = reinterpret_cast<const char*>(t.w);
            const char* next = here + panel_floats * int64_t(sizeof(float));
            const int64_t share =
                row_tiles > 1 ? ((4096 + row_tiles - 2) / (row_tiles - 1) + 63) / 64 * 64 : 4096;
            for (int64_t i = 0; i < row_tiles; ++i) {
                const int64_t row = row_begin + i * 32;
                const int64_t count = row_end - row < 32 ? row_end - row : 32;
                float* sums = several ? all_sums + ((n - panel_begin) * row_tiles + i) * 32 * panel
                                      : all_sums;
                const int64_t done = (i - 1) * share; // of the bytes of a step
                t.ahead = i == 0 ? here + begin * 4096 + 4 * 4096
                                 : next + (begin * 4096 + done * (end - begin));
                t.ahead_bytes = i == 0 ? 4096 : n + 1 < panel_end && done < 4096 ? share : 0;
                if (ends)
                    fetch_result(p, row, count, n);
                start_tile(begins ? nullptr : sums);
                if (i == 0)
                    sum_tile_of<true>(t, row, count, channels);
                else
                    sum_tile_of<false>(t, row, count, channels);
                store_tile(sums);
                if (ends)
                    for_runs(p, row, count, [&](int64_t r, int64_t run, int64_t to) {
                        finish_panel(p, sums + r * panel, run, to, n);
                    });
            }
        }
    }
}

void multiply(const split_product_params& p, int64_t row_begin, int64_t row_end,
              int64_t panel_begin, int64_t panel_end, float* scratch) {
    const flush_denormals guard;
    load_configuration();
    for (int64_t row = row_begin; row < row_end; row += p.block_rows) {
        const int64_t end = row + p.block_rows < row_end ? row + p.block_rows : row_end;
        multiply_block(p, row, end, panel_begin, panel_end, scratch);
    }
    _tile_release();
}

} // namespace

void fill_split_product(amx_kernels& k) {
    k.split = split;
    k.plan = plan;
    k.finite = finite;
    k.finish = finish;
    k.multiply = multiply;
}

} // namespace migraphx::cpu::KERNEL_ISA
