#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes docs/operators.md, docs/onnx.md and docs/tensorflow.md from the operator tables of a build.

The tables come from `migraphx-driver op|onnx|tf --json`; versions and types of ONNX operators from the `onnx`
package; what is not supported from the errors that the readers in src/import raise, and from their rows.

usage: make_docs.py [--driver PATH] [--check]     --check: exit 1 when a page is not what would be written
"""
from __future__ import annotations

import argparse
import functools
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOTE = "Made by `make docs` from the code; edits here are lost."


def table(driver: pathlib.Path, command: str) -> list[dict]:
    return json.loads(subprocess.run([str(driver), command, "--json", "--log-level", "none"], check=True, capture_output=True, text=True).stdout)


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


# ---- what readers refuse: the errors of kind `unsupported` in a reader and the functions it calls

FUNCTION = re.compile(r"^(?:[\w:<>,*& ]+) (\w+)\((?:[^;{}]*)\)(?: const)?\s*\{$(.*?)^\}$", re.M | re.S)
ROW = re.compile(r'\{\s*"(\w+)",\s*(\w+)(?:,\s*"([\w.]+)")?')
MESSAGE = re.compile(r'\bunsupported\(\s*(?:std::string\(|str\()?"((?:[^"\\]|\\.)*)"')
EXPECTED = re.compile(r"^(.*?)\s*\b(?:was|were) expected\b")


def refusals(room: str) -> dict[tuple[str, str], list[str]]:
    """(domain, operator) to what is expected of it."""
    bodies, rows = {}, {}
    for path in sorted((ROOT / "src/import" / room).glob("*.cpp")):
        text = path.read_text()
        for name, body in FUNCTION.findall(text):
            bodies.setdefault(name, []).append((path.name, body))
        if path.name.startswith("ops_"):
            for name, reader, domain in ROW.findall(text):
                rows[(domain if room == "onnx" else "", name)] = (path.name, reader)

    @functools.lru_cache(None)
    def messages(file: str, name: str, depth: int = 0) -> tuple[str, ...]:
        found: dict[str, None] = {}
        candidates = bodies.get(name, [])
        own = [b for f, b in candidates if f == file] or [b for _, b in candidates if len(candidates) == 1]
        for body in own:
            for text in MESSAGE.findall(body):
                if match := EXPECTED.match(text):
                    found[match.group(1).strip().rstrip(":").replace('\\"', "")] = None
            if depth < 4:
                for called in re.findall(r"\b(\w+)\(", body):
                    if called != name and called in bodies and not called.startswith("read_"):
                        for text in messages(file, called, depth + 1):
                            found[text] = None
        return tuple(t for t in found if t)

    return {key: list(messages(*value)) for key, value in rows.items()}


def limits(row: dict, refused: dict) -> str:
    parts = [row["limits"]] if row["limits"] else []
    # A domain that is a named constant in the row is not seen by the pattern.
    found = refused.get((row["domain"], row["name"])) or refused.get(("", row["name"]), [])
    parts += [r for r in found if r not in parts]
    return cell("; ".join(parts))


# ---- pages

def operators_page(ops: list[dict]) -> str:
    ops = [op for op in ops if "::" not in op["name"]]  # without those that a loaded target has for itself
    lines = ["# Operators", "", NOTE, "",
             f"The {len(ops)} operators of the intermediate representation. Attributes are given as `name=default`. Traits: *pointwise*: one result",
             "for each element of equal shapes; *commutative*; *view*: the result shares the memory of its input; *shape from values*: the elements of",
             "some inputs decide the shape; *side effect*: never removed; *builtin*: no operation of its own; *no reference*: only targets run it.", "",
             "| operator | what it is | attributes | traits |", "|---|---|---|---|"]
    for op in ops:
        attributes = []
        for a in op["attributes"]:
            default = json.dumps(a["default"], ensure_ascii=False)
            attributes.append(f"`{a['name']}={cell(default)}`" + (f" {cell(a['doc'])}" if a["doc"] else ""))
        lines.append(f"| `{op['name']}` | {cell(op['summary'])} | {'<br>'.join(attributes)} | {', '.join(op['traits'])} |")
    return "\n".join(lines) + "\n"


def onnx_schemas() -> dict[tuple[str, str], list]:
    import onnx.defs

    found: dict[tuple[str, str], list] = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        found.setdefault((schema.domain, schema.name), []).append(schema)
    for versions in found.values():
        versions.sort(key=lambda s: s.since_version)
    return found


def type_names(schema) -> str:
    """The element types of a standard operator's inputs and results, in groups."""
    names = set()
    for constraint in schema.type_constraints:
        for t in constraint.allowed_type_strs:
            names |= set(re.findall(r"\b(?:u?int\d+|float\w*|double|bfloat16|bool|string|complex\d+)\b", t))
            names |= {k for k in ("seq", "optional", "map") if t.startswith(k + "(")}
    groups = []
    for label, members in (("float", {"float", "float16", "double", "bfloat16"}), ("int", {"int8", "int16", "int32", "int64"}),
                           ("uint", {"uint8", "uint16", "uint32", "uint64"})):
        inside = names & members
        if inside == members:
            groups.append(f"all {label}")
        else:
            groups += sorted(inside)
        names -= members
    small = {n for n in names if n.startswith(("float8", "float4", "float6", "int4", "uint4", "int2", "uint2"))}
    if small:
        groups.append("fp8, int4 …" if len(small) > 4 else ", ".join(sorted(small)))
    groups += sorted(names - small)
    return ", ".join(groups)


