// SPDX-License-Identifier: MIT
// Attention of many queries: a panel of them lies in the lanes of two vectors. Keys are packed in
// strips, a strip times the panel gives scores that become exponentials in their registers, and V
// is packed in strips of channels, which are multiplied with those of a block of keys. Both are
// tiles of strip_tile.hpp; exponentials of a block of keys stay in the first cache.
#include "targets/cpu/kernels/attention_lanes.hpp"
#include "targets/cpu/kernels/attention_places.hpp"
#include "targets/cpu/kernels/lane_scores.hpp"
#include "targets/cpu/kernels/pair_scales.hpp"
#include "targets/cpu/kernels/row_parts.hpp"
#include "targets/cpu/kernels/transpose_tile.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

constexpr int64_t keys_at_once = 168; // 12 strips of 14, or 28 of 6

constexpr int64_t whole_lines(int64_t floats) {
    return (floats + 15) / 16 * 16;
}

// How a problem is cut, and what memory that takes.
struct lane_plan {
    bool paired;                        // scores are products in pairs
    row_parts strips, blocks, channels; // of keys; of strips; of V
    int64_t panels, most_keys, kept_strips, kept_keys;
    int64_t k, v, scores, sums, mask, mask_rows, state, total; // where they begin, after Q

    lane_plan(const attention_params& p, bool in_pairs)
        : paired(in_pairs), strips(p.keys, in_pairs ? paired_rows : strip_rows),
          blocks(strips.count, keys_at_once / (in_pairs ? paired_rows : strip_rows)),
          channels(p.v_dim, strip_rows) {
        panels = (p.block + query_panel - 1) / query_panel;
        most_keys = blocks.size(0) * strips.size(0);
        kept_strips = p.blocks > 1 ? strips.count : blocks.size(0);
        kept_keys = p.blocks > 1 ? p.keys : most_keys;
        k = panels * p.q_dim * query_panel;
        v = k + whole_lines(kept_strips * strip_step(p));
        scores = v + whole_lines(channels.count * kept_keys * value_step);
        sums = scores + most_keys * query_panel;
        mask = sums + panels * p.v_dim * query_panel;
        mask_rows = mask + most_keys * query_panel;
        state = mask_rows + query_panel * mask_step;
        total = state + panels * whole_lines(sizeof(panel_state) / sizeof(float));
    }
    int64_t strip_step(const attention_params& p) const {
        return paired ? paired_strip_floats(p.q_dim) : strip_floats(p.q_dim);
    }
    // A row of a mask in natural units.
    static constexpr int64_t mask_step = (keys_at_once + lanes - 1) / lanes * lanes;
};

// Consecutive rows of one head: queries from `query` on, in lanes from `lane` on.
struct head_rows {
    int64_t head, query, lane, count;
};

// The first n floats, up to a strip's step, the others 0.
MIGRAPHX_VEC_INLINE void copy_strip_row(const float* from, float* to, int64_t n) {
    for (int64_t c = 0; c < value_step; c += lanes) {
        const int64_t left = n - c < 0 ? 0 : n - c;
        store(to + c, left >= lanes ? load(from + c) : load_first(from + c, left));
    }
}

class lane_block {
public:
    lane_block(const attention_params& params, float* memory)
        : p(params), plan(params, false), scratch(memory),
          masked(p.mask != nullptr || p.hides != nullptr) {
        use(plan);
    }

    void run(const block_place& at) {
        start(at);
        int64_t limit = 0;
        for (int64_t i = 0; i < panels; ++i)
            limit = states[i].most_limit > limit ? states[i].most_limit : limit;
        for (int64_t b = 0; b < plan.blocks.count; ++b) {
            const int64_t strip = plan.blocks.start(b);
            if (plan.strips.start(strip) >= limit)
                break;
            if (!keeps() || b >= blocks_there) {
                pack(b);
                blocks_there = b + 1;
            }
            for (int64_t i = 0; i < panels; ++i)
                multiply(i, b);
        }
        for (int64_t i = 0; i < panels; ++i)
            finish(i);
    }

private:
    bool keeps() const { return p.blocks > 1; }

