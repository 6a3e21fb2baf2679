# SPDX-License-Identifier: MIT
"""Options, results, functions, errors and damaged files of the TensorFlow importer; values from numpy."""

import json
import os
import pathlib
import random
import subprocess
import sys

import numpy as np
import pytest

import migraphx
from graph_def import BOOL, FLOAT, STRING, Function, Shape, Type, const, field, function, node, placeholder, shape, varint
from limited_child import SLOWER, limited

DRIVER = pathlib.Path(os.environ.get("MGX_DRIVER", "build/release/bin/migraphx-driver"))
RNG = np.random.default_rng(2)


def real(*dims):
    return RNG.normal(0, 1, dims).astype(np.float32)


def run(graph, inputs, **options):
    program = migraphx.parse_tf_buffer(graph, **options)
    program.compile(migraphx.get_target("ref"))
    return [np.array(x) for x in program.run(inputs)]


def error(graph, **options):
    with pytest.raises(RuntimeError) as e:
        migraphx.parse_tf_buffer(graph, **options)
    return str(e.value)


def add_graph(*dims):
    return placeholder("x", *dims) + const("one", np.float32(1)) + node("y", "AddV2", "x", "one")


def test_open_dimensions_are_the_batch():
    program = migraphx.parse_tf_buffer(add_graph(-1, 3), batch_size=4)
    assert program.get_parameter_shapes()["x"].lens() == [4, 3]


def test_rank_4_is_nchw_and_others_stay():
    graph = placeholder("x", -1, 5, 6, 3) + node("y", "Relu", "x")
    assert migraphx.parse_tf_buffer(graph).get_parameter_shapes()["x"].lens() == [1, 3, 5, 6]
    assert migraphx.parse_tf_buffer(graph, is_nhwc=False).get_parameter_shapes()["x"].lens() == [1, 5, 6, 3]
    x = real(1, 3, 5, 6)
    np.testing.assert_array_equal(run(graph, {"x": x})[0], np.maximum(x, 0))
    graph = placeholder("x", 2, 3, 4, 5, 6) + node("y", "Relu", "x")
    assert migraphx.parse_tf_buffer(graph).get_parameter_shapes()["x"].lens() == [2, 3, 4, 5, 6]


def test_map_input_dims_are_the_parameters():
    graph = node("x", "Placeholder", dtype=FLOAT) + node("y", "Mean", "x", "axes", keep_dims=False) + const("axes", np.array([1, 2], np.int32))
    assert "known rank" in error(graph)
    x = real(2, 3, 4, 5)
    got = run(graph, {"x": x}, map_input_dims={"x": [2, 3, 4, 5]})[0]
    np.testing.assert_allclose(got, x.mean((2, 3)), rtol=1e-5, atol=1e-6)


def test_layout_of_operators():
    """The attribute decides; without one the graph's layout does."""
    bias = const("b", np.array([1, 2, 3], np.float32))
    x = real(1, 3, 2, 2)
    for attributes, is_nhwc, given in (({}, True, x), (dict(data_format="NHWC"), True, x), ({}, False, x), (dict(data_format="NCHW"), False, x)):
        dims = (1, 2, 2, 3) if is_nhwc else (1, 3, 2, 2)
        graph = placeholder("x", *dims) + bias + node("y", "BiasAdd", "x", "b", **attributes)
        got = run(graph, {"x": given}, is_nhwc=is_nhwc)[0]
        np.testing.assert_allclose(got, x + np.array([1, 2, 3], np.float32)[:, None, None], rtol=1e-6)


def test_results():
    graph = (placeholder("x", 6) + const("axis", np.int32(0)) + node("parts", "Split", "axis", "x", num_split=3)
             + node("y", "Neg", "parts:1") + node("quiet", "NoOp", "^y") + node("z", "Exp", "y", "^quiet"))
    x = real(6)
    (z,) = run(graph, {"x": x})
    np.testing.assert_allclose(z, np.exp(-x[2:4]), rtol=1e-6)
    got = run(graph, {"x": x}, output_names=["y", "parts:2", "parts"])
    for a, b in zip(got, [-x[2:4], x[4:], x[:2]]):
        np.testing.assert_array_equal(a, b)


