# SPDX-License-Identifier: MIT
"""More models built here with seeded weights, each against ONNX Runtime: a speech encoder with a decoder that attends
to it, a vision transformer, windows that shift, a mixture of experts, recurrent state spaces, speech features."""

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from onnx_pair import Graph, assert_close, compiled, reference, run, with_ranges  # noqa: E402
from test_models_built_text import (  # noqa: E402
    attention,
    generate,
    ints,
    layer_norm,
    length_of,
    linear,
    merge_heads,
    split_heads,
)

TARGETS = ["ref", "cpu"]
MS = {"domain": "com.microsoft"}


def floats(*dims, seed=0):
    return np.random.default_rng([seed, *dims]).standard_normal(dims).astype(np.float32)


def check(model, cases, target, ranges=None, tolerance=1e-4):
    """One program for all cases; without ranges, one for each."""
    session = reference(model)
    program = with_ranges(model, ranges, target) if ranges else None
    for i, inputs in enumerate(cases):
        own = program or compiled(model, target, map_input_dims={k: list(v.shape) for k, v in inputs.items()})
        got, wanted = run(own, inputs), session.run(None, inputs)
        assert len(got) == len(wanted)
        for j, (a, b) in enumerate(zip(got, wanted)):
            assert_close(a, b, tolerance, f"case {i} on {target}, output {j}")


# ---- Whisper: a convolutional encoder; a decoder with its own cache and keys of the encoder

HEADS, SIZE = 2, 16
HIDDEN = HEADS * SIZE


def whisper_encoder():
    g = Graph(seed=11)
    mel = g.input("mel", np.float32, ["batch", 8, "frames"])
    x = g.Gelu(g.Conv(mel, g.weight(HIDDEN, 8, 3, scale=0.2), g.weight(HIDDEN, scale=0.1), pads=[1, 1]))
    x = g.Gelu(g.Conv(x, g.weight(HIDDEN, HIDDEN, 3, scale=0.1), g.weight(HIDDEN, scale=0.1), pads=[1, 1], strides=[2]))
    x = g.Transpose(x, perm=[0, 2, 1])
    positions = g.Slice(g.weight(64, HIDDEN, scale=0.5), ints(0), g.Unsqueeze(length_of(g, x, 1), ints(0)), ints(0))
    x = g.Add(x, positions)
    y = layer_norm(g, x, HIDDEN)
    q, k, v = (split_heads(g, linear(g, y, HIDDEN, HIDDEN), HEADS, SIZE) for _ in range(3))
    x = g.Add(x, linear(g, merge_heads(g, attention(g, q, k, v, SIZE), HIDDEN), HIDDEN, HIDDEN))
    memory = layer_norm(g, x, HIDDEN)
    for name in ("cross_k", "cross_v"):
        g.output(split_heads(g, linear(g, memory, HIDDEN, HIDDEN), HEADS, SIZE), name)
    return g.model()


def whisper_decoder():
    g = Graph(seed=12)
    ids = g.input("ids", np.int64, ["batch", "queries"])
    past = [g.input(n, np.float32, ["batch", HEADS, "past", SIZE]) for n in ("past_k", "past_v")]
    cross = [g.input(n, np.float32, ["batch", HEADS, "frames", SIZE]) for n in ("cross_k", "cross_v")]
    first = length_of(g, past[0], 2)
    positions = g.Range(first, g.Add(first, length_of(g, ids, 1)), np.array(1, np.int64))
    table = g.weight(50, HIDDEN, scale=1)
    x = g.Add(g.Gather(table, ids), g.Gather(g.weight(64, HIDDEN, scale=0.5), positions))
    y = layer_norm(g, x, HIDDEN)
    parts = [g.MatMul(y, g.weight(HIDDEN, HIDDEN)) for _ in range(3)]
    y, k, v = g.node("MultiHeadAttention", *parts, g.weight(3 * HIDDEN, scale=0.1), None, None, *past, outputs=3, num_heads=HEADS,
                     unidirectional=1, **MS)
    x = g.Add(x, linear(g, y, HIDDEN, HIDDEN))
    q = linear(g, layer_norm(g, x, HIDDEN), HIDDEN, HIDDEN)
    y = g.node("MultiHeadAttention", q, *cross, num_heads=HEADS, **MS)
    x = g.Add(x, linear(g, y, HIDDEN, HIDDEN))
    y = linear(g, g.Gelu(linear(g, layer_norm(g, x, HIDDEN), HIDDEN, 2 * HIDDEN)), 2 * HIDDEN, HIDDEN)
    g.output(g.MatMul(layer_norm(g, g.Add(x, y), HIDDEN), g.Transpose(table, perm=[1, 0])), "logits")
    g.output(k, "new_k")
    g.output(v, "new_v")
    return g.model()


