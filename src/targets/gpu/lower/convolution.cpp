// SPDX-License-Identifier: MIT
#include "targets/gpu/lower/convolution.hpp"

#include "base/str.hpp"
#include "codegen/device_text.hpp"
#include "ops/module_body.hpp"
#include "ops/window.hpp"
#include "passes/pass_registry.hpp"
#include "targets/gpu/lower/walk_text.hpp"
#include "targets/gpu/tuning.hpp"

#include <algorithm>
#include <limits>

namespace migraphx::gpu {

namespace {

constexpr std::size_t anchor_inputs = 2;

std::vector<std::size_t> spatial_lens(const shape& s) {
    return {s.lens().begin() + 2, s.lens().end()};
}

mgx::conv_steps steps_of(const shape& s) {
    mgx::conv_steps r{};
    r.image = int64_t(s.strides()[0]);
    r.channel = int64_t(s.strides()[1]);
    for (std::size_t i = 2; i < s.ndim(); i++)
        r.axis[i - 2] = int64_t(s.strides()[i]);
    return r;
}

bool fits_int(std::size_t n) {
    return n < std::size_t(std::numeric_limits<int>::max());
}

} // namespace

bool is_channels_last(const shape& s) {
    return s.lens()[1] == 1 or s.strides()[1] == 1;
}

bool is_depthwise(const convolution_desc& d) {
    return not d.transposed and d.w.type() == d.x.type() and
           std::size_t(d.group) == d.x.lens()[1] and std::size_t(d.group) == d.y.lens()[1] and
           d.group > 1;
}

const module* epilogue_of(const device_problem& p) {
    return p.modules.empty() ? nullptr : p.modules.front();
}

std::optional<convolution_desc> describe_convolution(const device_problem& p, std::string& reason) {
    convolution_desc d;
    d.x = p.inputs[0];
    d.w = p.inputs[1];
    d.y = p.output;
    d.transposed = p.op.name().ends_with("convolution_backwards");
    d.group = p.op.get<int64_t>("group");
    if (d.x.ndim() < 3 or d.x.ndim() > 2 + mgx::conv_most_axes) {
        reason = str("one to three spatial axes, got rank ", d.x.ndim());
        return std::nullopt;
    }
    if (d.x.elements() == 0 or d.w.elements() == 0) {
        reason = "nothing to sum";
        return std::nullopt;
    }
    const auto list = [&](const char* field) {
        const auto v = p.op.get_vector<int64_t>(field);
        return std::vector<std::size_t>(v.begin(), v.end());
    };
    const auto mode =
        d.transposed ? op::default_ : op::padding_mode_t(p.op.get<int64_t>("padding_mode"));
    const auto windows = make_windows(spatial_lens(d.w), list("padding"), list("stride"),
                                      list("dilation"), mode, "kernel");
    for (std::size_t i = 0; i < windows.size(); i++) {
        const auto& w = windows[i];
        const auto [before, after] = w.padding(d.x.lens()[i + 2]);
        d.stride.push_back(int64_t(w.stride));
        d.dilation.push_back(int64_t(w.dilation));
        d.before.push_back(int64_t(before));
        d.after.push_back(int64_t(after));
    }
    return d;
}

std::optional<mgx::conv_params> convolution_params(const device_problem& p,
                                                   const convolution_desc& d, std::string& reason) {
    mgx::conv_params r{};
    r.x = steps_of(d.x);
    r.y = steps_of(d.y);
    std::size_t positions = d.y.lens()[0], k = 1, reach = 1;
    for (std::size_t i = 0; i < d.spatial(); i++) {
        auto& a = r.axis[i];
        const auto in = d.x.lens()[i + 2], out = d.y.lens()[i + 2], kernel = d.w.lens()[i + 2];
        positions *= out;
        k *= kernel;
        reach =
            std::max({reach, in, out * std::size_t(d.stride[i]),
                      (kernel + 1) * std::size_t(d.dilation[i]) + std::size_t(d.before[i]) + out,
                      std::size_t(d.before[i])});
        if (not fits_int(reach))
            break;
        a.in = int(in);
        a.out = int(out);
        a.kernel = int(kernel);
        a.stride = int(d.stride[i]);
        a.dilation = int(d.dilation[i]);
        a.before = int(d.before[i]);
        a.by_out = mgx::make_fast_div(out);
        a.by_stride = mgx::make_fast_div(std::size_t(d.stride[i]));
    }
    const auto channels = d.x.lens()[1] / std::size_t(d.group);
    k *= channels;
    // Tiles may reach beyond the last of each.
    constexpr std::size_t slack = 4096;
    if (not fits_int(reach + slack) or not fits_int(positions + slack) or not fits_int(k + slack) or
        not fits_int(d.y.lens()[1] + slack) or not fits_int(d.x.lens()[1] + slack)) {
        reason = "sizes beyond 31 bits";
        return std::nullopt;
    }
    r.positions = unsigned(positions);
    r.groups = int(d.group);
    r.channels = int(channels);
    r.outputs = int(d.y.lens()[1] / std::size_t(d.group));
    r.k = int(k);
    r.splits = 1;
    if (p.inputs.size() - anchor_inputs > mgx::conv_most_operands) {
        reason = str("at most ", mgx::conv_most_operands, " operands of an epilogue");
        return std::nullopt;
    }
    for (auto i = anchor_inputs; i < p.inputs.size(); i++)
        r.operands[i - anchor_inputs] = steps_of(p.inputs[i]);
    return r;
}

std::string convolution_head(const device_problem& p, const std::string& header) {
    return source_head(header, p.fast_math, {{{p.output.type(), {}}, 0}});
}

std::optional<epilogue_text> convolution_epilogue(const device_problem& p,
                                                  const convolution_desc& d, std::string& reason) {
    epilogue_text t;
    const auto* body = epilogue_of(p);
    if (body == nullptr) {
        t.value = "conv_no_epilogue{}";
        return t;
    }
    try {
        t.definitions = codegen::device_function(*body, "epilogue_of_one") + "\n";
    } catch (const exception& e) {
        reason = e.what();
        return std::nullopt;
    }
    const auto names = sorted_parameters(*body);
    const auto held = [&](std::size_t i) {
        return codegen::held_type(body->get_parameter(names[i])->get_shape().type());
    };
    const auto held_result = codegen::held_type(body->get_output_shapes().front().type());
    std::string members, loads, call = str("epilogue_of_one(static_cast<", held(0), ">(v[i])");
    for (auto i = anchor_inputs; i < p.inputs.size(); i++) {
        const auto& s = p.inputs[i];
        const auto n = i - anchor_inputs;
        const auto type = codegen::stored_type(s.type());
        const auto step = s.lens()[1] == 1 or s.strides()[1] == 0 ? "0"
                          : s.strides()[1] == 1                   ? "1"
                                                                  : "-1";
        members += str("    const ", type, "* p", n, ";\n");
        loads +=
            str("        const vec<", held(n + 1), ", N> a", n, " = conv_operand<", held(n + 1),
                ", ", d.spatial(), ", ", step, ", N>(p", n, ", count, at, p.operands[", n, "]);\n");
        call += str(", a", n, "[i]");
        t.parameters += str(", const ", type, "* e", n);
        t.value += str(n == 0 ? "" : ", ", "e", n);
        t.inputs.push_back(i);
    }
    t.definitions += str("struct epilogue {\n", members,
                         "    template <int N, class A>\n    MGX_DEVICE vec<", held_result,
                         ", N> apply(const A (&v)[N], int count, const conv_place& at,\n"
                         "                                const conv_params& p) const {\n",
                         loads, "        vec<", held_result,
                         ", N> r;\n#pragma unroll\n        for (int i = 0; i < N; i++)\n"
                         "            r[i] = ",
                         call, ");\n        return r;\n    }\n};\n");
    t.value = "epilogue{" + t.value + "}";
    return t;
}

bool multiplies_halves(const device& on) {
    const auto& is = on.properties();
    return is.kind == platform::host or (is.kind == platform::cuda and is.capability >= 80);
}

channels_last_rules layouts() {
    return {"gpu", [](shape::type_t t) {
                return t == shape::float_type or t == shape::half_type or t == shape::bf16_type or
                       t == shape::int8_type;
            }};
}

namespace {

const registered_pass channels_last_registered{"gpu::channels_last",
                                               [] { return channels_last{layouts()}; }};

struct nothing : kernel {
    void run(const kernel_args&) const override {}
    std::string name() const override { return "nothing"; }
};

lowered without_result(const device_problem& p) {
    if (p.output.elements() != 0)
        return lowered::refuse("there is something to compute");
    return std::make_unique<nothing>();
}

// Whether cuDNN is worth asking: to open it and to compile its plans takes long. Seen on an H200
// with cuDNN 9.14, ResNet-50 and MobileNet-V2 at batch 1: its engines for true floats are half as
// fast as the own tiles, those for single channels are no faster than the own kernel, and for sums
// at one position with bounds behind them it compiles what the own product does in half of the
// time. Own tiles of transposed ones compute taps that meet nothing, and columns without an output.
bool may_win(const device_problem& p, const convolution_desc& d) {
    constexpr double large = 1e9, many_channels = 2e7;
    if (p.tune)
        return true;
    if (d.x.type() == shape::float_type and not p.tf32)
        return d.work() >= large or d.transposed;
    if (is_depthwise(d))
        return d.work() >= many_channels;
    if (const auto* body = epilogue_of(p); body != nullptr and is_product(d)) {
        const auto chain = as_post_operations(*body, "x0", true);
        return chain and std::none_of(chain->begin(), chain->end(), [](const auto& op) {
                   return op.algorithm == post_algorithm::clip;
               });
    }
    return true;
}

// What takes the problem and may be the fastest; the first is the guess where nothing is timed.
lowered best_convolution(const device_problem& p) {
    if (p.variant != 0)
        return lowered::refuse("its candidates have the variants");
    std::string reason;
    const auto d = describe_convolution(p, reason);
    if (not d)
        return lowered::refuse(reason);
    std::vector<implementation> list{{"depthwise", depthwise_convolution}};
    if (p.on->properties().kind == platform::host) {
        list.push_back({"library", library_convolution});
        list.push_back({"tiles", implicit_gemm_convolution});
        return fastest(p, list);
    }
    if (is_depthwise(*d))
        list.push_back({"depthwise, wide", of_variant<depthwise_convolution, 3>});
    if (may_win(p, *d))
        list.push_back({"library", library_convolution});
    // Tiles hardly use what they read of single channels.
    if (is_depthwise(*d) and not p.tune)
        if (auto k = fastest(p, list))
            return k;
    if (p.tune) {
        list.push_back({"library, second", of_variant<library_convolution, 2>});
        list.push_back({"library, third", of_variant<library_convolution, 3>});
        list.push_back({"library, fourth", of_variant<library_convolution, 4>});
        list.push_back({"large tiles", of_variant<implicit_gemm_convolution, 1>});
        list.push_back({"small tiles", of_variant<implicit_gemm_convolution, 3>});
    }
    list.push_back({"product", convolution_as_product});
    list.push_back({"tiles", implicit_gemm_convolution});
    list.push_back({"middle tiles", of_variant<implicit_gemm_convolution, 2>});
    return fastest(p, list);
}

const implementations choices{{"convolution", "convolution_backwards", "quant_convolution",
                               "gpu::convolution", "gpu::convolution_backwards",
                               "gpu::quant_convolution"},
                              {{"nothing", without_result},
                               {"fastest", best_convolution},
                               {"depthwise", depthwise_convolution},
                               {"library", library_convolution},
                               {"product", convolution_as_product},
                               {"implicit gemm", implicit_gemm_convolution}}};

} // namespace

} // namespace migraphx::gpu
