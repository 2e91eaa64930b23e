# SPDX-License-Identifier: MIT
"""The agent keeps HAProxy's slots equal to a Service's pods, whatever the API server does to it."""
import json
import signal
import socket
import time

import pytest
from balancer import Agent, HAProxy
from certificate import make_certificate
from fake_api import FakeApi, byte_by_byte, endpoint, plain, pretty_crlf
from field import Load, Pod
from ports import free_port
from program import until
from watcher import Watcher

# After a fault has ended: the longest delay between tries is 6 s.
SETTLED_S = 10.0
SLOTS = 6


class Lab:
    """Pods on loopback addresses of one port, HAProxy with slots, the fake API server and the agent."""

    def __init__(self, tmp_path, n_pods=4, slots=SLOTS, start=True, tls=None, tokens=None, **keys):
        self.port = free_port()
        # Any address of 127.0.0.0/8 is there; a real API server would refuse them.
        self.addresses = [f"127.0.1.{i + 1}" for i in range(n_pods)]
        self.pods = Pod(listen=[f"{address}:{self.port}" for address in self.addresses]) if n_pods else None
        servers = {f"pod{i + 1}": "127.0.0.1:1" for i in range(slots)} or {"spare": "127.0.0.1:1"}
        self.haproxy = HAProxy([], servers=servers, server="check inter 200ms weight 100 disabled" + (
            "" if slots else " backup"))
        self.api = FakeApi(tls=tls, tokens=tokens)
        self.api.__enter__()
        self.tmp_path = tmp_path
        api = {"server": self.api.url, "silence": "3s"} | keys.pop("api", {})
        self.agent = None
        self.keys = {"kubernetes": [{"service": "web", "namespace": "default", "backend": "ws",
                                     "serverOptions": "check inter 200ms"}], "kubernetesAPI": api} | keys
        if start:
            self.start()

    def start(self):
        self.agent = Agent(self.haproxy, **self.keys)

    def close(self, good):
        try:
            if self.agent:
                self.agent.__exit__(None if good else AssertionError, None, None)
        finally:
            for part in (self.haproxy, self.pods):
                if part:
                    part.__exit__(AssertionError, None, None)
            self.api.down()

    def ports(self, number=None):
        return [{"name": "ws", "port": number or self.port, "protocol": "TCP"}]

    def endpoints(self, *indexes, **conditions):
        return [endpoint(self.addresses[i], pod=f"web-{i}", node=f"node-{i % 2}", zone="z1", **conditions)
                for i in indexes]

    def set_ready(self, *indexes, name="web-1"):
        self.api.set_slice(name, self.endpoints(*indexes), ports=self.ports())

    def servers(self):
        """Name to address and administrative state, of what is not in maintenance."""
        rows = [line.split() for line in self.haproxy.cli("show servers state ws").splitlines()[2:] if line]
        return {row[3]: (row[4], {0: "ready", 8: "drain"}[int(row[6]) & 0x1b]) for row in rows
                if not int(row[6]) & 0x23}

    def states(self):
        """Address to state."""
        return dict(self.servers().values())

    def watched(self, *indexes):
        """While these pods must serve all the time."""
        return Watcher(self.states, [self.addresses[i] for i in indexes])

    def expect_error(self, text):
        """What the report says of the API."""
        until(lambda: [service["error"] for service in self.agent.json()["kubernetes"]] == [text], text)

    def expect(self, ready=(), drain=(), deadline_s=SETTLED_S):
        wanted = {self.addresses[i]: "ready" for i in ready} | {self.addresses[i]: "drain" for i in drain}

        def settled():
            assert self.agent is None or self.agent.running(), self.agent.err
            return self.states() == wanted

        try:
            until(settled, "slots", deadline_s)
        except AssertionError as error:
            raise AssertionError(f"slots are {self.states()}, not {wanted}\n" + "\n".join(self.agent.err[-20:])) from error


