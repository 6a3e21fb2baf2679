# SPDX-License-Identifier: MIT
"""The driver's commands on a target whose memory is not the host's: `null`, with and without offload."""
import os
import pathlib
import re
import subprocess

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

DRIVER = os.environ.get("MGX_DRIVER", pathlib.Path(__file__).resolve().parents[2] / "build/release/bin/migraphx-driver")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """relu(x @ w + b) and its sum over the last axis."""
    rng = np.random.default_rng(1)
    w = numpy_helper.from_array(rng.standard_normal((16, 24), np.float32), "w")
    b = numpy_helper.from_array(rng.standard_normal(24).astype(np.float32), "b")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Add", ["p", "b"], ["s"]), helper.make_node("Relu", ["s"], ["y"]),
         helper.make_node("ReduceMean", ["y"], ["z"], axes=[1])],
        "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [8, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [8, 24]), helper.make_tensor_value_info("z", TensorProto.FLOAT, [8, 1])], [w, b])
    file = tmp_path_factory.mktemp("model") / "m.onnx"
    file.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())
    return file


def driver(*arguments, **environment):
    done = subprocess.run([DRIVER, *arguments], capture_output=True, text=True, timeout=300, env={**os.environ, **environment})
    return done.returncode, done.stdout, done.stderr


OFFLOAD = pytest.mark.parametrize("offload", [[], ["--enable-offload-copy"]], ids=["device", "offload"])


@OFFLOAD
def test_verify(model, offload):
    code, out, err = driver("verify", model, "--null", *offload)
    assert code == 0, out + err


@OFFLOAD
def test_perf(model, offload):
    code, out, err = driver("perf", model, "--null", "-n", "3", *offload)
    assert code == 0, err
    assert re.search(r"^Total time: [\d.e+-]+ms", out, re.M), out
    assert re.search(r"^Total instructions time: [\d.e+-]+ms", out, re.M), out


@OFFLOAD
def test_time_and_run(model, offload):
    code, out, err = driver("time", model, "--null", "-n", "3", *offload)
    assert code == 0 and "Total time:" in out, out + err
    code, out, err = driver("run", model, "--null", *offload)
    assert code == 0, err
    assert ("main:#output_1" in out) == (not offload)


def test_a_compiled_file_runs(model, tmp_path):
    file = tmp_path / "m.mxr"
    code, _, err = driver("compile", model, "--null", "-o", file)
    assert code == 0, err
    code, out, err = driver("time", file, "-n", "2")
    assert code == 0 and "Total time:" in out, out + err


def test_graphs_are_recorded_and_can_be_turned_off(model):
    code, _, err = driver("time", model, "--null", "-n", "3", MIGRAPHX_TRACE="graphs")
    assert code == 0 and "recorded" in err, err
    code, _, err = driver("time", model, "--null", "-n", "3", MIGRAPHX_TRACE="graphs", MIGRAPHX_GPU_GRAPHS="0")
    assert code == 0 and "recorded" not in err, err


def test_without_a_gpu_the_default_is_the_cpu(model):
    code, out, err = driver("run", model, CUDA_VISIBLE_DEVICES="", HIP_VISIBLE_DEVICES="")
    assert code == 0, err
    code, out, err = driver("run", model, "--gpu", CUDA_VISIBLE_DEVICES="", HIP_VISIBLE_DEVICES="")
    assert code != 0 and "gpu" in err
