# SPDX-License-Identifier: MIT
"""What the chart makes of its scenarios: valid charts, restricted pods, least rights, probes that do no harm."""
import base64
import json
import re

import pytest
import tools
import yaml
from program import ROOT, run

SCENARIOS = list(tools.scenarios())


def every_pod(docs):
    for doc in docs:
        if doc["kind"] in ("Deployment", "DaemonSet"):
            yield doc["spec"]["template"]["spec"]
        elif doc["kind"] == "Pod":
            yield doc["spec"]


def every_container(pod):
    return pod.get("initContainers", []) + pod["containers"]


def test_lint_is_strict_and_silent_without_values():
    done = tools.helm("lint", "--strict", tools.CHART)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", SCENARIOS)
def test_lint_is_strict_and_silent(name):
    path = tools.scenarios()[name]
    done = tools.helm("lint", "--strict", tools.CHART, "-f", path, "--kube-version",
                      tools.scenario_kube_version(path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout and "ERROR" not in done.stdout


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_object_has_a_name_a_namespace_and_the_labels(name):
    for doc in tools.documents(tools.scenario(name)):
        if doc["metadata"]["name"].endswith("-extra"):
            continue
        labels = doc["metadata"]["labels"]
        assert doc["metadata"]["namespace"]
        assert labels["app.kubernetes.io/name"] == "wsbalancer"
        assert labels["app.kubernetes.io/instance"] == "wsb"
        assert all(value is not None for value in labels.values())


# What the nodes give away needs a namespace that is not restricted.
@pytest.mark.parametrize("name", [name for name in SCENARIOS if name not in ("daemonset", "hostnetwork")])
def test_pods_meet_the_restricted_standard(name):
    pods = list(every_pod(tools.documents(tools.scenario(name))))
    assert pods
    for pod in pods:
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True and context["runAsUser"] > 0
        assert context["seccompProfile"]["type"] == "RuntimeDefault"
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        assert all(set(v) & {"emptyDir", "configMap", "secret", "projected"} for v in pod.get("volumes", []))
        for container in every_container(pod):
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False
            assert own["readOnlyRootFilesystem"] is True
            assert own["capabilities"] == {"drop": ["ALL"]}
            assert own.get("runAsUser", 1) > 0
            assert all(port["containerPort"] >= 1024 and "hostPort" not in port for port in container.get("ports", []))


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_api_token_is_in_the_agent_alone_and_only_where_it_is_used(name):
    docs = tools.documents(tools.scenario(name))
    pod, haproxy, agent = tools.containers(docs)
    assert pod["automountServiceAccountToken"] is False
    tokens = {v["name"] for v in pod["volumes"]
              if any("serviceAccountToken" in s for s in v.get("projected", {}).get("sources", []))}
    watching = "kubernetes" in yaml.safe_load(tools.agent_yaml(docs))
    assert len(tokens) == (1 if watching else 0)
    assert tokens <= {m["name"] for m in agent["volumeMounts"]}
    assert not tokens & {m["name"] for m in haproxy["volumeMounts"]}


@pytest.mark.parametrize("name", SCENARIOS)
def test_rights_are_to_list_and_watch_endpointslices_in_the_named_namespaces(name):
    docs = tools.documents(tools.scenario(name))
    assert not {d["kind"] for d in docs} & {"ClusterRole", "ClusterRoleBinding"}
    roles = [d for d in docs if d["kind"] == "Role"]
    config = yaml.safe_load(tools.agent_yaml(docs))
    wanted = {"default"} | {k.get("namespace", "default") for k in config.get("kubernetes", [])}
    if name == "minimal-rights" or "kubernetes" not in config:
        wanted = set()
    assert {r["metadata"]["namespace"] for r in roles} == wanted
    bindings = [d for d in docs if d["kind"] == "RoleBinding"]
    assert {b["metadata"]["namespace"] for b in bindings} == wanted
    for role in roles:
        assert role["rules"] == [{"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"],
                                  "verbs": ["list", "watch"]}]
    for made in roles + bindings:
        # In a namespace of somebody else's, a release of this name in another namespace has a Role too.
        abroad = "" if made["metadata"]["namespace"] == "default" else ".default"
        assert made["metadata"]["name"] == "wsb-wsbalancer" + abroad
    for binding in bindings:
        assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role",
                                      "name": binding["metadata"]["name"]}
        assert [(s["name"], s["namespace"]) for s in binding["subjects"]] == [("wsb-wsbalancer", "default")]


