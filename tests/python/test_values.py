# SPDX-License-Identifier: MIT
"""Values that are no tensors of numbers, and loops: strings, sequences, optionals, control flow with run-time sizes."""
import random
import re

import numpy as np
import pytest
from onnx import TensorProto, helper

import migraphx

FLOAT, INT64, BOOL, STRING = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL, TensorProto.STRING
TARGETS = ("ref", "cpu")


def tensor(name, kind, dims=None):
    return helper.make_tensor_value_info(name, kind, dims)


def sequence(name, kind=FLOAT, dims=None):
    return helper.make_tensor_sequence_value_info(name, kind, dims)


def optional(name, inner):
    return helper.make_value_info(name, helper.make_optional_type_proto(inner))


def constant(name, value, kind=INT64):
    value = np.asarray(value)
    return helper.make_node("Constant", [], [name], value=helper.make_tensor(name, kind, value.shape, value.ravel()))


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


def model(nodes, inputs, outputs, opset=21):
    graph = helper.make_graph(nodes, "g", inputs, outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]).SerializeToString()


def parse(*args, options=None, **kwargs):
    return migraphx.parse_onnx_buffer(model(*args, **kwargs), **(options or {}))


def compiled(program, target):
    program = program.clone()
    program.compile(migraphx.get_target(target))
    return program


def arrays(x):
    return [arrays(y) for y in x] if isinstance(x, list) else None if x is None else np.asarray(x)


def assert_same(got, wanted):
    """Equal values; floats may differ by what another order of a sum makes of them."""
    if isinstance(wanted, list):
        assert len(got) == len(wanted)
        for x, y in zip(got, wanted):
            assert_same(x, y)
    elif wanted is not None and wanted.dtype.kind == "f":
        np.testing.assert_allclose(got, wanted, rtol=1e-6, strict=True)
    else:
        np.testing.assert_equal(got, wanted)


def run_all(program, **inputs):
    """The outputs on every target, before and after a file; they must be the same."""
    results = []
    for target in TARGETS:
        results.append(arrays(compiled(program, target).run(inputs)))
    loaded = migraphx.load_buffer(migraphx.save_buffer(program))
    assert loaded == program
    results.append(arrays(compiled(loaded, "ref").run(inputs)))
    for other in results[1:]:
        assert_same(other, results[0])
    return results[0]


# ---- strings

def test_strings_in_and_out():
    program = parse([node("StringConcat", "a b", "c"), node("Equal", "c a", "e"), node("Where", "e c b", "w")],
                    [tensor("a", STRING, [2]), tensor("b", STRING, [1])],
                    [tensor("c", STRING, [2]), tensor("w", STRING, [2])])
    for a in (np.array(["x", "é"]), np.array(["x", "é"], dtype=object), ["x", "é"], np.array([b"x", "é".encode()])):
        c, w = run_all(program, a=a, b=["!"])
        assert c.dtype == object and c.tolist() == ["x!", "é!"]
        assert w.tolist() == ["!", "!"]


def test_arguments_of_strings():
    a = migraphx.argument(np.array([["a", "b\0c"], ["", "\udcff"]], dtype=object))
    assert str(a.get_shape()) == "string_type, {2, 2}, {2, 1}"
    assert a.tolist() == ["a", "b\0c", "", "\udcff"]
    assert np.asarray(a).shape == (2, 2)
    assert np.asarray(migraphx.argument(np.array("x"))).shape == ()
    assert a == migraphx.argument(np.asarray(a)) and a != migraphx.argument(np.array([["a", "b"], ["", ""]]))
    assert migraphx.create_argument(a.get_shape(), a.tolist()) == a
    with pytest.raises(TypeError, match="a str or bytes was expected, got int"):
        migraphx.argument(np.array([1, "a"], dtype=object))


def test_strings_move_like_numbers():
    nodes = [constant("i", [2, 0]), node("Gather", "x i", "g", axis=1), node("Concat", "g x", "c", axis=1), constant("s", [-1]),
             node("Reshape", "c s", "r"), node("Transpose", "c", "t"), constant("b", [0]), constant("e", [-1]), constant("a", [1]),
             node("Slice", "t b e a", "sl"), node("Unsqueeze", "sl a", "u"), node("Shape", "u", "k"), constant("n", [2, 1]), node("Tile", "x n", "ti"),
             node("NonZero", "f", "nz"), node("Squeeze", "nz b", "row"), node("Gather", "r row", "some")]
    program = parse(nodes, [tensor("x", STRING, [2, 3]), tensor("f", BOOL, [10])],
                    [tensor("r", STRING), tensor("u", STRING), tensor("k", INT64), tensor("ti", STRING), tensor("some", STRING)])
    x = np.array([["a", "b", "c"], ["d", "e", "f"]], dtype=object)
    f = np.arange(10) % 3 == 1
    r, u, k, tiled, some = run_all(program, x=x, f=f)
    c = np.concatenate([x[:, [2, 0]], x], axis=1)
    assert r.tolist() == c.ravel().tolist()
    assert u[:, 0].tolist() == c.T[:, :-1].tolist() and k.tolist() == [5, 1, 1]
    assert tiled.tolist() == np.tile(x, (2, 1)).tolist()
    assert some.tolist() == r[f].tolist()


