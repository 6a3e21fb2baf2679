// SPDX-License-Identifier: MIT
#include "targets/gpu/libraries/convolution_graph.hpp"

#include "base/str.hpp"

#include <algorithm>
#include <optional>

namespace migraphx::gpu {

namespace {

using namespace cudnn;

using sizes = std::vector<int64_t>;

std::optional<data_type> type_of(shape::type_t t) {
    switch (t) {
    case shape::float_type:
        return data_type::f32;
    case shape::double_type:
        return data_type::f64;
    case shape::half_type:
        return data_type::f16;
    case shape::bf16_type:
        return data_type::bf16;
    case shape::int8_type:
        return data_type::i8;
    case shape::int32_type:
        return data_type::i32;
    default:
        return std::nullopt;
    }
}

// What the library computes with: at least two spatial axes. Axes of one element get the step that
// they would have in packed memory of this order, stretched ones have one element.
struct seen_tensor {
    sizes lens, strides;
};

seen_tensor seen(const shape& s) {
    seen_tensor t;
    for (std::size_t i = 0; i < s.ndim(); i++) {
        const bool stretched = s.strides()[i] == 0;
        t.lens.push_back(stretched ? 1 : int64_t(s.lens()[i]));
        t.strides.push_back(int64_t(s.strides()[i]));
    }
    if (t.lens.size() == 3) {
        t.lens.insert(t.lens.begin() + 2, 1);
        t.strides.insert(t.strides.begin() + 2, 0);
    }
    // Channels last where that fits what lies in memory.
    int64_t span = 1;
    for (std::size_t i = 0; i < t.lens.size(); i++)
        if (t.lens[i] > 1)
            span = std::max(span, t.strides[i] * t.lens[i]);
    const bool last = t.lens[1] == 1 or t.strides[1] == 1;
    for (auto i = t.lens.size(); i-- > 0;) {
        if (t.lens[i] > 1)
            continue;
        if (i == 1 and last)
            t.strides[i] = 1;
        else if (i == 0)
            t.strides[i] = span;
        else {
            // The step of the axis inside of it, times its length.
            const auto inner = i + 1 < t.lens.size() ? i + 1 : (last ? 1 : i);
            t.strides[i] = inner == i ? 1 : t.strides[inner] * t.lens[inner];
        }
    }
    return t;
}

sizes with_unit_axis(sizes v, int64_t unit) {
    if (v.size() == 1)
        v.insert(v.begin(), unit);
    return v;
}

// The operations of one graph, and the tensors between them.
class graph_builder {
public:
    graph_builder(const functions& functions_, const convolution_desc& desc)
        : f(functions_), d(desc),
          math(d.x.type() == shape::double_type ? data_type::f64 : data_type::f32) {
        const auto y = seen(d.y);
        lens = y.lens;
        strides = y.strides;
    }

    void build() {
        const auto type = type_of(d.x.type());
        if (not type or not type_of(d.y.type()))
            throw refused("cuDNN: type " + d.x.type_string());
        const auto& x = input(d.x, *type);
        const auto& w = input(d.w, *type);
        std::size_t left = steps_left();
        const auto* value = &add_convolution(x, w, left == 0);
        for (const auto& step : d.steps)
            value = &add_step(step, *value, left);
    }

    std::vector<descriptor> operations;
    std::vector<int64_t> ids; ///< x, w, operands, y, then the numbers
    std::deque<float> numbers;

private:
    const functions& f;
    const convolution_desc& d;
    data_type math;
    sizes lens, strides; ///< of y
    std::deque<descriptor> tensors;
    std::vector<int64_t> number_ids;
    int64_t next_id = 1;

