#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the dearest steps of a build, from Ninja's own log.

usage: slowest_tus.py [BUILD_DIR] [COUNT]     default: build/release 15
"""
from __future__ import annotations

import pathlib
import sys


def main() -> int:
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/release")
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    steps: dict[str, float] = {}
    for line in (build / ".ninja_log").read_text().splitlines():
        fields = line.split("\t")
        if len(fields) == 5:
            steps[fields[3]] = (int(fields[1]) - int(fields[0])) / 1000
    for output, seconds in sorted(steps.items(), key=lambda item: -item[1])[:count]:
        print(f"{seconds:8.1f} s  {output}")
    print(f"{sum(steps.values()):8.1f} s  all {len(steps)} steps")
    return 0


if __name__ == "__main__":
    sys.exit(main())
