#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds the Python module for another interpreter than the build's, against the libraries of a build
# or a pack: into FOLDER/migraphx.<suffix>.so. Needs nanobind's sources in build/deps or in that Python.
# usage: tools/gpu_check/build_module.sh PYTHON LIBRARIES FOLDER
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
python=$1 libraries=$(realpath "$2") folder=$3
nanobind=$(ls -d "$root"/build/deps/lib/python3*/site-packages/nanobind 2>/dev/null | head -1)
[ -n "$nanobind" ] || nanobind=$("$python" -c 'import nanobind, os; print(os.path.dirname(nanobind.__file__))')
read -r include suffix < <("$python" -c 'import sysconfig as s
print(s.get_paths()["include"], s.get_config_var("EXT_SUFFIX"))')
objects=$folder/objects$suffix
mkdir -p "$objects"
compiler="g++"
command -v ccache >/dev/null && compiler="ccache g++"
version=$(sed -n 's/^project(migraphx VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")

compile() {
    $compiler -std=c++20 -O2 -DNDEBUG -fPIC -fvisibility=hidden -fno-strict-aliasing \
        -DMIGRAPHX_VERSION="\"$version\"" -DMSGPACK_NO_BOOST -I"$root/include" -I"$root/src" \
        -isystem "$include" -isystem "$nanobind/include" -isystem "$nanobind/ext/robin_map/include" \
        -include "$root/cmake/pch.hpp" -c "$1" -o "$objects/$(basename "$1" .cpp).o"
}
export -f compile
export compiler version root include nanobind objects
printf '%s\n' "$nanobind/src/nb_combined.cpp" "$root"/src/python/*.cpp |
    xargs -P "$(nproc)" -I{} bash -c 'compile {}'
g++ -shared -s -o "$folder/migraphx$suffix" "$objects"/*.o \
    -L"$libraries" -l:libmigraphx.so.2 -l:libmigraphx_onnx.so.2 -l:libmigraphx_tf.so.2 \
    -Wl,-rpath,'$ORIGIN/../lib'
rm -r "$objects"
echo "$folder/migraphx$suffix"
