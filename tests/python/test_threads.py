# SPDX-License-Identifier: MIT
"""num_threads of compile(), the threads of a process, evaluation from several threads and after fork."""
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import migraphx

CODE = """
import os, sys
import numpy as np, migraphx
p = migraphx.program()
m = p.get_main_module()
x = m.add_parameter("x", migraphx.shape(type="float_type", lens=[256, 512]))
w = m.add_literal(np.random.default_rng(0).random((512, 512), dtype=np.float32))
m.add_return([m.add_instruction(migraphx.op("softmax", axis=1), [m.add_instruction(migraphx.op("dot"), [x, w])])])
before = len(os.listdir("/proc/self/task"))
p.compile(migraphx.get_target("cpu"), num_threads=int(sys.argv[1]))
for _ in range(3):
    p.run({"x": np.ones((256, 512), np.float32)})
print(len(os.listdir("/proc/self/task")) - before)
"""


def started(num_threads, **environment):
    return int(subprocess.run([sys.executable, "-c", CODE, str(num_threads)], check=True, text=True,
                              capture_output=True, env=dict(os.environ, **environment)).stdout)


def product(num_threads=0):
    p = migraphx.program()
    m = p.get_main_module()
    x = m.add_parameter("x", migraphx.shape(type="float_type", lens=[64, 1024]))
    w = m.add_literal(np.random.default_rng(1).random((1024, 256), dtype=np.float32))
    m.add_return([m.add_instruction(migraphx.op("dot"), [x, w])])
    p.compile(migraphx.get_target("cpu"), num_threads=num_threads)
    return p


@pytest.mark.parametrize("num_threads", [1, 2, 4])
def test_as_many_as_asked_for(num_threads):
    assert started(num_threads) == num_threads - 1


def test_the_environment_is_the_default():
    assert started(0, OMP_NUM_THREADS="3") == 2
    assert started(0, OMP_NUM_THREADS="1") == 0
    assert started(2, OMP_NUM_THREADS="4") == 1


def test_from_several_threads():
    p = product(2)
    x = np.random.default_rng(2).random((64, 1024), dtype=np.float32)
    wanted = np.array(p.run({"x": x})[0])
    wrong = []

    def work():
        for _ in range(20):
            if not np.array_equal(np.array(p.run({"x": x})[0]), wanted):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_after_fork():
    p = product(2)
    x = np.ones((64, 1024), np.float32)
    wanted = np.array(p.run({"x": x})[0])
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(np.array(p.run({"x": x})[0]), wanted) else 1)
    assert os.waitpid(child, 0)[1] == 0
