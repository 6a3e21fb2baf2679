// SPDX-License-Identifier: MIT
#include "passes/pattern.hpp"

#include <migraphx/errors.hpp>
#include <migraphx/make_op.hpp>

#include "base/settings.hpp"

#include <algorithm>
#include <iostream>
#include <unordered_map>
#include <unordered_set>

namespace migraphx {

pattern pattern::as(std::string name) const {
    auto p = *this;
    p.bound = std::move(name);
    return p;
}

pattern pattern::used_once() const {
    auto p = *this;
    p.once = true;
    return p;
}

pattern pattern::where(std::function<bool(instruction_ref)> f) const {
    auto p = *this;
    p.condition = std::move(f);
    return p;
}

pattern any(std::string name) {
    pattern p;
    p.bound = std::move(name);
    return p;
}

pattern constant(std::string name) {
    auto p = any(std::move(name));
    p.what = pattern::kind::constant;
    return p;
}

pattern scalar(std::string name) {
    auto p = any(std::move(name));
    p.what = pattern::kind::scalar;
    return p;
}

pattern number(double value) {
    auto p = scalar("");
    p.number = value;
    p.exact = true;
    return p;
}

pattern op(std::string name) {
    pattern p;
    p.what = pattern::kind::operation;
    p.names = {std::move(name)};
    return p;
}

instruction_ref match::operator[](const std::string& name) const {
    for (const auto& b : bound)
        if (b.first == name)
            return b.second;
    fail(error_kind::internal, "rule: a bound name was expected, got '" + name + "'");
}

double match::value(const std::string& name) const {
    return *uniform_value((*this)[name]);
}

instruction_ref rewriter::add(const std::string& op, std::vector<instruction_ref> in) {
    return add(make_op(op), std::move(in));
}

instruction_ref rewriter::number(double value, instruction_ref like) {
    const auto& s = like->get_shape();
    auto l = literal(migraphx::literal{shape{s.type()}, std::vector<double>{value}});
    if (s.dynamic())
        return add(make_op("multibroadcast", {{"out_dyn_dims", to_value(s.dyn_dims())}}),
                   {l, like});
    return add(make_op("multibroadcast", {{"out_lens", s.lens()}}), {l});
}

namespace {

bool is_stretch(const std::string& name) {
    return name == "multibroadcast" or name == "broadcast" or name == "scalar";
}

} // namespace

std::optional<double> uniform_value(instruction_ref ins) {
    while (is_stretch(ins->name()) or ins->name() == "unsqueeze" or ins->name() == "squeeze" or
           ins->name() == "reshape")
        ins = ins->inputs().front();
    if (ins->name() != "@literal" or ins->get_shape().elements() == 0 or
        not ins->get_shape().computable())
        return std::nullopt;
    const auto& l = ins->get_literal();
    if (l.get_shape().elements() == 1 or l.get_shape().scalar())
        return l.at<double>();
    if (l.get_shape().elements() > 4096)
        return std::nullopt;
    const auto v = l.to_vector<double>();
    return std::all_of(v.begin(), v.end(), [&](double x) { return x == v.front(); })
               ? std::optional(v.front())
               : std::nullopt;
}

bool matches(const pattern& p, instruction_ref ins, match& m) {
    switch (p.what) {
    case pattern::kind::any:
        break;
    case pattern::kind::constant:
        if (not ins->can_eval())
            return false;
        break;
    case pattern::kind::scalar: {
        const auto v = uniform_value(ins);
        if (not v or (p.exact and *v != p.number))
            return false;
        break;
    }
    case pattern::kind::operation:
        if (std::find(p.names.begin(), p.names.end(), ins->name()) == p.names.end())
            return false;
        break;
    }
    if (p.once and ins->outputs().size() != 1)
        return false;
    if (p.condition and not p.condition(ins))
        return false;
    const auto before = m.bound.size();
    if (not p.bound.empty()) {
        // A name that occurs twice stands for the same instruction.
        for (const auto& b : m.bound)
            if (b.first == p.bound and b.second != ins)
                return false;
        m.bound.emplace_back(p.bound, ins);
    }
    if (p.operands.empty())
        return true;
    const auto& in = ins->inputs();
    auto all = [&](bool swapped) {
        if (in.size() != p.operands.size())
            return false;
        const auto mark = m.bound.size();
        for (std::size_t i = 0; i < in.size(); i++) {
            const auto j = swapped and in.size() == 2 ? 1 - i : i;
            if (not matches(p.operands[i], in[j], m)) {
                m.bound.resize(mark);
                return false;
            }
        }
        return true;
    };
    if (all(false) or (in.size() == 2 and ins->get_operator().info().is_commutative and all(true)))
        return true;
    m.bound.resize(before);
    return false;
}

std::size_t apply_rules(module& m, const std::vector<rule>& rules) {
    std::unordered_map<std::string, std::vector<const rule*>> by_root;
    for (const auto& r : rules)
        for (const auto& n : r.from.names)
            by_root[n].push_back(&r);
    const bool traced = trace_enabled("rules");
    std::size_t rewrites = 0;
    const auto most_steps = 64 * m.size() + 1024;
    bool changed = true;
    for (int round = 0; changed and round < 8; round++) {
        changed = false;
        for (auto ins = m.begin(); ins != m.end(); ++ins) {
            auto it = by_root.find(ins->name());
            if (it == by_root.end() or ins->outputs().empty())
                continue;
            for (const auto* r : it->second) {
                match found;
                found.root = ins;
                if (not matches(r->from, ins, found))
                    continue;
                rewriter rw{m, ins};
                const auto rep = r->rewrite(found, rw);
                if (not rep or *rep == ins)
                    continue;
                const auto& before = ins->get_shape();
                const auto& after = (*rep)->get_shape();
                if (before.type() != after.type() or before.ndim() != after.ndim() or
                    (not before.dynamic() and not after.dynamic() and
                     before.type() != shape::tuple_type and before.lens() != after.lens()))
                    fail(error_kind::internal,
                         std::string("rule ") + r->name +
                             ": a replacement of the same shape was expected");
                if (traced)
                    std::cerr << "rule " << r->name << ": " << ins->get_operator() << " -> "
                              << (*rep)->get_operator() << '\n';
                (*rep)->add_debug_symbols(ins->get_debug_symbols());
                m.replace_instruction(ins, *rep);
                changed = true;
                if (++rewrites > most_steps)
                    return rewrites;
                break;
            }
        }
    }
    return rewrites;
}

} // namespace migraphx
