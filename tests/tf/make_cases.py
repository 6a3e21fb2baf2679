# SPDX-License-Identifier: MIT
"""Writes the cases of tests/python/test_tensorflow.py: graphs, inputs, and the results of TensorFlow.

Needs TensorFlow 2.x (`pip install tensorflow-cpu` in an environment of its own); the tests do not.
usage: make_cases.py [FOLDER]     writes operators.npz.xz and models.npz.xz
"""

import lzma
import os
import pathlib
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import numpy as np
import tensorflow as tf

from model_cases import model_cases
from operator_cases import operator_cases


def write(path, cases):
    """A case is graph, in:NAME…, out:NAME… arrays under its own name."""
    arrays = {}
    for name, (graph, inputs, outputs) in cases:
        arrays[f"{name}|graph"] = np.frombuffer(graph, np.uint8)
        for key, value in inputs.items():
            arrays[f"{name}|in:{key}"] = value
        for key, value in outputs.items():
            arrays[f"{name}|out:{key}"] = value
    with lzma.open(path, "wb", preset=9) as file:  # the graphs have most of their bytes in common
        np.savez(file, **arrays)
    print(f"{path}: {len(set(k.split('|')[0] for k in arrays))} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    write(folder / "operators.npz.xz", operator_cases())
    write(folder / "models.npz.xz", model_cases())
