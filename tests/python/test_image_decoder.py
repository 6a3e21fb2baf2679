# SPDX-License-Identifier: MIT
"""ImageDecoder against Pillow: modes of each format, and files that are damaged."""

import io

import migraphx
import numpy as np
import onnx
import pytest
from onnx import helper

Image = pytest.importorskip("PIL.Image")


def decoder(pixel_format="RGB", target="cpu"):
    """One program for files of any length."""
    node = helper.make_node("ImageDecoder", ["x"], ["y"], pixel_format=pixel_format)
    graph = helper.make_graph(
        [node],
        "graph",
        [helper.make_tensor_value_info("x", onnx.TensorProto.UINT8, ["n"])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.UINT8, [None, None, None])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    program = migraphx.parse_onnx_buffer(
        model.SerializeToString(), map_dyn_input_dims={"x": [migraphx.shape.dynamic_dimension(0, 1 << 24)]}
    )
    program.compile(migraphx.get_target(target))
    return lambda data: np.array(program.run({"x": np.frombuffer(data, np.uint8)})[0])


def decode(data, pixel_format="RGB"):
    try:
        return decoder(pixel_format)(data)
    except RuntimeError as error:
        if "of the system was expected" in str(error):
            pytest.skip(str(error))
        raise


def picture(mode="RGB", size=(37, 23)):
    """Smooth, with some noise."""
    rng = np.random.default_rng(0)
    w, h = size
    y, x = np.mgrid[0:h, 0:w]
    colour = np.stack([x * 6 % 256, y * 9 % 256, (x + y) * 4 % 256], -1) + rng.integers(0, 9, (h, w, 3))
    return Image.fromarray(np.clip(colour, 0, 255).astype(np.uint8)).convert(mode)


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, format=kind, **options)
    return out.getvalue()


FILES = {
    "bmp": lambda: saved(picture(), "BMP"),
    "bmp_palette": lambda: saved(picture("P"), "BMP"),
    "bmp_bits": lambda: saved(picture("1"), "BMP"),
    "bmp_grey": lambda: saved(picture("L"), "BMP"),
    "ppm": lambda: saved(picture(), "PPM"),
    "pgm": lambda: saved(picture("L"), "PPM"),
    "pbm": lambda: saved(picture("1"), "PPM"),
    "png": lambda: saved(picture(), "PNG"),
    "png_grey": lambda: saved(picture("L"), "PNG"),
    "png_palette": lambda: saved(picture("P"), "PNG"),
    "png_opacity": lambda: saved(picture("RGBA"), "PNG"),
    "png_bits": lambda: saved(picture("1"), "PNG"),
    "jpeg": lambda: saved(picture(), "JPEG", quality=85),
    "jpeg_grey": lambda: saved(picture("L"), "JPEG"),
    "jpeg_progressive": lambda: saved(picture(), "JPEG", progressive=True, subsampling=0),
    "tiff": lambda: saved(picture(), "TIFF"),
    "tiff_lzw": lambda: saved(picture(), "TIFF", compression="tiff_lzw"),
    "tiff_grey": lambda: saved(picture("L"), "TIFF"),
    "webp": lambda: saved(picture(), "WEBP", lossless=True),
    "webp_lossy": lambda: saved(picture(), "WEBP", quality=80),
    "jpeg2000": lambda: saved(picture(), "JPEG2000"),
    "jpeg2000_grey": lambda: saved(picture("L"), "JPEG2000"),
}


@pytest.mark.parametrize("name", FILES)
def test_formats(name):
    data = FILES[name]()
    wanted = np.array(Image.open(io.BytesIO(data)).convert("RGB"))
    # Lossy files: the two libraries may be of different versions.
    off = 2 if name.startswith(("jpeg", "webp_lossy")) and not name.startswith("jpeg2000") else 0
    got = decode(data)
    assert got.shape == wanted.shape
    assert np.abs(got.astype(int) - wanted.astype(int)).max() <= off
    assert np.array_equal(decode(data, "BGR"), got[:, :, ::-1])
    grey = np.array(Image.fromarray(got).convert("L"))[:, :, None]
    assert np.array_equal(decode(data, "Grayscale"), grey)


def test_portable_text_forms():
    assert decode(b"P1\n# a comment\n3 2\n101\n0 1 0\n")[:, :, 0].tolist() == [[0, 255, 0], [255, 0, 255]]
    assert decode(b"P2 2 1 4 0 3")[:, :, 1].tolist() == [[0, 191]]
    assert decode(b"P3\n1 1\n255\n1 2 3\n").tolist() == [[[1, 2, 3]]]
    assert decode(b"P5 1 1 65535\n\x80\x00")[0, 0, 0] == 128
    assert decode(b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n\x01\x02\x03\x80").tolist() == [[[1, 2, 3]]]


def test_coded_bitmap():
    header = b"BM" + bytes(8) + (54 + 8).to_bytes(4, "little") + (40).to_bytes(4, "little")
    header += (4).to_bytes(4, "little") + (2).to_bytes(4, "little") + (1).to_bytes(2, "little") + (8).to_bytes(2, "little")
    header += (1).to_bytes(4, "little") + bytes(12) + (2).to_bytes(4, "little") + bytes(4)
    palette = bytes([1, 2, 3, 0, 9, 8, 7, 0])
    codes = bytes([3, 1, 1, 0, 0, 0, 0, 3, 1, 0, 1, 0, 0, 1])
    assert decode(header + palette + codes)[:, :, 0].tolist() == [[7, 3, 7, 0], [7, 7, 7, 3]]


@pytest.mark.parametrize("data", [b"", b"BM", b"P6", b"P6 99999999 99999999 255\n", b"RIFFxxxxWEBP", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n",
                                  b"II*\0", b"\xff\x4f\xff\x51", b"GIF89a", b"P7\nENDHDR\n", b"P2 1 1 0 5"])
def test_no_picture(data):
    assert decode(data).shape == (0, 0, 3)
    assert decode(data, "Grayscale").shape == (0, 0, 1)


@pytest.mark.parametrize("name", FILES)
def test_damaged_files(name):
    data = FILES[name]()
    run = decoder()
    decode(data)  # skips when the library is not there
    rng = np.random.default_rng(1)
    for length in sorted(rng.integers(0, len(data), 15).tolist()):
        assert run(data[:length]).ndim == 3
    for _ in range(25):
        changed = bytearray(data)
        for at in rng.integers(0, min(len(data), 400), 3):
            changed[at] = rng.integers(256)
        assert run(bytes(changed)).ndim == 3
