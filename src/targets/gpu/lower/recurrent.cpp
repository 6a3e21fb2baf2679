// SPDX-License-Identifier: MIT
// rnn, gru, lstm and their _all forms: the inputs' product with W for all steps at once, then the
// steps, in one launch where a cluster of blocks holds the weights of the state, else in one each.
#include "targets/gpu/compiler/compiler.hpp"
#include "targets/gpu/device_code/recurrent_params.cuh"
#include "targets/gpu/lower/recurrent_forms.hpp"
#include "targets/gpu/lower/walk.hpp"
#include "targets/gpu/lowering.hpp"

#include "base/str.hpp"
#include "ops/recurrent.hpp"
#include "ops/shape_input.hpp"

#include <migraphx/make_op.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace migraphx::gpu {

namespace {

// As recurrent_pointers of the device code lists them.
struct recurrent_addresses {
    const char *r, *bias, *h0, *c0, *peephole, *lengths;
    char *all, *last_h, *last_c;
    const char* pre;
    char* states;
};

struct recurrent_problem {
    const device_problem& p;
    recurrent_kind kind;
    bool linear_before_reset = false, input_forget = false, tuple;
    std::size_t steps, batch, inputs, hidden, directions, gates;
    std::vector<operation> functions; // three for each direction
    mgx::recurrent_params params{};

    explicit recurrent_problem(const device_problem& given)
        : p(given), tuple(p.output.type() == shape::tuple_type) {
        const auto name = p.op.name();
        kind = name.starts_with("lstm")  ? recurrent_kind::lstm
               : name.starts_with("gru") ? recurrent_kind::gru
                                         : recurrent_kind::rnn;
        gates = kind == recurrent_kind::lstm ? 4 : kind == recurrent_kind::gru ? 3 : 1;
        const auto& x = p.inputs[in_x].lens();
        steps = x[0];
        batch = x[1];
        inputs = x[2];
        hidden = p.op.get<std::size_t>("hidden_size");
        directions = p.inputs[in_w].lens()[0];
        if (kind == recurrent_kind::gru)
            linear_before_reset = p.op.get<int>("linear_before_reset") != 0;
        if (kind == recurrent_kind::lstm)
            input_forget = p.op.get<int>("input_forget") != 0;
    }

    bool has(std::size_t i) const { return not is_absent(p.inputs, i); }
    bool two_phases() const { return kind == recurrent_kind::gru and not linear_before_reset; }
    shape result(std::size_t i) const { return tuple ? p.output.sub_shapes()[i] : p.output; }
    std::size_t sum_bytes() const { return type() == shape::double_type ? 8 : 4; }
    shape::type_t type() const { return p.inputs[in_x].type(); }

    std::string refusal() const {
        const auto t = type();
        if (t != shape::float_type and t != shape::half_type and t != shape::bf16_type and
            t != shape::double_type)
            return "type " + p.inputs[in_x].type_string();
        for (std::size_t i = 0; i < p.inputs.size(); i++)
            if (has(i) and i != in_lengths and p.inputs[i].type() != t)
                return "inputs of several types";
        if (has(in_lengths) and index_type(p.inputs[in_lengths].type()).empty())
            return "sequence lengths that are not integers";
        if (p.inputs[in_x].elements() == 0 or hidden == 0)
            return "no steps, or nothing in them";
        constexpr auto most = std::size_t(std::numeric_limits<int32_t>::max());
        if (steps > most or batch * hidden > most or gates * hidden * directions > most)
            return "an axis of more than 2^31";
        return "";
    }

    bool read_functions() {
        const std::size_t each = kind == recurrent_kind::rnn   ? 1
                                 : kind == recurrent_kind::gru ? 2
                                                               : 3;
        std::vector<operation> given;
        from_value(p.op.attribute("actv_func"), given);
        if (given.size() < each)
            return false;
        for (std::size_t d = 0; d < directions; d++)
            for (std::size_t i = 0; i < 3; i++) {
                const auto first = given.size() >= (d + 1) * each ? d * each : 0;
                functions.push_back(given[first + std::min(i, each - 1)]);
                if (activation_text(functions.back()).empty())
                    return false;
            }
        return true;
    }

    // Inputs that the product does not read where they lie.
    bool needs_copy(std::size_t i) const {
        const auto& s = p.inputs[i];
        const auto& steps = s.strides();
        return s.lens()[2] > 1 and steps[2] != 1 and
               (i == in_x or (s.lens()[1] > 1 and steps[1] != 1));
    }
    device_problem copy(std::size_t i) const {
        auto q = p;
        q.op = make_op("contiguous");
        q.inputs = {p.inputs[i]};
        q.output = p.inputs[i].as_standard();
        q.constants.assign(1, {});
        q.modules = {};
        q.variant = 0;
        return q;
    }

