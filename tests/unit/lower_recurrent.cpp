// SPDX-License-Identifier: MIT
#include "lower_support.hpp"

using namespace lower_check;

namespace {

struct layer {
    const char* name;
    std::size_t gates;
};

value direction_of(std::size_t directions, bool reverse) {
    return directions == 2 ? value(2) : value(reverse ? 1 : 0);
}

void check_layer(const layer& kind, std::size_t steps, std::size_t batch, std::size_t inputs,
                 std::size_t hidden, std::size_t directions, bool reverse, value attributes,
                 bool constant, bool all_inputs) {
    attributes["hidden_size"] = hidden;
    attributes["direction"] = direction_of(directions, reverse);
    std::vector<argument> in{noise(of({steps, batch, inputs}), 1),
                             noise(of({directions, kind.gates * hidden, inputs}), 2),
                             noise(of({directions, kind.gates * hidden, hidden}), 3)};
    // Keep products within the range where the activations are not flat.
    for (std::size_t i = 1; i < 3; ++i) {
        auto* p = reinterpret_cast<float*>(in[i].data());
        for (std::size_t j = 0; j < in[i].get_shape().elements(); ++j)
            p[j] *= 0.3f;
    }
    check_options options;
    if (constant)
        options.constants = {1, 2, 3};
    if (all_inputs) {
        in.push_back(noise(of({directions, 2 * kind.gates * hidden}), 4));
        in.push_back(argument{shape{}});
        in.push_back(noise(of({directions, batch, hidden}), 5));
        if (kind.gates == 4) {
            in.push_back(noise(of({directions, batch, hidden}), 6));
            in.push_back(noise(of({directions, 3 * hidden}), 7));
        }
    }
    options.compiled = constant;
    for (const auto* suffix : {"", "_all"}) {
        check_lowered(make_op(std::string(kind.name) + suffix, attributes), in, options);
        auto other = in;
        other[0] = scattered(other[0]);
        if (all_inputs)
            other[5] = scattered(other[5]);
        check_lowered(make_op(std::string(kind.name) + suffix, attributes), other, options);
    }
}

TEST(lower_recurrent, layers) {
    const layer kinds[] = {{"lstm", 4}, {"gru", 3}, {"rnn", 1}};
    for (const auto& kind : kinds)
        for (std::size_t directions : {1, 2})
            for (bool constant : {true, false})
                for (bool all : {true, false}) {
                    check_layer(kind, 5, 3, 7, 9, directions, all, value::object{}, constant, all);
                    check_layer(kind, 1, 1, 16, 32, directions, all, value::object{}, constant,
                                all);
                    check_layer(kind, 6, 30, 5, 8, directions, false, value::object{}, constant,
                                all);
                }
}

TEST(lower_recurrent, attributes) {
    check_layer({"gru", 3}, 4, 2, 6, 10, 2, false, {{"linear_before_reset", 1}}, true, true);
    check_layer({"gru", 3}, 4, 2, 6, 10, 1, true, {{"clip", 0.5f}}, true, true);
    check_layer({"lstm", 4}, 4, 2, 6, 10, 1, true, {{"input_forget", 1}, {"clip", 0.7f}}, true,
                true);
    const auto functions = migraphx::to_value(
        std::vector<operation>{make_op("relu"), make_op("rnn_hard_sigmoid"), make_op("tanh")});
    check_layer({"lstm", 4}, 4, 2, 6, 10, 2, false, {{"actv_func", functions}}, true, true);
}

} // namespace
