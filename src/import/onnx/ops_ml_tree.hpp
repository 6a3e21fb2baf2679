// SPDX-License-Identifier: MIT
// Decision trees on their way from a model's attributes to the tables of a tree_ensemble.
#pragma once

#include "import/onnx/importer.hpp"
#include "ops/tree_ensemble.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace migraphx::onnx {

struct tree_vote {
    int64_t target = 0;
    double weight = 0;
};

struct tree_node {
    tree_mode mode = tree_mode::leaf;
    int64_t feature = 0;
    double threshold = 0;
    bool missing_is_true = false;
    std::size_t on_true = 0, on_false = 0; ///< nodes; not of a leaf
    std::vector<tree_vote> votes;          ///< of a leaf
    std::vector<double> members;           ///< of mode member
};

struct forest {
    std::vector<tree_node> nodes;
    std::vector<std::size_t> roots;
    int64_t targets = 1;
    int aggregate = 1; ///< average, sum, min, max
};

/// Scores (N, targets) in `t`, float or double. The nodes are put in an order in which children
/// follow their parents; throws when there is none, and for features and targets out of range.
instruction_ref evaluate(node_reader& n, const forest& trees, shape::type_t t);

} // namespace migraphx::onnx
