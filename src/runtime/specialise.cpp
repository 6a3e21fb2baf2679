// SPDX-License-Identifier: MIT
#include "runtime/specialise.hpp"

#include <migraphx/builtin.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>

#include "base/str.hpp"
#include "runtime/concrete_form.hpp"
#include "runtime/plan.hpp"

#include <algorithm>
#include <sstream>
#include <unordered_set>

namespace migraphx {

std::string describe(instruction_ref ins) {
    std::ostringstream s;
    s << "at " << ins->get_operator() << " -> " << ins->get_shape();
    for (const auto& name : ins->get_debug_symbols())
        s << ", node \"" << name << '"';
    return s.str();
}

std::vector<instruction_ref> captured_by(module_ref m) {
    std::vector<module_ref> mods{m};
    for (auto* sub : m->get_sub_modules())
        mods.push_back(sub);
    std::unordered_set<instruction_ref> inside;
    for (auto* x : mods)
        for (auto i = x->begin(); i != x->end(); ++i)
            inside.insert(i);
    std::vector<instruction_ref> result;
    for (auto* x : mods)
        for (auto i = x->begin(); i != x->end(); ++i)
            for (auto a : i->inputs())
                if (not inside.contains(a) and
                    std::find(result.begin(), result.end(), a) == result.end())
                    result.push_back(a);
    return result;
}

void copy_module_body(program& to, module& into, const module& from, module::instruction_map& map) {
    for (auto ins = from.begin(); ins != from.end(); ++ins) {
        std::vector<module_ref> mods;
        for (auto* sub : ins->module_inputs())
            mods.push_back(clone_sub_module(to, sub, map));
        std::vector<instruction_ref> inputs;
        for (auto a : ins->inputs()) {
            auto it = map.find(a);
            inputs.push_back(it == map.end() ? a : it->second);
        }
        const auto n = ins->name();
        if (n == "@literal")
            map[ins] = into.insert_literal(into.end(), ins->get_literal());
        else if (n == "@param")
            map[ins] = into.insert_parameter(
                into.end(), any_cast<builtin::param>(ins->get_operator()).parameter,
                ins->get_shape());
        else if (n == "@return")
            into.add_return(inputs);
        else {
            map[ins] = into.insert_instruction(into.end(), ins->get_operator(), inputs, mods);
            map[ins]->add_debug_symbols(ins->get_debug_symbols());
        }
    }
}

module_ref clone_sub_module(program& to, module_ref m, module::instruction_map& map) {
    std::string name = m->name();
    for (int n = 1; to.get_module(name) != nullptr; n++)
        name = m->name() + ":" + std::to_string(n);
    auto* copy = to.create_module(name);
    copy->set_bypass(m->bypass());
    copy_module_body(to, *copy, *m, map);
    return copy;
}

namespace {

struct constant_memory {
    std::shared_ptr<char> owner;
    void operator()(char*) { owner.reset(); }
};

} // namespace

bool is_constant_memory(const argument& a) {
    return std::get_deleter<constant_memory>(a.handle()) != nullptr;
}

namespace {

// Values that shape arithmetic may work with; larger ones are data.
constexpr std::size_t most_elements = 4096;

class specialiser {
public:
    specialiser(const program& p, const std::unordered_map<std::string, shape>& in)
        : source(p), inputs(in) {}

    specialisation run() {
        auto& main = *result.first.get_main_module();
        const auto* m = source.get_main_module();
        for (auto ins : m->get_parameters()) {
            const auto name = any_cast<builtin::param>(ins->get_operator()).parameter;
            auto it = inputs.find(name);
            const auto s = it == inputs.end() ? ins->get_shape() : it->second;
            map[ins] = main.insert_parameter(main.end(), name, s);
            parameter_numbers[ins] = parameter_numbers.size();
        }
        copy_body(*m);
        finish(*m);
        return std::move(result);
    }

private:
    module& main() { return *result.first.get_main_module(); }

    void copy_body(const module& m) {
        for (auto ins = m.begin(); ins != m.end(); ++ins) {
            if (map.contains(ins) or ins->name() == "@return")
                continue;
            with_context([&] { copy(ins); }, [&] { return describe(ins); });
        }
    }

