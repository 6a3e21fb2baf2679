# SPDX-License-Identifier: MIT
"""What the driver reports of a run: the table of compile times, the environment it read."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DRIVER = pathlib.Path(os.environ.get("MGX_DRIVER", ROOT / "build" / "release" / "bin" / "migraphx-driver"))
pytestmark = pytest.mark.skipif(not DRIVER.exists(), reason="the driver is not built")

ROW = re.compile(r"^(?P<indent> *)(?P<name>[\w: -]+?): (?P<ms>[0-9.]+)ms, (?P<share>[0-9]+)%"
                 r"(, (?P<before>[0-9]+) -> (?P<after>[0-9]+))?(, sum of [0-9]+)?$")

def drive(*words, **environment):
    env = {k: v for k, v in os.environ.items() if k != "MIGRAPHX_TIME_PASSES"}
    done = subprocess.run([DRIVER, *map(str, words)], capture_output=True, text=True, timeout=60,
                          env={**env, **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr

def tables(text):
    """Title -> rows of each table, and the total."""
    found, rows = {}, None
    for line in text.splitlines():
        if line.startswith("Times of "):
            rows = found.setdefault(line[len("Times of "):-1], [])
        elif line.startswith("Total: ") and rows is not None:
            rows.append(float(line[len("Total: "):-2]))
            rows = None
        elif rows is not None:
            match = ROW.match(line)
            assert match, line
            rows.append(match.groupdict())
    return found

def check_compile(text):
    rows = tables(text)["compile"]
    total = rows.pop()
    names = [r["name"] for r in rows]
    assert "normalize_ops" in names and "lowering" in names and "memory plan" in names
    passes = [r for r in rows if r["before"] is not None]
    assert {"specialise_static", "fuse_pointwise"} <= {r["name"] for r in passes}
    nested = next(r for r in rows if r["name"] == "fuse_pointwise")
    assert nested["indent"] == "  "
    top = [float(r["ms"]) for r in rows if not r["indent"]]
    assert sum(top) <= total * 1.05 + 0.1
    assert all(0 <= int(r["share"]) <= 210 for r in rows)

@pytest.mark.parametrize("command", [["compile"], ["perf", "-n", "1"]])
def test_option(command):
    out, err = drive(command[0], "--test", "--cpu", *command[1:], "--time-passes")
    check_compile(err)
    assert "Times of" not in out

def test_setting():
    check_compile(drive("compile", "--test", "--cpu", MIGRAPHX_TIME_PASSES="1")[1])
    assert "Times of" not in drive("compile", "--test", "--cpu")[1]

def test_load_of_a_compiled_program(tmp_path):
    saved = tmp_path / "p.mxr"
    drive("compile", "--test", "--cpu", "--binary", "-o", saved)
    _, err = drive("perf", "-n", "1", saved, "--time-passes")
    names = [r["name"] for r in tables(err)["load"][:-1]]
    assert names[:3] == ["parse", "load target", "build program"]
    assert "lowering" in names and "normalize_ops" not in names

def test_environment_is_reported_once_targets_are_loaded():
    _, err = drive("compile", "--test", "--cpu", MIGRAPHX_CPU_ISA="baseline", MIGRAPHX_CPU_ISAA="avx2")
    assert "MIGRAPHX_CPU_ISA=baseline \\" in err
    assert "Unused environment variable: MIGRAPHX_CPU_ISA=" not in err
    assert "Unused environment variable: MIGRAPHX_CPU_ISAA=avx2 (did you mean MIGRAPHX_CPU_ISA?)" in err
