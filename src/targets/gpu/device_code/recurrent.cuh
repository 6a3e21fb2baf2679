// SPDX-License-Identifier: MIT
// Recurrent layers (equations: ops/recurrent.hpp), after the inputs' product with W. Two forms:
//   recurrent_layer  a cluster of blocks for each direction and some rows of the batch runs all
//                    steps. It keeps the weights R in registers: a thread those of one gate of one
//                    unit, or a part of them; states lie in shared memory of all blocks.
//   recurrent_step   a launch for each step (two for the gru whose reset gate acts on the state): a
//                    warp for each unit reads its weights; states lie in scratch memory.
// A sequence shorter than the others keeps its state once it has ended, and its outputs are 0.
#pragma once
#include "cluster.cuh"
#include "recurrent_params.cuh"

namespace mgx {

enum class cell_kind { rnn, gru, gru_linear, lstm };

MGX_DEVICE constexpr int gates_of(cell_kind k) {
    return k == cell_kind::rnn ? 1 : k == cell_kind::lstm ? 4 : 3;
}

// T: elements; Length: of sequence lengths (void: all are `steps`); Functions: f, g, h of (direction,
// x), the activations; InputForget: of an lstm, the forget gate is 1 - the input gate.
template <cell_kind Kind, class T, class Length, class Functions, bool InputForget>
struct recurrent_form {
    static constexpr cell_kind kind = Kind;
    static constexpr int gates = gates_of(Kind);
    static constexpr bool two_phases = Kind == cell_kind::gru, has_cell = Kind == cell_kind::lstm,
                          input_forget = InputForget, has_lengths = !same<Length, void>;
    using element = T;
    using sum = compute<T>;
    using functions = Functions;
    using length = typename choose<has_lengths, Length, i32>::type;
};

// Null where there is none.
template <class Form>
struct recurrent_inputs {
    using T = typename Form::element;
    const T *r, *bias, *h0, *c0, *peephole;
    const typename Form::length* lengths;
};
template <class T>
struct recurrent_outputs {
    T *all, *last_h, *last_c; // the last two may be null
};

// One number of a layer: a unit of a row, in one direction.
template <class Form>
struct recurrent_unit {
    using T = typename Form::element;
    using A = typename Form::sum;
    using F = typename Form::functions;
    static constexpr int gates = Form::gates;

    const recurrent_params& p;
    int direction, row, unit;
    A x[gates];        // the input's part, with its bias
    A state_bias[gates];
    A peephole[3];

    MGX_DEVICE recurrent_unit(const recurrent_params& params, int d, int b, int u)
        : p(params), direction(d), row(b), unit(u) {}

    MGX_DEVICE void load_constants(const recurrent_inputs<Form>& in) {
        const i64 n = p.hidden;
#pragma unroll
        for (int g = 0; g < gates; g++) {
            x[g] = state_bias[g] = 0;
            if (in.bias != nullptr) {
                const T* const b = in.bias + direction * p.bias_direction;
                x[g] = to_compute(b[(g * n + unit) * p.bias_column]);
                state_bias[g] = to_compute(b[((gates + g) * n + unit) * p.bias_column]);
            }
        }
#pragma unroll
        for (int i = 0; i < 3; i++)
            peephole[i] = Form::has_cell && in.peephole != nullptr
                              ? to_compute(in.peephole[direction * p.peephole_direction +
                                                       (i * n + unit) * p.peephole_column])
                              : A(0);
    }

    MGX_DEVICE A bounded(A a) const {
        const A c = static_cast<A>(p.clip);
        return c > 0 ? greatest(-c, least(a, c)) : a;
    }
    MGX_DEVICE A f(A a) const { return F::f(direction, bounded(a)); }
    MGX_DEVICE A g(A a) const { return F::g(direction, bounded(a)); }

