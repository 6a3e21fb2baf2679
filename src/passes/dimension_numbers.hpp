// SPDX-License-Identifier: MIT
// Which dimensions are equal whatever sizes a program gets: value numbering of dimensions.
#pragma once

#include <migraphx/instruction.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace migraphx {

/// Numbers for the dimensions of values: a size that is known is its own number, sizes that are not
/// known have negative ones. Dimensions of one number have one size in each run. Instructions must
/// be asked for in their order within the module; the module may be edited between.
class dimension_numbers {
public:
    using numbers = std::vector<std::int64_t>;

    /// Nothing for tuples, boxed values and tensors of unknown rank.
    const std::optional<numbers>& of(instruction_ref ins);

private:
    std::optional<numbers> find(instruction_ref ins);
    std::optional<numbers> follow(instruction_ref ins);
    std::optional<numbers> elementwise(const std::vector<numbers>& in);
    numbers broadcast(const std::vector<numbers>& in);
    std::int64_t broadcast_one(std::vector<std::int64_t> sizes);
    numbers unknown(const std::string& key, std::size_t rank);
    std::int64_t number_of(const std::string& key);

    std::unordered_map<instruction_ref, std::optional<numbers>> known;
    std::map<std::string, std::int64_t> by_key;
    std::int64_t next = -1;
};

} // namespace migraphx
