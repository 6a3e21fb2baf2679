#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Models on a target against ONNX Runtime, in f32 and with quantize_fp16. Each model runs in a process of
its own, several at a time; weights are made from their seeds first.

The error of an output is the largest difference over the largest magnitude of what ONNX Runtime computes
in f32 from the same inputs.
"""
from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import pathlib
import sys
import time

import numpy as np

import models
from common import Tree, die, one_line, run, table, write_result

LIMITS = {"f32": 1e-3, "fp16": 3e-2}
# What detection models list is sorted by scores, which rounding in half reorders: their boxes are compared
# in f32 only.
F32_ONLY = {"ssdlite320"}


def reference(path, case_inputs):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = 4
    options.log_severity_level = 3
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, case_inputs)


def relative_error(got, expected):
    if got.shape != expected.shape:
        return f"shape {expected.shape} was expected, got {got.shape}"
    if expected.size == 0:
        return 0.0
    if expected.dtype.kind in "iub":
        return float(np.mean(got != expected))
    got, expected = got.astype(np.float64), expected.astype(np.float64)
    if not np.array_equal(np.isfinite(got), np.isfinite(expected)):
        return "infinities or NaN where ONNX Runtime has none, or the other way round"
    finite = np.isfinite(expected)
    if not finite.any():
        return 0.0
    return float(np.max(np.abs(got[finite] - expected[finite])) / max(np.max(np.abs(expected[finite])), 1e-30))


def detection_error(got, expected):
    """Boxes (n, 4), scores (n), labels (n) in any order of equal rows: each expected detection of a clear
    score has one beside it."""
    def find(outputs, rank, kind):
        return next(x for x in outputs if x.ndim == rank and x.dtype.kind in kind)
    boxes, scores, labels = (find(got, 2, "f"), find(got, 1, "f"), find(got, 1, "iu"))
    want_boxes, want_scores, want_labels = (find(expected, 2, "f"), find(expected, 1, "f"), find(expected, 1, "iu"))
    worst, scale = 0.0, max(1.0, float(np.abs(want_boxes).max(initial=0)))
    missing = 0
    floor = (want_scores.min() if len(want_scores) else 0) + 1e-3  # rows at the cut may go either way
    for box, score, label in zip(want_boxes, want_scores, want_labels):
        same = labels == label
        if not same.any():
            missing += score > floor
            continue
        distance = np.maximum(np.abs(boxes[same] - box).max(axis=1) / scale, np.abs(scores[same] - score))
        if distance.min() > 1e-2:
            missing += score > floor
        else:
            worst = max(worst, float(distance.min()))
    return f"{missing} of {len(want_scores)} detections are missing" if missing > 0.02 * len(want_scores) else worst


def check_one(name, folder, target, precision):
    import migraphx
    model = models.find(name)
    path = folder / f"{name}.onnx"
    rows = []
    for case in model.cases:
        inputs = models.make_inputs(model, case)
        expected = reference(path, inputs)
        begun = time.monotonic()
        program = migraphx.parse_onnx(str(path), map_input_dims={k: list(v.shape) for k, v in inputs.items()})
        if precision == "fp16":
            migraphx.quantize_fp16(program)
        program.compile(migraphx.get_target(target))
        seconds = time.monotonic() - begun
        for _ in range(2):  # as it is and from the recorded graph
            got = [np.array(x) for x in program.run(inputs)]
        if model.detections:
            error = detection_error(got, expected)
        else:
            errors = [relative_error(g, e) for g, e in zip(got, expected)]
            texts = [e for e in errors if isinstance(e, str)]
            error = texts[0] if texts else max(errors)
        rows.append({"case": case.name, "error": error, "compile_s": round(seconds, 2)})
    print("RESULT " + json.dumps(rows))


def judge(rows, limit):
    bad = [r for r in rows if isinstance(r["error"], str) or not r["error"] <= limit]
    worst = max((r["error"] for r in rows if not isinstance(r["error"], str)), default=float("nan"))
    return not bad, bad[0]["error"] if bad and isinstance(bad[0]["error"], str) else worst


def make_weights(folder, chosen, jobs):
    """The models' files; those with made weights in parallel."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [m for m in chosen if m.source[0] == "weights"]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(lambda m: models.prepare(folder, [m]), made))
    left_out = []
    for m in chosen:
        if m.source[0] == "weights":
            continue
        carried = pathlib.Path(os.environ.get("MIGRAPHX_MODEL_GRAPHS", "/")) / f"{m.name}.onnx"
        target = folder / f"{m.name}.onnx"
        try:
            if carried.exists() and not target.exists():
                target.symlink_to(carried)
            models.prepare(folder, [m])
        except (FileNotFoundError, OSError) as error:
            left_out.append((m.name, one_line(error)))
    return left_out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tree", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--limit", type=float, default=240)
    parser.add_argument("--target", default="gpu")
    parser.add_argument("--models", default="")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/tmp/gpu_check_models"))
    parser.add_argument("--one", help="internal: NAME:PRECISION in this process")
    args = parser.parse_args()
    if args.one:
        name, precision = args.one.split(":")
        return check_one(name, args.folder, args.target, precision)

    begun = time.monotonic()
    cores = os.cpu_count() or 2
    names = args.models.split(",") if args.models else [m.name for m in models.MODELS if m.source[0] != "onnx"]
    try:
        chosen = models.select(names)
    except KeyError as error:
        die(error.args[0])
    left_out = make_weights(args.folder, chosen, cores)
    weights_seconds = time.monotonic() - begun
    chosen = [m for m in chosen if m.name not in dict(left_out)]
    env = Tree(args.tree).environment()
    until = begun + args.limit - 5
    logs = open(args.out / "models.txt", "w")

    def one(work):
        model, precision = work
        left = until - time.monotonic()
        if left < 5:
            return model.name, precision, False, "not run: out of time", []
        done = run([sys.executable, __file__, "--tree", str(args.tree), "--out", str(args.out), "--target", args.target,
                    "--folder", str(args.folder), "--one", f"{model.name}:{precision}"], min(left, 120), env)
        logs.write(f"== {model.name} {precision}: {done.ending}, {done.seconds:.0f} s\n{done.out}\n")
        line = next((x for x in done.out.splitlines() if x.startswith("RESULT ")), None)
        if line is None:
            return model.name, precision, False, one_line(done.out[-300:]) or done.ending, []
        rows = json.loads(line[7:])
        good, error = judge(rows, LIMITS[precision])
        return model.name, precision, good, error, rows

    work = [(m, p) for p in LIMITS for m in chosen if not (p == "fp16" and m.name in F32_ONLY)]
    with concurrent.futures.ThreadPoolExecutor(max(1, min(4, cores // 4))) as pool:
        results = list(pool.map(one, work))
    bad = [r for r in results if not r[2]]
    by_model = {}
    for name, precision, good, error, rows in results:
        text = error if isinstance(error, str) else f"{error:.1e}"
        by_model.setdefault(name, {})[precision] = ("" if good else "BAD ") + one_line(text, 100)
    shown = table([[n, r.get("f32", ""), r.get("fp16", "")] for n, r in by_model.items()], ["model", "f32", "fp16"])
    counts = ", ".join(f"{p} {sum(r[2] for r in results if r[1] == p)} of {sum(r[1] == p for r in results)}"
                       for p in LIMITS)
    summary = f"models right: {counts}; weights made in {weights_seconds:.0f} s"
    if left_out:
        summary += f"; left out: {', '.join(n for n, _ in left_out)}"
    write_result(args.out, "models", ok=not bad and bool(results), summary=summary, table=shown, left_out=left_out,
                 results=[{"model": r[0], "precision": r[1], "good": r[2], "error": r[3], "cases": r[4]}
                          for r in results])


if __name__ == "__main__":
    sys.exit(main())
