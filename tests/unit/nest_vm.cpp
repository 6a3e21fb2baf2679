// SPDX-License-Identifier: MIT
// The tile machine of every level against the interpreter: shapes, layouts, types, conversions,
// compositions, aliasing, threads.
#include "nest_support.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

using namespace nest_test;

namespace {

// A chain, a function, a comparison and a select over two inputs; three outputs of two types.
nest mixed_nest(const dims& lens, const std::vector<dims>& in, const dims& out) {
    nest_builder b(lens);
    const int x = b.input(shape::float_type, in[0]);
    const int y = b.input(shape::float_type, in[1]);
    const int sum = b.op("add", {r(x), r(y)});
    const int scaled = b.op("mul", {r(sum), imm(0.25)});
    const int t = b.op("tanh", {r(scaled)});
    const int positive = b.op("greater", {r(x), r(y)});
    const int chosen = b.op("where", {r(positive), r(t), r(scaled)});
    const int down = b.op("sub", {imm(1), r(chosen)});
    const int as_int = b.convert(sum, shape::int32_type);
    b.output(down, out);
    b.output(as_int, out);
    b.output(t, out);
    return b.finish();
}

void check_layout(const dims& lens, const std::vector<dims>& in, const dims& out) {
    std::mt19937 random(7);
    run_case c(mixed_nest(lens, in, out));
    c.randomise(random, -5, 5);
    check_case(c, 8, 1, "layout");
}

const std::vector<double> special_values = {
    0.0,   -0.0,  1,   -1,    0.5,   -0.5,  1.5,   2.5,    -2.5,   100,
    -100,  127.6, 128, 255.5, 256,   -129,  32768, -32769, 65504,  65520,
    70000, 1e9,   3e9, 5e9,   -3e9,  1e19,  -1e19, 3e38,   1e-40,  -1e-40,
    6e-8,  1e-3,  448, 464,   57344, 61440, 240,   249,    0.0019, 2147483520.0};

void fill_special(buffer& b) {
    const double inf = std::numeric_limits<double>::infinity();
    b.set_all([&](std::size_t i) {
        const std::size_t k = i % (special_values.size() + 3);
        const double v = k < special_values.size()        ? special_values[k]
                         : k == special_values.size()     ? inf
                         : k == special_values.size() + 1 ? -inf
                                                          : std::nan("");
        const double whole = std::isnan(v) ? 3 : std::clamp(v, -9e18, 9e18);
        return scalar_value{v, int64_t(whole)};
    });
}

} // namespace

TEST(nest_vm, sizes_around_the_vector_width) {
    for (int64_t n : {1,  2,  3,  4,  5,   7,   8,   9,   13,   15,   16,   17,   31,
                      33, 49, 63, 65, 127, 128, 129, 255, 1023, 2049, 4095, 4097, 9001})
        check_layout({n}, {{1}, {1}}, {1});
}

TEST(nest_vm, broadcasts_and_strides) {
    for (int64_t inner : {1, 3, 7, 49, 196, 511, 512, 700, 1500}) {
        const dims lens = {3, 5, inner};
        const dims packed = row_major(lens);
        check_layout(lens, {packed, packed}, packed);
        check_layout(lens, {packed, {0, 0, 1}}, packed);
        check_layout(lens, {packed, {0, 1, 0}}, packed);
        check_layout(lens, {packed, {5, 1, 0}}, packed);
        check_layout(lens, {packed, {1, 0, 0}}, packed);
        check_layout(lens, {packed, {0, 0, 0}}, packed);
        check_layout(lens, {{0, 0, 0}, {0, 0, 0}}, packed);
        check_layout(lens, {{0, 1, 0}, {0, 1, 0}}, packed);
        check_layout(lens, {packed, {inner, 0, 1}}, packed);
        check_layout(lens, {{10 * inner, 2 * inner, 2}, packed}, packed);
        check_layout(lens, {packed, {1, 3, 15}}, packed);
        check_layout(lens, {packed, packed}, {1, 3, 15});
        check_layout(lens, {packed, packed}, {5 * inner + 11, inner + 2, 1});
        check_layout(lens, {packed, packed}, {10 * inner, 2 * inner, 2});
        check_layout(lens, {{-5 * inner, -inner, -1}, packed}, packed);
        check_layout(lens, {{5 * (inner + 3), inner + 3, 1}, {0, 1, 0}}, packed);
    }
    check_layout({}, {{}, {}}, {});
    check_layout({1, 1}, {{0, 0}, {4, 1}}, {1, 1});
    check_layout({4, 0, 3}, {{0, 3, 1}, {0, 3, 1}}, {0, 3, 1});
    check_layout({2, 3, 2, 5, 3}, {{90, 30, 15, 3, 1}, {0, 1, 0, 3, 0}}, {90, 30, 15, 3, 1});
    check_layout({2, 3, 2, 5, 600}, {row_major({2, 3, 2, 5, 600}), {0, 600, 0, 1800, 1}},
                 row_major({2, 3, 2, 5, 600}));
}