@pytest.mark.parametrize("target", TARGETS)
def test_whisper(target):
    encoder, decoder = whisper_encoder(), whisper_decoder()
    check(encoder, [{"mel": floats(b, 8, n)} for b, n in [(2, 40), (1, 6), (1, 7)]], target, {"mel": [(1, 4), 8, (4, 100)]})
    cross = reference(encoder).run(None, {"mel": floats(2, 8, 40)})
    ranges = {"ids": [(1, 4), (1, 32)], **{n: [(1, 4), HEADS, (0, 60), SIZE] for n in ("past_k", "past_v", "cross_k", "cross_v")}}
    program, session = with_ranges(decoder, ranges, target), reference(decoder)

    def stepper(evaluate):
        def step(ids, caches):
            logits, *new = evaluate({"ids": ids, "past_k": caches[0], "past_v": caches[1], "cross_k": cross[0], "cross_v": cross[1]})
            return logits, new

        return step

    empty = [np.zeros((2, HEADS, 0, SIZE), np.float32)] * 2
    first = np.array([[1, 2, 3], [1, 3, 2]], np.int64)
    steps = 21 if target == "cpu" else 5
    got = generate(stepper(lambda x: run(program, x)), first, empty, steps)
    for i, (a, b) in enumerate(zip(got, generate(stepper(lambda x: session.run(None, x)), first, empty, steps))):
        assert_close(a, b, 1e-4, f"step {i}")
    ids = np.concatenate([first] + [x[:, -1:].argmax(-1) for x in got[:-1]], 1)
    assert_close(np.concatenate(got, 1), stepper(lambda x: run(program, x))(ids, empty)[0], 1e-4, "recomputed")


# ---- vision transformers


def vit():
    """With ONNX's own Attention over three dimensions."""
    g = Graph(opset=23, seed=13)
    image = g.input("image", np.float32, ["batch", 3, 32, 32])
    x = g.Conv(image, g.weight(HIDDEN, 3, 8, 8, scale=0.1), g.weight(HIDDEN, scale=0.1), strides=[8, 8])
    x = g.Transpose(g.Reshape(x, ints(0, HIDDEN, -1)), perm=[0, 2, 1])
    batch = g.Unsqueeze(length_of(g, x, 0), ints(0))
    token = g.Expand(g.weight(1, 1, HIDDEN), g.Concat(batch, ints(1, HIDDEN), axis=0))
    x = g.Add(g.Concat(token, x, axis=1), g.weight(1, 17, HIDDEN, scale=0.5))
    for _ in range(2):
        y = linear(g, layer_norm(g, x, HIDDEN), HIDDEN, 3 * HIDDEN)
        q, k, v = g.node("Split", y, outputs=3, axis=2, num_outputs=3)
        y = g.node("Attention", q, k, v, q_num_heads=HEADS, kv_num_heads=HEADS)
        x = g.Add(x, linear(g, y, HIDDEN, HIDDEN))
        x = g.Add(x, linear(g, g.Gelu(linear(g, layer_norm(g, x, HIDDEN), HIDDEN, 2 * HIDDEN)), 2 * HIDDEN, HIDDEN))
    first = g.Gather(layer_norm(g, x, HIDDEN), np.array(0, np.int64), axis=1)
    g.output(linear(g, first, HIDDEN, 10), "classes")
    return g.model()


@pytest.mark.parametrize("target", TARGETS)
def test_vit(target):
    cases = [{"image": floats(n, 3, 32, 32)} for n in (2, 1, 3)]
    check(vit(), cases, target, {"image": [(1, 4), 3, 32, 32]})
    check(vit(), cases[:1], target)


