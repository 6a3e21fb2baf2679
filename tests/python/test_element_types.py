# SPDX-License-Identifier: MIT
"""Element types of sixteen bits and less, from numpy through a model and back."""

import migraphx
import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from onnx_support import element_type, make_model, run

SMALL = ["int4", "uint4", "int2", "uint2", "float4_e2m1fn", "float8_e8m0fnu"]
FP8 = ["float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz"]
TYPES = SMALL + FP8 + ["bfloat16", "float16"]
TARGETS = ["ref", "cpu", "null"]
pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in cast:RuntimeWarning")


def some(dtype, shape, seed=0):
    """Every code of the type, in turn."""
    dtype = np.dtype(getattr(ml_dtypes, dtype, dtype))
    bits = {"int4": 4, "uint4": 4, "int2": 2, "uint2": 2, "float4_e2m1fn": 4}.get(dtype.name, 8 * dtype.itemsize)
    codes = np.random.default_rng(seed).integers(0, 1 << bits, shape)
    return codes.astype(f"uint{8 * dtype.itemsize}").view(dtype)


def same(got, wanted):
    assert got.dtype == wanted.dtype
    assert got.shape == wanted.shape
    bits = f"uint{8 * got.dtype.itemsize}"
    np.testing.assert_array_equal(np.ascontiguousarray(got).view(bits), np.ascontiguousarray(wanted).view(bits))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("target", TARGETS)
def test_moved_without_a_change(dtype, target):
    x = some(dtype, (3, 5))
    nodes = [helper.make_node("Transpose", ["x"], ["t"]), helper.make_node("Reshape", ["t", "dims"], ["r"]),
             helper.make_node("Concat", ["r", "c"], ["all"], axis=0), helper.make_node("Gather", ["all", "i"], ["y"]),
             helper.make_node("Slice", ["all", "one", "three"], ["z"])]
    constants = {"dims": np.array([3, 5]), "c": some(dtype, (2, 5), 1), "i": np.array([4, 0, 2]),
                 "one": np.array([1]), "three": np.array([3])}
    t = element_type(x)
    y, z = run(make_model(nodes, {"x": x}, {"y": t, "z": t}, constants), {"x": x}, target)
    everything = np.concatenate([x.T.reshape(3, 5), constants["c"]])
    same(y, everything[[4, 0, 2]])
    same(z, everything[1:3])


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("form", ["raw", "typed"])
@pytest.mark.parametrize("count", [1, 3, 4, 9])
def test_constants_of_a_file(dtype, form, count):
    x = some(dtype, (count,), 2)
    t = element_type(x)
    if form == "raw":
        tensor = numpy_helper.from_array(x, "c")
    else:
        tensor = helper.make_tensor("c", t, x.shape, x.astype(np.float32) if dtype not in FP8 else x)
    node = helper.make_node("Constant", [], ["c"], value=tensor)
    y, = run(make_model([node, helper.make_node("Identity", ["c"], ["y"])], {}, {"y": t}), {})
    same(y, numpy_helper.to_array(tensor))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("wide", ["float32", "float16"])
@pytest.mark.parametrize("target", TARGETS)
def test_cast_to_floating_point(dtype, wide, target):
    x = some(dtype, (4, 64))
    wanted = x.astype(wide)
    node = helper.make_node("Cast", ["x"], ["y"], to=element_type(wanted))
    y, = run(make_model(node, {"x": x}, {"y": element_type(wanted)}), {"x": x}, target)
    keep = np.isfinite(x.astype(np.float64)) & np.isfinite(wanted.astype(np.float64))
    assert y.dtype == wanted.dtype
    np.testing.assert_array_equal(y[keep], wanted[keep])
    np.testing.assert_array_equal(np.isnan(y), np.isnan(wanted))


VALUES = np.array([0, -0.0, 0.25, 0.3, 0.75, 1.25, 1.75, -1.5, 2.5, 3.5, 5, 7, 8, -8, -9, 15, 16, 100, 240, 247, 449, 464, 465,
                   1e5, -1e5, np.inf, -np.inf, np.nan, 1e-7], np.float32)


