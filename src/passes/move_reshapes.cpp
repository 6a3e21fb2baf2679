// SPDX-License-Identifier: MIT
// Reshapes move up through products with weights and through pointwise operators on their results,
// so that a product, its epilogue and what is added to it have the same dimensions, and reshapes
// meet others that undo them.
//   transpose(x) that only moves axes of one element → reshape(x)
//   reshape(f(dot(x, w), stretched constant, y)) → f(dot(reshape(x), w), stretched constant,
//                                                    reshape(y))
// and transposes of rows move down (transpose_rules.hpp)
// where the last axis stays and w is one matrix for all rows.
#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>
#include <migraphx/module.hpp>

#include "ir/shape_rules.hpp"
#include "passes/flat_weights.hpp"
#include "passes/pass_registry.hpp"
#include "passes/pattern.hpp"
#include "passes/transpose_rules.hpp"

#include <algorithm>
#include <unordered_map>

namespace migraphx {

namespace {

using lens_t = std::vector<std::size_t>;

replacement moved_unit_axes(const match& m, rewriter& rw) {
    const auto x = m.root->inputs().front();
    const auto& s = x->get_shape();
    if (s.dynamic() or s.broadcasted() or s.elements() == 0)
        return declined;
    std::vector<int64_t> kept;
    for (auto i : m.root->get_operator().get_vector<int64_t>("permutation"))
        if (s.lens()[std::size_t(i)] != 1)
            kept.push_back(i);
    if (not std::is_sorted(kept.begin(), kept.end()))
        return declined;
    return rw.add(make_op("reshape", {{"dims", m.root->get_shape().lens()}}), {x});
}

// A constant that differs along the last axis at most: stretched to other leading dimensions.
bool varies_last(instruction_ref x) {
    if (x->name() != "multibroadcast" or x->inputs().size() != 1)
        return false;
    const auto& s = x->get_shape();
    const auto& from = x->inputs().front()->get_shape();
    if (s.dynamic() or from.dynamic())
        return false;
    for (std::size_t i = 0; i + 1 < s.ndim(); i++)
        if (s.lens()[i] != 1 and s.strides()[i] != 0)
            return false;
    return from.elements() == 1 or from.elements() == s.lens().back();
}

class region {
public:
    region(lens_t to, rewriter& rewrite) : lens(std::move(to)), rw(rewrite) {}

    // Every operator from `top` up to products must be used inside only.
    bool take(instruction_ref top) {
        collect(top);
        if (members.size() > 32)
            return false;
        return products > 0 and std::all_of(members.begin(), members.end(), [&](const auto& m) {
                   return m.first == top or std::all_of(m.first->outputs().begin(),
                                                        m.first->outputs().end(), [&](auto user) {
                                                            return members.contains(user) or
                                                                   rw.is_dead(user);
                                                        });
               });
    }

    bool possible() const { return not refused; }

    instruction_ref reshaped(instruction_ref x) {
        auto& done = members.find(x)->second;
        if (done)
            return *done;
        if (x->name() == "dot") {
            auto rows = lens;
            const auto a = x->inputs()[0];
            rows.back() = a->get_shape().lens().back();
            const auto weights = *flat_weights(x->inputs()[1]);
            done = rw.add("dot", {view(a, rows), stretched_weights(weights, lens, rw)});
        } else {
            std::vector<instruction_ref> in;
            for (auto a : x->inputs())
                in.push_back(members.contains(a) ? reshaped(a) : operand(a));
            done = rw.add(x->get_operator(), in);
        }
        return *done;
    }

private:
    static bool is_product(instruction_ref x) {
        return x->name() == "dot" and not x->get_shape().dynamic() and
               flat_weights(x->inputs()[1]).has_value();
    }
    bool viewable(instruction_ref x) const {
        if (x->name() == "reshape")
            return true;
        const auto& s = x->get_shape();
        auto rows = lens;
        rows.back() = s.lens().back();
        return reshape_without_copy(s, rows).has_value();
    }
    void collect(instruction_ref x) {
        if (refused or members.contains(x) or members.size() > 32)
            return;
        if (is_product(x)) {
            members[x];
            products++;
            refused = refused or not viewable(x->inputs()[0]);
        } else if (x->get_operator().info().is_pointwise and x->module_inputs().empty() and
                   not x->inputs().empty() and not x->can_eval()) {
            members[x];
            for (auto a : x->inputs()) {
                const bool inner = is_product(a) or (a->get_operator().info().is_pointwise and
                                                     not a->can_eval() and leads_to_product(a));
                if (inner)
                    collect(a);
                else
                    refused = refused or not(varies_last(a) or viewable(a));
            }
        } else
            refused = true;
    }
    bool leads_to_product(instruction_ref x, int depth = 0) const {
        if (is_product(x))
            return true;
        return depth < 12 and x->get_operator().info().is_pointwise and
               std::any_of(x->inputs().begin(), x->inputs().end(),
                           [&](auto a) { return leads_to_product(a, depth + 1); });
    }
    instruction_ref view(instruction_ref x, const lens_t& to) {
        return rw.add(make_op("reshape", {{"dims", to}}), {x});
    }
    instruction_ref operand(instruction_ref x) {
        if (not varies_last(x))
            return view(x, lens);
        auto from = x->inputs().front();
        if (from->get_shape().elements() != 1 and from->get_shape().ndim() != 1)
            from = view(from, {from->get_shape().elements()});
        else if (from->get_shape().elements() == 1 and from->get_shape().ndim() > 1)
            from = view(from, {1});
        return rw.add(make_op("multibroadcast", {{"out_lens", lens}}), {from});
    }

    lens_t lens;
    rewriter& rw;
    std::unordered_map<instruction_ref, std::optional<instruction_ref>> members;
    std::size_t products = 0;
    bool refused = false;
};

replacement moved_up(const match& m, rewriter& rw) {
    const auto x = m["x"];
    const auto &from = x->get_shape(), &to = m.root->get_shape();
    if (from.dynamic() or to.dynamic() or from.ndim() < 2 or to.ndim() < 2 or
        from.elements() == 0 or from.lens().back() != to.lens().back() or
        m.root->inputs().size() != 1)
        return declined;
    region r{to.lens(), rw};
    if (not r.take(x) or not r.possible() or
        std::any_of(x->outputs().begin(), x->outputs().end(),
                    [&](auto user) { return user != m.root and not rw.is_dead(user); }))
        return declined;
    return r.reshaped(x);
}

struct move_reshapes {
    std::string name() const { return "move_reshapes"; }
    void apply(module& m) const {
        apply_rules(m,
                    {{"transpose(x) that moves axes of one element -> reshape(x)", op("transpose"),
                      moved_unit_axes},
                     {"reshape(f(dot(x, w))) -> f(dot(reshape(x), w))",
                      one_of({"reshape", "squeeze", "unsqueeze", "flatten"}, any("x")), moved_up}});
        apply_rules(m, transpose_rules());
    }
};

const registered_pass move_reshapes_registered{"move_reshapes", [] { return move_reshapes{}; }};

} // namespace

} // namespace migraphx
