# SPDX-License-Identifier: MIT
"""Models of a few nodes, built and run: on a target of ours and with ONNX Runtime."""

import migraphx
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSETS = {"": 23, "com.microsoft": 1}


def element_type(x):
    """The number in TensorProto of an array's element type."""
    return helper.np_dtype_to_tensor_dtype(np.asarray(x).dtype)


def make_model(nodes, inputs, outputs, constants=None, opsets=None, ir_version=10):
    """`inputs`, `constants`: name -> array; `outputs`: name -> element type, or names (float)."""
    if not isinstance(outputs, dict):
        outputs = dict.fromkeys(outputs, TensorProto.FLOAT)
    graph = helper.make_graph(
        nodes if isinstance(nodes, list) else [nodes], "g",
        [helper.make_tensor_value_info(k, element_type(v), np.shape(v)) for k, v in inputs.items()],
        [helper.make_tensor_value_info(k, t, None) for k, t in outputs.items()],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in (constants or {}).items()])
    versions = {**OPSETS, **(opsets or {})}
    return helper.make_model(graph, ir_version=ir_version,
                             opset_imports=[helper.make_opsetid(d, v) for d, v in versions.items()])


def run(model, inputs, target="ref"):
    """The outputs of a ModelProto, a list of arrays."""
    p = migraphx.parse_onnx_buffer(model.SerializeToString())
    p.compile(migraphx.get_target(target))
    return [np.asarray(y) for y in p.run(inputs)]


def run_ort(model, inputs):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)
