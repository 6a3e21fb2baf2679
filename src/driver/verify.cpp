// SPDX-License-Identifier: MIT
// verify: every output of the target against the reference.
#include "driver/commands.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/load_save.hpp>
#include <migraphx/logger.hpp>
#include <migraphx/register_target.hpp>
#include <migraphx/verify_args.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>

namespace migraphx::driver {

namespace {

bool has_type(const program& p, std::initializer_list<shape::type_t> types) {
    for (const auto* m : p.get_modules())
        for (auto i = m->begin(); i != m->end(); ++i)
            if (std::find(types.begin(), types.end(), i->get_shape().type()) != types.end())
                return true;
    return false;
}

bool has_operator(const program& p, std::initializer_list<std::string> names) {
    for (const auto* m : p.get_modules())
        for (auto i = m->begin(); i != m->end(); ++i)
            if (std::find(names.begin(), names.end(), i->name()) != names.end())
                return true;
    return false;
}

struct verify_command : command {
    loader model;
    writer out;
    filler fill;
    compiler how;
    tolerances limits;
    std::string compiled_model;
    bool reduce = false, bisect = false;

    std::string name() const override { return "verify"; }
    std::string summary() const override { return "compare a target with the reference"; }
    void add_to(CLI::App& app) override {
        model.add_to(app);
        out.add_to(app);
        fill.add_to(app);
        how.add_to(app);
        limits.add_to(app);
        app.add_option("--compiled-model,-c", compiled_model,
                       "use this compiled program for the target's side");
        app.add_flag("--reduce,-r", reduce,
                     "verify again with 1, 2 … instructions left out at the end");
        app.add_flag("--bisect,-b", bisect, "find the first instruction whose result differs");
    }

    verify::tolerance limit_for(const program& p) const {
        const verify::tolerance standard{};
        auto t = limits.limit;
        if (t.rms_tol != standard.rms_tol or t.atol != standard.atol or t.rtol != standard.rtol)
            return t;
        // A number that rounds the other way is a step off: of half, of a scale, of four bits.
        if (has_type(p, {shape::fp4x2_type, shape::fp4_type}))
            t = {8e-1, 4e-1, 4e-1};
        else if (how.lowers_precision() or has_type(p, {shape::half_type, shape::bf16_type}) or
                 has_operator(p, {"quantizelinear"}))
            t = {8e-2, 4e-2, 4e-2};
        return t;
    }

    bool same(const program& p, const parameter_map& params) const {
        const auto limit = limit_for(p);
        auto expected = p;
        expected.compile(make_target("ref"));
        auto actual = p;
        if (compiled_model.empty())
            actual.compile(make_target(how.target_name()), how.options());
        else
            actual = load(compiled_model);
        const auto want = flatten(expected.eval(params));
        const auto got = flatten(from_target(actual, actual.eval(for_target(actual, params))));
        const auto names = p.get_output_names();
        if (want.size() != got.size()) {
            log::error() << "FAILED: " << want.size() << " outputs were expected, got "
                         << got.size();
            return false;
        }
        bool good = true;
        for (std::size_t i = 0; i < want.size(); i++) {
            const auto label = i < names.size() ? names[i] : "output " + std::to_string(i);
            if (want[i].get_shape().lens() != got[i].get_shape().lens() or
                want[i].get_shape().type() != got[i].get_shape().type()) {
                log::error() << "FAILED: " << label << ": shape " << want[i].get_shape()
                             << " was expected, got " << got[i].get_shape();
                good = false;
            } else if (not verify_args(label, got[i], verify::expected{want[i]}, limit))
                good = false;
        }
        return good;
    }

    // The program up to instruction `n` of main.
    static program shortened(const program& p, std::size_t left_out) {
        auto q = p;
        auto* m = q.get_main_module();
        if (m->size() > 0 and std::prev(m->end())->name() == "@return")
            m->remove_instruction(std::prev(m->end()));
        for (std::size_t i = 0; i < left_out and m->size() > 1; i++)
            m->remove_instruction(std::prev(m->end()));
        return q;
    }

    int run() override {
        auto p = model.load();
        out.write(p);
        const auto params = fill.fill(p, model);
        how.quantize(p, [&] { return params; });
        const auto count = p.get_main_module()->size();
        if (bisect) {
            // Invariant: with `good` left out it passes, with `bad` it fails.
            if (same(p, params)) {
                log::info() << "MIGraphX verification passed successfully.";
                return 0;
            }
            std::size_t bad = 0, good = count - 1;
            while (good - bad > 1) {
                const auto middle = (good + bad) / 2;
                (same(shortened(p, middle), params) ? good : bad) = middle;
            }
            auto first = shortened(p, bad);
            std::cout << "Failure starts at: " << count - bad << '\n'
                      << std::prev(first.get_main_module()->end())->get_operator() << std::endl;
            return 1;
        }
        bool good = same(p, params);
        for (std::size_t i = 1; reduce and i + 1 < count; i++) {
            const bool now = same(shortened(p, i), params);
            log::info() << "without the last " << i << ": " << (now ? "passed" : "failed");
            good = good and now;
        }
        if (good)
            log::info() << "MIGraphX verification passed successfully.";
        return good ? 0 : 1;
    }
};

} // namespace

void add_verify_command(command_list& list) {
    list.push_back(std::make_unique<verify_command>());
}

} // namespace migraphx::driver