def onnx_page(rows: list[dict]) -> str:
    schemas, refused = onnx_schemas(), refusals("onnx")
    have = {(r["domain"], r["name"]) for r in rows}
    titles = {"": "ai.onnx", "ai.onnx.ml": "ai.onnx.ml", "com.microsoft": "com.microsoft"}
    lines = ["# ONNX operators", "", NOTE, "",
             f"{len(rows)} operators can be read. *Versions* are the opsets that changed the operator in the standard; all of them are read. *Types* are those of",
             "the standard; a type that the engine lacks (complex, string outside of the operators for it) is an error that names the tensor.",
             "*Expected* says what the reader insists on beyond the standard; other uses are errors that name the node."]
    for domain in sorted({r["domain"] for r in rows}, key=lambda d: (d != "", d)):
        of_domain = [r for r in rows if r["domain"] == domain]
        lines += ["", f"## {titles.get(domain, domain)} ({len(of_domain)})", "", "| operator | versions | types | expected |", "|---|---|---|---|"]
        for r in of_domain:
            versions = schemas.get((domain, r["name"]), [])
            numbers = ", ".join(str(s.since_version) for s in versions)
            types = type_names(versions[-1]) if versions else ""
            lines.append(f"| `{r['name']}` | {numbers} | {types} | {limits(r, refused)} |")
    missing = sorted(
        (d or "ai.onnx") + "::" + n for (d, n), s in schemas.items() if (d, n) not in have and not s[-1].deprecated)
    lines += ["", f"## Not read ({len(missing)})", "", "Operators of the standard without a reader: " + (", ".join(f"`{m}`" for m in missing) or "none") + "."]
    return "\n".join(lines) + "\n"


def tensorflow_page(rows: list[dict]) -> str:
    refused = refusals("tf")
    lines = ["# TensorFlow operators", "", NOTE, "",
             f"{len(rows)} operators of frozen graphs can be read. *Expected* says what the reader insists on beyond TensorFlow; a constant may be computed",
             "from other constants and from the dimensions of inputs. Control edges are ignored; `NoOp` and `Assert` are skipped.", "",
             "| operator | expected |", "|---|---|"]
    lines += [f"| `{r['name']}` | {limits(r, refused)} |" for r in rows]
    return "\n".join(lines) + "\n"


def pages(driver: pathlib.Path) -> dict[pathlib.Path, str]:
    return {
        ROOT / "docs/operators.md": operators_page(table(driver, "op")),
        ROOT / "docs/onnx.md": onnx_page(table(driver, "onnx")),
        ROOT / "docs/tensorflow.md": tensorflow_page(table(driver, "tf")),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--driver", type=pathlib.Path, default=pathlib.Path(os.environ.get("MGX_DRIVER", ROOT / "build/release/bin/migraphx-driver")))
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    stale = []
    for path, text in pages(options.driver).items():
        if not path.exists() or path.read_text() != text:
            stale.append(path)
            if not options.check:
                path.write_text(text)
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {'stale; `make docs` writes it' if options.check else 'written'}")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
