// SPDX-License-Identifier: MIT
// Row nests on the cpu: the interpreter against the tile machine and generated code, for every
// order of memory, type and fold that they take.
#include "nest_support.hpp"

#include "base/parallel.hpp"
#include "targets/cpu/row_plan.hpp"

using namespace nest_test;
using migraphx::codegen::fold;
using migraphx::codegen::row_builder;
using migraphx::codegen::row_nest;
using migraphx::cpu::compile_rows;

namespace {

// How the elements of rows lie: dims of the whole tensor and those that are reduced.
struct layout {
    const char* name;
    dims lens;
    std::vector<bool> reduced;

    dims part(bool inside) const {
        dims r;
        for (std::size_t d = 0; d < lens.size(); d++)
            if (reduced[d] == inside)
                r.push_back(lens[d]);
        return r;
    }
    // The strides of a row-major tensor in the order of a row nest; of rows only, or elements.
    dims strides(bool elements, const dims& from) const {
        dims r;
        for (const bool inside : {false, true})
            for (std::size_t d = 0; d < lens.size(); d++)
                if (reduced[d] == inside)
                    r.push_back(inside and not elements ? 0 : from[d]);
        return r;
    }
    dims elements() const { return strides(true, row_major(lens)); }
    dims rows() const {
        auto small = lens;
        for (std::size_t d = 0; d < lens.size(); d++)
            small[d] = reduced[d] ? 1 : lens[d];
        return strides(false, row_major(small));
    }
    row_builder builder() const {
        row_builder b;
        b.result.kept = part(false);
        b.result.reduced = part(true);
        return b;
    }
};

const std::vector<layout>& layouts() {
    static const std::vector<layout> all{
        {"short rows", {37, 19}, {false, true}},
        {"rows", {9, 200}, {false, true}},
        {"chunks", {3, 9001}, {false, true}},
        {"one row", {20011}, {true}},
        {"a reduced dim outside", {5, 4, 65}, {true, false, true}},
        {"planes", {2, 3, 7, 33}, {false, false, true, true}},
        {"side by side", {150, 45}, {true, false}},
        {"side by side, several images", {3, 70, 530}, {false, true, false}},
        {"two dims side by side", {2, 6, 5, 17}, {false, true, true, false}},
        {"rows of one", {50, 1}, {false, true}},
    };
    return all;
}

struct row_case {
    row_nest n;
    std::vector<buffer> inputs, outputs;

    explicit row_case(row_nest from) : n(std::move(from)) {
        auto lens = n.kept;
        lens.insert(lens.end(), n.reduced.begin(), n.reduced.end());
        for (const auto& a : n.inputs)
            inputs.emplace_back(a.type, lens, a.strides);
        for (const auto& o : n.outputs)
            outputs.emplace_back(o.access.type, lens, o.access.strides);
    }
    template <class F>
    std::vector<buffer> run(F f) const {
        std::vector<buffer> results = outputs;
        std::vector<void*> out;
        std::vector<const void*> in;
        for (buffer& b : results)
            out.push_back(b.data());
        for (const buffer& b : inputs)
            in.push_back(b.data());
        f(in, out);
        for (const buffer& b : results)
            EXPECT_TRUE(b.guards_intact());
        return results;
    }
    std::vector<buffer> interpreted() const {
        return run([&](auto& in, auto& out) { migraphx::codegen::interpret(n, in, out); });
    }
    std::vector<buffer> executed(isa level, nest_backend backend, int threads) const {
        const migraphx::thread_count_guard guard(threads);
        const auto plan = compile_rows(n, threads, level, backend);
        if (backend == nest_backend::generated)
            for (const auto& s : plan->stages) {
                EXPECT_NE(s.plan->generated, nullptr);
                EXPECT_EQ(s.plan->generated->code->why, "");
            }
        std::vector<char> memory(plan->scratch_bytes() + 128, 0x5a);
        auto* at = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
        auto results = run([&](auto& in, auto& out) {
            migraphx::cpu::run_rows(*plan, in.data(), out.data(), at);
        });
        for (std::size_t i = plan->scratch_bytes(); at + i < memory.data() + memory.size(); i++)
            EXPECT_EQ(at[i], 0x5a) << "beyond the scratch memory";
        return results;
    }
};

void check(const row_case& c, double tolerance, const std::string& what, bool compiles = true) {
    const auto want = c.interpreted();
    const bool brief = std::getenv("MGX_TEST_QUICK") != nullptr;
    for (isa level : nest_levels()) {
        const auto got = c.executed(level, nest_backend::tiles, 1);
        const auto text = [&](std::size_t k) {
            return what + " on " + migraphx::cpu::to_string(level) + " output " +
                   std::to_string(k) + "\n" + to_string(c.n);
        };
        for (std::size_t k = 0; k < want.size(); ++k)
            expect_close(got[k], want[k], tolerance, 1, text(k));
        const auto shared = c.executed(level, nest_backend::tiles, 3);
        for (std::size_t k = 0; k < want.size(); ++k)
            expect_same_bits(shared[k], got[k], "three threads: " + text(k));
        if (not compiles or not migraphx::cpu::jit_available() or
            (brief and level != migraphx::cpu::kernels_isa()))
            continue;
        const auto generated = c.executed(level, nest_backend::generated, 2);
        for (std::size_t k = 0; k < want.size(); ++k)
            expect_same_bits(generated[k], got[k], "generated code: " + text(k));
    }
}

void randomise(row_case& c, double lo, double hi, int seed = 3) {
    std::mt19937 random{std::mt19937::result_type(seed)};
    for (buffer& b : c.inputs)
        fill_random(b, random, lo, hi);
}

void output(row_builder& b, const layout& l, int reg, bool elements) {
    b.result.outputs.push_back({{b.result.reg_type(reg), elements ? l.elements() : l.rows()}, reg});
}

} // namespace

