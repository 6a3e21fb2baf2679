# SPDX-License-Identifier: MIT
"""com.microsoft operators that transformer optimisers and exporters leave in models, against ONNX Runtime or, where
its cpu has none, against their formulas in numpy."""

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from onnx import TensorProto  # noqa: E402
from onnx_pair import assert_close, check_node, compiled, feeds, node_model, reference, run, with_ranges  # noqa: E402


def floats(*dims, seed=0, dtype=np.float32):
    return np.random.default_rng([seed, *dims]).standard_normal(dims).astype(dtype)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# ---- norms


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("skip", [(2, 3, 16), (1, 3, 16), (3, 16)])
@pytest.mark.parametrize("simple", [False, True])
def test_skip_layer_norm(simple, skip, bias):
    inputs = [floats(2, 3, 16), floats(*skip, seed=1), floats(16, seed=2)]
    if not simple:
        inputs.append(floats(16, seed=3) if skip != (3, 16) else None)
    inputs.append(floats(16, seed=4) if bias else None)
    op = "SkipSimplifiedLayerNormalization" if simple else "SkipLayerNormalization"
    check_node(op, inputs, outputs=["y", "", "", "sum"], epsilon=1e-3)
    check_node(op, inputs)


def test_skip_layer_norm_of_half():
    inputs = [floats(2, 3, 16, seed=i, dtype=np.float16) for i in (0, 1)] + [floats(16, seed=i, dtype=np.float16) for i in (2, 3)]
    check_node("SkipLayerNormalization", inputs, tolerance=2e-3, output_type=TensorProto.FLOAT16)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_simplified_layer_norm(axis, dtype):
    x = floats(2, 3, 8, dtype=dtype)
    kind = {np.float32: 1, np.float64: 11, np.float16: 10}[dtype]
    tolerance = {np.float32: 2e-5, np.float64: 2e-5, np.float16: 2e-3}[dtype]
    scale = floats(*x.shape[axis:], seed=1, dtype=dtype)
    check_node("SimplifiedLayerNormalization", [x, scale], domain="", axis=axis, tolerance=tolerance, output_type=kind)


@pytest.mark.parametrize("segments", [False, True])
@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("positions", [None, (1, 5), (2, 5)])
def test_embed_layer_norm(segments, mask, positions):
    random = np.random.default_rng(0)
    ids = random.integers(0, 20, (2, 5)).astype(np.int32)
    kinds = random.integers(0, 2, (2, 5)).astype(np.int32) if segments else None
    inputs = [ids, kinds, floats(20, 8), floats(9, 8, seed=1), floats(2, 8, seed=2) if segments else None, floats(8, seed=3),
              floats(8, seed=4), np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.int32) if mask else None]
    if positions:
        inputs.append(random.integers(0, 9, positions).astype(np.int32))
    model = node_model("EmbedLayerNormalization", inputs, 3, "com.microsoft", epsilon=1e-5)
    model.graph.output[1].type.tensor_type.elem_type = TensorProto.INT32
    wanted = reference(model).run(None, feeds(inputs))
    for target in ("ref", "cpu"):
        for i, (a, b) in enumerate(zip(run(compiled(model, target), feeds(inputs)), wanted)):
            assert_close(a, b, 2e-5, f"output {i}")


def group_norm(x, groups, scale, bias, epsilon):
    n, c = x.shape[:2]
    y = x.reshape(n, groups, -1).astype(np.float64)
    y = (y - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + epsilon)
    return (y.reshape(x.shape) * scale.reshape(1, c, 1, 1) + bias.reshape(1, c, 1, 1)).astype(np.float32)


@pytest.mark.parametrize("channels_last", [0, 1])
@pytest.mark.parametrize("activation", [0, 1])
@pytest.mark.parametrize("skip", [None, (2, 8), (2, 8, 1, 1), (2, 8, 4, 5)])
def test_group_norm(channels_last, activation, skip):
    x, scale, bias = floats(2, 8, 4, 5), floats(8, seed=1), floats(8, seed=2)
    added, own = (floats(*skip, seed=3), floats(8, seed=4)) if skip else (np.float32(0), np.zeros(8, np.float32))
    full = added.reshape(2, 8, 1, 1) if skip == (2, 8) else added
    total = x + full + own.reshape(1, 8, 1, 1)
    wanted = group_norm(total, 4, scale, bias, 1e-4)
    if activation:
        wanted = wanted * sigmoid(wanted)

    def laid(v):
        return np.ascontiguousarray(np.moveaxis(v, 1, -1)) if channels_last and v.ndim == 4 else v

    inputs = [laid(x), scale, bias] + ([laid(added), own] if skip else [])
    check_node("SkipGroupNorm" if skip else "GroupNorm", inputs, outputs=2 if skip else 1, groups=4, activation=activation,
               channels_last=channels_last, epsilon=1e-4, wanted=[laid(wanted)] + ([laid(total)] if skip else []))


