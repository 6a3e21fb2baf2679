// SPDX-License-Identifier: MIT
// Nests whose inputs are gathered or have a border: the interpreter against a copy made before,
// tiles and generated code against the interpreter.
#include "nest_support.hpp"

#include "base/parallel.hpp"
#include "codegen/reads.hpp"
#include "targets/cpu/row_plan.hpp"

#include <migraphx/errors.hpp>

using namespace nest_test;
using migraphx::codegen::fold;
using migraphx::codegen::nest_access;
using migraphx::codegen::nest_border;
using migraphx::codegen::row_builder;

namespace {

std::array<char, 8> element(shape::type_t type, double real, int64_t integer) {
    std::array<char, 8> e{};
    migraphx::codegen::store_scalar(type, e.data(), {real, integer});
    return e;
}

nest_access gathered(shape::type_t type, dims strides, int by, int64_t stride, int64_t extent) {
    nest_access a{type, std::move(strides)};
    a.gathered = {by, stride, extent};
    return a;
}

nest_access bordered(shape::type_t type, const dims& lens, std::vector<nest_border> border) {
    auto own = lens;
    for (std::size_t d = 0; d < lens.size(); d++)
        own[d] -= border[d].before + border[d].after;
    nest_access a{type, row_major(own)};
    a.border = std::move(border);
    a.fill = element(type, -2.5, 3);
    return a;
}

// Memory of the elements that inputs may give; indices from `low` to below `high`.
std::vector<buffer> memory_of(const std::vector<nest_access>& inputs, const dims& lens, int64_t low,
                              int64_t high, int seed = 5) {
    std::mt19937 random{std::mt19937::result_type(seed)};
    std::vector<buffer> result;
    for (const auto& a : inputs) {
        auto own = lens;
        auto strides = a.strides;
        for (std::size_t d = 0; d < a.border.size(); d++)
            own[d] -= a.border[d].before + a.border[d].after;
        if (a.gathered) {
            own.push_back(a.gathered->extent);
            strides.push_back(a.gathered->stride);
        }
        result.emplace_back(a.type, own, strides);
        fill_random(result.back(), random, -3, 3);
    }
    for (const auto& a : inputs)
        if (a.gathered) {
            std::uniform_int_distribution<int64_t> indices(low, high - 1);
            result[std::size_t(a.gathered->input)].set_all([&](std::size_t) {
                return scalar_value{0, indices(random)};
            });
        }
    return result;
}

run_case case_of(nest n, int64_t low, int64_t high) {
    run_case c(std::move(n));
    c.inputs = memory_of(c.n.inputs, c.n.dims, low, high);
    return c;
}

// relu(x * y) and x of an access x, and a dense y.
nest product_with(const dims& lens, std::vector<nest_access> inputs) {
    nest n;
    n.dims = lens;
    const auto type = inputs.front().type;
    inputs.push_back({type, row_major(lens)});
    n.inputs = std::move(inputs);
    const int y = int(n.inputs.size()) - 1;
    const auto op = [&](const char* name, std::vector<nest_operand> operands) {
        migraphx::codegen::nest_op o;
        o.row = migraphx::find_pointwise_row(name);
        o.type = type;
        o.operands = std::move(operands);
        n.body.push_back(o);
        return n.registers() - 1;
    };
    const int product = op(type == shape::bool_type ? "logical_and" : "mul", {r(0), r(y)});
    const int first = op("identity", {r(0)});
    n.outputs.push_back({{type, row_major(lens)}, product});
    n.outputs.push_back({{type, row_major(lens)}, first});
    return n;
}

} // namespace

TEST(nest_reads, gathered_rows_of_every_type) {
    for (auto type : {shape::float_type, shape::half_type, shape::bf16_type, shape::double_type,
                      shape::int32_type, shape::int8_type, shape::bool_type, shape::int64_type,
                      shape::fp8e4m3fn_type}) {
        const dims lens{3, 5, 45};
        const auto n = product_with(
            lens, {gathered(type, {0, 0, 1}, 1, 45, 20), {shape::int64_type, {5, 1, 0}}});
        check_case(case_of(n, -20, 20), 4, 1, shape(type).type_string());
    }
}

TEST(nest_reads, indices_of_every_type_and_order) {
    for (auto type : {shape::int8_type, shape::uint8_type, shape::int16_type, shape::uint16_type,
                      shape::int32_type, shape::uint32_type, shape::int64_type, shape::uint64_type})
        for (const dims& strides : {dims{5, 1, 0}, dims{1, 3, 0}, dims{0, 1, 0}, dims{-5, 2, 0}}) {
            const auto n = product_with(
                {3, 5, 33}, {gathered(shape::float_type, {0, 0, 1}, 1, 40, 9), {type, strides}});
            check_case(case_of(n, 0, 9), 0, 1, shape(type).type_string());
        }
}

