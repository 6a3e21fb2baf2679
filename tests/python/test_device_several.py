# SPDX-License-Identifier: MIT
"""Several GPUs in one machine: each program on the one it was compiled for. Skipped on machines with fewer than two."""
import threading

import migraphx
import numpy as np
import pytest

torch = pytest.importorskip("torch")
if torch.cuda.device_count() < 2:
    pytest.skip(f"torch has {torch.cuda.device_count()} GPUs here, two are needed", allow_module_level=True)
try:
    TARGET = migraphx.get_target("gpu")
except RuntimeError as e:
    pytest.skip(str(e), allow_module_level=True)

DEVICES = (0, 1)
IMAGE = (2, 16, 32, 32)


def network():
    """relu(convolution(x)), its mean over pixels, and that by a matrix: libraries' kernels and own ones."""
    random = np.random.default_rng(3)
    p = migraphx.program()
    m = p.get_main_module()
    x = m.add_parameter("x", migraphx.shape(type="float", lens=list(IMAGE)))
    weights = m.add_literal(random.standard_normal((64, 16, 3, 3), np.float32) / 12)
    y = m.add_instruction(migraphx.op("convolution", padding=[1, 1]), [x, weights])
    y = m.add_instruction(migraphx.op("relu"), [y])
    mean = m.add_instruction(migraphx.op("reduce_mean", axes=[2, 3]), [y])
    row = m.add_instruction(migraphx.op("reshape", dims=[2, 64]), [mean])
    matrix = m.add_literal(random.standard_normal((64, 128), np.float32))
    m.add_return([m.add_instruction(migraphx.op("dot"), [row, matrix]), y])
    return p


def compiled(device, **options):
    p = network()
    p.compile(TARGET, device_id=device, **options)
    return p


@pytest.fixture(scope="module")
def wanted():
    p = network()
    p.compile(migraphx.get_target("ref"))
    x = np.random.default_rng(4).standard_normal(IMAGE, np.float32)
    return x, [np.array(r) for r in p.run({"x": x})]


def check(results, expected):
    for r, e in zip(results, expected, strict=True):
        np.testing.assert_allclose(r, e, atol=2e-3 * np.abs(e).max(), rtol=0)


@pytest.mark.parametrize("device", DEVICES)
def test_offload(device, wanted):
    x, expected = wanted
    p = compiled(device)
    for _ in range(5):
        check(map(np.array, p.run({"x": x})), expected)


@pytest.mark.parametrize("device", DEVICES)
def test_tensors_stay_on_their_device(device, wanted):
    x, expected = wanted
    p = compiled(device, offload_copy=False)
    given = torch.from_numpy(x).to(f"cuda:{device}")
    for _ in range(5):
        results = p.run({"x": given})
        for r in results:
            assert r.__dlpack_device__() == (2, device)
        seen = [torch.from_dlpack(r) for r in results]
        assert all(s.device.index == device for s in seen)
        check((s.cpu().numpy() for s in seen), expected)


def test_a_tensor_of_the_other_device(wanted):
    """Is copied or refused by name, never read as if it were near."""
    x, expected = wanted
    p = compiled(1, offload_copy=False)
    try:
        results = p.run({"x": torch.from_numpy(x).to("cuda:0")})
    except RuntimeError as error:
        assert "x" in str(error) and "device" in str(error)
    else:
        check((torch.from_dlpack(r).cpu().numpy() for r in results), expected)
    check((torch.from_dlpack(r).cpu().numpy() for r in p.run({"x": torch.from_numpy(x).to("cuda:1")})), expected)


@pytest.mark.parametrize("offload_copy", [True, False])
def test_both_at_once(offload_copy, wanted):
    x, expected = wanted
    programs = [compiled(device, offload_copy=offload_copy) for device in DEVICES]
    wrong = []

    def work(device):
        try:
            given = x if offload_copy else torch.from_numpy(x).to(f"cuda:{device}")
            for _ in range(200):
                results = programs[device].run({"x": given})
                check((np.array(r) if offload_copy else torch.from_dlpack(r).cpu().numpy() for r in results), expected)
        except Exception as error:  # reported by the test's own thread
            wrong.append((device, error))

    threads = [threading.Thread(target=work, args=(device,)) for device in DEVICES * 2]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_memory_of_one_is_not_taken_on_the_other():
    torch.cuda.synchronize(0)
    before = torch.cuda.mem_get_info(0)[0]
    p = compiled(1)
    p.run({"x": np.zeros(IMAGE, np.float32)})
    assert before - torch.cuda.mem_get_info(0)[0] < 8 << 20


def test_a_saved_program_runs_where_it_was_compiled_for(tmp_path, wanted):
    x, expected = wanted
    for device in DEVICES:
        file = str(tmp_path / f"{device}.mxr")
        migraphx.save(compiled(device), file)
        check(map(np.array, migraphx.load(file).run({"x": x})), expected)


def test_a_device_that_is_not_there():
    with pytest.raises(RuntimeError, match=f"device_id below {torch.cuda.device_count()}"):
        compiled(64)
