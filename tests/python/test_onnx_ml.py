# SPDX-License-Identifier: MIT
"""Operators of ai.onnx.ml against ONNX Runtime, in forms that the official cases leave out."""

import numpy as np
import pytest
from onnx import helper

pytest.importorskip("onnxruntime")

from onnx_pair import compiled, feeds, node_model, reference, run, with_ranges  # noqa: E402

TRANSFORMS = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"]


def rows(seed=0, shape=(7, 4), dtype=np.float32):
    return np.random.RandomState(seed).randn(*shape).astype(dtype)


def ml_model(op, inputs, outputs=("y",), opset=1, ranges=None, **attributes):
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", opset)]
    attributes = {k: v for k, v in attributes.items() if v is not None}
    return node_model(op, inputs, list(outputs), "ai.onnx.ml", opsets, ranges, None, **attributes)


def compare(op, inputs, outputs=("y",), opset=1, rtol=1e-4, atol=1e-5, expected=None, **attributes):
    model = ml_model(op, inputs, outputs, opset, **attributes)
    expected = expected or reference(model).run(None, feeds(inputs))
    # One program for any number of rows.
    ranges = {i: [(0, 64), *x.shape[1:]] for i, x in enumerate(inputs)}
    named = {f"x{i}": dims for i, dims in ranges.items()}
    open_model = ml_model(op, inputs, outputs, opset, ranges, **attributes)
    for target in ("ref", "cpu"):
        for program in (compiled(model, target), with_ranges(open_model, named, target)):
            for got, want in zip(run(program, feeds(inputs)), expected, strict=True):
                if want.dtype.kind in "OUS":
                    assert got.tolist() == want.tolist()
                    continue
                assert got.dtype == want.dtype
                np.testing.assert_allclose(got, want, rtol=rtol, atol=atol)


def random_trees(seed, count, depth, features, modes=("BRANCH_LEQ",)):
    """Attributes of nodes, and the (tree, node) of each leaf."""
    rng = np.random.RandomState(seed)
    a = {f"nodes_{k}": [] for k in ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids",
                                    "missing_value_tracks_true")}
    leaves = []
    for tree in range(count):
        number = 0

        def add(level):
            nonlocal number
            own, number = number, number + 1
            leaf = level == depth or (level > 0 and rng.rand() < 0.2)
            position = len(a["nodes_treeids"])
            for key, value in (("treeids", tree), ("nodeids", own), ("featureids", int(rng.randint(features))),
                               ("modes", "LEAF" if leaf else str(rng.choice(modes))),
                               ("values", float(np.round(rng.randn(), 1))), ("truenodeids", 0), ("falsenodeids", 0),
                               ("missing_value_tracks_true", int(rng.randint(2)))):
                a[f"nodes_{key}"].append(value)
            if leaf:
                leaves.append((tree, own))
            else:
                a["nodes_truenodeids"][position] = add(level + 1)
                a["nodes_falsenodeids"][position] = add(level + 1)
            return own

        add(0)
    return a, leaves


def votes(kind, leaves, targets, seed=0, positive=False):
    rng = np.random.RandomState(seed)
    pairs = [(leaf, t) for leaf in leaves for t in range(targets)]
    weights = rng.rand(len(pairs)) if positive else rng.randn(len(pairs))
    return {f"{kind}_treeids": [p[0][0] for p in pairs], f"{kind}_nodeids": [p[0][1] for p in pairs],
            f"{kind}_ids": [p[1] for p in pairs], f"{kind}_weights": [float(w) for w in weights]}


@pytest.mark.parametrize("aggregate", ["SUM", "AVERAGE", "MIN", "MAX"])
@pytest.mark.parametrize("targets", [1, 3])
def test_tree_regressor(aggregate, targets):
    nodes, leaves = random_trees(1, 9, 5, 4)
    x = rows(2)
    x[0, 1] = x[3, 2] = np.nan
    compare("TreeEnsembleRegressor", [x], opset=3, n_targets=targets, aggregate_function=aggregate,
            base_values=[0.5, -1.0, 2.0][:targets], **nodes, **votes("target", leaves, targets))


@pytest.mark.parametrize("mode", ["BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"])
def test_tree_modes(mode):
    nodes, leaves = random_trees(3, 4, 4, 3, (mode, "BRANCH_LEQ"))
    x = np.round(rows(4, (20, 3)), 1)
    compare("TreeEnsembleRegressor", [x], opset=3, n_targets=2, post_transform="SOFTMAX", **nodes, **votes("target", leaves, 2))


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_tree_classifier(transform):
    nodes, leaves = random_trees(5, 6, 4, 4)
    chosen = votes("class", leaves, 3, positive=transform == "PROBIT")
    if transform == "PROBIT":
        chosen["class_weights"] = [w / 6 for w in chosen["class_weights"]]
    compare("TreeEnsembleClassifier", [rows(6)], ("y", "z"), opset=3, post_transform=transform,
            classlabels_int64s=[7, 5, 9], **nodes, **chosen)


