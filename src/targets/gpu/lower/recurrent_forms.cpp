// SPDX-License-Identifier: MIT
#include "targets/gpu/lower/recurrent_forms.hpp"

#include "base/str.hpp"

#include <algorithm>
#include <cstdio>
#include <string_view>
#include <utility>

namespace migraphx::gpu {

namespace {

int64_t div_up(int64_t x, int64_t y) {
    return (x + y - 1) / y;
}

// Weights that a thread can hold beside what else it needs.
int64_t most_weights(int64_t threads, std::size_t sum) {
    constexpr int64_t registers = 65536, most = 255, others = 80, enough = 128;
    const auto left = std::min(most, registers / threads) - others;
    return std::min(enough, left / int64_t(sum / 4));
}

std::optional<recurrent_layout> layout_of(const recurrent_sizes& s, const device_properties& on,
                                          int cluster, int parts) {
    recurrent_layout l;
    l.cluster = cluster;
    l.parts = parts;
    l.units = int(div_up(s.hidden, cluster));
    l.weights = int(div_up(div_up(s.hidden, parts), 4) * 4);
    const auto sums = s.gates * l.units;
    const auto threads = div_up(sums * parts, 32) * 32;
    constexpr int64_t most_threads = 512;
    if (threads > most_threads or l.weights > most_weights(threads, s.sum))
        return std::nullopt;
    l.threads = int(threads);
    const auto clusters =
        std::max<int64_t>(1, on.multiprocessors / (int64_t(cluster) * s.directions));
    l.rows = std::max<int64_t>(1, div_up(s.batch, clusters));
    // As recurrent_layer::row_numbers says.
    const auto numbers = (s.two_phases ? 3 : 2) * int64_t(l.weights) * parts + sums + l.units;
    const auto bytes_of_row = std::size_t(numbers) * s.sum;
    l.rows = std::min(l.rows, int64_t(on.shared / bytes_of_row));
    l.shared = std::size_t(l.rows) * bytes_of_row;
    if (l.rows == 0)
        return std::nullopt;
    return l;
}

// Cycles of a step, roughly: reads of the state by all warps, the sum over a gate's threads, the
// meeting of the blocks.
int64_t cost_of(const recurrent_layout& l) {
    int64_t levels = 0;
    while ((1 << levels) < l.parts)
        levels++;
    const int64_t reads = l.threads / 32 * l.weights / 4 * std::max(1, l.parts / 8);
    const int64_t meeting = l.cluster > 1 ? 250 : 30;
    return l.rows * (reads + 25 * levels) + meeting;
}

} // namespace

std::string recurrent_layout::text() const {
    return str(cluster, ", ", units, ", ", parts, ", ", weights);
}

std::optional<recurrent_layout> choose_recurrent_layout(const recurrent_sizes& s,
                                                        const device_properties& on,
                                                        int largest_cluster) {
    std::optional<recurrent_layout> best;
    for (int cluster = 1; cluster <= largest_cluster; cluster *= 2)
        for (int parts = 1; parts <= 32; parts *= 2)
            if (const auto l = layout_of(s, on, cluster, parts);
                l and (not best or cost_of(*l) < cost_of(*best)))
                best = l;
    return best;
}

namespace {

std::string exact(double x) {
    char text[48];
    std::snprintf(text, sizeof(text), "%a", x);
    return text;
}

} // namespace

std::string activation_text(const operation& op) {
    static const std::pair<const char*, const char*> rows[] = {
        {"sigmoid", "A(1) / (A(1) + exp(-x))"},
        {"tanh", "tanh(x)"},
        {"relu", "x > A(0) ? x : A(0)"},
        {"rnn_affine", "alpha * x + beta"},
        {"leaky_relu", "x > A(0) ? x : alpha * x"},
        {"rnn_thresholded_relu", "x > alpha ? x : A(0)"},
        {"rnn_scaled_tanh", "alpha * tanh(beta * x)"},
        {"rnn_hard_sigmoid", "least(A(1), greatest(A(0), alpha * x + beta))"},
        {"elu", "x > A(0) ? x : alpha * expm1(x)"},
        {"rnn_softsign", "x / (A(1) + fabs(x))"},
        {"rnn_softplus", "log1p(exp(-fabs(x))) + greatest(x, A(0))"}};
    for (const auto& [name, text] : rows)
        if (op.name() == name) {
            const auto number = [&](const char* attribute) {
                return op.has_attribute(attribute) ? double(op.get<float>(attribute)) : 0.0;
            };
            std::string constants;
            for (const auto* coefficient : {"alpha", "beta"})
                if (std::string_view(text).find(coefficient) != std::string_view::npos)
                    constants += str("const A ", coefficient, " = static_cast<A>(",
                                     exact(number(coefficient)), "); ");
            return constants + "return " + text + ";";
        }
    return "";
}

} // namespace migraphx::gpu