@pytest.mark.parametrize("name", SCENARIOS)
def test_both_containers_share_the_socket_by_the_pods_group(name):
    docs = tools.documents(tools.scenario(name))
    pod, haproxy, agent = tools.containers(docs)
    group = pod["securityContext"]["fsGroup"]
    assert pod["securityContext"]["runAsGroup"] == group
    for container in haproxy, agent:
        assert [m["mountPath"] for m in container["volumeMounts"] if m["name"] == "run"] == ["/run/haproxy"]
    assert "stats socket unix@/run/haproxy/admin.sock mode 660 level admin" in tools.haproxy_cfg(docs)
    assert yaml.safe_load(tools.agent_yaml(docs))["haproxy"]["socket"] == "/run/haproxy/admin.sock"


@pytest.mark.parametrize("version, native", [("1.25.0", False), ("1.28.9", False), ("1.29.0", True),
                                             ("1.29.0-eks-1", True), ("1.33.0", True)])
def test_the_agent_is_a_native_sidecar_where_kubernetes_has_them(version, native):
    docs = tools.documents(tools.template("--set", "services[0].name=my-app", kube_version=version))
    pod, _, agent = tools.containers(docs)
    assert [c["name"] for c in pod.get("initContainers", [])] == (["wsbalancer"] if native else [])
    assert agent.get("restartPolicy") == ("Always" if native else None)
    # A plain container gets its SIGTERM with HAProxy's: its own hook keeps it for the drain.
    assert ("lifecycle" in agent) == (not native)