TEST(nest_vm, inputs_that_run_across_the_rows) {
    check_layout({40, 130}, {{130, 1}, {1, 40}}, {130, 1});
    check_layout({67, 1030}, {{1, 67}, {0, 1}}, {1030, 1});
    check_layout({33, 1009}, {{1, 33}, {1, 33}}, {1009, 1});
    check_layout({3, 35, 96}, {{3360, 96, 1}, {3360, 1, 35}}, {3360, 96, 1});
    check_layout({3, 50, 3}, {{150, 1, 50}, {0, 0, 1}}, {150, 3, 1});
    check_layout({6, 4, 520}, {{1, 3120, 6}, {2080, 520, 1}}, {2080, 520, 1});
    std::mt19937 random(6);
    for (shape::type_t type : all_types()) {
        nest_builder b({70, 90});
        const int x = b.input(type, {1, 70});
        const int y = b.input(type, {90, 1});
        b.output(b.op("max", {r(x), r(y)}), {90, 1});
        run_case c(b.finish());
        c.randomise(random, 0, 100);
        check_case(c, 0, 1, shape(type).type_string());
    }
}

TEST(nest_vm, every_type) {
    std::mt19937 random(11);
    for (shape::type_t type : all_types()) {
        for (const dims& lens : {dims{517}, dims{7, 33}}) {
            nest_builder b(lens);
            const int x = b.input(type, row_major(lens));
            const int y = b.input(type, lens.size() == 1 ? dims{0} : dims{0, 1});
            const int sum = b.op("add", {r(x), r(y)});
            const int product = b.op("mul", {r(x), r(y)});
            const int larger = b.op("max", {r(sum), r(product)});
            const int less = b.op("less", {r(x), r(y)});
            const int chosen = b.op("where", {r(less), r(sum), r(product)});
            const int clipped = b.op("clip", {r(x), r(y), r(sum)});
            const int distance = b.op("abs", {r(b.op("sub", {r(x), r(y)}))});
            const int quotient = b.op("div", {r(x), r(y)});
            const int zero = b.op("not", {r(x)});
            for (int reg :
                 {sum, product, larger, less, chosen, clipped, distance, quotient, zero, x})
                b.output(reg, row_major(lens));
            run_case c(b.finish());
            c.randomise(random, is_real(type) ? -3 : 0, 100);
            check_case(c, 2, 1, shape(type).type_string());
        }
    }
}

TEST(nest_vm, narrow_integers_wrap) {
    std::mt19937 random(5);
    for (shape::type_t type : {shape::int8_type, shape::uint8_type, shape::int16_type,
                               shape::uint16_type, shape::int32_type, shape::uint32_type}) {
        nest_builder b({300});
        const int x = b.input(type, {1});
        const int y = b.input(type, {1});
        const int cube = b.op("mul", {r(b.op("mul", {r(x), r(x)})), r(y)});
        const int far = b.op("sub", {r(cube), r(y)});
        b.output(far, {1});
        b.output(b.op("div", {r(far), r(y)}), {1});
        b.output(b.op("greater", {r(far), r(x)}), {1});
        b.output(b.convert(far, shape::float_type), {1});
        b.output(b.op("mod", {r(far), r(y)}), {1});
        run_case c(b.finish());
        c.randomise(random, -2e9, 2e9);
        check_case(c, 0, 1, shape(type).type_string());
    }
}

