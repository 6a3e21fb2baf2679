// SPDX-License-Identifier: MIT
#include "runtime/concrete_form.hpp"

#include <migraphx/make_op.hpp>
#include <migraphx/op_info.hpp>

#include <functional>
#include <numeric>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace migraphx {

namespace {

using values_t = std::vector<argument>;
using form_rule = std::optional<static_form> (*)(const operation&, const values_t&, const shape&);

bool known(const values_t& in, std::size_t i) {
    return i < in.size() and in[i].data() != nullptr;
}

std::vector<int64_t> numbers(const argument& a) {
    return a.to_vector<int64_t>();
}

std::optional<static_form> reshape_form(const operation&, const values_t& in, const shape& out) {
    // As an attribute a size of 0 copies that of the input.
    const auto& from = in[0].get_shape().lens();
    for (std::size_t i = 0; i < out.ndim(); i++)
        if (out.lens()[i] == 0 and (i >= from.size() or from[i] != 0))
            return std::nullopt;
    return static_form{make_op("reshape", {{"dims", out.lens()}}), {0}};
}

std::optional<static_form> broadcast_form(const operation&, const values_t&, const shape& out) {
    return static_form{make_op("multibroadcast", {{"out_lens", out.lens()}}), {0}};
}

// The sizes came from another operand, which is not needed any more.
std::optional<static_form> multibroadcast_form(const operation& op, const values_t& in,
                                               const shape& out) {
    if (in.size() == 1 and op.name() == "multibroadcast" and
        op.get_vector<int64_t>("out_lens").size() == out.ndim())
        return std::nullopt;
    return broadcast_form(op, in, out);
}

std::optional<static_form> broadcast_along_form(const operation& op, const values_t&,
                                                const shape& out) {
    return static_form{
        make_op("broadcast", {{"axis", op.attribute("axis")}, {"out_lens", out.lens()}}), {0}};
}

std::optional<static_form> pooling_form(const operation& op, const values_t& in, const shape&) {
    if (not op.get<bool>("dyn_global"))
        return std::nullopt;
    const auto& lens = in[0].get_shape().lens();
    const std::vector<std::size_t> window(lens.begin() + 2, lens.end());
    const std::vector<std::size_t> ones(window.size(), 1), none(2 * window.size(), 0);
    auto attributes = op.to_value();
    attributes["lengths"] = window;
    attributes["stride"] = ones;
    attributes["dilations"] = ones;
    attributes["padding"] = none;
    attributes["dyn_global"] = false;
    return static_form{make_op_from_value("pooling", attributes), {0}};
}

// Attribute or run-time input, in the order starts, ends, axes.
std::optional<static_form> slice_form(const operation& op, const values_t& in, const shape&) {
    if (in.size() == 1)
        return std::nullopt;
    std::size_t next = 1;
    value attributes = value::object{};
    for (const char* name : {"starts", "ends", "axes"}) {
        auto given = op.get_vector<int64_t>(name);
        if (given.empty()) {
            if (not known(in, next))
                return std::nullopt;
            given = numbers(in[next++]);
        }
        attributes[name] = given;
    }
    return static_form{make_op_from_value("slice", attributes), {0}};
}

// ONNX slices: forward steps become views; backward ones stay with the operator.
std::optional<static_form> slice_dynamic_form(const operation&, const values_t& in, const shape&) {
    const auto rank = static_cast<int64_t>(in[0].get_shape().ndim());
    if (not known(in, 1) or not known(in, 2))
        return std::nullopt;
    auto starts = numbers(in[1]);
    auto ends = numbers(in[2]);
    std::vector<int64_t> axes(starts.size());
    std::iota(axes.begin(), axes.end(), int64_t{0});
    if (in.size() > 3 and in[3].get_shape().elements() > 0) {
        if (not known(in, 3))
            return std::nullopt;
        axes = numbers(in[3]);
    }
    if (in.size() > 4 and in[4].get_shape().elements() > 0) {
        if (not known(in, 4))
            return std::nullopt;
        for (auto s : numbers(in[4]))
            if (s != 1)
                return std::nullopt;
    }
    if (axes.size() != starts.size() or ends.size() != starts.size())
        return std::nullopt;
    const auto& lens = in[0].get_shape().lens();
    for (std::size_t i = 0; i < axes.size(); i++) {
        auto& a = axes[i];
        a += a < 0 ? rank : 0;
        if (a < 0 or a >= rank)
            return std::nullopt;
        const auto len = static_cast<int64_t>(lens[std::size_t(a)]);
        auto bound = [&](int64_t v) { return std::clamp<int64_t>(v < 0 ? v + len : v, 0, len); };
        starts[i] = bound(std::max(starts[i], -len - 1));
        ends[i] = bound(std::max(ends[i], -len - 1));
        if (ends[i] <= starts[i])
            return std::nullopt; // an empty result is left to the operator
    }
    return static_form{make_op("slice", {{"axes", axes}, {"starts", starts}, {"ends", ends}}), {0}};
}

std::optional<static_form> reduce_form(const operation& op, const values_t& in, const shape&) {
    if (in.size() != 2 or not known(in, 1))
        return std::nullopt;
    auto axes = numbers(in[1]);
    if (axes.empty())
        return static_form{make_op("identity"), {0}};
    return static_form{make_op(op.name(), {{"axes", axes}}), {0}};
}

std::optional<static_form> resize_form(const operation& op, const values_t& in, const shape& out) {
    if (in.size() != 2 or not known(in, 1))
        return std::nullopt;
    auto attributes = op.to_value();
    if (shape::is_integral(in[1].get_shape().type()))
        attributes["sizes"] = out.lens();
    else
        attributes["scales"] = in[1].to_vector<float>();
    return static_form{make_op_from_value("resize", attributes), {0}};
}

std::optional<static_form> topk_form(const operation& op, const values_t& in, const shape&) {
    if (not known(in, 1))
        return std::nullopt;
    auto attributes = value::object{};
    value v = value(attributes);
    for (const char* name : {"axis", "largest"})
        if (op.has_attribute(name))
            v[name] = op.attribute(name);
    v["k"] = in[1].at<int64_t>();
    return static_form{make_op_from_value("topk", v), {0}};
}

std::optional<static_form> pad_form(const operation& op, const values_t& in, const shape& out) {
    // Only the plain form: all axes, a known value.
    if (not known(in, 1) or (in.size() > 3 and in[3].get_shape().elements() > 0))
        return std::nullopt;
    auto pads = numbers(in[1]);
    if (pads.size() != 2 * out.ndim())
        return std::nullopt;
    for (auto x : pads)
        if (x < 0)
            return std::nullopt;
    float fill = 0;
    if (in.size() > 2 and in[2].get_shape().elements() > 0) {
        if (not known(in, 2))
            return std::nullopt;
        fill = in[2].at<float>();
    }
    return static_form{
        make_op("pad", {{"pads", pads}, {"value", fill}, {"mode", op.attribute("mode")}}), {0}};
}

const std::unordered_map<std::string_view, form_rule>& rules() {
    static const std::unordered_map<std::string_view, form_rule> table{
        {"reshape_dynamic", reshape_form},
        {"broadcast_with_dims", broadcast_form},
        {"broadcast", broadcast_along_form},
        {"multibroadcast", multibroadcast_form},
        {"pooling", pooling_form},
        {"broadcast_for_dot", broadcast_form},
        {"slice", slice_form},
        {"slice_dynamic", slice_dynamic_form},
        {"resize", resize_form},
        {"topk_dynamic", topk_form},
        {"pad_dynamic", pad_form},
        {"reduce_sum", reduce_form},
        {"reduce_mean", reduce_form},
        {"reduce_prod", reduce_form},
        {"reduce_max", reduce_form},
        {"reduce_min", reduce_form},
        {"reduce_all", reduce_form},
        {"reduce_any", reduce_form}};
    return table;
}

} // namespace

static_form concrete_form(const operation& op, const std::vector<argument>& values,
                          const shape& output) {
    std::vector<std::size_t> all(values.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    auto it = rules().find(op.name());
    if (it != rules().end()) {
        auto form = it->second(op, values, output);
        if (form.has_value())
            return *form;
    }
    if (not op.info().resolve)
        return {op, all};
    std::vector<shape> shapes;
    for (const auto& v : values)
        shapes.push_back(v.get_shape());
    if (op.compute_shape(shapes) == output)
        return {op, all};
    return {make_op("with_shape", {{"op", to_value(op)}, {"shape", to_value(output)}}), all};
}

} // namespace migraphx
