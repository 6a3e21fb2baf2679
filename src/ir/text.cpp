// SPDX-License-Identifier: MIT
// Text of shapes, attribute values, operations and literals.
#include "ir/text.hpp"

#include "base/str.hpp"

#include <migraphx/op_info.hpp>
#include <migraphx/serialize.hpp>
#include <migraphx/tensor_view.hpp>

#include <charconv>

namespace migraphx {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

template <class Range, class F>
void append_list(std::string& out, const Range& xs, F f) {
    out += '{';
    const char* separator = "";
    for (const auto& x : xs) {
        out += separator;
        f(x);
        separator = ", ";
    }
    out += '}';
}

void append_dimension(std::string& out, const shape::dynamic_dimension& d, bool lossless) {
    if (d.is_symbolic() and lossless) {
        out += d.sym_expr.to_declaration();
        return;
    }
    const auto bounds = d.get_interval();
    const bool fixed = bounds.min == bounds.max;
    if (d.is_symbolic())
        out += d.sym_expr.to_string();
    else if (fixed)
        out += std::to_string(bounds.min);
    if (not fixed)
        out += str('[', bounds.min, "..", bounds.max, ']');
    const auto optimals = lossless ? d.get_optimals() : std::set<std::size_t>{};
    if (not optimals.empty())
        append_list(out, optimals, [&](auto n) { out += std::to_string(n); });
}

void append_shape(std::string& out, const shape& s, bool lossless) {
    if (s.type() == shape::tuple_type) {
        out += s.is_sequence() ? "sequence[" : s.is_optional() ? "optional[" : "[";
        const char* separator = "";
        for (const auto& sub : s.sub_shapes()) {
            out += separator;
            append_shape(out, sub, lossless);
            separator = ", ";
        }
        out += ']';
        return;
    }
    if (s.symbolic() and lossless)
        out += "symbolic, ";
    else if (s.dynamic() and not s.symbolic())
        out += "dynamic, ";
    out += s.type_string();
    out += ", ";
    if (not s.has_rank()) {
        out += s.is_absent() ? "absent" : "any";
        return;
    }
    auto number = [&](auto n) { out += std::to_string(n); };
    if (not s.dynamic()) {
        append_list(out, s.lens(), number);
        out += ", ";
        append_list(out, s.strides(), number);
        return;
    }
    append_list(out, s.dyn_dims(), [&](const auto& d) { append_dimension(out, d, lossless); });
    if (not s.symbolic())
        return;
    out += ", ";
    append_list(out, s.dyn_strides(),
                [&](const sym::expr& e) { out += lossless ? e.to_declaration() : e.to_string(); });
}

bool has_keys(const value& v, std::initializer_list<const char*> keys) {
    if (v.size() != keys.size())
        return false;
    for (const char* k : keys)
        if (not v.contains(k))
            return false;
    return true;
}

bool is_shape_value(const value& v) {
    return v.is_object() and (has_keys(v, {"type", "sub_shapes", "lens", "strides",
                                           "dynamic_dimensions", "dyn_strides"}) or
                              has_keys(v, {"type", "sub_shapes", "lens", "strides",
                                           "dynamic_dimensions", "dyn_strides", "kind"}));
}

bool is_dimension_value(const value& v) {
    return v.is_object() and has_keys(v, {"range", "optimals", "sym"});
}

// Would the bare text be read as something else than this text?
bool looks_special(std::string_view s) {
    if (s.empty() or s == "null" or s == "nullopt" or s == "true" or s == "false")
        return true;
    double d = 0;
    const auto r = std::from_chars(s.data(), s.data() + s.size(), d);
    return r.ec != std::errc::invalid_argument and r.ptr == s.data() + s.size();
}

void append_string(std::string& out, const std::string& s, bool lossless, bool nested) {
    const bool marks = s.find_first_of(",[]{}'\"\n\r\t\\") != std::string::npos or
                       s.find(": ") != std::string::npos or s.starts_with(' ') or
                       s.ends_with(' ') or s.ends_with(':') or s.starts_with('@');
    if (marks or (nested and s.empty()) or (lossless and looks_special(s)))
        out += quoted_text(s);
    else
        out += s;
}

void append_hex(std::string& out, const void* bytes, std::size_t n) {
    const auto* p = static_cast<const unsigned char*>(bytes);
    const auto at = out.size();
    out.resize(at + 2 * n);
    for (std::size_t i = 0; i < n; ++i) {
        out[at + 2 * i] = hex_digits[p[i] >> 4];
        out[at + 2 * i + 1] = hex_digits[p[i] & 15];
    }
}

// How an attribute's value is written.
struct value_form {
    bool lossless = false;
    // Attributes of type float travel as double: shown with the digits that a float needs.
    bool short_floats = true;
};

void append_float(std::string& out, double x, const value_form& form) {
    const auto narrow = static_cast<float>(x);
    const auto at = out.size();
    if (form.short_floats and static_cast<double>(narrow) == x)
        append_number(out, narrow);
    else
        append_number(out, x);
    if (form.lossless and out.find_first_not_of("-0123456789", at) == std::string::npos)
        out += ".0";
}

// The value with its floats as their short texts are read.
value read_short_floats(const value& v) {
    if (v.is_float()) {
        std::string text;
        append_float(text, v.get_float(), {});
        double x = v.get_float();
        std::from_chars(text.data(), text.data() + text.size(), x);
        return value(x);
    }
    if (not v.is_array())
        return v.without_key();
    value::array items;
    for (const auto& x : v)
        items.push_back(read_short_floats(x));
    return value(std::move(items), true);
}

// Would the short texts of floats give this attribute the same value?
bool short_floats_suffice(const operation& op, const field_info& f, const value& v) {
    const auto read = read_short_floats(v);
    if (read == v)
        return true;
    auto copy = op.info().clone(op.self());
    f.set(copy.get(), read);
    return f.get(copy.get()) == v;
}

void append_value(std::string& out, const value& v, const value_form& form, bool nested) {
    const bool lossless = form.lossless;
    auto item = [&](const value& x) {
        if (v.is_object()) {
            append_string(out, x.get_key(), lossless, true);
            out += ": ";
        }
        append_value(out, x, form, true);
    };
    switch (v.get_type()) {
    case value::null_type:
        out += nested ? "null" : "nullopt";
        break;
    case value::bool_type:
        out += lossless ? (v.get_bool() ? "true" : "false") : (v.get_bool() ? "1" : "0");
        break;
    case value::int64_type:
        out += std::to_string(v.get_int64());
        break;
    case value::uint64_type:
        out += std::to_string(v.get_uint64());
        break;
    case value::float_type:
        append_float(out, v.get_float(), form);
        break;
    case value::string_type:
        append_string(out, v.get_string(), lossless, nested);
        break;
    case value::binary_type:
        if (lossless) {
            out += "@bytes:hex(";
            append_hex(out, v.get_binary().data(), v.get_binary().size());
            out += ')';
        } else
            out += str("binary of ", v.get_binary().size(), " bytes");
        break;
    case value::object_type:
        if (is_shape_value(v))
            append_shape(out, from_value<shape>(v), lossless);
        else if (is_dimension_value(v))
            append_dimension(out, from_value<shape::dynamic_dimension>(v), lossless);
        else if (v.empty() and lossless)
            out += "{:}"; // {} is the empty array
        else
            append_list(out, v, item);
        break;
    case value::array_type:
        append_list(out, v, item);
        break;
    }
}

void append_operation(std::string& out, const operation& op, bool lossless) {
    const auto name = op.name();
    out += name;
    if (op.empty() or op.info().fields.empty() or name == "@param")
        return;
    if (name == "load" and not lossless and op.has_attribute("shape") and
        op.has_attribute("offset")) {
        const auto offset = op.get<std::size_t>("offset");
        out += str("[offset=", offset,
                   ",end=", offset + from_value<shape>(op.attribute("shape")).bytes(), ']');
        return;
    }
    out += '[';
    const char* separator = "";
    for (const auto& f : op.info().fields) {
        const auto v = f.get(op.self());
        out += separator;
        out += f.name;
        out += '=';
        const bool number = v.is_int64() or v.is_uint64();
        const auto word = number ? v.to<std::int64_t>() : -1;
        if (word >= 0 and static_cast<std::size_t>(word) < f.words.size())
            out += f.words[static_cast<std::size_t>(word)];
        else
            append_value(out, v, {lossless, not lossless and short_floats_suffice(op, f, v)},
                         false);
        separator = ",";
    }
    out += ']';
}

bool has_nan(const literal& l) {
    bool found = false;
    if (l.get_shape().computable() and not shape::is_integral(l.get_shape().type()))
        l.visit([&](auto view) {
            for (auto x : view)
                found = found or not(x == x);
        });
    return found;
}

void append_literal(std::string& out, const literal& l, bool lossless) {
    const auto& s = l.get_shape();
    const auto n = l.empty() ? 0 : s.elements();
    if (not lossless and n > printed_literal_elements) {
        out += "@literal{ ... }";
    } else if (lossless and s.type() != shape::string_type and
               (n > lossless_literal_elements or not s.computable() or has_nan(l))) {
        out += "@literal:hex(";
        append_hex(out, l.data(), l.empty() ? 0 : s.bytes());
        out += ')';
    } else {
        out += "@literal{";
        if (n > 0)
            append_elements(out, s, l.data());
        out += '}';
    }
}

} // namespace

