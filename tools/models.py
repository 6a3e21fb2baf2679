#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The models that tests and benchmarks use, as data: where each comes from and the inputs it gets.

usage: models.py list
       models.py prepare DIR [NAME ...]     (no NAME: all of them)

`prepare` leaves DIR/NAME.onnx for each model, with its weights beside it where they are external.
Needs numpy only; the models inside PyPI packages are copied from the running interpreter's
site-packages, or else from those of build/deps. As a module: MODELS, find(), select(), prepare(),
make_inputs(), expected_outputs().
"""
import dataclasses
import importlib.machinery
import json
import os
import pathlib
import shutil
import subprocess
import sys
import zlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass(frozen=True)
class Input:
    """One input tensor: what to fill it with is the name of a generator below."""

    name: str
    shape: tuple
    fill: str = "image"
    dtype: str = "float32"
    options: tuple = ()


@dataclasses.dataclass(frozen=True)
class Case:
    """One set of concrete inputs of a model."""

    name: str
    inputs: tuple


@dataclasses.dataclass(frozen=True)
class Model:
    """`source` is (kind, path): kind `weights` is made by shared/models/make_weights.py, any other
    is an import package and path a file in it. `dims` gives (min, max) for each dynamic dimension
    of each input, for engines that want ranges; None when every shape in the file is static.
    `tolerance` is the largest error accepted, relative to the largest magnitude of an output.
    `small` models are run on the reference target too, `detections` names outputs (boxes, scores,
    labels) whose rows have no fixed order, and `expected` is a file of the package with the output
    of the first case."""

    name: str
    source: tuple
    cases: tuple
    dims: dict = None
    tolerance: float = 1e-3
    small: bool = False
    detections: bool = False
    expected: str = None


def _sizes(shape):
    return "x".join(map(str, shape))


def _weights(name, *inputs, **more):
    inputs = inputs or (Input("x", (1, 3, 224, 224)),)
    return Model(name, ("weights", name), (Case(_sizes(inputs[0].shape), inputs),), **more)


def _tokens(vocabulary):
    return Input("input_ids", (1, 128), "integers", "int64", (0, vocabulary))


def _mask(tail):
    return Input("attention_mask", (1, 128), "mask", "int64", (tail,))


def _ocr(name, file, fill, shapes, dims, **more):
    cases = tuple(Case(_sizes(s), (Input("x", s, fill),)) for s in shapes)
    return Model(name, ("rapidocr_onnxruntime", f"models/{file}_infer.onnx"), cases,
                 {"x": dims}, **more)


def _silero(name, cases, rate_input=True, **more):
    """`cases`: (sampling rate, batch); a chunk is 32 ms of sound after 4 ms of context."""
    made = []
    for rate, batch in cases:
        inputs = (Input("input", (batch, 576 * rate // 16000), "audio", options=(rate,)),
                  Input("state", (2, batch, 128), "normal", options=(0.1,)))
        if rate_input:
            inputs += (Input("sr", (), "constant", "int64", (rate,)),)
        made.append(Case(f"{rate // 1000}k_b{batch}", inputs))
    dims = {"input": [(1, 16), (256, 576)], "state": [2, (1, 16), 128]}
    return Model(name, ("silero_vad", f"data/{name}.onnx"), tuple(made), dims, small=True, **more)


def _light(name, data, small=False):
    base = f"backend/test/data/light/light_{name}"
    case = Case("1x3x224x224", (Input(data, (1, 3, 224, 224), "ramp"),))
    return Model(f"light_{name}", ("onnx", base + ".onnx"), (case,), small=small,
                 expected=base + "_output_0.pb")


MODELS = (
    _weights("bert_base", _tokens(30522), _mask(28)),
    _weights("deeplabv3_mobilenet", Input("x", (1, 3, 320, 320))),
    _weights("densenet121"),
    _weights("distilbert", _tokens(30522), _mask(28)),
    _weights("efficientnet_b0", small=True),
    _weights("googlenet"),
    _weights("gpt2", _tokens(50257)),
    _weights("gru1", Input("x", (1, 100, 128), "normal"), small=True),
    _weights("llama_small", _tokens(32000)),
    _weights("lstm2", Input("x", (1, 100, 128), "normal"), small=True),
    _weights("mobilenet_v2", small=True),
    _weights("mobilenet_v3_large", small=True),
    _weights("resnet18"),
    _weights("resnet50"),
    _weights("shufflenet_v2_x1_0", small=True),
    _weights("ssdlite320", Input("x", (1, 3, 320, 320)), detections=True),
    _weights("unet", Input("x", (1, 3, 256, 256))),
    _weights("vgg16"),
    _weights("vit_b_16"),
    _weights("whisper_tiny_encoder", Input("x", (1, 80, 3000), "normal", options=(0.5,))),
    _ocr("ppocr_det", "ch_PP-OCRv4_det", "page",
         [(1, 3, 320, 320), (1, 3, 640, 480), (2, 3, 320, 640), (1, 3, 736, 992)],
         [(1, 8), 3, (32, 2016), (32, 2016)], small=True),
    _ocr("ppocr_rec", "ch_PP-OCRv4_rec", "page",
         [(1, 3, 48, 320), (6, 3, 48, 320), (1, 3, 48, 768), (2, 3, 64, 200)],
         [(1, 64), 3, (48, 64), (32, 2016)], small=True),
    _ocr("ppocr_cls", "ch_ppocr_mobile_v2.0_cls", "page",
         [(1, 3, 48, 192), (6, 3, 48, 192), (3, 3, 64, 160)],
         [(1, 64), 3, (48, 64), (32, 1024)], small=True),
    _silero("silero_vad", [(16000, 1), (16000, 4), (8000, 1)]),
    _silero("silero_vad_16k_op15", [(16000, 1), (16000, 4)]),
    _silero("silero_vad_half", [(16000, 1), (16000, 4)], rate_input=False, tolerance=2e-2),
    _silero("silero_vad_op18_ifless", [(16000, 1), (16000, 4), (8000, 1)]),
    Model("silero_vad_16k_sequence", ("silero_vad", "data/silero_vad_16k_sequence.onnx"),
          tuple(Case(f"seq{n}", (Input("input", (n, 576), "audio", options=(16000,)),
                                 Input("h", (1, 1, 128), "normal", options=(0.1,)),
                                 Input("c", (1, 1, 128), "normal", options=(0.1,))))
                for n in (1, 31)),
          {"input": [(1, 1024), 576]}, small=True),
    Model("magika", ("magika", "models/standard_v3_3/model.onnx"),
          tuple(Case(f"b{n}", (Input("bytes", (n, 2048), "file_bytes", "int32"),))
                for n in (1, 8)),
          {"bytes": [(1, 64), 2048]}, small=True),
    _light("bvlc_alexnet", "data_0"),
    _light("densenet121", "data_0"),
    _light("inception_v1", "data_0"),
    _light("inception_v2", "data_0"),
    _light("resnet50", "gpu_0/data_0"),
    _light("shufflenet", "gpu_0/data_0", small=True),
    _light("squeezenet", "data_0", small=True),
    _light("vgg19", "data_0"),
    _light("zfnet512", "gpu_0/data_0"),
)


# Generators: (rng, shape, *options) -> array; the caller seeds rng and converts the type.

def _fill_image(rng, shape):
    """Smooth waves with noise in [-1, 1], as a normalised photograph has."""
    rows, columns = np.ogrid[0:1:shape[-2] * 1j, 0:1:shape[-1] * 1j]
    out = 0.3 * rng.standard_normal(shape)
    for plane in out.reshape(-1, *shape[-2:]):
        for _ in range(4):
            fy, fx, phase = rng.uniform(0, 12), rng.uniform(0, 12), rng.uniform(0, 6.3)
            plane += 0.35 * np.cos(6.28 * (fy * rows + fx * columns) + phase)
    return np.clip(out, -1, 1)


def _fill_page(rng, shape):
    """Dark strokes in lines on a white page, in [-1, 1]: something for a text model to find."""
    height, width = shape[-2:]
    out = np.ones(shape)
    for page in out:
        line = 30 if height > 64 else height - 12
        for top in range(6, height - line + 1, line + 18):
            left = 8
            while left < width - line:
                for _ in range(4):
                    y, x = top + rng.integers(0, line - 3), left + rng.integers(0, line // 2)
                    if rng.random() < 0.5:
                        page[:, y:y + 3, left:left + line // 2 + 3] = -0.9
                    else:
                        page[:, top:top + line, x:x + 3] = -0.9
                left += line // 2 + 7 + (line // 2 if rng.random() < 0.15 else 0)
    return np.clip(out + 0.02 * rng.standard_normal(shape), -1, 1)


def _fill_audio(rng, shape, rate):
    """A voice-like harmonic sound: a gliding pitch under formants, with breath noise."""
    t = np.arange(shape[0] * shape[1]) / rate
    pitch = 2 * np.pi * np.cumsum(130 + 30 * np.sin(5 * t)) / rate
    sound = sum(np.exp(-((130 * k - 600) / 700) ** 2) * np.sin(k * pitch + rng.uniform(0, 6.3))
                for k in range(1, 25))
    sound = sound / np.abs(sound).max() * 0.5 + 0.01 * rng.standard_normal(t.shape)
    return sound.reshape(shape)


def _fill_file_bytes(rng, shape):
    """First and last 1024 bytes of files, with token 256 where a file is shorter."""
    out = np.full(shape, 256)
    words = b"import numpy as np\n\ndef area(radius):\n    return np.pi * radius ** 2\n\n" * 15
    for i, row in enumerate(out):
        content = list(words[:1024 - 97 * i]) if i % 2 == 0 else list(rng.integers(0, 256, 1024))
        row[:len(content)] = content
        row[2048 - len(content):] = content
    return out


def _fill_mask(rng, shape, tail):
    out = np.ones(shape)
    out[..., shape[-1] - tail:] = 0
    return out


FILLS = {
    "image": _fill_image,
    "page": _fill_page,
    "audio": _fill_audio,
    "file_bytes": _fill_file_bytes,
    "mask": _fill_mask,
    "normal": lambda rng, shape, scale=1.0: scale * rng.standard_normal(shape),
    "integers": lambda rng, shape, low, high: rng.integers(low, high, shape),
    "constant": lambda rng, shape, value: np.full(shape, value),
    "ramp": lambda rng, shape: np.arange(np.prod(shape)).reshape(shape) / np.prod(shape),
}


def make_inputs(model, case):
    """The arrays of one case by input name, C-contiguous; the same on every machine."""
    made = {}
    for i in case.inputs:
        rng = np.random.default_rng(zlib.crc32(f"{model.name}/{case.name}/{i.name}".encode()))
        made[i.name] = np.asarray(FILLS[i.fill](rng, i.shape, *i.options), i.dtype, order="C")
    return made


def samples(case, count):
    """The case and others of its shapes with different values, `count` in all."""
    return [case, *(dataclasses.replace(case, name=f"{case.name}-{i}") for i in range(1, count))]


def find(name):
    """The model of that name; KeyError when there is none."""
    for model in MODELS:
        if model.name == name:
            return model
    raise KeyError(f"model '{name}': expected one of {', '.join(m.name for m in MODELS)}")


def select(names):
    """The models named, in the given order; a trailing * matches any ending; nothing means all."""
    picked = []
    for name in names or ["*"]:
        if name.endswith("*"):
            picked += [m for m in MODELS if m.name.startswith(name[:-1])]
        else:
            picked.append(find(name))
    return list({m.name: m for m in picked}.values())


def package_folder(package):
    """Folder of an installed package, found without importing it."""
    deps = [str(p) for p in ROOT.glob("build/deps/lib/python3*/site-packages")]
    spec = importlib.machinery.PathFinder.find_spec(package, sys.path + deps)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"package '{package}': expected it in site-packages "
                                "(run tools/install_deps.sh)")
    return pathlib.Path(list(spec.submodule_search_locations)[0])


def _weights_folder():
    given = os.environ.get("MIGRAPHX_MODEL_GRAPHS")
    for folder in ([pathlib.Path(given)] if given else []) + [ROOT.parent / "shared" / "models", ROOT / "shared" / "models"]:
        if (folder / "make_weights.py").exists():
            return folder
    raise FileNotFoundError("model graphs: expected them in ../shared/models")


def prepare(folder, models=MODELS):
    """Makes folder/NAME.onnx for each model; what is there and complete is left alone."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [m.name for m in models if m.source[0] == "weights"]
    missing = [name for name in wanted if not _complete(folder, name)]
    if missing:
        subprocess.run([sys.executable, str(_weights_folder() / "make_weights.py"), str(folder)]
                       + missing, check=True, stdout=sys.stderr)
    for model in models:
        package, path = model.source
        target = folder / f"{model.name}.onnx"
        if package != "weights" and not target.exists():
            part = target.with_suffix(f".part{os.getpid()}")
            shutil.copyfile(package_folder(package) / path, part)
            os.replace(part, target)


