// SPDX-License-Identifier: MIT
// Products of many rows with constant weights: which kernel takes them, and what it gives.
#include "lower_support.hpp"

#include "targets/cpu/kernels/kernel_table.hpp"

using namespace lower_check;

namespace {

// With fused multiply-add the own kernel takes rows that are contiguous and merge.
void expect_rows(const std::string& name, bool wanted) {
    if (cpu::kernels_isa() != cpu::isa::baseline) {
        EXPECT_EQ(name == "row_gemm", wanted) << name;
    }
}

TEST(lower_product, rows_with_constant_weights) {
    const check_options constant{.constants = {1}};
    expect_rows(
        check_lowered(make_op("dot"), {noise(of({50, 33})), noise(of({33, 70}), 3)}, constant),
        true);
    expect_rows(check_lowered(make_op("dot"), {sliced(noise(of({50, 33}))), noise(of({33, 40}), 3)},
                              constant),
                true);
    // Rows of three axes with one B for all.
    const auto whole = noise(of({3, 33, 40}), 3);
    const auto b = broadcast_along(whole, 0);
    expect_rows(check_lowered(make_op("dot"), {noise(of({3, 20, 33})), b}, constant), true);
    // B transposed in memory.
    expect_rows(check_lowered(make_op("dot"),
                              {noise(of({20, 33})), scattered(noise(of({33, 50}), 3))}, constant),
                true);
    // Columns of A, a B for each matrix, no constant.
    expect_rows(check_lowered(make_op("dot"),
                              {scattered(noise(of({20, 33}))), noise(of({33, 50}), 3)}, constant),
                false);
    expect_rows(check_lowered(make_op("dot"), {noise(of({3, 20, 33})), noise(of({3, 33, 40}), 3)},
                              constant),
                false);
    expect_rows(check_lowered(make_op("dot"), {noise(of({20, 33})), noise(of({33, 50}), 3)}, {}),
                false);
}

// Many rows, columns and a long sum: in pairs or seven products of halves, unless arithmetic is to
// be exact.
TEST(lower_product, large_ones_by_fewer_multiplications) {
    if (cpu::kernels_isa() != cpu::isa::avx2 and cpu::kernels_isa() != cpu::isa::avx512)
        GTEST_SKIP() << "other kernels take large products";
    const auto name = [](const lens& a, std::size_t columns, bool fast_math) {
        return check_lowered(make_op("dot"), {noise(of(a)), noise(of({a.back(), columns}), 3)},
                             {.constants = {1}, .compiled = false, .fast_math = fast_math});
    };
    const bool beside = cpu::adds_beside_multiplies();
    const bool paired = beside and cpu::kernels_isa() == cpu::isa::avx512;
    const auto large = paired ? "row_gemm in pairs" : "row_gemm by halves";
    const auto smaller = beside ? large : "row_gemm";
    const auto small = paired ? "row_gemm in pairs" : "row_gemm";
    EXPECT_EQ(name({85, 384}, 2304, true), large);
    EXPECT_EQ(name({85, 384}, 2304, false), "row_gemm");
    EXPECT_EQ(name({60, 384}, 2304, true), smaller);
    EXPECT_EQ(name({85, 384}, 1024, true), smaller);
    EXPECT_EQ(name({55, 384}, 2304, true), small);
    EXPECT_EQ(name({85, 392}, 2304, true), small);
    EXPECT_EQ(name({27, 384}, 2304, true), "row_gemm");
    EXPECT_EQ(name({85, 390}, 2304, true), "row_gemm");
}

// What weights alone give is made once for products of any number of rows.
TEST(lower_product, sizes_share_what_weights_give) {
    const auto weights = noise(of({128, 160}), 3);
    const auto lower = [&](std::size_t rows) {
        problem pr;
        pr.op = make_op("dot");
        pr.inputs = {of({rows, 128}), weights.get_shape()};
        pr.output = of({rows, 160});
        pr.weights = &weight_store::instance();
        pr.constants = {argument{}, weights};
        return cpu::lower(pr);
    };
    const auto held = [](const kernel& k) {
        held_constants result;
        k.add_constants(result);
        return result;
    };
    const auto some = lower(40), more = lower(70);
    EXPECT_EQ(held(*some), held(*more));
    if (some->name() == "row_gemm in pairs")
        EXPECT_EQ(held(*some).size(), 2);
}

instruction_ref broadcast_to(module& m, const argument& value, const lens& out) {
    return m.add_instruction(make_op("multibroadcast", {{"out_lens", out}}),
                             m.add_literal(literal{value.get_shape(), value.data()}));
}

// x w + bias, then what `more` adds, on the reference and on cpu.
template <class F>
void check_epilogue(const lens& a, std::size_t n, F more) {
    program p;
    auto* m = p.get_main_module();
    auto out = a;
    out.back() = n;
    const auto x = m->add_parameter("x", of(a));
    const auto other = m->add_parameter("other", of(out));
    lens w(a.size(), 1);
    w[w.size() - 2] = a.back();
    w.back() = n;
    auto full = w;
    std::copy(a.begin(), a.end() - 2, full.begin());
    auto y = m->add_instruction(make_op("dot"), x, broadcast_to(*m, noise(of(w), 3), full));
    y = m->add_instruction(make_op("add"), y, broadcast_to(*m, noise(of({n}), 4), out));
    m->add_return({more(*m, y, other)});
    auto on_ref = p, on_cpu = p;
    on_ref.compile(make_target("ref"));
    on_cpu.compile(make_target("cpu"));
    parameter_map in{{"x", noise(of(a))}, {"other", noise(of(out), 8)}};
    compare(on_cpu.eval(in).front(), on_ref.eval(in).front(), 2e-5);
}

TEST(lower_product, epilogue_by_halves) {
    check_epilogue({2, 45, 384}, 2311, [](module& m, instruction_ref y, instruction_ref other) {
        return m.add_instruction(make_op("add"), other, m.add_instruction(make_op("relu"), y));
    });
}

TEST(lower_product, epilogues) {
    for (const lens& a : {lens{29, 40}, lens{2, 13, 40}}) {
        for (const char* name : {"relu", "tanh", "sigmoid"})
            check_epilogue(a, 50, [&](module& m, instruction_ref y, instruction_ref) {
                return m.add_instruction(make_op(name), y);
            });
        check_epilogue(a, 70, [](module& m, instruction_ref y, instruction_ref other) {
            return m.add_instruction(make_op("add"), other, m.add_instruction(make_op("relu"), y));
        });
        check_epilogue(a, 33, [](module& m, instruction_ref y, instruction_ref other) {
            const auto s = m.add_instruction(make_op("sigmoid"), y);
            return m.add_instruction(make_op("mul"), m.add_instruction(make_op("mul"), y, s),
                                     other);
        });
        check_epilogue(a, 64, [](module& m, instruction_ref y, instruction_ref) { // gelu
            const auto number = [&](float v) {
                return m.add_instruction(
                    make_op("multibroadcast", {{"out_lens", y->get_shape().lens()}}),
                    m.add_literal(literal{shape{shape::float_type, {1}}, {v}}));
            };
            auto e = m.add_instruction(make_op("mul"), y, number(0.70710678f));
            e = m.add_instruction(make_op("add"), m.add_instruction(make_op("erf"), e), number(1));
            return m.add_instruction(make_op("mul"),
                                     m.add_instruction(make_op("mul"), y, number(0.5f)), e);
        });
    }
}

} // namespace
