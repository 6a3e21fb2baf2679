# SPDX-License-Identifier: MIT
"""From a map of text probability to upright pieces of the picture: the post-processing of DB.

A box is a float array (4, 2) of x, y: top left, top right, bottom right, bottom left in reading
direction. Pixel (i, j) covers the square [j, j + 1) x [i, i + 1).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image


class Runs(NamedTuple):
    """Horizontal runs of set pixels by row and column; `stop` is exclusive, `component` from 0."""

    row: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    component: np.ndarray


def connected_runs(mask: np.ndarray) -> Runs:
    """The runs of a boolean image, labelled by 8-connected component."""
    height, width = mask.shape
    padded = np.zeros((height, width + 2), np.int8)
    padded[:, 1:-1] = mask
    edge = np.diff(padded, axis=1)
    row, start = np.nonzero(edge == 1)
    stop = np.nonzero(edge == -1)[1]
    # Runs of the next row that touch run i are one interval of indices, as both keys ascend.
    stride = width + 2
    first = np.searchsorted(row * stride + stop, (row + 1) * stride + start, "left")
    last = np.searchsorted(row * stride + start, (row + 1) * stride + stop, "right")
    count = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(row)), count)
    lower = np.arange(len(upper)) - np.repeat(np.cumsum(count) - count, count) + first[upper]
    return Runs(
        row, start, stop, np.unique(merge_labels(len(row), upper, lower), return_inverse=True)[1]
    )


def merge_labels(count: int, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The smallest member of each element's class, where a[k] and b[k] are in the same class."""
    root = np.arange(count)
    while True:
        x, y = root[a], root[b]
        if np.array_equal(x, y):
            return root
        np.minimum.at(root, np.maximum(x, y), np.minimum(x, y))
        while not np.array_equal(root[root], root):
            root = root[root]


def convex_hull(points: np.ndarray) -> np.ndarray:
    """Corners of the convex hull (monotone chain), without repeated or collinear points."""
    ordered = np.unique(points, axis=0).tolist()
    if len(ordered) < 3:
        return np.array(ordered, float).reshape(-1, 2)

    def chain(path):
        hull = []
        for p in path:
            while len(hull) > 1:
                (ax, ay), (bx, by) = hull[-2], hull[-1]
                if (bx - ax) * (p[1] - ay) - (by - ay) * (p[0] - ax) > 0:
                    break
                hull.pop()
            hull.append(p)
        return hull[:-1]

    return np.array(chain(ordered) + chain(ordered[::-1]), float)


def smallest_rectangle(points: np.ndarray) -> np.ndarray:
    """The box of least area around the points; one of its sides lies on a side of their hull.

    The top side is the one that runs most nearly from left to right.
    """
    hull = convex_hull(points)
    side = np.roll(hull, -1, axis=0) - hull
    length = np.hypot(*side.T)
    # A hull of one point has no direction of its own: it takes the picture's.
    side = side[length > 0] / length[length > 0, None] if length.any() else np.array([[1.0, 0.0]])
    across = side @ hull.T
    down = np.stack([-side[:, 1], side[:, 0]], 1) @ hull.T
    best = np.argmin(np.ptp(across, axis=1) * np.ptp(down, axis=1))
    x, y = side[best]
    u = np.array([across[best].min(), across[best].max()])
    v = np.array([down[best].min(), down[best].max()])
    box = np.array(
        [[u[i] * x - v[j] * y, u[i] * y + v[j] * x] for i, j in ((0, 0), (1, 0), (1, 1), (0, 1))]
    )
    turns = int(
        np.argmax(
            [np.roll(box, -k, axis=0)[1, 0] - np.roll(box, -k, axis=0)[0, 0] for k in range(4)]
        )
    )
    return np.roll(box, -turns, axis=0)


def box_size(box: np.ndarray) -> tuple[float, float]:
    """Width and height along the box's own sides."""
    return float(np.hypot(*(box[1] - box[0]))), float(np.hypot(*(box[3] - box[0])))


