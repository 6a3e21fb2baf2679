#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails when a document names a path, a make word or a preset that does not exist.

Looks at `code spans` and code blocks of README.md, CONTRIBUTING.md, docs/ and every room's README.
usage: check_docs.py [ROOT]
"""
from __future__ import annotations

import json
import pathlib
import re
import sys

TOPS = ("src", "include", "tests", "tools", "docs", "examples", "bench", "cmake", ".ci")
PATH = re.compile(r"(?<![\w./-])((?:%s)/[\w./*+-]*)(<?)" % "|".join(map(re.escape, TOPS)))
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.S)


def check(root: pathlib.Path) -> list[str]:
    words = set(re.findall(r"^([a-z][\w-]*(?: [a-z][\w-]*)*):", (root / "Makefile").read_text(), re.M))
    words = {word for group in words for word in group.split()}
    presets = {p["name"] for p in json.loads((root / "CMakePresets.json").read_text())["configurePresets"]}
    documents = [root / "README.md", root / "CONTRIBUTING.md", *sorted((root / "docs").glob("*.md")),
                 *sorted((root / "src").rglob("README.md"))]
    errors = []
    for document in documents:
        text = document.read_text()
        for code in CODE.findall(text):
            if code.startswith("```text") or code.startswith("```cpp"):
                continue
            for path, rest in PATH.findall(code):
                path = path.rstrip(".")
                path += "*" if rest else ""  # tests/unit/kernels_<family>.cpp: at least one such file
                if not list(root.glob(path)):
                    errors.append(f"{document.relative_to(root)}: {path} does not exist")
            for word in re.findall(r"\bmake ([a-z]+)\b", code):
                if word not in words:
                    errors.append(f"{document.relative_to(root)}: `make {word}` does not exist")
            for preset in re.findall(r"--preset[ =]([\w-]+)", code):
                if preset not in presets:
                    errors.append(f"{document.relative_to(root)}: preset {preset} does not exist")
        if document.name == "README.md" and document.parent != root and len(text.splitlines()) > 20:
            errors.append(f"{document.relative_to(root)}: expected at most 20 lines, got {len(text.splitlines())}")
    return errors


def main() -> int:
    errors = check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve())
    for line in errors:
        print(f"error: {line}")
    print(f"check_docs: {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
