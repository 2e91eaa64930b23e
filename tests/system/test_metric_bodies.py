# SPDX-License-Identifier: MIT
"""What pods may answer at /metric: each bad answer is that pod's error with a reason, and no more."""
import socket
import threading

import pytest

from balancer import Agent, HAProxy
from field import Load, Pod
from program import until


class RawPod:
    """Answers every request with fixed bytes: for what no decent server would send."""

    def __init__(self, answer):
        self.answer = answer
        self.requests = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.server.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                try:
                    self.requests.append(connection.recv(65536))
                    connection.sendall(self.answer)
                except OSError:
                    pass

    def wait_left_alone(self, agent):
        """Until nothing comes in two rounds. On a busy machine connections of polls that were given up wait here."""
        def left_alone():
            n = len(self.requests)
            agent.wait_rounds(2)
            return len(self.requests) == n

        until(left_alone, "nobody to ask")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join()


def http(body, status="200 OK", headers=""):
    body = body if isinstance(body, bytes) else body.encode()
    return (f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
            f"{headers}\r\n").encode() + body


BAD = {
    "not_json": [http("agentsConnections: 5"), http(""), http('{"agentsConnections": 5'),
                 http('{"agentsConnections": 5} x'), http(b'{"agentsConnections": "\xff"}'),
                 http('{"agentsConnections": 5,}'), http('{"agentsConnections": 042}'),
                 http("{'agentsConnections': 5}"), http('{"agentsConnections": 5 /* five */}')],
    "duplicate_key": [http('{"agentsConnections": 5, "agentsConnections": 50}')],
    "no_key": [http("{}"), http('{"connections": 5}'), http("[5]"), http("5")],
    "not_a_count": [http('{"agentsConnections": %s}' % v) for v in (
        "-1", "2147483648", "99999999999999999999", '"5"', "true", "null", "5.5", "1e300", "[5]", "{}")],
    "redirect": [http("", "302 Found", "Location: http://127.0.0.1:1/\r\n")],
    "bad_status": [http('{"agentsConnections": 5}', s)
                   for s in ("404 Not Found", "204 No Content", "201 Created")],
    "too_large": [http('{"agentsConnections": 5, "x": "%s"}' % ("x" * 70000)),
                  b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b" " * 70000],
    "compressed": [http(b"\x1f\x8b\x08\0\0\0", headers="Content-Encoding: gzip\r\n")],
    "server_error": [http('{"agentsConnections": 5}', s) for s in ("500 Oops", "503 Not Now")],
    "not_http": [b"SSH-2.0-OpenSSH\r\n\r\n", b"-ERR unknown command\r\n"],
    "broken": [b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"],
}


@pytest.mark.parametrize("reason, answer", [(r, a) for r, answers in BAD.items() for a in answers],
                         ids=[f"{r}-{i}" for r, answers in BAD.items()
                              for i in range(len(answers))])
def test_a_bad_answer_is_refused_with_its_reason(reason, answer):
    with RawPod(answer) as bad, Pod(n=2) as good:
        addresses = [bad.address, *good.addresses]
        # Time enough for the answer, however busy the machine is.
        with HAProxy(addresses, server="weight 100") as haproxy, \
                Agent(haproxy, pollInterval="1s", pollTimeout="900ms") as agent:
            agent.wait_ready()
            assert f"result={reason}" in agent.wait_log("pod cannot be polled")
            report = agent.json()["podMetrics"]["ws"]
            assert report[0]["last_error"] and not report[0]["known"], report[0]
            assert report[1]["known"] and report[2]["known"]
            until(lambda: haproxy.is_level(names=["s2", "s3"]), "the good pods to be steered")
            assert haproxy.weights()["s1"] > 0


def test_a_pod_that_never_answers_is_timed_out_and_still_filled():
    with Pod("--no-metric") as mute, Pod(n=2) as good:
        with HAProxy([mute.address, *good.addresses]) as haproxy:
            haproxy.wait_up()
            with Agent(haproxy) as agent, Load(haproxy.url, connections=30, rate=100) as load:
                agent.wait_ready()
                assert "result=timed_out" in agent.wait_log("pod cannot be polled")
                load.wait_standing()
                assert 8 <= haproxy.sessions()["s1"] <= 12, haproxy.sessions()


def test_what_a_pod_leaves_unset_costs_nothing_and_what_is_odd_is_said_once():
    unset = http('{"agentsConnections": 5, "draining": null, "capacity": null}')
    odd = http('{"agentsConnections": 6, "draining": "yes", "capacity": 0}')
    with RawPod(unset) as one, RawPod(odd) as two:
        with HAProxy([one.address, two.address], server="weight 100") as haproxy:
            with Agent(haproxy, pollInterval="100ms", pollTimeout="90ms") as agent:
                agent.wait_ready()
                until(lambda: len(two.requests) > 5, "six polls")
                until(lambda: agent.json()["totalConnections"] == 11, "both counts")
                for said in ("draining is neither", "capacity is no number"):
                    agent.wait_log(said)
                    assert agent.logged(said) == 1


def test_a_liar_is_disbelieved_and_said_once():
    with Pod("--lie", "0") as liar, Pod(n=2) as good:
        with HAProxy([liar.address, *good.addresses]) as haproxy:
            haproxy.wait_up()
            with Load(haproxy.url, connections=90, rate=500) as load:
                load.wait_standing()
                with Agent(haproxy) as agent:
                    agent.wait_log("not believed")
                    with Load(haproxy.url, connections=90, rate=200) as more:
                        more.wait_standing()
                        assert 55 <= haproxy.sessions()["s1"] <= 65, haproxy.sessions()
                    assert agent.logged("not believed") == 1


def test_a_count_at_the_edge_is_taken():
    with RawPod(http('{"agentsConnections": 2147483647}')) as most, Pod(n=2) as good:
        with HAProxy([most.address, *good.addresses], server="weight 100") as haproxy:
            with Agent(haproxy) as agent:
                agent.wait_ready()
                until(lambda: haproxy.weights()["s1"] == 1, "the fullest pod's weight")
                assert agent.json()["totalConnections"] == 2147483647


def test_headers_go_with_each_poll_and_a_files_value_is_read_anew(tmp_path):
    token = tmp_path / "token"
    token.write_text("Bearer one\n")
    with RawPod(http('{"agentsConnections": 5}')) as pod:
        with HAProxy([pod.address], server="weight 100") as haproxy:
            headers = {"Authorization": {"file": str(token)}, "X-Plain": "yes"}
            with Agent(haproxy, metricHeaders=headers, metricPath="/m?x=1"):
                until(lambda: pod.requests, "a poll")
                first = pod.requests[0].decode()
                assert first.startswith("GET /m?x=1 HTTP/1.1\r\n"), first
                assert "\r\nAuthorization: Bearer one\r\n" in first
                assert "\r\nX-Plain: yes\r\n" in first
                token.write_text("Bearer two\n")
                until(lambda: b"\r\nAuthorization: Bearer two\r\n" in pod.requests[-1],
                      "the new token")


def test_a_nested_key_and_a_port_of_its_own_are_found():
    with RawPod(http('{"ws": {"open": 7}}')) as metric, Pod() as pod:
        with HAProxy([pod.address], server="weight 100") as haproxy:
            port = int(metric.address.rpartition(":")[2])
            with Agent(haproxy, metricKey="ws.open", metricPort=port) as agent:
                agent.wait_ready()
                until(lambda: agent.json()["totalConnections"] == 7, "the count")
