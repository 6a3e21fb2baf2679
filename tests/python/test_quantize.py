# SPDX-License-Identifier: MIT
"""quantize_* on programs, and models that ONNX Runtime's tools quantised."""

import pathlib
import sys

import migraphx
import ml_dtypes
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from onnx_support import make_model, run, run_ort

TARGETS = ["ref", "cpu", "null"]


def floats(*shape, seed=0, scale=1.0):
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def small_net():
    """Convolutions, one of them depthwise, pooling and two layers: the model and its input."""
    constants = {"w1": floats(8, 3, 3, 3, seed=1, scale=0.3), "b1": floats(8, seed=2, scale=0.2),
                 "w2": floats(8, 1, 3, 3, seed=3, scale=0.4), "w3": floats(16, 8, 1, 1, seed=4, scale=0.3),
                 "w4": floats(16, 32, seed=5, scale=0.2), "b4": floats(32, seed=6, scale=0.1),
                 "w5": floats(10, 32, seed=7, scale=0.2)}
    nodes = [helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1]),
             helper.make_node("Relu", ["c1"], ["r1"]),
             helper.make_node("Conv", ["r1", "w2"], ["c2"], pads=[1, 1, 1, 1], group=8, strides=[2, 2]),
             helper.make_node("Conv", ["c2", "w3"], ["c3"]),
             helper.make_node("Relu", ["c3"], ["r3"]),
             helper.make_node("GlobalAveragePool", ["r3"], ["p"]),
             helper.make_node("Flatten", ["p"], ["f"]),
             helper.make_node("MatMul", ["f", "w4"], ["m"]),
             helper.make_node("Add", ["m", "b4"], ["a"]),
             helper.make_node("Relu", ["a"], ["r4"]),
             helper.make_node("Gemm", ["r4", "w5"], ["y"], transB=1)]
    x = floats(2, 3, 12, 12)
    return make_model(nodes, {"x": x}, ["y"], constants, opsets={"": 17}, ir_version=8), x


def parse(model):
    return migraphx.parse_onnx_buffer(model.SerializeToString())


def results(p, inputs, target):
    p.compile(migraphx.get_target(target))
    return [np.asarray(y) for y in p.run(inputs)]


def error(got, wanted):
    """Root mean square of the difference, relative to the largest value."""
    assert got.dtype == wanted.dtype and got.shape == wanted.shape
    return np.sqrt(np.mean((got - wanted) ** 2)) / np.abs(wanted).max()


