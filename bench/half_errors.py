#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Errors of models with quantize_fp16 (or bf16) against ONNX Runtime in f32, over several inputs: single
errors of networks that amplify rounding scatter by a factor of ten, so judge by the median and the largest.

The first input is the one of tools/gpu_check, whose measure this is: the largest difference over the largest
magnitude of an output. Needs the models in --folder (tools/models.py prepare). Exit status: 0 where the
largest error of each model's first input is within --limit, else 1.
"""
import argparse
import pathlib
import sys
import zlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tools" / "gpu_check")]
sys.path.append(str(ROOT / "build" / "prefix" / "python"))  # after PYTHONPATH

import models  # noqa: E402
from section_models import F32_ONLY, reference, relative_error  # noqa: E402


def inputs_of(model, case, seed):
    """Input 0 is that of every other check."""
    if seed == 0:
        return models.make_inputs(model, case)
    made = {}
    for i in case.inputs:
        rng = np.random.default_rng(zlib.crc32(f"{model.name}/{case.name}/{i.name}/{seed}".encode()))
        made[i.name] = np.asarray(models.FILLS[i.fill](rng, i.shape, *i.options), i.dtype, order="C")
    return made


def errors(args, model, case):
    import migraphx
    path = args.folder / f"{model.name}.onnx"
    inputs = [inputs_of(model, case, seed) for seed in range(args.seeds)]
    program = migraphx.parse_onnx(str(path), map_input_dims={k: list(v.shape) for k, v in inputs[0].items()})
    (migraphx.quantize_bf16 if args.bf16 else migraphx.quantize_fp16)(program)
    program.compile(migraphx.get_target(args.target))
    made = []
    for one in inputs:
        pairs = zip(program.run(one), reference(path, one))
        found = [relative_error(np.array(g), e) for g, e in pairs]
        made.append(max(float("inf") if isinstance(e, str) else e for e in found))
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="names; a trailing * matches any ending (default: all)")
    parser.add_argument("--target", default="null")
    parser.add_argument("--seeds", type=int, default=5, help="inputs of each case")
    parser.add_argument("--cases", type=int, default=1, help="sets of sizes of each model, 0 for all")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--limit", type=float, default=3e-2)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("/work/models"))
    args = parser.parse_args()
    bad = False
    print("| model | case | check's | median | largest |\n|:---|:---|---:|---:|---:|")
    for model in models.select(args.models):
        if model.name in F32_ONLY or model.source[0] == "onnx":
            continue
        for case in model.cases[:args.cases or None]:
            e = errors(args, model, case)
            bad = bad or not e[0] <= args.limit
            print(f"| {model.name} | {case.name} | {e[0]:.1e} | {np.median(e):.1e} | {max(e):.1e} |", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
