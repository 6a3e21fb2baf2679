// SPDX-License-Identifier: MIT
#include "runtime/problem_text.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>

#include "base/str.hpp"
#include "ir/text.hpp"

namespace migraphx {

namespace {

// Names in a module begin with its own, which tells layers of a model apart.
std::string without(std::string text, const std::string& name) {
    if (name.empty())
        return text;
    for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at))
        text.erase(at, name.size());
    return text;
}

} // namespace

std::string problem_text(const problem& p) {
    std::string text = str(p.op);
    for (std::size_t i = 0; i < p.inputs.size(); i++)
        text += str(p.is_constant(i) ? " const " : " ", p.inputs[i]);
    text += str(" -> ", p.output);
    for (const auto* m : p.modules)
        text += str("\n", without(to_text(*m), m->name()));
    return text;
}

} // namespace migraphx
