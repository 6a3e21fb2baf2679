#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""One program of the PP-OCR recogniser for a thousand random widths and batches.

Each size is run once new and twice warm; resident memory is read on the way. Then a sample of sizes
is compiled with those sizes alone: answers of both programs are compared, and their latencies in
turns, within one process. Markdown and JSON go to bench/results/. Exit status: 0 when

  the answers differ by at most 1e-5 of the largest magnitude; or, where later sizes are convolved by other
  code (see cpu/lower/convolution.cpp) and differ by more, they are as good: against the reference target,
  over --on-ref of the sample, the largest error of the dynamic program is at most twice the static one's,
  the median over the sample of warm latency, dynamic over static, is at most 1.10,
  the median cost of a new size (first run less warm run) is at most 50 ms,
  resident memory after the warm-up (192 sizes) grows by at most 5 %,

1 when one does not hold, 2 for wrong use.
"""
import argparse
import pathlib
import random
import statistics
import sys
import time

import harness
import models
import numpy as np

MODEL = "ppocr_rec"
WARM_UP = 192  # three times the plans that are kept
LIMITS = {"error": 1e-5, "ratio": 1.10, "new_size_ms": 50.0, "growth": 1.05}


def resident_mib():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


def timed(program, x):
    """Milliseconds of a run, and its result."""
    feed = {"x": x}
    start = time.perf_counter_ns()
    results = program.run(feed)
    return (time.perf_counter_ns() - start) / 1e6, results[0]


class Inputs:
    """Slices of one page of text."""

    def __init__(self, batch, width):
        case = models.Case("pages", (models.Input("x", (batch, 3, 48, width), "page"),))
        self.pages = models.make_inputs(models.find(MODEL), case)["x"]

    def of(self, size):
        batch, width = size
        return np.ascontiguousarray(self.pages[:batch, :, :, :width])


def visit_sizes(program, inputs, sizes):
    """A line for each size: times, and resident memory after it."""
    lines = []
    for size in sizes:
        x = inputs.of(size)
        first, _ = timed(program, x)
        warm = min(timed(program, x)[0] for _ in range(2))
        lines.append({"size": size, "first_ms": first, "warm_ms": warm, "rss_mib": resident_mib()})
    return lines


def errors_on_ref(migraphx, path, x, static, dynamic):
    reference = migraphx.parse_onnx(path, map_input_dims={"x": list(x.shape)})
    reference.compile(migraphx.get_target("ref"))
    right = np.asarray(reference.run({"x": x})[0])
    return {"static_on_ref": harness.relative_error(right, static), "dynamic_on_ref": harness.relative_error(right, dynamic)}


def compare_with_static(migraphx, args, path, program, inputs, sizes):
    """A line for each size: error, warm latency of the dynamic and of a static program."""
    lines = []
    for size in sizes:
        x = inputs.of(size)
        start = time.perf_counter_ns()
        static = migraphx.parse_onnx(path, map_input_dims={"x": list(x.shape)})
        static.compile(migraphx.get_target(args.target), num_threads=args.threads)
        compile_ms = (time.perf_counter_ns() - start) / 1e6
        expected, got = (np.asarray(timed(p, x)[1]) for p in (static, program))
        error = harness.relative_error(expected, got)
        times = {"static": [], "dynamic": []}
        for turn in range(args.turns):
            order = [("static", static), ("dynamic", program)]
            for name, p in order if turn % 2 == 0 else reversed(order):
                times[name].append(timed(p, x)[0])
        against_ref = errors_on_ref(migraphx, path, x, expected, got) if len(lines) < args.on_ref else {}
        lines.append({"size": size, "error": error, "static_compile_ms": compile_ms, **against_ref,
                      **{f"{name}_{what.__name__}_ms": what(t) for name, t in times.items()
                         for what in (min, statistics.median)}})
    return lines


def totals(visited, compared, program):
    later = [line["rss_mib"] for line in visited[WARM_UP:]] or [visited[-1]["rss_mib"]]
    half = max(1, len(later) // 2)
    on_ref = [c for c in compared if "static_on_ref" in c]
    return {
        "static_on_ref": max((c["static_on_ref"] for c in on_ref), default=0.0),
        "dynamic_on_ref": max((c["dynamic_on_ref"] for c in on_ref), default=0.0),
        "new_size_ms": statistics.median(v["first_ms"] - v["warm_ms"] for v in visited),
        "new_size_p95_ms": sorted(v["first_ms"] - v["warm_ms"] for v in visited)[len(visited) * 95 // 100],
        "warm_ms": statistics.median(v["warm_ms"] for v in visited),
        "ratio": statistics.median(c["dynamic_median_ms"] / c["static_median_ms"] for c in compared),
        "ratio_of_minima": statistics.median(c["dynamic_min_ms"] / c["static_min_ms"] for c in compared),
        "static_compile_ms": statistics.median(c["static_compile_ms"] for c in compared),
        "error": max(c["error"] for c in compared),
        "error_median": statistics.median(c["error"] for c in compared),
        "rss_after_warm_up_mib": later[0],
        "rss_most_mib": max(later),
        "growth": statistics.median(later[half:] or later) / statistics.median(later[:half]),
        "program_mib": program.get_memory_usage() / 2**20,
    }


def markdown(facts, versions, result, visited, compared):
    def row(what, value, limit=""):
        return (what, value, limit)

    table = harness.markdown_table(
        (("what", True), ("measured", False), ("limit", False)),
        [row("sizes through one program", str(len(visited))),
         row("largest difference from static compilations, relative", f"{result['error']:.1e}", f"{LIMITS['error']:.0e}"),
         row("median difference", f"{result['error_median']:.1e}"),
         row("largest error against ref, static programs", f"{result['static_on_ref']:.1e}"),
         row("largest error against ref, the dynamic program", f"{result['dynamic_on_ref']:.1e}", f"{2 * result['static_on_ref']:.1e}"),
         row("sizes compared with static compilations", str(len(compared))),
         row("warm latency, dynamic : static, median of medians", f"{result['ratio']:.3f}", f"{LIMITS['ratio']:.2f}"),
         row("warm latency, dynamic : static, median of minima", f"{result['ratio_of_minima']:.3f}"),
         row("warm latency, median over all sizes, ms", f"{result['warm_ms']:.1f}"),
         row("cost of a new size, median, ms", f"{result['new_size_ms']:.1f}", f"{LIMITS['new_size_ms']:.0f}"),
         row("cost of a new size, 95 %, ms", f"{result['new_size_p95_ms']:.1f}"),
         row("load and compile of a static program, median, ms", f"{result['static_compile_ms']:.1f}"),
         row(f"resident after {WARM_UP} sizes, MiB", f"{result['rss_after_warm_up_mib']:.0f}"),
         row("resident at most after that, MiB", f"{result['rss_most_mib']:.0f}"),
         row("resident, second half : first half of the rest", f"{result['growth']:.3f}", f"{LIMITS['growth']:.2f}"),
         row("held by the program as it says, MiB", f"{result['program_mib']:.0f}")])
    return ("# Sizes that change\n\n" + harness.facts_markdown(facts, versions)
            + f"\nCommand: `{facts['command']}`\n\n{__doc__.split(chr(10) + chr(10))[0]} "
            "The cost of a new size is its first run less a warm run.\n\n" + table)


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    harness.add_common_options(parser)
    parser.add_argument("--sizes", type=int, default=1000, help="random sizes (default 1000)")
    parser.add_argument("--sample", type=int, default=60, help="sizes compared with static compilations")
    parser.add_argument("--on-ref", type=int, default=8, help="sizes of the sample that the reference target computes, too")
    parser.add_argument("--turns", type=int, default=7, help="timed runs of each program and size there")
    parser.add_argument("--batch", type=int, default=6, help="largest batch")
    parser.add_argument("--width", type=int, default=960, help="largest width")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, help="results without suffix")
    args = parser.parse_args(arguments)
    if args.models or min(args.sizes, args.sample, args.turns, args.batch) < 1 or args.width < 32:
        parser.error(f"the model is {MODEL}; counts of at least 1 and a width of at least 32 were expected")
    return args


def main(arguments):
    args = parse_arguments(arguments)
    sys.path.insert(0, str(args.python_path))
    import migraphx

    models.prepare(args.models_dir, [models.find(MODEL)])
    path = str(args.models_dir / f"{MODEL}.onnx")
    facts = harness.run_facts(args)
    facts["command"] = " ".join(["bench/dynamic_sizes.py", *arguments])
    versions = {"migraphx": migraphx.__version__}

    dimension = migraphx.shape.dynamic_dimension
    dims = {"x": [dimension(1, args.batch), 3, 48, dimension(32, args.width)]}
    program = migraphx.parse_onnx(path, map_dyn_input_dims=dims)
    program.compile(migraphx.get_target(args.target), num_threads=args.threads)
    inputs = Inputs(args.batch, args.width)
    rng = random.Random(args.seed)
    every = [(b, w) for b in range(1, args.batch + 1) for w in range(32, args.width + 1)]
    sizes = rng.sample(every, min(args.sizes, len(every)))
    visited = visit_sizes(program, inputs, sizes)
    chosen = rng.sample(sizes, min(args.sample, len(sizes)))
    compared = compare_with_static(migraphx, args, path, program, inputs, chosen)

    result = totals(visited, compared, program)
    text = markdown(facts, versions, result, visited, compared)
    out = args.out or harness.ROOT / "bench" / "results" / f"dynamic_sizes_{args.target}"
    harness.write_results(out, text, {**facts, "versions": versions, "limits": LIMITS, "totals": result,
                                      "sizes": visited, "compared": compared})
    print(text)
    missed = [name for name, limit in LIMITS.items() if result[name] > limit]
    as_good = args.on_ref > 0 and result["dynamic_on_ref"] <= 2 * result["static_on_ref"]
    return 0 if not missed or (missed == ["error"] and as_good) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
