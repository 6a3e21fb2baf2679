// SPDX-License-Identifier: MIT
#include "runtime/row_problem.hpp"

#include "codegen/region.hpp"
#include "ops/module_body.hpp"
#include "ops/shape_input.hpp"
#include "runtime/walked_shape.hpp"

#include <migraphx/common_shape.hpp>
#include <migraphx/instruction.hpp>

#include <migraphx/make_op.hpp>

#include <algorithm>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>

namespace migraphx {

namespace {

using codegen::nest_access;
using codegen::nest_operand;
using codegen::row_builder;

using axis_sizes = std::vector<std::size_t>;

row_problem refused(std::string why) {
    row_problem r;
    r.refusal = std::move(why);
    return r;
}

bool is_norm(const std::string& name) {
    return name == "layer_norm" or name == "rms_norm";
}
bool is_softmax(const std::string& name) {
    return name == "softmax" or name == "logsoftmax";
}
bool is_arg(const std::string& name) {
    return name == "argmax" or name == "argmin";
}

// The reduced axes of an operator on a tensor of `rank` dims.
axis_sizes axes_of(const operation& op, std::size_t rank) {
    if (not is_norm(op.name()) and not is_softmax(op.name()) and not is_arg(op.name())) {
        auto axes = op.get_vector<std::size_t>("axes");
        std::sort(axes.begin(), axes.end());
        return axes;
    }
    axis_sizes axes{op.get<std::size_t>("axis")};
    while (is_norm(op.name()) and axes.back() + 1 < rank)
        axes.push_back(axes.back() + 1);
    return axes;
}

// Dims of the whole tensors, those of them that are reduced, and the nest that grows.
struct rows {
    axis_sizes lens;
    std::vector<bool> reduced;
    row_builder b;
    std::string label;

    rows(axis_sizes all, const axis_sizes& axes)
        : lens(std::move(all)), reduced(lens.size(), false) {
        for (auto a : axes)
            reduced[a] = true;
        for (std::size_t d = 0; d < lens.size(); d++)
            (reduced[d] ? b.result.reduced : b.result.kept).push_back(int64_t(lens[d]));
    }

    axis_sizes row_lens() const {
        auto r = lens;
        for (std::size_t d = 0; d < r.size(); d++)
            r[d] = reduced[d] ? 1 : r[d];
        return r;
    }
    bool fits(const shape& s) const { return s.lens() == lens or s.lens() == row_lens(); }

    // What there is for each dim, kept ones first.
    template <class T>
    std::vector<T> ordered(const std::vector<T>& by_dim) const {
        std::vector<T> r;
        for (const bool inside : {false, true})
            for (std::size_t d = 0; d < lens.size(); d++)
                if (reduced[d] == inside)
                    r.push_back(by_dim[d]);
        return r;
    }
    nest_access access(const shape& s) const { return {s.type(), ordered(strides_of(s))}; }
    void output(const shape& s, int reg) { b.result.outputs.push_back({access(s), reg}); }

