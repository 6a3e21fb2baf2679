# SPDX-License-Identifier: MIT
"""If, Loop and Scan whose lengths and sizes only a run gives."""
import concurrent.futures

import numpy as np
import onnxruntime
import pytest
from onnx import helper

import migraphx
from test_values import BOOL, FLOAT, INT64, arrays, assert_same, compiled, constant, model, node, parse, run_all, sequence, tensor


def loop_body(nodes, states, outputs):
    """Inputs i, go and the states; the condition stays."""
    return helper.make_graph([*nodes, node("Identity", "go", "go_on")], "body", [tensor("i", INT64, []), tensor("go", BOOL, []), *states],
                             [tensor("go_on", BOOL, []), *outputs])


def ort(*args, **inputs):
    text = model(*args)
    # The newest opset that onnxruntime reads.
    return onnxruntime.InferenceSession(text, providers=["CPUExecutionProvider"]).run(None, {k: np.asarray(v) for k, v in inputs.items()})


def test_scan_outputs_have_their_true_length():
    body = loop_body([node("Cast", "i", "f", to=FLOAT), node("Add", "s f", "t"), node("Identity", "t", "row")], [tensor("s", FLOAT, [2])],
                     [tensor("t", FLOAT, [2]), tensor("row", FLOAT, [2])])
    program = parse([node("Loop", "n  s0".replace("  ", " c "), "last rows", body=body)],
                    [tensor("n", INT64, []), tensor("c", BOOL, []), tensor("s0", FLOAT, [2])], [tensor("last", FLOAT, [2]), tensor("rows", FLOAT, ["R", 2])])
    start = np.array([1, 2], np.float32)
    for n in (0, 1, 25, 300):
        last, rows = run_all(program, n=np.int64(n), c=np.True_, s0=start)
        wanted = start + np.cumsum(np.arange(n, dtype=np.float32))[:, None]
        np.testing.assert_equal(rows, wanted.reshape(n, 2))
        np.testing.assert_equal(last, wanted[-1] if n else start)
    assert run_all(program, n=np.int64(5), c=np.False_, s0=start)[1].shape == (0, 2)


def test_counted_loops_stay_static():
    body = loop_body([node("Add", "s s", "t"), node("Identity", "t", "row")], [tensor("s", FLOAT, [2])], [tensor("t", FLOAT, [2]), tensor("row", FLOAT, [2])])
    program = parse([constant("n", 12), helper.make_node("Loop", ["n", "", "x"], ["last", "rows"], body=body)], [tensor("x", FLOAT, [2])],
                    [tensor("last", FLOAT, [2]), tensor("rows", FLOAT, [12, 2])])
    assert [str(s) for s in program.get_output_shapes()] == ["float_type, {2}, {1}", "float_type, {12, 2}, {2, 1}"]
    x = np.array([1, 3], np.float32)
    last, rows = run_all(program, x=x)
    np.testing.assert_equal(rows, x * 2.0 ** np.arange(1, 13)[:, None].astype(np.float32))


def test_constant_counts_have_no_limit():
    body = loop_body([node("Add", "s i", "t")], [tensor("s", INT64, [])], [tensor("t", INT64, [])])
    program = parse([constant("n", 70000), helper.make_node("Loop", ["n", "", "x"], ["y"], body=body)], [tensor("x", INT64, [])], [tensor("y", INT64, [])])
    assert np.asarray(compiled(program, "cpu").run({"x": np.int64(0)})[0]) == 70000 * 69999 // 2


def test_endless_loops_end(tmp_path):
    body = loop_body([node("Add", "s s", "t")], [tensor("s", FLOAT, [1])], [tensor("t", FLOAT, [1])])
    args = ([helper.make_node("Loop", ["", "c", "x"], ["y"], body=body)], [tensor("c", BOOL, []), tensor("x", FLOAT, [1])], [tensor("y", FLOAT, [1])])
    inputs = {"c": np.True_, "x": np.ones(1, np.float32)}
    file = tmp_path / "loop.onnx"
    file.write_bytes(model(*args))
    for target in ("ref", "cpu"):
        with pytest.raises(RuntimeError, match="(?s)a loop of at most 100 iterations .*limit_max_iterations.* was expected, got more.*loop_dynamic"):
            compiled(migraphx.parse_onnx(file, limit_max_iterations=100), target).run(inputs)
        # The caller's own bound ends loops of unknown length without an error, as MIGraphX does.
        y = compiled(migraphx.parse_onnx(file, max_loop_iterations=7), target).run(inputs)
        assert np.asarray(y[0]).tolist() == [2.0**7]


