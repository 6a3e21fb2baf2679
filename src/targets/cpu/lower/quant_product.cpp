// SPDX-License-Identifier: MIT
// Products and convolutions of int8 with oneDNN, where the machine adds their products in int32
// without saturating on the way. Weights are packed at compile time.
#include "targets/cpu/lower/quant_product.hpp"

#include "targets/cpu/lower/convolution.hpp"
#include "targets/cpu/lowering.hpp"
#include "targets/cpu/post_ops.hpp"

#include "base/parallel.hpp"
#include "base/str.hpp"

namespace migraphx::cpu {

bool has_int8_products() {
    dnnl_engine(); // a forced level is set by then
    const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
    const auto has = [&](dnnl::cpu_isa wanted) {
        return (isa & static_cast<unsigned>(wanted)) == static_cast<unsigned>(wanted);
    };
    return has(dnnl::cpu_isa::avx512_core_vnni) or has(dnnl::cpu_isa::avx2_vnni);
}

namespace {

using place = dnnl_kernel::operand::place;

std::string refusal(const problem& p) {
    if (p.inputs.size() != 2 or p.inputs[0].type() != shape::int8_type or
        p.inputs[1].type() != shape::int8_type or p.output.type() != shape::int32_type)
        return "only int8, got " + p.inputs[0].type_string();
    if (not has_int8_products())
        return "no int8 products on this machine";
    if (p.inputs[0].elements() == 0 or p.inputs[1].elements() == 0 or p.output.elements() == 0)
        return "nothing to compute";
    return "";
}

// The kernel of a primitive over operands 0 and 1; `weights` describes operand 1 as it is.
template <class Descriptor>
lowered make_product(const problem& p, const char* name, const dnnl::memory::desc& src,
                     const dnnl::memory::desc& weights, const dnnl::memory::desc& dst,
                     std::size_t work, Descriptor describe) {
    const bool small = runs_inline(work);
    const thread_count_guard threads(small ? 1 : 0);
    try {
        const auto wanted = weights_to_ask_for(p, weights);
        dnnl::primitive_attr attr;
        attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
        const auto pd = describe(src, wanted, dst, attr);
        std::vector<dnnl_kernel::operand> operands;
        operands.push_back({DNNL_ARG_SRC, src, place::input, 0});
        operands.push_back(weights_operand(p, weights, pd.weights_desc()));
        operands.push_back({DNNL_ARG_DST, dst, place::output, 0});
        auto k = std::make_unique<dnnl_kernel>(str("dnnl::", name, ' ', pd.impl_info_str()),
                                               dnnl::primitive(pd), pd.scratchpad_desc(),
                                               std::move(operands));
        if (small)
            k->keep_inline();
        return k;
    } catch (const dnnl::error& error) {
        return lowered::refuse(str("oneDNN: ", error.what()));
    }
}

lowered quant_matmul(const problem& p) {
    if (auto r = refusal(p); not r.empty())
        return lowered::refuse(r);
    return make_product(
        p, "matmul int8", dnnl_broadcast_desc(p.inputs[0]), dnnl_broadcast_desc(p.inputs[1]),
        dnnl_desc(p.output), p.output.elements() * p.inputs[0].lens().back(),
        [](const auto& src, const auto& weights, const auto& dst, const auto& attr) {
            return dnnl::matmul::primitive_desc(dnnl_engine(), src, weights, dst, attr);
        });
}

lowered quant_convolution(const problem& p) {
    if (auto r = refusal(p); not r.empty())
        return lowered::refuse(r);
    const auto& x = p.inputs[0];
    if (x.ndim() < 3 or x.ndim() > 5 or x.broadcasted() or p.output.broadcasted())
        return lowered::refuse("activations of another rank or broadcast");
    const auto w = window_of(p);
    const auto weights = weights_desc(p.inputs[1], p.op.get<int64_t>("group"), false);
    const auto& kernel = p.inputs[1];
    std::string reason;
    for (const auto& [from, src] : image_orders(x))
        for (const auto& [to, dst] : image_orders(p.output)) {
            auto result =
                make_product(p, "convolution int8", src, weights, dst,
                             p.output.elements() * (kernel.elements() / kernel.lens()[0]),
                             [&](const auto& s, const auto& ws, const auto& d, const auto& attr) {
                                 return dnnl::convolution_forward::primitive_desc(
                                     dnnl_engine(), dnnl::prop_kind::forward_inference,
                                     dnnl::algorithm::convolution_direct, s, ws, d, w.stride,
                                     w.dilation, w.before, w.after, attr);
                             });
            if (result)
                return result;
            reason = result.reason;
        }
    return lowered::refuse(reason);
}

const implementations quant_dot_choices{{"quant_dot"}, {{"dnnl::matmul int8", quant_matmul}}};
const implementations quant_convolution_choices{{"quant_convolution"},
                                                {{"dnnl::convolution int8", quant_convolution}}};

} // namespace

} // namespace migraphx::cpu
