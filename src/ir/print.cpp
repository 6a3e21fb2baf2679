// SPDX-License-Identifier: MIT
// Printing instructions, modules and programs as text. The forms of the parts are in text.cpp.
#include "ir/program_impl.hpp"
#include "ir/text.hpp"

#include <migraphx/builtin.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>
#include <migraphx/program.hpp>

#include <algorithm>
#include <iostream>
#include <unordered_set>

namespace migraphx {

namespace {

class instruction_namer {
public:
    print_names names;

    void add(const module& m, const std::string& prefix) {
        std::size_t position = 0;
        for (auto i = m.begin(); i != m.end(); ++i, ++position) {
            std::string own = "@" + std::to_string(position);
            const auto* p = any_cast<builtin::param>(&i->get_operator());
            std::string name = prefix + (p == nullptr ? own : quoted_name(p->parameter));
            // A parameter "m:x" and the parameter x of module m: one of them is quoted.
            if (not taken.insert(name).second) {
                name = prefix + quoted_text(p == nullptr ? own : p->parameter);
                taken.insert(name);
            }
            names[i] = std::move(name);
        }
    }

private:
    std::unordered_set<std::string> taken;
};

std::string module_prefix(const module& m) {
    return quoted_name(m.name()) + ":";
}

// "{a, b}" in the order of declaration, when that is not the reverse of the order of the lines
// (each add_parameter puts the new one in front).
std::string unusual_parameter_order(const module& m) {
    std::vector<instruction_ref> lines;
    for (auto i = m.begin(); i != m.end(); ++i)
        if (i->name() == "@param")
            lines.push_back(i);
    std::reverse(lines.begin(), lines.end());
    const auto declared = m.get_parameters();
    if (lines == declared)
        return "";
    std::string out;
    for (const auto& name : m.get_parameter_names())
        out += (out.empty() ? "{" : ", ") + quoted_name(name);
    return out + "}";
}

void append_module(std::string& out, const module& m, const print_names& names,
                   const print_options& options) {
    if (options.lossless) {
        const auto order = unusual_parameter_order(m);
        if (not order.empty())
            out += "parameters: " + order + '\n';
    }
    for (auto i = m.begin(); i != m.end(); ++i)
        out += to_text(i, names, options) + '\n';
}

bool has_own_output_names(const program& p) {
    const auto names = p.get_output_names();
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] != "output_" + std::to_string(i))
            return true;
    return false;
}

} // namespace

print_names name_instructions(const module& m, const std::string& prefix) {
    instruction_namer namer;
    namer.add(m, prefix);
    return std::move(namer.names);
}

print_names name_instructions(const std::vector<const module*>& modules) {
    instruction_namer namer;
    for (const auto* m : modules)
        namer.add(*m, m == modules.front() ? "" : module_prefix(*m));
    return std::move(namer.names);
}

std::string to_text(const module& m, const print_options& options) {
    std::string out;
    append_module(out, m, name_instructions(m, ""), options);
    return out;
}

std::string to_text(const program& p, const print_options& options) {
    const auto modules = p.get_modules();
    const auto names = name_instructions(modules);
    std::string out;
    if (options.lossless and has_own_output_names(p)) {
        const char* separator = "outputs: {";
        for (const auto& name : p.get_output_names()) {
            out += separator + quoted_name(name);
            separator = ", ";
        }
        out += "}\n";
    }
    if (options.lossless)
        for (const auto& [parameter, dims] : program_access::impl(p).dimension_names) {
            out += "dimensions: " + quoted_text(parameter) + " {";
            for (std::size_t i = 0; i < dims.size(); ++i)
                out += (i == 0 ? "" : ", ") + quoted_text(dims[i]);
            out += "}\n";
        }
    for (const auto* m : modules) {
        out += "module: " + quoted_text(m->name());
        if (options.lossless and m->bypass())
            out += ", bypass";
        out += '\n';
        append_module(out, *m, names, options);
        out += '\n';
    }
    return out;
}

void instruction::print(std::ostream& os, instruction_ref ins, const print_names& names) {
    os << to_text(ins, names);
}

// ---- module

print_names module::print(std::ostream& os, const std::string& prefix) const {
    auto names = name_instructions(*this, prefix);
    std::string out;
    append_module(out, *this, names, {});
    os << out;
    return names;
}

std::ostream& operator<<(std::ostream& os, const module& m) {
    return os << to_text(m);
}

void module::debug_print() const {
    std::cout << *this << std::endl;
}

void module::debug_print(instruction_ref ins) const {
    if (not has_instruction(ins)) {
        std::cout << (ins == end() ? "End instruction" : "Instruction not part of module")
                  << std::endl;
        return;
    }
    std::cout << to_text(ins, name_instructions(*this, "")) << std::endl;
}

void module::debug_print(const std::vector<instruction_ref>& inss) const {
    for (auto ins : inss)
        debug_print(ins);
    std::cout << std::endl;
}

void module::annotate(std::ostream& os, std::function<void(instruction_ref)> a) const {
    const auto names = name_instructions(*this, "");
    for (auto i = begin(); i != end(); ++i) {
        os << to_text(i, names);
        a(i);
        os << std::endl;
    }
}

// ---- program

void program::print(std::ostream& os) const {
    os << to_text(*this);
}

std::ostream& operator<<(std::ostream& os, const program& p) {
    return os << to_text(p);
}

void program::print(print_names& names,
                    const std::function<void(instruction_ref, print_names)>& print_func) const {
    const auto modules = get_modules();
    names = name_instructions(modules);
    for (const auto* m : modules)
        for (auto i = m->begin(); i != m->end(); ++i)
            print_func(i, names);
}

void program::debug_print() const {
    std::cout << *this << std::endl;
}

void program::debug_print(instruction_ref ins) const {
    const auto names = name_instructions(get_modules());
    if (not names.contains(ins)) {
        std::cout << "Instruction not part of program" << std::endl;
        return;
    }
    std::cout << to_text(ins, names) << std::endl;
}

void program::annotate(std::ostream& os, const std::function<void(instruction_ref)>& a) const {
    const auto modules = get_modules();
    const auto names = name_instructions(modules);
    for (const auto* m : modules) {
        os << "module: \"" << m->name() << "\"" << std::endl;
        for (auto i = m->begin(); i != m->end(); ++i) {
            os << to_text(i, names);
            a(i);
            os << std::endl;
        }
        os << std::endl;
    }
}

} // namespace migraphx
