// SPDX-License-Identifier: MIT
// Programs as C++ source that builds them. Literals are generated, not spelled out.
#include "base/str.hpp"
#include "ir/print_code.hpp"
#include "ir/text.hpp"

#include <migraphx/builtin.hpp>
#include <migraphx/json.hpp>
#include <migraphx/stringutils.hpp>

#include <ostream>

namespace migraphx {

namespace {

std::string cpp_dimension(const shape::dynamic_dimension& d) {
    if (d.is_symbolic())
        return "{migraphx::sym::parse(" + quote_string(d.sym_expr.to_declaration()) + ")}";
    const auto bounds = d.get_interval();
    return str('{', bounds.min, ", ", bounds.max, ", ", d.get_optimals(), '}');
}

std::string cpp_shape(const shape& s) {
    if (s.type() == shape::tuple_type) {
        std::string out = "migraphx::shape{std::vector<migraphx::shape>{";
        for (const auto& sub : s.sub_shapes())
            out += (out.back() == '{' ? "" : ", ") + cpp_shape(sub);
        return out + "}}";
    }
    std::string out = "migraphx::shape{migraphx::shape::" + s.type_string() + ", ";
    if (not s.dynamic())
        return out + str(s.lens(), ", ", s.strides(), '}');
    out += "std::vector<migraphx::shape::dynamic_dimension>{";
    for (const auto& d : s.dyn_dims())
        out += (out.back() == '{' ? "" : ", ") + cpp_dimension(d);
    return out + "}}";
}

std::string cpp_literal(const literal& l, std::size_t seed) {
    const auto text = str("migraphx::generate_literal(", cpp_shape(l.get_shape()), ", ", seed, ')');
    return has_negative(l) ? text : "migraphx::abs(" + text + ")";
}

class cpp_printer {
public:
    explicit cpp_printer(const std::vector<const module*>& modules)
        : names(make_code_names(modules, [](const module& m) { return "m" + to_c_id(m.name()); })) {
    }

    void print(std::ostream& os, const module& root) {
        walk_code(
            root,
            [&](const module& m) {
                os << "migraphx::module_ref " << names.of(&m) << " = p.create_module("
                   << quote_string(m.name()) << ");\n";
            },
            [&](const module& m, instruction_ref ins) { os << line(names.of(&m), ins) << '\n'; });
    }
    const code_names& all_names() const { return names; }

private:
    std::string list_of(const std::vector<instruction_ref>& inputs) const {
        std::string out;
        for (auto a : inputs)
            out += (out.empty() ? "" : ", ") + names.of(a);
        return out;
    }

    std::string line(const std::string& m, instruction_ref ins) {
        const auto op = ins->get_operator().name();
        if (op == "@return")
            return m + "->add_return({" + list_of(ins->inputs()) + "});";
        const auto left = "auto " + names.of(ins) + " = " + m;
        if (op == "@literal")
            return left + "->add_literal(" + cpp_literal(ins->get_literal(), seed++) + ");";
        if (op == "@param")
            return left + "->add_parameter(" +
                   quote_string(ins->get_operator().get<std::string>("parameter")) + ", " +
                   cpp_shape(ins->get_shape()) + ");";
        const auto changed = changed_attributes(ins->get_operator());
        std::string out = left + "->add_instruction(";
        if (changed.empty())
            out += "migraphx::make_op(" + quote_string(op) + ")";
        else
            out += "migraphx::make_json_op(" + quote_string(op) + ", " +
                   quote_string(to_json_string(changed)) + ")";
        if (ins->module_inputs().empty())
            return out + (ins->inputs().empty() ? "" : ", ") + list_of(ins->inputs()) + ");";
        out += ", {" + list_of(ins->inputs()) + "}, {";
        for (const auto* sub : ins->module_inputs())
            out += (out.back() == '{' ? "" : ", ") + names.of(sub);
        return out + "});";
    }

    code_names names;
    std::size_t seed = 0;
};

cpp_printer make_cpp_printer(const module& m) {
    std::vector<const module*> modules{&m};
    for (const auto* sub : m.get_sub_modules())
        modules.push_back(sub);
    return cpp_printer{modules};
}

} // namespace

void module::print_cpp(std::ostream& os) const {
    make_cpp_printer(*this).print(os, *this);
}

void program::print_cpp(std::ostream& os) const {
    const auto* m = get_main_module();
    auto printer = make_cpp_printer(*m);
    os << "migraphx::program p;\nmigraphx::module_ref " << printer.all_names().of(m)
       << " = p.get_main_module();\n";
    printer.print(os, *m);
}

} // namespace migraphx
