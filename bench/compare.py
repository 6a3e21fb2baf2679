#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares our engine with ONNX Runtime and OpenVINO on the same models and inputs.

Every engine lives in a process of its own. For each model, fresh processes first measure load and
compile, the first answers and peak memory (several times, one process at a time). One process of
each engine then stays: the coordinator gives them turns over pipes, in an order that rotates from
round to round, and hands a turn over only when the processor time of all others stands still.
Markdown and JSON go to bench/results/.

ratio = best peer / ours, by minimum and by median times: above 1 we are faster. A model's ratio is
the geometric mean of its cases', the total that of the models'.
"""
import argparse
import math
import pathlib
import statistics
import sys
import time

import batched
import harness
from harness import LABELS, PEERS, EngineError
import models

OURS = "migraphx"


def measure_cold(workers, args, model, versions):
    """Engine -> what its fresh processes measured, and the processes of the last repeat."""
    results = {engine: {"repeats": []} for engine in args.engines}
    alive = {}
    for repeat in range(args.cold):
        for engine in args.engines:
            if "error" in results[engine]:
                continue
            workers.settle()
            try:
                worker = workers.start(engine, model, model.cases)
            except EngineError as error:
                results[engine]["error"] = str(error)
                continue
            started = worker.started
            versions[engine] = started.pop("version")
            results[engine]["repeats"].append(started)
            if repeat + 1 < args.cold:
                worker.stop()
            else:
                alive[engine] = worker
    for result in results.values():
        summarise_cold(result)
    return results, alive


def summarise_cold(result):
    repeats = result["repeats"]
    if not repeats:
        return
    load = [r["load_compile_ms"] for r in repeats]
    result["load_compile_ms"] = {"min": min(load), "median": statistics.median(load)}
    if not any(r["failed_cases"] for r in repeats):
        answered = [r["load_compile_ms"] + sum(r["first_run_ms"].values()) for r in repeats]
        result["to_answers_ms"] = {"min": min(answered), "median": statistics.median(answered)}
    result["base_mib"] = statistics.median(r["base_mib"] for r in repeats)
    result["peak_mib"] = statistics.median(r["peak_mib"] for r in repeats)


def measure_case(workers, args, case, alive):
    """Engine -> timings of one case, from interleaved turns."""
    taken = {engine: {"ns": [], "rounds_min_ms": [], "cpu_per_wall": []} for engine in alive}
    iterations = {}
    disturbed = []
    order = list(alive)
    for engine, worker in alive.items():
        if case.name in worker.started["failed_cases"]:
            taken[engine]["error"] = harness.one_line(worker.started["failed_cases"][case.name])
    for _ in range(args.rounds):
        order = order[1:] + order[:1]
        for engine in order:
            result, worker = taken[engine], alive[engine]
            if "error" in result:
                continue
            try:
                if engine not in iterations:
                    iterations[engine] = iterations_of(workers, args, case, worker)
                turn, idle = timed_turn(workers, worker, case, iterations[engine])
            except EngineError as error:
                result["error"] = str(error)
                continue
            disturbed.append(idle)
            result["ns"] += turn["ns"]
            result["rounds_min_ms"].append(min(turn["ns"]) / 1e6)
            result["cpu_per_wall"].append(turn["cpu_per_wall"])
    for result in taken.values():
        summarise_case(result)
    idle = {"peers_cpu": max((d[0] for d in disturbed), default=0.0),
            "others_cpu": statistics.median(d[1] for d in disturbed) if disturbed else 0.0}
    return taken, idle


def timed_turn(workers, worker, case, iterations):
    """One turn of a worker, and the processors used meanwhile by (other workers, others)."""
    workers.settle()
    peers, own, busy = workers.cpu_ns(worker), worker.cpu_ns(), harness.busy_cpu_seconds()
    begin = time.perf_counter()
    turn = worker.ask("time", case=case.name, iterations=iterations, warmup=1)
    wall = time.perf_counter() - begin
    own = (worker.cpu_ns() - own) / 1e9
    peers = (workers.cpu_ns(worker) - peers) / 1e9
    others = max(0.0, harness.busy_cpu_seconds() - busy - own)
    return turn, (peers / wall, others / wall)


def iterations_of(workers, args, case, worker):
    """Runs in one turn: as asked, or what fills this engine's share of the case's budget."""
    if args.iters != "auto":
        return int(args.iters)
    workers.settle()
    once = min(worker.ask("time", case=case.name, iterations=2, warmup=1)["ns"]) / 1e9
    return max(2, min(5000, round(args.budget / args.rounds / once)))


def summarise_case(result):
    ns = sorted(result.pop("ns"))
    if not ns:
        return
    result.update(runs=len(ns), min_ms=ns[0] / 1e6, median_ms=statistics.median(ns) / 1e6,
                  p90_ms=ns[int(0.9 * (len(ns) - 1))] / 1e6,
                  cpu_per_wall=statistics.median(result["cpu_per_wall"]))


def measure_errors(model, case, alive, taken):
    """Adds each engine's error against ONNX Runtime, largest over the outputs."""
    if "ort" not in alive:
        return
    try:
        reference = alive["ort"].outputs(case)
    except EngineError:
        return
    for engine, worker in alive.items():
        if engine == "ort" or "error" in taken[engine]:
            continue
        try:
            errors = harness.output_errors(model, reference, worker.outputs(case))
            taken[engine]["errors"] = errors
        except EngineError as error:
            taken[engine]["error"] = str(error)


