# SPDX-License-Identifier: MIT
"""Sizes of inputs on the driver's command line: every accepted form, and what is wrong."""

import os
import pathlib
import subprocess

import pytest

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
DRIVER = pathlib.Path(os.environ.get("MGX_DRIVER", ROOT / "build" / "release" / "bin" / "migraphx-driver"))
pytestmark = pytest.mark.skipif(not DRIVER.exists(), reason="the driver is not built")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """x {batch, 3, width} and y {batch}; the second dimension is stated."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, "width"])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch"])
    z = helper.make_tensor_value_info("z", TensorProto.FLOAT, None)
    w = helper.make_tensor_value_info("w", TensorProto.FLOAT, None)
    nodes = [helper.make_node("Relu", ["x"], ["z"]), helper.make_node("Neg", ["y"], ["w"])]
    graph = helper.make_graph(nodes, "g", [x, y], [z, w])
    path = tmp_path_factory.mktemp("driver") / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return str(path)


def drive(*words):
    done = subprocess.run([DRIVER, *words], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def shapes(model, *options):
    code, out, err = drive("params", model, *options)
    assert code == 0, err
    return dict(line.split(": ", 1) for line in out.splitlines())


FORMS = [
    ([], "{1, 3, 1}", "{1}"),
    (["--batch", "4"], "{4, 3, 4}", "{4}"),
    (["--input-dim", "@x", "2", "3", "8"], "{2, 3, 8}", "{1}"),
    (["--input-dim", "@x", "2", "3", "8", "@y", "5"], "{2, 3, 8}", "{5}"),
    (["--dim-param", "@batch", "2", "--batch", "6"], "{2, 3, 6}", "{2}"),
    (["--dim-param", "@batch", "2", "@width", "9"], "{2, 3, 9}", "{2}"),
    (["--dim-param", "@batch", "{min:1,max:8}"], "{[1..8], 3, 1}", "{[1..8]}"),
    (["--dim-param", "@batch", "[{min:1, max:8, optimals:[2, 4]}]"], "{[1..8], 3, 1}", "{[1..8]}"),
    (["--dim-param", "@batch", "{range:{min:1,max:4},optimals:[1,4]}"], "{[1..4], 3, 1}", "{[1..4]}"),
    (["--dim-param", "@batch", "[{range:{min:1,max:4}}]", "@width", "7"], "{[1..4], 3, 7}", "{[1..4]}"),
    (["--dim-param", "@batch", "{min:1,", "max:8}"], "{[1..8], 3, 1}", "{[1..8]}"),
    (["--dim-param", '@batch', '{"min":1,"max":8}'], "{[1..8], 3, 1}", "{[1..8]}"),
    (["--dyn-input-dim", "@x", "[{min:1,max:64,optimals:[1,2,4]},3,224]"], "{[1..64], 3, 224}", "{1}"),
    (["--dyn-input-dim", "@x", "[{min:1,max:64}, 3, {range:{min:8,max:16}}]", "@y", "[{min:1,max:64}]"],
     "{[1..64], 3, [8..16]}", "{[1..64]}"),
    (["--dyn-input-dim", "@y", "{min:1,max:5}"], "{1, 3, 1}", "{[1..5]}"),
    (["--dyn-input-dim", "@y", "7"], "{1, 3, 1}", "{7}"),
    (["--dyn-input-dim", "@x", "[{min:1,max:64},3,8]", "--input-dim", "@x", "2", "3", "8"], "{[1..64], 3, 8}", "{1}"),
    (["--default-dyn-dim", "{min:1,max:10,optimals:[5]}"], "{[1..10], 3, [1..10]}", "{[1..10]}"),
    (["--default-dyn-dim", "{range:{min:2,max:3}}", "--dim-param", "@width", "4"], "{[2..3], 3, 4}", "{[2..3]}"),
    (["--default-dyn-dim", "[{min:1,max:10}]", "--batch", "4"], "{[1..10], 3, [1..10]}", "{[1..10]}"),
]


@pytest.mark.parametrize("options,x,y", FORMS)
def test_forms(model, options, x, y):
    found = shapes(model, *options)
    assert x in found["x"] and y in found["y"], found


@pytest.mark.parametrize(
    "options,message",
    [
        (["--dim-param", "@batch", "{min:4}"], "--dim-param: min and max"),
        (["--dim-param", "@batch", "{min:4,max:1}"], "min <= max"),
        (["--dim-param", "batch", "4"], "--dim-param: @name was expected first, got 'batch'"),
        (["--dim-param", "@batch", "[{min:1,max:2},3]"], "--dim-param"),
        (["--dim-param", "@batch", "-3"], "--dim-param"),
        (["--dyn-input-dim", "@x", "[{min:1,max:2},three,4]"], ""),
        (["--dyn-input-dim", "@x"], "--dyn-input-dim"),
        (["--input-dim", "@x", "1", "3", "wide"], "--input-dim: a size was expected, got 'wide'"),
        (["--default-dyn-dim", "{min:x,max:2}"], ""),
        (["--batch", "0"], "--batch"),
    ],
)
def test_wrong_forms(model, options, message):
    code, out, err = drive("params", model, *options)
    assert code in (1, 2) and message in out + err


def test_names_that_the_model_lacks_are_reported(model):
    code, _, err = drive("params", model, "--input-dim", "@nothing", "1", "--dim-param", "@size", "4")
    assert code == 0
    assert "map_input_dims: a name of the model was expected (\"x\", \"y\"), got \"nothing\"" in err
    assert "dim_params: a name of the model was expected (\"batch\", \"width\"), got \"size\"" in err


@pytest.mark.parametrize("target", ["--ref", "--cpu"])
def test_runs(model, target):
    """Inputs are made for the batch, or for what comes closest within the bounds."""
    sizes = ["--dyn-input-dim", "@x", "[{min:2,max:4},3,{min:8,max:16}]", "@y", "[{min:2,max:4}]"]
    for more in ([], ["--batch", "3"], ["--input-dim", "@x", "4", "3", "9", "@y", "4"]):
        code, out, err = drive("run", model, target, *sizes, *more)
        assert code == 0, out + err
    code, _, err = drive("run", model, target, *sizes, "--input-dim", "@x", "5", "3", "9", "@y", "4")
    assert code == 1 and "dimension 0 must be in [2, 4], got 5" in err
    code, _, err = drive("run", model, target, *sizes, "--input-dim", "@x", "3", "3", "9", "@y", "4")
    assert code == 1 and "dimension 0 (batch) must be 3" in err
