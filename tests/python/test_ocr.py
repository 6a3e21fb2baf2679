# SPDX-License-Identifier: MIT
"""The pieces of examples/ocr around the models, and the example as a whole on the cpu target."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

PIL_Image = pytest.importorskip("PIL.Image")

OCR = pathlib.Path(__file__).resolve().parents[2] / "examples" / "ocr"
sys.path.insert(0, str(OCR))

import engines  # noqa: E402
import ocr  # noqa: E402
import text_boxes  # noqa: E402
import text_lines  # noqa: E402


def rectangle(cx, cy, width, height, degrees=0.0):
    """A box by its centre, sides and angle (clockwise on the screen)."""
    a = np.radians(degrees)
    right, down = (
        np.array([np.cos(a), np.sin(a)]) * width / 2,
        np.array([-np.sin(a), np.cos(a)]) * height / 2,
    )
    return np.array([cx, cy]) + np.array([-right - down, right - down, right + down, down - right])


def painted(shape, box):
    """A mask of the pixels whose centres lie in the box."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    inside = np.ones(shape, bool)
    for side in (box[1] - box[0], box[3] - box[0]):
        along = (x - box[0, 0]) * side[0] + (y - box[0, 1]) * side[1]
        inside &= (along >= 0) & (along <= side @ side)
    return inside