TEST(nest_reads, gathered_in_the_middle_and_stretched) {
    // x[outer, index, inner], one number for each row, and the same number for all.
    check_case(
        case_of(product_with({4, 6, 50}, {gathered(shape::float_type, {700, 0, 1}, 1, 50, 14),
                                          {shape::int32_type, {0, 1, 0}}}),
                -14, 14),
        0, 1, "middle");
    check_case(case_of(product_with({4, 6, 600}, {gathered(shape::float_type, {0, 0, 0}, 1, 1, 9),
                                                  {shape::int32_type, {6, 1, 0}}}),
                       -9, 9),
               0, 1, "a number for each row");
    check_case(case_of(product_with({4, 600}, {gathered(shape::float_type, {600, 1}, 1, 7, 9),
                                               {shape::int32_type, {0, 0}}}),
                       -9, 9),
               0, 1, "one index");
}

TEST(nest_reads, borders_of_every_type) {
    for (auto type : all_types()) {
        if (not shape::is_computable(type))
            continue;
        const dims lens{3, 7, 41};
        const auto n = product_with(lens, {bordered(type, lens, {{0, 1}, {2, 0}, {3, 5}})});
        check_case(case_of(n, 0, 1), 4, 1, shape(type).type_string());
    }
}

TEST(nest_reads, borders_around_any_dims) {
    const dims lens{4, 5, 6, 37};
    for (int around = 1; around < 16; around++) {
        std::vector<nest_border> border(4);
        for (int d = 0; d < 4; d++)
            if ((around >> d & 1) != 0)
                border[std::size_t(d)] = {d % 2 + 1, 2 - d % 2};
        const auto n = product_with(lens, {bordered(shape::float_type, lens, border)});
        check_case(case_of(n, 0, 1), 0, 1, "around " + std::to_string(around));
    }
    // Across the rows of the result, in reverse, and the same for all rows.
    for (const dims& strides : {dims{1, 5}, dims{-30, -1}, dims{0, 1}, dims{1, 0}}) {
        nest_access a{shape::float_type, strides};
        a.border = {{2, 1}, {3, 4}};
        a.fill = element(shape::float_type, 7, 0);
        check_case(case_of(product_with({8, 37}, {a}), 0, 1), 0, 1, "other strides");
    }
}

TEST(nest_reads, long_columns_are_shared_by_threads) {
    const migraphx::thread_count_guard guard(3);
    const dims lens{2, 70001};
    check_case(
        case_of(product_with(lens, {bordered(shape::float_type, lens, {{0, 0}, {900, 3000}})}), 0,
                1),
        0, 1, "columns");
    const dims many{900, 70};
    check_case(case_of(product_with(many, {bordered(shape::float_type, many, {{40, 100}, {1, 2}}),
                                           gathered(shape::float_type, {0, 1}, 2, 70, 12),
                                           {shape::int64_type, {1, 0}}}),
                       -12, 12),
               0, 1, "rows");
}

TEST(nest_reads, simplify_keeps_borders_apart) {
    const dims lens{4, 5, 1, 6};
    auto n =
        product_with(lens, {bordered(shape::float_type, lens, {{0, 0}, {1, 2}, {0, 0}, {0, 0}})});
    EXPECT_EQ(simplify(n).dims, (dims{4, 30}));
    EXPECT_EQ(simplify(n).inputs[0].border, (std::vector<nest_border>{{0, 0}, {6, 12}}));
    EXPECT_NE(to_string(n).find("%0 = load float_type {12, 6, 6, 1} in {0-0, 1-2, 0-0, 0-0}"),
              std::string::npos)
        << to_string(n);
    n = product_with({4, 5, 6}, {gathered(shape::float_type, {0, 0, 1}, 1, 6, 9),
                                 {shape::int64_type, {5, 1, 0}}});
    EXPECT_EQ(simplify(n).dims, (dims{20, 6}));
    EXPECT_NE(to_string(n).find("%0 = load float_type {0, 0, 1} at %1 * 6 of 9"), std::string::npos)
        << to_string(n);
}

TEST(nest_reads, an_index_out_of_range_is_an_error) {
    const auto n = product_with(
        {5, 30}, {gathered(shape::float_type, {0, 1}, 1, 30, 9), {shape::int64_type, {1, 0}}});
    for (int64_t wrong : {9, -10}) {
        auto c = case_of(n, -9, 9);
        c.inputs[1].set(3, {0, wrong});
        EXPECT_THROW(c.interpreted(), migraphx::exception);
        try {
            c.executed(migraphx::cpu::kernels_isa());
            ADD_FAILURE() << "no error";
        } catch (const migraphx::exception& e) {
            EXPECT_NE(std::string(e.what()).find("an index inside of the data was expected, got " +
                                                 std::to_string(wrong)),
                      std::string::npos)
                << e.what();
        }
    }
}

