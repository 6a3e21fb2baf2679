// SPDX-License-Identifier: MIT
// Large constants that the program computes from its literals (weights joined by a concat): they
// are computed when the first kernel that takes them is made, and let go when the last one is,
// unless a kernel reads them in runs.
#pragma once

#include <migraphx/argument.hpp>
#include <migraphx/instruction.hpp>

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace migraphx {

class deferred_constants {
public:
    using predicate = bool (*)(instruction_ref);
    /// What is a view of its input, what becomes a step with a kernel.
    deferred_constants(predicate view, predicate step) : is_view(view), is_kernel(step) {}

    /// Is this an operator that may be deferred, once its inputs are constants?
    static bool can_defer(instruction_ref ins);

    /// The constant's address is known from now on, its content while it is held; for ever where
    /// others than kernels use it.
    argument add(instruction_ref ins, const std::vector<argument>& inputs);
    bool contains(instruction_ref ins) const { return items.contains(ins); }
    /// Is the value, or what it is a view of, one of these?
    bool holds(instruction_ref value) const { return find(value) != nullptr; }

    /// Around the making of a kernel, for each of its operands; `reads`: the kernel reads it in
    /// runs. Any thread.
    void hold(instruction_ref operand) const;
    void release(instruction_ref operand, bool reads) const;

private:
    struct item {
        std::mutex mutex;
        std::size_t axis = 0;
        std::vector<argument> inputs;
        argument result;
        std::size_t users = 0;
        bool filled = false, kept = false;
        void fill();
    };
    item* find(instruction_ref value) const;
    void count_users(instruction_ref value, item& x) const;

    predicate is_view, is_kernel;
    std::unordered_map<instruction_ref, std::unique_ptr<item>> items;
};

} // namespace migraphx