    // Literals are made when something uses them: folded shape arithmetic leaves none behind.
    instruction_ref built(instruction_ref ins) {
        auto& to = map[ins];
        if (to == instruction_ref{})
            to = main().insert_literal(main().end(), literal::adopt(known.at(ins)));
        return to;
    }

    bool available(instruction_ref ins) const { return map.contains(ins); }
    bool is_known(instruction_ref ins) const { return known.contains(ins); }

    shape shape_of(instruction_ref ins) const {
        if (auto it = late.find(ins); it != late.end())
            return it->second.type;
        auto it = known.find(ins);
        return it != known.end() ? it->second.get_shape() : map.at(ins)->get_shape();
    }

    void set_known(instruction_ref ins, const argument& value) {
        known[ins] = value;
        map[ins] = instruction_ref{};
    }

    void cut_off(instruction_ref ins) { cut.push_back(ins); }

    void copy(instruction_ref ins) {
        const auto name = ins->name();
        if (name == "@literal") {
            set_known(ins, ins->get_literal().get_argument());
            return;
        }
        if (name == "if" and available(ins->inputs().front()) and is_known(ins->inputs().front())) {
            inline_branch(ins);
            return;
        }
        if (name == "get_tuple_elem" and branches.contains(ins->inputs().front())) {
            const auto part = branches.at(ins->inputs().front())
                                  .at(ins->get_operator().get<std::size_t>("index"));
            bind(ins, part);
            return;
        }
        if (name == "get_tuple_elem" and late.contains(ins->inputs().front())) {
            auto member = late.at(ins->inputs().front());
            const auto part = ins->get_operator().get<std::size_t>("index");
            member.place.part = std::ptrdiff_t(part);
            member.type = member.type.sub_shapes().at(part);
            late[ins] = member;
            return;
        }
        std::vector<instruction_ref> needs = ins->inputs();
        for (auto* m : ins->module_inputs())
            for (auto c : captured_by(m))
                needs.push_back(c);
        const auto all = [&](auto has) { return std::all_of(needs.begin(), needs.end(), has); };
        const bool ready = all([&](auto a) { return available(a); });
        if (ready and evaluate(ins))
            return;
        if (ins->get_shape().is_boxed() or
            not all([](auto a) { return not a->get_shape().is_boxed(); })) {
            if (ready or all([&](auto a) { return available(a) or late.contains(a); }))
                add_transition(ins);
            else
                cut_off(ins);
            return;
        }
        shape output;
        if (not ready)
            cut_off(ins);
        else if (concrete_output(ins, output))
            emit(ins, output);
        else
            add_transition(ins);
    }

    // `ins` is another name for `other`.
    void bind(instruction_ref ins, instruction_ref other) {
        if (available(other))
            alias(ins, other);
        else if (late.contains(other))
            late[ins] = late.at(other);
        else {
            names_for[ins] = other;
            cut_off(ins);
        }
    }

    void alias(instruction_ref ins, instruction_ref other) {
        if (is_known(other))
            set_known(ins, known.at(other));
        else
            map[ins] = map.at(other);
        if (auto it = parameter_numbers.find(other); it != parameter_numbers.end())
            parameter_numbers[ins] = it->second;
    }

    // Shape arithmetic: small values of known inputs.
    bool evaluate(instruction_ref ins) {
        const auto& op = ins->get_operator();
        const auto& info = op.info();
        if (not info.compute or info.has_side_effect or not ins->module_inputs().empty() or
            info.is_builtin or ins->inputs().empty() or ins->name() == "undefined")
            return false;
        std::vector<argument> args;
        for (auto a : ins->inputs()) {
            const auto s = shape_of(a);
            if (s.type() == shape::tuple_type)
                return false;
            if (op.name() == "dimensions_of")
                args.emplace_back(s, nullptr);
            else if (not is_known(a) or s.elements() > most_elements)
                return false;
            else
                args.push_back(known.at(a));
        }
        shape out;
        if (not concrete_output(ins, out) or out.type() == shape::tuple_type or
            out.elements() > most_elements)
            return false;
        set_known(ins, op.compute(out, args));
        return true;
    }

