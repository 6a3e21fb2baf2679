# SPDX-License-Identifier: MIT
"""The annotated picture: boxes on the left, the recognised text in its place on the right."""

from __future__ import annotations

import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from text_boxes import box_size

UPRIGHT, UPSIDE_DOWN = "#00a878", "#ff6b35"
INK, PAPER = "#1f2933", "#ffffff"
# In order of preference; any of them has Latin and Chinese characters.
CJK_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "uming.ttc",
)
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")


def find_cjk_font() -> pathlib.Path | None:
    found = {}
    for folder in FONT_FOLDERS:
        for path in pathlib.Path(folder).expanduser().rglob("*.[to]t[cf]"):
            found.setdefault(path.name, path)
    return next((found[name] for name in CJK_FONTS if name in found), None)


def load_font(path: pathlib.Path | None, size: float):
    return ImageFont.truetype(str(path), size) if path else ImageFont.load_default(size)


def has_glyphs(text: str, path: pathlib.Path | None) -> bool:
    """Pillow's built-in font, used when no other is found, is for Latin text only."""
    return path is not None or text.isascii()


def draw_text(page: Image.Image, line, path: pathlib.Path | None) -> None:
    """The text, scaled to fill its box and turned as its box is."""
    width, height = box_size(line.box)
    font = load_font(path, 0.72 * height)
    left, top, right, bottom = font.getbbox(line.text)
    if right - left > width:
        font = load_font(path, 0.72 * height * width / (right - left))
    mask = Image.new("L", (max(1, round(width)), max(1, round(height))))
    ImageDraw.Draw(mask).text(
        (mask.width / 2, mask.height / 2), line.text, fill=255, font=font, anchor="mm"
    )
    # An upside-down line is written the right way up: what counts here is what it says.
    side = (line.box[1] - line.box[0]) * (-1 if line.upside_down else 1)
    mask = mask.rotate(
        -np.degrees(np.arctan2(side[1], side[0])), Image.Resampling.BICUBIC, expand=True
    )
    x, y = line.box.mean(0)
    page.paste(INK, (round(x - mask.width / 2), round(y - mask.height / 2)), mask)


def annotated(picture: Image.Image, lines, font: pathlib.Path | None) -> Image.Image:
    """Twice as wide as the picture; `lines` have box, text, confidence and upside_down."""
    picture = picture.convert("RGB")
    width, height = picture.size
    stroke = max(2, round(height / 400))
    left, right = picture.copy(), Image.new("RGB", picture.size, PAPER)
    label = load_font(None, max(11, height / 58))
    for number, line in enumerate(lines, 1):
        colour = UPSIDE_DOWN if line.upside_down else UPRIGHT
        corners = [tuple(p) for p in line.box.tolist()]
        for page in (left, right):
            ImageDraw.Draw(page).line(
                [*corners, corners[0]], fill=colour, width=stroke, joint="curve"
            )
        x, y = min(corners, key=lambda p: p[0] + p[1])
        tag = ImageDraw.Draw(left)
        bounds = tag.textbbox((x, y), str(number), font=label, anchor="lb")
        tag.rectangle((bounds[0] - 1, bounds[1] - 3, bounds[2] + 6, bounds[3] + 3), fill=colour)
        tag.text((x + 3, y), str(number), fill=PAPER, font=label, anchor="lb")
        if has_glyphs(line.text, font):
            draw_text(right, line, font)
        note = ImageDraw.Draw(right)
        note.text(
            (x, y - 2), f"{number}: {line.confidence:.3f}", fill=colour, font=label, anchor="lb"
        )
    result = Image.new("RGB", (2 * width + stroke, height), INK)
    result.paste(left, (0, 0))
    result.paste(right, (width + stroke, 0))
    return result
