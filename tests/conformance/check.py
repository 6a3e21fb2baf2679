# SPDX-License-Identifier: MIT
"""Runs one case through the module `migraphx` and compares what comes out; raises where it differs."""
from __future__ import annotations

import numpy as np

from cases import Case, graph_inputs


def run_case(case: Case, target: str) -> None:
    import migraphx  # here: the process that forks the workers must not start its threads

    model = case.load()
    names = [x.name for x in graph_inputs(model)]
    for inputs, expected in case.data_sets(model):
        program = migraphx.parse_onnx_buffer(model.SerializeToString(), map_input_dims=open_dims(model, inputs))
        program.compile(migraphx.get_target(target), num_threads=1)
        results = program.run(dict(zip(names, inputs)))
        compare("outputs", [to_python(x) for x in results], expected, case)


def open_dims(model, inputs: list) -> dict:
    """The sizes of the tensors whose dimensions the model leaves open."""
    result = {}
    for x, data in zip(graph_inputs(model), inputs):
        if not x.type.HasField("tensor_type") or data is None:
            continue
        tensor = x.type.tensor_type
        if not tensor.HasField("shape") or any(not d.HasField("dim_value") for d in tensor.shape.dim):
            result[x.name] = list(data.shape)
    return result


def to_python(x):
    if x is None or isinstance(x, np.ndarray):
        return x
    if isinstance(x, (list, tuple)):
        return [to_python(y) for y in x]
    return np.asarray(x)


def compare(what: str, got, expected, case: Case) -> None:
    if expected is None or got is None:
        assert got is expected, f"{what}: {describe(expected)} was expected, got {describe(got)}"
        return
    if isinstance(expected, (list, tuple)):
        assert isinstance(got, list), f"{what}: a list was expected, got {describe(got)}"
        assert len(got) == len(expected), f"{what}: {len(expected)} values were expected, got {len(got)}"
        for i, (x, y) in enumerate(zip(got, expected)):
            compare(f"{what}[{i}]", x, y, case)
        return
    expected = np.asarray(expected)
    assert isinstance(got, np.ndarray), f"{what}: a tensor was expected, got {describe(got)}"
    assert got.shape == expected.shape, f"{what}: shape {expected.shape} was expected, got {got.shape}"
    if expected.dtype.kind in "OUST":
        assert got.dtype.kind in "OUST", f"{what}: strings were expected, got {got.dtype}"
        equal = np.array_equal(got.astype(object), expected.astype(object))
        assert equal, f"{what}: {expected.tolist()} was expected, got {got.tolist()}"
        return
    assert got.dtype == expected.dtype, f"{what}: type {expected.dtype} was expected, got {got.dtype}"
    rtol = case.rtol
    if expected.dtype.isbuiltin != 1:  # one of ml_dtypes
        # onnx's own runner grants bfloat16 two units in the last place.
        rtol = max(rtol, 2.0**-6) if expected.dtype.name == "bfloat16" else rtol
        got, expected = got.astype(np.float32), expected.astype(np.float32)
    close = np.isclose(got, expected, rtol=rtol, atol=case.atol, equal_nan=True)
    if not np.all(close):
        at = tuple(int(i) for i in np.argwhere(~close)[0])
        raise AssertionError(f"{what}: {np.count_nonzero(~close)} of {close.size} values differ, "
                             f"at {at} {expected[at]} was expected, got {got[at]}")


def describe(x) -> str:
    if isinstance(x, np.ndarray):
        return f"a tensor of shape {x.shape}"
    return "none" if x is None else f"a {type(x).__name__}"