    void use(const lane_plan& chosen) {
        plan = chosen;
        states = reinterpret_cast<panel_state*>(scratch + plan.state);
        if (masked)
            for (int64_t i = 0; i < plan.most_keys * query_panel; ++i)
                scratch[plan.mask + i] = 0; // of lanes without a query
    }

    // The group of heads whose K is `kv`: whether its scores go by pairs, and what q is multiplied
    // by and K divided by then.
    void start_group(const block_place& at) {
        key_factor = query_factor = 1;
        if (!p.pairs)
            return;
        const auto factors = pair_factors(p, at);
        if (factors.paired != plan.paired)
            use(lane_plan(p, factors.paired));
        key_factor = factors.keys;
        query_factor = factors.queries;
    }

    template <class F>
    void for_heads(int64_t panel, F f) const {
        const int64_t first = place->first + panel * query_panel;
        for (int64_t r = 0; r < states[panel].count;) {
            const row_place row(p, place->kv, first + r);
            int64_t n = p.queries - row.query;
            n = n < states[panel].count - r ? n : states[panel].count - r;
            f(head_rows{row.head, row.query, r, n});
            r += n;
        }
    }

    void start(const block_place& at) {
        place = &at;
        const int64_t group = at.batch * (p.heads / p.heads_per_kv) + at.kv;
        if (group != there) {
            there = group;
            blocks_there = 0;
            start_group(at);
        }
        panels = (at.count + query_panel - 1) / query_panel;
        for (int64_t i = 0; i < panels; ++i)
            start_panel(i);
    }

    void start_panel(int64_t i) {
        panel_state& s = states[i];
        const int64_t left = place->count - i * query_panel;
        s.count = left < query_panel ? left : query_panel;
        s.begun = s.quick = false;
        float* q = scratch + i * p.q_dim * query_panel;
        if (s.count < query_panel)
            for (int64_t j = 0; j < p.q_dim * query_panel; ++j)
                q[j] = 0;
        for (int64_t j = 0; j < query_panel; ++j) {
            s.shift[j] = s.total[j] = 0;
            s.bound[j] = -infinity;
            s.limit[j] = int32_t(p.keys);
        }
        s.least_limit = p.keys;
        s.most_limit = p.causal ? 0 : p.keys;
        for_heads(i, [&](const head_rows& h) {
            transpose_floats(p.q + place->batch * p.q_batch + h.head * p.q_head + h.query * p.q_row,
                             p.q_row, q + h.lane, query_panel, p.q_dim, h.count);
            for (int64_t j = 0; j < h.count; ++j) {
                const int64_t r = h.lane + j;
                if (p.sink != nullptr) { // a score without a value
                    const vf sink = splat(p.sink[h.head] * log2_e), shift = nearest(sink);
                    s.shift[r] = -shift[0];
                    s.total[r] = power_of_two(sink - shift)[0];
                    s.bound[r] = panel_state::usual_bound;
                }
                if (!p.causal)
                    continue;
                const int64_t seen = h.query + j + p.causal_offset + 1;
                const int64_t limit = seen < 0 ? 0 : seen > p.keys ? p.keys : seen;
                s.limit[r] = int32_t(limit);
                s.least_limit = limit < s.least_limit ? limit : s.least_limit;
                s.most_limit = limit > s.most_limit ? limit : s.most_limit;
            }
        });
        const float scale = score_scale(p) * query_factor;
        for (int64_t j = 0; j < p.q_dim * query_panel; j += lanes)
            store(q + j, load(q + j) * scale);
        for (int64_t j = 0; j < query_panel && plan.paired; j += lanes)
            store(s.pairs + j, pair_products(q + j, query_panel, p.q_dim, lanes));
    }

    const float* keys_of(int64_t strip, int64_t first) const {
        return scratch + plan.k + (keeps() ? strip : strip - first) * plan.strip_step(p);
    }

