# SPDX-License-Identifier: MIT
"""Text models built here as exporters write them, with seeded weights: generation with caches that are inputs and
outputs, encoders and decoders, against ONNX Runtime and against recomputation without a cache."""

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from onnx_pair import Graph, assert_close, compiled, reference, run, with_ranges  # noqa: E402


def ints(*values):
    return np.array(values, np.int64)


def split_heads(g, x, heads, size):
    return g.Transpose(g.Reshape(x, ints(0, -1, heads, size)), perm=[0, 2, 1, 3])


def merge_heads(g, x, hidden):
    return g.Reshape(g.Transpose(x, perm=[0, 2, 1, 3]), ints(0, -1, hidden))


def linear(g, x, rows, columns, bias=True):
    y = g.MatMul(x, g.weight(rows, columns))
    return g.Add(y, g.weight(columns, scale=0.1)) if bias else y


def attention(g, q, k, v, size, mask=None):
    scores = g.Mul(g.MatMul(q, g.Transpose(k, perm=[0, 1, 3, 2])), np.float32(size**-0.5))
    if mask is not None:
        scores = g.Add(scores, mask)
    return g.MatMul(g.Softmax(scores, axis=-1), v)


def layer_norm(g, x, hidden):
    return g.LayerNormalization(x, g.weight(hidden, scale=0.1), g.weight(hidden, scale=0.1), axis=-1)


def length_of(g, x, axis):
    return g.Gather(g.Shape(x), np.array(axis, np.int64), axis=0)


def generate(step, first_ids, caches, steps):
    """Greedy: feeds the last token and the caches again; all logits."""
    ids, all_logits = first_ids, []
    for _ in range(steps):
        logits, caches = step(ids, caches)
        all_logits.append(logits)
        ids = logits[:, -1].argmax(-1)[:, None].astype(first_ids.dtype)
    return all_logits


# ---- GPT: caches as inputs and outputs

GPT = {"layers": 2, "heads": 2, "size": 16, "words": 50, "positions": 64}


def gpt():
    g = Graph(seed=1)
    heads, size = GPT["heads"], GPT["size"]
    hidden = heads * size
    ids = g.input("ids", np.int64, ["batch", "queries"])
    caches = [[g.input(f"{kind}{i}", np.float32, ["batch", heads, "past", size]) for kind in "kv"] for i in range(GPT["layers"])]
    past = length_of(g, caches[0][0], 2)
    total = g.Add(past, length_of(g, ids, 1))
    positions = g.Range(past, total, np.array(1, np.int64))
    x = g.Add(g.Gather(g.weight(GPT["words"], hidden, scale=1), ids), g.Gather(g.weight(GPT["positions"], hidden, scale=1), positions))
    keys = g.Range(np.array(0, np.int64), total, np.array(1, np.int64))
    later = g.Greater(g.Unsqueeze(keys, ints(0)), g.Unsqueeze(positions, ints(1)))
    mask = g.Where(later, np.float32(-1e9), np.float32(0))
    for i in range(GPT["layers"]):
        y = linear(g, layer_norm(g, x, hidden), hidden, 3 * hidden)
        q, k, v = (split_heads(g, part, heads, size) for part in g.node("Split", y, outputs=3, axis=2, num_outputs=3))
        k, v = (g.Concat(old, new, axis=2) for old, new in zip(caches[i], (k, v)))
        g.output(k, f"new_k{i}")
        g.output(v, f"new_v{i}")
        x = g.Add(x, linear(g, merge_heads(g, attention(g, q, k, v, size, mask), hidden), hidden, hidden))
        y = g.Gelu(linear(g, layer_norm(g, x, hidden), hidden, 4 * hidden), approximate="tanh")
        x = g.Add(x, linear(g, y, 4 * hidden, hidden))
    g.output(g.MatMul(layer_norm(g, x, hidden), g.weight(hidden, GPT["words"])), "logits")
    return g.model()


