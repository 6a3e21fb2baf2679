// SPDX-License-Identifier: MIT
// How the cpu target turns instructions into kernels: for each operator an ordered list of
// implementations; the first that does not refuse wins, the reference evaluation is the last
// resort.
#pragma once

#include "runtime/kernel.hpp"

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace migraphx::cpu {

struct implementation {
    const char* name;
    lowered (*make)(const problem& p);
    /// Others than its own choice that tuning may ask for, as problem::variant 1 … variants. One
    /// that cannot be had is refused. Kernels that differ have names that differ.
    int variants = 0;
};

/// Declared once for each operator (or several of one kind), at namespace scope.
struct implementations {
    implementations(std::initializer_list<const char*> operators,
                    std::initializer_list<implementation> list);
};

/// Implementations of an operator in order of preference; empty when it has none of its own.
const std::vector<implementation>& implementations_of(const std::string& op);

/// Never refuses.
std::unique_ptr<kernel> lower(const problem& p);

/// As in `backend`: the parts of a concat's result that kernels write and read where they lie.
bool writes_strided(const problem& p);
bool reads_strided(const problem& p, std::size_t i);

/// The result of an operator whose output size depends on values (nonzero, nonmaxsuppression); none
/// for operators and types without code of their own.
std::optional<argument> evaluate_selection(const operation& op, const std::vector<argument>& in);

} // namespace migraphx::cpu
