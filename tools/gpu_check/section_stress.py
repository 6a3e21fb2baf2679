#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Many threads on one program, two programs at once, a thousand loads and unloads, memory that runs out.

Each part runs in a process of its own and prints `RESULT ` and JSON.
"""
from __future__ import annotations

import argparse
import ctypes
import json
import pathlib
import sys
import tempfile
import threading
import time

import numpy as np

from common import Tree, one_line, run, table, write_result


def net(seed, width=256, layers=4):
    """A program of products, normalisation and pointwise work, from text; and what it computes."""
    import migraphx
    rng = np.random.default_rng(seed)
    p = migraphx.program()
    m = p.get_main_module()
    x = m.add_parameter("x", migraphx.shape(type="float_type", lens=[8, width]))
    weights = [rng.standard_normal((width, width)).astype(np.float32) / np.float32(np.sqrt(width)) for _ in range(layers)]
    y = x
    for w in weights:
        y = m.add_instruction(migraphx.op("dot"), [y, m.add_literal(w)])
        y = m.add_instruction(migraphx.op("tanh"), [y])
    m.add_return([y])

    def expected(a):
        for w in weights:
            a = np.tanh(a.astype(np.float64) @ w)
        return a
    return p, expected


def threads(target, limit):
    import migraphx
    programs = [net(1), net(2, width=320)]
    for p, _ in programs:
        p.compile(migraphx.get_target(target))
    wrong, runs, errors = [0], [0], []
    lock = threading.Lock()

    def work(number):
        rng = np.random.default_rng(100 + number)
        p, expected = programs[number % 2]
        width = 256 if number % 2 == 0 else 320
        try:
            for _ in range(100):
                x = rng.standard_normal((8, width)).astype(np.float32)
                got = np.array(p.run({"x": x})[0])
                with lock:
                    runs[0] += 1
                    wrong[0] += not np.allclose(got, expected(x), atol=1e-4)
        except Exception as error:  # noqa: BLE001
            errors.append(one_line(error))

    all_threads = [threading.Thread(target=work, args=(i,)) for i in range(16)]
    for t in all_threads:
        t.start()
    for t in all_threads:
        t.join()
    return {"ok": wrong[0] == 0 and runs[0] == 1600 and not errors, "text":
            f"16 threads, 2 programs: {wrong[0]} of {runs[0]} runs wrong{'; ' + errors[0] if errors else ''}"}


def device_free():
    """Bytes free on the device, by the driver; None where there is none."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    context = ctypes.c_void_p()
    if cuda.cuInit(0) or cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) or cuda.cuCtxSetCurrent(context) \
            or cuda.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total)):
        return None
    return free.value


def resident():
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) << 10 for line in f if line.startswith("VmRSS"))


def loads(target, limit):
    import migraphx
    p, expected = net(3, width=512)
    p.compile(migraphx.get_target(target))
    x = np.random.default_rng(0).standard_normal((8, 512)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/net.mxr"
        migraphx.save(p, path)
        del p

        def once():
            q = migraphx.load(path)
            return np.allclose(np.array(q.run({"x": x})[0]), expected(x), atol=1e-4)

        right, done, levels, host = 0, 0, [], []
        begun = time.monotonic()
        while done < 1000 and time.monotonic() < begun + limit - 10:
            right += once()
            done += 1
            if done == 50:
                levels.append(device_free())
                host.append(resident())
        levels.append(device_free())
        host.append(resident())
    seconds = time.monotonic() - begun
    grown = 0 if levels[0] is None else levels[0] - levels[-1]
    host_grown = host[-1] - host[0]
    ok = done == 1000 and right == done and grown <= 4 << 20 and host_grown < 64 << 20
    return {"ok": ok, "text": f"{done} loads and unloads in {seconds:.0f} s: {right} right; from the 50th on device "
                              f"memory grew by {grown >> 20} MiB, the host's by {host_grown >> 20} MiB"}


def memory(target, limit):
    import migraphx
    free = device_free()
    if free is None:
        return {"ok": True, "text": "no device memory to run out of"}
    # An intermediate result of more than what is free.
    rows = int(free * 1.5) // (4 * 65536)
    p = migraphx.program()
    m = p.get_main_module()
    a = m.add_parameter("a", migraphx.shape(type="float_type", lens=[rows, 8]))
    b = m.add_parameter("b", migraphx.shape(type="float_type", lens=[8, 65536]))
    y = m.add_instruction(migraphx.op("dot"), [a, b])
    m.add_return([m.add_instruction(migraphx.op("reduce_max", axes=[1]), [y])])
    try:
        p.compile(migraphx.get_target(target))
        p.run({"a": np.ones((rows, 8), np.float32), "b": np.ones((8, 65536), np.float32)})
        return {"ok": False, "text": "a program of more memory than there is was run"}
    except RuntimeError as error:
        said = one_line(error, 400)
    q, expected = net(4)
    q.compile(migraphx.get_target(target))
    x = np.random.default_rng(1).standard_normal((8, 256)).astype(np.float32)
    goes_on = np.allclose(np.array(q.run({"x": x})[0]), expected(x), atol=1e-4)
    clear = "out of memory" in said
    return {"ok": goes_on and clear, "text": f"out of memory: \"{said}\"; the process {'goes' if goes_on else 'does NOT go'} on"}


PARTS = {"threads": threads, "memory": memory, "loads": loads}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tree", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--limit", type=float, default=150)
    parser.add_argument("--target", default="gpu")
    parser.add_argument("--one", choices=PARTS)
    args = parser.parse_args()
    if args.one:
        print("RESULT " + json.dumps(PARTS[args.one](args.target, args.limit)))
        return
    until = time.monotonic() + args.limit - 5
    results = {}
    for name in PARTS:
        left = until - time.monotonic()
        limit = left if name == "loads" else min(left, 40)
        done = run([sys.executable, __file__, "--tree", str(args.tree), "--out", str(args.out), "--target", args.target,
                    "--one", name, "--limit", str(limit)], limit, Tree(args.tree).environment(),
                   args.out / f"stress_{name}.log")
        line = next((x for x in done.out.splitlines() if x.startswith("RESULT ")), None)
        results[name] = json.loads(line[7:]) if line else {"ok": False, "text": f"{done.ending}: {one_line(done.out[-300:])}"}
        good = sum(r["ok"] for r in results.values())
        write_result(args.out, "stress", ok=good == len(PARTS), summary=f"{good} of {len(PARTS)} good", parts=results,
                     table=table([[n, "good" if r["ok"] else "BAD", r["text"]] for n, r in results.items()],
                                 ["stress", "", "result"]))


if __name__ == "__main__":
    sys.exit(main())