@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC"])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("base", [None, [0.1]])
def test_tree_classifier_of_two(transform, positive, base):
    nodes, leaves = random_trees(7, 3, 4, 4)
    compare("TreeEnsembleClassifier", [rows(8)], ("y", "z"), opset=3, post_transform=transform, base_values=base,
            classlabels_int64s=[0, 1], **nodes, **votes("class", leaves, 1, positive=positive))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.int32])
def test_linear_regressor(dtype):
    x, weights = (rows(9) * 3).astype(dtype), rows(10, (8,))
    compare("LinearRegressor", [x], targets=2, intercepts=[0.5, -1.0], coefficients=[float(v) for v in weights],
            expected=[(x @ weights.reshape(2, 4).T + [0.5, -1.0]).astype(np.float32)])


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_linear_classifier(transform):
    weights = np.abs(rows(11, (12,))) / 20 if transform == "PROBIT" else rows(11, (12,))
    x = np.abs(rows(12)) if transform == "PROBIT" else rows(12)
    compare("LinearClassifier", [x], ("y", "z"), classlabels_ints=[3, 1, 2], intercepts=[0.1, 0.2, 0.3],
            coefficients=[float(v) for v in weights], post_transform=transform)


@pytest.mark.parametrize("transform", ["NONE", "LOGISTIC"])
def test_linear_classifier_of_two(transform):
    compare("LinearClassifier", [rows(13)], ("y", "z"), classlabels_ints=[3, 1], intercepts=[0.1],
            coefficients=[float(v) for v in rows(14, (4,))], post_transform=transform)


KERNELS = {"LINEAR": [0.0, 0.0, 0.0], "POLY": [0.5, 0.1, 3.0], "RBF": [0.3, 0.0, 0.0], "SIGMOID": [0.2, 0.1, 0.0]}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("one_class", [0, 1])
def test_svm_regressor(kernel, one_class):
    vectors = rows(15, (6, 4))
    compare("SVMRegressor", [rows(16)], kernel_type=kernel, kernel_params=KERNELS[kernel], n_supports=6, one_class=one_class,
            support_vectors=[float(v) for v in vectors.ravel()], coefficients=[float(v) for v in rows(17, (6,))], rho=[0.3])


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("probabilities", [False, True])
def test_svm_classifier(kernel, classes, probabilities):
    vectors = rows(18, (3 * classes, 4))
    pairs = classes * (classes - 1) // 2
    rng = np.random.RandomState(19)
    extra = {"prob_a": [float(-1 - v) for v in rng.rand(pairs)], "prob_b": [float(v) for v in rng.randn(pairs)]} if probabilities else {}
    compare("SVMClassifier", [rows(20)], ("y", "z"), kernel_type=kernel, kernel_params=KERNELS[kernel], rtol=2e-3, atol=1e-4,
            classlabels_ints=list(range(10, 10 + classes)), vectors_per_class=[3] * classes,
            support_vectors=[float(v) for v in vectors.ravel()],
            coefficients=[float(v) for v in rng.randn((classes - 1) * 3 * classes)], rho=[float(v) for v in rng.randn(pairs)], **extra)


def test_svm_without_support_vectors():
    compare("SVMClassifier", [rows(21)], ("y", "z"), kernel_type="LINEAR", kernel_params=[0.0, 0.0, 0.0], rho=[0.1, 0.2, 0.3],
            classlabels_ints=[4, 5, 6], coefficients=[float(v) for v in rows(22, (12,))])


@pytest.mark.parametrize("norm", ["MAX", "L1", "L2"])
@pytest.mark.parametrize("shape", [(5, 4), (4,)])
def test_normalizer(norm, shape):
    x = rows(23, shape)
    if len(shape) == 2:
        x[2] = 0
    compare("Normalizer", [x], norm=norm)


def test_scaler():
    compare("Scaler", [rows(24)], offset=[0.5, 1.0, -1.0, 2.0], scale=[1.0, 2.0, 0.5, -1.0])
    compare("Scaler", [np.arange(6).reshape(2, 3)], offset=[1.0], scale=[0.5])


