#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How far answers are from the reference target's, which computes every operator in double: ONNX
Runtime's, and ours with each setting that may change a result (threads, instruction set, fast_math).

The error of an output is its largest difference over the largest magnitude of the reference; that of
the root of mean squares stands behind it. Each case is computed for --samples inputs and the largest error
counts: of a model that answers with one number, a single input says little. Two bars: our error with the default setting is at most 4 times
ONNX Runtime's, which counts as 1.2e-7 (one unit in the last place of 1) where it is less; and no two of
our settings differ by more than SPREAD, or by more than twice ONNX Runtime's error where a model amplifies
any rounding to more (docs/numerics.md), which is `spread` in the table. Markdown and
JSON go to bench/results/. Exit status: 0 all within the bars, 1 one is not or could not run, 2 wrong use.
"""
import argparse
import itertools
import pathlib
import sys

import harness
from harness import EngineError
import models
import numpy as np

SETTINGS = {
    "default": {},
    "1 thread": {"num_threads": 1},
    "fast_math off": {"fast_math": False},
    "avx2": {"isa": "avx2"},
    "baseline": {"isa": "baseline"},
}
BAR = 4.0
SPREAD = 1e-4
LEAST = 2.0 ** -23


def rms_error(reference, got):
    a, b = reference.astype(np.float64).ravel(), got.astype(np.float64).ravel()
    finite = np.isfinite(a)
    power = float(np.sqrt(np.mean(a[finite] ** 2))) if finite.any() else 0.0
    return float(np.sqrt(np.mean((a - b)[finite] ** 2))) / (power or 1.0) if finite.any() else 0.0


def errors(model, reference, got):
    """Largest over the outputs: of the largest difference, and of the root of mean squares."""
    if model.detections:
        got = harness.pair_detections(reference, got)
    return (max(harness.output_errors(model, reference, got), default=0.0),
            max((rms_error(r, g) for r, g in zip(reference, got)), default=0.0))


def answers(workers, model, samples, engine, **options):
    """Outputs by the name of a sample."""
    worker = workers.start(engine, model, samples, **options)
    try:
        return {sample.name: worker.outputs(sample) for sample in samples}
    finally:
        worker.stop()


def examine(workers, model, count):
    """A line for each case."""
    by_case = {case.name: models.samples(case, count) for case in model.cases}
    every = [sample for samples in by_case.values() for sample in samples]
    try:
        reference = answers(workers, model, every, "migraphx", target="ref")
        peer = answers(workers, model, every, "ort")
        ours = {name: answers(workers, model, every, "migraphx", **setting) for name, setting in SETTINGS.items()}
    except EngineError as error:
        return [{"model": model.name, "case": "", "failure": str(error)}]
    lines = []
    for case, samples in by_case.items():
        def largest(a, b):
            return tuple(map(max, zip(*(errors(model, a[s.name], b[s.name]) for s in samples))))
        line = {"model": model.name, "case": case, "ort": largest(reference, peer),
                "spread": max(largest(a, b)[0] for a, b in itertools.combinations(ours.values(), 2)),
                "ours": {name: largest(reference, a) for name, a in ours.items()}}
        line["ratio"] = line["ours"]["default"][0] / max(line["ort"][0], LEAST)
        lines.append(line)
    return lines


def spread_limit(line):
    return max(SPREAD, 2 * line["ort"][0])


def good(line):
    return line.get("ratio", BAR + 1) <= BAR and line["spread"] <= spread_limit(line)


def marked(text, wrong):
    return f"**{text}**" if wrong else text


def markdown(facts, lines):
    header = [("model", True), ("case", True), ("ONNX Runtime", False), *((name, False) for name in SETTINGS),
              ("ratio", False), ("spread", False)]
    rows, failed = [], []
    for line in lines:
        if "failure" in line:
            failed.append(f"- {line['model']}: {line['failure']}")
            continue
        both = "{0[0]:.1e} / {0[1]:.0e}".format
        rows.append([line["model"], line["case"], both(line["ort"]), *(both(e) for e in line["ours"].values()),
                     marked(f"{line['ratio']:.1f}", line["ratio"] > BAR), marked(f"{line['spread']:.1e}", line["spread"] > spread_limit(line))])
    within = sum(1 for line in lines if line.get("ratio", BAR + 1) <= BAR)
    parts = ["# Errors against the reference in double\n", harness.facts_markdown(facts, {}),
             f"Command: `{facts['command']}`, {facts['samples']} inputs for each case\n",
             f"{within} of {len(lines)} within {BAR:.0f} times ONNX Runtime's error; largest difference between two settings "
             f"{max((line['spread'] for line in lines if 'spread' in line), default=0):.1e}, at most {SPREAD:.0e}, or twice ONNX Runtime's error, is documented. Each cell: largest / root of mean "
             "squares, relative. ref rounds the result of each operator to f32.\n", harness.markdown_table(header, rows)]
    if failed:
        parts += ["## Failures\n", "\n".join(failed) + "\n"]
    return "\n".join(parts)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    harness.add_common_options(parser)
    parser.add_argument("--samples", type=int, default=5, metavar="N", help="inputs of each case (default: 5)")
    parser.add_argument("--out", type=pathlib.Path, default=harness.ROOT / "bench" / "results" / "numerics",
                        help="results without suffix (default: bench/results/numerics)")
    args = parser.parse_args(arguments)
    if args.samples < 1:
        parser.error(f"--samples {args.samples}: expected 1 or more")
    chosen = harness.chosen_models(parser, args)
    models.prepare(args.models_dir, chosen)
    facts = harness.run_facts(args)
    facts["samples"] = args.samples
    facts["command"] = " ".join(["bench/numerics.py", *arguments])
    lines = []
    with harness.Workers(args) as workers:
        for model in chosen:
            lines += examine(workers, model, args.samples)
            print(f"{model.name}: {', '.join(f'{x:.1f}' for x in (line.get('ratio') for line in lines if line['model'] == model.name) if x is not None)}",
                  file=sys.stderr, flush=True)
    text = markdown(facts, lines)
    harness.write_results(args.out, text, {**facts, "lines": lines})
    print(text)
    return 0 if all(map(good, lines)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