def grow(box: np.ndarray, ratio: float) -> np.ndarray:
    """Moves each side outwards by area * ratio / perimeter: the network finds boxes shrunken."""
    width, height = box_size(box)
    distance = width * height * ratio / max(2 * (width + height), 1e-6)
    right = (box[1] - box[0]) / max(width, 1e-6) * distance
    down = (box[3] - box[0]) / max(height, 1e-6) * distance
    return box + np.array([-right - down, right - down, right + down, down - right])


def mean_inside(values: np.ndarray, box: np.ndarray) -> float:
    """Mean of an image over the pixels whose centres lie in the box; 0 when there are none."""
    height, width = values.shape
    left, top = np.clip(np.floor(box.min(0)), 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(box.max(0)), 0, (width, height)).astype(int)
    x = np.arange(left, right)[None, :] + 0.5 - box[0, 0]
    y = np.arange(top, bottom)[:, None] + 0.5 - box[0, 1]
    inside = np.ones((bottom - top, right - left), bool)
    for side in (box[1] - box[0], box[3] - box[0]):
        along = x * side[0] + y * side[1]
        inside &= (along >= 0) & (along <= side @ side)
    return float(values[top:bottom, left:right][inside].mean()) if inside.any() else 0.0


def boxes_from_map(
    probability: np.ndarray,
    threshold: float = 0.3,
    box_threshold: float = 0.6,
    unclip_ratio: float = 1.8,
    smallest: float = 3,
) -> list[np.ndarray]:
    """The boxes of text in a map (height, width) of probabilities."""
    runs = connected_runs(probability > threshold)
    order = np.argsort(runs.component, kind="stable")
    groups = (
        np.split(order, np.nonzero(np.diff(runs.component[order]))[0] + 1) if len(order) else []
    )
    boxes = []
    for group in groups:
        row, start, stop = runs.row[group], runs.start[group], runs.stop[group]
        xs = np.concatenate([start, stop, start, stop])
        ys = np.concatenate([row, row, row + 1, row + 1])
        box = smallest_rectangle(np.stack([xs, ys], 1))
        if min(box_size(box)) >= smallest and mean_inside(probability, box) >= box_threshold:
            boxes.append(grow(box, unclip_ratio))
    return boxes


def turn_if_vertical(box: np.ndarray, ratio: float = 1.5) -> np.ndarray:
    """A box at least `ratio` times as high as wide is read along its long side."""
    width, height = box_size(box)
    return np.roll(box, -1, axis=0) if height >= ratio * width else box


def reading_order(boxes: list[np.ndarray]) -> list[int]:
    """Indices of the boxes by rows from top to bottom, and from left to right within a row."""
    centre = [box.mean(0) for box in boxes]
    rows: list[list[int]] = []
    for i in sorted(range(len(boxes)), key=lambda i: centre[i][1]):
        head = rows[-1][0] if rows else None
        if head is not None and centre[i][1] - centre[head][1] < 0.5 * min(box_size(boxes[head])):
            rows[-1].append(i)
        else:
            rows.append([i])
    return [i for row in rows for i in sorted(row, key=lambda i: centre[i][0])]


class Cropper:
    """Cuts boxes out of a picture by bilinear sampling; its border goes on outside of it."""

    MARGIN = 64

    def __init__(self, picture: Image.Image):
        margin = ((self.MARGIN, self.MARGIN), (self.MARGIN, self.MARGIN), (0, 0))
        self.picture = Image.fromarray(
            np.pad(np.asarray(picture.convert("RGB")), margin, mode="edge")
        )

    def __call__(self, box: np.ndarray, width: int, height: int) -> np.ndarray:
        """The box as bytes (height, width, 3); averages over the source where it is reduced."""
        across, down = (max(1, round(s / n)) for s, n in zip(box_size(box), (width, height)))
        right = (box[1] - box[0]) / (width * across)
        below = (box[3] - box[0]) / (height * down)
        x, y = box[0] + self.MARGIN
        piece = self.picture.transform(
            (width * across, height * down),
            Image.Transform.AFFINE,
            (right[0], below[0], x, right[1], below[1], y),
            resample=Image.Resampling.BILINEAR,
        )
        return np.asarray(piece.reduce((across, down)))