    // The output's concrete shape; false when values are missing that only a run can give.
    bool concrete_output(instruction_ref ins, shape& out) {
        const auto& op = ins->get_operator();
        const auto& info = op.info();
        std::vector<shape> in;
        for (auto a : ins->inputs())
            in.push_back(shape_of(a));
        if (info.resolve) {
            std::vector<argument> args;
            for (std::size_t i = 0; i < in.size(); i++) {
                const auto a = ins->inputs()[i];
                if (is_known(a))
                    args.push_back(known.at(a));
                else
                    args.emplace_back(in[i], nullptr);
            }
            const bool complete =
                std::all_of(info.shape_inputs.begin(), info.shape_inputs.end(), [&](auto i) {
                    return i >= args.size() or args[i].data() != nullptr or
                           args[i].get_shape().elements() == 0;
                });
            if (complete) {
                const auto canonical = op.need_normalization() ? op.normalized(in) : op;
                out = info.resolve(canonical.self(), args);
                return true;
            }
        }
        out = op.compute_shape(in, ins->module_inputs());
        return not out.any_of_dynamic();
    }

    void emit(instruction_ref ins, const shape& output) {
        std::vector<argument> values;
        for (auto a : ins->inputs())
            values.push_back(is_known(a) ? known.at(a) : argument{shape_of(a), nullptr});
        auto form = concrete_form(ins->get_operator(), values, output);
        std::vector<instruction_ref> in;
        for (auto i : form.inputs)
            in.push_back(built(ins->inputs().at(i)));
        std::vector<module_ref> mods;
        module::instruction_map inner;
        for (auto* m : ins->module_inputs()) {
            for (auto c : captured_by(m))
                inner[c] = built(c);
            mods.push_back(clone_sub_module(result.first, m, inner));
        }
        auto copy = main().insert_instruction(main().end(), form.op, in, mods);
        copy->add_debug_symbols(ins->get_debug_symbols());
        map[ins] = copy;
    }

    void inline_branch(instruction_ref ins) {
        const bool taken = known.at(ins->inputs().front()).at<bool>();
        auto* m = ins->module_inputs().at(taken ? 0 : 1);
        // Arguments bind to the name-sorted union of both branches' parameters.
        std::vector<std::string> names;
        for (auto* branch : ins->module_inputs())
            for (const auto& n : branch->get_parameter_names())
                names.push_back(n);
        std::sort(names.begin(), names.end());
        names.erase(std::unique(names.begin(), names.end()), names.end());
        for (auto param : m->get_parameters()) {
            const auto name = any_cast<builtin::param>(param->get_operator()).parameter;
            const auto at =
                std::size_t(std::find(names.begin(), names.end(), name) - names.begin());
            const auto arg = ins->inputs().at(at + 1);
            bind(param, arg);
        }
        copy_body(*m);
        branches[ins] = m->get_returns();
    }

    // ---- the second part

    stage_value value_for(instruction_ref ins) {
        if (auto it = late.find(ins); it != late.end())
            return it->second.place;
        if (is_known(ins))
            return {stage_value::source::constant, constant_number(ins)};
        auto parameter = parameter_numbers.find(ins);
        if (parameter != parameter_numbers.end())
            return {stage_value::source::parameter, parameter->second};
        return {stage_value::source::stage, export_value(ins)};
    }

    std::size_t constant_number(instruction_ref ins) {
        auto [it, fresh] = constant_numbers.try_emplace(ins, result.constants.size());
        if (fresh) {
            const auto& a = known.at(ins);
            result.constants.emplace_back(
                a.get_shape(), std::shared_ptr<char>(a.data(), constant_memory{a.handle()}));
        }
        return it->second;
    }

    std::size_t export_value(instruction_ref ins) {
        auto [it, fresh] = export_numbers.try_emplace(ins, exports.size());
        if (fresh)
            exports.push_back(built(ins));
        return it->second;
    }

    instruction_ref rest_parameter(const shape& s, const stage_value& v) {
        auto* m = result.rest->get_main_module();
        auto p = m->insert_parameter(m->end(), "s" + std::to_string(result.rest_inputs.size()), s);
        result.rest_inputs.push_back(v);
        return p;
    }

