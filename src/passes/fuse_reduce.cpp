// SPDX-License-Identifier: MIT
// A region grows from its last instruction up into operands of the same dimensions or, as rows, of
// those with the reduced ones at 1. What others use as well becomes one more result, unless one of
// these comes before the region's end: that could feed the region again. Regions without reductions
// grow in the same way, where the target asks for it. Gathers and pads in front are read last.
#include "passes/fuse_reduce.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>
#include <migraphx/pass_manager.hpp>

#include "ops/module_body.hpp"
#include "ops/shape_input.hpp"
#include "passes/pass_registry.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace migraphx {

namespace {

using sizes = std::vector<std::size_t>;
using instructions = std::vector<instruction_ref>;
using instruction_set = std::unordered_set<instruction_ref>;
using positions = std::unordered_map<instruction_ref, std::size_t>;

bool is_plain(instruction_ref ins) {
    const auto& s = ins->get_shape();
    return s.type() != shape::tuple_type and not s.dynamic() and s.computable() and
           s.elements() > 0;
}

sizes without(sizes lens, const sizes& axes) {
    for (auto a : axes)
        lens[a] = 1;
    return lens;
}

// What a region's reductions have in common; without axes, of regions that have none.
struct frame {
    sizes lens; ///< of whole tensors
    sizes axes; ///< those that are reduced

    bool operator==(const frame&) const = default;
    sizes row_lens() const { return without(lens, axes); }
};

// The frame of a reduction; none for other instructions.
std::optional<frame> frame_of(instruction_ref ins) {
    const auto name = ins->name();
    const bool norm = name == "layer_norm" or name == "rms_norm";
    const bool softmax = name == "softmax" or name == "logsoftmax";
    const bool position = name == "argmax" or name == "argmin";
    const bool reduction = name.starts_with("reduce_") and ins->inputs().size() == 1;
    if (not norm and not softmax and not position and not reduction)
        return std::nullopt;
    for (std::size_t i = 0; i < ins->inputs().size(); i++)
        if (not is_plain(ins->inputs()[i]))
            return std::nullopt;
    frame f;
    f.lens = ins->inputs().front()->get_shape().lens();
    const auto& op = ins->get_operator();
    if (reduction) {
        f.axes = op.get_vector<std::size_t>("axes");
        std::sort(f.axes.begin(), f.axes.end());
    } else {
        f.axes.push_back(op.get<std::size_t>("axis"));
        while (norm and f.axes.back() + 1 < f.lens.size())
            f.axes.push_back(f.axes.back() + 1);
    }
    if (f.axes.empty())
        return std::nullopt;
    return f;
}

bool is_region(instruction_ref ins) {
    return ins->name() == "pointwise" and is_plain(ins);
}

bool is_stretch(instruction_ref ins) {
    return ins->name() == "multibroadcast" and ins->inputs().size() == 1 and is_plain(ins);
}

bool belongs(instruction_ref ins, const frame& f) {
    if (not is_plain(ins) or ins->can_eval())
        return false;
    const auto& lens = ins->get_shape().lens();
    if (is_region(ins))
        return lens == f.lens or lens == f.row_lens();
    if (is_stretch(ins))
        return lens == f.lens and ins->inputs().front()->get_shape().lens() == f.row_lens() and
               lens != f.row_lens();
    const auto own = frame_of(ins);
    return own and *own == f;
}

// The reductions that `root` depends on by regions and stretched values, and itself.
std::vector<frame> frames_near(instruction_ref root) {
    constexpr std::size_t most_visited = 32;
    std::vector<frame> found;
    instructions todo{root};
    instruction_set seen;
    while (not todo.empty() and seen.size() < most_visited) {
        const auto ins = todo.back();
        todo.pop_back();
        if (not seen.insert(ins).second)
            continue;
        if (auto f = frame_of(ins)) {
            if (std::find(found.begin(), found.end(), *f) == found.end())
                found.push_back(std::move(*f));
        } else if (is_region(ins) or is_stretch(ins)) {
            todo.insert(todo.end(), ins->inputs().begin(), ins->inputs().end());
        }
    }
    return found;
}

using region = reduce_region;

class region_finder {
public:
    region_finder(const positions& p, const instruction_set& t, const fuse_reduce& by)
        : order(p), taken(t), limits(by) {}