    // `s`: the products of the state with R, by gate. The new state.
    MGX_DEVICE A next(const A (&s)[gates], A h, A& c) const {
        if constexpr (Form::kind == cell_kind::rnn) {
            return f(x[0] + s[0] + state_bias[0]);
        } else if constexpr (Form::kind == cell_kind::lstm) {
            const A in = f(x[0] + s[0] + state_bias[0] + peephole[0] * c);
            const A forget = Form::input_forget
                                 ? A(1) - in
                                 : f(x[2] + s[2] + state_bias[2] + peephole[2] * c);
            c = forget * c + in * g(x[3] + s[3] + state_bias[3]);
            return f(x[1] + s[1] + state_bias[1] + peephole[1] * c) * F::h(direction, c);
        } else {
            const A z = update(s), reset = f(x[1] + s[1] + state_bias[1]);
            return mixed(z, reset * (s[2] + state_bias[2]), h);
        }
    }
    // gru in two phases: z and the state that the third product reads; then the new state.
    MGX_DEVICE A update(const A (&s)[gates]) const { return f(x[0] + s[0] + state_bias[0]); }
    MGX_DEVICE A gated(const A (&s)[gates], A h) const {
        return f(x[1] + s[1] + state_bias[1]) * h;
    }
    MGX_DEVICE A after_reset(A z, A s, A h) const { return mixed(z, s + state_bias[2], h); }
    MGX_DEVICE A mixed(A z, A v, A h) const { return (A(1) - z) * g(x[2] + v) + z * h; }
};

// Which moment of the sequence a step is.
template <class Form>
MGX_DEVICE int length_of(const recurrent_params& p, const recurrent_inputs<Form>& in, int row) {
    if constexpr (Form::has_lengths) {
        const i64 n = static_cast<i64>(in.lengths[row * p.lengths]);
        return n < 0 ? 0 : n > p.steps ? p.steps : static_cast<int>(n);
    } else {
        return p.steps;
    }
}
MGX_DEVICE int moment(const recurrent_params& p, int direction, int length, int step) {
    const bool backward = p.reversed != 0 || direction == 1;
    return backward && step < length ? length - 1 - step : step;
}

MGX_DEVICE i64 place_of(const i64 (&strides)[3], int direction, int row, int unit) {
    return direction * strides[0] + row * strides[1] + unit * strides[2];
}

template <class Form>
struct recurrent_pointers {
    recurrent_inputs<Form> in;
    recurrent_outputs<typename Form::element> out;
    const typename Form::element* pre;
    typename Form::sum* states; // of recurrent_step
};

// Parts: threads that share one gate of one unit, a power of 2 up to 32. Weights: of one thread, a
// multiple of 4; Weights * Parts is at least the hidden size. Units: of one block.
template <class Form, int Cluster, int Units, int Parts, int Weights>
struct recurrent_layer {
    using T = typename Form::element;
    using A = typename Form::sum;
    static constexpr int gates = Form::gates, sums = gates * Units,
                         threads = (sums * Parts + 31) / 32 * 32, width = Weights * Parts;
    static constexpr bool two_phases = Form::two_phases;
    // Of A, for each row: states now and next (and behind the reset gate), gates, cells (or z).
    static constexpr int row_numbers = (two_phases ? 3 : 2) * width + sums + Units;

    const recurrent_params& p;
    const recurrent_pointers<Form>& at;
    A* const memory;
    int rank, direction, first_row, rows, first_unit;

    MGX_DEVICE recurrent_layer(const recurrent_params& params,
                               const recurrent_pointers<Form>& pointers, unsigned char* shared)
        : p(params), at(pointers), memory(reinterpret_cast<A*>(shared)), rank(thread_rank()),
          direction(static_cast<int>(blockIdx.z)),
          first_row(static_cast<int>(blockIdx.y) * params.rows),
          rows(least(params.rows, params.batch - first_row)),
          first_unit(static_cast<int>(blockIdx.x) % Cluster * Units) {}

    MGX_DEVICE A* state(int which) const { return memory + which * p.rows * width; }
    MGX_DEVICE A* sums_of_rows() const { return state(two_phases ? 3 : 2); }
    MGX_DEVICE A* cells() const { return sums_of_rows() + p.rows * sums; }

    MGX_DEVICE void load_weights(A (&w)[Weights]) const {
        const int n = rank / Parts, part = rank % Parts, unit = first_unit + n % Units;
        const bool mine = n < sums && unit < p.hidden;
        const T* const from = at.in.r + direction * p.r_direction +
                              (static_cast<i64>(n / Units) * p.hidden + unit) * p.r_row;
const bool vectors = p.r_column == 1 && (p.hidden | p.r_row | p.r_direction) % 4 == 0 &&
                             (reinterpret_cast<u64>(at.in.r) & (4 * sizeof(T) - 1)) == 0;
#pragma unroll
        for (int i = 0; i < Weights; i += 4) {
            const int k = i * Parts + part * 4;
            vec<A, 4> x = {};
            if (mine && vectors && k < p.hidden) {
                x = convert_all<A>(load<4>(from + k));
            } else if (mine) {
                for (int e = 0; e < 4 && k + e < p.hidden; e++)
                    x[e] = to_compute(from[(k + e) * p.r_column]);
            }
#pragma unroll
            for (int e = 0; e < 4; e++)
                w[i + e] = x[e];
        }
    }

