# SPDX-License-Identifier: MIT
"""An agent that is kept from its work (a stolen processor, a frozen container) takes nobody for silent."""
import re
import signal
import threading
import time

from balancer import Agent, HAProxy
from manypods import ManyPods
from program import until

N_PODS, ANSWER_S, STOPS = 40, 0.06, 6


def polls(agent):
    return {name.split('"')[1]: n for name, n in agent.series().items()
            if name.startswith("wsbalancer_polls_total") and n}


def test_answers_that_came_in_time_count_however_late_the_agent_reads_them():
    with ManyPods(N_PODS) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy, variant="release", pollInterval="1s", pollTimeout="900ms") as agent:
        pods.delay_s = ANSWER_S  # so that there are always some on their way
        agent.wait_ready()
        until(lambda: polls(agent).get("ok", 0) > 2 * N_PODS, "some polls")
        before = polls(agent)
        for i in range(STOPS):
            # Polls go out in a tenth of a second before each round: somewhere in there.
            time.sleep(0.35 + 0.13 * i)
            agent.signal(signal.SIGSTOP)
            time.sleep(1.3)
            agent.signal(signal.SIGCONT)
        until(lambda: polls(agent)["ok"] > before["ok"] + 3 * N_PODS, "polls after that", 30)
        assert {name: n for name, n in polls(agent).items() if name != "ok"} == \
            {name: n for name, n in before.items() if name != "ok"}


def test_an_agent_that_is_kept_from_its_work_says_so():
    with ManyPods(N_PODS) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy, pollInterval="250ms", pollTimeout="200ms") as agent:
        agent.wait_ready()
        done = threading.Event()

        def read():
            while not done.is_set():
                agent.get("/balancer-metrics?format=json", timeout=10)

        def stopped():
            agent.signal(signal.SIGSTOP)
            time.sleep(0.15)
            agent.signal(signal.SIGCONT)
            return [line for line in agent.err if "was kept from its work" in line]

        # Readers keep it at work, or it would be stopped while it has nothing to do.
        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        try:
            line = until(stopped, "a word of it", pause_s=0.05)[0]
        finally:
            done.set()
            for reader in readers:
                reader.join()
        took, worked = (int(re.search(rf"{name}=(\d+)", line)[1]) for name in ("took_ms", "worked_ms"))
        assert took > 100 and worked < took / 2, line
        series = agent.series()
        assert series["wsbalancer_loop_busy_seconds_max"] < series["wsbalancer_loop_late_seconds_max"]