@pytest.mark.parametrize("dtype", FP8)
@pytest.mark.parametrize("saturate", [0, 1])
@pytest.mark.parametrize("source", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("like", [False, True])
def test_cast_to_fp8(dtype, saturate, source, target, like):
    x = VALUES.astype(getattr(ml_dtypes, source, source))
    to = np.dtype(getattr(ml_dtypes, dtype))
    wanted = onnx.numpy_helper.saturate_cast(x.astype(np.float32), to) if saturate else x.astype(np.float32).astype(to)
    constants = {}
    if like:
        node = helper.make_node("CastLike", ["x", "l"], ["y"], saturate=saturate)
        constants = {"l": wanted[:1]}
    else:
        node = helper.make_node("Cast", ["x"], ["y"], to=element_type(wanted), saturate=saturate)
    y, = run(make_model(node, {"x": x}, {"y": element_type(wanted)}, constants), {"x": x}, target)
    assert y.dtype == to
    np.testing.assert_array_equal(y.astype(np.float32), wanted.astype(np.float32))


@pytest.mark.parametrize("dtype", ["int4", "uint4", "int2", "uint2", "float4_e2m1fn"])
@pytest.mark.parametrize("source", ["float32", "float16"])
def test_cast_to_small(dtype, source):
    x = np.concatenate([VALUES[np.isfinite(VALUES) & (np.abs(VALUES) < 1000)], np.arange(-20, 20)]).astype(source)
    wanted = x.astype(getattr(ml_dtypes, dtype))
    node = helper.make_node("Cast", ["x"], ["y"], to=element_type(wanted))
    y, = run(make_model(node, {"x": x}, {"y": element_type(wanted)}), {"x": x})
    same(y, wanted)


@pytest.mark.parametrize("mode", ["up", "down", "nearest"])
def test_cast_to_powers_of_two(mode):
    x = np.array([1, 1.1, 1.4, 1.5, 1.9, 2, 3, 0.3, 1e-30, 1e30, 3.4e38, 0], np.float32)
    wanted = onnx.numpy_helper.to_float8e8m0(x, True, mode)
    node = helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT8E8M0, round_mode=mode)
    y, = run(make_model(node, {"x": x}, {"y": TensorProto.FLOAT8E8M0}, opsets={"": 24}), {"x": x})
    same(y, wanted)


def test_integers_lose_their_high_bits():
    x = np.array([200, -129, 127, 300], np.int32)
    node = helper.make_node("Cast", ["x"], ["y"], to=TensorProto.INT8)
    y, = run(make_model(node, {"x": x}, {"y": TensorProto.INT8}), {"x": x})
    np.testing.assert_array_equal(y, x.astype(np.int8))


@pytest.mark.parametrize("dtype", SMALL)
def test_arguments(dtype):
    x = some(dtype, (2, 3))
    a = migraphx.argument(x)
    same(np.asarray(a), x)
    values = x.ravel().astype(np.float64)
    if not np.isnan(values).any():
        assert a.tolist() == values.tolist()
        same(np.asarray(migraphx.create_argument(a.get_shape(), values.tolist())), x)
    if dtype != "float8_e8m0fnu":  # DLPack knows that one
        with pytest.raises((TypeError, BufferError)):
            a.__dlpack__()
    assert migraphx.generate_argument(a.get_shape(), 1).get_shape() == a.get_shape()


def test_arguments_check_their_range():
    with pytest.raises(ValueError, match="range of int4_type"):
        migraphx.create_argument(migraphx.shape(type="int4_type", lens=[2]), [8, 0])


def test_type_numbers():
    assert int(migraphx.shape.type_t.int4_type) == 20
    assert migraphx.shape(type="fp8e8m0_type", lens=[2]).bytes() == 2
    with pytest.raises(ValueError):
        migraphx.shape(type=100, lens=[2])
