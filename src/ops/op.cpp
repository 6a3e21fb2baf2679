// SPDX-License-Identifier: MIT
#include "ops/op.hpp"

#include <migraphx/errors.hpp>

namespace migraphx {

shape concrete_shape(const op_info& info, const void* self, const shape& output,
                     const std::vector<argument>& in, const std::vector<module_ref>& mods) {
    if (not output.any_of_dynamic())
        return output;
    const auto s = info.resolve ? info.resolve(self, in) : info.infer(self, to_shapes(in), mods);
    if (not s.any_of_dynamic())
        return s;
    if (not s.is_fixed())
        fail(error_kind::invalid_argument,
             info.name + ": an output shape that follows from the inputs was expected, got " +
                 s.to_string());
    return s.to_static();
}

} // namespace migraphx
