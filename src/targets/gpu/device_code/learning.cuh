// SPDX-License-Identifier: MIT
// Decision trees, counts of n-grams, probabilities of classes from those of pairs: a thread for
// each row (or each n-gram of a row), which does what the operator's definition does.
#pragma once
#include "walk.cuh"

namespace mgx {

enum class tree_aggregate { average, sum, min, max };

// Strides of x (rows, features) and of the result (rows, targets); all else is row-major, nodes of
// six columns: feature, mode (+ 8: NaN goes to the true branch), the two next nodes, first and
// number of members or votes.
template <class I>
struct tree_params {
    I rows, features, nodes, roots, votes, members, targets;
    I x_row, x_column, y_row, y_column;
};

template <class T, class I>
MGX_DEVICE bool goes_left(const i32* node, f64 threshold, f64 v, const T* members,
                          const tree_params<I>& p) {
    if (v != v && (node[1] & 8) != 0)
        return true;
    switch (node[1] & 7) {
    case 0:
        return v <= threshold;
    case 1:
        return v < threshold;
    case 2:
        return v >= threshold;
    case 3:
        return v > threshold;
    case 4:
        return v == threshold;
    case 5:
        return v != threshold;
    default:
        break;
    }
    for (I k = 0; k < node[5]; k++) {
        const i64 m = static_cast<i64>(node[4]) + k;
        if (m >= 0 && m < p.members && convert<f64>(members[m]) == v)
            return true;
    }
    return false;
}

// `sums`: for each row and target; `voted`: whether there is a vote. What points outside of the
// tables ends the walk.
template <tree_aggregate how, class X, class T, class I>
MGX_DEVICE void tree_rows(T* y, const X* x, const i32* nodes, const T* thresholds,
                          const i32* vote_targets, const T* weights, const i32* roots,
                          const T* members, f64* sums, const tree_params<I>& p) {
    u8* const voted = reinterpret_cast<u8*>(sums + (i64)p.rows * p.targets);
    for (I row = first_position<I>(); row < p.rows; row += position_step<I>()) {
        f64* const sum = sums + (i64)row * p.targets;
        u8* const seen = voted + (i64)row * p.targets;
        for (I t = 0; t < p.targets; t++) {
            sum[t] = 0;
            seen[t] = 0;
        }
        for (I tree = 0; tree < p.roots; tree++) {
            i64 at = roots[tree];
            while (at >= 0 && at < p.nodes && (nodes[at * 6 + 1] & 7) != 7) {
                const i32* node = nodes + at * 6;
                if (node[0] < 0 || node[0] >= p.features)
                    break;
                const f64 v = convert<f64>(x[(i64)row * p.x_row + (i64)node[0] * p.x_column]);
                const i64 next = goes_left(node, convert<f64>(thresholds[at]), v, members, p)
                                     ? node[2]
                                     : node[3];
                at = next > at ? next : -1;
            }
            if (at < 0 || at >= p.nodes || (nodes[at * 6 + 1] & 7) != 7)
                continue;
            const i32* leaf = nodes + at * 6;
            for (I k = 0; k < leaf[5]; k++) {
                const i64 vote = static_cast<i64>(leaf[4]) + k;
                const i64 target = vote >= 0 && vote < p.votes ? vote_targets[vote] : -1;
                if (target < 0 || target >= p.targets)
                    continue;
                const f64 w = convert<f64>(weights[vote]), s = sum[target];
                sum[target] = !seen[target]                ? w
                              : how == tree_aggregate::min ? (w < s ? w : s)
                              : how == tree_aggregate::max ? (s < w ? w : s)
                                                           : s + w;
                seen[target] = 1;
            }
        }
        const f64 scale =
            how == tree_aggregate::average ? 1 / static_cast<f64>(p.roots > 1 ? p.roots : 1) : 1;
        for (I t = 0; t < p.targets; t++)
            y[(i64)row * p.y_row + (i64)t * p.y_column] = convert<T>(sum[t] * scale);
    }
}

// ---- n-grams

// The table has, for each n-gram: its length, where it begins in the pool, the result's column.
template <class I>
struct ngram_params {
    I n; // rows * grams
    index_divider<I> grams;
    I length; // of a row
    I x_row, x_column, y_row, y_column, pool_step;
    I most_steps;
};
template <class X, class P, class I>
MGX_DEVICE void count_ngrams(f32* y, const X* x, const P* pool, const i32* table,
                             const ngram_params<I>& p) {
    for (I i = first_position<I>(); i < p.n; i += position_step<I>()) {
        const I row = p.grams.quotient(i);
        const i32* gram = table + 3 * (i - row * p.grams.size());
        const I length = gram[0];
        const X* tokens = x + (i64)row * p.x_row;
        // Single tokens have nothing between them: they are counted once.
        const I steps = length == 1 ? 1 : p.most_steps;
        i64 count = 0;
        for (I step = 1; step <= steps; step++)
            for (I start = 0; start + (i64)(length - 1) * step < p.length; start++) {
                bool found = true;
                for (I k = 0; k < length && found; k++)
                    found = static_cast<i64>(tokens[(start + (i64)k * step) * p.x_column]) ==
                            static_cast<i64>(pool[(gram[1] + (i64)k) * p.pool_step]);
                count += found;
            }
        if (count > 0)
            atomic_add(y + (i64)row * p.y_row + (i64)gram[2] * p.y_column, static_cast<f32>(count));
    }
}

// ---- pairs of classes (Wu, Lin, Weng: Probability estimates for multi-class classification by
// pairwise coupling, algorithm 2)

template <class I>
struct pairwise_params {
    I rows, classes;
    I x_row, x_column, y_row, y_column;
};
// `work`: classes * (classes + 2) for each row.
template <class T, class I>
MGX_DEVICE void couple_pairs(T* y, const T* x, f64* work, const pairwise_params<I>& p) {
    const I k = p.classes;
    for (I row = first_position<I>(); row < p.rows; row += position_step<I>()) {
        f64* const q = work + (i64)row * k * (k + 2);
        f64* const qp = q + (i64)k * k;
        f64* const share = qp + k;
        // Of class a against b.
        const auto r = [&](I a, I b) {
            const I i = a < b ? a : b, j = a < b ? b : a;
            const i64 pair = (i64)i * k - (i64)i * (i + 1) / 2 + (j - i - 1);
            const f64 v = convert<f64>(x[(i64)row * p.x_row + pair * p.x_column]);
            return a < b ? v : 1 - v;
        };
        for (I i = 0; i < k; i++) {
            f64 sum = 0;
            for (I j = 0; j < k; j++)
                if (i != j) {
                    sum += r(j, i) * r(j, i);
                    q[(i64)i * k + j] = -r(j, i) * r(i, j);
                }
            q[(i64)i * k + i] = sum;
            share[i] = 1 / static_cast<f64>(k);
        }
        for (I round = 0; round < (k > 100 ? k : 100); round++) {
            f64 all = 0, error = 0;
            for (I i = 0; i < k; i++) {
                qp[i] = 0;
                for (I j = 0; j < k; j++)
                    qp[i] += q[(i64)i * k + j] * share[j];
                all += share[i] * qp[i];
            }
            for (I i = 0; i < k; i++)
                error = fmax(error, fabs(qp[i] - all));
            if (!(error >= 0.005 / static_cast<f64>(k)))
                break;
            for (I i = 0; i < k; i++) {
                const f64 own = q[(i64)i * k + i];
                if (own == 0)
                    continue;
                const f64 step = (all - qp[i]) / own;
                share[i] += step;
                all = (all + step * (step * own + 2 * qp[i])) / (1 + step) / (1 + step);
                for (I j = 0; j < k; j++) {
                    qp[j] = (qp[j] + step * q[(i64)i * k + j]) / (1 + step);
                    share[j] /= 1 + step;
                }
            }
        }
        for (I i = 0; i < k; i++)
            y[(i64)row * p.y_row + (i64)i * p.y_column] = convert<T>(share[i]);
    }
}

} // namespace mgx
