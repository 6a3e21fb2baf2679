# SPDX-License-Identifier: MIT
"""Damaged and hostile ONNX files: reading one ends with a program or with an error, never with a crash,
a hang, or a large allocation.

Each mutation is a function of its seed. A child process with limits of time and memory reads the file,
and compiles and runs what could be read on the reference target. MGX_FUZZ_COUNT sets how many random
mutations are tried (default 150), MGX_FUZZ_SEED the first seed. To repeat one:
    python tests/python/test_hostile.py --seed N
"""

import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, numpy_helper

from limited_child import SLOWER, limited

COUNT = int(os.environ.get("MGX_FUZZ_COUNT", "150"))
FIRST_SEED = int(os.environ.get("MGX_FUZZ_SEED", "1"))
SECONDS = 10 * SLOWER
BYTES = 2 << 30
BATCH = 25  # files for one child while nothing goes wrong

VALUE = helper.make_tensor_value_info
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def made(nodes, inputs, outputs, weights=(), opset=17):
    graph = helper.make_graph(nodes, "g", inputs, outputs, [numpy_helper.from_array(v, k) for k, v in weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def conv_model():
    rng = np.random.default_rng(1)
    w = rng.standard_normal((4, 3, 3, 3)).astype(np.float32)
    b = rng.standard_normal(4).astype(np.float32)
    fc = rng.standard_normal((4, 5)).astype(np.float32)
    return made(
        [
            helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
            helper.make_node("BatchNormalization", ["c", "b", "b", "b", "v"], ["n"]),
            helper.make_node("Relu", ["n"], ["r"]),
            helper.make_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
            helper.make_node("GlobalAveragePool", ["p"], ["a"]),
            helper.make_node("Flatten", ["a"], ["f"]),
            helper.make_node("Gemm", ["f", "fc"], ["g"]),
            helper.make_node("Softmax", ["g"], ["y"]),
        ],
        [VALUE("x", FLOAT, [1, 3, 8, 8])],
        [VALUE("y", FLOAT, [1, 5])],
        [("w", w), ("b", b), ("v", np.abs(b) + 0.1), ("fc", fc)],
    )


def shape_model():
    return made(
        [
            helper.make_node("Shape", ["x"], ["s"]),
            helper.make_node("Gather", ["s", "i"], ["d"], axis=0),
            helper.make_node("Unsqueeze", ["d", "zero"], ["u"]),
            helper.make_node("Concat", ["u", "minus"], ["t"], axis=0),
            helper.make_node("Reshape", ["x", "t"], ["r"]),
            helper.make_node("Slice", ["r", "zero", "two", "one"], ["l"]),
            helper.make_node("Pad", ["l", "pads"], ["q"]),
            helper.make_node("Tile", ["q", "reps"], ["k"]),
            helper.make_node("Expand", ["k", "wide"], ["e"]),
            helper.make_node("Resize", ["x4", "", "scales"], ["z"], mode="linear"),
            helper.make_node("TopK", ["e", "two"], ["y", "idx"], axis=-1),
        ],
        [VALUE("x", FLOAT, ["n", 3, 4]), VALUE("x4", FLOAT, [1, 1, 4, 4])],
        [VALUE("y", FLOAT, None), VALUE("idx", INT64, None), VALUE("z", FLOAT, None)],
        [
            ("i", np.array(0, np.int64)),
            ("zero", np.array([0], np.int64)),
            ("one", np.array([1], np.int64)),
            ("two", np.array([2], np.int64)),
            ("minus", np.array([-1], np.int64)),
            ("pads", np.array([0, 1, 0, 1], np.int64)),
            ("reps", np.array([1, 2], np.int64)),
            ("wide", np.array([2, 1, 1], np.int64)),
            ("scales", np.array([1, 1, 2, 2], np.float32)),
        ],
    )


def control_model():
    then = helper.make_graph([helper.make_node("Neg", ["x"], ["tv"])], "t", [], [VALUE("tv", FLOAT, [2, 3])])
    other = helper.make_graph([helper.make_node("Abs", ["x"], ["ev"])], "e", [], [VALUE("ev", FLOAT, [2, 3])])
    body = helper.make_graph(
        [
            helper.make_node("Add", ["acc", "x"], ["next"]),
            helper.make_node("Identity", ["go"], ["again"]),
            helper.make_node("ReduceSum", ["next"], ["scan"], keepdims=0),
        ],
        "b",
        [VALUE("it", INT64, []), VALUE("go", TensorProto.BOOL, []), VALUE("acc", FLOAT, [2, 3])],
        [VALUE("again", TensorProto.BOOL, []), VALUE("next", FLOAT, [2, 3]), VALUE("scan", FLOAT, [])],
    )
    return made(
        [
            helper.make_node("If", ["c"], ["v"], then_branch=then, else_branch=other),
            helper.make_node("Loop", ["trips", "", "v"], ["w", "s"], body=body),
            helper.make_node("LSTM", ["q", "lw", "lr"], ["y"], hidden_size=2),
        ],
        [VALUE("x", FLOAT, [2, 3]), VALUE("c", TensorProto.BOOL, []), VALUE("q", FLOAT, [3, 1, 3])],
        [VALUE("w", FLOAT, [2, 3]), VALUE("s", FLOAT, None), VALUE("y", FLOAT, None)],
        [
            ("trips", np.array(3, np.int64)),
            ("lw", np.ones((1, 8, 3), np.float32)),
            ("lr", np.ones((1, 8, 2), np.float32)),
        ],
    )


BASES = [conv_model, shape_model, control_model]
ABSURD = [-1, 0, 1, -(2**63), 2**63 - 1, 2**31, 2**32 + 1, 10**12, -7, 1000003]


# ---- mutations of bytes

def truncated(rng, data):
    return data[: rng.randrange(len(data))]


def flipped(rng, data):
    out = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def overwritten(rng, data):
    out = bytearray(data)
    at = rng.randrange(len(out))
    n = rng.choice([1, 2, 4, 9])
    out[at : at + n] = bytes(rng.choice([0, 255, 127, 128, rng.randrange(256)]) for _ in range(n))
    return bytes(out)


def spliced(rng, data):
    a, b = sorted(rng.randrange(len(data)) for _ in range(2))
    at = rng.randrange(len(data))
    return rng.choice([data[:a] + data[b:], data[:at] + data[a:b] + data[at:]])


# ---- mutations of the model

def all_graphs(graph):
    yield graph
    for node in graph.node:
        for a in node.attribute:
            if a.HasField("g"):
                yield from all_graphs(a.g)


def any_node(rng, model):
    return rng.choice([n for g in all_graphs(model.graph) for n in g.node])


def absurd_dims(rng, model):
    if rng.random() < 0.5:
        value = rng.choice(list(model.graph.input)).type.tensor_type.shape
        if value.dim:
            rng.choice(list(value.dim)).dim_value = rng.choice(ABSURD)
    else:
        dims = rng.choice(list(model.graph.initializer)).dims
        if dims and rng.random() < 0.8:
            dims[rng.randrange(len(dims))] = rng.choice(ABSURD)
        else:
            dims.extend(rng.choice([[2**32] * 4, [1] * 2000, [0], [2**62, 4]]))


def absurd_attributes(rng, model):
    node = any_node(rng, model)
    if not node.attribute:
        node.attribute.append(helper.make_attribute("axis", rng.choice(ABSURD)))
        return
    a = rng.choice(list(node.attribute))
    if a.ints:
        a.ints[rng.randrange(len(a.ints))] = rng.choice(ABSURD)
        if rng.random() < 0.3:
            a.ints.extend([rng.choice(ABSURD)] * rng.choice([1, 5, 500]))
    elif a.type == onnx.AttributeProto.INT:
        a.i = rng.choice(ABSURD)
    else:
        a.type = rng.randrange(1, 12)


def absurd_constants(rng, model):
    whole = [t for t in model.graph.initializer if t.data_type == INT64]
    t = rng.choice(whole or list(model.graph.initializer))
    kind = np.float32 if t.data_type == FLOAT else np.int64
    shape = [abs(d) for d in t.dims if 0 <= d < 100]
    values = [rng.choice(ABSURD + [2, 3]) for _ in range(int(np.prod(shape)))]
    t.CopyFrom(numpy_helper.from_array(np.array(values, kind).reshape(shape), t.name))


def cycles(rng, model):
    nodes = model.graph.node
    late = rng.choice(list(nodes))
    early = nodes[rng.randrange(len(nodes))]
    if early.input and late.output:
        early.input[rng.randrange(len(early.input))] = late.output[0]


def wrong_types(rng, model):
    if rng.random() < 0.5:
        rng.choice(list(model.graph.input)).type.tensor_type.elem_type = rng.choice([0, 2, 6, 8, 10, 14, 16, 22, 99, -5])
    else:
        rng.choice(list(model.graph.initializer)).data_type = rng.choice([0, 2, 6, 8, 10, 14, 16, 22, 99, -5])


def external_data(rng, model):
    t = rng.choice(list(model.graph.initializer))
    t.ClearField("raw_data")
    t.data_location = TensorProto.EXTERNAL
    place = rng.choice(["missing.bin", "../../../../etc/passwd", "/dev/zero", "/etc/hostname", "", ".", "a\0b", "x" * 5000])
    for key, value in [("location", place), ("offset", str(rng.choice(ABSURD))), ("length", str(rng.choice(ABSURD)))]:
        if key == "location" or rng.random() < 0.7:
            t.external_data.add(key=key, value=value)


def renamed_operators(rng, model):
    others = ["Conv", "Reshape", "Gather", "Concat", "Split", "Loop", "If", "Range", "OneHot", "Einsum", "LSTM", "Scan",
              "ConstantOfShape", "NonMaxSuppression", "Pad", "DequantizeLinear", "Slice", "", "NoSuchThing"]
    node = any_node(rng, model)
    node.op_type = rng.choice(others)
    if rng.random() < 0.2:
        node.domain = rng.choice(["com.microsoft", "ai.onnx.ml", "nothing"])


def changed_edges(rng, model):
    node = any_node(rng, model)
    names = [o for n in model.graph.node for o in n.output] + [t.name for t in model.graph.initializer] + ["", "none"]
    choice = rng.randrange(4)
    if choice == 0 and node.input:
        node.input[rng.randrange(len(node.input))] = rng.choice(names)
    elif choice == 1:
        node.input.append(rng.choice(names))
    elif choice == 2 and node.input:
        del node.input[rng.randrange(len(node.input))]
    elif node.output:
        node.output[0] = rng.choice(names)


def removed_nodes(rng, model):
    graph = rng.choice(list(all_graphs(model.graph)))
    if graph.node:
        del graph.node[rng.randrange(len(graph.node))]


def short_data(rng, model):
    t = rng.choice(list(model.graph.initializer))
    t.raw_data = t.raw_data[: rng.randrange(len(t.raw_data) + 1)] * rng.choice([1, 1, 3])


def nested(rng, model):
    depth = rng.choice([5, 12, 28])
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["o"])], "d", [], [VALUE("o", FLOAT, None)])
    for i in range(depth):
        node = helper.make_node("If", ["c"], ["o"], then_branch=graph, else_branch=helper.make_graph(
            [helper.make_node("Abs", ["x"], ["o"])], "e", [], [VALUE("o", FLOAT, None)]))
        graph = helper.make_graph([node], f"d{i}", [], [VALUE("o", FLOAT, None)])
    model.graph.node.append(helper.make_node("If", ["c"], ["deep"], then_branch=graph, else_branch=graph))
    if "c" not in [i.name for i in model.graph.input]:
        model.graph.input.append(VALUE("c", TensorProto.BOOL, []))
    model.graph.output.append(VALUE("deep", FLOAT, None))


