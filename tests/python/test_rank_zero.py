# SPDX-License-Identifier: MIT
"""Tensors without dimensions and dimensions of size 0 keep their shapes, on every target."""
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import migraphx

TARGETS = ("ref", "cpu", "null")
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def info(name, shape, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, inputs, outputs=("y",), constants=()):
    initializers = [onnx.numpy_helper.from_array(np.asarray(v), name) for name, v in constants]
    graph = helper.make_graph(nodes, "g", inputs, [onnx.ValueInfoProto(name=o) for o in outputs], initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])


def run(made, feeds, target):
    program = migraphx.parse_onnx_buffer(made.SerializeToString())
    program.compile(migraphx.get_target(target), num_threads=1)
    return program.run(feeds)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("nodes, inputs, constants, shape", [
    ([("ReduceSum", ["x"], {"keepdims": 0})], {"x": (2, 3)}, {}, ()),
    ([("ReduceSum", ["x"], {})], {"x": (2, 3)}, {}, (1, 1)),
    ([("Add", ["s", "t"], {})], {"s": (), "t": ()}, {}, ()),
    ([("Add", ["s", "x"], {})], {"s": (), "x": (1,)}, {}, (1,)),
    ([("Relu", ["s"], {})], {"s": ()}, {}, ()),
    ([("Identity", ["s"], {})], {"s": ()}, {}, ()),
    ([("Identity", ["c"], {})], {}, {"c": np.float32(2)}, ()),
    ([("Identity", ["c"], {})], {}, {"c": np.float32([2])}, (1,)),
    ([("Unsqueeze", ["s", "a"], {})], {"s": ()}, {"a": np.int64([0])}, (1,)),
    ([("Squeeze", ["x"], {})], {"x": (1, 1)}, {}, ()),
    ([("Squeeze", ["x", "a"], {})], {"x": (1, 1)}, {"a": np.int64([0])}, (1,)),
    ([("Reshape", ["x", "a"], {})], {"x": (1,)}, {"a": np.zeros(0, np.int64)}, ()),
    ([("Reshape", ["s", "a"], {})], {"s": ()}, {"a": np.int64([-1])}, (1,)),
    ([("Expand", ["s", "a"], {})], {"s": ()}, {"a": np.int64([1])}, (1,)),
    ([("Expand", ["s", "a"], {})], {"s": ()}, {"a": np.int64([1, 1])}, (1, 1)),
    ([("Gather", ["x", "a"], {})], {"x": (3,)}, {"a": np.int64(1)}, ()),
    ([("Gather", ["x", "a"], {})], {"x": (3,)}, {"a": np.int64([1])}, (1,)),
    ([("MatMul", ["x", "y"], {})], {"x": (3,), "y": (3,)}, {}, ()),
    ([("Concat", ["x"], {"axis": 0})], {"x": (1,)}, {}, (1,)),
    ([("Flatten", ["s"], {"axis": 0})], {"s": ()}, {}, (1, 1)),
    ([("Expand", ["s", "a"], {}), ("Slice", ["0", "b", "c"], {})], {"s": ()},
     {"a": np.int64([3]), "b": np.int64([1]), "c": np.int64([2])}, (1,)),
    ([("Expand", ["s", "a"], {}), ("Squeeze", ["0", "b"], {})], {"s": ()},
     {"a": np.int64([1, 1]), "b": np.int64([1])}, (1,)),
    ([("Expand", ["s", "a"], {}), ("Mul", ["0", "0"], {})], {"s": ()}, {"a": np.int64([1])}, (1,)),
    ([("Expand", ["s", "a"], {}), ("Relu", ["0"], {})], {"s": ()}, {"a": np.int64([1])}, (1,)),
    ([("Transpose", ["s"], {})], {"s": ()}, {}, ()),
    ([("Where", ["b", "s", "t"], {})], {"s": (), "t": ()}, {"b": np.bool_(True)}, ()),
    ([("Sum", ["s", "t", "s"], {})], {"s": (), "t": ()}, {}, ()),
    ([("Clip", ["s", "t"], {})], {"s": (), "t": ()}, {}, ()),
    ([("Einsum", ["x", "y"], {"equation": "i,i"})], {"x": (3,), "y": (3,)}, {}, ()),
    ([("Size", ["x"], {})], {"x": (2, 3)}, {}, ()),
    ([("Cast", ["s"], {"to": INT64})], {"s": ()}, {}, ()),
], ids=lambda x: "-".join(n[0] for n in x) if isinstance(x, list) else None)
def test_rank_of_results(target, nodes, inputs, constants, shape):
    names = [str(i) for i in range(len(nodes) - 1)] + ["out"]
    made = model([helper.make_node(op, ins, [out], **attributes) for (op, ins, attributes), out in zip(nodes, names)],
                 [info(k, v) for k, v in inputs.items()], ["out"], constants.items())
    feeds = {k: np.full(v, 2, np.float32) for k, v in inputs.items()}
    (y,) = run(made, feeds, target)
    assert np.asarray(y).shape == shape
    assert memoryview(y).shape == shape
    assert np.from_dlpack(y).shape == shape


