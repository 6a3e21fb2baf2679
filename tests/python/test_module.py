# SPDX-License-Identifier: MIT
"""Programs through the Python module: built by hand, read, compiled, run, saved; threads, errors."""

import os
import pathlib
import re
import subprocess
import sys
import threading
import time

import migraphx
import numpy as np
import pytest

from each_target import every_target, targets

ROOT = pathlib.Path(__file__).resolve().parents[2]


def affine(shape=None):
    """x * w + 1, and its sum over the columns."""
    p = migraphx.program()
    m = p.get_main_module()
    x = m.add_parameter("x", shape or migraphx.shape(type="float", lens=[2, 3]))
    w = m.add_literal(np.array([[1, 2, 3], [4, 5, 6]], np.float32))
    one = m.add_literal(migraphx.create_argument(migraphx.shape(lens=[2, 3]), [1] * 6))
    scaled = m.add_instruction(migraphx.op("mul"), [x, w])
    moved = m.add_instruction(migraphx.op("add"), [scaled, one])
    total = m.add_instruction(migraphx.op("reduce_sum", axes=[1]), [moved])
    m.add_return([moved, total])
    return p


def matrix_chain(size=256, length=8):
    """A program that takes some milliseconds."""
    p = migraphx.program()
    m = p.get_main_module()
    s = migraphx.shape(type="float", lens=[size, size])
    y = m.add_parameter("x", s)
    for i in range(length):
        y = m.add_instruction(migraphx.op("dot"), [y, m.add_literal(migraphx.generate_argument(s, i))])
        y = m.add_instruction(migraphx.op("tanh"), [y])
    m.add_return([y])
    return p


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """An ONNX model with a convolution and two outputs, batch size `n`."""
    onnx = pytest.importorskip("onnx")
    rng = np.random.default_rng(1)
    weights = onnx.numpy_helper.from_array(
        rng.standard_normal((4, 3, 3, 3)).astype(np.float32), "weights"
    )
    made = onnx.helper.make_model(
        onnx.helper.make_graph(
            [
                onnx.helper.make_node("Conv", ["data", "weights"], ["features"], pads=[1] * 4),
                onnx.helper.make_node("Relu", ["features"], ["positive"]),
                onnx.helper.make_node("GlobalAveragePool", ["positive"], ["means"]),
            ],
            "net",
            [onnx.helper.make_tensor_value_info("data", 1, ["n", 3, 8, 8])],
            [
                onnx.helper.make_tensor_value_info("positive", 1, ["n", 4, 8, 8]),
                onnx.helper.make_tensor_value_info("means", 1, ["n", 4, 1, 1]),
            ],
            [weights],
        ),
        opset_imports=[onnx.helper.make_opsetid("", 17)],
        ir_version=9,
    )
    path = tmp_path_factory.mktemp("model") / "net.onnx"
    onnx.save(made, path)
    return path


# ---- operators


def test_op():
    softmax = migraphx.op("softmax", axis=2)
    assert softmax.name() == "softmax" and softmax.values() == {"axis": 2}
    assert repr(softmax) == "softmax[axis=2]"
    assert softmax == migraphx.op("softmax", axis=np.int32(2)) != migraphx.op("softmax")
    assert migraphx.op("leaky_relu", alpha=0.5).values()["alpha"] == 0.5
    assert migraphx.op("slice", axes=(0,), starts=np.array([1]), ends=[2]).values()["starts"] == [1]


@pytest.mark.parametrize("mode", ["max", 1, migraphx.op.pooling_mode.max])
def test_enumerations_by_name_or_number(mode):
    assert migraphx.op("pooling", mode=mode).values()["mode"] == int(migraphx.op.pooling_mode.max)
    assert "mode=max" in repr(migraphx.op("pooling", mode=mode))


def test_types_and_shapes_as_attributes():
    for t in ("int8_type", 5, migraphx.shape.type_t.int8_type):
        assert migraphx.op("convert", target_type=t).values()["target_type"] == 5
    s = migraphx.shape(type="half", lens=[2])
    by_shape = migraphx.op("allocate", shape=s)
    assert by_shape == migraphx.op("allocate", shape=by_shape.values()["shape"])
    dims = [migraphx.shape.dynamic_dimension(1, 4), migraphx.shape.dynamic_dimension(2, 2)]
    assert len(migraphx.op("broadcast", out_dyn_dims=dims).values()["out_dyn_dims"]) == 2


