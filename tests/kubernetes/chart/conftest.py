# SPDX-License-Identifier: MIT
"""The tests of this folder import its other files by their names."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
# After this folder: both have a balancer.py.
sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "system"))

from tempdir import pytest_configure  # noqa: E402,F401