@pytest.fixture(name="lab")
def fixture_lab(tmp_path, request):
    """A function that makes labs, which end with the test."""
    labs = []

    def make(**keys):
        labs.append(Lab(tmp_path, **keys))
        return labs[-1]

    failures = request.session.testsfailed
    yield make
    for made in labs:
        made.close(request.session.testsfailed == failures)


def test_the_first_list_fills_slots_and_names_pods(lab):
    it = lab()
    it.api.set_slice("web-1", it.endpoints(0, 1), ports=it.ports())
    it.api.set_slice("web-2", it.endpoints(1, 2), ports=it.ports())
    it.api.set_slice("other-1", it.endpoints(3), service="other", ports=it.ports())
    it.expect(ready=(0, 1, 2))
    it.agent.wait_ready()

    def named():
        return {(pod["podName"], pod["nodeName"], pod["zone"], pod["pod_uid"], pod["podIP"])
                for pods in it.agent.json()["podMetrics"].values() for pod in pods
                if pod["address"].startswith("127.0.1.")}

    # HAProxy has them a moment before the agent reads them back.
    until(named, "pods in the slots")
    assert named() == {
        (f"web-{i}", f"node-{i % 2}", "z1", f"uid-web-{i}", it.addresses[i]) for i in range(3)}
    kind, query, headers = it.api.requests[0]
    assert kind == "list" and query == {"labelSelector": "kubernetes.io/service-name=web"}
    assert headers["User-Agent"].startswith("wsbalancer/") and "Authorization" not in headers
    kind, query, _ = it.api.requests[1]
    assert kind == "watch" and query["allowWatchBookmarks"] == "true"
    assert 300 <= int(query["timeoutSeconds"]) <= 600


@pytest.mark.parametrize("framing", [plain, byte_by_byte, pretty_crlf])
def test_each_event_is_seen_at_once_in_any_framing(lab, framing):
    it = lab()
    it.api.framing = framing
    it.set_ready(0, 1)
    it.expect(ready=(0, 1))
    until(lambda: it.api.watches, "the watch")
    began = time.monotonic()
    it.set_ready(0, 1, 2)
    it.expect(ready=(0, 1, 2))
    it.api.set_slice("web-1", it.endpoints(0, 1) + it.endpoints(2, ready=False, serving=True, terminating=True),
                     ports=it.ports())
    it.expect(ready=(0, 1), drain=(2,))
    it.set_ready(0, 1)
    it.expect(ready=(0, 1))
    assert time.monotonic() - began < 3
    assert it.api.count("watch") == 1 and it.api.count("list") == 1


def test_live_connections_outlive_their_pod_and_its_slot_is_not_given_away(lab):
    it = lab(slots=2, n_pods=4)
    it.set_ready(0)
    it.expect(ready=(0,))
    it.haproxy.wait_up(1)
    with Load(it.haproxy.url, connections=5, message_interval=0.1) as load:
        load.wait_standing()
        slot = next(name for name, row in it.haproxy.stat().items() if row["scur"] == "5")
        it.api.set_slice("web-1", it.endpoints(1) + it.endpoints(0, ready=False, serving=True, terminating=True),
                         ports=it.ports())
        it.expect(ready=(1,), drain=(0,))
        it.set_ready(1)
        it.expect(ready=(1,))
        # Slots are all taken: one by its pod, one by the connections. The next pods are added.
        it.set_ready(1, 2, 3)
        it.expect(ready=(1, 2, 3))
        assert it.haproxy.sessions()[slot] == 5
        assert {name for name in it.servers() if name.startswith("extra")} == {"extra1", "extra2"}
        it.haproxy.wait_up(3)
        report = load.stop()
    assert report["ok"], report
    # The slot is free now; added servers go when their pods do.
    it.set_ready(0, 1)
    it.expect(ready=(0, 1))
    until(lambda: set(it.haproxy.stat()) == {"pod1", "pod2"}, "added servers to be deleted")