TEST(nest_vm, every_conversion) {
    for (shape::type_t from : all_types()) {
        for (shape::type_t to : all_types()) {
            for (bool through_registers : {false, true}) {
                nest_builder b({200});
                const int x = b.input(from, {1});
                const int source = through_registers ? b.op("max", {r(x), r(x)}) : x;
                const int y = b.convert(source, to);
                b.output(y, {1});
                if (through_registers and to != shape::bool_type) {
                    b.output(b.op("abs", {r(y)}), {1});
                    b.output(b.convert(y, shape::double_type), {1});
                }
                run_case c(b.finish());
                fill_special(c.inputs[0]);
                check_case(c, 0, 1, shape(from).type_string() + " to " + shape(to).type_string());
            }
        }
    }
}

TEST(nest_vm, loads_and_stores_of_half_and_bf16_are_exact) {
    for (shape::type_t type : {shape::half_type, shape::bf16_type}) {
        nest_builder b({65536});
        const int x = b.input(type, {1});
        b.output(b.op("neg", {r(x)}), {1});
        b.output(b.convert(x, shape::float_type), {1});
        run_case c(b.finish());
        for (int i = 0; i < 65536; ++i) {
            const auto bits = uint16_t(i);
            std::memcpy(c.inputs[0].begin() + 2 * i, &bits, 2);
        }
        check_case(c, 0, 1, shape(type).type_string());
    }
    std::mt19937 random(3);
    for (shape::type_t type : {shape::half_type, shape::bf16_type, shape::fp8e4m3fn_type}) {
        nest_builder b({20000});
        const int x = b.input(shape::float_type, {1});
        b.output(b.convert(x, type), {1});
        b.output(b.convert(b.convert(x, type), shape::float_type), {1});
        run_case c(b.finish());
        c.inputs[0].set_all([&](std::size_t) {
            const double size = std::ldexp(1.0, int(random() % 60) - 40);
            return scalar_value{double(float((double(random()) / 0x1p31 - 1) * size)), 0};
        });
        check_case(c, 0, 1, shape(type).type_string());
    }
}

TEST(nest_vm, conditions_of_any_type) {
    for (shape::type_t condition : all_types()) {
        for (shape::type_t type : {shape::float_type, shape::double_type, shape::int64_type,
                                   shape::half_type, shape::bool_type, shape::int8_type}) {
            nest_builder b({130});
            const int c = b.input(condition, {1});
            const int x = b.input(type, {1});
            b.output(b.op("where", {r(c), r(x), imm_int(1)}), {1});
            b.output(b.op("isnan", {r(c)}), {1});
            b.output(b.op("isinf", {r(c)}), {1});
            run_case k(b.finish());
            fill_special(k.inputs[0]);
            fill_special(k.inputs[1]);
            check_case(k, 0, 1,
                       shape(condition).type_string() + " for " + shape(type).type_string());
        }
    }
}

namespace {

void expect_one_call(const nest& n, const std::string& name) {
    for (isa level : nest_levels()) {
        const std::string listing = migraphx::cpu::compile_nest(n, level)->listing;
        const auto body = listing.substr(listing.find('\n') + 1);
        EXPECT_EQ(body, name + " to memory\n");
    }
    std::mt19937 random(1);
    run_case c(n);
    c.randomise(random, -6, 6);
    check_case(c, 16, 0.1, name);
}

nest gelu_nest(int form) {
    nest_builder b({3000});
    const int x = b.input(shape::float_type, {1});
    const int scaled = form % 2 == 0 ? b.op("mul", {r(x), imm(std::sqrt(0.5))})
                                     : b.op("div", {r(x), imm(std::sqrt(2))});
    const int e = b.op("erf", {r(scaled)});
    const int gate = form % 2 == 0 ? b.op("add", {r(e), imm(1)}) : b.op("add", {imm(1), r(e)});
    int y = 0;
    switch (form / 2) {
    case 0:
        y = b.op("mul", {r(b.op("mul", {r(x), r(gate)})), imm(0.5)});
        break;
    case 1:
        y = b.op("mul", {r(x), r(b.op("mul", {r(gate), imm(0.5)}))});
        break;
    case 2:
        y = b.op("mul", {r(b.op("mul", {imm(0.5), r(x)})), r(gate)});
        break;
    default:
        y = b.op("mul", {imm(0.5), r(b.op("mul", {r(gate), r(x)}))});
        break;
    }
    b.output(y, {1});
    return b.finish();
}

} // namespace

