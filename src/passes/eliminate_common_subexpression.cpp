// SPDX-License-Identifier: MIT
#include <migraphx/eliminate_common_subexpression.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>
#include <migraphx/op_info.hpp>

#include "passes/pass_registry.hpp"

#include <cstring>
#include <string_view>
#include <unordered_map>

namespace migraphx {

namespace {

// Literals are compared by their bytes up to this size; larger ones only by being the same memory.
constexpr std::size_t cse_compared_bytes = std::size_t{1} << 16;

bool may_be_shared(instruction_ref ins) {
    const auto& info = ins->get_operator().info();
    const auto name = ins->name();
    if (name == "@literal")
        return true;
    return not info.is_builtin and not info.has_side_effect and name.front() != '@' and
           name.find("allocate") == std::string::npos and ins->get_shape() != shape{};
}

std::size_t cse_hash(instruction_ref ins) {
    std::size_t h = std::hash<std::string>{}(ins->name());
    auto mix = [&](std::size_t x) { h ^= x + 0x9e3779b97f4a7c15ULL + (h << 6) + (h >> 2); };
    mix(ins->get_shape().hash());
    for (auto a : ins->inputs())
        mix(std::hash<instruction_ref>{}(a));
    if (ins->name() == "@literal") {
        const auto& l = ins->get_literal();
        const auto n = l.empty() ? 0 : std::min<std::size_t>(l.get_shape().bytes(), 256);
        mix(std::hash<std::string_view>{}({l.data(), n}));
    }
    return h;
}

bool same_value(instruction_ref x, instruction_ref y) {
    if (x->name() != "@literal")
        return *x == *y;
    if (y->name() != "@literal" or x->get_shape() != y->get_shape())
        return false;
    const auto* a = x->get_literal().data();
    const auto* b = y->get_literal().data();
    const auto n = x->get_shape().bytes();
    // Bytes, not values: -0 and 0 differ, equal NaN are the same.
    return a == b or (a != nullptr and b != nullptr and n <= cse_compared_bytes and
                      std::memcmp(a, b, n) == 0);
}

} // namespace

void eliminate_common_subexpression::apply(module& m) const {
    std::unordered_multimap<std::size_t, instruction_ref> seen;
    for (auto i = m.begin(); i != m.end();) {
        auto ins = i++;
        if (not may_be_shared(ins))
            continue;
        const auto h = cse_hash(ins);
        auto [first, last] = seen.equal_range(h);
        while (first != last and not same_value(first->second, ins))
            ++first;
        if (first == last) {
            seen.emplace(h, ins);
            continue;
        }
        if (i == m.end())
            continue; // the result of a module without a return
        auto kept = first->second;
        kept->add_debug_symbols(ins->get_debug_symbols());
        m.replace_instruction(ins, kept);
        if (ins->outputs().empty())
            m.remove_instruction(ins);
    }
}

namespace {

const registered_pass cse_registered{"eliminate_common_subexpression",
                                     [] { return pass{eliminate_common_subexpression{}}; }};

} // namespace

} // namespace migraphx
