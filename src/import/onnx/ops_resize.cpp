// SPDX-License-Identifier: MIT
// Resize and Upsample.
#include <migraphx/make_op.hpp>

#include "import/onnx/importer.hpp"

#include <algorithm>

namespace migraphx::onnx {

namespace {

struct resize_node {
    value options = value::object{};
    std::size_t scales = 0, sizes = 0; ///< which inputs; 0: none
    std::vector<std::size_t> axes;     ///< those that the scales or sizes stand for
    /// Options that only `resample` has; empty where `resize` will do.
    value further = value::object{};
};

void check_word(node_reader& n, const char* name, const std::string& word,
                std::initializer_list<const char*> known) {
    for (const char* k : known)
        if (word == k)
            return;
    n.unsupported(str(name, ": one of ", known, " was expected, got '", word, "'"));
}

resize_node read_attributes(node_reader& n) {
    resize_node r;
    const bool first_form = n.op_type() == "Upsample" or n.opset() < 11;
    const auto mode = n.text("mode", "nearest");
    check_word(n, "mode", mode, {"nearest", "linear", "bilinear", "cubic"});
    r.options["mode"] = mode == "bilinear" ? std::string("linear") : mode;
    const auto transformation =
        n.text("coordinate_transformation_mode", first_form ? "asymmetric" : "half_pixel");
    check_word(n, "coordinate_transformation_mode", transformation,
               {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric",
                "tf_half_pixel_for_nn", "half_pixel_symmetric", "tf_crop_and_resize"});
    r.options["coordinate_transformation_mode"] = transformation;
    const auto nearest = n.text("nearest_mode", first_form ? "floor" : "round_prefer_floor");
    check_word(n, "nearest_mode", nearest,
               {"floor", "ceil", "round_prefer_floor", "round_prefer_ceil"});
    r.options["nearest_mode"] = nearest;
    r.options["cubic_coeff_a"] = n.real("cubic_coeff_a", -0.75f);
    if (transformation == "half_pixel_symmetric" or transformation == "tf_crop_and_resize")
        r.further["extrapolation_value"] = n.real("extrapolation_value", 0);
    for (const char* flag : {"exclude_outside", "antialias"})
        if (n.integer(flag, 0) != 0 and mode != "nearest")
            r.further[flag] = true;
    const auto policy = n.text("keep_aspect_ratio_policy", "stretch");
    check_word(n, "keep_aspect_ratio_policy", policy, {"stretch", "not_larger", "not_smaller"});
    const auto given = n.integers("axes");
    for (auto a : given)
        r.axes.push_back(n.axis(a, n.rank_of(0)));
    if (given.empty())
        for (std::size_t d = 0; d < n.rank_of(0); d++)
            r.axes.push_back(d);
    if (first_form)
        r.scales = 1;
    else {
        const auto given_as = [&](std::size_t i) {
            return n.has(i) and (n.shape_of(i).dynamic() or n.shape_of(i).elements() > 0);
        };
        r.scales = given_as(2) ? 2 : 0;
        r.sizes = given_as(3) ? 3 : 0;
        if ((r.scales == 0) == (r.sizes == 0))
            n.malformed(std::string("either scales or sizes were expected, got ") +
                        (r.scales == 0 ? "neither" : "both"));
        if (policy != "stretch" and r.sizes != 0)
            r.further["keep_aspect_ratio_policy"] = policy;
    }
    return r;
}

template <class T>
void expect_one_for_each(node_reader& n, const std::vector<T>& v, std::size_t axes) {
    if (v.size() != axes)
        n.malformed(
            str("a scale or size for each of ", axes, " axes was expected, got ", v.size()));
}

instructions resize_by_scales(node_reader& n, resize_node& r, const std::vector<float>& scales) {
    expect_one_for_each(n, scales, r.axes.size());
    std::vector<float> all(n.rank_of(0), 1.0f);
    for (std::size_t i = 0; i < scales.size(); i++) {
        if (not(scales[i] > 0))
            n.malformed(str("scales above 0 were expected, got ", scales));
        all[r.axes[i]] = scales[i];
    }
    if (std::all_of(all.begin(), all.end(), [](float s) { return s == 1; }))
        return {n.input(0)};
    r.options["scales"] = all;
    return {n.add(make_op("resize", r.options), {n.input(0)})};
}

instructions resize_to_sizes(node_reader& n, resize_node& r, const std::vector<int64_t>& sizes) {
    expect_one_for_each(n, sizes, r.axes.size());
    for (auto v : sizes)
        if (v < 1)
            n.malformed(str("sizes above 0 were expected, got ", sizes));
    const auto& s = n.shape_of(0);
    const auto lo = s.min_lens(), hi = s.max_lens();
    std::vector<int64_t> all(lo.begin(), lo.end());
    std::vector<bool> stated(all.size(), false);
    for (std::size_t i = 0; i < sizes.size(); i++) {
        all[r.axes[i]] = sizes[i];
        stated[r.axes[i]] = true;
    }
    for (std::size_t d = 0; d < all.size(); d++)
        if (not stated[d] and lo[d] != hi[d])
            return {}; // the input's own size, which a run gives
    r.options["sizes"] = all;
    return {n.add(make_op("resize", r.options), {n.input(0)})};
}

// One number for each dimension: the input's for `axes`, else 1 (scales) or the dimension (sizes).
instruction_ref for_all_axes(node_reader& n, const resize_node& r, instruction_ref v, bool sizes) {
    const auto rank = n.rank_of(0);
    if (r.axes.size() == rank and std::is_sorted(r.axes.begin(), r.axes.end()))
        return v;
    instructions parts;
    for (std::size_t d = 0; d < rank; d++) {
        const auto at = std::find(r.axes.begin(), r.axes.end(), d) - r.axes.begin();
        if (at < std::ptrdiff_t(r.axes.size()))
            parts.push_back(n.add(make_op("slice", {{"axes", {0}},
                                                    {"starts", std::vector<int64_t>{at}},
                                                    {"ends", std::vector<int64_t>{at + 1}}}),
                                  {v}));
        else if (sizes)
            parts.push_back(
                n.add(make_op("dimensions_of", {{"start", d}, {"end", d + 1}}), {n.input(0)}));
        else
            parts.push_back(
                n.literal(migraphx::literal{shape{shape::float_type, {1}}, std::vector<float>{1}}));
    }
    return n.add(make_op("concat", {{"axis", 0}}), parts);
}

instructions read_resample(node_reader& n, const resize_node& r) {
    value options = r.options;
    for (const auto& option : r.further)
        options[option.get_key()] = option.without_key();
    options["axes"] = r.axes;
    instructions in{n.input(0), r.sizes != 0 ? n.convert(n.input(r.sizes), shape::int64_type)
                                             : n.convert(n.input(r.scales), shape::float_type)};
    if (r.options.at("coordinate_transformation_mode").to<std::string>() == "tf_crop_and_resize")
        in.push_back(n.convert(n.input(1), shape::float_type));
    return {n.add(make_op_from_value("resample", options), in)};
}

instructions read_resize(node_reader& n) {
    auto r = read_attributes(n);
    if (not r.further.empty())
        return read_resample(n, r);
    if (n.op_type() == "Upsample" and n.has_attribute("scales"))
        return resize_by_scales(n, r, n.reals("scales"));
    if (n.op_type() == "Upsample" and n.has_attribute("height_scale"))
        return resize_by_scales(n, r, {1, 1, n.real("height_scale", 1), n.real("width_scale", 1)});
    if (r.scales != 0) {
        if (const auto scales = n.constant_floats(r.scales))
            return resize_by_scales(n, r, *scales);
        const auto v = for_all_axes(n, r, n.convert(n.input(r.scales), shape::float_type), false);
        return {n.add(make_op("resize", r.options), {n.input(0), v})};
    }
    if (const auto sizes = n.constant_ints(r.sizes))
        if (auto y = resize_to_sizes(n, r, *sizes); not y.empty())
            return y;
    const auto v = for_all_axes(n, r, n.convert(n.input(r.sizes), shape::int64_type), true);
    return {n.add(make_op("resize", r.options), {n.input(0), v})};
}

const operators resize_operators{{"Resize", read_resize}, {"Upsample", read_resize}};

} // namespace

} // namespace migraphx::onnx