@pytest.mark.parametrize("want, version, native", [("true", "1.28.0", True), ("false", "1.33.0", False)])
def test_the_kind_of_sidecar_can_be_forced(want, version, native):
    for flag in "--set", "--set-string":
        docs = tools.documents(tools.template("--set", "services[0].name=my-app", flag,
                                              f"agent.nativeSidecar={want}", kube_version=version))
        assert bool(tools.containers(docs)[0].get("initContainers")) == native


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_agent_starts_before_haproxy_and_never_gates_readiness(name):
    _, haproxy, agent = tools.containers(tools.documents(tools.scenario(name)))
    assert agent["startupProbe"]["httpGet"]["path"] == "/startz"
    assert agent["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert "readinessProbe" not in agent
    assert haproxy["readinessProbe"]["httpGet"] == {"path": "/ready", "port": "stat"}
    assert haproxy["livenessProbe"]["httpGet"] == {"path": "/live", "port": "stat"}
    # The hook asks by a file of the folder that both containers have.
    hook = haproxy["lifecycle"]["preStop"]["exec"]["command"]
    assert hook[:2] == ["sh", "-c"]
    assert yaml.safe_load(tools.agent_yaml(tools.documents(tools.scenario(name))))["drainFile"] in hook[2]


@pytest.mark.parametrize("grace, drain, over, told, hard", [
    (360, 15, "", 335, 5), (60, 5, "", 45, 5), (26, 15, "", 1, 5), (360, 15, 0, 0, 340), (360, 15, 60, 60, 280)])
def test_the_grace_period_covers_drain_closing_and_soft_stop(grace, drain, over, told, hard):
    docs = tools.documents(tools.template("--set", "services[0].name=my-app", "--set",
                                          f"terminationGracePeriodSeconds={grace},agent.drainDelay={drain},agent.closeOver={over}"))
    pod, haproxy, _ = tools.containers(docs)
    assert yaml.safe_load(tools.agent_yaml(docs))["closeOver"] == f"{told}s"
    # Should the agent be gone, the hook waits a little longer than it would.
    assert f" -lt {drain + told + 5} " in haproxy["lifecycle"]["preStop"]["exec"]["command"][2]
    assert pod["terminationGracePeriodSeconds"] == grace
    assert f"hard-stop-after {hard}s" in tools.haproxy_cfg(docs)
    assert yaml.safe_load(tools.agent_yaml(docs))["drainDelay"] == f"{drain}s"


def test_images_are_pinned_by_digest():
    _, haproxy, agent = tools.containers(tools.documents(tools.scenario("haproxytech")))
    assert haproxy["image"] == "docker.io/haproxytech/haproxy-alpine:3.2@sha256:" + "0123456789abcdef" * 4
    assert agent["image"] == ("registry.example.com/realtime/wsbalancer:0.1.0@sha256:"
                              + "fedcba9876543210" * 4)


def test_an_upgrade_of_the_chart_alone_replaces_no_pod(tmp_path):
    """Pods are replaced when what they run changes, not when the chart's number does."""
    def pod_template(chart):
        done = tools.helm("template", "wsb", chart, "--set", "services[0].name=my-app", "--kube-version", "1.33.0")
        assert done.returncode == 0, done.stderr
        return tools.one(tools.documents(done.stdout), "Deployment")["spec"]["template"]

    copy = tmp_path / "wsbalancer"
    run("cp", "-r", tools.CHART, copy)
    chart = copy / "Chart.yaml"
    chart.write_text(re.sub(r"(?m)^version: .*", "version: 9.9.9", chart.read_text()))
    assert pod_template(copy) == pod_template(tools.CHART)
    values = copy / "values.yaml"
    values.write_text(values.read_text().replace("tunnel: 1h", "tunnel: 2h"))
    changed = pod_template(copy)["metadata"]["annotations"]
    before = pod_template(tools.CHART)["metadata"]["annotations"]
    assert changed["checksum/haproxy"] != before["checksum/haproxy"]
    assert changed["checksum/agent"] == before["checksum/agent"]


def test_replicas_are_left_to_the_autoscaler():
    for name in "hpa", "keda":
        assert "replicas" not in tools.one(tools.documents(tools.scenario(name)), "Deployment")["spec"]
    assert tools.one(tools.documents(tools.scenario("default")), "Deployment")["spec"]["replicas"] == 2


def test_keda_alone_has_a_trigger_on_connections():
    trigger, = tools.one(tools.documents(tools.scenario("keda")), "ScaledObject")["spec"]["triggers"]
    assert trigger["type"] == "metrics-api"
    assert trigger["metadata"]["url"] == "http://wsb-wsbalancer-metrics.default.svc.cluster.local:8404/metrics?no-maint"
    assert trigger["metadata"]["valueLocation"] == "haproxy_process_current_connections"
    assert trigger["metadata"]["targetValue"] == "6000"


@pytest.mark.parametrize("name, there", [("default", True), ("hpa", True), ("keda", True),
                                         ("servicemonitor", False), ("minimal-rights", False)])
def test_a_disruption_budget_exists_where_more_than_one_pod_can(name, there):
    kinds = [d["kind"] for d in tools.documents(tools.scenario(name))]
    assert ("PodDisruptionBudget" in kinds) == there


def test_a_disruption_budget_takes_minimum_or_maximum():
    docs = tools.documents(tools.template("--set", "services[0].name=my-app,PodDisruptionBudget.minAvailable=50%"))
    spec = tools.one(docs, "PodDisruptionBudget")["spec"]
    assert spec["minAvailable"] == "50%" and "maxUnavailable" not in spec


def test_services_become_backends_slots_and_watches():
    docs = tools.documents(tools.scenario("services"))
    config = yaml.safe_load(tools.agent_yaml(docs))
    assert tools.backends(docs) == ["chat", "feed", "rest"]
    assert config["haproxy"]["replicas"] == {"service": "wsb-wsbalancer"}
    assert config["kubernetes"] == [
        {"service": "chat:ws", "namespace": "chat", "backend": "chat", "serverOptions": "check inter 2s fall 3 rise 1"},
        {"service": "feed", "namespace": "feed", "backend": "feed", "serverOptions": "check inter 5s fall 3 rise 1"},
        {"service": "rest", "backend": "rest", "serverOptions": "check inter 2s fall 3 rise 1 maxconn 2000"}]
    cfg = tools.haproxy_cfg(docs)
    for entry in config["kubernetes"]:
        assert f"default-server weight 100 {entry['serverOptions']} agent-check " in cfg
    assert [len(re.findall(rf'agent-send "{b}/pod\d+\\n"', cfg)) for b in ("chat", "feed", "rest")] == [20, 10, 10]


def test_by_dns_the_agent_needs_no_api():
    docs = tools.documents(tools.scenario("dns"))
    config = yaml.safe_load(tools.agent_yaml(docs))
    assert "kubernetes" not in config
    assert config["haproxy"]["replicas"] == 2
    assert "server-template pod 1-40 my-app.default.svc.cluster.local:8080 " in tools.haproxy_cfg(docs)


@pytest.mark.parametrize("extra, shown", [
    ("service.type=LoadBalancer", False),
    ("balancerMetrics.enabled=true", True),
    ("balancerMetrics.enabled=true,service.type=LoadBalancer", True),
    ("balancerMetrics.enabled=true,service.type=LoadBalancer,service.externalTrafficPolicy=Cluster", False),
    ("balancerMetrics.enabled=true,service.type=NodePort,service.externalTrafficPolicy=Cluster", False),
    ("balancerMetrics.enabled=true,internalService.enabled=true,internalService.type=NodePort,"
     "internalService.externalTrafficPolicy=Cluster", False),
    ("balancerMetrics.enabled=true,service.type=NodePort,service.externalTrafficPolicy=Cluster,"
     "agent.access.tokenSecret.name=page", True)])
def test_the_page_is_on_the_clients_port_only_where_asked_for_and_their_addresses_are_known(extra, shown):
    docs = tools.documents(tools.template("--set", f"services[0].name=my-app,{extra}"))
    cfg = tools.haproxy_cfg(docs)
    assert ("use_backend be_agent if page" in cfg) == shown
    assert "acl page path /balancer-metrics" in cfg


def test_the_network_policy_lets_in_clients_and_monitoring_and_out_to_pods_names_and_api():
    spec = tools.one(tools.documents(tools.scenario("networkpolicy")), "NetworkPolicy")["spec"]
    clients, monitoring = spec["ingress"]
    assert [p["port"] for p in clients["ports"]] == ["http"]
    assert clients["from"][0]["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "ingress-nginx"}
    assert [p["port"] for p in monitoring["ports"]] == ["stat", 9180]
    pods, names, api = spec["egress"]
    assert pods["to"] == [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "apps"}},
                           "podSelector": {"matchLabels": {"app": "my-app"}}}]
    assert {p["port"] for p in names["ports"]} == {53}
    assert [c["ipBlock"]["cidr"] for c in api["to"]] == ["10.96.0.1/32", "192.0.2.0/28"]


