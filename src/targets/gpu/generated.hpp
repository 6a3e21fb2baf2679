// SPDX-License-Identifier: MIT
// A kernel of generated code: its text, how it is launched, what it gets.
//
// The entry's parameters are, in this order: a pointer for each input of the problem (in order,
// also those it does not use, unless `inputs` names which), one for each output, the scratch if
// `scratch` is not 0, the `table` if there is one, and then, if `params` is not empty, a struct of
// that many bytes by value.
// The text depends on the form of the problem only (types, rank, which strides are 0 or 1, vector
// width, blocks of a reduction); sizes and strides come at run time in `params`, so one compilation
// serves all sizes. See device_code/ for what the text may include.
#pragma once

#include "targets/gpu/lowering.hpp"

#include <cstddef>
#include <cstring>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

namespace migraphx::gpu {

/// The bytes of a struct that the device code declares alike: fixed-width members, largest first or
/// padded by hand.
class param_block {
public:
    template <class T>
    void add(const T& x) {
        static_assert(std::is_trivially_copyable_v<T>);
        const auto at = (bytes.size() + alignof(T) - 1) / alignof(T) * alignof(T);
        bytes.resize(at + sizeof(T));
        std::memcpy(bytes.data() + at, &x, sizeof(T));
    }
    const std::vector<char>& data() const { return bytes; }

private:
    std::vector<char> bytes;
};

struct launch_shape {
    extent3 grid, block;
    std::size_t shared = 0; ///< bytes of dynamic shared memory
};

struct generated {
    std::string name;   ///< for profiles and traces, such as "reduce<mul_add>"
    std::string source; ///< the whole text
    std::string entry;  ///< extern "C" function in it
    launch_shape launch;
    std::vector<char> params = {};
    std::vector<std::size_t> inputs = {}; ///< positions of the inputs it gets; empty: all
    bool takes_inputs = true;             ///< false: none of them
    std::size_t scratch = 0;              ///< bytes
    std::vector<char> table = {};         ///< read from device memory, where it is put once
    /// Asked for each run, with its addresses: nothing to do.
    std::function<bool(const kernel_args&)> needless = {};
    bool writes_over = false; ///< reads each element of an equal-layout input before writing it
};

/// Compiles (or finds) the code and wraps it. One stage.
std::unique_ptr<kernel> make_generated(const device_problem& p, generated g);
/// Several launches in a row on the same arguments; their scratch is shared.
std::unique_ptr<kernel> make_generated(const device_problem& p, std::vector<generated> stages);

} // namespace migraphx::gpu