def flood(mask):
    """8-connected labels the plainest way: 0 outside, components from 1 in row-major order."""
    label, count = np.zeros(mask.shape, int), 0
    for y, x in zip(*np.nonzero(mask)):
        if label[y, x]:
            continue
        count += 1
        stack = [(y, x)]
        while stack:
            i, j = stack.pop()
            if 0 <= i < mask.shape[0] and 0 <= j < mask.shape[1] and mask[i, j] and not label[i, j]:
                label[i, j] = count
                stack += [(i + a, j + b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    return label


@pytest.mark.parametrize("density", [0.0, 0.1, 0.35, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (1, 17), (17, 1), (24, 31)])
def test_connected_runs_agree_with_flood_fill(shape, density):
    mask = np.random.default_rng(17).random(shape) < density
    runs = text_boxes.connected_runs(mask)
    label = np.zeros(shape, int)
    for row, start, stop, component in zip(*runs):
        assert not label[row, start:stop].any()
        label[row, start:stop] = component + 1
    assert np.array_equal(label, flood(mask))


def test_a_spiral_is_one_component():
    mask = np.zeros((41, 41), bool)
    for k in range(0, 20, 4):
        mask[k, k : 41 - k] = mask[k : 41 - k, 40 - k] = mask[40 - k, k : 41 - k] = mask[
            k + 4 : 41 - k, k
        ] = True
        mask[k + 4, k : k + 5] = True
    assert flood(mask).max() == 1
    assert text_boxes.connected_runs(mask).component.max() == 0


def test_hull_drops_inner_repeated_and_collinear_points():
    points = [(0, 0), (4, 0), (2, 0), (4, 3), (0, 3), (1, 1), (4, 3), (2, 2)]
    hull = text_boxes.convex_hull(np.array(points))
    assert sorted(map(tuple, hull.tolist())) == [(0, 0), (0, 3), (4, 0), (4, 3)]


@pytest.mark.parametrize("degrees", [-40, -30, -5, 0, 3, 17, 30, 44])
def test_smallest_rectangle_finds_a_turned_box(degrees):
    box = rectangle(100, 80, 90, 24, degrees)
    inner = box.mean(0) + (np.random.default_rng(1).random((50, 1)) * 2 - 1) * 0.3 * (
        box[1] - box[0]
    )
    found = text_boxes.smallest_rectangle(np.concatenate([inner, box[[2, 0, 3, 1]]]))
    assert np.allclose(found, box)


@pytest.mark.parametrize("points", [[(3, 4)], [(0, 0), (6, 8)], [(1, 2), (1, 2), (1, 9)]])
def test_smallest_rectangle_of_flat_points_has_no_area(points):
    box = text_boxes.smallest_rectangle(np.array(points))
    assert np.isfinite(box).all()
    assert min(text_boxes.box_size(box)) == pytest.approx(0)
    extent = np.ptp(np.array(points), axis=0)
    assert max(text_boxes.box_size(box)) == pytest.approx(np.hypot(*extent))


@pytest.mark.parametrize("degrees", [0, 20, 130])
def test_grow_moves_each_side_by_area_over_perimeter(degrees):
    box = rectangle(50, 60, 80, 20, degrees)
    distance = 80 * 20 * 1.5 / 200
    assert np.allclose(
        text_boxes.grow(box, 1.5), rectangle(50, 60, 80 + 2 * distance, 20 + 2 * distance, degrees)
    )


def test_mean_inside_counts_only_the_box():
    box = rectangle(40, 30, 30, 10, 25)
    values = np.where(painted((64, 80), box), 0.75, 0.0)
    assert text_boxes.mean_inside(values, box) == pytest.approx(0.75)
    assert text_boxes.mean_inside(values, box + 1000) == 0
    assert text_boxes.mean_inside(values, rectangle(0, 0, 4, 4)) == 0


def test_boxes_from_map_finds_lines_and_drops_what_is_no_text():
    wide, tilted = rectangle(120, 40, 160, 16), rectangle(130, 110, 150, 14, 8)
    probability = np.full((160, 256), 0.05, np.float32)
    probability[painted(probability.shape, wide) | painted(probability.shape, tilted)] = 0.9
    probability[150:152, 10:12] = 0.9  # smaller than any text
    probability[10:20, 220:250] = 0.4  # above the threshold, but not sure
    boxes = text_boxes.boxes_from_map(probability, unclip_ratio=0)
    assert len(boxes) == 2
    assert np.allclose(boxes[0], wide)
    assert np.abs(boxes[1] - tilted).max() < 2
    assert text_boxes.boxes_from_map(np.zeros((32, 32), np.float32)) == []


def test_reading_order_goes_by_rows_even_when_they_are_uneven():
    boxes = [
        rectangle(300, 104, 100, 20),
        rectangle(100, 100, 100, 20),
        rectangle(200, 20, 300, 20),
        rectangle(100, 130, 9, 20),
    ]
    assert text_boxes.reading_order(boxes) == [2, 1, 0, 3]


def test_vertical_boxes_are_read_along_their_long_side():
    box = rectangle(50, 50, 20, 80)
    turned = text_boxes.turn_if_vertical(box)
    assert text_boxes.box_size(turned) == pytest.approx((80, 20))
    assert np.array_equal(text_boxes.turn_if_vertical(turned), turned)


def test_crop_of_whole_pixels_is_exact_and_turns():
    pixels = np.random.default_rng(3).integers(0, 256, (40, 60, 3), np.uint8)
    crop = text_boxes.Cropper(PIL_Image.fromarray(pixels))
    box = np.array([[10, 5], [34, 5], [34, 21], [10, 21]], float)
    assert np.array_equal(crop(box, 24, 16), pixels[5:21, 10:34])
    assert np.array_equal(crop(np.roll(box, -2, axis=0), 24, 16), pixels[5:21, 10:34][::-1, ::-1])
    assert np.array_equal(crop(np.roll(box, -1, axis=0), 16, 24), np.rot90(pixels[5:21, 10:34]))


def test_crop_averages_when_it_reduces_and_repeats_the_border():
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[:, ::2] = 200
    crop = text_boxes.Cropper(PIL_Image.fromarray(pixels))
    assert np.abs(crop(rectangle(32, 16, 64, 32), 32, 16).astype(int) - 100).max() <= 1
    flat = text_boxes.Cropper(PIL_Image.fromarray(np.full((20, 20, 3), 90, np.uint8)))
    assert (flat(rectangle(10, 10, 60, 60), 48, 48) == 90).all()


def test_batch_is_bgr_in_minus_one_to_one_with_zeros_on_the_right():
    piece = np.zeros((2, 3, 3), np.uint8)
    piece[..., 0] = 255  # red
    batch = text_lines.to_batch([piece, piece[:, :1]], 4)
    assert batch.shape == (2, 3, 2, 4) and batch.dtype == np.float32
    assert np.allclose(batch[0, :, 0, 0], [-1, -1, 1])
    assert (batch[0, ..., 3:] == 0).all() and (batch[1, ..., 1:] == 0).all()


def one_hot(rows, classes, chance=0.8):
    result = np.full((len(rows), len(rows[0]), classes), (1 - chance) / (classes - 1), np.float32)
    for line, row in zip(result, rows):
        line[np.arange(len(row)), row] = chance
    return result


def test_ctc_drops_blanks_and_repeats_but_keeps_doubled_characters():
    characters = text_lines.alphabet({"character": "a\nb\nc"})
    assert characters == ["", "a", "b", "c", " "]
    decoded = text_lines.ctc_decode(
        one_hot([[0, 1, 1, 0, 1, 2, 4, 3], [0] * 8, [3, 3, 3, 3, 0, 0, 0, 3]], 5), characters
    )
    assert [text for text, _ in decoded] == ["aab c", "", "cc"]
    assert [confidence for _, confidence in decoded] == pytest.approx([0.8, 0, 0.8])


def test_ctc_says_when_the_alphabet_is_not_the_models():
    with pytest.raises(ValueError, match="expected 2 classes, got 5"):
        text_lines.ctc_decode(np.zeros((1, 1, 5), np.float32), ["", "a"])


@pytest.mark.parametrize(
    "a, b, distance",
    [("", "", 0), ("abc", "", 3), ("", "ab", 2), ("kitten", "sitting", 3), ("识别", "识 别", 1)],
)
def test_edit_distance(a, b, distance):
    assert text_lines.edit_distance(a, b) == text_lines.edit_distance(b, a) == distance


def test_differences_count_changed_and_missing_lines():
    assert text_lines.differences(["one", "two"], ["one", "two"]) == (0, [])
    assert text_lines.differences(["one", "two"], ["one", "tvo"]) == (
        1,
        ["expected 'two', got 'tvo'"],
    )
    assert text_lines.differences(["one", "two"], ["one"])[0] == 3


def test_batches_hold_every_line_once_with_little_padding():
    lines = [ocr.Line(rectangle(0, 0, 24 * k, 24)) for k in range(1, 60)]
    groups = ocr.batches(lines)
    assert sorted(id(line) for group, _ in groups for line in group) == sorted(map(id, lines))
    for group, width in groups:
        assert (
            len(group) <= ocr.LARGEST_BATCH
            and width % 32 == 0
            and ocr.NARROWEST <= width <= ocr.WIDEST
        )
        needed = [
            max(ocr.NARROWEST, min(ocr.WIDEST, ocr.natural_width(line.box))) for line in group
        ]
        assert max(needed) <= width and min(needed) >= 0.75 * width - 32


def field(number, payload):
    assert len(payload) < 128
    return bytes([number << 3 | 2, len(payload)]) + payload


def test_metadata_is_read_from_an_onnx_file(tmp_path):
    graph = field(7, b"\x0a\x03abc")
    entry = field(14, field(1, b"character") + field(2, "字\nb".encode()))
    path = tmp_path / "m.onnx"
    path.write_bytes(b"\x08\x09" + graph + entry + field(14, field(1, b"empty")))
    assert engines.onnx_metadata(path) == {"character": "字\nb", "empty": ""}


@pytest.mark.parametrize("data", [b"\x0a", b"\x0a\x05abc", b"\x80" * 12, b"\x0b\x01", b"\x0d\x01"])
def test_metadata_of_a_damaged_file_is_an_error(tmp_path, data):
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    with pytest.raises(ValueError, match="protobuf: expected"):
        engines.onnx_metadata(path)


@pytest.mark.parametrize(
    "arguments",
    [["missing.png"], ["--longest-side", "8"], ["--models", "/nowhere"], ["--engine", "x"]],
)
def test_wrong_usage_exits_with_2(arguments):
    done = subprocess.run(
        [sys.executable, OCR / "ocr.py", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "expected" in done.stderr or "invalid choice" in done.stderr


def test_the_picture_is_read_on_cpu(tmp_path):
    """End to end: at most one character differs, and the annotated picture is written."""
    pytest.importorskip("migraphx")
    models = os.environ.get("OCR_MODELS")
    if not models and not importlib.util.find_spec(ocr.PACKAGE):
        pytest.skip(f"no models: neither the package {ocr.PACKAGE} nor OCR_MODELS")
    out = tmp_path / "annotated.png"
    command = [
        sys.executable,
        OCR / "ocr.py",
        "--warm",
        "1",
        "--out",
        out,
        *(["--models", models] if models else []),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "北京市海淀区中关村大街27号" in done.stdout
    with PIL_Image.open(out) as annotated, PIL_Image.open(OCR / "picture.png") as picture:
        assert annotated.height == picture.height and annotated.width > 2 * picture.width - 1
