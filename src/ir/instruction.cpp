// SPDX-License-Identifier: MIT
#include <migraphx/builtin.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>

#include <algorithm>
#include <unordered_set>

namespace migraphx {

shape compute_shape(const operation& op, const std::vector<instruction_ref>& args) {
    return op.compute_shape(to_shapes(args));
}

shape compute_shape(const operation& op, const std::vector<instruction_ref>& args,
                    const std::vector<module_ref>& mods) {
    return op.compute_shape(to_shapes(args), mods);
}

std::vector<shape> to_shapes(const std::vector<instruction_ref>& args) {
    std::vector<shape> shapes;
    shapes.reserve(args.size());
    for (auto a : args)
        shapes.push_back(a->get_shape());
    return shapes;
}

std::vector<shape> try_compute_shape(const operation& op, const std::vector<shape>& inputs) {
    try {
        return {op.compute_shape(inputs)};
    } catch (const exception&) {
        return {};
    }
}

instruction::instruction(operation o, shape r, std::vector<instruction_ref> args)
    : op(std::move(o)), result(std::move(r)), arguments(std::move(args)) {}

instruction::instruction(operation o, shape r, std::vector<instruction_ref> args,
                         std::vector<module_ref> modules)
    : op(std::move(o)), result(std::move(r)), arguments(std::move(args)),
      module_args(std::move(modules)) {}

instruction::instruction(literal l)
    : op(builtin::literal{}), result(l.get_shape()), lit(std::move(l)) {}

const literal& instruction::get_literal() const {
    if (op.name() != "@literal")
        fail(error_kind::invalid_argument, "get_literal: a literal was expected, got " + op.name());
    return lit;
}

void instruction::add_debug_symbols(const std::set<std::string>& symbols) {
    debug_symbols.insert(symbols.begin(), symbols.end());
}

bool operator==(const instruction& x, const instruction& y) {
    if (x.result != y.result or x.op != y.op or x.arguments != y.arguments or
        x.module_args != y.module_args)
        return false;
    return x.op.name() != "@literal" or x.lit == y.lit;
}

bool instruction::is_undefined() const {
    if (op.name() == "undefined")
        return true;
    // Views of nothing are nothing as well.
    return not arguments.empty() and op.info().is_pointwise == false and op.name() != "@return" and
           std::all_of(arguments.begin(), arguments.end(),
                       [](auto a) { return a->is_undefined(); });
}

bool instruction::can_eval() const {
    const auto& info = op.info();
    if (info.is_builtin)
        return info.name == "@literal";
    if (not info.compute or info.has_side_effect or not info.is_context_free or
        not module_args.empty())
        return false;
    return std::all_of(arguments.begin(), arguments.end(), [](auto a) { return a->can_eval(); }) and
           not(arguments.empty() and op.name() == "undefined");
}

argument instruction::eval(bool check_eval) const {
    if (op.name() == "@literal")
        return lit.get_argument();
    if (not can_eval()) {
        if (check_eval)
            return {};
        fail(error_kind::invalid_argument,
             op.name() + ": a constant was expected, got a value known only at run time");
    }
    std::vector<argument> args;
    args.reserve(arguments.size());
    for (auto a : arguments)
        args.push_back(a->eval(false));
    return op.compute(result, args);
}

operation instruction::normalized_operator() const {
    return need_normalization() and not arguments.empty() ? op.normalized(to_shapes(arguments))
                                                          : op;
}

bool instruction::valid(instruction_ref start, bool check_order) const {
    return valid() and std::all_of(arguments.begin(), arguments.end(), [&](instruction_ref i) {
               const auto& users = i->output;
               const bool linked =
                   std::any_of(users.begin(), users.end(), [&](auto u) { return &*u == this; });
               if (not linked or not check_order)
                   return linked;
               // Operands of this module come before; those of outer modules are not in the range.
               for (auto j = start; &*j != this; ++j)
                   if (j == i)
                       return true;
               return false;
           });
}

bool instruction::valid() const {
    if (op.empty())
        return false;
    const auto n = op.name();
    if (op.info().is_builtin or n == "@outline") {
        if (n == "@literal")
            return not lit.empty() or result.elements() == 0;
        return true;
    }
    try {
        return result == compute_shape(op, arguments, module_args);
    } catch (const exception&) {
        return false;
    }
}

void instruction::recompute_shape() {
    if (op.info().is_builtin and op.name() != "@return")
        return;
    replace_shape(compute_shape(op, arguments, module_args));
}

void instruction::replace_shape(const shape& r) {
    if (r == result)
        return;
    result = r;
    for (auto&& user : output)
        user->recompute_shape();
}

void instruction::finalize(context& ctx) {
    op.finalize(ctx, result, to_shapes(arguments));
}

void instruction::replace(operation o) {
    normalized = false;
    op = std::move(o);
    recompute_shape();
}

void instruction::add_output(instruction_ref ins) {
    if (std::find(output.begin(), output.end(), ins) == output.end())
        output.push_back(ins);
}

void instruction::remove_output(const instruction_ref& ins) {
    output.erase(std::remove(output.begin(), output.end(), ins), output.end());
}

void instruction::backreference(instruction_ref ref) {
    for (auto a : ref->arguments)
        a->add_output(ref);
}

namespace {

instruction_ref find_self(const instruction& ins, const std::vector<instruction_ref>& users) {
    auto it = std::find_if(users.begin(), users.end(), [&](auto u) { return &*u == &ins; });
    return it == users.end() ? instruction_ref{} : *it;
}

} // namespace

void instruction::clear_arguments() {
    for (auto a : arguments) {
        auto self = find_self(*this, a->output);
        if (self != instruction_ref{})
            a->remove_output(self);
    }
    arguments.clear();
    module_args.clear();
}

void instruction::replace_argument(instruction_ref ins, instruction_ref old,
                                   instruction_ref new_ins) {
    std::replace(ins->arguments.begin(), ins->arguments.end(), old, new_ins);
    new_ins->add_output(ins);
    old->remove_output(ins);
    ins->recompute_shape();
}

void instruction::replace_mod_argument(instruction_ref ins, module_ref old, module_ref new_mod) {
    std::replace(ins->module_args.begin(), ins->module_args.end(), old, new_mod);
}

void instruction::replace(instruction_ref ins, operation o, const shape& r,
                          std::vector<instruction_ref> args, std::vector<module_ref> mods) {
    // New links first, so that an operand used before and after keeps its place among the users.
    for (auto a : args)
        a->add_output(ins);
    for (auto a : ins->arguments)
        if (std::find(args.begin(), args.end(), a) == args.end())
            a->remove_output(ins);
    ins->arguments = std::move(args);
    ins->module_args = std::move(mods);
    ins->op = std::move(o);
    ins->normalized = false;
    ins->replace_shape(r);
}

void instruction::replace_refs(instruction_ref ins,
                               const std::unordered_map<instruction_ref, instruction_ref>& map_args,
                               const std::unordered_map<module_ref, module_ref>& map_mods) {
    const auto old = ins->arguments;
    for (auto a : old) {
        auto it = map_args.find(a);
        if (it != map_args.end() and it->second != a) {
            std::replace(ins->arguments.begin(), ins->arguments.end(), a, it->second);
            it->second->add_output(ins);
            a->remove_output(ins);
        }
    }
    for (auto& m : ins->module_args) {
        auto it = map_mods.find(m);
        if (it != map_mods.end())
            m = it->second;
    }
}

std::vector<instruction_ref> instruction::get_output_alias(instruction_ref ins, bool shallow) {
    const auto alias = ins->get_operator().output_alias(to_shapes(ins->inputs()));
    if (alias.empty())
        return {ins};
    std::vector<instruction_ref> roots;
    for (auto i : alias) {
        auto in = ins->inputs().at(i);
        if (shallow)
            roots.push_back(in);
        else
            for (auto r : get_output_alias(in))
                roots.push_back(r);
    }
    return roots;
}

bool reaches(instruction_ref start, instruction_ref end) {
    std::unordered_set<instruction_ref> seen;
    std::vector<instruction_ref> todo{end};
    while (not todo.empty()) {
        auto ins = todo.back();
        todo.pop_back();
        if (ins == start)
            return true;
        if (seen.insert(ins).second)
            todo.insert(todo.end(), ins->inputs().begin(), ins->inputs().end());
    }
    return false;
}

bool reaches(instruction_ref start, instruction_ref end, const_module_ref m) {
    if (start == end)
        return true;
    // Users only follow their operands in a module, so the search stays between the two.
    const auto between = find_instructions_between(start, end, m);
    return between.contains(start) and between.contains(end);
}

bool is_interdependent(const std::vector<instruction_ref>& instructions, const_module_ref m,
                       instruction_ref root) {
    std::unordered_set<instruction_ref> members(instructions.begin(), instructions.end());
    std::unordered_set<instruction_ref> before;
    for (auto i = m->begin(); i != root and i != m->end(); ++i)
        before.insert(i);
    for (auto first : instructions) {
        std::unordered_set<instruction_ref> seen;
        std::vector<instruction_ref> todo(first->inputs().begin(), first->inputs().end());
        while (not todo.empty()) {
            auto ins = todo.back();
            todo.pop_back();
            if (members.contains(ins))
                return true;
            if (before.contains(ins) or not seen.insert(ins).second)
                continue;
            todo.insert(todo.end(), ins->inputs().begin(), ins->inputs().end());
        }
    }
    return false;
}

std::unordered_set<instruction_ref>
find_instructions_between(instruction_ref start, instruction_ref end, const_module_ref m) {
    // Forward in order from start, keeping what depends on it; then back from end.
    std::unordered_set<instruction_ref> forward{start};
    bool on = false;
    for (auto i = m->begin(); i != m->end(); ++i) {
        on = on or i == start;
        if (on and std::any_of(i->inputs().begin(), i->inputs().end(),
                               [&](auto a) { return forward.contains(a); }))
            forward.insert(i);
        if (i == end)
            break;
    }
    std::unordered_set<instruction_ref> result;
    std::vector<instruction_ref> todo;
    if (forward.contains(end))
        todo.push_back(end);
    while (not todo.empty()) {
        auto ins = todo.back();
        todo.pop_back();
        if (not forward.contains(ins) or not result.insert(ins).second)
            continue;
        todo.insert(todo.end(), ins->inputs().begin(), ins->inputs().end());
    }
    return result;
}

} // namespace migraphx
