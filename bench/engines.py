# SPDX-License-Identifier: MIT
"""One engine with one model in a process of its own, obeying a coordinator over pipes.

Started by harness.Worker as `python engines.py CONFIG`, CONFIG being JSON. It reads one JSON
command a line from stdin, blocks in between, and answers with one JSON line on the stdout it was
given; what engines print themselves goes to stderr. Each engine is called by the cheapest repeated
call its Python interface has, inputs bound once per case.
"""
import gc
import importlib
import json
import os
import resource
import sys
import time

import numpy as np


class onnxruntime_engine:
    module = "onnxruntime"

    def __init__(self, module, config):
        options = module.SessionOptions()
        options.intra_op_num_threads = config["threads"]
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self.session = module.InferenceSession(config["model"], options,
                                               providers=["CPUExecutionProvider"])

    def bind(self, inputs):
        self.bound = self.session.io_binding()
        for name, array in inputs.items():
            self.bound.bind_cpu_input(name, array)
        for output in self.session.get_outputs():
            self.bound.bind_output(output.name)

    def run(self):
        self.session.run_with_iobinding(self.bound)

    def outputs(self):
        return self.bound.copy_outputs_to_cpu()


class openvino_engine:
    module = "openvino"

    def __init__(self, module, config):
        self.openvino = module
        core = module.Core()
        model = core.read_model(config["model"])
        self.compiled = core.compile_model(model, "CPU", {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": config["threads"],
        })
        self.request = self.compiled.create_infer_request()

    def bind(self, inputs):
        for name, array in inputs.items():
            tensor = self.openvino.Tensor(array, shared_memory=array.ndim > 0)
            self.request.set_tensor(name, tensor)

    def run(self):
        self.request.infer(None, share_outputs=True)

    def outputs(self):
        return [np.array(self.request.get_output_tensor(i).data)
                for i in range(len(self.compiled.outputs))]


class migraphx_engine:
    module = "migraphx"

    def __init__(self, module, config):
        self.migraphx = module
        options = {}
        if config["dims"]:
            dimension = module.shape.dynamic_dimension
            options["map_dyn_input_dims"] = {
                name: [dimension(*(d if isinstance(d, list) else (d, d))) for d in dims]
                for name, dims in config["dims"].items()}
        self.program = module.parse_onnx(config["model"], **options)
        self.program.compile(module.get_target(config["target"]), num_threads=config["threads"],
                             **config["options"])

    def bind(self, inputs):
        self.parameters = {n: self.migraphx.argument(a) for n, a in inputs.items()}

    def run(self):
        self.results = self.program.run(self.parameters)

    def outputs(self):
        return [np.array(r) for r in self.results]


class saved_engine(migraphx_engine):
    """Ours again, from a file that holds the compiled program."""

    def __init__(self, module, config):
        self.migraphx = module
        self.program = module.load(config["compiled"])


ENGINES = {"ort": onnxruntime_engine, "openvino": openvino_engine, "migraphx": migraphx_engine,
           "mxr": saved_engine}


def peak_mib():
    """Largest resident memory this process has had (VmHWM)."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def milliseconds_since(start):
    return (time.perf_counter_ns() - start) / 1e6


def load_inputs(path):
    """Arrays by input name; a backslash stands for the slash a member of a zip may not have."""
    with np.load(path) as saved:
        return {name.replace("\\", "/"): saved[name] for name in saved.files}


class Served:
    """The state behind the commands. Each command is a method; its result is the answer."""

    def __init__(self, config):
        self.cases = {name: load_inputs(path) for name, path in config["cases"].items()}
        engine = ENGINES[config["engine"]]
        if engine.module == "migraphx" and config["python_path"]:
            sys.path.insert(0, config["python_path"])
        start = time.perf_counter_ns()
        module = importlib.import_module(engine.module)
        self.started = {"version": getattr(module, "__version__", "unknown"),
                        "import_ms": milliseconds_since(start), "base_mib": peak_mib()}
        start = time.perf_counter_ns()
        self.engine = engine(module, config)
        self.started["load_compile_ms"] = milliseconds_since(start)
        self.started["compiled_mib"] = peak_mib()
        if "save" in config:
            module.save(self.engine.program, config["save"])
        self.current = None
        self.started["first_run_ms"], self.started["failed_cases"] = {}, {}
        for name in self.cases:
            start = time.perf_counter_ns()
            try:
                self.select(name)
                self.engine.run()
            except Exception as error:
                self.started["failed_cases"][name] = f"{type(error).__name__}: {error}"
            self.started["first_run_ms"][name] = milliseconds_since(start)
        self.started["peak_mib"] = peak_mib()

    def select(self, case):
        if self.current != case:
            self.current = None
            self.engine.bind(self.cases[case])
            self.current = case

    def time(self, case, iterations, warmup):
        """Wall nanoseconds of each timed run, and processor seconds per wall second of them all."""
        self.select(case)
        run, clock = self.engine.run, time.perf_counter_ns
        for _ in range(warmup):
            run()
        taken = []
        gc.disable()
        cpu, begin = cpu_seconds(), clock()
        for _ in range(iterations):
            start = clock()
            run()
            taken.append(clock() - start)
        wall = clock() - begin
        cpu = cpu_seconds() - cpu
        gc.enable()
        return {"ns": taken, "cpu_per_wall": cpu / (wall / 1e9)}

    def outputs(self, case, path):
        self.select(case)
        self.engine.run()
        np.savez(path, *self.engine.outputs())
        return {}


def main():
    config = json.loads(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    try:
        served = Served(config)
        answers.write(json.dumps(served.started) + "\n")
    except Exception as error:
        answers.write(json.dumps({"error": f"{type(error).__name__}: {error}"}) + "\n")
        return 1
    for line in sys.stdin:
        command = json.loads(line)
        name = command.pop("do")
        if name == "quit":
            break
        try:
            answer = getattr(served, name)(**command)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
    answers.flush()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
