# SPDX-License-Identifier: MIT
"""Dashboard and alerts on a real Prometheus that scrapes real agents and HAProxies.

Every fault has an agent and a HAProxy of its own, all at once. Time runs sixty times as fast as in
the rules: their minutes are seconds here.
"""
import contextlib
import json
import math
import os
import re
import resource
import signal
import socket
import subprocess
import threading

import pytest
import yaml

from balancer import Agent, HAProxy, make_dir
from certificate import make_certificate
from fake_api import FakeApi, endpoint
from field import Load, Pod
from manypods import ManyPods
from ports import free_port
from program import ROOT, until
from prometheus import Prometheus

FILES = ROOT / "k8s" / "chart" / "files"
LONGEST_S = 5

# The alerts that each fault is to bring, and no other.
FAULTS = {
    "healthy": set(),
    "haproxy_gone": {"WsbalancerHaproxyUnreachable"},
    "drained": set(),
    "polls_hang": {"WsbalancerNotReady"},
    "most_silent": {"WsbalancerFallback"},
    "one_silent": {"WsbalancerPodsSilent"},
    "liar": {"WsbalancerPodDisbelieved"},
    "lopsided": {"WsbalancerImbalance"},
    "no_rights": {"WsbalancerPushesFail"},
    "fight": {"WsbalancerWeightsFought"},
    "reloads": {"WsbalancerHaproxyReloads"},
    "bad_config": {"WsbalancerConfigRefused"},
    "dry_run": {"WsbalancerDryRun"},
    "few_files": {"WsbalancerFilesNearlyUsedUp"},
    "all_down": {"WsbalancerNoUsablePod"},
    "full": {"WsbalancerNearlyFull"},
    "refusing": {"WsbalancerClientsRefused"},
    "wrong_key": {"WsbalancerCertificateNotReloaded"},
    "kubernetes": set(),
    "api_gone": {"WsbalancerKubernetesUnwatched"},
    "few_slots": {"WsbalancerSlotsUsedUp"},
    # The cause, and the outage that it is.
    "misnamed": {"WsbalancerServiceMisnamed", "WsbalancerNoUsablePod"},
}


def seconds(text, most):
    """5m becomes 5s."""
    number, unit = re.fullmatch(r"(\d+)([smh])", text).groups()
    return f"{min(most, int(int(number) * {'s': 1, 'm': 60, 'h': 3600}[unit] / 60) or 1)}s"


