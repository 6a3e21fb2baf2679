# SPDX-License-Identifier: MIT
"""Marks of the Python tests."""


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes over a second; left out of the quick suite")
