# SPDX-License-Identifier: MIT
"""The repository's own rules: dependency direction and file sizes, documents that name what exists."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import check_docs  # noqa: E402
import check_layers  # noqa: E402


def test_rooms_include_only_what_is_to_their_left():
    errors, _ = check_layers.check(ROOT)
    assert not errors, "\n" + "\n".join(errors)


def test_a_wrong_include_is_found(tmp_path):
    for folder in ("src/ir", "src/passes", "src/targets/cpu", "src/import/onnx", "include/migraphx", "tests"):
        (tmp_path / folder).mkdir(parents=True)
    spdx = "// SPDX-License-Identifier: MIT\n"
    cases = {
        "src/ir/up.cpp": ('#include "passes/pass.hpp"', True),
        "src/ir/down.cpp": ('#include "base/value.hpp"', False),
        "src/passes/own.cpp": ('#include "passes/pass.hpp"', False),
        "src/targets/cpu/other.cpp": ('#include "targets/gpu/context.hpp"', True),
        "src/import/onnx/runtime.cpp": ('#include "runtime/plan.hpp"', True),
        "src/ir/dnnl.cpp": ("#include <dnnl.hpp>", True),
        "include/migraphx/heavy.hpp": ("#include <iostream>", True),
    }
    for name, (line, _) in cases.items():
        (tmp_path / name).write_text(spdx + line + "\n")
    (tmp_path / "src/ir/long.cpp").write_text(spdx + "\n" * 800)
    errors, _ = check_layers.check(tmp_path)
    for name, (_, wrong) in cases.items():
        assert any(error.startswith(name) for error in errors) == wrong, (name, errors)
    assert any("src/ir/long.cpp" in error for error in errors)


def test_documents_name_what_exists():
    errors = check_docs.check(ROOT)
    assert not errors, "\n" + "\n".join(errors)