    // sums_of_rows()[row][n] = the weights' products with that state.
    MGX_DEVICE void multiply(const A (&w)[Weights], const A* x) const {
        const int n = rank / Parts, part = rank % Parts;
        for (int row = 0; row < rows; row++) {
            const A* const from = x + row * width + part * 4;
            A sum[4] = {};
#pragma unroll
            for (int i = 0; i < Weights / 4; i++) {
                const vec<A, 4> h = load<4>(from + i * Parts * 4);
#pragma unroll
                for (int e = 0; e < 4; e++)
                    sum[e] = fma(w[4 * i + e], h[e], sum[e]);
            }
            A total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
            if constexpr (Parts > 1)
                total = warp_reduce<Parts>(total, add_op{});
            if (part == 0 && n < sums)
                sums_of_rows()[row * sums + n] = total;
        }
    }

    MGX_DEVICE void begin() const {
        for (int i = rank; i < (two_phases ? 3 : 2) * p.rows * width; i += threads)
            memory[i] = 0;
        __syncthreads();
        for (int i = rank; i < rows * p.hidden; i += threads) {
            const int row = i / p.hidden, unit = i % p.hidden;
            if (at.in.h0 != nullptr)
                state(0)[row * width + unit] = to_compute(
                    at.in.h0[place_of(p.h0, direction, first_row + row, unit)]);
        }
        for (int i = rank; i < rows * Units; i += threads) {
            const int row = i / Units, unit = first_unit + i % Units;
            cells()[i] = Form::has_cell && at.in.c0 != nullptr && unit < p.hidden
                             ? to_compute(at.in.c0[place_of(p.c0, direction, first_row + row,
                                                               unit)])
                             : A(0);
        }
    }

    // A thread's numbers: those of a row and a unit, for i = rank, rank + threads, ...
    struct number {
        int row, unit, local; // local: within the block
        bool mine;
        MGX_DEVICE number(const recurrent_layer& l, int i)
            : row(i / Units), unit(l.first_unit + i % Units), local(i % Units),
              mine(i < l.rows * Units && unit < l.p.hidden) {}
    };
    MGX_DEVICE void load_input(const number& n, int step, A (&x)[Form::gates]) const {
        const int length = length_of<Form>(p, at.in, first_row + n.row);
        const T* const from = at.pre + moment(p, direction, length, step) * p.pre_time +
                              (first_row + n.row) * p.pre_batch + direction * p.pre_direction +
                              n.unit;
#pragma unroll
        for (int g = 0; g < gates; g++)
            x[g] = to_compute(from[static_cast<i64>(g) * p.hidden]);
    }

    // The first number of each thread has its constants and the input of the next step in
    // registers, since they are waited for.
    MGX_DEVICE void run() const {
        A w[Weights];
        load_weights(w);
        begin();
        recurrent_unit<Form> first(p, direction, first_row, first_unit);
        A bias[gates], ahead[gates];
        const number own(*this, rank);
        if (own.mine) {
            first.row = first_row + own.row;
            first.unit = own.unit;
            first.load_constants(at.in);
            if (p.steps > 0)
                load_input(own, 0, ahead);
        }
#pragma unroll
        for (int g = 0; g < gates; g++)
            bias[g] = own.mine ? first.x[g] : A(0);
        cluster_barrier<Cluster>();
        for (int step = 0; step < p.steps; step++) {
            const A* const now = state(step & 1);
            if (own.mine) {
#pragma unroll
                for (int g = 0; g < gates; g++)
                    first.x[g] = bias[g] + ahead[g];
                if (step + 1 < p.steps)
                    load_input(own, step + 1, ahead);
            }
            multiply(w, now);
            __syncthreads();
            if constexpr (two_phases) {
                each_number(own, first, step, [&](const number& n, const recurrent_unit<Form>& u, int i) {
                    A s[gates];
                    load_sums(n, s);
                    const A h = now[n.row * width + n.unit];
                    cells()[i] = u.update(s);
                    cluster_store<Cluster>(state(2) + n.row * width + n.unit, u.gated(s, h));
                });
                cluster_barrier<Cluster>();
                multiply(w, state(2));
                __syncthreads();
            }
            each_number(own, first, step, [&](const number& n, const recurrent_unit<Form>& u, int i) {
                finish(n, u, i, step, now[n.row * width + n.unit]);
            });
            cluster_barrier<Cluster>();
        }
        write_last();
    }

