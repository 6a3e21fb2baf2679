#!/bin/bash
# SPDX-License-Identifier: MIT
# Lists the C++ files that differ from HEAD, or all of them with --all.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --all ]; then
    git ls-files '*.cpp' '*.hpp' '*.h'
else
    { git diff --name-only --diff-filter=d HEAD; git ls-files --others --exclude-standard; } |
        { grep -E '\.(cpp|hpp|h)$' || true; } | sort -u
fi
