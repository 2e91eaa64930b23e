# SPDX-License-Identifier: MIT
"""One control plane for all tests; each test has namespaces of its own."""
import pathlib
import sys
import tempfile

import pytest

import figures
from cluster import Cluster
from scene import Scene, mount_account_folder

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "chart"))


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
        made.append(Scene(cluster, figures.Figures(request.node.name), **keys))
        return made[-1]

    failures = request.session.testsfailed
    yield make
    for scene in made:
        scene.close(request.session.testsfailed == failures)


def pytest_terminal_summary(terminalreporter):
    for line in figures.table():
        terminalreporter.write_line(line)
