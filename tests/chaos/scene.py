# SPDX-License-Identifier: MIT
"""What chaos plays with: pods whose /metric can be spoilt at will, a HAProxy whose socket can, an agent."""
import contextlib
import fcntl
import http.server
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import struct
import threading
import time
import urllib.request

from balancer import Agent, HAProxy, make_dir
from fake_api import FakeApi, endpoint
from field import Load, Pod
from ports import free_port
from program import binary


class MetricServer(http.server.ThreadingHTTPServer):
    """Answers GET /metric for a pod with the pod's own count (its /truth), or spoils it as .mode says."""
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host, port, pod_port):
        super().__init__((host, port), Answer)
        self.truth = f"http://{host}:{pod_port}/truth"
        self.mode = "honest"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, request, client_address):
        pass  # a reader that goes away is what happens here


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def do_GET(self):
        mode = self.server.mode
        if mode == "hangs":
            time.sleep(5)
            return
        if mode == "resets":
            self.connection.close()
            return
        if mode == "slow":
            time.sleep(0.3)
        try:
            with urllib.request.urlopen(self.server.truth, timeout=2) as reply:
                body = reply.read()
        except OSError:
            self.send_error(503)
            return
        if mode == "flaps" and time.monotonic() % 2 < 1:
            self.send_error(500)
            return
        spoilt = {
            "lies low": b'{"agentsConnections": 0}',
            "lies high": b'{"agentsConnections": 2147483647}',
            "garbage": b"\xff\x00<html>" * 100,
            "huge": b"[" * 1_000_000,
            "empty": b"",
        }.get(mode)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        if mode == "endless":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while True:
                self.wfile.write(b"4000\r\n" + b" " * 0x4000 + b"\r\n")
        body = body if spoilt is None else spoilt
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


METRIC_MODES = ["slow", "hangs", "resets", "flaps", "lies low", "lies high", "garbage", "huge", "empty",
                "endless"]


class SpoiltSocket:
    """A UNIX socket in the place of HAProxy's: answers garbage, half an answer, or never."""

    def __init__(self, path, real, mode):
        self.real, self.mode = real, mode
        self._held = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(16)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client):
        with contextlib.suppress(OSError):
            if self.mode == "never":
                self._held.append(client)
                return
            request = client.recv(65536)
            if self.mode == "garbage":
                client.sendall(os.urandom(4000) + b"\n")
            elif b"set " not in request:  # half: of what only asks
                with socket.socket(socket.AF_UNIX) as real:
                    real.settimeout(2)
                    real.connect(self.real)
                    real.sendall(request)
                    client.sendall(real.recv(65536)[:700])
            client.close()

    def close(self):
        self._listener.close()
        for client in self._held:
            client.close()


class StepClock:
    """Of the agents' wall clock: tests/chaos/stepclock.c."""

    def __init__(self, path):
        self.path = path
        self.step(0)

    def env(self, variant):
        # A sanitizer wants to come first; in what is preloaded it has no part.
        options = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))
        return {"LD_PRELOAD": binary("stepclock.so", variant), "STEPCLOCK_FILE": str(self.path),
                "ASAN_OPTIONS": options}

    def step(self, seconds):
        self.path.write_bytes(struct.pack("=q", seconds))

    def move(self, seconds):
        """While agents have the file mapped: in place."""
        with open(self.path, "r+b") as file:
            file.write(struct.pack("=q", seconds))


