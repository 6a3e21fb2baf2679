#!/bin/bash
# SPDX-License-Identifier: MIT
# Generated kernels for pointwise regions and rows, each alone in a program on the gpu target, with
# what `driver perf` says of each: time and bytes a second. Small rows show latency, large tensors
# bandwidth. usage: device_kernels.sh DRIVER [OUT]
driver=$1 out=${2:-/dev/stdout} work=$(mktemp -d)
measure() { # name, program text
    printf '%s\n' "$2" >"$work/p.txt"
    echo "== $1"
    timeout 20 "$driver" perf --gpu "$work/p.txt" --fill1 x y -n 50 2>/dev/null | grep -E '\{(rows|nest)[^}]*\}: .*GB/s'
}
two() { # name, type, lens, strides of the second, operator
    measure "$1" "x = @param:x -> $2_type, {$3}
y = @param:y -> $2_type, {$3}, {$4}
z = $5(x, y)
@return(z)"
}
one() { # name, type, lens, operator
    measure "$1" "x = @param:x -> $2_type, {$3}
z = $4(x)
@return(z)"
}
{
    two "add half" half "8192, 8192" "8192, 1" add
    two "add float" float "8192, 8192" "8192, 1" add
    two "add a bias, half" half "16384, 4096" "0, 1" add
    two "add a transposed one, float" float "8192, 8192" "1, 8192" add
    two "add a transposed one, half" half "8192, 8192" "1, 8192" add
    one "neg half" half "8192, 8192" neg
    one "erf half" half "8192, 8192" erf
    one "exp half, odd rows" half "65536, 1001" exp
    one "convert float to half" float "8192, 8192" "convert[target_type=half_type]"
    one "layer_norm 128 x 768 half" half "128, 768" "layer_norm[axis=1, epsilon=1e-5]"
    one "layer_norm 4096 x 768 half" half "4096, 768" "layer_norm[axis=1, epsilon=1e-5]"
    one "layer_norm 65536 x 1024 half" half "65536, 1024" "layer_norm[axis=1, epsilon=1e-5]"
    one "layer_norm 16384 x 4096 float" float "16384, 4096" "layer_norm[axis=1, epsilon=1e-5]"
    one "rms_norm 8192 x 8192 half" half "8192, 8192" "rms_norm[axis=1, epsilon=1e-5]"
    one "softmax 1536 x 128 half" half "1536, 128" "softmax[axis=1]"
    one "softmax 49152 x 1024 half" half "49152, 1024" "softmax[axis=1]"
    one "softmax 65536 x 197 half" half "65536, 197" "softmax[axis=1]"
    one "softmax 1024 x 50257 float" float "1024, 50257" "softmax[axis=1]"
    one "softmax over channels" float "32, 21, 65536" "softmax[axis=1]"
    one "reduce_sum rows" float "8192, 8192" "reduce_sum[axes={1}]"
    one "reduce_sum columns" float "8192, 8192" "reduce_sum[axes={0}]"
    one "reduce_sum of all" half "67108864" "reduce_sum[axes={0}]"
    one "reduce_mean of places, half" half "32, 2048, 49" "reduce_mean[axes={2}]"
    one "reduce_max of rows of 64, half" half "1048576, 64" "reduce_max[axes={1}]"
    one "argmax of 128 x 50257" float "128, 50257" "argmax[axis=1]"
} >"$out"
rm -rf "$work"
