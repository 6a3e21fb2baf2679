#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The Python twin of dcu_program.cpp: parse, look at the inputs, compile, run, read the result."""

from __future__ import annotations

import argparse
import sys

import migraphx
import numpy as np

TYPES = {  # names of the engine's types and of numpy's
    "half_type": np.float16,
    "float_type": np.float32,
    "double_type": np.float64,
    "bool_type": np.bool_,
    "uint8_type": np.uint8,
    "int8_type": np.int8,
    "uint16_type": np.uint16,
    "int16_type": np.int16,
    "int32_type": np.int32,
    "int64_type": np.int64,
    "uint32_type": np.uint32,
    "uint64_type": np.uint64,
}


def parse_input(text: str) -> tuple[str, list[int]]:
    """ "x=1,3,224,224" to a name and its dimensions."""
    name, equals, dims = text.partition("=")
    if not name or not equals or not all(d.isdecimal() for d in dims.split(",")):
        raise argparse.ArgumentTypeError(f"expected NAME=N,C,H,W, got {text}")
    return name, [int(d) for d in dims.split(",")]


def make_blob(lens: list[int], image: str | None) -> np.ndarray:
    """NCHW floats of an image, or without one the ramp that dcu_program.cpp makes."""
    if image is None:
        ramp = np.arange(np.prod(lens)) % 255
        return (ramp.astype(np.float32) / np.float32(128) - np.float32(1)).reshape(lens)
    from PIL import Image

    with Image.open(image) as picture:
        pixels = np.asarray(picture.convert("RGB").resize((lens[3], lens[2])), np.float32)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None] / 127.5 - 1, np.float32)


def print_shapes(kind: str, shapes: dict) -> None:
    for name, shape in sorted(shapes.items()):
        print(f"{kind} {name} {shape.type_string()} {{{', '.join(map(str, shape.lens()))}}}")


def print_largest(values: np.ndarray) -> None:
    for i in np.argsort(-values, kind="stable")[:5]:
        print(f"  [{i}] {values[i]:.6f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--target", choices=("cpu", "gpu", "ref"), default="cpu")
    parser.add_argument(
        "--input", type=parse_input, action="append", default=[], metavar="NAME=N,C,H,W"
    )
    parser.add_argument("--image")
    chosen = parser.parse_args()

    net = migraphx.parse_onnx(chosen.model, map_input_dims=dict(chosen.input))
    inputs, outputs = net.get_inputs(), net.get_outputs()
    print_shapes("input", inputs)
    print_shapes("output", outputs)
    net.compile(migraphx.get_target(chosen.target), offload_copy=True, device_id=0)

    data = {}
    for name, shape in inputs.items():
        if shape.type_string() == "float_type" and len(shape.lens()) == 4:
            data[name] = make_blob(shape.lens(), chosen.image)
        else:
            data[name] = np.ones(shape.lens(), TYPES[shape.type_string()])

    results = net.run(data)
    print(f"{len(results)} results, the largest values of the first:")
    print_largest(np.array(results[0]).astype(np.float32).ravel())

    # One output by its name: what only the others need is not computed.
    by_name = net.run(data, [min(outputs)])
    print(f"by name: {len(by_name)} result of {np.array(by_name[0]).size} elements")
    return 0


if __name__ == "__main__":
    sys.exit(main())
