// SPDX-License-Identifier: MIT
// Signals: window functions, Fourier transforms, mel scale.
#include <migraphx/make_op.hpp>

#include "import/onnx/ops_shared.hpp"
#include "ir/constant_value.hpp"

#include <cmath>
#include <numbers>

namespace migraphx::onnx {

namespace {

using ints = std::vector<int64_t>;

constexpr int64_t most_numbers = int64_t{1} << 26; // of a tensor made at import

// Input `i` when it is one integer that is known at import; nullopt when only a run gives it.
std::optional<int64_t> known_number(node_reader& n, std::size_t i) {
    const auto v = n.constant_ints(i);
    if (v and v->size() != 1)
        n.malformed(str("one number was expected for input ", i, ", got ", v->size()));
    return v ? std::optional(v->front()) : std::nullopt;
}

instruction_ref int64_number(node_reader& n, std::size_t i) {
    return n.convert(n.input(i), shape::int64_type);
}

// first, first + step ... up to but without limit, all of one int64.
instruction_ref range(node_reader& n, instruction_ref first, instruction_ref limit,
                      instruction_ref step) {
    return n.add("dynamic_range", first, limit, step);
}

// Cosine windows: a0 - a1 cos(2 pi i / m) + a2 cos(4 pi i / m), m = size when periodic, else size
// - 1.
struct cosine_window {
    double a0 = 0.5, a1 = 0.5, a2 = 0;
    bool periodic = true;

    explicit cosine_window(node_reader& n) : periodic(n.integer("periodic", 1) != 0) {
        if (n.op_type() == "HammingWindow") {
            a0 = 25.0 / 46;
            a1 = 1 - a0;
        } else if (n.op_type() == "BlackmanWindow") {
            a0 = 0.42;
            a2 = 0.08;
        }
    }
    std::vector<double> values(std::size_t count) const {
        const double period = std::max(double(count) - (periodic ? 0 : 1), 1.0);
        std::vector<double> v(count);
        for (std::size_t i = 0; i < count; i++) {
            const double angle = 2 * std::numbers::pi * double(i) / period;
            v[i] = a0 - a1 * std::cos(angle) + a2 * std::cos(2 * angle);
        }
        return v;
    }
    // The same for a size that a run gives.
    instruction_ref values(node_reader& n, instruction_ref size) const {
        const auto zero = n.scalar(shape::int64_type, 0), one = n.scalar(shape::int64_type, 1);
        const auto i = n.convert(range(n, zero, size, one), shape::double_type);
        const auto count = n.convert(size, shape::double_type);
        const auto period = n.with_number("max", n.with_number("sub", count, periodic ? 0 : 1), 1);
        const auto turns = n.add("div", i, n.broadcast_like(period, i));
        const auto term = [&](double factor, double frequency) {
            const auto angle = n.with_number("mul", turns, frequency * 2 * std::numbers::pi);
            return n.with_number("mul", n.add("cos", angle), factor);
        };
        const auto y = n.with_number("add", term(-a1, 1), a0);
        return a2 == 0 ? y : n.add("add", y, term(a2, 2));
    }
};

instructions read_window(node_reader& n) {
    n.expect_inputs(1, 1);
    const cosine_window window(n);
    const auto t = type_attribute(n, "output_datatype", shape::float_type);
    const auto size = known_number(n, 0);
    if (not size)
        return {n.convert(window.values(n, int64_number(n, 0)), t)};
    if (*size < 0 or *size > most_numbers)
        n.malformed(str("a size that fits the memory was expected, got ", *size));
    const auto count = std::size_t(*size);
    return {n.literal(migraphx::literal{shape{t, {count}}, window.values(count)})};
}

// Before opset 20 the axis is an attribute.
instructions read_dft(node_reader& n) {
    n.expect_inputs(1, n.opset() < 20 ? 2 : 3);
    const auto axis =
        n.has(2) ? known_number(n, 2) : std::optional(n.opset() < 20 ? n.integer("axis", 1) : -2);
    const auto length = known_number(n, 1);
    value o = value::object{};
    o["axis"] = axis ? n.axis(*axis, n.rank_of(0)) : 0;
    o["inverse"] = n.integer("inverse", 0) != 0;
    o["onesided"] = n.integer("onesided", 0) != 0;
    if (length)
        o["length"] = *length;
    instructions in{n.input(0)};
    const bool run_length = n.has(1) and not length;
    if (run_length or not axis)
        in.push_back(run_length ? n.input(1) : n.add("undefined"));
    if (not axis)
        in.push_back(n.input(2));
    return {n.add(make_op("dft", o), in)};
}

// Frames of the signal (B, L, 1 or 2), `step` apart, each times the window and transformed.
class frames {
public:
    explicit frames(node_reader& reader) : n(reader), signal(reader.input(0)) {
        if (n.rank_of(0) == 2)
            signal = n.add(make_op("unsqueeze", {{"axes", {2}}}), {signal});
        if (signal->get_shape().ndim() != 3)
            n.malformed(str("a signal (batch, length, 1 or 2) was expected, got ", n.shape_of(0)));
        if (n.has(2) and n.rank_of(2) != 1)
            n.malformed(str("a window of one dimension was expected, got ", n.shape_of(2)));
    }
    // (B, frames, frame length, 1 or 2)
    instruction_ref read() {
        const auto positions = known_positions();
        auto x = n.add(make_op("gather", {{"axis", 1}}),
                       {signal, positions ? *positions : run_positions()});
        if (n.has(2)) {
            const auto window = n.convert(n.along_axis(n.input(2), 2, 4), x->get_shape().type());
            x = n.add_common("mul", {x, window});
        }
        return x;
    }

private:
    static std::optional<int64_t> fixed_size(const shape& s, std::size_t axis) {
        const auto lo = s.min_lens()[axis], hi = s.max_lens()[axis];
        return lo == hi ? std::optional(int64_t(hi)) : std::nullopt;
    }
    // Where the samples of each frame are: first sample of each as a column, plus 0, 1 ...
    instruction_ref spread(instruction_ref starts, instruction_ref samples) {
        return n.add_common("add", {n.along_axis(starts, 0, 2), n.along_axis(samples, 1, 2)});
    }
    // When all sizes are known at import.
    std::optional<instruction_ref> known_positions() {
        const auto total = fixed_size(signal->get_shape(), 1), step = known_number(n, 1);
        auto length = total;
        if (n.has(3))
            length = known_number(n, 3);
        else if (n.has(2))
            length = fixed_size(n.shape_of(2), 0);
        if (step and *step < 1)
            n.malformed(str("a frame_step of 1 or more was expected, got ", *step));
        if (not total or not step or not length)
            return std::nullopt;
        if (*length < 1 or *length > *total)
            n.malformed(str("a frame length from 1 to ", *total, " was expected, got ", *length));
        const auto count = (*total - *length) / *step + 1;
        if (count > most_numbers / *length)
            n.unsupported(
                str("frames that fit the memory were expected, got ", count, " of ", *length));
        const auto counted = [&](int64_t size, int64_t by) {
            ints v(static_cast<std::size_t>(size));
            for (std::size_t i = 0; i < v.size(); i++)
                v[i] = int64_t(i) * by;
            return n.literal(migraphx::literal{shape{shape::int64_type, {v.size()}}, v});
        };
        return spread(counted(count, *step), counted(*length, 1));
    }
    // Starts 0, step ... as long as a whole frame follows.
    instruction_ref run_positions() {
        const auto size_of = [&](instruction_ref x, std::size_t axis) {
            const auto d =
                n.add(make_op("dimensions_of", {{"start", axis}, {"end", axis + 1}}), {x});
            return n.to_scalar(d);
        };
        const auto zero = n.scalar(shape::int64_type, 0), one = n.scalar(shape::int64_type, 1);
        const auto total = size_of(signal, 1);
        const auto length = n.has(3)   ? int64_number(n, 3)
                            : n.has(2) ? size_of(n.input(2), 0)
                                       : total;
        const auto limit = n.add("add", n.add("sub", total, length), one);
        return spread(range(n, zero, limit, int64_number(n, 1)), range(n, zero, length, one));
    }

