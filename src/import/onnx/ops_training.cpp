// SPDX-License-Identifier: MIT
// Optimisers of ai.onnx.preview.training: one step of each for any number of tensors. Inputs are
// the learning rate R, the number of updates T and then, for all tensors each, the parts of its
// state; outputs are the new values and the new state.
#include "import/onnx/ops_training.hpp"

#include <migraphx/make_op.hpp>

namespace migraphx::onnx {

namespace {

struct optimiser {
    explicit optimiser(node_reader& reader, std::size_t number_of_parts)
        : n(reader), parts(number_of_parts) {
        const auto given = n.input_count();
        if (given < 2 + parts or (given - 2) % parts != 0)
            n.malformed(str("R, T and ", parts, " inputs for each tensor were expected, got ",
                            given, " inputs"));
        tensors = (given - 2) / parts;
        decay = double(n.real("norm_coefficient", 0));
    }
    // Part p of tensor i.
    instruction_ref part(std::size_t p, std::size_t i) { return n.input(2 + p * tensors + i); }
    // R or T as a scalar of the type of x.
    instruction_ref rate(instruction_ref x) {
        return n.to_scalar(n.convert(n.input(0), x->get_shape().type()));
    }
    instruction_ref updates(instruction_ref x) {
        return n.to_scalar(n.convert(n.input(1), x->get_shape().type()));
    }

    instruction_ref scaled(instruction_ref x, double factor) {
        return n.with_number("mul", x, factor);
    }
    instruction_ref sum(instruction_ref a, instruction_ref b) { return n.add("add", a, b); }
    instruction_ref product(instruction_ref a, instruction_ref b) {
        return n.add("mul", a, n.broadcast_like(b, a));
    }
    // x - step * direction
    instruction_ref moved(instruction_ref x, instruction_ref step, instruction_ref direction) {
        return n.add("sub", x, product(direction, step));
    }
    // The gradient (part 1) with that of the regularisation of the value (part 0).
    instruction_ref gradient(std::size_t i) {
        if (part(0, i)->get_shape().type() != part(1, i)->get_shape().type())
            n.malformed(str("a gradient of the type of its tensor was expected, got ",
                            part(1, i)->get_shape()));
        return sum(scaled(part(0, i), decay), part(1, i));
    }
    // base^T
    instruction_ref power(double base, instruction_ref like) {
        return n.add("pow", n.scalar(like->get_shape().type(), base), updates(like));
    }

    node_reader& n;
    std::size_t parts, tensors = 0;
    double decay = 0;
};

instructions read_adagrad(node_reader& n) {
    optimiser o(n, 3);
    const double decay_factor = double(n.real("decay_factor", 0)),
                 epsilon = double(n.real("epsilon", 1e-6F));
    instructions values, squares;
    for (std::size_t i = 0; i < o.tensors; i++) {
        const auto x = o.part(0, i), g = o.gradient(i);
        const auto h = o.sum(o.part(2, i), n.add("mul", g, g));
        const auto slower =
            n.with_number("add", n.with_number("mul", o.updates(x), decay_factor), 1);
        const auto rate = n.add("div", o.rate(x), slower);
        const auto adaptive = n.with_number("add", n.add("sqrt", h), epsilon);
        values.push_back(o.moved(x, rate, n.add("div", g, adaptive)));
        squares.push_back(h);
    }
    values.insert(values.end(), squares.begin(), squares.end());
    return values;
}

instructions read_momentum(node_reader& n) {
    optimiser o(n, 3);
    const double alpha = double(n.real("alpha", 0)), beta = double(n.real("beta", 0));
    const auto mode = n.text("mode", "");
    if (mode != "standard" and mode != "nesterov")
        n.malformed("mode: standard or nesterov was expected, got '" + mode + "'");
    instructions values, momenta;
    for (std::size_t i = 0; i < o.tensors; i++) {
        const auto x = o.part(0, i), g = o.gradient(i);
        // The first update takes the gradient whole.
        const auto later = n.convert(n.with_number("greater", o.updates(x), 0), shape::bool_type);
        const auto t = x->get_shape().type();
        const auto share = n.add("where", later, n.scalar(t, beta), n.scalar(t, 1));
        const auto v = o.sum(o.scaled(o.part(2, i), alpha), o.product(g, share));
        values.push_back(
            o.moved(x, o.rate(x), mode == "standard" ? v : o.sum(g, o.scaled(v, alpha))));
        momenta.push_back(v);
    }
    values.insert(values.end(), momenta.begin(), momenta.end());
    return values;
}

instructions read_adam(node_reader& n) {
    optimiser o(n, 4);
    const double alpha = double(n.real("alpha", 0.9F)), beta = double(n.real("beta", 0.999F));
    const double epsilon = double(n.real("epsilon", 1e-6F)),
                 post = double(n.real("norm_coefficient_post", 0));
    instructions values, means, squares;
    for (std::size_t i = 0; i < o.tensors; i++) {
        const auto x = o.part(0, i), g = o.gradient(i);
        const auto v = o.sum(o.scaled(o.part(2, i), alpha), o.scaled(g, 1 - alpha));
        const auto h = o.sum(o.scaled(o.part(3, i), beta), o.scaled(n.add("mul", g, g), 1 - beta));
        // Averages that began with 0 are too small after few updates.
        const auto rest = [&](double base) {
            return n.add("sub", n.scalar(x->get_shape().type(), 1), o.power(base, x));
        };
        const auto corrected =
            n.add("div", n.add("mul", o.rate(x), n.add("sqrt", rest(beta))), rest(alpha));
        const auto later = n.convert(n.with_number("greater", o.updates(x), 0), shape::bool_type);
        const auto rate = n.add("where", later, corrected, o.rate(x));
        const auto direction = n.add("div", v, n.with_number("add", n.add("sqrt", h), epsilon));
        values.push_back(o.scaled(o.moved(x, rate, direction), 1 - post));
        means.push_back(v);
        squares.push_back(h);
    }
    values.insert(values.end(), means.begin(), means.end());
    values.insert(values.end(), squares.begin(), squares.end());
    return values;
}

const operators training_operators{{"Adagrad", read_adagrad, training_domain},
                                   {"Momentum", read_momentum, training_domain},
                                   {"Adam", read_adam, training_domain}};

} // namespace

} // namespace migraphx::onnx