TEST(nest_rows, softmax_of_a_masked_region) {
    for (const auto& l : layouts()) {
        auto b = l.builder();
        const int x = b.input({shape::float_type, l.elements()});
        const int m = b.input({shape::float_type, l.rows()});
        const int y = b.op("mul", {r(x), imm(0.125)}, shape::float_type);
        output(b, l, b.softmax(b.op("add", {r(y), r(m)}, shape::float_type), false), true);
        row_case c(b.result);
        randomise(c, -20, 20);
        check(c, 16, std::string("softmax, ") + l.name);
    }
}

TEST(nest_rows, normalised_sum_and_its_statistics) {
    for (const auto& l : layouts()) {
        if (std::string(l.name) == "rows of one")
            continue; // variance 0: every error is large
        for (auto type : {shape::float_type, shape::half_type, shape::double_type}) {
            auto b = l.builder();
            const int x = b.input({type, l.elements()}), y = b.input({type, l.elements()});
            const int sum = b.op("add", {r(x), r(y)}, type);
            const int z = b.norm(sum, true, 1e-5, -1, -1);
            output(b, l, b.op("tanh", {r(z)}, type), true);
            output(b, l, sum, true);
            output(b, l, b.reduce(fold::mean, sum), false);
            row_case c(b.result);
            randomise(c, -3, 5);
            check(c, 32, std::string("norm, ") + l.name);
        }
    }
}

TEST(nest_rows, every_fold_of_every_type) {
    for (const auto& l : layouts())
        for (auto type : all_types()) {
            if (not shape::is_computable(type) or type == shape::uint64_type)
                continue;
            auto b = l.builder();
            const int x = b.input({type, l.elements()});
            std::vector<fold> folds{fold::max, fold::min, fold::all, fold::any};
            if (type != shape::bool_type)
                folds.insert(folds.end(), {fold::sum, fold::mean});
            if (l.lens.size() == 2 and type != shape::bool_type and not is_real(type))
                folds.push_back(fold::prod);
            for (auto how : folds)
                output(b, l, b.reduce(how, x), false);
            row_case c(b.result);
            EXPECT_EQ(migraphx::cpu::row_refusal(c.n), "");
            randomise(c, type == shape::uint8_type ? 0 : -2, 3);
            // The oracle adds doubles one after the other.
            const double tolerance = type == shape::double_type ? 1000 : 16;
            const bool compiles = &l == &layouts()[1] or &l == &layouts()[6];
            check(c, tolerance, "folds, " + std::string(l.name), compiles);
        }
}

TEST(nest_rows, products_of_numbers_near_one) {
    for (const auto& l : layouts()) {
        auto b = l.builder();
        const int x = b.input({shape::float_type, l.elements()});
        const int near = b.op("add", {r(b.op("mul", {r(x), imm(1e-4)}, shape::float_type)), imm(1)},
                              shape::float_type);
        output(b, l, b.reduce(fold::prod, near), false);
        row_case c(b.result);
        randomise(c, -1, 1);
        check(c, 4000, std::string("product, ") + l.name);
    }
}

TEST(nest_rows, extremes_of_rows_with_nan) {
    for (const auto& l : layouts())
        for (auto type : {shape::float_type, shape::double_type}) {
            auto b = l.builder();
            const int x = b.input({type, l.elements()});
            output(b, l, b.reduce(fold::max, x), false);
            output(b, l, b.op("sub", {r(x), r(b.reduce(fold::min, x))}, type), true);
            row_case c(b.result);
            randomise(c, -9, 9);
            c.inputs[0].set(c.inputs[0].count() / 2, {std::nan(""), 0});
            check(c, 4, std::string("NaN, ") + l.name);
        }
}

