# SPDX-License-Identifier: MIT
"""What the agent tells its service manager, and what it gives up once it runs."""
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from balancer import Agent, HAProxy, make_dir
from field import Pod
from ports import free_port
from program import ROOT, until


@pytest.fixture(name="haproxy")
def fixture_haproxy():
    with Pod() as pods, HAProxy(pods.addresses) as haproxy:
        yield haproxy


class Manager:
    """The socket of a service manager."""

    def __init__(self, tmp_path, abstract=False):
        self.name = f"\0wsb-{os.getpid()}-{time.monotonic_ns()}" if abstract else str(tmp_path / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.name)
        self.env = {"NOTIFY_SOCKET": self.name.replace("\0", "@")}

    def hears(self, seconds=10):
        self.socket.settimeout(seconds)
        return self.socket.recv(1000).decode()

    def hears_nothing(self, seconds):
        self.socket.settimeout(seconds)
        with pytest.raises(TimeoutError):
            self.socket.recv(1000)


@pytest.mark.parametrize("abstract", [False, True])
def test_the_manager_is_told_of_start_and_end(haproxy, tmp_path, abstract):
    manager = Manager(tmp_path, abstract)
    with Agent(haproxy, env=manager.env) as agent:
        assert manager.hears() == "READY=1"
        # It listens by then.
        assert agent.get("/healthz")[0] == 200
        manager.hears_nothing(0.5)
        agent.stop()
        assert manager.hears() == "STOPPING=1"


def test_the_heart_beats_twice_in_the_watchdogs_time_and_stops_with_the_loop(haproxy, tmp_path):
    manager = Manager(tmp_path)
    with Agent(haproxy, env=manager.env | {"WATCHDOG_USEC": "1000000"}) as agent:
        assert manager.hears() == "READY=1"
        began = time.monotonic()
        assert [manager.hears() for _ in range(4)] == ["WATCHDOG=1"] * 4
        assert 1.5 < time.monotonic() - began < 3
        agent.signal(signal.SIGSTOP)
        until(lambda: status(agent, "State") == "T", "it to stop")
        manager.socket.setblocking(False)
        while True:
            try:
                manager.socket.recv(1000)
            except BlockingIOError:
                break
        manager.hears_nothing(1.2)
        agent.signal(signal.SIGCONT)
        assert manager.hears(3) == "WATCHDOG=1"


def test_another_processs_watchdog_and_a_strange_socket_are_left_alone(haproxy, tmp_path):
    manager = Manager(tmp_path)
    with Agent(haproxy, env=manager.env | {"WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"}):
        assert manager.hears() == "READY=1"
        manager.hears_nothing(0.5)
    for strange in ("nowhere", "/nonexistent/socket", "/" + "x" * 300):
        with Agent(haproxy, env={"NOTIFY_SOCKET": strange}) as agent:
            agent.wait_ready()


def status(agent, key):
    lines = pathlib.Path(f"/proc/{agent.pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{key}:"))


def test_the_running_agent_has_given_up_what_it_never_needs(haproxy, tmp_path):
    with Agent(haproxy, record=str(tmp_path / "record")) as agent:
        agent.wait_ready()
        agent.wait_log("started")
        assert status(agent, "NoNewPrivs") == "1" and status(agent, "Seccomp") == "2"
        # Its child, which comes later, too.
        until((tmp_path / "record").exists, "a record")
        child = int(pathlib.Path(f"/proc/{agent.pid}/task/{agent.pid}/children").read_text())
        assert "Seccomp:\t2" in pathlib.Path(f"/proc/{child}/status").read_text()
        assert not any("sandbox" in line for line in agent.err)


def test_sandbox_false_leaves_it_out(haproxy):
    with Agent(haproxy, sandbox=False) as agent:
        agent.wait_ready()
        assert status(agent, "Seccomp") == "0"


def test_a_kernel_that_refuses_costs_a_line(haproxy, tmp_path):
    # A filter of its own that refuses seccomp and the prctl for it, as some containers have.
    refuse = tmp_path / "refuse"
    (tmp_path / "refuse.c").write_text("""
#include <errno.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(int n, char **v)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(seccomp), 0);
	seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP));
	return n < 2 || seccomp_load(f) != 0 || execv(v[1], v + 1);
}
""")
    subprocess.run(["cc", "-o", refuse, tmp_path / "refuse.c", "-lseccomp"], check=True)
    with Agent(haproxy, variant="release") as first:
        first.wait_ready()
        argv = [str(refuse), *first.argv]
        first.stop()
        refused = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
        try:
            until(lambda: first.get("/readyz")[0] == 200 if refused.poll() is None else None, "it to be ready")
        except OSError:
            until(lambda: answers(first), "it to be ready")
        refused.terminate()
        said = refused.communicate(timeout=10)[1]
        assert refused.returncode == 0 and "no sandbox: the kernel refuses it" in said, said


