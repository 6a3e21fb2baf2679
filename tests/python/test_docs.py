# SPDX-License-Identifier: MIT
"""The generated pages of docs/ say what the build has."""

import os
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import make_docs  # noqa: E402

DRIVER = pathlib.Path(os.environ.get("MGX_DRIVER", ROOT / "build/release/bin/migraphx-driver"))


@pytest.fixture(scope="module")
def pages():
    return make_docs.pages(DRIVER)


@pytest.mark.parametrize("name", ["operators.md", "onnx.md", "tensorflow.md"])
def test_page_is_fresh(pages, name):
    path = ROOT / "docs" / name
    assert path.read_text() == pages[path], f"docs/{name} is stale; `make docs` writes it"


def test_pages_have_what_matters(pages):
    operators, onnx, tensorflow = (pages[ROOT / "docs" / n] for n in ("operators.md", "onnx.md", "tensorflow.md"))
    assert "`softmax`" in operators and "`axis=1`" in operators
    assert "| `Conv` | 1, 11, 22 |" in onnx and "com.microsoft" in onnx
    assert "| `Conv2D` |" in tensorflow and "soft_nms_sigma of 0" in tensorflow
