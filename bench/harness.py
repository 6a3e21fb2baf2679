# SPDX-License-Identifier: MIT
"""What the tools of this folder share: worker processes, idleness, errors, facts of the machine."""
import atexit
import datetime
import functools
import json
import os
import pathlib
import platform
import select
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import models  # noqa: E402

LABELS = {"migraphx": "ours", "mxr": "ours from .mxr", "ort": "ONNX Runtime",
          "openvino": "OpenVINO"}
PEERS = ("ort", "openvino")
LIMITED = ("baseline", "avx2")  # levels that limit_isa.c can show to every engine


class EngineError(Exception):
    """An engine that could not do what was asked, in one line."""


def one_line(text, limit=240):
    text = " ".join(str(text).split())
    return text if len(text) <= limit else text[:limit - 3] + "..."


def add_common_options(parser):
    """Options every tool here has, with the same meaning."""
    parser.add_argument("--models", nargs="*", default=[], metavar="NAME",
                        help="models to take, NAME* for a prefix (default: all)")
    parser.add_argument("--models-dir", type=pathlib.Path, default=ROOT / "build" / "models",
                        help="folder of prepared models; missing ones are made there")
    parser.add_argument("--python-path", type=pathlib.Path,
                        default=ROOT / "build" / "prefix" / "python",
                        help="folder of our Python module")
    parser.add_argument("--target", default="cpu", help="target our engine compiles for")
    parser.add_argument("--threads", type=int, default=2, help="threads of every engine")
    parser.add_argument("--isa", default="", metavar="LEVEL",
                        help="instruction set: baseline, avx2 (for every engine where the machine lets "
                             "processes hide what it has, see limit_isa.c), avx512, amx (ours)")
    parser.add_argument("--timeout", type=float, default=600,
                        help="seconds an engine may take for one request")


def chosen_models(parser, args):
    """The models that --models names; wrong use ends the program."""
    try:
        return models.select(args.models)
    except KeyError as error:
        parser.error(error.args[0])


@functools.cache
def isa_limiter():
    """The library that hides instruction sets from a process which preloads it, or None where it does
    not work. Made once, and gone with this process."""
    source = pathlib.Path(__file__).with_name("limit_isa.c")
    folder = tempfile.mkdtemp(prefix="bench-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    library = pathlib.Path(folder) / "limit_isa.so"
    try:
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, source], check=True, capture_output=True)
        subprocess.run(["true"], check=True, capture_output=True,
                       env=dict(os.environ, LD_PRELOAD=str(library), LIMIT_ISA="baseline"))
    except (OSError, subprocess.CalledProcessError):
        return None
    return str(library)


class Workers:
    """Starts worker processes for one model after another; a context manager that ends them."""

    def __init__(self, args):
        self.args = args
        self.folder = tempfile.TemporaryDirectory(prefix="bench-")
        self.limiter = isa_limiter() if args.isa in LIMITED else None
        self.alive = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop_all()
        self.folder.cleanup()

    def write_inputs(self, model, cases):
        """Saves the inputs of the cases; gives the map a worker wants."""
        paths = {}
        for case in cases:
            path = f"{self.folder.name}/{model.name}-{case.name}.npz"
            if not os.path.exists(path):
                np.savez(path, **{name.replace("/", "\\"): array for name, array
                                  in models.make_inputs(model, case).items()})
            paths[case.name] = path
        return paths

    def start(self, engine, model, cases, target=None, **options):
        """A worker that has loaded, compiled and run every case once; options: of our `compile`.
        Throws EngineError."""
        config = {
            "engine": engine,
            "model": str((self.args.models_dir / f"{model.name}.onnx").resolve()),
            "cases": self.write_inputs(model, cases),
            "dims": model.dims,
            "threads": options.pop("num_threads", self.args.threads),
            "isa": options.pop("isa", self.args.isa),
            "target": target or self.args.target,
            "options": options,
            "python_path": str(self.args.python_path.resolve()),
        }
        if engine == "mxr":
            config["compiled"] = self.compiled(model, config)
        worker = Worker(self, config, self.args.timeout)
        self.alive.append(worker)
        try:
            worker.started = worker.answer()
        except EngineError:
            worker.stop()
            raise
        return worker

    def compiled(self, model, config):
        """The file of the compiled program, made by a process of its own; one model's at a time."""
        path = pathlib.Path(self.folder.name) / f"{model.name}.mxr"
        if not path.exists():
            for old in path.parent.glob("*.mxr"):
                old.unlink()
            maker = Worker(self, {**config, "engine": "migraphx", "cases": {}, "save": str(path)},
                           self.args.timeout)
            self.alive.append(maker)
            try:
                maker.answer()
            finally:
                maker.stop()
        return str(path)

    def stop_all(self):
        for worker in list(self.alive):
            worker.stop()

    def settle(self, window=0.008, limit=3.0):
        """Waits until no worker uses or wants a processor: threads that spin after a run are then
        asleep. Given --quiet, waits that long at most for the rest of the machine too."""
        begin = time.perf_counter()
        used = self.cpu_ns()
        while time.perf_counter() - begin < limit:
            time.sleep(window)
            before, used = used, self.cpu_ns()
            if used - before < 2e-2 * window * 1e9 and not any(w.runnable() for w in self.alive):
                break
        begin = time.perf_counter()
        while time.perf_counter() - begin < self.args.quiet:
            busy = busy_cpu_seconds()
            time.sleep(0.25)
            if busy_cpu_seconds() - busy < 0.15 * 0.25:
                break

    def cpu_ns(self, besides=None):
        return sum(w.cpu_ns() for w in self.alive if w is not besides)


