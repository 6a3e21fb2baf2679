// SPDX-License-Identifier: MIT
// roialign, roi_max_pool, deformable_convolution: device_code/regions.cuh.
#include "targets/gpu/lower/walk.hpp"

#include <migraphx/op/common.hpp>

#include "base/str.hpp"
#include "ops/window.hpp"

namespace migraphx::gpu {

namespace {

sizes marker(std::size_t rank, std::size_t axis) {
    sizes s(rank, 0);
    s[axis] = 1;
    return s;
}

sizes only(const shape& s, std::size_t rank, std::size_t axis, std::size_t at) {
    sizes result(rank, 0);
    result[at] = strides_of(s)[axis];
    return result;
}

bool reaches_far(const shape& s) {
    return box{lens_of(s), {strides_of(s)}}.is_large();
}

generated finish(const device_problem& p, const char* entry, const std::string& parameters,
                 const std::string& body, const index_params& params, int64_t n) {
    generated g;
    g.name = p.op.name();
    g.entry = entry;
    g.source = entry_text("regions.cuh", entry, parameters, body);
    g.params = params.data();
    g.launch = launch_for(*p.on, n);
    return g;
}

void add_image(index_params& params, const shape& x) {
    const auto s = strides_of(x);
    for (auto v :
         {int64_t(x.lens()[0]), int64_t(x.lens()[2]), int64_t(x.lens()[3]), s[0], s[2], s[3]})
        params.add(v);
}

lowered roialign(const device_problem& p) {
    const auto &x = p.inputs[0], &rois = p.inputs[1], &batch = p.inputs[2], &out = p.output;
    const auto type = device_type(x.type());
    if (type.empty() or index_type(batch.type()).empty())
        return lowered::refuse("type " + x.type_string() + " or " + batch.type_string());
    const auto mode = op::pooling_mode(p.op.get<int>("mode"));
    box b{lens_of(out),
          {strides_of(out), only(x, 4, 1, 1), only(rois, 4, 0, 0), only(batch, 4, 0, 0),
           marker(4, 2), marker(4, 3)}};
    b.simplify();
    index_params params{b.is_large() or reaches_far(x)};
    params.add(b);
    add_image(params, x);
    for (auto v : {strides_of(rois)[1], b.elements(), int64_t(out.lens()[2]),
                   int64_t(out.lens()[3]), p.op.get<int64_t>("sampling_ratio")})
        params.add(v);
    params.add_float(p.op.get<float>("spatial_scale"));
    const bool half = p.op.get<std::string>("coordinate_transformation_mode") == "half_pixel";
    params.add_float(half ? 0.5f : 0.0f);
    return make_generated(
        p, finish(p, "roialign",
                  str("const ", type, "* x, const ", type, "* rois, const ",
                      index_type(batch.type()), "* batch, ", type, "* y, const roialign_params<",
                      b.rank(), ", ", params.type(), "> p"),
                  str("roialign_elements<", mode == op::pooling_mode::average ? "true" : "false",
                      ">(y, x, rois, batch, p);"),
                  params, b.elements()));
}

lowered roi_max_pool(const device_problem& p) {
    const auto &x = p.inputs[0], &rois = p.inputs[1], &out = p.output;
    const auto type = device_type(x.type());
    if (type.empty())
        return lowered::refuse("type " + x.type_string());
    box b{lens_of(out),
          {strides_of(out), only(x, 4, 1, 1), only(rois, 4, 0, 0), marker(4, 2), marker(4, 3)}};
    b.simplify();
    index_params params{b.is_large() or reaches_far(x)};
    params.add(b);
    add_image(params, x);
    for (auto v :
         {strides_of(rois)[1], b.elements(), int64_t(out.lens()[2]), int64_t(out.lens()[3])})
        params.add(v);
    params.add_float(p.op.get<float>("spatial_scale"));
    return make_generated(
        p, finish(p, "roi_pool",
                  str("const ", type, "* x, const ", type, "* rois, ", type,
                      "* y, const roi_pool_params<", b.rank(), ", ", params.type(), "> p"),
                  "roi_pool_elements(y, x, rois, p);", params, b.elements()));
}

lowered deformable(const device_problem& p) {
    const auto &x = p.inputs[0], &w = p.inputs[1], &offsets = p.inputs[2], &out = p.output;
    const auto type = device_type(x.type());
    if (type.empty())
        return lowered::refuse("type " + x.type_string());
    const bool masked = p.inputs.size() == 4;
    const auto rank = out.ndim(), spatial = rank - 2;
    if (spatial > 4)
        return lowered::refuse("more than 4 spatial axes");
    const auto group = p.op.get<int64_t>("group"), shared = p.op.get<int64_t>("offset_group");
    const auto windows = make_windows(
        {w.lens().begin() + 2, w.lens().end()}, p.op.get_vector<std::size_t>("padding"),
        p.op.get_vector<std::size_t>("stride"), p.op.get_vector<std::size_t>("dilation"),
        op::padding_mode_t(p.op.get<int>("padding_mode")), "kernel");
    // The image and the place of the offsets and of the mask.
    const auto placed = [&](const shape& s) {
        auto strides = strides_of(s);
        strides[1] = 0;
        return strides;
    };
    box b{lens_of(out),
          {strides_of(out), only(x, rank, 0, 0), only(w, rank, 0, 1), placed(offsets),
           masked ? placed(p.inputs[3]) : sizes(rank, 0), marker(rank, 1)}};
    for (std::size_t d = 0; d < spatial; d++)
        b.strides.push_back(marker(rank, d + 2));
    b.simplify();
    index_params params{b.is_large() or reaches_far(x) or reaches_far(w) or reaches_far(offsets)};
    params.add(b);
    const auto xs = strides_of(x), ws = strides_of(w), os = strides_of(offsets);
    int64_t taps = 1;
    for (std::size_t d = 0; d < spatial; d++) {
        const auto& v = windows[d];
        const auto len = x.lens()[d + 2];
        for (auto n : {int64_t(v.stride), int64_t(v.dilation), int64_t(v.padding(len).first),
                       int64_t(len), int64_t(v.kernel), xs[d + 2], ws[d + 2], os[d + 2]})
            params.add(n);
        taps *= int64_t(v.kernel);
    }
    for (auto n : {int64_t(w.lens()[1]), int64_t(w.lens()[0]) / group, xs[1], ws[1], os[1],
                   masked ? strides_of(p.inputs[3])[1] : 0, int64_t(x.lens()[1]) / shared, taps,
                   b.elements()})
        params.add(n);
    return make_generated(
        p, finish(p, "deformable",
                  str("const ", type, "* x, const ", type, "* weights, const ", type, "* offsets, ",
                      masked ? str("const ", type, "* mask, ") : "", type,
                      "* y, const deformable_params<", b.rank(), ", ", spatial, ", ", params.type(),
                      "> p"),
                  str("deformable_elements(y, x, weights, offsets, ",
                      masked ? std::string("mask") : str("static_cast<const ", type, "*>(nullptr)"),
                      ", p);"),
                  params, b.elements()));
}

const implementations roialign_choices{{"roialign"}, {{"samples", roialign}}};
const implementations roi_pool_choices{{"roi_max_pool"}, {{"bins", roi_max_pool}}};
const implementations deformable_choices{{"deformable_convolution"}, {{"direct", deformable}}};

} // namespace

} // namespace migraphx::gpu
