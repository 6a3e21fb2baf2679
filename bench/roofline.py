#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What limits each model: achieved GF/s and GB/s against the machine's measured peaks.

The peaks: the best product of two large f32 matrices by ours or numpy (compute; with --isa ours alone,
as numpy would not be limited), and reading memory beyond the caches with as many threads (bandwidth). Of each kind of kernel that
`migraphx-driver perf` lists, the share of either peak is computed from the flops and bytes its operator
needs; the larger one names its limit: compute or memory, or `overhead` where both are below a third, that
is, latency, too little work for the threads, or an algorithm's own cost. Winograd's convolutions may show
more than the peak of compute, data that stay in caches more than that of memory. The next limit of a model
is the one under which most of its time is spent. Times are the least of each step over the turns of all
models, so that a burst of other work in one turn does no harm. Markdown and JSON go to bench/results/. Exit
status: 0 a table was made, 1 no model could be measured, 2 wrong use.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

import harness
import models
import numpy as np

LINE = re.compile(r"^(.*): ([\d.e+-]+)ms, ([\d.e+-]+) GF, ([\d.e+-]+) MB, ([\d.e+-]+) GF/s, ([\d.e+-]+) GB/s$")
LOW = 1 / 3


def best_of(run, seconds):
    run()
    best, begin = float("inf"), time.perf_counter()
    while time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best


def peak_compute(args, n=1536):
    """GF/s of the fastest product of two matrices."""
    import migraphx
    rng = np.random.default_rng(1)
    a, b = (rng.standard_normal((n, n)).astype(np.float32) for _ in range(2))
    p = migraphx.program()
    m = p.get_main_module()
    x = m.add_parameter("x", migraphx.shape(type="float_type", lens=[n, n]))
    m.add_return([m.add_instruction(migraphx.op("dot"), [x, m.add_literal(b)])])
    p.compile(migraphx.get_target("cpu"), num_threads=args.threads)
    given = {"x": migraphx.argument(a)}
    times = {"ours": best_of(lambda: p.run(given), 2)}
    if not args.isa:
        times["numpy"] = best_of(lambda: a @ b, 1)
    return {name: 2 * n**3 / t / 1e9 for name, t in times.items()}


def peak_bandwidth(args, mib=256):
    """GB/s of reading, each thread its own part."""
    parts = [np.ones(mib << 18, np.float32) for _ in range(args.threads)]

    def run():
        threads = [threading.Thread(target=np.max, args=(part,)) for part in parts]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    return args.threads * (mib << 20) / best_of(run, 2) / 1e9


def work_of(args, model, case):
    """Lines of the report's table of work: (what, ms, GF, MB, GF/s, GB/s), for the inputs of the case."""
    import migraphx
    given = []
    with tempfile.TemporaryDirectory() as folder:
        for i, (name, array) in enumerate(models.make_inputs(model, case).items()):
            file = pathlib.Path(folder) / f"{i}.msgpack"
            migraphx.argument.save(migraphx.argument(array), file)
            given += ["--load-arg", f"@{name}", str(file)]
            if model.dims is not None and array.shape:
                given += ["--input-dim", f"@{name}", *map(str, array.shape)]
        done = subprocess.run([str(args.driver), "perf", str(args.models_dir / f"{model.name}.onnx"), "-n", str(args.runs), *given],
                              capture_output=True, text=True, timeout=args.timeout)
    rows = [(m[1], *map(float, m.groups()[1:])) for m in map(LINE.match, done.stdout.splitlines()) if m]
    if done.returncode != 0 or not rows:
        raise RuntimeError(f"a table of work was expected, got {harness.one_line(done.stderr[-300:])}")
    return rows


def least(turns):
    """The rows of several turns with the least time of each; the last row is their sum."""
    best = {}
    for *steps, total in turns:
        for row in steps:
            if row[0] not in best or row[1] < best[row[0]][1]:
                best[row[0]] = row
    ms = sum(row[1] for row in best.values())
    name, _, gf, mb, *_ = total
    return [*best.values(), (name, ms, gf, mb, gf / ms * 1e3, mb / ms)]


def limit_of(gf, gb, peaks):
    compute, memory = gf / peaks["gf"], gb / peaks["gb"]
    if max(compute, memory) < LOW:
        return "overhead"
    return "compute" if compute >= memory else "memory"


