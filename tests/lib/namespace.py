# SPDX-License-Identifier: MIT
"""Namespaces for tests that anyone can run."""
import subprocess

import pytest


def in_namespace(*argv):
    """How argv is called as root of a mount namespace of its own, where it may put other files in the place
    of the machine's. The test is skipped where nobody may: in a chroot, in some containers."""
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*unshare, "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        pytest.skip("no namespaces here")
    return [*unshare, *argv]