    void pack_paired(const float* k, int64_t keys, float* to) const {
        float* rows = to + keys;
        if (p.k_dim == 1)
            transpose_floats(k, p.k_row, rows, keys, p.q_dim, keys);
        else
            for (int64_t d = 0; d < p.q_dim; ++d)
                for (int64_t j = 0; j < keys; ++j)
                    rows[d * keys + j] = k[d * p.k_dim + j * p.k_row];
        for (int64_t i = 0, n = keys * p.q_dim; i < n; i += lanes) {
            const int64_t left = n - i < lanes ? n - i : lanes;
            store_first(rows + i, load_first(rows + i, left) * key_factor, left);
        }
        store_first(to, pair_products(rows, keys, p.q_dim, keys), keys);
    }

    void pack_keys(const float* k, int64_t keys, float* to) const {
        if (p.k_dim == 1)
            pack_strip(k, p.k_row, keys, p.q_dim, {}, to);
        for (int64_t d = 0; d < p.q_dim && p.k_dim != 1; d += strip_depth) {
            const int64_t n = p.q_dim - d < strip_depth ? p.q_dim - d : strip_depth;
            const float* from = k + d * p.k_dim;
            float* part = to + d * keys;
            if (p.k_row == 1)
                transpose_floats(from, p.k_dim, part, strip_depth, keys, n);
            else
                for (int64_t j = 0; j < keys; ++j)
                    for (int64_t i = 0; i < n; ++i)
                        part[j * strip_depth + i] = from[j * p.k_row + i * p.k_dim];
        }
    }

    // K and V of a block of keys.
    void pack(int64_t b) {
        const float* k = p.k + place->batch * p.k_batch + place->kv * p.k_head;
        const float* v = p.v + place->batch * p.v_batch + place->kv * p.v_head;
        const int64_t first = plan.blocks.start(b), last = first + plan.blocks.size(b);
        for (int64_t s = first; s < last; ++s) {
            const int64_t key = plan.strips.start(s), keys = plan.strips.size(s);
            float* to = const_cast<float*>(keys_of(s, first));
            if (plan.paired)
                pack_paired(k + key * p.k_row, keys, to);
            else
                pack_keys(k + key * p.k_row, keys, to);
        }
        const int64_t from = plan.strips.start(first), to = plan.strips.start(last);
        const int64_t step = plan.kept_keys * value_step; // from strip to strip
        float* row = scratch + plan.v + (keeps() ? from : 0) * value_step;
        for (int64_t j = from; j < to; ++j, row += value_step)
            for (int64_t c = 0; c < plan.channels.count; ++c)
                copy_strip_row(v + j * p.v_row + plan.channels.start(c), row + c * step,
                               plan.channels.size(c));
    }

    // The mask of a panel and `keys` keys from `key` on, transposed.
    const float* mask_of(int64_t panel, int64_t key, int64_t keys) {
        if (!masked)
            return nullptr;
        float* to = scratch + plan.mask;
        for_heads(panel, [&](const head_rows& h) {
            const int64_t at = place->batch * p.mask_batch + h.head * p.mask_head +
                               h.query * p.mask_row + key * p.mask_key;
            constexpr int64_t step = lane_plan::mask_step;
            float* rows = scratch + plan.mask_rows;
            const float* from = p.mask + at;
            int64_t row = p.mask_row;
            if (p.hides != nullptr || p.mask_key == 0) {
                const int64_t count = p.mask_row == 0 ? 1 : h.count;
                for (int64_t r = 0; r < count; ++r)
                    for (int64_t c = 0; c < keys; c += lanes)
                        store(rows + r * step + c,
                              natural_mask(at + r * p.mask_row + c * p.mask_key,
                                           keys - c < lanes ? keys - c : lanes));
                from = rows;
                row = p.mask_row == 0 ? 0 : step;
            }
            if (row == 0 && h.count == query_panel)
                for (int64_t j = 0; j < keys; ++j)
                    for (int64_t c = 0; c < query_panel; c += lanes)
                        store(to + j * query_panel + c, splat(from[j]));
            else
                transpose_floats(from, row, to + h.lane, query_panel, keys, h.count);
        });
        return to;
    }

    vf natural_mask(int64_t at, int64_t n) const {
        if (p.hides == nullptr)
            return splat(p.mask[at]);
        if (p.mask_key == 0)
            return splat(p.hides[at] != 0 ? 0.0f : -infinity);
        return load_first_bytes(p.hides + at, n) != 0 ? vf{} : splat(-infinity);
    }

