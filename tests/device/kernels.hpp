// SPDX-License-Identifier: MIT
// Kernels of single operators on a device, beside the reference.
#pragma once

#include "targets/gpu/lowering.hpp"

#include "device/devices.hpp"
#include "ops/tensor.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <migraphx/argument.hpp>
#include <migraphx/operation.hpp>
#include <vector>

namespace device_test {

using namespace migraphx;

/// None of the inputs is a constant.
inline device_problem problem_of(const std::shared_ptr<device>& on, const operation& op,
                                 const std::vector<argument>& in) {
    device_problem p;
    p.op = op;
    p.inputs = to_shapes(in);
    p.output = op.compute_shape(p.inputs);
    p.constants.resize(in.size());
    p.on = on;
    return p;
}

/// Inputs and outputs of one problem in the device's memory.
class device_arguments {
public:
    device_arguments(const device_problem& p, const std::vector<argument>& in, stream queue)
        : on(p.on), s(queue), out(argument::uninitialized(p.output)) {
        for (const auto& a : in)
            inputs.push_back(a.data() == nullptr ? nullptr : upload(a));
        const auto parts = leaves(out);
        for (const auto& a : parts)
            outputs.push_back(block(a.get_shape().element_space() * a.get_shape().type_size(), 0));
    }
    void run(const kernel& k) {
        if (scratch_bytes < k.scratch_bytes()) {
            scratch_bytes = k.scratch_bytes();
            scratch = block(scratch_bytes, 0);
        }
        k.run({inputs.data(), outputs.data(), scratch, s});
    }
    /// All elements of the results, one after another.
    std::vector<double> results() {
        std::vector<double> all;
        const auto parts = leaves(out);
        for (std::size_t i = 0; i < parts.size(); i++) {
            const auto& shape = parts[i].get_shape();
            on->copy(parts[i].data(), outputs[i], shape.element_space() * shape.type_size(),
                     copy_kind::to_host, s);
            on->synchronize(s);
            const auto x = load<double>(parts[i]);
            all.insert(all.end(), x.begin(), x.end());
        }
        return all;
    }
    static std::vector<argument> leaves(const argument& a) {
        return a.get_shape().type() == shape::tuple_type ? a.get_sub_objects()
                                                         : std::vector<argument>{a};
    }

private:
    std::shared_ptr<device> on;
    stream s;
    argument out;
    std::vector<std::shared_ptr<char>> memory;
    std::vector<char*> inputs, outputs;
    char* scratch = nullptr;
    std::size_t scratch_bytes = 0;

    char* block(std::size_t bytes, std::size_t offset) {
        memory.push_back(on->allocate(bytes + offset));
        return memory.back().get() + offset;
    }
    // What begins at an odd address does so on the device too.
    char* upload(const argument& a) {
        const auto bytes = a.get_shape().element_space() * a.get_shape().type_size();
        auto* to = block(bytes, reinterpret_cast<std::uintptr_t>(a.data()) % 16);
        on->copy(to, a.data(), bytes, copy_kind::to_device, s);
        on->synchronize(s);
        return to;
    }
};

inline std::vector<double> reference(const device_problem& p, const std::vector<argument>& in) {
    std::vector<double> all;
    for (const auto& part : device_arguments::leaves(p.op.compute(p.output, in))) {
        const auto x = load<double>(part);
        all.insert(all.end(), x.begin(), x.end());
    }
    return all;
}

/// Infinite where one has a NaN that the other has not.
inline double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
    EXPECT_EQ(a.size(), b.size());
    double most = 0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); i++)
        most = std::max(most, std::isnan(a[i]) != std::isnan(b[i])
                                  ? std::numeric_limits<double>::infinity()
                                  : std::fabs(a[i] - b[i]));
    return most;
}

} // namespace device_test
