# SPDX-License-Identifier: MIT
"""One compiled model behind one call, `session(array) -> array`; and the metadata of an ONNX file.

A dimension is an int, or a pair (smallest, largest) when it may change between calls.
"""

from __future__ import annotations

import importlib
import pathlib
import sys

import numpy as np

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
ENGINES = ("migraphx", "onnxruntime")


def import_migraphx():
    """The module on PYTHONPATH, else the one that `make build` left in build/prefix."""
    try:
        return importlib.import_module("migraphx")
    except ModuleNotFoundError:
        installed = REPOSITORY / "build" / "prefix" / "python"
        if not installed.is_dir():
            raise SystemExit(
                "ocr: expected the Python module migraphx, got none: run `make build`, "
                "or put its folder on PYTHONPATH, or choose --engine onnxruntime"
            ) from None
        sys.path.insert(0, str(installed))
        return importlib.import_module("migraphx")


class MigraphxSession:
    """One program, compiled once for the whole range of its dimensions."""

    def __init__(self, path: pathlib.Path, dims, target: str):
        migraphx = import_migraphx()
        dimension = migraphx.shape.dynamic_dimension
        bounds = [dimension(*d) if isinstance(d, tuple) else dimension(d, d) for d in dims]
        self.program = migraphx.parse_onnx(str(path), map_dyn_input_dims={"x": bounds})
        self.program.compile(migraphx.get_target(target))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.array(self.program.run({"x": x})[0])


class OnnxruntimeSession:
    """The same model in ONNX Runtime, for comparison; `dims` are what the file says."""

    def __init__(self, path: pathlib.Path, dims, target: str):
        del dims, target
        onnxruntime = importlib.import_module("onnxruntime")
        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return self.session.run(None, {"x": x})[0]


def open_session(engine: str, path: pathlib.Path, dims, target: str = "cpu"):
    return {"migraphx": MigraphxSession, "onnxruntime": OnnxruntimeSession}[engine](
        path, dims, target
    )


def describe_engine(engine: str, target: str) -> str:
    if engine == "migraphx":
        return f"migraphx {import_migraphx().__version__}, target {target}"
    return f"onnxruntime {importlib.import_module('onnxruntime').__version__}, CPUExecutionProvider"


def protobuf_fields(data):
    """Yields (field number, payload or integer) of one message; ValueError if it is not one."""

    def varint(at):
        value = shift = 0
        while True:
            if at >= len(data) or shift > 63:
                raise ValueError("protobuf: expected a number, got the end of the data")
            byte = data[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                return value, at

    at = 0
    while at < len(data):
        tag, at = varint(at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = varint(at)
            yield number, value
            continue
        if kind == 2:
            size, at = varint(at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"protobuf: expected wire type 0, 1, 2 or 5, got {kind}")
        if size > len(data) - at:
            raise ValueError(
                f"protobuf: expected {size} bytes in field {number}, got {len(data) - at}"
            )
        yield number, data[at : at + size]
        at += size


def onnx_metadata(path: pathlib.Path) -> dict[str, str]:
    """metadata_props (field 14) of an ONNX file: pairs of key (1) and value (2)."""
    fields = protobuf_fields(memoryview(path.read_bytes()))
    entries = [bytes(payload) for number, payload in fields if number == 14]
    pairs = [dict(protobuf_fields(entry)) for entry in entries]
    return {str(p.get(1, b""), "utf-8"): str(p.get(2, b""), "utf-8") for p in pairs}