TEST(nest_vm, compositions_become_one_call) {
    for (int form = 0; form < 8; ++form)
        expect_one_call(gelu_nest(form), "gelu_erf");
    {
        nest_builder b({1000});
        const int x = b.input(shape::float_type, {1});
        b.output(b.op("mul", {r(x), r(b.op("sigmoid", {r(x)}))}), {1});
        expect_one_call(b.finish(), "silu");
    }
    {
        nest_builder b({1000}); // hard swish
        const int x = b.input(shape::float_type, {1});
        const int raised = b.op("add", {r(x), imm(3)});
        const int gate = b.op("clip", {r(raised), imm(0), imm(6)});
        const int y = b.op("mul", {r(x), r(gate)});
        b.output(b.op("div", {r(y), imm(6)}), {1});
        expect_one_call(b.finish(), "chain of 4");
    }
    {
        nest_builder b({1000}); // normalise, scale, shift, relu
        const int x = b.input(shape::float_type, {1});
        const int m = b.input(shape::float_type, {1});
        const int s = b.input(shape::float_type, {0});
        const int centred = b.op("sub", {r(x), r(m)});
        const int scaled = b.op("mul", {r(s), r(centred)});
        b.output(b.op("relu", {r(b.op("add", {r(m), r(scaled)}))}), {1});
        expect_one_call(b.finish(), "chain of 4");
    }
}

TEST(nest_vm, near_misses_stay_what_they_are) {
    std::mt19937 random(2);
    nest_builder b({700});
    const int x = b.input(shape::float_type, {1});
    const int other = b.input(shape::float_type, {1});
    const int e = b.op("erf", {r(b.op("mul", {r(x), imm(0.7)}))});
    const int gate = b.op("add", {r(e), imm(1)});
    b.output(b.op("mul", {r(b.op("mul", {r(x), r(gate)})), imm(0.5)}), {1});
    const int e2 = b.op("erf", {r(b.op("mul", {r(x), imm(std::sqrt(0.5))}))});
    const int gate2 = b.op("add", {r(e2), imm(1)});
    b.output(b.op("mul", {r(b.op("mul", {r(other), r(gate2)})), imm(0.5)}), {1});
    b.output(b.op("mul", {r(x), r(b.op("sigmoid", {r(other)}))}), {1});
    run_case c(b.finish());
    c.randomise(random, -3, 3);
    check_case(c, 16, 0.1, "near misses");
}

TEST(nest_vm, powers) {
    std::mt19937 random(2);
    nest_builder b({900});
    const int x = b.input(shape::float_type, {1});
    for (double y : {-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 2.5})
        b.output(b.op("pow", {r(x), imm(y)}), {1});
    b.output(b.op("pow", {imm(2), r(x)}), {1});
    run_case c(b.finish());
    c.randomise(random, -4, 4);
    c.inputs[0].set(0, {0.0, 0});
    c.inputs[0].set(1, {-0.0, 0});
    c.inputs[0].set(2, {-std::numeric_limits<double>::infinity(), 0});
    c.inputs[0].set(3, {std::numeric_limits<double>::infinity(), 0});
    c.inputs[0].set(4, {std::nan(""), 0});
    check_case(c, 4, 0, "pow");
}

