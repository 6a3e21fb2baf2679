# SPDX-License-Identifier: MIT
"""Answers of the cpu target at every instruction set and number of threads: no two of them differ by more
than docs/numerics.md states. bench/numerics.py does the same for all models."""
import itertools
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import models  # noqa: E402

SPREAD = 1e-4  # of the largest magnitude of an output
LEVELS = ("baseline", "avx2", "avx512", "amx")
CODE = """
import sys
import numpy as np, migraphx
file, inputs, out = sys.argv[1:]
given = {k.replace("\\\\", "/"): v for k, v in np.load(inputs).items()}
for threads in (1, 2):
    p = migraphx.parse_onnx(file, map_input_dims={k: list(v.shape) for k, v in given.items() if v.shape})
    p.compile(migraphx.get_target("cpu"), num_threads=threads)
    np.savez(f"{out}-{threads}.npz", *map(np.array, p.run(given)))
"""


def answers(folder, file, inputs, level):
    """Outputs by number of threads; None where the processor lacks the level."""
    done = subprocess.run([sys.executable, "-c", CODE, str(file), str(inputs), str(folder / level)], text=True,
                          capture_output=True, env=dict(os.environ, MIGRAPHX_CPU_ISA=level))
    if "MIGRAPHX_CPU_ISA: " in done.stderr and done.returncode != 0:
        return None
    assert done.returncode == 0, done.stderr[-1000:]
    found = {}
    for threads in (1, 2):
        with np.load(folder / f"{level}-{threads}.npz") as saved:
            found[level, threads] = [saved[name] for name in saved.files]
    return found


def difference(a, b):
    assert a.shape == b.shape and np.array_equal(np.isfinite(a), np.isfinite(b))
    a, b = a.astype(np.float64), b.astype(np.float64)
    return np.abs(a - b).max() / max(np.abs(a).max(), 1e-30) if a.size else 0


@pytest.mark.parametrize("name", ["silero_vad_op18_ifless", "ppocr_cls", pytest.param("ppocr_rec", marks=pytest.mark.slow),
                                  pytest.param("magika", marks=pytest.mark.slow), pytest.param("gru1", marks=pytest.mark.slow),
                                  pytest.param("shufflenet_v2_x1_0", marks=pytest.mark.slow)])
def test_levels_and_threads_agree(name, tmp_path):
    model = models.find(name)
    given = os.environ.get("MGX_MODELS_DIR")
    if given and (pathlib.Path(given) / f"{name}.onnx").exists():
        file = pathlib.Path(given) / f"{name}.onnx"
    elif model.source[0] == "weights":
        pytest.skip("MGX_MODELS_DIR has no " + name)
    else:
        models.prepare(tmp_path, [model])
        file = tmp_path / f"{name}.onnx"
    inputs = tmp_path / "inputs.npz"
    np.savez(inputs, **{k.replace("/", "\\"): v for k, v in models.make_inputs(model, model.cases[0]).items()})
    found = {}
    for level in LEVELS:
        found.update(answers(tmp_path, file, inputs, level) or {})
    assert len(found) >= 2
    for a, b in itertools.combinations(found, 2):
        worst = max(map(difference, found[a], found[b]))
        assert worst <= SPREAD, f"{a} and {b} differ by {worst:.1e}"
