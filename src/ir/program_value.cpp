// SPDX-License-Identifier: MIT
// Programs as values: the content of `.mxr` files, version 8.
//   {version, migraphx_version, targets: [{name}], contexts: [], modules: {name: {name, nodes}}}
// Added to that, and ignored by readers that do not know them: output_names, dimension_names,
// compile_options, artifacts, and for each module parameters (their order of declaration) and
// bypass.
#include <migraphx/builtin.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/logger.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/program.hpp>
#include <migraphx/register_target.hpp>
#include <migraphx/serialize.hpp>
#include <migraphx/version.hpp>

#include "base/phase_times.hpp"
#include "base/str.hpp"
#include "ir/module_impl.hpp"
#include "ir/program_impl.hpp"
#include "ir/text.hpp"

#include <algorithm>

namespace migraphx {

namespace {

constexpr int program_file_version = 8;
constexpr const char* library_version = MIGRAPHX_VERSION_TEXT;
constexpr std::size_t saved_module_depth = 100;

value names_value(const std::vector<std::string>& names) {
    return value(names);
}

value saved_node(instruction_ref ins, const print_names& names) {
    value node = value::object{};
    node["output"] = names.at(ins);
    node["name"] = ins->name();
    node["shape"] = to_value(ins->get_shape());
    node["normalized"] = ins->is_normalized();
    node["operator"] = ins->get_operator().to_value();
    if (ins->name() == "@literal")
        node["literal"] = to_value(ins->get_literal());
    std::vector<std::string> inputs;
    for (auto a : ins->inputs()) {
        auto it = names.find(a);
        if (it == names.end())
            fail(error_kind::invalid_argument,
                 str("save: expected operands within the program, got one of ", ins->name(),
                     " outside of it"));
        inputs.push_back(it->second);
    }
    node["inputs"] = names_value(inputs);
    if (not ins->module_inputs().empty()) {
        std::vector<std::string> modules;
        for (const auto* m : ins->module_inputs())
            modules.push_back(m->name());
        node["module_inputs"] = names_value(modules);
    }
    const auto& symbols = ins->get_debug_symbols();
    if (not symbols.empty())
        node["debug_symbols"] = names_value({symbols.begin(), symbols.end()});
    if (ins->get_target_id() != 0)
        node["target_id"] = ins->get_target_id();
    return node;
}

value saved_module(const module& m, const print_names& names) {
    value result = value::object{};
    result["name"] = m.name();
    value::array nodes;
    for (auto i = m.begin(); i != m.end(); ++i)
        nodes.push_back(saved_node(i, names));
    result["nodes"] = value(std::move(nodes), true);
    result["parameters"] = names_value(m.get_parameter_names());
    if (m.bypass())
        result["bypass"] = true;
    return result;
}

const value& required(const value& v, const char* key, const char* what) {
    const auto* x = v.find(key);
    if (not v.is_object() or x == v.end())
        fail(error_kind::invalid_argument, str(what, ": expected a key '", key, "', got none"));
    return *x;
}

std::vector<std::string> text_list(const value& v, const char* key) {
    const auto* x = v.find(key);
    if (x == v.end() or x->is_null())
        return {};
    if (not x->is_array())
        fail(error_kind::invalid_argument, str(key, ": expected an array of names"));
    return x->to_vector<std::string>();
}

// Builds the modules. A sub-module is built when the first node that uses it is, so that it sees
// the instructions of outer modules that come before.
class saved_program_reader {
public:
    saved_program_reader(const value& v, program& p)
        : modules(required(v, "modules", "program")), prog(p) {
        if (not modules.is_object() or not modules.contains("main"))
            fail(error_kind::invalid_argument,
                 "program: expected an object of modules with a module 'main', got none");
    }

    void read() {
        build(modules.at("main"), *prog.get_main_module());
        built["main"] = prog.get_main_module();
        for (const auto& m : modules)
            if (not built.contains(m.get_key()))
                sub_module(m.get_key());
    }

private:
    module* sub_module(const std::string& name) {
        auto it = built.find(name);
        if (it != built.end()) {
            if (it->second == nullptr)
                fail(error_kind::invalid_argument,
                     "program: expected a module that does not use itself, got '" + name + "'");
            return it->second;
        }
        const auto* source = modules.find(name);
        if (source == modules.end())
            fail(error_kind::invalid_argument,
                 "program: expected a module of the file, got '" + name + "'");
        built[name] = nullptr;
        auto* m = prog.create_module(name);
        build(*source, *m);
        built[name] = m;
        return m;
    }