TEST(nest_reads, refuses_what_cannot_be) {
    const auto with = [](nest_access a, nest_access by) {
        auto n = product_with({5, 30}, {std::move(a), std::move(by)});
        EXPECT_THROW(validate(n), migraphx::exception) << to_string(n);
    };
    const nest_access index{shape::int64_type, {1, 0}};
    with(gathered(shape::float_type, {0, 1}, 7, 30, 9), index);
    with(gathered(shape::float_type, {0, 1}, 1, 30, 9), {shape::float_type, {1, 0}});
    with(gathered(shape::float_type, {0, 1}, 1, 30, 9),
         gathered(shape::int64_type, {1, 0}, 1, 1, 5));
    nest_access a{shape::float_type, {30, 1}};
    a.border = {{2, 3}, {0, 0}};
    with(a, index);
    a.border = {{-1, 0}, {0, 0}};
    with(a, index);
    a.border = {{1, 0}};
    with(a, index);
    EXPECT_NE(
        migraphx::cpu::reads_refusal(product_with(
            {5, 30}, {gathered(shape::float_type, {30, 0}, 1, 1, 9), {shape::int64_type, {0, 1}}})),
        "");
}

namespace {

// normalised = (x + y - mean) * factor, the mean and the sum of x; x as given, of rows of lens.
void check_rows(const dims& kept, const dims& reduced, std::vector<nest_access> inputs, int64_t low,
                int64_t high, const std::string& what) {
    auto lens = kept;
    lens.insert(lens.end(), reduced.begin(), reduced.end());
    row_builder b;
    b.result.kept = kept;
    b.result.reduced = reduced;
    for (auto& a : inputs)
        b.input(a);
    const int y = b.input({shape::float_type, row_major(lens)});
    const int x = b.op("add", {r(0), r(y)}, shape::float_type);
    const int total = b.reduce(fold::sum, 0), top = b.reduce(fold::max, x);
    const int mean = b.reduce(fold::mean, x);
    const int left = b.op("sub", {r(x), r(mean)}, shape::float_type);
    auto of_rows = row_major(kept);
    of_rows.resize(lens.size(), 0);
    b.result.outputs = {{{shape::float_type, row_major(lens)}, left},
                        {{shape::float_type, of_rows}, total},
                        {{shape::float_type, of_rows}, top}};
    const auto& n = b.result;
    ASSERT_EQ(migraphx::cpu::row_refusal(n), "") << what;
    const auto memory = memory_of(n.inputs, lens, low, high);
    const auto run = [&](auto f) {
        std::vector<buffer> results;
        for (const auto& o : n.outputs)
            results.emplace_back(o.access.type, lens, o.access.strides);
        std::vector<void*> out;
        std::vector<const void*> in;
        for (auto& x : results)
            out.push_back(x.data());
        for (const auto& x : memory)
            in.push_back(x.data());
        f(in, out);
        return results;
    };
    const auto want = run([&](auto& in, auto& out) { migraphx::codegen::interpret(n, in, out); });
    for (isa level : nest_levels())
        for (auto backend : {nest_backend::tiles, nest_backend::generated})
            for (int threads : {1, 3}) {
                if (backend == nest_backend::generated and not migraphx::cpu::jit_available())
                    continue;
                const migraphx::thread_count_guard guard(threads);
                const auto plan = migraphx::cpu::compile_rows(n, threads, level, backend);
                std::vector<char> scratch(plan->scratch_bytes() + 64);
                auto* at =
                    scratch.data() + (64 - reinterpret_cast<uintptr_t>(scratch.data()) % 64) % 64;
                const auto got = run([&](auto& in, auto& out) {
                    migraphx::cpu::run_rows(*plan, in.data(), out.data(), at);
                });
                for (std::size_t k = 0; k < want.size(); k++)
                    expect_close(got[k], want[k], 64, 16, what + "\n" + to_string(n));
            }
}

} // namespace

TEST(nest_reads, rows_are_gathered) {
    const auto type = shape::float_type;
    check_rows({3, 5}, {200},
               {gathered(type, {0, 0, 1}, 1, 200, 20), {shape::int64_type, {5, 1, 0}}}, -20, 20,
               "rows");
    check_rows({2}, {9001}, {gathered(type, {0, 1}, 1, 9001, 4), {shape::int32_type, {1, 0}}}, -4,
               4, "long rows");
    check_rows({3, 40}, {17},
               {gathered(type, {0, 17, 1}, 1, 680, 7), {shape::int64_type, {1, 0, 0}}}, -7, 7,
               "several rows for an index");
    check_rows({3, 70}, {30},
               {gathered(type, {0, 1, 70}, 1, 2100, 6), {shape::int64_type, {1, 0, 0}}}, -6, 6,
               "columns");
}

TEST(nest_reads, rows_have_borders) {
    const auto type = shape::float_type;
    const auto all = [&](const dims& kept, const dims& reduced, std::vector<nest_border> border) {
        auto lens = kept;
        lens.insert(lens.end(), reduced.begin(), reduced.end());
        check_rows(kept, reduced, {bordered(type, lens, std::move(border))}, 0, 1, "borders");
    };
    all({9}, {70}, {{2, 1}, {3, 4}});
    all({2}, {9500}, {{0, 0}, {800, 3}});
    all({4, 3}, {11, 22}, {{0, 0}, {1, 0}, {1, 1}, {1, 1}});
    all({4, 3}, {11, 22}, {{1, 1}, {0, 1}, {0, 0}, {0, 0}});
    all({5}, {6, 20}, {{0, 0}, {2, 2}, {0, 0}});
}
