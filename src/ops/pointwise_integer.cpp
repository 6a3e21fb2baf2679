// SPDX-License-Identifier: MIT
// Rows of the pointwise table for integers, and their other forms for numbers of 64 bits without a
// sign.
#include "ops/pointwise_table.hpp"

#include "ir/convert_element.hpp"

#include <algorithm>
#include <array>

namespace migraphx {

namespace {

// Rows whose result differs between the signed and the unsigned reading of the same 64 bits.
struct unsigned_row {
    const char* name;
    uint64_t (*apply)(const uint64_t*);
};

// clang-format off
constexpr unsigned_row unsigned_rows[] = {
    {"abs",   [](const uint64_t* x) { return x[0]; }},
    {"relu",  [](const uint64_t* x) { return x[0]; }},
    {"prelu", [](const uint64_t* x) { return x[0]; }},
    {"sign",  [](const uint64_t* x) { return uint64_t(x[0] != 0); }},
    {"recip", [](const uint64_t* x) { return uint64_t(x[0] == 1); }},
    {"div",   [](const uint64_t* x) { return x[1] == 0 ? 0 : x[0] / x[1]; }},
    {"mod",   [](const uint64_t* x) { return x[1] == 0 ? 0 : x[0] % x[1]; }},
    {"fmod",  [](const uint64_t* x) { return x[1] == 0 ? 0 : x[0] % x[1]; }},
    {"max",   [](const uint64_t* x) { return std::max(x[0], x[1]); }},
    {"min",   [](const uint64_t* x) { return std::min(x[0], x[1]); }},
    {"greater", [](const uint64_t* x) { return uint64_t(x[0] > x[1]); }},
    {"less",  [](const uint64_t* x) { return uint64_t(x[0] < x[1]); }},
    {"clip",  [](const uint64_t* x) { return std::min(std::max(x[0], x[1]), x[2]); }},
    {"pow",   [](const uint64_t* x) {
         uint64_t result = 1, base = x[0];
         for (auto e = x[1]; e > 0; e >>= 1, base *= base)
             result *= (e & 1) != 0 ? base : 1;
         return result;
     }},
};
// clang-format on

const unsigned_row* find_unsigned(const pointwise_row& row) {
    const auto* const at =
        std::find_if(std::begin(unsigned_rows), std::end(unsigned_rows),
                     [&](const auto& u) { return std::string_view(u.name) == row.name; });
    return at == std::end(unsigned_rows) ? nullptr : at;
}

// Through double: truncated, saturated, NaN is 0.
template <class Integer>
int64_t through_real(const pointwise_row& row, const int64_t* operands, double attribute) {
    std::array<double, 4> wide{};
    for (int i = 0; i < row.arity; ++i)
        wide[std::size_t(i)] = double(Integer(operands[i]));
    wide[std::size_t(row.arity)] = attribute;
    return int64_t(integer_from<Integer>(row.real(wide.data())));
}

} // namespace

bool differs_for_unsigned(const pointwise_row& row) {
    return row.integer == nullptr or find_unsigned(row) != nullptr;
}

int64_t evaluate_integer(const pointwise_row& row, shape::type_t type, const int64_t* operands,
                         double attribute) {
    if (type != shape::uint64_type)
        return row.integer != nullptr ? row.integer(operands)
                                      : through_real<int64_t>(row, operands, attribute);
    if (const auto* u = find_unsigned(row)) {
        std::array<uint64_t, 4> x{};
        std::copy(operands, operands + row.arity, x.begin());
        return int64_t(u->apply(x.data()));
    }
    return row.integer != nullptr ? row.integer(operands)
                                  : through_real<uint64_t>(row, operands, attribute);
}

} // namespace migraphx
