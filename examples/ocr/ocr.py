#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads the text of a picture: detection, angle and recognition with the PP-OCRv4 models.

Exits with 0; with 1 when more than --allow characters differ from the ground truth; with 2 on wrong
usage.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import math
import pathlib
import sys
import time

import numpy as np
from PIL import Image

import annotate
import text_boxes
import text_lines
from engines import ENGINES, REPOSITORY, describe_engine, onnx_metadata, open_session

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = "rapidocr_onnxruntime"
MODELS = {  # file, and bounds of batch, channels, height, width
    "detection": ("ch_PP-OCRv4_det_infer.onnx", (1, 3, (32, 1600), (32, 1600))),
    "angle": ("ch_ppocr_mobile_v2.0_cls_infer.onnx", ((1, 8), 3, 48, 192)),
    "recognition": ("ch_PP-OCRv4_rec_infer.onnx", ((1, 8), 3, 48, (16, 1600))),
}
STAGES = tuple(MODELS)
LARGEST_BATCH = 8
LINE_HEIGHT, ANGLE_WIDTH = 48, 192
NARROWEST, WIDEST = 320, 1600  # of a recognition batch; narrower lines are padded


@dataclasses.dataclass
class Line:
    box: np.ndarray
    upside_down: bool = False
    text: str = ""
    confidence: float = 0.0


class Stopwatch:
    """Seconds of each stage, and what the engine took of them."""

    def __init__(self):
        self.total = dict.fromkeys(STAGES, 0.0)
        self.engine = dict.fromkeys(STAGES, 0.0)


class Reader:
    """The three compiled models and the steps between them."""

    def __init__(self, models: pathlib.Path, engine: str, target: str, longest_side: int):
        self.sessions = {
            n: open_session(engine, models / f, dims, target) for n, (f, dims) in MODELS.items()
        }
        self.characters = text_lines.alphabet(onnx_metadata(models / MODELS["recognition"][0]))
        self.longest_side = longest_side
        self.watch = Stopwatch()

    def run(self, stage: str, x: np.ndarray) -> np.ndarray:
        start = time.perf_counter()
        result = self.sessions[stage](x)
        self.watch.engine[stage] += time.perf_counter() - start
        return result

    def detect(self, picture: Image.Image) -> list[Line]:
        """Boxes in reading order; the network sees the picture with sides of multiples of 32."""
        scale = min(1.0, self.longest_side / max(picture.size))
        size = [min(max(round(s * scale / 32) * 32, 32), self.longest_side) for s in picture.size]
        pixels = np.asarray(picture.resize(size, Image.Resampling.BILINEAR))
        probability = self.run("detection", text_lines.to_planes(pixels)[None])[0, 0]
        back = np.array(picture.size) / size
        boxes = [
            text_boxes.turn_if_vertical(b * back) for b in text_boxes.boxes_from_map(probability)
        ]
        return [Line(boxes[i]) for i in text_boxes.reading_order(boxes)]

    def turn(self, crop: text_boxes.Cropper, lines: list[Line], sure: float = 0.9) -> None:
        """Turns the boxes of upside-down lines, so that they start where the text starts."""
        for first in range(0, len(lines), LARGEST_BATCH):
            group = lines[first : first + LARGEST_BATCH]
            pieces = [
                crop(g.box, min(ANGLE_WIDTH, natural_width(g.box)), LINE_HEIGHT) for g in group
            ]
            chance = self.run("angle", text_lines.to_batch(pieces, ANGLE_WIDTH))
            for line, (_, turned) in zip(group, chance):
                if turned > sure:
                    line.box, line.upside_down = np.roll(line.box, -2, axis=0), True

    def recognise(self, crop: text_boxes.Cropper, lines: list[Line]) -> None:
        """Fills in text and confidence of each line."""
        for group, width in batches(lines):
            pieces = [crop(g.box, min(width, natural_width(g.box)), LINE_HEIGHT) for g in group]
            chance = self.run("recognition", text_lines.to_batch(pieces, width))
            for line, (text, confidence) in zip(
                group, text_lines.ctc_decode(chance, self.characters)
            ):
                line.text, line.confidence = text, confidence

    def read(self, picture: Image.Image, least_confidence: float = 0.5) -> list[Line]:
        """The lines in reading order; `watch` then has the times of this picture."""
        self.watch = Stopwatch()
        times = [time.perf_counter()]
        lines = self.detect(picture)
        times.append(time.perf_counter())
        crop = text_boxes.Cropper(picture)
        self.turn(crop, lines)
        times.append(time.perf_counter())
        self.recognise(crop, lines)
        times.append(time.perf_counter())
        self.watch.total = dict(zip(STAGES, np.diff(times).tolist()))
        return [line for line in lines if line.text and line.confidence >= least_confidence]


def natural_width(box: np.ndarray) -> int:
    """Pixels across at the models' line height, proportions kept."""
    width, height = text_boxes.box_size(box)
    return max(1, math.ceil(LINE_HEIGHT * width / height))