def test_only_what_results_need_is_read():
    graph = add_graph(3) + node("broken", "NoSuchOperator", "y") + const("message", np.float32(0))
    assert len(run(graph, {"x": real(3)}, output_names=["y"])) == 1
    assert 'node "broken" (NoSuchOperator)' in error(graph)


def test_repeated_values_of_constants():
    typed = varint(5 << 3 | 5) + np.float32(2.5).tobytes()
    big = field(1, 1) + field(2, shape([3000, 2])) + typed
    few = field(1, 1) + field(2, shape([4])) + field(5, np.array([1, 7], np.float32).tobytes())
    graph = placeholder("x", 4) + node("few", "Const", dtype=FLOAT, value=memoryview(few)) + node("y", "Mul", "x", "few")
    np.testing.assert_array_equal(run(graph, {"x": np.ones(4, np.float32)})[0], [1, 7, 7, 7])
    graph = placeholder("x", 2) + node("big", "Const", dtype=FLOAT, value=memoryview(big)) + node("y", "Mul", "x", "big")
    got = run(graph, {"x": np.array([1, 2], np.float32)})[0]
    np.testing.assert_array_equal(got, np.full((3000, 2), 2.5) * [1, 2])


def test_functions_and_branches():
    library = function("double_and_neg", ["a"], {"twice": "add:z:0", "minus": "neg:y:0"}, [node("add", "AddV2", "a", "a"), node("neg", "Neg", "a")])
    graph = placeholder("x", 3) + node("call", "PartitionedCall", "x", f=Function("double_and_neg")) + node("y", "Sub", "call", "call:1") + library
    x = real(3)
    np.testing.assert_allclose(run(graph, {"x": x})[0], 3 * x, rtol=1e-6)
    branches = function("yes", ["a"], {"r": "n:y:0"}, [node("n", "Neg", "a")]) + function("no", ["a"], {"r": "n:y:0"}, [node("n", "Exp", "a")])
    graph = placeholder("c", dtype=BOOL) + placeholder("x", 3) + node("y", "StatelessIf", "c", "x", then_branch=Function("yes"), else_branch=Function("no")) + branches
    for c in (True, False):
        np.testing.assert_allclose(run(graph, {"c": np.array(c), "x": x})[0], -x if c else np.exp(x), rtol=1e-6)


def test_dead_sides_of_switches():
    graph = (placeholder("x", 2) + const("flag", np.array(False)) + node("s", "Switch", "x", "flag") + node("a", "Neg", "s:1") + node("b", "Exp", "s")
             + node("y", "Merge", "a", "b"))
    x = real(2)
    np.testing.assert_allclose(run(graph, {"x": x}, output_names=["y"])[0], np.exp(x), rtol=1e-6)
    assert "known at import" in error(placeholder("x", 2) + placeholder("f", dtype=BOOL) + node("s", "Switch", "x", "f"))


def test_placeholder_with_default():
    graph = placeholder("x", 2) + const("v", np.float32(3)) + node("d", "PlaceholderWithDefault", "v", dtype=FLOAT, shape=Shape(())) + node("y", "Mul", "x", "d")
    x = real(2)
    np.testing.assert_allclose(run(graph, {"x": x})[0], 3 * x, rtol=1e-6)
    got = run(graph, {"x": x, "d": np.array([5], np.float32)}, map_input_dims={"d": [1]})[0]
    np.testing.assert_allclose(got, 5 * x, rtol=1e-6)