TEST(nest_rows, positions_of_extremes) {
    for (const auto& l : layouts()) {
        if (std::count(l.reduced.begin(), l.reduced.end(), true) != 1)
            continue;
        for (auto type : all_types()) {
            if (not shape::is_computable(type) or type == shape::uint64_type)
                continue;
            auto b = l.builder();
            const int x = b.input({type, l.elements()});
            const int y = type == shape::bool_type ? x : b.op("mul", {r(x), r(x)}, type);
            for (auto how :
                 {fold::argmax_first, fold::argmax_last, fold::argmin_first, fold::argmin_last})
                output(b, l, b.reduce(how, y), false);
            output(b, l, y, true);
            row_case c(b.result);
            EXPECT_EQ(migraphx::cpu::row_refusal(c.n), "");
            // Few values, so that extremes are many.
            randomise(c, -3, 4);
            for (std::size_t i = 0; i < c.inputs[0].count(); i++)
                c.inputs[0].set(i,
                                {std::trunc(c.inputs[0].get(i).real), c.inputs[0].get(i).integer});
            if (type == shape::float_type or type == shape::double_type)
                c.inputs[0].set(c.inputs[0].count() / 2, {std::nan(""), 0});
            const bool compiles = &l == &layouts()[1] or &l == &layouts()[6];
            check(c, 4, "positions, " + std::string(l.name), compiles);
        }
    }
}

TEST(nest_rows, folds_of_values_of_the_row) {
    for (const auto& l : layouts()) {
        auto b = l.builder();
        const int x = b.input({shape::float_type, l.elements()});
        const int m = b.input({shape::float_type, l.rows()});
        const int e = b.op("exp", {r(m)}, shape::float_type);
        const int s = b.reduce(fold::sum, e);
        output(b, l, b.op("div", {r(x), r(s)}, shape::float_type), true);
        output(b, l, b.reduce(fold::max, m), false);
        row_case c(b.result);
        randomise(c, -2, 2);
        check(c, 8, std::string("values of the row, ") + l.name);
    }
}

TEST(nest_rows, long_sums_keep_their_digits) {
    // A million ones and a bit: a plain sum of floats would stop counting.
    row_builder b;
    b.result.kept = {1};
    b.result.reduced = {1000001};
    const int x = b.input({shape::float_type, {1000001, 1}});
    b.result.outputs.push_back({{shape::float_type, {1, 0}}, b.reduce(fold::sum, x)});
    row_case c(b.result);
    std::mt19937 random(5);
    fill_random(c.inputs[0], random, 10, 11);
    const auto want = c.interpreted(),
               got = c.executed(migraphx::cpu::kernels_isa(), nest_backend::tiles, 2);
    expect_close(got[0], want[0], 2, 1, "sum");
}

TEST(nest_rows, no_elements) {
    for (const bool rows : {false, true}) {
        row_builder b;
        b.result.kept = {rows ? 0 : 3};
        b.result.reduced = {rows ? 5 : 0};
        const int x = b.input({shape::float_type, {5, 1}});
        for (auto how : {fold::sum, fold::prod, fold::max, fold::mean})
            b.result.outputs.push_back({{shape::float_type, {1, 0}}, b.reduce(how, x)});
        row_case c(b.result);
        const auto got = c.executed(migraphx::cpu::kernels_isa(), nest_backend::automatic, 2);
        if (rows)
            continue;
        EXPECT_EQ(got[0].get(0).real, 0);
        EXPECT_EQ(got[1].get(1).real, 1);
        EXPECT_EQ(got[2].get(2).real, -std::numeric_limits<double>::infinity());
        EXPECT_TRUE(std::isnan(got[3].get(0).real));
    }
}

TEST(nest_rows, what_is_dear_is_held_once) {
    row_builder b;
    b.result.kept = {8};
    b.result.reduced = {100};
    const int x = b.input({shape::float_type, {100, 1}});
    b.result.outputs.push_back({{shape::float_type, {100, 1}}, b.softmax(x, false)});
    const auto s = migraphx::codegen::stages_of(simplify(b.result), false, 0);
    ASSERT_EQ(s.stages.size(), 3u);
    EXPECT_EQ(s.held.size(), 1u); // exp(x - max)
    EXPECT_EQ(to_string(s.stages[2].body), "nest {8, 100}\n"
                                           "%0 = load float_type {100, 1}\n"
                                           "%1 = load float_type {1, 0}\n"
                                           "%2 = recip(%1) float_type\n"
                                           "%3 = mul(%0, %2) float_type\n"
                                           "store %3 float_type {100, 1}\n");
}