class Cluster:
    """Pods that a Kubernetes API tells of, for a backend of their own whose slots the agents fill."""
    PODS, SLOTS = 3, 5
    BACKEND = "backend slots\n\tbalance leastconn\n" + "".join(
        f"\tserver slot{i + 1} 127.0.0.1:1 check inter 100ms weight 100 disabled\n" for i in range(SLOTS))

    def __init__(self, stack, pod_port, metric_port):
        self.pod_port = pod_port
        self.hosts = [f"127.0.2.{i + 1}" for i in range(self.PODS)]
        stack.enter_context(Pod(listen=[f"{host}:{pod_port}" for host in self.hosts], variant="release"))
        self.metrics = [MetricServer(host, metric_port, pod_port) for host in self.hosts]
        self.api = stack.enter_context(FakeApi())
        self.is_up = True
        self.told = []
        self.tell(self.hosts)

    def keys(self):
        return {"kubernetes": [{"service": "web", "namespace": "default", "backend": "slots"}],
                "kubernetesAPI": {"server": self.api.url, "silence": "3s"}}

    def tell(self, hosts):
        self.told = hosts
        self.api.set_slice("web-1", [endpoint(host) for host in hosts],
                           ports=[{"name": "ws", "port": self.pod_port, "protocol": "TCP"}])

    def leave(self):
        if self.is_up:
            self.api.down()
        self.is_up = False

    def come_back(self):
        self.api.frozen.clear()
        if not self.is_up:
            self.api.up()
        self.is_up = True

    def placed(self, haproxy):
        """The hosts that HAProxy has in slots in use, in order."""
        rows = [line.split() for line in haproxy.cli("show servers state slots").splitlines()[2:] if line]
        return sorted(row[4] for row in rows if not int(row[6]) & 0x2b)

    def close(self):
        for metric in self.metrics:
            metric.shutdown()
            metric.server_close()


class Side:
    """A HAProxy, its agent, and clients that come through it."""

    def __init__(self, scene, n, seed, connections):
        self.scene = scene
        self.check_port = free_port() if scene.agent_check else None
        server = "weight 100 check inter 100ms fall 2 rise 1"
        if self.check_port:
            server += (f" agent-check agent-addr 127.0.0.1 agent-port {self.check_port} agent-inter 300ms"
                       ' agent-send "ws/{name}\\n"')
        self.haproxy = scene.stack.enter_context(HAProxy(
            scene.addresses, server=server, hard_stop="1h", more=Cluster.BACKEND if scene.cluster else ""))
        self.haproxy.wait_up()
        self.link = str(scene.dir / f"admin{n}.sock")
        self.record = scene.dir / f"record{n}"
        os.symlink(self.haproxy.socket, self.link)
        self.spoilt = None
        self.agent = None
        self.start_agent()
        # Whose end is a pod's or nobody's: HAProxy and the agent end none.
        self.load = scene.stack.enter_context(Load(
            self.haproxy.url, connections=connections, lifetime=60, message_interval=1, seed=seed + n,
            rate=200, reconnect_ms=200, progress=True, variant="release",
            allow_failed=100000, allow_dropped=100000))

    def start_agent(self):
        keys = {"record": str(self.record), "recordMaxSize": "4MiB", "log": {"level": "debug"}}
        if self.check_port:
            keys["agentCheck"] = {"listen": f"127.0.0.1:{self.check_port}"}
        self.agent = self.scene.stack.enter_context(self._agent(**keys))

    def _agent(self, *options, **keys):
        cluster = self.scene.cluster
        return Agent(None, *options, metricPort=self.scene.metric_port, pollInterval="250ms",
                     pollTimeout="200ms", cacheTTL="5s", variant=self.scene.variant,
                     env=self.scene.clock.env(self.scene.variant),
                     config={"socket": self.link, "backends": ["ws", "slots"] if cluster else ["ws"],
                             "replicas": len(self.scene.sides) or 1},
                     **(cluster.keys() if cluster else {}), **keys)

    def second_agent(self):
        """Beside the first, with --dry-run."""
        return self._agent("--dry-run")

    def hold_file_size(self, bytes_or_none):
        """Of the process that writes the record: the disk is full at so many bytes."""
        for pid in pathlib.Path(f"/proc/{self.agent.pid}/task/{self.agent.pid}/children").read_text().split():
            limit = resource.RLIM_INFINITY if bytes_or_none is None else bytes_or_none
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(int(pid), resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

    def hold_descriptors(self, n_or_none):
        _, hard = resource.prlimit(self.agent.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.agent.pid, resource.RLIMIT_NOFILE, (n_or_none or hard, hard))

    def unlink_socket(self):
        if self.spoilt:
            self.spoilt.close()
            self.spoilt = None
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.link)

    def mend_socket(self):
        self.unlink_socket()
        os.symlink(self.haproxy.socket, self.link)

    def dropped(self):
        progress = self.load.progress()
        return progress[-1]["dropped"] if progress else 0

    def recorded(self):
        return self.agent.series()['wsbalancer_records_total{result="written"}']


