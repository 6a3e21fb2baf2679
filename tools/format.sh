#!/bin/bash
# SPDX-License-Identifier: MIT
# clang-format on the C++ files that differ from HEAD, or on all of them with --all.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(tools/changed_sources.sh "$@")
[ ${#files[@]} -gt 0 ] || { echo "format: nothing to do"; exit 0; }
echo "+ clang-format -i (${#files[@]} files)"
clang-format -i "${files[@]}"
