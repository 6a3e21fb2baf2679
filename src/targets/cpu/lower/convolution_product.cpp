// SPDX-License-Identifier: MIT
#include "targets/cpu/kernels/dispatch/run_small_gemm.hpp"
#include "targets/cpu/lower/convolution.hpp"
#include "targets/cpu/lower/operands.hpp"
#include "targets/cpu/post_ops.hpp"

#include "base/str.hpp"

#include <algorithm>
#include <cstring>

namespace migraphx::cpu {

namespace {

// An operand of the epilogue by rows (positions of all images) and channels; false when it is
// neither packed channels last nor broadcast over the positions.
bool rows_operand(const shape& s, const shape& out, int64_t rows, int64_t channels,
                  dnnl::memory::desc& desc) {
    const auto strides = strides_of(s);
    const bool has_channel = out.lens()[1] != 1 and strides[1] != 0;
    if (has_channel and strides[1] != 1)
        return false;
    bool constant = true;
    for (std::size_t d = 0; d < strides.size(); d++)
        constant = constant and (d == 1 or strides[d] == 0);
    if (constant)
        desc = dnnl_desc(s.type(), {1, has_channel ? channels : 1}, {channels, 1});
    else if (has_channel and dnnl_image_desc(s, image_order::channels_last))
        desc = dnnl_desc(s.type(), {rows, channels}, {channels, 1});
    else
        return false;
    return true;
}

// Weights O, I, k… as a matrix of k…, I rows and O columns.
argument weight_matrix(const argument& w) {
    const auto& s = w.get_shape();
    sizes lens{int64_t(s.lens()[0])}, from{int64_t(s.strides()[0])};
    const auto k = elements_between(s, 1, s.ndim());
    sizes to{1};
    for (std::size_t d = 2; d < s.ndim(); d++) {
        lens.push_back(int64_t(s.lens()[d]));
        from.push_back(int64_t(s.strides()[d]));
    }
    lens.push_back(int64_t(s.lens()[1]));
    from.push_back(int64_t(s.strides()[1]));
    to.resize(lens.size());
    int64_t step = lens[0];
    for (std::size_t i = lens.size(); i-- > 1;) {
        to[i] = step;
        step *= lens[i];
    }
    to[0] = 1;
    auto matrix = argument::uninitialized(shape{s.type(), {std::size_t(k), s.lens()[0]}});
    if (const auto c = strided_copy::make(s.type_size(), lens, from, to))
        c->run(w.data(), matrix.data());
    return matrix;
}

struct window_product : kernel {
    std::optional<strided_copy> padded, rows;
    std::size_t padded_at = 0, padded_bytes = 0, inside = 0, rows_at = 0, library_at = 0,
                scratch = 0;
    small_gemm_params small{};
    std::shared_ptr<const packed_weight> panels;
    std::optional<std::size_t> bias;
    std::unique_ptr<dnnl_kernel> library; // reads the rows as input 0

