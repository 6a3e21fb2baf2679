// SPDX-License-Identifier: MIT
// Elementary functions over a tile.

#include "targets/cpu/kernels/nest_parts.hpp"
#include "targets/cpu/kernels/vec_math.hpp"

namespace migraphx::cpu::KERNEL_ISA {
namespace {

using namespace vec;

template <class F>
MIGRAPHX_VEC_INLINE void map_tile(const vm_args& args, F f) {
    const float* x = static_cast<const float*>(args.src[0]);
    float* y = static_cast<float*>(args.dst);
    int64_t i = 0;
    for (; i + vf_width <= args.n; i += vf_width)
        store(y + i, f(load(x + i)));
    if (i < args.n) {
        const int part = int(args.n - i);
        store_part(y + i, f(load_part(x + i, part)), part);
    }
}

#define MAP_TILE(name, expression)                                                                 \
    void name##_tile(const vm_args& args) {                                                        \
        map_tile(                                                                                  \
            args, [](vf x) __attribute__((always_inline)) { return expression; });                 \
    }

MAP_TILE(exp, vec::exp(x))
MAP_TILE(log, vec::log(x))
MAP_TILE(log2, vec::log2(x))
MAP_TILE(erf, vec::erf(x))
MAP_TILE(tanh, vec::tanh(x))
MAP_TILE(sigmoid, vec::sigmoid(x))
MAP_TILE(silu, x* vec::sigmoid(x))
MAP_TILE(gelu_erf, vec::gelu_erf(x))
MAP_TILE(sin, vec::sin(x))
MAP_TILE(cos, vec::cos(x))
MAP_TILE(tan, vec::tan(x))

#undef MAP_TILE

void elu_tile(const vm_args& args) {
    const vf alpha = splat(*static_cast<const float*>(args.src[1]));
    map_tile(
        args, [=](vf x) __attribute__((always_inline)) { return elu(x, alpha); });
}

void pow_tile(const vm_args& args) {
    const float* px = static_cast<const float*>(args.src[0]);
    const float* py = static_cast<const float*>(args.src[1]);
    float* z = static_cast<float*>(args.dst);
    const bool fixed_x = (args.splats & 1) != 0;
    const bool fixed_y = (args.splats & 2) != 0;
    int64_t i = 0;
    for (; i + vf_width <= args.n; i += vf_width)
        store(z + i, pow(fixed_x ? splat(*px) : load(px + i), fixed_y ? splat(*py) : load(py + i)));
    if (i < args.n) {
        const int part = int(args.n - i);
        store_part(z + i,
                   pow(fixed_x ? splat(*px) : load_part(px + i, part),
                       fixed_y ? splat(*py) : load_part(py + i, part)),
                   part);
    }
}

} // namespace

void fill_nest_math(nest_kernels& k) {
    const auto set = [&](vm_math f, vm_fn fn) { k.math[int(f)] = fn; };
    set(vm_math::exp, exp_tile);
    set(vm_math::log, log_tile);
    set(vm_math::log2, log2_tile);
    set(vm_math::erf, erf_tile);
    set(vm_math::tanh, tanh_tile);
    set(vm_math::sigmoid, sigmoid_tile);
    set(vm_math::silu, silu_tile);
    set(vm_math::gelu_erf, gelu_erf_tile);
    set(vm_math::sin, sin_tile);
    set(vm_math::cos, cos_tile);
    set(vm_math::tan, tan_tile);
    set(vm_math::elu, elu_tile);
    set(vm_math::pow, pow_tile);
}

} // namespace migraphx::cpu::KERNEL_ISA
