# SPDX-License-Identifier: MIT
"""Lets the tests of this folder import its helper modules, and names its marker."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import tempdir  # noqa: E402


def pytest_configure(config):
    tempdir.pytest_configure(config)
    config.addinivalue_line("markers", "alone: wants the machine for itself, see make test-alone")