def test_wrong_operators():
    with pytest.raises(RuntimeError, match="softmox"):
        migraphx.op("softmox")
    with pytest.raises(RuntimeError, match="No key 'axs' in softmax"):
        migraphx.op("softmax", axs=1)
    with pytest.raises(TypeError):
        migraphx.op("softmax", axis=object())
    with pytest.raises(ValueError):
        migraphx.op("softmax", axis=2**70)
    with pytest.raises(TypeError):
        migraphx.op()


# ---- programs built by hand


@every_target
def test_build_and_run(target):
    p = affine()
    assert p.get_parameter_names() == ["x"]
    assert p.get_parameter_shapes() == {"x": migraphx.shape(lens=[2, 3])}
    assert [s.lens() for s in p.get_output_shapes()] == [[2, 3], [2, 1]]
    assert not p.is_compiled()
    p.compile(target)
    assert p.is_compiled()
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    y, total = p.run({"x": x, "ignored": None})
    expected = x * [[1, 2, 3], [4, 5, 6]] + 1
    np.testing.assert_allclose(np.asarray(y), expected)
    np.testing.assert_allclose(np.asarray(total), expected.sum(1, keepdims=True))
    p.run({"x": x + 1})
    np.testing.assert_allclose(np.asarray(y), expected)  # a result is its owner's for good


@every_target
def test_layouts_and_sources(target):
    p = affine()
    p.compile(target)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    expected = p.run({"x": x})[0]
    for same in (
        np.asfortranarray(x),
        np.repeat(x, 2, axis=1)[:, ::2],
        x[::-1, ::-1].copy()[::-1, ::-1],
        memoryview(x),
        migraphx.argument(x),
        migraphx.create_argument(migraphx.shape(lens=[2, 3], strides=[1, 2]), range(6)),
    ):
        assert p.run({"x": same})[0] == expected


@every_target
def test_runs_leave_nothing_behind(target):
    p = affine()
    p.compile(target)
    x = np.ones((2, 3), np.float32)
    before = sys.getrefcount(x)
    for _ in range(50):
        results = p.run({"x": x})
        p.run({"x": x}, ["output_1"])
    views = [np.asarray(r) for r in results]
    expected = [v.copy() for v in views]
    del p, results
    assert sys.getrefcount(x) == before
    np.testing.assert_array_equal(views[0], expected[0])


@every_target
def test_results_that_are_inputs(target):
    p = migraphx.program()
    m = p.get_main_module()
    x = m.add_parameter("x", migraphx.shape(type="float", lens=(np.int64(2), 3)))
    turned = m.add_instruction(migraphx.op("transpose", permutation=[1, 0]), [x])
    m.add_return([x, turned, m.add_literal(np.ones(2, np.float32))])
    p.compile(target)
    results = p.run({"x": np.arange(6, dtype=np.float32).reshape(2, 3)})
    del p, m, x, turned
    assert np.asarray(results[0]).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert np.asarray(results[1]).tolist() == [[0, 3], [1, 4], [2, 5]]
    assert np.asarray(results[2]).tolist() == [1, 1]


@every_target
def test_numbers_for_single_elements(target):
    p = migraphx.program()
    m = p.get_main_module()
    a = m.add_parameter("a", migraphx.shape(type="float", lens=[1]))
    n = m.add_parameter("n", migraphx.shape(type="int64_t"))
    m.add_return([m.add_instruction(migraphx.op("neg"), [v]) for v in (a, n)])
    p.compile(target)
    for values in ({"a": 2.5, "n": 3}, {"a": np.float32(2.5), "n": np.array([3])}):
        assert [r.tolist() for r in p.run(values)] == [[-2.5], [-3]]
    with pytest.raises(TypeError):
        p.run({"a": 1, "n": 2.5})


@every_target
def test_sub_modules(target):
    p = migraphx.program()
    m = p.get_main_module()
    s = migraphx.shape(type="float", lens=[2])
    condition = m.add_parameter("c", migraphx.shape(type="bool", lens=[1]))
    x = m.add_parameter("x", s)
    branches = []
    for name in ("exp", "neg"):
        branch = p.create_module(name)
        branch.add_return([branch.add_instruction(migraphx.op(name), [x])])
        branches.append(branch)
    both = m.add_instruction(migraphx.op("if"), [condition], branches)
    m.add_return([m.add_instruction(migraphx.op("get_tuple_elem", index=0), [both])])
    p.compile(target)
    values = np.array([0, 1], np.float32)
    for c in (True, False):
        expected = np.exp(values) if c else -values
        result = p.run({"c": np.array([c]), "x": values})[0]
        np.testing.assert_allclose(np.asarray(result), expected, rtol=1e-5)