def measure_model(workers, args, model, versions):
    engines, alive = measure_cold(workers, args, model, versions)
    cases = []
    for case in () if args.cold_only else model.cases:
        taken, idle = measure_case(workers, args, case, alive)
        measure_errors(model, case, alive, taken)
        cases.append({"case": case.name, "engines": taken, "idle": idle,
                      "ratio": {key: ratio(taken, key) for key in ("min_ms", "median_ms")}})
    workers.stop_all()
    return {"model": model.name, "tolerance": model.tolerance, "engines": engines, "cases": cases}


# Ratios

def ratio(taken, key):
    """Best peer over ours, or None where one of the two sides has no time."""
    peers = [r[key] for engine, r in taken.items() if engine in PEERS and key in r]
    ours = taken.get(OURS, {}).get(key)
    return min(peers) / ours if peers and ours else None


def geometric_mean(values):
    values = [v for v in values if v]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def totals(results):
    """Overall ratios, and how we stand against OpenVINO in load+compile and in memory."""
    out = {}
    for key in ("min_ms", "median_ms"):
        of_models = [geometric_mean([c["ratio"][key] for c in r["cases"]]) for r in results]
        out[f"ratio_{key}"] = geometric_mean(of_models)
    out["models_with_ratio"] = sum(1 for v in of_models if v)
    for name, pick in (("load_compile_ms", lambda e: e["load_compile_ms"]["min"]),
                       ("peak_mib", lambda e: e["peak_mib"])):
        worse, compared = [], 0
        for r in results:
            ours, theirs = r["engines"].get(OURS, {}), r["engines"].get("openvino", {})
            if name in ours and name in theirs:
                compared += 1
                if pick(ours) > pick(theirs):
                    worse.append(r["model"])
        out[f"{name}_compared"], out[f"{name}_worse_than_openvino"] = compared, worse
    for engine in (OURS, "mxr"):
        pairs = [(r["model"], r["engines"][engine]["load_compile_ms"]["min"],
                  r["engines"]["ort"]["load_compile_ms"]["min"]) for r in results
                 if all("load_compile_ms" in r["engines"].get(e, {}) for e in (engine, "ort"))]
        out[f"{engine}_load_over_ort"] = geometric_mean([ours / ort for _, ours, ort in pairs])
        out[f"{engine}_load_slower_than_ort"] = [m for m, ours, ort in pairs if ours > ort]
    return out


# Markdown

def number(value, digits=3):
    if value is None:
        return "–"
    if math.isinf(value):
        return "inf"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0
    return f"{value:.{min(decimals, 4)}f}"


