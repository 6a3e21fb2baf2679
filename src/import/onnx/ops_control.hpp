// SPDX-License-Identifier: MIT
// What readers of loops share.
#pragma once

#include "import/onnx/importer.hpp"

#include <functional>

namespace migraphx::onnx {

/// The members of a tuple.
instructions results_of(node_reader& n, instruction_ref tuple);
instruction_ref int64_scalar(node_reader& n, int64_t v);
/// An initial state of a loop: values of stride 0 would pass for scalars or for views inside of the
/// body.
instruction_ref plain_state(node_reader& n, instruction_ref x);
/// Results of a loop, with scan outputs without dimensions stacked to vectors.
instructions stacked_scalars(node_reader& n, module_ref body, std::size_t states,
                             instructions results);
/// The body of a loop, read for state shapes that hold before and after every iteration. `read` is
/// called with such shapes; its module returns the condition, then the states.
module_ref settled_body(node_reader& n, std::vector<shape> states,
                        const std::function<module_ref(const std::vector<shape>&)>& read);
/// The condition that a body returns holds in every iteration; `running` is its parameter.
bool is_always_true(instruction_ref condition, instruction_ref running);

} // namespace migraphx::onnx
