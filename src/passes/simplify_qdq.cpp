// SPDX-License-Identifier: MIT
// Products of dequantised 8-bit integers become products of the integers: the scales, one for each
// operand or output channel, move behind. Views between the scale and the product are redone on the
// integers.
#include <migraphx/make_op.hpp>
#include <migraphx/op/builder/insert.hpp>
#include <migraphx/simplify_qdq.hpp>

#include "ops/tensor.hpp"
#include "passes/data_type.hpp"
#include "passes/pass_registry.hpp"

#include <algorithm>
#include <optional>

namespace migraphx {

namespace {

// (values - zero) * scale, seen through views.
struct dequantised {
    instruction_ref values, scale;
    std::optional<instruction_ref> zero;
};

bool is_view(const std::string& name) {
    return name == "transpose" or name == "reshape" or name == "squeeze" or name == "unsqueeze" or
           name == "flatten" or name == "multibroadcast" or name == "contiguous" or name == "slice";
}

bool is_byte(instruction_ref x) {
    return x->get_shape().type() == shape::int8_type or x->get_shape().type() == shape::uint8_type;
}

bool is_fp8(instruction_ref x) {
    switch (x->get_shape().type()) {
    case shape::fp8e4m3fn_type:
    case shape::fp8e5m2_type:
    case shape::fp8e4m3fnuz_type:
    case shape::fp8e5m2fnuz_type:
        return true;
    default:
        return false;
    }
}

// The views, innermost first, and the dequantizelinear of what `is_taken` that they begin at.
std::optional<dequantised> find_dequantised(module& m, instruction_ref before, instruction_ref x,
                                            bool (*is_taken)(instruction_ref)) {
    std::vector<instruction_ref> views;
    while (is_view(x->name()) and x->inputs().size() == 1) {
        views.insert(views.begin(), x);
        x = x->inputs().front();
    }
    if (x->name() != "dequantizelinear" or not is_taken(x->inputs().front()))
        return std::nullopt;
    const auto& in = x->inputs();
    for (std::size_t i = 1; i < in.size(); ++i)
        if (not in[i]->can_eval())
            return std::nullopt;
    const auto seen = [&](instruction_ref v) {
        for (auto view : views)
            v = m.insert_instruction(before, view->get_operator(), v);
        return v;
    };
    dequantised d{seen(in[0]), seen(in[1]), {}};
    if (in.size() == 3)
        d.zero = seen(in[2]);
    return d;
}

// The numbers along `axis` of a constant that is the same along all others; one where it is the
// same everywhere.
std::optional<argument> along(instruction_ref constant, std::size_t axis) {
    const auto v = constant->eval();
    const auto& s = v.get_shape();
    const auto one = [&](std::size_t d) { return s.lens()[d] == 1 or s.strides()[d] == 0; };
    for (std::size_t d = 0; d < s.ndim(); ++d)
        if (d != axis and not one(d))
            return std::nullopt;
    if (s.elements() == 0)
        return std::nullopt;
    if (one(axis))
        return v.view(shape{s.type()}, 0);
    return v.view(shape{s.type(), {s.lens()[axis]}, {s.strides()[axis]}}, 0);
}

literal dense(const argument& v) {
    argument copy{
        shape{v.get_shape().type(), v.get_shape().lens(),
              v.get_shape().scalar() ? v.get_shape().strides() : std::vector<std::size_t>{1}}};
    copy_elements(copy, v);
    return literal::adopt(copy);
}

// Sums of this many products of 8-bit integers fit int32.
constexpr std::size_t most_depth = std::size_t{1} << 16;

struct product {
    module& m;
    instruction_ref ins;

    // Scale and zero point of an operand along its axis of outputs, as operands of recipes.
    struct parameters {
        instruction_ref scale;
        std::optional<instruction_ref> zero;
    };
    std::optional<parameters> find_parameters(const dequantised& d, std::size_t axis, bool one) {
        const auto scale = along(d.scale, axis);
        const auto zero = d.zero ? along(*d.zero, axis) : std::nullopt;
        if (not scale or (d.zero and not zero))
            return std::nullopt;
        if (one and (not scale->get_shape().scalar() or (zero and not zero->get_shape().scalar())))
            return std::nullopt;
        parameters p{m.insert_literal(ins, dense(*scale)), {}};
        if (zero)
            p.zero = m.insert_literal(ins, dense(*zero));
        return p;
    }