def latency_table(args, results):
    with_ratio = OURS in args.engines and len(args.engines) > 1
    header = [("model", True), ("case", True)]
    header += [(f"{LABELS[e]} min", False) for e in args.engines]
    header += [(f"{LABELS[e]} median", False) for e in args.engines]
    if with_ratio:
        header += [("ratio min", False), ("ratio median", False)]
    header += [(f"error of {LABELS[e]}", False) for e in args.engines if e != "ort"]
    rows = []
    for r in results:
        for c in r["cases"]:
            of = [c["engines"].get(e, {}) for e in args.engines]
            row = [r["model"], c["case"]]
            row += [number(x.get("min_ms")) for x in of] + [number(x.get("median_ms")) for x in of]
            if with_ratio:
                row += [number(c["ratio"]["min_ms"]), number(c["ratio"]["median_ms"])]
            row += [f"{max(x['errors']):.1e}" if "errors" in x else "–"
                    for e, x in zip(args.engines, of) if e != "ort"]
            rows.append(row)
    return harness.markdown_table(header, rows)


def cold_table(args, results):
    header = [("model", True)]
    header += [(f"{LABELS[e]} load+compile ms", False) for e in args.engines]
    header += [(f"{LABELS[e]} to first answers ms", False) for e in args.engines]
    header += [(f"{LABELS[e]} peak MiB", False) for e in args.engines]
    rows = []
    for r in results:
        of = [r["engines"][e] for e in args.engines]
        rows.append([r["model"]]
                    + [number(x.get("load_compile_ms", {}).get("min")) for x in of]
                    + [number(x.get("to_answers_ms", {}).get("min")) for x in of]
                    + [number(x.get("peak_mib")) for x in of])
    return harness.markdown_table(header, rows)


def failures(results):
    lines = []
    for r in results:
        for engine, e in r["engines"].items():
            if "error" in e:
                lines.append(f"- {r['model']}, {LABELS[engine]}: {e['error']}")
        for c in r["cases"]:
            for engine, e in c["engines"].items():
                if "error" in e:
                    lines.append(f"- {r['model']} {c['case']}, {LABELS[engine]}: {e['error']}")
    return lines


def summary(args, results, total):
    lines = []
    if total["ratio_min_ms"]:
        lines.append(f"Geometric mean of best peer / ours over {total['models_with_ratio']} models:"
                     f" **{total['ratio_min_ms']:.3f}** by minimum,"
                     f" **{total['ratio_median_ms']:.3f}** by median times.")
    for name, what in (("load_compile_ms", "Load + compile"), ("peak_mib", "Peak memory")):
        if total[f"{name}_compared"]:
            worse = total[f"{name}_worse_than_openvino"]
            lines.append(f"{what}: no more than OpenVINO's for "
                         f"{total[f'{name}_compared'] - len(worse)} of {total[f'{name}_compared']}"
                         f" models" + (f"; more for {', '.join(worse)}." if worse else "."))
    for engine, what in ((OURS, "Load + compile"), ("mxr", "Loading a compiled .mxr")):
        if total[f"{engine}_load_over_ort"]:
            slower = total[f"{engine}_load_slower_than_ort"]
            lines.append(f"{what} / ONNX Runtime's session creation: geometric mean "
                         f"{total[f'{engine}_load_over_ort']:.2f}; " +
                         (f"longer for {', '.join(slower)}." if slower else "shorter for all."))
    peers = max((c["idle"]["peers_cpu"] for r in results for c in r["cases"]), default=0.0)
    others = [c["idle"]["others_cpu"] for r in results for c in r["cases"]]
    lines.append(f"While one engine ran the other engines' processes used at most {peers:.3f} "
                 f"processors; everything else on the machine used "
                 f"{statistics.median(others) if others else 0:.2f} (median over cases), "
                 f"{max(others, default=0):.2f} at most.")
    used = {e: [c["engines"][e]["cpu_per_wall"] for r in results for c in r["cases"]
                if "min_ms" in c["engines"].get(e, {})] for e in args.engines}
    lines.append("Processors used by an engine in its own turns (median over cases): " + ", ".join(
        f"{LABELS[e]} {statistics.median(v):.2f}" for e, v in used.items() if v) + ".")
    return "\n\n".join(lines) + "\n"


