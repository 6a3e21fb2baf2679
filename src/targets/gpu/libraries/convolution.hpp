// SPDX-License-Identifier: MIT
// Convolutions by a library: what is asked for, and who answers (cuDNN on CUDA, plain loops on the
// host device, which also say what the descriptor means).
#pragma once

#include "passes/post_operations.hpp"
#include "targets/gpu/device/device.hpp"

#include <migraphx/shape.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace migraphx {
class artifact_store;
}

namespace migraphx::gpu {

/// One step after the sums; `operand` is the layout of the other operand, with strides of 0 where
/// it is stretched.
struct convolution_step {
    post_operation what;
    shape operand = {};
};

/// A convolution with every size known. Axes are N, C, then one to three spatial ones; memory lies
/// as the strides say.
///
///   y[n, o, p...] = steps(sum over c, t of x[n, c, p * stride - before + t * dilation] w[o, c, t])
///
/// Transposed: x[n, c, p...] adds x w[c, o, t] to y at p * stride - before + t * dilation.
struct convolution_desc {
    shape x, w, y; ///< w: O, C/g, taps (transposed: C, O/g, taps). y's type may be another
    bool transposed = false;
    std::vector<int64_t> stride, dilation, before, after; ///< by spatial axis
    int64_t group = 1;
    bool tf32 = false;   ///< float products may be rounded to 10 bits
    bool aligned = true; ///< all addresses are multiples of 16 bytes; else of an element
    std::vector<convolution_step> steps;

    std::size_t spatial() const { return x.ndim() - 2; }
    /// Multiplications.
    double work() const;
};

/// Two descriptors with one text are the same problem.
std::string to_string(const convolution_desc& d);

struct convolution_pointers {
    const void* x = nullptr;
    const void* w = nullptr;
    const void* const* operands = nullptr; ///< of the steps that have one, in order
    void* y = nullptr;
    void* workspace = nullptr;
};

/// Immutable; run from many threads at once. `run` only puts work on the stream.
struct prepared_convolution {
    virtual ~prepared_convolution() = default;
    virtual std::string name() const = 0;
    virtual std::size_t workspace() const { return 0; } ///< bytes, aligned to 256
    virtual void run(const convolution_pointers& p, stream s) const = 0;
};

struct convolution_library {
    virtual ~convolution_library() = default;
    virtual std::string name() const = 0;
    /// Ways to do it, the one that is thought fastest first, at most `most`. Empty: not at all, and
    /// `reason` says why. `kept`: what a compiled program keeps beside itself; may be null.
    virtual std::vector<std::shared_ptr<const prepared_convolution>>
    prepare(const convolution_desc& d, std::size_t most, artifact_store* kept,
            std::string& reason) = 0;
};

/// The library for this device; null, with the reason, where there is none.
convolution_library* convolutions_of(device& on, std::string& reason);

/// Plain loops over host memory in double (whole numbers in int64): any type, any strides.
convolution_library& host_convolutions(device& host);

} // namespace migraphx::gpu