void append_elements(std::string& out, const shape& s, const char* data) {
    if (data == nullptr or s.type() == shape::tuple_type)
        return;
    const char* separator = "";
    if (s.type() == shape::string_type) {
        for (const auto x : make_view(s, reinterpret_cast<const std::string_view*>(data))) {
            out += separator + quoted_text(x);
            separator = ", ";
        }
        return;
    }
    if (not s.computable()) {
        for (std::size_t i = 0; i < s.bytes(); ++i) {
            out += separator + std::to_string(static_cast<unsigned char>(data[i]));
            separator = ", ";
        }
        return;
    }
    shape::visit(s.type(), [&](auto as) {
        using type = typename decltype(as)::type;
        for (auto x : make_view(s, as.from(data))) {
            out += separator;
            if constexpr (std::is_integral_v<type>)
                out += std::to_string(x);
            else if constexpr (std::is_same_v<type, double>)
                append_number(out, static_cast<double>(x));
            else
                append_number(out, static_cast<float>(x));
            separator = ", ";
        }
    });
}

bool is_plain_name(std::string_view name) {
    if (name.empty() or name.front() == '@')
        return false;
    for (const char c : name)
        if (static_cast<unsigned char>(c) <= ' ' or
            std::string_view(",()[]{}=\"\\").find(c) != std::string_view::npos)
            return false;
    return true;
}

