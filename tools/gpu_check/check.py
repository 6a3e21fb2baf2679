#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the gpu target on a machine that has a GPU, from an install tree, and measures it against
PyTorch. Each section runs by itself with its own limit; one that fails leaves the others alone.

usage: check.py [--tree FOLDER] [--out FOLDER] [--only SECTION,...] [--skip SECTION,...] [--minutes 9.5]
--out gets summary.md, summary.json, a JSON file per section and logs; a short table is printed last.
Exit code: 0 when every section that ran is good.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
import tarfile
import time

from common import ROOT, Tree, one_line, run, table, write_result

# name, limit in seconds, what it shows
SECTIONS = {
    "device": (110, "the device interface keeps its promises"),
    "speed": (350, "time against PyTorch, time to compile and load"),
    "models": (200, "models agree with ONNX Runtime"),
    "ops": (150, "operator cases agree with the reference"),
    "onnx": (150, "official ONNX cases"),
    "stress": (100, "threads, loads and unloads, memory that runs out"),
    "sanitizer": (90, "compute-sanitizer on a subset"),
    "torch": (60, "memory shared with PyTorch"),
}


def python_section(name):
    def call(tree, out, limit, args):
        extra = ["--target", args.target]
        if name == "speed":
            extra += ["--models", args.speed_models] if args.speed_models else []
        if name == "models" and args.models:
            extra += ["--models", args.models]
        done = run([sys.executable, str(pathlib.Path(__file__).with_name(f"section_{name}.py")), "--tree", str(tree.folder),
                    "--out", str(out), "--limit", str(limit)] + extra,
                   limit, tree.environment(PYTHONUNBUFFERED="1"), out / f"{name}.log")
        return finished(out, name, done)
    return call


def finished(out, name, done):
    """What the section wrote, or how it ended without that."""
    path = out / f"{name}.json"
    if path.exists():
        result = json.loads(path.read_text())
        if done.code is None:
            result["summary"] += f" (stopped after {done.seconds:.0f} s)"
        return result
    return {"ok": False, "summary": f"{done.ending}: {one_line(done.out[-400:])}"}


def device(tree, out, limit, args):
    # The same cases on the host, which compiles its kernels for a long time, belong to the suite.
    done = run([tree.program("test_device"), "--gtest_filter=-*/host"], limit, tree.environment(), out / "device.log")
    lines = [x for x in done.out.splitlines() if x.startswith("[  ") and "listed" not in x and "tests" in x]
    ran = "devices/contract.launches/gpu" in done.out and "SKIPPED ] devices/contract.launches/gpu" not in done.out
    result = {"ok": done.code == 0 and ran, "summary": one_line(" ".join(lines) or done.ending)}
    write_result(out, "device", **result)
    return result


def ops(tree, out, limit, args):
    import op_cases
    return op_cases.check(tree, out, limit, target=args.target, only=args.cases)


def onnx(tree, out, limit, args):
    report = out / "onnx_counts.json"
    jobs = max(2, min(14, (os.cpu_count() or 2) - 2))
    command = [sys.executable, str(ROOT / "tests/conformance/run.py"), "--target", args.target, "--jobs", str(jobs),
               "--limit", "60", "--groups", "--show", "0", "--out", str(out), "--report", str(report),
               "--skip-kind", f"{args.target}:light"]
    done = run(command, limit, tree.environment(), out / "onnx.log")
    if not report.exists():
        return finished(out, "onnx", done)
    counts = json.loads(report.read_text())
    total = counts["passed"] + counts["failed"] + counts["expected"]
    share = counts["passed"] / max(1, total)
    result = {"ok": share >= 0.95, "summary": f"{counts['passed']} of {total} pass ({100 * share:.1f} %)", **counts}
    write_result(out, "onnx", **result)
    return result


def torch(tree, out, limit, args):
    """tests/python/test_device_torch.py, and with several GPUs test_device_several.py"""
    env = tree.environment()
    env["PYTHONPATH"] += f":{tree.folder / 'pytest'}"  # carried for machines without
    done = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs",
                str(ROOT / "tests/python/test_device_torch.py"), str(ROOT / "tests/python/test_device_several.py")], limit, env, out / "torch.log")
    lines = [x for x in done.out.splitlines() if "passed" in x or "failed" in x or "skipped" in x]
    result = {"ok": done.code == 0 and " passed" in done.out, "summary": one_line((lines or [done.ending])[-1])}
    write_result(out, "torch", **result)
    return result


