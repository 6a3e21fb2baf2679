#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compute-sanitizer over operator cases of each family: memory errors of generated kernels and of calls."""
from __future__ import annotations

import argparse
import concurrent.futures
import pathlib
import re
import shutil
import sys
import time

from common import Tree, one_line, run, table, write_result
from op_cases import list_tests

TOOLS = ("memcheck", "racecheck")


def subset(names, families=60):
    """A case of each operator, evenly."""
    by_operator = {}
    for name in names:
        operator = re.sub(r"^.*\.L\d+_", "", name)
        operator = re.sub(r"_(float|half|int\d+|bf16|bool|double|uint\d+|fp8\w*?)_type.*$", "", operator)
        by_operator.setdefault(operator, []).append(name)
    firsts = [cases[len(cases) // 2] for cases in by_operator.values()]
    return firsts[::max(1, len(firsts) // families)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tree", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--limit", type=float, default=120)
    parser.add_argument("--target", default="gpu")
    args = parser.parse_args()
    tree = Tree(args.tree)
    env = tree.environment()
    sanitizer = shutil.which("compute-sanitizer")
    if sanitizer is None:
        write_result(args.out, "sanitizer", ok=False, summary="compute-sanitizer was expected on the path, got none")
        return
    until = time.monotonic() + args.limit - 5
    binary = tree.program("test_ops")
    names = subset(list_tests(binary, args.target, env))
    work = [(tool, names[i::6]) for tool in TOOLS for i in range(6)]

    def one(item):
        tool, some = item
        done = run([sanitizer, "--tool", tool, "--error-exitcode", "99", "--print-limit", "50", binary, "--target",
                    args.target, "--gtest_filter=" + ":".join(some)], until - time.monotonic(), env)
        found = re.findall(r"(?:ERROR SUMMARY|RACECHECK SUMMARY): (\d+)", done.out)
        ran = len(re.findall(r"^\[ RUN", done.out, re.M))
        return tool, len(some), ran, int(found[-1]) if found else None, done

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        results = list(pool.map(one, work))
    rows, ok = [], True
    with open(args.out / "sanitizer.txt", "w") as log:
        for tool, _, _, errors, done in results:
            if errors != 0:
                log.write(f"== {tool}: {done.ending}\n{done.out[-20000:]}\n")
    for tool in TOOLS:
        of_tool = [r for r in results if r[0] == tool]
        errors = sum(r[3] or 0 for r in of_tool)
        unfinished = sum(r[3] is None for r in of_tool)
        ok &= errors == 0 and unfinished < len(of_tool)
        rows.append([tool, sum(r[2] for r in of_tool), errors, unfinished])
    write_result(args.out, "sanitizer", ok=ok, results=rows,
                 summary="; ".join(f"{t}: {n} cases, {e} errors" + (f", {u} parts unfinished" if u else "")
                                   for t, n, e, u in rows),
                 table=table(rows, ["tool", "cases", "errors", "parts unfinished"]), cases=names)


if __name__ == "__main__":
    sys.exit(main())