    void build(const value& source, module& m) {
        if (++depth > saved_module_depth)
            fail(error_kind::invalid_argument, "program: expected less nesting of modules");
        if (not built.contains(m.name()))
            built[m.name()] = nullptr;
        const auto& nodes = required(source, "nodes", "module");
        if (not nodes.is_array())
            fail(error_kind::invalid_argument, "module: expected an array of nodes");
        std::size_t position = 0;
        for (const auto& node : nodes) {
            with_context([&] { add(node, m); },
                         [&] { return str("in node ", position, " of module ", m.name()); });
            ++position;
        }
        const auto* bypass = source.find("bypass");
        m.set_bypass(bypass != source.end() and bypass->to<bool>());
        order_parameters(source, m);
        --depth;
    }

    static void order_parameters(const value& source, module& m) {
        std::vector<instruction_ref> order;
        for (const auto& name : text_list(source, "parameters")) {
            auto p = m.get_parameter(name);
            if (p == m.end() or std::find(order.begin(), order.end(), p) != order.end())
                fail(error_kind::invalid_argument,
                     "module: expected parameters of the module, each once, got '" + name + "'");
            order.push_back(p);
        }
        // Files of other writers: each add_parameter put the new one in front.
        if (order.empty())
            for (auto i = m.begin(); i != m.end(); ++i)
                if (i->name() == "@param")
                    order.insert(order.begin(), i);
        if (order.size() != m.get_parameters().size())
            fail(error_kind::invalid_argument, "module: expected all parameters, got fewer");
        module_access::order_parameters(m, order);
    }

    void add(const value& node, module& m) {
        const auto name = required(node, "name", "node").to<std::string>();
        const auto s = from_value<shape>(required(node, "shape", "node"));
        const auto* attributes = node.find("operator");
        const value fields = attributes == node.end() ? value{} : attributes->without_key();
        instruction_ref ins;
        if (name == "@param")
            ins = m.insert_parameter(m.end(),
                                     required(fields, "parameter", "@param").to<std::string>(), s);
        else if (name == "@literal")
            ins = add_literal(node, s, m);
        else
            ins = add_operation(node, name, fields, s, m);
        const auto symbols = text_list(node, "debug_symbols");
        ins->add_debug_symbols({symbols.begin(), symbols.end()});
        ins->set_normalized(flag(node, "normalized"));
        if (const auto* id = node.find("target_id"); id != node.end())
            ins->set_target_id(id->to<std::size_t>());
        const auto output = required(node, "output", "node").to<std::string>();
        if (not names.emplace(output, ins).second)
            fail(error_kind::invalid_argument, "node: expected a new name, got '" + output + "'");
    }

    static bool flag(const value& node, const char* key) {
        const auto* x = node.find(key);
        return x != node.end() and x->to<bool>();
    }

    static instruction_ref add_literal(const value& node, const shape& s, module& m) {
        auto l = from_value<literal>(required(node, "literal", "@literal").without_key());
        if (l.get_shape() != s)
            fail(error_kind::invalid_argument,
                 str("@literal: expected a literal of the node's shape ", s, ", got ",
                     l.get_shape()));
        if (l.empty() and s.elements() > 0)
            fail(error_kind::invalid_argument, "@literal: expected data, got none");
        return m.insert_literal(m.end(), std::move(l));
    }

    instruction_ref add_operation(const value& node, const std::string& name, const value& fields,
                                  const shape& s, module& m) {
        std::vector<instruction_ref> inputs;
        for (const auto& input : text_list(node, "inputs")) {
            auto it = names.find(input);
            if (it == names.end())
                fail(error_kind::invalid_argument,
                     name + ": expected an operand before it, got '" + input + "'");
            inputs.push_back(it->second);
        }
        std::vector<module_ref> mods;
        for (const auto& mod : text_list(node, "module_inputs"))
            mods.push_back(sub_module(mod));
        if (name == "@return")
            return m.add_return(inputs);
        auto op =
            name == "@outline" ? operation{builtin::outline{s}} : make_op_from_value(name, fields);
        auto ins = m.insert_instruction(m.end(), op, inputs, mods);
        // Other writers may lay a result out in another way; what the operator computes counts.
        if (ins->get_shape() != s)
            log::debug() << name << ": the file says " << s << ", inferred is " << ins->get_shape();
        return ins;
    }

