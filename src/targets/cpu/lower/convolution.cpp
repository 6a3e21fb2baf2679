// SPDX-License-Identifier: MIT
// Convolutions and transposed convolutions with oneDNN: activations in the layout they have
// (channels last, see passes/channels_last.cpp), weights packed at compile time, the epilogue as
// post-operations.
#include "targets/cpu/lower/convolution.hpp"
#include "targets/cpu/lower/separable.hpp"
#include "targets/cpu/lower/split_product.hpp"
#include "targets/cpu/lowering.hpp"
#include "targets/cpu/post_ops.hpp"

#include "base/parallel.hpp"
#include "base/str.hpp"

#include <atomic>

namespace migraphx::cpu {

namespace {

using dims = dnnl::memory::dims;

dims to_dims(const std::vector<int64_t>& v) {
    return {v.begin(), v.end()};
}

// Begins and ends of the padding for each spatial axis.
struct paddings {
    dims begin, end;
};

paddings padding_of(const problem& p, std::size_t spatial, const dims& kernel, const dims& stride,
                    const dims& dilation) {
    const auto mode = p.op.get<int64_t>("padding_mode");
    paddings result;
    if (mode == 0) {
        const auto given = p.op.get_vector<int64_t>("padding");
        const bool both = given.size() == 2 * spatial;
        result.begin.assign(given.begin(), given.begin() + std::ptrdiff_t(spatial));
        result.end.assign(given.begin() + std::ptrdiff_t(both ? spatial : 0),
                          given.begin() + std::ptrdiff_t(both ? 2 * spatial : spatial));
        return result;
    }
    for (std::size_t i = 0; i < spatial; i++) {
        const auto in = int64_t(p.inputs[0].lens()[i + 2]);
        const auto out = (in + stride[i] - 1) / stride[i];
        const auto total =
            std::max<int64_t>(0, (out - 1) * stride[i] + dilation[i] * (kernel[i] - 1) + 1 - in);
        const auto half = total / 2;
        result.begin.push_back(mode == 2 ? half : total - half);
        result.end.push_back(mode == 2 ? total - half : half);
    }
    return result;
}

} // namespace

convolution_window window_of(const problem& p) {
    convolution_window w;
    const auto spatial = p.inputs[0].ndim() - 2;
    for (std::size_t i = 0; i < spatial; i++)
        w.kernel.push_back(int64_t(p.inputs[1].lens()[i + 2]));
    w.stride = to_dims(p.op.get_vector<int64_t>("stride"));
    w.dilation = to_dims(p.op.get_vector<int64_t>("dilation"));
    const auto padding = padding_of(p, spatial, w.kernel, w.stride, w.dilation);
    w.before = padding.begin;
    w.after = padding.end;
    for (auto& d : w.dilation)
        d--;
    return w;
}

dnnl::memory::desc weights_desc(const shape& w, int64_t group, bool transposed) {
    std::vector<int64_t> lens(w.lens().begin(), w.lens().end());
    std::vector<int64_t> strides(w.strides().begin(), w.strides().end());
    if (group > 1) {
        lens[0] /= group;
        lens.insert(lens.begin(), group);
        strides.insert(strides.begin(), lens[1] * strides[0]);
    }
    // Transposed convolutions store C_in, C_out/g: the library wants outputs first.
    if (transposed) {
        const std::size_t o = group > 1 ? 1 : 0;
        std::swap(lens[o], lens[o + 1]);
        std::swap(strides[o], strides[o + 1]);
    }
    return dnnl_desc(w.type(), lens, strides);
}

std::vector<std::pair<image_order, dnnl::memory::desc>> image_orders(const shape& s) {
    std::vector<std::pair<image_order, dnnl::memory::desc>> result;
    for (auto order : {image_order::channels_last, image_order::row_major})
        if (auto d = dnnl_image_desc(s, order))
            result.emplace_back(order, *d);
    if (result.empty())
        result.emplace_back(image_order::as_given, dnnl_desc(s));
    return result;
}

namespace {

bool takes(const problem& p, std::string& reason) {
    const auto& x = p.inputs[0];
    if (x.type() != shape::float_type or p.output.type() != shape::float_type)
        reason = "only float, got " + x.type_string();
    else if (x.ndim() < 3 or x.ndim() > 5)
        reason = str("one to three spatial axes, got rank ", x.ndim());
    else if (x.elements() == 0 or p.output.elements() == 0 or p.inputs[1].elements() == 0)
        reason = "nothing to compute";
    else if (x.broadcasted() or p.output.broadcasted())
        reason = "broadcast activations";
    return reason.empty();
}

shape without_axis(const shape& s, std::size_t axis) {
    auto lens = s.lens(), strides = s.strides();
    lens.erase(lens.begin() + std::ptrdiff_t(axis));
    strides.erase(strides.begin() + std::ptrdiff_t(axis));
    return {s.type(), lens, strides};
}

// The same convolution without spatial axes that have one position and one tap: the library blocks
// along the last axis.
problem without_unit_axes(const problem& given) {
    problem p = given;
    auto w = window_of(p);
    for (std::size_t i = w.kernel.size(); i-- > 0 and w.kernel.size() > 1;) {
        const auto axis = i + 2;
        if (w.kernel[i] != 1 or p.inputs[0].lens()[axis] != 1 or p.output.lens()[axis] != 1 or
            w.before[i] != 0 or w.after[i] != 0)
            continue;
        for (auto& s : p.inputs)
            s = without_axis(s, axis);
        p.output = without_axis(p.output, axis);
        for (auto* list : {&w.kernel, &w.stride, &w.dilation, &w.before, &w.after})
            list->erase(list->begin() + std::ptrdiff_t(i));
    }
    if (p.output.ndim() == given.output.ndim())
        return p;
    if (p.is_constant(1))
        p.constants[1] = p.constants[1].view(p.inputs[1], 0);
    auto padding = w.before;
    padding.insert(padding.end(), w.after.begin(), w.after.end());
    auto dilation = w.dilation;
    for (auto& d : dilation)
        d++;
    const auto list = [](const dims& v) { return std::vector<std::size_t>(v.begin(), v.end()); };
    p.op.from_value({{"padding", list(padding)},
                     {"stride", list(w.stride)},
                     {"dilation", list(dilation)},
                     {"padding_mode", 0}});
    return p;
}

// oneDNN 3.2 never lets go of the code of "brgemm" convolutions, also when it makes the same again:
// about 60 KiB each. Most have own kernels (window_convolution.cpp); of the others programs of many
// sizes may make some, which have the bits of static programs, then kernels follow that are freed
// with their plan.
bool may_keep_code(const problem& p) {
    constexpr int most = 128;
    static std::atomic<int> made = 0; // by programs of many sizes, in this process
    return not p.many_sizes or made.fetch_add(1, std::memory_order_relaxed) < most;
}

struct layer {
    dnnl::memory::desc src, dst;
    image_order order; ///< of the result
};

// With `any`, the library's scalar reference code will do.
template <class Descriptor>
lowered make_layer(const problem& p, const layer& l, bool transposed, bool any,
                   Descriptor describe) {
    auto epilogue = make_epilogue(p, 2, 1, l.order);
    if (not epilogue.epilogue)
        return lowered::refuse(epilogue.reason);
    auto& e = *epilogue.epilogue;
    const auto w = window_of(p);
    const auto group = p.op.get<int64_t>("group");
    const auto given = weights_desc(p.inputs[1], group, transposed);
    const auto weights = weights_to_ask_for(p, given);
    const dnnl::memory::desc bias =
        e.bias ? dnnl_desc(shape::float_type, {int64_t(p.output.lens()[1])}, {1})
               : dnnl::memory::desc{};
    const auto& kernel = p.inputs[1];
    const bool small = runs_inline((transposed ? p.inputs[0] : p.output).elements() *
                                   (kernel.elements() / kernel.lens()[0]));
    const thread_count_guard threads(small ? 1 : 0);
    try {
        auto pd = describe(l.src, weights, bias, l.dst, w, e.attr);
        const auto keeps_code = [&] { return std::string(pd.impl_info_str()).starts_with("brg"); };
        if (keeps_code() and not may_keep_code(p))
            while (keeps_code() and pd.next_impl())
                ;
        if (not skip_implementations(pd, p.variant))
            return lowered::refuse("no more implementations");
        const std::string info = pd.impl_info_str();
        if (not any and info.starts_with("ref"))
            return lowered::refuse("only " + info);
        std::vector<dnnl_kernel::operand> operands;
        using place = dnnl_kernel::operand::place;
        operands.push_back({DNNL_ARG_SRC, l.src, place::input, 0});
        operands.push_back(weights_operand(p, given, pd.weights_desc()));
        if (e.bias)
            operands.push_back({DNNL_ARG_BIAS, bias, place::input, *e.bias});
        operands.push_back({DNNL_ARG_DST, l.dst, place::output, 0});
        operands.insert(operands.end(), e.operands.begin(), e.operands.end());
        auto k = std::make_unique<dnnl_kernel>(
            str("dnnl::", transposed ? "deconvolution " : "convolution ", info),
            dnnl::primitive(pd), pd.scratchpad_desc(), std::move(operands));
        if (small)
            k->keep_inline();
        return k;
    } catch (const dnnl::error& error) {
        return lowered::refuse(str("oneDNN: ", error.what()));
    }
}

template <class Descriptor>
lowered make(const problem& given, bool transposed, bool any, Descriptor describe) {
    std::string reason;
    if (not takes(given, reason))
        return lowered::refuse(reason);
    const auto p = without_unit_axes(given);
    for (const auto& [from, src] : image_orders(p.inputs[0]))
        for (const auto& [to, dst] : image_orders(p.output)) {
            auto result = make_layer(p, {src, dst, to}, transposed, any, describe);
            if (result)
                return result;
            reason = result.reason;
        }
    return lowered::refuse(reason);
}

template <bool Any>
lowered convolution(const problem& p) {
    return make(p, false, Any,
                [](const auto& src, const auto& weights, const auto& bias, const auto& dst,
                   const convolution_window& w, const auto& attr) {
                    return dnnl::convolution_forward::primitive_desc(
                        dnnl_engine(), dnnl::prop_kind::forward_inference,
                        dnnl::algorithm::convolution_direct, src, weights, bias, dst, w.stride,
                        w.dilation, w.before, w.after, attr);
                });
}

template <bool Any>
lowered deconvolution(const problem& p) {
    return make(p, true, Any,
                [](const auto& src, const auto& weights, const auto& bias, const auto& dst,
                   const convolution_window& w, const auto& attr) {
                    return dnnl::deconvolution_forward::primitive_desc(
                        dnnl_engine(), dnnl::prop_kind::forward_inference,
                        dnnl::algorithm::deconvolution_direct, src, weights, bias, dst, w.stride,
                        w.dilation, w.before, w.after, attr);
                });
}

const implementations convolution_choices{{"convolution", "cpu::convolution"},
                                          {{"winograd", winograd_convolution, 2},
                                           {"split_product", split_convolution_kernel},
                                           {"rows", row_convolution},
                                           {"depthwise", depthwise_convolution},
                                           {"pointwise", pointwise_convolution},
                                           {"windows", window_convolution},
                                           {"dnnl::convolution", convolution<false>, 2},
                                           {"product of windows", convolution_as_product},
                                           {"dnnl::convolution (any)", convolution<true>}}};
const implementations deconvolution_choices{{"convolution_backwards", "cpu::convolution_backwards"},
                                            {{"windows side by side", transposed_convolution},
                                             {"dnnl::deconvolution", deconvolution<false>, 1},
                                             {"dnnl::deconvolution (any)", deconvolution<true>}}};

} // namespace

} // namespace migraphx::cpu
