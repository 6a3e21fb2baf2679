// SPDX-License-Identifier: MIT
// linear_attention: device_code/linear_attention.cuh.
#include "targets/gpu/device_code/linear_attention_params.cuh"
#include "targets/gpu/lower/walk.hpp"

#include "base/str.hpp"
#include "ops/shape_input.hpp"

#include <algorithm>
#include <cmath>

namespace migraphx::gpu {

namespace {

enum linear_input : std::size_t { in_q, in_k, in_v, in_state, in_decay, in_beta };

constexpr int lanes = 8, most_rows = 64;

lowered linear_attention(const device_problem& p) {
    const auto& q = p.inputs[in_q];
    const auto type = device_type(q.type());
    if (q.type() != shape::float_type and q.type() != shape::half_type and
        q.type() != shape::bf16_type and q.type() != shape::double_type)
        return lowered::refuse("type " + q.type_string());
    for (std::size_t i = 1; i < p.inputs.size(); i++)
        if (not is_absent(p.inputs, i) and p.inputs[i].type() != q.type())
            return lowered::refuse("tensors of several types");
    mgx::linear_attention_params a{};
    const auto set = [](const shape& s, long long& batch, long long& token, long long& column) {
        batch = (long long)(s.strides()[0]);
        token = (long long)(s.strides()[1]);
        column = (long long)(s.strides()[2]);
    };
    const bool gated = not is_absent(p.inputs, in_decay), delta = not is_absent(p.inputs, in_beta);
    const auto y = p.output.sub_shapes()[0], states = p.output.sub_shapes()[1];
    set(q, a.q_batch, a.q_token, a.q_column);
    set(p.inputs[in_k], a.k_batch, a.k_token, a.k_column);
    set(p.inputs[in_v], a.v_batch, a.v_token, a.v_column);
    set(y, a.y_batch, a.y_token, a.y_column);
    const auto query_heads = p.op.get<std::size_t>("num_heads"),
               kv_heads = p.op.get<std::size_t>("kv_num_heads"),
               window = p.op.get<std::size_t>("window");
    if (gated) {
        set(p.inputs[in_decay], a.decay_batch, a.decay_token, a.decay_column);
        a.gates = int(p.inputs[in_decay].lens()[2] / kv_heads);
    }
    if (delta) {
        set(p.inputs[in_beta], a.beta_batch, a.beta_token, a.beta_column);
        a.rates = int(p.inputs[in_beta].lens()[2]);
    }
    const auto& state = p.inputs[in_state];
    const std::size_t first = window == 0 ? 0 : 1;
    a.state_batch = (long long)(state.strides()[first]);
    a.state_head = (long long)(state.strides()[first + 1]);
    a.state_row = (long long)(state.strides()[first + 2]);
    a.state_column = (long long)(state.strides()[first + 3]);
    a.states_slot = window == 0 ? 0 : (long long)(states.strides()[0]);
    a.states_batch = (long long)(states.strides()[first]);
    a.states_head = (long long)(states.strides()[first + 1]);
    a.states_row = (long long)(states.strides()[first + 2]);
    a.states_column = (long long)(states.strides()[first + 3]);
    const auto depth = q.lens()[2] / query_heads, width = p.inputs[in_v].lens()[2] / kv_heads;
    const auto heads = std::max(query_heads, kv_heads);
    a.tokens = int(q.lens()[1]);
    a.depth = int(depth);
    a.width = int(width);
    a.query_heads = int(query_heads);
    a.heads = int(heads);
    a.readers = int(std::max<std::size_t>(1, query_heads / kv_heads));
    a.heads_per_key = int(kv_heads / (p.inputs[in_k].lens()[2] / depth));
    a.slots = int(std::max<std::size_t>(1, window));
    a.scale = p.op.get<float>("scale");
    if (a.scale == 0)
        a.scale = 1 / std::sqrt(double(depth));
    // Rounded up to a power of 2: few texts for many sizes.
    int rows = 1;
    while (rows * lanes < a.depth)
        rows *= 2;
    if (rows > most_rows)
        return lowered::refuse("heads of more than 512");
    if (kv_heads > 65535 or q.lens()[0] > 65535)
        return lowered::refuse("more than 65535 heads or batches");

    a.last_state = window == 0 ? 0 : (long long)((window - 1) * state.strides()[0]);
    const auto pointer = [&](const char* name) { return str("const ", type, "* ", name, ", "); };
    generated g;
    g.name = g.entry = "linear_attention_heads";
    g.inputs = {in_q, in_k, in_v, in_state};
    auto parameters = pointer("q") + pointer("k") + pointer("v") + pointer("state");
    if (gated) {
        g.inputs.push_back(in_decay);
        parameters += pointer("decay");
    }
    if (delta) {
        g.inputs.push_back(in_beta);
        parameters += pointer("beta");
    }
    const auto flag = [](bool b) { return b ? "true" : "false"; };
    g.source = str("#include \"linear_attention.cuh\"\nnamespace mgx {\n"
                   "MGX_KERNEL_BOUNDS(",
                   32 * lanes, ") void ", g.entry, "(", parameters, type, "* y, ", type,
                   "* states, linear_attention_params p) {\n    linear_attention<", type, ", ",
                   lanes, ", ", rows, ", ", flag(gated), ", ", flag(delta), ">(q, k, v, state, ",
                   gated ? "decay" : "nullptr", ", ", delta ? "beta" : "nullptr",
                   ", y, states, p);\n}\n} // namespace mgx\n");
    param_block block;
    block.add(a);
    g.params = block.data();
    g.launch.grid = {uint32_t((width + 31) / 32), uint32_t(kv_heads), uint32_t(q.lens()[0])};
    g.launch.block.x = 32 * lanes;
    return make_generated(p, std::move(g));
}

const implementations linear_attention_choices{{"linear_attention"}, {{"heads", linear_attention}}};

} // namespace

} // namespace migraphx::gpu