def test_instructions():
    p = affine()
    m = p.get_main_module()
    x = next(i for i in m if i.name() == "@param")
    names = [i.name() for i in m]
    assert names[-4:] == ["mul", "add", "reduce_sum", "@return"] and len(names) == len(m) == 7
    mul = x.outputs()[0]
    assert mul.name() == "mul" and x in mul.inputs() and mul != x and mul == mul
    assert len({mul, mul, x}) == 2
    assert mul.op() == migraphx.op("mul") and mul.shape().lens() == [2, 3]
    value = next(i for i in mul.inputs() if i.name() == "@literal").get_literal()
    assert sorted(value.tolist()) == [1, 2, 3, 4, 5, 6]
    assert not np.asarray(value).flags.writeable
    with pytest.raises(RuntimeError):
        mul.get_literal()


def test_handles_outlive_their_variables():
    m = affine().get_main_module()
    mul = next(i for i in m if i.name() == "mul")
    del m
    assert mul.inputs()[0].outputs()[0] == mul


def test_handles_end_with_compile():
    p = affine()
    m = p.get_main_module()
    old = next(iter(m))
    p.compile(migraphx.get_target("ref"))
    with pytest.raises(RuntimeError, match="compiled"):
        old.name()
    assert next(iter(m)).name()


def test_literals_are_copies():
    for x in (
        np.arange(6, dtype=np.float32),
        np.arange(12, dtype=np.float32)[::2],
        np.arange(6, dtype=np.float32)[::-1],
        np.float32(3),
    ):
        m = migraphx.program().get_main_module()
        ins = m.add_literal(x)
        expected = np.array(x).ravel().tolist()
        if np.ndim(x):
            x[:] = 7
        assert ins.get_literal().tolist() == expected


def test_macro():
    p = migraphx.program()
    m = p.get_main_module()
    a, b = (
        m.add_parameter(n, migraphx.shape(lens=lens)) for n, lens in (("a", [4, 3]), ("b", [3]))
    )
    macro = migraphx.macro("add")
    assert macro.name() == "add" and migraphx.macro("celu", alpha=2).options() == {"alpha": 2}
    (total,) = m.add_macro(macro, [a, b])
    assert total.shape().lens() == [4, 3]
    (doubled,) = m.insert_macro(total, macro, [a, a])
    m.add_return([total])
    m.replace_return([total, doubled])
    assert len(p.get_output_shapes()) == 2


def test_programs_as_text(capfd):
    p = affine()
    assert p == affine() == p.clone() and p != migraphx.program()
    assert repr(p) == str(p) and 'module: "main"' in str(p) and "mul(x" in str(p)
    p.print()
    p.get_main_module().print()
    sys.stdout.flush()
    assert capfd.readouterr().out.count("reduce_sum") == 2
    assert p.sort() is p
    scope = {"migraphx": migraphx}
    exec(p.to_py(), scope)
    assert str(scope["p"].get_output_shapes()) == str(p.get_output_shapes())


def test_clones_are_independent():
    p = affine()
    q = p.clone()
    q.compile(migraphx.get_target("ref"))
    assert q.is_compiled() and not p.is_compiled()


def test_wrong_use_while_building():
    p = affine()
    m = p.get_main_module()
    ours, theirs = next(iter(m)), next(iter(affine().get_main_module()))
    with pytest.raises(ValueError, match="of another"):
        m.add_instruction(migraphx.op("neg"), [theirs])
    with pytest.raises(RuntimeError):
        m.add_instruction(migraphx.op("dot"), [ours])
    with pytest.raises(TypeError):
        m.add_instruction("neg", [ours])
    with pytest.raises(TypeError):
        m.add_literal([1, 2])
    with pytest.raises(RuntimeError):
        p.create_module("main")


# ---- models


