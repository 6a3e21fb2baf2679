#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Our engine against PyTorch on one device: the same model, weights, inputs and precision.

PyTorch runs eagerly from a CUDA graph and by torch.compile(mode="reduce-overhead"); the better of them
counts. Ours is the model's ONNX export in float (PyTorch's exporter leaves most of a half transformer in float),
for fp16 made half by quantize_fp16, compiled for the target, with inputs and results on the device. A time is that of one run until the device is idle; rounds of all engines alternate, and the
median of all rounds counts. Preparations (export, torch.compile) run side by side; what is measured runs
alone. Compile times: cold in a process with empty caches (and PyTorch's libraries), warm in a process without PyTorch
whose caches one before it filled, load from the .mxr file.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from common import Tree, geometric_mean, one_line, run, table, write_result

# model, precision, batch; tf32 (both sides may round products to TF32, PyTorch's convolutions do by default)
# is shown and does not count
CONFIGS = [(m, p, b) for p, b in (("fp16", 1), ("fp16", 32), ("f32", 1), ("tf32", 1))
           for m in ("resnet50", "bert_base", "vit_b_16", "gpt2", "mobilenet_v2")]
TOLERANCE = {"fp16": 3e-2, "f32": 1e-3, "tf32": 1e-2}


def file_of(folder, name, precision, batch):
    return folder / f"{name}_{precision}_{batch}.onnx"


def needs_mxr(config):
    """Whether compiling again and loading are measured: in half for batches of one."""
    return config[1] == "fp16" and config[2] == 1


# ---- one configuration, in a process of its own

def idle(device):
    import torch
    if device == "cuda":
        torch.cuda.synchronize()


def torch_engines(name, precision, batch, device):
    """A function that makes the engines: ({engine: function that runs it once}, {engine: how long that took});
    the input's name and the input; the output of f32."""
    import torch
    import torch_models
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    dtype = torch.float16 if precision == "fp16" else torch.float32
    key, x = torch_models.inputs(name, batch, dtype, device)
    exact = torch_models.make(name).to(device)
    with torch.inference_mode():
        expected = exact(x.float() if x.is_floating_point() else x).float().cpu().numpy()
    del exact
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    model = torch_models.make(name).to(device, dtype)
    if x.dim() == 4 and precision == "fp16":  # with tensor cores the faster order
        model, x = model.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)

    def graphed():
        with torch.inference_mode():
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    model(x)
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                out = model(x)

        def replay():
            graph.replay()
            return out
        return replay

    def compiled():
        f = torch.compile(model, mode="reduce-overhead")

        def once():
            with torch.inference_mode():
                return f(x)
        for _ in range(4):
            once()
        idle(device)
        return once

    def eager():
        with torch.inference_mode():
            return model(x)

    def build():
        engines, notes = {}, {}
        for engine, make in (("graphed", graphed), ("compiled", compiled)) if device == "cuda" else \
                (("eager", lambda: eager),):
            try:
                begun = time.monotonic()
                engines[engine] = make()
                idle(device)
                notes[engine] = f"{time.monotonic() - begun:.1f} s"
            except Exception as error:  # noqa: BLE001: the other one may do
                notes[engine] = one_line(error)
        return engines, notes
    return build, key, x, expected


def our_engine(program, key, x, target):
    """A function that runs it once, and one that gives its output. The input is in float where it is not whole."""
    import migraphx
    import numpy as np
    x = x.float() if x.is_floating_point() else x
    if program.get_offload_copy() or not x.is_cuda:
        host = {key: x.cpu().contiguous().numpy()}
        return (lambda: program.run(host)), (lambda: np.array(program.run(host)[0]))
    params = {key: migraphx.argument(x.contiguous())}
    return (lambda: program.run(params)), (lambda: np.array(migraphx.from_gpu(program.run(params)[0])))


def compile_ours(path, target, offload, precision):
    import migraphx
    begun = time.monotonic()
    program = migraphx.parse_onnx(str(path))
    read = time.monotonic() - begun
    if precision == "fp16":
        migraphx.quantize_fp16(program)
    program.compile(migraphx.get_target(target), offload_copy=offload, **({"tf32": True} if precision == "tf32" else {}))
    return program, read, time.monotonic() - begun


def measure(engines, synchronize, seconds=1.5):
    """Median milliseconds of each; rounds alternate."""
    for f in engines.values():
        for _ in range(5):
            f()
        synchronize()
    taken = {e: [] for e in engines}
    until = time.monotonic() + seconds
    while time.monotonic() < until or any(len(t) < 30 for t in taken.values()):
        for engine, f in engines.items():
            for _ in range(10):
                begun = time.perf_counter()
                f()
                synchronize()
                taken[engine].append((time.perf_counter() - begun) * 1e3)
    return {e: statistics.median(t) for e, t in taken.items()}


