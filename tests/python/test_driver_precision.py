# SPDX-License-Identifier: MIT
"""The driver's flags for a lower precision."""

import os
import pathlib
import subprocess

import numpy as np
import pytest
from onnx import helper, save

from onnx_support import make_model

DRIVER = os.environ.get("MGX_DRIVER", pathlib.Path(__file__).resolve().parents[2] / "build/release/bin/migraphx-driver")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    rng = np.random.default_rng(0)
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"]), helper.make_node("Relu", ["c"], ["r"]),
             helper.make_node("Flatten", ["r"], ["f"]), helper.make_node("MatMul", ["f", "m"], ["y"])]
    x = np.zeros((1, 4, 6, 6), np.float32)
    constants = {"w": rng.standard_normal((8, 4, 3, 3)).astype(np.float32), "m": rng.standard_normal((128, 5)).astype(np.float32)}
    path = tmp_path_factory.mktemp("driver") / "m.onnx"
    save(make_model(nodes, {"x": x}, ["y"], constants), path)
    return path


def drive(*arguments):
    return subprocess.run([DRIVER, *map(str, arguments)], capture_output=True, text=True, timeout=120)


MARKS = {"fp16": ("Quantizing to fp16", "half_type"), "bf16": ("Quantizing to bf16", "bf16_type"),
         "int8": ("Quantizing to int8", "int8_type"), "fp8": ("Quantizing to fp8", "fp8e4m3fn_type"),
         "int4-weights": ("Quantizing weights to int4", "unpack_int4")}


@pytest.mark.parametrize("flag", MARKS)
def test_compile(flag, model):
    done = drive("compile", model, "--ref", f"--{flag}")
    assert done.returncode == 0, done.stderr
    message, mark = MARKS[flag]
    assert message in done.stderr and mark in done.stdout


@pytest.mark.parametrize("command", ["run", "perf", "time"])
def test_commands(command, model):
    done = drive(command, model, "--cpu", "--int8", *(["-n", 2] if command != "run" else []))
    assert done.returncode == 0, done.stderr
    assert "Quantizing to int8" in done.stderr


@pytest.mark.parametrize("flag", MARKS)
def test_verify(flag, model):
    done = drive("verify", model, "--cpu", f"--{flag}")
    assert done.returncode == 0, done.stderr
    assert MARKS[flag][0] in done.stderr and "passed" in done.stderr


def test_flags_together_in_order(model):
    done = drive("compile", model, "--ref", "--int4-weights", "--fp16")
    assert done.returncode == 0, done.stderr
    assert done.stderr.index("to fp16") < done.stderr.index("to int4")


def test_a_compiled_program_keeps_its_precision(model, tmp_path):
    assert drive("compile", model, "--ref", "-o", tmp_path / "m.mxr").returncode == 0
    done = drive("run", tmp_path / "m.mxr", "--ref", "--fp16")
    assert done.returncode == 0, done.stderr
    assert "keeps its precision" in done.stderr and "Quantizing" not in done.stderr