    // The product of all inputs with W, as a problem of its own whose result lies in scratch. Axes
    // of x and W that do not merge become axes of a batched product.
    device_problem product() {
        const auto dense = [&](std::size_t i) {
            return needs_copy(i) ? p.inputs[i].as_standard() : p.inputs[i];
        };
        const auto x = dense(in_x), w = dense(in_w);
        const auto n = gates * hidden;
        const auto xs = x.strides(), ws = w.strides();
        const bool one_x = batch == 1 or steps == 1 or xs[0] == batch * xs[1],
                   one_w = directions == 1 or ws[0] == n * ws[1];
        std::vector<std::size_t> a_lens{inputs}, a_steps{xs[2]}, b_lens{inputs, n},
            b_steps{ws[2], ws[1]}, lens;
        const auto before = [](std::vector<std::size_t>& v, std::size_t value) {
            v.insert(v.begin(), value);
        };
        if (one_x) {
            before(a_lens, steps * batch);
            before(a_steps, batch == 1 ? xs[0] : xs[1]);
        } else {
            before(a_lens, batch);
            before(a_steps, xs[1]);
            before(a_lens, steps);
            before(a_steps, xs[0]);
            before(b_lens, steps);
            before(b_steps, 0);
        }
        if (one_w) {
            b_lens.back() = directions * n;
        } else {
            before(a_lens, directions);
            before(a_steps, 0);
            before(b_lens, directions);
            before(b_steps, ws[0]);
        }
        lens = a_lens;
        lens.back() = b_lens.back();
        const auto row = lens.back();
        params.pre_time = (long long)(batch * row);
        params.pre_batch = (long long)(row);
        params.pre_direction = (long long)(one_w ? n : steps * batch * row);

        auto q = p;
        q.op = make_op("dot");
        const shape b{type(), b_lens, b_steps};
        q.inputs = {shape{type(), a_lens, a_steps}, b};
        q.output = shape{type(), lens};
        q.constants.assign(2, {});
        if (p.is_constant(in_w) and not needs_copy(in_w))
            q.constants[1] = p.constants[in_w].view(b, 0);
        q.modules = {};
        q.variant = 0;
        return q;
    }

    void set_params() {
        auto& a = params;
        const auto steps_of = [](const shape& s, std::size_t axis) {
            return (long long)(s.strides()[axis]);
        };
        a.r_direction = steps_of(p.inputs[in_r], 0);
        a.r_row = steps_of(p.inputs[in_r], 1);
        a.r_column = steps_of(p.inputs[in_r], 2);
        if (has(in_bias)) {
            a.bias_direction = steps_of(p.inputs[in_bias], 0);
            a.bias_column = steps_of(p.inputs[in_bias], 1);
        }
        if (has(in_peephole)) {
            a.peephole_direction = steps_of(p.inputs[in_peephole], 0);
            a.peephole_column = steps_of(p.inputs[in_peephole], 1);
        }
        if (has(in_lengths))
            a.lengths = steps_of(p.inputs[in_lengths], 0);
        for (std::size_t i = 0; i < 3; i++) {
            a.h0[i] = has(in_h0) ? steps_of(p.inputs[in_h0], i) : 0;
            a.c0[i] = has(in_c0) ? steps_of(p.inputs[in_c0], i) : 0;
            a.last_h[i] = tuple ? steps_of(result(1), i) : 0;
            a.last_c[i] = tuple and kind == recurrent_kind::lstm ? steps_of(result(2), i) : 0;
            a.out[i] = steps_of(result(0), i + 1);
        }
        a.out_time = steps_of(result(0), 0);
        a.clip = p.op.get<float>("clip");
        a.steps = int(steps);
        a.batch = int(batch);
        a.hidden = int(hidden);
        a.reversed = op::rnn_direction(p.op.get<int>("direction")) == op::rnn_direction::reverse;
    }

