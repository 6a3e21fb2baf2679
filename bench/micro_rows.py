# SPDX-License-Identifier: MIT
"""Single operators and small chains as ONNX models: the rows of the study that the bars come from.

Each row is a function that gives (graph nodes, inputs, initializers, output shape) and stands in ROWS
with its flops, the bytes it moves at least, and the bar in microseconds on one thread, if there is one.
"""
import dataclasses
import math

import numpy as np

from harness import models

OPSET = 21


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    make: object
    inputs: tuple
    output: tuple
    flops: float
    bytes: float
    bar_us: float = None

    def model(self):
        return models.Model(self.name, ("micro", ""), (models.Case("1", self.inputs),))


def weights(name, *shape, scale=None, seed=1):
    from onnx import numpy_helper
    rng = np.random.default_rng(seed + sum(map(ord, name)))
    values = rng.standard_normal(shape) * (scale or 1 / math.sqrt(np.prod(shape[1:]) or 1))
    return numpy_helper.from_array(values.astype(np.float32), name)


def constant(name, values):
    from onnx import numpy_helper
    return numpy_helper.from_array(np.asarray(values), name)


def node(op, inputs, output, **attributes):
    from onnx import helper
    return helper.make_node(op, inputs.split(), [output], **attributes)


def product(k, n):
    return lambda: ([node("MatMul", "x w", "y")], [weights("w", k, n)])


def convolution(inputs, outputs, kernel, relu):
    pad = kernel // 2
    nodes = [node("Conv", "x w b", "c" if relu else "y", kernel_shape=[kernel] * 2, pads=[pad] * 4)]
    if relu:
        nodes.append(node("Relu", "c", "y"))
    return lambda: (nodes, [weights("w", outputs, inputs, kernel, kernel), weights("b", outputs)])


def separable():
    return ([node("Conv", "x wd bd", "d", kernel_shape=[3, 3], pads=[1] * 4, group=96), node("Clip", "d low high", "e"),
             node("Conv", "e wp bp", "p", kernel_shape=[1, 1]), node("Clip", "p low high", "y")],
            [weights("wd", 96, 1, 3, 3), weights("bd", 96), weights("wp", 96, 96, 1, 1), weights("bp", 96),
             constant("low", np.float32(0)), constant("high", np.float32(6))])


def layer_norm():
    return [node("LayerNormalization", "x g b", "y", axis=-1)], [weights("g", 768), weights("b", 768)]


def softmax():
    return [node("Softmax", "x", "y", axis=-1)], []


def gelu():
    return [node("Gelu", "x", "y")], []


def chain():
    """sigmoid(x * a + b) * tanh(x) - x, and its relu: seven operators."""
    return ([node("Mul", "x a", "m"), node("Add", "m b", "s"), node("Sigmoid", "s", "g"), node("Tanh", "x", "t"),
             node("Mul", "g t", "p"), node("Sub", "p x", "d"), node("Relu", "d", "y")],
            [constant("a", np.float32(1.3)), constant("b", np.float32(0.2))])


def attention():
    return ([node("MatMul", "q k", "s"), node("Mul", "s scale", "t"), node("Add", "t mask", "u"), node("Softmax", "u", "p", axis=-1),
             node("MatMul", "p v", "y")], [constant("scale", np.float32(0.125))])


def many_layers():
    nodes, made = [], []
    for i in range(60):
        nodes += [node("MatMul", f"{'x' if i == 0 else f'r{i - 1}'} w{i}", f"m{i}"), node("Relu", f"m{i}", "y" if i == 59 else f"r{i}")]
        made.append(weights(f"w{i}", 16, 16, scale=0.35, seed=i))
    return nodes, made


def quantised(k, n):
    def make():
        rng = np.random.default_rng(5)
        w = rng.integers(-127, 128, (k, n)).astype(np.int8)
        return ([node("QuantizeLinear", "x sx zx", "xq"), node("DequantizeLinear", "xq sx zx", "xd"),
                 node("DequantizeLinear", "wq sw zw", "wd", axis=1), node("MatMul", "xd wd", "y")],
                [constant("sx", np.float32(0.02)), constant("zx", np.uint8(128)), constant("wq", w),
                 constant("sw", rng.uniform(1e-3, 2e-3, n).astype(np.float32)), constant("zw", np.zeros(n, np.int8))])
    return make


