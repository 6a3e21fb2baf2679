# SPDX-License-Identifier: MIT
"""One compiled program for many sizes: bounds, names, answers, threads, memory."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

import migraphx
import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import models  # noqa: E402
from each_target import every_target  # noqa: E402
from limited_child import SANITIZED  # noqa: E402

dimension = migraphx.shape.dynamic_dimension
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


class Graph:
    """An ONNX model under construction."""

    def __init__(self, seed=0):
        self.nodes, self.weights, self.rng = [], [], np.random.default_rng(seed)
        self.inputs, self.outputs = [], []

    def input(self, name, dims, dtype=FLOAT):
        self.inputs.append(helper.make_tensor_value_info(name, dtype, dims))
        return name

    def output(self, name, dtype=FLOAT):
        self.outputs.append(helper.make_tensor_value_info(name, dtype, None))

    def constant(self, value):
        name = f"c{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def weight(self, *shape):
        return self.constant((0.3 * self.rng.standard_normal(shape)).astype(np.float32))

    def add(self, op, *inputs, outputs=1, **attributes):
        names = [f"t{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def dim(self, x, axis):
        return self.add("Gather", self.add("Shape", x), self.constant(np.array([axis])), axis=0)

    def bytes(self):
        graph = helper.make_graph(self.nodes, "g", self.inputs, self.outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        return model.SerializeToString()


def reference(model):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda feed: session.run(None, feed)


def parse(model, **options):
    """parse_onnx_buffer takes no dim_params, so those go through a file."""
    if "dim_params" not in options:
        return migraphx.parse_onnx_buffer(model, **options)
    with tempfile.NamedTemporaryFile(suffix=".onnx") as f:
        f.write(model)
        f.flush()
        return migraphx.parse_onnx(f.name, **options)


def compiled(model, target, **options):
    p = parse(model, **options)
    p.compile(target)
    return p


def check(p, session, feed, rtol=2e-4):
    got = [np.asarray(r) for r in p.run(feed)]
    expected = session(feed)
    for g, e in zip(got, expected, strict=True):
        assert g.shape == e.shape
        scale = np.abs(e).max() if e.size else 1.0
        np.testing.assert_allclose(g, e, rtol=0, atol=rtol * max(scale, 1e-6))


# ---- what is taken


def two_inputs():
    """x {batch, width} and y {batch, 3}: a product of x, beside y."""
    g = Graph()
    x, y = g.input("x", ["batch", "width"]), g.input("y", ["batch", 3])
    s = g.add("ReduceSum", x, g.constant(np.array([1])), keepdims=1)
    g.nodes.append(helper.make_node("Add", [s, y], ["z"]))
    g.output("z")
    return g.bytes()


def floats(*shape):
    return np.ones(shape, np.float32)


WRONG = [
    ({"x": floats(5, 4), "y": floats(5, 3)}, r"x .*dimension 0 must be in \[1, 4\], got 5"),
    ({"x": floats(2, 1), "y": floats(2, 3)}, r"x .*dimension 1 must be in \[2, 8\], got 1"),
    ({"x": floats(2, 9), "y": floats(2, 3)}, r"x .*dimension 1 must be in \[2, 8\], got 9"),
    ({"x": floats(2, 4), "y": floats(2, 4)}, r"y .*dimension 1 must be in \[3, 3\], got 4"),
    ({"x": floats(2, 4, 1), "y": floats(2, 3)}, r"x .*rank 2 was expected, got 3"),
    ({"x": floats(2, 4).astype(np.float64), "y": floats(2, 3)}, r"x .*type float_type was expected, got double_type"),
    ({"x": floats(2, 4)}, r"Parameter not found: y; given were: x$"),
    ({"x": floats(2, 4), "Y": floats(2, 3)}, r"Parameter not found: y; given were: .*Y \(which the program does not have\)"),
    ({"x": floats(2, 4), "y": floats(1, 3)}, r"y .*dimension 0 \(batch\) must be 2, that of dimension 0 of parameter x, got 1"),
]


@every_target
@pytest.mark.parametrize("feed,message", WRONG)
def test_sizes_outside_are_named(target, feed, message):
    p = compiled(two_inputs(), target, dim_params={"batch": dimension(1, 4), "width": dimension(2, 8)})
    with pytest.raises(RuntimeError, match=message):
        p.run(feed)
    with pytest.raises(RuntimeError):
        p.reshape({n: list(v.shape) + [1] for n, v in feed.items()}, printInfo=False)
    assert p.run({"x": floats(2, 8), "y": floats(2, 3)})[0].tolist() == [9.0] * 6


@every_target
def test_prepared_sizes_are_checked(target):
    p = compiled(two_inputs(), target, dim_params={"batch": dimension(1, 4), "width": dimension(2, 8)})
    assert p.reshape({"x": [4, 8], "y": [4, 3]}, printInfo=False) == 0
    for sizes, message in (
        ({"x": [4, 9], "y": [4, 3]}, r"x .*dimension 1 must be in \[2, 8\], got 9"),
        ({"x": [4, 8], "y": [3, 3]}, r"dimension 0 \(batch\) must be 4"),
        ({"x": [4, 8]}, "parameter y: its sizes were expected"),
        ({"x": [4, 8], "y": [4, 3], "z": [1]}, "'z'"),
    ):
        with pytest.raises(RuntimeError, match=message):
            p.reshape(sizes, printInfo=False)


def test_names_shared_by_dimensions(tmp_path):
    """One size for one name, also after saving; not where the options say otherwise."""
    target = migraphx.get_target("ref")
    agree = {"x": floats(2, 4), "y": floats(2, 3)}
    differ = {"x": floats(2, 4), "y": floats(1, 3)}  # could be broadcast
    ranges = {"default_dyn_dim_value": dimension(1, 4)}
    p = migraphx.parse_onnx_buffer(two_inputs(), **ranges)
    saved = migraphx.load_buffer(migraphx.save_buffer(p))
    for q in (p, saved):
        q.compile(target)
        q.run(agree)
        with pytest.raises(RuntimeError, match="batch"):
            q.run(differ)
    both = {"x": [dimension(1, 4), dimension(1, 4)], "y": [dimension(1, 4), 3]}
    with pytest.raises(RuntimeError, match="batch"):
        compiled(two_inputs(), target, map_dyn_input_dims=both).run(differ)
    for apart in (
        {"x": [dimension(1, 5), dimension(1, 4)], "y": [dimension(1, 4), 3]},
        {"x": [dimension(1, 4), dimension(1, 4)], "y": [1, 3]},
    ):
        assert compiled(two_inputs(), target, map_dyn_input_dims=apart).run(differ)[0].get_shape().lens() == [2, 3]


@pytest.mark.parametrize("mark", ["?", "-1", "None", ""])
def test_marks_of_unknown_sizes_are_no_names(mark):
    g = Graph()
    x, y = g.input("x", [mark, 2]), g.input("y", [mark, 2])
    g.nodes.append(helper.make_node("MatMul", [x, g.add("Transpose", y, perm=[1, 0])], ["z"]))
    g.output("z")
    p = compiled(g.bytes(), migraphx.get_target("ref"), default_dyn_dim_value=dimension(1, 4))
    assert p.run({"x": floats(2, 2), "y": floats(3, 2)})[0].get_shape().lens() == [2, 3]


def test_sizes_by_every_option():
    model = two_inputs()
    for options, x in (
        ({"dim_params": {"batch": dimension(1, 4), "width": dimension(8, 8)}}, [(1, 4), (8, 8)]),
        ({"default_dyn_dim_value": dimension(2, 6, {4})}, [(2, 6), (2, 6)]),
        ({"dim_params": {"batch": dimension(1, 4)}, "default_dim_value": 5}, [(1, 4), (5, 5)]),
        ({"map_dyn_input_dims": {"x": [dimension(1, 3), 7]}}, [(1, 3), (7, 7)]),
        ({"map_input_dims": {"y": [2, 3]}, "map_dyn_input_dims": {"x": [2, dimension(1, 9)]}}, [(2, 2), (1, 9)]),
    ):
        s = parse(model, **options).get_parameter_shapes()["x"]
        assert [(d.min, d.max) for d in s.dyn_dims()] == x
    for options in (
        {"default_dim_value": 2, "default_dyn_dim_value": dimension(1, 4)},
        {"map_input_dims": {"x": [1, 2]}, "map_dyn_input_dims": {"x": [1, 2]}},
    ):
        with pytest.raises(RuntimeError, match="got both"):
            parse(model, **options)


# ---- sizes up to the parsed ones


def shape_arithmetic(g, x):
    """x {b, s, 12} as {b, 3, s, 4} and back by sizes that the graph computes."""
    b, s = g.dim(x, 0), g.dim(x, 1)
    three, four, twelve = (g.constant(np.array([n])) for n in (3, 4, 12))
    split = g.add("Reshape", x, g.add("Concat", b, s, three, four, axis=0))
    heads = g.add("Transpose", split, perm=[0, 2, 1, 3])
    back = g.add("Transpose", g.add("Tanh", heads), perm=[0, 2, 1, 3])
    return g.add("Reshape", back, g.add("Concat", b, s, twelve, axis=0))


def arithmetic_model():
    g = Graph()
    x = g.input("x", ["b", "s", 12])
    y = g.add("MatMul", shape_arithmetic(g, x), g.weight(12, 5))
    g.nodes.append(helper.make_node("Add", [y, g.weight(5)], ["y"]))
    g.output("y")
    return g.bytes()


@every_target
def test_largest_size_parsed_smaller_run(target):
    model = arithmetic_model()
    p = migraphx.parse_onnx_buffer(model, map_input_dims={"x": [4, 6, 12]})
    assert p.get_inputs()["x"].lens() == [4, 6, 12]
    p.compile(target, is_dynamic=True)
    assert p.get_inputs()["x"].lens() == [4, 6, 12]
    session = reference(model)
    rng = np.random.default_rng(3)
    for q in (p, migraphx.load_buffer(migraphx.save_buffer(p))):
        for b, s in ((4, 6), (1, 1), (3, 5)):
            check(q, session, {"x": rng.standard_normal((b, s, 12)).astype(np.float32)})
        with pytest.raises(RuntimeError, match=r"dimension 1 must be in \[1, 6\], got 7"):
            q.run({"x": floats(1, 7, 12)})
        with pytest.raises(RuntimeError, match="dimension 2"):
            q.run({"x": floats(1, 6, 11)})


@every_target
def test_smaller_sizes_of_a_program_built_by_hand(target):
    def built(bias):
        p = migraphx.program()
        m = p.get_main_module()
        x = m.add_parameter("x", migraphx.shape(lens=[4, 3]))
        w = m.add_literal(np.arange(6, dtype=np.float32).reshape(3, 2))
        y = m.add_instruction(migraphx.op("dot"), [x, w])
        if bias:
            y = m.add_instruction(migraphx.op("add"), [y, m.add_literal(floats(4, 2))])
        m.add_return([m.add_instruction(migraphx.op("tanh"), [y])])
        p.compile(target, is_dynamic=True)
        return p

    p = built(False)
    for n in (4, 1, 3):
        assert p.run({"x": floats(n, 3)})[0].get_shape().lens() == [n, 2]
    with pytest.raises(RuntimeError, match=r"dimension 0 must be in \[1, 4\], got 5"):
        p.run({"x": floats(5, 3)})
    # Sizes that are part of the program stay: an error, never a wrong answer.
    p = built(True)
    assert p.run({"x": floats(4, 3)})[0].get_shape().lens() == [4, 2]
    with pytest.raises(RuntimeError, match="add"):
        p.run({"x": floats(2, 3)})


# ---- answers


def transformer():
    """One layer over {batch, sequence} tokens: shapes computed in the graph, a mask, positions by Range."""
    g = Graph(1)
    ids, mask = g.input("ids", ["batch", "sequence"], INT64), g.input("mask", ["batch", "sequence"], INT64)
    width, heads = 16, 4
    b, s = g.dim(ids, 0), g.dim(ids, 1)
    whole = [g.constant(np.array([n])) for n in (heads, width // heads, width)]
    x = g.add("Gather", g.weight(50, width), ids)
    zero, one = g.constant(np.array(0)), g.constant(np.array(1))
    positions = g.add("Range", zero, g.add("Squeeze", s, g.constant(np.array([0]))), one)
    x = g.add("Add", x, g.add("Gather", g.weight(64, width), positions))

    def project(order):
        y = g.add("MatMul", x, g.weight(width, width))
        y = g.add("Reshape", y, g.add("Concat", b, s, whole[0], whole[1], axis=0))
        return g.add("Transpose", y, perm=order)

    scores = g.add("MatMul", project([0, 2, 1, 3]), project([0, 2, 3, 1]))
    hidden = g.add("Cast", g.add("Unsqueeze", mask, g.constant(np.array([1, 2]))), to=FLOAT)
    hidden = g.add("Mul", g.add("Sub", g.constant(np.float32(1)), hidden), g.constant(np.float32(-1e4)))
    scores = g.add("Softmax", g.add("Add", scores, hidden), axis=-1)
    y = g.add("Transpose", g.add("MatMul", scores, project([0, 2, 1, 3])), perm=[0, 2, 1, 3])
    y = g.add("Add", x, g.add("Reshape", y, g.add("Concat", b, s, whole[2], axis=0)))
    y = g.add("LayerNormalization", y, g.weight(width), g.weight(width), axis=-1)
    g.nodes.append(helper.make_node("Relu", [y], ["y"]))
    g.output("y")
    return g.bytes()


def transformer_feed(rng, b, s):
    mask = (np.arange(s) < rng.integers(1, s + 1, (b, 1))).astype(np.int64)
    return {"ids": rng.integers(0, 50, (b, s)), "mask": mask}


def recurrent():
    g = Graph(2)
    x = g.input("x", ["steps", "batch", 6])
    y, h, c = g.add("LSTM", x, g.weight(2, 20, 6), g.weight(2, 20, 5), g.weight(2, 40),
                    outputs=3, hidden_size=5, direction="bidirectional")
    # {steps, 2, batch, 5} -> {steps, batch, 10}
    y = g.add("Transpose", y, perm=[0, 2, 1, 3])
    y = g.add("Reshape", y, g.constant(np.array([0, 0, -1])))
    z = g.add("GRU", y, g.weight(1, 12, 10), g.weight(1, 12, 4), outputs=2, hidden_size=4)[0]
    for name, t in (("y", z), ("h", h), ("c", c)):
        g.nodes.append(helper.make_node("Identity", [t], [name]))
        g.output(name)
    return g.bytes()


def detector():
    """Convolutions, boxes of every position, suppression: the number of results depends on values."""
    g = Graph(4)
    x = g.input("x", ["n", 3, "height", "width"])
    y = g.add("Relu", g.add("Conv", x, g.weight(8, 3, 3, 3), g.weight(8), strides=[2, 2], pads=[1, 1, 1, 1]))
    y = g.add("Add", y, g.add("Resize", g.add("MaxPool", y, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
                              "", "", g.add("Shape", y), mode="nearest"))
    n = g.dim(x, 0)

    def rows(channels):
        t = g.add("Transpose", g.add("Conv", y, g.weight(channels, 8, 1, 1)), perm=[0, 2, 3, 1])
        return g.add("Reshape", t, g.add("Concat", n, g.constant(np.array([-1, channels])), axis=0))

    boxes = g.add("Add", rows(4), g.constant(np.float32([0, 0, 1, 1])))
    scores = g.add("Transpose", g.add("Sigmoid", rows(2)), perm=[0, 2, 1])
    chosen = g.add("NonMaxSuppression", boxes, scores, g.constant(np.array([5])),
                   g.constant(np.float32([0.4])), g.constant(np.float32([0.55])))
    picked = g.add("GatherND", boxes, g.add("Gather", chosen, g.constant(np.array([0, 2])), axis=1))
    for name, t, dtype in (("boxes", picked, FLOAT), ("which", chosen, INT64)):
        g.nodes.append(helper.make_node("Identity", [t], [name]))
        g.output(name, dtype)
    return g.bytes()


NETS = {
    "transformer": (transformer, transformer_feed, [(1, 1), (2, 7), (5, 3), (1, 31), (4, 16), (2, 7)]),
    "recurrent": (recurrent, lambda rng, b, s: {"x": rng.standard_normal((s, b, 6)).astype(np.float32)},
                  [(1, 1), (3, 9), (8, 2), (3, 9), (1, 30)]),
    "detector": (detector, lambda rng, n, h: {"x": rng.standard_normal((n, 3, 8 + h, 40 - h)).astype(np.float32)},
                 [(1, 8), (2, 3), (3, 25), (1, 8), (2, 4)]),
    "arithmetic": (arithmetic_model, lambda rng, b, s: {"x": rng.standard_normal((b, s, 12)).astype(np.float32)},
                   [(1, 1), (2, 5), (5, 2), (7, 7)]),
}


@every_target
@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("by_name", [False, True])
def test_many_sizes_agree_with_onnxruntime(target, name, by_name):
    build, feed, sizes = NETS[name]
    model = build()
    names = {d.dim_param for i in onnx.load_model_from_string(model).graph.input for d in i.type.tensor_type.shape.dim}
    options = {"default_dyn_dim_value": dimension(1, 64)}
    if by_name:
        options = {"dim_params": {n: dimension(1, 64) for n in names if n}}
    p = compiled(model, target, **options)
    session = reference(model)
    rng = np.random.default_rng(7)
    for a, b in sizes:
        check(p, session, feed(rng, a, b))


@every_target
def test_sizes_of_zero(target):
    """An empty batch gives empty results of the right sizes."""
    for build, feed, axis in (
        (arithmetic_model, {"x": floats(0, 3, 12)}, 0),
        (recurrent, {"x": floats(3, 0, 6)}, 1),
    ):
        p = migraphx.parse_onnx_buffer(build(), default_dyn_dim_value=dimension(0, 8))
        p.compile(target)
        for r in p.run(feed):
            assert 0 in r.get_shape().lens() and np.asarray(r).size == 0
        full = {n: np.ones([s or 2 for s in v.shape], v.dtype) for n, v in feed.items()}
        assert all(np.asarray(r).size for r in p.run(full))
        p.run(feed)


# ---- threads and memory


def test_threads_with_different_sizes():
    model = transformer()
    p = migraphx.parse_onnx_buffer(model, default_dyn_dim_value=dimension(1, 64))
    p.compile(migraphx.get_target("cpu"))
    session = reference(model)
    rng = np.random.default_rng(11)
    feeds = [transformer_feed(rng, 1 + i % 3, 4 + 5 * i % 37) for i in range(16)]
    expected = [session(f)[0] for f in feeds]
    errors = []

    def work(first):
        try:
            for i in range(40):
                k = (first * 3 + i) % len(feeds)
                got = np.asarray(p.run(feeds[k])[0])
                np.testing.assert_allclose(got, expected[k], atol=1e-4)
        except BaseException as e:  # noqa: BLE001
            errors.append(e)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors, errors[0]


def resident():
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1024


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    try:
        models.prepare(folder, [models.find("ppocr_rec")])
    except FileNotFoundError as error:
        pytest.skip(str(error))
    return folder / "ppocr_rec.onnx"


def check_bits_of_widths(data, lens, widest, widths, compared):
    """One program whose last dimension is open, run with each of `widths`; the bits of static ones where `compared`."""
    target = migraphx.get_target("cpu")
    p = migraphx.parse_onnx_buffer(data, map_dyn_input_dims={"x": [*lens, dimension(min(widths), widest)]})
    p.compile(target)
    image = floats(*lens, widest)
    for width in widths:
        part = np.ascontiguousarray(image[..., :width])
        got = np.asarray(p.run({"x": part})[0])
        if compared(width):
            q = migraphx.parse_onnx_buffer(data, map_input_dims={"x": [*lens, width]})
            q.compile(target)
            np.testing.assert_array_equal(got, np.asarray(q.run({"x": part})[0]))


def test_later_sizes_give_the_same_bits():
    """Beyond the plans that are kept, convolutions are those of a static program as long as their code is small."""
    g = Graph()
    x = g.input("x", [1, 16, 9, "width"])
    x = g.add("Conv", x, g.weight(32, 16, 1, 1))
    x = g.add("Relu", g.add("Conv", x, g.weight(24, 32, 3, 3), strides=[2, 1], pads=[1, 1, 1, 1]))
    g.nodes.append(helper.make_node("Identity", [x], ["y"]))
    g.output("y")
    check_bits_of_widths(g.bytes(), [1, 16, 9], 200, range(8, 108), lambda width: width >= 104)


def test_sizes_beyond_counting_give_the_same_bits():
    """oneDNN never frees some of its code, so programs of many sizes make little of it; own kernels serve any number."""
    g = Graph()
    x = g.input("x", [1, 130, 1, "width"])
    x = g.add("Relu", g.add("Conv", x, g.weight(480, 130, 1, 1)))  # a large product
    x = g.add("Conv", x, g.weight(60, 480, 1, 3), pads=[0, 1, 0, 1])
    g.nodes.append(helper.make_node("Identity", [x], ["y"]))
    g.output("y")
    check_bits_of_widths(g.bytes(), [1, 130, 1], 1000, [*range(700, 910), 1, 2, 5, 40, 300],
                         lambda width: width >= 906 or width <= 300)


def test_recogniser_of_any_width(recogniser):
    """A small form of bench/dynamic_sizes.py: 24 sizes through one program, four against static ones."""
    target = migraphx.get_target("cpu")
    p = migraphx.parse_onnx(str(recogniser), map_dyn_input_dims={"x": [dimension(1, 4), 3, 48, dimension(32, 320)]})
    p.compile(target)
    rng = np.random.default_rng(5)
    sizes = [(int(rng.integers(1, 5)), int(rng.integers(32, 321))) for _ in range(24)]
    for i, (batch, width) in enumerate(sizes):
        x = rng.standard_normal((batch, 3, 48, width)).astype(np.float32)
        got = np.asarray(p.run({"x": x})[0])
        assert got.shape[0] == batch and np.isfinite(got).all()
        if i % 6 == 0:
            q = migraphx.parse_onnx(str(recogniser), map_input_dims={"x": list(x.shape)})
            q.compile(target)
            np.testing.assert_array_equal(got, np.asarray(q.run({"x": x})[0]))


def test_memory_stays_while_sizes_change():
    model = arithmetic_model()
    p = migraphx.parse_onnx_buffer(model, default_dyn_dim_value=dimension(1, 4096))
    p.compile(migraphx.get_target("cpu"))
    x = floats(1, 4096, 12)
    p.run({"x": x})

    def pass_over(first):
        for s in range(first, first + 150):
            p.run({"x": x[:, :s]})

    pass_over(3000)  # fills the cache of 64 plans twice
    held, before = p.get_memory_usage(), resident()
    pass_over(1000)
    pass_over(2000)
    pass_over(3500)
    assert p.get_memory_usage() <= held + (1 << 20)
    if not SANITIZED:  # a sanitizer keeps what is freed for a while
        assert resident() <= before + 24


MUCH_FOR_A_SIZE = """
import sys
import migraphx, numpy as np
p = migraphx.parse_onnx(sys.argv[1], map_dyn_input_dims={"x": [migraphx.shape.dynamic_dimension(1, 600)]})
p.compile(migraphx.get_target("cpu"))
for n in [*range(460, 500), *range(480, 460, -1)]:
    x = np.arange(n, dtype=np.float32) / n
    r = np.sqrt(np.arange(n, dtype=np.float32))
    np.testing.assert_allclose(np.asarray(p.run({"x": x})[0]), x + np.outer(r, r), rtol=1e-6)
print(p.get_memory_usage() >> 20)
"""


@pytest.mark.parametrize("mib", [0, 8, 100])
def test_plans_that_hold_much_are_forgotten(mib, tmp_path):
    """A table of n x n floats is folded for each size: 0.9 MiB, for 40 sizes."""
    g = Graph()
    x = g.input("x", ["n"])
    n = g.add("Squeeze", g.dim(x, 0), g.constant(np.array([0])))
    r = g.add("Range", g.constant(np.int64(0)), n, g.constant(np.int64(1)))
    r = g.add("Sqrt", g.add("Cast", r, to=FLOAT))
    column = g.add("Unsqueeze", r, g.constant(np.array([1])))
    y = g.add("Add", x, g.add("Mul", column, r))
    g.nodes.append(helper.make_node("Identity", [y], ["y"]))
    g.output("y")
    path = tmp_path / "table.onnx"
    path.write_bytes(g.bytes())
    environment = {**os.environ, "MIGRAPHX_SHAPE_CACHE_MIB": str(mib)}
    done = subprocess.run([sys.executable, "-c", MUCH_FOR_A_SIZE, str(path)], env=environment, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    held = int(done.stdout.split()[-1])
    assert held <= mib + 8
    if mib == 100:
        assert held >= 30
