# SPDX-License-Identifier: MIT
"""Starts real HAProxy and the agent beside it, for tests.

    with field.Pod(n=3) as pods, HAProxy(pods.addresses) as haproxy, Agent(haproxy) as agent:
        agent.wait_ready()
        assert haproxy.weights() == {"s1": 256, "s2": 256, "s3": 256}

The agent is the one of build/, or of build/$VARIANT (`make test` sets san).
"""
import csv
import io
import json
import os
import pathlib
import shlex
import shutil
import signal
import socket
import tempfile
import time
import urllib.error
import urllib.request

from ports import free_port
from program import DEADLINE_S, Program, binary, until

# How HAProxy is called: `make test-haproxy` runs other versions in roots of their own.
HAPROXY = shlex.split(os.environ.get("WSB_HAPROXY", "haproxy"))

# What a sanitizer prints begins a line with one of these somewhere in it.
SANITIZERS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "UndefinedBehavior")


def make_dir():
    # Socket paths are at most 107 bytes long, so not below pytest's own folders.
    return pathlib.Path(tempfile.mkdtemp(prefix="wsb-"))


def ask(path, command):
    """What HAProxy answers at its socket."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(5)
        s.connect(str(path))
        s.sendall(command.encode() + b"\n")
        return b"".join(iter(lambda: s.recv(65536), b"")).decode()


def server_rows(said):
    """The rows of show servers state, by their columns' names."""
    lines = said.splitlines()
    names = lines[1].lstrip("# ").split()
    return [dict(zip(names, line.split())) for line in lines[2:] if line]


class HAProxy(Program):
    """HAProxy in master-worker mode with one frontend on .port and one backend, "ws".

    addresses become the servers s1, s2, ...; server is appended to each server's line ("{name}" is
    its name), more to the whole configuration."""

    def __init__(self, addresses, balance="leastconn", server="check inter 200ms weight 100",
                 more="", servers=None, backend="", level="admin", bufsize=None, nbthread=None,
                 hard_stop="30s"):
        self.dir = make_dir()
        self.port = free_port()
        self.socket = str(self.dir / "admin.sock")
        self.file = self.dir / "haproxy.cfg"
        self.balance, self.server, self.more, self.level = balance, server, more, level
        self.backend_lines, self.bufsize, self.hard_stop = backend, bufsize, hard_stop
        self.nbthread = nbthread
        self.servers = servers or {f"s{i + 1}": a for i, a in enumerate(addresses)}
        self.write()
        super().__init__([*HAPROXY, "-W", "-f", str(self.file), "-S", str(self.dir / "master.sock")])
        try:
            self.wait_pid()
        except AssertionError:
            self.kill()
            raise

    def write(self):
        lines = "\n".join(
            f"\tserver {name} {address} {self.server.replace('{name}', name)}"
            for name, address in self.servers.items())
        bufsize = f"tune.bufsize {self.bufsize}" if self.bufsize else ""
        nbthread = f"nbthread {self.nbthread}" if self.nbthread else ""
        self.file.write_text(f"""
global
\tstats socket {self.socket} mode 600 level {self.level} expose-fd listeners
\tnoreuseport
\thard-stop-after {self.hard_stop}
\t{bufsize}
\t{nbthread}
defaults
\tmode http
\ttimeout connect 2s
\ttimeout client 5s
\ttimeout server 5s
\ttimeout tunnel 1h
\toption redispatch 1
frontend websocket
\tbind 127.0.0.1:{self.port}
\tdefault_backend ws
backend ws
\tbalance {self.balance}
{self.backend_lines}
{lines}
{self.more}
""")

    def cli(self, command):
        return ask(self.socket, command)

    def info(self):
        return dict(line.split(": ", 1) for line in self.cli("show info").splitlines()
                    if ": " in line)

    def wait_pid(self, but=None):
        """The pid of the worker that answers, once it is another than but."""
        return until(lambda: self.answering_pid(but), "HAProxy to answer")

    def answering_pid(self, but=None):
        """The pid of the worker that answers; None when it is but, is going away, or there is none."""
        assert self.running(), f"HAProxy ended: {self.err}"
        try:
            info = self.info()
        except OSError:
            return None
        pid = int(info.get("Pid", 0))
        return pid if pid and pid != but and info.get("Stopping") == "0" else None

    def listens(self, pid):
        """Whether that process holds the admin socket's listener. A reload hands it on (expose-fd), and as long as
        both workers hold it, either may answer."""
        flag_accept, column_flags, column_inode, column_path = 0x10000, 3, 6, 7
        rows = [row.split() for row in pathlib.Path("/proc/net/unix").read_text().splitlines()[1:]]
        listeners = {f"socket:[{row[column_inode]}]" for row in rows if int(row[column_flags], 16) & flag_accept
                     and len(row) > column_path and row[column_path].startswith(self.socket)}
        assert listeners, f"nobody listens at {self.socket}"
        try:
            return any(os.readlink(link) in listeners for link in pathlib.Path(f"/proc/{pid}/fd").iterdir())
        except FileNotFoundError:  # the process has ended, or the descriptor was closed since it was listed
            return os.path.exists(f"/proc/{pid}/fd")

    def reload(self):
        """Returns when the new worker answers, and only it."""
        before = int(self.info()["Pid"])
        again = 0.0

        def reloaded():
            # The master of 2.6 can lose a signal in its first moments.
            nonlocal again
            if time.monotonic() > again:
                self.signal(signal.SIGUSR2)
                again = time.monotonic() + 3
            return self.answering_pid(but=before)

        pid = until(reloaded, "another worker to answer")
        until(lambda: not self.listens(before), "the old worker to close the admin socket")
        return pid

    def stat(self, backend="ws"):
        """The servers' lines of show stat, by name."""
        text = self.cli(f"show stat {backend} 4 -1").lstrip("# ")
        return {row["svname"]: row for row in csv.DictReader(io.StringIO(text)) if row["svname"]}

    def is_steered(self, backend="ws", configured=100):
        """Not all servers have the configured weight, so there are weights of the agent's."""
        return set(self.weights(backend).values()) != {configured}

    def weights(self, backend="ws"):
        return {name: int(row["uweight"]) for name, row in self.stat(backend).items()}

    def is_level(self, backend="ws", configured=100, names=None):
        """The servers have one weight, and it is the agent's: not the configured one."""
        weights = {w for name, w in self.weights(backend).items() if not names or name in names}
        return len(weights) == 1 and weights != {configured}

    def sessions(self, backend="ws"):
        return {name: int(row["scur"]) for name, row in self.stat(backend).items()}

    def wait_up(self, n=None):
        wanted = len(self.servers) if n is None else n
        until(lambda: sum(row["status"].startswith(("UP", "no check"))
                          for row in self.stat().values()) == wanted, f"{wanted} servers up")

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}/"

    def stop(self):
        """SIGTERM to the master ends its workers too."""
        if self.running():
            self.signal(signal.SIGTERM)
            self.wait(10)

    def start_again(self):
        """After stop, with the same files and ports; returns the pid of the worker once it answers."""
        super().__init__(self.argv)
        return self.wait_pid()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.stop()
        self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


