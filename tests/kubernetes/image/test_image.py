# SPDX-License-Identifier: MIT
"""agent/Dockerfile, built with buildah on a base made by mmdebstrap, and run as Kubernetes would.

That is: as another user, on a read-only root.

Needs root, and Debian's packages over the network for the build; no image registry and no container engine.
"""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time
import urllib.request

import pytest

from program import CACHE, ROOT, run

WORK = CACHE / f"image-{os.getpid()}"  # not in build/: make looks there for *.d, and finds a root's rc2.d
BASE_TAR = CACHE / "trixie.tar"  # Debian's minimal system, packed once
BASE = "docker.io/library/debian:trixie-slim"
USER = "65532:65532"
REVISION = "0123456789abcdef"
# A pod's read-only root, as in a container with readOnlyRootFilesystem: nothing under it can be written.
ENTER = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec chroot "$@"'


def buildah(*arguments):
    return run("buildah", "--root", WORK / "store", "--runroot", WORK / "run", "--storage-driver", "vfs",
                *arguments).strip()


def mirror():
    """The mirror of Debian that this machine's apt uses."""
    sites = run("apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages").split()
    return next((site for site in sites if site.rstrip("/").endswith("/debian")), "")


def make_base():
    if not BASE_TAR.exists():
        made = BASE_TAR.with_suffix(".new.tar")
        run("mmdebstrap", "--variant=minbase", "--mode=root", "trixie", made, *filter(None, [mirror()]))
        made.rename(BASE_TAR)
    container = buildah("from", "scratch")
    buildah("add", container, BASE_TAR, "/")
    buildah("commit", "--rm", container, BASE)


@pytest.fixture(scope="session", autouse=True, name="store")
def fixture_store():
    if os.geteuid() != 0:
        pytest.fail("needs root: buildah with chroot isolation, mounts")
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    try:
        make_base()
        yield
        subprocess.run(["buildah", "--root", WORK / "store", "--runroot", WORK / "run", "--storage-driver", "vfs",
                        "rm", "--all"], capture_output=True, check=False)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)


def build(target):
    name = f"localhost/{target}:test"
    buildah("build", "--pull=never", "--isolation", "chroot", "--network", "host", "-f", ROOT / "agent/Dockerfile",
            "--target", target, "--build-arg", "VERSION=0.1.0", "--build-arg", f"REVISION={REVISION}", "-t", name,
            ROOT)
    return Image(name)


class Image:
    """A built image and its root, mounted."""

    def __init__(self, name):
        self.config = json.loads(buildah("inspect", "--type", "image", name))["OCIv1"]["config"]
        self.root = pathlib.Path(buildah("mount", buildah("from", "--pull=never", name)))

    def command(self, *arguments):
        return ["unshare", "--mount", "sh", "-euc", ENTER, "sh", self.root, f"--userspec={USER}", self.root,
                *arguments]

    def run(self, *arguments):
        return subprocess.run(list(map(str, self.command(*arguments))), capture_output=True, text=True, check=False)


@pytest.fixture(scope="session", name="agent")
def fixture_agent(store):
    return build("wsbalancer")


@pytest.fixture(scope="session", name="pod")
def fixture_pod(store):
    return build("wspod")


def test_the_user_is_a_number_and_not_root(agent, pod):
    assert agent.config["User"] == pod.config["User"] == USER


def test_it_starts_the_program_itself_without_a_shell(agent, pod):
    assert agent.config["Entrypoint"] == ["/usr/bin/wsbalancer"]
    assert agent.config["Cmd"] == ["-c", "/etc/wsbalancer/wsbalancer.yaml"]
    assert pod.config["Entrypoint"] == ["/usr/bin/wspod"]
    assert agent.config["StopSignal"] == pod.config["StopSignal"] == "SIGTERM"


def test_it_has_the_labels(agent):
    labels = {key.rsplit(".", 1)[1]: value for key, value in agent.config["Labels"].items()
              if key.startswith("org.opencontainers.image.")}
    assert labels["title"] == "wsbalancer" and labels["licenses"] == "MIT"
    assert (labels["version"], labels["revision"]) == ("0.1.0", REVISION)
    assert labels["description"]


def test_the_root_is_read_only_in_these_tests(agent):
    done = agent.run("/bin/sh", "-c", "id -u; echo x > /tmp/x")
    assert done.stdout == "65532\n" and "Read-only file system" in done.stderr


def test_the_agent_says_its_version(agent):
    done = agent.run("/usr/bin/wsbalancer", "-V")
    assert done.returncode == 0, done.stderr
    assert "0.1.0" in done.stdout


def test_the_agent_checks_a_configuration_from_a_mounted_file(agent):
    folder = agent.root / "etc/wsbalancer"
    folder.mkdir(exist_ok=True)
    (folder / "wsbalancer.yaml").write_text("haproxy:\n  socket: /run/haproxy/admin.sock\n")
    assert agent.run("/usr/bin/wsbalancer", "-t", "-c", "/etc/wsbalancer/wsbalancer.yaml").returncode == 0
    (folder / "wsbalancer.yaml").write_text("haproxy: 1\n")
    assert agent.run("/usr/bin/wsbalancer", "-t", "-c", "/etc/wsbalancer/wsbalancer.yaml").returncode != 0


def test_the_agent_is_hardened(agent):
    dynamic = run("readelf", "-dlW", agent.root / "usr/bin/wsbalancer")
    assert "BIND_NOW" in dynamic and "GNU_RELRO" in dynamic
    assert "PIE" in dynamic
    assert not re.search(r"GNU_STACK.*RWE", dynamic)


def test_the_image_has_what_helm_test_needs_and_no_compiler(agent, pod):
    assert (agent.root / "bin/bash").exists()
    for image in agent, pod:
        for name in "gcc", "make", "curl", "wget":
            assert not (image.root / "usr/bin" / name).exists()
        assert not list((image.root / "var/lib/apt/lists").glob("*_Packages*"))


def test_it_knows_the_certificate_authorities(agent):
    assert (agent.root / "etc/ssl/certs/ca-certificates.crt").stat().st_size > 100000


def test_the_images_stay_small(agent, pod):
    for image, most in (agent, 40), (pod, 30):
        base = run("tar", "--list", "--verbose", "-f", BASE_TAR)
        size = sum(int(line.split()[2]) for line in base.splitlines() if line.startswith("-"))
        used = int(run("du", "-sb", image.root).split()[0])
        assert (used - size) / 1e6 < most


def test_the_pod_tells_its_connections_and_who_it_is(pod):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {**os.environ, "POD_NAME": "ws-0", "POD_IP": "10.0.0.7", "NODE_NAME": "node-a"}
    process = subprocess.Popen(list(map(str, pod.command("/usr/bin/wspod", "--listen", f"127.0.0.1:{port}"))),
                               env=environment)
    try:
        end = time.monotonic() + 10
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metric", timeout=5) as answer:
                    metric = json.load(answer)
                break
            except OSError:
                assert time.monotonic() < end and process.poll() is None
                time.sleep(0.02)
        assert metric["agentsConnections"] == 0
        assert (metric["podName"], metric["podIP"], metric["nodeName"]) == ("ws-0", "10.0.0.7", "node-a")
        process.terminate()
        assert process.wait(5) == 0
    finally:
        process.kill()
