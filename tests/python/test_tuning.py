# SPDX-License-Identifier: MIT
"""Bounded tuning (exhaustive_tune): results are right, and found once for all processes that share a cache."""

import os
import subprocess
import sys

import numpy as np
import pytest

SCRIPT = """
import sys
import numpy as np
import migraphx
p = migraphx.program()
m = p.get_main_module()
x = m.add_parameter("x", migraphx.shape(type="float", lens=[1, 16, 20, 20]))
rng = np.random.default_rng(1)
w = m.add_literal(migraphx.argument(rng.standard_normal((32, 16, 3, 3)).astype(np.float32)))
c = m.add_instruction(migraphx.op("convolution", padding=[1, 1]), [x, w])
m.add_return([m.add_instruction(migraphx.op("relu"), [c])])
p.compile(migraphx.get_target("cpu"), exhaustive_tune=sys.argv[1] == "tune")
r = p.run({"x": migraphx.argument(rng.standard_normal((1, 16, 20, 20)).astype(np.float32))})
np.save(sys.argv[2], np.array(r[0]))
"""


def start(tmp_path, how, name, **environment):
    env = {**os.environ, "MIGRAPHX_TRACE": "tuning", "MIGRAPHX_PROBLEM_CACHE": str(tmp_path / "t.db"),
           **{k: str(v) for k, v in environment.items()}}
    return subprocess.Popen([sys.executable, "-c", SCRIPT, how, str(tmp_path / name)], env=env,
                            stderr=subprocess.PIPE, text=True)


def timed(process):
    """The lines of candidates that were timed, and warnings."""
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    lines = err.splitlines()
    return [x for x in lines if "convolution" in x and "ms" in x], [x for x in lines if "[WARN]" in x]


def test_second_compile_times_nothing(tmp_path):
    first, warnings = timed(start(tmp_path, "tune", "a.npy"))
    assert 2 <= len(first) <= 8 and not warnings
    assert sum("chosen" in x for x in first) == 1
    assert timed(start(tmp_path, "tune", "b.npy")) == ([], [])
    assert timed(start(tmp_path, "own", "c.npy")) == ([], [])
    a, c = np.load(tmp_path / "a.npy"), np.load(tmp_path / "c.npy")
    assert np.abs(a - c).max() < 1e-4 * np.abs(c).max()


def test_two_processes_at_once(tmp_path):
    both = [start(tmp_path, "tune", f"{i}.npy") for i in range(2)]
    for process in both:
        assert timed(process)[1] == []
    assert timed(start(tmp_path, "tune", "c.npy")) == ([], [])


@pytest.mark.parametrize("content", [b"[]", b"x" * 5000])
def test_damaged_cache(tmp_path, content):
    (tmp_path / "t.db").write_bytes(content)
    lines, warnings = timed(start(tmp_path, "tune", "a.npy"))
    assert len(lines) >= 2
    assert len(warnings) == 1 and "t.db" in warnings[0]
    assert (tmp_path / "t.db").read_bytes() == content


def test_default_place(tmp_path):
    timed(start(tmp_path, "tune", "a.npy", MIGRAPHX_PROBLEM_CACHE="", XDG_CACHE_HOME=tmp_path / "cache"))
    assert (tmp_path / "cache" / "migraphx" / "tuning.db").stat().st_size > 0
    timed(start(tmp_path, "tune", "a.npy", MIGRAPHX_PROBLEM_CACHE="", XDG_CACHE_HOME="", HOME=tmp_path / "home"))
    assert (tmp_path / "home" / ".cache" / "migraphx" / "tuning.db").stat().st_size > 0


def test_skip_benchmarking(tmp_path):
    assert timed(start(tmp_path, "tune", "a.npy", MIGRAPHX_SKIP_BENCHMARKING=1)) == ([], [])
