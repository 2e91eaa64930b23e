# SPDX-License-Identifier: MIT
"""Pods that are several processes behind one address, as Node's cluster or gunicorn make them."""
import asyncio
import json
import os
import signal
import socket

import pytest
import time

from balancer import Agent, HAProxy
from field import Load, Pod, until


async def serve(listener, count):
    """One worker: WebSockets that only stay, and /metric, which tells of this worker's alone. It begins with so many
    by a door of its own: workers that have as many by chance nobody could tell apart."""
    import base64
    import hashlib

    async def client(reader, writer):
        nonlocal count
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = {name.strip().lower(): value.strip() for name, _, value in (
                    line.partition(":") for line in head.split("\r\n")[1:])}
                if "sec-websocket-key" not in fields:
                    body = json.dumps({"agentsConnections": count}).encode()
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                    continue
                accept = base64.b64encode(hashlib.sha1(
                    (fields["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
                writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                             b"Connection: Upgrade\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")
                count += 1
                try:
                    while await reader.read(65536):
                        pass
                finally:
                    count -= 1
                return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(client, sock=listener)
    async with server:
        await server.serve_forever()


class Workers:
    """So many processes at one port. Each has a listening socket of its own, among which the kernel shares out what
    comes by address and port: of one socket, a busy machine may give nearly all to the process that is awake."""

    def __init__(self, n):
        first = self._listen(0)
        self.port = first.getsockname()[1]
        self.listeners = [first, *(self._listen(self.port) for _ in range(n - 1))]
        self.address = f"127.0.0.1:{self.port}"
        self.pids = [self._fork(listener, 4 * i) for i, listener in enumerate(self.listeners)]

    @staticmethod
    def _listen(port):
        listener = socket.create_server(("127.0.0.1", port), backlog=256, reuse_port=True)
        listener.setblocking(False)
        return listener

    @staticmethod
    def _fork(listener, count):
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            try:
                asyncio.run(serve(listener, count))
            finally:
                os._exit(1)
        return pid

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for listener in self.listeners:
            listener.close()


@pytest.fixture
def four_workers():
    with Workers(4) as workers:
        yield workers


def test_a_worker_of_several_is_no_pod(four_workers):
    """Believed, it would look as empty as one of its workers, and draw everything that comes."""
    with Pod(n=3) as pods, HAProxy([*pods.addresses, four_workers.address]) as haproxy:
        haproxy.wait_up()
        with Agent(haproxy) as agent, \
                Load(haproxy.url, connections=200, rate=200, message_interval=0,
                     echo_timeout=1000) as load:
            agent.wait_ready()
            load.wait_standing()
            # Twelve polls over new connections, one in four, end a look; a second one may be needed.
            until(lambda: any("one worker of several?" in line for line in agent.err), "conviction", deadline_s=45)
            row = next(p for p in agent.json()["podMetrics"]["ws"]
                       if p["address"] == four_workers.address)
            assert row["state"] == "disbelieved", row
            assert "one worker of several?" in row["why"], row
            # What leastconn would give it by itself.
            until(lambda: haproxy.weights()["s4"] == haproxy.weights()["s1"], "a weight as the others'")


def test_plain_requests_beside_websockets_are_no_workers():
    """They are sessions of HAProxy's too: a pod tells of a part then, and rightly."""
    with Pod(n=2) as pods, HAProxy(pods.addresses) as haproxy:
        haproxy.wait_up()
        with Agent(haproxy) as agent, Load(haproxy.url, connections=40, rate=200) as load:
            agent.wait_ready()
            load.wait_standing()
            until(lambda: time.time() - agent.json()["agent"]["started_at"] > 8, "polls over new connections")
            assert [p["state"] for p in agent.json()["podMetrics"]["ws"]] == ["heard"] * 2
            assert not any("several" in line for line in agent.err)