@pytest.mark.parametrize("graph, expected", [
    (placeholder("x", 2) + node("y", "NoSuchOperator", "x"), 'Unknown operator: NoSuchOperator; `migraphx-driver tf --list`'),
    (placeholder("x", 2) + node("y", "Neg", "z"), 'node "y" (Neg): a node of the graph was expected for input "z"'),
    (placeholder("x", 2) + node("y", "Neg", "x:3"), 'result 3 of node "x" (Placeholder)'),
    (placeholder("x", 2) + node("y", "Neg", "x:no"), 'reference "x:no"'),
    (node("a", "Neg", "b") + node("b", "Neg", "a") + node("y", "Neg", "a"), "a graph without circles that are no loops was expected"),
    (placeholder("x", 2) + placeholder("x", 2) + node("y", "Neg", "x"), 'got two of "x"'),
    (placeholder("x", 2, dtype=STRING) + node("y", "Neg", "x"), "an element type of the engine was expected, got string"),
    (placeholder("x", 2) + node("y", "AddV2", "x"), "AddV2: 2 inputs were expected, got 1"),
    (placeholder("x", 2) + placeholder("i", 2, dtype=Type(3)) + node("y", "AddV2", "x", "i"), "operands of equal types"),
    (placeholder("x", 2) + node("y", "Cast", "x", DstT=7), 'attribute "DstT": a type was expected, got an integer'),
    (placeholder("x", 2) + node("y", "Cast", "x"), 'attribute "DstT" was expected, got none'),
    (placeholder("x", 1, 5, 5, 3) + const("w", np.ones((3, 3, 4, 2), np.float32)) + node("y", "Conv2D", "x", "w", strides=[1, 1, 1, 1], padding="SAME"), "multiple of the kernel's 4"),
    (placeholder("x", 1, 5, 5, 3) + const("w", np.ones((3, 3, 3, 2), np.float32)) + node("y", "Conv2D", "x", "w", strides=[1, 0, 1, 1], padding="SAME"), "strides: positive values"),
    (placeholder("x", 1, 5, 5, 3) + const("w", np.ones((3, 3, 3, 2), np.float32)) + node("y", "Conv2D", "x", "w", strides=[1, 1, 1, 1], padding="ODD"), "SAME, VALID or EXPLICIT"),
    (placeholder("x", 4) + const("s", np.array([3, -1], np.int32)) + node("y", "Reshape", "x", "s"), "sizes for 4 elements"),
    (placeholder("x", 4) + placeholder("p", 2, dtype=Type(3)) + node("y", "Pad", "x", "p"), "paddings (input 1) that is known at import"),
    (placeholder("x", 4) + node("y", "PartitionedCall", "x", f=Function("gone")), 'a function "gone" was expected in the library'),
    (placeholder("x", 2) + node("y", "Mul", "x", "c") + node("c", "Const", dtype=FLOAT, value=memoryview(field(1, 1) + field(2, shape([1 << 40, 1 << 40])))), "fit the address space"),
    (placeholder("x", 2) + node("y", "Mul", "x", "c") + node("c", "Const", dtype=FLOAT, value=memoryview(field(1, 1) + field(2, shape([2])) + field(4, b"123"))), "8 bytes of content"),
    (placeholder("x", 2) + node("y", b"No\xe4\xffSuch\xc3\xa9", "x"), "Unknown operator: No\\xe4\\xffSuché;"),
    (b"", "an empty file"),
    (b"version https://git-lfs.github.com", "Git LFS pointer"),
])
def test_errors(graph, expected):
    text = error(graph)
    assert expected in text, text


def test_functions_that_multiply_are_cut():
    library = b"".join(function(f"f{i}", ["a"], {"r": "c:z:0"}, [
        node("b", f"f{i + 1}", "a"), node("d", f"f{i + 1}", "b:r:0"), node("c", "AddV2", "b:r:0", "d:r:0")]) for i in range(40))
    assert "at most 64 deep" in error(function("f", ["a"], {"r": "n:r:0"}, [node("n", "f", "a")]) + placeholder("x", 2) + node("y", "f", "x"))
    graph = placeholder("x", 2) + node("y", "f0", "x") + library + function("f40", ["a"], {"r": "n:y:0"}, [node("n", "Neg", "a")])
    assert "more" in error_in_child(graph)


def error_in_child(graph):
    """Reads a hostile graph where a hang or an allocation does no harm."""
    code = ("import sys; import migraphx\n"
            "try: migraphx.parse_tf_buffer(sys.stdin.buffer.read()); print('read')\n"
            "except (RuntimeError, MemoryError) as e: print(type(e).__name__, e)")
    child = subprocess.run([sys.executable, "-c", code], input=graph, capture_output=True, timeout=60 * SLOWER, **limited(6 << 30))
    assert child.returncode == 0, (child.returncode, child.stderr[-500:])
    return child.stdout.decode()


