# SPDX-License-Identifier: MIT
"""For all tests in Python."""
from tempdir import pytest_configure  # noqa: F401
