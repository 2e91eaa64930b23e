# SPDX-License-Identifier: MIT
"""Starts the field tools, wspod and wsload, for tests.

    with field.Pod() as pod, field.Load(pod.url, connections=20) as load:
        load.wait_standing()
        assert pod.metric()["agentsConnections"] == 20
        report = load.stop()
    assert report["ok"]

A program that prints anything unexpected on stderr, or ends with another status
than it should, fails the test: that is how a sanitizer speaks.
"""
import json
import signal
import urllib.request

from program import DEADLINE_S, Program, binary, until


def chosen_extensions(ws):
    """What the server chose of the extensions that a client of Python's websockets offered; None: none."""
    headers = ws.response.headers if hasattr(ws, "response") else ws.response_headers  # before websockets 14
    return headers.get("Sec-WebSocket-Extensions")


class Pod(Program):
    """A wspod with n pods on ports that the kernel chose. Options go as they are on the command
    line: Pod("--lie", "3", env={"POD_NAME": "web-0"})."""

    def __init__(self, *options, n=1, host="127.0.0.1", env=None, variant=None, listen=None):
        identity = {"POD_NAME": "", "POD_IP": "", "NODE_NAME": "", **(env or {})}
        listen = listen or [f"{host}:0"] * n
        wanted = [word for address in listen for word in ("--listen", address)]
        super().__init__([binary("wspod", variant), *wanted, *options], identity)
        try:
            until(lambda: len(self.out) == len(listen) or not self.running(), "wspod to listen")
            assert self.running(), f"wspod ended: {self.err}"
        except AssertionError:
            self.kill()
            raise
        self.addresses = [line.removeprefix("listening ") for line in self.out]

    @property
    def address(self):
        """ADDR:PORT of the first pod."""
        return self.addresses[0]

    @property
    def port(self):
        return int(self.address.rpartition(":")[2])

    @property
    def ports(self):
        return [int(address.rpartition(":")[2]) for address in self.addresses]

    @property
    def url(self):
        """For WebSockets to the first pod."""
        return f"ws://{self.address}/"

    @property
    def urls(self):
        return [f"ws://{address}/" for address in self.addresses]

    def get(self, path, index=0, timeout=5):
        """The body of a plain request, as text."""
        with urllib.request.urlopen(f"http://{self.addresses[index]}{path}", timeout=timeout) as r:
            return r.read().decode()

    def metric(self, index=0):
        return json.loads(self.get("/metric", index))

    def count(self, index=0):
        return self.metric(index)["agentsConnections"]

    def truth(self, index=0):
        """How many connections it has, whatever its /metric says."""
        return json.loads(self.get("/truth", index))["agentsConnections"]

    def truths(self):
        """That of each pod."""
        return [self.truth(i) for i in range(len(self.addresses))]

    def wait_count(self, n, index=0):
        until(lambda: self.count(index) == n, f"{n} connections on {self.addresses[index]}")

    def toggle_draining(self):
        """Returns once /metric says so."""
        before = self.metric().get("draining", False)
        self.signal(signal.SIGUSR1)
        until(lambda: self.metric().get("draining", False) != before, "draining to turn over")

    def stop(self):
        """SIGTERM, and a clean end within a second and some slack."""
        self.signal(signal.SIGTERM)
        status = self.wait(5)
        assert status == 0, f"wspod ended with {status}: {self.err}"
        assert self.err == [], f"wspod complained: {self.err}"

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.running() and kind is None:
            self.stop()
        self.kill()


class Load(Program):
    """A wsload with JSON report. Keywords become options: Load(url, message_interval=0.1, text=True)
    runs `wsload --json --target URL --message-interval 0.1 --text`; a list repeats the option."""

    def __init__(self, *urls, variant=None, env=None, **options):
        argv = [binary("wsload", variant), "--json"]
        for url in urls:
            argv += ["--target", url]
        for name, value in options.items():
            for item in value if isinstance(value, (list, tuple)) else [value]:
                if item is not False and item is not None:
                    argv.append("--" + name.replace("_", "-"))
                    argv += [] if item is True else [str(item)]
        super().__init__(argv, env)

    def wait_standing(self, deadline_s=DEADLINE_S):
        """Waits until all connections stood at once; how many seconds that took."""
        return json.loads(self.wait_line(self.err, '{"standing"', deadline_s))["at_s"]

    def progress(self):
        """The lines of --progress so far."""
        return [json.loads(line) for line in list(self.err) if line.startswith('{"at_s"')]

    def report(self, deadline_s=DEADLINE_S):
        """Waits for the end of the run; the report, with the exit status added as "status"."""
        status = self.wait(deadline_s)
        strange = [line for line in self.err if not line.startswith(('{"standing"', '{"at_s"'))]
        assert strange == [], f"wsload complained: {strange}"
        report = json.loads("\n".join(self.out))
        assert status == (0 if report["ok"] else 1)
        report["status"] = status
        return report

    def stop(self, deadline_s=DEADLINE_S):
        """Ends the run in good order; the report."""
        self.signal(signal.SIGTERM)
        return self.report(deadline_s)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.kill()
