#!/bin/bash
# SPDX-License-Identifier: MIT
# clang-tidy on the C++ sources that differ from HEAD, or on all of them with --all.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(tools/changed_sources.sh "$@" | grep '\.cpp$' || true)
[ ${#files[@]} -gt 0 ] || { echo "tidy: nothing to do"; exit 0; }
cmake --preset tidy >/dev/null
echo "+ clang-tidy (${#files[@]} files)"
printf '%s\0' "${files[@]}" | xargs -0 -n 4 -P 2 clang-tidy --quiet -p build/tidy