def queued(engines, synchronize, count=30):
    """Milliseconds a run when the next one is put behind it at once."""
    result = {}
    for engine, f in engines.items():
        synchronize()
        begun = time.perf_counter()
        for _ in range(count):
            f()
        synchronize()
        result[engine] = (time.perf_counter() - begun) * 1e3 / count
    return result


def serve(args):
    """Prepares, says READY, waits for a line, measures."""
    name, precision, batch = args.one.split(":")
    batch = int(batch)
    import torch
    import torch_models
    path = file_of(args.folder, name, precision, batch)
    try:
        torch_models.export(name, batch, torch.float32, path, args.device)
    except Exception:  # noqa: BLE001: then on the host
        torch_models.export(name, batch, torch.float32, path)
    build, key, x, expected = torch_engines(name, precision, batch, args.device)
    engines, notes = build()
    print("READY", flush=True)
    sys.stdin.readline()
    if args.device == "cuda" and x.dim() == 4:
        # cuDNN's kernels are chosen by their times, on a device that does nothing else.
        torch.backends.cudnn.benchmark = True
        engines.clear()
        torch._dynamo.reset()
        engines, again = build()
        notes = {"first": notes, "alone": again}

    import numpy as np
    result = {"notes": notes}
    try:
        program, read, seconds = compile_ours(path, args.target, args.device != "cuda", precision)
        result.update(cold_s=round(seconds, 2), read_s=round(read, 2))
        engines["ours"], output = our_engine(program, key, x, args.target)
        got = output().astype(np.float64)
        error = float(np.abs(got - expected).max() / np.abs(expected).max())
        result.update(error=error)
        if args.mxr:
            import migraphx
            migraphx.save(program, str(path.with_suffix(".mxr")))
    except Exception as error:  # noqa: BLE001: PyTorch's times are worth having
        result["problem"] = one_line(error, 400)
    result["ms"] = {e: round(t, 4) for e, t in measure(engines, lambda: idle(args.device)).items()}
    result["queued_ms"] = {e: round(t, 4) for e, t in queued(engines, lambda: idle(args.device)).items()}
    print("RESULT " + json.dumps(result), flush=True)
    os._exit(0)


def again(args):
    """A process without PyTorch: compile with warm caches, or load."""
    import numpy as np
    path = args.folder / args.again
    import migraphx
    begun = time.monotonic()
    migraphx.get_target(args.target)
    migraphx.allocate_gpu(migraphx.shape(type="float_type", lens=[1])) if hasattr(migraphx, "allocate_gpu") else None
    opened = time.monotonic() - begun
    begun = time.monotonic()
    if path.suffix == ".mxr":
        program = migraphx.load(str(path))
    else:
        program, _, _ = compile_ours(path, args.target, args.device != "cuda", path.stem.split("_")[-2])
    seconds = time.monotonic() - begun
    print("RESULT " + json.dumps({"seconds": round(seconds, 2), "device_s": round(opened, 2)}), flush=True)
    os._exit(0)


# ---- all of them

class Server:
    def __init__(self, config, args, env, caches):
        self.config = config
        self.log = open(args.out / f"speed_{'_'.join(map(str, config))}.log", "w+")
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--tree", str(args.tree), "--out", str(args.out), "--target", args.target,
             "--folder", str(args.folder), "--device", args.device, "--one", ":".join(map(str, config))]
            + (["--mxr"] if needs_mxr(config) else []),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, env={**env, **caches}, text=True,
            start_new_session=True)

    def line(self, start, until):
        """The next line that begins so; None when it ends or is late."""
        while True:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, until - time.monotonic()))
            text = self.process.stdout.readline() if ready else ""
            if not text:
                return None
            self.log.write(text)
            if text.startswith(start):
                return text[len(start):]

    def go(self):
        try:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
        except OSError:
            pass

    def end(self):
        try:
            os.killpg(self.process.pid, 9)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log.flush()

    def last_words(self):
        self.log.flush()
        self.log.seek(0)
        return one_line(self.log.read()[-400:])


def judge(results):
    def ratio(r):
        peers = [t for e, t in r["ms"].items() if e != "ours"]
        return min(peers) / r["ms"]["ours"] if peers and "ours" in r["ms"] else None
    for r in results.values():
        r["ratio"] = ratio(r) if "ms" in r else None
    half = [r["ratio"] for c, r in results.items() if c[1] == "fp16"]
    full = [r["ratio"] for c, r in results.items() if c[1] == "f32"]
    known = [x for x in half if x], [x for x in full if x]
    right = all(r.get("error") is not None and r["error"] <= TOLERANCE[c[1]] for c, r in results.items())
    times = [r for c, r in results.items() if needs_mxr(c)]
    quick = all(r.get("cold_s", 99) <= 10 and r.get("warm_s", 99) <= 1 and r.get("load_s", 99) <= 0.5 for r in times)
    right = right and bool(results)
    good = (None not in half + full and right and quick and geometric_mean(known[0]) >= 1.1 and min(known[0], default=0) >= 0.9
            and geometric_mean(known[1]) >= 1.1)
    summary = (f"against the better PyTorch: fp16 {geometric_mean(known[0]):.2f} (least {min(known[0], default=0):.2f}), "
               f"f32 {geometric_mean(known[1]):.2f}; {'all right' if right else 'some WRONG or missing'}")
    return good, summary