MODES = {
    # what is done, and the error that one rounding of each weight and activation may add up to
    "fp16": (lambda p, t, x: migraphx.quantize_fp16(p), 1e-3),
    "bf16": (lambda p, t, x: migraphx.quantize_bf16(p), 1e-2),
    "int8": (lambda p, t, x: migraphx.quantize_int8(p, t, [{"x": x}]), 2e-2),
    "fp8": (lambda p, t, x: migraphx.quantize_fp8(p, t, [{"x": x}]), 5e-2),
    "int4": (lambda p, t, x: migraphx.quantize_int4_weights(p), 1e-1),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("target", TARGETS)
def test_modes(mode, target):
    model, x = small_net()
    wanted, = run(model, {"x": x}, target)
    p = parse(model)
    quantize, limit = MODES[mode]
    quantize(p, migraphx.get_target(target), x)
    text = str(p)
    marks = {"fp16": "half_type", "bf16": "bf16_type", "int8": "quantizelinear", "fp8": "fp8e4m3fn_type", "int4": "unpack_int4"}
    assert marks[mode] in text and "capture" not in text
    got, = results(p, {"x": x}, target)
    assert 0 < error(got, wanted) < limit


@pytest.mark.parametrize("mode", MODES)
def test_targets_agree(mode):
    model, x = small_net()
    got = []
    for target in TARGETS:
        p = parse(model)
        MODES[mode][0](p, migraphx.get_target("ref"), x)
        got += results(p, {"x": x}, target)
    # A value on the border between two steps may go either way; cpu keeps halves in float on the way.
    assert len(got) == len(TARGETS) > 1
    for other in got[1:]:
        assert error(other, got[0]) < {"int8": 1e-2, "fp8": 3e-2, "int4": 1e-5}.get(mode, 1e-2)


def operators(p, *names):
    return {line.split(" = ")[1].split("[")[0].split("(")[0] for line in str(p).splitlines() if " = " in line} & set(names)


def test_int8_runs_on_integers():
    model, x = small_net()
    p = parse(model)
    migraphx.quantize_int8(p, migraphx.get_target("cpu"), [{"x": x}])
    q = p.clone()
    p.compile(migraphx.get_target("cpu"))
    if operators(p, "quant_dot", "quant_convolution"):  # not on machines without VNNI
        assert operators(p, "quant_dot", "quant_convolution") == {"quant_dot", "quant_convolution"}
    # Four of five layers in int8 alone: no other operator changes.
    assert operators(q, "dot", "convolution") == {"dot", "convolution"}


def test_calibration_takes_the_largest_of_all_runs():
    model, x = small_net()
    wanted, = run(model, {"x": 20 * x})
    errors = []
    for runs in ([x], [x, 20 * x]):
        p = parse(model)
        migraphx.quantize_int8(p, migraphx.get_target("ref"), [{"x": r} for r in runs])
        errors.append(error(results(p, {"x": 20 * x}, "ref")[0], wanted))
    assert errors[1] < 0.02 < errors[0]


def test_int8_without_calibration():
    model, x = small_net()
    p = parse(model)
    migraphx.quantize_int8(p, migraphx.get_target("ref"))
    assert "quantizelinear" in str(p)
    assert np.isfinite(results(p, {"x": x}, "ref")[0]).all()


def test_names():
    model, x = small_net()
    p = parse(model)
    with pytest.raises(RuntimeError, match="among dot and convolution were expected, got 'add'"):
        migraphx.quantize_int8(p, migraphx.get_target("ref"), [], {"add"})
    migraphx.quantize_int8(p, migraphx.get_target("ref"), [{"x": x}], {"dot"})
    assert str(p).count(" quantizelinear") == 2  # what the two products take; weights are constant
    p = parse(model)
    migraphx.quantize_fp16(p, ["dot"])
    halves = [line for line in str(p).splitlines() if "-> half_type" in line]
    assert any(" dot(" in line for line in halves) and not any("convolution" in line for line in halves)


def test_compiled_programs_keep_their_precision():
    model, _ = small_net()
    p = parse(model)
    p.compile(migraphx.get_target("ref"))
    for quantize in (migraphx.quantize_fp16, migraphx.quantize_bf16, migraphx.quantize_int4_weights,
                     lambda q: migraphx.quantize_int8(q, migraphx.get_target("ref"))):
        with pytest.raises(RuntimeError, match="not compiled was expected"):
            quantize(p)


def test_halves_reach_tuples_and_branches():
    """topk gives a tuple; the branches of an If keep their types."""
    def branch(op):
        return helper.make_graph([helper.make_node(op, ["v", "v"], [op])], op, [],
                                 [helper.make_tensor_value_info(op, TensorProto.FLOAT, None)])
    nodes = [helper.make_node("TopK", ["x", "k"], ["v", "i"]),
             helper.make_node("If", ["c"], ["y"], then_branch=branch("Add"), else_branch=branch("Mul"))]
    x = floats(3, 7)
    model = make_model(nodes, {"x": x, "c": np.array(True)}, {"y": TensorProto.FLOAT, "i": TensorProto.INT64}, {"k": np.array([2])})
    for target in TARGETS:
        for c in (True, False):
            inputs = {"x": x, "c": np.array(c)}
            p = parse(model)
            migraphx.quantize_fp16(p)
            for got, wanted in zip(results(p, inputs, target), run(model, inputs, target)):
                assert got.dtype == wanted.dtype
                np.testing.assert_allclose(got, wanted, rtol=3e-3)


@pytest.mark.parametrize("target", TARGETS)
def test_sums_of_squares_stay_in_halfs_range(target):
    """x / sqrt(mean(x * x)): squares of values around 400 and their sum are infinite in half."""
    nodes = [helper.make_node("Mul", ["x", "x"], ["squares"]),
             helper.make_node("ReduceSum", ["squares", "axes"], ["sum"]),
             helper.make_node("Div", ["sum", "n"], ["mean"]),
             helper.make_node("Sqrt", ["mean"], ["root"]),
             helper.make_node("Div", ["x", "root"], ["y"])]
    x = floats(4, 512, scale=400)
    model = make_model(nodes, {"x": x}, ["y"], {"axes": np.array([1]), "n": np.array(512, dtype=np.float32)})
    wanted, = run(model, {"x": x}, target)
    p = parse(model)
    migraphx.quantize_fp16(p)
    got, = results(p, {"x": x}, target)
    np.testing.assert_allclose(got, wanted, rtol=3e-3, atol=1e-3)


def test_weights_of_four_bits_keep_their_scales_by_block():
    """A block of inputs with small weights is not drowned by one with large ones."""
    w = floats(64, 4, seed=1)
    w[:32] *= 1e-3
    x = floats(3, 64)
    x[:, 32:] = 0
    model = make_model(helper.make_node("MatMul", ["x", "w"], ["y"]), {"x": x}, ["y"], {"w": w})
    p = parse(model)
    migraphx.quantize_int4_weights(p)
    assert error(results(p, {"x": x}, "ref")[0], x @ w) < 0.1


@pytest.mark.parametrize("target", TARGETS)
def test_autocast(target):
    kind = ml_dtypes.float8_e4m3fn
    x = np.array([1, 2.3, -0.7], np.float32)
    model = make_model([helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT), helper.make_node("Add", ["f", "n"], ["s"]),
                        helper.make_node("Cast", ["s"], ["y"], to=TensorProto.FLOAT8E4M3FN)],
                       {"n": x, "x": x.astype(kind)}, {"y": TensorProto.FLOAT8E4M3FN})
    p = parse(model)
    migraphx.autocast_fp8(p)
    assert p.get_parameter_names() == ["n", "x"]
    assert {s.type_string() for s in p.get_parameter_shapes().values()} == {"float_type"}
    y, = results(p, {"x": x, "n": x}, target)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, (x.astype(kind).astype(np.float32) + x).astype(kind).astype(np.float32))


