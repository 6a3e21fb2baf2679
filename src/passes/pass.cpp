// SPDX-License-Identifier: MIT
// The type-erased pass, and the passes known by name.
#include <migraphx/errors.hpp>
#include <migraphx/pass.hpp>
#include <migraphx/pass_manager.hpp>

#include "passes/pass_registry.hpp"

#include <map>

namespace migraphx {

namespace {

std::map<std::string, std::function<pass()>>& passes_by_name() {
    static std::map<std::string, std::function<pass()>> passes;
    return passes;
}

struct no_pass {
    std::string name() const { return "disabled_pass"; }
    void apply(module&) const {}
};

} // namespace

void pass::apply(module_pass_manager& mpm) const {
    if (m_manager)
        m_manager(mpm);
    else if (m_module)
        m_module(mpm.get_module());
}

pass enable_pass(bool enabled, pass p) {
    return enabled ? p : pass{no_pass{}};
}

registered_pass::registered_pass(const char* name, std::function<pass()> make) {
    passes_by_name()[name] = std::move(make);
}

std::vector<std::string> get_pass_names() {
    std::vector<std::string> names;
    for (const auto& item : passes_by_name())
        names.push_back(item.first);
    return names;
}

pass make_pass(const std::string& name) {
    auto it = passes_by_name().find(name);
    if (it == passes_by_name().end()) {
        std::string known;
        for (const auto& item : passes_by_name())
            known += (known.empty() ? "" : ", ") + item.first;
        fail(error_kind::invalid_argument, "Unknown pass: " + name + "; expected one of " + known);
    }
    return it->second();
}

} // namespace migraphx
