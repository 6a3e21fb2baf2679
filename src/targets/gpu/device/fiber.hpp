// SPDX-License-Identifier: MIT
// Fibers: several stacks on one thread of the system, switched by hand. The host's place for the
// threads of a block.
#pragma once

#include <cstddef>
#include <memory>

namespace migraphx::gpu {

/// A stack of its own and where it was left. Created stopped before `entry(context)`, which must
/// not return; whoever owns it may drop it wherever it stopped (nothing on its stack is destroyed).
class fiber {
public:
    using function = void (*)(void* context);

    fiber(function entry, void* context);
    fiber(const fiber&) = delete;
    fiber& operator=(const fiber&) = delete;
    ~fiber();

    /// The thread's own stack, to come back to.
    fiber();

    /// Leaves `from`, which must be the running one, and goes on where `to` was left.
    static void change(fiber& from, fiber& to);
    /// Forgets what its stack holds; the next change to it calls `entry` anew.
    void restart();

    struct state;

private:
    std::unique_ptr<state> self;
};

} // namespace migraphx::gpu
