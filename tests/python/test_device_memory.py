# SPDX-License-Identifier: MIT
"""Memory of devices: with MIGRAPHX_HOST_DEVICE the host plays one, as for target null."""
import os
import subprocess
import sys

import migraphx
import numpy as np
import pytest

os.environ["MIGRAPHX_HOST_DEVICE"] = "1"  # read when the first function asks for a device


def chain():
    """relu(x + y) and x + y."""
    p = migraphx.program()
    m = p.get_main_module()
    s = migraphx.shape(type="float", lens=[2, 3])
    total = m.add_instruction(migraphx.op("add"), [m.add_parameter("x", s), m.add_parameter("y", s)])
    m.add_return([m.add_instruction(migraphx.op("relu"), [total]), total])
    return p


def compiled(**options):
    p = chain()
    p.compile(migraphx.get_target("null"), **options)
    return p


X = np.arange(-3, 3, dtype=np.float32).reshape(2, 3)
Y = np.full((2, 3), 0.5, np.float32)


def test_to_and_from():
    a = migraphx.to_gpu(migraphx.argument(X))
    assert a.data_ptr() != X.ctypes.data
    assert a.get_shape() == migraphx.argument(X).get_shape()
    assert migraphx.to_gpu(a).data_ptr() == a.data_ptr()
    np.testing.assert_array_equal(np.asarray(migraphx.from_gpu(a)), X)
    pinned = migraphx.to_gpu(migraphx.argument(X), host=True)
    np.testing.assert_array_equal(np.asarray(pinned), X)
    empty = migraphx.allocate_gpu(migraphx.shape(type="half", lens=[4, 5]))
    assert empty.get_shape().lens() == [4, 5] and empty.data_ptr() % 256 == 0
    assert migraphx.allocate_gpu(s=migraphx.shape(lens=[3]), host=True).get_shape().lens() == [3]
    migraphx.gpu_sync()


def test_offloading_program():
    p = compiled(offload_copy=True)
    assert p.get_parameter_names() == ["x", "y"]
    for i in range(4):
        relu, total = p.run({"x": X + i, "y": Y})
        np.testing.assert_array_equal(np.asarray(total), X + i + Y)
        np.testing.assert_array_equal(np.asarray(relu), np.maximum(X + i + Y, 0))


def test_outputs_are_parameters():
    p = compiled(offload_copy=False)
    assert p.get_parameter_names() == ["x", "y", "main:#output_0", "main:#output_1"]
    assert list(p.get_inputs()) == ["x", "y"]
    shapes = p.get_parameter_shapes()
    params = {n: migraphx.allocate_gpu(shapes[n]) for n in p.get_parameter_names()}
    params["x"], params["y"] = migraphx.to_gpu(migraphx.argument(X)), migraphx.to_gpu(migraphx.argument(Y))
    for _ in range(4):
        relu, total = p.run(params)
        migraphx.gpu_sync()
        assert relu.data_ptr() == params["main:#output_0"].data_ptr()
        assert total.data_ptr() == params["main:#output_1"].data_ptr()
        np.testing.assert_array_equal(np.asarray(migraphx.from_gpu(total)), X + Y)
    # Without them the run allocates.
    relu, total = p.run({"x": params["x"], "y": params["y"]})
    assert total.data_ptr() != params["main:#output_1"].data_ptr()
    np.testing.assert_array_equal(np.asarray(migraphx.from_gpu(relu)), np.maximum(X + Y, 0))
    with pytest.raises(RuntimeError, match="Parameter not found: y"):
        p.run({"x": params["x"]})


def test_outputs_survive_saving(tmp_path):
    p = compiled(offload_copy=False)
    migraphx.save(p, tmp_path / "p.mxr")
    q = migraphx.load(tmp_path / "p.mxr")
    assert q.get_parameter_names() == p.get_parameter_names()
    out = migraphx.allocate_gpu(migraphx.shape(type="float", lens=[2, 3]))
    params = {"x": migraphx.to_gpu(migraphx.argument(X)), "y": migraphx.to_gpu(migraphx.argument(Y)), "main:#output_1": out}
    assert q.run(params)[1].data_ptr() == out.data_ptr()
    np.testing.assert_array_equal(np.asarray(migraphx.from_gpu(out)), X + Y)


def test_run_async_on_a_stream():
    p = compiled(offload_copy=False)
    x, y = migraphx.to_gpu(migraphx.argument(X)), migraphx.to_gpu(migraphx.argument(Y))
    for stream in (0, 7):
        for _ in range(3):
            results = p.run_async({"x": x, "y": y}, stream, "ihipStream_t")
        migraphx.gpu_sync()
        np.testing.assert_array_equal(np.asarray(migraphx.from_gpu(results[1])), X + Y)


class OnDevice:
    """What torch and numba show of a tensor of a device."""

    def __init__(self, argument, strides=None, stream=None):
        self.argument = argument
        self.__cuda_array_interface__ = {
            "version": 3, "typestr": "<f4", "shape": tuple(argument.get_shape().lens()), "strides": strides,
            "data": (argument.data_ptr(), False), "stream": stream,
        }


def test_cuda_array_interface_is_read():
    x, y = migraphx.to_gpu(migraphx.argument(X)), migraphx.to_gpu(migraphx.argument(Y))
    a = migraphx.argument(OnDevice(x, stream=1))
    assert a.data_ptr() == x.data_ptr() and a.get_shape() == x.get_shape()
    turned = migraphx.argument(OnDevice(x, strides=(4, 8)))
    assert turned.get_shape().strides() == [1, 2]
    with pytest.raises(TypeError, match="device"):
        migraphx.argument(OnDevice(x, strides=(-12, 4)))
    p = compiled(offload_copy=False)
    for _ in range(3):
        np.testing.assert_array_equal(np.asarray(migraphx.from_gpu(p.run({"x": OnDevice(x), "y": OnDevice(y)})[1])), X + Y)


def test_memory_of_the_host_has_no_cuda_array_interface():
    a = migraphx.argument(X)
    assert not hasattr(a, "__cuda_array_interface__")
    assert a.__dlpack_device__() == (1, 0)


def test_pointers_of_others():
    p = compiled(offload_copy=False)
    s = migraphx.shape(type="float", lens=[2, 3])
    x, y, out = X.copy(), Y.copy(), np.zeros((2, 3), np.float32)
    pointers = {"x": x, "y": y, "main:#output_1": out}
    params = {n: migraphx.argument_from_pointer(s, a.ctypes.data) for n, a in pointers.items()}
    for _ in range(3):
        out[:] = 0
        p.run(params)
        np.testing.assert_array_equal(out, X + Y)


WITHOUT_GPU = """
import migraphx
try:
    migraphx.allocate_gpu(migraphx.shape(lens=[3]))
except RuntimeError as e:
    print("refused:", e)
else:
    print("allocated")
"""


def test_without_a_gpu_the_error_says_so():
    environment = {k: v for k, v in os.environ.items() if k != "MIGRAPHX_HOST_DEVICE"}
    done = subprocess.run([sys.executable, "-c", WITHOUT_GPU], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    try:
        migraphx.get_target("gpu")
    except RuntimeError:
        assert done.stdout.startswith("refused: gpu:"), done.stdout
    else:
        assert done.stdout.startswith("allocated"), done.stdout