class Scene:
    """Everything, and what may happen to it. Each do_ method is a fault, each takes the dice; heal() ends
    all of them. Of three seeds one has two HAProxys that share the pods, one agent-checks beside the
    socket, one neither; of five, one has a Kubernetes API that tells of a second backend's pods."""
    PODS = 6

    def __init__(self, stack, seed, variant, connections=240):
        self.stack = stack
        self.variant = variant
        self.agent_check = seed % 3 == 1
        n_sides = 2 if seed % 3 == 2 else 1
        self.dir = make_dir()
        self.clock = StepClock(self.dir / "clock")
        self.hosts = [f"127.0.1.{i + 1}" for i in range(self.PODS)]
        self.pod_port = free_port(self.hosts[0])
        self.metric_port = free_port(self.hosts[0])
        self.addresses = [f"{host}:{self.pod_port}" for host in self.hosts]
        self.cluster = Cluster(stack, self.pod_port, self.metric_port) if seed % 5 == 0 else None
        self.pods = [None] * self.PODS
        for i in range(self.PODS):
            self._start_pod(i)
        self.metrics = [MetricServer(host, self.metric_port, self.pod_port) for host in self.hosts]
        self.sides = [None] * n_sides
        for n in range(n_sides):
            self.sides[n] = Side(self, n, seed, connections // n_sides)
        for side in self.sides:
            side.load.wait_standing()
        self.may_drop_until = 0.0

    def _start_pod(self, i):
        self.pods[i] = self.stack.enter_context(Pod(listen=[self.addresses[i]], variant="release"))

    # ---- faults ----

    def do_kill_agent(self, dice):
        side = dice.choice(self.sides)
        side.agent.kill()
        side.start_agent()

    def do_restart_agent(self, dice):
        side = dice.choice(self.sides)
        side.agent.signal(signal.SIGTERM)
        # 3: HAProxy was there and did not take the configured weights, which a spoilt socket is.
        assert side.agent.wait(5) in (0, 3), side.agent.err[-20:]
        side.agent.check_sanitizers()
        side.start_agent()

    def do_pause_agent(self, dice):
        agent = dice.choice(self.sides).agent
        agent.signal(signal.SIGSTOP)
        time.sleep(dice.uniform(0.2, 1.5))
        agent.signal(signal.SIGCONT)
        agent.paused = True

    def do_hangup_agent(self, dice):
        agent = dice.choice(self.sides).agent
        for _ in range(dice.randint(1, 5)):
            agent.signal(signal.SIGHUP)
            time.sleep(0.02)

    def do_bad_configuration(self, dice):
        agent = dice.choice(self.sides).agent
        agent.write("pollInterval: soon\n")
        agent.signal(signal.SIGHUP)
        time.sleep(0.1)
        agent.write()

    def do_leave_log_unread(self, dice):
        agent = dice.choice(self.sides).agent
        agent.reading.clear()
        # A small pipe is full within two seconds.
        fcntl.fcntl(agent.process.stderr, fcntl.F_SETPIPE_SZ, 4096)

    def do_read_log(self, dice):
        for side in self.sides:
            side.agent.reading.set()

    def do_step_clock(self, dice):
        self.clock.move(dice.choice([-1, 1]) * dice.choice([1, 60, 3600, 86400 * 400]))

    def do_fill_disk(self, dice):
        side = dice.choice(self.sides)
        side.hold_file_size(side.record.stat().st_size if side.record.exists() else 0)

    def do_empty_disk(self, dice):
        for side in self.sides:
            side.hold_file_size(None)

    def do_reload_haproxy(self, dice):
        haproxy = dice.choice(self.sides).haproxy
        for _ in range(dice.randint(1, 3)):
            haproxy.reload()

    def do_pause_haproxy(self, dice):
        pid = int(dice.choice(self.sides).haproxy.info()["Pid"])
        os.kill(pid, signal.SIGSTOP)
        time.sleep(dice.uniform(0.2, 1.0))
        os.kill(pid, signal.SIGCONT)

    def do_kill_pod(self, dice):
        i = dice.randrange(self.PODS)
        self.may_drop_until = float("inf")
        self.pods[i].kill()
        time.sleep(dice.uniform(0.1, 2.0))
        self._start_pod(i)
        self.may_drop_until = time.monotonic() + 3

    def do_spoil_metric(self, dice):
        for metric in dice.sample(self.metrics, dice.randint(1, 2)):
            metric.mode = dice.choice(METRIC_MODES)

    def do_drain_pod(self, dice):
        self.pods[dice.randrange(self.PODS)].signal(signal.SIGUSR1)

    def do_mend_metrics(self, dice):
        for metric in self.metrics:
            metric.mode = "honest"

    def do_remove_socket(self, dice):
        dice.choice(self.sides).unlink_socket()

    def do_spoil_socket(self, dice):
        side = dice.choice(self.sides)
        side.unlink_socket()
        side.spoilt = SpoiltSocket(side.link, side.haproxy.socket, dice.choice(["garbage", "half", "never"]))

    def do_mend_socket(self, dice):
        for side in self.sides:
            side.mend_socket()

    def do_operator_sets_weights(self, dice):
        name = f"s{dice.randrange(self.PODS) + 1}"
        dice.choice(self.sides).haproxy.cli(f"set server ws/{name} weight {dice.randint(1, 256)}")

    def do_take_descriptors(self, dice):
        side = dice.choice(self.sides)
        side.hold_descriptors(side.agent.n_files() + dice.randint(0, 2))

    def do_give_descriptors(self, dice):
        for side in self.sides:
            side.hold_descriptors(None)

    def do_api_goes_away(self, dice):
        self.cluster.leave()

    def do_api_hangs(self, dice):
        self.cluster.api.frozen.set()

    def do_api_comes_back(self, dice):
        self.cluster.come_back()

    def do_api_tells_of_fewer(self, dice):
        self.cluster.tell(self.cluster.hosts[:dice.randint(1, Cluster.PODS)])

    def faults(self):
        return sorted(name for name in dir(self) if name.startswith("do_")
                      and (self.cluster or not name.startswith("do_api_")))

    def heal(self):
        """Ends every fault."""
        self.do_mend_metrics(None)
        self.do_mend_socket(None)
        self.do_give_descriptors(None)
        self.do_empty_disk(None)
        self.do_read_log(None)
        if self.cluster:
            self.cluster.come_back()
        for pod in self.pods:
            if pod.metric().get("draining"):
                pod.signal(signal.SIGUSR1)

    # ---- what is to be seen ----

    def draining(self):
        """The names of servers whose pods ask for nothing new, by the pods' own word."""
        names = set()
        for i, pod in enumerate(self.pods):
            try:
                if json.loads(pod.get("/truth")).get("draining"):
                    names.add(f"s{i + 1}")
            except OSError:
                pass
        return names

    def dropped(self):
        return sum(side.dropped() for side in self.sides)

    def close(self):
        for metric in self.metrics:
            metric.shutdown()
            metric.server_close()
        if self.cluster:
            self.cluster.close()
        for side in filter(None, self.sides):
            side.unlink_socket()
        shutil.rmtree(self.dir)