    MGX_DEVICE void load_sums(const number& n, A (&s)[Form::gates]) const {
#pragma unroll
        for (int g = 0; g < gates; g++)
            s[g] = sums_of_rows()[n.row * sums + g * Units + n.local];
    }

    template <class F>
    MGX_DEVICE void each_number(const number& own, const recurrent_unit<Form>& first, int step,
                                F work) const {
        if (own.mine)
            work(own, first, rank);
        for (int i = rank + threads; i < rows * Units; i += threads) {
            const number n(*this, i);
            if (!n.mine)
                continue;
            recurrent_unit<Form> u(p, direction, first_row + n.row, n.unit);
            u.load_constants(at.in);
            A x[gates];
            load_input(n, step, x);
#pragma unroll
            for (int g = 0; g < gates; g++)
                u.x[g] += x[g];
            work(n, u, i);
        }
    }

    MGX_DEVICE void finish(const number& n, const recurrent_unit<Form>& u, int i, int step,
                           A h) const {
        const int length = length_of<Form>(p, at.in, first_row + n.row);
        A y = h, shown = 0;
        if (step < length) {
            A s[gates];
            load_sums(n, s);
            if constexpr (two_phases)
                y = u.after_reset(cells()[i], s[2], h);
            else
                y = u.next(s, h, cells()[i]);
            shown = y;
        }
        cluster_store<Cluster>(state(1 - (step & 1)) + n.row * width + n.unit, y);
        at.out.all[moment(p, direction, length, step) * p.out_time +
                   place_of(p.out, direction, first_row + n.row, n.unit)] = convert<T>(shown);
    }

    MGX_DEVICE void write_last() const {
        for (int i = rank; i < rows * Units; i += threads) {
            const number n(*this, i);
            if (!n.mine)
                continue;
            const int row = first_row + n.row;
            if (at.out.last_h != nullptr)
                at.out.last_h[place_of(p.last_h, direction, row, n.unit)] =
                    convert<T>(state(p.steps & 1)[n.row * width + n.unit]);
            if (Form::has_cell && at.out.last_c != nullptr)
                at.out.last_c[place_of(p.last_c, direction, row, n.unit)] =
                    convert<T>(cells()[i]);
        }
    }
};

// States in scratch memory, each (directions, batch, hidden) in A: now and next by turns, cells (or
// z), the state behind the reset gate.
template <class Form>
struct recurrent_states {
    using A = typename Form::sum;
    A* base;
    i64 size;
    MGX_DEVICE recurrent_states(A* states, const recurrent_params& p)
        : base(states), size(static_cast<i64>(gridDim.z) * p.batch * p.hidden) {}
    MGX_DEVICE A* state(int step) const { return base + (step & 1) * size; }
    MGX_DEVICE A* cells() const { return base + 2 * size; }
    MGX_DEVICE A* gated() const { return base + 3 * size; }
};

// The states before the first step; a thread for each number, the grid's z are the directions.
template <class Form>
MGX_DEVICE void recurrent_begin(const recurrent_params& p, const recurrent_pointers<Form>& at) {
    using T = typename Form::element;
    using A = typename Form::sum;
    const recurrent_states<Form> s(at.states, p);
    const i64 i = static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i >= static_cast<i64>(p.batch) * p.hidden)
        return;
    const int row = static_cast<int>(i / p.hidden), unit = static_cast<int>(i % p.hidden),
              d = static_cast<int>(blockIdx.z);
    const A h = at.in.h0 == nullptr ? A(0)
                                    : static_cast<A>(to_compute(
                                          at.in.h0[place_of(p.h0, d, row, unit)]));
    const A c = at.in.c0 == nullptr ? A(0)
                                    : static_cast<A>(to_compute(
                                          at.in.c0[place_of(p.c0, d, row, unit)]));
    const i64 to = static_cast<i64>(d) * p.batch * p.hidden + i;
    s.state(0)[to] = h;
    s.cells()[to] = c;
    if (p.steps == 0 && at.out.last_h != nullptr)
        at.out.last_h[place_of(p.last_h, d, row, unit)] = convert<T>(h);
    if (p.steps == 0 && Form::has_cell && at.out.last_c != nullptr)
        at.out.last_c[place_of(p.last_c, d, row, unit)] = convert<T>(c);
}

