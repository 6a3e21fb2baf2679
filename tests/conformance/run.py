#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the official ONNX cases through the module `migraphx` and counts those that pass.

Fails when a case fails that expected_failures.txt does not list, or a listed one passes. Those that compare
random numbers (`random` begins their reason) may pass by chance.
usage: run.py [--target cpu] [--only PATTERN]...   (PYTHONPATH holds the module)
"""
from __future__ import annotations

import argparse
import collections
import dataclasses
import json
import os
import pathlib
import re
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")  # two workers, two cores

import cases  # noqa: E402
from check import run_case  # noqa: E402
from pool import run_all  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
TARGETS = ("ref", "cpu", "null", "gpu")


@dataclasses.dataclass
class Result:
    case: cases.Case
    error: str
    seconds: float

    def first_line(self) -> str:
        return next((line.strip() for line in self.error.splitlines() if line.strip()), "")


def expected_failures(target: str) -> dict[str, str]:
    """Case name -> reason, of the lines `NAME: REASON` and `NAME (TARGET): REASON`."""
    result = {}
    for number, line in enumerate((HERE / "expected_failures.txt").read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        found = re.fullmatch(r"(\w+)(?: \((\w+)\))?: (.+)", line)
        if not found or found[2] not in (None, *TARGETS):
            sys.exit(f"expected_failures.txt:{number}: `NAME: REASON` or `NAME (TARGET): REASON` was expected")
        if found[2] in (None, target):
            result[found[1]] = found[3]
    return result


def share(results: list[Result]) -> str:
    passed = sum(not r.error for r in results)
    return f"{passed}/{len(results)} ({100 * passed / len(results):.2f} %)" if results else "0/0"


def message_group(line: str) -> str:
    """An error's text without what is particular to its case: places, numbers, names in quotes."""
    line = re.sub(r"^(<?[\w./ -]*>?:\s*)*?node [^:]*: ", "", line)
    return re.sub(r"-?\d+(\.\d+)?(e[-+]?\d+)?|'[^']*'|\"[^\"]*\"", "#", line)[:110]


def print_summary(target: str, results: list[Result], plain: set[str]) -> None:
    by_kind = collections.defaultdict(list)
    for r in results:
        by_kind[r.case.kind].append(r)
    for kind in cases.KINDS:
        if by_kind[kind]:
            print(f"  {kind:18} {share(by_kind[kind])}")
    print(f"  {'plain tensors':18} {share([r for r in results if r.case.name in plain])}")
    print(f"  {'all on ' + target:18} {share(results)}", flush=True)


def print_groups(failures: list[Result], limit: int) -> None:
    groups = collections.defaultdict(list)
    for r in failures:
        groups[message_group(r.first_line())].append(r.case.name)
    for text, names in sorted(groups.items(), key=lambda x: -len(x[1]))[:limit]:
        print(f"{len(names):5} x {text}   ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})")


def run_target(target: str, chosen: list[cases.Case], known: set[str], plain: set[str], args) -> dict:
    begun = time.monotonic()
    results = [Result(chosen[i], error, seconds) for i, error, seconds in
               run_all(list(range(len(chosen))), lambda i: run_case(chosen[i], target), args.jobs, args.limit)]
    results.sort(key=lambda r: (cases.KINDS.index(r.case.kind), r.case.name))
    expected = expected_failures(target)
    failures = [r for r in results if r.error]
    crashes = [r for r in failures if r.error.startswith(("crash:", "hang:"))]
    surprises = [r for r in failures if r.case.name not in expected or r in crashes]
    fixed = [r.case.name for r in results
             if not r.error and not expected.get(r.case.name, "random").startswith("random")]
    stale = sorted(set(expected) - known)

    if args.list_failures:
        for r in failures:
            print(f"{r.case.name}: {r.first_line()}")
    for r in [] if args.list_failures else surprises[:args.show]:
        print(f"FAILED {r.case.name} on {target}: {r.error if args.only else r.first_line()}")
    for name in fixed:
        print(f"FAILED {name} on {target}: passes; take it out of expected_failures.txt")
    for name in stale:
        print(f"FAILED {name}: expected_failures.txt names a case that does not exist")
    if args.groups:
        print_groups(failures, args.groups)
    if len(surprises) > args.show and not args.list_failures:
        print(f"… {len(surprises) - args.show} more; --list-failures lists all")
    if surprises:
        print(f"repeat with: {sys.executable} {HERE / 'run.py'} --target {target} --only {surprises[0].case.name}")
    print_summary(target, results, plain)
    if args.slowest:
        for r in sorted(results, key=lambda r: -r.seconds)[:args.slowest]:
            print(f"  {r.seconds:6.1f} s  {r.case.name}")
    print(f"  {time.monotonic() - begun:.0f} s, {len(failures)} failures, {len(failures) - len(surprises)} of them "
          f"expected, {len(crashes)} crashes or hangs", flush=True)
    if args.out:
        folder = pathlib.Path(args.out)
        folder.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{r.case.name}: {r.first_line()}\n" for r in failures)
        (folder / f"failures_{target}.txt").write_text(text)
    failed = len(surprises) + len(fixed) + len(stale)
    return {"passed": len(results) - len(failures), "failed": failed, "expected": len(failures) - len(surprises)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", action="append", choices=TARGETS, help="default: ref, cpu and null")
    parser.add_argument("--only", action="append", default=[], help="cases whose name matches this expression")
    parser.add_argument("--kind", action="append", choices=cases.KINDS)
    parser.add_argument("--plain", action="store_true", help="only cases with plain tensors of numpy's types")
    parser.add_argument("--skip-kind", action="append", default=[], metavar="TARGET:KIND", help="e.g. ref:light")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--limit", type=float, default=120, help="seconds that one case may take")
    parser.add_argument("--list-failures", action="store_true", help="every failure, expected or not")
    parser.add_argument("--groups", type=int, nargs="?", const=40, default=0, help="count failures by message")
    parser.add_argument("--slowest", type=int, nargs="?", const=10, default=0)
    parser.add_argument("--show", type=int, default=20, help="unexpected failures to print")
    parser.add_argument("--out", help="folder for failures_TARGET.txt")
    parser.add_argument("--report", help="JSON file for the counts")
    args = parser.parse_args()

    every = cases.collect()
    chosen = [c for c in every if not args.kind or c.kind in args.kind]
    if args.only:
        chosen = [c for c in chosen if any(re.search(pattern, c.name) for pattern in args.only)]
    plain = {c.name for c in chosen if cases.is_plain(c)}
    if args.plain:
        chosen = [c for c in chosen if c.name in plain]
    total = collections.Counter()
    for target in args.target or TARGETS[:3]:
        left_out = {x.split(":")[1] for x in args.skip_kind if x.startswith(target + ":")}
        here = [c for c in chosen if c.kind not in left_out]
        print(f"{len(here)} cases of onnx {cases.onnx.__version__} on {target}", flush=True)
        total.update(run_target(target, here, {c.name for c in every}, plain, args))
    if args.report:
        pathlib.Path(args.report).write_text(json.dumps(total))
    return 0 if total["failed"] == 0 and total["passed"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
