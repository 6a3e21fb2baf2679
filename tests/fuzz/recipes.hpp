// SPDX-License-Identifier: MIT
// How the grower uses each operator: which operands it takes, and what bounds its result has.
#pragma once

#include "grower.hpp"

#include <exception>
#include <string>
#include <vector>

namespace fuzz {

/// Thrown by a recipe (or by the grower for it) when what is there does not suit it.
struct unsuitable : std::exception {
    const char* what() const noexcept override { return "unsuitable operands"; }
};

/// Adds one operator or a typical group of them, and what they need.
struct recipe {
    std::string name; // of the operator, or of the group
    double weight;
    void (*apply)(grower&);
};

void add_pointwise_recipes(std::vector<recipe>& to);
void add_movement_recipes(std::vector<recipe>& to);
void add_indexing_recipes(std::vector<recipe>& to);
void add_reduction_recipes(std::vector<recipe>& to);
void add_product_recipes(std::vector<recipe>& to);
void add_pattern_recipes(std::vector<recipe>& to);

const std::vector<recipe>& recipes();

/// The graph of a seed.
graph grow(std::uint64_t seed);

} // namespace fuzz