// sum[b][g] += the products of N numbers of the state, from k on, with a unit's weights.
template <int N, int First, int Last, class T, class A, int Rows, int Gates>
MGX_DEVICE void add_products(const recurrent_params& p, const A* h, const T* weights,
                             int first_row, int k, A (&sum)[Rows][Gates]) {
    vec<A, N> x[Rows];
#pragma unroll
    for (int b = 0; b < Rows; b++)
        x[b] = load<N>(h + static_cast<i64>(least(first_row + b, p.batch - 1)) * p.hidden + k);
#pragma unroll
    for (int g = First; g < Last; g++) {
        const T* const from = weights + static_cast<i64>(g) * p.hidden * p.r_row;
        const vec<A, N> w = convert_all<A>(load<N>(from + k * p.r_column));
#pragma unroll
        for (int b = 0; b < Rows; b++)
#pragma unroll
            for (int e = 0; e < N; e++)
                sum[b][g] = fma(w[e], x[b][e], sum[b][g]);
    }
}

// A warp for each unit and Rows rows of the batch (grid: units, rows, directions). Phase: 0 the
// whole step; 1 and 2 those of a gru that resets the state.
template <class Form, int Rows, int Phase>
MGX_DEVICE void recurrent_step(const recurrent_params& p, const recurrent_pointers<Form>& at) {
    using T = typename Form::element;
    using A = typename Form::sum;
    constexpr int gates = Form::gates, first_gate = Phase == 2 ? 2 : 0,
                  last_gate = Phase == 1 ? 2 : gates;
    const recurrent_states<Form> states(at.states, p);
    const int unit = static_cast<int>(blockIdx.x * (blockDim.x / 32)) + thread_rank() / 32,
              lane = thread_rank() % 32, first_row = static_cast<int>(blockIdx.y) * Rows,
              d = static_cast<int>(blockIdx.z);
    if (unit >= p.hidden)
        return;
    const i64 plane = static_cast<i64>(d) * p.batch * p.hidden;
    const A* const h = (Phase == 2 ? states.gated() : states.state(p.step)) + plane;
    A sum[Rows][gates] = {};
    const T* const weights = at.in.r + d * p.r_direction + unit * p.r_row;
    // The rows of h begin at multiples of four numbers when the hidden size is one.
    const bool vectors = p.r_column == 1 && p.hidden % 4 == 0 && p.r_row % 4 == 0 &&
                         (reinterpret_cast<u64>(weights) & (4 * sizeof(T) - 1)) == 0 &&
                         p.r_direction % 4 == 0;
    if (vectors)
        for (int k = lane * 4; k < p.hidden; k += 128)
            add_products<4, first_gate, last_gate>(p, h, weights, first_row, k, sum);
    else
        for (int k = lane; k < p.hidden; k += 32)
            add_products<1, first_gate, last_gate>(p, h, weights, first_row, k, sum);
    A mine[gates] = {};
#pragma unroll
    for (int b = 0; b < Rows; b++)
#pragma unroll
        for (int g = first_gate; g < last_gate; g++) {
            const A total = warp_reduce<32>(sum[b][g], add_op{});
            if (lane == b)
                mine[g] = total;
        }
    const int row = first_row + lane;
    if (lane >= Rows || row >= p.batch)
        return;
    const i64 place = plane + static_cast<i64>(row) * p.hidden + unit;
    const int length = length_of<Form>(p, at.in, row), t = moment(p, d, length, p.step);
    recurrent_unit<Form> u(p, d, row, unit);
    u.load_constants(at.in);
    const T* const pre =
        at.pre + t * p.pre_time + row * p.pre_batch + d * p.pre_direction + unit;
#pragma unroll
    for (int g = 0; g < gates; g++)
        u.x[g] += to_compute(pre[static_cast<i64>(g) * p.hidden]);
    const A before = states.state(p.step)[place];
    if constexpr (Phase == 1) {
        states.cells()[place] = u.update(mine);
        states.gated()[place] = u.gated(mine, before);
    } else {
        A y = before, shown = 0, c = states.cells()[place];
        if (p.step < length) {
            if constexpr (Phase == 2)
                y = u.after_reset(c, mine[2], before);
            else
                y = u.next(mine, before, c);
            shown = y;
            if (Form::has_cell)
                states.cells()[place] = c;
        }
        states.state(p.step + 1)[place] = y;
        at.out.all[t * p.out_time + place_of(p.out, d, row, unit)] = convert<T>(shown);
        if (p.step + 1 == p.steps && at.out.last_h != nullptr)
            at.out.last_h[place_of(p.last_h, d, row, unit)] = convert<T>(y);
        if (p.step + 1 == p.steps && Form::has_cell && at.out.last_c != nullptr)
            at.out.last_c[place_of(p.last_c, d, row, unit)] = convert<T>(c);
    }
}

} // namespace mgx
