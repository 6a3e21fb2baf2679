// SPDX-License-Identifier: MIT
#include "runtime/concat_slices.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>
#include <migraphx/operation.hpp>

#include <algorithm>
#include <unordered_set>

namespace migraphx {

namespace {

class slice_finder {
public:
    slice_finder(const module& module, const slice_rules& r) : m(module), rules(r) {
        for (auto ins = m.begin(); ins != m.end(); ++ins)
            inside.insert(ins);
        const auto returned = m.get_returns();
        results.insert(returned.begin(), returned.end());
    }

    // Backwards: the layout of a concat is settled before those of its inputs.
    concat_slices find() {
        for (auto ins = m.end(); ins != m.begin();) {
            --ins;
            if (is_concat(ins))
                place_inputs(ins);
        }
        return std::move(found);
    }

private:
    static bool is_concat(instruction_ref ins) {
        return ins->name() == "concat" and not ins->get_shape().any_of_dynamic() and
               not ins->get_shape().is_boxed() and ins->get_shape().elements() > 0;
    }

    void place_inputs(instruction_ref whole) {
        const auto it = found.find(whole);
        const shape layout = it == found.end() ? whole->get_shape() : it->second.layout;
        const auto axis = whole->normalized_operator().get<std::size_t>("axis");
        const auto step = layout.strides()[axis] * layout.type_size();
        concat_slices parts;
        std::size_t at = 0, placed = 0;
        bool dense = true;
        for (auto value : whole->inputs()) {
            const auto& s = value->get_shape();
            const shape part{s.type(), s.lens(), layout.strides()};
            // What has a place already, in another concat or at another position here, is copied.
            if (s.elements() > 0 and not found.contains(value) and not parts.contains(value) and
                is_free(value) and is_read(value, whole, part) and rules.writes(value, part)) {
                parts[value] = {whole, at * step, part};
                placed += s.elements();
                dense = dense and part == s;
            }
            at += s.lens()[axis];
        }
        // Memory moves in lines and streams: to pass over most of it twice, for a few elements
        // each time, costs more than one copy of everything.
        if (dense or placed * 4 >= whole->get_shape().elements() * 3)
            found.merge(parts);
    }

    // A result of a step that nobody else places.
    bool is_free(instruction_ref value) const {
        const auto& info = value->get_operator().info();
        return inside.contains(value) and not info.is_builtin and not info.is_view and
               not value->get_shape().any_of_dynamic() and
               value->get_shape().type() != shape::tuple_type and not results.contains(value) and
               value->get_operator().output_alias(to_shapes(value->inputs())).empty();
    }

    bool is_read(instruction_ref value, instruction_ref whole, const shape& part) const {
        return std::all_of(value->outputs().begin(), value->outputs().end(), [&](auto user) {
            if (user == whole or is_concat(user))
                return true;
            return inside.contains(user) and
                   (part == value->get_shape() or
                    (not user->get_operator().info().is_view and rules.reads(user, value, part)));
        });
    }

    const module& m;
    const slice_rules& rules;
    std::unordered_set<instruction_ref> inside, results;
    concat_slices found;
};

} // namespace

concat_slices find_concat_slices(const module& m, const slice_rules& rules) {
    return slice_finder{m, rules}.find();
}

} // namespace migraphx
