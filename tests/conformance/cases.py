# SPDX-License-Identifier: MIT
"""The official cases of the installed `onnx` package, all from its own files."""
from __future__ import annotations

import dataclasses
import pathlib
import warnings

import numpy as np
import onnx
import onnx.backend.test.loader as loader
from onnx import numpy_helper

KINDS = ("node", "node-expanded", "simple", "light", "pytorch-converted", "pytorch-operator")


@dataclasses.dataclass
class Case:
    """One model with its data sets; those of the kinds on disk are read when they are asked for."""

    name: str
    kind: str
    rtol: float
    atol: float
    model: onnx.ModelProto | None
    folder: pathlib.Path | None
    values: list

    def load(self) -> onnx.ModelProto:
        return self.model if self.model is not None else onnx.load(model_file(self))

    def data_sets(self, model: onnx.ModelProto) -> list[tuple[list, list]]:
        """Pairs of inputs and expected outputs."""
        if self.model is not None:
            return [([plain_value(x) for x in inputs], [plain_value(x) for x in outputs])
                    for inputs, outputs in self.values]
        if self.kind == "light":
            return [([ramp(x) for x in graph_inputs(model)], light_outputs(self, model))]
        return [(read_values(d, "input", [x.type for x in graph_inputs(model)]),
                 read_values(d, "output", [x.type for x in model.graph.output]))
                for d in sorted(self.folder.glob("test_data_set*"))]


def collect() -> list[Case]:
    """Every case, by kind and then by name."""
    warnings.simplefilter("ignore")
    found = []
    for x in loader.load_model_tests(kind="node"):
        kind = "node-expanded" if "_expanded" in x.name else "node"
        found.append(Case(x.name, kind, x.rtol, x.atol, x.model, None, x.data_sets))
    for kind in ("simple", "real", "pytorch-converted", "pytorch-operator"):
        for x in loader.load_model_tests(kind=kind):
            folder = pathlib.Path(x.model_dir) if x.model_dir else pathlib.Path(onnx.__file__).parents[1] / x.url
            found.append(Case(x.name, "light" if kind == "real" else kind, x.rtol, x.atol, None, folder, []))
    return sorted(found, key=lambda x: (KINDS.index(x.kind), x.name))


def model_file(case: Case) -> pathlib.Path:
    return case.folder if case.kind == "light" else case.folder / "model.onnx"


def graph_inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """The inputs that a caller gives: those without an initializer."""
    given = {x.name for x in model.graph.initializer}
    return [x for x in model.graph.input if x.name not in given]


def plain_value(x):
    return numpy_helper.to_array(x) if isinstance(x, onnx.TensorProto) else x


def ramp(x: onnx.ValueInfoProto) -> np.ndarray:
    """The input that the expected outputs of the light models were made with."""
    lens = [d.dim_value if d.HasField("dim_value") else 1 for d in x.type.tensor_type.shape.dim]
    count = int(np.prod(lens))
    return (np.arange(count).reshape(lens) / count).astype(np.float32)


def light_outputs(case: Case, model: onnx.ModelProto) -> list:
    stem = case.folder.with_suffix("")
    return [read_value(pathlib.Path(f"{stem}_output_{i}.pb"), x.type) for i, x in enumerate(model.graph.output)]


def read_values(folder: pathlib.Path, which: str, types: list[onnx.TypeProto]) -> list:
    count = len(list(folder.glob(f"{which}_*.pb")))
    return [read_value(folder / f"{which}_{i}.pb", types[i]) for i in range(count)]


def read_value(file: pathlib.Path, kind: onnx.TypeProto):
    data = file.read_bytes()
    if kind.HasField("sequence_type"):
        return numpy_helper.to_list(onnx.SequenceProto.FromString(data))
    if kind.HasField("optional_type"):
        return numpy_helper.to_optional(onnx.OptionalProto.FromString(data))
    return numpy_helper.to_array(onnx.TensorProto.FromString(data))


def is_plain(case: Case) -> bool:
    """Whether all inputs and outputs are tensors of numbers or flags that numpy itself has."""
    model = case.load()
    values = [*graph_inputs(model), *model.graph.output]
    return all(x.type.HasField("tensor_type") and
               onnx.helper.tensor_dtype_to_np_dtype(x.type.tensor_type.elem_type).kind in "biufc"
               and x.type.tensor_type.elem_type not in SMALL_TYPES for x in values)


# onnx gives these a dtype of ml_dtypes, of kind 'V' or, in some of its versions, that of a wider number.
SMALL_TYPES = {value for name, value in onnx.TensorProto.DataType.items()
               if name.startswith(("FLOAT8", "FLOAT4", "INT4", "UINT4", "INT2", "UINT2", "BFLOAT16"))}
