// SPDX-License-Identifier: MIT
// The module: a list of instructions and the edits that keep its links right.
#include <migraphx/builtin.hpp>
#include <migraphx/errors.hpp>
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include "ir/module_impl.hpp"

#include <algorithm>
#include <unordered_set>

namespace migraphx {

module::module(const std::string& name) :impl(std::make_unique<module_impl>()) {
    impl->name = name;
}
module::module(module&& rhs) noexcept = default;
module::~module() noexcept = default;

module::module(const module& rhs) :impl(std::make_unique<module_impl>()) {
    impl->name = rhs.impl->name;
    impl->bypass = rhs.impl->bypass;
    impl->next_parameter = rhs.impl->next_parameter;
    instruction_map map;
    for (auto ins = rhs.begin(); ins != rhs.end(); ++ins)
        map[ins] = copy_instruction(*this, end(), ins, map, {});
}

module& module::operator=(module rhs) {
    std::swap(impl, rhs.impl);
    return *this;
}

std::string module::name() const {
    return impl->name;
}
void module::set_name(const std::string& name) {
    impl->name = name;
}
bool module::bypass() const {
    return impl->bypass;
}
void module::set_bypass(bool b) {
    impl->bypass = b;
}
std::size_t module::size() const {
    return impl->instructions.size();
}

instruction_ref module::begin() const {
    return std::list<instruction>::iterator(const_cast<module_impl&>(*impl).instructions.begin());
}
instruction_ref module::end() const {
    return std::list<instruction>::iterator(const_cast<module_impl&>(*impl).instructions.end());
}

instruction_ref module::insert_end() const {
    if (size() == 0)
        return end();
    auto last = std::prev(end());
    return last->name() == "@return" ? last : end();
}

bool module::has_instruction(instruction_ref ins) const {
    for (auto i = begin(); i != end(); ++i)
        if (i == ins)
            return true;
    return false;
}

// ---- adding

instruction_ref module::add_instruction(const operation& op, std::vector<instruction_ref> args) {
    return insert_instruction(insert_end(), op, std::move(args));
}

instruction_ref module::add_instruction(const operation& op, std::vector<instruction_ref> args,
                                        std::vector<module_ref> module_args) {
    return insert_instruction(insert_end(), op, std::move(args), std::move(module_args));
}

instruction_ref module::insert_instruction(instruction_ref ins, const operation& op,
                                           std::vector<instruction_ref> args) {
    return insert_instruction(ins, op, std::move(args), {});
}

instruction_ref module::insert_instruction(instruction_ref ins, const operation& op,
                                           std::vector<instruction_ref> args,
                                           std::vector<module_ref> module_args) {
    shape r = compute_shape(op, args, module_args);
    return impl->insert(ins,
                        instruction{op, std::move(r), std::move(args), std::move(module_args)});
}

instruction_ref module::replace_instruction(instruction_ref ins, const operation& op,
                                            std::vector<instruction_ref> args) {
    return replace_instruction(ins, op, std::move(args), {});
}

instruction_ref module::replace_instruction(instruction_ref ins, const operation& op,
                                            std::vector<instruction_ref> args,
                                            std::vector<module_ref> module_args) {
    shape r = compute_shape(op, args, module_args);
    instruction::replace(ins, op, r, std::move(args), std::move(module_args));
    return ins;
}

instruction_ref module::replace_instruction(instruction_ref ins, instruction_ref rep) {
    if (ins == rep)
        return rep;
    const bool is_last = size() > 0 and ins == std::prev(end());
    const auto users = ins->outputs(); // a copy: the loop edits the original
    for (auto user : users) {
        if (user == rep)
            continue;
        // A use before `rep` (in this module) would break the order; the caller sorts.
        instruction::replace_argument(user, ins, rep);
    }
    // Without a return the last instruction is the result: the replacement takes its place, by
    // going there when nothing needs it before.
    if (is_last and ins->outputs().empty() and ins->name() != "@return") {
        if (not has_instruction(rep) or not rep->outputs().empty())
            return replace_instruction(ins, make_op("identity"), std::vector<instruction_ref>{rep});
        move_instruction(rep, end());
    }
    return rep;
}

std::vector<instruction_ref>
module::batch_replace_instruction(const std::vector<instruction_replacement>& replacers) {
    std::vector<instruction_ref> result;
    for (const auto& r : replacers)
        result.push_back(replace_instruction(r.ins, r.op, r.args, r.module_args));
    return result;
}

instruction_ref module::remove_instruction(instruction_ref ins) {
    if (not ins->outputs().empty())
        fail(error_kind::invalid_argument,
             "remove_instruction: an instruction without users was expected, got one with " +
                 std::to_string(ins->outputs().size()) + " (" + ins->name() + ")");
    ins->clear_arguments();
    return std::list<instruction>::iterator(impl->instructions.erase(ins));
}

instruction_ref module::remove_instructions(instruction_ref first, instruction_ref last) {
    if (first == last)
        return first;
    std::unordered_set<instruction_ref> range;
    for (auto i = first; i != last; ++i)
        range.insert(i);
    for (auto i : range)
        for (auto user : i->outputs())
            if (not range.contains(user))
                fail(error_kind::invalid_argument, "remove_instructions: instructions used only by "
                                                   "each other were expected, got one used by " +
                                                       user->name());
    for (auto i = first; i != last; ++i)
        i->clear_arguments();
    return std::list<instruction>::iterator(impl->instructions.erase(first, last));
}

instruction_ref module::move_instruction(instruction_ref src, instruction_ref dst) {
    if (src != dst)
        impl->instructions.splice(dst, impl->instructions, src);
    return src;
}

instruction_ref module::move_instructions(instruction_ref src, instruction_ref dst) {
    move_instruction(src, dst);
    for (auto in : src->inputs())
        if (has_instruction(in))
            move_instructions(in, src);
    return src;
}

void module::move_output_instructions_after(instruction_ref src, instruction_ref dst) {
    const auto d = std::distance(src, dst);
    std::vector<std::pair<std::ptrdiff_t, instruction_ref>> moved;
    std::unordered_set<instruction_ref> seen;
    std::vector<instruction_ref> todo(src->outputs().begin(), src->outputs().end());
    while (not todo.empty()) {
        auto ins = todo.back();
        todo.pop_back();
        if (not has_instruction(ins) or not seen.insert(ins).second)
            continue;
        const auto n = std::distance(src, ins);
        if (n > d)
            continue;
        moved.emplace_back(n, ins);
        todo.insert(todo.end(), ins->outputs().begin(), ins->outputs().end());
    }
    std::sort(moved.begin(), moved.end(),
              [](const auto& x, const auto& y) { return x.first < y.first; });
    auto pos = std::next(dst);
    for (const auto& m : moved)
        move_instruction(m.second, pos);
}

// ---- literals, parameters, returns

instruction_ref module::add_literal(literal l) {
    return insert_literal(begin(), std::move(l));
}

instruction_ref module::insert_literal(instruction_ref ins, literal l) {
    return impl->insert(ins, instruction{std::move(l)});
}

instruction_ref module::add_outline(const shape& s) {
    return impl->insert(begin(), instruction{builtin::outline{s}, s, {}});
}

instruction_ref module::add_parameter(std::string name, shape s) {
    return insert_parameter(begin(), std::move(name), std::move(s));
}

instruction_ref module::insert_parameter(instruction_ref ins, std::string name, shape s) {
    if (get_parameter(name) != end())
        fail(error_kind::invalid_argument,
             "add_parameter: a new name was expected, got '" + name + "' again");
    builtin::param p;
    p.parameter = std::move(name);
    p.order = impl->next_parameter++;
    return impl->insert(ins, instruction{p, std::move(s), {}});
}

instruction_ref module::add_return(std::vector<instruction_ref> args) {
    if (insert_end() != end())
        return replace_return(std::move(args));
    auto r = compute_shape(builtin::returns{}, args);
    return impl->insert(end(), instruction{builtin::returns{}, std::move(r), std::move(args)});
}

instruction_ref module::replace_return(std::vector<instruction_ref> args) {
    auto last = insert_end();
    if (last == end())
        return add_return(std::move(args));
    auto r = compute_shape(builtin::returns{}, args);
    instruction::replace(last, last->get_operator(), r, std::move(args));
    return last;
}

void module::rename_parameter(instruction_ref ins, const std::string& name) {
    auto p = any_cast<builtin::param>(ins->get_operator());
    p.parameter = name;
    ins->op = p;
}

void module_access::order_parameters(module& m, const std::vector<instruction_ref>& params) {
    uint32_t n = 0;
    for (auto ins : params) {
        auto p = any_cast<builtin::param>(ins->get_operator());
        p.order = n++;
        ins->op = p;
    }
    m.impl->next_parameter = n;
}

// ---- observers

namespace {

const builtin::param* as_parameter(instruction_ref ins) {
    return any_cast<builtin::param>(&ins->get_operator());
}

} // namespace

std::vector<instruction_ref> module::get_parameters() const {
    std::vector<instruction_ref> result;
    for (auto i = begin(); i != end(); ++i)
        if (as_parameter(i) != nullptr)
            result.push_back(i);
    std::stable_sort(result.begin(), result.end(), [](auto x, auto y) {
        return as_parameter(x)->order < as_parameter(y)->order;
    });
    return result;
}

std::vector<std::string> module::get_parameter_names() const {
    std::vector<std::string> names;
    for (auto p : get_parameters())
        names.push_back(as_parameter(p)->parameter);
    return names;
}

instruction_ref module::get_parameter(std::string name) const {
    for (auto i = begin(); i != end(); ++i) {
        const auto* p = as_parameter(i);
        if (p != nullptr and p->parameter == name)
            return i;
    }
    return end();
}

shape module::get_parameter_shape(std::string name) const {
    auto ins = get_parameter(name);
    return ins == end() ? shape{} : ins->get_shape();
}

std::unordered_map<std::string, shape> module::get_parameter_shapes() const {
    std::unordered_map<std::string, shape> result;
    for (auto p : get_parameters())
        result[as_parameter(p)->parameter] = p->get_shape();
    return result;
}

std::vector<instruction_ref> module::get_returns() const {
    if (size() == 0)
        return {};
    auto last = std::prev(end());
    return last->name() == "@return" ? last->inputs() : std::vector<instruction_ref>{last};
}

std::vector<shape> module::get_output_shapes() const {
    return to_shapes(get_returns());
}

std::vector<module_ref> module::get_sub_modules(bool shallow) const {
    std::vector<module_ref> result;
    auto add = [&](module_ref m) {
        if (std::find(result.begin(), result.end(), m) == result.end())
            result.push_back(m);
    };
    for (auto i = begin(); i != end(); ++i)
        for (auto* m : i->module_inputs()) {
            add(m);
            if (not shallow)
                for (auto* sub : m->get_sub_modules())
                    add(sub);
        }
    return result;
}

instruction_ref module::validate() const {
    std::unordered_set<instruction_ref> before;
    std::unordered_set<instruction_ref> here;
    for (auto i = begin(); i != end(); ++i)
        here.insert(i);
    for (auto i = begin(); i != end(); ++i) {
        const bool ordered = std::all_of(i->inputs().begin(), i->inputs().end(), [&](auto a) {
            return before.contains(a) or not here.contains(a);
        });
        if (not ordered or not i->valid(begin()))
            return i;
        before.insert(i);
    }
    return end();
}

instruction_ref module::find_dangling_reference() const {
    for (auto i = begin(); i != end(); ++i)
        for (auto a : i->inputs())
            if (a == instruction_ref{})
                return i;
    return end();
}

void module::finalize(std::vector<context>& contexts) {
    for (auto i = begin(); i != end(); ++i) {
        if (i->get_target_id() < contexts.size())
            i->finalize(contexts[i->get_target_id()]);
        for (auto* m : i->module_inputs())
            m->finalize(contexts);
    }
}

bool module::has_debug_symbols() const {
    return std::any_of(impl->instructions.begin(), impl->instructions.end(),
                       [](const instruction& i) { return not i.get_debug_symbols().empty(); });
}

void module::add_debug_symbols(instruction_ref ins, const std::set<std::string>& symbols) {
    ins->add_debug_symbols(symbols);
}

void module::remove_debug_symbols(instruction_ref ins) {
    ins->remove_debug_symbols();
}

} // namespace migraphx
