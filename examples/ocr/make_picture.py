#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws picture.png, lines of Latin and Chinese text, and its ground truth picture.txt.

Needs Pillow and the Debian packages fonts-dejavu-core and fonts-noto-cjk (or --fonts DIR). Both
files are in the repository, so that only a change of the picture needs this script.
"""

from __future__ import annotations

import argparse
import pathlib
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

HERE = pathlib.Path(__file__).resolve().parent
SIZE = (1184, 928)
FONTS = {
    "sans": ("DejaVuSans.ttf", 0),
    "bold": ("DejaVuSans-Bold.ttf", 0),
    "serif": ("DejaVuSerif.ttf", 0),
    "mono": ("DejaVuSansMono.ttf", 0),
    "hei": ("NotoSansCJK-Regular.ttc", 2),  # face 2 of these collections is simplified Chinese
    "hei-bold": ("NotoSansCJK-Bold.ttc", 2),
    "song": ("NotoSerifCJK-Regular.ttc", 2),
}


class Line(NamedTuple):
    text: str
    font: str
    size: int
    centre: tuple[int, int]  # of the drawn text, in pixels
    angle: float = 0  # degrees, counter-clockwise
    colour: str = "#20242c"


LINES = (  # in reading order: the text of picture.txt
    Line("One engine, three models", "bold", 44, (400, 78), colour="#ffffff"),
    Line("光学字符识别", "hei-bold", 52, (986, 78), colour="#ffd866"),
    Line("The quick brown fox jumps over the lazy dog.", "serif", 36, (592, 190)),
    Line("检测、方向、识别，一气呵成", "hei", 40, (592, 270), colour="#8c1d18"),
    Line("This line is printed upside down", "sans", 36, (592, 350), 180, "#144d8c"),
    Line("深度学习推理引擎", "hei-bold", 46, (300, 440), 180, "#1b5e20"),
    Line("Invoice 2024-0815", "mono", 34, (866, 440)),
    Line("春眠不觉晓，处处闻啼鸟。", "song", 42, (400, 560), 5, "#4a148c"),
    Line("Total: 1,299.50 EUR", "bold", 32, (926, 560), -4, "#b71c1c"),
    Line("Dynamic shapes, compiled only once", "serif", 34, (592, 672), 2, "#004d40"),
    Line("北京市海淀区中关村大街27号", "hei", 36, (592, 754), 180),
    Line("support@example.org", "mono", 30, (290, 846), colour="#e0e4ea"),
    Line("电话：010-62511234", "hei", 34, (870, 846), colour="#e0e4ea"),
)


def find_font(name: str, folders: list[pathlib.Path]) -> pathlib.Path:
    for folder in folders:
        for path in sorted(folder.rglob(name)):
            return path
    raise SystemExit(f"make_picture: no {name}: apt install fonts-dejavu-core fonts-noto-cjk")


def background() -> Image.Image:
    """A light page with a soft gradient between two dark bands."""
    width, height = SIZE
    shade = Image.linear_gradient("L").resize(SIZE)
    page = Image.composite(
        Image.new("RGB", SIZE, "#e9e2d0"), Image.new("RGB", SIZE, "#fbfaf6"), shade
    )
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, width, 136), fill="#263238")
    draw.rectangle((0, height - 128, width, height), fill="#37474f")
    for y in (230, 312, 394, 486, 634, 714):
        draw.line((48, y, width - 48, y), fill="#ddd5c2", width=1)
    return page


def draw_line(page: Image.Image, line: Line, folders: list[pathlib.Path]) -> None:
    name, index = FONTS[line.font]
    font = ImageFont.truetype(str(find_font(name, folders)), line.size, index=index)
    left, top, right, bottom = font.getbbox(line.text)
    mask = Image.new("L", (right - left + 8, bottom - top + 8))
    ImageDraw.Draw(mask).text((4 - left, 4 - top), line.text, fill=255, font=font)
    if line.angle:
        mask = mask.rotate(line.angle, resample=Image.Resampling.BICUBIC, expand=True)
    x, y = line.centre[0] - mask.width // 2, line.centre[1] - mask.height // 2
    page.paste(Image.new("RGB", mask.size, line.colour), (x, y), mask)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fonts", type=pathlib.Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "picture.png")
    options = parser.parse_args()
    folders = [*options.fonts, pathlib.Path("/usr/share/fonts")]
    page = background()
    for line in LINES:
        draw_line(page, line, folders)
    page.save(options.out, optimize=True)
    text = "".join(line.text + "\n" for line in LINES)
    options.out.with_suffix(".txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
