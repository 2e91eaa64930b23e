# SPDX-License-Identifier: MIT
"""Clients that stay briefly, workers that end with what they hold, plain requests beside WebSockets: the pods
are no more uneven than leastconn alone would have them."""
import contextlib
import http.client
import os
import signal
import statistics
import threading
import time

from balancer import Agent, HAProxy
from field import Load, Pod
from program import until


def mean_truths(pods, seconds):
    """Of each pod, over so long a time: what stands at one moment is chance where lives are short."""
    samples, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        samples.append(pods.truths())
        time.sleep(0.05)
    return [statistics.mean(counts) for counts in zip(*samples)]


def test_a_pod_that_another_door_fills_stands_no_higher_where_lives_are_short():
    with Pod(n=4) as pods, HAProxy(pods.addresses) as haproxy, \
            Load(pods.urls[0], connections=60, rate=1000, message_interval=60) as direct:
        haproxy.wait_up()
        direct.wait_standing()
        with Agent(haproxy) as agent, \
                Load(haproxy.url, connections=200, rate=200, lifetime=2, message_interval=60) as load:
            agent.wait_ready()
            # With as many coming as going nobody sees all of them at once.
            until(lambda: sum(pods.truths()) > 240, "nearly all to stand")
            until(lambda: pods.truths()[0] <= 1.15 * sum(pods.truths()) / 4, "the first to come down")
            counts = mean_truths(pods, 4)
    # leastconn would keep the first 60 above the others: 110 of 65.
    assert counts[0] <= 1.15 * sum(counts) / 4, counts
    assert max(counts) <= 1.15 * sum(counts) / 4, counts


def test_when_an_old_worker_ends_its_clients_are_spread_evenly():
    with Pod(n=4) as pods, HAProxy(pods.addresses, hard_stop="2s") as haproxy, Agent(haproxy) as agent:
        haproxy.wait_up()
        agent.wait_ready()
        with Load(haproxy.url, connections=200, rate=400, message_interval=60, reconnect_ms=700,
                  allow_dropped=200, progress=True) as load:
            load.wait_standing()
            agent.wait_rounds()
            haproxy.reload()

            def back():
                now = (load.progress() or [{"dropped": 0}])[-1]
                return now["dropped"] == 200 and now["open"] == 200

            until(back, "the old worker to end and its clients to be back")
            until(lambda: sum(pods.truths()) == 200, "the pods to have seen both")
            counts = pods.truths()
            report = load.stop()
    assert report["dropped"] == 200 and report["lost"] == 0, report
    # leastconn would have 50 on each.
    assert max(counts) <= 1.15 * 50, counts


def test_an_old_worker_that_ends_while_a_pod_fills_does_not_flood_it():
    with Pod(n=4) as pods, HAProxy(pods.addresses) as haproxy, contextlib.ExitStack() as late:
        haproxy.wait_up()
        haproxy.cli("set server ws/s4 state maint")
        with Load(haproxy.url, connections=300, rate=400, message_interval=60, reconnect_ms=700,
                  allow_dropped=300) as load:
            load.wait_standing()
            # Nearly all clients are back before the next plan of a second.
            with Agent(haproxy, pollInterval="1s") as agent:
                agent.wait_ready()
                old = int(haproxy.info()["Pid"])
                haproxy.reload()  # whose new worker knows nothing of maint
                # Where nobody comes no pod is favoured.
                late.enter_context(Load(haproxy.url, connections=1000, rate=10, message_interval=60))
                until(lambda: haproxy.weights()["s4"] > 4 * haproxy.weights()["s1"],
                      "the fourth to be favoured")
                os.kill(old, signal.SIGKILL)
                until(lambda: sum(pods.truths()) < 200, "the old worker to end")
                until(lambda: sum(pods.truths()) >= 300, "the clients to be back")
                counts = pods.truths()
                agent.wait_log("more comes than the plan was made for")
                assert agent.series()["wsbalancer_plans_overtaken_total"] >= 1
            report = load.stop()
    assert report["dropped"] == 300 and report["lost"] == 0, report
    # leastconn would have 75 on each; by the weights that stood the fourth would get nearly all.
    assert max(counts) <= 2 * sum(counts) / 4, counts


@contextlib.contextmanager
def plain_requests(port, clients=2):
    """As many as go, over kept connections; the number of those answered is in the list."""
    done, answered = threading.Event(), []

    def ask():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        while not done.is_set():
            try:
                connection.request("GET", "/health")
                answered.append(connection.getresponse().read())
            except (OSError, http.client.HTTPException):
                connection.close()  # the old worker of a reload hangs up

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield answered
    finally:
        done.set()
        for thread in threads:
            thread.join()


def test_plain_requests_do_not_hide_what_a_pod_lacks():
    with Pod(n=4) as pods, HAProxy(pods.addresses) as haproxy:
        haproxy.wait_up()
        haproxy.cli("set server ws/s4 state maint")
        with Agent(haproxy) as agent, plain_requests(haproxy.port) as answered:
            agent.wait_ready()
            with Load(haproxy.url, connections=240, rate=400, message_interval=60) as load:
                load.wait_standing()
                agent.wait_rounds()
                haproxy.reload()
                haproxy.cli("set server ws/s4 state ready")
                haproxy.wait_up()
                agent.wait_rounds()
                before = len(answered)
                # The new pod lacks 80; of 160 it is due 20 more.
                with Load(haproxy.url, connections=160, rate=80, message_interval=60) as more:
                    more.wait_standing()
                    counts = pods.truths()
                assert len(answered) > before + 200
    assert sum(counts) == 400, counts
    # leastconn would give each 40: 120, 120, 120, 40.
    assert max(counts) <= 1.12 * 100, counts