@pytest.mark.parametrize("target", ["ref", "cpu"])
def test_gpt_with_caches(target):
    model = gpt()
    session = reference(model)
    heads, size = GPT["heads"], GPT["size"]
    names = [f"{kind}{i}" for i in range(GPT["layers"]) for kind in "kv"]
    ranges = {"ids": [(1, 4), (1, 64)], **{n: [(1, 4), heads, (0, 63), size] for n in names}}
    program = with_ranges(model, ranges, target)
    last = len(names)

    def ours(ids, caches):
        got = run(program, {"ids": ids, **dict(zip(names, caches))})
        return got[last], got[:last]

    def theirs(ids, caches):
        got = session.run(None, {"ids": ids, **dict(zip(names, caches))})
        return got[last], got[:last]

    prompt = np.array([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]], np.int64)
    empty = [np.zeros((2, heads, 0, size), np.float32)] * len(names)
    steps = 21 if target == "cpu" else 6
    got, wanted = generate(ours, prompt, empty, steps), generate(theirs, prompt, empty, steps)
    for i, (a, b) in enumerate(zip(got, wanted)):
        assert_close(a, b, 1e-4, f"step {i}")
    # Without a cache, all tokens at once.
    ids = np.concatenate([prompt] + [x[:, -1:].argmax(-1) for x in got[:-1]], 1)
    assert_close(np.concatenate(got, 1), ours(ids, empty)[0], 1e-4, "recomputed")


# ---- Llama: GroupQueryAttention, inputs as onnxruntime-genai gives them

LLAMA = {"layers": 2, "heads": 4, "kv_heads": 2, "size": 16, "words": 60, "inner": 96}