def one(*shape):
    return (models.Input("x", shape, "normal"),)


def floats(*shapes):
    return 4.0 * sum(math.prod(s) for s in shapes)


HEADS = (1, 12, 512, 64)
# Rows of a text, of an image's patches, of a spectrogram; the last in tiles and panels that are not full.
PRODUCTS = ((128, 768, 768), (128, 768, 3072), (128, 3072, 768), (197, 768, 2304), (1500, 384, 1536), (1500, 1536, 384), (129, 769, 1025))
ROWS = (
    *(Row(f"gemm_{m}x{k}x{n}", product(k, n), one(m, k), (m, n), 2 * m * k * n, floats((m, k), (k, n), (m, n)))
      for m, k, n in PRODUCTS),
    Row("gemv_1x4096x4096", product(4096, 4096), one(1, 4096), (1, 4096), 2 * 4096 * 4096, floats((4096, 4096))),
    # The bar of these two: 190 GF/s of a direct convolution's flops.
    Row("conv3x3_64_56", convolution(64, 64, 3, True), one(1, 64, 56, 56), (1, 64, 56, 56), 2 * 9 * 64 * 64 * 56 * 56,
        floats((64, 56, 56), (64, 56, 56), (64, 64, 9)), 2 * 9 * 64 * 64 * 56 * 56 / 190e3),
    Row("conv3x3_256_14", convolution(256, 256, 3, False), one(1, 256, 14, 14), (1, 256, 14, 14), 2 * 9 * 256 * 256 * 14 * 14,
        floats((256, 14, 14), (256, 14, 14), (256, 256, 9)), 2 * 9 * 256 * 256 * 14 * 14 / 190e3),
    Row("conv1x1_64_56", convolution(64, 64, 1, False), one(1, 64, 56, 56), (1, 64, 56, 56), 2 * 64 * 64 * 56 * 56,
        floats((64, 56, 56), (64, 56, 56))),
    Row("separable_96_56", separable, one(1, 96, 56, 56), (1, 96, 56, 56), 2 * 56 * 56 * 96 * (9 + 96),
        floats((96, 56, 56), (96, 56, 56)), 750),
    Row("layernorm_1024x768", layer_norm, one(1024, 768), (1024, 768), 8 * 1024 * 768, floats((1024, 768), (1024, 768)), 400),
    Row("softmax_12x384x384", softmax, one(12, 384, 384), (12, 384, 384), 5 * 12 * 384 * 384,
        floats((12, 384, 384), (12, 384, 384)), 1000),
    Row("gelu_512x3072", gelu, one(512, 3072), (512, 3072), 8 * 512 * 3072, floats((512, 3072), (512, 3072)), 1200),
    Row("chain_1m", chain, one(1024, 1024), (1024, 1024), 7 * 1024 * 1024, floats((1024, 1024), (1024, 1024)), 1500),
    Row("attention_12x512x64", attention,
        (models.Input("q", HEADS, "normal"), models.Input("k", (1, 12, 64, 512), "normal"), models.Input("v", HEADS, "normal"),
         models.Input("mask", (1, 1, 512, 512), "normal")), HEADS, 12 * 512 * 512 * (4 * 64 + 5), 4 * floats(HEADS), 7500),
    Row("tiny_60_layers", many_layers, one(1, 16), (1, 16), 60 * 2 * 16 * 16, floats((60, 16, 16)), 20),
    Row("int8_128x768x3072", quantised(768, 3072), one(128, 768), (128, 3072), 2 * 128 * 768 * 3072,
        floats((128, 768), (128, 3072)) + 768 * 3072),
    Row("int8_1x4096x4096", quantised(4096, 4096), one(1, 4096), (1, 4096), 2 * 4096 * 4096, 4096 * 4096.0),
)


def prepare(folder, rows=ROWS):
    """folder/NAME.onnx of each row."""
    from onnx import TensorProto, helper
    folder.mkdir(parents=True, exist_ok=True)
    for row in rows:
        nodes, made = row.make()
        graph = helper.make_graph(
            nodes, row.name, [helper.make_tensor_value_info(i.name, TensorProto.FLOAT, i.shape) for i in row.inputs],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, row.output)], made)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
        (folder / f"{row.name}.onnx").write_bytes(model.SerializeToString())
