# SPDX-License-Identifier: MIT
"""ramp and maxShare hold for every row of connections, in the order in which HAProxy placed them; and
balance is of connections for each unit of capacity."""
import collections
import contextlib
import socket
import threading
import time

import pytest

from balancer import Agent, HAProxy
from field import Load, Pod
from ports import free_port
from program import until

INTERVAL_S = 0.2  # the agents' pollInterval
RATE = 100        # connections a second

Placed = collections.namedtuple("Placed", "number server at_s")


class Log:
    """What HAProxy says of each connection as it is placed: its number, its server and when it came."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.lines = []
        threading.Thread(target=self._gather, daemon=True).start()
        self.port = free_port()

    def _gather(self):
        with contextlib.suppress(OSError):
            while line := self.socket.recv(4096):
                if b"placed " in line:
                    self.lines.append(line)

    @property
    def config(self):
        """A frontend that logs at the 101; HAProxy has one thread, so that numbers are in order."""
        return (f"frontend logged\n\tbind 127.0.0.1:{self.port}\n"
                f"\tlog {self.address} local0\n\toption logasap\n"
                '\tlog-format "placed %rt %s %Ts.%ms"\n\tdefault_backend ws\n')

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}/"

    def placed(self):
        """In HAProxy's order; a reload begins the numbers anew, but not the times."""
        found = []
        for line in list(self.lines):
            number, server, at = line.decode().partition("placed ")[2].split()
            found.append(Placed(int(number), server, float(at)))
        return sorted(found, key=lambda p: (round(p.at_s, 1), p.number))

    def wait(self, n):
        until(lambda: len(self.lines) >= n, f"{n} connections in HAProxy's log, not {len(self.lines)}")

    def close(self):
        self.socket.close()


@pytest.fixture
def log():
    log = Log()
    yield log
    log.close()


@pytest.fixture
def pods():
    with Pod(n=4) as pods:
        yield pods


def worst_row(placed, server, limit_at):
    """Over all rows of connections one after the other, how far the server's share of one went over
    its limit, in connections. limit_at is the limit of a connection that comes then."""
    over = 0.0
    worst = 0.0
    # The sum of what each connection brings over the limit: a row's is the difference of two sums.
    for connection in placed:
        over = max(0.0, over + (connection.server == server) - limit_at(connection.at_s))
        worst = max(worst, over)
    return worst


def slack(limit):
    """What a pod may be ahead by: one connection, what its limit is of one interval's, and two."""
    return 1 + limit * RATE * INTERVAL_S * 1.5 + 2


def enable(haproxy, name):
    haproxy.cli(f"set server ws/{name} state ready")
    until(lambda: haproxy.stat()[name]["status"].startswith("UP"), f"{name} to be up")


@contextlib.contextmanager
def three_full_and_one_new(log, pods, balance="leastconn", **keys):
    """HAProxy with 40 connections on each of three servers and s4 in maintenance; the agent."""
    with HAProxy(pods.addresses, balance=balance, more=log.config, nbthread=1) as haproxy:
        haproxy.cli("set server ws/s4 state maint")
        haproxy.wait_up(3)
        with Agent(haproxy, **keys) as agent, \
                Load(haproxy.url, connections=120, rate=400) as load:
            load.wait_standing()
            until(lambda: agent.json()["totalConnections"] == 120, "all to be counted")
            yield haproxy, agent


def test_without_limits_a_new_pod_takes_nearly_all(log, pods):
    with three_full_and_one_new(log, pods) as (haproxy, agent):
        enable(haproxy, "s4")
        with Load(log.url, connections=60, rate=RATE) as load:
            load.wait_standing()
            log.wait(60)
            assert worst_row(log.placed(), "s4", lambda at_s: 0.3) > 2 * slack(0.3)


@pytest.mark.parametrize("balance", ["leastconn", "roundrobin"])
def test_max_share_holds_for_every_row_of_connections(log, pods, balance):
    with three_full_and_one_new(log, pods, balance, maxShare="0.3") as (haproxy, agent):
        until(lambda: haproxy.weights()["s4"] == 1, "the new pod's server to wait with weight 1")
        with Load(log.url, connections=400, rate=RATE) as load:
            until(lambda: len(log.lines) > 30, "some connections before the new pod")
            enable(haproxy, "s4")
            load.wait_standing()
            log.wait(400)
            placed = log.placed()
            for name in ("s1", "s2", "s3", "s4"):
                # Three pods with a limit of 0.3 leave some connections without a pod.
                limit = 0.3 if name == "s4" else 1 / 3
                assert worst_row(placed, name, lambda at_s, limit=limit: limit) <= slack(limit), name
            # It is used as far as it may be.
            late = [p.server for p in placed[-300:-100]]
            assert late.count("s4") > 0.3 * len(late) - slack(0.3)


def test_max_share_holds_after_a_reload_with_pods_at_different_heights(log, pods):
    with three_full_and_one_new(log, pods, maxShare="0.4") as (haproxy, agent):
        with Load(pods.urls[0], connections=80, rate=400) as foreign:
            foreign.wait_standing()
            enable(haproxy, "s4")
            haproxy.reload()
            # Until it is read anew, HAProxy knows no limit.
            until(lambda: agent.json()["haproxy"]["reloads"] == 1, "the reload to be seen")
            until(lambda: len(set(haproxy.weights().values())) > 1, "weights again")
            with Load(log.url, connections=300, rate=RATE) as load:
                load.wait_standing()
                log.wait(300)
                placed = log.placed()
        for name in ("s1", "s2", "s3", "s4"):
            assert worst_row(placed, name, lambda at_s: 0.4) <= slack(0.4), name


