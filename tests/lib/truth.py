# SPDX-License-Identifier: MIT
"""What the pods themselves say, several times a second, and how uneven it is.

    with Watch(addresses) as watch:
        ...
    over(watch.samples, 20, 30)             # [(at_s, imbalance), ...] of these seconds

The pods' own counts, at /truth, are what balancers are measured by: neither HAProxy nor an agent has a part
in them, nor what a pod says at /metric.
"""
import http.client
import json
import threading
import time


def imbalance(answers):
    """max/mean - 1 of count/capacity, over the pods that take connections. 0 when there are none.

    answers: what each pod said at /metric, as dicts."""
    loads = [a["agentsConnections"] / a.get("capacity", 1) for a in answers
             if not a.get("draining", False)]
    mean = sum(loads) / len(loads) if loads else 0
    return max(loads) / mean - 1 if mean else 0.0


def over(samples, from_s, to_s=float("inf")):
    """The samples of some seconds."""
    return [(at_s, value) for at_s, value in samples if from_s <= at_s <= to_s]


def settled(samples, from_s, limit):
    """Seconds from from_s until the imbalance is under the limit for the rest of the samples; None
    when it ends above."""
    since = None
    for at_s, value in over(samples, from_s):
        if value >= limit:
            since = None
        elif since is None:
            since = at_s
    return None if since is None else since - from_s


class Watch:
    """Asks all pods every `every_s`. Times are seconds since start_s, a time.monotonic(). A pod
    that does not answer is not up."""

    def __init__(self, addresses, every_s=0.25, start_s=None):
        self.samples = []  # (at_s, imbalance)
        self.answers = {}  # the last ones, by address
        self.start_s = time.monotonic() if start_s is None else start_s
        self._every_s = every_s
        self._pods = {address: self._connection(address) for address in addresses}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @staticmethod
    def _connection(address):
        return http.client.HTTPConnection(address, timeout=1)

    def _ask(self, address):
        """What the pod says; None when it is not up."""
        connection = self._pods[address]
        try:
            connection.request("GET", "/truth")
            return json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException):
            connection.close()  # a pod that is back gets a new one
            return None

    def sample(self):
        at_s = time.monotonic() - self.start_s
        answers = {address: self._ask(address) for address in self._pods}
        self.answers = {address: a for address, a in answers.items() if a}
        self.samples.append((at_s, imbalance(self.answers.values())))

    def _run(self):
        # At whole multiples, so that the samples of two runs are of the same moments.
        while not self._done.is_set():
            self.sample()
            age_s = time.monotonic() - self.start_s
            self._done.wait(self._every_s - age_s % self._every_s)

    def age_s(self):
        return time.monotonic() - self.start_s

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self._done.set()
        self._thread.join()
        for connection in self._pods.values():
            connection.close()
