# SPDX-License-Identifier: MIT
"""The models of PyTorch that gpu_check measures: how each is made, what it gets, and its ONNX file."""
from __future__ import annotations

import pathlib

import torch

TOKENS = 128
NAMES = ("resnet50", "bert_base", "vit_b_16", "gpt2", "mobilenet_v2")


class FirstOutput(torch.nn.Module):
    """A transformers model that takes token numbers and gives one tensor."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, input_ids):
        return self.inner(input_ids=input_ids, use_cache=False, return_dict=False)[0] \
            if hasattr(self.inner.config, "n_positions") else self.inner(input_ids=input_ids, return_dict=False)[0]


def make(name: str) -> torch.nn.Module:
    """The same weights each time; for inference."""
    torch.manual_seed(0)
    if name == "bert_base":
        from transformers import BertConfig, BertModel
        model = FirstOutput(BertModel(BertConfig(), add_pooling_layer=False))
    elif name == "gpt2":
        from transformers import GPT2Config, GPT2Model, masking_utils
        # Rows hold one text each. Else a mask is computed from the positions, which ONNX has no form for and
        # which keeps PyTorch from its causal kernel.
        masking_utils.find_packed_sequence_indices = lambda positions: None
        model = FirstOutput(GPT2Model(GPT2Config()))
    else:
        import torchvision
        model = getattr(torchvision.models, name)(weights=None)
        randomise_statistics(model)
        if name == "vit_b_16": # its last layer starts at zero
            torch.nn.init.normal_(model.heads.head.weight, std=0.02)
    return model.eval().requires_grad_(False)


def randomise_statistics(model) -> None:
    """Batch normalisation that does something, as after training."""
    for m in model.modules():
        if isinstance(m, torch.nn.BatchNorm2d):
            m.running_mean.normal_(0, 0.1)
            m.running_var.uniform_(0.8, 1.25)


def inputs(name: str, batch: int, dtype=torch.float32, device="cpu"):
    """(name of the input, tensor)"""
    generator = torch.Generator().manual_seed(1)
    if name in ("bert_base", "gpt2"):
        ids = torch.randint(0, 30000, (batch, TOKENS), generator=generator)
        return "input_ids", ids.to(device)
    return "x", torch.randn(batch, 3, 224, 224, generator=generator).to(device, dtype)


def export(name: str, batch: int, dtype, path: pathlib.Path, device="cpu") -> None:
    model = make(name).to(device, dtype)
    key, x = inputs(name, batch, dtype, device)
    torch.backends.mha.set_fastpath_enabled(False)  # has no form in ONNX
    try:
        torch.onnx.export(model, (x,), str(path), input_names=[key], output_names=["y"], opset_version=17,
                          dynamo=False)
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
