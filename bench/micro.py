#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Single operators of our engine, ONNX Runtime and OpenVINO, in processes that take turns, on one thread
and on two, against the bars of micro_rows.py.

ratio = best peer / ours. GF/s and GB/s are those of the row's own flops and least bytes. Markdown and JSON
go to bench/results/. Exit status: 0 every bar holds, 1 one does not or ours failed, 2 wrong use.
"""
import argparse
import pathlib
import sys

import compare
import harness
import micro_rows
from harness import LABELS, EngineError

ENGINES = ("migraphx", "ort", "openvino")


def measure(args, row, threads):
    """Engine -> its timings of one row."""
    args.threads = threads
    model = row.model()
    with harness.Workers(args) as workers:
        alive, failed = {}, {}
        for engine in ENGINES:
            try:
                alive[engine] = workers.start(engine, model, model.cases)
            except EngineError as error:
                failed[engine] = {"error": str(error)}
        taken, _ = compare.measure_case(workers, args, model.cases[0], alive)
        compare.measure_errors(model, model.cases[0], alive, taken)
        return {**taken, **failed}


def markdown(facts, lines, bars):
    header = [("row", True), ("threads", False), *((f"{LABELS[e]} µs", False) for e in ENGINES), ("ratio", False), ("GF/s", False),
              ("GB/s", False), ("bar µs", False), ("", True), ("error of ours", False)]
    rows = []
    for line in lines:
        us = [line["engines"][e].get("min_ms") for e in ENGINES]
        ours = us[0]
        bar = line["bar_us"]
        errors = line["engines"]["migraphx"].get("errors")
        rows.append([line["row"], str(line["threads"]), *(compare.number(t and t * 1000) for t in us), compare.number(line["ratio"]),
                     compare.number(ours and line["flops"] / ours / 1e6), compare.number(ours and line["bytes"] / ours / 1e6),
                     compare.number(bar), "" if line["good"] is None else "good" if line["good"] else "**above**",
                     f"{max(errors):.1e}" if errors else "–"])
    failed = [f"- {line['row']}, {line['threads']} threads, {LABELS[e]}: {x['error']}" for line in lines
              for e, x in line["engines"].items() if "error" in x]
    mean = compare.geometric_mean([line["ratio"] for line in lines])
    return "\n".join(["# Single operators\n", harness.facts_markdown(facts, {}), f"Command: `{facts['command']}`\n",
                      f"{bars[0]} of {bars[1]} bars hold. Geometric mean of best peer / ours: **{compare.number(mean)}**. "
                      "Minimum times; layouts of inputs and outputs as in the model, so changes of layout count.\n",
                      harness.markdown_table(header, rows), *(["## What could not be measured\n", "\n".join(failed) + "\n"] if failed else [])])


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    harness.add_common_options(parser)
    parser.add_argument("--rounds", type=int, default=4, help="turns of each engine in a row")
    parser.add_argument("--budget", type=float, default=0.4, help="seconds each engine runs each row")
    parser.add_argument("--quiet", type=float, default=0, help="longest wait before a turn for other programs to be idle")
    parser.add_argument("--prepare", action="store_true", help="only write the models")
    parser.add_argument("--out", type=pathlib.Path, default=harness.ROOT / "bench" / "results" / "micro",
                        help="results without suffix (default: bench/results/micro)")
    parser.set_defaults(models_dir=harness.ROOT / "build" / "micro", iters="auto")
    args = parser.parse_args(arguments)
    chosen = [row for row in micro_rows.ROWS if not args.models or any(row.name.startswith(n.rstrip("*")) for n in args.models)]
    if not chosen:
        parser.error(f"--models: expected some of {', '.join(row.name for row in micro_rows.ROWS)}")
    micro_rows.prepare(args.models_dir, chosen)
    if args.prepare:
        return 0
    facts = harness.run_facts(args)
    facts["command"] = " ".join(["bench/micro.py", *arguments])
    lines = []
    for row in chosen:
        for threads in (1, 2):
            taken = measure(args, row, threads)
            ours = taken["migraphx"].get("min_ms")
            # The bars are those of one thread; the row of many layers has the same with any number.
            bar = row.bar_us if threads == 1 or row.name.startswith("tiny") else None
            lines.append({"row": row.name, "threads": threads, "engines": taken, "ratio": compare.ratio(taken, "min_ms"),
                          "flops": row.flops, "bytes": row.bytes, "bar_us": bar,
                          "good": None if bar is None else ours is not None and ours * 1000 <= bar})
            print(f"{row.name}, {threads}: {compare.number(lines[-1]['ratio'])}", file=sys.stderr, flush=True)
    judged = [line["good"] for line in lines if line["good"] is not None]
    facts["threads"] = "1 and 2"
    text = markdown(facts, lines, (sum(judged), len(judged)))
    harness.write_results(args.out, text, {**facts, "lines": lines})
    print(text)
    return 0 if all(judged) and all("error" not in line["engines"]["migraphx"] for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
