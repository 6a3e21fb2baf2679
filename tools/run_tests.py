#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs every test there is and adds them up: the gtest binaries of a build, pytest, the official ONNX cases.

As many runners go at once as there are processors, the longest first; test_ops is cut into that many shards, and
the ONNX cases into a runner for each target. Prints failures as they come, one summary line per runner, and last
`N passed, N failed[, N skipped]`. Exit code 0 only if something ran and nothing failed.

What the tests see in their environment:
  MGX_BUILD_DIR   the build that is tested          MGX_DRIVER   its migraphx-driver
  MGX_MODELS_DIR  the folder of the full-size models, unset where they cannot be made
  MGX_TEST_QUICK  "1" in the quick suite            PYTHONPATH   holds the module `migraphx`
  MGX_SANITIZE    the sanitizers of the build, unset without
"""
from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as xml
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parent.parent
FULL_ONLY = {"test_models"}  # binaries that the quick suite leaves out
# Binaries that unload generated code, after whose thread-local memory LeakSanitizer looks at the end.
UNLOADERS = {"test_ops", "test_unit", "test_device"}
HIDDEN = ("Running main()", "[ RUN ", "[       OK", "[----", "[====", "[  PASSED", "Note: ", "[  SKIPPED")
MODELS_GIB = 4
LONGEST_FIRST = ("test_ops", "pytest", "test_unit", "conformance", "test_models", "test_device")
output = threading.Lock()


def tell(text: str) -> None:
    """Whole lines, whoever else prints."""
    with output:
        print(text.rstrip("\n"), flush=True)


class Count:
    """Passed, failed and skipped tests of one runner."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


@dataclasses.dataclass
class Runner:
    """`part` is all or a shard of what `name` stands for."""

    name: str
    run: Callable[[], Count]
    part: str = ""

    def rank(self) -> int:
        return next((i for i, name in enumerate(LONGEST_FIRST) if self.name == name), len(LONGEST_FIRST))


def prepare_models(target: pathlib.Path) -> pathlib.Path | None:
    """The folder with the full-size models, made from ../shared/models where that is present."""
    given = os.environ.get("MGX_MODELS_DIR")
    if given:
        return pathlib.Path(given)
    source = ROOT.parent / "shared" / "models"
    if not (source / "make_weights.py").exists():
        count = len(list(source.glob("*.onnx"))) or "the"
        print(f"models: {source}/make_weights.py is not there, {count} full-size models are skipped", flush=True)
        return None
    target.mkdir(parents=True, exist_ok=True)
    if not any(target.glob("*.weights")) and shutil.disk_usage(target).free < MODELS_GIB << 30:
        print(f"models: less than {MODELS_GIB} GiB free, the full-size models are skipped", flush=True)
        return None
    print(f"+ {source}/make_weights.py {target}", flush=True)
    made = subprocess.run([sys.executable, str(source / "make_weights.py"), str(target)], stdout=subprocess.DEVNULL)
    if made.returncode != 0:
        print("models: make_weights.py failed, the full-size models are skipped", flush=True)
        return None
    return target


