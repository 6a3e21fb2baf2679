// SPDX-License-Identifier: MIT
// Attention as the graph that cuDNN's attention engines look for: product, scale, mask, a softmax
// in parts, product. Values between the operations are floats, weights have the operands' type.
#include "targets/gpu/libraries/sdpa.hpp"

#include "base/str.hpp"
#include "targets/gpu/device/host.hpp"

#include <limits>
#include <map>
#include <mutex>

namespace migraphx::gpu {

// libraries/sdpa_host.cpp
std::shared_ptr<const prepared_sdpa> prepare_host_sdpa(const sdpa_desc& d);

namespace {

using namespace cudnn;
using sizes = std::vector<int64_t>;

data_type type_of(const shape& s) {
    if (s.type() == shape::half_type)
        return data_type::f16;
    if (s.type() == shape::bf16_type)
        return data_type::bf16;
    throw refused("cuDNN: attention of type " + s.type_string());
}

sizes whole(const std::vector<std::size_t>& v) {
    return {v.begin(), v.end()};
}

struct graph_maker {
    const functions& f;
    const sdpa_desc& d;
    sdpa_graph g = {};
    std::deque<descriptor> tensors = {}; // finalized, so the operations hold what they need
    int64_t next_id = 1;
    sizes scores, rows;

    explicit graph_maker(const functions& functions_, const sdpa_desc& problem)
        : f(functions_), d(problem) {
        const auto &q = d.q.lens(), &k = d.k.lens();
        scores = whole({q[0], q[1], q[2], k[2]});
        rows = whole({q[0], q[1], q[2], 1});
    }

    static sizes dense(const sizes& lens) {
        return {lens[1] * lens[2] * lens[3], lens[2] * lens[3], lens[3], 1};
    }
    const descriptor& memory(const shape& s, bool transposed = false) {
        auto lens = whole(s.lens()), strides = whole(s.strides());
        if (transposed) {
            std::swap(lens[2], lens[3]);
            std::swap(strides[2], strides[3]);
        }
        g.ids.push_back(next_id);
        tensors.push_back(make_tensor(f, {next_id++, type_of(s), lens, strides}));
        return tensors.back();
    }
    const descriptor& between(const sizes& lens, data_type t) {
        tensor_form form{next_id++, t, lens, dense(lens)};
        form.virtual_ = true;
        tensors.push_back(make_tensor(f, form));
        return tensors.back();
    }
    const descriptor& by_value(data_type t, void* value) {
        tensor_form form{next_id, t, {1, 1, 1, 1}, {1, 1, 1, 1}};
        form.by_value = true;
        g.ids.push_back(next_id++);
        g.values.push_back(value);
        tensors.push_back(make_tensor(f, form));
        return tensors.back();
    }
    const descriptor& number(float x) {
        g.numbers.push_back(x);
        return by_value(data_type::f32, &g.numbers.back());
    }
    const descriptor& integer(int32_t x) {
        g.integers.push_back(x);
        return by_value(data_type::i32, &g.integers.back());
    }

    void multiply(const descriptor& a, const descriptor& b, const descriptor& c) {
        descriptor m(f, kind::matmul);
        m.set_enum(attribute::matmul_precision, type::data_type, data_type::f32);
        m.finalize();
        descriptor op(f, kind::matmul_operation);
        op.set(attribute::matmul_a, a);
        op.set(attribute::matmul_b, b);
        op.set(attribute::matmul_c, c);
        op.set(attribute::matmul_matmul, m);
        op.finalize();
        g.operations.push_back(std::move(op));
    }
    const descriptor& apply(pointwise what, const descriptor& y, const descriptor& x,
                            const descriptor* b = nullptr, data_type precision = data_type::f32,
                            const descriptor* condition = nullptr, int64_t axis = -1) {
        descriptor p(f, kind::pointwise);
        p.set_enum(attribute::pointwise_mode, type::pointwise_mode, what);
        p.set_enum(attribute::pointwise_precision, type::data_type, precision);
        if (axis >= 0)
            p.set(attribute::pointwise_axis, axis);
        p.finalize();
        descriptor op(f, kind::pointwise_operation);
        op.set(attribute::operation_pointwise, p);
        op.set(attribute::operation_x, x);
        if (b != nullptr)
            op.set(attribute::operation_b, *b);
        if (condition != nullptr)
            op.set(attribute::operation_t, *condition);
        op.set(attribute::operation_y, y);
        op.finalize();
        g.operations.push_back(std::move(op));
        return y;
    }
    const descriptor& reduce(cudnn::reduction what, const descriptor& x) {
        const auto& y = between(rows, data_type::f32);
        descriptor r(f, kind::reduction);
        r.set_enum(attribute::reduction_operator, type::reduction_operator, what);
        r.set_enum(attribute::reduction_precision, type::data_type, data_type::f32);
        r.finalize();
        descriptor op(f, kind::reduction_operation);
        op.set(attribute::reduction_x, x);
        op.set(attribute::reduction_y, y);
        op.set(attribute::reduction_reduction, r);
        op.finalize();
        g.operations.push_back(std::move(op));
        return y;
    }
    const descriptor& score() { return between(scores, data_type::f32); }