    int composite(const operation& op, const std::vector<int>& in) {
        const auto name = op.name();
        label += (label.empty() ? "" : "_") + name;
        if (is_softmax(name))
            return b.softmax(in[0], name == "logsoftmax");
        if (is_norm(name))
            return b.norm(in[0], name == "layer_norm", double(op.get<float>("epsilon")),
                          in.size() > 1 ? in[1] : -1, in.size() > 2 ? in[2] : -1);
        if (is_arg(name)) {
            using codegen::fold;
            const bool last = op.get<bool>("select_last_index");
            return b.reduce(name == "argmax" ? (last ? fold::argmax_last : fold::argmax_first)
                                             : (last ? fold::argmin_last : fold::argmin_first),
                            in[0]);
        }
        return b.reduce(*codegen::fold_of(name), in[0]);
    }
};

bool is_composite(const std::string& name) {
    return is_softmax(name) or is_norm(name) or is_arg(name) or codegen::fold_of(name);
}

std::string unfit_type(const std::vector<shape>& shapes) {
    for (const auto& s : shapes)
        if (s.type() == shape::tuple_type or not s.computable())
            return s.type_string();
    return "";
}

bool repeats(const shape& s) {
    return s.elements() > 1 and s.broadcasted();
}

row_problem finished(rows& r) {
    row_problem p;
    p.nest = std::move(r.b.result);
    p.label = r.label;
    codegen::validate(p.nest);
    return p;
}

// ---- operands that are read where they lie

bool is_read(const std::string& name) {
    return name == "gather" or name == "pad";
}

nest_access gathered(const rows& r, const operation& op, const shape& data, const shape& index,
                     int by, nest_access& index_access) {
    const auto axis = op.get<std::size_t>("axis");
    const auto from = strides_of(data), at = strides_of(index);
    const auto rank = r.lens.size() + 1 - data.ndim(); // of the indices
    sizes strides(r.lens.size(), 0), moves(r.lens.size(), 0);
    for (std::size_t d = 0; d < r.lens.size(); d++) {
        if (d >= axis and d < axis + rank)
            moves[d] = at[d - axis];
        else
            strides[d] = from[d < axis ? d : d + 1 - rank];
    }
    index_access = {index.type(), r.ordered(moves)};
    nest_access a{data.type(), r.ordered(strides)};
    a.gathered = {by, from[axis], int64_t(data.lens()[axis])};
    return a;
}

// None for what no border is.
std::optional<nest_access> padded(const rows& r, instruction_ref ins, const shape& data) {
    const auto op = ins->normalized_operator();
    const auto pads = op.get_vector<int64_t>("pads");
    const auto rank = data.ndim();
    if (op.get<int64_t>("mode") != 0 or data.elements() == 0 or
        std::any_of(pads.begin(), pads.end(), [](auto p) { return p < 0; }))
        return std::nullopt;
    nest_access a = r.access(data);
    std::vector<codegen::nest_border> border;
    for (std::size_t d = 0; d < rank; d++)
        border.push_back({pads[d], pads[d + rank]});
    a.border = r.ordered(border);
    // The operator's own conversion of the value.
    auto one = op.to_value();
    one["pads"] = std::vector<int64_t>{0, 1};
    const shape element{data.type(), {1}};
    const auto both = make_op("pad", one).compute(shape{data.type(), {2}}, {argument{element}});
    std::copy_n(both.data() + element.bytes(), element.bytes(), a.fill.begin());
    return a;
}

// ---- one operator

row_problem single(const problem& p) {
    const auto& x = p.inputs[0];
    const auto name = p.op.name();
    if (codegen::fold_of(name) and p.inputs.size() != 1)
        return refused("axes that are not attributes");
    rows r{x.lens(), axes_of(p.op, x.ndim())};
    std::vector<int> in{r.b.input(r.access(x))};
    for (std::size_t i = 1; i < p.inputs.size(); i++)
        in.push_back(is_absent(p.inputs, i)
                         ? -1
                         : r.b.input(r.access(make_bcast_shape(p.inputs[i], x.lens()))));
    r.output(p.output, r.composite(p.op, in));
    return finished(r);
}

// ---- a module of them

struct module_reader {
    const module& m;
    rows& r;
    codegen::region_values values;
    std::unordered_map<instruction_ref, shape> shapes; // of parameters
    std::string refusal;