class Worker:
    """One engine in its own process. Blocked in a read, so idle, unless a request is under way."""

    def __init__(self, owner, config, timeout):
        self.owner, self.timeout, self.buffer = owner, timeout, b""
        self.engine = config["engine"]
        self.log = tempfile.TemporaryFile(dir=owner.folder.name)
        # A cache folder of its own makes every load a cold one.
        cache = tempfile.mkdtemp(dir=owner.folder.name)
        environment = dict(os.environ, OMP_NUM_THREADS=str(config["threads"]),
                           XDG_CACHE_HOME=cache)
        if config["engine"] in ("migraphx", "mxr") and config["isa"]:
            environment["MIGRAPHX_CPU_ISA"] = config["isa"]
        if owner.limiter is not None:
            environment.update(LD_PRELOAD=owner.limiter, LIMIT_ISA=owner.args.isa)
        script = pathlib.Path(__file__).with_name("engines.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script), json.dumps(config)], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, bufsize=0)

    def ask(self, do, **arguments):
        line = json.dumps({"do": do, **arguments}) + "\n"
        try:
            self.process.stdin.write(line.encode())
        except BrokenPipeError:
            pass
        return self.answer()

    def answer(self):
        deadline = time.monotonic() + self.timeout
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                self.process.kill()
                raise EngineError(f"no answer within {self.timeout:.0f} s")
            more = os.read(self.process.stdout.fileno(), 1 << 20)
            if not more:
                raise EngineError(self._death())
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\n", 1)
        answer = json.loads(line)
        if "error" in answer:
            raise EngineError(one_line(answer["error"]))
        return answer

    def _death(self):
        code = self.process.wait()
        how = f"signal {-code}" if code < 0 else f"exit status {code}"
        self.log.seek(0)
        said = self.log.read()[-400:].decode(errors="replace")
        return one_line(f"process ended with {how}: {said}")

    def outputs(self, case):
        """The outputs of a case, in the order of the model."""
        path = f"{self.owner.folder.name}/outputs-{self.process.pid}.npz"
        self.ask("outputs", case=case.name, path=path)
        with np.load(path) as saved:
            arrays = [saved[f"arr_{i}"] for i in range(len(saved.files))]
        os.unlink(path)
        return arrays

    def _threads(self, file):
        """What /proc says in `file` of each thread that lives."""
        try:
            for task in os.scandir(f"/proc/{self.process.pid}/task"):
                yield pathlib.Path(task.path, file).read_text()
        except (FileNotFoundError, ProcessLookupError):
            pass

    def cpu_ns(self):
        """Processor time of its threads in nanoseconds."""
        return sum(int(text.split()[0]) for text in self._threads("schedstat"))

    def runnable(self):
        """Whether a thread runs or waits for a processor, as one that spins does."""
        return any(text.rpartition(")")[2].split()[0] == "R" for text in self._threads("stat"))

    def stop(self):
        if self in self.owner.alive:
            self.owner.alive.remove(self)
        if self.process.poll() is None:
            try:
                self.process.stdin.write(b'{"do": "quit"}\n')
                self.process.wait(5)
            except (BrokenPipeError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()


# Errors

def relative_error(reference, got):
    """Largest difference over the largest magnitude of the reference (over one where that is all
    zero); infinite where shapes differ or only one of the two is finite."""
    if reference.ndim == 0:
        got = got.reshape(()) if got.size == 1 else got
    if reference.shape != got.shape:
        return float("inf")
    if reference.size == 0:
        return 0.0
    a, b = reference.astype(np.float64), got.astype(np.float64)
    finite = np.isfinite(a)
    same = np.where(np.isnan(a), np.isnan(b), a == b)
    if not np.all(np.where(finite, np.isfinite(b), same)):
        return float("inf")
    a, b = a[finite], b[finite]
    if a.size == 0:
        return 0.0
    return float(np.abs(a - b).max() / (np.abs(a).max() or 1.0))


def pair_detections(reference, got):
    """`got` (boxes, scores, labels) with its rows in the order of the reference: each reference
    row, best score first, takes the nearest row of its label that is left."""
    boxes, scores, labels = reference
    if any(r.shape != g.shape for r, g in zip(reference, got)):
        return got
    scale = np.abs(boxes).max() or 1.0
    free = np.ones(len(scores), bool)
    order = np.zeros(len(scores), int)
    for row in np.argsort(-scores, kind="stable"):
        distance = np.abs(got[0] - boxes[row]).max(axis=1) / scale
        distance = distance + np.abs(got[1] - scores[row]) + (got[2] != labels[row])
        order[row] = np.argmin(np.where(free, distance, np.inf))
        free[order[row]] = False
    return [g[order] for g in got]


def output_errors(model, reference, got):
    """relative_error of each output; one infinite entry when their number differs."""
    if len(reference) != len(got):
        return [float("inf")]
    if model.detections:
        got = pair_detections(reference, got)
    return [relative_error(r, g) for r, g in zip(reference, got)]


# Facts

def machine():
    cpu, flags = "unknown", []
    with open("/proc/cpuinfo") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                cpu = value.strip()
            elif key.strip() == "flags":
                flags = value.split()
    wanted = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "avx_vnni",
              "amx_tile", "amx_bf16", "amx_int8")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cpu": cpu, "cores": len(os.sched_getaffinity(0)),
            "isa": [f for f in wanted if f in flags], "memory_gib": round(memory, 1),
            "system": f"{platform.system()} {platform.release()}"}


