#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the answers of our engine with ONNX Runtime's for every test model and shape, and those
of the reference target with it for the small models.

The error of an output is its largest difference over the largest magnitude of ONNX Runtime's
answer; a model's limit is 1e-3 (fp16: 2e-2). All shapes of a model go through one compiled
program. The light models are also held against the outputs their package states. Markdown and JSON
go to bench/results/. Exit status: 0 all within limits, 1 one is not or could not run, 2 wrong use.
"""
import argparse
import math
import pathlib
import sys

import harness
from harness import LABELS, EngineError
import models


def answers(workers, engine, model, cases, target=None):
    """Case name -> outputs, or the error in a line; and the version of the engine."""
    try:
        worker = workers.start(engine, model, cases, target)
    except EngineError as error:
        return {case.name: str(error) for case in cases}, None
    out = {}
    for case in cases:
        try:
            out[case.name] = worker.outputs(case)
        except EngineError as error:
            out[case.name] = str(error)
    version = worker.started["version"]
    worker.stop()
    return out, version


def judge(model, what, case, reference, got):
    """One line of the table: `what` was compared, the error of each output, good or not."""
    line = {"model": model.name, "case": case.name, "what": what, "limit": model.tolerance}
    for side in (reference, got):
        if isinstance(side, str):
            return {**line, "good": False, "failure": side}
    errors = harness.output_errors(model, reference, got)
    return {**line, "errors": errors, "good": max(errors, default=0.0) <= model.tolerance}


def check_model(args, workers, model, versions):
    label = args.target if args.engine == "migraphx" else LABELS[args.engine]
    reference, versions["ort"] = answers(workers, "ort", model, model.cases)
    got, version = answers(workers, args.engine, model, model.cases)
    versions[args.engine] = version or versions.get(args.engine, "unknown")
    lines = [judge(model, f"{label} : ONNX Runtime", case, reference[case.name], got[case.name])
             for case in model.cases]
    first = model.cases[0]
    stated = models.expected_outputs(model)
    if stated is not None:
        lines.append(judge(model, f"{label} : package", first, stated, got[first.name]))
    if args.engine == "migraphx" and args.target != "ref" and (model.small or args.all_on_ref):
        cases = model.cases if args.all_on_ref else (first,)
        oracle, _ = answers(workers, "migraphx", model, cases, "ref")
        lines += [judge(model, f"{label} : ref", case, oracle[case.name], got[case.name])
                  for case in cases]
    return lines


def markdown(facts, versions, lines):
    bad = [line for line in lines if not line["good"]]
    header = [("model", True), ("case", True), ("compared", True), ("largest error", False),
              ("limit", False), ("", True)]
    rows = []
    for line in lines:
        error = max(line["errors"], default=0.0) if "errors" in line else math.nan
        rows.append([line["model"], line["case"], line["what"],
                     "–" if math.isnan(error) else f"{error:.1e}", f"{line['limit']:.0e}",
                     "" if line["good"] else "**too large**" if "errors" in line else "**failed**"])
    parts = ["# Accuracy\n", harness.facts_markdown(facts, versions),
             f"Command: `{facts['command']}`\n",
             f"{len(lines) - len(bad)} of {len(lines)} comparisons within their limits. The error "
             "is the largest difference over the largest magnitude of the right-hand side.\n",
             harness.markdown_table(header, rows)]
    failed = [f"- {line['model']} {line['case']}, {line['what']}: {line['failure']}"
              for line in bad if "failure" in line]
    if failed:
        parts += ["## Failures\n", "\n".join(failed) + "\n"]
    return "\n".join(parts)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    harness.add_common_options(parser)
    parser.add_argument("--engine", default="migraphx", choices=("migraphx", "openvino"),
                        help="engine to check; a peer shows what difference is ordinary")
    parser.add_argument("--all-on-ref", action="store_true",
                        help="run every model and case on the reference target too (slow)")
    parser.add_argument("--out", type=pathlib.Path,
                        help="results without suffix (default: bench/results/accuracy_TARGET)")
    args = parser.parse_args(arguments)
    chosen = harness.chosen_models(parser, args)
    name = args.target if args.engine == "migraphx" else args.engine
    out = args.out or harness.ROOT / "bench" / "results" / f"accuracy_{name}"
    models.prepare(args.models_dir, chosen)
    facts = harness.run_facts(args)
    facts["command"] = " ".join(["bench/accuracy.py", *arguments])
    versions, lines = {}, []
    with harness.Workers(args) as workers:
        for model in chosen:
            lines += check_model(args, workers, model, versions)
            bad = sum(not line["good"] for line in lines if line["model"] == model.name)
            print(f"{model.name}: {f'{bad} not within the limit' if bad else 'good'}",
                  file=sys.stderr, flush=True)
    text = markdown(facts, versions, lines)
    harness.write_results(out, text, {**facts, "versions": versions, "lines": lines})
    print(text)
    return 0 if all(line["good"] for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
