// SPDX-License-Identifier: MIT
// random_uniform, random_seed: device_code/random.cuh.
#include "targets/gpu/lower/copy.hpp"

#include "base/str.hpp"

#include <cstring>
#include <random>

namespace migraphx::gpu {

namespace {

lowered random_uniform(const device_problem& p) {
    const auto &seed = p.inputs[0], &out = p.output;
    const auto type = device_type(out.type());
    if (type.empty())
        return lowered::refuse("type " + out.type_string());
    if (index_type(seed.type()).empty())
        return lowered::refuse("a seed of type " + seed.type_string());
    box b{lens_of(out), {strides_of(out)}};
    b.simplify(true);
    index_params params{b.is_large()};
    params.add(b);
    params.add(b.elements());
    generated g;
    g.name = g.entry = "random_uniform";
    g.source = entry_text("random.cuh", g.entry,
                          str("const ", index_type(seed.type()), "* seed, ", type,
                              "* y, const random_params<", b.rank(), ", ", params.type(), "> p"),
                          "random_elements(y, seed, p);");
    g.params = params.data();
    g.launch = {{b.elements() > 0 ? 1u : 0u}, {block_size}};
    g.inputs = {0};
    return one_launch(p, std::move(g));
}

// The state lies beside the code and is stepped by each run, those of a recorded graph too.
lowered random_seed(const device_problem& p) {
    const auto type = device_type(p.output.type());
    if (type.empty())
        return lowered::refuse("type " + p.output.type_string());
    std::random_device entropy;
    const auto first = uint64_t{entropy()} << 32 | entropy();
    generated g;
    g.name = g.entry = "random_seed";
    g.source =
        entry_text("random.cuh", g.entry, str(type, "* y, u64* state"), "next_seed(y, state);");
    g.table.resize(sizeof(first));
    std::memcpy(g.table.data(), &first, sizeof(first));
    g.launch = {{1}, {32}};
    g.takes_inputs = false;
    return one_launch(p, std::move(g));
}

const implementations uniform_choices{{"random_uniform"}, {{"twister", random_uniform}}};
const implementations seed_choices{{"random_seed"}, {{"counter", random_seed}}};

} // namespace

} // namespace migraphx::gpu
