# SPDX-License-Identifier: MIT
"""com.microsoft attention of every form against ONNX Runtime: masks, biases, caches, packed operands."""

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from onnx_pair import assert_close, check_node, feeds, node_model, reference, run, with_ranges  # noqa: E402

B, S, N, H = 2, 5, 3, 8


def floats(*dims, seed=0):
    return np.random.default_rng([seed, *dims]).standard_normal(dims).astype(np.float32)


def key_masks(total, queries=S):
    """By name; every query of every sequence keeps a key."""
    lengths = np.array([total, total - 2], np.int32)
    within = (np.arange(total)[None] < lengths[:, None]).astype(np.int32)
    left = within[:, ::-1].copy()
    square = np.stack([np.tri(queries, total, total - queries), np.ones((queries, total))]).astype(np.int32)
    return {
        "none": None,
        "lengths": lengths,
        "lengths and offsets": np.array([total, total - 2, 0, total, 2 * total, 0, total, 2 * total], np.int32),
        "right": within,
        "left": left,
        "square": square,
        "blind": np.stack([np.zeros(total, np.int32), within[1]]),
    }


MASKS = list(key_masks(S))


@pytest.mark.parametrize("unidirectional", [0, 1])
@pytest.mark.parametrize("mask", MASKS)
def test_multi_head_masks(mask, unidirectional):
    q, k, v = (floats(B, S, N * H, seed=i) for i in range(3))
    m = key_masks(S)[mask]
    # Scores of a row without keys are near -10000, where a float has 3 digits after the point.
    tolerance = 2e-3 if mask in ("blind", "left") else 2e-5
    check_node("MultiHeadAttention", [q, k, v, None, m], num_heads=N, unidirectional=unidirectional, tolerance=tolerance)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("form", ["separate", "cross", "other value size", "packed qkv", "packed kv", "heads"])
def test_multi_head_operands(form, bias):
    hidden = N * H
    q, k, v = (floats(B, S, hidden, seed=i) for i in range(3))
    b = floats(3 * hidden, seed=9) if bias else None
    packed = None
    if form == "cross":
        k, v = floats(B, 9, hidden, seed=5), floats(B, 9, hidden, seed=6)
    elif form == "other value size":
        v = floats(B, S, N * 4, seed=5)
        b = floats(2 * hidden + N * 4, seed=9) if bias else None
    elif form == "packed qkv":
        # ONNX Runtime's cpu takes packed operands apart only.
        packed = [np.stack([x.reshape(B, S, N, H) for x in (q, k, v)], 3), None, None, b]
    elif form == "packed kv":
        packed = [q, np.stack([x.reshape(B, S, N, H) for x in (k, v)], 3), None]
        b = None
    elif form == "heads":
        k, v = floats(B, N, 7, H, seed=3), floats(B, N, 7, H, seed=4)
    wanted = check_node("MultiHeadAttention", [q, k, v, b], num_heads=N, scale=0.3)
    if packed:
        check_node("MultiHeadAttention", packed, num_heads=N, scale=0.3, wanted=wanted)


@pytest.mark.parametrize("past", [1, 6])
@pytest.mark.parametrize("unidirectional", [0, 1])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("scores", ["none", "all", "shared"])
def test_multi_head_past(mask, past, unidirectional, scores):
    q, k, v = (floats(B, S, N * H, seed=i) for i in range(3))
    caches = [floats(B, N, past, H, seed=i) for i in (4, 5)]
    bias = {"none": None, "all": floats(B, N, S, S + past, seed=6), "shared": floats(1, 1, S, S + past, seed=6)}[scores]
    m = key_masks(S + past)[mask]
    tolerance = 2e-3 if mask in ("blind", "left") else 2e-5
    check_node("MultiHeadAttention", [q, k, v, floats(3 * N * H, seed=7), m, bias, *caches], outputs=3, num_heads=N,
               unidirectional=unidirectional, tolerance=tolerance)


def test_multi_head_scores_and_shared_buffers():
    q, k, v = (floats(B, S, N * H, seed=i) for i in range(3))
    check_node("MultiHeadAttention", [q, k, v, None, None, floats(B, 1, S, S)], outputs=4, num_heads=N)
    buffers = [floats(B, N, 12, H, seed=i) for i in (4, 5)]
    check_node("MultiHeadAttention", [q, k, v, None, None, None, *buffers, np.array([4], np.int32)], outputs=3, num_heads=N)