TEST(nest_vm, an_output_may_be_an_input) {
    for (const dims& lens : {dims{5000}, dims{40, 50}}) {
        nest_builder b(lens);
        const dims packed = row_major(lens);
        const int x = b.input(shape::float_type, packed);
        const int bias = b.input(shape::float_type, lens.size() == 1 ? dims{0} : dims{0, 1});
        const int up = b.op("add", {r(x), r(bias)});
        b.output(up, packed);                          // into x
        b.output(b.op("mul", {r(x), imm(3)}), packed); // reads x afterwards
        b.output(x, packed);                           // a copy of x
        run_case c(b.finish());
        std::mt19937 random(9);
        c.randomise(random, -5, 5);
        const auto want = c.interpreted();
        for (isa level : nest_levels()) {
            run_case copy = c;
            const auto plan = migraphx::cpu::compile_nest(c.n, level);
            const std::vector<const void*> in = copy.input_pointers();
            const std::vector<void*> out = {copy.inputs[0].data(), copy.outputs[1].data(),
                                            copy.outputs[2].data()};
            migraphx::cpu::run_nest(*plan, in.data(), out.data());
            expect_close(copy.inputs[0], want[0], 1, 1, "in place");
            expect_close(copy.outputs[1], want[1], 1, 1, "reads what is overwritten");
            expect_close(copy.outputs[2], want[2], 0, 1, "copies what is overwritten");
        }
    }
}

TEST(nest_vm, random_programs_of_exact_operators) {
    const std::vector<shape::type_t> types = {
        shape::float_type,  shape::int32_type, shape::int8_type,  shape::bool_type,
        shape::double_type, shape::half_type,  shape::int64_type, shape::uint8_type};
    const std::vector<const char*> names = {
        "add",  "sub",         "max",   "min", "abs",  "neg",  "mul",   "where", "clip",
        "less", "logical_and", "equal", "not", "sign", "relu", "floor", "prelu", "logical_xor"};
    std::mt19937 random(2024);
    for (int round = 0; round < 250; ++round) {
        const dims lens = round % 3 == 0 ? dims{int64_t(random() % 1300 + 1)}
                          : round % 3 == 1
                              ? dims{int64_t(random() % 9 + 1), int64_t(random() % 90 + 1)}
                              : dims{2, 3, int64_t(random() % 900 + 1)};
        nest_builder b(lens);
        std::vector<std::pair<int, shape::type_t>> regs;
        const int input_count = 2 + int(random() % 5);
        for (int i = 0; i < input_count; ++i) {
            const auto type = types[random() % types.size()];
            dims strides = row_major(lens);
            for (int64_t& s : strides)
                if (random() % 4 == 0)
                    s = 0;
            regs.emplace_back(b.input(type, strides), type);
        }
        const auto any = [&](shape::type_t type) {
            std::vector<int> fit;
            for (const auto& [reg, t] : regs)
                if (t == type)
                    fit.push_back(reg);
            return random() % 6 == 0 ? imm_int(int64_t(random() % 3))
                                     : r(fit[random() % fit.size()]);
        };
        for (int i = 0; i < 12; ++i) {
            const auto type = regs[random() % regs.size()].second;
            if (random() % 6 == 0) {
                const auto to = types[random() % types.size()];
                const auto from = regs[random() % regs.size()].first;
                regs.emplace_back(b.convert(from, to), to);
                continue;
            }
            const char* name = names[random() % names.size()];
            const auto* row = migraphx::find_pointwise_row(name);
            std::vector<nest_operand> operands;
            for (int k = 0; k < row->arity; ++k)
                operands.push_back(any(type));
            if (std::string(name) == "where")
                operands[0] = r(regs[random() % regs.size()].first);
            regs.emplace_back(b.op(name, operands, type), type);
        }
        for (int i = 0; i < 3; ++i)
            b.output(regs[regs.size() - 1 - random() % std::min<std::size_t>(regs.size(), 6)].first,
                     row_major(lens));
        run_case c(b.finish());
        c.randomise(random, 0, 4);
        for (buffer& in : c.inputs) // small whole numbers: all arithmetic on them is exact
            in.set_all([&](std::size_t) {
                const auto v = int64_t(random() % 5) - 2;
                return scalar_value{double(v), in.type == shape::bool_type ? int64_t(v > 0) : v};
            });
        check_case(c, 0.51, 0, "round " + std::to_string(round));
        if (HasFatalFailure())
            return;
    }
}

