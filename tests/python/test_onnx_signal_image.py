# SPDX-License-Identifier: MIT
"""Operators on signals, images and bits in forms that the official cases leave out, mostly against ONNX Runtime."""

import numpy as np
import pytest
from onnx import TensorProto, helper

pytest.importorskip("onnxruntime")

from onnx_pair import assert_close, compiled, feeds, node_model, reference, run, with_ranges  # noqa: E402


def random(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def opset(version):
    return [helper.make_opsetid("", version)]


def compare(op, inputs, version=17, constants=(), wanted=None, tolerance=2e-5, outputs=1, ranges=None, **attributes):
    """Static sizes and, with `ranges` of input dims, one program for many; `constants`: positions of initializers."""
    attributes = {k: v for k, v in attributes.items() if v is not None}
    model = node_model(op, inputs, outputs, opsets=opset(version), output_type=None, constants=constants, **attributes)
    given = {k: v for k, v in feeds(inputs).items() if int(k[1:]) not in constants}
    if wanted is None:
        wanted = reference(model).run(None, given)
    for target in ("ref", "cpu"):
        programs = [compiled(model, target)]
        if ranges is not None:
            open_model = node_model(op, inputs, outputs, opsets=opset(version), output_type=None, constants=constants,
                                    ranges=ranges, **attributes)
            programs.append(with_ranges(open_model, {f"x{i}": r for i, r in ranges.items()}, target))
        for program in programs:
            got = run(program, given)
            for a, b in zip(got, wanted, strict=True):
                assert_close(a, np.asarray(b), tolerance, f"{op} {attributes} on {target}")


def dft(x, axis, length=None, inverse=False, onesided=False):
    z = x[..., 0] + (1j * x[..., 1] if x.shape[-1] == 2 else 0)
    if inverse and onesided:
        y = np.fft.irfft(z, length, axis)
        return y[..., None].astype(x.dtype)
    y = (np.fft.ifft if inverse else np.fft.fft)(z.astype(np.complex128), length, axis)
    if onesided:
        y = np.take(y, range(y.shape[axis] // 2 + 1), axis)
    return np.stack([y.real, y.imag], -1).astype(x.dtype)


@pytest.mark.parametrize("shape", [(2, 16, 1), (3, 15, 2), (2, 97, 2), (2, 5, 26, 3, 1), (1, 400, 1), (2, 34, 2)])
@pytest.mark.parametrize("inverse", [False, True])
def test_dft(shape, inverse):
    x = random(*shape)
    compare("DFT", [x, None, np.array(1)], 20, constants=[2], wanted=[dft(x, 1, None, inverse)], inverse=int(inverse),
            ranges={0: [(1, 8), (1, 500), *shape[2:]]})
    compare("DFT", [x], 17, wanted=[dft(x, 1, None, inverse)], axis=1, inverse=int(inverse))


@pytest.mark.parametrize("length", [None, 3, 8, 21])
@pytest.mark.parametrize("known", [False, True])
def test_dft_onesided(length, known):
    x, z = random(2, 10, 1), random(2, 10, 2)
    size = None if length is None else np.array(length)
    constants = [1, 2] if known and length else [2] if known else []
    compare("DFT", [x, size, np.array(1)], 20, constants=constants, wanted=[dft(x, 1, length, onesided=True)], onesided=1)
    compare("DFT", [z, size, np.array(-2)], 20, constants=constants, wanted=[dft(z, 1, length, True, True)], onesided=1, inverse=1)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("window", [False, True])
@pytest.mark.parametrize("known", [False, True])
def test_stft(channels, window, known):
    x = random(2, 50, channels)
    w = np.hanning(12).astype(np.float32) if window else None
    onesided = channels == 1
    frames = np.stack([x[:, s:s + 12] * (1 if w is None else w[:, None]) for s in range(0, 39, 5)], 1)
    expected = dft(frames, 2, onesided=onesided)
    constants = [1, 3] if known else []
    compare("STFT", [x, np.array(5), w, np.array(12)], 17, constants=constants, wanted=[expected], onesided=int(onesided),
            ranges={0: [(1, 4), (12, 100), channels]})


@pytest.mark.parametrize("op", ["HannWindow", "HammingWindow", "BlackmanWindow"])
@pytest.mark.parametrize("size", [0, 1, 7, 16])
@pytest.mark.parametrize("periodic", [0, 1])
@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT32])
def test_windows_of_run_time_sizes(op, size, periodic, kind):
    n = np.arange(size) / max(1, size if periodic else size - 1)
    a = {"HannWindow": (0.5, 0.5, 0), "HammingWindow": (25 / 46, 21 / 46, 0), "BlackmanWindow": (0.42, 0.5, 0.08)}[op]
    y = a[0] - a[1] * np.cos(2 * np.pi * n) + a[2] * np.cos(4 * np.pi * n)
    if kind == TensorProto.INT32:
        y = np.where(np.abs(y - 1) < 1e-9, 1, y) if size > 1 else y
    y = y.astype(helper.tensor_dtype_to_np_dtype(kind))
    for constants in ([], [0]):
        if kind == TensorProto.INT32:
            continue
        compare(op, [np.array(size)], 17, constants=constants, wanted=[y], periodic=periodic, output_datatype=kind)


def test_mel_weight_matrix():
    for values in ((8, 16, 8192, 0.0, 4096.0), (40, 512, 16000, 125.0, 7500.0), (3, 10, 100, 0.0, 50.0)):
        inputs = [np.array(v) for v in values[:3]] + [np.array(v, np.float32) for v in values[3:]]
        compare("MelWeightMatrix", inputs, 17, tolerance=1e-6)
        compare("MelWeightMatrix", inputs, 17, constants=range(5), tolerance=1e-6)


@pytest.mark.parametrize("known", [False, True])
def test_center_crop_pad(known):
    x = random(3, 8, 5)
    for shape, axes in (((4, 3, 8), None), ((9, 2), [1, -1]), ((3,), [0]), ((2, 9, 4), [2, 0, 1])):
        compare("CenterCropPad", [x, np.array(shape)], 18, constants=[1] if known else [], axes=axes,
                wanted=[centred(x, shape, axes or range(3))], ranges={0: [(1, 4), (1, 9), (1, 6)]})


def centred(x, sizes, axes):
    for size, axis in zip(sizes, axes):
        have = x.shape[axis]
        if size <= have:
            start = (have - size) // 2
            x = np.take(x, range(start, start + size), axis)
        else:
            pad = [(0, 0)] * x.ndim
            pad[axis] = ((size - have) // 2, size - have - (size - have) // 2)
            x = np.pad(x, pad)
    return x


@pytest.mark.parametrize("known", [False, True])
def test_col2im(known):
    for image, block, extra in (((5, 6), (2, 3), {}), ((5, 5), (3, 3), {"pads": [1, 0, 2, 1], "strides": [2, 1], "dilations": [1, 2]}),
                                ((3, 4, 5), (2, 2, 2), {"strides": [1, 2, 3]})):
        d = len(image)
        stride, dilation, pads = extra.get("strides", [1] * d), extra.get("dilations", [1] * d), extra.get("pads", [0] * 2 * d)
        blocks = [(image[i] + pads[i] + pads[i + d] - dilation[i] * (block[i] - 1) - 1) // stride[i] + 1 for i in range(d)]
        x = random(2, 3 * int(np.prod(block)), int(np.prod(blocks)))
        compare("Col2Im", [x, np.array(image), np.array(block)], 18, constants=[1, 2] if known else [],
                ranges={0: [(1, 4), *x.shape[1:]]}, **extra)


@pytest.mark.parametrize("known", [False, True])
def test_max_unpool_undoes_max_pool(known):
    # Each element of an arange is the largest of its window at the window's end.
    x = np.arange(2 * 2 * 4 * 6, dtype=np.float32).reshape(2, 2, 4, 6)
    pooled, index = x[:, :, 1::2, 1::2], x[:, :, 1::2, 1::2].astype(np.int64)
    expected = np.zeros_like(x)
    expected[:, :, 1::2, 1::2] = pooled
    compare("MaxUnpool", [pooled.copy(), index], 11, wanted=[expected], kernel_shape=[2, 2], strides=[2, 2],
            ranges={0: [(1, 3), 2, (1, 4), 3], 1: [(1, 3), 2, (1, 4), 3]})
    larger = np.zeros((2, 2, 5, 6), np.float32)
    larger[:, :, :4] = expected
    compare("MaxUnpool", [pooled.copy(), index, np.array(larger.shape)], 11, constants=[2] if known else [], wanted=[larger],
            kernel_shape=[2, 2], strides=[2, 2])


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("extra", [{}, {"strides": [2, 1], "pads": [1, 0, 1, 1]}, {"dilations": [2, 1]}, {"ceil_mode": 1, "strides": [2, 2]},
                                   {"auto_pad": "SAME_LOWER", "strides": [2, 2]}])
def test_max_pool_indices(order, extra):
    x = random(2, 3, 7, 6)
    compare("MaxPool", [x], 12, outputs=2, kernel_shape=[3, 2], storage_order=order, ranges={0: [(1, 3), 3, 7, 6]}, **extra)
    if not extra:
        compare("MaxPool", [random(2, 3, 9)], 12, outputs=2, kernel_shape=[4])
        compare("MaxPool", [random(1, 2, 4, 5, 3)], 12, outputs=2, kernel_shape=[2, 3, 2], storage_order=order)


def test_max_roi_pool():
    x = random(2, 3, 9, 7)
    rois = np.array([[0, 0, 0, 6, 8], [1, 2, 1, 3, 5], [1, 5, 7, 20, 20], [0, 3, 3, 3, 3]], np.float32)
    for scale in (1.0, 0.5):
        compare("MaxRoiPool", [x, rois], 11, pooled_shape=[3, 2], spatial_scale=scale, ranges={0: [(1, 3), 3, (1, 9), (1, 9)], 1: [(0, 9), 5]})


@pytest.mark.parametrize("group,offset_group", [(1, 1), (2, 1), (1, 2), (2, 4)])
def test_deform_conv(group, offset_group):
    x, w = random(2, 4, 7, 6), random(6, 4 // group, 3, 2, seed=1)
    offset = random(2, offset_group * 12, 5, 6, seed=2)
    bias, mask = random(6, seed=3), random(2, offset_group * 6, 5, 6, seed=4)
    extra = {"group": group, "offset_group": offset_group, "pads": [1, 0, 1, 2], "strides": [1, 1], "dilations": [2, 2]}
    for inputs in ([x, w, offset], [x, w, offset, bias], [x, w, offset, bias, mask], [x, w, offset, None, mask]):
        compare("DeformConv", inputs, 19, tolerance=1e-4, ranges={0: [(1, 3), 4, (3, 9), (3, 9)]}, **extra)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 4), (2, 3, 1, 1), (1, 20, 20)])
def test_det(shape):
    x = random(*shape)
    compare("Det", [x], 11, wanted=[np.asarray(np.linalg.det(x.astype(np.float64)), np.float32)])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"])
@pytest.mark.parametrize("direction", ["LEFT", "RIGHT"])
def test_bit_shift(dtype, direction):
    info = np.iinfo(dtype)
    values = np.array([0, 1, 5, info.max, info.min, info.max // 3, info.min // 2], dtype)
    shifts = [0, 1, 3, info.bits - 1, info.bits, 100] + ([-1] if info.min < 0 else [])
    x, y = np.meshgrid(values, np.array(shifts, dtype))
    python = []
    for a, b in zip(x.ravel().tolist(), y.ravel().tolist()):
        if not 0 <= b < info.bits:
            z = -1 if direction == "RIGHT" and a < 0 else 0
        else:
            z = a << b if direction == "LEFT" else a >> b
        python.append(z & (2**info.bits - 1))
    expected = np.array(python, f"uint{info.bits}").view(dtype).reshape(x.shape)
    compare("BitShift", [x, y], 28, wanted=[expected], direction=direction)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint64"])
@pytest.mark.parametrize("exclusive,reverse", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_cum_prod(dtype, exclusive, reverse):
    x = np.random.default_rng(0).integers(1, 5, (2, 3, 4)).astype(dtype)
    for axis in (0, 1, -1):
        z = np.flip(x, axis) if reverse else x
        y = np.cumprod(z, axis, dtype=dtype)
        if exclusive:
            y = np.concatenate([np.ones_like(np.take(y, [0], axis)), np.take(y, range(y.shape[axis] - 1), axis)], axis)
        y = np.flip(y, axis) if reverse else y
        for constants in ([], [1]):
            compare("CumProd", [x, np.array(axis)], 26, constants=constants, wanted=[y], exclusive=exclusive, reverse=reverse)


def test_bernoulli_draws_at_every_run():
    p = np.full((100, 100), 0.3, np.float32)
    for seed in (None, 5.0):
        attributes = {} if seed is None else {"seed": seed}
        model = node_model("Bernoulli", [p], opsets=opset(22), output_type=None, dtype=TensorProto.INT32, **attributes)
        for target in ("ref", "cpu"):
            program = compiled(model, target)
            first, second = (run(program, feeds([p]))[0] for _ in range(2))
            assert first.dtype == np.int32 and set(np.unique(first)) == {0, 1}
            assert abs(first.mean() - 0.3) < 0.03
            assert np.array_equal(first, second) == (seed is not None)


def test_tf_idf_vectorizer():
    x = np.array([[1, 1, 3, 3, 3, 7], [8, 6, 7, 5, 6, 8]], np.int32)
    pool = {"pool_int64s": [2, 3, 5, 4, 5, 6, 7, 8, 6, 7], "ngram_counts": [0, 4], "ngram_indexes": [3, 1, 2, 0, 4, 6, 5]}
    for mode in ("TF", "IDF", "TFIDF"):
        for lengths in ((1, 1), (1, 2), (2, 2)):
            for skip in (0, 1, 5):
                for weights in (None, [0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]):
                    compare("TfIdfVectorizer", [x], 9, mode=mode, min_gram_length=lengths[0], max_gram_length=lengths[1],
                            max_skip_count=skip, weights=weights, ranges={0: [(1, 4), (1, 9)]}, **pool)
    compare("TfIdfVectorizer", [x[0]], 9, mode="TF", min_gram_length=1, max_gram_length=2, max_skip_count=0, **pool)


def test_tf_idf_vectorizer_of_strings():
    names = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight"}
    x = np.array([[names[v] for v in row] for row in ([1, 1, 3, 3, 3, 7], [8, 6, 7, 5, 6, 8])], object)
    pool = {"pool_strings": [names[v] for v in (2, 3, 5, 4, 5, 6, 7, 8, 6, 7)], "ngram_counts": [0, 4], "ngram_indexes": [3, 1, 2, 0, 4, 6, 5]}
    for mode in ("TF", "IDF", "TFIDF"):
        compare("TfIdfVectorizer", [x], 9, mode=mode, min_gram_length=1, max_gram_length=2, max_skip_count=1,
                weights=[0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0], **pool)