def test_casts_of_strings():
    program = parse([node("Cast", "x", "s", to=STRING), node("Cast", "s", "y", to=FLOAT), node("Cast", "t", "i", to=INT64)],
                    [tensor("x", FLOAT, [5]), tensor("t", STRING, [3])], [tensor("s", STRING), tensor("y", FLOAT), tensor("i", INT64)])
    x = np.array([0.5, 1e-5, 3, -np.inf, np.nan], dtype=np.float32)
    s, y, i = run_all(program, x=x, t=["-9223372036854775808", "1e3", "+7"])
    assert s.tolist() == ["0.5", "1e-05", "3.0", "-INF", "NaN"]
    np.testing.assert_array_equal(y, x)
    assert i.tolist() == [-(2**63), 1000, 7]
    with pytest.raises(RuntimeError, match="(?s)the text of an integer of 64 bits was expected|got .seven.*string_to_number"):
        compiled(program, "ref").run({"x": x, "t": ["1", "2", "seven"]})


@pytest.mark.parametrize("pattern, text, match", [
    (r"www\.[\w.-]+\.\bcom\b", "www.google.com", True), (r"(\W|^)[\w.\-]{0,25}@(yahoo|gmail)\.com(\W|$)", "me@gmail.com", True),
    ("a|b|", "", True), ("a*b+?", "aabb", True), ("(?i)straße", "STRAßE", True), ("(?s).+", "a\nb", True), (".+", "a\nb", False),
    ("(?i:a)b", "Ab", True), ("(?i:a)b", "AB", False), ("[^a-c\\d]", "d", True), ("[^a-c\\d]", "7", False), ("[]a]+", "]a", True),
    ("[[:alpha:]-]+", "a-b", True), (".", "é", True), ("\\x{e9}", "é", True), ("\\Qa.b\\E", "a.b", True), ("\\Qa.b\\E", "axb", False),
    ("a{2,3}", "aaaa", False), ("a{2,}", "aaaa", True), ("a{,2}", "a{,2}", True), ("(?P<n>a)(?:b)", "ab", True), ("^a$", "a", True),
    ("(?m)a\n^b$", "a\nb", True), ("(a*)*", "a" * 50, True), ("(a|aa)+$", "a" * 5000 + "b", False)])
def test_regular_expressions(pattern, text, match):
    program = parse([node("RegexFullMatch", "x", "y", pattern=pattern)], [tensor("x", STRING, [1])], [tensor("y", BOOL)])
    assert arrays(compiled(program, "cpu").run({"x": [text]}))[0].tolist() == [match]


@pytest.mark.parametrize("pattern", ["(", "a)", "[a", "*a", "a**", "a{1001}", "((a{1000}){1000})", "\\1", "(?=a)", "(?<=a)", "\\pL", "[b-a]", "(" * 300,
                                     "[[:no:]]", "\\x{110000}", "a\\"])
def test_wrong_regular_expressions(pattern):
    with pytest.raises(RuntimeError, match="regular expression: .* was expected, got"):
        parse([node("RegexFullMatch", "x", "y", pattern=pattern)], [tensor("x", STRING, [1])], [tensor("y", BOOL)])


def test_random_regular_expressions_match_as_python_says():
    rng = random.Random(7)
    atoms = ["a", "b", "[ab]", "[^a]", ".", "\\w", "\\d", "(?:a|b)", "(ab|a)", "(?i:A)", " ", "0"]
    for _ in range(300):
        pattern = rng.choice(["", "^", "\\b"]) + "".join(rng.choice(atoms) + rng.choice(["", "", "*", "+", "?", "{1,2}", "*?"]) for _ in range(rng.randint(1, 5)))
        texts = ["".join(rng.choice("ab0 A\n") for _ in range(rng.randint(0, 5))) for _ in range(8)]
        program = parse([node("RegexFullMatch", "x", "y", pattern=pattern)], [tensor("x", STRING, [8])], [tensor("y", BOOL)])
        found = arrays(compiled(program, "ref").run({"x": texts}))[0].tolist()
        assert found == [re.fullmatch(pattern, x, re.ASCII) is not None for x in texts], (pattern, texts)