def some_graphs():
    image = (placeholder("x", -1, 8, 8, 3) + const("w", real(3, 3, 3, 4)) + node("c", "Conv2D", "x", "w", strides=[1, 2, 2, 1], padding="SAME", dilations=[1, 1, 1, 1])
             + const("p", np.array([[0, 0], [1, 1], [0, 2], [0, 0]], np.int32)) + node("pad", "Pad", "c", "p") + node("pool", "MaxPool", "pad", ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")
             + const("axes", np.array([1, 2], np.int32)) + node("m", "Mean", "pool", "axes", keep_dims=False) + node("y", "Softmax", "m"))
    text = (placeholder("t", 2, 5, dtype=Type(3)) + const("e", real(9, 4)) + const("axis", np.int32(0)) + node("g", "GatherV2", "e", "t", "axis", batch_dims=0)
            + const("b", np.array([0, 1, 0], np.int32)) + const("n", np.array([2, 4, 4], np.int32)) + const("s", np.array([1, 2, 1], np.int32))
            + node("cut", "StridedSlice", "g", "b", "n", "s", begin_mask=1, end_mask=4, shrink_axis_mask=0) + node("call", "PartitionedCall", "cut", f=Function("f")) + node("y", "Relu", "call")
            + function("f", ["a"], {"r": "n:y:0"}, [node("n", "Neg", "a")]))
    return [image, text]


@pytest.mark.parametrize("seed", range(4))
def test_damaged_graphs(seed):
    """Bytes changed, cut off and put in: a program or an error, in one child process."""
    rng = random.Random(seed)
    damaged = []
    for graph in some_graphs():
        for _ in range(60):
            data = bytearray(graph)
            for _ in range(rng.choice((1, 1, 2, 8))):
                kind, at = rng.randrange(4), rng.randrange(len(data))
                if kind == 0:
                    data[at] = rng.randrange(256)
                elif kind == 1:
                    del data[at:at + rng.randrange(1, 9)]
                elif kind == 2:
                    data[at:at] = bytes(rng.choice((0x00, 0x7F, 0x80, 0xFF)) for _ in range(rng.randrange(1, 6)))
                elif rng.random() < 0.2:
                    del data[at:]
                if not data:
                    break
            damaged.append(bytes(data))
    code = ("import sys, pickle; import migraphx\n"
            "for i, g in enumerate(pickle.load(sys.stdin.buffer)):\n"
            "    print(i, flush=True)\n"
            "    try: migraphx.parse_tf_buffer(g)\n"
            "    except (RuntimeError, MemoryError): pass\n")
    import pickle
    child = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(damaged), capture_output=True, timeout=120 * SLOWER, **limited(6 << 30))
    last = int(child.stdout.split()[-1])
    assert child.returncode == 0 and last == len(damaged) - 1, f"seed {seed}, graph {last}: exit {child.returncode}, {child.stderr[-300:]}"


def driver(*words):
    return subprocess.run([str(DRIVER), *map(str, words), "--log-level", "none"], capture_output=True, text=True)


def test_driver(tmp_path):
    path = tmp_path / "graph.pb"
    path.write_bytes(placeholder("x", -1, 5, 6, 3) + node("a", "Relu", "x") + node("b", "Neg", "a"))
    other = tmp_path / "graph.bin"
    other.write_bytes(path.read_bytes())
    assert "x: float_type, {1, 3, 5, 6}" in driver("params", path).stdout
    assert "x: float_type, {2, 3, 5, 6}" in driver("params", path, "--batch", 2).stdout
    assert "x: float_type, {1, 5, 6, 3}" in driver("params", other, "--tf", "--nchw").stdout
    assert "x: float_type, {7, 3, 8, 8}" in driver("params", path, "--input-dim", "@x", 7, 3, 8, 8).stdout
    assert "neg" not in driver("read", path, "--output-names", "a").stdout
    assert driver("read", path, "--nchw", "--nhwc").returncode == 2
    names = driver("tf", "--list").stdout.split()
    assert names == sorted(names) and {"Conv2D", "StridedSlice"} <= set(names) and names == migraphx.get_tf_operators()


# ---- report

