# SPDX-License-Identifier: MIT
"""Shapes and arguments of the Python module: memory shared both ways, owners kept alive."""

import array
import gc
import sys
import weakref

import migraphx
import ml_dtypes
import numpy as np
import pytest

NUMPY_TYPES = {
    "bool_type": np.bool_,
    "half_type": np.float16,
    "float_type": np.float32,
    "double_type": np.float64,
    "uint8_type": np.uint8,
    "int8_type": np.int8,
    "uint16_type": np.uint16,
    "int16_type": np.int16,
    "int32_type": np.int32,
    "int64_type": np.int64,
    "uint32_type": np.uint32,
    "uint64_type": np.uint64,
}
SMALL_FLOATS = {
    "bf16_type": ml_dtypes.bfloat16,
    "fp8e4m3fn_type": ml_dtypes.float8_e4m3fn,
    "fp8e4m3fnuz_type": ml_dtypes.float8_e4m3fnuz,
    "fp8e5m2_type": ml_dtypes.float8_e5m2,
    "fp8e5m2fnuz_type": ml_dtypes.float8_e5m2fnuz,
}


class OnlyDlpack:
    """A tensor that speaks nothing but DLPack, as torch's do."""

    def __init__(self, x):
        self.x = x

    def __dlpack__(self, **options):
        return self.x.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.x.__dlpack_device__()


class OnlyInterface:
    """A tensor that speaks nothing but __array_interface__."""

    def __init__(self, x, **changes):
        self.x = x
        self.__array_interface__ = {**x.__array_interface__, **changes}


# ---- shapes


def test_shape_of_lens():
    s = migraphx.shape(type="float", lens=[2, 3])
    assert s.lens() == [2, 3] and s.strides() == [3, 1] and s.ndim() == 2
    assert (s.elements(), s.bytes(), s.type_size(), s.type_string()) == (6, 24, 4, "float_type")
    assert s.packed() and s.standard()
    assert not (s.transposed() or s.broadcasted() or s.scalar() or s.dynamic())
    assert repr(s) == str(s) == "float_type, {2, 3}, {3, 1}"
    assert s == migraphx.shape(type="float_type", lens=[2, 3]) and hash(s) == hash(
        migraphx.shape(lens=[2, 3])
    )
    assert s != migraphx.shape(lens=[3, 2]) and s != 1


def test_shape_defaults_and_layouts():
    assert str(migraphx.shape()) == "float_type, {1}, {1}"
    assert migraphx.shape(lens=[2, 3], strides=[1, 2]).transposed()
    assert migraphx.shape(lens=[2, 3], strides=[0, 0]).scalar()
    assert migraphx.shape(lens=[2, 3, 4], permutation=[0, 2, 1]).strides() == [12, 1, 3]
    view = migraphx.shape(lens=[4, 3], strides=[6, 1])
    assert not view.packed() and not view.standard()


@pytest.mark.parametrize(
    "name", ["int8_t", "int8_type", 5, migraphx.shape.type_t.int8_type, np.int64(5)]
)
def test_shape_type_by_name_or_number(name):
    assert migraphx.shape(type=name).type() == migraphx.shape.type_t.int8_type


def test_type_numbers():
    order = (
        "bool half float double uint8 int8 uint16 int16 int32 int64 uint32 uint64 fp8e4m3fnuz "
        "fp8e4m3fn fp8e5m2 bf16 fp8e5m2fnuz"
    )
    for number, name in enumerate(order.split()):
        assert int(getattr(migraphx.shape.type_t, name + "_type")) == number
    assert migraphx.shape(type="migraphx::fp8::fp8e4m3fn").type_string() == "fp8e4m3fn_type"


def test_dynamic_shape():
    dimension = migraphx.shape.dynamic_dimension
    s = migraphx.shape(type="half", dyn_dims=[dimension(1, 4, {2, 4}), 3])
    assert s.dynamic() and not s.standard() and s.ndim() == 2
    batch, three = s.dyn_dims()
    assert (batch.min, batch.max, batch.optimals) == (1, 4, {2, 4}) and not batch.is_fixed()
    assert three.is_fixed() and three == dimension(3, 3)
    assert "[1..4], 3" in str(s)
    with pytest.raises(RuntimeError):
        s.lens()
    assert dimension().is_fixed() and dimension().min == 0
    assert dimension(1, 8, 4).optimals == {4} and dimension(1, 8, 0).optimals == set()
    assert migraphx.shape().dyn_dims() == []


