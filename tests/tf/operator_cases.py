# SPDX-License-Identifier: MIT
"""One graph for each operator and attribute worth a case, run by TensorFlow."""

import numpy as np
import tensorflow as tf

raw = tf.raw_ops
RNG = np.random.default_rng(7)


def real(*dims, lo=-2.0, hi=2.0, dtype=np.float32):
    return RNG.uniform(lo, hi, dims).astype(dtype)


def whole(*dims, lo=-5, hi=6, dtype=np.int32):
    return RNG.integers(lo, hi, dims).astype(dtype)


def flags(*dims):
    return RNG.integers(0, 2, dims).astype(bool)


def run(build, inputs):
    """Graph, inputs and results of build(placeholders…); its results are named r0, r1, …"""
    graph = tf.Graph()
    with graph.as_default():
        feeds = {k: tf.compat.v1.placeholder(v.dtype, v.shape, name=k) for k, v in inputs.items()}
        results = build(**feeds)
        results = list(results) if isinstance(results, (list, tuple)) else [results]
        fetches = [tf.identity(r, name=f"r{i}") for i, r in enumerate(results)]
        with tf.compat.v1.Session(graph=graph) as session:
            values = session.run(fetches, {feeds[k]: v for k, v in inputs.items()})
    outputs = {f"r{i}": np.asarray(v) for i, v in enumerate(values)}
    return graph.as_graph_def().SerializeToString(), inputs, outputs


