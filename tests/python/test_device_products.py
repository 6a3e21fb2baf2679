# SPDX-License-Identifier: MIT
"""Quantised programs on the pipeline of devices: products keep the type that they were given."""

import migraphx
import numpy as np
import pytest


def floats(*shape, seed, scale=1.0):
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def two_layers(rows):
    p = migraphx.program()
    m = p.get_main_module()
    x = m.add_parameter("x", migraphx.shape(type="float_type", lens=[rows, 64]))
    weights = [m.add_literal(migraphx.argument(w)) for w in
               (floats(64, 128, seed=1, scale=0.125), floats(rows, 128, seed=2), floats(128, 32, seed=3, scale=0.09))]
    y = m.add_instruction(migraphx.op("dot"), [x, weights[0]])
    y = m.add_instruction(migraphx.op("add"), [y, weights[1]])
    y = m.add_instruction(migraphx.op("relu"), [y])
    m.add_return([m.add_instruction(migraphx.op("dot"), [y, weights[2]])])
    return p


QUANTISED = {
    "half": (lambda p, x: migraphx.quantize_fp16(p), "gpu::dot", 2e-3),
    "bf16": (lambda p, x: migraphx.quantize_bf16(p), "gpu::dot", 1e-2),
    "int8": (lambda p, x: migraphx.quantize_int8(p, migraphx.get_target("ref"), [x]), "gpu::quant_dot", 4e-2),
    "fp8": (lambda p, x: migraphx.quantize_fp8(p, migraphx.get_target("ref"), [x]), "gpu::quant_dot", 1e-1),
}


@pytest.mark.parametrize("rows", [8, 40], ids=["few_rows", "more_rows"])
@pytest.mark.parametrize("kind", QUANTISED)
def test_products_stay_in_their_type(kind, rows):
    quantise, operator, tolerance = QUANTISED[kind]
    x = {"x": migraphx.argument(floats(rows, 64, seed=4))}
    exact = two_layers(rows)
    exact.compile(migraphx.get_target("ref"))
    wanted = np.asarray(exact.run(x)[0])
    p = two_layers(rows)
    quantise(p, x)
    p.compile(migraphx.get_target("null"), offload_copy=True)
    assert str(p).count(operator + "(") == 2, str(p)
    got = np.asarray(p.run(x)[0])
    assert np.abs(got - wanted).max() <= tolerance * np.abs(wanted).max()
