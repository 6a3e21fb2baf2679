// SPDX-License-Identifier: MIT
#include "passes/stretched_constant.hpp"

#include <migraphx/make_op.hpp>

#include <algorithm>
#include <optional>
#include <vector>

namespace migraphx {

namespace {

// The constant as a view of full rank, with one element along the axes that it is stretched on.
std::optional<argument> small_form(instruction_ref ins) {
    const auto value = ins->inputs().front()->eval();
    const auto& s = value.get_shape();
    const auto rank = ins->get_shape().ndim();
    if (value.data() == nullptr or s.type() == shape::tuple_type or s.ndim() > rank)
        return std::nullopt;
    const auto first =
        ins->name() == "broadcast" ? ins->get_operator().get<std::size_t>("axis") : rank - s.ndim();
    std::vector<std::size_t> lens(rank, 1), strides(rank, 0);
    for (std::size_t i = 0; i < s.ndim(); i++) {
        lens.at(first + i) = s.lens()[i];
        strides.at(first + i) = s.lens()[i] == 1 ? 0 : s.strides()[i];
    }
    return value.view(shape{s.type(), lens, strides}, 0);
}

} // namespace

bool is_stretched_constant(instruction_ref ins) {
    return (ins->name() == "broadcast" or ins->name() == "multibroadcast") and
           ins->inputs().size() == 2 and ins->get_shape().dynamic() and
           ins->inputs().front()->can_eval();
}

replacement stretched_result(const std::string& f, instruction_ref x, instruction_ref y,
                             instruction_ref like, rewriter& rw) {
    if (not is_stretched_constant(x) or not is_stretched_constant(y) or
        x->get_shape() != y->get_shape())
        return declined;
    const auto a = small_form(x), b = small_form(y);
    if (not a or not b)
        return declined;
    auto lens = a->get_shape().lens();
    for (std::size_t i = 0; i < lens.size(); i++) {
        const auto n = b->get_shape().lens()[i];
        if (lens[i] != n and lens[i] != 1 and n != 1)
            return declined;
        lens[i] = lens[i] == 1 ? n : lens[i];
    }
    const auto stretched = [&](const argument& c) {
        auto strides = c.get_shape().strides();
        return c.view(shape{c.get_shape().type(), lens, strides}, 0);
    };
    const auto value =
        make_op(f).compute(shape{x->get_shape().type(), lens}, {stretched(*a), stretched(*b)});
    return rw.add(make_op("multibroadcast"), {rw.literal(literal::adopt(value)), like});
}

} // namespace migraphx
