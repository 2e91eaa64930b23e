# SPDX-License-Identifier: MIT
"""For all tests in Python."""
import resource

from tempdir import pytest_configure  # noqa: F401

# Some tests are a thousand pods themselves, and a login's soft limit is 1,024.
HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(HARD, 20000) if HARD != resource.RLIM_INFINITY else 20000, HARD))