def test_a_pod_that_takes_over_an_address_begins_as_new(lab):
    it = lab(slots=3)
    it.set_ready(0, 1)
    it.expect(ready=(0, 1))
    it.haproxy.wait_up(2)
    with Load(it.haproxy.url, connections=4, message_interval=0.1) as load:
        load.wait_standing()
        old = next(name for name, (address, _) in it.servers().items() if address == it.addresses[0])
        assert it.haproxy.sessions()[old] == 2
        it.api.set_slice("web-1", [endpoint(it.addresses[0], pod="web-9", uid="another")] + it.endpoints(1),
                         ports=it.ports())
        until(lambda: old not in it.servers(), "the old pod's slot to close")
        it.expect(ready=(0, 1))
        assert it.haproxy.sessions()[old] == 2
        assert load.stop()["ok"]


def test_the_last_pods_serve_while_they_end(lab):
    it = lab()
    it.set_ready(0, 1)
    it.expect(ready=(0, 1))
    with it.watched(0, 1):
        it.api.set_slice("web-1", it.endpoints(0, 1, ready=False, serving=True, terminating=True),
                         ports=it.ports())
        time.sleep(0.5)  # nothing is to happen
    it.api.set_slice("web-1", [], ports=[])
    it.expect()
    it.set_ready(2)
    it.expect(ready=(2,))


BIG = b'{"type":"MODIFIED","object":{"metadata":{"name":"' + b"x" * (9 * 1024 * 1024) + b'"}}}'


@pytest.mark.parametrize("faults", [
    [{"kind": "http", "code": 500}], [{"kind": "http", "code": 429, "retry_after": 2}],
    [{"kind": "http", "code": 403}], [{"kind": "http", "code": 404}], [{"kind": "http", "code": 302}],
    [{"kind": "half"}], [{"kind": "rst"}], [{"kind": "slow", "seconds": 1}],
    [{"kind": "body", "body": b""}], [{"kind": "body", "body": b"<html>no</html>"}],
    [{"kind": "body", "body": b"{}"}], [{"kind": "body", "body": b"null"}],
    [{"kind": "body", "body": b'{"metadata":{"resourceVersion":"1"},"items":[{"metadata":null}]}'}],
    [{"kind": "body", "body": b'{"metadata":{"resourceVersion":"1"},"items":[]}{}'}],
    [{"kind": "body", "body": b"[" * 100000}], [{"kind": "huge", "bytes": 65 * 1024 * 1024}],
    [{"kind": "body", "body": bytes(range(256)) * 64}],
    [{"kind": "http", "code": 503}] * 3,
], ids=lambda faults: f"{faults[0].get('code', faults[0]['kind'])}-{len(faults)}")
def test_a_list_that_fails_changes_nothing_and_the_next_good_one_does(lab, faults):
    it = lab()
    it.set_ready(0, 1)
    it.expect(ready=(0, 1))
    until(lambda: it.api.watches, "the watch")
    with it.watched(0):
        lists = it.api.count("list")
        it.api.list_faults.extend(faults)
        it.api.change_unseen("web-1", it.endpoints(0, 2))
        it.api.end_watches("rst")
        until(lambda: it.api.count("list") > lists + len(faults), "the faults, and the list after them", 60)
        it.expect(ready=(0, 2))
    it.set_ready(0, 3)
    it.expect(ready=(0, 3))


WATCH_FAULTS = [
    {"kind": "clean"}, {"kind": "fin"}, {"kind": "rst"}, {"kind": "stall", "seconds": 60},
    *({"kind": "http", "code": code} for code in (400, 401, 403, 410, 422, 429, 500, 504)),
    {"kind": "raw", "bytes": b'{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}'},
    {"kind": "raw", "bytes": b'{"type":"ERROR","object":{"kind":"Status","code":500}}'},
    {"kind": "raw", "bytes": b'{"type":"ERROR","object":null}'},
    {"kind": "raw", "bytes": b'{"type":"ADDED","object":{"metadata":{"resourceVersion":"9"}}}'},
    {"kind": "raw", "bytes": b"garbage\n"}, {"kind": "raw", "bytes": b'{"type":'},
    {"kind": "raw", "bytes": b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"' + b"9" * 300 + b'"}}}'},
    {"kind": "raw", "bytes": BIG},
]