def examine(model, case, turns, peaks):
    *steps, total = least(turns)
    shares = {"compute": 0.0, "memory": 0.0, "overhead": 0.0}
    for _, ms, _, _, gf, gb in steps:
        shares[limit_of(gf, gb, peaks)] += ms
    spent = sum(shares.values()) or 1.0
    shares = {name: ms / spent for name, ms in shares.items()}
    dearest = max(steps, key=lambda row: row[1])
    return {"model": model.name, "case": case.name, "ms": total[1], "gf": total[2], "mb": total[3], "gf_s": total[4],
            "gb_s": total[5], "shares": shares, "next": max(shares, key=shares.get),
            "dearest": dearest[0], "dearest_share": dearest[1] / spent, "steps": steps}


def markdown(facts, peaks, lines):
    header = [("model", True), ("case", True), ("ms", False), ("GF", False), ("GF/s", False), ("of peak", False), ("GB/s", False),
              ("of peak", False), ("time under compute / memory / overhead", False), ("next limit", True), ("dearest kernel", True)]
    rows = [[x["model"], x["case"], f"{x['ms']:.3g}", f"{x['gf']:.3g}", f"{x['gf_s']:.3g}", f"{x['gf_s'] / peaks['gf']:.0%}",
             f"{x['gb_s']:.3g}", f"{x['gb_s'] / peaks['gb']:.0%}", " / ".join(f"{s:.0%}" for s in x["shares"].values()),
             x["next"], f"{x['dearest']} ({x['dearest_share']:.0%})"] for x in lines if "failure" not in x]
    failed = [f"- {x['model']} {x['case']}: {x['failure']}" for x in lines if "failure" in x]
    tried = ", ".join(f"{name} {value:.0f}" for name, value in peaks["products"].items())
    return "\n".join([
        "# Roofline\n", harness.facts_markdown(facts, {}), f"Command: `{facts['command']}`\n",
        f"Peaks: {peaks['gf']:.0f} GF/s (products of 1536 x 1536 f32: {tried}), {peaks['gb']:.1f} GB/s (reading memory).\n",
        " ".join(__doc__.split("\n\n")[1].split()) + "\n", harness.markdown_table(header, rows),
        *(["## Not measured\n", "\n".join(failed) + "\n"] if failed else [])])


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    harness.add_common_options(parser)
    parser.add_argument("--driver", type=pathlib.Path, default=harness.ROOT / "build" / "prefix" / "bin" / "migraphx-driver")
    parser.add_argument("--runs", type=int, default=5, help="runs of each model in a turn")
    parser.add_argument("--turns", type=int, default=2, help="turns of all models")
    parser.add_argument("--all-cases", action="store_true", help="every case, not only the first of a model")
    parser.add_argument("--out", type=pathlib.Path, help="results without suffix (default: bench/results/roofline_TARGET)")
    args = parser.parse_args(arguments)
    chosen = harness.chosen_models(parser, args)
    out = args.out or harness.ROOT / "bench" / "results" / f"roofline_{args.target}"
    # For the driver and for the module in this process.
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    if args.isa:
        os.environ["MIGRAPHX_CPU_ISA"] = args.isa
    sys.path.insert(0, str(args.python_path))
    models.prepare(args.models_dir, chosen)
    facts = harness.run_facts(args)
    facts["command"] = " ".join(["bench/roofline.py", *arguments])
    products, read = peak_compute(args), peak_bandwidth(args)
    tasks = [(model, case) for model in chosen for case in (model.cases if args.all_cases else model.cases[:1])]
    turns, failures = {}, {}
    for turn in range(args.turns):
        for model, case in tasks:
            try:
                turns.setdefault((model.name, case.name), []).append(work_of(args, model, case))
            except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
                failures[model.name, case.name] = harness.one_line(error)
            print(f"{turn + 1}: {model.name}", file=sys.stderr, flush=True)
        # Again after all the work, when the machine may be as slow or as fast as it was then.
        again = peak_compute(args)
        products, read = {n: max(v, again[n]) for n, v in products.items()}, max(read, peak_bandwidth(args))
    peaks = {"gf": max(products.values()), "gb": read, "products": products}
    lines = []
    for model, case in tasks:
        key = model.name, case.name
        lines.append({"model": model.name, "case": case.name, "failure": failures[key]} if key in failures
                     else examine(model, case, turns[key], peaks))
    text = markdown(facts, peaks, lines)
    harness.write_results(out, text, {**facts, "peaks": peaks, "lines": lines})
    print(text)
    return 0 if len(failures) < len(tasks) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
