# SPDX-License-Identifier: MIT
"""Generated code of fused regions in compiled files: saved with the program, used without compiling."""
import json
import os
import subprocess
import sys

import pytest

RUN = """
import json, sys
import numpy as np
import migraphx as mx
file, step = sys.argv[1:]
if step == "save":
    p = mx.program()
    m = p.get_main_module()
    x = m.add_parameter("x", mx.shape(type="float_type", lens=[6, 500]))
    y = m.add_instruction(mx.op("tanh"), [x])
    y = m.add_instruction(mx.op("add"), [y, x])
    m.add_return([m.add_instruction(mx.op("mul"), [y, x])])
    p.compile(mx.get_target("cpu"))
    mx.save(p, file)
else:
    p = mx.load(file)
x = np.linspace(-4, 4, 3000, dtype=np.float32).reshape(6, 500)
print(json.dumps(np.array(p.run({"x": x})[0]).view(np.int32).ravel().tolist()))
"""


def run(file, step, backend):
    """The bits of the result, and how many kernels this process compiled."""
    env = dict(os.environ, MIGRAPHX_CPU_NEST=backend, MIGRAPHX_TRACE="codegen")
    done = subprocess.run([sys.executable, "-c", RUN, str(file), step], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), sum(line.startswith("jit: ") for line in done.stderr.splitlines())


def test_code_is_saved_and_used(tmp_path):
    file = tmp_path / "p.mxr"
    want, compiled = run(file, "save", "auto")
    if compiled == 0:
        pytest.skip("no code generator in this build")
    assert compiled == 1, "when saving"
    got, compiled = run(file, "load", "jit")
    assert compiled == 0, "all code is in the file"
    assert got == want


def test_every_way_to_run_agrees(tmp_path):
    file = tmp_path / "p.mxr"
    want, _ = run(file, "save", "tiles")
    for backend in ("tiles", "jit", "auto"):
        assert run(file, "load", backend)[0] == want, backend