def test_condition_of_the_body_ends_the_loop():
    body = helper.make_graph([node("Mul", "s two", "t"), node("Less", "t limit", "go_on")], "body", [tensor("i", INT64, []), tensor("go", BOOL, []), tensor("s", FLOAT, [])],
                             [tensor("go_on", BOOL, []), tensor("t", FLOAT, [])])
    program = parse([constant("two", 2.0, FLOAT), constant("m", 2**63 - 1), constant("yes", True, BOOL), node("Loop", "m yes x", "y", body=body)],
                    [tensor("x", FLOAT, []), tensor("limit", FLOAT, [])], [tensor("y", FLOAT, [])])
    assert run_all(program, x=np.float32(1), limit=np.float32(1000))[0] == 1024
    assert run_all(program, x=np.float32(3), limit=np.float32(1))[0] == 6


def greedy_decoder():
    """A growing tensor of tokens: the next one is the largest product of the sum of all embeddings so far, until token 0."""
    body = helper.make_graph(
        [node("Gather", "table tokens", "e", axis=0), node("ReduceSum", "e axis", "h", keepdims=1), node("MatMul", "h table_t", "logits"),
         node("ArgMax", "logits", "next", axis=1, keepdims=0), node("Concat", "tokens next", "more", axis=0), node("Shape", "more", "length"),
         node("ReduceMax", "logits", "score", keepdims=0), node("Greater", "next zero", "go1"), node("Squeeze", "go1", "go_on")],
        "body", [tensor("i", INT64, []), tensor("go", BOOL, []), tensor("tokens", INT64, ["T"])],
        [tensor("go_on", BOOL, []), tensor("more", INT64, ["U"]), tensor("score", FLOAT, []), tensor("length", INT64, [1])])
    nodes = [constant("axis", [0]), constant("zero", 0), constant("yes", True, BOOL), node("Transpose", "table", "table_t"),
             node("Loop", "n yes first", "tokens_out scores lengths", body=body)]
    return (nodes, [tensor("first", INT64, [1]), tensor("n", INT64, []), tensor("table", FLOAT, [9, 6])],
            [tensor("tokens_out", INT64, ["V"]), tensor("scores", FLOAT, ["S"]), tensor("lengths", INT64, ["S", 1])])


def test_greedy_decoding_with_a_growing_tensor():
    args = greedy_decoder()
    program = parse(*args)
    rng = np.random.default_rng(5)
    for seed in range(3):
        table = rng.standard_normal((9, 6)).astype(np.float32)
        inputs = dict(first=np.array([seed + 1]), n=np.int64(12), table=table)
        got, wanted = run_all(program, **inputs), ort(*args, **inputs)
        assert_same(got, wanted)


def test_many_threads_run_one_looping_program():
    args = greedy_decoder()
    table = np.random.default_rng(1).standard_normal((9, 6)).astype(np.float32)
    program = compiled(parse(*args), "cpu")
    wanted = {k: arrays(program.run(dict(first=np.array([k]), n=np.int64(k + 3), table=table))) for k in range(8)}

    def work(k):
        for _ in range(10):
            assert_same(arrays(program.run(dict(first=np.array([k]), n=np.int64(k + 3), table=table))), wanted[k])

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


def test_nested_loops_capture_and_count():
    inner = loop_body([node("Add", "t x", "t1"), node("Add", "t1 j", "u")], [tensor("t", INT64, [])], [tensor("u", INT64, [])])
    outer = loop_body([node("Identity", "i", "j"), helper.make_node("Loop", ["i", "", "s"], ["v"], body=inner), node("Identity", "v", "row")], [tensor("s", INT64, [])],
                      [tensor("v", INT64, []), tensor("row", INT64, [])])
    args = ([node("Loop", "n yes start", "y rows", body=outer)], [tensor("n", INT64, []), tensor("yes", BOOL, []), tensor("start", INT64, []), tensor("x", INT64, [])],
            [tensor("y", INT64, []), tensor("rows", INT64, ["N"])])
    program = parse(*args)
    for n in (0, 1, 6):
        s, rows = 4, []
        for i in range(n):
            s += i * (3 + i)
            rows.append(s)
        got = run_all(program, n=np.int64(n), yes=np.True_, start=np.int64(4), x=np.int64(3))
        assert got[0] == s and got[1].tolist() == rows


def test_loop_over_a_sequence():
    body = loop_body([node("SequenceAt", "s i", "e"), node("Mul", "e e", "q"), node("SequenceInsert", "acc q", "acc2")], [sequence("acc")], [sequence("acc2")])
    program = parse([node("SequenceLength", "s", "n"), constant("yes", True, BOOL), helper.make_node("SequenceEmpty", [], ["none"], dtype=FLOAT),
                     node("Loop", "n yes none", "all", body=body), node("ConcatFromSequence", "all", "c", axis=0), node("ReduceSum", "c", "y", keepdims=0)],
                    [sequence("s", FLOAT, ["N"])], [sequence("all"), tensor("y", FLOAT, [])])
    for lens in ([2], [1, 0, 4, 3]):
        given = [np.arange(n, dtype=np.float32) for n in lens]
        found, y = run_all(program, s=given)
        np.testing.assert_equal(found, [x * x for x in given])
        assert y == sum((x * x).sum() for x in given)