def test_a_ramp_holds_for_every_row_of_connections(log, pods):
    ramp_s = 6.0
    with three_full_and_one_new(log, pods, ramp=f"{int(ramp_s)}s") as (haproxy, agent):
        until(lambda: haproxy.weights()["s4"] == 1, "the new pod's server to wait with weight 1")
        with Load(log.url, connections=900, rate=RATE) as load:
            until(lambda: len(log.lines) > 30, "some connections before the new pod")
            began_s = time.time()
            enable(haproxy, "s4")
            until(lambda: agent.json()["podMetrics"]["ws"][3]["why"].startswith("ramping "),
                  "the agent to say so")
            load.wait_standing()
            log.wait(900)
            placed = log.placed()

    def limit_at(at_s):
        return min(1.0, max(0.0, (at_s - began_s) / ramp_s))

    half = [p for p in placed if p.at_s < began_s + ramp_s / 2]
    # The first half of the ramp gives it a quarter at most of what comes; the whole, a half.
    assert worst_row(half, "s4", limit_at) <= slack(0.5)
    assert worst_row(placed, "s4", limit_at) <= slack(1.0)
    taken = sum(p.server == "s4" for p in half)
    assert 0.1 * len(half) < taken < 0.25 * len(half) + slack(0.5), (taken, len(half))


def test_an_agent_that_starts_takes_no_pod_for_new(log, pods):
    with three_full_and_one_new(log, pods, ramp="1h") as (haproxy, agent):
        agent.stop()
        enable(haproxy, "s4")
        with Agent(haproxy, ramp="1h") as second:
            second.wait_ready()
            until(lambda: all(p["why"] == "steered" for p in second.json()["podMetrics"]["ws"]),
                  "all pods to be steered")
            with Load(log.url, connections=40, rate=RATE) as load:
                load.wait_standing()
                log.wait(40)
                assert sum(p.server == "s4" for p in log.placed()) > 30


@pytest.mark.parametrize("balance", ["leastconn", "roundrobin"])
def test_connections_are_in_proportion_to_the_configured_weights(pods, balance):
    servers = {f"s{i + 1}": f"{address} weight {weight}"
               for i, (address, weight) in enumerate(zip(pods.addresses, (200, 100, 100, 50)))}
    with HAProxy([], servers=servers, server="check inter 200ms", balance=balance) as haproxy:
        haproxy.wait_up()
        with Agent(haproxy) as agent:
            agent.wait_ready()
            check_proportions(haproxy, agent, pods, [200, 100, 100, 50])


@pytest.mark.parametrize("balance", ["leastconn", "roundrobin"])
def test_connections_are_in_proportion_to_the_capacity_that_pods_tell(balance):
    capacities = [4, 2, 2, 1]
    with contextlib.ExitStack() as stack:
        pods = [stack.enter_context(Pod("--capacity", str(n))) for n in capacities]
        haproxy = stack.enter_context(HAProxy([p.address for p in pods], balance=balance))
        haproxy.wait_up()
        agent = stack.enter_context(Agent(haproxy))
        agent.wait_ready()
        check_proportions(haproxy, agent, pods, capacities)


def test_a_pod_that_tells_too_much_capacity_takes_no_more_than_capacity_max_lets_it():
    capacities = [1, 1, 1000000000, 1]
    with contextlib.ExitStack() as stack:
        pods = [stack.enter_context(Pod("--capacity", str(n))) for n in capacities]
        haproxy = stack.enter_context(HAProxy([p.address for p in pods]))
        haproxy.wait_up()
        agent = stack.enter_context(Agent(haproxy, capacityMax=2))
        agent.wait_ready()
        check_proportions(haproxy, agent, pods, [1, 1, 2, 1])
        loud = agent.json()["podMetrics"]["ws"][2]
        assert loud["reported_capacity"] == 1000000000
        assert loud["why"] == "steered, tells a capacity of 1e+09, counts as 2"
        agent.wait_log("more capacity than capacityMax allows")
        assert agent.logged("more capacity than capacityMax allows") == 1


def counts_of(pods):
    return [pods.count(i) for i in range(4)] if isinstance(pods, Pod) else [p.count() for p in pods]


def check_proportions(haproxy, agent, pods, capacities):
    """450 connections, one pod with as many of its own as its part is: what is even is count/capacity."""
    first = pods.urls[1] if isinstance(pods, Pod) else pods[1].url
    total = sum(capacities)
    with Load(first, connections=60, rate=1000) as foreign:
        foreign.wait_standing()
        until(lambda: agent.json()["totalConnections"] == 60, "the pods to be heard")
        with Load(haproxy.url, connections=390, rate=150) as load:
            load.wait_standing()
            counts = counts_of(pods)
            wanted = [450 * capacity / total for capacity in capacities]
            for count, want in zip(counts, wanted):
                assert abs(count - want) <= 0.06 * want + 3, (counts, wanted)
            until(lambda: agent.json()["totalConnections"] == 450, "all to be counted")
            report = agent.json()
            listed = report["podMetrics"]["ws"]
            assert [p["capacity"] for p in listed] == capacities
            per_unit = [p["agentsConnections"] / p["capacity"] for p in listed]
            imbalance = max(per_unit) / (450 / total) - 1
            [backend] = report["backends"]
            assert abs(backend["imbalance"] - imbalance) < 0.05
            assert backend["imbalance"] < 0.1
            for pod, want in zip(listed, wanted):
                assert abs(pod["level"] - want) < 0.05 * want + 2, (pod, want)
            assert "wsbalancer_backend_imbalance_ratio" in agent.get("/metrics")[1]