@pytest.mark.parametrize(
    "error, keywords",
    [
        (IndexError, {"type": "floot"}),
        (ValueError, {"type": 99}),
        (TypeError, {"type": [1]}),
        (TypeError, {"typ": "float"}),
        (TypeError, {"lens": [-1]}),
        (TypeError, {"lens": 3}),
        (RuntimeError, {"lens": [2, 3], "strides": [1]}),
        (RuntimeError, {"lens": [2, 3], "permutation": [0, 0]}),
    ],
)
def test_wrong_shapes(error, keywords):
    with pytest.raises(error):
        migraphx.shape(**keywords)


# ---- arguments of other libraries' tensors


@pytest.mark.parametrize("name, dtype", {**NUMPY_TYPES, **SMALL_FLOATS}.items())
def test_every_type_both_ways_without_a_copy(name, dtype):
    x = (np.arange(6) % 2).reshape(2, 3).astype(dtype)
    a = migraphx.argument(x)
    assert a.get_shape().type_string() == name and a.get_shape().lens() == [2, 3]
    assert a.data_ptr() == x.ctypes.data
    back = np.asarray(a)
    assert back.dtype == x.dtype and back.shape == x.shape
    assert back.ctypes.data == x.ctypes.data
    np.testing.assert_array_equal(back, x)
    assert np.array(a).ctypes.data != x.ctypes.data
    assert a.tolist() == x.ravel().astype(float if name in SMALL_FLOATS else dtype).tolist()


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x.T,
        lambda x: x[:, ::2],
        lambda x: x[1:, 1:3],
        lambda x: x[None, :, None],
        lambda x: np.broadcast_to(x, (2, 3, 4)),
        lambda x: x[:0],
        lambda x: x.reshape(2, 6),
    ],
)
def test_views_are_not_copied(make):
    x = make(np.arange(12, dtype=np.float32).reshape(3, 4))
    a = migraphx.argument(x)
    assert x.size == 0 or a.data_ptr() == x.ctypes.data
    np.testing.assert_array_equal(np.asarray(a), x)
    assert a.tolist() == x.ravel().tolist()


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x[::-1],
        lambda x: x[:, ::-2],
        lambda x: np.flip(x)[1:],
        lambda x: np.frombuffer(b"?" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(3, 4),
        lambda x: x.astype([("a", "u1"), ("b", "f4")])["b"],
    ],
)
def test_what_strides_cannot_say_is_copied(make):
    x = make(np.arange(12, dtype=np.float32).reshape(3, 4))
    a = migraphx.argument(x)
    assert a.get_shape().standard() and a.data_ptr() % 4 == 0
    np.testing.assert_array_equal(np.asarray(a), x)


def test_layouts():
    x = np.zeros((4, 6), np.float32)
    assert str(migraphx.argument(x[:, 2:5]).get_shape()) == "float_type, {4, 3}, {6, 1}"
    assert str(migraphx.argument(x.T).get_shape()) == "float_type, {6, 4}, {1, 6}"
    assert str(migraphx.argument(x[:, None]).get_shape()) == "float_type, {4, 1, 6}, {6, 6, 1}"
    for scalar in (np.array(3.0), np.float64(3)):
        assert str(migraphx.argument(scalar).get_shape()) == "double_type, {1}, {0}"


def test_other_sources():
    x = np.arange(6, dtype=np.int32).reshape(2, 3)
    for source in (x, memoryview(x), OnlyDlpack(x), OnlyInterface(x), migraphx.argument(x)):
        a = migraphx.argument(source)
        assert a.data_ptr() == x.ctypes.data and a.get_shape().lens() == [2, 3]
    assert migraphx.argument(array.array("d", [1, 2])).tolist() == [1, 2]
    assert migraphx.argument(b"ab").tolist() == [97, 98]
    assert migraphx.argument(bytearray(b"ab")).get_shape().type_string() == "uint8_type"
    columns = OnlyInterface(np.asfortranarray(x))
    assert migraphx.argument(columns).get_shape().strides() == [1, 2]