def test_branches_of_other_shapes():
    yes = helper.make_graph([node("Concat", "x x", "a", axis=0)], "yes", [], [tensor("a", FLOAT, [4, 2])])
    no = helper.make_graph([node("Relu", "x", "b")], "no", [], [tensor("b", FLOAT, [2, 2])])
    flat = helper.make_graph([constant("m1", [-1]), node("Reshape", "x m1", "b")], "no", [], [tensor("b", FLOAT, [4])])
    x = np.array([[-1, 1], [2, -2]], np.float32)
    for other, wanted in ((no, np.maximum(x, 0)), (flat, x.ravel())):
        program = parse([node("If", "c", "y", then_branch=yes, else_branch=other)], [tensor("c", BOOL, []), tensor("x", FLOAT, [2, 2])], [tensor("y", FLOAT)])
        np.testing.assert_equal(run_all(program, c=np.True_, x=x)[0], np.concatenate([x, x]))
        np.testing.assert_equal(run_all(program, c=np.False_, x=x)[0], wanted)


def scan_args(opset=21, batch=False, **attributes):
    lead = [2] if batch else []
    body = helper.make_graph([node("Add", "s e", "t"), node("Mul", "t w", "row")], "body", [tensor("s", FLOAT, [3]), tensor("e", FLOAT, [3])],
                             [tensor("t", FLOAT, [3]), tensor("row", FLOAT, [3])])
    return body, lead, attributes


def test_scan_axes_and_directions():
    body, _, _ = scan_args()
    args = ([node("Scan", "s0 x", "last rows", body=body, num_scan_inputs=1, scan_input_axes=[-1], scan_input_directions=[1], scan_output_axes=[1],
                  scan_output_directions=[1])],
            [tensor("s0", FLOAT, [3]), tensor("x", FLOAT, [3, 5]), tensor("w", FLOAT, [3])], [tensor("last", FLOAT, [3]), tensor("rows", FLOAT, [3, 5])])
    inputs = dict(s0=np.ones(3, np.float32), x=np.arange(15, dtype=np.float32).reshape(3, 5), w=np.array([1, 2, 3], np.float32))
    np.testing.assert_equal(run_all(parse(*args), **inputs), ort(*args, **inputs))


def test_scan_of_a_length_that_a_run_gives():
    body, _, _ = scan_args()
    for backwards in (0, 1):
        args = ([node("Scan", "s0 x", "last rows", body=body, num_scan_inputs=1, scan_input_directions=[backwards])],
                [tensor("s0", FLOAT, [3]), tensor("x", FLOAT, ["N", 3]), tensor("w", FLOAT, [3])], [tensor("last", FLOAT, [3]), tensor("rows", FLOAT, ["N", 3])])
        program = parse(*args, options={"map_dyn_input_dims": {"x": [migraphx.shape.dynamic_dimension(0, 100), migraphx.shape.dynamic_dimension(3, 3)]}})
        for n in (1, 40):
            inputs = dict(s0=np.ones(3, np.float32), x=np.random.default_rng(n).integers(-9, 9, (n, 3)).astype(np.float32), w=np.array([1, 2, 3], np.float32))
            np.testing.assert_equal(run_all(program, **inputs), ort(*args, **inputs))


def test_scan_8_with_lengths():
    body, _, _ = scan_args()
    x = np.arange(24, dtype=np.float32).reshape(2, 4, 3)
    s0 = np.array([[1, 0, 0], [0, 0, 1]], np.float32)
    for direction in (0, 1):
        program = parse([node("Scan", "lens s0 x", "last rows", body=body, num_scan_inputs=1, directions=[direction])],
                        [tensor("lens", INT64, [2]), tensor("s0", FLOAT, [2, 3]), tensor("x", FLOAT, [2, 4, 3]), tensor("w", FLOAT, [3])],
                        [tensor("last", FLOAT, [2, 3]), tensor("rows", FLOAT, [2, 4, 3])], opset=8)
        last, rows = run_all(program, lens=np.array([4, 2]), s0=s0, x=x, w=np.ones(3, np.float32))
        for b, n in enumerate((4, 2)):
            steps = x[b, :n] if direction == 0 else x[b, :n][::-1]
            wanted = s0[b] + np.cumsum(steps, axis=0)
            np.testing.assert_equal(rows[b, :n], wanted)
            np.testing.assert_equal(rows[b, n:], 0)
            np.testing.assert_equal(last[b], wanted[-1])


def test_states_that_do_not_settle_are_refused():
    body = loop_body([node("Unsqueeze", "s axis", "t")], [tensor("s", FLOAT, [1])], [tensor("t", FLOAT)])
    with pytest.raises(RuntimeError, match="a tensor of known rank was expected|whose rank is known"):
        parse([constant("axis", [0]), constant("yes", True, BOOL), node("Loop", "n yes x", "y", body=body)], [tensor("n", INT64, []), tensor("x", FLOAT, [1])], [tensor("y", FLOAT)])
