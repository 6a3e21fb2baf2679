// SPDX-License-Identifier: MIT
// Convolutions by the device's library: weights channels last, the epilogue as its steps; what it
// cannot do with the epilogue it does without, and a pointwise kernel follows: sums of halves are
// floats until then.
#include "base/rounding.hpp"
#include "base/str.hpp"
#include "ops/module_body.hpp"
#include "ops/tensor.hpp"
#include "passes/channels_last.hpp"
#include "targets/gpu/lower/convolution.hpp"
#include "targets/gpu/lower/product.hpp"
#include "targets/gpu/weights.hpp"

#include <migraphx/instruction.hpp>
#include <migraphx/make_op.hpp>

#include <algorithm>

namespace migraphx::gpu {

namespace {

constexpr std::size_t anchor_inputs = 2;

struct library_kernel : kernel {
    std::shared_ptr<const prepared_convolution> work;
    device_weight weights;
    std::vector<std::size_t> operands; ///< of the steps: positions among the inputs
    std::unique_ptr<kernel> after;     ///< of the sums
    std::size_t sums_bytes = 0;        ///< of the scratch memory; 0: they are in the result
    std::size_t inputs = 0;

    void run(const kernel_args& args) const override {
        const void* few[2 * mgx::conv_most_operands];
        for (std::size_t i = 0; i < operands.size(); i++)
            few[i] = args.inputs[operands[i]];
        auto* sums = sums_bytes == 0 ? args.outputs[0] : args.scratch;
        auto* scratch = args.scratch + sums_bytes;
        work->run({args.inputs[0], weights->data.get(), few, sums, scratch}, args.queue);
        if (after == nullptr)
            return;
        std::vector<char*> in{sums};
        in.insert(in.end(), args.inputs + anchor_inputs, args.inputs + inputs);
        after->run({in.data(), args.outputs, scratch, args.queue});
    }
    std::size_t scratch_bytes() const override {
        return sums_bytes +
               std::max(work->workspace(), after == nullptr ? 0 : after->scratch_bytes());
    }
    std::string name() const override {
        return after == nullptr ? work->name() : work->name() + ", " + after->name();
    }
    bool reads_input(std::size_t i) const override { return i != 1; }
    void add_constants(held_constants& held) const override {
        weights->add_to(held);
        if (after != nullptr)
            after->add_constants(held);
    }
};

// The module as steps of the library; none when it is not such a chain.
std::optional<std::vector<std::size_t>> add_steps(const device_problem& p, convolution_desc& d) {
    const auto* body = epilogue_of(p);
    std::vector<std::size_t> operands;
    if (body == nullptr)
        return operands;
    const auto chain = as_post_operations(*body, "x0", true);
    if (not chain or chain->size() > 2 * mgx::conv_most_operands)
        return std::nullopt;
    for (const auto& op : *chain) {
        convolution_step step{op};
        if (op.is_binary()) {
            operands.push_back(epilogue_input(*body, op.parameter, anchor_inputs));
            step.operand = p.inputs[operands.back()];
        }
        d.steps.push_back(std::move(step));
    }
    return operands;
}

// The pointwise kernel for the epilogue over the convolution's own result.
std::unique_ptr<kernel> epilogue_kernel(const device_problem& p, const shape& sums) {
    device_problem q = p;
    q.op = make_op("pointwise");
    q.inputs = {sums};
    q.inputs.insert(q.inputs.end(), p.inputs.begin() + anchor_inputs, p.inputs.end());
    q.constants.assign(q.inputs.size(), argument{});
    for (std::size_t i = anchor_inputs; i < p.constants.size(); i++)
        q.constants[i - anchor_inputs + 1] = p.constants[i];
    return lower(q);
}

} // namespace

namespace {

// Whether its memory may begin anywhere, not at a multiple of 16 bytes: parts of other values.
bool may_begin_anywhere(instruction_ref ins) {
    while (ins->get_operator().info().is_view and ins->inputs().size() == 1) {
        if (ins->name() != "reshape_lazy" and ins->name() != "transpose" and
            ins->name() != "multibroadcast" and ins->name() != "broadcast" and
            ins->name() != "squeeze" and ins->name() != "unsqueeze")
            return true;
        ins = ins->inputs().front();
    }
    return false;
}

// Strides of what is packed, apart from axes that are stretched.
bool is_part(const shape& s) {
    return not s.packed() and not s.broadcasted();
}

bool all_aligned(const device_problem& p) {
    if (is_part(p.output))
        return false;
    for (std::size_t i = 0; i < p.inputs.size(); i++)
        if (i != 1 and
            (is_part(p.inputs[i]) or (p.ins != instruction_ref{} and i < p.ins->inputs().size() and
                                      may_begin_anywhere(p.ins->inputs()[i]))))
            return false;
    return true;
}

} // namespace

lowered library_convolution(const device_problem& p) {
    std::string reason;
    auto* library = convolutions_of(*p.on, reason);
    if (library == nullptr)
        return lowered::refuse(reason);
    auto d = describe_convolution(p, reason);
    if (not d)
        return lowered::refuse(reason);
    if (d->w.type() != d->x.type())
        return lowered::refuse("weights of another type than the data");
    // cuDNN's engines for them give wrong sums (seen with 9.14: int8 to int32, 4 channels).
    if (shape::is_integral(d->x.type()) and p.on->properties().kind != platform::host)
        return lowered::refuse("integers");
    // Small ones on the host are for the own kernels: what runs there is a test of them.
    if (p.on->properties().kind == platform::host and p.variant == 0 and d->work() < 1e6)
        return lowered::refuse("own kernels are to be tested on the host");
    if (not p.is_constant(1))
        return lowered::refuse("weights that are not constant");
    d->tf32 = p.tf32;
    d->aligned = all_aligned(p);
    const auto packed =
        shape::from_permutation(d->w.type(), d->w.lens(), channels_last_order(d->w.ndim()));
    d->w = packed;

    auto result = std::make_unique<library_kernel>();
    auto fused = *d;
    const auto rank = std::size_t(std::max(p.variant, 1));
    if (const auto operands = add_steps(p, fused)) {
        const auto ways = library->prepare(fused, rank, p.artifacts, reason);
        if (ways.size() >= rank) {
            result->work = ways[rank - 1];
            result->operands = *operands;
        }
    } else
        reason = "the epilogue is not a chain of steps";
    if (result->work == nullptr and rank > 1)
        return lowered::refuse("so many plans: " + reason);
    if (result->work == nullptr) {
        const auto* body = epilogue_of(p);
        if (body == nullptr)
            return lowered::refuse(reason);
        const auto sums = type_between(*body);
        d->y = p.output.with_type(sums);
        if (sums != p.output.type())
            result->sums_bytes = round_up(d->y.bytes(), device_alignment);
        std::string without;
        auto ways = library->prepare(*d, 1, p.artifacts, without);
        if (ways.empty())
            return lowered::refuse(reason + "; without it: " + without);
        result->work = ways.front();
        result->after = epilogue_kernel(p, d->y);
        if (runs_on_host(*result->after))
            return lowered::refuse("the epilogue has no kernel");
    }
    result->inputs = p.inputs.size();
    result->weights = device_constant(*p.on, p.constants[1], "channels last",
                                      packed.element_space() * packed.type_size(), [&](char* to) {
                                          copy_elements(argument{packed, to}, p.constants[1]);
                                      });
    return result;
}

} // namespace migraphx::gpu
