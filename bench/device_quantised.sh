#!/bin/bash
# SPDX-License-Identifier: MIT
# Products and convolutions of few bits, each alone in a program on the gpu target beside the same in
# half: whether `driver verify` finds it right, and what `driver perf` says.
# usage: device_quantised.sh DRIVER [OUT] [TARGET, gpu where not given]
driver=$1 out=${2:-/dev/stdout} target=${3:-gpu} work=$(mktemp -d)
measure() { # name, program text
    printf '%s\n' "$2" >"$work/p.txt"
    echo "== $1"
    timeout 60 "$driver" verify "--$target" "$work/p.txt" 2>&1 | grep -o "MIGraphX verification.*"
    timeout 60 "$driver" perf "--$target" "$work/p.txt" -n 50 2>/dev/null |
        grep -E 'product|gemm|gemv|convolution|cublaslt|pointwise|dense|rows|nest|Total time'
}
half_product() { # rows, depth, columns
    measure "half product $1 x $2 x $3" "x = @param:x -> half_type, {$1, $2}
w = @literal:random(1) -> half_type, {$2, $3}
y = dot(x, w)
@return(y)"
}
product() { # rows, depth, columns
    half_product "$@"
    measure "int8 product $1 x $2 x $3, scaled, tanh" "x = @param:x -> int8_type, {$1, $2}
w = @literal:random(1) -> int8_type, {$2, $3}
s = @literal:random(2) -> float_type, {$3}
y = quant_dot(x, w)
f = convert[target_type=float_type](y)
b = multibroadcast[out_lens={$1, $3}](s)
g = mul(f, b)
t = tanh(g)
h = convert[target_type=half_type](t)
@return(h)"
}
weights() { # rows, depth, columns
    half_product "$@"
    for bits in 4 8; do
        measure "weights of $bits bits $1 x $2 x $3" "x = @param:x -> half_type, {$1, $2}
q = @literal:random(1) -> uint8_type, {$3, $(($2 * bits / 8))}
s = @literal:random(2) -> half_type, {$3, $(($2 / 32))}
z = @literal:random(3) -> uint8_type, {$3, $(($2 / 32))}
y = block_dot[bits=$bits, block=32](x, q, s, z)
@return(y)"
    done
}
convolution() { # channels, outputs, size, taps
    local p=$(($4 / 2))
    measure "half convolution $*" "x = @param:x -> half_type, {8, $1, $3, $3}
w = @literal:random(1) -> half_type, {$2, $1, $4, $4}
y = convolution[padding={$p, $p}](x, w)
r = relu(y)
@return(r)"
    measure "int8 convolution $*" "x = @param:x -> int8_type, {8, $1, $3, $3}
w = @literal:random(1) -> int8_type, {$2, $1, $4, $4}
s = @literal{0.001} -> float_type, {1}
y = quant_convolution[padding={$p, $p}](x, w)
f = convert[target_type=float_type](y)
b = multibroadcast[out_lens={8, $2, $3, $3}](s)
g = mul(f, b)
r = relu(g)
h = convert[target_type=half_type](r)
@return(h)"
}
{
    product 128 768 3072
    product 1024 1024 1024
    product 4096 4096 4096
    weights 1 4096 4096
    weights 1 4096 14336
    weights 8 4096 4096
    convolution 64 64 56 3
    convolution 256 256 14 3
    convolution 512 512 7 3
} >"$out"
rm -rf "$work"
