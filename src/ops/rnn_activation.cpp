// SPDX-License-Identifier: MIT
// Activations of recurrent layers that have no operator of their own: functions of a number with
// coefficients alpha and beta.
#include "ops/elementwise.hpp"
#include "ops/expect.hpp"
#include "ops/op.hpp"
#include "ops/pointwise_table.hpp"
#include "ops/recurrent.hpp"
#include "ops/tensor.hpp"

#include "ir/shape_rules.hpp"

#include <migraphx/errors.hpp>

#include <algorithm>
#include <cmath>

namespace migraphx {

namespace {

struct activation_row {
    const char* name;
    const char* summary;
    double (*apply)(double x, double alpha, double beta);
    float alpha, beta;
};

constexpr activation_row activation_rows[] = {
    {"rnn_affine", "alpha * x + beta", [](double x, double a, double b) { return a * x + b; }, 1,
     0},
    {"rnn_hard_sigmoid", "alpha * x + beta, at least 0 and at most 1",
     [](double x, double a, double b) { return std::clamp(a * x + b, 0.0, 1.0); }, 0.2f, 0.5f},
    {"rnn_scaled_tanh", "alpha * tanh(beta * x)",
     [](double x, double a, double b) { return a * std::tanh(b * x); }, 1, 1},
    {"rnn_softplus", "log(1 + exp(x))",
     [](double x, double, double) {
         return std::log1p(std::exp(-std::fabs(x))) + std::max(x, 0.0);
     },
     0, 0},
    {"rnn_softsign", "x / (1 + |x|)",
     [](double x, double, double) { return x / (1 + std::fabs(x)); }, 0, 0},
    {"rnn_thresholded_relu", "x where it is above alpha, else 0",
     [](double x, double a, double) { return x > a ? x : 0.0; }, 1, 0},
};

struct activation_coefficients {
    float alpha = 0;
    float beta = 0;
};

op_info activation_info(const activation_row& row) {
    op_info info;
    info.name = row.name;
    info.summary = row.summary;
    info.type = &typeid(activation_coefficients);
    info.create = [&row]() -> std::shared_ptr<void> {
        return std::make_shared<activation_coefficients>(
            activation_coefficients{row.alpha, row.beta});
    };
    info.clone = [](const void* p) -> std::shared_ptr<void> {
        return std::make_shared<activation_coefficients>(
            *static_cast<const activation_coefficients*>(p));
    };
    field_list<activation_coefficients> fields{info.fields};
    fields.add("alpha", &activation_coefficients::alpha, "first coefficient of the formula");
    fields.add("beta", &activation_coefficients::beta, "second coefficient of the formula");
    info.infer = [](const void*, const std::vector<shape>& in, const std::vector<module_ref>&) {
        expect(in).count(1).floating();
        return unary_shape(in[0], in[0].type());
    };
    info.compute = [&row](const void* self, context*, const shape&, const std::vector<argument>& in,
                          const std::vector<module_ref>&, const module_runner&) {
        const auto& k = *static_cast<const activation_coefficients*>(self);
        const auto& s = in[0].get_shape();
        auto out = argument::uninitialized(unary_shape(s, s.type()));
        for_each_part(elements_to_store(out), [&](std::size_t first, std::size_t count) {
            std::vector<double> x(count);
            load(in[0], first, count, x.data());
            for (auto& v : x)
                v = row.apply(v, k.alpha, k.beta);
            store(out, first, count, x.data());
        });
        return out;
    };
    return info;
}

bool register_activations() {
    for (const auto& row : activation_rows)
        register_op_info(activation_info(row));
    return true;
}

const bool activations_registered = register_activations();

} // namespace

std::function<double(double)> activation_function(const operation& op) {
    const auto name = op.name();
    for (const auto& row : activation_rows)
        if (name == row.name)
            return [apply = row.apply, a = op.get<double>("alpha"),
                    b = op.get<double>("beta")](double x) { return apply(x, a, b); };
    const auto* row = find_pointwise_row(name);
    if (row == nullptr or row->arity != 1 or row->real == nullptr or row->bool_result)
        fail(error_kind::invalid_argument,
             "activation: an operator of one number was expected, got '" + name + "'");
    const double attribute = row->attribute == nullptr ? 0 : op.get<double>(row->attribute);
    return [real = row->real, attribute](double x) {
        const double operands[] = {x, attribute};
        return real(operands);
    };
}

} // namespace migraphx
