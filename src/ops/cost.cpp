// SPDX-License-Identifier: MIT
#include "ops/cost.hpp"

#include "ops/module_body.hpp"

#include <migraphx/module.hpp>
#include <migraphx/op_info.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace migraphx {

namespace {

// Enough for any real tensor; a bound beyond it is none.
constexpr double limit = 1e13;

std::vector<double> lens_of(const shape& s) {
    if (not s.dynamic())
        return {s.lens().begin(), s.lens().end()};
    const auto most = s.max_lens(), least = s.min_lens();
    double elements = 1;
    for (auto n : most)
        elements *= double(n);
    const auto& chosen = elements < limit ? most : least;
    return {chosen.begin(), chosen.end()};
}

double elements_of(const shape& s) {
    double n = 1;
    for (auto d : lens_of(s))
        n *= d;
    return n;
}

double bytes_of(const shape& s) {
    if (s.type() == shape::tuple_type) {
        double sum = 0;
        for (const auto& x : s.sub_shapes())
            sum += bytes_of(x);
        return sum;
    }
    // Elements that a broadcast repeats are read once.
    if (not s.dynamic())
        return double(std::min(s.bytes(), s.elements() * s.type_size()));
    return elements_of(s) * double(s.type_size());
}

double elements_of_all(const shape& s) {
    if (s.type() != shape::tuple_type)
        return elements_of(s);
    double sum = 0;
    for (const auto& x : s.sub_shapes())
        sum += elements_of_all(x);
    return sum;
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// Operators that choose and move elements and compute none.
bool only_moves(std::string_view name) {
    return name.starts_with("gather") or name.starts_with("@") or
           is_one_of(name, {"scatter_none",
                            "scatternd_none",
                            "concat",
                            "pad",
                            "contiguous",
                            "reshape",
                            "reshape_dynamic",
                            "reshape_lazy",
                            "flatten",
                            "slice",
                            "slice_dynamic",
                            "reverse",
                            "step",
                            "tile_dynamic",
                            "fill",
                            "constant_of_shape",
                            "dimensions_of",
                            "identity",
                            "get_tuple_elem",
                            "undefined",
                            "copy",
                            "scan_slice",
                            "nonzero",
                            "if",
                            "loop",
                            "loop_dynamic",
                            "concat_past_present",
                            "layout",
                            "bit_cast",
                            "fold_channels"});
}

// Products of a recurrent layer: each step multiplies with all weights.
double recurrent_flops(instruction_ref ins) {
    const auto& in = ins->inputs();
    const auto x = lens_of(in[0]->get_shape());
    if (in.size() < 3 or x.size() != 3)
        return 0;
    return 2 * x[0] * x[1] * (elements_of(in[1]->get_shape()) + elements_of(in[2]->get_shape()));
}

// N times the spatial dimensions of an image (N, C, ...).
double positions_of(const shape& image) {
    const auto lens = lens_of(image);
    return lens.size() > 1 and lens[1] > 0 ? elements_of(image) / lens[1] : 0;
}

// A chain of convolutions, each with its weights after x: 1x1 ones before and after one of each
// channel by itself, which alone changes the positions.
double separable_flops(instruction_ref ins) {
    const auto attributes = ins->get_operator().to_value();
    const auto& in = ins->inputs();
    double multiplied = 0;
    for (std::size_t i = 0; i < ins->module_inputs().size(); i++) {
        const bool is_before = i == 0 and attributes.at("before").to<bool>();
        multiplied += positions_of(is_before ? in[0]->get_shape() : ins->get_shape()) *
                      elements_of(in[i + 1]->get_shape());
    }
    return 2 * multiplied;
}

// Each value of a state is faded, corrected and added to, and read, with every token: what its rule
// asks for of these, at 2 flops.
double linear_attention_flops(instruction_ref ins) {
    const auto& in = ins->inputs();
    const auto q = lens_of(in[0]->get_shape()), state = lens_of(in[3]->get_shape());
    const auto rule = ins->get_operator().to_value().at("rule").to<std::string>();
    const double steps =
        2 + (rule.starts_with("gated") ? 0.5 : 0) + (rule.ends_with("delta") ? 1 : 0);
    const auto r = state.size();
    return 2 * q[0] * q[1] * state[r - 3] * state[r - 2] * state[r - 1] * steps;
}

// Targets' own forms of operators do the same work: "cpu::dot".
std::string_view plain_name(std::string_view name) {
    const auto at = name.find("::");
    return at == std::string_view::npos ? name : name.substr(at + 2);
}

double flops_of(instruction_ref ins) {
    const auto full = ins->name();
    const auto name = plain_name(full);
    const auto& in = ins->inputs();
    const auto out = elements_of_all(ins->get_shape());
    if (only_moves(name) or ins->get_operator().info().is_view)
        return 0;
    if (is_one_of(name, {"dot", "quant_dot", "block_dot"}))
        return 2 * out * lens_of(in[0]->get_shape()).back();
    if (name.ends_with("convolution")) {
        const auto w = lens_of(in[1]->get_shape());
        return w[0] > 0 ? 2 * out * elements_of(in[1]->get_shape()) / w[0] : 0;
    }
    if (name == "convolution_backwards") {
        const auto w = lens_of(in[1]->get_shape());
        return w[0] > 0
                   ? 2 * elements_of(in[0]->get_shape()) * elements_of(in[1]->get_shape()) / w[0]
                   : 0;
    }
    if (name == "attention" and in.size() >= 3) {
        const auto q = lens_of(in[0]->get_shape()), v = lens_of(in[2]->get_shape());
        // Two products and, for each score, a softmax of 5.
        return q.size() == 4 and v.size() == 4
                   ? q[0] * q[1] * q[2] * v[2] * (2 * q[3] + 2 * v[3] + 5)
                   : 0;
    }
    if (name == "separable")
        return separable_flops(ins);
    if (name == "linear_attention")
        return linear_attention_flops(ins);
    if (is_one_of(name, {"rnn", "gru", "lstm", "rnn_all", "gru_all", "lstm_all"}))
        return recurrent_flops(ins);
    if (name == "pooling") {
        double window = 1;
        const auto attributes = ins->get_operator().to_value();
        for (const auto& n : attributes.at("lengths"))
            window *= n.to<double>();
        return out * window;
    }
    if (name.starts_with("reduce_") or name.starts_with("arg") or name == "topk" or
        name == "prefix_scan_sum")
        return in.empty() ? 0 : elements_of(in[0]->get_shape());
    if (is_one_of(name, {"softmax", "logsoftmax"}))
        return 5 * out;
    if (name.find("norm") != std::string::npos or name == "lrn")
        return 8 * out;
    if (name == "resize")
        return ins->get_operator().to_value().at("mode").to<std::string>() == "nearest" ? 0
                                                                                        : 8 * out;
    // Their modules say what is computed.
    return is_one_of(name, {"pointwise", "fused_reduce"}) ? 0 : out;
}

// A module of scalars is applied to each element of the result.
bool is_elementwise(const module& m) {
    const auto parameters = m.get_parameters();
    return not parameters.empty() and
           std::all_of(parameters.begin(), parameters.end(), [](instruction_ref p) {
               return p->get_shape().type() != shape::tuple_type and
                      elements_of(p->get_shape()) <= 1;
           });
}

// Of its data a gather reads what it gives.
double bytes_read(instruction_ref ins, std::size_t i) {
    const auto all = bytes_of(ins->inputs()[i]->get_shape());
    if (ins->name() == "gather" and i == 0)
        return std::min(all, bytes_of(ins->get_shape()));
    if (ins->name() != "fused_reduce")
        return all;
    const auto& m = *ins->module_inputs().front();
    const auto parameter = m.get_parameter(sorted_parameters(m)[i]);
    for (auto user : parameter->outputs())
        if (user->name() == "gather" and user->inputs().front() == parameter)
            return std::min(all, bytes_of(user->get_shape()));
    return all;
}

} // namespace

cost cost_of(instruction_ref ins) {
    cost c;
    for (const auto* m : ins->module_inputs()) {
        cost inside;
        for (auto x = m->begin(); x != m->end(); ++x)
            inside += cost_of(x);
        if (is_elementwise(*m))
            inside = {inside.flops * elements_of_all(ins->get_shape()), 0};
        if (ins->name() == "fused_reduce")
            inside.bytes = 0; // what it computes on its way is in no memory
        c += inside;
    }
    const auto name = ins->name();
    const bool is_free = name.starts_with("@") or ins->get_operator().info().is_view or
                         is_one_of(name, {"identity", "get_tuple_elem", "undefined", "if", "loop",
                                          "loop_dynamic", "dimensions_of"});
    if (is_free)
        return c;
    c.flops += flops_of(ins);
    c.bytes += bytes_of(ins->get_shape());
    for (std::size_t i = 0; i < ins->inputs().size(); i++)
        c.bytes += bytes_read(ins, i);
    return c;
}

} // namespace migraphx
