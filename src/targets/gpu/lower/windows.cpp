// SPDX-License-Identifier: MIT
// im2col, col2im, max_unpool, lrn: device_code/windows.cuh.
#include "targets/gpu/lower/copy.hpp"

#include "base/str.hpp"
#include "ops/shape_input.hpp"
#include "ops/window.hpp"

#include <algorithm>

namespace migraphx::gpu {

namespace {

// The unsigned type of so many bytes.
std::string element_type(const shape& s) {
    return str("u", 8 * s.type_size());
}

sizes marker(std::size_t rank, std::size_t axis, int64_t step = 1) {
    sizes s(rank, 0);
    s[axis] = step;
    return s;
}

void add_axis(index_params& params, const window& w, std::size_t length, int64_t places,
              int64_t step) {
    for (auto x :
         {int64_t(w.stride), int64_t(w.dilation), int64_t(w.padding(length).first), places, step})
        params.add(x);
}

lowered im2col(const device_problem& p) {
    const auto &x = p.inputs[0], &out = p.output;
    if (not is_movable(out))
        return lowered::refuse("elements that are not of 1, 2, 4 or 8 bytes");
    const auto& k = p.inputs[1].lens();
    const auto w = make_windows({k[2], k[3]}, p.op.get_vector<std::size_t>("padding"),
                                p.op.get_vector<std::size_t>("stride"),
                                p.op.get_vector<std::size_t>("dilation"),
                                op::padding_mode_t(p.op.get<int>("padding_mode")), "kernel");
    // The result's two dimensions, as places (H, W), channels and taps (H, W).
    const auto in = strides_of(x), to = strides_of(out);
    const auto columns = int64_t(w[1].positions(x.lens()[3]));
    box b{{columns == 0 ? 0 : int64_t(out.lens()[0]) / columns, columns, int64_t(x.lens()[1]),
           int64_t(k[2]), int64_t(k[3])},
          {{columns * to[0], to[0], int64_t(k[2] * k[3]) * to[1], int64_t(k[3]) * to[1], to[1]},
           {0, 0, in[1], 0, 0},
           marker(5, 0),
           marker(5, 1),
           marker(5, 3),
           marker(5, 4)}};
    b.simplify();
    index_params params{b.is_large() or box{lens_of(x), {in}}.is_large()};
    params.add(b);
    for (std::size_t d = 0; d < 2; d++)
        add_axis(params, w[d], x.lens()[d + 2], int64_t(x.lens()[d + 2]), in[d + 2]);
    params.add(b.elements());
    generated g;
    g.name = g.entry = "im2col";
    const auto type = element_type(out);
    g.source = entry_text("windows.cuh", g.entry,
                          str("const ", type, "* x, ", type, "* y, const im2col_params<", b.rank(),
                              ", 2, ", params.type(), "> p"),
                          "im2col_elements(y, x, p);");
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    g.inputs = {0};
    return one_launch(p, std::move(g));
}

lowered col2im(const device_problem& p) {
    const auto &x = p.inputs[0], &out = p.output;
    const auto type = device_type(x.type());
    if (type.empty())
        return lowered::refuse("type " + x.type_string());
    const auto spatial = out.ndim() - 2;
    auto block = p.op.get_vector<std::size_t>("block");
    if (p.inputs.size() == 3) {
        if (not p.is_constant(2))
            return lowered::refuse("blocks that are not constant");
        block = read_sizes(p.constants[2], "block");
    }
    const auto filled = [&](const char* name, std::size_t one) {
        auto v = p.op.get_vector<std::size_t>(name);
        return v.empty() ? std::vector<std::size_t>(spatial, one) : v;
    };
    const auto w = make_windows(block, filled("padding", 0), filled("stride", 1),
                                filled("dilation", 1), op::default_, "block");
    int64_t taps = 1;
    for (auto k : block)
        taps *= int64_t(k);
    const auto in = strides_of(x);
    auto rows = sizes(out.ndim(), 0);
    rows[0] = in[0];
    rows[1] = in[1] * taps;
    box b{lens_of(out), {strides_of(out), rows}};
    sizes tap_lens, tap_steps, place_steps, places;
    for (std::size_t d = 0; d < spatial; d++) {
        b.strides.push_back(marker(out.ndim(), d + 2));
        tap_lens.push_back(int64_t(block[d]));
        places.push_back(int64_t(w[d].positions(out.lens()[d + 2])));
    }
    for (auto s : row_major_strides(tap_lens))
        tap_steps.push_back(s * in[1]);
    for (auto s : row_major_strides(places))
        place_steps.push_back(s * in[2]);
    b.simplify();
    index_params params{b.is_large() or box{lens_of(x), {in}}.is_large()};
    params.add(b);
    for (std::size_t d = 0; d < spatial; d++)
        add_axis(params, w[d], out.lens()[d + 2], places[d], 0);
    for (const auto& list : {tap_lens, tap_steps, place_steps})
        params.add(list);
    params.add(b.elements());
    generated g;
    g.name = g.entry = "col2im";
    g.source = entry_text("windows.cuh", g.entry,
                          str("const ", type, "* x, ", type, "* y, const col2im_params<", b.rank(),
                              ", ", spatial, ", ", params.type(), "> p"),
                          "col2im_elements(y, x, p);");
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    g.inputs = {0};
    return one_launch(p, std::move(g));
}

// Along each spatial axis: what the windows cover.
sizes covered(const device_problem& p) {
    const auto lengths = p.op.get_vector<int64_t>("lengths"),
               stride = p.op.get_vector<int64_t>("stride"),
               padding = p.op.get_vector<int64_t>("padding");
    auto lens = lens_of(p.inputs[0]);
    for (std::size_t d = 2; d < lens.size(); d++) {
        const auto i = d - 2;
        const auto cut = padding[i] + padding[lengths.size() + i];
        lens[d] =
            lens[d] == 0 ? 0 : std::max<int64_t>(0, (lens[d] - 1) * stride[i] + lengths[i] - cut);
    }
    return lens;
}

lowered max_unpool(const device_problem& p) {
    const auto &x = p.inputs[0], &index = p.inputs[1], &out = p.output;
    if (not is_movable(out))
        return lowered::refuse("elements that are not of 1, 2, 4 or 8 bytes");
    if (index_type(index.type()).empty())
        return lowered::refuse("indices of type " + index.type_string());
    const auto from = covered(p);
    const auto count = product_of(from);
    if (x.elements() >= std::size_t{1} << 31)
        return lowered::refuse("more than 2^31 elements");
    box b{lens_of(x), {strides_of(x), strides_of(index), row_major_strides(lens_of(x))}};
    b.simplify();
    index_params params{b.is_large() or box{from, {row_major_strides(from)}}.is_large() or
                        box{lens_of(out), {strides_of(out)}}.is_large()};
    params.add(b);
    for (auto n : from)
        params.add_divider(n);
    params.add(lens_of(out));
    params.add(strides_of(out));
    params.add(count);
    params.add(b.elements());
    const auto scratch = std::size_t(std::max<int64_t>(count, 1)) * 4;
    std::vector<generated> launches;
    launches.push_back(
        fill_box(*p.on, {lens_of(out), {strides_of(out)}}, std::vector<char>(out.type_size())));
    launches.push_back(fill_scratch(*p.on, count, scratch));
    const auto type = element_type(out);
    const auto add = [&](const char* entry, const std::string& body) {
        generated g;
        g.name = "max_unpool";
        g.entry = entry;
        g.source = entry_text("windows.cuh", g.entry,
                              str("const ", type, "* x, const ", index_type(index.type()),
                                  "* index, ", type, "* y, u32* winner, const unpool_params<",
                                  b.rank(), ", ", out.ndim(), ", ", params.type(), "> p"),
                              body);
        g.params = params.data();
        g.launch = launch_for(*p.on, b.elements());
        g.inputs = {0, 1};
        g.scratch = scratch;
        launches.push_back(std::move(g));
    };
    add("last", "note_last(index, winner, p);");
    add("unpool", "unpool_elements(y, x, index, winner, p);");
    return make_generated(p, std::move(launches));
}

lowered lrn(const device_problem& p) {
    const auto &x = p.inputs[0], &out = p.output;
    const auto type = device_type(x.type());
    if (type.empty())
        return lowered::refuse("type " + x.type_string());
    const auto size = p.op.get<int64_t>("size");
    box b{lens_of(out), {strides_of(out), strides_of(x), marker(out.ndim(), 1)}};
    b.simplify();
    index_params params{b.is_large()};
    params.add(b);
    for (auto v : {int64_t(x.lens()[1]), strides_of(x)[1], (size - 1) / 2, size / 2, b.elements()})
        params.add(v);
    params.add_float(p.op.get<float>("bias"));
    params.add_float(float(double(p.op.get<float>("alpha")) / double(size)));
    params.add_float(p.op.get<float>("beta"));
    generated g;
    g.name = g.entry = "lrn";
    g.source = entry_text("windows.cuh", g.entry,
                          str("const ", type, "* x, ", type, "* y, const lrn_params<", b.rank(),
                              ", ", params.type(), "> p"),
                          "lrn_elements(y, x, p);");
    g.params = params.data();
    g.launch = launch_for(*p.on, b.elements());
    return one_launch(p, std::move(g));
}

const implementations im2col_choices{{"im2col"}, {{"rows", im2col}}};
const implementations col2im_choices{{"col2im"}, {{"sums", col2im}}};
const implementations unpool_choices{{"max_unpool"}, {{"unpool", max_unpool}}};
const implementations lrn_choices{{"lrn"}, {{"lrn", lrn}}};

} // namespace

} // namespace migraphx::gpu