def test_report(tmp_path):
    path = tmp_path / "graph.pb"
    path.write_bytes(some_graphs()[0] + node("z", "NoSuchOperator", "pool") + node("v", "Relu", "z") + node("q", "SoOdd", "m"))
    report = migraphx.report(path)
    by_name = {o["name"]: o for o in report["operators"]}
    assert report["inputs"] == [{"name": "x", "type": "float32", "dims": [None, 8, 8, 3], "read_as": "float_type, {1, 3, 8, 8}, {192, 64, 8, 1}"}]
    assert by_name["Conv2D"]["flops"] == 2 * 4 * 4 * 4 * 27 and by_name["Conv2D"]["count"] == 1
    assert by_name["MaxPool"]["flops"] == 3 * 3 * 4 * 4
    assert report["parameters"]["count"] == 3 and report["parameters"]["bytes"] == 4 * (108 + 8 + 2)
    assert [p["node"] for p in report["problems"]] == ['node "z" (NoSuchOperator)', 'node "q" (SoOdd)']
    assert report["unexamined"] == 1 and report["supported"] is False and by_name["Relu"]["supported"] is True
    shown = driver("report", path)
    assert shown.returncode == 1 and "not supported: 2 nodes" in shown.stdout and "not examined" in shown.stdout
    assert json.loads(driver("report", path, "--json").stdout)["flops"] == report["flops"]
    path.write_bytes(some_graphs()[0])
    shown = driver("report", path)
    assert shown.returncode == 0 and "everything is supported" in shown.stdout
    assert driver("report").returncode == 2 and driver("report", tmp_path / "none.pb").returncode == 1


def test_report_of_onnx(tmp_path):
    from onnx import TensorProto, helper, numpy_helper

    tensor = helper.make_tensor_value_info
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="first"),
        helper.make_node("Shape", ["c"], ["s"]),
        helper.make_node("Odd", ["c"], ["o"], name="odd", domain="my.own"),
        helper.make_node("Relu", ["o"], ["r"]),
        helper.make_node("Relu", ["c", "yes"], ["d"], name="twice"),
        helper.make_node("MatMul", ["c", "m"], ["y"]),
        helper.make_node("If", ["t"], ["i"], then_branch=helper.make_graph([helper.make_node("Odd", ["y"], ["a"], name="inner", domain="my.own")], "t", [], [tensor("a", 1, None)]),
                         else_branch=helper.make_graph([helper.make_node("Identity", ["y"], ["b"])], "e", [], [tensor("b", 1, None)])),
    ]
    weights = [numpy_helper.from_array(real(4, 3, 3, 3), "w"), numpy_helper.from_array(real(6, 5), "m"), numpy_helper.from_array(np.array(True), "yes")]
    graph = helper.make_graph(nodes, "g", [tensor("x", TensorProto.FLOAT, ["N", 3, 8, 8]), tensor("t", TensorProto.BOOL, [])],
                              [tensor("y", TensorProto.FLOAT, None), tensor("i", TensorProto.FLOAT, None)], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("my.own", 3)], producer_name="tests", ir_version=8)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    report = migraphx.report(path, batch=2)
    assert report["opsets"] == {"ai.onnx": 17, "my.own": 3} and report["producer"] == "tests"
    assert report["inputs"][0]["dims"] == ["N", 3, 8, 8] and report["inputs"][0]["read_as"].startswith("float_type, {2, 3, 8, 8}")
    by_name = {o["name"]: o for o in report["operators"]}
    assert by_name["Conv"]["flops"] == 2 * (2 * 4 * 6 * 6) * 27 and by_name["MatMul"]["flops"] == 2 * (2 * 4 * 6 * 5) * 6
    assert by_name["Odd"]["count"] == 2 and not by_name["Odd"]["supported"] and by_name["Conv"]["supported"]
    problems = {p["node"]: p["message"] for p in report["problems"]}
    assert problems['node "odd" (my.own::Odd)'] == problems['node "inner" (my.own::Odd)'] == "unknown operator"
    assert "expected, got 2" in problems['node "twice" (Relu)'] and len(problems) >= 3
    assert report["unexamined"] == 1 and {"float32", "bool", "int64"} <= set(report["types"])
    assert report["parameters"] == {"count": 3, "elements": 108 + 30 + 1, "bytes": 4 * 138 + 1}
    shown = driver("report", path)
    assert shown.returncode == 1 and "my.own::Odd" in shown.stdout and "ai.onnx 17, my.own 3" in shown.stdout