def answers(agent):
    try:
        return agent.get("/readyz")[0] == 200
    except OSError:
        return False


INSIDE = """
import ctypes, errno, os, socket, sys
def denied(call):
    try:
        call()
    except PermissionError:
        return True
    except OSError as error:
        return error.errno
    return False
with open("/dev/null") as file:
    assert ctypes.CDLL(sys.argv[1]).sandbox_enter() & 1 == 1
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    return lambda: libc[name](*args) == -1 and (_ for _ in ()).throw(OSError(ctypes.get_errno(), ""))
assert denied(lambda: os.execv("/bin/true", ["true"])) is True
for family in (socket.AF_PACKET, socket.AF_ALG, socket.AF_VSOCK, 38, 44):
    assert denied(lambda: socket.socket(family, socket.SOCK_RAW)) is True, family
for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6):
    assert denied(lambda: socket.socket(family, socket.SOCK_STREAM)) in (False, errno.EAFNOSUPPORT), family
assert denied(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)) is False
assert denied(call("ptrace", 0, 0, 0, 0)) is True
assert denied(call("unshare", 0)) is True
assert denied(call("personality", 0xffffffff)) is True
assert denied(call("mount", b"none", b"/nonexistent", b"tmpfs", 0, 0)) is True
assert denied(call("syscall", 425, 1, 0)) is True  # io_uring_setup
assert denied(call("syscall", 321, 0, 0, 0)) is True  # bpf, on amd64
if os.fork() == 0:
    os._exit(0 if denied(lambda: os.execv("/bin/true", ["true"])) is True else 1)
assert os.wait()[1] == 0
open("/etc/hostname").close()
"""


def test_what_is_given_up_fails_with_eperm_and_all_else_goes_on(tmp_path):
    library = tmp_path / "sandbox.so"
    subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-shared", "-fPIC", "-Iagent", "-o", library,
                    "agent/io/sandbox.c", "-lseccomp"], cwd=ROOT, check=True)
    assert ctypes.CDLL(str(library))
    source = INSIDE if os.uname().machine == "x86_64" else "\n".join(
        line for line in INSIDE.splitlines() if "on amd64" not in line)
    result = subprocess.run([sys.executable, "-c", source, str(library)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


class Nobodys(Agent):
    """An agent of one who is not root, and whose own memory the kernel hides from him."""

    def command(self, argv):
        if os.getuid() != 0:
            return argv
        os.chmod(self.dir, 0o755)
        return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", shutil.copy(argv[0], self.dir), *argv[1:]]


@pytest.mark.parametrize("secret", ["none", "token", "header"])
def test_an_agent_with_secrets_leaves_no_core(secret):
    token = make_dir() / "token"
    token.write_text("s3cret")
    os.chmod(token.parent, 0o755)
    keys = {"none": {}, "token": {"listenTokenFile": str(token)},
            "header": {"metricHeaders": {"X-Token": "s3cret"}}}[secret]
    with Nobodys(None, agentCheck={"listen": f"127.0.0.1:{free_port()}"},
                 services=[{"name": "ws", "servers": [{"name": "s1", "address": "127.0.0.1:1"}]}], **keys) as agent:
        agent.wait_http("/healthz")  # from then on it ends in good order
        limits = pathlib.Path(f"/proc/{agent.pid}/limits").read_text()
        core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        # Whose process must not be looked into, his files are root's.
        owner = pathlib.Path(f"/proc/{agent.pid}/maps").stat().st_uid
        if secret == "none":
            assert owner == (os.getuid() or 65534)
        else:
            assert (core.split()[4:6], owner) == (["0", "0"], 0)


def test_a_refused_configuration_has_a_status_of_its_own(tmp_path):
    path = tmp_path / "wsbalancer.yaml"
    path.write_text("pollInterval: soon\n")
    from program import binary
    assert subprocess.run([binary("wsbalancer"), "-c", path], capture_output=True).returncode == 78
    unit = (ROOT / "agent/etc/wsbalancer.service").read_text()
    for line in ("Type=notify", "WatchdogSec=30", "LimitCORE=0", "RestartPreventExitStatus=2 78"):
        assert line in unit.splitlines()
