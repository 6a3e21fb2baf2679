#!/bin/bash
# SPDX-License-Identifier: MIT
# Where compiling with filled caches spends its time on a device: phases of three compilations (the
# first one fills the caches), files that the third opens, and what the dynamic loader took.
# usage: device_warm_compile.sh DRIVER OUT_FOLDER MODEL.onnx ...
set -u
driver=$1 out=$2
shift 2
mkdir -p "$out"
export MIGRAPHX_GPU_CACHE=$out/code MIGRAPHX_PROBLEM_CACHE=$out/problems.db
for model in "$@"; do
    name=$(basename "$model" .onnx)
    for i in 1 2 3; do
        "$driver" compile --gpu --fp16 --time-passes "$model" 2>&1 |
            grep -E '^ *[a-z_: ]+: [0-9.]+ms|Total|time' >"$out/$name.$i.txt"
    done
    LD_DEBUG=statistics "$driver" compile --gpu --fp16 "$model" 2>&1 >/dev/null |
        grep -E 'time|relocations' >"$out/$name.loader.txt"
    if command -v strace >/dev/null; then
        strace -f -r -e trace=openat -o "$out/$name.files.txt" \
            "$driver" compile --gpu --fp16 "$model" >/dev/null 2>&1
    fi
done
rm -rf "$out/code" "$out/problems.db"
exit 0
