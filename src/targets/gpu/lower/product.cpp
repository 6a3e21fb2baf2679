// SPDX-License-Identifier: MIT
#include "targets/gpu/lower/product.hpp"

#include "base/str.hpp"
#include "ops/tensor.hpp"
#include "passes/pass_registry.hpp"
#include "passes/post_operations.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/module.hpp>

#include <algorithm>
#include <utility>

namespace migraphx::gpu {

namespace {

bool is_one_number(const shape& s) {
    return s.elements() == 1;
}

// A vector along the last axis or the one before, neighbours in memory.
gemm_bias as_bias(const shape& s) {
    const auto r = s.ndim();
    if (is_per_channel(s, r - 1))
        return gemm_bias::along_n;
    if (is_per_channel(s, r - 2))
        return gemm_bias::along_m;
    return gemm_bias::none;
}

std::optional<gemm_activation> as_activation(const post_operation& op) {
    if (op.algorithm == post_algorithm::relu and op.alpha == 0)
        return gemm_activation::relu;
    if (op.algorithm == post_algorithm::gelu_tanh)
        return gemm_activation::gelu_tanh;
    return std::nullopt;
}

// alpha x [+ v]... [→ activation], in this order.
bool add_chain(product_form& f, const problem& p, const std::vector<post_operation>& chain,
               std::string& reason) {
    auto& what = f.what;
    for (const auto& op : chain) {
        if (what.activation != gemm_activation::none) {
            reason = "something after the activation";
            return false;
        }
        if (const auto activation = as_activation(op)) {
            what.activation = *activation;
            continue;
        }
        if (op.algorithm == post_algorithm::linear and op.beta == 0 and not what.c and
            what.bias == gemm_bias::none) {
            what.alpha *= op.alpha;
            continue;
        }
        if (op.algorithm != post_algorithm::add and op.algorithm != post_algorithm::sub) {
            reason = "an epilogue beyond sums and an activation";
            return false;
        }
        const auto input = epilogue_input(*p.modules.front(), op.parameter, own_inputs(p));
        const auto& s = p.inputs.at(input);
        const auto bias = as_bias(s);
        if (op.algorithm == post_algorithm::add and bias != gemm_bias::none and
            what.bias == gemm_bias::none) {
            what.bias = bias;
            what.bias_type = s.type();
            f.bias = input;
        } else if (not what.c) {
            what.c = matrix_of(s);
            what.beta = op.algorithm == post_algorithm::add ? 1 : -1;
            f.c = input;
        } else {
            reason = "two matrices to add";
            return false;
        }
    }
    return true;
}

std::optional<product_form> as_stated(const problem& p, const shape& output, std::string& reason) {
    product_form f;
    auto& what = f.what;
    what = stated_product(p, output);
    if (own_inputs(p) == 4) {
        if (not is_one_number(p.inputs[2]) or not is_one_number(p.inputs[3]) or
            p.inputs[2].type() != shape::float_type or p.inputs[3].type() != shape::float_type) {
            reason = "scales that are not one float for each operand";
            return std::nullopt;
        }
        what.scaled = true;
        f.scale_a = 2;
        f.scale_b = 3;
    }
    return f;
}

bool is_anchor(instruction_ref ins) {
    const auto name = ins->name();
    return name == "dot" or name == "quant_dot" or name == "block_dot" or name == "convolution" or
           name == "convolution_backwards" or name == "quant_convolution";
}

// Sums, then one activation: what add_chain reads.
bool is_library_chain(const std::vector<post_operation>& chain) {
    int matrices = 0;
    for (std::size_t i = 0; i < chain.size(); i++) {
        const auto& op = chain[i];
        if (as_activation(op))
            return i + 1 == chain.size();
        if (op.is_binary())
            matrices++;
        const bool sum = op.algorithm == post_algorithm::add or op.algorithm == post_algorithm::sub;
        const bool factor =
            op.algorithm == post_algorithm::linear and op.beta == 0 and matrices == 0;
        if (not(op.is_binary() ? sum : factor))
            return false;
    }
    return matrices <= 2;
}

// What reads whole rows does what is left of a region while it reads them.
bool is_read_by_rows(instruction_ref region) {
    return std::any_of(region->outputs().begin(), region->outputs().end(), [](auto user) {
        const auto name = user->name();
        return name.starts_with("reduce_") or name.starts_with("arg") or name == "softmax" or
               name == "logsoftmax" or name == "layer_norm" or name == "rms_norm";
    });
}

bool takes(const epilogue_candidate& c) {
    const auto chain = as_post_operations(c.body, "x0", true);
    if (chain and chain->size() <= 8 and is_library_chain(*chain))
        return true;
    if (not c.anchor->name().ends_with("dot"))
        return chain and chain->size() <= 8;
    return not is_read_by_rows(c.region) and
           std::all_of(c.operands.begin(), c.operands.end(),
                       [&](const auto& s) { return s.lens() == c.result.lens(); });
}

} // namespace

gemm_matrix matrix_of(const shape& s) {
    const auto r = s.ndim();
    gemm_matrix x;
    x.type = s.type();
    const auto step = [&](std::size_t i) {
        return s.lens()[i] == 1 ? int64_t(0) : int64_t(s.strides()[i]);
    };
    x.row = step(r - 2);
    x.column = step(r - 1);
    for (std::size_t i = 0; i + 2 < r; i++)
        x.batch.push_back(step(i));
    return x;
}

gemm_problem stated_product(const problem& p, const shape& output) {
    gemm_problem what;
    const auto &a = p.inputs[0], &b = p.inputs[1];
    what.m = int64_t(a.lens()[a.ndim() - 2]);
    what.k = int64_t(a.lens().back());
    what.n = int64_t(b.lens().back());
    what.batch.assign(output.lens().begin(), output.lens().end() - 2);
    what.a = matrix_of(a);
    what.b = matrix_of(b);
    what.d = matrix_of(output);
    what.tf32 = p.tf32;
    return what;
}

device_weight columns_of(const device_problem& p, const gemm_problem& w) {
    const auto& b = p.constants[1];
    const auto size = b.get_shape().type_size();
    return device_constant(
        *p.on, b, str("columns ", w.k, 'x', w.n, ' ', w.b.row, ' ', w.b.column),
        std::size_t(w.k * w.n) * size, [&](char* to) {
            const argument out{shape{b.get_shape().type(), {std::size_t(w.n), std::size_t(w.k)}},
                               to};
            copy_elements(out, b.view(shape{b.get_shape().type(),
                                            {std::size_t(w.n), std::size_t(w.k)},
                                            {std::size_t(w.b.column), std::size_t(w.b.row)}},
                                      0));
        });
}

std::size_t own_inputs(const problem& p) {
    return p.modules.empty()
               ? p.inputs.size()
               : p.inputs.size() + 1 - p.modules.front()->get_parameter_names().size();
}

shape::type_t type_between(const module& body) {
    const auto x0 = body.get_parameter("x0");
    const auto type = x0->get_shape().type();
    const auto& readers = x0->outputs();
    const bool in_float = std::all_of(readers.begin(), readers.end(), [](auto reader) {
        return reader->name() == "convert" and reader->get_shape().type() == shape::float_type;
    });
    const bool is_half = type == shape::half_type or type == shape::bf16_type;
    return is_half and in_float ? shape::float_type : type;
}

std::optional<product_form> plain_product(const problem& p, const shape& output,
                                          std::string& reason) {
    auto f = as_stated(p, output, reason);
    if (f)
        f->what = simplify(std::move(f->what));
    return f;
}

std::optional<product_form> whole_product(const problem& p, std::string& reason) {
    if (p.modules.empty())
        return plain_product(p, p.output, reason);
    const auto chain = as_post_operations(*p.modules.front(), "x0", true);
    if (not chain) {
        reason = "an epilogue that is no chain";
        return std::nullopt;
    }
    auto f = as_stated(p, p.output, reason);
    // The operands of the epilogue have the axes of the result, before any merge.
    if (not f or not add_chain(*f, p, *chain, reason))
        return std::nullopt;
    f->what = simplify(std::move(f->what));
    return f;
}

epilogue_rules epilogues() {
    return {"gpu", is_anchor, takes};
}

namespace {

const registered_pass fuse_epilogue_registered{"gpu::fuse_epilogue",
                                               [] { return fuse_epilogue{epilogues()}; }};

} // namespace

} // namespace migraphx::gpu
