// SPDX-License-Identifier: MIT
// What runs of a plan have recorded, by the addresses that they used.
#pragma once

#include "targets/gpu/device/device.hpp"

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace migraphx::gpu {

/// Everything that what is recorded depends on.
struct recording_key {
    std::size_t lane = 0;
    std::vector<char*> bases;
    char* scratch = nullptr;
    std::optional<std::vector<std::size_t>> wanted = {};
    bool operator==(const recording_key&) const = default;
};

/// The steps of a run in order: a graph for those that the device does alone, single steps between.
struct recording {
    struct part {
        std::unique_ptr<recorded_graph> graph;
        std::vector<std::size_t> steps = {}; ///< run one by one where there is no graph
    };
    std::vector<part> parts;
};

/// The recordings that were used last. Thread-safe; what falls out lives until its run ends.
class recordings {
public:
    explicit recordings(std::size_t most) : limit(most) {}

    std::shared_ptr<recording> find(const recording_key& key);
    void add(recording_key key, std::shared_ptr<recording> r);
    /// Whether `key` was asked for here before, not too long ago; it has been now.
    bool seen(const recording_key& key);

private:
    struct item {
        recording_key key;
        std::shared_ptr<recording> what;
    };
    std::size_t limit;
    std::mutex mutex;
    std::list<item> items; ///< the one used last is the first
    std::list<recording_key> asked;
};

} // namespace migraphx::gpu