def _complete(folder, name):
    spec = json.loads((_weights_folder() / f"{name}.weights.json").read_text())
    weights = folder / spec["file"]
    return ((folder / f"{name}.onnx").exists() and weights.exists()
            and weights.stat().st_size == spec["bytes"])


def expected_outputs(model):
    """Outputs of the first case as the model's package states them, or None. Needs `onnx`."""
    if model.expected is None:
        return None
    import onnx
    from onnx import numpy_helper
    tensor = onnx.TensorProto()
    tensor.ParseFromString((package_folder(model.source[0]) / model.expected).read_bytes())
    return [numpy_helper.to_array(tensor)]


def main(arguments):
    if arguments[:1] == ["list"] and len(arguments) == 1:
        for m in MODELS:
            kind = "weights" if m.source[0] == "weights" else f"package {m.source[0]}"
            print(f"{m.name:26} {kind:29} {' '.join(c.name for c in m.cases)}")
        return 0
    if arguments[:1] == ["prepare"] and len(arguments) >= 2:
        try:
            prepare(arguments[1], select(arguments[2:]))
        except (KeyError, OSError, subprocess.CalledProcessError) as error:
            print(f"models.py: {error.args[0] if isinstance(error, KeyError) else error}",
                  file=sys.stderr)
            return 1
        return 0
    print(__doc__.strip(), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
