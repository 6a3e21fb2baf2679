# SPDX-License-Identifier: MIT
"""Quantised operators of ONNX and com.microsoft against ONNX Runtime or the definition of ONNX."""

import ml_dtypes
import numpy as np
import onnx
import onnx.reference
import pytest
from onnx import TensorProto, helper

from onnx_support import element_type, make_model, run, run_ort

pytest.importorskip("onnxruntime")
TARGETS = ["ref", "cpu", "null"]
MS = "com.microsoft"


def rng(seed=0):
    return np.random.default_rng(seed)


def bytes_of(dtype, shape, seed=0):
    info = np.iinfo(dtype)
    return rng(seed).integers(info.min, info.max + 1, shape).astype(dtype)


def floats(*shape, seed=0, scale=1.0):
    return (rng(seed).standard_normal(shape) * scale).astype(np.float32)


def check(nodes, inputs, outputs, constants=None, target="cpu", steps=0, rtol=1e-5, atol=1e-5, reference=run_ort, **kw):
    """`steps`: how far integers may be from the reference."""
    model = make_model(nodes, inputs, outputs, constants, **kw)
    got, wanted = run(model, inputs, target), reference(model, inputs)
    for x, y in zip(got, wanted, strict=True):
        y = np.asarray(y)
        assert x.dtype == y.dtype
        assert x.shape == y.shape
        if np.issubdtype(y.dtype, np.integer):
            assert np.abs(x.astype(np.int64) - y.astype(np.int64)).max(initial=0) <= steps
        else:
            np.testing.assert_allclose(x.astype(np.float64), y.astype(np.float64), rtol=rtol, atol=atol)


def by_definition(model, inputs):
    return onnx.reference.ReferenceEvaluator(model).run(None, inputs)


# ---- QuantizeLinear, DequantizeLinear

QUANTISED = ["uint8", "int8", "uint16", "int16", "uint4", "int4", "uint2", "int2", "float8_e4m3fn", "float8_e4m3fnuz",
             "float8_e5m2", "float8_e5m2fnuz", "float4_e2m1fn"]


def quantisation_parameters(form, shape, axis, block, dtype):
    """Scale and zero point, and the attributes that say how they lie."""
    lens = {"tensor": (), "one": (1,), "axis": (shape[axis],)}.get(form)
    if form == "block":
        lens = tuple(-(-n // block) if d == axis % len(shape) else n for d, n in enumerate(shape))
    scale = (0.25 + rng(1).random(lens)).astype(np.float32)
    is_integer = not dtype.name.startswith("float")
    low, high = (-2, 2) if dtype.name in ("int2", "int4", "int8", "int16") else (0, 4)
    zero = (rng(2).integers(low, high, lens) if is_integer else np.zeros(lens)).astype(dtype)
    return scale, zero, {"axis": axis, **({"block_size": block} if form == "block" else {})}


@pytest.mark.parametrize("dtype", QUANTISED)
@pytest.mark.parametrize("form, shape, axis", [
    ("tensor", (2, 3, 4), 1), ("one", (5,), 0), ("axis", (2, 3, 4), 1), ("axis", (3, 2), -1), ("axis", (4,), 0),
    ("block", (2, 7, 3), 1), ("block", (4, 6), -1)])
def test_quantize_and_back(dtype, form, shape, axis):
    dtype = np.dtype(getattr(ml_dtypes, dtype, dtype))
    scale, zero, attributes = quantisation_parameters(form, shape, axis, 3, dtype)
    x = floats(*shape, scale=3)
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], **attributes),
             helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"], **attributes)]
    check(nodes, {"x": x}, {"q": element_type(zero), "y": TensorProto.FLOAT}, {"s": scale, "z": zero},
          reference=by_definition, opsets={"": 25})


@pytest.mark.parametrize("dtype", QUANTISED)
@pytest.mark.parametrize("wide", ["float16", "bfloat16", "float32"])
def test_quantize_to_output_dtype(dtype, wide):
    dtype, wide = np.dtype(getattr(ml_dtypes, dtype, dtype)), np.dtype(getattr(ml_dtypes, wide, wide))
    to = element_type(np.zeros(1, dtype))
    x, scale = (rng().integers(-20, 20, (3, 5)) / 8).astype(wide), np.array([0.5, 1, 2, 0.25, 1], wide)
    nodes = [helper.make_node("QuantizeLinear", ["x", "s"], ["q"], output_dtype=to, axis=1),
             helper.make_node("DequantizeLinear", ["q", "s"], ["y"], axis=1)]
    check(nodes, {"x": x}, {"q": to, "y": element_type(x)}, {"s": scale}, reference=by_definition, opsets={"": 23})


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz"])
@pytest.mark.parametrize("saturate", [0, 1])
def test_quantize_saturates_or_not(dtype, saturate):
    zero = np.zeros((), getattr(ml_dtypes, dtype))
    x = np.array([1, -3.3, 1e6, -1e6, 700], np.float32)
    node = helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], saturate=saturate)
    check(node, {"x": x}, {"q": element_type(zero)}, {"s": np.float32(1.5), "z": zero}, reference=by_definition)