    void run(const kernel_args& args) const override {
        char* from = args.inputs[0];
        if (padded) {
            char* to = args.scratch + padded_at;
            std::memset(to, 0, padded_bytes);
            padded->run(from, to + inside);
            from = to;
        }
        if (rows) {
            rows->run(from, args.scratch + rows_at);
            from = args.scratch + rows_at;
        }
        if (library == nullptr) {
            auto q = small;
            q.a = reinterpret_cast<const float*>(from);
            q.b = reinterpret_cast<const float*>(panels->data.get());
            q.c = reinterpret_cast<float*>(args.outputs[0]);
            q.bias = bias ? reinterpret_cast<const float*>(args.inputs[*bias]) : nullptr;
            run_packed_gemm(q);
            return;
        }
        std::vector<char*> inputs(args.inputs, args.inputs + operand_count);
        inputs[0] = from;
        library->run({inputs.data(), args.outputs, args.scratch + library_at});
    }
    std::string name() const override {
        return library == nullptr ? "windows packed_gemm" : "windows " + library->name();
    }
    std::size_t scratch_bytes() const override { return scratch; }
    bool reads_input(std::size_t i) const override { return i != 1; }
    void add_constants(held_constants& held) const override {
        if (library == nullptr)
            panels->add_to(held);
        else
            library->add_constants(held);
    }
    std::size_t operand_count = 0;
};

// Where windows start and how their elements follow each other, channels last.
struct window_walk {
    sizes lens, from; ///< N, positions…, taps…, C and their steps in elements
    bool in_place = false;
    int64_t row_step = 0;
};

window_walk walk_of(const sizes& image, const sizes& positions, int64_t images, int64_t channels,
                    const convolution_window& w) {
    window_walk r;
    const auto spatial = image.size();
    sizes steps(spatial);
    int64_t step = channels;
    for (std::size_t i = spatial; i-- > 0;) {
        steps[i] = step;
        step *= image[i];
    }
    r.lens = {images};
    r.from = {step};
    for (std::size_t i = 0; i < spatial; i++) {
        r.lens.push_back(positions[i]);
        r.from.push_back(steps[i] * w.stride[i]);
    }
    for (std::size_t i = 0; i < spatial; i++) {
        r.lens.push_back(w.kernel[i]);
        r.from.push_back(steps[i] * (w.dilation[i] + 1));
    }
    r.lens.push_back(channels);
    r.from.push_back(1);
    // One axis of positions, and elements of a window side by side: rows of a matrix as they are.
    std::size_t moving = 0;
    for (std::size_t i = 0; i <= spatial; i++)
        if (r.lens[i] != 1) {
            moving++;
            r.row_step = r.from[i];
        }
    int64_t next = 1;
    bool dense = true;
    for (std::size_t i = r.lens.size(); i-- > spatial + 1;) {
        dense = dense and (r.lens[i] == 1 or r.from[i] == next);
        next *= r.lens[i];
    }
    r.in_place = moving <= 1 and dense;
    return r;
}

} // namespace

lowered convolution_as_product(const problem& p) {
    const auto &x = p.inputs[0], &y = p.output;
    if (x.type() != shape::float_type or y.type() != shape::float_type)
        return lowered::refuse("only float, got " + x.type_string());
    if (p.op.get<int64_t>("group") != 1)
        return lowered::refuse("groups");
    if (not p.is_constant(1))
        return lowered::refuse("weights that are not constant");
    if (x.elements() == 0 or y.elements() == 0 or p.inputs[1].elements() == 0 or x.ndim() < 3)
        return lowered::refuse("nothing to compute");
    if (not dnnl_image_desc(y, image_order::channels_last))
        return lowered::refuse("a result that is not channels last");
    const auto w = window_of(p);
    const auto spatial = x.ndim() - 2;
    const auto images = int64_t(x.lens()[0]), channels = int64_t(x.lens()[1]),
               out_channels = int64_t(y.lens()[1]);
    const auto k = elements_between(p.inputs[1], 1, x.ndim());
    const auto m = int64_t(y.elements()) / out_channels;
    auto kernel = std::make_unique<window_product>();
    kernel->operand_count = p.inputs.size();
    scratch_layout scratch;
    sizes image, positions;
    bool pads = false;
    for (std::size_t i = 0; i < spatial; i++) {
        image.push_back(int64_t(x.lens()[i + 2]) + w.before[i] + w.after[i]);
        positions.push_back(int64_t(y.lens()[i + 2]));
        pads = pads or w.before[i] != 0 or w.after[i] != 0;
        if (w.before[i] < 0 or w.after[i] < 0)
            return lowered::refuse("negative padding");
    }
    if (pads or not dnnl_image_desc(x, image_order::channels_last)) {
        // N, spatial…, C
        sizes lens{images}, from{strides_of(x)[0]}, to{0};
        std::vector<int64_t> steps(spatial);
        int64_t step = channels, first = 0;
        for (std::size_t i = spatial; i-- > 0;) {
            steps[i] = step;
            first += w.before[i] * step;
            step *= image[i];
        }
        to[0] = step;
        for (std::size_t i = 0; i < spatial; i++) {
            lens.push_back(int64_t(x.lens()[i + 2]));
            from.push_back(strides_of(x)[i + 2]);
            to.push_back(steps[i]);
        }
        lens.push_back(channels);
        from.push_back(strides_of(x)[1]);
        to.push_back(1);
        kernel->padded = strided_copy::make(sizeof(float), lens, from, to);
        kernel->padded_bytes = std::size_t(images * step) * sizeof(float);
        kernel->padded_at = scratch.take(kernel->padded_bytes);
        kernel->inside = std::size_t(first) * sizeof(float);
    }
    constexpr int64_t few_rows = 16;
    auto epilogue = make_epilogue(p, 2, 1);
    if (not epilogue.epilogue)
        return lowered::refuse(epilogue.reason);
    auto& e = *epilogue.epilogue;
    const bool small = m <= few_rows and e.attr.get_post_ops().len() == 0;
    const auto walk = walk_of(image, positions, images, channels, w);
    int64_t row = walk.row_step;
    if (not walk.in_place or not small) {
        if (std::size_t(m * k) * sizeof(float) > (std::size_t{1} << 28))
            return lowered::refuse("windows of more than 256 MiB");
        kernel->rows =
            strided_copy::make(sizeof(float), walk.lens, walk.from, row_major_strides(walk.lens));
        kernel->rows_at = scratch.take(std::size_t(m * k) * sizeof(float));
        row = k;
        if (not kernel->rows)
            return lowered::refuse("more than 8 axes");
    }
    const auto matrix = weight_matrix(p.constants[1]);
    if (small) {
        auto& q = kernel->small;
        q.m = m;
        q.n = out_channels;
        q.k = k;
        q.a_row = row;
        q.a_k = 1;
        q.b_k = out_channels;
        q.b_n = 1;
        q.c_row = out_channels;
        kernel->panels = p.weights->get(matrix, str("panels ", kernels().small_gemm.panel(m)), [&] {
            auto packed = allocate_weight(std::size_t(packed_gemm_size(q)) * sizeof(float));
            auto with_b = q;
            with_b.b = reinterpret_cast<const float*>(matrix.data());
            pack_gemm(with_b, reinterpret_cast<float*>(packed.data.get()));
            return packed;
        });
        kernel->bias = e.bias;
        kernel->scratch = scratch.bytes();
        return kernel;
    }
    // Operands of the epilogue by rows.
    dnnl::post_ops flat;
    const auto ops = e.attr.get_post_ops();
    std::size_t binary = 0;
    for (int i = 0; i < ops.len(); i++) {
        dnnl::algorithm algorithm;
        if (ops.kind(i) == dnnl::primitive::kind::eltwise) {
            float alpha, beta;
            ops.get_params_eltwise(i, algorithm, alpha, beta);
            flat.append_eltwise(algorithm, alpha, beta);
            continue;
        }
        dnnl::memory::desc old;
        ops.get_params_binary(i, algorithm, old);
        auto& o = e.operands.at(binary++);
        if (not rows_operand(p.inputs[o.index], y, m, out_channels, o.desc))
            return lowered::refuse("an operand of the epilogue in another order");
        flat.append_binary(algorithm, o.desc);
    }
    e.attr.set_post_ops(flat);
    try {
        using place = dnnl_kernel::operand::place;
        const auto a = dnnl_desc(shape::float_type, {m, k}, {k, 1});
        const auto b = dnnl_desc(shape::float_type, {k, out_channels}, {out_channels, 1});
        const auto c = dnnl_desc(shape::float_type, {m, out_channels}, {out_channels, 1});
        const auto any =
            dnnl::memory::desc(b.get_dims(), b.get_data_type(), dnnl::memory::format_tag::any);
        const auto one = dnnl_desc(shape::float_type, {1, out_channels}, {out_channels, 1});
        const auto pd = e.bias ? dnnl::matmul::primitive_desc(dnnl_engine(), a, any, one, c, e.attr)
                               : dnnl::matmul::primitive_desc(dnnl_engine(), a, any, c, e.attr);
        std::vector<dnnl_kernel::operand> operands{{DNNL_ARG_SRC, a, place::input, 0}};
        operands.push_back({DNNL_ARG_WEIGHTS, pd.weights_desc(), place::constant, 0,
                            pack_weight(*p.weights, matrix, b, pd.weights_desc())});
        if (e.bias)
            operands.push_back({DNNL_ARG_BIAS, one, place::input, *e.bias});
        operands.push_back({DNNL_ARG_DST, c, place::output, 0});
        operands.insert(operands.end(), e.operands.begin(), e.operands.end());
        kernel->library = std::make_unique<dnnl_kernel>(str("dnnl::matmul ", pd.impl_info_str()),
                                                        dnnl::primitive(pd), pd.scratchpad_desc(),
                                                        std::move(operands));
    } catch (const dnnl::error& error) {
        return lowered::refuse(str("oneDNN: ", error.what()));
    }
    kernel->library_at = scratch.take(kernel->library->scratch_bytes());
    kernel->scratch = scratch.bytes();
    return kernel;
}

} // namespace migraphx::cpu