@every_target
def test_parse_compile_run(model, target):
    p = migraphx.parse_onnx(model, map_input_dims={"data": [2, 3, 8, 8]})
    assert p.get_inputs() == {"data": migraphx.shape(lens=[2, 3, 8, 8])}
    assert list(p.get_outputs()) == ["positive", "means"]
    assert p.get_outputs()["means"].lens() == [2, 4, 1, 1]
    p.compile(target, offload_copy=True, fast_math=True, device_id=0)
    assert p.get_offload_copy() and p.get_memory_usage() > 0
    x = np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype(np.float32)
    positive, means = p.run({"data": x})
    np.testing.assert_allclose(
        np.asarray(means)[..., 0, 0], np.asarray(positive).mean((2, 3)), rtol=1e-4, atol=1e-5
    )
    for names in (["means"], ["means", "positive"]):
        results = p.run({"data": x}, output_names=names)
        assert [r.get_shape().lens()[2] for r in results] == [1, 8][: len(names)]
        np.testing.assert_allclose(np.asarray(results[0]), np.asarray(means), rtol=1e-6)


@every_target
def test_sizes_that_change(model, target):
    dimension = migraphx.shape.dynamic_dimension
    x = np.ones((4, 3, 8, 8), np.float32)
    programs = [
        migraphx.parse_onnx(str(model), map_dyn_input_dims={"data": [dimension(1, 4), 3, 8, 8]}),
        migraphx.parse_onnx(str(model), dim_params={"n": dimension(1, 4, {2})}),
        migraphx.parse_onnx(str(model), default_dyn_dim_value=dimension(1, 4)),
        migraphx.parse_onnx_buffer(model.read_bytes(), default_dyn_dim_value=dimension(1, 4)),
    ]
    for p in programs:
        assert p.get_parameter_shapes()["data"].dynamic()
        p.compile(target)
        assert p.reshape(inputs={"data": [2, 3, 8, 8]}, printInfo=False) == 0
        for n in (1, 2, 4):
            assert p.run({"data": x[:n]})[1].get_shape().lens() == [n, 4, 1, 1]
        with pytest.raises(RuntimeError, match="data"):
            p.run({"data": np.ones((5, 3, 8, 8), np.float32)})


def test_reshape2(model):
    p = migraphx.parse_onnx(model, default_dyn_dim_value=migraphx.shape.dynamic_dimension(1, 4))
    p.compile(migraphx.get_target("ref"))
    assert migraphx.reshape2(p, {"data": [3, 3, 8, 8]}) == 0
    with pytest.raises(RuntimeError, match="nothing"):
        migraphx.reshape2(p, inputs={"nothing": [1]})


@every_target
def test_largest_size_parsed_smaller_run(model, target):
    p = migraphx.parse_onnx(model, map_input_dims={"data": [4, 3, 8, 8]})
    p.compile(target, is_dynamic=True)
    for n in (4, 2):
        results = p.run({"data": np.ones((n, 3, 8, 8), np.float32)})
        assert results[1].get_shape().lens() == [n, 4, 1, 1]


def test_parsers_name_what_is_wrong(model, tmp_path):
    with pytest.raises(RuntimeError, match="nothing.onnx"):
        migraphx.parse_onnx(tmp_path / "nothing.onnx")
    with pytest.raises(RuntimeError):
        migraphx.parse_onnx_buffer(b"not a model")
    with pytest.raises(TypeError):
        migraphx.parse_onnx_buffer(3)
    with pytest.raises(TypeError):
        migraphx.parse_onnx(model, no_such_option=1)
    with pytest.raises(RuntimeError):
        migraphx.parse_onnx(model, map_input_dims={"data": [1, 3]})
    operators = migraphx.get_onnx_operators()
    assert operators == sorted(operators) and {"Conv", "Relu"} <= set(operators)
    assert migraphx.__version__.startswith("2.16.")


@every_target
def test_wrong_runs(target):
    p = affine()
    with pytest.raises(RuntimeError, match="compile"):
        p.run({"x": np.zeros((2, 3), np.float32)})
    p.compile(target)
    with pytest.raises(RuntimeError, match="Parameter not found: x"):
        p.run({})
    for wrong in (np.zeros((3, 2), np.float32), np.zeros((2, 3))):
        with pytest.raises(RuntimeError, match="Incorrect shape .* for parameter: x should be:"):
            p.run({"x": wrong})
    with pytest.raises(TypeError, match="parameter x"):
        p.run({"x": "text"})
    with pytest.raises(ValueError, match="parameter x"):
        p.run({"x": 1})
    with pytest.raises(TypeError):
        p.run([np.zeros((2, 3), np.float32)])
    with pytest.raises(RuntimeError, match="nothing"):
        p.run({"x": np.zeros((2, 3), np.float32)}, ["nothing"])
    with pytest.raises(RuntimeError):
        p.compile(target)
    with pytest.raises(RuntimeError, match="no_such_target"):
        migraphx.get_target("no_such_target")