def llama():
    g = Graph(seed=2)
    c = LLAMA
    hidden = c["heads"] * c["size"]
    ids = g.input("input_ids", np.int64, ["batch", "queries"])
    mask = g.input("attention_mask", np.int64, ["batch", "total"])
    caches = [[g.input(f"past_{kind}{i}", np.float32, ["batch", c["kv_heads"], "past", c["size"]]) for kind in "kv"]
              for i in range(c["layers"])]
    lengths = g.Cast(g.Sub(g.ReduceSum(mask, ints(1), keepdims=0), ints(1)), to=6)
    total = g.Cast(length_of(g, mask, 1), to=6)
    angles = np.arange(64)[:, None] * (1000.0 ** (-np.arange(c["size"] // 2) / (c["size"] // 2)))
    cos, sin = (g.constant(f(angles).astype(np.float32)) for f in (np.cos, np.sin))
    ms = {"domain": "com.microsoft"}
    x = g.Gather(g.weight(c["words"], hidden, scale=1), ids)
    y = g.SimplifiedLayerNormalization(x, g.weight(hidden, scale=0.5), axis=-1, epsilon=1e-5)
    for i in range(c["layers"]):
        kv = c["kv_heads"] * c["size"]
        q, k, v = linear(g, y, hidden, hidden, False), linear(g, y, hidden, kv, False), linear(g, y, hidden, kv, False)
        y, new_k, new_v = g.node("GroupQueryAttention", q, k, v, *caches[i], lengths, total, cos, sin, outputs=3, do_rotary=1,
                                 num_heads=c["heads"], kv_num_heads=c["kv_heads"], **ms)
        g.output(new_k, f"present_k{i}")
        g.output(new_v, f"present_v{i}")
        y = linear(g, y, hidden, hidden, False)
        y, _, _, x = g.node("SkipSimplifiedLayerNormalization", x, y, g.weight(hidden, scale=0.5), outputs=4, epsilon=1e-5, **ms)
        gate = linear(g, y, hidden, c["inner"], False)
        gate = g.Mul(gate, g.Sigmoid(gate))
        y = linear(g, g.Mul(gate, linear(g, y, hidden, c["inner"], False)), c["inner"], hidden, False)
        y, _, _, x = g.node("SkipSimplifiedLayerNormalization", x, y, g.weight(hidden, scale=0.5), outputs=4, epsilon=1e-5, **ms)
    g.output(g.MatMul(y, g.weight(hidden, c["words"])), "logits")
    # Outputs nobody asked for are left out, as exporters do.
    for node in g.nodes:
        if node.op_type == "SkipSimplifiedLayerNormalization":
            node.output[1] = node.output[2] = ""
    return g.model()


@pytest.mark.parametrize("room", [None, 40])
@pytest.mark.parametrize("target", ["ref", "cpu"])
def test_llama_with_caches(target, room):
    """Caches that grow by concatenation, and buffers with room that stay of one size."""
    model = llama()
    session = reference(model)
    c = LLAMA
    names = [f"past_{kind}{i}" for i in range(c["layers"]) for kind in "kv"]
    ranges = {"input_ids": [(1, 4), (1, 32)], "attention_mask": [(1, 4), (1, 64)],
              **{n: [(1, 4), c["kv_heads"], (0, 64), c["size"]] for n in names}}
    program = with_ranges(model, ranges, target)
    last = len(names)

    def stepper(evaluate):
        seen = [0]

        def step(ids, caches):
            seen[0] += ids.shape[1]
            mask = np.ones((2, seen[0]), np.int64)
            got = evaluate({"input_ids": ids, "attention_mask": mask, **dict(zip(names, caches))})
            return got[last], got[:last]

        return step

    prompt = np.array([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]], np.int64)
    empty = [np.zeros((2, c["kv_heads"], room or 0, c["size"]), np.float32)] * len(names)
    steps = 21 if target == "cpu" else 5
    got = generate(stepper(lambda x: run(program, x)), prompt, empty, steps)
    wanted = generate(stepper(lambda x: session.run(None, x)), prompt, empty, steps)
    for i, (a, b) in enumerate(zip(got, wanted)):
        assert_close(a, b, 1e-4, f"step {i}")
    ids = np.concatenate([prompt] + [x[:, -1:].argmax(-1) for x in got[:-1]], 1)
    whole = stepper(lambda x: run(program, x))(ids, empty)[0]
    assert_close(np.concatenate(got, 1), whole, 1e-4, "recomputed")


# ---- BERT, as exported and as ONNX Runtime's optimisers leave it

BERT = {"layers": 2, "heads": 4, "size": 8, "words": 40, "positions": 32}


def bert():
    g = Graph(opset=17, seed=3)
    heads, size = BERT["heads"], BERT["size"]
    hidden = heads * size
    ids, mask, kinds = (g.input(n, np.int64, ["batch", "words"]) for n in ("input_ids", "attention_mask", "token_type_ids"))
    wide = g.Unsqueeze(g.Unsqueeze(mask, ints(1)), ints(2))
    bias = g.Mul(g.Sub(np.float32(1), g.Cast(wide, to=1)), np.float32(-10000))
    positions = g.Slice(np.arange(BERT["positions"], dtype=np.int64)[None], ints(0), g.Unsqueeze(length_of(g, ids, 1), ints(0)), ints(1))
    x = g.Add(g.Gather(g.weight(BERT["words"], hidden, scale=1), ids), g.Gather(g.weight(2, hidden, scale=1), kinds))
    x = layer_norm(g, g.Add(x, g.Gather(g.weight(BERT["positions"], hidden, scale=1), positions)), hidden)

    def heads_of(y):
        split = g.Concat(g.Unsqueeze(length_of(g, y, 0), ints(0)), g.Unsqueeze(length_of(g, y, 1), ints(0)), ints(heads), ints(size), axis=0)
        return g.Transpose(g.Reshape(y, split), perm=[0, 2, 1, 3])

    def added(y, bias_first=True):
        w, b = g.weight(hidden, hidden), g.weight(hidden, scale=0.1)
        return g.Add(b, g.MatMul(y, w)) if bias_first else g.Add(g.MatMul(y, w), b)

    for _ in range(BERT["layers"]):
        q, k, v = (heads_of(added(x)) for _ in range(3))
        scores = g.Add(g.Div(g.MatMul(q, g.Transpose(k, perm=[0, 1, 3, 2])), np.float32(size**0.5)), bias)
        y = g.Transpose(g.MatMul(g.Softmax(scores, axis=3), v), perm=[0, 2, 1, 3])
        dims = g.Concat(g.Unsqueeze(length_of(g, y, 0), ints(0)), g.Unsqueeze(length_of(g, y, 1), ints(0)), ints(hidden), axis=0)
        x = layer_norm(g, g.Add(added(g.Reshape(y, dims)), x), hidden)
        y = g.Add(g.weight(4 * hidden, scale=0.1), g.MatMul(x, g.weight(hidden, 4 * hidden)))
        y = g.Mul(g.Mul(y, g.Add(g.Erf(g.Div(y, np.float32(2**0.5))), np.float32(1))), np.float32(0.5))
        x = layer_norm(g, g.Add(g.Add(g.weight(hidden, scale=0.1), g.MatMul(y, g.weight(4 * hidden, hidden))), x), hidden)
    g.output(x, "last_hidden_state")
    # A sentence vector: mean over the words, of length 1.
    weights = g.Cast(g.Unsqueeze(mask, ints(-1)), to=1)
    mean = g.Div(g.ReduceSum(g.Mul(x, weights), ints(1), keepdims=0), g.ReduceSum(weights, ints(1), keepdims=0))
    g.output(g.LpNormalization(mean, axis=1, p=2), "sentence")
    return g.model()


def bert_inputs(batch, words):
    random = np.random.default_rng([batch, words])
    mask = (np.arange(words)[None] < random.integers(max(1, words // 2), words + 1, (batch, 1))).astype(np.int64)
    return {"input_ids": random.integers(0, 40, (batch, words)), "attention_mask": mask,
            "token_type_ids": random.integers(0, 2, (batch, words))}


def check_bert(model, wanted_operators, tolerance=1e-4):
    found = {n.op_type for n in model.graph.node}
    assert wanted_operators <= found, found
    session = reference(bert())
    names = [i.name for i in model.graph.input]
    for target in ("ref", "cpu"):
        program = with_ranges(model, {n: [(1, 4), (1, 32)] for n in names}, target)
        for sizes in [(1, 8), (3, 16), (1, 1), (2, 31)]:
            inputs = bert_inputs(*sizes)
            for a, b in zip(run(program, inputs), session.run(None, inputs)):
                assert_close(a, b, tolerance, f"{sizes} on {target}")
    inputs = bert_inputs(2, 12)
    fixed = compiled(model, map_input_dims={n: [2, 12] for n in names})
    for a, b in zip(run(fixed, inputs), session.run(None, inputs)):
        assert_close(a, b, tolerance, "static")


def test_bert_as_exported():
    check_bert(bert(), {"LayerNormalization", "Erf"})


def test_bert_from_the_transformer_optimizer(tmp_path):
    import onnx

    optimizer = pytest.importorskip("onnxruntime.transformers.optimizer")
    from onnxruntime.transformers.fusion_options import FusionOptions

    options = FusionOptions("bert")
    options.enable_shape_inference = False  # wants sympy
    path = tmp_path / "bert.onnx"
    onnx.save(bert(), str(path))
    optimised = optimizer.optimize_model(str(path), "bert", num_heads=BERT["heads"], hidden_size=BERT["heads"] * BERT["size"], opt_level=0,
                                         optimization_options=options)
    check_bert(optimised.model, {"Attention", "SkipLayerNormalization", "BiasGelu", "EmbedLayerNormalization"})


def test_bert_saved_by_a_session(tmp_path):
    import onnx
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 4
    ort.InferenceSession(bert().SerializeToString(), options, providers=["CPUExecutionProvider"])
    check_bert(onnx.load(options.optimized_model_filepath), {"BiasGelu", "FusedMatMul"})


# ---- T5: relative positions, an encoder and a decoder with both caches

T5 = {"heads": 4, "size": 8, "words": 40, "buckets": 16}


def t5_bias(g, rows, keys, both_ways):
    """Buckets of distances as the paper's code computes them."""
    heads, buckets = T5["heads"], T5["buckets"]
    distance = g.Sub(g.Unsqueeze(keys, ints(0)), g.Unsqueeze(rows, ints(1)))
    start = np.array(0, np.int64)
    if both_ways:
        buckets //= 2
        start = g.Mul(g.Cast(g.Greater(distance, np.array(0, np.int64)), to=7), np.array(buckets, np.int64))
        distance = g.Abs(distance)
    else:
        distance = g.Neg(g.Min(distance, np.array(0, np.int64)))
    exact = buckets // 2
    far = g.Log(g.Div(g.Cast(distance, to=1), np.float32(exact)))
    far = g.Mul(g.Div(far, np.float32(np.log(64 / exact))), np.float32(buckets - exact))
    far = g.Min(g.Add(g.Cast(far, to=7), np.array(exact, np.int64)), np.array(buckets - 1, np.int64))
    near = g.Less(distance, np.array(exact, np.int64))
    # Where the logarithm of 0 was converted, the result is not taken.
    index = g.Add(start, g.Where(near, distance, g.Max(far, np.array(0, np.int64))))
    picked = g.Gather(g.weight(T5["buckets"], heads, scale=0.5), index)
    return g.Unsqueeze(g.Transpose(picked, perm=[2, 0, 1]), ints(0))


def rms_norm(g, x, hidden):
    square = g.ReduceMean(g.Pow(x, np.float32(2)), ints(-1), keepdims=1)
    return g.Mul(g.weight(hidden, scale=0.5), g.Mul(x, g.Div(np.float32(1), g.Sqrt(g.Add(square, np.float32(1e-6))))))


def t5_attention(g, x, source, bias, cache=None):
    heads, size = T5["heads"], T5["size"]
    hidden = heads * size
    q = split_heads(g, linear(g, x, hidden, hidden, False), heads, size)
    k, v = (split_heads(g, linear(g, source, hidden, hidden, False), heads, size) for _ in range(2))
    if cache:
        k, v = (g.Concat(old, new, axis=2) for old, new in zip(cache, (k, v)))
    scores = g.MatMul(q, g.Transpose(k, perm=[0, 1, 3, 2]))
    weights = g.Softmax(g.Add(scores, bias) if bias else scores, axis=-1)
    return linear(g, merge_heads(g, g.MatMul(weights, v), hidden), hidden, hidden, False), k, v


def t5_feed_forward(g, x, hidden):
    return g.Add(x, linear(g, g.Relu(linear(g, rms_norm(g, x, hidden), hidden, 2 * hidden, False)), 2 * hidden, hidden, False))


def t5():
    g = Graph(opset=18, seed=4)
    heads, size = T5["heads"], T5["size"]
    hidden = heads * size
    source = g.input("source", np.int64, ["batch", "words"])
    ids = g.input("ids", np.int64, ["batch", "queries"])
    cache = [g.input(n, np.float32, ["batch", heads, "past", size]) for n in ("past_k", "past_v")]
    one, zero = np.array(1, np.int64), np.array(0, np.int64)
    table = g.weight(T5["words"], hidden, scale=1)
    # The encoder sees all words; 0 is padding.
    words = g.Range(zero, length_of(g, source, 1), one)
    padding = g.Unsqueeze(g.Where(g.Equal(source, zero), np.float32(-1e9), np.float32(0)), ints(1, 2))
    x = g.Gather(table, source)
    y, _, _ = t5_attention(g, rms_norm(g, x, hidden), rms_norm(g, x, hidden), g.Add(t5_bias(g, words, words, True), padding))
    memory = rms_norm(g, t5_feed_forward(g, g.Add(x, y), hidden), hidden)
    # The decoder sees its past, and the memory.
    past = length_of(g, cache[0], 2)
    total = g.Add(past, length_of(g, ids, 1))
    rows, keys = g.Range(past, total, one), g.Range(zero, total, one)
    later = g.Greater(g.Unsqueeze(keys, ints(0)), g.Unsqueeze(rows, ints(1)))
    bias = g.Add(t5_bias(g, rows, keys, False), g.Where(later, np.float32(-1e9), np.float32(0)))
    x = g.Gather(table, ids)
    normal = rms_norm(g, x, hidden)
    y, k, v = t5_attention(g, normal, normal, bias, cache)
    x = g.Add(x, y)
    y, _, _ = t5_attention(g, rms_norm(g, x, hidden), memory, padding)
    x = rms_norm(g, t5_feed_forward(g, g.Add(x, y), hidden), hidden)
    g.output(g.MatMul(g.Mul(x, np.float32(hidden**-0.5)), g.Transpose(table, perm=[1, 0])), "logits")
    g.output(k, "new_k")
    g.output(v, "new_v")
    return g.model()


@pytest.mark.parametrize("target", ["ref", "cpu"])
def test_t5(target):
    model = t5()
    session = reference(model)
    heads, size = T5["heads"], T5["size"]
    ranges = {"source": [(1, 4), (1, 40)], "ids": [(1, 4), (1, 40)],
              **{n: [(1, 4), heads, (0, 40), size] for n in ("past_k", "past_v")}}
    program = with_ranges(model, ranges, target)
    random = np.random.default_rng(0)
    source = random.integers(1, 40, (2, 30))
    source[1, 20:] = 0

    def stepper(evaluate):
        def step(ids, caches):
            logits, *new = evaluate({"source": source, "ids": ids, "past_k": caches[0], "past_v": caches[1]})
            return logits, new

        return step

    empty = [np.zeros((2, heads, 0, size), np.float32)] * 2
    first = np.array([[1, 2], [1, 3]], np.int64)
    steps = 21 if target == "cpu" else 5
    got = generate(stepper(lambda x: run(program, x)), first, empty, steps)
    for i, (a, b) in enumerate(zip(got, generate(stepper(lambda x: session.run(None, x)), first, empty, steps))):
        assert_close(a, b, 1e-4, f"step {i}")
    ids = np.concatenate([first] + [x[:, -1:].argmax(-1) for x in got[:-1]], 1)
    whole = stepper(lambda x: run(program, x))(ids, empty)[0]
    assert_close(np.concatenate(got, 1), whole, 1e-4, "recomputed")