def facts(tree, out):
    """The machine and the versions, for whoever reads the numbers later."""
    lines = []
    for command in (["nvidia-smi", "--query-gpu=name,driver_version,memory.total,memory.used,clocks.sm", "--format=csv"],
                    ["uname", "-r"], ["nproc"],
                    [sys.executable, "-c", "import torch; print('torch', torch.__version__, 'cuda', torch.version.cuda,"
                     " 'cudnn', torch.backends.cudnn.version())"]):
        try:
            lines.append(run(command, 60, dict(os.environ)).out.strip())
        except OSError as error:
            lines.append(str(error))
    (out / "machine.txt").write_text("\n".join(lines) + "\n")
    return lines[0].splitlines()[-1] if lines[0] else "unknown"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default_tree = ROOT / "build/gpu_pack" if (ROOT / "build/gpu_pack").exists() else ROOT / "build/prefix"
    parser.add_argument("--tree", type=pathlib.Path, default=default_tree, help="install tree or pack")
    parser.add_argument("--out", type=pathlib.Path,
                        default=pathlib.Path(os.environ.get("OUT") or ROOT / "build/gpu_check"))
    parser.add_argument("--only", default="", help="of: " + ", ".join(SECTIONS))
    parser.add_argument("--skip", default="")
    parser.add_argument("--minutes", type=float, default=9.5, help="for all sections together")
    parser.add_argument("--target", default="gpu", help="null: the same on the host, as far as it goes")
    parser.add_argument("--cases", default="", help="operator cases whose name matches this expression")
    parser.add_argument("--models", default="", help="models to check, with commas")
    parser.add_argument("--speed-models", default="", help="models to measure, with commas")
    parser.add_argument("--pack-logs", action="store_true", help="logs go into one archive")
    args = parser.parse_args()
    chosen = [s for s in (args.only.split(",") if args.only else SECTIONS) if s and s not in args.skip.split(",")]
    if unknown := [s for s in chosen if s not in SECTIONS]:
        parser.error(f"--only: sections {', '.join(SECTIONS)} were expected, got {', '.join(unknown)}")

    begun = time.monotonic()
    tree, out = Tree(args.tree), args.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    own = {"device": device, "ops": ops, "onnx": onnx, "torch": torch}
    machine = facts(tree, out)
    results = {}
    for name in chosen:
        left = 60 * args.minutes - (time.monotonic() - begun) - 5
        limit = min(SECTIONS[name][0], left)
        start = time.monotonic()
        if limit < 10:
            results[name] = {"ok": False, "summary": "not run: out of time"}
        else:
            print(f"-- {name}: {SECTIONS[name][1]}", flush=True)
            (out / f"{name}.json").unlink(missing_ok=True)
            try:
                results[name] = own.get(name, python_section(name))(tree, out, limit, args)
            except Exception as error:  # noqa: BLE001: the next section is another matter
                results[name] = {"ok": False, "summary": f"{type(error).__name__}: {one_line(error)}"}
        results[name]["seconds"] = round(time.monotonic() - start, 1)
        print(f"   {results[name]['summary']}", flush=True)
        write_summary(out, machine, results)
    print((out / "summary.md").read_text())
    if args.pack_logs:
        archive(out)
    return 0 if results and all(r["ok"] for r in results.values()) else 1


def write_summary(out, machine, results):
    rows = [[n, "good" if r["ok"] else "BAD", r["seconds"], r["summary"]] for n, r in results.items()]
    text = f"# gpu_check\n\n{machine}\n\n" + table(rows, ["section", "", "s", "result"]) + "\n"
    for r in results.values():
        if r.get("table"):
            text += "\n" + r["table"] + "\n"
    (out / "summary.md").write_text(text)
    (out / "summary.json").write_text(json.dumps({"machine": machine, "sections": results}, indent=1) + "\n")


def archive(out):
    with tarfile.open(out / "logs.tar.gz", "w:gz") as tar:
        for path in sorted(out.iterdir()):
            if path.name not in ("summary.md", "summary.json", "logs.tar.gz") and path.is_file():
                tar.add(path, path.name)
                path.unlink()


if __name__ == "__main__":
    sys.exit(main())