def fast_rules(path):
    """The rules with minutes for seconds; no rule waits longer than LONGEST_S."""
    rules = yaml.safe_load((FILES / "alerts.yaml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = seconds(rule["for"], LONGEST_S)
            rule["expr"] = re.sub(r"\[(\w+)\]", lambda m: f"[{seconds(m[1], 60)}]", rule["expr"])
    path.write_text(yaml.safe_dump(rules))
    return path


class Scene(contextlib.ExitStack):
    """The parts that a fault needs, and threads that keep it up."""

    def __init__(self):
        super().__init__()
        self.targets = {}
        self.over = threading.Event()

    def start(self, name, pods=None, agent_options=(), level="admin", wait=True,
              server="weight 100", servers=None, more="", **keys):
        pods = pods or self.enter_context(ManyPods(5))
        stats = free_port()
        more += (f"frontend stats\n\tbind 127.0.0.1:{stats}\n"
                "\thttp-request use-service prometheus-exporter if { path /metrics }\n")
        addresses = pods if isinstance(pods, list) else pods.addresses
        haproxy = self.enter_context(
            HAProxy(addresses, server=server, servers=servers, more=more, level=level))
        agent = self.enter_context(Agent(haproxy, *agent_options, variant="release", **keys))
        self.targets[name] = [agent.http, f"127.0.0.1:{stats}"]
        if wait:
            agent.wait_ready()
        return pods, haproxy, agent

    def start_slots(self, name, slots, service="web", **keys):
        """An agent that fills slots with five pods from Kubernetes; the API server."""
        pods = self.enter_context(ManyPods(5))
        api = self.enter_context(FakeApi())
        api.set_slice("web-1", [endpoint(address.split(":")[0], pod=f"web-{i}", node="node-a")
                                for i, address in enumerate(pods.addresses)],
                      ports=[{"name": "ws", "port": pods.port, "protocol": "TCP"}])
        self.start(name, pods, server="weight 100 disabled",
                   servers={f"pod{i + 1}": "127.0.0.1:1" for i in range(slots)},
                   kubernetes=[{"service": service, "namespace": "default", "backend": "ws",
                                "serverOptions": ""}],
                   kubernetesAPI={"server": api.url}, **keys)
        return api

    def stop_after_drain(self, name):
        _, haproxy, agent = self.start(name, drainDelay="1h")
        hook = threading.Thread(target=agent.get, args=["/drain"], kwargs={"timeout": 600})
        hook.start()
        until(lambda: "<1>" in haproxy.cli("get var proc.stopping"), "HAProxy to be told")
        haproxy.stop()
        # The agent answers it when it stops.
        self.callback(hook.join)
        self.callback(agent.stop)

    def keep_doing(self, action, every_s):
        def run():
            while not self.over.wait(every_s):
                action()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.callback(thread.join)
        self.callback(self.over.set)


def silence(pods, n):
    for i in range(n):
        pods.answers[i] = b"gone"


def uneven(excess):
    """The first of some pods has so many connections more than the others."""
    return lambda i: {"agentsConnections": 100 + excess * (i == 0), "podName": f"pod-{i}"}


@pytest.fixture(scope="module")
def scene():
    """Every fault, begun."""
    with Scene() as s:
        s.start("healthy", agentCheck={"listen": f"127.0.0.1:{free_port()}"})
        s.start("haproxy_gone")[1].stop()
        s.stop_after_drain("drained")
        hanging = s.enter_context(ManyPods(3, lambda i: None))
        s.start("polls_hang", hanging, pollInterval="60s", pollTimeout="60s", cacheTTL="60s",
                wait=False)
        silence(s.start("most_silent", cacheTTL="1s")[0], 4)
        silence(s.start("one_silent", cacheTTL="1s")[0], 1)

        liar = s.enter_context(Pod("--lie", "0", variant="release"))
        honest = s.enter_context(Pod(n=2, variant="release"))
        _, haproxy, _ = s.start("liar", [liar.address, *honest.addresses])
        s.enter_context(Load(haproxy.url, connections=90, variant="release")).wait_standing()

        s.start("lopsided", s.enter_context(ManyPods(5, uneven(400))))
        s.start("no_rights", s.enter_context(ManyPods(5, uneven(5))), level="operator")

        _, haproxy, _ = s.start("fight", s.enter_context(ManyPods(5, uneven(5))))
        # Slower than the agent's rounds, so that it sees its own weights in between.
        s.keep_doing(lambda h=haproxy: h.cli(";".join(
            f"set server ws/s{i + 1} weight 77" for i in range(5))), 0.7)
        _, haproxy, _ = s.start("reloads")
        s.keep_doing(haproxy.reload, 0.3)

        _, _, agent = s.start("bad_config")
        agent.file.write_text("pollInterval: soon\n")
        s.keep_doing(lambda a=agent: a.signal(signal.SIGHUP), 1)
        s.start("dry_run", agent_options=["--dry-run"])
        _, _, agent = s.start("few_files")
        n = len(os.listdir(f"/proc/{agent.pid}/fd")) + 3
        resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, (n, n))

        _, haproxy, _ = s.start("all_down")
        for i in range(5):
            haproxy.cli(f"set server ws/s{i + 1} state maint")
        pod = s.enter_context(Pod(variant="release"))
        _, haproxy, _ = s.start("full", [pod.address])
        s.enter_context(Load(haproxy.url, connections=9, variant="release")).wait_standing()
        haproxy.cli("set maxconn global 10")
        # A client beyond the most, at once and again, as with the chart's haproxy.cfg.
        port = free_port()
        s.start("refusing", more=f"frontend clients\n\tbind 127.0.0.1:{port}\n\tdefault_backend ws\n"
                "\ttcp-request connection reject if { fe_conn gt 0 }\n")
        s.keep_doing(lambda: socket.create_connection(("127.0.0.1", port)).close(), 0.5)
        folder = make_dir()
        make_certificate(folder / "site.pem", folder / "site.pem.key", "ws.example.com")
        s.start("wrong_key", more=f"frontend tls\n\tbind 127.0.0.1:{free_port()} ssl crt {folder}/site.pem\n",
                config={"reloadCertificates": True})
        make_certificate(folder / "site.pem", folder / "other.key", "ws.example.com")
        s.start_slots("kubernetes", 8)
        s.start_slots("api_gone", 8).down()
        s.start_slots("few_slots", 3)
        # The Service's port where that of the pods is wanted.
        s.start_slots("misnamed", 8, service="web:80", wait=False)
        assert set(s.targets) == set(FAULTS)
        yield s


@pytest.fixture(scope="module")
def prometheus(scene, tmp_path_factory):
    rules = fast_rules(tmp_path_factory.mktemp("rules") / "alerts.yaml")
    with Prometheus(scene.targets, rules) as prometheus:
        yield prometheus


def firing(prometheus, window="1m"):
    """The alerts that have fired, by scenario."""
    found = {name: set() for name in FAULTS}
    for labels, _ in prometheus.query(
            f'count by (scenario, alertname) (max_over_time('
            f'ALERTS{{alertstate="firing"}}[{window}]))'):
        found.setdefault(labels.get("scenario"), set()).add(labels["alertname"])
    return found


def test_every_alert_has_a_fault_that_brings_it():
    rules = yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"]
    alerts = {rule["alert"] for group in rules for rule in group["rules"]}
    # These by promtool alone (test_alerts.py), and WsbalancerDown below.
    assert alerts == set.union(*FAULTS.values()) | {
        "WsbalancerDown", "WsbalancerCertificateEnds", "WsbalancerHaproxyCertificateEnds",
        "WsbalancerHaproxyCertificateEnded"}


def test_promtool_takes_the_rules():
    checked = subprocess.run(["promtool", "check", "rules", str(FILES / "alerts.yaml")],
                             capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_each_alert_fires_in_its_fault_and_no_other(prometheus):
    def all_there():
        found = firing(prometheus)
        return all(alerts <= found[name] for name, alerts in FAULTS.items())

    try:
        until(all_there, "the alerts", 60)
    except AssertionError as error:
        raise AssertionError(f"{error}: {firing(prometheus)}") from None
    # What needs longest to fire would have by now, had it a reason.
    until(lambda: prometheus.query("time() - min(min_over_time(timestamp(up)[5m:1s]))")[0][1] >
          3 * LONGEST_S, "the slowest alert")
    assert firing(prometheus, "5m") == FAULTS


def panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


DASHBOARD = json.loads((FILES / "dashboard.json").read_text())


def plain(expression):
    """The expression as Grafana sends it, with everything selected."""
    for name, value in (("$proxy", ".*"), ("$instance", ".*"), ("$__rate_interval", "10s"),
                        ("$__interval", "10s")):
        expression = expression.replace(name, value)
    assert "$_" not in expression
    return expression


@pytest.mark.parametrize("panel", panels(DASHBOARD), ids=lambda panel: panel["title"])
def test_each_panel_has_data(prometheus, panel):
    for target in panel["targets"]:
        expression = plain(target["expr"])
        until(lambda e=expression: any(not math.isnan(value)
                                       for _, value in prometheus.query(e)), expression)
        # What a legend names is there.
        names = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
        for labels, _ in prometheus.query(expression):
            assert names <= set(labels), (expression, labels)


def test_dashboards_variables_and_marks_have_data(prometheus):
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)",
                                         variable["query"]["query"]).groups()
            found = until(lambda m=metric: prometheus.query(m), metric)
            assert all(label in labels for labels, _ in found)
    for mark in DASHBOARD["annotations"]["list"]:
        until(lambda m=mark: prometheus.query(plain(m["expr"])), mark["name"])