def show(results):
    rows = []
    for (name, precision, batch), r in results.items():
        ms = r.get("ms", {})
        rows.append([f"{name} {precision} {batch}", *(f"{ms[e]:.3f}" if e in ms else "-" for e in ("ours", "graphed", "compiled")),
                     f"{r['ratio']:.2f}" if r.get("ratio") else "-", f"{r['error']:.0e}" if "error" in r else "-",
                     r.get("cold_s", "-"), r.get("warm_s", "-"), r.get("load_s", "-"), one_line(r.get("problem", ""), 80)])
    return table(rows, ["model", "ours ms", "graphed", "compiled", "ratio", "error", "cold s", "warm s", "load s", "problem"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tree", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--limit", type=float, default=330)
    parser.add_argument("--target", default="gpu")
    parser.add_argument("--models", default="", help="e.g. resnet50,bert_base:fp16:32")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()) / "gpu_check_speed")
    parser.add_argument("--device", default="cuda", help="cpu: a dry run of this script")
    parser.add_argument("--one")
    parser.add_argument("--again")
    parser.add_argument("--mxr", action="store_true")
    args = parser.parse_args()
    if args.one:
        return serve(args)
    if args.again:
        return again(args)

    until = time.monotonic() + args.limit - 5
    wanted = args.models.split(",") if args.models else [""]
    configs = [c for c in CONFIGS if any(":".join(map(str, c)).startswith(w) for w in wanted)]
    shutil.rmtree(args.folder, ignore_errors=True)
    args.folder.mkdir(parents=True)
    env = Tree(args.tree).environment(TORCHINDUCTOR_COMPILE_THREADS="2", TOKENIZERS_PARALLELISM="false",
                                      TORCHINDUCTOR_CACHE_DIR=str(args.folder / "inductor"))
    results = {}

    def caches(config):
        folder = args.folder / "_".join(map(str, config))
        return {"MIGRAPHX_GPU_CACHE": str(folder / "code"), "MIGRAPHX_PROBLEM_CACHE": str(folder / "tuning.db")}

    def start_again(config):
        """Seconds of new processes: compiling with warm caches, loading. PyTorch brings a cuDNN of its own; what
        is kept for the version that these processes open is made by the first of them, which does not count."""
        path, found = file_of(args.folder, *config), {}
        for key, file in (("first_s", path), ("warm_s", path), ("load_s", path.with_suffix(".mxr"))):
            done = run([sys.executable, __file__, "--tree", str(args.tree), "--out", str(args.out), "--target",
                        args.target, "--folder", str(args.folder), "--device", args.device, "--again", file.name],
                       min(60, until - time.monotonic()), {**env, **caches(config)})
            line = next((x for x in done.out.splitlines() if x.startswith("RESULT ")), None)
            if line:
                found[key] = json.loads(line[7:])["seconds"]
            else:
                found["problem"] = f"{key}: {one_line(done.out[-200:])}"
        return found

    def keep():
        good, summary = judge(results)
        write_result(args.out, "speed", ok=good and len(results) == len(CONFIGS), summary=summary, table=show(results),
                     results=[{"model": c[0], "precision": c[1], "batch": c[2], **r} for c, r in results.items()])

    for c in configs:
        (args.folder / "_".join(map(str, c))).mkdir()
    servers = [Server(c, args, env, caches(c)) for c in configs]
    try:
        ready_until = time.monotonic() + 0.45 * args.limit
        ready = [s for s in servers if s.line("READY", ready_until) is not None]
        for s in servers:
            if s not in ready:
                results[s.config] = {"problem": "PyTorch was not ready: " + s.last_words()}
                s.end()
        for s in ready:
            s.go()
            answer = s.line("RESULT ", min(until, time.monotonic() + 90))
            results[s.config] = r = json.loads(answer) if answer else {"problem": s.last_words()}
            s.end()
            keep()
    finally:
        for s in servers:
            s.end()
    # Once nothing else uses the processors.
    for config, r in results.items():
        if needs_mxr(config) and "cold_s" in r:
            r.update(start_again(config))
    keep()


if __name__ == "__main__":
    sys.exit(main())
