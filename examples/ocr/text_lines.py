# SPDX-License-Identifier: MIT
"""From upright pieces to text: network input, CTC decoding, counting differences."""

from __future__ import annotations

import difflib

import numpy as np


def to_planes(pixels: np.ndarray) -> np.ndarray:
    """RGB bytes (height, width, 3) to BGR planes (3, height, width) of floats in [-1, 1]."""
    planes = np.ascontiguousarray(pixels[..., ::-1].transpose(2, 0, 1)).astype(np.float32)
    planes *= 2 / 255
    planes -= 1
    return planes


def to_batch(pieces: list[np.ndarray], width: int) -> np.ndarray:
    """Pieces of equal height as one array (n, 3, height, width), zero on the right of each."""
    batch = np.zeros((len(pieces), 3, pieces[0].shape[0], width), np.float32)
    for slot, piece in zip(batch, pieces):
        slot[:, :, : piece.shape[1]] = to_planes(piece)
    return batch


def alphabet(metadata: dict[str, str]) -> list[str]:
    """Characters by class: the blank, the model's own list (a line each), the space."""
    return ["", *metadata["character"].rstrip("\n").split("\n"), " "]


def ctc_decode(probability: np.ndarray, characters: list[str]) -> list[tuple[str, float]]:
    """Text and mean probability of each line of (lines, steps, classes), by the best path."""
    if probability.shape[2] != len(characters):
        raise ValueError(f"ctc: expected {len(characters)} classes, got {probability.shape[2]}")
    best = probability.argmax(2)
    chance = np.take_along_axis(probability, best[..., None], 2)[..., 0]
    kept = best != 0
    kept[:, 1:] &= best[:, 1:] != best[:, :-1]
    return [
        ("".join(characters[c] for c in line[keep]), float(p[keep].mean()) if keep.any() else 0.0)
        for line, p, keep in zip(best, chance, kept)
    ]


def edit_distance(a: str, b: str) -> int:
    """Fewest insertions, deletions and replacements of a character that make a into b."""
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        current = [i]
        for j, y in enumerate(b, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (x != y)))
        previous = current
    return previous[-1]


def differences(expected: list[str], got: list[str]) -> tuple[int, list[str]]:
    """How many characters differ, and one line of text about each group of lines that does."""
    notes, total = [], 0
    for kind, a, b, c, d in difflib.SequenceMatcher(
        None, expected, got, autojunk=False
    ).get_opcodes():
        if kind != "equal":
            wanted, found = "\n".join(expected[a:b]), "\n".join(got[c:d])
            total += edit_distance(wanted, found)
            notes.append(f"expected {wanted!r}, got {found!r}")
    return total, notes