def test_quantize_in_another_precision():
    x, scale = np.array([1.26, 2.51, 700.3], np.float32), np.float16(0.1)
    node = helper.make_node("QuantizeLinear", ["x", "s"], ["q"], precision=TensorProto.FLOAT, output_dtype=TensorProto.INT16)
    check(node, {"x": x}, {"q": TensorProto.INT16}, {"s": scale}, reference=by_definition, opsets={"": 25})


@pytest.mark.parametrize("to", [TensorProto.FLOAT16, TensorProto.FLOAT, TensorProto.BFLOAT16])
def test_dequantize_to_output_dtype(to):
    node = helper.make_node("DequantizeLinear", ["x", "s"], ["y"], output_dtype=to, axis=0)
    x, scale = bytes_of(np.int16, (2, 3)), np.array([0.01, 0.003], np.float32)
    check(node, {"x": x}, {"y": to}, {"s": scale}, reference=by_definition, rtol=1e-6)


def test_dequantize_int32():
    x = np.array([[1 << 30, -5], [7, 1000000001]], np.int32)
    node = helper.make_node("DequantizeLinear", ["x", "s"], ["y"])
    check(node, {"x": x}, ["y"], {"s": np.float32(0.001)})


@pytest.mark.parametrize("opset", [10, 13, 19, 21])
def test_quantize_of_every_opset(opset):
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
             helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"])]
    check(nodes, {"x": floats(2, 3)}, {"q": TensorProto.INT8, "y": TensorProto.FLOAT},
          {"s": np.float32(0.02), "z": np.int8(3)}, opsets={"": opset})


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16"])
def test_microsoft_quantize(dtype):
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], domain=MS, axis=1),
             helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"], domain=MS, axis=1)]
    zero = np.array([3, 0, 9], dtype)
    check(nodes, {"x": floats(2, 3, 4, scale=3)}, {"q": element_type(zero), "y": TensorProto.FLOAT},
          {"s": np.array([0.02, 0.1, 0.5], np.float32), "z": zero})


@pytest.mark.parametrize("shape", [(6,), (2, 3), (2, 1, 4)])
@pytest.mark.parametrize("target", TARGETS)
def test_dynamic_quantize(shape, target):
    for x in (floats(*shape), floats(*shape) + 9, floats(*shape) - 9, np.zeros(shape, np.float32)):
        node = helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "s", "z"])
        check(node, {"x": x}, {"y": TensorProto.UINT8, "s": TensorProto.FLOAT, "z": TensorProto.UINT8}, target=target)


# ---- products

