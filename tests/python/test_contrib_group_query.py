# SPDX-License-Identifier: MIT
"""com.microsoft GroupQueryAttention against ONNX Runtime: prompts, single tokens, chunks; caches that grow and buffers."""

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from onnx_pair import assert_close, compiled, feeds, node_model, reference, run, with_ranges  # noqa: E402

N, K, H = 4, 2, 16
TARGETS = ("ref", "cpu", "null")


def floats(*dims, seed=0):
    return np.random.default_rng([seed, *dims]).standard_normal(dims).astype(np.float32)


def angles(rows=64, half=H // 2):
    a = np.arange(rows)[:, None] * (100.0 ** (-np.arange(half) / half))[None]
    return np.cos(a).astype(np.float32), np.sin(a).astype(np.float32)


def group_inputs(batch, queries, past, *, room=None, packed=False, rotary=True, lengths=None, positions=False, bias=False,
                 sink=False, query_lengths=None):
    """`past`: rows that are in the cache already; `room`: rows of a buffer, else the cache has `past` of them."""
    total = past + queries
    parts = [floats(batch, queries, h * H, seed=i) for i, h in enumerate((N, K, K))]
    if packed:
        parts = [np.concatenate(parts, 2), None, None]
    caches = [floats(batch, K, past if room is None else room, H, seed=i) for i in (4, 5)]
    ends = np.full(batch, total - 1, np.int32) if lengths is None else np.array(lengths, np.int32) - 1
    inputs = [*parts, *caches, ends, np.array(total, np.int32)]
    inputs += angles() if rotary else [None, None]
    ids = np.broadcast_to(np.arange(past, total, dtype=np.int64), (batch, queries)).copy()
    inputs += [ids if positions else None, floats(batch, 1, queries, total, seed=7) if bias else None]
    inputs += [floats(N, seed=8) if sink else None]
    if query_lengths is not None:
        inputs += [None] * 4 + [np.array(query_lengths, np.int32)]
    return inputs


def compare(got, wanted, inputs, tolerance=2e-5, what=""):
    """Rows of queries and of caches that mean something: those of padding are not specified."""
    queries = inputs[0].shape[1]
    lengths = inputs[5] + 1
    counts = inputs[16] if len(inputs) > 16 else np.minimum(queries, lengths)
    assert [x.shape for x in got] == [x.shape for x in wanted], what
    for b, (count, length) in enumerate(zip(counts, lengths)):
        assert_close(got[0][b, :count], wanted[0][b, :count], tolerance, f"{what}, sequence {b}")
        for i in (1, 2):
            assert_close(got[i][b, :, :length], wanted[i][b, :, :length], tolerance, f"{what}, cache {i} of {b}")
    for a, b in zip(got[3:], wanted[3:]):
        assert_close(a, b, tolerance, f"{what}, scores")


def check(inputs, outputs=3, tolerance=2e-5, **attributes):
    attributes = {"num_heads": N, "kv_num_heads": K, "do_rotary": int(inputs[7] is not None), **attributes}
    model = node_model("GroupQueryAttention", inputs, outputs, "com.microsoft", **attributes)
    wanted = reference(model).run(None, feeds(inputs))
    for target in TARGETS:
        compare(run(compiled(model, target), feeds(inputs)), wanted, inputs, tolerance, f"{attributes} on {target}")


# batch, queries, past
STEPS = {"prompt": (2, 6, 0), "token": (2, 1, 7), "chunk": (1, 3, 5), "first token": (2, 1, 0)}


@pytest.mark.parametrize("buffer", [False, True])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("rotary", [None, 0, 1])
@pytest.mark.parametrize("step", STEPS)
def test_steps(step, rotary, packed, buffer):
    inputs = group_inputs(*STEPS[step], packed=packed, rotary=rotary is not None, room=24 if buffer else None)
    check(inputs, rotary_interleaved=rotary or 0)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "attributes",
    [{"local_window_size": 1}, {"local_window_size": 4}, {"softcap": 1.5}, {"smooth_softmax": 1}, {"scale": 0.4}, {"causal": 0},
     {"local_window_size": 3, "softcap": 0.7, "smooth_softmax": 1}],
    ids=str,
)
def test_attributes(step, attributes):
    check(group_inputs(*STEPS[step], room=16), **attributes)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("given", ["positions", "bias", "sink"])
