# SPDX-License-Identifier: MIT
"""The table of work in the driver's `perf` report."""
import os
import pathlib
import re
import subprocess

import numpy as np
from onnx import TensorProto, helper, numpy_helper

DRIVER = os.environ.get("MGX_DRIVER", pathlib.Path(__file__).resolve().parents[2] / "build/release/bin/migraphx-driver")


def test_work_follows_from_shapes(tmp_path):
    """A product of 32 x 64 by 64 x 48, bias and relu fused or not: flops of all steps, and their bytes."""
    w = numpy_helper.from_array(np.ones((64, 48), np.float32), "w")
    b = numpy_helper.from_array(np.ones(48, np.float32), "b")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Add", ["p", "b"], ["s"]), helper.make_node("Relu", ["s"], ["y"])],
        "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [32, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [32, 48])], [w, b])
    file = tmp_path / "product.onnx"
    file.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())
    done = subprocess.run([DRIVER, "perf", file, "-n", "3"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = re.search(r"^All steps: [\d.e+-]+ms, ([\d.e+-]+) GF, ([\d.e+-]+) MB, [\d.e+-]+ GF/s, [\d.e+-]+ GB/s$", done.stdout, re.M)
    assert found, done.stdout
    product, elements = 2 * 32 * 64 * 48, 32 * 48
    assert product + 2 * elements <= float(found[1]) * 1e9 * 1.0001 and float(found[1]) * 1e9 <= product + 3 * elements
    assert float(found[2]) * 1e6 >= 0.9999 * 4 * (32 * 64 + 64 * 48 + elements)
