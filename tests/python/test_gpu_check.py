# SPDX-License-Identifier: MIT
"""tools/gpu_check without a GPU: what it makes of test binaries that die, of models' errors and of times."""
import pathlib
import stat
import sys
import time

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools/gpu_check"), str(ROOT / "tools")]

import common  # noqa: E402
import op_cases  # noqa: E402
import section_models  # noqa: E402
import section_speed  # noqa: E402

# A test binary: `dies` ends the process, `loses` and all that follow it in one process fail, `hangs` hangs.
FAKE = """#!{python}
import os, sys, time
names = ["good", "bad", "dies", "good2", "loses", "good3", "good4", "hangs", "good5"]
if "--gtest_list_tests" in sys.argv:
    print("ops_fake.")
    print("".join(f"  {{n}}\\n" for n in names), end="")
    sys.exit()
flags = next(a for a in sys.argv if a.startswith("--gtest_flagfile="))[17:]
wanted = open(flags).read().split("=", 1)[1].split(":")
lost = False
for n in names:
    if "ops_fake." + n not in wanted:
        continue
    print(f"[ RUN      ] ops_fake.{{n}}", flush=True)
    if n == "dies":
        os.abort()
    if n == "hangs":
        time.sleep(60)
    lost = lost or n == "loses"
    if lost:
        print("  gpu: a launch was expected, got an error; this process cannot use the device any more")
    if lost or n == "bad":
        print("  gpu: 1 was expected, got 2")
        print(f"[  FAILED  ] ops_fake.{{n}} (1 ms)")
    else:
        print(f"[       OK ] ops_fake.{{n}} (1 ms)")
"""


def test_cases_after_one_that_ends_its_process(tmp_path):
    binary = tmp_path / "test_ops"
    binary.write_text(FAKE.format(python=sys.executable))
    binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
    env = {"PATH": "/usr/bin:/bin"}
    names = op_cases.list_tests(str(binary), "gpu", env)
    assert len(names) == 9
    results = op_cases.run_names(str(binary), "gpu", names, env, time.monotonic() + 60, 2)
    failed = {n.split(".")[1] for n, e in results.items() if e}
    assert failed == {"bad", "dies", "loses", "hangs"}
    assert "SIGABRT" in results["ops_fake.dies"]
    assert "more than" in results["ops_fake.hangs"]
    assert len(results) == 9


def test_a_limit_ends_the_process(tmp_path):
    done = common.run([sys.executable, "-c", "print('begun', flush=True); import time; time.sleep(60)"], 2, {},
                      tmp_path / "log")
    assert done.code is None and done.seconds < 20
    assert (tmp_path / "log").read_text() == "begun\n"


@pytest.mark.parametrize("got, expected, error", [
    ([1.0, 2.0], [1.0, 2.0], 0.0),
    ([1.0, 2.2], [1.0, 2.0], 0.1),
    ([1.0], [1.0, 2.0], "shape"),
    ([np.nan, 2.0], [1.0, 2.0], "infinities"),
    ([np.inf, 2.0], [np.inf, 2.0], 0.0),
])
def test_relative_error(got, expected, error):
    result = section_models.relative_error(np.array(got), np.array(expected))
    assert error in result if isinstance(error, str) else result == pytest.approx(error)


def test_models_are_judged_by_their_worst_case():
    rows = [{"error": 1e-5}, {"error": 2e-3}]
    assert section_models.judge(rows, 1e-2) == (True, 2e-3)
    assert section_models.judge(rows, 1e-3) == (False, 2e-3)
    assert not section_models.judge([{"error": float("nan")}], 1e-3)[0]
    assert section_models.judge([{"error": "shape"}], 1e-3) == (False, "shape")


def times(ours, **more):
    result = {"ms": {"graphed": 1.2, "compiled": 1.1, "ours": ours}, "error": 1e-5, "cold_s": 5, "warm_s": 0.5, "load_s": 0.2}
    return {**result, **more}


def judged(**changes):
    results = {c: times(0.9) for c in section_speed.CONFIGS}
    results[("gpt2", "fp16", 1)] = times(**{"ours": 0.9, **changes})
    return section_speed.judge(results)[0]


def test_speed_counts_the_better_peer_and_every_condition():
    assert judged()
    assert not judged(ours=1.3)  # below 0.9 of the better peer
    assert not judged(error=0.5)
    assert not judged(cold_s=11)
    assert not judged(warm_s=1.5)
    assert not judged(load_s=0.6)
    slow = {c: times(1.05) for c in section_speed.CONFIGS}
    assert not section_speed.judge(slow)[0]  # 1.05 in the mean
    missing = {c: times(0.9) for c in section_speed.CONFIGS}
    del missing[("gpt2", "fp16", 1)]["ms"]["ours"]
    assert not section_speed.judge(missing)[0]
    assert "gpt2" in section_speed.show(missing)


def test_rounding_to_tf32_does_not_count():
    results = {c: times(9.0 if c[1] == "tf32" else 0.9) for c in section_speed.CONFIGS}
    assert section_speed.judge(results)[0]
