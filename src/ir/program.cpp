// SPDX-License-Identifier: MIT
// The program as a set of modules. Compiling and running are in runtime/, text and files in
// print.cpp and program_value.cpp.
#include <migraphx/builtin.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/program.hpp>

#include "ir/module_impl.hpp"
#include "ir/output_parameter.hpp"
#include "ir/program_impl.hpp"

#include <algorithm>
#include <utility>

namespace migraphx {

void (*restore_executable)(program&) = nullptr;

program_impl& program_access::impl(program& p) {
    return *p.impl;
}
const program_impl& program_access::impl(const program& p) {
    return *p.impl;
}

program::program() : impl(std::make_unique<program_impl>()) {
    create_module("main");
}

program::program(module m) : impl(std::make_unique<program_impl>()) {
    create_module("main", std::move(m));
}

program::program(program&&) noexcept = default;
program::~program() noexcept = default;

program& program::operator=(program p) {
    std::swap(impl, p.impl);
    return *this;
}

program::program(const program& rhs) : impl(std::make_unique<program_impl>()) {
    impl->contexts = rhs.impl->contexts;
    impl->targets = rhs.impl->targets;
    impl->output_names = rhs.impl->output_names;
    impl->options = rhs.impl->options;
    impl->artifacts = rhs.impl->artifacts;
    impl->exec = rhs.impl->exec;
    impl->dimension_names = rhs.impl->dimension_names;
    impl->read_with_ranges = rhs.impl->read_with_ranges;
    std::unordered_map<module_ref, module_ref> mods;
    for (auto& item : rhs.impl->modules) {
        auto& copy = impl->modules.emplace(item.first, module{item.second.name()}).first->second;
        copy.set_bypass(item.second.bypass());
        mods[const_cast<module_ref>(&item.second)] = &copy;
    }
    // Outer modules come first, so that what sub-modules use of them is already mapped.
    module::instruction_map map;
    auto copy_body = [&](const module* m) {
        auto* copy = mods.at(const_cast<module_ref>(m));
        for (auto i = m->begin(); i != m->end(); ++i)
            map[i] = copy_instruction(*copy, copy->end(), i, map, mods);
    };
    const auto* main = rhs.get_main_module();
    copy_body(main);
    std::vector<const module*> done{main};
    for (auto* m : main->get_sub_modules()) {
        copy_body(m);
        done.push_back(m);
    }
    for (auto& item : rhs.impl->modules)
        if (std::find(done.begin(), done.end(), &item.second) == done.end())
            copy_body(&item.second);
    module_access::copy_parameter_counters(rhs.impl->modules, impl->modules);
}

// ---- parameters and results

std::vector<std::string> program::get_parameter_names() const {
    return get_main_module()->get_parameter_names();
}
shape program::get_parameter_shape(std::string name) const {
    return get_main_module()->get_parameter_shape(std::move(name));
}
instruction_ref program::get_parameter(std::string name) const {
    return get_main_module()->get_parameter(std::move(name));
}
std::unordered_map<std::string, shape> program::get_parameter_shapes() const {
    return get_main_module()->get_parameter_shapes();
}
std::vector<shape> program::get_output_shapes() const {
    return get_main_module()->get_output_shapes();
}

std::vector<std::string> program::get_output_names() const {
    auto names = impl->output_names;
    const auto n = get_main_module()->get_returns().size();
    for (auto i = names.size(); i < n; i++)
        names.push_back("output_" + std::to_string(i));
    names.resize(n);
    return names;
}

void program::set_output_names(std::vector<std::string> names) {
    impl->output_names = std::move(names);
}

// A program that takes sizes up to those it was read with still states those.
std::unordered_map<std::string, shape> program::get_inputs() const {
    auto result = get_parameter_shapes();
    std::erase_if(result,
                  [](const auto& x) { return output_parameter_index(x.first).has_value(); });
    if (is_compiled() and impl->options.is_dynamic)
        for (auto& item : result)
            if (item.second.dynamic())
                item.second = shape{item.second.type(), item.second.max_lens()};
    return result;
}

std::unordered_map<std::string, shape> program::get_outputs() const {
    std::unordered_map<std::string, shape> result;
    const auto names = get_output_names();
    const auto shapes = get_output_shapes();
    for (std::size_t i = 0; i < names.size(); i++)
        result[names[i]] = shapes[i];
    return result;
}

bool program::is_compiled() const {
    return impl->exec != nullptr or not impl->targets.empty();
}
bool program::get_offload_copy() const {
    return impl->options.offload_copy;
}
void program::set_device_id(std::size_t id) {
    if (id == std::exchange(impl->options.device_id, id) or impl->exec == nullptr)
        return;
    restore_executable(*this);
}
std::vector<target> program::get_targets() const {
    return impl->targets;
}
const compile_options& program::get_compile_options() const {
    return impl->options;
}
const std::shared_ptr<executable>& program::get_executable() const {
    return impl->exec;
}

context& program::get_context() const {
    if (impl->contexts.empty())
        fail(error_kind::invalid_argument,
             "get_context: a compiled program was expected, got one that is not");
    return impl->contexts.front();
}

void program::clear_context() {
    impl->contexts.clear();
    impl->targets.clear();
    impl->artifacts = nullptr;
    impl->exec = nullptr;
}

void program::finish() const {
    for (const auto& ctx : impl->contexts)
        ctx.finish();
}

// ---- modules

module* program::create_module(const std::string& name) {
    return create_module(name, module{name});
}

module* program::create_module(const std::string& name, module m) {
    m.set_name(name);
    auto [it, fresh] = impl->modules.emplace(name, std::move(m));
    if (not fresh)
        fail(error_kind::invalid_argument,
             "create_module: a new name was expected, got '" + name + "' again");
    return &it->second;
}

module* program::get_module(const std::string& name) {
    auto it = impl->modules.find(name);
    return it == impl->modules.end() ? nullptr : &it->second;
}
const module* program::get_module(const std::string& name) const {
    return const_cast<program*>(this)->get_module(name);
}
module* program::get_main_module() {
    return &impl->modules.at("main");
}
const module* program::get_main_module() const {
    return &impl->modules.at("main");
}

std::vector<module*> program::get_modules() {
    auto* main = get_main_module();
    std::vector<module*> result{main};
    for (auto* m : main->get_sub_modules())
        result.push_back(m);
    return result;
}

std::vector<const module*> program::get_modules() const {
    auto mods = const_cast<program*>(this)->get_modules();
    return {mods.begin(), mods.end()};
}

std::unordered_multimap<module_ref, module_ref> program::get_module_tree() {
    std::unordered_multimap<module_ref, module_ref> tree;
    for (auto* m : get_modules())
        for (auto* sub : m->get_sub_modules(true))
            tree.emplace(sub, m);
    return tree;
}

void program::remove_module(const std::string& name) {
    auto it = impl->modules.find(name);
    if (it == impl->modules.end() or name == "main")
        fail(error_kind::invalid_argument,
             "remove_module: a sub-module of the program was expected, got '" + name + "'");
    // Instructions go in reverse, so that none is removed while it is used.
    auto& m = it->second;
    while (not m.empty())
        m.remove_instruction(std::prev(m.end()));
    impl->modules.erase(it);
}

void program::rename_module(const std::string& old_name, const std::string& new_name) {
    if (impl->modules.contains(new_name))
        fail(error_kind::invalid_argument,
             "rename_module: a new name was expected, got '" + new_name + "' again");
    auto node = impl->modules.extract(old_name);
    if (node.empty())
        fail(error_kind::invalid_argument,
             "rename_module: a module of the program was expected, got '" + old_name + "'");
    node.key() = new_name;
    node.mapped().set_name(new_name);
    impl->modules.insert(std::move(node)); // the node and so the module's address stay
}

void program::remove_unused_modules() {
    const auto used = get_modules();
    std::vector<std::string> unused;
    for (auto& item : impl->modules)
        if (std::find(used.begin(), used.end(), &item.second) == used.end())
            unused.push_back(item.first);
    // An unused module may use instructions of another one, so all bodies go before the modules.
    for (const auto& name : unused) {
        auto& m = impl->modules.at(name);
        for (auto i = m.begin(); i != m.end(); ++i)
            i->clear_arguments();
    }
    for (const auto& name : unused)
        impl->modules.erase(name);
}

program& program::sort() {
    get_main_module()->sort();
    return *this;
}

std::size_t program::size() const {
    return impl->modules.size();
}

std::size_t program::total_instructions() const {
    std::size_t n = 0;
    for (const auto* m : get_modules())
        n += m->size();
    return n;
}

instruction_ref program::validate() const {
    for (const auto* m : get_modules()) {
        auto bad = m->validate();
        if (bad != m->end())
            return bad;
    }
    return get_main_module()->end();
}

} // namespace migraphx
