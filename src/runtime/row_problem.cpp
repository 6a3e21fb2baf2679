// SPDX-License-Identifier: MIT
#include "runtime/row_problem.hpp"

#include "codegen/region.hpp"
#include "ops/module_body.hpp"
#include "ops/shape_input.hpp"
#include "runtime/walked_shape.hpp"

#include <migraphx/common_shape.hpp>
#include <migraphx/instruction.hpp>

#include <algorithm>
#include <numeric>
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

    rows(axis_sizes all, const axis_sizes& axes) : lens(std::move(all)), reduced(lens.size(), false) {
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

    nest_access access(const shape& s) const {
        nest_access a;
        a.type = s.type();
        for (const bool inside : {false, true})
            for (std::size_t d = 0; d < lens.size(); d++)
                if (reduced[d] == inside)
                    a.strides.push_back(s.lens()[d] == 1 ? 0 : int64_t(s.strides()[d]));
        return a;
    }
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
    std::string refusal;

    bool read(const std::vector<shape>& inputs) {
        const auto names = sorted_parameters(m);
        for (std::size_t i = 0; i < names.size(); i++) {
            if (not r.fits(inputs[i]))
                return no("an operand of other dimensions");
            values[m.get_parameter(names[i])] = nest_operand::reg(r.b.input(r.access(inputs[i])));
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
    if (reduction == m.end())
        return refused("no reduction");
    rows r{reduction->inputs().front()->get_shape().lens(), axes};
    module_reader reader{m, r, {}, {}};
    if (not reader.read(p.inputs))
        return refused(reader.refusal);
    const auto outs = leaves_of(p.output);
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

} // namespace migraphx
