// SPDX-License-Identifier: MIT
// What watches an import node by node: the report of what a model needs.
#pragma once

#include <migraphx/errors.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>

#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace migraphx {

struct observed_node {
    std::string_view domain;
    std::string_view op_type;
    std::string place; ///< `node "conv1" (Conv)`
};

/// The end of a module as it is now; later, what was added behind it.
class module_mark {
public:
    explicit module_mark(module& m) : of(m), was_empty(m.begin() == m.end()) {
        if (not was_empty)
            last = std::prev(m.end());
    }
    template <class F>
    void for_each_new(F f) const {
        for (auto ins = was_empty ? of.begin() : std::next(last); ins != of.end(); ++ins)
            f(ins);
    }

private:
    module& of;
    bool was_empty;
    instruction_ref last{};
};

class import_observer {
public:
    virtual ~import_observer() = default;
    /// A node of the main graph was read; its instructions, but literals, are those behind the
    /// mark.
    virtual void node_read(const observed_node& n, const module_mark& before,
                           const std::vector<instruction_ref>& results) = 0;
    /// It cannot be; its results are unknown.
    virtual void node_failed(const observed_node& n, const exception& e) = 0;
    /// A node that needs results which are unknown was left out.
    virtual void node_left_out(const observed_node& n) = 0;
};

} // namespace migraphx
