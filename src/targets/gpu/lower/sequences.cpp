// SPDX-License-Identifier: MIT
// rnn_var_sl_last_output, rnn_var_sl_shift_output, rnn_var_sl_shift_sequence:
// device_code/sequences.cuh.
#include "targets/gpu/lower/copy.hpp"

#include <migraphx/op/common.hpp>

#include "base/str.hpp"

namespace migraphx::gpu {

namespace {

// x is (time, [direction,] batch, size); the result has no time where only the last state is asked
// for.
lowered moved(const device_problem& p, const char* move) {
    const auto &x = p.inputs[0], &lengths = p.inputs[1];
    const auto type = device_type(x.type()), length_type = index_type(lengths.type());
    if (type.empty())
        return lowered::refuse("type " + x.type_string());
    if (length_type.empty())
        return lowered::refuse("lengths of type " + lengths.type_string());
    const bool timeless = p.output.ndim() < x.ndim(), directed = x.ndim() == 4;
    const auto rank = x.ndim();
    auto y = strides_of(p.output), from = strides_of(x);
    if (timeless)
        y.insert(y.begin(), 0);
    auto lens = lens_of(x);
    const auto steps = lens[0];
    if (timeless)
        lens[0] = 1;
    const auto time_step = from[0];
    from[0] = 0;
    sizes length(rank, 0), time(rank, 0), direction(rank, 0);
    length[directed ? 2 : 1] = int64_t(lengths.strides().back());
    time[0] = 1;
    if (directed)
        direction[1] = 1;
    box b{lens, {y, from, length, time, direction}};
    b.simplify();
    index_params params{b.is_large() or time_step * steps >= int64_t{1} << 30};
    params.add(b);
    params.add(time_step);
    params.add(steps);
    params.add(
        int64_t(p.op.has_attribute("direction") and
                op::rnn_direction(p.op.get<int>("direction")) == op::rnn_direction::reverse));
    params.add(b.elements());
    generated g;
    g.name = g.entry = "sequences";
    g.source = entry_text("sequences.cuh", g.entry,
                          str("const ", type, "* x, const ", length_type, "* lengths, ", type,
                              "* y, const sequence_params<", b.rank(), ", ", params.type(), "> p"),
                          str("move_sequences<sequence_move::", move, ">(y, x, lengths, p);"));
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    return one_launch(p, std::move(g));
}

lowered last(const device_problem& p) {
    if (p.inputs[0].elements() == 0)
        return lowered::refuse("no states");
    return moved(p, "last");
}
lowered to_start(const device_problem& p) {
    return moved(p, "to_start");
}
lowered to_end(const device_problem& p) {
    return moved(p, "to_end");
}

const implementations last_choices{{"rnn_var_sl_last_output"}, {{"sequences", last}}};
const implementations start_choices{{"rnn_var_sl_shift_output"}, {{"sequences", to_start}}};
const implementations end_choices{{"rnn_var_sl_shift_sequence"}, {{"sequences", to_end}}};

} // namespace

} // namespace migraphx::gpu