def test_dashboards_panels_lie_side_by_side():
    taken = {}
    for panel in DASHBOARD["panels"]:
        grid = panel["gridPos"]
        assert grid["x"] + grid["w"] <= 24
        for x in range(grid["x"], grid["x"] + grid["w"]):
            for y in range(grid["y"], grid["y"] + grid["h"]):
                assert (x, y) not in taken, (panel["title"], taken[x, y])
                taken[x, y] = panel["title"]
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    for panel in panels(DASHBOARD):
        assert panel["datasource"]["uid"] == "${datasource}"
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"


def test_every_series_has_a_place_or_a_reason(prometheus):
    """Nothing is exported that neither dashboard nor alerts look at, but for what is listed."""
    used = json.dumps(DASHBOARD) + (FILES / "alerts.yaml").read_text()
    spare = {
        "wsbalancer_server_weight",  # for joins
        "wsbalancer_server_last_poll_success",
        "wsbalancer_backend_level_connections",
        "wsbalancer_backend_last_plan_timestamp_seconds",
        "wsbalancer_haproxy_last_success_timestamp_seconds",
        "wsbalancer_poll_interval_seconds",
        "wsbalancer_records_total",  # for those who record
        "wsbalancer_loop_turn_duration_seconds",  # for those who search what keeps the agent busy
        "wsbalancer_loop_late_seconds_max",
        "wsbalancer_loop_busy_seconds_max",
        "wsbalancer_http_connections",  # for those who search what keeps a probe out
        "wsbalancer_http_connections_dropped_total",
        "process_start_time_seconds",
        "process_virtual_memory_bytes",
    }

    def left_over():
        names = {labels["__name__"] for labels, _ in prometheus.query(
            '{__name__=~"wsbalancer_.*|process_.*"}')}
        families = {re.sub("_(bucket|count|sum)$", "", name) for name in names}
        return {name for name in families if name not in used}

    # Prometheus may have asked nobody yet.
    until(lambda: left_over() >= spare, "all series")
    assert left_over() == spare


def test_no_agent_at_all_is_told(tmp_path):
    with Prometheus({"nothing": ["127.0.0.1:1"]}, fast_rules(tmp_path / "rules.yaml")) as prometheus:
        until(lambda: prometheus.query('ALERTS{alertname="WsbalancerDown",alertstate="firing"}'),
              "WsbalancerDown")
