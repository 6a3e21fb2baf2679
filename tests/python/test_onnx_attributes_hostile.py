# SPDX-License-Identifier: MIT
"""Nodes with attributes that are missing, wrong or out of range: an error or a result, never a crash."""

import copy

import migraphx
import numpy as np
import pytest
from onnx import helper

ML = ("ai.onnx.ml", 3)
X = np.random.default_rng(0).standard_normal((3, 2)).astype(np.float32)
STUMP = {
    "nodes_treeids": [0, 0, 0], "nodes_nodeids": [0, 1, 2], "nodes_featureids": [1, 0, 0], "nodes_values": [0.5, 0.0, 0.0],
    "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"], "nodes_truenodeids": [1, 0, 0], "nodes_falsenodeids": [2, 0, 0],
    "nodes_missing_value_tracks_true": [1, 0, 0],
}


def votes(kind):
    return {f"{kind}_treeids": [0, 0], f"{kind}_nodeids": [1, 2], f"{kind}_ids": [0, 1], f"{kind}_weights": [1.0, 2.0]}


def tensor(values, dtype):
    array = np.array(values, dtype)
    return helper.make_tensor("t", helper.np_dtype_to_tensor_dtype(array.dtype), array.shape, array.ravel())


image = np.zeros((1, 2, 6, 6), np.float32)
NODES = {
    "TreeEnsembleRegressor": (ML, [X], {**STUMP, **votes("target"), "n_targets": 2, "base_values": [0.5, 1.0]}),
    "TreeEnsembleClassifier": (ML, [X], {**STUMP, **votes("class"), "classlabels_int64s": [1, 2], "post_transform": "SOFTMAX"}),
    "TreeEnsemble": (("ai.onnx.ml", 5), [X], {
        "nodes_featureids": [1, 0], "nodes_splits": tensor([0.5, 0.0], np.float32), "nodes_modes": tensor([0, 6], np.uint8),
        "nodes_truenodeids": [1, 0], "nodes_falsenodeids": [1, 1], "nodes_trueleafs": [0, 1], "nodes_falseleafs": [1, 1],
        "tree_roots": [0], "leaf_targetids": [0, 1], "leaf_weights": tensor([1.0, 2.0], np.float32), "n_targets": 2,
        "membership_values": tensor([1.0, 2.0, np.nan], np.float32), "aggregate_function": 1, "post_transform": 0}),
    "LinearRegressor": (("ai.onnx.ml", 1), [X], {"coefficients": [1.0, 2.0, 3.0, 4.0], "intercepts": [0.0, 1.0], "targets": 2}),
    "LinearClassifier": (("ai.onnx.ml", 1), [X], {"coefficients": [1.0] * 6, "intercepts": [0.0] * 3, "classlabels_ints": [1, 2, 3]}),
    "SVMRegressor": (("ai.onnx.ml", 1), [X], {"coefficients": [1.0, 2.0], "support_vectors": [1.0] * 4, "n_supports": 2, "rho": [0.5],
                                              "kernel_type": "RBF", "kernel_params": [0.5, 0.0, 3.0]}),
    "SVMClassifier": (("ai.onnx.ml", 1), [X], {"coefficients": [1.0] * 6, "support_vectors": [1.0] * 6, "vectors_per_class": [1, 1, 1],
                                               "rho": [0.5] * 3, "prob_a": [-1.0] * 3, "prob_b": [0.0] * 3, "kernel_type": "POLY",
                                               "kernel_params": [0.5, 0.0, 3.0], "classlabels_ints": [1, 2, 3]}),
    "Scaler": (("ai.onnx.ml", 1), [X], {"offset": [1.0, 2.0], "scale": [1.0, 2.0]}),
    "Imputer": (("ai.onnx.ml", 1), [X], {"imputed_value_floats": [1.0, 2.0], "replaced_value_float": 0.0}),
    "FeatureVectorizer": (("ai.onnx.ml", 1), [X, X], {"inputdimensions": [2, 1]}),
    "OneHotEncoder": (("ai.onnx.ml", 1), [np.array([1, 2])], {"cats_int64s": [2, 3], "zeros": 1}),
    "LabelEncoder": (("ai.onnx.ml", 4), [np.array([1, 2])], {"keys_int64s": [1, 2], "values_floats": [0.5, 1.5]}),
    "TfIdfVectorizer": (("", 9), [np.array([[1, 2, 3]])], {
        "mode": "TFIDF", "min_gram_length": 1, "max_gram_length": 2, "max_skip_count": 1, "ngram_counts": [0, 2],
        "ngram_indexes": [0, 1, 2], "weights": [1.0, 2.0, 3.0], "pool_int64s": [1, 2, 2, 3]}),
    "Col2Im": (("", 18), [np.zeros((1, 4, 4), np.float32), np.array([3, 3]), np.array([2, 2])],
               {"pads": [0, 0, 0, 0], "strides": [1, 1], "dilations": [1, 1]}),
    "MaxUnpool": (("", 11), [np.zeros((1, 1, 2, 2), np.float32), np.array([[[[0, 2], [8, 10]]]])],
                  {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0, 0, 0, 0]}),
    "MaxRoiPool": (("", 11), [image, np.array([[0, 1, 1, 3, 3]], np.float32)], {"pooled_shape": [2, 2], "spatial_scale": 1.0}),
    "DeformConv": (("", 19), [image, np.zeros((2, 1, 2, 2), np.float32), np.zeros((1, 16, 5, 5), np.float32)],
                   {"group": 2, "offset_group": 2, "pads": [0, 0, 0, 0], "strides": [1, 1], "dilations": [1, 1], "kernel_shape": [2, 2]}),
    "DFT": (("", 17), [np.zeros((1, 4, 1), np.float32), np.array(3)], {"axis": 1, "inverse": 0, "onesided": 1}),
    "STFT": (("", 17), [np.zeros((1, 8, 1), np.float32), np.array(2), None, np.array(4)], {"onesided": 1}),
    "CenterCropPad": (("", 18), [X, np.array([2, 4])], {"axes": [0, 1]}),
    "BitShift": (("", 28), [np.array([1, 2], np.uint8), np.array([1, 9], np.uint8)], {"direction": "LEFT"}),
    "BitCast": (("", 26), [X], {"to": 6}),
    "HannWindow": (("", 17), [np.array(5)], {"periodic": 1, "output_datatype": 1}),
    "CumProd": (("", 26), [X, np.array(1)], {"exclusive": 1, "reverse": 1}),
    "ImageDecoder": (("", 20), [np.array([80, 51, 32], np.uint8)], {"pixel_format": "RGB"}),
    "Momentum": (("ai.onnx.preview.training", 1), [np.array(0.1, np.float32), np.array(1), X, X, X],
                 {"alpha": 0.5, "beta": 0.5, "norm_coefficient": 0.1, "mode": "standard"}),
    "Adam": (("ai.onnx.preview.training", 1), [np.array(0.1, np.float32), np.array(1), X, X, X, X], {"alpha": 0.5, "beta": 0.5}),
}
OUTPUTS = {"TreeEnsembleClassifier": 2, "LinearClassifier": 2, "SVMClassifier": 2, "Momentum": 2, "Adam": 3}