@pytest.mark.parametrize("fault, times", [(fault, 3 if n < 4 else 1) for n, fault in enumerate(WATCH_FAULTS)],
                         ids=[f"{fault['kind']}-{fault.get('code', '')}{n}" for n, fault in enumerate(WATCH_FAULTS)])
def test_a_watch_that_fails_loses_no_pod_and_no_change(lab, fault, times):
    it = lab()
    it.set_ready(0, 1)
    it.expect(ready=(0, 1))
    until(lambda: it.api.watches, "the watch")
    with it.watched(0):
        watches = it.api.count("watch")
        it.api.watch_faults.extend([fault] * times)
        it.api.end_watches("clean")
        until(lambda: it.api.count("watch") > watches, "the fault")
        it.set_ready(0, 2)
        it.expect(ready=(0, 2), deadline_s=SETTLED_S + 4 * times)
        until(lambda: not it.api.watch_faults and it.api.watches, "a good watch", 40)
        it.set_ready(0, 3)
        it.expect(ready=(0, 3))


@pytest.mark.parametrize("how", ["clean", "fin", "rst", "half"])
def test_a_running_watch_may_end_in_any_way(lab, how):
    it = lab()
    it.set_ready(0, 1)
    it.expect(ready=(0, 1))
    for changed in (2, 3, 1):
        until(lambda: it.api.watches, "the watch")
        with it.watched(0):
            watches = it.api.count("watch") + it.api.count("list")
            it.api.end_watches(how)
            until(lambda: it.api.count("watch") + it.api.count("list") > watches, "another request")
            it.set_ready(0, changed)
            it.expect(ready=(0, changed))


@pytest.mark.parametrize("event", [
    {"type": "RENAMED", "object": {"metadata": {"name": "web-1"}}},
    {"type": "MODIFIED", "object": {"addressType": "FQDN", "metadata": {"name": "f"}, "endpoints": [
        {"addresses": ["pod.example"]}], "ports": [{"port": 1}]}},
    {"type": "ADDED", "object": {"addressType": "IPv4", "metadata": {"name": "n"}, "endpoints": None, "ports": None}},
    {"type": "ADDED", "object": {"addressType": "IPv4", "metadata": {"name": "n"}, "endpoints": [None, 7, {}, {
        "addresses": None}, {"addresses": ["300.1.1.1"]}], "ports": [{"port": 1}]}},
    {"type": "ADDED", "object": {"addressType": "IPv4", "metadata": {"name": "n"}, "endpoints": [{
        "addresses": ["127.0.9.9"]}], "ports": [{"name": "ws"}, {"port": None}, {"port": 99999}]}},
    {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "150"}, "endpoints": None}},
], ids=lambda event: event["type"])
def test_an_event_without_use_changes_nothing_and_ends_nothing(lab, event):
    it = lab()
    it.set_ready(0, 1)
    it.expect(ready=(0, 1))
    until(lambda: it.api.watches, "the watch")
    with it.watched(0, 1):
        it.api.send_raw(json.dumps(event).encode())
        it.api.set_slice("web-2", it.endpoints(2), ports=it.ports())
        it.expect(ready=(0, 1, 2))
    assert it.api.count("watch") == 1


def test_a_forgotten_version_is_followed_by_a_list(lab):
    it = lab()
    it.set_ready(0, 1)
    it.expect(ready=(0, 1))
    until(lambda: it.api.watches, "the watch")
    it.api.change_unseen("web-1", it.endpoints(0, 2))
    it.api.forget()
    it.api.end_watches("clean")
    it.expect(ready=(0, 2), deadline_s=4)


def test_silence_is_followed_by_a_list(lab):
    """An API server restored from a backup has not reached the agent's version and says nothing."""
    it = lab()
    it.set_ready(0, 1)
    it.expect(ready=(0, 1))
    until(lambda: it.api.watches, "the watch")
    with it.watched(0):
        it.api.change_unseen("web-1", it.endpoints(0, 2))
        it.expect(ready=(0, 2), deadline_s=6)


