# SPDX-License-Identifier: MIT
"""The release itself is upgraded, its pods run as by a kubelet, with clients on its Service."""
import contextlib
import json

import pytest
import tools
from field import Load
from figures import Figures
from kubelet import Kubelet, Proxy
from namespace import Namespace
from program import until
from scene import Workload

REPLICAS, STANDING, DRAIN_S, CLOSE_S, GRACE_S = 2, 60, 4, 12, 30


class Site:
    """A release that runs, the application's pods that it balances, and clients of its Service: some that stay, and
    some that come and go all the time. A context; at its end no pod has done what a kubelet would mend."""

    def __init__(self, cluster, folder, **values):
        self.app, self.own = Namespace(cluster, "privileged"), Namespace(cluster)
        until(lambda: self.app.get("serviceaccounts"), "the account")
        cluster.apply("/api/v1/nodes", {"metadata": {"name": "node-0"}})
        self.workload = Workload(cluster, self.app.name, "app")
        self.values = {"services[0].name": "app", "services[0].namespace": self.app.name, "replicaCount": REPLICAS,
                       "terminationGracePeriodSeconds": GRACE_S, "minReadySeconds": 2, "agent.drainDelay": DRAIN_S,
                       **values}
        self.kubelet = Kubelet(cluster, self.own.name, folder)
        self.stack = contextlib.ExitStack()
        self.stack.callback(self.workload.close)
        self.cluster = cluster
        self.old, self.standing, self.newcomers = [], None, None

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.push(self.stack.pop_all())
            self.workload.create(3)
            self.helm("install")
            stack.enter_context(self.kubelet)
            self.wait(lambda: len(self.kubelet.ready()) == REPLICAS, "the first pods")
            self.old = self.kubelet.ready()
            proxy = stack.enter_context(Proxy(self.cluster, self.own.name, "wsb-wsbalancer"))
            until(lambda: len(proxy.targets) == REPLICAS, "the Service's endpoints")
            url = f"ws://{proxy.address}:{proxy.port}/"
            common = {"message_interval": 0.5, "reconnect_ms": 200, "allow_dropped": 1000, "allow_failed": 1000}
            self.standing = stack.enter_context(Load(url, connections=STANDING, progress=True, **common))
            self.newcomers = stack.enter_context(
                Load(url, connections=20, rate=20, lifetime=1, lifetime_spread="fixed", **common))
            for load in self.standing, self.newcomers:
                load.wait_standing()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *error):
        return self.stack.__exit__(*error)

    def helm(self, verb, *more, good=True, **values):
        words = ",".join(f"{key}={value}" for key, value in {**self.values, **values}.items())
        return self.own.tool("helm", verb, "wsb", tools.CHART, "--set", words, *more, good=good)

    def wait(self, condition, what, deadline_s=180):
        until(lambda: condition() or self.kubelet.faults, what, deadline_s)
        assert self.kubelet.faults == [], self.kubelet.faults

    def ended(self, figures):
        """Ends the clients; their two reports, and how many that stayed were lost in each second. Nobody came in vain, and
        no message was wrong or lost."""
        reports = [self.standing.stop(), self.newcomers.stop()]
        for pod in self.kubelet.ready():
            figures.right(pod.ready_s)
        for report in reports:
            figures.clients(report)
            assert report["failed"] == report["wrong"] == report["lost"] == 0, report
        ticks = [0, *(tick["dropped"] for tick in self.standing.progress()), reports[0]["dropped"]]
        return *reports, [after - before for before, after in zip(ticks, ticks[1:])]


def said(pod):
    """The lines that the agent of a pod logged."""
    return [json.loads(line) for line in pod.containers["wsbalancer"].err]


def closed_by(pod):
    """How many WebSockets the agent of a pod says to have closed."""
    return sum(line["n"] for line in said(pod) if line["event"] == "WebSockets were closed")


@pytest.fixture(name="figures")
def fixture_figures(request):
    return Figures(request.node.name)


def test_an_upgrade_fails_no_connect_and_closes_websockets_one_after_the_other(cluster, figures, tmp_path):
    with Site(cluster, tmp_path, **{"agent.closeOver": CLOSE_S}) as it:
        it.helm("upgrade", **{"image.tag": "3.0-alpine"})
        it.wait(lambda: len(it.kubelet.gone()) == REPLICAS and len(it.kubelet.ready()) == REPLICAS, "the upgrade")
        standing, newcomers, lost = it.ended(figures)
    closed = [closed_by(pod) for pod in it.old]
    # Who is lost was closed by an agent, and once, but for who came back to a HAProxy that was to stop next.
    assert STANDING <= standing["dropped"] + newcomers["dropped"] <= sum(closed) < 2 * STANDING, closed
    # Each pod closes its own over that time: not in one second, and those of both fall into at most two times it.
    assert max(lost) <= 4 * STANDING / CLOSE_S and sum(n > 0 for n in lost) >= CLOSE_S - 2, lost
    for pod in it.old:
        haproxy = pod.containers["haproxy"]
        assert haproxy.end == pod.containers["wsbalancer"].end == "by itself"
        assert not [line for line in said(pod) if line["level"] == "error"]
        assert DRAIN_S + CLOSE_S - 1 < haproxy.held_s < DRAIN_S + CLOSE_S + 4


def test_a_wrong_port_is_held_back_before_a_good_pod_goes(cluster, figures, tmp_path):
    with Site(cluster, tmp_path) as it:
        it.helm("upgrade", "--wait", "--timeout", "20s", good=False, **{"services[0].port": 80})
        assert it.kubelet.ready() == it.old
        new, = (pod for pod in it.kubelet.pods.values() if pod not in it.old)
        word = "Service app has no port 80: its pods listen on ws:8080"
        assert any(word in line for line in new.containers["wsbalancer"].err) and new.ready_s is None
        it.own.tool("helm", "rollback", "wsb", "1", "--wait", "--timeout", "60s")
        it.wait(lambda: not new.is_alive(), "the pod of the wrong port to go")
        assert it.kubelet.ready() == it.old
        standing, newcomers, _ = it.ended(figures)
    assert standing["dropped"] == newcomers["dropped"] == 0