def test_picture():
    image = pytest.importorskip("PIL.Image").new("RGB", (4, 2), (1, 2, 3))
    a = migraphx.argument(image)
    assert a.get_shape().lens() == [2, 4, 3] and a.tolist() == [1, 2, 3] * 8


def test_torch():
    torch = pytest.importorskip("torch")
    for dtype in (torch.float32, torch.bfloat16, torch.int64, torch.bool):
        x = torch.arange(6).reshape(2, 3).to(dtype)
        a = migraphx.argument(x)
        assert a.data_ptr() == x.data_ptr()
        back = torch.from_dlpack(a)
        assert back.data_ptr() == x.data_ptr() and torch.equal(back, x)


@pytest.mark.parametrize(
    "x",
    [
        [1.0, 2.0],
        3.0,
        "text",
        None,
        np.zeros(2, complex),
        np.zeros(2, ">f4"),
        np.zeros(2, object),
        np.zeros(2, np.longdouble),
        np.zeros(2, ml_dtypes.float8_e3m4),
        OnlyInterface(np.zeros(2), typestr="x"),
        OnlyInterface(np.zeros(2), data=b"short"),
    ],
)
def test_no_tensors(x):
    with pytest.raises(TypeError):
        migraphx.argument(x)


# ---- who keeps whom alive


class Owned(np.ndarray):
    pass


@pytest.mark.parametrize("through", [lambda x: x, OnlyDlpack, OnlyInterface])
def test_argument_keeps_its_source(through):
    x = np.arange(4, dtype=np.float32).view(Owned)
    gone = weakref.ref(x)
    a = migraphx.argument(through(x))
    del x
    gc.collect()
    assert gone() is not None and a.tolist() == [0, 1, 2, 3]
    view = np.asarray(a)
    del a
    gc.collect()
    assert gone() is not None and view.tolist() == [0, 1, 2, 3]
    del view
    gc.collect()
    assert gone() is None


def test_views_keep_the_argument():
    a = migraphx.generate_argument(migraphx.shape(lens=[1000]))
    expected = a.tolist()
    views = [np.asarray(a), memoryview(a), np.from_dlpack(a)]
    del a
    gc.collect()
    for view in views:
        assert view.tolist() == expected


def test_references_do_not_leak():
    x = np.arange(4, dtype=np.float32)
    before = sys.getrefcount(x)
    for _ in range(100):
        a = migraphx.argument(x)
        np.asarray(a), np.from_dlpack(a), memoryview(a), np.array(a)
        with pytest.raises(BufferError):
            a.__dlpack__(dl_device=(2, 0))
    del a
    gc.collect()
    assert sys.getrefcount(x) == before


def test_memory_is_shared_for_writing():
    x = np.zeros(3, np.float32)
    a = migraphx.argument(x)
    np.asarray(a)[1] = 7
    np.from_dlpack(a)
    assert x.tolist() == [0, 7, 0]
    x[2] = 9
    assert a.tolist() == [0, 7, 9]


@pytest.mark.parametrize("through", [lambda x: x, OnlyInterface, memoryview])
def test_read_only_memory_stays_so(through):
    x = np.zeros(3, np.float32)
    x.flags.writeable = False
    a = migraphx.argument(through(x))
    assert a.data_ptr() == x.ctypes.data
    assert not np.asarray(a).flags.writeable
    assert memoryview(a).readonly and a.__array_interface__["data"] == (x.ctypes.data, True)


# ---- what arguments offer


def test_buffer_protocol():
    a = migraphx.argument(np.arange(6, dtype=np.float32).reshape(2, 3))
    view = memoryview(a)
    assert (view.format, view.itemsize, view.shape, view.strides) == ("f", 4, (2, 3), (12, 4))
    assert bytes(a) == np.arange(6, dtype=np.float32).tobytes()
    turned = migraphx.argument(np.arange(6, dtype=np.float32).reshape(2, 3).T)
    assert memoryview(turned).tolist() == [[0, 3], [1, 4], [2, 5]]
    with pytest.raises(BufferError):
        np.frombuffer(turned, np.uint8)


