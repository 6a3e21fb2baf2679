// SPDX-License-Identifier: MIT
// dot(x, views of dequantizelinear(q, scale[, zero])) → block_dot(x, q', scale'[, zero']) for
// constant q of int8, uint8, int4 or uint4, two numbers in a byte where four bits hold them.
#include "passes/fuse_block_weights.hpp"

#include "base/parallel.hpp"
#include "ops/tensor.hpp"
#include "passes/data_type.hpp"
#include "passes/pass_registry.hpp"

#include <migraphx/make_op.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace migraphx {

namespace {

// Kernels read runs of so many weights, whose scales are one number or two.
constexpr std::size_t depth_unit = 32, least_block = 8;

// What bytes of such numbers are for block_dot.
std::optional<shape::type_t> byte_type(shape::type_t t) {
    switch (t) {
    case shape::int8_type:
    case shape::int4_type:
        return shape::int8_type;
    case shape::uint8_type:
    case shape::uint4_type:
        return shape::uint8_type;
    default:
        return std::nullopt;
    }
}

bool is_view(const std::string& name) {
    return name == "transpose" or name == "reshape" or name == "squeeze" or name == "unsqueeze" or
           name == "flatten" or name == "contiguous" or name == "multibroadcast";
}

// A matrix repeated along leading axes, also for sizes that are not known yet.
instruction_ref without_repeats(instruction_ref x) {
    while (x->name() == "multibroadcast" and not x->inputs()[0]->get_shape().dynamic()) {
        const auto& from = x->inputs()[0]->get_shape();
        const auto& to = x->get_shape();
        const auto rank = from.ndim();
        const auto fixed = [&](std::size_t from_end) {
            const auto n = from.lens()[rank - from_end];
            if (not to.dynamic())
                return to.lens()[to.ndim() - from_end] == n;
            const auto d = to.dyn_dims()[to.ndim() - from_end];
            return d.is_fixed() and std::size_t(d.get_interval().min) == n;
        };
        if (rank < 2 or not fixed(1) or not fixed(2) or
            std::any_of(from.lens().begin(), from.lens().end() - 2, [](auto n) { return n != 1; }))
            break;
        x = x->inputs()[0];
    }
    return x;
}

// What a product's weights (k, n) are computed from, each seen as such a matrix.
struct dequantised {
    argument q, scale;
    std::optional<argument> zero;
    std::size_t k = 0, n = 0;
};

std::optional<dequantised> find_weights_of(instruction_ref x) {
    x = without_repeats(x);
    std::vector<instruction_ref> views;
    while (is_view(x->name()) and x->inputs().size() == 1) {
        views.push_back(x);
        x = x->inputs()[0];
    }
    if (x->name() != "dequantizelinear" or x->get_shape().dynamic() or
        not std::all_of(x->inputs().begin(), x->inputs().end(),
                        [](auto i) { return i->can_eval() and not i->get_shape().dynamic(); }))
        return std::nullopt;
    const auto type = x->inputs()[0]->get_shape().type();
    if (not byte_type(type))
        return std::nullopt;
    const auto whole = views.empty() ? x->get_shape() : views.front()->get_shape();
    const auto rank = whole.ndim();
    if (rank < 2 or whole.elements() == 0 or
        whole.elements() != whole.lens()[rank - 2] * whole.lens()[rank - 1])
        return std::nullopt;
    const auto seen = [&](instruction_ref ins) {
        auto v = ins->eval();
        for (auto view = views.rbegin(); view != views.rend(); ++view) {
            const auto op = (*view)->normalized_operator();
            v = op.compute(op.compute_shape({v.get_shape()}), {v});
        }
        const auto& s = v.get_shape();
        return v.view(shape{s.type(),
                            {s.lens()[rank - 2], s.lens()[rank - 1]},
                            {s.strides()[rank - 2], s.strides()[rank - 1]}},
                      0);
    };
    dequantised d{seen(x->inputs()[0]),
                  seen(x->inputs()[1]),
                  {},
                  whole.lens()[rank - 2],
                  whole.lens()[rank - 1]};
    if (x->inputs().size() == 3) {
        if (x->inputs()[2]->get_shape().type() != type)
            return std::nullopt;
        d.zero = seen(x->inputs()[2]);
    }
    return d;
}

// The longest block within which scales and zero points are the same in each column.
std::size_t block_of(const dequantised& d) {
    std::size_t block = 0;
    const auto look = [&](const argument& x) {
        if (x.get_shape().strides()[0] == 0)
            return;
        std::vector<double> last(d.n), row(d.n);
        load(x, 0, d.n, last.data());
        for (std::size_t k = 1; k < d.k and block != 1; k++, last.swap(row)) {
            load(x, k * d.n, d.n, row.data());
            if (row != last)
                block = std::gcd(block, k);
        }
    };
    look(d.scale);
    if (d.zero)
        look(*d.zero);
    return block == 0 ? d.k : block;
}

// Rows of blocks as columns: (n, blocks).
argument by_columns(const argument& x, shape::type_t type, std::size_t k, std::size_t n,
                    std::size_t block) {
    const auto blocks = (k + block - 1) / block;
    std::vector<double> values(n * blocks), row(n);
    for (std::size_t b = 0; b < blocks; b++) {
        load(x, b * block * n, n, row.data());
        for (std::size_t i = 0; i < n; i++)
            values[i * blocks + b] = row[i];
    }
    argument result = argument::uninitialized(shape{type, {n, blocks}});
    store(result, values);
    return result;
}

// The bytes of q, those of one column after the other. Codes of four bits have nothing above.
argument bytes_of(const dequantised& d) {
    const auto& s = d.q.get_shape();
    argument result = argument::uninitialized(shape{*byte_type(s.type()), {d.n, d.k}});
    const argument same{shape{s.type(), {d.n, d.k}}, result.data()};
    copy_elements(same, d.q.view(shape{s.type(), {d.n, d.k}, {s.strides()[1], s.strides()[0]}}, 0));
    return result;
}

bool fits_four_bits(const argument& bytes) {
    const auto n = bytes.get_shape().elements();
    const auto* x = bytes.data();
    if (bytes.get_shape().type() == shape::uint8_type)
        return std::all_of(x, x + n, [](char c) { return static_cast<unsigned char>(c) < 16; });
    return std::all_of(x, x + n, [](char c) {
        const auto v = static_cast<signed char>(c);
        return v >= -8 and v < 8;
    });
}

argument two_in_a_byte(const argument& bytes) {
    const auto& s = bytes.get_shape();
    argument result = argument::uninitialized(shape{s.type(), {s.lens()[0], s.lens()[1] / 2}});
    const auto* from = bytes.data();
    auto* to = result.data();
    parallel_for(std::int64_t(s.elements() / 2), std::int64_t{1} << 16,
                 [&](std::int64_t begin, std::int64_t end) {
                     for (auto i = begin; i < end; i++)
                         to[i] =
                             static_cast<char>((from[2 * i] & 15) | (from[2 * i + 1] & 15) << 4);
                 });
    return result;
}

bool is_few(const shape& x, std::size_t few) {
    return x.dynamic() or x.elements() <= few * x.lens().back();
}

} // namespace