@pytest.mark.parametrize("unidirectional", [0, 1])
@pytest.mark.parametrize("mask", [*MASKS, "ends and starts"])
@pytest.mark.parametrize("past", [None, 4])
def test_attention(mask, unidirectional, past):
    total = S + (past or 0)
    m = key_masks(total).get(mask, np.array([total, total - 1, 1, 0], np.int32))
    tolerance = 2e-3 if mask in ("blind", "left", "ends and starts") else 2e-5
    inputs = [floats(B, S, 16), floats(16, 3 * N * H), floats(3 * N * H), m]
    if past:
        inputs.append(floats(2, B, N, past, H))
    check_node("Attention", inputs, outputs=2, num_heads=N, unidirectional=unidirectional, tolerance=tolerance)


def test_attention_sizes_bias_and_scale():
    x, w = floats(B, S, 16), floats(16, 2 * N * H + N * 4)
    sizes = [N * H, N * H, N * 4]
    check_node("Attention", [x, w, floats(w.shape[1])], num_heads=N, qkv_hidden_sizes=sizes)
    check_node("Attention", [x, w, floats(w.shape[1]), None, None, floats(B, N, S, S)], num_heads=N, qkv_hidden_sizes=sizes,
               scale=0.2)
    check_node("Attention", [x, floats(16, 3 * N * H), floats(3 * N * H), key_masks(S)["right"]], num_heads=N,
               mask_filter_value=-3.0)


@pytest.mark.parametrize("mask", [None, "right", "left"])
@pytest.mark.parametrize("form", ["self", "self with scores", "cross"])
def test_decoder_masked(form, mask):
    past, room = 6, 9
    total = past if form == "cross" else past + 1
    q = floats(B, 1, N * H)
    m = None if mask is None else key_masks(total)[mask]
    attributes = {"num_heads": N, "past_present_share_buffer": 1, "tolerance": 2e-3 if mask else 2e-5}
    if form == "cross":
        # ONNX Runtime's cpu has no cross attention in this operator.
        keys = [floats(B, N, past, H, seed=i) for i in (1, 2)]
        model = node_model("MultiHeadAttention", [q, *keys, None, m], domain="com.microsoft", num_heads=N)
        wanted = reference(model).run(None, feeds([q, *keys, None, m]))
        check_node("DecoderMaskedMultiHeadAttention", [q, *keys, m], wanted=wanted, **attributes)
        return
    bias = floats(1, N, 1, total, seed=3) if form == "self with scores" else None
    inputs = [q, floats(B, 1, N * H, seed=1), floats(B, 1, N * H, seed=2), m, bias,
              floats(B, N, room, H, seed=4), floats(B, N, room, H, seed=5), np.array([past], np.int32)]
    check_node("DecoderMaskedMultiHeadAttention", inputs, outputs=3, **attributes)


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("form", ["flat", "heads", "one position", "partial", "packed"])
def test_rotary(form, interleaved):
    cos, sin = floats(32, H // 2, seed=1), floats(32, H // 2, seed=2)
    positions = np.array([[3, 4, 5, 6, 7], [0, 1, 2, 9, 8]], np.int64)
    attributes = {"interleaved": interleaved}
    x = floats(B, S, N * H)
    if form == "heads":
        x = floats(B, N, S, H)
    elif form == "one position":
        positions = np.array([7], np.int64)
    elif form == "partial":
        cos, sin = cos[:, :2].copy(), sin[:, :2].copy()
        attributes |= {"rotary_embedding_dim": 4, "num_heads": N}
    elif form == "packed":
        attributes["is_packed_batching"] = 1
    check_node("RotaryEmbedding", [x, positions, cos, sin], **attributes)


def test_multi_head_of_any_length():
    """One program for prompts and single tokens, with caches from 0 on."""
    ranges = {
        **{f"x{i}": [(1, 4), (1, 16), N * H] for i in range(3)},
        "x4": [(1, 4), (1, 64)],
        "x6": [(1, 4), N, (0, 48), H],
        "x7": [(1, 4), N, (0, 48), H],
    }

    def inputs(batch, queries, past):
        mask = np.ones((batch, past + queries), np.int32)
        mask[0, : (past + queries) // 2] = 0
        parts = [floats(batch, queries, N * H, seed=i) for i in range(3)]
        return [*parts, None, mask, None, floats(batch, N, past, H, seed=5), floats(batch, N, past, H, seed=6)]

    dims = {int(k[1:]): v for k, v in ranges.items()}
    model = node_model("MultiHeadAttention", inputs(2, 4, 3), 3, "com.microsoft", ranges=dims, num_heads=N, unidirectional=1)
    session = reference(model)
    programs = {t: with_ranges(model, ranges, t) for t in ("ref", "cpu")}
    for sizes in [(2, 5, 0), (2, 1, 5), (2, 1, 6), (1, 7, 3), (3, 2, 40), (2, 5, 0)]:
        given = feeds(inputs(*sizes))
        wanted = session.run(None, given)
        for target, program in programs.items():
            for i, (a, b) in enumerate(zip(run(program, given), wanted)):
                assert_close(a, b, 2e-3, f"{sizes} on {target}, output {i}")