def test_an_api_server_that_hangs_is_noticed_within_45_seconds(lab):
    """It takes connections and answers nothing; the watch that stands looks like one at which nothing changes."""
    it = lab(api={"silence": "4m"})
    it.set_ready(0, 1)
    it.expect(ready=(0, 1))
    until(lambda: it.api.watches, "the watch")
    lists = it.api.count("list")
    # While it answers, nothing else is asked than whether it does.
    until(lambda: it.api.count("probe") >= 1, "a question", 15)
    assert (it.api.count("list"), it.api.count("watch")) == (lists, 1)
    with it.watched(0, 1):
        began = time.monotonic()
        it.api.frozen.set()
        until(lambda: any("the API server does not answer any more" in line for line in it.agent.err), "the log", 45)
        until(lambda: 'wsbalancer_kubernetes_watching{namespace="default",service="web",proxy="ws"} 0' in
              it.agent.get("/metrics")[1], "the series", 45 - (time.monotonic() - began))
        it.api.set_slice("web-1", it.endpoints(0, 1, 2), ports=it.ports())
        it.api.frozen.clear()
        # A list that was asked for while it hung may take its ten seconds yet.
        it.expect(ready=(0, 1, 2), deadline_s=SETTLED_S + 10)


def test_bookmarks_are_no_silence(lab):
    it = lab()
    it.set_ready(0)
    it.expect(ready=(0,))
    until(lambda: it.api.watches, "the watch")
    began = time.monotonic()
    while time.monotonic() < began + 4:  # the silence that is none is 3 s
        it.api.bookmark()
        time.sleep(0.2)
    assert it.api.count("list") == 1 and it.api.count("watch") == 1


def test_an_api_server_that_is_away_changes_nothing_even_over_a_reload(lab):
    it = lab()
    it.set_ready(0, 1)
    it.expect(ready=(0, 1))
    it.api.down()
    with it.watched(0, 1):
        it.agent.wait_log("the Kubernetes API fails")
        time.sleep(1)
    it.haproxy.reload()
    it.expect(ready=(0, 1), deadline_s=2)
    it.api.change_unseen("web-1", it.endpoints(0, 2))
    it.api.up()
    it.expect(ready=(0, 2))


@pytest.mark.parametrize("may", [False, True])
def test_a_wrong_port_is_explained_by_the_service_where_it_may_be_read(lab, may):
    it = lab(start=False)
    it.keys["kubernetes"][0]["service"] = "web:80"
    it.set_ready(0, 1)
    if may:
        it.api.services["web"] = {"kind": "Service", "spec": {"ports": [{"name": "ws", "port": 80}]}}
    it.start()
    until(lambda: it.api.count("service"), "the Service to be asked for")
    words = f"Service web has no port 80: its pods listen on ws:{it.port}"
    words += " (80 is the Service's own port, named ws)" if may else ""
    until(lambda: it.agent.json()["kubernetes"][0]["ports"] == words, words)
    assert words in it.agent.get("/readyz")[1]
    # Once, and for the words alone.
    assert it.api.count("service") == 1 and it.states() == {}


