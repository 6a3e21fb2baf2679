#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Models of PyTorch (tools/gpu_check/torch_models.py) in half on one GPU, by several packs of
tools/gpu_check/pack.sh: total times in turns, and a file for each model and batch with every step by each pack
(`perf --detail`) and what the candidates of each step took (MIGRAPHX_TRACE=tuning).

usage: device_layers.py --packs OLD NEW --out FOLDER [--models resnet50 mobilenet_v2] [--batches 1 32]
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools" / "gpu_check")]

TOTAL = re.compile(r"Total time: *([0-9.]+)ms")
STEP = re.compile(r"^(?P<op>[\w:]+)(?P<attributes>\[.*?\])? -> (?P<type>\w+), \{(?P<lens>[^}]*)\}, \{[^}]*\} "
                  r"\{(?P<kernel>[^}]*)\}: (?P<ms>[0-9.e-]+)ms")


def perf(pack, path, count, detail, trace):
    env = dict(os.environ, LD_LIBRARY_PATH=f"{pack / 'lib'}:{os.environ.get('LD_LIBRARY_PATH', '')}",
               MIGRAPHX_GPU_CACHE=f"/tmp/layers_cache_{pack.name}", MIGRAPHX_PROBLEM_CACHE=f"/tmp/layers_{pack.name}.db")
    if trace:
        env["MIGRAPHX_TRACE"] = "tuning"
    return subprocess.run([str(pack / "bin" / "migraphx-driver"), "perf", "--gpu", "--fp16", "-n", str(count)]
                          + (["-d"] if detail else []) + [str(path)], env=env, capture_output=True, text=True, timeout=200)


def steps(text):
    """(operator, sizes, kernel, microseconds) of each step"""
    for line in text.splitlines():
        if line.startswith("Summary"):
            return
        found = STEP.match(line)
        if found:
            numbers = {k: re.search(k + r"=\{?(\d+)", found["attributes"] or "") for k in ("stride", "padding", "group")}
            form = "".join(f" {k[0]}{v[1]}" for k, v in numbers.items() if v)
            yield found["op"] + form, found["lens"], found["kernel"], float(found["ms"]) * 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packs", nargs="+", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--models", nargs="*", default=["resnet50", "mobilenet_v2"])
    parser.add_argument("--batches", nargs="*", type=int, default=[1, 32])
    parser.add_argument("--turns", type=int, default=4)
    args = parser.parse_args()
    import torch
    import torch_models
    packs = [p.resolve() for p in args.packs]
    args.out.mkdir(parents=True, exist_ok=True)
    summary = open(args.out / "layers.txt", "w")

    def say(line):
        print(line, flush=True)
        print(line, file=summary, flush=True)
    say("ms, least of turns: " + ", ".join(p.name for p in packs))
    for name in args.models:
        for batch in args.batches:
            path = pathlib.Path(f"/tmp/layers_{name}_{batch}.onnx")
            torch_models.export(name, batch, torch.float32, path)
            best = [float("inf")] * len(packs)
            file = open(args.out / f"{name}_{batch}.txt", "w")
            for turn in range(args.turns + 1):
                for i, pack in enumerate(packs):
                    done = perf(pack, path, 40 if turn == 0 else 100, turn == 0, turn == 0)
                    total = TOTAL.search(done.stdout)
                    if turn > 0 and total:
                        best[i] = min(best[i], float(total[1]))
                    if turn > 0:
                        continue
                    rows = list(steps(done.stdout))
                    print(f"== {pack.name}", file=file)
                    for op, lens, kernel, us in rows:
                        print(f"{op:30} {lens:18} {us:8.2f}  {kernel}", file=file)
                    print(f"sum {sum(r[3] for r in rows):.1f} us\n", file=file)
                    print(done.stderr if rows else done.stdout[-3000:] + done.stderr, file=file)
            file.close()
            say(f"{name:16} {batch:3} " + "  ".join(f"{b:7.4f}" for b in best)
                + (f"  {best[-1] / best[0]:.3f}" if len(best) > 1 else ""))


if __name__ == "__main__":
    main()
