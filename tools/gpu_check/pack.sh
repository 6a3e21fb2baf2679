#!/bin/bash
# SPDX-License-Identifier: MIT
# Gathers what tools/gpu_check needs on a machine that has a GPU but no build: the libraries, the driver,
# test binaries, the Python module, model graphs. Prints the folder's size.
# usage: tools/gpu_check/pack.sh [BUILD [FOLDER]]      (build/release, build/gpu_pack)
# PACK_PYTHON: an interpreter of the version that the other machine has, with its headers, for which the
# module is built too (default: pyenv's 3.12, if it is there).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/release}
pack=${2:-$root/build/gpu_pack}
models=${MIGRAPHX_MODELS:-$root/../shared/models}

rm -rf "$pack"
mkdir -p "$pack"/{bin,lib,python,models}
for lib in migraphx migraphx_onnx migraphx_tf migraphx_gpu; do
    strip -s -o "$pack/lib/lib$lib.so.2" "$build/lib/lib$lib.so"
done
# A target is opened by its plain name; a second file would be a second library.
ln -s libmigraphx_gpu.so.2 "$pack/lib/libmigraphx_gpu.so"
for program in bin/migraphx-driver tests/test_device tests/test_ops; do
    strip -s -o "$pack/$program" "$build/$program" 2>/dev/null ||
        strip -s -o "$pack/bin/$(basename $program)" "$build/$program"
done
# The module, for this Python and for the other machine's.
cp "$build"/python/migraphx*.so "$pack/python/" 2>/dev/null || true
other=${PACK_PYTHON:-$(ls -d "$HOME"/.pyenv/versions/3.12*/bin/python3 2>/dev/null | tail -1)}
[ -n "$other" ] && "$root/tools/gpu_check/build_module.sh" "$other" "$build/lib" "$pack/python" >/dev/null
# pytest, for a machine without.
site=$(ls -d "$root"/build/deps/lib/python3*/site-packages | head -1)
mkdir -p "$pack/pytest"
for package in pytest _pytest pluggy iniconfig packaging pygments; do
    [ -d "$site/$package" ] && cp -r "$site/$package" "$pack/pytest/"
done
find "$pack/pytest" -name __pycache__ -prune -exec rm -r {} +
# Graphs whose weights are made over there, and models that packages here carry.
if [ -d "$models" ]; then
    cp "$models"/*.onnx "$models"/*.json "$models"/make_weights.py "$pack/models/"
    python=$(ls "$root"/build/deps/bin/python 2>/dev/null || command -v python3)
    "$python" - "$root" "$pack/models" <<'PY'
import sys
sys.path.insert(0, sys.argv[1] + "/tools")
import models
for m in models.MODELS:
    if m.source[0] not in ("weights", "onnx"):
        try:
            models.prepare(sys.argv[2], [m])
        except FileNotFoundError as error:
            print("left out:", error)
PY
fi
# What is not the system's own must travel too.
for file in "$pack"/lib/* "$pack"/bin/*; do
    LD_LIBRARY_PATH=$pack/lib ldd "$file" | grep -v -E "$pack|vdso|ld-linux|lib(c|m|dl|rt|pthread|gcc_s|stdc\+\+)\.so" &&
        { echo "$file needs what the pack lacks"; exit 1; }
done
du -sh "$pack" | cut -f 1