def test_alerts_and_dashboard_reach_the_cluster_as_they_are():
    docs = tools.documents(tools.scenario("monitoring"))
    rules = yaml.safe_load((tools.CHART / "files/alerts.yaml").read_text())
    assert tools.one(docs, "PrometheusRule")["spec"] == rules
    dashboard = json.loads((tools.CHART / "files/dashboard.json").read_text())
    board = tools.one(docs, "ConfigMap", "-dashboard")
    assert json.loads(board["data"]["wsbalancer.json"]) == dashboard
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_selectors_choose_the_pods_and_nothing_of_the_test_pod():
    docs = tools.documents(tools.scenario("servicemonitor"))
    labels = tools.one(docs, "Deployment")["spec"]["template"]["metadata"]["labels"]
    test_labels = tools.one(docs, "Pod")["metadata"]["labels"]
    for kind, suffix in ("Service", "-wsbalancer"), ("Service", "-metrics"):
        selector = tools.one(docs, kind, suffix)["spec"]["selector"]
        assert selector.items() <= labels.items()
        assert not selector.items() <= test_labels.items()
    monitor = tools.one(docs, "ServiceMonitor")["spec"]["selector"]["matchLabels"]
    found = [d["metadata"]["name"] for d in docs
             if d["kind"] == "Service" and monitor.items() <= d["metadata"]["labels"].items()]
    assert found == ["wsb-wsbalancer-metrics"]