def test_an_agent_that_restarts_while_the_api_is_away_takes_what_haproxy_had(lab):
    it = lab()
    it.set_ready(0, 1, 2)
    it.expect(ready=(0, 1, 2))
    it.api.set_slice("web-1", it.endpoints(0, 1) + it.endpoints(2, ready=False, serving=True, terminating=True),
                     ports=it.ports())
    it.expect(ready=(0, 1), drain=(2,))
    it.api.down()
    it.agent.stop()
    it.start()
    line = it.agent.wait_log("Kubernetes does not tell of the pods: HAProxy's servers stay as they were")
    assert " warn " in line and "servers=3" in line
    it.expect(ready=(0, 1), drain=(2,), deadline_s=1)
    # What cannot be seen is not hidden: no new pod would be found.
    code, words = it.agent.get("/readyz")
    assert code == 503 and "default/web" in words and "its 3 servers stay as they were" in words, words
    kube, = it.agent.json()["kubernetes"]
    assert (kube["servers_taken_over"], kube["listed"]) == (3, False)
    # Weights are by polls, as ever.
    until(lambda: sum(pod["known"] for pod in it.agent.json()["podMetrics"]["ws"]) >= 2, "counts")
    it.haproxy.reload()
    it.expect(ready=(0, 1), deadline_s=3)
    until(lambda: "<1>" in it.haproxy.cli("get var proc.synced"), "the new process to be ready for clients")
    it.haproxy.stop()
    it.haproxy.start_again()
    it.expect(ready=(0, 1), deadline_s=3)
    it.api.change_unseen("web-1", it.endpoints(0, 3))
    it.api.up()
    it.expect(ready=(0, 3))
    it.agent.wait_log("Kubernetes tells of the pods")
    it.agent.wait_ready()
    assert it.agent.json()["kubernetes"][0]["servers_taken_over"] == 0


def test_an_agent_that_starts_beside_empty_slots_while_the_api_is_away_takes_nothing(lab):
    it = lab(start=False)
    it.api.down()
    it.start()
    it.agent.wait_log("the Kubernetes API fails")
    until(lambda: it.agent.json()["haproxy"]["reached"], "HAProxy")
    until(lambda: "has not told the endpoints" in it.agent.get("/readyz")[1], "the reason")
    assert "servers stay" not in it.agent.get("/readyz")[1] and it.states() == {}
    assert "<1>" not in it.haproxy.cli("get var proc.synced")
    it.set_ready(0)
    it.api.up()
    it.expect(ready=(0,))


# No round comes by itself within any test's time.
SELDOM = {"pollInterval": "60s", "pollTimeout": "1s", "cacheTTL": "120s"}


def test_a_haproxy_that_reloads_or_starts_again_is_filled_long_before_the_next_round(lab):
    it = lab(slots=2, **SELDOM)
    it.set_ready(0, 1, 2)
    it.expect(ready=(0, 1, 2))
    for _ in range(3):
        it.haproxy.reload()
        it.expect(ready=(0, 1, 2), deadline_s=2)
    it.haproxy.stop()
    it.haproxy.start_again()
    it.expect(ready=(0, 1, 2), deadline_s=2)


def test_a_haproxy_that_starts_after_the_agent_is_filled_at_once(lab):
    it = lab(start=False, **SELDOM)
    it.set_ready(0, 1)
    it.haproxy.stop()
    it.start()
    it.agent.wait_log("HAProxy does not answer")
    until(lambda: it.api.watches, "the watch")
    it.haproxy.start_again()
    it.expect(ready=(0, 1), deadline_s=2)


def commands_a_second(haproxy):
    """How many others gave HAProxy in a second or so."""
    first, began = int(haproxy.info()["CumReq"]), time.monotonic()
    time.sleep(1)  # this is what is measured
    n = int(haproxy.info()["CumReq"]) - first - 1
    return n / (time.monotonic() - began)


def test_only_where_slots_are_filled_is_haproxy_asked_between_rounds(lab):
    it = lab(**SELDOM)
    it.set_ready(0)
    it.expect(ready=(0,))
    it.agent.wait_ready()
    assert 5 <= commands_a_second(it.haproxy) <= 15
    it.agent.config.pop("kubernetes")
    it.agent.config.pop("kubernetesAPI")
    it.agent.write()
    it.agent.signal(signal.SIGHUP)
    it.agent.wait_log("configuration read again")
    until(lambda: commands_a_second(it.haproxy) == 0, "HAProxy to be left alone")


def test_what_somebody_else_does_to_slots_is_undone(lab):
    it = lab()
    it.set_ready(0, 1)
    it.expect(ready=(0, 1))
    first, second = sorted(it.servers())
    it.haproxy.cli(f"set server ws/{first} state maint;set server ws/{second} addr 127.0.9.9 port 1")
    it.expect(ready=(0, 1), deadline_s=3)


