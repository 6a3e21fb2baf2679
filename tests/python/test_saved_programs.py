# SPDX-License-Identifier: MIT
"""Compiled programs in files: read by another process, replaced whole or not at all, damaged."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest

import migraphx
from limited_child import limited


def make_program():
    p = migraphx.program()
    m = p.get_main_module()
    rng = np.random.default_rng(3)
    x = m.add_parameter("x", migraphx.shape(type="float", lens=[1, 8, 12, 12]))
    w = m.add_literal(migraphx.argument(rng.standard_normal((16, 8, 3, 3)).astype(np.float32)))
    c = m.add_instruction(migraphx.op("convolution", padding=[1, 1]), [x, w])
    r = m.add_instruction(migraphx.op("reshape", dims=[1, 2304]), [m.add_instruction(migraphx.op("relu"), [c])])
    d = m.add_literal(migraphx.argument(rng.standard_normal((2304, 10)).astype(np.float32)))
    m.add_return([m.add_instruction(migraphx.op("dot"), [r, d])])
    return p


@pytest.fixture(scope="module")
def compiled():
    p = make_program()
    p.compile(migraphx.get_target("cpu"))
    return p


X = np.random.default_rng(4).standard_normal((1, 8, 12, 12)).astype(np.float32)


def run(program):
    return np.array(program.run({"x": migraphx.argument(X)})[0])


def child(text, *words, **more):
    return subprocess.run([sys.executable, "-c", text, *map(str, words)], capture_output=True, text=True,
                          timeout=120, **more)


def test_another_process_needs_nothing_but_the_file(compiled, tmp_path):
    migraphx.save(compiled, str(tmp_path / "p.mxr"))
    np.save(tmp_path / "x.npy", X)
    done = child("import sys, numpy as np, migraphx\n"
                 "p = migraphx.load(sys.argv[1] + '/p.mxr')\n"
                 "x = migraphx.argument(np.load(sys.argv[1] + '/x.npy'))\n"
                 "np.save(sys.argv[1] + '/y.npy', np.array(p.run({'x': x})[0]))\n", tmp_path)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.load(tmp_path / "y.npy"), run(compiled))


def test_generated_code_travels_in_the_file(tmp_path):
    """Of the target null: a process without compiler and cache runs what another one compiled and saved."""
    try:
        target = migraphx.get_target("null")
    except RuntimeError as e:
        pytest.skip(str(e))
    p = make_program()
    p.compile(target)
    migraphx.save(p, str(tmp_path / "p.mxr"))
    np.save(tmp_path / "x.npy", X)
    text = ("import sys, numpy as np, migraphx\n"
            "p = migraphx.load(sys.argv[1] + '/' + sys.argv[2])\n"
            "if sys.argv[2] == 'q.mxr': p.compile(migraphx.get_target('null'))\n"
            "x = migraphx.argument(np.load(sys.argv[1] + '/x.npy'))\n"
            "np.save(sys.argv[1] + '/y.npy', np.array(p.run({'x': x})[0]))\n")
    bare = dict(os.environ, MIGRAPHX_GPU_CACHE="off", MIGRAPHX_GPU_HOST_CXX="/bin/false", MIGRAPHX_GPU_ALSO_FOR="")
    done = child(text, tmp_path, "p.mxr", env=bare)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.load(tmp_path / "y.npy"), run(p))
    # There is code to be made: the same process cannot compile the program itself.
    migraphx.save(make_program(), str(tmp_path / "q.mxr"))
    failed = child(text, tmp_path, "q.mxr", env=bare)
    assert failed.returncode != 0 and "does not compile on the host" in failed.stderr, failed.stderr


def test_weights_are_used_where_they_lie(compiled, tmp_path):
    """64-byte alignment in the file, so that a map of it needs no copy."""
    path = tmp_path / "p.mxr"
    migraphx.save(compiled, str(path))
    data = path.read_bytes()
    weights = np.random.default_rng(3).standard_normal((16, 8, 3, 3)).astype(np.float32).tobytes()
    assert data.find(weights) % 64 == 0


SAVE = """
import resource, signal, sys, migraphx
p = migraphx.load(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    migraphx.save(p, sys.argv[2])
except RuntimeError as e:
    print(e)
    sys.exit(7)
"""


@pytest.mark.parametrize("room", [0, 4096, 60000])
def test_no_room_leaves_the_old_file(compiled, tmp_path, room):
    source, old = tmp_path / "source.mxr", tmp_path / "sub" / "old.mxr"
    old.parent.mkdir()
    migraphx.save(compiled, str(source))
    old.write_bytes(b"old")
    done = child(SAVE, source, old, room)
    assert done.returncode == 7, done.stderr
    assert "room" in done.stdout and "old.mxr" in done.stdout
    assert old.read_bytes() == b"old" and os.listdir(old.parent) == ["old.mxr"]


DAMAGED = """
import os, sys, migraphx
for name in sorted(os.listdir(sys.argv[1])):
    try:
        migraphx.load(os.path.join(sys.argv[1], name))
    except RuntimeError as e:
        assert str(e), name
    except MemoryError as e:
        sys.exit(name + ": " + str(e))
"""


@pytest.mark.parametrize("seed", range(3))
def test_damaged_files_give_errors(compiled, tmp_path, seed):
    good = migraphx.save_buffer(compiled)
    rng = random.Random(seed)
    for i in range(60):
        data = bytearray(good)
        # Most of a file is weights: aim at its structure.
        places = [k for k in range(len(data)) if 32 <= data[k] < 127] if i % 2 else range(len(data))
        for _ in range(rng.randrange(1, 4)):
            data[rng.choice(places)] = rng.randrange(256)
        if i % 5 == 0:
            data = data[:rng.randrange(len(data))]
        (tmp_path / f"{i:03}.mxr").write_bytes(data)
    done = child(DAMAGED, tmp_path, **limited(3 << 30))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