    std::optional<region> find(instruction_ref root, bool with_reads) const {
        std::optional<region> best;
        for (const auto& f : frames_near(root)) {
            if (not belongs(root, f))
                continue;
            auto r = grow(root, f);
            if (is_worth_it(r) and (not best or r.body.size() > best->body.size()))
                best = std::move(r);
        }
        if (not best and limits.joins_regions and is_region(root)) {
            auto r = grow(root, {root->get_shape().lens(), {}});
            if (r.body.size() > 1 and fits_target(r))
                best = std::move(r);
        }
        if (with_reads) {
            // A region alone is worth it when it reads something.
            const bool alone = not best and is_region(root);
            if (alone)
                best = described({root}, root, {root->get_shape().lens(), {}});
            if (best)
                add_reads(*best);
            if (alone and best->reads.empty())
                best.reset();
        }
        return best;
    }

private:
    bool is_worth_it(const region& r) const {
        const auto reductions = std::count_if(r.body.begin(), r.body.end(),
                                              [](auto x) { return frame_of(x).has_value(); });
        const auto stretches = std::count_if(r.body.begin(), r.body.end(), is_stretch);
        return reductions > 0 and std::ptrdiff_t(r.body.size()) - stretches > 1 and fits_target(r);
    }
    bool fits_target(const region& r) const { return limits.takes == nullptr or limits.takes(r); }

    // Operands by which others are read are not computed with: each is one of the fused
    // instruction, and its own way to be read.
    void add_reads(region& r) const {
        const instruction_set body(r.body.begin(), r.body.end());
        instructions inputs;
        instruction_set read;
        for (auto x : r.inputs) {
            const auto& in = x->inputs();
            const bool fits =
                (x->name() == "gather" or x->name() == "pad") and is_plain(x) and
                order.contains(x) and not x->can_eval() and x->get_shape().lens() == r.lens and
                std::all_of(in.begin(), in.end(), is_plain) and
                std::all_of(x->outputs().begin(), x->outputs().end(),
                            [&](auto u) { return body.contains(u); }) and
                std::none_of(in.begin(), in.end(), [&](auto a) {
                    return read.contains(a) or std::find(r.inputs.begin(), r.inputs.end(), a) !=
                                                   r.inputs.end();
                }) and
                r.inputs.size() + r.reads.size() < limits.most_inputs and limits.reads(r, x);
            if (not fits) {
                inputs.push_back(x);
                continue;
            }
            r.reads.push_back(x);
            read.insert(in.begin(), in.end());
            inputs.insert(inputs.end(), in.begin(), in.end());
        }
        r.inputs = std::move(inputs);
    }

    // Users outside of the members; those in other regions are replaced already.
    instructions others(instruction_ref a, const instruction_set& members) const {
        instructions result;
        for (auto u : a->outputs())
            if (not members.contains(u) and not taken.contains(u))
                result.push_back(u);
        return result;
    }

    bool can_join(instruction_ref a, instruction_ref root, const instruction_set& members) const {
        const auto users = others(a, members);
        return users.empty() or
               (not is_stretch(a) and std::all_of(users.begin(), users.end(), [&](auto u) {
                   const auto at = order.find(u);
                   return at != order.end() and at->second > order.at(root);
               }));
    }

    region grow(instruction_ref root, const frame& f) const {
        instruction_set members{root};
        instructions todo{root};
        while (not todo.empty()) {
            const auto ins = todo.back();
            todo.pop_back();
            for (auto a : ins->inputs()) {
                if (members.contains(a) or taken.contains(a) or not order.contains(a) or
                    not belongs(a, f) or not can_join(a, root, members))
                    continue;
                auto bigger = members;
                bigger.insert(a);
                const auto r = described(bigger, root, f);
                if (r.inputs.size() > limits.most_inputs or r.results.size() > limits.most_results)
                    continue;
                members = std::move(bigger);
                // Its siblings may have become eligible.
                todo.assign(members.begin(), members.end());
            }
        }
        drop_loose_stretches(members);
        return described(members, root, f);
    }