# ---- activations


@pytest.mark.parametrize("op, inputs, attributes", [
    ("Gelu", [(2, 7)], {}),
    ("BiasGelu", [(2, 3, 7), (7,)], {}),
    ("FastGelu", [(2, 7)], {}),
    ("FastGelu", [(2, 3, 7), (7,)], {}),
    ("QuickGelu", [(2, 7)], {}),
    ("QuickGelu", [(2, 7)], {"alpha": 0.7}),
    ("ScaledSiLU", [(2, 7)], {"alpha": 1.5}),
    ("ScaledSiLU", [(2, 7), ()], {}),
    ("GatedAdd", [(2, 3, 7), (2, 3, 7), (2, 3, 1)], {}),
    ("GatedRMSNorm", [(2, 3, 8), (8,), (2, 3, 8)], {}),
    ("GatedRMSNorm", [(2, 3, 24), (8,), (2, 3, 24)], {"activation": "sigmoid", "epsilon": 1e-3}),
])
def test_activations(op, inputs, attributes):
    check_node(op, [np.asarray(floats(*d, seed=i)) for i, d in enumerate(inputs)], **attributes)


def test_linear_attention_gate():
    check_node("LinearAttentionGate", [floats(2, 5, 3), floats(3), floats(3, seed=1), floats(2, 5, 3, seed=2)], outputs=2)


def test_activations_without_kernels_on_cpu():
    x, bias = floats(2, 3, 8), floats(8, seed=1)
    check_node("BiasAdd", [x, bias, floats(2, 3, 8, seed=2)], wanted=[x + bias + floats(2, 3, 8, seed=2)])
    left, right = np.split((x + bias).astype(np.float64), 2, -1)
    from math import erf

    gelu = right * 0.5 * (1 + np.vectorize(erf)(right / np.sqrt(2)))
    check_node("BiasSplitGelu", [x, bias], wanted=[(left * gelu).astype(np.float32)])
    scores = floats(2, 3, 4, 5) + floats(2, 1, 1, 5, seed=1)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    check_node("BiasSoftmax", [floats(2, 3, 4, 5), floats(2, 1, 1, 5, seed=1)], axis=3, is_inner_broadcast=1,
               wanted=[e / e.sum(-1, keepdims=True)])


# ---- products


@pytest.mark.parametrize("trans_a", [0, 1])
@pytest.mark.parametrize("trans_b", [0, 1])
@pytest.mark.parametrize("batch_a", [0, 1])
@pytest.mark.parametrize("batch_b", [0, 1])
def test_fused_matmul(trans_a, trans_b, batch_a, batch_b):
    def stored(rows, columns, transposed, batch, seed):
        dims = [columns, rows] if transposed else [rows, columns]
        batches = [2, 3]
        return floats(*([dims[0], *batches, dims[1]] if batch else [*batches, *dims]), seed=seed)

    check_node("FusedMatMul", [stored(4, 5, trans_a, batch_a, 0), stored(5, 6, trans_b, batch_b, 1)], transA=trans_a,
               transB=trans_b, transBatchA=batch_a, transBatchB=batch_b, alpha=0.3)


def test_fused_matmul_of_two_dimensions_and_double():
    check_node("FusedMatMul", [floats(5, 4), floats(5, 6)], transA=1)
    check_node("FusedMatMul", [floats(2, 4, 5, dtype=np.float64), floats(6, 5, dtype=np.float64)], transB=1, alpha=2.0,
               output_type=TensorProto.DOUBLE)


@pytest.mark.parametrize("attributes", [
    {"activation": "Relu"},
    {"activation": "Tanh", "alpha": 0.5, "beta": 2.0, "transA": 1},
    {"activation": "Sigmoid", "transB": 1},
    {"activation": "LeakyRelu", "activation_alpha": 0.2},
], ids=str)
def test_fused_gemm(attributes):
    a = floats(5, 4) if attributes.get("transA") else floats(4, 5)
    b = floats(6, 5, seed=1) if attributes.get("transB") else floats(5, 6, seed=1)
    check_node("FusedGemm", [a, b, floats(6, seed=2)], **attributes)


