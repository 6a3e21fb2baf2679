#!/bin/bash
# SPDX-License-Identifier: MIT
# The first look at a machine with a GPU, in about a minute: what it has, and whether the device
# interface keeps its promises there (tests/device). Needs a pack of tools/gpu_check/pack.sh.
# usage: tools/gpu_check/smoke.sh [PACK [OUT]]
root=$(cd "$(dirname "$0")/../.." && pwd)
pack=${1:-$root/build/gpu_pack}
out=${2:-${OUT:-$root/build/gpu_check}}
mkdir -p "$out"
export LD_LIBRARY_PATH=$pack/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
ln -sf libmigraphx_gpu.so.2 "$pack/lib/libmigraphx_gpu.so" # links may not have travelled
export MIGRAPHX_TEST_DIR=$root/tests

{
    nvidia-smi --query-gpu=name,driver_version,memory.total,memory.used --format=csv
    uname -r
    nproc
    for tool in g++ nvcc ninja cmake compute-sanitizer python3; do
        printf '%s: ' $tool
        command -v $tool || echo none
    done
    g++ --version | head -1
    python3 --version
    python3 -c 'import sysconfig; print(sysconfig.get_paths()["include"])'
    python3 -c 'import torch; print("torch", torch.__version__, torch.backends.cudnn.version())'
    python3 -m pip list 2>/dev/null | grep -i -E '^(nvidia|nanobind|onnx|numpy|torch|transformers|ml_dtypes|cuda)'
    ldconfig -p | grep -E 'libcuda\.|libnvrtc|libcublasLt|libcudnn\.|libfmt|libsqlite3|libgomp'
    ldd "$pack"/bin/* "$pack"/lib/* | grep 'not found'
} > "$out/machine.txt" 2>&1
cat "$out/machine.txt"

# The headers of this Python, so that the module can be built elsewhere.
include=$(python3 -c 'import sysconfig; print(sysconfig.get_paths()["include"])')
tar -C "$(dirname "$include")" -chzf "$out/python_headers.tar.gz" "$(basename "$include")"

timeout 120 "$pack/bin/test_device" --gtest_output=json:"$out/test_device.json" > "$out/test_device.txt" 2>&1
echo "test_device: exit $?"
grep -v -E '^\[( RUN|       OK|-----|=====)' "$out/test_device.txt" | tail -60

# Operators whose kernels are on the device already; what fails here is a first list, not a verdict.
timeout 60 "$pack/bin/test_ops" --target gpu --gtest_filter='ops_pointwise*:ops_linear*:ops_softmax*:ops_reduce*' \
    > "$out/test_ops.txt" 2>&1
echo "test_ops: exit $?"
grep -E '^\[  (PASSED|FAILED)' "$out/test_ops.txt" | head -5
grep -v -E '^\[' "$out/test_ops.txt" | head -25