def certificate(folder, name):
    key, cert = folder / f"{name}.key", folder / f"{name}.crt"
    make_certificate(cert, key, name, "IP:127.0.0.1")
    return cert, key


def test_a_token_is_read_again_when_it_is_renewed(lab, tmp_path):
    cert, key = certificate(tmp_path, "api")
    token = tmp_path / "token"
    token.write_text("first\n")
    it = lab(tls=(cert, key), tokens={"first"}, api={"tokenFile": str(token), "caFile": str(cert)})
    it.set_ready(0, 1)
    it.expect(ready=(0, 1))
    with it.watched(0, 1):
        it.api.tokens = {"second"}
        it.api.end_watches("clean")
        it.agent.wait_log("HTTP 401")
        for text, why in ("", "is empty"), ("two\nlines\n", "is not one word"):
            token.write_text(text)
            it.expect_error(f"{token}: {why}")
        token.unlink()
        it.expect_error(f"{token}: No such file or directory")
        token.mkdir()
        it.expect_error(f"{token}: Is a directory")
        token.rmdir()
    token.write_text("second\n")
    it.api.set_slice("web-1", it.endpoints(0, 2), ports=it.ports())
    it.expect(ready=(0, 2))
    token.unlink()
    it.set_ready(0, 3)
    it.expect(ready=(0, 3))


def test_a_certificate_of_a_strange_authority_is_refused(lab, tmp_path):
    cert, key = certificate(tmp_path, "api")
    other, _ = certificate(tmp_path, "other")
    token, authority = tmp_path / "token", tmp_path / "ca.crt"
    token.write_text("secret")
    authority.write_bytes(other.read_bytes())
    it = lab(tls=(cert, key), tokens={"secret"}, api={"tokenFile": str(token), "caFile": str(authority)})
    it.set_ready(0)
    it.agent.wait_log("certificate")
    assert it.api.requests == [] and it.states() == {}
    authority.write_text("")
    it.expect_error(f"{authority}: is empty")
    authority.unlink()
    it.expect_error(f"{authority}: No such file or directory")
    assert it.api.requests == [] and it.states() == {}
    authority.write_bytes(cert.read_bytes())
    it.expect(ready=(0,))


def test_a_token_is_not_sent_without_tls(lab, tmp_path):
    token = tmp_path / "token"
    token.write_text("secret")
    it = lab(api={"tokenFile": str(token)})
    it.set_ready(0)
    it.expect(ready=(0,))
    assert not any("Authorization" in headers for _, _, headers in it.api.requests)


def test_a_thousand_endpoints_in_many_slices(lab):
    it = lab(n_pods=0, slots=200, pollInterval="2s", pollTimeout="1s")
    it.addresses = [f"127.0.{10 + i // 250}.{i % 250 + 1}" for i in range(1000)]
    quiet = socket.create_server(("127.0.0.1", 0))
    it.port = quiet.getsockname()[1]
    with quiet:
        for first in range(0, 1000, 100):
            it.set_ready(*range(first, first + 100), name=f"web-{first}")
        it.expect(ready=range(1000), deadline_s=20)
        it.haproxy.reload()
        it.expect(ready=range(1000), deadline_s=20)
        for first in range(100, 1000, 100):
            it.api.delete_slice(f"web-{first}")
        it.expect(ready=range(100), deadline_s=20)
        it.api.delete_slice("web-0")
        it.expect(deadline_s=20)
        until(lambda: len(it.haproxy.stat()) == 200, "added servers to be deleted")


def test_a_hundred_changes_a_second_end_in_the_truth(lab):
    it = lab()
    it.set_ready(0, 1)
    it.expect(ready=(0, 1))
    with it.watched(0):
        for step in range(300):
            it.set_ready(0, 1 + step % 3)
            time.sleep(0.01)
        it.set_ready(0, 3)
        it.expect(ready=(0, 3), deadline_s=3)
    assert it.api.count("list") == 1