def batches(lines: list[Line]) -> list[tuple[list[Line], int]]:
    """Lines of similar width, and the width of each group: a multiple of 32."""
    result: list[tuple[list[Line], int]] = []
    for line in sorted(lines, key=lambda line: natural_width(line.box), reverse=True):
        width = min(max(natural_width(line.box), NARROWEST), WIDEST)
        if result and len(result[-1][0]) < LARGEST_BATCH and width >= 0.75 * result[-1][1]:
            result[-1][0].append(line)
        else:
            result.append(([line], math.ceil(width / 32) * 32))
    return result


def find_models(folder: pathlib.Path | None) -> pathlib.Path:
    """The folder given, else that of the installed package, which is not imported."""
    if folder is None:
        package = importlib.util.find_spec(PACKAGE)
        places = package.submodule_search_locations if package else None
        folder = pathlib.Path(places[0]) / "models" if places else REPOSITORY / "build" / "models"
    for file, _ in MODELS.values():
        if not (folder / file).is_file():
            usage_error(
                f"{folder}: expected the model {file}, got none: "
                "`pip install --no-deps rapidocr-onnxruntime==1.4.4` brings it, or give --models"
            )
    return folder


def usage_error(message: str):
    print(f"ocr: {message}", file=sys.stderr)
    raise SystemExit(2)


def print_lines(lines: list[Line]) -> None:
    print(" #  confidence  angle  text")
    for number, line in enumerate(lines, 1):
        print(
            f"{number:2}  {line.confidence:10.3f}  {180 if line.upside_down else 0:4}°  {line.text}"
        )


def print_times(loading: float, first: Stopwatch, warm: Stopwatch) -> None:
    print(f"\n{'time in ms':<18}{'first run':>10}{'warm run':>10}{'engine only':>13}")
    print(f"{'load and compile':<18}{loading * 1e3:10.1f}")
    rows = [(n, first.total[n], warm.total[n], warm.engine[n]) for n in STAGES]
    rows.append(("picture to text", *(sum(r[k] for r in rows) for k in (1, 2, 3))))
    for name, *times in rows:
        print(f"{name:<18}{times[0] * 1e3:10.1f}{times[1] * 1e3:10.1f}{times[2] * 1e3:13.1f}")


def compare(truth: pathlib.Path, lines: list[Line], allowed: int) -> int:
    expected = truth.read_text(encoding="utf-8").splitlines()
    wrong, notes = text_lines.differences(expected, [line.text for line in lines])
    print(f"\n{wrong} of {sum(map(len, expected))} characters differ from {truth.name}")
    for note in notes:
        print(f"  {note}")
    return 1 if wrong > allowed else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", nargs="?", type=pathlib.Path, default=HERE / "picture.png")
    parser.add_argument(
        "--expect",
        type=pathlib.Path,
        help="text to compare with (default: beside the picture, .txt)",
    )
    parser.add_argument(
        "--allow", type=int, default=1, help="characters that may differ (default: 1)"
    )
    parser.add_argument(
        "--models", type=pathlib.Path, help=f"folder of the models (default: package {PACKAGE})"
    )
    parser.add_argument("--engine", choices=ENGINES, default="migraphx")
    parser.add_argument("--target", default="cpu", help="of migraphx (default: cpu)")
    parser.add_argument(
        "--longest-side",
        type=int,
        default=960,
        metavar="PIXELS",
        help="of the picture as detection sees it, 32 to 1600 (default: 960)",
    )
    parser.add_argument(
        "--warm",
        type=int,
        default=5,
        metavar="N",
        help="warm runs, the fastest is shown (default: 5)",
    )
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        help="annotated picture (default: build/demo/<name>_annotated.png)",
    )
    parser.add_argument(
        "--font", type=pathlib.Path, help="for the annotated picture (default: the first found)"
    )
    options = parser.parse_args()
    if not 32 <= options.longest_side <= 1600:
        parser.error(f"--longest-side: expected 32 to 1600, got {options.longest_side}")
    options.longest_side -= options.longest_side % 32
    if not options.picture.is_file():
        parser.error(f"{options.picture}: expected a picture, got no such file")
    if options.expect is None and options.picture.with_suffix(".txt").is_file():
        options.expect = options.picture.with_suffix(".txt")
    options.out = (
        options.out or REPOSITORY / "build" / "demo" / f"{options.picture.stem}_annotated.png"
    )
    return options


def main() -> int:
    options = arguments()
    models = find_models(options.models)
    picture = Image.open(options.picture).convert("RGB")
    print(f"engine   {describe_engine(options.engine, options.target)}")
    print(f"picture  {options.picture}, {picture.width} x {picture.height}\n")

    start = time.perf_counter()
    reader = Reader(models, options.engine, options.target, options.longest_side)
    loading = time.perf_counter() - start
    lines = reader.read(picture)
    first = warm = reader.watch
    for run in range(options.warm):
        reader.read(picture)
        faster = run == 0 or sum(reader.watch.total.values()) < sum(warm.total.values())
        warm = reader.watch if faster else warm

    print_lines(lines)
    print_times(loading, first, warm)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    font = options.font or annotate.find_cjk_font()
    annotate.annotated(picture, lines, font).save(options.out)
    hint = "" if font else " (no Chinese text in it: no font found; Debian has fonts-wqy-microhei)"
    print(f"\nannotated picture: {options.out}{hint}")
    return compare(options.expect, lines, options.allow) if options.expect else 0


if __name__ == "__main__":
    sys.exit(main())
