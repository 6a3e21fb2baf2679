// SPDX-License-Identifier: MIT
// det, inverse, dft: device_code/matrices.cuh.
#include "targets/gpu/lower/walk.hpp"

#include "base/str.hpp"
#include "ops/shape_input.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace migraphx::gpu {

namespace {

lowered each_matrix(const device_problem& p, bool inverts) {
    const auto &x = p.inputs[0], &out = p.output;
    const auto type = device_type(x.type());
    if (type.empty())
        return lowered::refuse("type " + x.type_string());
    const auto in = strides_of(x);
    const auto outer = std::ptrdiff_t(x.ndim() - 2);
    const auto lens = lens_of(x);
    const auto size = lens.back();
    const auto to = strides_of(out);
    box b{sizes(lens.begin(), lens.begin() + outer),
          {sizes(std::size_t(outer), 0), sizes(in.begin(), in.begin() + outer)}};
    for (std::size_t d = 0; d < std::size_t(outer); d++)
        b.strides[0][d] = out.elements() > 1 ? to[d] : 0;
    b.simplify();
    const auto count = b.elements();
    index_params params{b.is_large() or box{lens, {in}}.is_large()};
    params.add(b);
    params.add(size);
    for (int side = 0; side < 2; side++)
        params.add(inverts ? to[std::size_t(outer + side)] : 0);
    for (int side = 0; side < 2; side++)
        params.add(in[std::size_t(outer + side)]);
    params.add(count);
    const auto blocks = std::min<int64_t>(
        count, std::clamp<int64_t>((int64_t{1} << 27) / std::max<int64_t>(1, size * size), 1,
                                   int64_t{8} * std::max(1, p.on->properties().multiprocessors)));
    generated g;
    g.name = p.op.name();
    g.entry = "matrices";
    g.source = entry_text("matrices.cuh", g.entry,
                          str("const ", type, "* x, ", type, "* y, f64* work, const matrix_params<",
                              b.rank(), ", ", params.type(), "> p"),
                          inverts ? "inverses(y, x, work, p);" : "determinants(y, x, work, p);");
    g.params = params.data();
    g.scratch = std::size_t(
        std::max<int64_t>(8 * blocks * (inverts ? 2 * size * size + size : size * size), 8));
    g.launch = {{uint32_t(blocks)}, {block_size}};
    return make_generated(p, std::move(g));
}

lowered det(const device_problem& p) {
    return each_matrix(p, false);
}
lowered inverse(const device_problem& p) {
    if (p.inputs[0].elements() == 0)
        return lowered::refuse("nothing to invert");
    return each_matrix(p, true);
}

template <class T>
std::vector<char> roots_of_one(int64_t n) {
    std::vector<T> roots(std::size_t(2 * n));
    for (int64_t k = 0; k < n; k++) {
        const double angle = -2 * std::numbers::pi * double(k) / double(n);
        roots[std::size_t(k)] = T(std::cos(angle));
        roots[std::size_t(n + k)] = T(std::sin(angle));
    }
    const auto* bytes = reinterpret_cast<const char*>(roots.data());
    return {bytes, bytes + roots.size() * sizeof(T)};
}

lowered dft(const device_problem& p) {
    const auto &x = p.inputs[0], &out = p.output;
    const auto type = device_type(x.type());
    if (type.empty())
        return lowered::refuse("type " + x.type_string());
    for (std::size_t i = 1; i < p.inputs.size(); i++)
        if (not is_absent(p.inputs, i) and not p.is_constant(i))
            return lowered::refuse("a length or an axis that is not constant");
    const auto rank = x.ndim();
    auto axis = p.op.get<int64_t>("axis");
    if (not is_absent(p.inputs, 2))
        axis = read_integers(p.constants[2]).at(0);
    const auto at = std::size_t(axis < 0 ? axis + int64_t(rank) : axis);
    const bool inverse = p.op.get<bool>("inverse"), onesided = p.op.get<bool>("onesided");
    const bool mirrored = inverse and onesided;
    const auto there = int64_t(x.lens()[at]);
    auto length = mirrored ? 2 * (std::max<int64_t>(there, 1) - 1) : there;
    if (not is_absent(p.inputs, 1))
        length = read_integers(p.constants[1]).at(0);
    else if (not p.op.attribute("length").is_null())
        length = p.op.get<int64_t>("length");
    const auto given = std::min(there, mirrored ? length / 2 + 1 : length);
    // A sum for each frequency: beyond this its n log n algorithms on the host are faster.
    if (double(out.elements()) * double(given) > 0x1p38 or length > int64_t{1} << 22)
        return lowered::refuse("a long transform");
    auto lens = lens_of(out);
    const auto to = strides_of(out), in = strides_of(x);
    lens.back() = 1;
    auto rest = in;
    rest[at] = 0;
    sizes frequency(rank, 0);
    frequency[at] = 1;
    box b{lens, {to, rest, frequency}};
    b.simplify();
    index_params params{b.is_large() or box{lens_of(x), {in}}.is_large()};
    params.add(b);
    for (auto v :
         {length, given, in[at], int64_t(x.strides().back()), int64_t(out.strides().back()),
          int64_t(x.lens().back()), int64_t(out.lens().back()), b.elements()})
        params.add(v);
    const bool wide = x.type() == shape::double_type;
    const auto flag = [](bool f) { return f ? "true" : "false"; };
    generated g;
    g.name = g.entry = "dft";
    g.source =
        entry_text("matrices.cuh", g.entry,
                   str("const ", type, "* x, ", type, "* y, const ", wide ? "f64" : "f32",
                       "* roots, const fourier_params<", b.rank(), ", ", params.type(), "> p"),
                   str("fourier_sums<", flag(inverse), ", ", flag(mirrored), ">(y, x, roots, p);"));
    g.params = params.data();
    g.table = wide ? roots_of_one<double>(std::max<int64_t>(length, 1))
                   : roots_of_one<float>(std::max<int64_t>(length, 1));
    g.inputs = {0};
    g.launch = launch_for(*p.on, b.elements());
    return make_generated(p, std::move(g));
}

const implementations det_choices{{"det"}, {{"elimination", det}}};
const implementations inverse_choices{{"inverse"}, {{"elimination", inverse}}};
const implementations dft_choices{{"dft"}, {{"sums", dft}}};

} // namespace

} // namespace migraphx::gpu