def test_scalar_array_interface():
    (y,) = run(model([helper.make_node("Relu", ["s"], ["y"])], [info("s", ())]), {"s": np.float32(3)}, "ref")
    assert y.__array_interface__["shape"] == () and y.__array_interface__["strides"] == ()
    assert y.get_shape().lens() == [1] and y.get_shape().strides() == [0]
    assert np.asarray(y) == 3.0


@pytest.mark.parametrize("target", TARGETS)
def test_size_of_zero(target):
    made = model([helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0), helper.make_node("Relu", ["x"], ["z"])],
                 [info("x", (2, 0, 3))], ["y", "z"])
    y, z = run(made, {"x": np.zeros((2, 0, 3), np.float32)}, target)
    assert np.asarray(y).shape == () and np.asarray(y) == 0
    assert np.asarray(z).shape == (2, 0, 3)


def test_size_of_zero_is_free_with_a_default():
    made = model([helper.make_node("Relu", ["x"], ["y"])], [info("x", (0, 3))])
    program = migraphx.parse_onnx_buffer(made.SerializeToString(), default_dim_value=4)
    assert program.get_parameter_shapes()["x"].lens() == [4, 3]
    empty = migraphx.parse_onnx_buffer(made.SerializeToString())
    empty.compile(migraphx.get_target("ref"))
    with pytest.raises(RuntimeError, match="a size of 0"):
        empty.run({"x": np.zeros((4, 3), np.float32)})


@pytest.mark.parametrize("target", TARGETS)
def test_dropout_in_training(target):
    made = model([helper.make_node("Dropout", ["x", "r", "t"], ["y", "m"], seed=7)],
                 [info("x", (100, 100)), info("r", ()), info("t", (), TensorProto.BOOL)], ["y", "m"])
    x = np.ones((100, 100), np.float32)
    y, mask = (np.asarray(v) for v in run(made, {"x": x, "r": np.float32(0.25), "t": np.bool_(True)}, target))
    np.testing.assert_allclose(y, np.where(mask, 1 / 0.75, 0), rtol=1e-6)
    assert abs(mask.mean() - 0.75) < 0.03
    y, mask = run(made, {"x": x, "r": np.float32(0.25), "t": np.bool_(False)}, target)
    assert np.asarray(mask).all() and np.array_equal(np.asarray(y), x)


@pytest.mark.parametrize("op, mean, deviation", [("RandomNormal", 3, 0.5), ("RandomUniform", 3.5, 0.29)])
def test_random_numbers_differ_between_runs(op, mean, deviation):
    attributes = {"mean": 3.0, "scale": 0.5} if op == "RandomNormal" else {"low": 3.0, "high": 4.0}
    made = model([helper.make_node(op, [], ["y"], shape=[100, 100], **attributes)], [])
    program = migraphx.parse_onnx_buffer(made.SerializeToString())
    program.compile(migraphx.get_target("cpu"), num_threads=1)
    first, second = (np.array(program.run({})[0]) for _ in range(2))
    assert not np.array_equal(first, second)
    assert abs(first.mean() - mean) < 0.03 and abs(first.std() - deviation) < 0.03