    // What a query sees: keys up to its own position from the end.
    const descriptor& masked(const descriptor& x) {
        const auto indices = [&](int64_t axis) -> const descriptor& {
            return apply(pointwise::index, between(scores, data_type::i32), x, nullptr,
                         data_type::f32, nullptr, axis);
        };
        const auto* row = &indices(2);
        const auto& column = indices(3);
        if (scores[3] != scores[2])
            row = &apply(pointwise::add, between(scores, data_type::i32), *row,
                         &integer(int32_t(scores[3] - scores[2])), data_type::i32);
        const auto& seen = apply(pointwise::greater_equal, between(scores, data_type::boolean),
                                 *row, &column, data_type::boolean);
        return apply(pointwise::select, score(), x,
                     &number(-std::numeric_limits<float>::infinity()), data_type::f32, &seen);
    }

    sdpa_graph make() {
        const auto &q = memory(d.q), &k = memory(d.k, true), &v = memory(d.v), &y = memory(d.y);
        const auto& raw = score();
        multiply(q, k, raw);
        const auto* x = &apply(pointwise::mul, score(), raw, &number(d.scale));
        if (d.causal)
            x = &masked(*x);
        const auto& top = reduce(cudnn::reduction::max, *x);
        const auto& below = apply(pointwise::sub, score(), *x, &top);
        const auto& power = apply(pointwise::exp, score(), below);
        const auto& total = reduce(cudnn::reduction::add, power);
        const auto& weights = apply(pointwise::div, between(scores, type_of(d.q)), power, &total);
        multiply(weights, v, y);
        return std::move(g);
    }
};

struct cudnn_sdpa : prepared_sdpa {
    const functions& f;
    device& on;
    sdpa_graph graph;
    built_plan plan;

    cudnn_sdpa(const functions& functions_, device& d, sdpa_graph g, built_plan p)
        : f(functions_), on(d), graph(std::move(g)), plan(std::move(p)) {}
    std::string name() const override { return str("cuDNN attention, engine ", plan.engine); }
    std::size_t workspace() const override { return plan.workspace; }
    void run(const sdpa_pointers& p, stream s) const override {
        std::vector<void*> pointers{const_cast<void*>(p.q), const_cast<void*>(p.k),
                                    const_cast<void*>(p.v), p.y};
        pointers.insert(pointers.end(), graph.values.begin(), graph.values.end());
        execute(f, on, plan, graph.ids, pointers, p.workspace, s);
    }
};

std::string key_of(device& on, const sdpa_desc& d) {
    return str(on.properties().id, ' ', d.q, ' ', d.k, ' ', d.v, ' ', d.y, ' ', d.scale, ' ',
               d.causal);
}

} // namespace

sdpa_graph make_sdpa_graph(const functions& f, const sdpa_desc& d) {
    return graph_maker(f, d).make();
}

std::shared_ptr<const prepared_sdpa> prepare_sdpa(device& on, const sdpa_desc& d,
                                                  std::string& reason) {
    const auto kind = on.properties().kind;
    if (kind == platform::host)
        return prepare_host_sdpa(d);
    if (kind != platform::cuda) {
        reason = "cuDNN is for CUDA";
        return nullptr;
    }
    const auto* f = find(reason);
    if (f == nullptr)
        return nullptr;
    static std::mutex m;
    static auto* made = new std::map<std::string, std::shared_ptr<const prepared_sdpa>>;
    const std::lock_guard lock(m);
    auto& kept = (*made)[key_of(on, d)];
    if (kept != nullptr)
        return kept;
    try {
        auto graph = make_sdpa_graph(*f, d);
        const borrowed_handle h(*f, on);
        auto plans = make_plans(*f, {h.get()}, graph.operations, {}, reason);
        if (not plans.empty())
            kept = std::make_shared<cudnn_sdpa>(*f, on, std::move(graph), std::move(plans[0]));
    } catch (const refused& e) {
        reason = e.what();
    }
    return kept;
}

} // namespace migraphx::gpu