def swin():
    """Windows of 4 x 4 of an image that is rolled by 2, with a mask between what was not neighbours."""
    g = Graph(seed=14)
    size, window, shift = 8, 4, 2
    count = size // window
    x = g.input("image", np.float32, ["batch", size, size, HIDDEN])
    regions = np.zeros((size, size), np.int64)
    for i, rows in enumerate((slice(0, -window), slice(-window, -shift), slice(-shift, None))):
        for j, columns in enumerate((slice(0, -window), slice(-window, -shift), slice(-shift, None))):
            regions[rows, columns] = 3 * i + j
    parts = regions.reshape(count, window, count, window).transpose(0, 2, 1, 3).reshape(-1, window * window)
    mask = np.where(parts[:, None] == parts[:, :, None], 0, -100).astype(np.float32)[None, :, None]

    def rolled(y, by):
        for axis in (1, 2):
            ends = np.array(np.iinfo(np.int64).max, np.int64)[None]
            y = g.Concat(g.Slice(y, ints(by), ends, ints(axis)), g.Slice(y, ints(0), ints(by), ints(axis)), axis=axis)
        return y

    y = rolled(layer_norm(g, x, HIDDEN), shift)
    y = g.Transpose(g.Reshape(y, ints(0, count, window, count, window, HIDDEN)), perm=[0, 1, 3, 2, 4, 5])
    y = linear(g, g.Reshape(y, ints(-1, count * count, window * window, HIDDEN)), HIDDEN, 3 * HIDDEN)
    y = g.Transpose(g.Reshape(y, ints(0, 0, 0, 3, HEADS, SIZE)), perm=[3, 0, 1, 4, 2, 5])
    q, k, v = (g.Squeeze(part, ints(0)) for part in g.node("Split", y, outputs=3, axis=0, num_outputs=3))
    scores = g.Mul(g.MatMul(q, g.Transpose(k, perm=[0, 1, 2, 4, 3])), np.float32(SIZE**-0.5))
    bias = g.Add(g.weight(1, 1, HEADS, window * window, window * window, scale=0.3), mask)
    y = g.MatMul(g.Softmax(g.Add(scores, bias), axis=-1), v)
    y = linear(g, g.Reshape(g.Transpose(y, perm=[0, 1, 3, 2, 4]), ints(0, count, count, window, window, HIDDEN)), HIDDEN, HIDDEN)
    y = g.Reshape(g.Transpose(y, perm=[0, 1, 3, 2, 4, 5]), ints(0, size, size, HIDDEN))
    x = g.Add(x, rolled(y, size - shift))
    # Patches of 2 x 2 become one.
    pooled = g.Transpose(g.Reshape(x, ints(0, size // 2, 2, size // 2, 2, HIDDEN)), perm=[0, 1, 3, 4, 2, 5])
    g.output(linear(g, g.Reshape(pooled, ints(0, size // 2, size // 2, 4 * HIDDEN)), 4 * HIDDEN, 2 * HIDDEN, False), "patches")
    return g.model()


@pytest.mark.parametrize("target", TARGETS)
def test_swin(target):
    cases = [{"image": floats(n, 8, 8, HIDDEN)} for n in (2, 1)]
    check(swin(), cases, target, {"image": [(1, 4), 8, 8, HIDDEN]})
    check(swin(), cases[:1], target)


# ---- a mixture of experts

EXPERTS, CHOSEN = 4, 2


def mixture():
    """Gates of TopK; each expert gathers its words and adds its results where they came from, as Mixtral's export."""
    g = Graph(seed=15)
    x = g.input("x", np.float32, ["batch", "words", HIDDEN])
    words = g.Reshape(x, ints(-1, HIDDEN))
    gates = g.Softmax(g.MatMul(words, g.weight(HIDDEN, EXPERTS, scale=1)), axis=-1)
    best, chosen = g.node("TopK", gates, ints(CHOSEN), outputs=2, axis=-1)
    best = g.Div(best, g.ReduceSum(best, ints(-1), keepdims=1))
    total = g.Mul(words, np.float32(0))
    for e in range(EXPERTS):
        # (2, how many): the words and which of their choices this expert is
        places = g.NonZero(g.Equal(chosen, np.array(e, np.int64)))
        rows = g.Gather(places, np.array(0, np.int64), axis=0)
        own = g.Gather(words, rows)
        gate = linear(g, own, HIDDEN, 2 * HIDDEN, False)
        own = linear(g, g.Mul(g.Mul(gate, g.Sigmoid(gate)), linear(g, own, HIDDEN, 2 * HIDDEN, False)), 2 * HIDDEN, HIDDEN, False)
        own = g.Mul(own, g.Unsqueeze(g.GatherND(best, g.Transpose(places, perm=[1, 0])), ints(1)))
        total = g.ScatterND(total, g.Unsqueeze(rows, ints(1)), own, reduction="add")
    g.output(g.Reshape(total, g.Shape(x)), "y")
    # The same with all experts for all words.
    full = g.ScatterElements(g.Mul(gates, np.float32(0)), chosen, best, axis=1)
    g.output(full, "weights")
    g.output(g.ReduceSum(g.OneHot(chosen, ints(EXPERTS), np.array([0, 1], np.float32)), ints(0, 1), keepdims=0), "load")
    return g.model()


@pytest.mark.parametrize("target", TARGETS)
def test_mixture_of_experts(target):
    cases = [{"x": floats(*d, HIDDEN)} for d in [(2, 7), (1, 1), (3, 12), (1, 2)]]
    check(mixture(), cases, target, {"x": [(1, 4), (1, 16), HIDDEN]})
    check(mixture(), cases[:2], target)


# ---- state spaces


def mamba():
    """A causal convolution and a selective scan, both with their states as inputs and outputs."""
    from onnx import helper

    g = Graph(seed=16)
    width, states, taps = 24, 4, 4
    x = g.input("x", np.float32, ["batch", "words", HIDDEN])
    conv_state = g.input("conv_state", np.float32, ["batch", width, taps - 1])
    scan_state = g.input("scan_state", np.float32, ["batch", width, states])
    both = linear(g, layer_norm(g, x, HIDDEN), HIDDEN, 2 * width, False)
    y, gate = g.node("Split", both, outputs=2, axis=2, num_outputs=2)
    y, new_conv = g.node("CausalConvWithState", g.Transpose(y, perm=[0, 2, 1]), g.weight(width, 1, taps, scale=0.5),
                         g.weight(width, scale=0.1), conv_state, outputs=2, activation="silu", **MS)
    y = g.Transpose(y, perm=[2, 0, 1])  # words first
    step = g.Softplus(linear(g, y, width, width))
    b, c = linear(g, y, width, states, False), linear(g, y, width, states, False)
    decay = g.Exp(g.Mul(g.Unsqueeze(step, ints(3)), g.constant(-np.abs(g.random.standard_normal((width, states))).astype(np.float32))))
    change = g.Mul(g.Unsqueeze(g.Mul(step, y), ints(3)), g.Unsqueeze(b, ints(2)))
    info = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Mul", ["h", "decay_t"], ["kept"]),
         helper.make_node("Add", ["kept", "change_t"], ["h_next"]),
         helper.make_node("MatMul", ["h_next", "c_t"], ["seen"]),
         helper.make_node("Identity", ["h_next"], ["h_out"])],
        "scan",
        [info("h", 1, ["batch", width, states]), info("decay_t", 1, ["batch", width, states]),
         info("change_t", 1, ["batch", width, states]), info("c_t", 1, ["batch", states, 1])],
        [info("h_out", 1, ["batch", width, states]), info("seen", 1, ["batch", width, 1])],
    )
    new_scan, seen = g.node("Scan", scan_state, decay, change, g.Unsqueeze(c, ints(3)), outputs=2, body=body, num_scan_inputs=3)
    y = g.Add(g.Squeeze(seen, ints(3)), g.Mul(y, g.weight(width)))
    y = g.Mul(g.Transpose(y, perm=[1, 0, 2]), g.Mul(gate, g.Sigmoid(gate)))
    g.output(g.Add(x, linear(g, y, width, HIDDEN, False)), "y")
    g.output(new_conv, "new_conv")
    g.output(new_scan, "new_scan")
    return g.model()


def mamba_inputs(batch, words):
    return {"x": floats(batch, words, HIDDEN), "conv_state": floats(batch, 24, 3), "scan_state": floats(batch, 24, 4)}


@pytest.mark.parametrize("target", TARGETS)
def test_mamba(target):
    model = mamba()
    ranges = {"x": [(1, 4), (1, 32), HIDDEN], "conv_state": [(1, 4), 24, 3], "scan_state": [(1, 4), 24, 4]}
    check(model, [mamba_inputs(*s) for s in [(2, 9), (2, 1), (1, 20)]], target, ranges)
    # A prompt and then word after word is the whole text.
    program = with_ranges(model, ranges, target)
    text = mamba_inputs(2, 12)
    wanted = run(program, text)
    part = {**text, "x": text["x"][:, :6]}
    pieces = []
    for i in range(6, 13):
        y, conv, scan = run(program, part)
        pieces.append(y)
        part = {"x": text["x"][:, i : i + 1], "conv_state": conv, "scan_state": scan}
    for a, b in zip([np.concatenate(pieces, 1), conv, scan], wanted):
        assert_close(a, b, 1e-4, "in pieces")


def gated_delta_net():
    """As Qwen's: normalised keys, a decay and a rate for each head, a gated norm behind."""
    g = Graph(seed=17)
    heads, kv_heads, depth, width = 2, 4, 8, 6
    x = g.input("x", np.float32, ["batch", "words", HIDDEN])
    state = g.input("state", np.float32, ["batch", kv_heads, depth, width])
    unit = lambda y, n: g.Reshape(g.LpNormalization(g.Reshape(y, ints(0, 0, n, depth)), axis=-1, p=2), ints(0, 0, n * depth))  # noqa: E731
    q = unit(linear(g, x, HIDDEN, heads * depth, False), heads)
    k = unit(linear(g, x, HIDDEN, kv_heads * depth, False), kv_heads)
    v = linear(g, x, HIDDEN, kv_heads * width, False)
    decay = g.node("LinearAttentionGate", linear(g, x, HIDDEN, kv_heads, False), g.weight(kv_heads),
                   g.constant(-np.ones(kv_heads, np.float32)), **MS)
    rate = g.Sigmoid(linear(g, x, HIDDEN, kv_heads, False))
    y, new = g.node("LinearAttention", q, k, v, state, decay, rate, outputs=2, q_num_heads=heads, kv_num_heads=kv_heads, **MS)
    y = g.node("GatedRMSNorm", y, g.weight(width, scale=0.5), linear(g, x, HIDDEN, kv_heads * width, False), **MS)
    g.output(g.Add(x, linear(g, y, kv_heads * width, HIDDEN, False)), "y")
    g.output(new, "new_state")
    return g.model()


@pytest.mark.parametrize("target", TARGETS)
def test_gated_delta_net(target):
    cases = [{"x": floats(b, n, HIDDEN), "state": floats(b, 4, 8, 6, seed=1)} for b, n in [(2, 9), (2, 1), (1, 30)]]
    check(gated_delta_net(), cases, target, {"x": [(1, 4), (1, 32), HIDDEN], "state": [(1, 4), 4, 8, 6]})


# ---- speech


def recogniser():
    """Log mel features of a waveform, a convolution, a recurrent layer in both directions and classes for CTC."""
    g = Graph(seed=18)
    size, hop, mels, hidden = 64, 32, 12, 16
    wave = g.input("wave", np.float32, ["batch", "samples", 1])
    window = g.constant(np.hanning(size + 1)[:-1].astype(np.float32))
    spectrum = g.STFT(wave, np.array(hop, np.int64), window, np.array(size, np.int64))
    power = g.ReduceSumSquare(spectrum, ints(-1), keepdims=0)
    filters = g.MelWeightMatrix(np.array(mels, np.int64), np.array(size, np.int64), np.array(8000, np.int64), np.float32(20),
                                np.float32(3800))
    x = g.Log(g.Add(g.MatMul(power, filters), np.float32(1e-3)))
    x = g.MeanVarianceNormalization(x, axes=[1])
    x = g.Transpose(x, perm=[0, 2, 1])
    x = g.Relu(g.Conv(x, g.weight(hidden, mels, 3, scale=0.2), g.weight(hidden, scale=0.1), pads=[1, 1]))
    y = g.node("GRU", g.Transpose(x, perm=[2, 0, 1]), g.weight(2, 3 * hidden, hidden, scale=0.3), g.weight(2, 3 * hidden, hidden, scale=0.3),
               g.weight(2, 6 * hidden, scale=0.1), hidden_size=hidden, direction="bidirectional", linear_before_reset=1)
    y = g.Reshape(g.Transpose(y, perm=[2, 0, 1, 3]), ints(0, 0, 2 * hidden))
    scores = g.LogSoftmax(linear(g, y, 2 * hidden, 20), axis=-1)
    g.output(scores, "scores")
    g.output(g.ArgMax(scores, axis=-1, keepdims=0), "letters", np.int64)
    return g.model()


@pytest.mark.parametrize("target", TARGETS)
def test_speech_recogniser(target):
    cases = [{"wave": floats(b, n, 1)} for b, n in [(2, 800), (1, 200), (1, 500)]]
    check(recogniser(), cases[:2], target, tolerance=2e-4)
    check(recogniser(), cases, target, {"wave": [(1, 4), (64, 2000), 1]}, tolerance=2e-4)
