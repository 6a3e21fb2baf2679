// SPDX-License-Identifier: MIT
// From text to programs in two steps: lines to records, then records to instructions. A module is
// built when the first instruction that uses it is, so that it sees what is defined before that.
#include "ir/text_parser.hpp"

#include "base/str.hpp"
#include "ir/module_impl.hpp"
#include "ir/program_impl.hpp"
#include "ir/text.hpp"
#include "ir/text_lines.hpp"

#include <migraphx/builtin.hpp>
#include <migraphx/generate.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/serialize.hpp>

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>
#include <unordered_map>

namespace migraphx {

namespace {

constexpr std::size_t text_module_depth = 100;
constexpr std::size_t largest_random_literal = std::size_t{1} << 33; // bytes

template <class T>
T read_element(std::string_view text, std::size_t line) {
    text = trimmed(text);
    if constexpr (std::is_same_v<T, std::int64_t> or std::is_same_v<T, std::uint64_t>)
        if (text == "true" or text == "false")
            return text == "true";
    T x{};
    if (not read_whole(text, x))
        fail_line(line, str("expected a number of the literal's type, got '", text, '\''));
    return x;
}

template <class T>
std::vector<T> read_elements(std::string_view text, std::size_t line) {
    std::vector<T> result;
    while (text.find_first_not_of(' ') != std::string_view::npos) {
        const auto comma = std::min(text.find(','), text.size());
        result.push_back(read_element<T>(text.substr(0, comma), line));
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return result;
}

template <class T, class Element>
literal checked_literal(const shape& s, const std::vector<Element>& xs, std::size_t line) {
    if constexpr (std::is_integral_v<T>)
        for (auto x : xs)
            if (static_cast<Element>(static_cast<T>(x)) != x)
                fail_line(line, str("expected a value of ", s.type_string(), ", got ", x));
    return literal{s, xs};
}

literal numbers_literal(const text_instruction& ins, const shape& s) {
    literal result;
    shape::visit(s.type(), [&](auto as) {
        using type = typename decltype(as)::type;
        using read =
            std::conditional_t<std::is_same_v<type, double>, double,
                               std::conditional_t<not std::is_integral_v<type>, float,
                                                  std::conditional_t<std::is_unsigned_v<type>,
                                                                     std::uint64_t, std::int64_t>>>;
        result =
            checked_literal<type>(s, read_elements<read>(ins.literal_text, ins.line), ins.line);
    });
    return result;
}

literal strings_literal(const text_instruction& ins, const shape& s) {
    text_symbols symbols;
    text_reader r(ins.literal_text, ins.line, symbols);
    std::vector<std::string> texts;
    while (not r.at_end()) {
        texts.push_back(r.quoted());
        if (not r.take(",") and not r.at_end())
            r.fail_expected("a comma");
    }
    return literal::adopt(string_argument(s, {texts.begin(), texts.end()}));
}

literal hex_literal(const text_instruction& ins, const shape& s) {
    if (s.type() == shape::string_type)
        fail_line(ins.line, "expected strings in quotes, got bytes");
    const auto digits = ins.literal_text;
    if (s.bytes() > digits.size() or digits.size() != 2 * s.bytes())
        fail_line(ins.line, str("expected ", s.bytes(), " bytes as hexadecimal digits, got ",
                                digits.size(), " digits"));
    auto data = argument::uninitialized(s);
    for (std::size_t i = 0; i < s.bytes(); ++i) {
        unsigned byte = 0;
        const auto r = std::from_chars(digits.data() + 2 * i, digits.data() + 2 * i + 2, byte, 16);
        if (r.ptr != digits.data() + 2 * i + 2)
            fail_line(ins.line,
                      str("expected hexadecimal digits, got '", digits.substr(2 * i, 2), '\''));
        data.data()[i] = static_cast<char>(byte);
    }
    return literal::adopt(std::move(data));
}

literal make_literal(const text_instruction& ins) {
    const auto& s = *ins.stated;
    if (s.dynamic() or s.type() == shape::tuple_type)
        fail_line(ins.line, str("expected a static tensor shape of the literal, got ", s));
    if (ins.literal_form != text_instruction::random and s.lens().empty())
        return literal{s.type()};
    if (ins.literal_form == text_instruction::hex)
        return hex_literal(ins, s);
    if (ins.literal_form == text_instruction::numbers and s.type() == shape::string_type)
        return strings_literal(ins, s);
    if (ins.literal_form == text_instruction::numbers)
        return numbers_literal(ins, s);
    if (s.bytes() > largest_random_literal)
        fail_line(ins.line, str("expected a literal of at most ", largest_random_literal,
                                " bytes, got ", s.bytes()));
    return generate_literal(s, ins.seed);
}

class text_builder {
public:
    explicit text_builder(const text_program& source) : text(source) {
        for (const auto& m : text.modules)
            if (not states.emplace(m.name, state{&m}).second)
                fail_line(m.line, "expected a new name of a module, got '" + m.name + "' again");
    }

    program build() {
        if (text.modules.empty())
            return std::move(result);
        const bool unnamed = text.modules.size() == 1 and text.modules.front().name.empty();
        if (not unnamed and not states.contains("main"))
            fail_line(text.modules.front().line,
                      "expected a module named main, got '" + text.modules.front().name + "'");
        build_module(states.at(unnamed ? "" : "main"), *result.get_main_module());
        for (const auto& m : text.modules) // those that nothing uses
            sub_module(m.name, m.line);
        result.set_output_names(text.outputs);
        program_access::impl(result).dimension_names = text.dimension_names;
        return std::move(result);
    }

    void build_single(module& m) {
        if (text.modules.size() > 1)
            fail_line(text.modules[1].line, "expected one module, got another one");
        if (not text.modules.empty())
            build_module(states.at(text.modules.front().name), m);
    }

private:
    struct state {
        const text_module* source;
        module* built = nullptr;
        bool open = false; // being built
    };
    using scope = std::unordered_map<std::string, instruction_ref>;

    module* sub_module(const std::string& name, std::size_t line) {
        auto it = states.find(name);
        if (it == states.end())
            fail_line(line, "expected a module of the text, got '" + name + "'");
        auto& s = it->second;
        if (s.open)
            fail_line(line, "expected a module that does not use itself, got '" + name + "'");
        if (s.built == nullptr)
            build_module(s, *result.create_module(name));
        return s.built;
    }

    instruction_ref operand(const std::string& name, std::size_t line) const {
        for (auto s = scopes.rbegin(); s != scopes.rend(); ++s)
            if (auto it = s->find(name); it != s->end())
                return it->second;
        fail_line(line, "expected the name of an instruction above, got '" + name + "'");
    }

    void build_module(state& s, module& m) {
        if (scopes.size() >= text_module_depth)
            fail_line(s.source->line, "expected less nesting of modules, got more");
        s.built = &m;
        s.open = true;
        m.set_bypass(s.source->bypass);
        scopes.emplace_back();
        for (const auto& line : s.source->instructions) {
            auto ins = on_line(line.line, [&] { return add(m, line); });
            ins->set_target_id(line.target_id);
            ins->set_normalized(line.normalized);
            ins->add_debug_symbols(line.symbols);
            if (not line.id.empty() and not scopes.back().emplace(line.id, ins).second)
                fail_line(line.line, "expected a new name, got '" + line.id + "' again");
        }
        order_parameters(*s.source, m);
        scopes.pop_back();
        s.open = false;
    }

    static void order_parameters(const text_module& source, module& m) {
        std::vector<instruction_ref> order;
        for (const auto& name : source.parameter_order) {
            auto p = m.get_parameter(name);
            if (p == m.end() or std::find(order.begin(), order.end(), p) != order.end())
                fail_line(source.line,
                          "expected parameters of the module, each once, got '" + name + "'");
            order.push_back(p);
        }
        if (order.empty())
            for (auto i = m.begin(); i != m.end(); ++i)
                if (i->name() == "@param")
                    order.insert(order.begin(), i);
        if (order.size() != m.get_parameters().size())
            fail_line(source.line, "expected all parameters of the module, got fewer");
        module_access::order_parameters(m, order);
    }

    instruction_ref add(module& m, const text_instruction& line) {
        const auto& name = line.op.name;
        if ((name == "@param" or name == "@literal" or name == "@outline") and not line.stated)
            fail_line(line.line, "expected '-> shape', got the end of the line");
        if (name == "@param")
            return m.insert_parameter(m.end(), line.parameter, *line.stated);
        if (name == "@literal")
            return m.insert_literal(m.end(), make_literal(line));
        std::vector<instruction_ref> operands;
        for (const auto& o : line.operands)
            operands.push_back(operand(o, line.line));
        if (name == "@return")
            return m.add_return(operands);
        if (name == "@outline")
            return m.insert_instruction(m.end(), builtin::outline{*line.stated}, operands);
        std::vector<module_ref> modules;
        for (const auto& mod : line.modules)
            modules.push_back(sub_module(mod, line.line));
        auto attributes = line.op.attributes;
        // load[offset=a,end=b]: the rest is in the output shape.
        if (name == "load" and line.stated and not attributes.contains("shape")) {
            value full = value::object{};
            full["shape"] = to_value(*line.stated);
            full["offset"] = attributes.get("offset", std::size_t{0});
            attributes = full;
        }
        auto ins =
            m.insert_instruction(m.end(), make_op_from_value(name, attributes), operands, modules);
        if (line.stated)
            check_shape(line, ins->get_shape());
        return ins;
    }

    static void check_shape(const text_instruction& line, const shape& inferred) {
        if (*line.stated == inferred or line.stated_text == to_text(inferred) or
            to_text(*line.stated) == to_text(inferred))
            return;
        fail_line(line.line, str(line.op.name, ": expected the output shape to be the inferred ",
                                 inferred, ", got ", line.stated_text));
    }

    const text_program& text;
    program result;
    std::unordered_map<std::string, state> states;
    std::vector<scope> scopes;
};

// One part that is the whole text.
template <class F>
auto read_part(std::string_view text, F f) {
    text_symbols symbols;
    text_reader r(text, 1, symbols);
    auto result = f(r);
    if (not r.at_end())
        r.fail_expected("the end of the text");
    return result;
}

} // namespace

program parse_text(std::string_view text) {
    const auto lines = read_lines(text);
    return text_builder{lines}.build();
}

module parse_module_text(std::string_view text) {
    const auto lines = read_lines(text);
    module m{lines.modules.empty() ? "" : lines.modules.front().name};
    text_builder{lines}.build_single(m);
    return m;
}

operation parse_operation_text(std::string_view text) {
    const auto op = read_part(text, [](text_reader& r) { return r.read_operation(); });
    return make_op_from_value(op.name, op.attributes);
}

shape parse_shape_text(std::string_view text) {
    return read_part(text, [](text_reader& r) { return r.read_shape(); });
}

value parse_value_text(std::string_view text) {
    return read_part(text, [](text_reader& r) { return r.read_value(); });
}

} // namespace migraphx
