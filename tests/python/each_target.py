# SPDX-License-Identifier: MIT
"""The targets that this build has: `@every_target` runs a test with each as `target`."""
import migraphx
import pytest


def targets():
    found = []
    for name in ("ref", "cpu", "null"):
        try:
            found.append((name, migraphx.get_target(name)))
        except RuntimeError:
            pass
    return [pytest.param(t, id=name) for name, t in found]


every_target = pytest.mark.parametrize("target", targets())
