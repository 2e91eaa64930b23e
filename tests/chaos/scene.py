# SPDX-License-Identifier: MIT
"""What chaos plays with: pods whose /metric can be spoilt at will, a HAProxy whose socket can, an agent."""
import contextlib
import http.server
import json
import os
import resource
import signal
import socket
import threading
import time
import urllib.request

from balancer import Agent, HAProxy, make_dir
from field import Load, Pod
from ports import free_port


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


class Scene:
    """Everything, and what may happen to it. Each do_ method is a fault, each takes the dice; heal() ends
    all of them."""
    PODS = 6
    METRIC_PORT = 8081

    def __init__(self, stack, seed, variant, connections=240):
        self._stack = stack
        self.variant = variant
        self.dir = make_dir()
        self.hosts = [f"127.0.1.{i + 1}" for i in range(self.PODS)]
        self.pod_port = free_port(self.hosts[0])
        self.metric_port = free_port(self.hosts[0])
        self.addresses = [f"{host}:{self.pod_port}" for host in self.hosts]
        self.pods = [None] * self.PODS
        for i in range(self.PODS):
            self._start_pod(i)
        self.metrics = [MetricServer(host, self.metric_port, self.pod_port) for host in self.hosts]
        self.haproxy = stack.enter_context(HAProxy(
            self.addresses, server="weight 100 check inter 100ms fall 2 rise 1", hard_stop="1h"))
        self.haproxy.wait_up()
        self.link = str(self.dir / "admin.sock")
        os.symlink(self.haproxy.socket, self.link)
        self.spoilt = None
        self.agent = None
        self.start_agent()
        # Whose end is a pod's or nobody's: HAProxy and the agent end none.
        self.load = stack.enter_context(Load(
            self.haproxy.url, connections=connections, lifetime=60, message_interval=1, seed=seed,
            rate=200, reconnect_ms=200, progress=True, variant="release",
            allow_failed=100000, allow_dropped=100000))
        self.load.wait_standing()
        self.may_drop_until = 0.0

    # ---- parts ----

    def _start_pod(self, i):
        self.pods[i] = self._stack.enter_context(Pod(listen=[self.addresses[i]], variant="release"))

    def config(self):
        return {"socket": self.link, "backends": ["ws"]}

    def start_agent(self):
        self.agent = self._stack.enter_context(self._agent())
        self.agent_started = time.monotonic()

    def _agent(self, *options):
        return Agent(None, *options, config=self.config(), metricPort=self.metric_port,
                     pollInterval="250ms", pollTimeout="200ms", cacheTTL="5s",
                     variant=self.variant)

    def second_agent(self):
        """Beside the first, with --dry-run."""
        return self._agent("--dry-run")

    # ---- faults ----

    def do_kill_agent(self, dice):
        self.agent.kill()
        self.start_agent()

    def do_restart_agent(self, dice):
        self.agent.signal(signal.SIGTERM)
        # 3: HAProxy was there and did not take the configured weights, which a spoilt socket is.
        assert self.agent.wait(5) in (0, 3), self.agent.err
        self.agent.check_sanitizers()
        self.start_agent()

    def do_pause_agent(self, dice):
        self.agent.signal(signal.SIGSTOP)
        time.sleep(dice.uniform(0.2, 1.5))
        self.agent.signal(signal.SIGCONT)

    def do_hangup_agent(self, dice):
        for _ in range(dice.randint(1, 5)):
            self.agent.signal(signal.SIGHUP)
            time.sleep(0.02)

    def do_bad_configuration(self, dice):
        self.agent.write("pollInterval: soon\n")
        self.agent.signal(signal.SIGHUP)
        time.sleep(0.1)
        self.agent.write()

    def do_reload_haproxy(self, dice):
        for _ in range(dice.randint(1, 3)):
            self.haproxy.reload()

    def do_pause_haproxy(self, dice):
        pid = int(self.haproxy.info()["Pid"])
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
        self._unlink()

    def do_spoil_socket(self, dice):
        self._unlink()
        self.spoilt = SpoiltSocket(self.link, self.haproxy.socket,
                                   dice.choice(["garbage", "half", "never"]))

    def do_mend_socket(self, dice):
        self._unlink()
        os.symlink(self.haproxy.socket, self.link)

    def do_operator_sets_weights(self, dice):
        name = f"s{dice.randrange(self.PODS) + 1}"
        self.haproxy.cli(f"set server ws/{name} weight {dice.randint(1, 256)}")

    def do_take_descriptors(self, dice):
        few = self.agent.n_files() + dice.randint(0, 2)
        _, hard = resource.prlimit(self.agent.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.agent.pid, resource.RLIMIT_NOFILE, (few, hard))

    def do_give_descriptors(self, dice):
        _, hard = resource.prlimit(self.agent.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.agent.pid, resource.RLIMIT_NOFILE, (hard, hard))

    def _unlink(self):
        if self.spoilt:
            self.spoilt.close()
            self.spoilt = None
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.link)

    def faults(self):
        return sorted(name for name in dir(self) if name.startswith("do_"))

    def heal(self):
        """Ends every fault."""
        self.do_mend_metrics(None)
        self.do_mend_socket(None)
        self.do_give_descriptors(None)
        for pod in self.pods:
            if pod.metric().get("draining"):
                pod.signal(signal.SIGUSR1)

    # ---- what is to be seen ----

    def weights(self):
        return self.haproxy.weights()

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
        progress = self.load.progress()
        return progress[-1]["dropped"] if progress else 0

    def close(self):
        for metric in self.metrics:
            metric.shutdown()
            metric.server_close()
        self._unlink()
        self.dir.rmdir()
