# SPDX-License-Identifier: MIT
"""A GPU shared with torch: no copies between the two. Skipped on machines without."""
import migraphx
import numpy as np
import pytest

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    pytest.skip("torch has no GPU here", allow_module_level=True)
try:
    TARGET = migraphx.get_target("gpu")
except RuntimeError as e:
    pytest.skip(str(e), allow_module_level=True)

FLOATS = {"float_type": torch.float32, "half_type": torch.float16, "bf16_type": torch.bfloat16}


def chain(kind="float_type", lens=(64, 128)):
    """relu(x + y) and x + y."""
    p = migraphx.program()
    m = p.get_main_module()
    s = migraphx.shape(type=kind, lens=list(lens))
    total = m.add_instruction(migraphx.op("add"), [m.add_parameter("x", s), m.add_parameter("y", s)])
    m.add_return([m.add_instruction(migraphx.op("relu"), [total]), total])
    return p


def compiled(kind="float_type", **options):
    p = chain(kind)
    p.compile(TARGET, **options)
    return p


@pytest.mark.parametrize("kind", FLOATS)
def test_dlpack_both_ways(kind):
    p = compiled(kind, offload_copy=False)
    x = torch.randn(64, 128, device="cuda", dtype=FLOATS[kind])
    y = torch.randn(64, 128, device="cuda", dtype=FLOATS[kind])
    assert migraphx.argument(x).data_ptr() == x.data_ptr()
    assert migraphx.argument(x).__dlpack_device__() == (2, 0)
    for _ in range(4):
        relu, total = p.run({"x": x, "y": y})
        seen = torch.from_dlpack(total)
        assert seen.is_cuda and seen.data_ptr() == total.data_ptr() and seen.dtype == FLOATS[kind]
        torch.testing.assert_close(seen, x + y)
        torch.testing.assert_close(torch.from_dlpack(relu), torch.relu(x + y))


def test_cuda_array_interface():
    x = torch.randn(64, 128, device="cuda")
    a = migraphx.to_gpu(migraphx.from_gpu(migraphx.argument(x)))
    assert a.data_ptr() != x.data_ptr()
    assert a.__cuda_array_interface__["data"][0] == a.data_ptr()
    assert not hasattr(a, "__array_interface__")
    seen = torch.as_tensor(a, device="cuda")
    assert seen.data_ptr() == a.data_ptr()
    torch.testing.assert_close(seen, x)
    with pytest.raises((TypeError, ValueError, BufferError)):
        np.asarray(a)
    assert a.tolist()[:3] == x.flatten()[:3].tolist()


def test_pointers_and_outputs():
    p = compiled(offload_copy=False)
    s = migraphx.shape(type="float", lens=[64, 128])
    tensors = {n: torch.zeros(64, 128, device="cuda") for n in p.get_parameter_names()}
    params = {n: migraphx.argument_from_pointer(s, t.data_ptr()) for n, t in tensors.items()}
    for i in range(5):
        tensors["x"].normal_()
        tensors["y"].fill_(i)
        p.run(params)
        migraphx.gpu_sync()
        torch.testing.assert_close(tensors["main:#output_1"], tensors["x"] + i)


def test_own_stream():
    p = compiled(offload_copy=False)
    stream = torch.cuda.Stream()
    x, y = (torch.randn(64, 128, device="cuda") for _ in range(2))
    out = torch.empty(64, 128, device="cuda")
    torch.cuda.synchronize()
    with torch.cuda.stream(stream):
        for _ in range(20):
            x.add_(1)
            p.run_async({"x": x, "y": y, "main:#output_1": out}, stream.cuda_stream, "cudaStream_t")
            torch.testing.assert_close(out, x + y)
    # The default stream, whose address is 0.
    results = p.run_async({"x": x, "y": y}, torch.cuda.default_stream().cuda_stream, "cudaStream_t")
    torch.testing.assert_close(torch.from_dlpack(results[1]), x + y)


def test_views_and_odd_addresses():
    p = compiled(offload_copy=False)
    y = torch.zeros(64, 128, device="cuda")
    base = torch.randn(128 * 64 + 1, device="cuda")
    for x in (torch.randn(128, 64, device="cuda").t(), base[1:].view(64, 128), torch.randn(64, 256, device="cuda")[:, ::2]):
        for _ in range(3):
            torch.testing.assert_close(torch.from_dlpack(p.run({"x": x, "y": y})[1]), x.contiguous())


def test_tensors_of_the_host_and_offload():
    x, y = torch.randn(64, 128), torch.randn(64, 128)
    for offload in (True, False):
        p = compiled(offload_copy=offload)
        for _ in range(3):
            for at in ("cpu", "cuda"):
                total = p.run({"x": x.to(at), "y": y})[1]
                if not offload:
                    total = migraphx.from_gpu(total)
                np.testing.assert_allclose(np.asarray(total), (x + y).numpy())


def test_memory_returns_to_its_level():
    def cycle():
        p = compiled(offload_copy=False)
        x = torch.zeros(64, 128, device="cuda")
        for _ in range(3):
            p.run({"x": x, "y": x})

    for _ in range(20):
        cycle()
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    before = torch.cuda.mem_get_info()[0]
    for _ in range(200):
        cycle()
    torch.cuda.synchronize()
    assert before - torch.cuda.mem_get_info()[0] < 32 << 20


def test_memory_that_runs_out():
    p = migraphx.program()
    m = p.get_main_module()
    x = m.add_parameter("x", migraphx.shape(type="float", lens=[1]))
    huge = m.add_instruction(migraphx.op("multibroadcast", out_lens=[1 << 16, 1 << 16, 1 << 8]), [x])
    m.add_return([m.add_instruction(migraphx.op("exp"), [huge])])
    p.compile(TARGET, offload_copy=False)
    with pytest.raises(RuntimeError, match="memory"):
        p.run({"x": torch.zeros(1, device="cuda")})
    test_pointers_and_outputs()