def run_echoing(command: list[str], env: dict, folder: pathlib.Path, limit: float, see: Callable[[str], bool]) -> int:
    """Runs a command, echoing the lines that `see` wants; the exit code, 124, 137 or -9 at the limit."""
    with subprocess.Popen(["timeout", "--kill-after=10", str(int(limit)), *command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", env=env, cwd=folder) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if see(line):
                tell(line)
    return process.returncode


def how_it_ended(code: int) -> str:
    return "ran past its time limit" if code in (124, 137, -9) else f"ended with {code}"


def run_gtest(binary: pathlib.Path, report: pathlib.Path, env: dict, limit: float, extra: list[str]) -> Count:
    """Runs one binary, echoing all but its routine lines."""
    report.unlink(missing_ok=True)
    seen, running = Count(), ""

    def see(line: str) -> bool:
        nonlocal seen, running
        if line.startswith("[ RUN "):
            running = line[12:].strip()
        elif line.startswith(("[       OK", "[  FAILED", "[  SKIPPED")) and line.rstrip().endswith("ms)"):
            seen += Count(line[2:].strip().startswith("OK"), "FAILED" in line[:10], "SKIPPED" in line[:11])
            running = ""
        return bool(line.strip()) and not line.startswith(HIDDEN)

    command = [str(binary), f"--gtest_output=json:{report}", "--gtest_color=no", *extra]
    code = run_echoing(command, env, ROOT / "tests", limit, see)
    count = seen
    if report.exists():
        count = Count()
        found = json.loads(report.read_text())
        count.failed = found["failures"] + found.get("errors", 0)
        cases = [test for suite in found["testsuites"] for test in suite["testsuite"]]
        count.skipped = sum(1 for test in cases if test.get("result") == "SKIPPED")
        count.passed = sum(1 for test in cases if test.get("result") == "COMPLETED") - count.failed
    if code != 0 and (count.failed == 0 or not report.exists()):
        only = f"{binary} --gtest_filter='{running}'" if running else str(binary)
        tell(f"{binary.name}: {how_it_ended(code)} in {running or 'no test'}; repeat with: {only}")
        count.failed += 1
    return count


def sanitizers_of(build: pathlib.Path) -> str | None:
    cache = build / "CMakeCache.txt"
    found = re.search(r"^MIGRAPHX_SANITIZE:\w+=(.+)$", cache.read_text(), re.M) if cache.exists() else None
    return found[1] if found else None


def sanitizer_env(env: dict, reports: pathlib.Path) -> dict | None:
    """The environment of a Python that loads sanitized libraries; None where that cannot work. What sanitizers
    find goes to files, as pytest keeps the output of a test until its end, which then does not come."""
    found = env.get("MGX_SANITIZE")
    if not found:
        return env
    if "address" not in found:
        return None

    def library(name: str) -> str:
        found = subprocess.run(["g++", f"-print-file-name={name}"], capture_output=True, text=True)
        return os.path.realpath(found.stdout.strip())

    # The interceptor of exceptions looks for the C++ library at the start, when Python has not loaded it yet.
    # Python itself frees little at its end.
    log = f"log_path={reports / 'sanitizer'}"
    return dict(env, LD_PRELOAD=f"{library('libasan.so')} {library('libstdc++.so')}",
                ASAN_OPTIONS=f"{env['ASAN_OPTIONS']}:detect_leaks=0:{log}", UBSAN_OPTIONS=f"{env['UBSAN_OPTIONS']}:{log}")


def print_findings(reports: pathlib.Path) -> None:
    """What sanitizers wrote, and their files gone."""
    for path in sorted(reports.glob("sanitizer.*")):
        lines = path.read_text(errors="replace").splitlines()
        print("\n".join([f"{path.name}:", *lines[:40]]), flush=True)
        path.unlink()


def run_pytest(folders: list[pathlib.Path], report: pathlib.Path, env: dict, limit: float, quick: bool) -> Count:
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", "-rs",
               f"--junit-xml={report}", *(["-m", "not slow"] if quick else []), *map(str, folders)]
    code = run_echoing(command, env, ROOT, limit, lambda line: bool(line.strip()))
    count = Count()
    if report.exists():
        for suite in xml.parse(report).getroot().iter("testsuite"):
            failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped = int(suite.get("skipped", 0))
            count += Count(int(suite.get("tests", 0)) - failed - skipped, failed, skipped)
    if code not in (0, 5) and count.failed == 0:
        tell(f"pytest: {how_it_ended(code)}; repeat with: {' '.join(command)}")
        count.failed = 1
    return count


def run_conformance(report: pathlib.Path, env: dict, limit: float, extra: list[str]) -> Count:
    """The official ONNX cases, by one process: others run beside it."""
    report.unlink(missing_ok=True)
    command = [sys.executable, str(ROOT / "tests" / "conformance" / "run.py"), f"--report={report}", "--jobs=1", *extra]
    code = run_echoing(command, env, ROOT, limit, lambda line: True)
    if not report.exists():
        tell(f"conformance: {how_it_ended(code)}; repeat with: {' '.join(command)}")
        return Count(failed=1)
    found = json.loads(report.read_text())
    return Count(found["passed"], found["failed"], found["expected"])


def gtest_runners(build: pathlib.Path, reports: pathlib.Path, env: dict, args) -> list[Runner]:
    def runner(name: str, binary: pathlib.Path, extra: list[str], part="", **more) -> Runner:
        def run() -> Count:
            more_env = dict(env, **more)
            if binary.name in UNLOADERS:
                more_env["ASAN_OPTIONS"] += ":detect_leaks=0"
            return run_gtest(binary, reports / f"{name}{part}.json", more_env, args.limit, [*args.gtest_args, *extra])
        return Runner(name, run, part)

    result = []
    for binary in sorted((build / "tests").glob("test_*")):
        if not os.access(binary, os.X_OK) or binary.is_dir() or (args.quick and binary.name in FULL_ONLY):
            continue
        shards = args.jobs if binary.name == "test_ops" else 1
        for i in range(shards):
            shard = {"GTEST_TOTAL_SHARDS": str(shards), "GTEST_SHARD_INDEX": str(i)} if shards > 1 else {}
            result.append(runner(binary.name, binary, [], f"-{i + 1}-of-{shards}" if shard else "", **shard))
    # Fused regions run on cpu in three ways; the main run has the default.
    binary = build / "tests" / "test_ops"
    for backend in ("jit", "interpreter") if binary.exists() else ():
        chosen = "ops_pointwise.*:ops_modules.*" if args.quick else "ops_pointwise*:ops_modules*"
        result.append(runner(f"test_ops-nest-{backend}", binary, [f"--gtest_filter={chosen}", "--target", "cpu"],
                             MIGRAPHX_CPU_NEST=backend))
    return result


def python_runners(reports: pathlib.Path, env: dict, args) -> list[Runner]:
    folders = sorted({path.parent for path in (ROOT / "tests").glob("*/test_*.py")})
    result = []
    if folders:
        result.append(Runner("pytest", lambda: run_pytest(folders, reports / "pytest.xml", env, args.limit, args.quick)))

    def conformance(part: str, extra: list[str]) -> Runner:
        report = reports / f"conformance{part}.json"
        return Runner("conformance", lambda: run_conformance(report, env, args.limit, extra), part)

    if args.quick:
        result.append(conformance("", ["--target=cpu", "--skip-kind=cpu:light"]))
    else:
        result += [conformance(f"-{target}", [f"--target={target}"]) for target in ("null", "ref", "cpu")]
    return result


def run_all(runners: list[Runner], jobs: int) -> Count:
    """Runs them side by side, the longest first, and tells of each."""
    def run(runner: Runner) -> Count:
        begun = time.monotonic()
        count = runner.run()
        tell(f"{runner.name}{runner.part}: {count} ({time.monotonic() - begun:.1f} s)")
        return count

    total = Count()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for count in pool.map(run, sorted(runners, key=Runner.rank)):
            total += count
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/release", help="build folder to test")
    parser.add_argument("--quick", action="store_true", help="leave out what takes long")
    parser.add_argument("--only", default="", help="run only runners whose name contains this")
    parser.add_argument("--jobs", type=int, default=min(8, len(os.sched_getaffinity(0))), help="runners at once")
    parser.add_argument("--limit", type=float, default=1200,
                        help="seconds that one runner may take, thrice as many with sanitizers")
    parser.add_argument("gtest_args", nargs="*", help="passed to the gtest binaries, after --")
    args = parser.parse_args()

    build = (ROOT / args.build).resolve()
    reports = build / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    env = dict(os.environ, MGX_BUILD_DIR=str(build), MGX_DRIVER=str(build / "bin" / "migraphx-driver"))
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(build / "python"), env.get("PYTHONPATH", "")]))
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    if sanitizers := sanitizers_of(build):
        args.limit *= 3
        env["MGX_SANITIZE"] = sanitizers
        if "address" in sanitizers:  # generated kernels of the target null are checked as well
            env.setdefault("MIGRAPHX_GPU_HOST_CXX", "g++ -fsanitize=address")
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    env.setdefault("ASAN_OPTIONS", "allocator_may_return_null=1")  # too much is refused with std::bad_alloc, as ever
    env.setdefault("TSAN_OPTIONS", f"suppressions={ROOT}/tests/tsan.supp:ignore_noninstrumented_modules=1:die_after_fork=0")
    env.setdefault("VIRTUAL_ENV", sys.prefix)  # where the engine looks for pip's NVRTC
    # The target null: code compiled by one runner serves the others, and all of it must compile for CUDA as well.
    env.setdefault("MIGRAPHX_GPU_CACHE", str(build / "gpu-code"))
    if not sanitizers:
        env.setdefault("MIGRAPHX_GPU_ALSO_FOR", "sm_90")
    if args.quick:
        env["MGX_TEST_QUICK"] = "1"
        env.pop("MGX_MODELS_DIR", None)
    else:
        models = prepare_models(ROOT / "build" / "models")
        if models:
            env["MGX_MODELS_DIR"] = str(models)

    started = time.monotonic()
    runners = gtest_runners(build, reports, env, args)
    if (python_env := sanitizer_env(env, reports)) is not None:
        runners += python_runners(reports, python_env, args)
    total = run_all([r for r in runners if args.only in r.name], args.jobs)
    print_findings(reports)

    print(f"all runners: {time.monotonic() - started:.0f} s", flush=True)
    print(total, flush=True)
    return 0 if total.failed == 0 and total.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
