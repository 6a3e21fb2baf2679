# SPDX-License-Identifier: MIT
"""One ONNX model in this engine and in ONNX Runtime: what the tests of operators and of built models share."""

import migraphx
import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

OPSETS = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]


def dimension(d):
    """An int, or (min, max)."""
    return migraphx.shape.dynamic_dimension(*(d if isinstance(d, tuple) else (d, d)))


def value_info(name, array, dims=None):
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    symbols = [f"{name}_{i}" if isinstance(d, tuple) else d for i, d in enumerate(dims or array.shape)]
    return helper.make_tensor_value_info(name, kind, symbols)


def node_model(
    op, inputs, outputs=1, domain="", opsets=OPSETS, ranges=None, output_type=TensorProto.FLOAT, constants=(), **attributes
):
    """A model of one node. `inputs`: arrays, or None for one left out; `ranges`: dims of inputs by position.

    `output_type` None leaves the types of the outputs open; inputs in `constants` (positions) are initializers.
    """
    names = ["" if x is None else f"x{i}" for i, x in enumerate(inputs)]
    results = [f"y{i}" for i in range(outputs)] if isinstance(outputs, int) else outputs
    node = helper.make_node(op, names, results, domain=domain, **attributes)
    graph = helper.make_graph(
        [node],
        op,
        [value_info(n, x, (ranges or {}).get(i)) for i, (n, x) in enumerate(zip(names, inputs)) if n and i not in constants],
        [
            helper.make_tensor_value_info(r, output_type, None) if output_type else helper.make_empty_tensor_value_info(r)
            for r in results
            if r
        ],
        [numpy_helper.from_array(inputs[i], names[i]) for i in constants],
    )
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def feeds(inputs):
    return {f"x{i}": x for i, x in enumerate(inputs) if x is not None}


def reference(model):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 4
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def compiled(model, target="cpu", **options):
    program = migraphx.parse_onnx_buffer(model.SerializeToString(), **options)
    program.compile(migraphx.get_target(target))
    return program


def with_ranges(model, ranges, target="cpu"):
    """One program for all sizes; `ranges`: input name -> dims as `dimension` takes them."""
    return compiled(model, target, map_dyn_input_dims={k: [dimension(d) for d in v] for k, v in ranges.items()})


def run(program, inputs):
    names = program.get_parameter_names()
    kept = {k: np.ascontiguousarray(v) for k, v in inputs.items() if k in names}
    return [np.array(x) for x in program.run(kept)]


def assert_close(got, wanted, tolerance=2e-5, what=""):
    """Equal shapes and types; differences relative to the largest magnitude."""
    assert got.shape == wanted.shape, f"{what}: shape {wanted.shape} was expected, got {got.shape}"
    assert got.dtype == wanted.dtype, f"{what}: {wanted.dtype} was expected, got {got.dtype}"
    finite = np.isfinite(wanted)
    assert np.array_equal(got[~finite], wanted[~finite], equal_nan=True), f"{what}: other values that are not finite"
    if finite.any():
        difference = np.abs(got[finite].astype(np.float64) - wanted[finite].astype(np.float64)).max()
        assert difference <= tolerance * max(np.abs(wanted[finite].astype(np.float64)).max(), 1e-6), f"{what}: {difference}"


def check_node(op, inputs, outputs=1, tolerance=2e-5, targets=("ref", "cpu", "null"), domain="com.microsoft", wanted=None, **attributes):
    """The node with static shapes, on each target, against ONNX Runtime (or `wanted`)."""
    model = node_model(op, inputs, outputs, domain=domain, **attributes)
    if wanted is None:
        wanted = reference(model).run(None, feeds(inputs))
    for target in targets:
        got = run(compiled(model, target), feeds(inputs))
        assert len(got) == len(wanted)
        for i, (a, b) in enumerate(zip(got, wanted)):
            assert_close(a, b, tolerance, f"{op} {attributes} on {target}, output {i}")
    return wanted


class Graph:
    """Builds a model node by node: `x = g.MatMul(a, b)`; numpy arrays become initializers."""

    def __init__(self, opset=21, seed=0):
        self.nodes, self.inputs, self.outputs, self.weights = [], [], [], []
        self.opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
        self.random = np.random.default_rng(seed)
        self.count = 0

    def name(self):
        self.count += 1
        return f"t{self.count}"

    def input(self, name, dtype, dims):
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self.inputs.append(helper.make_tensor_value_info(name, kind, dims))
        return name

    def constant(self, array):
        name = self.name()
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def weight(self, *dims, scale=None):
        """Seeded, of a size that keeps activations about as large as they are."""
        scale = scale if scale is not None else 1.0 / np.sqrt(dims[0] if len(dims) > 1 else 4)
        return self.constant((self.random.standard_normal(dims) * scale).astype(np.float32))

    def node(self, op, *inputs, outputs=1, domain="", **attributes):
        names = [x if isinstance(x, str) else "" if x is None else self.constant(x) for x in inputs]
        results = [self.name() for _ in range(outputs)]
        self.nodes.append(helper.make_node(op, names, results, domain=domain, **attributes))
        return results[0] if outputs == 1 else results

    def __getattr__(self, op):
        if not op[0].isupper():
            raise AttributeError(op)
        return lambda *inputs, **attributes: self.node(op, *inputs, **attributes)

    def output(self, value, name, dtype=np.float32):
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self.outputs.append(helper.make_tensor_value_info(name, kind, None))

    def model(self):
        graph = helper.make_graph(self.nodes, "built", self.inputs, self.outputs, self.weights)
        return helper.make_model(graph, opset_imports=self.opsets, ir_version=10)