# ---- models quantised by ONNX Runtime

class Reader:
    def __init__(self, runs):
        self.runs = iter(runs)

    def get_next(self):
        return next(self.runs, None)


@pytest.mark.parametrize("form", ["QDQ", "QOperator"])
@pytest.mark.parametrize("activations, weights", [("QUInt8", "QInt8"), ("QInt8", "QInt8"), ("QUInt8", "QUInt8")])
@pytest.mark.parametrize("per_channel", [False, True])
def test_statically_quantised_models(form, activations, weights, per_channel, tmp_path):
    tools = pytest.importorskip("onnxruntime.quantization")
    model, x = small_net()
    onnx.save(model, tmp_path / "f.onnx")
    tools.quantize_static(tmp_path / "f.onnx", tmp_path / "q.onnx", Reader([{"x": x}]), getattr(tools.QuantFormat, form),
                          activation_type=getattr(tools.QuantType, activations), weight_type=getattr(tools.QuantType, weights),
                          per_channel=per_channel)
    quantised = onnx.load(tmp_path / "q.onnx")
    wanted, = run_ort(quantised, {"x": x})
    for target in TARGETS:
        got, = run(quantised, {"x": x}, target)
        # One step of eight bits of an activation, where ONNX Runtime's fused products round the other way.
        assert error(got, wanted) < 5e-3


@pytest.mark.parametrize("weights", ["QInt8", "QUInt8"])
def test_dynamically_quantised_models(weights, tmp_path):
    tools = pytest.importorskip("onnxruntime.quantization")
    model, x = small_net()
    onnx.save(model, tmp_path / "f.onnx")
    tools.quantize_dynamic(tmp_path / "f.onnx", tmp_path / "q.onnx", weight_type=getattr(tools.QuantType, weights))
    quantised = onnx.load(tmp_path / "q.onnx")
    assert {n.op_type for n in quantised.graph.node} >= {"ConvInteger", "MatMulInteger", "DynamicQuantizeLinear"}
    wanted, = run_ort(quantised, {"x": x})
    for target in TARGETS:
        assert error(run(quantised, {"x": x}, target)[0], wanted) < 5e-3


def test_models_of_half():
    float16 = pytest.importorskip("onnxruntime.transformers.float16")
    model, x = small_net()
    half = float16.convert_float_to_float16(model, keep_io_types=True)
    assert TensorProto.FLOAT16 in {t.data_type for t in half.graph.initializer}
    wanted, = run_ort(half, {"x": x})
    for target in TARGETS:
        assert error(run(half, {"x": x}, target)[0], wanted) < 2e-3


# ---- a trained model

@pytest.fixture(scope="module")
def recogniser(tmp_path_factory):
    """A recogniser of text lines, its input, and what it gives in float."""
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
    import models
    model = models.find("ppocr_rec")
    folder = tmp_path_factory.mktemp("models")
    try:
        models.prepare(folder, [model])
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    x = models.make_inputs(model, model.cases[0])
    sizes = {k: list(v.shape) for k, v in x.items()}

    def read():
        return migraphx.parse_onnx(str(folder / "ppocr_rec.onnx"), map_input_dims=sizes)
    return read, x["x"], results(read(), x, "cpu")[0]


@pytest.mark.parametrize("mode", MODES)
def test_recogniser(mode, recogniser):
    """The line is made up, so the model is unsure of many characters: the most likely one may change there."""
    read, x, wanted = recogniser
    p = read()
    MODES[mode][0](p, migraphx.get_target("cpu"), x)
    got, = results(p, {"x": x}, "cpu")
    assert np.mean(got.argmax(-1) == wanted.argmax(-1)) >= (0.95 if mode == "fp16" else 0.7)
    assert error(got, wanted) < {"fp16": 1e-3, "bf16": 2e-3}.get(mode, 1e-2)
