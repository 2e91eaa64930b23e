# SPDX-License-Identifier: MIT
"""However many read the reports, they cost the agent a part of a core at most."""
import contextlib
import gzip
import json
import pathlib
import subprocess
import sys
import time
import urllib.request

import pytest

from balancer import Agent, HAProxy
from manypods import ManyPods, PodsApart
from program import until

N_PODS, READERS, SECONDS = 2000, 8, 10

# A reader is a program of its own: in one with the pods, Python would let none of them run. It yields to
# all that is measured, as readers elsewhere would.
READER = """
import http.client, itertools, os, sys, time
os.nice(19)
host, encoding, paths = sys.argv[1], sys.argv[2], sys.argv[3:]
seen, end, connection = {}, time.monotonic() + %d, http.client.HTTPConnection(host, timeout=30)
for path in itertools.cycle(paths):
    if time.monotonic() > end:
        break
    connection.request("GET", path, headers={"Accept-Encoding": encoding})
    answer = connection.getresponse()
    while answer.read(1 << 20):
        pass
    seen[answer.status] = seen.get(answer.status, 0) + 1
print(seen)
""" % SECONDS


def read_all(agent, paths, encoding="identity"):
    """{status: how often} of readers that ask all the time; paths(i) are the i-th one's."""
    readers = [subprocess.Popen([sys.executable, "-c", READER, agent.http, encoding, *paths(i)],
                                stdout=subprocess.PIPE, text=True) for i in range(READERS)]
    total = {}
    for reader in readers:
        said = reader.communicate(timeout=SECONDS + 60)[0]
        assert reader.returncode == 0, said
        for status, n in eval(said).items():
            total[status] = total.get(status, 0) + n
    return total


def counts(agent):
    """From the text itself, so that looking costs next to nothing."""
    names = ("wsbalancer_rounds_total", "wsbalancer_polls_total")
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
            for line in agent.get("/metrics", timeout=30)[1].splitlines() if line.startswith(names)}


def stolen_s(pid):
    """How long a process has waited for a processor so far."""
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def measure(parts, paths, encoding="identity"):
    """What a second with readers is like."""
    agent = parts["agent"]
    before = counts(agent)
    began, cpu_s = time.monotonic(), agent.cpu_s()
    waited_s = {name: stolen_s(part.pid) for name, part in parts.items()}
    statuses = read_all(agent, paths, encoding)
    time.sleep(1.1)  # a second with room for the report that tells of it
    passed_s = time.monotonic() - began
    after = counts(agent)
    grown = {name: after[name] - before[name] for name in after}
    return {
        "rounds": grown["wsbalancer_rounds_total"] / passed_s,
        "polled": grown['wsbalancer_polls_total{result="ok"}'] / passed_s / N_PODS,
        "cpu": (agent.cpu_s() - cpu_s) / passed_s,
        "stolen": max((stolen_s(part.pid) - waited_s[name]) / passed_s for name, part in parts.items()),
        "statuses": statuses,
    }


@contextlib.contextmanager
def stage():
    with PodsApart(N_PODS) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy, variant="release", pollInterval="1s", pollTimeout="900ms") as agent:
        agent.wait_ready()
        until(lambda: counts(agent)["wsbalancer_rounds_total"] > 5, "some rounds", 60)
        yield {"agent": agent, "pods": pods, "haproxy": haproxy}


def measure_calmly(paths, encoding="identity"):
    """Once more where others had the machine: that agent and pods get no processor is no reader's doing."""
    with stage() as parts:
        for _ in range(3):
            seen = measure(parts, paths, encoding)
            if seen["stolen"] < 0.3:
                break
        return seen


@pytest.mark.alone
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_rounds_go_on_however_many_read_the_reports(encoding):
    all_paths = ["/balancer-metrics?format=json", "/metrics", "/balancer-metrics"]
    seen = measure_calmly(lambda i: all_paths[i % 3:] + all_paths[:i % 3], encoding)
    assert set(seen["statuses"]) == {200} and seen["statuses"][200] > 20, seen
    assert seen["rounds"] > 0.8 * (1 - seen["stolen"]), seen
    # Without a processor polls do time out.
    assert seen["polled"] > 0.8 or seen["stolen"] > 0.3, seen
    # Sending megabytes to all who want them takes the processor that there is; writing them does not.
    assert seen["cpu"] < 0.7 or encoding == "identity", seen


