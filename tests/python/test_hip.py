# SPDX-License-Identifier: MIT
"""The device code as HIP: Debian's hipcc compiles the library of templates and kernels that operators
generate. Nothing runs. Skipped where hipcc is missing (tools/install_deps.sh hip)."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEVICE_CODE = ROOT / "src/targets/gpu/device_code"
if shutil.which("hipcc") is None:
    pytest.skip("hipcc was not found", allow_module_level=True)

# One machine with warps of 64, one with warps of 32.
ARCHITECTURES = ("gfx90a", "gfx1030")

# Programs whose kernels stand for the families.
PROGRAMS = """
import migraphx
def program(build, **inputs):
    p = migraphx.program()
    m = p.get_main_module()
    args = [m.add_parameter(n, migraphx.shape(type=t, lens=list(s))) for n, (t, s) in inputs.items()]
    m.add_return([build(lambda op, *a, **k: m.add_instruction(migraphx.op(op, **k), list(a)), *args)])
    p.compile(migraphx.get_target("null"))
    p.get_main_module()
half, f32, i64 = "half_type", "float_type", "int64_type"
program(lambda op, x: op("softmax", op("tanh", x), axis=1), x=(half, (8, 300)))
program(lambda op, x, y: op("relu", op("add", op("dot", x, y), op("dot", x, y))), x=(half, (48, 64)), y=(half, (64, 80)))
program(lambda op, x, w: op("sigmoid", op("convolution", x, w, padding=[1, 1, 1, 1])), x=(half, (1, 16, 9, 9)), w=(half, (8, 16, 3, 3)))
program(lambda op, x: op("reduce_sum", x, axes=[1]), x=(f32, (5, 1000)))
program(lambda op, x, i: op("gather", x, i, axis=0), x=(f32, (50, 7)), i=(i64, (9,)))
program(lambda op, x: op("prefix_scan_sum", x, axis=1), x=(f32, (3, 700)))
program(lambda op, x: op("pooling", x, mode="max", lengths=[2, 2], stride=[2, 2]), x=(f32, (1, 3, 8, 8)))
program(lambda op, x: op("transpose", x, permutation=[1, 0]), x=("int8_type", (33, 65)))
"""


def compile_hip(source, folder, name, architecture):
    path = folder / f"{name}.hip"
    path.write_text("#include <hip/hip_runtime.h>\n" + source)
    command = ["hipcc", f"--offload-arch={architecture}", "--cuda-device-only", "-c", "-w", "-std=c++17",
               "-I", str(DEVICE_CODE), str(path), "-o", os.devnull]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:3000]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_library_of_templates(tmp_path, architecture):
    headers = sorted(p.name for p in DEVICE_CODE.glob("*.cuh") if p.name != "host_abi.cuh")
    assert "dialect.cuh" in headers
    text = "".join(f'#include "{name}"\n' for name in ["dialect.cuh", *headers])
    compile_hip(text, tmp_path, "all", architecture)


def test_a_mistake_is_seen(tmp_path):
    with pytest.raises(AssertionError, match="no_such_function"):
        compile_hip('#include "dialect.cuh"\nMGX_KERNEL void f(float* x) { *x = no_such_function(); }\n', tmp_path, "bad",
                    ARCHITECTURES[0])


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_generated_kernels(tmp_path, architecture):
    dumped = tmp_path / "dump"
    dumped.mkdir()
    env = dict(os.environ, MIGRAPHX_GPU_DUMP_SRC=str(dumped), MIGRAPHX_GPU_CACHE="off")
    done = subprocess.run([sys.executable, "-c", PROGRAMS], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    sources = sorted(dumped.glob("*.cu"))
    assert len(sources) >= 8
    for source in sources:
        compile_hip(source.read_text(), tmp_path, source.stem, architecture)