    // The instruction of the second part that stands for `ins` of the source.
    instruction_ref in_rest(instruction_ref ins) {
        auto it = rest_map.find(ins);
        if (it != rest_map.end())
            return it->second;
        auto name = names_for.find(ins);
        instruction_ref copy;
        if (name != names_for.end())
            copy = in_rest(name->second);
        else if (is_known(ins)) {
            auto* m = result.rest->get_main_module();
            copy = m->insert_literal(m->end(), literal::adopt(known.at(ins)));
        } else
            copy = rest_parameter(shape_of(ins), value_for(ins));
        rest_map[ins] = copy;
        return copy;
    }

    void add_transition(instruction_ref ins) {
        stage_transition t;
        t.op = ins->get_operator();
        t.ins = ins;
        std::vector<shape> in;
        for (auto a : ins->inputs()) {
            in.push_back(shape_of(a));
            t.inputs.push_back(value_for(a));
        }
        t.output = t.op.compute_shape(in, ins->module_inputs());
        t.modules = ins->module_inputs();
        for (auto* m : t.modules) {
            t.captured.emplace_back();
            for (auto c : captured_by(m))
                t.captured.back().push_back(value_for(c));
        }
        late[ins] = {{stage_value::source::transition, result.transitions.size()}, t.output};
        result.transitions.push_back(std::move(t));
    }

    void copy_to_rest(instruction_ref ins) {
        if (names_for.contains(ins)) {
            in_rest(ins);
            return;
        }
        auto* m = result.rest->get_main_module();
        std::vector<instruction_ref> in;
        for (auto a : ins->inputs())
            in.push_back(in_rest(a));
        std::vector<module_ref> mods;
        for (auto* sub : ins->module_inputs()) {
            module::instruction_map inner;
            for (auto c : captured_by(sub))
                inner[c] = in_rest(c);
            mods.push_back(clone_sub_module(*result.rest, sub, inner));
        }
        auto copy = m->insert_instruction(m->end(), ins->get_operator(), in, mods);
        copy->add_debug_symbols(ins->get_debug_symbols());
        rest_map[ins] = copy;
    }

    void finish(const module& m) {
        if (not cut.empty()) {
            result.rest = std::make_shared<program>();
            for (auto ins : cut)
                with_context([&] { copy_to_rest(ins); }, [&] { return describe(ins); });
        }
        std::vector<instruction_ref> rest_returns;
        for (auto r : m.get_returns()) {
            if (late.contains(r) or (available(r) and r->get_shape().is_boxed()))
                result.results.push_back(value_for(r));
            else if (available(r))
                result.results.push_back({stage_value::source::stage, export_value(r)});
            else {
                result.results.push_back({stage_value::source::rest, rest_returns.size()});
                rest_returns.push_back(in_rest(r));
            }
        }
        main().add_return(exports);
        if (result.rest != nullptr)
            result.rest->get_main_module()->add_return(rest_returns);
    }

    const program& source;
    const std::unordered_map<std::string, shape>& inputs;
    specialisation result;
    module::instruction_map map; ///< source → first part; null: known, not built
    std::unordered_map<instruction_ref, argument> known; ///< values of source instructions
    std::unordered_map<instruction_ref, std::size_t> parameter_numbers;
    std::unordered_map<instruction_ref, std::vector<instruction_ref>>
        branches;                      ///< results of inlined ones
    std::vector<instruction_ref> cut;  ///< what the first part lacks, in order
    module::instruction_map names_for; ///< cut instructions that only rename another
    struct late_value {
        stage_value place;
        shape type;
    };
    std::unordered_map<instruction_ref, late_value> late; ///< what transitions give
    std::unordered_map<instruction_ref, std::size_t> constant_numbers;
    module::instruction_map rest_map;
    std::vector<instruction_ref> exports;
    std::unordered_map<instruction_ref, std::size_t> export_numbers;
};

} // namespace

specialisation specialise(const program& p, const std::unordered_map<std::string, shape>& inputs) {
    return specialiser{p, inputs}.run();
}

} // namespace migraphx
