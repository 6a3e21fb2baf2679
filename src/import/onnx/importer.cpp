// SPDX-License-Identifier: MIT
// Graphs, scopes, functions and inputs.
#include "import/onnx/importer.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/logger.hpp>
#include <migraphx/make_op.hpp>

#include "import/onnx/tensor_argument.hpp"
#include "import/quote.hpp"
#include "ir/program_impl.hpp"

#include <algorithm>
#include <cctype>
#include <iostream>
#include <limits>
#include <set>

namespace migraphx::onnx {

namespace {

// What is entered is left again, whatever happens in between.
struct stack_level {
    stack_level(std::vector<const scope*>& s, std::size_t& d)
        : scopes(s), depth(d), size(s.size()), level(d) {}
    ~stack_level() {
        scopes.resize(size);
        depth = level;
    }
    stack_level(const stack_level&) = delete;
    stack_level& operator=(const stack_level&) = delete;

    std::vector<const scope*>& scopes;
    std::size_t& depth;
    std::size_t size;
    std::size_t level;
};

// Some exporters write a mark for a size that they do not know where its name belongs.
bool is_symbol(std::string_view name) {
    return name != "None" and std::any_of(name.begin(), name.end(), [](unsigned char c) {
               return std::isalpha(c) != 0 or c == '_';
           });
}

} // namespace

const instruction_ref* scope::find(std::string_view name) const {
    for (const auto* s = this; s != nullptr; s = s->parent) {
        auto it = s->names.find(name);
        if (it != s->names.end())
            return &it->second;
    }
    return nullptr;
}

importer::importer(const model& m, const onnx_options& o, import_observer* watcher)
    : source(m), given(o), functions(m), observer(watcher) {
    const auto& d = o.default_dyn_dim_value;
    if (o.default_dim_value != 0 and not(d == shape::dynamic_dimension{1, 1}))
        fail(error_kind::invalid_argument, "onnx options: one of default_dim_value and "
                                           "default_dyn_dim_value was expected, got both");
    for (const auto& item : o.map_input_dims)
        if (o.map_dyn_input_dims.contains(item.first))
            fail(error_kind::invalid_argument,
                 "onnx options: input '" + item.first +
                     "' was expected in one of map_input_dims and map_dyn_input_dims, got both");
}

program importer::run() {
    auto& main = *result.get_main_module();
    scope names;
    scopes.push_back(&names);
    try {
        read_initializers(main, source.graph, names);
        read_inputs(main, names);
        auto outputs = read_body(main, source.graph, names);
        main.add_return(outputs);
        result.remove_unused_modules();
    } catch (...) {
        if (given.print_program_on_error)
            std::cerr << result << std::endl;
        throw;
    }
    std::vector<std::string> outputs;
    for (const auto& o : source.graph.outputs)
        outputs.emplace_back(o.name);
    result.set_output_names(std::move(outputs));
    return std::move(result);
}

void importer::read_initializers(module& m, const graph& g, scope& names) {
    auto add = [&](std::string_view name, const auto& t) {
        names.set(
            name,
            with_context([&] { return m.add_literal(literal::adopt(tensor_argument(source, t))); },
                         [&] { return "in initializer " + in_quotes(name); }));
    };
    for (const auto& t : g.initializers)
        add(t.name, t);
    for (const auto& t : g.sparse_initializers)
        add(t.values.name, t);
}

shape importer::input_shape(const value_info& v) const {
    const std::string name(v.name);
    const auto& t = v.type;
    if (t.is != type_info::kind::tensor)
        return value_shape(t, "input " + in_quotes(name));
    const auto elem = to_shape_type(t.elem);
    if (not elem.has_value())
        fail(error_kind::unsupported,
             str("input ", in_quotes(name),
                 ": an element type of the engine was expected, got ONNX type ", int(t.elem)));
    if (auto it = given.map_input_dims.find(name); it != given.map_input_dims.end())
        return it->second.empty() ? shape{*elem} : shape{*elem, it->second};
    std::vector<shape::dynamic_dimension> dims;
    if (auto it = given.map_dyn_input_dims.find(name); it != given.map_dyn_input_dims.end())
        dims = it->second;
    else {
        if (not t.has_shape)
            fail(error_kind::invalid_argument,
                 "input " + in_quotes(name) +
                     ": the model does not state its rank; give its sizes in map_input_dims");
        const shape::dynamic_dimension fallback =
            given.default_dim_value != 0
                ? shape::dynamic_dimension{given.default_dim_value, given.default_dim_value}
                : given.default_dyn_dim_value;
        // Old exporters write 0 for a free dimension: with a default it is one, else it is the size
        // 0.
        const int64_t least =
            given.default_dim_value == 0 and fallback == shape::dynamic_dimension{1, 1} ? 0 : 1;
        for (const auto& d : t.dims) {
            auto named = d.is == dimension::kind::param
                             ? given.dim_params.find(std::string(d.param))
                             : given.dim_params.end();
            if (named != given.dim_params.end())
                dims.push_back(named->second);
            else if (d.is == dimension::kind::value and d.value >= least)
                dims.emplace_back(std::size_t(d.value), std::size_t(d.value));
            else
                dims.push_back(fallback);
        }
    }
    if (dims.empty())
        return shape{*elem};
    if (std::all_of(dims.begin(), dims.end(),
                    [](const auto& d) { return d.is_fixed() and not d.is_symbolic(); })) {
        std::vector<std::size_t> lens;
        for (const auto& d : dims)
            lens.push_back(d.get_interval().max);
        return shape{*elem, lens};
    }
    return shape{*elem, dims};
}

shape importer::value_shape(const type_info& t, const std::string& subject) const {
    const bool sequence = t.is == type_info::kind::sequence;
    if ((sequence or t.is == type_info::kind::optional) and t.element.size() == 1) {
        const auto element = value_shape(t.element.front(), subject);
        return sequence ? shape::sequence(element) : shape::optional(element);
    }
    if (t.is != type_info::kind::tensor)
        fail(error_kind::unsupported,
             subject +
                 ": a tensor, a sequence or an optional was expected, got another kind of value");
    const auto elem = to_shape_type(t.elem);
    if (not elem.has_value())
        fail(error_kind::unsupported,
             str(subject, ": an element type of the engine was expected, got ONNX type ",
                 int(t.elem)));
    if (not t.has_shape)
        return shape::unranked(*elem);
    std::vector<shape::dynamic_dimension> dims;
    bool fixed = true;
    for (const auto& d : t.dims) {
        const bool known = d.is == dimension::kind::value and d.value >= 0;
        fixed = fixed and known;
        if (known)
            dims.emplace_back(std::size_t(d.value), std::size_t(d.value));
        else
            dims.emplace_back(std::size_t{0}, std::numeric_limits<std::size_t>::max());
    }
    if (dims.empty())
        return shape{*elem};
    return fixed ? shape{*elem, shape{*elem, dims}.max_lens()} : shape{*elem, dims};
}

void importer::read_inputs(module& m, scope& names) {
    for (const auto& v : source.graph.inputs) {
        // Old models list initializers as inputs as well; those are constants here.
        if (names.find(v.name) != nullptr)
            continue;
        names.set(v.name, m.insert_parameter(m.end(), std::string(v.name), input_shape(v)));
    }
    note_dimension_names(m);
    warn_of_unknown_names();
}

// One set of options may serve several models, so a name that this one lacks is no error.
void importer::warn_of_unknown_names() const {
    auto warn = [](const auto& map, const char* option, const std::set<std::string_view>& known) {
        std::string names;
        for (auto name : known)
            names += (names.empty() ? "" : ", ") + in_quotes(name);
        for (const auto& item : map)
            if (not known.contains(item.first))
                log::warn() << "onnx options: " << option << ": a name of the model was expected ("
                            << (names.empty() ? "none" : names) << "), got "
                            << in_quotes(item.first);
    };
    std::set<std::string_view> inputs, symbols;
    for (const auto& v : source.graph.inputs) {
        inputs.insert(v.name);
        for (const auto& d : v.type.dims)
            if (d.is == dimension::kind::param)
                symbols.insert(d.param);
    }
    warn(given.map_input_dims, "map_input_dims", inputs);
    warn(given.map_dyn_input_dims, "map_dyn_input_dims", inputs);
    warn(given.dim_params, "dim_params", symbols);
}

// Dimensions that the model gives one name have one size, unless the options say otherwise for one
// of them.
void importer::note_dimension_names(const module& m) {
    std::map<std::string, shape::dynamic_dimension> ranges;
    std::set<std::string> ambiguous;
    std::map<std::string, std::vector<std::string>> all;
    for (const auto& v : source.graph.inputs) {
        const std::string input(v.name);
        const auto s = m.get_parameter_shape(input);
        if (not s.dynamic() or s.ndim() != v.type.dims.size())
            continue;
        auto& list = all[input];
        for (std::size_t i = 0; i < s.ndim(); i++) {
            const auto& d = s.dyn_dims()[i];
            const bool is_name = v.type.dims[i].is == dimension::kind::param and
                                 is_symbol(v.type.dims[i].param) and not d.is_fixed();
            list.emplace_back(is_name ? v.type.dims[i].param : "");
            if (is_name and not(ranges.try_emplace(list.back(), d).first->second == d))
                ambiguous.insert(list.back());
        }
    }
    for (auto& item : all) {
        for (auto& name : item.second)
            if (ambiguous.contains(name))
                name.clear();
        if (std::any_of(item.second.begin(), item.second.end(),
                        [](const auto& name) { return not name.empty(); }))
            program_access::impl(result).dimension_names.insert(item);
    }
}

instructions importer::read_body(module& m, const graph& g, scope& names) {
    const auto plan = plan_graph(g);
    read_nodes(m, g.nodes, plan.order, names, nullptr);
    instructions outputs;
    for (const auto& o : g.outputs) {
        const auto* ins = names.find(o.name);
        if (ins == nullptr)
            fail(error_kind::invalid_argument, "graph " + in_quotes(g.name) +
                                                   ": a value was expected for output " +
                                                   in_quotes(o.name) + ", got none");
        outputs.push_back(*ins);
    }
    return outputs;
}

void importer::read_nodes(module& m, const std::vector<node>& nodes,
                          const std::vector<std::size_t>& order, scope& names,
                          const function* inside) {
    const stack_level level{scopes, depth};
    scopes.push_back(&names);
    for (auto i : order)
        with_context(
            [&] {
                // The scopes of the main graph and of its body.
                if (observer != nullptr and scopes.size() == 2)
                    read_watched(m, nodes[i], names);
                else
                    read_node(m, nodes[i], names, inside);
            },
            [&] {
                const auto& n = nodes[i];
                std::string line = "at ONNX " + describe(n);
                if (not n.domain.empty())
                    line += ", domain " + printable(n.domain);
                return line + ", opset " + std::to_string(opset_version(source, n, inside));
            });
}

void importer::read_watched(module& m, const node& n, scope& names) {
    const observed_node seen{n.domain, n.op_type, describe(n)};
    const auto is_lost = [&](std::string_view name) {
        const auto* ins = names.find(name);
        return ins != nullptr and lost.count(*ins) != 0;
    };
    const auto outer = captures(n);
    if (std::any_of(n.inputs.begin(), n.inputs.end(), is_lost) or
        std::any_of(outer.begin(), outer.end(), is_lost))
        observer->node_left_out(seen);
    else {
        try {
            const module_mark before(m);
            read_node(m, n, names, nullptr);
            instructions results;
            for (auto name : n.outputs)
                if (const auto* ins = names.find(name); ins != nullptr)
                    results.push_back(*ins);
            observer->node_read(seen, before, results);
            return;
        } catch (const exception& e) {
            observer->node_failed(seen, e);
        }
    }
    for (auto name : n.outputs) {
        const auto ins = m.insert_instruction(m.insert_end(), make_op("undefined"), instructions{});
        lost.insert(ins);
        names.set(name, ins);
    }
}

void importer::read_node(module& m, const node& n, scope& names, const function* inside) {
    instructions args;
    for (auto name : n.inputs) {
        if (name.empty()) {
            args.push_back(
                m.insert_instruction(m.insert_end(), make_op("undefined"), instructions{}));
            continue;
        }
        const auto* ins = names.find(name);
        if (ins == nullptr)
            fail(error_kind::invalid_argument,
                 "a value was expected for input " + in_quotes(name) + ", got none");
        args.push_back(*ins);
    }
    const auto before = m.size();
    instructions outputs;
    const auto opset = opset_version(source, n, inside);
    if (const auto* f = functions.find(n); f != nullptr)
        outputs = call_function(m, n, *f, args);
    else if (auto read = find_operator(n.domain, n.op_type); read != nullptr) {
        node_reader reader{*this, m, n, opset, args};
        outputs = read(reader);
        note_known_dims(known, reader, outputs);
    } else if (given.skip_unknown_operators)
        outputs = instructions(
            n.outputs.size(),
            m.add_instruction(make_op("unknown:", {{"op", std::string(n.op_type)}}), args));
    else
        fail(error_kind::unsupported, "Unknown operator: " + printable(n.op_type) +
                                          "; `migraphx-driver onnx --list` prints those that can "
                                          "be read, skip_unknown_operators reads the rest");
    if (outputs.size() < n.outputs.size())
        for (auto i = outputs.size(); i < n.outputs.size(); i++)
            if (not n.outputs[i].empty())
                fail(error_kind::unsupported, str("output ", i, " (", in_quotes(n.outputs[i]),
                                                  ") of this operator is not supported"));
    for (std::size_t i = 0; i < n.outputs.size() and i < outputs.size(); i++)
        if (not n.outputs[i].empty())
            names.set(n.outputs[i], outputs[i]);
    if (given.use_debug_symbols and not n.name.empty()) {
        auto ins = m.insert_end();
        for (auto added = m.size(); added > before and ins != m.begin(); added--) {
            --ins;
            if (not ins->name().starts_with("@"))
                m.add_debug_symbols(ins, {std::string(n.name)});
        }
    }
}

instructions importer::call_function(module& m, const node& n, const function& f,
                                     const instructions& args) {
    const stack_level here{scopes, depth};
    if (++depth > 64)
        fail(error_kind::invalid_argument,
             "function " + in_quotes(f.name) + ": calls at most 64 deep were expected, got more");
    scope names;
    for (std::size_t i = 0; i < f.inputs.size(); i++)
        names.set(f.inputs[i],
                  i < args.size()
                      ? args[i]
                      : m.insert_instruction(m.insert_end(), make_op("undefined"), instructions{}));
    // References to the function's attributes take the values of the call.
    auto resolve = [&](attribute& a) {
        if (a.ref_attr_name.empty())
            return true;
        const attribute* value = n.find(a.ref_attr_name);
        if (value == nullptr)
            for (const auto& d : f.attribute_defaults)
                if (d.name == a.ref_attr_name)
                    value = &d;
        if (value == nullptr)
            return false;
        const auto name = a.name;
        a = *value;
        a.name = name;
        return true;
    };
    auto fill = [&](std::vector<node>& nodes, auto& self) -> void {
        for (auto& x : nodes) {
            std::erase_if(x.attributes, [&](attribute& a) { return not resolve(a); });
            for (auto& a : x.attributes)
                for (auto& g : a.graphs)
                    self(g.nodes, self);
        }
    };
    expanded.push_back(std::make_unique<std::vector<node>>(f.nodes));
    auto& body = *expanded.back();
    fill(body, fill);
    read_nodes(m, body, plan_function(f).order, names, &f);
    instructions outputs;
    for (auto o : f.outputs) {
        const auto* ins = names.find(o);
        if (ins == nullptr)
            fail(error_kind::invalid_argument, "function " + in_quotes(f.name) +
                                                   ": a value was expected for output " +
                                                   in_quotes(o) + ", got none");
        outputs.push_back(*ins);
    }
    return outputs;
}

module_ref importer::new_module(const std::string& name) {
    std::string unique = name;
    for (int i = 1; result.get_module(unique) != nullptr; i++)
        unique = name + "_" + std::to_string(i);
    return result.create_module(unique);
}

module_ref importer::read_subgraph(const graph& g, const std::string& name, const scope& outer,
                                   const std::vector<shape>& parameters) {
    auto* m = new_module(name);
    scope names{&outer};
    read_initializers(*m, g, names);
    for (std::size_t i = 0; i < g.inputs.size(); i++) {
        const auto& v = g.inputs[i];
        const auto s = i < parameters.size() ? parameters[i] : input_shape(v);
        names.set(v.name, m->insert_parameter(m->end(), std::string(v.name), s));
    }
    auto outputs = read_body(*m, g, names);
    // A result from outside of the module becomes one of its own.
    for (auto& o : outputs)
        if (not m->has_instruction(o))
            o = m->add_instruction(make_op("identity"), o);
    m->add_return(outputs);
    return m;
}

instructions importer::read_subgraph_body(module& m, const graph& g, scope& names) {
    read_initializers(m, g, names);
    return read_body(m, g, names);
}

instructions importer::read_inline(module& m, const graph& g) {
    // The scope must outlive this call: instructions are looked up by the views it holds only while
    // the graph is read.
    scope names{&current()};
    read_initializers(m, g, names);
    return read_body(m, g, names);
}

namespace {

// Options that make each size of the inputs range from 1 to what it is in `p`, unless the model
// states just that size.
onnx_options with_ranges(const model& m, onnx_options options, const program& p) {
    for (const auto& v : m.graph.inputs) {
        const std::string name(v.name);
        const auto s = p.get_parameter_shape(name);
        if (p.get_parameter(name) == p.get_main_module()->end() or s.ndim() == 0 or
            s.type() == shape::tuple_type)
            continue;
        const auto now = s.to_dynamic();
        auto dims = now.dyn_dims();
        for (std::size_t i = 0; i < dims.size(); i++) {
            const auto size = dims[i].get_interval().max;
            const bool stated =
                i < v.type.dims.size() and v.type.dims[i].is == dimension::kind::value and
                v.type.dims[i].value > 0 and std::size_t(v.type.dims[i].value) == size;
            if (dims[i].is_fixed() and not stated and size > 1)
                dims[i] = {1, size};
        }
        options.map_input_dims.erase(name);
        options.map_dyn_input_dims[name] = dims;
    }
    return options;
}

program build(model read, const onnx_options& options) {
    check_model(read);
    const auto m = std::make_shared<const model>(std::move(read));
    auto p = importer{*m, options}.run();
    program_access::impl(p).read_with_ranges =
        [m, options](const program& now) -> std::optional<program> {
        if (now != importer{*m, options}.run())
            return std::nullopt;
        return importer{*m, with_ranges(*m, options, now)}.run();
    };
    return p;
}

} // namespace

} // namespace migraphx::onnx

namespace migraphx {

program parse_onnx(const std::string& name, const onnx_options& options) {
    return with_context(
        [&] {
            onnx::read_options ro;
            ro.external_data_path = options.external_data_path;
            return onnx::build(onnx::read_model(name, ro), options);
        },
        [&] { return "while reading " + name; });
}

program parse_onnx_buffer(const void* data, std::size_t size, const onnx_options& options) {
    return with_context(
        [&] {
            onnx::read_options ro;
            ro.external_data_path = options.external_data_path;
            return onnx::build(onnx::read_model(data, size, nullptr, ro), options);
        },
        [&] { return std::string("while reading a model in memory"); });
}

program parse_onnx_buffer(const std::string& buffer, const onnx_options& options) {
    return parse_onnx_buffer(buffer.data(), buffer.size(), options);
}

} // namespace migraphx
