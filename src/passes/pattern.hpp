// SPDX-License-Identifier: MIT
// Rules as run-time values: a name that reads as algebra, a pattern, and a function that returns
// the replacement or declines. `apply_rules` runs them over a module until nothing changes.
//
//   const rule merge_transposes{"transpose(transpose(x)) -> transpose(x)",
//       op("transpose", op("transpose", any("x")).as("inner")),
//       [](const match& m, rewriter& rw) -> replacement { … return rw.add(…); }};
#pragma once

#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>
#include <migraphx/operation.hpp>

#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace migraphx {

/// A tree over operands. Operands of commutative operators match in either order.
class pattern {
public:
    enum class kind { any, constant, scalar, operation };

    /// Name under which the matched instruction is found.
    pattern as(std::string name) const;
    /// Only when a single instruction uses it.
    pattern used_once() const;
    /// Further condition.
    pattern where(std::function<bool(instruction_ref)> f) const;

    kind what = kind::any;
    std::vector<std::string> names; ///< operators that match
    std::vector<pattern> operands;  ///< empty: any operands
    std::string bound;
    bool once = false;
    std::function<bool(instruction_ref)> condition;
    double number = 0; ///< kind scalar with `exact`
    bool exact = false;
};

pattern any(std::string name);
/// Its value is known: a literal, or operators over literals.
pattern constant(std::string name);
/// A constant whose elements are all the same number.
pattern scalar(std::string name);
/// Exactly this number: an epsilon is not 0.
pattern number(double value);
pattern op(std::string name);
template <class... Ps>
pattern op(std::string name, Ps... operands) {
    pattern p = op(std::move(name));
    p.operands = {std::move(operands)...};
    return p;
}
/// One of several operators.
template <class... Ps>
pattern one_of(std::vector<std::string> names, Ps... operands) {
    pattern p = op(names.front());
    p.names = std::move(names);
    p.operands = {std::move(operands)...};
    return p;
}

class match {
public:
    instruction_ref root;
    /// Throws for a name that the pattern does not bind.
    instruction_ref operator[](const std::string& name) const;
    /// The number of a `scalar`.
    double value(const std::string& name) const;
    std::vector<std::pair<std::string, instruction_ref>> bound;
};

/// Builds in front of the matched instruction.
class rewriter {
public:
    rewriter(module& m, instruction_ref p) : mod(m), pos(p) {}
    instruction_ref add(const operation& op, std::vector<instruction_ref> in) {
        return mod.insert_instruction(pos, op, std::move(in));
    }
    instruction_ref add(const std::string& op, std::vector<instruction_ref> in);
    instruction_ref literal(migraphx::literal l) { return mod.insert_literal(pos, std::move(l)); }
    /// Replaced already: instructions stay until the pass ends.
    bool is_dead(instruction_ref ins) const {
        return ins->outputs().empty() and ins->name() != "@return" and std::next(ins) != mod.end();
    }
    /// A number of `like`'s type stretched to its dimensions.
    instruction_ref number(double value, instruction_ref like);

private:
    module& mod;
    instruction_ref pos;
};

using replacement = std::optional<instruction_ref>;
inline constexpr std::nullopt_t declined = std::nullopt;

struct rule {
    const char* name;
    pattern from;
    std::function<replacement(const match&, rewriter&)> rewrite;
};

bool matches(const pattern& p, instruction_ref ins, match& m);

/// The number that all elements of a constant share.
std::optional<double> uniform_value(instruction_ref ins);

/// Applies the rules to each instruction in order, again from the users of what changed; dead
/// instructions are left for the pass manager. Replacements must have the same type and dimensions.
/// Gives the number of rewrites.
std::size_t apply_rules(module& m, const std::vector<rule>& rules);

} // namespace migraphx