void fuse_block_weights::apply(module& m) const {
    for (auto ins : instructions_of(m)) {
        if (ins->name() != "dot")
            continue;
        const auto x = ins->inputs()[0];
        const auto type = x->get_shape().type();
        if ((type != shape::float_type and type != shape::half_type and type != shape::bf16_type) or
            not is_few(x->get_shape(), few_rows))
            continue;
        const auto d = find_weights_of(ins->inputs()[1]);
        if (not d or d->k % depth_unit != 0 or d->scale.get_shape().type() != type)
            continue;
        const auto block = block_of(*d);
        if (block % least_block != 0)
            continue;
        auto bytes = bytes_of(*d);
        const auto q_type = d->q.get_shape().type();
        const bool four =
            q_type == shape::int4_type or q_type == shape::uint4_type or fits_four_bits(bytes);
        std::vector<instruction_ref> in{
            x, m.insert_literal(ins, literal::adopt(four ? two_in_a_byte(bytes) : bytes)),
            m.insert_literal(ins, literal::adopt(by_columns(d->scale, type, d->k, d->n, block)))};
        if (d->zero)
            in.push_back(m.insert_literal(
                ins, literal::adopt(by_columns(*d->zero, *byte_type(q_type), d->k, d->n, block))));
        const auto op = make_op("block_dot", {{"bits", four ? 4 : 8}, {"block", block}});
        m.replace_instruction(ins, op, in);
    }
}

namespace {

const registered_pass fuse_block_weights_registered{"fuse_block_weights",
                                                    [] { return fuse_block_weights{}; }};

} // namespace

} // namespace migraphx