TEST(nest_vm, parts_and_threads_agree) {
    std::mt19937 random(4);
    for (const dims& lens : {dims{300000}, dims{300, 1000}, dims{3000, 100}}) {
        run_case c(mixed_nest(lens, {row_major(lens), lens.size() == 1 ? dims{0} : dims{1, 0}},
                              row_major(lens)));
        c.randomise(random, -3, 3);
        const auto plan = migraphx::cpu::compile_nest(c.n);
        const auto whole = c.run([&](const auto& in, const auto& out) {
            migraphx::cpu::run_nest(*plan, in.data(), out.data());
        });
        const auto parts = c.run([&](const auto& in, const auto& out) {
            std::vector<std::thread> threads;
            for (int t = 0; t < 3; ++t)
                threads.emplace_back([&, t] {
                    void* scratch = std::aligned_alloc(64, plan->scratch_bytes);
                    for (int64_t at = t * 997; at < plan->elements; at += 3 * 997)
                        migraphx::cpu::execute_nest(*plan, in.data(), out.data(), at,
                                                    std::min(at + 997, plan->elements), scratch);
                    std::free(scratch);
                });
            for (auto& t : threads)
                t.join();
        });
        for (std::size_t k = 0; k < whole.size(); ++k)
            EXPECT_EQ(whole[k].bytes, parts[k].bytes);
    }
}

TEST(nest_vm, many_live_values) {
    std::mt19937 random(4);
    nest_builder b({6, 50});
    std::vector<int> loads;
    for (int i = 0; i < 70; ++i)
        loads.push_back(b.input(shape::int16_type, {50, 1}));
    std::vector<int> halves;
    for (int reg : loads)
        halves.push_back(b.op("div", {r(reg), imm_int(2)}));
    int sum = halves.front();
    for (std::size_t i = 1; i < halves.size(); ++i)
        sum = b.op("add", {r(sum), r(halves[i])});
    b.output(sum, {50, 1});
    run_case c(b.finish());
    c.randomise(random, -900, 900);
    check_case(c, 0, 1, "many");
}

// What has run for as long as compiling costs gets generated code, without anybody waiting for it.
TEST(nest_vm, generated_code_takes_over) {
    if (not migraphx::cpu::jit_available())
        GTEST_SKIP() << "no code generator in this build";
    nest_builder b({40, 1000});
    const int x = b.input(shape::float_type, {1000, 1});
    const int bias = b.input(shape::float_type, {0, 1});
    const int t = b.op("tanh", {r(b.op("add", {r(x), r(bias)}))});
    b.output(b.op("mul", {r(t), r(x)}), {1000, 1});
    run_case c(b.finish());
    std::mt19937 random(8);
    c.randomise(random, -3, 3);
    const auto want = c.executed(migraphx::cpu::kernels_isa(), nest_backend::tiles);
    const auto plan =
        migraphx::cpu::compile_nest(c.n, migraphx::cpu::kernels_isa(), nest_backend::automatic);
    ASSERT_NE(plan->generated, nullptr);
    const auto run_once = [&] {
        const auto got = c.run([&](const auto& in, const auto& out) {
            migraphx::cpu::run_nest(*plan, in.data(), out.data());
        });
        expect_same_bits(got[0], want[0], "tiles, then generated code");
    };
    run_once();
    EXPECT_EQ(plan->generated->code->kernel.load(), nullptr);
    const auto start = std::chrono::steady_clock::now();
    while (plan->generated->code->kernel.load() == nullptr and
           std::chrono::steady_clock::now() - start < std::chrono::seconds(60))
        run_once();
    EXPECT_NE(plan->generated->code->kernel.load(), nullptr);
    run_once();
}

