// SPDX-License-Identifier: MIT
// What is known at import of tensors that hold sizes: in models with dynamic shapes `Shape` →
// `Gather` → `Concat` → `Reshape` chains mix numbers with dimensions that only a run gives.
#pragma once

#include <migraphx/instruction.hpp>

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace migraphx::onnx {

class node_reader;

/// One element: a number, a dimension of an instruction's shape, or unknown.
struct known_dim {
    enum class kind : std::uint8_t { unknown, number, dimension };
    kind is = kind::unknown;
    int64_t number = 0;
    instruction_ref of{};
    std::size_t axis = 0;

    static known_dim value(int64_t n) { return {kind::number, n, {}, 0}; }
    bool is_number() const { return is == kind::number; }
};

using known_dims = std::vector<known_dim>;
using known_dims_table = std::unordered_map<instruction_ref, known_dims>;

/// The elements of an integer tensor of at most 64; empty when nothing is known.
known_dims find_known_dims(const known_dims_table& table, instruction_ref ins);

/// After a node is read: small results of constants become literals, and so do tensors of sizes
/// whose elements turn out to be numbers; of others it is noted what is known.
void note_known_dims(known_dims_table& table, const node_reader& n,
                     std::vector<instruction_ref>& outputs);

/// dims of a `reshape` attribute (0 copies, one -1) that give `target` for input `x`; empty when
/// there are none, and the sizes have to be computed at run time.
std::vector<int64_t> reshape_attribute(const known_dims& target, instruction_ref x);

} // namespace migraphx::onnx