    bool read(const std::vector<shape>& inputs) {
        const auto names = sorted_parameters(m);
        for (std::size_t i = 0; i < names.size(); i++) {
            const auto x = m.get_parameter(names[i]);
            const bool elsewhere = std::any_of(x->outputs().begin(), x->outputs().end(),
                                               [](auto u) { return is_read(u->name()); });
            if (not elsewhere and not r.fits(inputs[i]))
                return no("an operand of other dimensions");
            // Until what reads it says how.
            values[x] = nest_operand::reg(
                r.b.input(elsewhere ? nest_access{inputs[i].type(), sizes(r.lens.size(), 0)}
                                    : r.access(inputs[i])));
            shapes[x] = inputs[i];
        }
        for (auto ins = m.begin(); ins != m.end(); ++ins) {
            const auto name = ins->name();
            if (name == "@return")
                break;
            if (name != "@param" and name != "@comment" and not instruction(ins))
                return false;
        }
        return true;
    }

private:
    bool no(std::string why) {
        refusal = std::move(why);
        return false;
    }
    bool instruction(instruction_ref ins) {
        const auto name = ins->name();
        if (name == "@literal") {
            if (ins->get_shape().elements() != 1)
                return no("a constant that is no scalar");
            values[ins] = codegen::immediate(ins->get_literal());
            return true;
        }
        if (ins->get_shape().elements() != 1 and not r.fits(ins->get_shape()))
            return no("a value of other dimensions");
        if (is_composite(name))
            return composite(ins);
        if (is_read(name))
            return read_elsewhere(ins);
        if (name == "multibroadcast" and ins->inputs().size() == 1) {
            const auto& from = ins->inputs().front()->get_shape();
            if (from.elements() != 1 and from.lens() != r.row_lens() and from.lens() != r.lens)
                return no("a stretched operand of other dimensions");
        } else if (codegen::is_nest_operator(name)) {
            for (auto in : ins->inputs())
                if (in->get_shape().lens() != ins->get_shape().lens())
                    return no("operands of other dimensions");
        } else {
            return no("no row for " + name);
        }
        const auto before = r.b.result.body.size();
        if (not codegen::append_instruction(
                ins, values, [&](codegen::nest_op op) { return r.b.append(std::move(op)); }))
            return no("no row for " + name);
        if (r.b.result.body.size() > before)
            r.label += (r.label.empty() ? "" : "_") + name;
        return true;
    }
    // Parameters that only this instruction reads.
    bool read_elsewhere(instruction_ref ins) {
        if (not r.fits(ins->get_shape()))
            return no("a value of other dimensions");
        const auto& in = ins->inputs();
        std::vector<int> number;
        for (auto x : in) {
            if (not shapes.contains(x) or x->outputs().size() != 1 or
                (in.size() > 1 and in.front() == in.back()))
                return no("an operand of a gather or a pad that others use as well");
            number.push_back(values.at(x).number);
        }
        auto& access = r.b.result.inputs[std::size_t(number.front())];
        if (ins->name() == "gather") {
            access = gathered(r, ins->normalized_operator(), shapes.at(in[0]), shapes.at(in[1]),
                              number[1], r.b.result.inputs[std::size_t(number[1])]);
        } else {
            auto with_border = padded(r, ins, shapes.at(in[0]));
            if (not with_border)
                return no("a border of other values than a constant");
            access = std::move(*with_border);
        }
        values[ins] = values.at(in.front());
        r.label += (r.label.empty() ? "" : "_") + ins->name();
        return true;
    }
    bool composite(instruction_ref ins) {
        if (axes_of(ins->get_operator(), r.lens.size()) != reduced_axes() or
            ins->inputs().front()->get_shape().lens() != r.lens)
            return no("a reduction over other axes");
        std::vector<int> in;
        for (auto x : ins->inputs()) {
            if (not values.at(x).is_reg())
                return no("a reduction of a number");
            in.push_back(values.at(x).number);
        }
        values[ins] = nest_operand::reg(r.composite(ins->get_operator(), in));
        return true;
    }
    axis_sizes reduced_axes() const {
        axis_sizes axes;
        for (std::size_t d = 0; d < r.reduced.size(); d++)
            if (r.reduced[d])
                axes.push_back(d);
        return axes;
    }
};

row_problem fused(const problem& p) {
    const auto& m = *p.modules.front();
    auto axes = p.op.get_vector<std::size_t>("axes");
    const auto reduction =
        std::find_if(m.begin(), m.end(), [](const auto& ins) { return is_composite(ins.name()); });
    const auto outs = leaves_of(p.output);
    if (reduction == m.end() and not axes.empty())
        return refused("no reduction");
    rows r{reduction == m.end() ? outs.front().lens()
                                : reduction->inputs().front()->get_shape().lens(),
           axes};
    module_reader reader{m, r, {}, {}, {}};
    if (not reader.read(p.inputs))
        return refused(reader.refusal);
    const auto returns = m.get_returns();
    for (std::size_t i = 0; i < returns.size(); i++) {
        const auto v = reader.values.at(returns[i]);
        if (not v.is_reg() or not r.fits(outs.at(i)))
            return refused("a result of other dimensions");
        r.output(outs[i], v.number);
    }
    return finished(r);
}

} // namespace

row_problem rows_of(const problem& p) {
    const auto outs = leaves_of(p.output);
    std::vector<shape> all = outs;
    for (std::size_t i = 0; i < p.inputs.size(); i++)
        if (not is_absent(p.inputs, i))
            all.push_back(p.inputs[i]);
    if (const auto type = unfit_type(all); not type.empty())
        return refused("type " + type);
    if (std::any_of(outs.begin(), outs.end(), repeats))
        return refused("a result that repeats its elements");
    return p.modules.empty() ? single(p) : fused(p);
}

row_problem rows_of(const operation& op, const std::vector<shape>& inputs, const shape& output,
                    module& body) {
    problem p;
    p.op = op;
    p.inputs = inputs;
    p.output = output;
    p.modules = {&body};
    return rows_of(p);
}

} // namespace migraphx