def test_damaged_files_are_refused_or_run():
    program = parse([node("SequenceConstruct", "x x", "s"), constant("k", ["q", "r"], STRING), node("StringConcat", "t k", "u")],
                    [tensor("x", FLOAT, [2]), tensor("t", STRING, [2])], [sequence("s"), tensor("u", STRING)])
    whole = migraphx.save_buffer(program)
    rng = random.Random(3)
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        try:
            compiled(migraphx.load_buffer(bytes(damaged)), "cpu").run({"x": np.ones(2, np.float32), "t": ["a", "b"]})
        except (RuntimeError, TypeError, ValueError):
            pass  # what was damaged is found; a crash would end the process


# ---- sequences and optionals

def test_sequence_of_run_time_length():
    program = parse([node("SequenceLength", "s", "n"), constant("m", -1), node("SequenceAt", "s m", "last"),
                     node("Relu", "last", "r"), node("SequenceInsert", "s r", "more"), node("ConcatFromSequence", "more", "c", axis=0)],
                    [sequence("s", FLOAT, ["N"])], [tensor("n", INT64, []), sequence("more"), tensor("c", FLOAT, ["M"])])
    for lens in ([1], [3, 2], [0, 5, 1, 4]):
        given = [np.arange(n, dtype=np.float32) - 1 for n in lens]
        n, more, c = run_all(program, s=given)
        assert n == len(lens)
        np.testing.assert_equal(more, given + [np.maximum(given[-1], 0)])
        np.testing.assert_equal(c, np.concatenate(more))
    with pytest.raises(RuntimeError, match="(?s)a sequence with at least one tensor was expected.*sequence_at"):
        compiled(program, "cpu").run({"s": []})
    with pytest.raises(RuntimeError, match=r"parameter: s\[1\].*rank 1 was expected, got 2"):
        compiled(program, "cpu").run({"s": [given[0], np.zeros((2, 2), np.float32)]})
    with pytest.raises(TypeError, match="parameter s: a list of tensors was expected, got ndarray"):
        compiled(program, "cpu").run({"s": given[0]})


def test_results_do_not_share_memory_of_inputs():
    program = compiled(parse([node("SequenceConstruct", "x x", "s")], [tensor("x", FLOAT, [2])], [sequence("s")]), "cpu")
    x = np.ones(2, np.float32)
    (s,) = program.run({"x": x})
    x[:] = 5
    assert np.asarray(s[0]).tolist() == [1, 1]
    program = compiled(parse([node("Identity", "s", "t")], [sequence("s", FLOAT, [2])], [sequence("t")]), "cpu")
    (t,) = program.run({"s": [x]})
    x[:] = 7
    assert np.asarray(t[0]).tolist() == [5, 5]


def test_erase_and_insert_check_their_position():
    program = parse([node("SequenceErase", "s p", "e")], [sequence("s"), tensor("p", INT64, [])], [sequence("e")])
    given = [np.full(i, i, np.float32) for i in range(3)]
    assert [len(x) for x in run_all(program, s=given, p=np.int64(-2))[0]] == [0, 2]
    for p in (3, -4, 2**40):
        with pytest.raises(RuntimeError, match=rf"(?s)a position in \[-3, 2\] was expected for a sequence of 3, got {p}.*sequence_erase"):
            compiled(program, "cpu").run({"s": given, "p": np.int64(p)})
    program = parse([node("SequenceInsert", "s x p", "e")], [sequence("s"), tensor("x", FLOAT, [1]), tensor("p", INT64, [])], [sequence("e")])
    assert [len(x) for x in run_all(program, s=given, x=np.zeros(1, np.float32), p=np.int64(3))[0]] == [0, 1, 2, 1]
    with pytest.raises(RuntimeError, match=r"a position in \[-3, 3\] was expected"):
        compiled(program, "cpu").run({"s": given, "x": np.zeros(1, np.float32), "p": np.int64(4)})


def test_errors_name_the_node():
    bad = helper.make_node("SequenceAt", ["s", "p"], ["y"], name="the_node")
    program = parse([bad], [sequence("s"), tensor("p", INT64, [])], [tensor("y", FLOAT)], options={"use_debug_symbols": True})
    with pytest.raises(RuntimeError, match="(?s)a position in .*sequence_at.*the_node"):
        compiled(program, "cpu").run({"s": [np.zeros(1, np.float32)], "p": np.int64(1)})