std::string quoted_name(std::string_view name) {
    return is_plain_name(name) ? std::string(name) : quoted_text(name);
}

std::string quoted_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' or c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (byte < ' ' or byte == 127) {
            out += "\\x";
            out += hex_digits[byte >> 4];
            out += hex_digits[byte & 15];
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string to_text(const shape& s, const print_options& options) {
    std::string out;
    append_shape(out, s, options.lossless);
    return out;
}

std::string to_text(const shape::dynamic_dimension& d, const print_options& options) {
    std::string out;
    append_dimension(out, d, options.lossless);
    return out;
}

std::string to_text(const value& v, const print_options& options) {
    std::string out;
    append_value(out, v, {options.lossless, not options.lossless}, false);
    return out;
}

std::string to_text(const operation& op, const print_options& options) {
    std::string out;
    append_operation(out, op, options.lossless);
    return out;
}

std::string to_text(instruction_ref ins, const print_names& names, const print_options& options) {
    auto name_of = [&](instruction_ref i) {
        auto it = names.find(i);
        return it == names.end() ? std::string("?") : it->second;
    };
    const auto op = ins->get_operator();
    const auto op_name = op.name();
    std::string out = name_of(ins) + " = ";
    if (op_name == "@literal")
        append_literal(out, ins->get_literal(), options.lossless);
    else if (op_name == "@param")
        out += "@param:" + quoted_name(op.get<std::string>("parameter"));
    else
        append_operation(out, op, options.lossless);
    if (not ins->inputs().empty()) {
        char separator = '(';
        for (auto a : ins->inputs()) {
            out += separator + name_of(a);
            separator = ',';
        }
        out += ')';
    }
    if (not ins->module_inputs().empty()) {
        const char* separator = ", [";
        for (const auto* m : ins->module_inputs()) {
            out += separator + quoted_name(m->name());
            separator = ", ";
        }
        out += ']';
    }
    if (op_name != "@return") {
        out += " -> ";
        append_shape(out, ins->get_shape(), options.lossless);
    }
    if (ins->get_target_id() != 0)
        out += ", target_id=" + std::to_string(ins->get_target_id());
    if (options.lossless and ins->is_normalized())
        out += ", normalized";
    const char* separator = " # ";
    for (const auto& symbol : ins->get_debug_symbols()) {
        out += separator;
        const bool marks = symbol.empty() or
                           symbol.find_first_of(",\"\\\n\r") != std::string::npos or
                           symbol.front() == ' ' or symbol.back() == ' ';
        out += marks ? quoted_text(symbol) : symbol;
        separator = ", ";
    }
    return out;
}

} // namespace migraphx
