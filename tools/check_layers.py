#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the dependency direction between the rooms of src/ and the size limits of source files.

A room may include its own headers, the rooms listed for it below and any public header
<migraphx/...>. Public headers are light: no third-party header, no <iostream>, no <regex>.
Files over 400 lines get a warning, files over 700 fail.

usage: check_layers.py [ROOT]     exit 0: fine, 1: broken
"""
from __future__ import annotations

import pathlib
import re
import sys

SOFT, HARD = 400, 700

CORE = ["base", "ir", "ops", "passes", "codegen", "runtime"]
ALLOWED = {room: set(CORE[:i]) for i, room in enumerate(CORE)}
ALLOWED.update({f"import/{kind}": {"base", "ir", "ops", "import"} for kind in ("onnx", "tf")})
ALLOWED["import"] = {"base", "ir", "ops"}
ALLOWED.update({f"targets/{name}": set(CORE) for name in ("ref", "cpu", "gpu")})
ALLOWED.update({name: {*CORE, "import"} for name in ("api", "python", "driver")})

# The third-party headers that belong to few rooms. Everything else in <...> with a slash, or named
# here, must be one of these in one of its rooms.
THIRD_PARTY = {
    "protozero/": {"import"},
    "dnnl": {"targets/cpu"},
    "oneapi/": {"targets/cpu"},
    "nanobind/": {"python"},
    "CLI/": {"driver"},
    "msgpack": {"base", "ir"},
    "nlohmann/": {"base", "ir", "driver"},
    "llvm/": {"codegen", "targets/cpu"},
    "cuda": {"targets/gpu"},
    "cudnn": {"targets/gpu"},
    "cublas": {"targets/gpu"},
    "nvrtc": {"targets/gpu"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')
SUFFIXES = {".cpp", ".hpp", ".h", ".cuh", ".cu"}


def room_of(path: pathlib.PurePath) -> str | None:
    """The room of a path relative to src/: `ir`, `targets/cpu`, `import/onnx`."""
    parts = path.parts
    if len(parts) < 2:
        return None
    if parts[0] in ("targets", "import") and len(parts) > 2:
        return f"{parts[0]}/{parts[1]}"
    return parts[0]


def check_include(room: str, kind: str, name: str, path: pathlib.Path, src: pathlib.Path) -> str | None:
    """Why this #include is not allowed, or None."""
    if room not in ALLOWED:
        return f"room {room}: expected one of {', '.join(sorted(ALLOWED))}"
    if name.startswith("migraphx/"):
        return None
    if kind == "<":
        for prefix, rooms in THIRD_PARTY.items():
            if name.startswith(prefix) and room not in rooms:
                return f"<{name}>: expected only in {', '.join(sorted(rooms))}"
        return None
    if (path.parent / name).exists() and not (src / name).exists():
        name = (path.parent / name).resolve().relative_to(src.resolve()).as_posix()
    target = room_of(pathlib.PurePath(name))
    if target is None or target == room or target in ALLOWED[room] or target.split("/")[0] in ALLOWED[room]:
        return None
    return f'"{name}": {room} may include {", ".join(sorted(ALLOWED[room])) or "nothing"}, got {target}'


def check_public(kind: str, name: str) -> str | None:
    if name in ("iostream", "regex"):
        return f"<{name}>: expected no heavy standard header in a public one"
    if any(name.startswith(prefix) for prefix in THIRD_PARTY) or name.startswith("fmt/"):
        return f"<{name}>: expected no third-party header in a public one"
    if kind == '"' and not name.startswith("migraphx/"):
        return f'"{name}": expected <migraphx/...> in a public header'
    return None


def check(root: pathlib.Path) -> tuple[list[str], list[str]]:
    """(errors, warnings) of the tree at root."""
    errors, warnings = [], []
    src, public = root / "src", root / "include"
    sources = [p for top in (src, public, root / "tests") for p in sorted(top.rglob("*")) if p.suffix in SUFFIXES]
    for path in sources:
        where = path.relative_to(root)
        lines = path.read_text(errors="replace").splitlines()
        if len(lines) > HARD:
            errors.append(f"{where}: expected at most {HARD} lines, got {len(lines)}")
        elif len(lines) > SOFT:
            warnings.append(f"{where}: {len(lines)} lines, {SOFT} are better")
        if not lines or "SPDX-License-Identifier: MIT" not in lines[0]:
            errors.append(f"{where}:1: expected the line // SPDX-License-Identifier: MIT first")
        if path.is_relative_to(root / "tests"):
            continue
        for number, line in enumerate(lines, 1):
            found = INCLUDE.match(line)
            if not found:
                continue
            if path.is_relative_to(public):
                why = check_public(*found.groups())
            else:
                why = check_include(room_of(path.relative_to(src)) or "", *found.groups(), path, src)
            if why:
                errors.append(f"{where}:{number}: {why}")
    return errors, warnings


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent).resolve()
    errors, warnings = check(root)
    for line in warnings:
        print(f"warning: {line}")
    for line in errors:
        print(f"error: {line}")
    print(f"check_layers: {len(errors)} errors, {len(warnings)} warnings")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