    const descriptor& add(tensor_form t) {
        t.id = next_id++;
        tensors.push_back(make_tensor(f, t));
        return tensors.back();
    }
    int64_t alignment_of(const shape& s) const { return d.aligned ? 16 : int64_t(s.type_size()); }
    const descriptor& input(const shape& s, data_type t) {
        const auto v = seen(s);
        ids.push_back(next_id);
        return add({0, t, v.lens, v.strides, alignment_of(s)});
    }
    // A result of an operation: y itself after the last one.
    const descriptor& result(bool last) {
        if (last) {
            y_id = next_id;
            return add({0, *type_of(d.y.type()), lens, strides, alignment_of(d.y)});
        }
        tensor_form t{0, d.x.type() == shape::int8_type ? data_type::i32 : math, lens, strides};
        t.virtual_ = true;
        return add(t);
    }
    const descriptor& number(double v) {
        numbers.push_back(float(v));
        number_ids.push_back(next_id);
        tensor_form t{0, data_type::f32, sizes(lens.size(), 1), sizes(lens.size(), 1)};
        t.by_value = true;
        return add(t);
    }

public:
    int64_t y_id = 0;
    std::vector<int64_t> all_ids() const {
        auto all = ids;
        all.push_back(y_id);
        all.insert(all.end(), number_ids.begin(), number_ids.end());
        return all;
    }

private:
    // Pointwise operations that the steps are made of.
    std::size_t steps_left() const {
        std::size_t n = 0;
        for (const auto& s : d.steps)
            n += operations_of(s.what.algorithm, s.what);
        return n;
    }
    static std::size_t operations_of(post_algorithm a, const post_operation& op) {
        switch (a) {
        case post_algorithm::linear:
            return (op.alpha != 1 ? 1u : 0u) + (op.beta != 0 ? 1u : 0u);
        case post_algorithm::clip:
            return 2;
        case post_algorithm::hardsigmoid:
            return 3;
        case post_algorithm::hardswish:
            return 4;
        default:
            return 1;
        }
    }

    descriptor window() const {
        descriptor c(f, kind::convolution);
        c.set_enum(attribute::convolution_type, type::data_type,
                   d.x.type() == shape::int8_type ? data_type::i32 : math);
        c.set_enum(attribute::convolution_mode, type::convolution_mode, 1); // not mirrored
        const auto stride = with_unit_axis(d.stride, 1);
        c.set(attribute::convolution_dims, int64_t(stride.size()));
        c.set(attribute::convolution_strides, stride);
        c.set(attribute::convolution_dilations, with_unit_axis(d.dilation, 1));
        c.set(attribute::convolution_before, with_unit_axis(d.before, 0));
        c.set(attribute::convolution_after, with_unit_axis(d.after, 0));
        c.finalize();
        return c;
    }

    const descriptor& add_convolution(const descriptor& x, const descriptor& w, bool last) {
        const auto& y = result(last);
        const auto c = window();
        descriptor op(f,
                      d.transposed ? kind::convolution_backward_data : kind::convolution_forward);
        op.set(d.transposed ? attribute::backward_convolution : attribute::forward_convolution, c);
        op.set(d.transposed ? attribute::backward_w : attribute::forward_w, w);
        op.set(d.transposed ? attribute::backward_dy : attribute::forward_x, x);
        op.set(d.transposed ? attribute::backward_dx : attribute::forward_y, y);
        const auto alpha = d.transposed ? attribute::backward_alpha : attribute::forward_alpha;
        const auto beta = d.transposed ? attribute::backward_beta : attribute::forward_beta;
        if (math == data_type::f64) {
            op.set(alpha, 1.0);
            op.set(beta, 0.0);
        } else {
            op.set(alpha, 1.0f);
            op.set(beta, 0.0f);
        }
        op.finalize();
        operations.push_back(std::move(op));
        return y;
    }

    struct mode {
        pointwise what;
        double lower = 0, upper = 0, slope = 0, alpha = 0; ///< alpha: of elu, swish
        bool bounded_above = false;
    };

    const descriptor& apply(const mode& m, const descriptor& u, const descriptor* v,
                            std::size_t& left) {
        descriptor p(f, kind::pointwise);
        p.set_enum(attribute::pointwise_mode, type::pointwise_mode, m.what);
        p.set_enum(attribute::pointwise_precision, type::data_type, math);
        if (m.what == pointwise::relu) {
            p.set(attribute::pointwise_relu_lower, m.lower);
            if (m.bounded_above)
                p.set(attribute::pointwise_relu_upper, m.upper);
            if (m.slope != 0)
                p.set(attribute::pointwise_relu_slope, m.slope);
        } else if (m.what == pointwise::elu)
            p.set(attribute::pointwise_elu_alpha, m.alpha);
        else if (m.what == pointwise::swish)
            p.set(attribute::pointwise_swish_beta, m.alpha);
        p.finalize();
        const auto& y = result(--left == 0);
        descriptor op(f, kind::pointwise_operation);
        op.set(attribute::operation_pointwise, p);
        op.set(attribute::operation_x, u);
        if (v != nullptr)
            op.set(attribute::operation_b, *v);
        op.set(attribute::operation_y, y);
        op.finalize();
        operations.push_back(std::move(op));
        return y;
    }

