// SPDX-License-Identifier: MIT
// How the gpu target turns instructions into kernels: for each operator an ordered list of
// implementations; the first that does not refuse wins. What has none runs on the host between two
// copies, which MIGRAPHX_TRACE=dispatch and the profile show.
#pragma once

#include "runtime/kernel.hpp"
#include "targets/gpu/device/device.hpp"

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace migraphx::gpu {

/// An instruction to be lowered, and the device it is for.
struct device_problem : problem {
    std::shared_ptr<device> on;
    bool image = false; ///< the rows of a product are positions of an image
    /// Input 1, a constant, is given in float and to be used as sums of two numbers of its type.
    bool in_parts = false;
};

/// Of an operator whose result may be shorter than the memory it is written to: how many elements,
/// columns or rows there are, which its scratch memory says after a run.
struct counted_kernel : kernel {
    std::unique_ptr<kernel> work;
    std::size_t at = 0, bytes = 8; ///< of the integer

    counted_kernel(std::unique_ptr<kernel> k, std::size_t place, std::size_t size)
        : work(std::move(k)), at(place), bytes(size) {}
    void run(const kernel_args& args) const override { work->run(args); }
    std::size_t scratch_bytes() const override { return work->scratch_bytes(); }
    std::string name() const override { return work->name(); }
    bool reads_input(std::size_t i) const override { return work->reads_input(i); }
    void add_constants(held_constants& held) const override { work->add_constants(held); }
};

struct implementation {
    const char* name;
    lowered (*make)(const device_problem& p);
};

/// An implementation's variant, as one more to choose from.
template <lowered (*Make)(const device_problem&), int Variant>
lowered of_variant(const device_problem& p) {
    auto q = p;
    q.variant = Variant;
    return Make(q);
}

/// Declared once for each operator (or several of one kind), at namespace scope.
struct implementations {
    implementations(std::initializer_list<const char*> operators,
                    std::initializer_list<implementation> list);
};

const std::vector<implementation>& implementations_of(const std::string& op);

/// Never refuses.
std::unique_ptr<kernel> lower(const device_problem& p);

/// A kernel of the host as one of the device: waits for the queue, copies what it reads to the
/// host, runs, copies the results back. A plan cannot record it (`runs_on_host`).
std::unique_ptr<kernel> on_host(const device_problem& p, std::unique_ptr<kernel> k);

/// Whether the kernel is one of `on_host`: its queue must not be recording.
bool runs_on_host(const kernel& k);

} // namespace migraphx::gpu
