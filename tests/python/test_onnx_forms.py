# SPDX-License-Identifier: MIT
"""Single nodes in the forms of all opsets (tests/conformance/forms.txt) against ONNX Runtime, on every target, with the
operands after the first as constants and as inputs. What ONNX Runtime lacks is compared with onnx's own evaluator."""

import ast
import os
import pathlib
import re
import zlib

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

import onnx  # noqa: E402
from onnx import helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402
from onnx_support import make_model, run, run_ort  # noqa: E402

FORMS = pathlib.Path(__file__).resolve().parents[1] / "conformance" / "forms.txt"
TYPES = {"float": np.float32, "double": np.float64, "half": np.float16}
TARGETS = ("cpu",) if os.environ.get("MGX_TEST_QUICK") else ("ref", "cpu")
OPERAND = re.compile(r"(\w+)(?:\{([\d,]*)\})?(?:\((.*?)\)|\[(.*?)\])?")


def read_operand(text, random):
    """The array of `float{2,3}`, `int64{2}(1 2)`, `float{4}[0,1]`, `float(1)`; None for `none`."""
    if text == "none":
        return None
    kind, dims, values, bounds = OPERAND.fullmatch(text).groups()
    dtype = np.dtype(TYPES.get(kind, kind))
    shape = tuple(int(d) for d in dims.split(",")) if dims else ()
    if values is not None:
        numbers = [float(v) if dtype.kind == "f" else int(v) for v in values.split()]
        return np.array(numbers, dtype).reshape(shape)
    if dtype.kind != "f":
        return np.zeros(shape, dtype)
    low, high = (float(b) for b in bounds.split(",")) if bounds else (-2.0, 2.0)
    return random.uniform(low, high, shape).astype(dtype)


def read_attribute(text):
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text if not text.startswith("[") else text[1:-1].split(",")


def read_form(line):
    """Operator, opset, number of outputs, operands, attributes."""
    head, _, tail = line.partition(" | ")
    name, *operands = re.findall(r"(?:[^\s(]|\([^)]*\))+", head)
    op, opset = name.split("@")
    outputs = int(operands.pop(0)[1:]) if operands and re.fullmatch(r"x\d", operands[0]) else 1
    random = np.random.default_rng(zlib.crc32(line.encode()))
    attributes = {key: read_attribute(v) for key, v in (word.split("=", 1) for word in tail.split())}
    return op, int(opset), outputs, [read_operand(x, random) for x in operands], attributes


def model_of(op, opset, outputs, operands, attributes, constant):
    names = ["" if x is None else f"x{i}" for i, x in enumerate(operands)]
    node = helper.make_node(op, names, [f"y{i}" for i in range(outputs)], **attributes)
    given = {n: x for n, x in zip(names, operands) if n}
    constants = {n: x for n, x in given.items() if constant and n != "x0"}
    inputs = {n: x for n, x in given.items() if n not in constants}
    made = make_model(node, inputs, {}, constants, {"": opset}, ir_version=7)
    made.graph.output.extend(onnx.ValueInfoProto(name=y) for y in node.output)
    return made, inputs


def peer(model, inputs):
    try:
        return run_ort(model, inputs)
    except Exception:  # it has no kernel for this form
        return ReferenceEvaluator(model).run(None, inputs)


LINES = [line for line in FORMS.read_text().splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("line", LINES)
def test_form(line):
    form = read_form(line)
    for constant in (False, True)[: len(form[3]) or 1]:
        model, inputs = model_of(*form, constant)
        wanted = peer(model, inputs)
        for target in TARGETS:
            got = run(model, inputs, target)
            assert len(got) == len(wanted)
            for y, z in zip(got, wanted):
                where = f"on {target}{', constants' if constant else ''}"
                assert (y.dtype, y.shape) == (z.dtype, z.shape), where
                exact = z.dtype.kind != "f"
                np.testing.assert_allclose(y, z, rtol=0 if exact else 1e-3, atol=0 if exact else 2e-5, err_msg=where)