    // A scalar, or one number for each position of `axis` of the result, stretched to it.
    instruction_ref stretched(instruction_ref v, std::size_t axis, const shape& to) {
        if (v->get_shape().scalar())
            return m.insert_instruction(ins, make_op("multibroadcast", {{"out_lens", to.lens()}}),
                                        v);
        return m.insert_instruction(
            ins, make_op("broadcast", {{"axis", axis}, {"out_lens", to.lens()}}), v);
    }

    bool rewrite(bool fp8) {
        const bool is_dot = ins->name() == "dot";
        const auto& s = ins->get_shape();
        if (s.dynamic() or s.type() == shape::double_type)
            return false;
        const auto& lens = ins->inputs()[1]->get_shape().lens();
        const auto rank = lens.size();
        const auto depth =
            is_dot ? lens[rank - 2] : ins->inputs()[1]->get_shape().elements() / lens[0];
        if ((depth > most_depth and not fp8) or s.elements() == 0 or depth == 0)
            return false;
        const auto taken = fp8 ? is_fp8 : is_byte;
        const auto a = find_dequantised(m, ins, ins->inputs()[0], taken);
        const auto b = a ? find_dequantised(m, ins, ins->inputs()[1], taken) : std::nullopt;
        if (not b)
            return false;
        // Rows of a dot may have scales of their own, not the channels of an image.
        const auto pa = find_parameters(*a, is_dot ? rank - 2 : 1, not is_dot);
        const auto pb = find_parameters(*b, is_dot ? rank - 1 : 0, false);
        if (not pa or not pb)
            return false;
        if (fp8) {
            if (pa->zero or pb->zero or
                a->values->get_shape().type() != b->values->get_shape().type())
                return false;
            replace(m.insert_instruction(ins, make_op("quant_dot"), {a->values, b->values}), *pa,
                    *pb);
            return true;
        }
        const auto undefined =
            m.insert_instruction(ins, make_op("undefined"), std::vector<instruction_ref>{});
        const std::vector<instruction_ref> in{a->values, b->values, pa->zero.value_or(undefined),
                                              pb->zero.value_or(undefined)};
        value options = value::object{};
        if (not is_dot) {
            const auto& op = ins->get_operator();
            if (op.get<int64_t>("padding_mode") != 0)
                return false;
            options = {{"paddings", op.get_vector<int64_t>("padding")},
                       {"strides", op.get_vector<int64_t>("stride")},
                       {"dilations", op.get_vector<int64_t>("dilation")},
                       {"group", op.get<int64_t>("group")}};
        }
        auto y = op::builder::insert("quant_" + ins->name(), m, ins, in, options).front();
        replace(
            m.insert_instruction(ins, make_op("convert", {{"target_type", shape::float_type}}), y),
            *pa, *pb);
        return true;
    }

    // The float y, times both scales, in the type and place of the product.
    void replace(instruction_ref y, const parameters& pa, const parameters& pb) {
        const bool is_dot = ins->name() == "dot";
        const auto& s = ins->get_shape();
        const auto rank = s.ndim();
        const auto insert = [&](const operation& op, std::vector<instruction_ref> x) {
            return m.insert_instruction(ins, op, std::move(x));
        };
        for (const auto& [p, axis] : {std::pair(pa, is_dot ? rank - 2 : std::size_t{1}),
                                      std::pair(pb, is_dot ? rank - 1 : std::size_t{1})}) {
            auto scale = p.scale;
            if (scale->get_shape().type() != shape::float_type)
                scale = insert(make_op("convert", {{"target_type", shape::float_type}}), {scale});
            y = insert(make_op("mul"), {y, stretched(scale, axis, s)});
        }
        if (s.type() != shape::float_type)
            y = insert(make_op("convert", {{"target_type", s.type()}}), {y});
        m.replace_instruction(ins, y);
    }
};

} // namespace

void simplify_qdq::apply(module& m) const {
    for (auto ins : instructions_of(m))
        if (ins->name() == "dot" or ins->name() == "convolution") {
            const bool done = product{m, ins}.rewrite(false);
            if (not done and fp8 and ins->name() == "dot")
                product{m, ins}.rewrite(true);
        }
}

namespace {

const registered_pass simplify_qdq_registered{"simplify_qdq", [] { return simplify_qdq{}; }};

} // namespace

} // namespace migraphx
