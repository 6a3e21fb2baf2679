# SPDX-License-Identifier: MIT
"""Frozen TensorFlow graphs against the results that TensorFlow gave; tests/tf/make_cases.py wrote them.

Each case runs on ref and cpu as NHWC, with inputs and results of four dimensions as NCHW, and on ref as
the graph has them. To look at one: pytest -k 'ops and Conv2D_explicit'
"""

import io
import lzma
import pathlib

import numpy as np
import pytest

import migraphx

FOLDER = pathlib.Path(__file__).parent.parent / "tf"


def load(name):
    cases = {}
    with lzma.open(FOLDER / name) as file, np.load(io.BytesIO(file.read())) as arrays:
        for key in arrays.files:
            case, part = key.split("|")
            cases.setdefault(case, {})[part] = arrays[key]
    return cases


OPERATORS = load("operators.npz.xz")

# Where rounding of another order of the same sums and products shows.
LOOSE = {"Prod_all_0": 1e-4, "Prod_all_1": 1e-4, "ResizeBicubic": 1e-4, "Pow": 1e-5, "Tan": 1e-5}


def nchw(x):
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if x.ndim == 4 else x


def nhwc(x):
    return x.transpose(0, 2, 3, 1) if x.ndim == 4 else x


def run(case, target, is_nhwc):
    names = [k[4:] for k in case if k.startswith("out:")]
    program = migraphx.parse_tf_buffer(case["graph"].tobytes(), is_nhwc=is_nhwc, output_names=names)
    program.compile(migraphx.get_target(target))
    inputs = {k[3:]: nchw(v) if is_nhwc else v for k, v in case.items() if k.startswith("in:")}
    results = [np.array(x) for x in program.run(inputs)]
    return dict(zip(names, [nhwc(x) if is_nhwc else x for x in results]))


def check(case, results, tolerance):
    for key, got in results.items():
        expected = case["out:" + key]
        assert got.shape == expected.shape and got.dtype == expected.dtype, (got.shape, got.dtype, expected.shape, expected.dtype)
        if expected.dtype == np.float16:
            tolerance = 2e-3
        if np.issubdtype(expected.dtype, np.floating):
            np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance, err_msg=key)
        else:
            np.testing.assert_array_equal(got, expected, err_msg=key)


@pytest.mark.parametrize("target, is_nhwc", [("ref", True), ("ref", False), ("cpu", True)])
@pytest.mark.parametrize("name", OPERATORS)
def test_ops(name, target, is_nhwc):
    case = OPERATORS[name]
    tolerance = next((v for k, v in LOOSE.items() if name.startswith(k)), 2e-6 if target == "ref" else 1e-5)
    check(case, run(case, target, is_nhwc), tolerance)


MODELS = load("models.npz.xz")


@pytest.mark.parametrize("target", ["ref", "cpu"])
@pytest.mark.parametrize("name", MODELS)
def test_models(name, target):
    case = MODELS[name]
    check(case, run(case, target, True), 2e-5)
