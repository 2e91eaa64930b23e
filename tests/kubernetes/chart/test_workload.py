# SPDX-License-Identifier: MIT
"""What runs where: DaemonSet and the nodes' ports, Services, autoscaled Deployments, images."""
import re

import pytest
import tools
import yaml


def rendered(*values, **options):
    return tools.documents(tools.template("--set", "services[0].name=my-app", *(
        word for value in values for word in ("--set", value)), **options))


def workload(docs):
    found, = [d for d in docs if d["kind"] in ("Deployment", "DaemonSet")]
    return found


def ports(docs):
    return {p["name"]: p for c in tools.containers(docs)[1:] for p in c["ports"]}


def test_a_daemonset_has_a_pod_on_every_node_at_the_nodes_ports():
    docs = tools.documents(tools.scenario("daemonset"))
    made = workload(docs)
    assert made["kind"] == "DaemonSet"
    assert not {"replicas", "strategy", "progressDeadlineSeconds"} & set(made["spec"])
    # Two pods cannot have one port of a node: the old one goes first.
    assert made["spec"]["updateStrategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}
    assert {name: port.get("hostPort") for name, port in ports(docs).items()} == {
        "http": 80, "https": 443, "stat": None, "agent": None}
    # Its pods are counted by its Service, and no budget can be kept without a scale.
    assert "PodDisruptionBudget" not in {d["kind"] for d in docs}
    pod = made["spec"]["template"]["spec"]
    assert pod["hostAliases"] == [{"ip": "192.0.2.10", "hostnames": ["metrics.example.com"]}]
    assert "hostNetwork" not in pod


def test_on_the_nodes_network_names_are_the_clusters():
    docs = tools.documents(tools.scenario("hostnetwork"))
    pod = workload(docs)["spec"]["template"]["spec"]
    assert pod["hostNetwork"] is True and pod["dnsPolicy"] == "ClusterFirstWithHostNet"
    # All that it listens on, so that the scheduler puts no two on a node that would meet.
    listens = {port["containerPort"] for container in tools.containers(docs)[1:] for port in container["ports"]}
    assert listens == {8080, 8404, 9180, 9181}
    # The API server wants both to be alike there.
    assert all(port.get("hostPort", port["containerPort"]) == port["containerPort"] for port in ports(docs).values())


def test_a_stat_port_of_the_node_is_opened_where_asked():
    docs = rendered("kind=DaemonSet,daemonset.useHostPort=true,daemonset.hostPorts.stat=8404,daemonset.hostPorts.http=0")
    assert ports(docs)["stat"]["hostPort"] == 8404 and "hostPort" not in ports(docs)["http"]


def test_a_rollout_that_stands_still_is_called_failed():
    assert workload(rendered("progressDeadlineSeconds=90"))["spec"]["progressDeadlineSeconds"] == 90


@pytest.mark.parametrize("release", ["team.shop", "r" * 53])
def test_any_name_of_a_release_makes_names_of_services(release):
    docs = tools.documents(tools.template("--set", "services[0].name=my-app,internalService.enabled=true", release=release))
    names = [made["metadata"]["name"] for made in docs if made["kind"] == "Service"]
    assert len(names) == 3 and all(re.fullmatch("[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name) for name in names), names
    assert yaml.safe_load(tools.agent_yaml(docs))["haproxy"]["replicas"]["service"] in names


@pytest.mark.parametrize("fullname, name", [("", "wsb-wsbalancer-internal"), ("x" * 60, "x" * 54 + "-internal")])
def test_a_second_service_leads_to_the_same_pods(fullname, name):
    docs = rendered("service.type=LoadBalancer,internalService.enabled=true,internalService.ports.http=8080,"
                    f"internalService.annotations.a=b,fullnameOverride={fullname}")
    public, internal = (d for d in docs if d["kind"] == "Service" and "wsbalancer/service" not in d["metadata"]["labels"])
    assert internal["metadata"]["name"] == name and len(name) <= 63
    assert internal["metadata"]["annotations"] == {"a": "b"} and "annotations" not in public["metadata"]
    assert (public["spec"]["type"], internal["spec"]["type"]) == ("LoadBalancer", "ClusterIP")
    assert internal["spec"]["ports"] == [{"name": "http", "port": 8080, "targetPort": "http"}]
    assert internal["spec"]["selector"] == public["spec"]["selector"]


def test_a_registry_for_all_images():
    docs = rendered("global.imageRegistry=registry.example.com")
    images = {c["image"] for c in tools.containers(docs)[1:]} | {
        c["image"] for c in tools.one(docs, "Pod")["spec"]["containers"]}
    assert images == {"registry.example.com/library/haproxy:3.2-alpine", "registry.example.com/wsbalancer:0.1.0"}


def test_without_a_cluster_to_look_at_the_message_tells_how_to_adopt():
    done = tools.helm("template", "wsb", tools.CHART, "--set", "services[0].name=my-app,autoscaling.enabled=true")
    assert done.returncode != 0
    commands = [line.strip() for line in done.stderr.splitlines() if line.strip().startswith("kubectl ")]
    assert len(commands) == 2 and all("wsb-wsbalancer" in command for command in commands)


def test_a_release_in_another_namespace_has_other_names_abroad():
    names = []
    for namespace in "one", "two":
        docs = tools.documents(tools.template("--namespace", namespace, "-f", tools.scenarios()["services"]))
        names.append({(d["kind"], d["metadata"]["namespace"], d["metadata"]["name"]) for d in docs})
    assert not names[0] & names[1]
    assert ("Role", "chat", "wsb-wsbalancer.one") in names[0]