    std::string form_text() const {
        static const char* const names[] = {"f", "g", "h"};
        std::string text = str("#include \"recurrent.cuh\"\nnamespace mgx {\n"
                               "struct activations {\n    using A = compute<",
                               device_type(type()), ">;\n");
        for (std::size_t i = 0; i < 3; i++) {
            const auto first = activation_text(functions[i]);
            const auto second = directions == 2 ? activation_text(functions[3 + i]) : first;
            text += str("    static MGX_DEVICE A ", names[i], "(int direction, A x) {\n");
            if (first != second)
                text += "        if (direction == 1) { " + second + " }\n";
            text += "        " + first + "\n    }\n";
        }
        const char* cell = kind == recurrent_kind::lstm  ? "lstm"
                           : kind == recurrent_kind::rnn ? "rnn"
                           : linear_before_reset         ? "gru_linear"
                                                         : "gru";
        return text + str("};\nusing form = recurrent_form<cell_kind::", cell, ", ",
                          device_type(type()), ", ",
                          has(in_lengths) ? device_type(p.inputs[in_lengths].type()) : "void",
                          ", activations, ", input_forget ? "true" : "false", ">;\n");
    }
};

constexpr const char* entry_parameters =
    "(recurrent_pointers<form> at, recurrent_params p) {\n    ";

struct recurrent_launch {
    void* function = nullptr;
    extent3 grid, block;
    std::size_t shared = 0;
    bool each_step = false;
};

struct dense_copy {
    std::unique_ptr<kernel> work;
    std::size_t input = 0, at = 0; // where it lies in scratch
};

struct recurrent_kernel : kernel {
    std::shared_ptr<device> on;
    std::string label;
    std::vector<dense_copy> copies;
    std::unique_ptr<kernel> product;
    std::shared_ptr<code_module> code;
    mgx::recurrent_params params{};
    std::vector<recurrent_launch> launches; // those of each step come last
    std::vector<bool> present;
    std::size_t outputs = 1;
    std::size_t states_at = 0, product_at = 0, scratch = 0;

    std::string name() const override { return label; }
    std::size_t scratch_bytes() const override { return scratch; }
    void add_constants(held_constants& held) const override { product->add_constants(held); }
    bool reads_input(std::size_t i) const override { return i != in_w or product->reads_input(1); }

