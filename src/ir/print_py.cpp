// SPDX-License-Identifier: MIT
// Programs as Python source that builds them.
#include "base/str.hpp"
#include "ir/print_code.hpp"
#include "ir/text.hpp"

#include <migraphx/builtin.hpp>
#include <migraphx/serialize.hpp>

#include <cmath>
#include <ostream>

namespace migraphx {

namespace {

// Larger literals are generated.
constexpr std::size_t python_literal_elements = 1024;

void append_python(std::string& out, const value& v) {
    const char* separator = "";
    switch (v.get_type()) {
    case value::null_type:
        out += "None";
        break;
    case value::bool_type:
        out += v.get_bool() ? "True" : "False";
        break;
    case value::string_type:
        out += quoted_text(v.get_string());
        break;
    case value::float_type:
        if (std::isfinite(v.get_float()))
            out += str(v.get_float());
        else
            out += str("float(\"", v.get_float(), "\")");
        break;
    case value::binary_type:
        out += "bytes([";
        for (auto b : v.get_binary()) {
            out += separator + std::to_string(b);
            separator = ", ";
        }
        out += "])";
        break;
    case value::array_type:
    case value::object_type:
        out += v.is_array() ? '[' : '{';
        for (const auto& x : v) {
            out += separator;
            if (v.is_object())
                out += quoted_text(x.get_key()) + ": ";
            append_python(out, x.without_key());
            separator = ", ";
        }
        out += v.is_array() ? ']' : '}';
        break;
    default:
        out += to_text(v.without_key());
    }
}

std::string python_value(const value& v) {
    std::string out;
    append_python(out, v);
    return out;
}

std::string python_dimension(const shape::dynamic_dimension& d) {
    const auto bounds = d.get_interval();
    std::string out = str("migraphx.shape.dynamic_dimension(", bounds.min, ", ", bounds.max);
    const auto optimals = d.get_optimals();
    if (not optimals.empty())
        out += str(", ", optimals);
    return out + ')';
}

std::string python_shape(const shape& s) {
    if (s.type() == shape::tuple_type) {
        std::string out = "migraphx.shape([";
        for (const auto& sub : s.sub_shapes())
            out += (out.back() == '[' ? "" : ", ") + python_shape(sub);
        return out + "])";
    }
    std::string out = str("migraphx.shape(type=\"", s.type_string(), '"');
    if (s.dynamic()) {
        out += ", dyn_dims=[";
        for (const auto& d : s.dyn_dims())
            out += (out.back() == '[' ? "" : ", ") + python_dimension(d);
        out += ']';
    } else {
        out += ", lens=" + python_value(to_value(s.lens()));
        if (not s.standard() or s.lens().empty())
            out += ", strides=" + python_value(to_value(s.strides()));
    }
    return out + ')';
}

std::string python_literal(const literal& l, std::size_t seed) {
    const auto& s = l.get_shape();
    if (s.elements() >= python_literal_elements or l.empty() or
        not(s.computable() or s.type() == shape::string_type))
        return str("migraphx.generate_argument(", python_shape(s), ", ", seed, ')');
    std::string values;
    append_elements(values, s, l.data());
    for (const char* special : {"-nan", "nan", "-inf", "inf"})
        for (std::size_t at = 0; (at = values.find(special, at)) != std::string::npos;) {
            const bool alone = (at == 0 or values[at - 1] == ' ');
            const auto text = str("float(\"", special, "\")");
            if (alone)
                values.replace(at, std::string_view(special).size(), text);
            at += alone ? text.size() : 1;
        }
    return str("migraphx.create_argument(", python_shape(s), ", [", values, "])");
}

class python_printer {
public:
    explicit python_printer(const std::vector<const module*>& modules)
        : names(make_code_names(modules, [&](const module& m) {
              return &m == modules.front() ? std::string("m") : "m_" + m.name();
          })) {}

    void print(std::ostream& os, const module& root) {
        walk_code(
            root,
            [&](const module& m) {
                os << names.of(&m) << " = p.create_module(" << quoted_text(m.name()) << ")\n";
            },
            [&](const module& m, instruction_ref ins) { os << line(names.of(&m), ins) << '\n'; });
    }

private:
    std::string list_of(const std::vector<instruction_ref>& inputs) const {
        std::string out = "[";
        for (auto a : inputs)
            out += (out.size() == 1 ? "" : ", ") + names.of(a);
        return out + ']';
    }

    std::string line(const std::string& m, instruction_ref ins) {
        const auto op = ins->get_operator().name();
        if (op == "@return")
            return m + ".add_return(" + list_of(ins->inputs()) + ")";
        const auto left = names.of(ins) + " = " + m;
        if (op == "@literal")
            return left + ".add_literal(" + python_literal(ins->get_literal(), seed++) + ")";
        if (op == "@param")
            return left + ".add_parameter(" +
                   quoted_text(ins->get_operator().get<std::string>("parameter")) + ", " +
                   python_shape(ins->get_shape()) + ")";
        std::string out = left + ".add_instruction(migraphx.op(" + quoted_text(op);
        for (const auto& a : changed_attributes(ins->get_operator()))
            out += ", " + a.get_key() + "=" + python_value(a.without_key());
        out += "), " + list_of(ins->inputs());
        if (not ins->module_inputs().empty()) {
            out += ", [";
            for (const auto* sub : ins->module_inputs())
                out += (out.back() == '[' ? "" : ", ") + names.of(sub);
            out += ']';
        }
        return out + ") # " + python_shape(ins->get_shape());
    }

    code_names names;
    std::size_t seed = 0;
};

std::vector<const module*> with_sub_modules(const module& m) {
    std::vector<const module*> result{&m};
    for (const auto* sub : m.get_sub_modules())
        result.push_back(sub);
    return result;
}

} // namespace

void module::print_py(std::ostream& os) const {
    python_printer{with_sub_modules(*this)}.print(os, *this);
}

void program::print_py(std::ostream& os) const {
    os << "p = migraphx.program()\nm = p.get_main_module()\n";
    get_main_module()->print_py(os);
}

} // namespace migraphx
