#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Two packs of tools/gpu_check/pack.sh on one GPU in half: errors against ONNX Runtime in float over several
inputs of every set of sizes (bench/half_errors.py), and times by `migraphx-driver perf` in turns.

usage: device_half.py --packs OLD NEW --out FILE    (a pack: bin, lib, python, models)
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tools" / "gpu_check")]

import models  # noqa: E402
from section_models import make_weights  # noqa: E402

ERRORS = ["ppocr_det", "ppocr_rec", "ppocr_cls", "deeplabv3_mobilenet", "mobilenet_v3_large", "efficientnet_b0",
          "mobilenet_v2"]
TIMES = [("mobilenet_v2", "1 3 224 224"), ("mobilenet_v2", "32 3 224 224"),
         ("resnet50", "1 3 224 224"), ("resnet50", "32 3 224 224"), ("vit_b_16", "1 3 224 224"),
         ("mobilenet_v3_large", "1 3 224 224"), ("efficientnet_b0", "1 3 224 224"),
         ("ppocr_det", "1 3 320 320"), ("ppocr_det", "8 3 320 320"), ("ppocr_det", "1 3 736 992"),
         ("ppocr_rec", "1 3 48 320"), ("ppocr_rec", "32 3 48 320"), ("unet", "1 3 256 256")]


def environment(pack):
    env = dict(os.environ)
    env["LD_LIBRARY_PATH"] = f"{pack / 'lib'}:{env.get('LD_LIBRARY_PATH', '')}"
    env["PYTHONPATH"] = str(pack / "python")
    return env


def total(pack, path, name, dims, args):
    done = subprocess.run([str(pack / "bin" / "migraphx-driver"), "perf", f"--{args.target}", "--fp16", "-n",
                           str(args.count), "--input-dim", f"@{name}", *dims.split(), "--", str(path)],
                          env=environment(pack), capture_output=True, text=True, timeout=120)
    found = re.search(r"Total time: *([0-9.]+) *(\w+)", done.stdout)
    return float(found[1]) if found else float("nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packs", nargs="+", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/tmp/gpu_check_models"))
    parser.add_argument("--target", default="gpu")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--count", type=int, default=60, help="runs of one time")
    parser.add_argument("--errors", nargs="*", default=ERRORS)
    parser.add_argument("--times", nargs="*", help="models to time (default: a list)")
    args = parser.parse_args()
    packs = [p.resolve() for p in args.packs]
    os.environ.setdefault("MIGRAPHX_MODEL_GRAPHS", str(packs[-1] / "models"))
    times = [(n, d) for n, d in TIMES if args.times is None or n in args.times]
    names = sorted(set(args.errors) | {n for n, _ in times})
    left_out = make_weights(args.folder, [models.find(n) for n in names], os.cpu_count() or 2)
    with open(args.out, "w") as out:
        def say(line):
            print(line, flush=True)
            print(line, file=out, flush=True)
        for name, why in left_out:
            say(f"left out: {name}: {why}")
        for pack in packs if args.errors else []:
            say(f"\nerrors of {pack.name}")
            done = subprocess.run([sys.executable, str(ROOT / "bench" / "half_errors.py"), *args.errors, "--target",
                                   args.target, "--seeds", str(args.seeds), "--cases", "0", "--folder",
                                   str(args.folder)], env=environment(pack), capture_output=True, text=True)
            say(done.stdout + done.stderr[-2000:])
        say("\nms, least of turns: " + ", ".join(p.name for p in packs))
        for name, dims in times:
            path = args.folder / f"{name}.onnx"
            given = models.find(name).cases[0].inputs[0].name
            best = [float("inf")] * len(packs)
            for _ in range(args.turns):
                for i, pack in enumerate(packs):
                    best[i] = min(best[i], total(pack, path, given, dims, args))
            say(f"{name:20} {dims:14} " + "  ".join(f"{b:7.3f}" for b in best)
                + (f"  {best[-1] / best[0]:.2f}" if len(best) > 1 else ""))


if __name__ == "__main__":
    main()