# ---- files


@every_target
@pytest.mark.parametrize("format", ["msgpack", "json"])
@pytest.mark.parametrize("compiled", [False, True])
def test_save_and_load(target, format, compiled, tmp_path):
    p = affine()
    if compiled:
        p.compile(target)
    path = tmp_path / "p"
    migraphx.save(p, path, format=format)
    loaded = migraphx.load(str(path), format=format)
    assert loaded == p and loaded.is_compiled() == compiled
    copy = migraphx.load_buffer(migraphx.save_buffer(p))
    assert copy == p
    x = np.ones((2, 3), np.float32)
    results = []
    for q in (p, loaded, copy):
        if not compiled:
            q.compile(target)
        results.append([r.tolist() for r in q.run({"x": x})])
    assert results[0] == results[1] == results[2]


def test_files_that_are_wrong(tmp_path):
    with pytest.raises(RuntimeError, match="nothing.mxr"):
        migraphx.load(tmp_path / "nothing.mxr")
    with pytest.raises(RuntimeError):
        migraphx.load_buffer(b"garbage")
    with pytest.raises(ValueError, match="format"):
        migraphx.save(affine(), tmp_path / "p", format="text")


# ---- threads


@every_target
def test_one_program_in_many_threads(target):
    p = matrix_chain(32, 3)
    p.compile(target)
    inputs = [np.random.default_rng(i).standard_normal((32, 32)).astype(np.float32) for i in range(8)]
    expected = [np.array(p.run({"x": x})[0]) for x in inputs]
    wrong = []

    def work(i):
        for _ in range(30):
            result = np.asarray(p.run({"x": inputs[i]})[0])
            if not np.array_equal(result, expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


@every_target
@pytest.mark.parametrize("what", ["compile", "run"])
def test_other_threads_go_on(target, what):
    """While the engine works in one thread, Python code in another is not held up."""
    p = matrix_chain() if what == "run" else matrix_chain(8, 1000)
    x = np.ones((256, 256), np.float32)
    done = threading.Event()
    if what == "run":
        p.compile(target)
        p.run({"x": x})

    def work():
        if what == "compile":
            p.compile(target)
        else:
            for _ in range(10):
                p.run({"x": x})
        done.set()

    thread = threading.Thread(target=work)
    start = time.perf_counter()
    thread.start()
    longest, last, turns = 0.0, time.perf_counter(), 0
    while not done.is_set():
        time.sleep(0.0005)
        now = time.perf_counter()
        longest, last, turns = max(longest, now - last), now, turns + 1
    taken = time.perf_counter() - start
    thread.join()
    assert turns >= 3 and longest < max(0.7 * taken, 0.05), (turns, longest, taken)


# ---- what it is made from


def test_wheel_is_built_from_the_pinned_versions():
    pinned = (ROOT / "tools" / "dependencies.txt").read_text().split()
    wanted = re.findall(r'"([\w-]+==[\w.]+)"', (ROOT / "pyproject.toml").read_text())
    assert len(wanted) == 3 and set(wanted) <= set(pinned)
    assert f"VERSION {migraphx.__version__} " in (ROOT / "CMakeLists.txt").read_text()


# ---- the example


@pytest.mark.parametrize("target", [t.id for t in targets() if t.id != "null"])  # what the example offers
def test_dcu_example(model, target):
    run = subprocess.run(
        [sys.executable, ROOT / "examples" / "cpp" / "dcu_program.py", model, "--target", target]
        + ["--input", "data=2,3,8,8"],
        env={**os.environ, "PYTHONPATH": str(pathlib.Path(migraphx.__file__).parent)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    lines = run.stdout.splitlines()
    assert "input data float_type {2, 3, 8, 8}" in lines
    assert any(line.startswith("2 results") for line in lines)
    assert lines[-1] == "by name: 1 result of 8 elements"