def test_split_with_known_parts_needs_no_sequence():
    program = parse([constant("n", 2), node("SplitToSequence", "x n", "s", axis=1), constant("i", 1), node("SequenceAt", "s i", "y"),
                     node("SequenceLength", "s", "k")], [tensor("x", FLOAT, [2, 5])], [tensor("y", FLOAT, [2, 2]), tensor("k", INT64, [])])
    assert "sequence" not in str(compiled(program, "ref").get_main_module())
    x = np.arange(10, dtype=np.float32).reshape(2, 5)
    y, k = run_all(program, x=x)
    np.testing.assert_equal(y, x[:, 2:4])
    assert k == 3


def test_split_of_a_run():
    program = parse([node("SplitToSequence", "x n", "s", axis=-1)], [tensor("x", FLOAT, [2, 5]), tensor("n", INT64, [3])], [sequence("s")])
    x = np.arange(10, dtype=np.float32).reshape(2, 5)
    (s,) = run_all(program, x=x, n=np.array([1, 0, 4]))
    assert [y.shape for y in s] == [(2, 1), (2, 0), (2, 4)]
    np.testing.assert_equal(np.concatenate(s, 1), x)
    with pytest.raises(RuntimeError, match="split: sizes that sum up to 5 were expected"):
        compiled(program, "cpu").run({"x": x, "n": np.array([1, 1, 4])})


def test_members_of_other_ranks():
    program = parse([node("SequenceConstruct", "x y", "s"), node("SequenceAt", "s i", "z")],
                    [tensor("x", FLOAT, [2]), tensor("y", FLOAT, [1, 3]), tensor("i", INT64, [])], [tensor("z", FLOAT)])
    x, y = np.ones(2, np.float32), np.zeros((1, 3), np.float32)
    for i, wanted in enumerate((x, y)):
        np.testing.assert_equal(run_all(program, x=x, y=y, i=np.int64(i))[0], wanted)
    with pytest.raises(RuntimeError, match="relu: a tensor of known rank was expected for input 0"):
        parse([node("SequenceConstruct", "x y", "s"), node("SequenceAt", "s i", "z"), node("Relu", "z", "r")],
              [tensor("x", FLOAT, [2]), tensor("y", FLOAT, [1, 3]), tensor("i", INT64, [])], [tensor("r", FLOAT)])


def test_sequence_map_with_captured_values():
    body = helper.make_graph([node("Mul", "e w", "p"), node("Add", "p t", "q"), node("Shape", "q", "k")], "body",
                             [tensor("e", FLOAT, ["N"]), tensor("t", FLOAT, [1])], [tensor("q", FLOAT, ["N"]), tensor("k", INT64, [1])])
    program = parse([node("SequenceMap", "s t", "y k", body=body)], [sequence("s", FLOAT, ["N"]), tensor("t", FLOAT, [1]), tensor("w", FLOAT, [1])],
                    [sequence("y"), sequence("k", INT64)])
    given = [np.arange(n, dtype=np.float32) for n in (2, 0, 3)]
    y, k = run_all(program, s=given, t=np.array([1], np.float32), w=np.array([2], np.float32))
    np.testing.assert_equal(y, [2 * x + 1 for x in given])
    assert [int(x[0]) for x in k] == [2, 0, 3]


def test_optionals():
    inner = helper.make_tensor_type_proto(FLOAT, ["N"])
    branch_some = helper.make_graph([node("OptionalGetElement", "o", "v")], "some", [], [tensor("v", FLOAT)])
    branch_none = helper.make_graph([constant("d", [7.0], FLOAT)], "none", [], [tensor("d", FLOAT)])
    program = parse([node("OptionalHasElement", "o", "has"), helper.make_node("If", ["has"], ["y"], then_branch=branch_some, else_branch=branch_none),
                     node("Identity", "o", "same")], [optional("o", inner)], [tensor("has", BOOL, []), tensor("y", FLOAT), optional("same", inner)])
    x = np.arange(3, dtype=np.float32)
    has, y, same = run_all(program, o=x)
    assert has and y.tolist() == [0, 1, 2] and same.tolist() == [0, 1, 2]
    has, y, same = run_all(program, o=None)
    assert not has and y.tolist() == [7] and same is None
    program = parse([node("OptionalGetElement", "o", "y")], [optional("o", inner)], [tensor("y", FLOAT)])
    with pytest.raises(RuntimeError, match="(?s)an optional with an element was expected, got an empty one.*optional_get_element"):
        compiled(program, "cpu").run({"o": None})