    // A value of the row from outside is stretched outside.
    static void drop_loose_stretches(instruction_set& members) {
        std::erase_if(members, [&](auto x) {
            return is_stretch(x) and not members.contains(x->inputs().front());
        });
    }

    region described(const instruction_set& members, instruction_ref root, const frame& f) const {
        region r;
        r.lens = f.lens;
        r.axes = f.axes;
        r.body.assign(members.begin(), members.end());
        std::sort(r.body.begin(), r.body.end(),
                  [&](auto x, auto y) { return order.at(x) < order.at(y); });
        r.results.push_back(root);
        for (auto b : r.body) {
            for (auto a : b->inputs())
                if (not members.contains(a) and
                    std::find(r.inputs.begin(), r.inputs.end(), a) == r.inputs.end())
                    r.inputs.push_back(a);
            if (b != root and not others(b, members).empty())
                r.results.push_back(b);
        }
        return r;
    }

    const positions& order;
    const instruction_set& taken;
    const fuse_reduce& limits;
};

// The region's module: its pointwise bodies in place of the instructions that hold them. Modules of
// reductions know whole tensors, those of `pointwise` single elements.
class body_writer {
public:
    body_writer(module& to, const region& of) : body(to), r(of) {}

    void write(const std::unordered_map<instruction_ref, instruction_ref>& operands) {
        std::size_t number = 0;
        for (auto a : r.inputs) {
            // Names in the order in which operands bind.
            const auto digits = std::to_string(number++);
            const auto name =
                "x" + std::string(2 - std::min<std::size_t>(2, digits.size()), '0') + digits;
            const auto& s = operands.at(a)->get_shape();
            values[a] = body.insert_parameter(body.insert_end(), name,
                                              of_elements() ? shape{s.type()} : s);
        }
        for (auto x : r.reads)
            values[x] = copied(x);
        for (auto b : r.body)
            values[b] = is_region(b) ? inlined(b) : copied(b);
        instructions results;
        for (auto x : r.results)
            results.push_back(values.at(x));
        body.add_return(results);
    }

private:
    bool of_elements() const { return r.axes.empty() and r.reads.empty(); }
    instruction_ref copied(instruction_ref ins) {
        instructions in;
        for (auto a : ins->inputs())
            in.push_back(values.at(a));
        return body.add_instruction(ins->get_operator(), in);
    }
    instruction_ref inlined(instruction_ref ins) {
        const auto& m = *ins->module_inputs().front();
        const auto names = sorted_parameters(m);
        std::unordered_map<instruction_ref, instruction_ref> inner;
        for (std::size_t i = 0; i < names.size(); i++)
            inner[m.get_parameter(names[i])] = values.at(ins->inputs()[i]);
        for (auto x = m.begin(); x != m.end(); ++x) {
            if (x->name() == "@param" or x->name() == "@return" or x->name() == "@comment")
                continue;
            if (x->name() == "@literal") {
                inner[x] = body.add_literal(x->get_literal());
                if (not of_elements())
                    inner[x] = body.add_instruction(
                        make_op("multibroadcast", {{"out_lens", ins->get_shape().lens()}}),
                        {inner[x]});
                continue;
            }
            instructions in;
            for (auto a : x->inputs())
                in.push_back(inner.at(a));
            inner[x] = body.add_instruction(x->get_operator(), in);
        }
        return inner.at(m.get_returns().front());
    }