    void run(const kernel_args& args) const override {
        char* const pre = args.scratch;
        char* operands[] = {args.inputs[in_x], args.inputs[in_w]};
        for (const auto& c : copies) {
            operands[c.input] = args.scratch + c.at;
            c.work->run(
                {&args.inputs[c.input], &operands[c.input], args.scratch + product_at, args.queue});
        }
        product->run({operands, &pre, args.scratch + product_at, args.queue});
        const auto input = [&](std::size_t i) {
            return i < present.size() and present[i] ? args.inputs[i] : nullptr;
        };
        recurrent_addresses at{input(in_r),
                               input(in_bias),
                               input(in_h0),
                               input(in_c0),
                               input(in_peephole),
                               input(in_lengths),
                               args.outputs[0],
                               outputs > 1 ? args.outputs[1] : nullptr,
                               outputs > 2 ? args.outputs[2] : nullptr,
                               pre,
                               args.scratch + states_at};
        auto p = params;
        void* list[] = {&at, &p};
        const auto put = [&](const recurrent_launch& l) {
            on->launch(l.function, l.grid, l.block, l.shared, args.queue, list);
        };
        for (const auto& l : launches)
            if (not l.each_step)
                put(l);
        if (launches.back().each_step)
            for (p.step = 0; p.step < p.steps; p.step++)
                for (const auto& l : launches)
                    if (l.each_step)
                        put(l);
    }
};

uint32_t blocks(std::size_t n, std::size_t of_block) {
    return uint32_t((n + of_block - 1) / of_block);
}

std::size_t aligned(std::size_t bytes) {
    return (bytes + 255) / 256 * 256;
}

std::unique_ptr<recurrent_kernel> kernel_of(recurrent_problem& r) {
    auto k = std::make_unique<recurrent_kernel>();
    k->on = r.p.on;
    const auto product = r.product();
    k->product = gpu::lower(product);
    r.set_params();
    k->params = r.params;
    for (std::size_t i = 0; i < r.p.inputs.size(); i++)
        k->present.push_back(r.has(i));
    k->outputs = r.tuple ? r.p.output.sub_shapes().size() : 1;
    k->states_at = aligned(product.output.bytes());
    for (std::size_t i : {in_x, in_w})
        if (r.needs_copy(i)) {
            const auto q = r.copy(i);
            k->copies.push_back({gpu::lower(q), i, k->states_at});
            k->states_at += aligned(q.output.bytes());
        }
    k->product_at = k->states_at;
    return k;
}

// Scratch of the parts, and whether all of them are work of the device.
bool finish(recurrent_kernel& k) {
    k.scratch = k.product_at + k.product->scratch_bytes();
    bool good = not runs_on_host(*k.product);
    for (const auto& c : k.copies) {
        k.scratch = std::max(k.scratch, k.product_at + c.work->scratch_bytes());
        good = good and not runs_on_host(*c.work);
    }
    return good;
}

std::string kind_name(const recurrent_problem& r) {
    return r.kind == recurrent_kind::lstm ? "lstm" : r.kind == recurrent_kind::gru ? "gru" : "rnn";
}

lowered one_launch(const device_problem& p) {
    recurrent_problem r(p);
    if (auto why = r.refusal(); not why.empty())
        return lowered::refuse(why);
    if (not r.read_functions())
        return lowered::refuse("another activation");
    const auto& on = p.on->properties();
    constexpr int most_blocks = 8; // of a cluster, on every Hopper
    const bool clusters = on.kind == platform::cuda and on.capability >= 90;
    const auto layout =
        choose_recurrent_layout({int64_t(r.hidden), int64_t(r.gates), int64_t(r.batch),
                                 int64_t(r.directions), r.sum_bytes(), r.two_phases()},
                                on, clusters ? most_blocks : 1);
    if (not layout)
        return lowered::refuse("weights that do not fit the registers of a cluster");
    auto k = kernel_of(r);
    if (not finish(*k))
        return lowered::refuse("a product that runs on the host");
    k->label = kind_name(r) + "_layer<" + layout->text() + ">";
    k->params.rows = int(layout->rows);
    const auto source =
        r.form_text() +
        str("using layer = recurrent_layer<form, ", layout->text(),
            ">;\nstatic_assert(layer::threads == ", layout->threads,
            ", \"the host counts other threads\");\nMGX_KERNEL_BOUNDS(", layout->threads, ") ",
            layout->cluster > 1 ? str("MGX_CLUSTER(", layout->cluster, ") ") : "",
            "void recurrent_all", entry_parameters,
            "MGX_DYNAMIC_SHARED(unsigned char, memory);\n    layer(p, at, memory).run();\n}\n"
            "} // namespace mgx\n");
    k->code = compiled(*p.on, source, p.artifacts);
    recurrent_launch l;
    l.function = k->code->function("recurrent_all");
    l.grid = {uint32_t(layout->cluster), blocks(r.batch, std::size_t(layout->rows)),
              uint32_t(r.directions)};
    l.block.x = uint32_t(layout->threads);
    l.shared = layout->shared;
    k->launches = {l};
    return k;
}

lowered launch_for_each_step(const device_problem& p) {
    recurrent_problem r(p);
    if (auto why = r.refusal(); not why.empty())
        return lowered::refuse(why);
    if (not r.read_functions())
        return lowered::refuse("another activation");
    auto k = kernel_of(r);
    k->product_at += aligned(4 * r.directions * r.batch * r.hidden * r.sum_bytes());
    if (not finish(*k))
        return lowered::refuse("a product that runs on the host");
    k->label = kind_name(r) + "_steps";
    int rows = 8; // of the batch, for each warp
    while (rows > 1 and std::size_t(rows) / 2 >= r.batch)
        rows /= 2;
    const bool two = r.two_phases();
    auto source = r.form_text() + str("MGX_KERNEL_BOUNDS(256) void recurrent_start",
                                      entry_parameters, "recurrent_begin<form>(p, at);\n}\n");
    for (int phase = two ? 1 : 0; phase <= (two ? 2 : 0); phase++)
        source += str("MGX_KERNEL_BOUNDS(256) void recurrent_phase_", phase, entry_parameters,
                      "recurrent_step<form, ", rows, ", ", phase, ">(p, at);\n}\n");
    k->code = compiled(*p.on, source + "} // namespace mgx\n", p.artifacts);
    constexpr std::size_t threads = 256, warps = threads / 32;
    recurrent_launch l;
    l.block.x = threads;
    l.function = k->code->function("recurrent_start");
    l.grid = {blocks(r.batch * r.hidden, threads), 1, uint32_t(r.directions)};
    k->launches = {l};
    l.each_step = true;
    l.grid = {blocks(r.hidden, warps), blocks(r.batch, std::size_t(rows)), uint32_t(r.directions)};
    for (int phase = two ? 1 : 0; phase <= (two ? 2 : 0); phase++) {
        l.function = k->code->function(str("recurrent_phase_", phase));
        k->launches.push_back(l);
    }
    return k;
}

const implementations recurrent_choices{
    {"rnn", "rnn_all", "gru", "gru_all", "lstm", "lstm_all"},
    {{"one_launch", one_launch}, {"launch_for_each_step", launch_for_each_step}}};

} // namespace

} // namespace migraphx::gpu