    const descriptor& linear(const descriptor& u, double a, double b, std::size_t& left) {
        const auto* r = &u;
        if (a != 1)
            r = &apply({pointwise::mul}, *r, &number(a), left);
        if (b != 0)
            r = &apply({pointwise::add}, *r, &number(b), left);
        return *r;
    }
    static mode clipped(double lo, double hi) { return {pointwise::relu, lo, hi, 0, 0, true}; }

    const descriptor& add_step(const convolution_step& step, const descriptor& u,
                               std::size_t& left) {
        const auto& op = step.what;
        const descriptor* v = nullptr;
        if (op.is_binary()) {
            const auto t = type_of(step.operand.type());
            if (not t)
                throw refused("cuDNN: an operand of type " + step.operand.type_string());
            v = &input(step.operand, *t);
        }
        switch (op.algorithm) {
        case post_algorithm::linear:
            return linear(u, op.alpha, op.beta, left);
        case post_algorithm::relu:
            return apply({pointwise::relu, 0, 0, op.alpha}, u, nullptr, left);
        case post_algorithm::clip:
            // With an upper bound of its own the activation is taken by few engines.
            return apply({pointwise::min}, apply({pointwise::relu, op.alpha}, u, nullptr, left),
                         &number(op.beta), left);
        case post_algorithm::elu:
            return apply({pointwise::elu, 0, 0, 0, op.alpha}, u, nullptr, left);
        case post_algorithm::sigmoid:
            return apply({pointwise::sigmoid}, u, nullptr, left);
        case post_algorithm::tanh:
            return apply({pointwise::tanh}, u, nullptr, left);
        case post_algorithm::sqrt:
            return apply({pointwise::sqrt}, u, nullptr, left);
        case post_algorithm::exp:
            return apply({pointwise::exp}, u, nullptr, left);
        case post_algorithm::abs:
            return apply({pointwise::abs}, u, nullptr, left);
        case post_algorithm::swish:
            return apply({pointwise::swish, 0, 0, 0, op.alpha}, u, nullptr, left);
        case post_algorithm::hardsigmoid:
        case post_algorithm::hardswish: {
            const auto& scaled = apply({pointwise::mul}, u, &number(op.alpha), left);
            const auto& moved = apply({pointwise::add}, scaled, &number(op.beta), left);
            const auto& gate = apply(clipped(0, 1), moved, nullptr, left);
            return op.algorithm == post_algorithm::hardsigmoid
                       ? gate
                       : apply({pointwise::mul}, u, &gate, left);
        }
        case post_algorithm::gelu_erf:
            return apply({pointwise::gelu}, u, nullptr, left);
        case post_algorithm::gelu_tanh:
            return apply({pointwise::gelu_tanh}, u, nullptr, left);
        case post_algorithm::add:
            return apply({pointwise::add}, u, v, left);
        case post_algorithm::sub:
            return apply({pointwise::sub}, u, v, left);
        case post_algorithm::mul:
            return apply({pointwise::mul}, u, v, left);
        case post_algorithm::div:
            return apply({pointwise::div}, u, v, left);
        case post_algorithm::max:
            return apply({pointwise::max}, u, v, left);
        case post_algorithm::min:
            return apply({pointwise::min}, u, v, left);
        }
        throw refused("cuDNN: an unknown step");
    }
};

} // namespace

convolution_graph make_convolution_graph(const functions& f, const convolution_desc& d) {
    graph_builder b(f, d);
    b.build();
    convolution_graph g;
    g.ids = b.all_ids();
    g.numbers = b.numbers;
    g.operations = std::move(b.operations);
    for (const auto& s : d.steps)
        g.operands += s.what.is_binary() ? 1 : 0;
    return g;
}

plan_wishes convolution_wishes(const convolution_desc& d, std::size_t most) {
    plan_wishes wishes;
    wishes.most = most;
    // Sums of floats stay sums of floats.
    if (d.x.type() == shape::float_type and not d.tf32) {
        wishes.without.push_back(note::tensor_core);
        wishes.without.push_back(note::down_convert);
    }
    if (d.x.type() == shape::half_type or d.x.type() == shape::bf16_type)
        wishes.without.push_back(note::reduced_precision);
    return wishes;
}

} // namespace migraphx::gpu
