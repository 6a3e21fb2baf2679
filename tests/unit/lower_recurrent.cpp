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

// Steps that threads share, and the smallest ones around.
TEST(lower_recurrent, shared_steps) {
    const value linear{{"linear_before_reset", 1}};
    for (std::size_t directions : {1, 2})
        for (std::size_t batch : {1, 3, 8})
            for (std::size_t hidden : {40, 134}) {
                check_layer({"gru", 3}, 5, batch, 9, hidden, directions, false, linear, true, true);
                check_layer({"lstm", 4}, 5, batch, 9, hidden, directions, true, value::object{},
                            true, directions == 1);
            }
}

TEST(lower_recurrent, threads_do_not_change_results) {
    const std::size_t steps = 12, hidden = 160;
    const auto x = noise(of({steps, 1, 8}), 1);
    std::vector<argument> results;
    for (std::size_t threads : {1, 2, 3}) {
        program p;
        auto* m = p.get_main_module();
        auto small = [&](const std::vector<std::size_t>& sizes, unsigned seed) {
            auto a = noise(of(sizes), seed);
            for (std::size_t i = 0; i < a.get_shape().elements(); ++i)
                reinterpret_cast<float*>(a.data())[i] *= 0.2f;
            return m->add_literal(literal(a.get_shape(), a.data()));
        };
        const auto in = m->add_parameter("x", x.get_shape());
        const auto w = small({1, 4 * hidden, 8}, 2), r = small({1, 4 * hidden, hidden}, 3);
        m->add_return({m->add_instruction(make_op("lstm", {{"hidden_size", hidden}}), in, w, r)});
        compile_options options;
        options.num_threads = threads;
        p.compile(make_target("cpu"), options);
        results.push_back(p.eval({{"x", x}}).front());
        EXPECT_EQ(results.front(), results.back()) << threads;
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