@pytest.mark.parametrize("release, name", [("wsb", "wsb-wsbalancer"), ("wsbalancer", "wsbalancer"),
                                           ("x" * 53, "x" * 53 + "-w")])
def test_names_stay_within_kubernetes_limits(release, name):
    docs = tools.documents(tools.template("--set", "services[0].name=my-app", release=release))
    assert tools.one(docs, "Deployment")["metadata"]["name"] == name
    assert all(len(d["metadata"]["name"]) <= 63 for d in docs)


@pytest.mark.parametrize("name", SCENARIOS)
def test_helm_3_makes_the_same_objects(name):
    path = tools.scenarios()[name]
    assert tools.helm("version", "--short", program="helm3").stdout.startswith("v3.")
    done = tools.helm("template", "wsb", tools.CHART, "-f", path, "--kube-version", tools.scenario_kube_version(path),
                      program="helm3")
    assert done.returncode == 0, done.stderr

    def by_name(docs):
        return {(d["kind"], d["metadata"].get("namespace"), d["metadata"]["name"]): d for d in docs}

    assert by_name(tools.documents(done.stdout)) == by_name(tools.documents(tools.scenario(name)))


def test_helm_3_refuses_as_well():
    done = tools.helm("template", "wsb", tools.CHART, "--set", "services[0].name=my-app,slots=0", program="helm3")
    assert done.returncode != 0 and "slots" in done.stderr


def test_the_package_has_license_and_icon_and_links_that_hold(tmp_path):
    done = tools.helm("package", tools.CHART, "--destination", tmp_path)
    assert done.returncode == 0, done.stderr
    run("tar", "xzf", *tmp_path.glob("wsbalancer-*.tgz"), "-C", tmp_path)
    chart = tmp_path / "wsbalancer"
    assert (chart / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    kind, _, icon = yaml.safe_load((chart / "Chart.yaml").read_text())["icon"].partition(",")
    assert kind == "data:image/svg+xml;base64" and base64.b64decode(icon) == (chart / "icon.svg").read_bytes()
    links = re.findall(r"\]\(([^)]+)\)", (chart / "README.md").read_text())
    assert links and [link for link in links if not (chart / link.partition("#")[0]).exists()] == []


def test_the_packed_chart_makes_the_same_objects(tmp_path):
    done = tools.helm("package", tools.CHART, "--destination", tmp_path)
    assert done.returncode == 0, done.stderr
    packed, = tmp_path.glob("wsbalancer-*.tgz")
    done = tools.helm("template", "wsb", packed, "-f", tools.scenarios()["monitoring"], "--kube-version",
                      tools.KUBE_VERSION)
    assert done.stdout == tools.scenario("monitoring")


def test_version_is_the_programs():
    chart = yaml.safe_load((tools.CHART / "Chart.yaml").read_text())
    makefile = (ROOT / "Makefile").read_text()
    assert chart["appVersion"] == re.search(r"(?m)^VERSION\s*:?=\s*(\S+)", makefile).group(1)


def test_the_lock_file_names_no_registry():
    lock = json.loads((ROOT / "tests/kubernetes/package-lock.json").read_text())
    assert lock["packages"]
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