@pytest.mark.parametrize("attributes", [
    {"activation": "Relu", "pads": [1, 1, 1, 1]},
    {"activation": "LeakyRelu", "activation_params": [0.2], "strides": [2, 2]},
    {"activation": "Clip", "activation_params": [-0.5, 0.5]},
    {"activation": "HardSigmoid", "activation_params": [0.3, 0.4]},
    {"activation": "Tanh", "group": 2},
    {"activation": "Sigmoid"},
], ids=str)
@pytest.mark.parametrize("added", [False, True])
def test_fused_conv(attributes, added):
    x, w, b = floats(2, 4, 6, 7), floats(4, 4 // attributes.get("group", 1), 3, 3, seed=1), floats(4, seed=2)
    inputs = [x, w, b]
    if added:
        shape = reference(node_model("FusedConv", inputs, domain="com.microsoft", **attributes)).run(None, feeds(inputs))[0].shape
        inputs.append(floats(*shape, seed=3))
    check_node("FusedConv", inputs, **attributes)


def test_nhwc_conv():
    x, w, b = floats(2, 6, 7, 4), floats(5, 3, 3, 4, seed=1), floats(5, seed=2)
    first = [np.ascontiguousarray(np.moveaxis(v, -1, 1)) for v in (x, w)]
    wanted = reference(node_model("Conv", [*first, b], pads=[1, 0, 1, 0])).run(None, feeds([*first, b]))[0]
    check_node("NhwcConv", [x, w, b], pads=[1, 0, 1, 0], wanted=[np.ascontiguousarray(np.moveaxis(wanted, 1, -1))])


# ---- generation and positions


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("ids", [
    [[1, 2, 3, 1, 2], [4, 4, 4, 4, 4]],
    [[0, 1, 2, 0, 1, 3, 0, 1], [5, 6, 7, 8, 9, 5, 6, 7]],
    [[3, 3, 0]],
], ids=str)
def test_ngram_repeat_block(ids, size):
    ids = np.array(ids, np.int64)
    check_node("NGramRepeatBlock", [ids, floats(len(ids), 10)], ngram_size=size)


def test_ngram_repeat_block_of_any_length():
    model = node_model("NGramRepeatBlock", [np.zeros((2, 4), np.int64), floats(2, 10)], domain="com.microsoft",
                       ranges={0: [2, (1, 30)]}, ngram_size=3)
    session = reference(model)
    random = np.random.default_rng(0)
    for target in ("ref", "cpu"):
        program = with_ranges(model, {"x0": [2, (1, 30)], "x1": [2, 10]}, target)
        for length in (1, 2, 3, 4, 20, 29):
            given = feeds([random.integers(0, 3, (2, length)), floats(2, 10)])
            assert_close(run(program, given)[0], session.run(None, given)[0], what=f"{length}")


def buckets_of_t5(queries, keys, buckets, most, both_ways):
    """As in the T5 paper's code."""
    distance = np.arange(keys)[None] - np.arange(queries)[:, None]
    index = np.zeros_like(distance)
    if both_ways:
        buckets //= 2
        index += (distance > 0) * buckets
        distance = np.abs(distance)
    else:
        distance = np.maximum(-distance, 0)
    exact = buckets // 2
    with np.errstate(divide="ignore"):
        far = exact + (np.log(distance / exact) / np.log(most / exact) * (buckets - exact)).clip(0).astype(np.int64)
    return index + np.where(distance < exact, distance, np.minimum(far, buckets - 1))


@pytest.mark.parametrize("both_ways", [0, 1])
@pytest.mark.parametrize("queries, keys", [(7, 7), (40, 40), (3, 200)])
def test_relative_position_bias(both_ways, queries, keys):
    table = floats(32, 4)
    index = buckets_of_t5(queries, keys, 32, 100, both_ways)
    wanted = np.ascontiguousarray(table[index].transpose(2, 0, 1)[None])
    check_node("RelativePositionBias", [table, np.array([queries], np.int64), np.array([keys], np.int64)], max_distance=100,
               is_bidirectional=both_ways, wanted=[wanted])


def test_gated_relative_position_bias():
    b, s, n, h, d = 2, 5, 3, 8, 6
    q, bias, position = floats(b, s, n * h), floats(n * h, seed=1), floats(1, n, s, s, seed=2)
    w, wb, a = floats(h, d, seed=3), floats(d, seed=4), floats(1, n, 1, 1, seed=5)
    heads = (q + bias).reshape(b, s, n, h).transpose(0, 2, 1, 3)
    gates = sigmoid((heads @ w + wb).reshape(b, n, s, 2, d // 2).sum(-1))
    wanted = (gates[..., :1] * (gates[..., 1:] * a - 1.0) + 2.0) * position
    check_node("GatedRelativePositionBias", [q, bias, position, w, wb, a], num_heads=n, wanted=[wanted.astype(np.float32)])


# ---- layers with a state


@pytest.mark.parametrize("rule", ["linear", "gated", "delta", "gated_delta"])
@pytest.mark.parametrize("heads, kv_heads", [(2, 2), (4, 2), (2, 4)])
@pytest.mark.parametrize("past", [False, True])
def test_linear_attention(rule, heads, kv_heads, past):
    b, t, d, e = 2, 6, 4, 3
    keys = floats(b, t, kv_heads, d, seed=1)
    keys /= np.linalg.norm(keys, axis=-1, keepdims=True)
    inputs = [floats(b, t, heads * d), keys.reshape(b, t, -1), floats(b, t, kv_heads * e, seed=2),
              floats(b, kv_heads, d, e, seed=3) if past else None,
              -np.abs(floats(b, t, kv_heads * d, seed=4)) if "gated" in rule else None,
              sigmoid(floats(b, t, kv_heads, seed=5)) if "delta" in rule else None]
    check_node("LinearAttention", inputs, outputs=2, q_num_heads=heads, kv_num_heads=kv_heads, update_rule=rule)


def states_of_prefixes(op, inputs, lengthwise, axis, window, **attributes):
    """Results of the node with the last states of `window` prefixes stacked; ONNX Runtime's cpu has no window."""
    length = inputs[0].shape[axis]
    results, states = None, []
    for n in range(length - window + 1, length + 1):
        parts = [np.take(x, np.arange(max(n, 0)), axis) if i in lengthwise else x for i, x in enumerate(inputs)]
        if n > 0:
            model = node_model(op, parts, 2, "com.microsoft", **attributes)
            results = reference(model).run(None, feeds(parts))
            states.append(results[1])
        else:
            states.append(None)
    return [results[0], np.stack([np.zeros_like(results[1]) if x is None else x for x in states])]


@pytest.mark.parametrize("window", [1, 3, 8])
def test_state_windows(window):
    attributes = {"q_num_heads": 2, "kv_num_heads": 2, "update_rule": "linear"}
    inputs = [floats(2, 6, 8), floats(2, 6, 8, seed=1) / 4, floats(2, 6, 6, seed=2), floats(2, 2, 4, 3, seed=3)]
    wanted = states_of_prefixes("LinearAttention", inputs, (0, 1, 2), 1, window, **attributes)
    inputs[3] = np.stack([np.full_like(inputs[3], 9)] * (window - 1) + [inputs[3]])
    check_node("LinearAttention", inputs, outputs=2, state_window=window, wanted=wanted, **attributes)

    inputs = [floats(2, 5, 6), floats(5, 1, 4, seed=2), None, floats(2, 5, 3, seed=1)]
    wanted = states_of_prefixes("CausalConvWithState", inputs, (0,), 2, window)
    inputs[3] = np.stack([np.full_like(inputs[3], 9)] * (window - 1) + [inputs[3]])
    check_node("CausalConvWithState", inputs, outputs=2, state_window=window, wanted=wanted)


@pytest.mark.parametrize("activation", ["none", "silu"])
@pytest.mark.parametrize("taps, dilation", [(4, 1), (3, 2), (1, 1)])
@pytest.mark.parametrize("past", [False, True])
@pytest.mark.parametrize("channels_last", [0, 1])
def test_causal_conv(activation, taps, dilation, past, channels_last):
    state = (taps - 1) * dilation
    x = floats(2, 7, 5) if channels_last else floats(2, 5, 7)
    before = floats(2, state, 5, seed=1) if channels_last else floats(2, 5, state, seed=1)
    check_node("CausalConvWithState", [x, floats(5, 1, taps, seed=2), floats(5, seed=3), before if past else None], outputs=2,
               activation=activation, dilation=dilation, channels_last=channels_last)


@pytest.mark.parametrize("target", ["ref", "cpu"])
def test_states_of_any_length(target):
    """One program for prompts and single tokens."""
    ranges = {"x0": [(1, 3), 5, (1, 20)], "x3": [(1, 3), 5, 3]}
    first = [floats(2, 5, 7), floats(5, 1, 4, seed=2), floats(5, seed=3), floats(2, 5, 3, seed=1)]
    model = node_model("CausalConvWithState", first, 2, "com.microsoft", ranges={0: ranges["x0"], 3: ranges["x3"]}, activation="silu")
    program = with_ranges(model, {**ranges, "x1": [5, 1, 4], "x2": [5]}, target)
    session = reference(model)
    for batch, length in [(2, 7), (2, 1), (3, 12), (1, 2)]:
        given = feeds([floats(batch, 5, length), *first[1:3], floats(batch, 5, 3, seed=1)])
        for a, b in zip(run(program, given), session.run(None, given)):
            assert_close(a, b)


# ---- small ones


def test_expand_dims():
    for axis in (0, 1, -1, -2):
        check_node("ExpandDims", [floats(2, 3), np.array(axis, np.int32)])


def test_inverse():
    check_node("Inverse", [floats(2, 3, 4, 4) + 3 * np.eye(4, dtype=np.float32)])
    check_node("Inverse", [floats(5, 5, dtype=np.float64)], output_type=TensorProto.DOUBLE)


@pytest.mark.parametrize("upper", [0, 1])
@pytest.mark.parametrize("k", [None, -1, 0, 2])
def test_trilu(upper, k):
    check_node("Trilu", [floats(2, 4, 5), None if k is None else np.array(k, np.int64)], upper=upper)


def test_unique_in_order():
    x = np.array([2, 1, 1, 3, 4, 3], np.float32)
    model = node_model("Unique", [x], 3, "com.microsoft")
    for i in (1, 2):
        model.graph.output[i].type.tensor_type.elem_type = TensorProto.INT64
    wanted = reference(model).run(None, feeds([x]))
    for target in ("ref", "cpu"):
        for a, b in zip(run(compiled(model, target), feeds([x])), wanted):
            assert_close(a, b)


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("corners", [0, 1])
def test_grid_sample(mode, padding, corners):
    check_node("GridSample", [floats(2, 3, 5, 6), floats(2, 4, 3, 2, seed=1)], mode=mode, padding_mode=padding,
               align_corners=corners)


def test_range_and_distances():
    scalars = [np.array(v, np.float32) for v in (1, 8, 2.5)]
    check_node("Range", scalars)
    check_node("Range", scalars[:2])
    check_node("CDist", [floats(4, 6), floats(5, 6, seed=1)], metric="euclidean")
    check_node("CDist", [floats(4, 6), floats(5, 6, seed=1)], metric="sqeuclidean")


def test_pad_and_gather():
    x = floats(2, 3)
    check_node("Pad", [x, np.array([1, 0, 0, 2], np.int64), np.array([0.5], np.float32)])
    check_node("Pad", [x, np.array([1, -1, 0, 2], np.int64)])
    check_node("GatherND", [floats(2, 3, 4), np.array([[0, 1], [1, 2]], np.int64)])


# ---- mixtures of experts


@pytest.mark.parametrize("attributes", [
    {"activation_type": "relu", "k": 1},
    {"activation_type": "gelu", "k": 2},
    {"activation_type": "silu", "k": 2, "normalize_routing_weights": 1},
    {"activation_type": "identity", "k": 3},
    {"activation_type": "swiglu", "k": 2, "swiglu_fusion": 1, "normalize_routing_weights": 1},
    {"activation_type": "swiglu", "k": 2, "swiglu_fusion": 1, "activation_alpha": 1.702, "activation_beta": 1.0, "swiglu_limit": 1.5},
], ids=str)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("words", [(5,), (2, 3)])
def test_mixture_of_experts(attributes, bias, words):
    experts, hidden, inner = 4, 8, 6
    wide = inner * (2 if attributes.get("swiglu_fusion") else 1)
    count = int(np.prod(words))
    inputs = [floats(*words, hidden), floats(count, experts, seed=1), floats(experts, wide, hidden, seed=2),
              floats(experts, wide, seed=3) if bias else None, floats(experts, hidden, inner, seed=4),
              floats(experts, hidden, seed=5) if bias else None]
    check_node("MoE", inputs, **attributes)


def test_mixture_of_experts_of_any_length():
    experts, hidden, inner = 4, 8, 6
    weights = [floats(experts, inner, hidden, seed=2), None, floats(experts, hidden, inner, seed=4)]
    ranges = {"x0": [(1, 3), (1, 8), hidden], "x1": [(1, 24), experts], "x2": [experts, inner, hidden], "x4": [experts, hidden, inner]}
    first = [floats(2, 3, hidden), floats(6, experts, seed=1), *weights]
    model = node_model("MoE", first, domain="com.microsoft", ranges={0: ranges["x0"], 1: ranges["x1"]}, k=2, activation_type="silu")
    session = reference(model)
    for target in ("ref", "cpu"):
        program = with_ranges(model, ranges, target)
        for batch, words in [(2, 3), (1, 1), (3, 8)]:
            given = feeds([floats(batch, words, hidden), floats(batch * words, experts, seed=1), *weights])
            assert_close(run(program, given)[0], session.run(None, given)[0])
