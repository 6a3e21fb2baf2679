# SPDX-License-Identifier: MIT
"""The nodes of tests/conformance/forms.txt with ranges in place of the sizes of their first operand."""

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

import migraphx  # noqa: E402
from test_onnx_forms import LINES, model_of, peer, read_form  # noqa: E402

# What needs a size at import: an operator, or a part of its line.
FIXED = ("ConstantOfShape", "DepthToSpace", "GroupNormalization", "NonMaxSuppression", "output_shape=", "training_mode=1",
         "equation=ii", "equation=aab", "MatMul@13 float{2,1,3,4}")


def ranges(lens):
    return [migraphx.shape.dynamic_dimension(max(n - 1, 0), n + 3) for n in lens]


def resizable(line):
    operands = read_form(line)[3]
    return bool(operands and operands[0] is not None and operands[0].ndim) and not any(word in line for word in FIXED)


@pytest.mark.parametrize("line", [line for line in LINES if resizable(line) and not line.startswith("Cast@")])
def test_form_with_ranges(line):
    model, inputs = model_of(*read_form(line), True)
    program = migraphx.parse_onnx_buffer(model.SerializeToString(), map_dyn_input_dims={"x0": ranges(inputs["x0"].shape)})
    program.compile(migraphx.get_target("cpu"))
    wanted = peer(model, inputs)
    got = [np.asarray(y) for y in program.run(inputs)]
    assert len(got) == len(wanted)
    for y, z in zip(got, wanted):
        assert (y.dtype, y.shape) == (z.dtype, z.shape)
        exact = z.dtype.kind != "f"
        np.testing.assert_allclose(y, z, rtol=0 if exact else 1e-3, atol=0 if exact else 2e-5)