def pointwise():
    x = real(2, 3, 4)
    special = np.array([0.0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 1e-8, -1e-8, 30, -30, 0.5, 1.5, 2.5, -2.5], np.float32)
    for name in "Abs Atan Asinh Ceil Cos Erf Erfc Exp Expm1 Floor Neg Relu Relu6 Rint Round Selu Sigmoid Sign Sin Sinh Cosh Softplus Softsign Square Tan Tanh Elu IsFinite IsInf IsNan".split():
        op = getattr(raw, name)
        arg = "features" if name in ("Relu", "Relu6", "Selu", "Elu", "Softplus", "Softsign") else "x"
        yield name, lambda x, op=op, arg=arg: op(**{arg: x}), dict(x=x)
        if name not in ("Cos", "Sin", "Tan", "Sinh", "Cosh"):
            yield name + "_special", lambda x, op=op, arg=arg: op(**{arg: x}), dict(x=special)
    for name in "Log Sqrt Rsqrt Reciprocal Log1p".split():
        op = getattr(raw, name)
        yield name, lambda x, op=op: op(x=x), dict(x=real(3, 5, lo=0.01, hi=4))
    yield "Log1p_special", lambda x: raw.Log1p(x=x), dict(x=np.array([0, 1e-8, -1e-8, 1e-4, np.inf, -1, 3e7], np.float32))
    for name in "Acos Asin Atanh".split():
        op = getattr(raw, name)
        yield name, lambda x, op=op: op(x=x), dict(x=real(7, lo=-0.9, hi=0.9))
    yield "Acosh", lambda x: raw.Acosh(x=x), dict(x=real(7, lo=1.1, hi=5))
    yield "Inv", lambda x: raw.Inv(x=x), dict(x=real(7, lo=1.1, hi=5))
    yield "LeakyRelu", lambda x: raw.LeakyRelu(features=x), dict(x=x)
    yield "LeakyRelu_alpha", lambda x: raw.LeakyRelu(features=x, alpha=0.3), dict(x=x)
    yield "scalar_chain", lambda x: raw.Exp(x=raw.Neg(x=x)) + 1.0, dict(x=np.float32(0.5).reshape(()))
    for name in "AddV2 Sub Mul RealDiv Div Maximum Minimum SquaredDifference FloorDiv FloorMod Mod Atan2 Pow DivNoNan MulNoNan Xdivy Xlogy".split():
        op = getattr(raw, name)
        lo = 0.1 if name in ("Pow", "Xlogy") else -2
        b = real(3, 1, lo=lo)
        if name in ("DivNoNan", "MulNoNan"):
            b[1] = 0
        a = real(2, 3, 4, lo=lo)
        if name[0] == "X":
            a[0, 0] = 0
        xy = ("y", "x") if name == "Atan2" else ("x", "y")
        yield name, lambda a, b, op=op, xy=xy: op(**dict(zip(xy, (a, b)))), dict(a=a, b=b)
    yield "Add", lambda a, b: raw.Add(x=a, y=b), dict(a=real(4), b=real(2, 4))
    for name in "AddV2 Sub Mul Div FloorDiv FloorMod TruncateMod TruncateDiv Maximum Minimum SquaredDifference BitwiseAnd BitwiseOr BitwiseXor".split():
        op = getattr(raw, name)
        b = whole(4, lo=1, hi=5) * np.array([1, -1, 1, -1], np.int32)
        yield name + "_int", lambda a, b, op=op: op(x=a, y=b), dict(a=whole(3, 4, lo=-20, hi=20), b=b)
    yield "Pow_int", lambda a, b: raw.Pow(x=a, y=b), dict(a=whole(5), b=whole(5, lo=0, hi=4))
    yield "Invert", lambda a: raw.Invert(x=a), dict(a=whole(5))
    yield "Invert_uint8", lambda a: raw.Invert(x=a), dict(a=whole(5, lo=0, hi=255, dtype=np.uint8))
    yield "BitwiseXor_uint8", lambda a, b: raw.BitwiseXor(x=a, y=b), dict(a=whole(9, lo=0, hi=255, dtype=np.uint8), b=whole(9, lo=0, hi=255, dtype=np.uint8))
    for name in "Equal NotEqual Less LessEqual Greater GreaterEqual".split():
        op = getattr(raw, name)
        yield name, lambda a, b, op=op: op(x=a, y=b), dict(a=np.array([[1, 2, np.nan, 4]], np.float32), b=np.array([[1], [3], [np.nan]], np.float32))
        yield name + "_int", lambda a, b, op=op: op(x=a, y=b), dict(a=whole(6), b=whole(6))
    for name in "LogicalAnd LogicalOr".split():
        op = getattr(raw, name)
        yield name, lambda a, b, op=op: op(x=a, y=b), dict(a=flags(8), b=flags(8))
    yield "LogicalNot", lambda a: raw.LogicalNot(x=a), dict(a=flags(8))
    yield "AddN", lambda a, b, c: raw.AddN(inputs=[a, b, c]), dict(a=real(3), b=real(3), c=real(3))
    yield "AddN_six", lambda a: raw.AddN(inputs=[a] * 6), dict(a=real(3))
    yield "BiasAdd", lambda a, b: raw.BiasAdd(value=a, bias=b), dict(a=real(2, 3, 4, 5), b=real(5))
    yield "BiasAdd_rank2", lambda a, b: raw.BiasAdd(value=a, bias=b), dict(a=real(2, 5), b=real(5))
    yield "BiasAdd_nchw", lambda a, b: raw.BiasAdd(value=a, bias=b, data_format="NCHW"), dict(a=real(2, 5, 3, 4), b=real(5))
    yield "ClipByValue", lambda x: tf.clip_by_value(x, -0.5, 0.7), dict(x=x)
    for dst in (tf.int32, tf.float64, tf.bool, tf.float16, tf.int64):
        yield "Cast_" + dst.name, lambda x, dst=dst: raw.Cast(x=x, DstT=dst), dict(x=real(9, lo=-4, hi=4))
    yield "Cast_from_bool", lambda x: raw.Cast(x=x, DstT=tf.float32), dict(x=flags(6))
    yield "Select", lambda c, a, b: raw.Select(condition=c, x=a, y=b), dict(c=flags(3), a=real(3, 4), b=real(3, 4))
    yield "Select_same", lambda c, a, b: raw.Select(condition=c, x=a, y=b), dict(c=flags(3, 4), a=real(3, 4), b=real(3, 4))
    yield "SelectV2", lambda c, a, b: raw.SelectV2(condition=c, t=a, e=b), dict(c=flags(4), a=real(3, 4), b=real(3, 1))
    yield "likes", lambda x: [raw.OnesLike(x=x), raw.ZerosLike(x=x)], dict(x=x)
    yield "identities", lambda x: raw.StopGradient(input=raw.Snapshot(input=raw.IdentityN(input=[x])[0])), dict(x=x)
    yield "half", lambda x: raw.Tanh(x=x) * x, dict(x=real(9, dtype=np.float16))
    yield "double", lambda x: raw.Exp(x=x) + x, dict(x=real(9, dtype=np.float64))


