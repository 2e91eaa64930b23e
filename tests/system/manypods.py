# SPDX-License-Identifier: MIT
"""Thousands of pods that only answer /metric, in one process and on one port.

    with ManyPods(1000) as pods:            # 127.1.0.1:P, 127.1.0.2:P, ...
        pods.answers[0] = {"agentsConnections": 7, "podName": "<b>"}
        pods.answers[1] = b"not JSON"       # the body as it is
        pods.answers[2] = None              # no answer at all
        pods.delay_s = 0.05                 # all answer so late

Linux takes all of 127.0.0.0/8 as its own, so an address each costs nothing. For WebSockets and for
what pods do, there is field.Pod.
"""
import asyncio
import contextlib
import ipaddress
import json
import os
import threading
import time

FIRST = ipaddress.IPv4Address("127.1.0.1")


class ManyPods:
    def __init__(self, n, answer=None):
        answer = answer or (lambda i: {"agentsConnections": 100, "podName": f"pod-{i}"})
        self.answers = [answer(i) for i in range(n)]
        self.polls = [0] * n
        self.delay_s = 0
        self.port = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._started = threading.Event()

    @property
    def addresses(self):
        return [f"{FIRST + i}:{self.port}" for i in range(len(self.answers))]

    def _run(self):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "0.0.0.0", 0, backlog=4096))
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))

    async def _serve(self, reader, writer):
        """One kept-alive connection: every request is taken for a GET of /metric."""
        address = writer.get_extra_info("sockname")[0]
        index = int(ipaddress.IPv4Address(address)) - int(FIRST)
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                answer = self.answers[index]
                self.polls[index] += 1
                if answer is None:
                    continue
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                             b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def __enter__(self):
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, kind, error, trace):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class PodsApart(ManyPods):
    """In a process of their own, .pid: in one with a test that works itself, Python would let none of them run."""

    def __enter__(self):
        reading, writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            with contextlib.suppress(BaseException):
                super().__enter__()
                os.write(writing, str(self.port).encode())
                os.close(writing)
                time.sleep(3600)  # until it is killed
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            self.port = int(pipe.read())
        return self

    def __exit__(self, kind, error, trace):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