def commit():
    """Short hash of the checkout, with + where tracked files differ from it."""
    def git(*words):
        return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True)
    head = git("rev-parse", "--short=12", "HEAD")
    if head.returncode != 0:
        return "unknown"
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "include").stdout
    return head.stdout.strip() + ("+" if changed.strip() else "")


def isa_limits(args):
    """Which engines `--isa` limits, in words."""
    if not args.isa:
        return ""
    every = args.isa in LIMITED and isa_limiter() is not None
    return f"{'every engine' if every else 'ours'} limited to {args.isa}"


def run_facts(args):
    return {"isa_limits": isa_limits(args), "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "commit": commit(), "machine": machine(), "threads": args.threads, "isa": args.isa,
            "target": args.target, "python": platform.python_version()}


def busy_cpu_seconds():
    """Processor seconds the whole machine has used."""
    with open("/proc/stat") as file:
        fields = [int(x) for x in file.readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def facts_markdown(facts, versions):
    m = facts["machine"]
    names = ", ".join(f"{LABELS[e]} {v}" for e, v in versions.items())
    return (f"{m['cpu']}, {m['cores']} cores ({' '.join(m['isa'])}), {m['memory_gib']} GiB, "
            f"{m['system']}; {facts['threads']} threads; "
            f"{facts['isa_limits'] + '; ' if facts['isa_limits'] else ''}{facts['date']}; "
            f"commit {facts['commit']}{'; ' if names else ''}{names}.\n")


def markdown_table(header, rows):
    """Text columns to the left, the others to the right; cells are strings already."""
    lines = ["| " + " | ".join(h for h, _ in header) + " |",
             "|" + "|".join(":---" if left else "---:" for _, left in header) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def plain(data):
    """`data` with what JSON has no number for (infinity, NaN) as text."""
    if isinstance(data, dict):
        return {key: plain(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [plain(value) for value in data]
    return str(data) if isinstance(data, float) and not np.isfinite(data) else data


def write_results(out, markdown, data):
    """out.md and out.json, replaced whole."""
    data = plain(data)
    out.parent.mkdir(parents=True, exist_ok=True)
    for suffix, text in ((".md", markdown), (".json", json.dumps(data, indent=1) + "\n")):
        path = out.with_name(out.name + suffix)
        part = path.with_name(path.name + ".part")
        part.write_text(text)
        os.replace(part, path)