def strange_opsets(rng, model):
    model.opset_import[0].version = rng.choice(ABSURD + [5, 6, 9, 11, 21, 23])


BYTE_MUTATIONS = [truncated, flipped, flipped, overwritten, spliced]
MODEL_MUTATIONS = [absurd_dims, absurd_attributes, absurd_attributes, absurd_constants, absurd_constants, cycles,
                   wrong_types, external_data, renamed_operators, changed_edges, removed_nodes, short_data, nested,
                   strange_opsets]


def mutated(seed):
    """Name of the mutation and the file's bytes."""
    rng = random.Random(seed)
    model = rng.choice(BASES)()
    if rng.random() < 0.35:
        change = rng.choice(BYTE_MUTATIONS)
        return change.__name__, change(rng, model.SerializeToString())
    names = []
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        change = rng.choice(MODEL_MUTATIONS)
        names.append(change.__name__)
        try:
            change(rng, model)
        except (ValueError, OverflowError, IndexError, TypeError, DecodeError):
            pass  # the file format itself cannot hold it
    return "+".join(names), model.SerializeToString()


# ---- the child

CHILD = r"""
import json, sys, time
import migraphx
for path in sys.argv[1:]:
    print(json.dumps({"file": path, "state": "begun"}), flush=True)
    start = time.monotonic()
    state = "refused"
    try:
        p = migraphx.parse_onnx(path, default_dim_value=2)
        state = "read"
        shapes = p.get_parameter_shapes()
        p.compile(migraphx.get_target("ref"))
        state = "compiled"
        if sum(s.elements() for s in shapes.values()) < 10**6:
            p.run({k: migraphx.generate_argument(s, 1) for k, s in shapes.items()})
            state = "ran"
        message = ""
    except (RuntimeError, ValueError, TypeError, MemoryError, UnicodeDecodeError) as error:
        message = f"{type(error).__name__}: {error}"[:300]
    print(json.dumps({"file": path, "state": state, "message": message, "seconds": time.monotonic() - start}),
          flush=True)
"""