def test_interfaces_out():
    x = np.arange(6, dtype=np.int16).reshape(2, 3)[:, ::2]
    a = migraphx.argument(x)
    shown = a.__array_interface__
    assert shown["typestr"] == "<i2" and shown["shape"] == (2, 2) and shown["strides"] == (6, 4)
    assert a.__dlpack_device__() == (1, 0)
    assert np.from_dlpack(a).ctypes.data == x.ctypes.data
    assert np.asarray(OnlyInterface(a)).tolist() == x.tolist()
    assert np.array(a, dtype=np.float64).dtype == np.float64


def test_small_floats_go_through_ml_dtypes():
    x = np.array([[0.5, 1.5, -2], [3, 4, 5]], ml_dtypes.bfloat16)
    a = migraphx.argument(x.T)
    assert np.asarray(a).tolist() == x.T.tolist() and np.asarray(a).ctypes.data == x.ctypes.data
    assert np.asarray(a).astype(np.float32)[2, 0] == -2
    assert not hasattr(a, "__array_interface__")
    with pytest.raises(BufferError):
        memoryview(a)


def test_equality_text_and_files(tmp_path):
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    a = migraphx.argument(x)
    assert a == migraphx.argument(x.copy()) and a != migraphx.argument(x + 1) and a != 3
    assert a == migraphx.argument(np.asfortranarray(x))
    assert str(a) == "0, 1, 2, 3, 4, 5"
    migraphx.argument.save(a, tmp_path / "a.mxr")
    assert migraphx.argument.load(str(tmp_path / "a.mxr")) == a
    with pytest.raises(RuntimeError, match="nothing.mxr"):
        migraphx.argument.load(tmp_path / "nothing.mxr")


# ---- making arguments


@pytest.mark.parametrize("name", [*NUMPY_TYPES, *SMALL_FLOATS])
def test_create_argument(name):
    s = migraphx.shape(type=name, lens=[2, 2], strides=[1, 2])
    values = [1, 0, 1, 1]
    a = migraphx.create_argument(s, values)
    assert a.get_shape() == s and a.tolist() == values


def test_create_argument_limits():
    def make(name, *values):
        return migraphx.create_argument(migraphx.shape(type=name, lens=[len(values)]), values).tolist()

    assert make("uint64_t", 2**64 - 1, np.int64(3)) == [2**64 - 1, 3]
    assert make("int64_t", -(2**63)) == [-(2**63)]
    assert make("int8_t", -128, 127) == [-128, 127]
    assert make("bool", True, False, 2) == [True, False, True]
    assert make("float", 1, np.float32(0.5), True) == [1, 0.5, 1]
    for name, value in (("uint8_t", 256), ("uint8_t", -1), ("int8_t", -129), ("int64_t", 2**63)):
        with pytest.raises(ValueError):
            make(name, value)
    for name, value in (("int8_t", 1.0), ("float", "1"), ("float", [1])):
        with pytest.raises(TypeError):
            make(name, value)
    with pytest.raises(ValueError, match="6 numbers"):
        migraphx.create_argument(migraphx.shape(lens=[2, 3]), [1, 2])


def test_generate_and_fill():
    s = migraphx.shape(type="float", lens=[3, 5])
    assert migraphx.generate_argument(s) == migraphx.generate_argument(s=s, seed=0)
    assert migraphx.generate_argument(s, 1) != migraphx.generate_argument(s, seed=2)
    assert np.abs(np.array(migraphx.generate_argument(s))).max() <= 1
    assert migraphx.fill_argument(s, 2.5).tolist() == [2.5] * 15
    assert migraphx.fill_argument(s=migraphx.shape(type="int32_t"), value=3).tolist() == [3]


@pytest.mark.parametrize("make", [migraphx.argument_from_pointer, migraphx.gpudata_to_argument])
def test_argument_from_pointer(make):
    x = np.arange(6, dtype=np.float32)
    a = make(migraphx.shape(lens=[3, 2], strides=[1, 3]), x.ctypes.data)
    assert a.data_ptr() == x.ctypes.data and a.tolist() == [0, 3, 1, 4, 2, 5]
    with pytest.raises(ValueError):
        make(migraphx.shape(lens=[1]), 0)
