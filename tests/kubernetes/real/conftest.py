# SPDX-License-Identifier: MIT
"""One control plane for all tests; each test has namespaces of its own."""
import pathlib
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE))
sys.path.append(str(HERE.parents[1] / "system"))
sys.path.append(str(HERE.parent / "chart"))

from cluster import Cluster  # noqa: E402
from scene import Scene, mount_account_folder  # noqa: E402
from tempdir import pytest_configure  # noqa: E402,F401


@pytest.fixture(name="cluster", scope="session")
def fixture_cluster():
    mount_account_folder()
    with tempfile.TemporaryDirectory(prefix="wsb-kube-") as folder:
        with Cluster(pathlib.Path(folder)) as cluster:
            yield cluster


@pytest.fixture(name="scene")
def fixture_scene(cluster, request):
    """A function that makes the scene of a test."""
    made = []

    def make(**keys):
        made.append(Scene(cluster, **keys))
        return made[-1]

    failures = request.session.testsfailed
    yield make
    for scene in made:
        scene.close(request.session.testsfailed == failures)