def markdown(args, facts, versions, results, total):
    parts = ["# Comparison with peers\n", harness.facts_markdown(facts, versions),
             f"Command: `{facts['command']}`\n", summary(args, results, total),
             *([] if args.cold_only else
               ["## Latency (milliseconds)\n", latency_table(args, results)]),
             "## Load, compile, memory (fresh processes)\n",
             "Load + compile from the import of the library on; first answers: and one run of each "
             "case. Peak is VmHWM after these, interpreter included.\n",
             cold_table(args, results)]
    failed = failures(results)
    if failed:
        parts += ["## What could not be measured\n", "\n".join(failed) + "\n"]
    return "\n".join(parts)


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    harness.add_common_options(parser)
    parser.add_argument("--peers", default="ort,openvino", help="engines to compare ours with")
    parser.add_argument("--engines", help="all engines to measure, instead of ours and --peers")
    parser.add_argument("--rounds", type=int, default=6, help="turns of each engine in a case")
    parser.add_argument("--iters", default="auto",
                        help="runs in a turn, or auto: as many as the budget allows")
    parser.add_argument("--budget", type=float, default=3.0,
                        help="seconds each engine runs each case, with --iters auto")
    parser.add_argument("--batch", type=int, default=1,
                        help="images at once; above 1 only models of one image are taken")
    parser.add_argument("--quiet", type=float, default=0, metavar="SECONDS",
                        help="longest wait before a turn for other programs to be idle")
    parser.add_argument("--cold", type=int, default=3, help="fresh processes for load+compile")
    parser.add_argument("--cold-only", action="store_true",
                        help="load, compile and first answers, no latency")
    parser.add_argument("--out", type=pathlib.Path,
                        help="results without suffix (default: bench/results/compare_TARGET)")
    args = parser.parse_args(arguments)
    chosen = args.engines or ",".join([OURS] + [p for p in [args.peers] if p])
    args.engines = list(dict.fromkeys(chosen.split(",")))
    for engine in args.engines:
        if engine not in LABELS:
            parser.error(f"engine '{engine}': expected some of {', '.join(LABELS)}")
    if args.iters != "auto" and not args.iters.isdigit():
        parser.error(f"--iters: expected a number or auto, got {args.iters}")
    if min(args.rounds, args.cold, args.threads, args.batch) < 1 or args.budget <= 0:
        parser.error("--rounds, --cold, --threads, --batch and --budget: expected more than 0")
    args.out = args.out or harness.ROOT / "bench" / "results" / f"compare_{args.target}"
    return args, parser


def main(arguments):
    args, parser = parse_arguments(arguments)
    chosen = harness.chosen_models(parser, args)
    if args.batch > 1:
        args.models_dir, chosen = batched.prepare(args.models_dir, chosen, args.batch)
    else:
        models.prepare(args.models_dir, chosen)
    facts = harness.run_facts(args)
    facts["command"] = " ".join(["bench/compare.py", *arguments])
    versions, results = {}, []
    with harness.Workers(args) as workers:
        for i, model in enumerate(chosen):
            print(f"[{i + 1}/{len(chosen)}] {model.name}", file=sys.stderr, flush=True)
            results.append(measure_model(workers, args, model, versions))
    total = totals(results)
    text = markdown(args, facts, versions, results, total)
    harness.write_results(args.out, text, {**facts, "versions": versions, "rounds": args.rounds,
                                           "total": total, "models": results})
    print(text)
    ours_failed = OURS in args.engines and any(
        "error" in r["engines"][OURS] or any("error" in c["engines"].get(OURS, {})
                                             for c in r["cases"]) for r in results)
    return 1 if ours_failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