// Nests that differ in sizes, constants and outer strides only have one code.
TEST(nest_vm, one_code_for_one_form) {
    const auto made = [](const dims& lens, double factor, const dims& strides) {
        nest_builder b(lens);
        const int x = b.input(shape::float_type, strides);
        b.output(b.op("mul", {r(b.op("exp", {r(x)})), imm(factor)}), row_major(lens));
        return migraphx::cpu::compile_nest(b.finish(), migraphx::cpu::kernels_isa(),
                                           nest_backend::generated)
            ->generated->code;
    };
    EXPECT_EQ(made({7, 300}, 2, {400, 1}), made({3, 5, 64}, 0.5, {900, 100, 1}));
    EXPECT_NE(made({7, 300}, 2, {400, 1}), made({7, 300}, 2, {1000, 2}));
}

// A process may end while its compiler is being opened or at work.
TEST(nest_vm, a_process_ends_while_it_compiles) {
    if (not migraphx::cpu::jit_available())
        GTEST_SKIP() << "no code generator in this build";
    GTEST_FLAG_SET(death_test_style, "threadsafe"); // a process that has not opened the library yet
    for (int wait = 0; wait < 20; ++wait) {
        EXPECT_EXIT(
            {
                nest_builder b({40, 1000});
                const int x = b.input(shape::float_type, {1000, 1});
                b.output(b.op("tanh", {r(b.op("add", {r(x), imm(wait)}))}), {1000, 1});
                const auto plan = migraphx::cpu::compile_nest(
                    b.finish(), migraphx::cpu::kernels_isa(), nest_backend::automatic);
                migraphx::cpu::count_towards_code(plan->generated->code, 1e9);
                std::this_thread::sleep_for(std::chrono::milliseconds(wait));
                std::exit(0);
            },
            testing::ExitedWithCode(0), "")
            << wait << " ms";
    }
}

// Code travels in the artifacts of a program; what does not fit to the letter is not taken.
TEST(nest_vm, generated_code_is_saved) {
    if (not migraphx::cpu::jit_available())
        GTEST_SKIP() << "no code generator in this build";
    nest_builder b({3, 333});
    const int x = b.input(shape::float_type, {400, 1});
    b.output(b.op("add", {r(b.op("erf", {r(x)})), r(b.op("abs", {r(x)}))}), {333, 1});
    const nest n = b.finish();
    migraphx::artifact_store store;
    const auto plan = migraphx::cpu::compile_nest(n, migraphx::cpu::kernels_isa(),
                                                  nest_backend::automatic, &store);
    ASSERT_NE(plan->generated, nullptr);
    auto& first = *plan->generated->code;
    EXPECT_EQ(first.kernel.load(), nullptr);
    store.to_value();
    const auto saved = store.find(migraphx::cpu::saved_name(first));
    ASSERT_TRUE(saved);
    const std::vector<char> bytes(saved->begin(), saved->end());

    migraphx::cpu::jit_code other;
    other.form = first.form;
    other.key = first.key;
    const auto takes = [&](std::vector<char> changed) {
        return migraphx::cpu::take_saved(other, changed.data(), changed.size());
    };
    EXPECT_FALSE(takes({}));
    EXPECT_FALSE(takes({bytes.begin(), bytes.end() - 1}));
    for (std::size_t at : {std::size_t{0}, std::size_t{8}, std::size_t{17}, std::size_t{24},
                           std::size_t{32}, bytes.size() - 1}) {
        auto changed = bytes;
        changed[at] = char(changed[at] + 77);
        EXPECT_FALSE(takes(changed)) << at;
    }
    EXPECT_EQ(other.kernel.load(), nullptr);
    ASSERT_TRUE(takes(bytes));
    run_case c(n);
    std::mt19937 random(3);
    c.randomise(random, -3, 3);
    const auto want = c.executed(migraphx::cpu::kernels_isa(), nest_backend::tiles);
    const auto got = c.run([&](const auto& in, const auto& out) {
        migraphx::cpu::execute_jit_nest(*plan->generated, other.kernel.load(), in.data(),
                                        out.data(), 0, 3, 0, 333, {});
    });
    expect_same_bits(got[0], want[0], "code from a file");
}