    template <int Most, bool Paired>
    static void score(int64_t rows, bool wide, const lane_scores& t, panel_state& s) {
        if constexpr (lanes == 16 || !Paired)
            with_rows<Most>(rows, [&](auto r) {
                if (wide)
                    score_strip<decltype(r)::value, 2, Paired>(t, s);
                else
                    score_strip<decltype(r)::value, 1, Paired>(t, s);
            });
    }

    void multiply(int64_t panel, int64_t b) {
        panel_state& s = states[panel];
        const int64_t first = plan.blocks.start(b), last = first + plan.blocks.size(b);
        const int64_t from = plan.strips.start(first);
        int64_t until = plan.strips.start(last);
        if (from >= s.most_limit)
            return;
        const bool wide = s.count > lanes;
        const float* mask = mask_of(panel, from, until - from);
        float* const exponentials = scratch + plan.scores;
        lane_scores t{};
        t.q = scratch + panel * p.q_dim * query_panel;
        t.depth = p.q_dim;
        t.softcap = p.softcap * log2_e;
        t.first = exponentials;
        t.sums = scratch + plan.sums + panel * p.v_dim * query_panel;
        t.channels = p.v_dim;
        for (int64_t strip = first; strip < last; ++strip) {
            t.key = plan.strips.start(strip);
            if (t.key >= s.most_limit) {
                until = t.key;
                break;
            }
            t.k = keys_of(strip, first);
            t.to = exponentials + (t.key - from) * query_panel;
            t.mask = mask == nullptr ? nullptr : mask + (t.key - from) * query_panel;
            if (plan.paired)
                score<paired_rows, true>(plan.strips.size(strip), wide, t, s);
            else
                score<strip_rows, false>(plan.strips.size(strip), wide, t, s);
        }
        for (int64_t c = 0; c < plan.channels.count; ++c) {
            const float* strip = scratch + plan.v + c * plan.kept_keys * value_step;
            if (keeps())
                strip += from * value_step;
            float* sums = t.sums + plan.channels.start(c) * query_panel;
            with_rows<strip_rows>(plan.channels.size(c), [&](auto r) {
                if (wide)
                    weigh_strip<decltype(r)::value, 2>(strip, exponentials, until - from, sums,
                                                       s.begun);
                else
                    weigh_strip<decltype(r)::value, 1>(strip, exponentials, until - from, sums,
                                                       s.begun);
            });
        }
        s.begun = true;
    }

    void finish(int64_t panel) {
        panel_state& s = states[panel];
        float* sums = scratch + plan.sums + panel * p.v_dim * query_panel;
        for (int64_t v = 0; v < query_panel; v += lanes) {
            // 0: it saw no key.
            const vf total = load(s.total + v);
            const vf factor = total == 0.0f ? vf{} : 1.0f / total;
            for (int64_t c = 0; c < p.v_dim; ++c)
                store(sums + c * query_panel + v,
                      s.begun ? load(sums + c * query_panel + v) * factor : vf{});
        }
        for_heads(panel, [&](const head_rows& h) {
            transpose_floats(sums + h.lane, query_panel,
                             p.out + place->batch * p.out_batch + h.head * p.out_head +
                                 h.query * p.out_row,
                             p.out_row, h.count, p.v_dim);
        });
    }

    const attention_params& p;
    lane_plan plan;
    float* const scratch;
    panel_state* states;
    const bool masked;
    const block_place* place = nullptr;
    int64_t panels = 0;
    int64_t there = -1, blocks_there = 0; // blocks of which head of K and V are packed
    float key_factor = 1, query_factor = 1;
};

} // namespace

void attention_in_lanes(const attention_params& p, float* scratch, int64_t begin, int64_t end) {
    lane_block block(p, scratch);
    for (int64_t unit = begin; unit < end; ++unit) {
        const block_place place(p, unit);
        block.run(place);
    }
}

int64_t attention_in_lanes_scratch(const attention_params& p) {
    const int64_t plain = lane_plan(p, false).total,
                  paired = p.pairs ? lane_plan(p, true).total : 0;
    return plain > paired ? plain : paired;
}

} // namespace migraphx::cpu::KERNEL_ISA