    module& body;
    const region& r;
    std::unordered_map<instruction_ref, instruction_ref> values;
};

// Scales and biases of normalizations stretch to whole tensors by themselves; as operands of the
// fused instruction they are stretched in front of it.
std::unordered_map<instruction_ref, instruction_ref> fitted_operands(module& m, const region& r,
                                                                     positions& order) {
    std::unordered_map<instruction_ref, instruction_ref> result;
    for (auto a : r.inputs) {
        const auto& lens = a->get_shape().lens();
        auto& fitted = result[a] = a;
        const bool read = std::any_of(r.reads.begin(), r.reads.end(), [&](auto x) {
            return std::find(x->inputs().begin(), x->inputs().end(), a) != x->inputs().end();
        });
        if (read or lens == r.lens or lens == r.row_lens())
            continue;
        const auto root = r.results.front();
        fitted = m.insert_instruction(root, make_op("multibroadcast", {{"out_lens", r.lens}}), {a});
        order[fitted] = order.at(root);
    }
    return result;
}

// The results' layouts stay what they are.
bool keeps_layouts(const shape& fused, const region& r) {
    const auto given =
        fused.type() == shape::tuple_type ? fused.sub_shapes() : std::vector<shape>{fused};
    return std::equal(given.begin(), given.end(), r.results.begin(), r.results.end(),
                      [](const shape& s, instruction_ref x) { return s == x->get_shape(); });
}

struct fused_instruction {
    operation op;
    instructions inputs;
    module body;
};

// None where results would have other layouts, or nothing runs it.
std::optional<fused_instruction> fused_form(module& m, const region& r, positions& order,
                                            const fuse_reduce& limits) {
    const auto operands = fitted_operands(m, r, order);
    fused_instruction f;
    body_writer{f.body, r}.write(operands);
    for (auto a : r.inputs)
        f.inputs.push_back(operands.at(a));
    f.op = r.axes.empty() and r.reads.empty() ? make_op("pointwise")
                                              : make_op("fused_reduce", {{"axes", r.axes}});
    const auto shapes = to_shapes(f.inputs);
    const auto output = f.op.compute_shape(shapes, {&f.body});
    if (not keeps_layouts(output, r) or (not r.reads.empty() and limits.runs != nullptr and
                                         not limits.runs(f.op, shapes, output, f.body)))
        return std::nullopt;
    return f;
}

} // namespace

sizes reduce_region::row_lens() const {
    return without(lens, axes);
}

void fuse_reduce::apply(module_pass_manager& mpm) const {
    auto& m = mpm.get_module();
    positions order;
    instructions all;
    for (auto i = m.begin(); i != m.end(); ++i) {
        order[i] = all.size();
        all.push_back(i);
    }
    instruction_set taken;
    std::size_t number = 0;
    const region_finder finder{order, taken, *this};
    for (auto it = all.rbegin(); it != all.rend(); ++it) {
        const auto root = *it;
        if (taken.contains(root) or (not is_region(root) and not frame_of(root)))
            continue;
        auto r = finder.find(root, reads != nullptr);
        auto fused_as = r ? fused_form(m, *r, order, *this) : std::nullopt;
        if (not fused_as and r and not r->reads.empty()) {
            r = finder.find(root, false);
            fused_as = r ? fused_form(m, *r, order, *this) : std::nullopt;
        }
        if (not fused_as)
            continue;
        auto& [op, inputs, body] = *fused_as;
        taken.insert(r->body.begin(), r->body.end());
        auto* kept =
            mpm.create_module(m.name() + ":reduce" + std::to_string(number++), std::move(body));
        kept->set_bypass();
        std::set<std::string> names;
        for (const auto* list : {&r->reads, &r->body})
            for (auto b : *list)
                names.insert(b->get_debug_symbols().begin(), b->get_debug_symbols().end());
        const auto fused = m.insert_instruction(root, op, inputs, {kept});
        fused->add_debug_symbols(names);
        order[fused] = order.at(root);
        for (std::size_t i = 0; i < r->results.size(); i++) {
            const auto result = r->results.size() == 1
                                    ? fused
                                    : m.insert_instruction(
                                          root, make_op("get_tuple_elem", {{"index", i}}), {fused});
            // Members that use it go with the root.
            const auto users = r->results[i]->outputs();
            for (auto u : users)
                if (std::find(r->body.begin(), r->body.end(), u) == r->body.end())
                    instruction::replace_argument(u, r->results[i], result);
        }
    }
}

namespace {
const registered_pass fuse_reduce_registered{"fuse_reduce", [] { return fuse_reduce{}; }};
} // namespace

} // namespace migraphx
