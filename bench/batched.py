# SPDX-License-Identifier: MIT
"""Image models whose files state a batch of one, rewritten for another batch. Needs `onnx`."""
import dataclasses
import os
import pathlib

import numpy as np

from harness import models


def can_batch(model):
    """Static models of one image, with plain outputs."""
    image = model.cases[0].inputs
    return (model.dims is None and not model.detections and len(image) == 1
            and len(image[0].shape) == 4 and image[0].shape[0] == 1)


def prepare(folder, chosen, batch):
    """Makes FOLDER/batchN/NAME.onnx of those that can; gives that folder and the models, whose cases
    have the batch."""
    models.prepare(folder, chosen)
    to = pathlib.Path(folder) / f"batch{batch}"
    to.mkdir(exist_ok=True)
    made = []
    for model in filter(can_batch, chosen):
        target = to / f"{model.name}.onnx"
        if not target.exists():
            rewrite(pathlib.Path(folder) / f"{model.name}.onnx", target, batch)
        image = dataclasses.replace(model.cases[0].inputs[0], shape=(batch, *model.cases[0].inputs[0].shape[1:]))
        case = models.Case("x".join(map(str, image.shape)), (image,))
        made.append(dataclasses.replace(model, cases=(case,), expected=None))
    return to, made


def rewrite(source, target, batch):
    """The batch of the first input and of the outputs, and the ones that lead the shapes which Reshape,
    Resize and Expand are given."""
    import onnx
    from onnx import numpy_helper

    m = onnx.load(source, load_external_data=False)
    graph = m.graph
    del graph.value_info[:]
    stored = {i.name for i in graph.initializer}
    for value in [v for v in graph.input if v.name not in stored] + list(graph.output):
        dims = value.type.tensor_type.shape.dim
        if len(dims) > 1 and dims[0].dim_value == 1:
            dims[0].dim_value = batch
    given = {"Reshape": 1, "Expand": 1, "Resize": 3}
    wanted = {node.input[given[node.op_type]] for node in graph.node
              if node.op_type in given and len(node.input) > given[node.op_type]}

    def changed(tensor):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            return
        values = np.array(numpy_helper.to_array(tensor))
        if values.ndim == 1 and values.size > 1 and values[0] == 1:
            values[0] = batch
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))

    for tensor in graph.initializer:
        if tensor.name in wanted:
            changed(tensor)
    for node in graph.node:
        if node.op_type == "Constant" and node.output[0] in wanted:
            for attribute in node.attribute:
                if attribute.name == "value":
                    changed(attribute.t)
    for tensor in graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location" and not (target.parent / entry.value).exists():
                os.link(source.parent / entry.value, target.parent / entry.value)
    target.write_bytes(m.SerializeToString())