PRODUCTS = [((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((2, 1, 3, 4), (3, 4, 5)), ((1, 700), (700, 3))]


@pytest.mark.parametrize("shapes", PRODUCTS)
@pytest.mark.parametrize("types", [("uint8", "uint8"), ("uint8", "int8"), ("int8", "int8")])
@pytest.mark.parametrize("zeros", ["none", "scalar", "column"])
@pytest.mark.parametrize("target", TARGETS)
def test_matmul_integer(shapes, types, zeros, target):
    a, b = (bytes_of(t, s, i) for i, (t, s) in enumerate(zip(types, shapes)))
    names, constants = ["a", "b"], {"b": b}
    if zeros != "none":
        constants["za"] = bytes_of(types[0], (), 5)
        constants["zb"] = bytes_of(types[1], () if zeros == "scalar" else b.shape[:-2] + (1,) * (b.ndim > 2) + b.shape[-1:], 6)
        names += ["za", "zb"]
    check(helper.make_node("MatMulInteger", names, ["y"]), {"a": a}, {"y": TensorProto.INT32}, constants, target)


@pytest.mark.parametrize("a_shape, b_shape", [((4,), (4, 3)), ((2, 4), (4,)), ((4,), (4,)), ((2, 3, 4), (4,))])
def test_matmul_integer_of_vectors(a_shape, b_shape):
    a, b = bytes_of(np.uint8, a_shape), bytes_of(np.int8, b_shape, 1)
    check(helper.make_node("MatMulInteger", ["a", "b", "za", "zb"], ["y"]), {"a": a}, {"y": TensorProto.INT32},
          {"b": b, "za": np.uint8(7), "zb": np.int8(-3)}, reference=by_definition)


def test_matmul_integer_with_a_zero_point_for_each_row():
    a, b = bytes_of(np.uint8, (3, 4)), bytes_of(np.uint8, (4, 5), 1)
    constants = {"b": b, "za": bytes_of(np.uint8, (3,), 2), "zb": bytes_of(np.uint8, (5,), 3)}
    wanted = (a.astype(np.int32) - constants["za"][:, None]) @ (b.astype(np.int32) - constants["zb"])
    check(helper.make_node("MatMulInteger", ["a", "b", "za", "zb"], ["y"]), {"a": a}, {"y": TensorProto.INT32}, constants,
          reference=lambda *_: [wanted])


def test_zero_points_of_a_run():
    a, b = bytes_of(np.uint8, (3, 4)), bytes_of(np.uint8, (4, 5), 1)
    inputs = {"a": a, "b": b, "za": np.array(200, np.uint8), "zb": np.array(50, np.uint8)}
    check(helper.make_node("MatMulInteger", list(inputs), ["y"]), inputs, {"y": TensorProto.INT32})


@pytest.mark.parametrize("shapes", PRODUCTS[:4])
@pytest.mark.parametrize("types", [("uint8", "uint8"), ("uint8", "int8"), ("int8", "int8")])
@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("target", TARGETS)
def test_qlinear_matmul(shapes, types, columns, target):
    a, b = (bytes_of(t, s, i) for i, (t, s) in enumerate(zip(types, shapes)))
    per = b.shape[:-2] + (1,) * (b.ndim > 2) + b.shape[-1:] if columns else ()
    constants = {"as": np.float32(0.02), "az": bytes_of(types[0], (), 2), "b": b,
                 "bs": (0.01 + rng(4).random(per) / 50).astype(np.float32), "bz": bytes_of(types[1], per, 3),
                 "ys": np.float32(3.1), "yz": bytes_of(types[0], (), 4)}
    names = ["a", "as", "az", "b", "bs", "bz", "ys", "yz"]
    check(helper.make_node("QLinearMatMul", names, ["y"]), {"a": a}, {"y": element_type(a)}, constants, target)


@pytest.mark.parametrize("types", [("uint8", "uint8"), ("uint8", "int8"), ("int8", "int8")])
@pytest.mark.parametrize("transposed", [(0, 0), (1, 0), (0, 1)])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("quantised", [False, True])
def test_qgemm(types, transposed, bias, quantised):
    a, b = bytes_of(types[0], (4, 6)), bytes_of(types[1], (6, 5), 1)
    a, b = (x.T.copy() if t else x for x, t in zip((a, b), transposed))
    constants = {"as": np.float32(0.02), "az": bytes_of(types[0], (), 2), "b": b, "bs": (0.01 + rng(4).random(5) / 50).astype(np.float32),
                 "bz": bytes_of(types[1], (5,), 3)}
    names = ["a", "as", "az", "b", "bs", "bz", "c" if bias else ""]
    if bias:
        constants["c"] = rng(7).integers(-3000, 3000, (5,)).astype(np.int32)
    if quantised:
        constants |= {"ys": np.float32(2.3), "yz": bytes_of(types[0], (), 4)}
        names += ["ys", "yz"]
    node = helper.make_node("QGemm", names, ["y"], domain=MS, alpha=0.75, transA=transposed[0], transB=transposed[1])
    check(node, {"a": a}, {"y": element_type(a) if quantised else TensorProto.FLOAT}, constants)


@pytest.mark.parametrize("shapes", PRODUCTS[:3])
@pytest.mark.parametrize("types", [("uint8", "uint8"), ("uint8", "int8"), ("int8", "int8")])
@pytest.mark.parametrize("extras", ["", "z", "zb"])
def test_matmul_integer_to_float(shapes, types, extras):
    a, b = (bytes_of(t, s, i) for i, (t, s) in enumerate(zip(types, shapes)))
    n = b.shape[-1]
    per = (n,) if b.ndim == 2 else ()
    constants = {"b": b, "sa": np.float32(0.02), "sb": (0.01 + rng(4).random(per) / 50).astype(np.float32)}
    names = ["a", "b", "sa", "sb"]
    if "z" in extras:
        constants |= {"za": bytes_of(types[0], (), 2), "zb": bytes_of(types[1], per, 3)}
        names += ["za", "zb"]
    if "b" in extras:
        constants["bias"] = floats(n)
        names += ["bias"]
    check(helper.make_node("MatMulIntegerToFloat", names, ["y"], domain=MS), {"a": a}, ["y"], constants)


@pytest.mark.parametrize("shapes", PRODUCTS[:3])
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
@pytest.mark.parametrize("extras", ["", "z", "b", "zb"])
@pytest.mark.parametrize("target", TARGETS)
def test_dynamic_quantize_matmul(shapes, dtype, extras, target):
    a, b = floats(*shapes[0]), bytes_of(dtype, shapes[1], 1)
    n = b.shape[-1]
    constants = {"b": b, "sb": np.float32(0.03), "bias": floats(n, seed=3), "zb": bytes_of(dtype, (), 4)}
    names = ["a", "b", "sb", "zb" if "z" in extras else "", "bias" if "b" in extras else ""]
    constants = {k: v for k, v in constants.items() if k in names}
    check(helper.make_node("DynamicQuantizeMatMul", names, ["y"], domain=MS), {"a": a}, ["y"], constants, target)


@pytest.mark.parametrize("types", [("uint8", "uint8"), ("uint8", "int8")])
@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("extras", ["", "mask", "causal", "past"])
def test_qattention(types, columns, extras):
    batch, length, width, heads, size, before = 2, 5, 16, 2, 8, 3
    hidden = heads * size
    x, w = bytes_of(types[0], (batch, length, width)), bytes_of(types[1], (width, 3 * hidden), 1)
    per = (3 * hidden,) if columns else ()
    constants = {"w": w, "b": floats(3 * hidden, seed=2), "sx": np.float32(0.01),
                 "sw": (0.002 + rng(4).random(per) / 200).astype(np.float32), "zx": bytes_of(types[0], (), 2),
                 "zw": np.full(per, 3, types[1])}
    inputs, outputs = {"x": x}, ["y"]
    names = ["x", "w", "b", "sx", "sw", "", "zx", "zw", ""]
    if extras == "mask":
        names[5], constants["mask"] = "mask", np.array([5, 3], np.int32)
    if extras == "past":
        names[8], inputs["past"] = "past", floats(2, batch, heads, before, size, seed=5)
        outputs = ["y", "present"]
    node = helper.make_node("QAttention", names, outputs, domain=MS, num_heads=heads, unidirectional=int(extras == "causal"))
    check(node, inputs, outputs, constants, atol=1e-4)


# ---- convolutions

CONVOLUTIONS = [
    ((1, 4, 6, 6), (8, 4, 3, 3), {"pads": [1, 1, 1, 1]}),
    ((2, 4, 7, 5), (6, 2, 3, 3), {"group": 2, "pads": [0, 1, 2, 1], "strides": [2, 1]}),
    ((1, 6, 5, 5), (6, 1, 3, 3), {"group": 6, "auto_pad": "SAME_UPPER"}),
    ((1, 3, 9), (5, 3, 3), {"dilations": [2], "pads": [1, 2]}),
    ((1, 2, 4, 5, 3), (3, 2, 2, 2, 2), {"strides": [1, 2, 1]}),
    ((1, 3, 6, 6), (4, 3, 3, 3), {"auto_pad": "SAME_LOWER", "strides": [2, 2]}),
]


def true_convolution(x, w, zx, zw, attributes):
    """int32 sums of (x - zx) * (w - zw), in double."""
    node = helper.make_node("Conv", ["x", "w"], ["y"], **attributes)
    x = x.astype(np.float64) - zx.astype(np.float64)
    w = w.astype(np.float64) - zw.astype(np.float64).reshape((-1,) + (1,) * (w.ndim - 1))
    model = make_model(node, {"x": x, "w": w}, {"y": TensorProto.DOUBLE})
    return run_ort_float(model, {"x": x, "w": w})


def run_ort_float(model, inputs):
    single = make_model(list(model.graph.node), {k: v.astype(np.float32) for k, v in inputs.items()}, ["y"])
    return [np.rint(run_ort(single, {k: v.astype(np.float32) for k, v in inputs.items()})[0]).astype(np.int32)]


@pytest.mark.parametrize("case", range(len(CONVOLUTIONS)))
@pytest.mark.parametrize("types", [("uint8", "uint8"), ("uint8", "int8"), ("int8", "int8")])
@pytest.mark.parametrize("zeros", ["none", "x", "both", "channels"])
@pytest.mark.parametrize("target", TARGETS)
def test_conv_integer(case, types, zeros, target):
    x_shape, w_shape, attributes = CONVOLUTIONS[case]
    x, w = bytes_of(types[0], x_shape), bytes_of(types[1], w_shape, 1)
    zx = bytes_of(types[0], (), 2) if zeros != "none" else np.zeros((), types[0])
    zw = {"both": bytes_of(types[1], (), 3), "channels": bytes_of(types[1], w_shape[:1], 3)}.get(zeros, np.zeros((), types[1]))
    names, constants = ["x", "w"], {"w": w}
    if zeros != "none":
        names, constants = names + ["zx"], {**constants, "zx": zx}
    if zeros in ("both", "channels"):
        names, constants = names + ["zw"], {**constants, "zw": zw}
    # Sums below 2^24, so float holds them.
    wanted = true_convolution(x, w, zx, zw, attributes)
    check(helper.make_node("ConvInteger", names, ["y"], **attributes), {"x": x}, {"y": TensorProto.INT32}, constants, target,
          reference=lambda *_: wanted)


@pytest.mark.parametrize("x_shape, w_shape, attributes", [
    ((1, 64, 56, 56), (128, 64, 1, 1), {"strides": [2, 2]}), ((1, 256, 14, 14), (512, 256, 1, 1), {}),
    ((1, 3, 96, 96), (64, 3, 7, 7), {"strides": [2, 2], "pads": [3, 3, 3, 3]}), ((1, 128, 14, 14), (128, 128, 3, 3), {"pads": [1, 1, 1, 1]})])
def test_conv_integer_of_real_sizes(x_shape, w_shape, attributes):
    """Weights are packed on several threads, with sums that must be whole."""
    x, w = (rng(i).integers(-16, 17, s).astype(np.int8) for i, s in enumerate((x_shape, w_shape)))
    wanted = true_convolution(x, w, np.int8(0), np.int8(0), attributes)
    for _ in range(3):
        check(helper.make_node("ConvInteger", ["x", "w"], ["y"], **attributes), {"x": x}, {"y": TensorProto.INT32}, {"w": w},
              reference=lambda *_: wanted)


def test_conv_integer_with_a_zero_point_of_a_run():
    x, w = bytes_of(np.uint8, (1, 2, 5, 5)), bytes_of(np.int8, (3, 2, 3, 3), 1)
    inputs = {"x": x, "zx": np.array(77, np.uint8)}
    node = helper.make_node("ConvInteger", ["x", "w", "zx"], ["y"], pads=[1, 1, 1, 1])
    check(node, inputs, {"y": TensorProto.INT32}, {"w": w})


@pytest.mark.parametrize("case", range(len(CONVOLUTIONS)))
@pytest.mark.parametrize("types", [("uint8", "uint8"), ("uint8", "int8"), ("int8", "int8")])
@pytest.mark.parametrize("channels", [False, True])
@pytest.mark.parametrize("target", TARGETS)
def test_qlinear_conv(case, types, channels, target):
    x_shape, w_shape, attributes = CONVOLUTIONS[case]
    x, w = bytes_of(types[0], x_shape), bytes_of(types[1], w_shape, 1)
    per = w_shape[:1] if channels else ()
    # A zero point for each channel is left at one value: ONNX Runtime takes no other.
    constants = {"xs": np.float32(0.02), "xz": bytes_of(types[0], (), 2), "w": w,
                 "ws": (0.01 + rng(4).random(per) / 50).astype(np.float32), "wz": np.full(per, 5, types[1]),
                 "ys": np.float32(3.1), "yz": bytes_of(types[0], (), 4),
                 "b": rng(5).integers(-20000, 20000, w_shape[:1]).astype(np.int32)}
    node = helper.make_node("QLinearConv", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"], ["y"], **attributes)
    check(node, {"x": x}, {"y": element_type(x)}, constants, target)


def test_qlinear_conv_with_channels_last():
    x, w = bytes_of(np.uint8, (2, 5, 6, 4)), bytes_of(np.int8, (3, 4, 3, 3), 1)
    constants = {"xs": np.float32(0.02), "xz": np.uint8(9), "w": w, "ws": np.float32(0.01), "wz": np.int8(0),
                 "ys": np.float32(1.1), "yz": np.uint8(100)}
    node = helper.make_node("QLinearConv", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz"], ["y"], domain=MS, channels_last=1,
                            pads=[1, 1, 1, 1])
    check(node, {"x": x}, {"y": TensorProto.UINT8}, constants)


# ---- QLinear operators of com.microsoft

BYTE_TYPES = ["uint8", "int8"]


def parameters(dtype, name, scale, seed):
    return {name + "s": np.float32(scale), name + "z": bytes_of(dtype, (), seed)}


@pytest.mark.parametrize("op", ["QLinearAdd", "QLinearMul"])
@pytest.mark.parametrize("dtype", BYTE_TYPES)
@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((2, 3, 4), (4,)), ((1, 3), (2, 1)), ((5,), ())])
def test_qlinear_binary(op, dtype, shapes):
    a, b = bytes_of(dtype, shapes[0]), bytes_of(dtype, shapes[1], 1)
    scale = 0.05 if op == "QLinearAdd" else 0.3
    constants = parameters(dtype, "a", 0.02, 2) | parameters(dtype, "b", 0.03, 3) | parameters(dtype, "c", scale, 4)
    node = helper.make_node(op, ["a", "as", "az", "b", "bs", "bz", "cs", "cz"], ["y"], domain=MS)
    # Ties of the quotient: ONNX Runtime multiplies by the inverse of the scale.
    check(node, {"a": a, "b": b}, {"y": element_type(a)}, constants, steps=1)


@pytest.mark.parametrize("op, attributes", [("QLinearSigmoid", {}), ("QLinearLeakyRelu", {"alpha": 0.2})])
@pytest.mark.parametrize("dtype", BYTE_TYPES)
@pytest.mark.parametrize("shape", [(7,), (2, 3, 4)])
def test_qlinear_unary(op, attributes, dtype, shape):
    x = bytes_of(dtype, shape)
    constants = parameters(dtype, "x", 0.05, 2) | parameters(dtype, "y", 0.01, 3)
    node = helper.make_node(op, ["x", "xs", "xz", "ys", "yz"], ["y"], domain=MS, **attributes)
    check(node, {"x": x}, {"y": element_type(x)}, constants, steps=1)


@pytest.mark.parametrize("dtype", BYTE_TYPES)
@pytest.mark.parametrize("shape, attributes", [
    ((1, 2, 6, 6), {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ((1, 2, 5, 7), {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    ((2, 3, 6, 6), {"kernel_shape": [3, 2], "auto_pad": "SAME_UPPER"}),
    ((1, 5, 6, 4), {"kernel_shape": [2, 2], "channels_last": 1})])
def test_qlinear_average_pool(dtype, shape, attributes):
    x = bytes_of(dtype, shape)
    constants = parameters(dtype, "x", 0.05, 2) | parameters(dtype, "y", 0.05, 3)
    node = helper.make_node("QLinearAveragePool", ["x", "xs", "xz", "ys", "yz"], ["y"], domain=MS, **attributes)
    check(node, {"x": x}, {"y": element_type(x)}, constants, steps=1)


@pytest.mark.parametrize("dtype", BYTE_TYPES)
@pytest.mark.parametrize("last", [0, 1])
def test_qlinear_global_average_pool(dtype, last):
    x = bytes_of(dtype, (2, 3, 5, 4))
    constants = parameters(dtype, "x", 0.05, 2) | parameters(dtype, "y", 0.02, 3)
    node = helper.make_node("QLinearGlobalAveragePool", ["x", "xs", "xz", "ys", "yz"], ["y"], domain=MS, channels_last=last)
    check(node, {"x": x}, {"y": element_type(x)}, constants, steps=1)


@pytest.mark.parametrize("dtype", BYTE_TYPES)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_qlinear_concat(dtype, axis):
    inputs = {"a": bytes_of(dtype, (2, 3)), "b": bytes_of(dtype, (2, 3), 1)}
    constants = parameters(dtype, "y", 0.04, 2) | parameters(dtype, "a", 0.02, 3) | parameters(dtype, "b", 0.05, 4)
    node = helper.make_node("QLinearConcat", ["ys", "yz", "a", "as", "az", "b", "bs", "bz"], ["y"], domain=MS, axis=axis)
    check(node, inputs, {"y": element_type(inputs["a"])}, constants, steps=1)


@pytest.mark.parametrize("dtype", BYTE_TYPES)
@pytest.mark.parametrize("opset, axis", [(13, -1), (13, 1), (12, 1), (12, 2)])
def test_qlinear_softmax(dtype, opset, axis):
    x = bytes_of(dtype, (2, 3, 4))
    constants = parameters(dtype, "x", 0.02, 2) | {"ys": np.float32(1 / 256), "yz": np.array(0 if dtype == "uint8" else -128, dtype)}
    node = helper.make_node("QLinearSoftmax", ["x", "xs", "xz", "ys", "yz"], ["y"], domain=MS, axis=axis, opset=opset)
    check(node, {"x": x}, {"y": element_type(x)}, constants, steps=1)


@pytest.mark.parametrize("dtype", BYTE_TYPES)
def test_qlinear_where(dtype):
    inputs = {"c": rng().random((2, 3)) > 0.5, "a": bytes_of(dtype, (2, 3)), "b": bytes_of(dtype, (3,), 1)}
    constants = parameters(dtype, "a", 0.02, 3) | parameters(dtype, "b", 0.05, 4) | parameters(dtype, "y", 0.04, 2)
    node = helper.make_node("QLinearWhere", ["c", "a", "as", "az", "b", "bs", "bz", "ys", "yz"], ["y"], domain=MS)
    check(node, inputs, {"y": element_type(inputs["a"])}, constants, steps=1)


# ---- weights of a few bits

@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("depth, block", [(32, 16), (48, 32), (128, 128)])
@pytest.mark.parametrize("zero", ["none", "packed", "float"])
@pytest.mark.parametrize("extra", ["", "bias", "groups"])
def test_matmul_nbits(bits, depth, block, zero, extra):
    rows, blocks = 5, -(-depth // block)
    a = floats(2, 3, depth)
    constants = {"b": bytes_of(np.uint8, (rows, blocks, block * bits // 8)), "s": (0.01 + rng(1).random((rows, blocks)) / 20).astype(np.float32)}
    names = ["a", "b", "s", "", "", ""]
    if zero == "packed":
        names[3], constants["z"] = "z", bytes_of(np.uint8, (rows, (blocks * bits + 7) // 8), 3)
    if zero == "float":
        names[3], constants["z"] = "z", (rng(3).random((rows, blocks)) * (1 << bits)).astype(np.float32)
    if extra == "bias":
        names[5], constants["bias"] = "bias", floats(rows, seed=4)
    if extra == "groups":
        names[4], constants["g"] = "g", rng(5).integers(0, blocks, depth).astype(np.int32)
    node = helper.make_node("MatMulNBits", names, ["y"], domain=MS, N=rows, K=depth, bits=bits, block_size=block)
    # ONNX Runtime has no 8-bit weights with float zero points, and other groups than in order.
    own = extra == "groups" or (bits == 8 and zero == "float")
    kw = {"reference": lambda *_: [nbits_product(a, constants, bits, block, depth)]} if own else {}
    check(node, {"a": a}, ["y"], constants, atol=1e-3, **kw)


def nbits_product(a, c, bits, block, depth):
    """The definition."""
    def unpack(x):
        return np.stack([(x >> s) & ((1 << bits) - 1) for s in range(0, 8, bits)], -1).reshape(x.shape[0], -1)
    rows, blocks = c["s"].shape
    q = unpack(c["b"].reshape(rows, -1))[:, :depth].astype(np.float32)
    z = c.get("z", np.full((rows, blocks), 1 << (bits - 1), np.float32))
    if z.dtype == np.uint8:
        z = unpack(z)[:, :blocks]
    g = c.get("g", np.arange(depth) // block)
    return a @ ((q - z[:, g]) * c["s"][:, g]).T.astype(np.float32) + c.get("bias", 0)


@pytest.mark.parametrize("quant", [0, 1])
@pytest.mark.parametrize("depth, rows, block", [(32, 4, 16), (16, 3, 32)])
def test_matmul_bnb4(quant, depth, rows, block):
    constants = {"b": bytes_of(np.uint8, ((rows * depth + 1) // 2,)), "m": rng(1).random(-(-rows * depth // block)).astype(np.float32)}
    node = helper.make_node("MatMulBnb4", ["a", "b", "m"], ["y"], domain=MS, N=rows, K=depth, quant_type=quant, block_size=block)
    check(node, {"a": floats(2, depth)}, ["y"], constants, atol=1e-4)


@pytest.mark.parametrize("dtype", ["int4", "uint4", "uint8"])
@pytest.mark.parametrize("gather, blocked", [(0, 1), (1, 0), (0, 2)])
@pytest.mark.parametrize("zero", [False, True])
def test_gather_block_quantized(dtype, gather, blocked, zero):
    bits = 4
    if dtype == "uint8" and (gather, blocked) != (0, 2):
        pytest.skip("ONNX Runtime gathers bytes along axis 0 with blocks along the last")
    shape = [32, 32, 32]
    data_shape = shape[:2] + [16] if dtype == "uint8" else shape
    blocks = list(shape)
    blocks[blocked] //= 16
    zeros = blocks[:2] + [-(-blocks[2] // 2)] if dtype == "uint8" else blocks
    kind = np.dtype(getattr(ml_dtypes, dtype, dtype))
    codes = lambda lens, seed: (bytes_of(np.uint8, lens, seed) if dtype == "uint8" else  # noqa: E731
                                rng(seed).integers(-8 if dtype == "int4" else 0, 8, lens).astype(kind))
    constants = {"d": codes(data_shape, 0), "s": (0.1 + rng(1).random(blocks)).astype(np.float32)}
    names = ["d", "i", "s"]
    if zero:
        constants["z"] = codes(zeros, 2)
        names.append("z")
    node = helper.make_node("GatherBlockQuantized", names, ["y"], domain=MS, gather_axis=gather, quantize_axis=blocked, block_size=16,
                            **({"bits": bits} if dtype == "uint8" else {}))
    check(node, {"i": np.array([[1, 3], [0, 2]])}, ["y"], constants)


# ---- recurrent networks

@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("columns", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_dynamic_quantize_lstm(direction, columns, dtype):
    steps, batch, width, hidden = 4, 2, 8, 6
    d = 2 if direction == "bidirectional" else 1
    per = (d, 4 * hidden) if columns else (d,)
    zero = np.full(per, 128 if dtype == "uint8" else 0, dtype)
    constants = {"w": bytes_of(dtype, (d, width, 4 * hidden)), "r": bytes_of(dtype, (d, hidden, 4 * hidden), 1),
                 "b": floats(d, 8 * hidden, seed=2, scale=0.1), "ws": (0.001 + rng(3).random(per) / 300).astype(np.float32), "wz": zero,
                 "rs": (0.001 + rng(4).random(per) / 300).astype(np.float32), "rz": zero}
    node = helper.make_node("DynamicQuantizeLSTM", ["x", "w", "r", "b", "", "", "", "", "ws", "wz", "rs", "rz"], ["y", "h", "c"],
                            domain=MS, direction=direction, hidden_size=hidden)
    # ONNX Runtime rounds activations to eight bits before each product; here they stay float.
    check(node, {"x": floats(steps, batch, width)}, ["y", "h", "c"], constants, rtol=0, atol=0.03)


# ---- what is malformed

@pytest.mark.parametrize("node, constants, error", [
    (helper.make_node("GatherBlockQuantized", ["d", "x", "s"], ["y"], domain=MS, block_size=16),
     {"d": np.zeros((2, 16), np.uint8), "s": np.ones(2, np.float32)}, "2 dimensions were expected"),
    (helper.make_node("MatMulNBits", ["x", "b", "s"], ["y"], domain=MS, N=1 << 62, K=1 << 62, block_size=1 << 62),
     {"b": np.zeros((1, 1, 8), np.uint8), "s": np.ones(1, np.float32)}, "block_size"),
    (helper.make_node("MatMulNBits", ["x", "b", "s"], ["y"], domain=MS, N=1 << 40, K=1 << 40, block_size=16),
     {"b": np.zeros((1, 1, 8), np.uint8), "s": np.ones(1, np.float32)}, "fit the memory"),
    (helper.make_node("MatMulNBits", ["x", "b", "s"], ["y"], domain=MS, N=3, K=16, block_size=16),
     {"b": np.zeros((2, 1, 8), np.uint8), "s": np.ones(3, np.float32)}, "B of 3 rows"),
    (helper.make_node("MatMulInteger", ["b", "b", "z"], ["y"]), {"b": np.zeros((2, 2), np.uint8), "z": np.int8(1)}, "zero point of type uint8_type"),
    (helper.make_node("MatMulInteger", ["b", "b", "z"], ["y"]), {"b": np.zeros((2, 2), np.uint8), "z": np.ones((5, 1, 1), np.uint8)},
     "stretch to their operands"),
    (helper.make_node("MatMulInteger", ["x", "x"], ["y"]), {}, "int8 or uint8 was expected"),
    (helper.make_node("QuantizeLinear", ["x", "s"], ["y"], output_dtype=999), {"s": np.float32(1)}, "output_dtype"),
    (helper.make_node("DequantizeLinear", ["b", "s"], ["y"], output_dtype=7), {"b": np.zeros((2, 2), np.uint8), "s": np.float32(1)},
     "floating-point type"),
    (helper.make_node("Cast", ["x"], ["y"], to=27), {}, "float6e2m3"),
])
def test_errors(node, constants, error):
    with pytest.raises(RuntimeError, match=error):
        run(make_model(node, {"x": np.zeros((2, 16), np.float32)}, ["y"], constants), {"x": np.zeros((2, 16), np.float32)})
