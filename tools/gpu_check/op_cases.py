# SPDX-License-Identifier: MIT
"""The text cases of tests/ops on a target against the reference, in as many processes as there are
cores. A process that dies, hangs or loses the device costs the case that did it; what was to follow
it runs in a new one."""
from __future__ import annotations

import collections
import concurrent.futures
import os
import pathlib
import re
import tempfile
import time

from common import DEVICE_LOST, one_line, run, write_result

STARTED = re.compile(r"^\[ RUN      \] (\S+)")
ENDED = re.compile(r"^\[ +(OK|FAILED|SKIPPED) +\] ([\w./]+)[ ,]")


def list_tests(binary: str, target: str, env: dict) -> list[str]:
    out = run([binary, "--target", target, "--gtest_list_tests"], 60, env).out
    names, suite = [], ""
    for line in out.splitlines():
        if re.fullmatch(r"\w+\.", line):
            suite = line
        elif line.startswith("  ") and suite:
            names.append(suite + line.split()[0])
    return names


def read_report(text: str) -> tuple[dict, dict, str]:
    """(state by test, what it printed, the test that had begun last)"""
    state, said, current = {}, collections.defaultdict(list), ""
    for line in text.splitlines():
        if begun := STARTED.match(line):
            current = begun[1]
        elif (ended := ENDED.match(line)) and ended[2] == current:
            state[current] = ended[1]
        elif current and current not in state:
            said[current].append(line)
    return state, said, current


def run_names(binary: str, target: str, names: list[str], env: dict, until: float, each: float) -> dict:
    """{test: error}; empty where it passed."""
    results, waiting = {}, list(names)
    while waiting and time.monotonic() < until:
        with tempfile.NamedTemporaryFile("w", suffix=".flags") as flags:
            flags.write("--gtest_filter=" + ":".join(waiting))
            flags.flush()
            limit = min(until - time.monotonic(), each + 0.5 * len(waiting))
            done = run([binary, "--target", target, f"--gtest_flagfile={flags.name}"], limit, env)
        state, said, last = read_report(done.out)
        lost = ""
        for name in waiting:
            if name not in state or lost:
                break
            errors = "" if state[name] == "OK" else "\n".join(said[name]) or state[name]
            results[name] = errors
            if DEVICE_LOST in errors:
                lost = name
        left = [n for n in waiting if n not in results]
        if left == waiting:  # it died in the first
            last = last or waiting[0]
        if not lost and left and last in left:
            results[last] = f"the process ended here: {done.ending}\n" + "\n".join(said[last][-5:])
            left.remove(last)
        elif not lost and len(left) == len(waiting):
            results[left.pop(0)] = f"not begun: {done.ending}: {done.out[-300:]}"
        waiting = left
    for name in waiting:
        results[name] = "not run: out of time"
    return results


def check(tree, out: pathlib.Path, limit: float, target: str = "gpu", jobs: int = 0, only: str = "") -> dict:
    begun = time.monotonic()
    env = tree.environment()
    binary = tree.program("test_ops")
    names = [n for n in list_tests(binary, target, env) if re.search(only, n)]
    jobs = jobs or max(1, min(14, (os.cpu_count() or 2) - 2))
    until = begun + limit - 5
    parts = [names[i:i + 40] for i in range(0, len(names), 40)]
    results = {}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for part in pool.map(lambda p: run_names(binary, target, p, env, until, 60), parts):
            results.update(part)
    failed = {n: e for n, e in results.items() if e}
    groups = collections.Counter(message(e) for e in failed.values())
    (out / f"ops_{target}_failures.txt").write_text(
        "".join(f"== {n}\n{e}\n" for n, e in sorted(failed.items())))
    share = len(failed) / max(1, len(results))
    result = {"ok": bool(results) and share <= 0.03, "cases": len(results), "failed": len(failed),
              "seconds": time.monotonic() - begun,
              "summary": f"{len(results) - len(failed)} of {len(results)} cases pass ({100 * (1 - share):.1f} %)",
              "groups": groups.most_common(40), "failures": sorted(failed)}
    write_result(out, f"ops_{target}" if target != "gpu" else "ops", **result)
    return result


def message(error: str) -> str:
    """The first line that says something, without numbers and names."""
    lines = [x.strip() for x in error.splitlines() if x.strip() and not x.strip().startswith(
        ("../", "/", "Value of", "Actual", "Expected", "repro"))]
    told = next((x for x in lines if ":" in x), lines[0] if lines else "")
    return one_line(re.sub(r"-?\d+(\.\d+)?(e[-+]?\d+)?", "#", told), 120)
