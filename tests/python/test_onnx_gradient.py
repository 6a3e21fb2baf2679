# SPDX-License-Identifier: MIT
"""Gradient of ai.onnx.preview.training against differences of the function itself."""

import migraphx
import numpy as np
import pytest
from onnx import TensorProto, helper

OPSETS = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.preview.training", 1)]


def node(op, inputs, output, **attributes):
    return helper.make_node(op, inputs, [output], **attributes)


def program_of(nodes, inputs, gradient, outputs, target):
    nodes = [*nodes, *([gradient] if gradient else [])]
    given = [helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for k, v in inputs.items()]
    graph = helper.make_graph(nodes, "graph", given, [helper.make_tensor_value_info(o, TensorProto.DOUBLE, None) for o in outputs])
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=8)
    program = migraphx.parse_onnx_buffer(model.SerializeToString())
    program.compile(migraphx.get_target(target))
    return program


def run(program, inputs):
    wanted = program.get_parameter_names()
    return [np.array(x) for x in program.run({k: v for k, v in inputs.items() if k in wanted})]


def check(nodes, inputs, xs, step=1e-6, tolerance=1e-5):
    """The last node gives "y"; all inputs are double."""
    zs = [k for k in inputs if k not in xs]
    outputs = [f"d{x}" for x in xs]
    attributes = {"xs": list(xs), "y": "y"}
    if zs:
        attributes["zs"] = zs
    gradient = helper.make_node("Gradient", [*xs, *zs], outputs, domain="ai.onnx.preview.training", **attributes)
    function = program_of(nodes, inputs, None, ["y"], "ref")
    for target in ("ref", "cpu"):
        results = run(program_of(nodes, inputs, gradient, outputs, target), inputs)
        for x, got in zip(xs, results, strict=True):
            assert got.shape == inputs[x].shape
            expected = np.zeros(inputs[x].size)
            for i in range(inputs[x].size):
                sums = []
                for sign in (1, -1):
                    moved = inputs[x].copy().ravel()
                    moved[i] += sign * step
                    sums.append(run(function, {**inputs, x: moved.reshape(inputs[x].shape)})[0].sum())
                expected[i] = (sums[0] - sums[1]) / (2 * step)
            np.testing.assert_allclose(got.ravel(), expected, rtol=tolerance, atol=tolerance)


def numbers(*shape, seed=0, low=0.2, high=0.9):
    return np.random.default_rng(seed).uniform(low, high, shape)


UNARY = ["Abs", "Acos", "Asin", "Asinh", "Atan", "Atanh", "Cos", "Cosh", "Erf", "Exp", "Log", "Neg", "Reciprocal", "Relu", "Sigmoid",
         "Sin", "Sinh", "Sqrt", "Tan", "Tanh", "Softplus", "Identity", "Softsign", "Mish", "HardSwish", "Elu", "LeakyRelu"]


@pytest.mark.parametrize("op", UNARY)
def test_unary(op):
    check([node(op, ["a"], "b"), node("Mul", ["b", "a"], "y")], {"a": numbers(2, 3)}, ["a"])


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div", "Pow", "Max", "Min"])
@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((2, 3), (3,)), ((3,), (2, 1)), ((), (2, 2)), ((), ())])
def test_binary(op, shapes):
    inputs = {"a": numbers(*shapes[0], seed=1), "b": numbers(*shapes[1], seed=2)}
    check([node(op, ["a", "b"], "c"), node("Mul", ["c", "c"], "y")], inputs, ["a", "b"])


@pytest.mark.parametrize("op", ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2", "ReduceLogSumExp"])
@pytest.mark.parametrize("keep", [0, 1])
def test_reductions(op, keep):
    axes = {} if op == "ReduceSum" else {"axes": [1]}
    check([node(op, ["a"], "b", keepdims=keep, **axes), node("Mul", ["b", "b"], "y")], {"a": numbers(2, 3, 2)}, ["a"])


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
def test_softmax(op):
    check([node(op, ["a"], "b", axis=-1), node("Mul", ["b", "a"], "y")], {"a": numbers(2, 4)}, ["a"])


def test_layers():
    inputs = {"x": numbers(3, 4), "w": numbers(4, 5, seed=1), "b": numbers(5, seed=2), "v": numbers(2, 5, seed=3)}
    nodes = [node("Gemm", ["x", "w", "b"], "h"), node("Tanh", ["h"], "t"), node("Gemm", ["t", "v"], "s", transB=1, alpha=0.5),
             node("LogSoftmax", ["s"], "y")]
    check(nodes, inputs, ["w", "v", "b"])


def test_shapes():
    nodes = [node("Transpose", ["a"], "t", perm=[2, 0, 1]), node("Flatten", ["t"], "f"), node("Split", ["f"], "s0", axis=1),
             node("Concat", ["s0", "f"], "c", axis=0), node("Unsqueeze", ["c", "axes"], "u"), node("Mul", ["u", "u"], "m"),
             node("Pow", ["m", "m"], "y")]
    nodes.insert(0, helper.make_node("Constant", [], ["axes"], value_ints=[1]))
    check(nodes, {"a": numbers(2, 3, 4)}, ["a"])


def test_other_values_than_those_of_the_graph():
    """The function again, at the inputs of the node."""
    nodes = [node("Mul", ["a", "b"], "c"), node("Mul", ["c", "a"], "y")]
    gradient = helper.make_node("Gradient", ["p", "q"], ["d"], domain="ai.onnx.preview.training", xs=["a"], zs=["b"], y="y")
    inputs = {k: numbers(2, seed=i) for i, k in enumerate("abpq")}
    for target in ("ref", "cpu"):
        y, d = run(program_of(nodes, inputs, gradient, ["y", "d"], target), inputs)
        np.testing.assert_allclose(y, inputs["a"] ** 2 * inputs["b"])
        np.testing.assert_allclose(d, 2 * inputs["p"] * inputs["q"])


def test_second_derivatives():
    first = helper.make_node("Gradient", ["a"], ["d"], domain="ai.onnx.preview.training", xs=["a"], y="c")
    second = helper.make_node("Gradient", ["a"], ["e"], domain="ai.onnx.preview.training", xs=["a"], y="d")
    a = numbers(3)
    nodes = [node("Mul", ["a", "a"], "b"), node("Mul", ["b", "a"], "c"), first]
    (e,) = run(program_of(nodes, {"a": a}, second, ["e"], "cpu"), {"a": a})
    np.testing.assert_allclose(e, 6 * a)


@pytest.mark.parametrize("attributes,inputs,message", [
    ({"xs": ["a"], "y": "nothing"}, ["a"], "a tensor \"nothing\""),
    ({"xs": ["a"], "y": "y"}, ["a", "b"], "an input for each"),
    ({"xs": ["a"], "y": "y"}, ["s"], "of the shape of its tensor"),
    ({"xs": ["a"], "y": "k"}, ["a"], "floating-point tensor y"),
    ({"xs": ["a"], "y": "g"}, ["a"], "an operator with a known derivative"),
])
def test_errors(attributes, inputs, message):
    nodes = [node("Add", ["a", "b"], "y"), node("Shape", ["a"], "k"), node("CumSum", ["a", "zero"], "g")]
    nodes.insert(0, helper.make_node("Constant", [], ["zero"], value_int=0))
    gradient = helper.make_node("Gradient", inputs, ["d"], domain="ai.onnx.preview.training", **attributes)
    values = {"a": numbers(3), "b": numbers(3), "s": numbers(2)}
    with pytest.raises(RuntimeError, match=message):
        program_of(nodes, values, gradient, ["y", "d"], "ref")