def test_imputer():
    x = rows(25, (3, 3))
    x[0, 1] = x[2, 2] = np.nan
    compare("Imputer", [x], imputed_value_floats=[1.0, 2.0, 3.0], replaced_value_float=float("nan"))
    compare("Imputer", [x], imputed_value_floats=[9.0], replaced_value_float=float("nan"))
    compare("Imputer", [np.array([[1, -1], [3, 1]])], imputed_value_int64s=[7, 8], replaced_value_int64=1)


def test_binarizer():
    compare("Binarizer", [rows(26)], threshold=0.25)


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.float32])
def test_one_hot_encoder(dtype):
    hot = np.eye(4, dtype=np.float32)[:, :3]
    compare("OneHotEncoder", [np.array([[1, 5], [9, 3]], dtype)], cats_int64s=[5, 1, 3], zeros=1, expected=[hot[[[1, 0], [3, 2]]]])
    compare("OneHotEncoder", [np.array([1, 5, 3], dtype)], cats_int64s=[5, 1, 3], zeros=0, expected=[hot[[1, 0, 2]]])


def test_one_hot_encoder_refuses_other_categories():
    x = np.array([[1, 7]])
    model = ml_model("OneHotEncoder", [x], cats_int64s=[5, 1], zeros=0)
    for target in ("ref", "cpu"):
        with pytest.raises(RuntimeError, match="index"):
            run(compiled(model, target), feeds([x]))


def test_feature_vectorizer():
    compare("FeatureVectorizer", [rows(27, (3, 2)), rows(28, (3, 1))], inputdimensions=[2, 1])


@pytest.mark.parametrize("shape", [(2, 3, 4), (5,)])
def test_array_feature_extractor(shape):
    compare("ArrayFeatureExtractor", [rows(29, shape), np.array([[3, 0, 3]])])


def test_label_encoder_of_numbers():
    x = np.array([[1, 2], [3, 9]])
    compare("LabelEncoder", [x], opset=2, keys_int64s=[1, 2, 3], values_floats=[0.5, 1.5, 2.5], default_float=-7.0)
    compare("LabelEncoder", [x.astype(np.float32)], opset=2, keys_floats=[1.0, 3.0], values_int64s=[4, 5])
    nan = np.array([np.nan, 1.0], np.float32)
    compare("LabelEncoder", [nan], opset=4, keys_floats=[float("nan"), 2.0], values_floats=[4.0, 5.0])


def words(*rows_of_words):
    return np.array(rows_of_words, object)


def test_label_encoder_of_strings():
    x = words("b", "a", "nothing")
    compare("LabelEncoder", [x], opset=2, keys_strings=["a", "b"], values_int64s=[5, 6], default_int64=-7)
    compare("LabelEncoder", [x], opset=2, keys_strings=["a", "b"], values_strings=["x", "a longer word than the others"])
    compare("LabelEncoder", [np.array([[1, 2], [3, 1]])], opset=2, keys_int64s=[1, 2], values_strings=["one", "two"], default_string="?")
    compare("LabelEncoder", [x], opset=4, keys_strings=["b", ""], values_floats=[0.5, 1.5])
    compare("LabelEncoder", [words()], opset=2, keys_strings=["a"], values_int64s=[5], expected=[np.zeros(0, np.int64)])
    # The first form: the position in a list, or what is there.
    compare("LabelEncoder", [x], opset=1, classes_strings=["a", "b"], default_int64=9)
    compare("LabelEncoder", [np.array([1, 0, 5])], opset=1, classes_strings=["a", "b"], default_string="?")


def test_category_mapper():
    compare("CategoryMapper", [words("dog", "cat", "cow")], cats_int64s=[3, 4], cats_strings=["cat", "dog"])
    compare("CategoryMapper", [np.array([[4, 3, 1]])], cats_int64s=[3, 4], cats_strings=["cat", "dog"], default_string="none")


def test_one_hot_encoder_of_strings():
    hot = np.eye(3, dtype=np.float32)[:, :2]
    compare("OneHotEncoder", [words(["b", "a"], ["c", "b"])], cats_strings=["a", "b"], expected=[hot[[[1, 0], [2, 1]]]])


def test_array_feature_extractor_of_strings():
    compare("ArrayFeatureExtractor", [words(["a", "b"], ["c", "d"]), np.array([1])])


def test_classes_with_names():
    nodes, leaves = random_trees(5, 6, 4, 4)
    compare("TreeEnsembleClassifier", [rows(6)], ("y", "z"), opset=3, classlabels_strings=["first", "second", "third"], **nodes,
            **votes("class", leaves, 3))
    compare("LinearClassifier", [rows(13)], ("y", "z"), classlabels_strings=["no", "yes"], intercepts=[0.1],
            coefficients=[float(v) for v in rows(14, (4,))], post_transform="LOGISTIC")
