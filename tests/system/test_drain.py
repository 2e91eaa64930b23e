# SPDX-License-Identifier: MIT
"""/drain makes HAProxy unready at once, and is answered when the time for it is over."""
import threading
import time
import urllib.error
import urllib.request

import pytest
from balancer import Agent, HAProxy, free_port
from field import Load, Pod, until

READY = """
frontend stat
\tbind 127.0.0.1:{port}
\tmonitor-uri /ready
\tmonitor fail if {{ var(proc.stopping) -m int gt 0 }}
"""


def status(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_haproxy_turns_unready_at_once_and_still_takes_connections():
    port = free_port()
    with Pod(n=2) as pods, HAProxy(pods.addresses, more=READY.format(port=port)) as haproxy, \
            Agent(haproxy, drainDelay="2s") as agent:
        agent.wait_ready()
        haproxy.wait_up()
        assert status(port) == 200
        began, answers = time.monotonic(), []
        hooks = [threading.Thread(target=lambda: answers.append((agent.get("/drain", timeout=10), time.monotonic())))
                 for _ in range(3)]
        for hook in hooks:
            hook.start()
        until(lambda: status(port) == 503, "HAProxy to be unready")
        assert time.monotonic() - began < 1 and answers == []
        with Load(haproxy.url, connections=10, message_interval=0.1) as load:
            load.wait_standing()
            for hook in hooks:
                hook.join()
            assert load.stop()["ok"]
        assert [answer for answer, _ in answers] == [(200, "drained\n")] * 3
        assert all(1.9 < at - began < 4 for _, at in answers)
        assert agent.get("/drain") == (200, "drained\n")


def test_a_new_worker_is_told_and_without_a_stop_haproxy_is_ready_again():
    port = free_port()
    with Pod() as pod, HAProxy(pod.addresses, more=READY.format(port=port)) as haproxy, \
            Agent(haproxy, drainDelay="3s") as agent:
        agent.wait_ready()
        hook = threading.Thread(target=lambda: agent.get("/drain", timeout=10))
        hook.start()
        until(lambda: status(port) == 503, "HAProxy to be unready")
        haproxy.reload()
        until(lambda: status(port) == 503, "the new worker to be unready", 2)
        until(lambda: status(port) == 200, "HAProxy to be ready again", 8)
        agent.wait_log("no stop has followed the drain")
        hook.join()


def test_a_dry_run_answers_and_tells_haproxy_nothing():
    port = free_port()
    with Pod() as pod, HAProxy(pod.addresses, more=READY.format(port=port)) as haproxy, \
            Agent(haproxy, "--dry-run", drainDelay="200ms") as agent:
        agent.wait_ready()
        assert agent.get("/drain") == (200, "drained\n")
        assert status(port) == 200


def test_without_a_delay_there_is_no_drain():
    port = free_port()
    with Pod() as pod, HAProxy(pod.addresses, more=READY.format(port=port)) as haproxy, Agent(haproxy) as agent:
        agent.wait_ready()
        assert agent.get("/drain")[0] == 404
        assert status(port) == 200


@pytest.mark.parametrize("how", ["stop", "many"])
def test_the_agent_ends_well_while_requests_wait(how):
    with Pod() as pod, HAProxy(pod.addresses) as haproxy, Agent(haproxy, drainDelay="1h") as agent:
        agent.wait_ready()

        def ask():
            try:
                agent.get("/drain", timeout=5)
            except OSError:
                pass

        hooks = [threading.Thread(target=ask) for _ in range(1 if how == "stop" else 40)]
        for hook in hooks:
            hook.start()
        agent.wait_log("draining")
        assert agent.get("/healthz")[0] == 200
        agent.stop()
        for hook in hooks:
            hook.join()