    const value& modules;
    program& prog;
    std::unordered_map<std::string, module*> built; // null while it is being built
    std::unordered_map<std::string, instruction_ref> names;
    std::size_t depth = 0;
};

value options_value(const compile_options& o) {
    value v = value::object{};
    v["offload_copy"] = o.offload_copy;
    v["fast_math"] = o.fast_math;
    v["tf32"] = o.tf32;
    v["exhaustive_tune"] = o.exhaustive_tune;
    v["is_dynamic"] = o.is_dynamic;
    v["num_threads"] = o.num_threads;
    return v;
}

compile_options options_from(const value& v) {
    compile_options o;
    o.offload_copy = v.get("offload_copy", o.offload_copy);
    o.fast_math = v.get("fast_math", o.fast_math);
    o.tf32 = v.get("tf32", o.tf32);
    o.exhaustive_tune = v.get("exhaustive_tune", o.exhaustive_tune);
    o.is_dynamic = v.get("is_dynamic", o.is_dynamic);
    o.num_threads = v.get("num_threads", o.num_threads);
    return o;
}

void read_targets(const value& v, std::vector<target>& targets, std::vector<context>& contexts) {
    const auto* names = v.find("targets");
    if (names == v.end())
        return;
    for (const auto& t : *names) {
        targets.push_back(make_target(
            t.is_string() ? t.get_string() : required(t, "name", "target").to<std::string>()));
        contexts.push_back(targets.back().get_context());
    }
}

void check_version(const value& v) {
    const auto* version = v.is_object() ? v.find("version") : v.end();
    if (version == v.end())
        fail(error_kind::invalid_argument,
             "program: expected an object with a version (a saved program), got something else");
    const auto number = version->to<std::int64_t>();
    if (number != program_file_version)
        fail(error_kind::invalid_argument, str("Error: Program version mismatch. expected version ",
                                               program_file_version, ", got ", number));
    const auto other = v.get("migraphx_version", std::string(library_version));
    if (other != library_version)
        log::warn() << "program was saved by version " << other << ", this is version "
                    << library_version;
}

} // namespace

int program::get_program_file_version() const {
    return program_file_version;
}

value program::to_value() const {
    value result = value::object{};
    result["version"] = program_file_version;
    result["migraphx_version"] = library_version;
    value targets = value::array{};
    value contexts = value::array{};
    for (std::size_t i = 0; i < impl->targets.size(); ++i) {
        value t = value::object{};
        t["name"] = impl->targets[i].name();
        targets.push_back(t);
        contexts.push_back(i < impl->contexts.size() ? impl->contexts[i].to_value() : value{});
    }
    result["targets"] = targets;
    result["contexts"] = contexts;
    const auto mods = get_modules();
    const auto names = name_instructions(mods);
    value saved = value::object{};
    for (const auto* m : mods)
        saved[m->name()] = saved_module(*m, names);
    result["modules"] = saved;
    if (not impl->output_names.empty())
        result["output_names"] = names_value(impl->output_names);
    if (not impl->dimension_names.empty()) {
        value names_of = value::object{};
        for (const auto& [parameter, dims] : impl->dimension_names)
            names_of[parameter] = names_value(dims);
        result["dimension_names"] = names_of;
    }
    if (is_compiled())
        result["compile_options"] = options_value(impl->options);
    if (impl->artifacts != nullptr and not impl->artifacts->empty())
        result["artifacts"] = impl->artifacts->to_value();
    return result;
}

void program::from_value(const value& v) {
    check_version(v);
    program fresh;
    // Targets come first: some bring the operators that their programs use.
    {
        const timed_phase row("load target");
        read_targets(v, fresh.impl->targets, fresh.impl->contexts);
    }
    {
        const timed_phase row("build program");
        saved_program_reader{v, fresh}.read();
    }
    fresh.set_output_names(text_list(v, "output_names"));
    if (const auto* names_of = v.find("dimension_names"); names_of != v.end()) {
        if (not names_of->is_object())
            fail(error_kind::invalid_argument,
                 "dimension_names: expected an object of lists of names");
        for (const auto& dims : *names_of)
            fresh.impl->dimension_names[dims.get_key()] =
                text_list(*names_of, dims.get_key().c_str());
    }
    fresh.impl->artifacts = std::make_shared<artifact_store>();
    if (const auto* a = v.find("artifacts"); a != v.end())
        fresh.impl->artifacts->from_value(*a);
    if (const auto* o = v.find("compile_options"); o != v.end())
        fresh.impl->options = options_from(*o);
    if (fresh.is_compiled() and restore_executable != nullptr)
        with_context([&] { restore_executable(fresh); },
                     [&] {
                         return "while preparing the saved program for " +
                                fresh.impl->targets.front().name();
                     });
    *this = std::move(fresh);
}

void migraphx_to_value(value& v, const program& p) {
    v = p.to_value();
}
void migraphx_from_value(const value& v, program& p) {
    p.from_value(v);
}

} // namespace migraphx
