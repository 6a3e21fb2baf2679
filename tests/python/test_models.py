# SPDX-License-Identifier: MIT
"""Real models on the cpu target against ONNX Runtime, and the same after saving and loading.

Text round trips of all models are in tests/models. Models are those of tools/models.py: from installed
packages, and those of the folder MGX_MODELS_DIR.
"""

import os
import pathlib
import sys

import migraphx
import numpy as np
import pytest

ort = pytest.importorskip("onnxruntime")

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import models  # noqa: E402

# name, cases (indices; None: all)
SUITE = {
    "resnet18": [0],
    "mobilenet_v3_large": [0],
    "bert_base": [0],
    "gru1": [0],
    "lstm2": [0],
    "silero_vad": None,
    "silero_vad_16k_op15": [0, 1],
    "ppocr_cls": [0, 2],
    "ppocr_rec": [0, 2],
    "ppocr_det": [0, 1],
    "magika": None,
    "light_squeezenet": [0],
}
QUICK = {"silero_vad", "ppocr_cls", "ppocr_rec", "magika", "gru1"}


def chosen(names=SUITE):
    return [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in names]


@pytest.fixture(scope="session")
def model_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")

    def find(model):
        given = os.environ.get("MGX_MODELS_DIR")
        if given and (pathlib.Path(given) / f"{model.name}.onnx").exists():
            return pathlib.Path(given) / f"{model.name}.onnx"
        package, path = model.source
        if package == "weights":
            pytest.skip("MGX_MODELS_DIR has no " + model.name)
        try:
            models.prepare(folder, [model])
        except FileNotFoundError as error:
            pytest.skip(str(error))
        return folder / f"{model.name}.onnx"

    return find


def cases_of(model):
    wanted = SUITE[model.name]
    return [c for i, c in enumerate(model.cases) if wanted is None or i in wanted]


def reference_session(file):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    return ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])


def error_of(got, wanted):
    """Largest difference, relative to the largest magnitude."""
    assert got.shape == wanted.shape, f"shape {wanted.shape} was expected, got {got.shape}"
    if not wanted.size:
        return 0.0
    difference = np.abs(got.astype(np.float64) - wanted.astype(np.float64)).max()
    return float(difference / max(np.abs(wanted).max(), 1e-6))


def run(program, inputs):
    names = program.get_parameter_names()
    return [np.array(x) for x in program.run({k: v for k, v in inputs.items() if k in names})]


@pytest.mark.parametrize("name", chosen())
def test_against_onnxruntime(name, model_file, tmp_path):
    model = models.find(name)
    file = model_file(model)
    session = reference_session(file)
    for case in cases_of(model):
        inputs = models.make_inputs(model, case)
        wanted = session.run(None, inputs)
        program = migraphx.parse_onnx(
            str(file), map_input_dims={k: list(v.shape) for k, v in inputs.items() if v.ndim}
        )
        saved = migraphx.save_buffer(program)
        again = migraphx.load_buffer(saved)
        assert again == program
        assert str(again) == str(program)
        program.compile(migraphx.get_target("cpu"))
        got = run(program, inputs)
        assert len(got) == len(wanted)
        for i, (a, b) in enumerate(zip(got, wanted)):
            assert error_of(a, b) <= model.tolerance, f"{case.name}, output {i}"
        repeated = run(program, inputs)
        assert all(np.array_equal(a, b) for a, b in zip(got, repeated))
        path = tmp_path / "compiled.mxr"
        migraphx.save(program, str(path))
        loaded = migraphx.load(str(path))
        if not loaded.is_compiled():
            loaded.compile(migraphx.get_target("cpu"))
        for a, b in zip(run(loaded, inputs), got):
            assert error_of(a, b) <= 1e-5, f"{case.name}, loaded"


@pytest.mark.parametrize("name", chosen(n for n in SUITE if models.find(n).dims))
def test_one_program_for_all_sizes(name, model_file):
    """Compiled once with ranges for the dimensions, run at the sizes of every case."""
    model = models.find(name)
    file = model_file(model)
    session = reference_session(file)
    dimension = migraphx.shape.dynamic_dimension
    ranges = {
        input_name: [dimension(*d) if isinstance(d, tuple) else dimension(d, d) for d in dims]
        for input_name, dims in model.dims.items()
    }
    program = migraphx.parse_onnx(str(file), map_dyn_input_dims=ranges)
    program.compile(migraphx.get_target("cpu"))
    for case in cases_of(model) + cases_of(model)[:1]:
        inputs = models.make_inputs(model, case)
        for i, (a, b) in enumerate(zip(run(program, inputs), session.run(None, inputs))):
            assert error_of(a, b) <= model.tolerance, f"{case.name}, output {i}"