def run_child(files):
    """(results by file, what was wrong with the file at which the child ended or None)."""
    limits = limited(BYTES)
    limits["env"].update(OMP_NUM_THREADS="2", MIGRAPHX_LOG_LEVEL="error")
    output, code = "", None
    with subprocess.Popen([sys.executable, "-c", CHILD, *map(str, files)], **limits,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            output, errors = child.communicate(timeout=SECONDS + (len(files) - 1) * 2 * SLOWER)
            code = child.returncode
        except subprocess.TimeoutExpired:
            child.kill()
            output, errors = child.communicate()
            code = "time"
    results, begun = {}, None
    for line in output.splitlines():
        if not line.startswith("{"):
            continue
        entry = json.loads(line)
        if entry["state"] == "begun":
            begun = entry["file"]
        else:
            results[entry["file"]] = entry
            begun = None
    if begun is None and code == 0:
        return results, None
    return results, (begun, f"ended with {code}: {errors[-400:]}")


def examine(seeds, folder):
    """States by seed, and a list of (seed, mutation, what went wrong)."""
    files, names, states, faults = {}, {}, {}, []
    for seed in seeds:
        names[seed], data = mutated(seed)
        files[seed] = folder / f"{seed}.onnx"
        files[seed].write_bytes(data)
    by_path = {str(f): s for s, f in files.items()}
    left = list(seeds)
    while left:
        batch = left[:BATCH]
        results, ended = run_child([files[s] for s in batch])
        if ended is not None:
            path, what = ended
            bad = by_path.get(path) if path else None
            if bad is None:
                bad = next((s for s in batch if str(files[s]) not in results), batch[-1])
            if len(batch) > 1:  # alone, with the time of one
                alone, ended_alone = run_child([files[bad]])
                results.update(alone)
                what = ended_alone[1] if ended_alone else None
            if what:
                faults.append((bad, names[bad], what))
                states[bad] = "crashed"
        for path, entry in results.items():
            seed = by_path[path]
            states[seed] = entry["state"]
            message = entry["message"]
            if entry["seconds"] > SECONDS:
                faults.append((seed, names[seed], f"took {entry['seconds']:.1f} s"))
            if "internal" in message and "assert" in message:
                faults.append((seed, names[seed], message))
        left = [s for s in left if s not in states]
    for f in files.values():
        f.unlink()
    return states, faults


def report(faults):
    return "\n".join(
        f"seed {seed} ({name}): {what}\n  repro: python tests/python/test_hostile.py --seed {seed}"
        for seed, name, what in faults
    )


def test_bases_run(tmp_path):
    files = []
    for base in BASES:
        files.append(tmp_path / f"{base.__name__}.onnx")
        files[-1].write_bytes(base().SerializeToString())
    results, ended = run_child(files)
    assert ended is None, ended
    assert {pathlib.Path(k).stem: (v["state"], v["message"]) for k, v in results.items()} == {
        b.__name__: ("ran", "") for b in BASES
    }


def test_mutated_models(tmp_path):
    states, faults = examine(range(FIRST_SEED, FIRST_SEED + COUNT), tmp_path)
    assert len(states) == COUNT
    assert not faults, "\n" + report(faults)
    # The mutations are neither all harmless nor all fatal.
    if COUNT >= 100:
        found = set(states.values())
        assert {"refused", "ran"} <= found, found


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"\xff" * 100, b"\x08" * 1000, b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", b"not a model\n", b"\x0a" * 100000],
    ids=["empty", "zero", "ones", "keys", "endless length", "text", "nested"],
)
def test_not_a_model(data, tmp_path):
    file = tmp_path / "m.onnx"
    file.write_bytes(data)
    results, ended = run_child([file])
    assert ended is None, ended
    assert results[str(file)]["state"] != "ran" or data == b""


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--seed":
        seeds = [int(sys.argv[2])]
    else:
        seeds = list(range(FIRST_SEED, FIRST_SEED + COUNT))
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        states, faults = examine(seeds, pathlib.Path(folder))
    kinds = sorted(set(states.values()))
    print(f"{len(states)} files in {time.monotonic() - start:.0f} s:",
          ", ".join(f"{list(states.values()).count(k)} {k}" for k in kinds))
    if faults:
        print(report(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