@pytest.mark.alone
def test_rounds_go_on_when_all_ask_for_different_reports():
    seen = measure_calmly(lambda i: [f"/balancer-metrics?refreshInterval={i * 300 + n}" for n in range(300)])
    assert set(seen["statuses"]) <= {200, 503} and seen["statuses"][200] > 20, seen
    assert seen["rounds"] > 0.8 * (1 - seen["stolen"]), seen
    assert seen["cpu"] < 0.8, seen


def fetch(agent, path, **headers):
    with urllib.request.urlopen(urllib.request.Request(f"http://{agent.http}{path}", headers=headers),
                                timeout=30) as answer:
        return answer.headers, answer.read()


@pytest.mark.parametrize("path", ["/balancer-metrics?format=json", "/metrics", "/balancer-metrics"])
def test_a_report_is_compressed_for_those_who_ask_for_it(path):
    with ManyPods(300) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy) as agent:
        agent.wait_ready()
        until(lambda: agent.json()["totals"]["pods_known"] == 300, "all to be heard", 60)
        headers, body = fetch(agent, path, **{"Accept-Encoding": "br;q=1, gzip;q=0.5"})
        plain_headers, plain = fetch(agent, path)
        assert headers["Content-Encoding"] == "gzip" and plain_headers["Content-Encoding"] is None
        assert headers["Content-Type"] == plain_headers["Content-Type"]
        whole = gzip.decompress(body).decode()
        assert len(body) < len(whole) / 5
        # Both are whole, whatever has changed from one to the other.
        assert whole[:20] == plain.decode()[:20] and whole[-8:] == plain.decode()[-8:]
        for text in (whole, plain.decode()):
            assert all(f"pod-{i}" in text for i in range(300))


def test_a_report_that_is_given_out_again_says_how_old_it_is():
    """At 2,000 pods one is kept for a while; its times are true however late it is read."""
    with PodsApart(N_PODS) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy, variant="release", pollInterval="1s", pollTimeout="900ms") as agent:
        agent.wait_ready()

        def again():
            first, second = (fetch(agent, "/balancer-metrics?format=json") for _ in range(2))
            return first[1] == second[1] and (first, second)

        (_, body), (headers, _) = until(again, "the same report twice")
        assert 0 <= float(headers["Report-Age"]) < 1.5
        report = json.loads(body)
        assert abs(time.time() - report["written_at"] - float(headers["Report-Age"])) < 1
        # HAProxy tells its age in whole seconds.
        assert report["haproxy"]["started_at"] <= report["haproxy"]["read_at"] <= report["written_at"]
        for pod in report["podMetrics"]["ws"]:
            assert pod["counted_at"] is None or pod["counted_at"] <= report["written_at"] + 1, pod


def test_a_report_is_of_this_moment_where_it_is_small():
    with ManyPods(3) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy, variant="release", pollInterval="100ms", pollTimeout="100ms") as agent:
        agent.wait_ready()
        for n in range(5):
            pods.answers[0] = {"agentsConnections": 500 + n}
            began = time.monotonic()
            until(lambda: agent.json()["podMetrics"]["ws"][0]["reported"] == 500 + n, "the count", 3)
            assert time.monotonic() - began < 0.5


def test_what_is_asked_for_is_what_is_answered():
    with ManyPods(300) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy) as agent:
        agent.wait_ready()
        until(lambda: agent.get("/balancer-metrics?format=json")[1].count('"podName":"pod-') == 300, "all to be heard")
        for _ in range(3):
            whole = agent.get("/balancer-metrics?format=json")[1]
            one = agent.get("/balancer-metrics?format=json&pod=pod-7")[1]
            none = agent.get("/balancer-metrics?format=json&service=x&pod=")[1]
            assert whole.count('"podName"') == 300 and one.count('"podName"') == 1
            assert none.count('"podName"') == 0
            assert agent.get("/metrics")[1].startswith("# HELP")
            assert agent.get("/metrics", accept="application/openmetrics-text")[1].rstrip().endswith("# EOF")
            assert agent.get("/balancer-metrics", accept="text/html")[1].startswith("<!")