def convolutions():
    for padding in ("SAME", "VALID"):
        for stride in (1, 2):
            for dilation in (1, 2):
                if stride > 1 and dilation > 1:
                    continue
                yield f"Conv2D_{padding}_s{stride}_d{dilation}", lambda x, p=padding, s=stride, d=dilation, w=real(3, 2, 3, 4): raw.Conv2D(
                    input=x, filter=w, strides=[1, s, s, 1], padding=p, dilations=[1, d, d, 1]), dict(x=real(2, 7, 8, 3))
            yield f"Depthwise_{padding}_s{stride}", lambda x, p=padding, s=stride, w=real(3, 3, 3, 2): raw.DepthwiseConv2dNative(
                input=x, filter=w, strides=[1, s, s, 1], padding=p), dict(x=real(2, 7, 8, 3))
    yield "Conv2D_explicit", lambda x, w=real(3, 3, 3, 4): raw.Conv2D(
        input=x, filter=w, strides=[1, 2, 1, 1], padding="EXPLICIT", explicit_paddings=[0, 0, 0, 2, 1, 3, 0, 0]), dict(x=real(1, 7, 6, 3))
    yield "Depthwise_dilated", lambda x, w=real(3, 3, 2, 1): raw.DepthwiseConv2dNative(
        input=x, filter=w, strides=[1, 1, 1, 1], padding="SAME", dilations=[1, 2, 2, 1]), dict(x=real(1, 7, 6, 2))
    yield "Depthwise_explicit", lambda x, w=real(3, 2, 2, 3): raw.DepthwiseConv2dNative(
        input=x, filter=w, strides=[1, 1, 1, 1], padding="EXPLICIT", explicit_paddings=[0, 0, 1, 0, 2, 1, 0, 0]), dict(x=real(1, 5, 6, 2))
    yield "Conv2D_variable_kernel", lambda x, w: raw.Conv2D(input=x, filter=w, strides=[1, 1, 1, 1], padding="SAME"), dict(x=real(1, 5, 6, 2), w=real(3, 3, 2, 4))
    yield "Conv3D", lambda x, w=real(2, 3, 2, 2, 3): raw.Conv3D(input=x, filter=w, strides=[1, 1, 2, 1, 1], padding="SAME"), dict(x=real(1, 4, 5, 6, 2))
    for padding, size in (("SAME", 8), ("VALID", 9), ("SAME", 7), ("VALID", 10)):
        yield f"Conv2DBackpropInput_{padding}_{size}", lambda x, p=padding, size=size, w=real(3, 3, 4, 2): raw.Conv2DBackpropInput(
            input_sizes=[1, size, size, 4], filter=w, out_backprop=x, strides=[1, 2, 2, 1], padding=p), dict(x=real(1, 4, 4, 2))
    yield "Conv2DBackpropInput_s1", lambda x, w=real(3, 2, 4, 2): raw.Conv2DBackpropInput(
        input_sizes=[2, 5, 4, 4], filter=w, out_backprop=x, strides=[1, 1, 1, 1], padding="SAME"), dict(x=real(2, 5, 4, 2))
    yield "Conv2DBackpropInput_explicit", lambda x, w=real(3, 3, 4, 2): raw.Conv2DBackpropInput(
        input_sizes=[1, 6, 8, 4], filter=w, out_backprop=x, strides=[1, 2, 2, 1], padding="EXPLICIT", explicit_paddings=[0, 0, 1, 2, 0, 1, 0, 0]), dict(x=real(1, 4, 4, 2))
    yield "Conv2DBackpropInput_small_kernel", lambda x, w=real(1, 1, 4, 2): raw.Conv2DBackpropInput(
        input_sizes=[1, 8, 8, 4], filter=w, out_backprop=x, strides=[1, 2, 2, 1], padding="SAME"), dict(x=real(1, 4, 4, 2))
    yield "Conv3DBackpropInputV2", lambda x, w=real(3, 2, 2, 3, 2): raw.Conv3DBackpropInputV2(
        input_sizes=[1, 6, 4, 5, 3], filter=w, out_backprop=x, strides=[1, 2, 2, 1, 1], padding="SAME"), dict(x=real(1, 3, 2, 5, 2))
    for padding in ("SAME", "VALID"):
        yield f"MaxPool_{padding}", lambda x, p=padding: raw.MaxPool(input=x, ksize=[1, 3, 2, 1], strides=[1, 2, 2, 1], padding=p), dict(x=real(2, 7, 8, 3))
        yield f"AvgPool_{padding}", lambda x, p=padding: raw.AvgPool(value=x, ksize=[1, 3, 2, 1], strides=[1, 2, 1, 1], padding=p), dict(x=real(2, 7, 8, 3))
    yield "MaxPool_explicit", lambda x: raw.MaxPool(
        input=x, ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding="EXPLICIT", explicit_paddings=[0, 0, 1, 0, 2, 1, 0, 0]), dict(x=real(1, 6, 6, 2))
    yield "MaxPoolV2", lambda x: raw.MaxPoolV2(input=x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME"), dict(x=real(1, 5, 6, 2))
    yield "MaxPool3D", lambda x: raw.MaxPool3D(input=x, ksize=[1, 2, 2, 2, 1], strides=[1, 2, 1, 2, 1], padding="SAME"), dict(x=real(1, 5, 4, 6, 2))
    yield "AvgPool3D", lambda x: raw.AvgPool3D(input=x, ksize=[1, 2, 2, 2, 1], strides=[1, 2, 1, 2, 1], padding="SAME"), dict(x=real(1, 5, 4, 6, 2))


def normalisations():
    one = lambda x, **k: raw.FusedBatchNormV3(
        x=x, scale=tf.constant(real(3)), offset=tf.constant(real(3)), mean=tf.constant(real(3)), variance=tf.constant(real(3, lo=0.1)), **k)
    yield "FusedBatchNormV3", lambda x: one(x, is_training=False, epsilon=1e-3).y, dict(x=real(2, 4, 5, 3))
    yield "FusedBatchNormV3_training", lambda x: raw.FusedBatchNormV3(
        x=x, scale=tf.constant([1.0, 2, 3]), offset=tf.constant([0.1, 0.2, 0.3]), mean=tf.constant([], tf.float32), variance=tf.constant([], tf.float32),
        is_training=True)[:3], dict(x=real(2, 4, 5, 3))
    yield "FusedBatchNorm", lambda x: raw.FusedBatchNorm(
        x=x, scale=tf.constant(real(3)), offset=tf.constant(real(3)), mean=tf.constant(real(3)), variance=tf.constant(real(3, lo=0.1)), is_training=False).y, dict(x=real(2, 4, 5, 3))
    yield "LRN", lambda x: raw.LRN(input=x, depth_radius=2, bias=1.5, alpha=0.3, beta=0.6), dict(x=real(1, 3, 4, 7))
    yield "Softmax", lambda x: raw.Softmax(logits=x), dict(x=real(3, 4))
    yield "Softmax_rank3", lambda x: tf.nn.softmax(x), dict(x=real(2, 3, 4))
    yield "LogSoftmax", lambda x: raw.LogSoftmax(logits=x), dict(x=real(3, 4))
    yield "FakeQuantArgs", lambda x: raw.FakeQuantWithMinMaxArgs(inputs=x, min=-1.3, max=2.1, num_bits=4), dict(x=real(4, 5))
    yield "FakeQuantArgs_narrow", lambda x: raw.FakeQuantWithMinMaxArgs(inputs=x, min=0.3, max=2.1, num_bits=8, narrow_range=True), dict(x=real(4, 5, hi=3))
    yield "FakeQuantVars", lambda x: raw.FakeQuantWithMinMaxVars(inputs=x, min=-1.5, max=1.2), dict(x=real(4, 5))
    yield "FakeQuantVarsPerChannel", lambda x: raw.FakeQuantWithMinMaxVarsPerChannel(
        inputs=x, min=tf.constant([-1.0, -0.5, -2]), max=tf.constant([1.0, 0.5, 0.1]), num_bits=6), dict(x=real(4, 3))


def reductions():
    x = real(2, 3, 4, 5)
    for name in "Sum Mean Max Min Prod EuclideanNorm".split():
        op = getattr(raw, name)
        for label, axes in (("all", [0, 1, 2, 3]), ("hw", [1, 2]), ("last", -1), ("none", [])):
            for keep in (False, True):
                if keep and label == "none":
                    continue
                axes_t = np.array(axes, np.int32)
                yield f"{name}_{label}_{int(keep)}", lambda x, op=op, a=axes_t, keep=keep: op(input=x, axis=a, keep_dims=keep), dict(x=x)
    yield "Sum_int", lambda x: raw.Sum(input=x, axis=[1]), dict(x=whole(3, 4))
    yield "Any", lambda x: raw.Any(input=x, axis=[1]), dict(x=flags(6, 3))
    yield "All", lambda x: raw.All(input=x, axis=[1], keep_dims=True), dict(x=flags(6, 3))
    yield "All_total", lambda x: raw.All(input=x, axis=[0, 1]), dict(x=flags(6, 3))
    yield "L2Loss", lambda x: raw.L2Loss(t=x), dict(x=x)
    for name in ("ArgMax", "ArgMin"):
        op = getattr(raw, name)
        yield name, lambda x, op=op: op(input=x, dimension=-1), dict(x=real(3, 5))
        yield name + "_int32", lambda x, op=op: op(input=x, dimension=0, output_type=tf.int32), dict(x=real(3, 5))
    yield "ArgMax_vector", lambda x: raw.ArgMax(input=x, dimension=0), dict(x=real(5))
    yield "TopKV2", lambda x: tuple(raw.TopKV2(input=x, k=3)), dict(x=real(2, 7))
    yield "TopK", lambda x: tuple(raw.TopK(input=x, k=2)), dict(x=real(7))
    for exclusive in (False, True):
        for reverse in (False, True):
            yield f"Cumsum_{int(exclusive)}{int(reverse)}", lambda x, e=exclusive, r=reverse: raw.Cumsum(x=x, axis=1, exclusive=e, reverse=r), dict(x=real(2, 5))
    for a in (False, True):
        for b in (False, True):
            yield f"MatMul_{int(a)}{int(b)}", lambda x, y, a=a, b=b: raw.MatMul(a=x, b=y, transpose_a=a, transpose_b=b), dict(
                x=real(*((4, 3) if a else (3, 4))), y=real(*((5, 4) if b else (4, 5))))
    yield "BatchMatMul", lambda x, y: raw.BatchMatMul(x=x, y=y, adj_y=True), dict(x=real(2, 3, 4), y=real(2, 5, 4))
    yield "BatchMatMulV2", lambda x, y: raw.BatchMatMulV2(x=x, y=y, adj_x=True), dict(x=real(2, 1, 4, 3), y=real(5, 4, 2))
    yield "BatchMatMulV3", lambda x, y: raw.BatchMatMulV3(x=x, y=y, Tout=tf.float32), dict(x=real(2, 3, 4), y=real(4, 2))
    for equation, a, b in (("abc,cd->abd", (2, 3, 4), (4, 5)), ("bhqd,bhkd->bhqk", (1, 2, 3, 4), (1, 2, 5, 4)), ("ij,ij->", (3, 4), (3, 4)), ("...ij,...jk->...ik", (2, 3, 4), (4, 5))):
        yield "Einsum_" + equation.replace(",", "_").replace("->", "_to_").replace("...", "x"), lambda x, y, e=equation: raw.Einsum(inputs=[x, y], equation=e), dict(x=real(*a), y=real(*b))


def shapes():
    x = real(2, 3, 4)
    yield "Shape", lambda x: [raw.Shape(input=x), raw.Shape(input=x, out_type=tf.int64), raw.Size(input=x), raw.Rank(input=x)], dict(x=x)
    yield "ShapeN", lambda x, y: raw.ShapeN(input=[x, y]), dict(x=x, y=real(5))
    for to in ([6, 4], [-1], [4, -1, 1], [24, 1]):
        yield "Reshape_" + "_".join(map(str, to)).replace("-", "m"), lambda x, to=to: raw.Reshape(tensor=x, shape=to), dict(x=x)
    yield "Reshape_scalar", lambda x: raw.Reshape(tensor=x, shape=tf.constant([], tf.int32)), dict(x=real(1, 1))
    yield "Reshape_empty", lambda x: raw.Reshape(tensor=x[:, :0], shape=[0, 7]), dict(x=x)
    yield "Reshape_chain", lambda x: raw.Reshape(tensor=x, shape=raw.Pack(values=[raw.StridedSlice(
        input=raw.Shape(input=x), begin=[0], end=[1], strides=[1], shrink_axis_mask=1), tf.constant(-1)])), dict(x=x)
    yield "Squeeze", lambda x: raw.Squeeze(input=x), dict(x=real(1, 3, 1, 4))
    yield "Squeeze_axis", lambda x: raw.Squeeze(input=x, axis=[-2]), dict(x=real(1, 3, 1, 4))
    yield "Squeeze_all", lambda x: raw.Squeeze(input=x), dict(x=real(1, 1))
    for axis in (0, 1, -1):
        yield f"ExpandDims_{axis}".replace("-", "m"), lambda x, a=axis: raw.ExpandDims(input=x, axis=a), dict(x=real(3, 4))
    yield "ExpandDims_scalar", lambda x: raw.ExpandDims(input=x, axis=0), dict(x=np.float32(3).reshape(()))
    yield "Transpose", lambda x: raw.Transpose(x=x, perm=[2, 0, 1]), dict(x=x)
    yield "Transpose_twice", lambda x: raw.Transpose(x=raw.Transpose(x=x, perm=[0, 3, 1, 2]), perm=[0, 1, 3, 2]), dict(x=real(2, 3, 4, 5))
    yield "BroadcastTo", lambda x: raw.BroadcastTo(input=x, shape=[2, 3, 4]), dict(x=real(3, 1))
    yield "BroadcastArgs", lambda x: raw.BroadcastTo(input=x, shape=raw.BroadcastArgs(s0=[3, 1], s1=[2, 1, 4])), dict(x=real(3, 1))
    yield "Fill", lambda x: raw.Fill(dims=[2, 3], value=raw.Squeeze(input=x)), dict(x=real(1))
    yield "Tile", lambda x: raw.Tile(input=x, multiples=[2, 1, 3]), dict(x=x)
    yield "Range", lambda x: x + raw.Range(start=1.0, limit=4.5, delta=0.5), dict(x=real(1))
    yield "Range_int", lambda x: x + raw.Range(start=7, limit=0, delta=-2), dict(x=whole(1))
    yield "LinSpace", lambda x: x * raw.LinSpace(start=1.0, stop=3.0, num=5), dict(x=real(1))
    yield "InvertPermutation", lambda x: raw.Transpose(x=x, perm=raw.InvertPermutation(x=[2, 0, 1])), dict(x=x)
    yield "SpaceToDepth", lambda x: raw.SpaceToDepth(input=x, block_size=2), dict(x=real(2, 4, 6, 3))
    yield "DepthToSpace", lambda x: raw.DepthToSpace(input=x, block_size=2), dict(x=real(2, 2, 3, 12))
    yield "SpaceToBatchND", lambda x: raw.SpaceToBatchND(input=x, block_shape=[2, 3], paddings=[[1, 0], [0, 2]]), dict(x=real(2, 5, 4, 3))
    yield "BatchToSpaceND", lambda x: raw.BatchToSpaceND(input=x, block_shape=[2, 3], crops=[[1, 0], [0, 2]]), dict(x=real(12, 3, 2, 3))
    yield "SpaceToBatch", lambda x: raw.SpaceToBatch(input=x, block_size=2, paddings=[[1, 0], [0, 1]]), dict(x=real(1, 5, 3, 2))
    yield "BatchToSpace", lambda x: raw.BatchToSpace(input=x, block_size=2, crops=[[1, 0], [0, 1]]), dict(x=real(4, 3, 2, 2))
    yield "Const_fill", lambda x: x * tf.constant(0.25, shape=[40, 50]) + tf.zeros([40, 50]), dict(x=real(50))
    yield "Const_types", lambda x: [tf.constant([1, 2], t) + tf.cast(x, t) for t in (tf.int8, tf.uint8, tf.int16, tf.int64, tf.float16, tf.float64)], dict(x=whole(2, lo=0, hi=3))
    yield "Const_bool", lambda x: raw.LogicalAnd(x=x, y=[True, False, True]), dict(x=flags(3))
    yield "PlaceholderWithDefault", lambda x: x + raw.PlaceholderWithDefault(input=2.5, shape=[]), dict(x=real(2))


def slices():
    x = real(4, 5, 6)
    for label, f in dict(
        plain=lambda x: x[1:3, 2:, :-1], strides=lambda x: x[::2, ::-1, 1:5:3], negative=lambda x: x[-1:-4:-2, ::-2], shrink=lambda x: x[1, :, -2],
        new=lambda x: x[:, tf.newaxis, 2, ..., tf.newaxis], ellipsis=lambda x: x[..., 1:3], both=lambda x: x[tf.newaxis, ..., 2, ::2], empty=lambda x: x[3:1],
        scalar=lambda x: x[1, 2, 3], all_new=lambda x: x[tf.newaxis, :, :, :, tf.newaxis], clipped=lambda x: x[-100:100, 7:2:-1]).items():
        yield "StridedSlice_" + label, f, dict(x=x)
    yield "StridedSlice_vector", lambda x: [x[2:3], x[2], x[::-1]], dict(x=real(5))
    yield "Slice", lambda x: raw.Slice(input=x, begin=[1, 0, 2], size=[2, -1, 3]), dict(x=x)
    yield "ConcatV2", lambda a, b: raw.ConcatV2(values=[a, b, a], axis=-1), dict(a=real(2, 3), b=real(2, 4))
    yield "Concat", lambda a, b: raw.Concat(concat_dim=0, values=[a, b]), dict(a=real(2, 3), b=real(1, 3))
    yield "Pack", lambda a, b: raw.Pack(values=[a, b], axis=1), dict(a=real(2, 3), b=real(2, 3))
    yield "Pack_scalars", lambda a: raw.Pack(values=[a[0], a[1]], axis=0), dict(a=real(2))
    yield "Unpack", lambda a: raw.Unpack(value=a, num=3, axis=1), dict(a=real(2, 3, 4))
    yield "Unpack_vector", lambda a: raw.Unpack(value=a, num=3, axis=0), dict(a=real(3))
    yield "Split", lambda a: raw.Split(axis=-1, value=a, num_split=3), dict(a=real(2, 6))
    yield "SplitV", lambda a: raw.SplitV(value=a, size_splits=[1, -1, 2], axis=1, num_split=3), dict(a=real(2, 6))
    yield "Pad", lambda a: raw.Pad(input=a, paddings=[[1, 0], [2, 3]]), dict(a=real(2, 3))
    yield "Pad_image", lambda a: raw.Pad(input=a, paddings=[[0, 0], [1, 2], [3, 0], [0, 1]]), dict(a=real(1, 2, 3, 2))
    yield "PadV2", lambda a: raw.PadV2(input=a, paddings=[[1, 0], [2, 3]], constant_values=-1.5), dict(a=real(2, 3))
    yield "MirrorPad_reflect", lambda a: raw.MirrorPad(input=a, paddings=[[1, 0], [2, 1]], mode="REFLECT"), dict(a=real(2, 3))
    yield "MirrorPad_symmetric", lambda a: raw.MirrorPad(input=a, paddings=[[1, 2], [3, 1]], mode="SYMMETRIC"), dict(a=real(2, 3))
    yield "MirrorPad_image", lambda a: raw.MirrorPad(input=a, paddings=[[0, 0], [1, 2], [2, 0], [0, 0]], mode="REFLECT"), dict(a=real(1, 4, 3, 2))
    yield "ReverseV2", lambda a: raw.ReverseV2(tensor=a, axis=[0, -1]), dict(a=real(2, 3, 4))
    yield "Reverse", lambda a: raw.Reverse(tensor=a, dims=[False, True]), dict(a=real(2, 3))
    yield "Roll", lambda a: raw.Roll(input=a, shift=[1, -2], axis=[0, 1]), dict(a=real(3, 5))


def gathers():
    i = lambda *d, hi=3: whole(*d, lo=0, hi=hi)
    yield "Gather", lambda a, b: raw.Gather(params=a, indices=b), dict(a=real(3, 4), b=i(2, 5))
    yield "GatherV2", lambda a, b: raw.GatherV2(params=a, indices=b, axis=1), dict(a=real(2, 3, 4), b=i(2, 2))
    yield "GatherV2_scalar", lambda a, b: raw.GatherV2(params=a, indices=b, axis=-1), dict(a=real(2, 3), b=i().reshape(()))
    yield "GatherV2_batch", lambda a, b: raw.GatherV2(params=a, indices=b, axis=1, batch_dims=1), dict(a=real(2, 3, 4), b=i(2, 5))
    yield "GatherV2_batch_axis", lambda a, b: raw.GatherV2(params=a, indices=b, axis=2, batch_dims=1), dict(a=real(2, 4, 3, 5), b=i(2, 2, 6))
    yield "GatherNd", lambda a, b: raw.GatherNd(params=a, indices=b), dict(a=real(3, 3, 2), b=i(4, 2))
    yield "GatherNd_scalar", lambda a, b: raw.GatherNd(params=a, indices=b), dict(a=real(3, 3), b=i(2))
    yield "OneHot", lambda a: raw.OneHot(indices=a, depth=4, on_value=2.0, off_value=-1.0), dict(a=np.array([0, 3, -1, 7, 2], np.int32))
    yield "OneHot_axis0", lambda a: raw.OneHot(indices=a, depth=3, on_value=1, off_value=0, axis=0), dict(a=i(2, 3))
    yield "OneHot_scalar", lambda a: raw.OneHot(indices=a, depth=3, on_value=1.0, off_value=0.0), dict(a=i().reshape(()))
    yield "ScatterNd", lambda a, b: raw.ScatterNd(indices=a, updates=b, shape=[4, 3]), dict(a=np.array([[1], [3], [1]], np.int32), b=real(3, 3))
    for kind in "Update Add Sub Max Min".split():
        yield "TensorScatter" + kind, lambda t, a, b, op=getattr(raw, "TensorScatter" + kind): op(tensor=t, indices=a, updates=b), dict(
            t=real(4, 3), a=np.array([[1, 2], [3, 0]], np.int32), b=real(2))
    yield "Where", lambda x: raw.Where(condition=x), dict(x=flags(3, 4))
    yield "Where_gather", lambda x, y: raw.GatherNd(params=y, indices=raw.Where(condition=x)), dict(x=np.array([1, 0, 1, 1, 0], bool), y=real(5))
    yield "Unique", lambda x: tuple(raw.Unique(x=x)), dict(x=whole(9, lo=0, hi=4))
    yield "UniqueWithCounts", lambda x: tuple(raw.UniqueWithCounts(x=x)), dict(x=whole(9, lo=0, hi=4))
    for low, high in ((1, 0), (-1, 0), (0, -1), (0, 2)):
        yield f"MatrixBandPart_{low}_{high}".replace("-", "m"), lambda x, l=low, h=high: raw.MatrixBandPart(input=x, num_lower=l, num_upper=h), dict(x=real(2, 4, 5))


def images():
    for op, name in ((raw.ResizeBilinear, "Bilinear"), (raw.ResizeNearestNeighbor, "Nearest"), (raw.ResizeBicubic, "Bicubic")):
        for label, k in (("plain", {}), ("corners", dict(align_corners=True)), ("half", dict(half_pixel_centers=True))):
            for size in ((7, 9), (2, 3)):
                yield f"Resize{name}_{label}_{size[0]}", lambda x, op=op, k=k, size=size: op(images=x, size=list(size), **k), dict(x=real(1, 4, 5, 2))
    yield "ResizeArea", lambda x: raw.ResizeArea(images=x, size=[3, 2]), dict(x=real(1, 4, 5, 2))
    yield "ResizeArea_up", lambda x: raw.ResizeArea(images=x, size=[6, 8]), dict(x=real(1, 4, 5, 2))
    boxes = np.array([[0.1, 0.2, 0.9, 0.8], [-0.2, 0, 0.5, 1.3], [0.8, 0.7, 0.1, 0.3]], np.float32)
    which = np.array([0, 1, 0], np.int32)
    for method in ("bilinear", "nearest"):
        for size in ((3, 4), (1, 1)):
            yield f"CropAndResize_{method}_{size[0]}", lambda image, boxes, which, m=method, s=size: raw.CropAndResize(
                image=image, boxes=boxes, box_ind=which, crop_size=list(s), method=m, extrapolation_value=-3.0), dict(image=real(2, 5, 6, 3), boxes=boxes, which=which)
    corner = real(12, 2, lo=0, hi=4)
    boxes = np.concatenate([corner, corner + real(12, 2, lo=0.5, hi=3)], 1).astype(np.float32)
    scores = real(12, lo=0, hi=1)
    both = dict(boxes=boxes, scores=scores)
    yield "NMS", lambda boxes, scores: raw.NonMaxSuppression(boxes=boxes, scores=scores, max_output_size=5, iou_threshold=0.3), both
    yield "NMSv2", lambda boxes, scores: raw.NonMaxSuppressionV2(boxes=boxes, scores=scores, max_output_size=5, iou_threshold=0.2), both
    yield "NMSv3", lambda boxes, scores: raw.NonMaxSuppressionV3(boxes=boxes, scores=scores, max_output_size=10, iou_threshold=0.3, score_threshold=0.4), both
    yield "NMSv4", lambda boxes, scores: tuple(raw.NonMaxSuppressionV4(boxes=boxes, scores=scores, max_output_size=10, iou_threshold=0.3, score_threshold=0.4)), both
    yield "NMSv4_padded", lambda boxes, scores: tuple(raw.NonMaxSuppressionV4(
        boxes=boxes, scores=scores, max_output_size=15, iou_threshold=0.3, score_threshold=0.4, pad_to_max_output_size=True)), both
    yield "NMSv5", lambda boxes, scores: tuple(raw.NonMaxSuppressionV5(
        boxes=boxes, scores=scores, max_output_size=10, iou_threshold=0.3, score_threshold=0.4, soft_nms_sigma=0.0)), both


def control():
    @tf.function
    def twice(v):
        return v * 2.0, v + 1.0

    yield "PartitionedCall", lambda x: twice(x), dict(x=real(3))
    yield "If", lambda x: tf.cond(tf.reduce_sum(x) > 0.0, lambda: x * 2.0, lambda: x - 1.0), dict(x=real(3))
    yield "While", lambda x: tf.while_loop(lambda i, v: tf.reduce_sum(tf.abs(v)) < 100.0, lambda i, v: (i + 1, v * 1.5), [tf.constant(0), x]), dict(x=real(3))
    yield "Switch", lambda x: raw.Merge(inputs=[raw.Neg(x=raw.Switch(data=x, pred=tf.constant(True)).output_false),
                                                raw.Exp(x=raw.Switch(data=x, pred=tf.constant(True)).output_true)]).output, dict(x=real(3))


def operator_cases():
    for family in (pointwise, convolutions, normalisations, reductions, shapes, slices, gathers, images, control):
        for name, build, inputs in family():
            try:
                yield name, run(build, inputs)
            except (tf.errors.OpError, NotImplementedError) as e:  # no kernel, or an old form
                print(f"left out {name}: {str(e).splitlines()[0]}")
