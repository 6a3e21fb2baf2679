// SPDX-License-Identifier: MIT
#include <migraphx/logger.hpp>
#include <migraphx/verify_args.hpp>

#include "base/settings.hpp"
#include "ops/tensor.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace migraphx {

namespace {

const setting<bool> elementwise{"MIGRAPHX_VERIFY_ENABLE_ALLCLOSE", false,
                                "verify compares element by element as well"};
const setting<bool> dump_difference{"MIGRAPHX_VERIFY_DUMP_DIFF", false,
                                    "verify prints both tensors when they differ"};

struct comparison {
    double rms = 0, largest = 0, difference = 0;
    std::size_t worst = 0, first_bad = std::size_t(-1), nan_actual = std::size_t(-1),
                nan_gold = std::size_t(-1);
    bool close = true;
};

bool same_number(double a, double b) {
    return a == b or (std::isnan(a) and std::isnan(b));
}

comparison compare(const std::vector<double>& actual, const std::vector<double>& gold, double atol,
                   double rtol) {
    comparison c;
    double sum = 0;
    for (std::size_t i = 0; i < gold.size(); i++) {
        const double a = actual[i], b = gold[i];
        if (not std::isfinite(a) and c.nan_actual == std::size_t(-1))
            c.nan_actual = i;
        if (not std::isfinite(b) and c.nan_gold == std::size_t(-1))
            c.nan_gold = i;
        if (same_number(a, b)) {
            if (std::isfinite(b))
                c.largest = std::max(c.largest, std::abs(b));
            continue;
        }
        const double d = std::abs(a - b);
        sum += std::isfinite(d) ? d * d : std::numeric_limits<double>::infinity();
        c.largest = std::max(
            {c.largest, std::isfinite(a) ? std::abs(a) : 0, std::isfinite(b) ? std::abs(b) : 0});
        if (not(d <= c.difference)) {
            c.difference = d;
            c.worst = i;
        }
        if (not(d < atol + rtol * std::abs(b))) {
            c.close = false;
            c.first_bad = std::min(c.first_bad, i);
        }
    }
    if (not gold.empty())
        c.rms = std::sqrt(sum) / (std::sqrt(double(gold.size())) *
                                  std::max(c.largest, std::numeric_limits<double>::min()));
    return c;
}

bool all_zero(const std::vector<double>& v) {
    return std::all_of(v.begin(), v.end(), [](double x) { return x == 0; });
}

// Tuples, sequences and optionals member by member; strings are the same or not.
bool verify_boxed(const std::string& name, const argument& actual, const argument& wanted,
                  verify::tolerance tols) {
    const auto got = actual.get_sub_objects(), members = wanted.get_sub_objects();
    bool good = wanted.get_shape().type() == shape::tuple_type or actual == wanted;
    if (not good or actual.get_shape().type() != wanted.get_shape().type() or
        got.size() != members.size()) {
        log::error() << "FAILED: " << name << ": " << wanted.to_string() << " of "
                     << wanted.get_shape() << " was expected, got " << actual.to_string() << " of "
                     << actual.get_shape();
        return false;
    }
    for (std::size_t i = 0; i < members.size(); i++)
        good = verify_args(name + "[" + std::to_string(i) + "]", got[i],
                           verify::expected<argument>{members[i]}, tols) and
               good;
    return good;
}

} // namespace

bool verify_args(const std::string& name, const argument& actual,
                 const verify::expected<argument>& gold, verify::tolerance tols) {
    const argument& wanted = gold.data();
    if (wanted.get_shape().type() == shape::tuple_type or
        wanted.get_shape().type() == shape::string_type)
        return verify_boxed(name, actual, wanted, tols);
    if (actual.get_shape().lens() != wanted.get_shape().lens()) {
        log::error() << "FAILED: " << name << ": dimensions " << wanted.get_shape()
                     << " were expected, got " << actual.get_shape();
        return false;
    }
    const auto a = load<double>(actual), b = load<double>(wanted);
    const auto c = compare(a, b, tols.atol, tols.rtol);
    const bool good = c.rms <= tols.rms_tol and (not elementwise or c.close);
    if (good)
        return true;
    log::error() << "FAILED: " << name;
    log::error() << "RMS Error: " << c.rms;
    if (a.size() < 32 or dump_difference) {
        log::error() << "ref: " << wanted.to_string();
        log::error() << "target: " << actual.to_string();
    }
    if (all_zero(a))
        log::error() << "Target data is all zeros";
    if (all_zero(b))
        log::error() << "Ref data is all zeros";
    log::error() << "Max diff: " << c.difference;
    log::error() << "Mismatch at " << c.worst << ": " << b[c.worst] << " != " << a[c.worst];
    if (c.nan_actual != std::size_t(-1))
        log::error() << "Non finite number found in target at " << c.nan_actual << ": "
                     << a[c.nan_actual];
    if (c.nan_gold != std::size_t(-1))
        log::error() << "Non finite number found in ref at " << c.nan_gold << ": " << b[c.nan_gold];
    return false;
}

bool verify_args_with_tolerance(const std::string& name, const argument& actual,
                                const verify::expected<argument>& gold, std::size_t tolerance) {
    double epsilon = 0;
    actual.visit([&](auto v) {
        using type = std::decay_t<decltype(*v.begin())>;
        epsilon = static_cast<double>(static_cast<float>(std::numeric_limits<type>::epsilon()));
    });
    if (actual.get_shape().type() == shape::double_type)
        epsilon = std::numeric_limits<double>::epsilon();
    verify::tolerance tols;
    tols.rms_tol = epsilon * double(tolerance);
    return verify_args(name, actual, gold, tols);
}

} // namespace migraphx
