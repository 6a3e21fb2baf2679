# SPDX-License-Identifier: MIT
"""What the sections of gpu_check share: where things lie, processes with a limit, results as data."""
from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# A kernel that failed leaves its process without a device (device/driver_api.cpp: remedy).
DEVICE_LOST = "cannot use the device any more"


class Tree:
    """An install tree, or a pack of pack.sh: bin, lib, python, models."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder.resolve()
        plain = self.folder / "lib" / "libmigraphx_gpu.so"
        if not plain.exists() and (self.folder / "lib" / "libmigraphx_gpu.so.2").exists():
            plain.symlink_to("libmigraphx_gpu.so.2")  # links may not have travelled

    def program(self, name: str) -> str:
        for folder in (self.folder / "bin", self.folder / "tests", ROOT / "build/release/tests"):
            if (folder / name).exists():
                return str(folder / name)
        raise FileNotFoundError(f"{name}: expected it in {self.folder}/bin")

    def environment(self, **more: str) -> dict:
        env = dict(os.environ)
        lib = str(self.folder / "lib")
        env["LD_LIBRARY_PATH"] = lib + (":" + env["LD_LIBRARY_PATH"] if env.get("LD_LIBRARY_PATH") else "")
        env["PYTHONPATH"] = ":".join([str(self.folder / "python"), str(ROOT / "tools"), str(HERE)])
        env["MIGRAPHX_TEST_DIR"] = str(ROOT / "tests")
        if (self.folder / "models" / "make_weights.py").exists():
            env["MIGRAPHX_MODEL_GRAPHS"] = str(self.folder / "models")
        env.update(more)
        return env


class Done:
    """How a process ended: `code` is None when it ran into its limit."""

    def __init__(self, code, seconds, out):
        self.code, self.seconds, self.out = code, seconds, out

    @property
    def ending(self) -> str:
        if self.code is None:
            return f"more than {self.seconds:.0f} s"
        return signal.Signals(-self.code).name if self.code < 0 else f"exit {self.code}"


def run(command: list, limit: float, env: dict, log: pathlib.Path | None = None) -> Done:
    """Runs it in a group of its own, which is ended as a whole at the limit."""
    begun = time.monotonic()
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        out, _ = process.communicate(timeout=max(limit, 0.1))
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, _ = process.communicate()
        code = None
    text = out.decode(errors="replace")
    if log is not None:
        log.write_text(text)
    return Done(code, time.monotonic() - begun, text)


def one_line(text: object, limit: int = 200) -> str:
    text = " ".join(str(text).split())
    return text if len(text) <= limit else text[:limit - 3] + "..."


def write_result(out: pathlib.Path, section: str, **result) -> None:
    (out / f"{section}.json").write_text(json.dumps(result, indent=1) + "\n")


def table(rows: list[list], head: list[str]) -> str:
    """Markdown whose columns are even in plain text too."""
    cells = [head] + [[str(c) for c in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)


def geometric_mean(values: list[float]) -> float:
    import math
    return math.exp(sum(math.log(v) for v in values) / len(values)) if values else float("nan")


def die(message: str) -> None:
    sys.exit(f"gpu_check: {message}")
