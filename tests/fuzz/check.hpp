// SPDX-License-Identifier: MIT
// What a graph is checked for: text and back; the reference against its own result after all
// passes, against cpu, cpu again, and against both with ranges for dimensions where the graph can
// be built so.
#pragma once

#include "graph.hpp"

#include <string>
#include <vector>

namespace fuzz {

/// What is wrong; empty when all is well.
std::string check(const graph& g);

/// The same for a program without bounds: tolerances by type.
std::string check(const migraphx::program& p);

/// The reference's values of all tensors of the graph, in the order of the nodes.
std::vector<migraphx::argument> reference_values(const graph& g);

/// The program as text that reads back as the same one.
std::string to_text(const graph& g);

} // namespace fuzz