    node_reader& n;
    instruction_ref signal;
};

instructions read_stft(node_reader& n) {
    n.expect_inputs(2, 4);
    const auto x = frames(n).read();
    return {n.add(make_op("dft", {{"axis", 2}, {"onesided", n.integer("onesided", 1) != 0}}), {x})};
}

instructions read_mel_weight_matrix(node_reader& n) {
    n.expect_inputs(5, 5);
    const auto t = type_attribute(n, "output_datatype", shape::float_type);
    instructions in = n.inputs();
    for (auto& x : in)
        x = n.to_scalar(x);
    const auto y = n.add(make_op("mel_weight_matrix", {{"dtype", t}}), in);
    const auto bins = known_number(n, 0), length = known_number(n, 1);
    const bool small = bins and length and *bins >= 0 and *length >= 0 and
                       *length < most_numbers and *bins < most_numbers / (*length / 2 + 1);
    if (small and n.constant(2) and n.constant(3) and n.constant(4))
        if (const auto v = constant_value(y))
            return {n.literal(migraphx::literal::adopt(*v))};
    return {y};
}

const operators signal_operators{{"HannWindow", read_window},
                                 {"HammingWindow", read_window},
                                 {"BlackmanWindow", read_window},
                                 {"DFT", read_dft},
                                 {"STFT", read_stft},
                                 {"MelWeightMatrix", read_mel_weight_matrix}};

} // namespace

} // namespace migraphx::onnx