@pytest.mark.parametrize("buffer", [False, True])
def test_optional_inputs(step, given, buffer):
    check(group_inputs(*STEPS[step], room=16 if buffer else None, **{given: True}))


@pytest.mark.parametrize("qk_output", [1, 2])
@pytest.mark.parametrize("softcap", [0.0, 2.0])
def test_scores(qk_output, softcap):
    check(group_inputs(2, 1, 7), outputs=4, qk_output=qk_output, softcap=softcap)


def test_sequences_of_other_lengths():
    check(group_inputs(3, 6, 0, lengths=[6, 2, 4]))
    check(group_inputs(3, 6, 0, lengths=[6, 2, 4], room=12))
    check(group_inputs(3, 1, 7, lengths=[8, 2, 5], room=12))
    check(group_inputs(3, 1, 7, lengths=[8, 2, 5], room=12), local_window_size=3)


@pytest.mark.parametrize("lengths, counts", [([9, 4, 5], [4, 2, 0]), ([4, 3, 1], [4, 3, 1]), ([6, 6, 6], [1, 2, 3])])
def test_padded_chunks(lengths, counts):
    inputs = group_inputs(3, 4, 5, room=16, lengths=lengths, query_lengths=counts)
    check(inputs)
    check(inputs, local_window_size=2)


def test_heads_of_the_same_number_and_partial_rotation():
    inputs = group_inputs(2, 5, 0)  # of 2 heads and 1, of twice the size
    inputs[3:5] = [x.reshape(2, 1, 0, 2 * H) for x in inputs[3:5]]
    check(inputs, num_heads=N // 2, kv_num_heads=K // 2)
    inputs = group_inputs(2, 5, 0)
    inputs[0] = floats(2, 5, K * H)
    check(inputs, num_heads=K)


def test_half_precision():
    inputs = [x.astype(np.float16) if x is not None and x.dtype == np.float32 else x for x in group_inputs(2, 1, 7)]
    attributes = {"num_heads": N, "kv_num_heads": K, "do_rotary": 1}
    model = node_model("GroupQueryAttention", inputs, 3, "com.microsoft", output_type=10, **attributes)
    wanted = reference(model).run(None, feeds(inputs))
    for target in TARGETS:
        compare(run(compiled(model, target), feeds(inputs)), wanted, inputs, 4e-3, target)


RANGES = {
    "x0": [(1, 4), (1, 32), N * H],
    "x1": [(1, 4), (1, 32), K * H],
    "x2": [(1, 4), (1, 32), K * H],
    "x3": [(1, 4), K, (0, 48), H],
    "x4": [(1, 4), K, (0, 48), H],
    "x5": [(1, 4)],
}


@pytest.mark.parametrize("target", TARGETS)
def test_one_program_for_prompts_and_tokens(target):
    """Caches that grow from nothing, and buffers, through one program."""
    model = node_model("GroupQueryAttention", group_inputs(2, 3, 2), 3, "com.microsoft",
                       ranges={int(k[1:]): v for k, v in RANGES.items()}, num_heads=N, kv_num_heads=K, do_rotary=1)
    session = reference(model)
    program = with_ranges(model, RANGES, target)
    steps = [(2, 6, 0, None), (2, 1, 6, None), (2, 1, 7, None), (1, 5, 3, None), (3, 9, 0, 40), (3, 1, 9, 40), (2, 6, 0, None)]
    for batch, queries, past, room in steps:
        inputs = group_inputs(batch, queries, past, room=room)
        compare(run(program, feeds(inputs)), session.run(None, feeds(inputs)), inputs, 2e-5, f"{(batch, queries, past, room)}")
