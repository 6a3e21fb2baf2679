#!/bin/bash
# SPDX-License-Identifier: MIT
# clang-format on the C++ sources that differ from HEAD, or on all of them with --all.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v clang-format >/dev/null || { echo "format: clang-format is missing: apt-get install clang-format" >&2; exit 1; }
if [ "${1:-}" = --all ]; then
    mapfile -t files < <(git ls-files '*.cpp' '*.hpp' '*.h')
else
    mapfile -t files < <({ git diff --name-only --diff-filter=d HEAD; git ls-files --others --exclude-standard; } | grep -E '\.(cpp|hpp|h)$' | sort -u)
fi
[ ${#files[@]} -gt 0 ] || { echo "format: nothing to do"; exit 0; }
echo "+ clang-format -i (${#files[@]} files)"
clang-format -i "${files[@]}"
