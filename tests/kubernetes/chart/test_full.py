# SPDX-License-Identifier: MIT
"""HAProxies that have as many clients as they take, and HAProxies whose slots are still empty: nobody hangs."""
import contextlib
import socket
import threading
import time

import loopback
import pytest
from program import until

FEW = "haproxy.maxConnections=20"


def opened(haproxy, links, n):
    """n WebSockets; those that HAProxy took, and how long the others waited for a no."""
    taken, refused = [], []
    for _ in range(n):
        began = time.monotonic()
        try:
            link = links.enter_context(haproxy.open_websocket())
            answer = link.recv(4096)
        except ConnectionError:
            answer = b""
        if answer.startswith(b"HTTP/1.1 101 "):
            taken.append(link)
        else:
            assert answer == b""
            refused.append(time.monotonic() - began)
    return taken, refused


def websocket_status(haproxy):
    with haproxy.open_websocket() as link:
        return int(link.recv(4096).split()[1])


def denied(haproxy):
    """What the alert goes by."""
    answer = haproxy.get("/metrics", port=haproxy.stat)[1]
    line, = [line for line in answer.splitlines()
             if line.startswith('haproxy_frontend_denied_connections_total{proxy="fe_clients"')]
    return int(line.split()[-1])


def test_clients_beyond_the_most_are_refused_at_once(tmp_path):
    with loopback.Balancer(tmp_path, "--set", FEW) as haproxy, loopback.server("pod") as pod, \
            contextlib.ExitStack() as links:
        haproxy.fill("pod1", pod)
        haproxy.synced()
        taken, refused = opened(haproxy, links, 60)
        assert len(taken) == 20 and len(refused) == 40 and max(refused) < 1
        assert denied(haproxy) == 40
        # It is full, neither dead nor, by default, unready.
        for path in "/live", "/ready", "/metrics":
            assert haproxy.get(path, port=haproxy.stat)[0] == 200
        taken[0].close()
        until(lambda: opened(haproxy, links, 1)[0], "there is room again")


def test_sixty_clients_at_once_are_answered_at_once(tmp_path):
    """In parallel, as at a scale-out."""
    with loopback.Balancer(tmp_path, "--set", FEW) as haproxy, loopback.server("pod") as pod, \
            contextlib.ExitStack() as links:
        haproxy.fill("pod1", pod)
        results = []

        def client():
            results.append(opened(haproxy, links, 1))

        threads = [threading.Thread(target=client) for _ in range(60)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(loopback.DEADLINE_S)
        assert sum(len(taken) for taken, _ in results) == 20
        assert max(wait for _, refused in results for wait in refused) < 2


def test_a_full_haproxy_is_unready_between_two_marks_where_asked(tmp_path):
    with loopback.Balancer(tmp_path, "--set", f"{FEW},haproxy.unreadyWhenFull.enabled=true,"
                           "haproxy.unreadyWhenFull.mark=90,haproxy.unreadyWhenFull.backMark=50") as haproxy, \
            loopback.server("pod") as pod, contextlib.ExitStack() as links:
        haproxy.fill("pod1", pod)
        haproxy.synced()

        def ready():
            return haproxy.get("/ready", port=haproxy.stat)[0] == 200

        taken, _ = opened(haproxy, links, 17)
        assert ready()
        taken += opened(haproxy, links, 1)[0]
        assert len(taken) == 18 and not ready()
        assert haproxy.get("/live", port=haproxy.stat)[0] == 200
        # Who comes nevertheless is taken.
        taken += opened(haproxy, links, 1)[0]
        assert len(taken) == 19

        def leave(left):
            while len(taken) > left:
                taken.pop().close()
            until(lambda: haproxy.command("show stat fe_clients 1 -1")
                                .splitlines()[1].split(",")[4] == str(left), "the clients have left")

        leave(10)
        assert not ready()
        leave(9)
        assert ready()


@pytest.mark.parametrize("by_agent", [True, False])
def test_clients_of_a_haproxy_that_has_just_started_wait_for_servers(by_agent, tmp_path):
    """by_agent: the agent says that the slots are filled; else two Services' servers are the sign."""
    with loopback.Balancer(tmp_path, "--set", "services[1].name=b,services[1].paths={/b}") as haproxy, \
            loopback.server("pod") as pod, contextlib.ExitStack() as stack:
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.append(websocket_status(haproxy))) for _ in range(28)]
        for thread in threads:
            thread.start()
        # The probes do not wait.
        began = time.monotonic()
        assert haproxy.get("/ready", port=haproxy.stat)[0] == 503 and time.monotonic() - began < 0.5
        stack.callback(lambda: [thread.join() for thread in threads])
        time.sleep(0.09)  # as long as slots were seen empty
        haproxy.fill("pod1", pod)
        if by_agent:
            haproxy.synced()
        else:
            haproxy.fill("pod1", pod, backend="b")
        # And from now on nobody waits.
        began = time.monotonic()
        assert websocket_status(haproxy) == 101 and time.monotonic() - began < 0.5
        for thread in threads:
            thread.join(loopback.DEADLINE_S)
        assert statuses == [101] * 28


def test_an_outage_of_the_application_makes_nobody_wait(tmp_path):
    with loopback.Balancer(tmp_path) as haproxy:
        haproxy.synced()
        began = time.monotonic()
        assert websocket_status(haproxy) == 503 and time.monotonic() - began < 0.5


def test_clients_wait_no_longer_than_told(tmp_path):
    with loopback.Balancer(tmp_path, "--set", "haproxy.waitForServers=300ms") as haproxy:
        began = time.monotonic()
        assert websocket_status(haproxy) == 503
        # HAProxy looks at its clock once for all that has happened, so that a wait may seem some ms shorter.
        assert 0.29 <= time.monotonic() - began < 2


def test_a_slow_client_that_sends_nothing_is_no_other_than_before(tmp_path):
    with loopback.Balancer(tmp_path, "--set", "haproxy.timeouts.httpRequest=500ms") as haproxy, \
            socket.create_connection(("127.0.0.1", haproxy.http), loopback.DEADLINE_S) as link:
        assert b"408" in link.recv(4096)