def changed(value):
    """Other values of the same kind, and of another."""
    if isinstance(value, list):
        yield value[:-1]
        yield [*value, value[-1]]
        if isinstance(value[0], str):
            yield ["NONSENSE", *value[1:]]
            return
        for v in (-1, 1 << 40, -(1 << 62)) if isinstance(value[0], int) else (float("nan"), float("inf"), -1e30):
            yield [v, *value[1:]]
            yield [*value[:-1], v]
    elif isinstance(value, str):
        yield from ("", "NONSENSE")
    elif isinstance(value, int):
        yield from (-1, 0, 3, 7, 1 << 40, -(1 << 63))
    elif isinstance(value, float):
        yield from (0.0, -1.0, float("nan"), float("inf"))
    else:
        yield tensor([1.0], np.float32)
        yield tensor([np.nan, 9.0, -1.0], np.float32)


def attempt(op, domain, version, inputs, attributes):
    attributes = {k: v for k, v in attributes.items() if v != []}
    names = [f"x{i}" if x is not None else "" for i, x in enumerate(inputs)]
    node = helper.make_node(op, names, [f"y{i}" for i in range(OUTPUTS.get(op, 1))], domain=domain, **attributes)
    given = [helper.make_tensor_value_info(k, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape) for k, x in zip(names, inputs) if k]
    constant = [helper.make_tensor(k, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape, x.ravel())
                for k, x in zip(names, inputs) if k and k != "x0" and x.dtype == np.int64 and x.size < 4]
    kept = {t.name for t in constant}
    graph = helper.make_graph([node], "g", [x for x in given if x.name not in kept],
                              [helper.make_empty_tensor_value_info(o) for o in node.output], constant)
    imports = [helper.make_opsetid("", version if domain == "" else 17)] + ([helper.make_opsetid(domain, version)] if domain else [])
    model = helper.make_model(graph, opset_imports=imports, ir_version=10)
    try:
        program = migraphx.parse_onnx_buffer(model.SerializeToString())
        program.compile(migraphx.get_target("ref"))
        wanted = program.get_parameter_names()
        program.run({k: np.ascontiguousarray(x) for k, x in zip(names, inputs) if k in wanted})
        return ""
    except (RuntimeError, ValueError) as error:
        return str(error)


@pytest.mark.parametrize("op", NODES)
def test_attributes(op):
    (domain, version), inputs, attributes = NODES[op]
    assert attempt(op, domain, version, inputs, attributes) == ""
    for name, value in attributes.items():
        for other in changed(value):
            message = attempt(op, domain, version, inputs, {**attributes, name: other})
            assert "internal" not in message and "bad_alloc" not in message, f"{name}={other}: {message}"
        left_out = copy.copy(attributes)
        del left_out[name]
        assert "internal" not in attempt(op, domain, version, inputs, left_out), f"without {name}"


@pytest.mark.parametrize("op", NODES)
def test_inputs(op):
    (domain, version), inputs, attributes = NODES[op]
    for i, x in enumerate(inputs):
        if x is None:
            continue
        for other in (x[:0] if x.ndim else x.reshape(1), x.reshape(-1), x[None], x.astype(np.float64), x.astype(np.int32), np.zeros((), x.dtype), None):
            message = attempt(op, domain, version, [*inputs[:i], other, *inputs[i + 1:]], attributes)
            assert "internal" not in message, message