class Agent(Program):
    """wsbalancer beside a HAProxy (None: agent-check alone). Keywords are configuration keys;
    haproxy_ keys go below haproxy."""

    listened = None  # where it was found to listen

    def __init__(self, haproxy, *options, config=None, text=None, variant=None, env=None, **keys):
        self.dir = make_dir()
        self.file = self.dir / "wsbalancer.yaml"
        self.http = f"127.0.0.1:{free_port()}"
        # Faster than the defaults, so that tests are.
        self.config = {"pollInterval": "200ms", "pollTimeout": "150ms", "listen": self.http}
        if haproxy:
            self.config["haproxy"] = {"socket": haproxy.socket, "backends": ["ws"]}
        self.config |= keys
        self.config["haproxy"] = self.config.get("haproxy", {}) | (config or {})
        if not self.config["haproxy"]:
            del self.config["haproxy"]
        self.write(text)
        super().__init__([binary("wsbalancer", variant), "-c", str(self.file), *options], env)

    def write(self, text=None):
        # YAML takes JSON.
        self.file.write_text(text or json.dumps(self.config))

    def wait_listening(self):
        """The endpoint is there a moment after the program was started, or was given another address."""
        host, port = self.http.rsplit(":", 1)

        def listens():
            assert self.running(), f"the agent ended: {self.err}"
            try:
                socket.create_connection((host.strip("[]"), int(port)), 5).close()
                return True
            except OSError:
                return False

        until(listens, f"the agent to listen at {self.http}")
        self.listened = self.http

    def get(self, path, accept="*/*", timeout=5):
        """Status and body of a request to the agent's endpoint."""
        if self.listened != self.http:
            self.wait_listening()
        request = urllib.request.Request(f"http://{self.http}{path}", headers={"Accept": accept})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def series(self):
        """{name{labels}: value} of /metrics, labels as they stand."""
        status, body = self.get("/metrics")
        assert status == 200, body
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in body.splitlines() if not line.startswith("#")}

    def json(self):
        status, body = self.get("/balancer-metrics?format=json")
        assert status == 200, body
        return json.loads(body)

    def wait_http(self, path, wanted=200):
        def answered():
            assert self.running(), f"the agent ended: {self.err}"
            try:
                return self.get(path)[0] == wanted
            except OSError:
                return False

        until(answered, f"{wanted} from {path}")

    def wait_ready(self):
        self.wait_http("/readyz")

    def wait_rounds(self, n=3, deadline_s=DEADLINE_S):
        """Waits for so many more rounds: from the second on all that is known now is planned with."""

        def made():
            return self.series()["wsbalancer_rounds_total"]

        wanted = made() + n
        until(lambda: made() >= wanted, f"{n} more rounds", deadline_s)

    def wait_log(self, event):
        """Waits for an event in the log; the line."""

        def found():
            line = next((line for line in list(self.err) if event in line), None)
            assert line or self.running(), f"the agent ended: {self.err}"
            return line

        return until(found, f"'{event}' in the log")

    def logged(self, event):
        """How many lines tell of it so far. What is asked for at once may still be on its way: wait_log is first."""
        return sum(event in line for line in list(self.err))

    def check_sanitizers(self):
        said = [line for line in self.err if any(word in line for word in SANITIZERS)]
        assert not said, "\n".join(self.err)

    def stop(self, number=signal.SIGTERM):
        """A clean end, within a second and some slack for the sanitizers' own work."""
        self.signal(number)
        status = self.wait(5)
        self.check_sanitizers()
        assert status == 0, f"the agent ended with {status}: {self.err}"

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.running() and kind is None:
            self.stop()
        self.kill()
        if kind is None:
            self.check_sanitizers()
        shutil.rmtree(self.dir, ignore_errors=True)
