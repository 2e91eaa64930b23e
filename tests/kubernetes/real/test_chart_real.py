# SPDX-License-Identifier: MIT
"""The chart on a real API server, in a namespace with restricted Pod Security, by real helm and kubectl."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import threading
import time

import pytest
import tools
import yaml
from namespace import Namespace
from program import until


# Of KEDA the API server needs to know the kind alone.
SCALED_OBJECT = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: scaledobjects.keda.sh}
spec:
  group: keda.sh
  names: {kind: ScaledObject, plural: scaledobjects, singular: scaledobject}
  scope: Namespaced
  versions:
    - name: v1alpha1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""


@pytest.fixture(name="namespace")
def fixture_namespace(cluster):
    return Namespace(cluster)


def objects(text):
    return {(made["kind"], made["metadata"]["name"]) for made in yaml.safe_load_all(text) if made}


def test_helm_installs_upgrades_rolls_back_and_removes(namespace):
    it = namespace
    it.tool("helm", "install", "wsb", tools.CHART, "--set", "services[0].name=web")
    until(it.pods, "the first pods", 60, 0.2)
    first = it.pods()[0]
    it.wait_pods(2, first)
    installed = it.tool("helm", "get", "manifest", "wsb")
    it.tool("helm", "upgrade", "wsb", tools.CHART, "--reuse-values", "--set", "image.tag=3.0-alpine,replicaCount=3")
    until(lambda: [image.rpartition(":")[2] for image in it.pods()] == ["3.0-alpine"] * 3, "the upgrade", 60, 0.2)
    it.tool("helm", "rollback", "wsb", "1")
    until(lambda: it.pods() == [first] * 2, "the rollback", 60, 0.2)
    assert objects(it.tool("helm", "get", "manifest", "wsb")) == objects(installed)
    it.tool("helm", "uninstall", "wsb", "--wait")
    for kind, _ in objects(installed):
        left = [made["metadata"]["name"] for made in it.get(kind) if "wsb" in made["metadata"]["name"]]
        assert left == [], kind


SLICES = ("list,watch", "endpointslices", "")
SERVICE_WEB = ("get", "services", "web")


def rules(cluster, account, where):
    """All that an account may do in a namespace, as the API server tells: triples of verbs, kinds and names."""
    told = cluster.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
                           {"spec": {"namespace": where}}, headers=[("Impersonate-User", account)])
    return {tuple(",".join(sorted(rule.get(key, ()))) for key in ("verbs", "resources", "resourceNames"))
            for rule in told["status"]["resourceRules"]}


def rights(it, where):
    """What the release's account may do there beyond what any account may."""
    accounts = f"system:serviceaccount:{it.name}"
    return rules(it.cluster, f"{accounts}:wsb-wsbalancer", where) - rules(it.cluster, f"{accounts}:default", where)


def test_the_agents_account_may_read_slices_and_where_asked_the_named_services(cluster):
    """Nothing else, in its own namespace, in that of the pods and in others; and requests with its token find it so."""
    it, app = Namespace(cluster), Namespace(cluster)
    values = ("--set", f"services[0].name=web,services[0].namespace={app.name}")
    it.tool("helm", "install", "wsb", tools.CHART, *values)
    token = cluster.token(it.name, "wsb-wsbalancer")
    paths = {name: f"/api/v1/namespaces/{app.name}/services{name}" for name in ("/web", "/other", "")}
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{app.name}/endpointslices"

    def asked():
        return {name: cluster.status(path, token) for name, path in paths.items()}

    assert rights(it, app.name) == rights(it, it.name) == {SLICES}
    assert rights(it, "default") == rights(it, "kube-system") == set()
    assert asked() == {"/web": 403, "/other": 403, "": 403}
    it.tool("helm", "upgrade", "wsb", tools.CHART, *values, "--set", "rbac.readServices=true")
    # The right is where the Service is, not where the release is.
    until(lambda: rights(it, app.name) == {SLICES, SERVICE_WEB}, "the right")
    assert rights(it, it.name) == {SLICES} and rights(it, "default") == set()
    until(lambda: asked() == {"/web": 200, "/other": 403, "": 403}, "the Service to be told")
    assert cluster.status(slices, token) == 200 and cluster.status(f"{slices}/web-1", token) == 403
    assert cluster.status(slices.replace(app.name, "default"), token) == 403
    for kind in ("pods", "secrets", "configmaps"):
        assert cluster.status(f"/api/v1/namespaces/{app.name}/{kind}", token) == 403, kind
    it.tool("helm", "upgrade", "wsb", tools.CHART, *values)
    until(lambda: rights(it, app.name) == {SLICES}, "the right to be taken back")


SERVICE = ("--set", "services[0].name=web")
SCALED = ("--set", "autoscaling.enabled=true,autoscaling.minReplicas=2")


# The chart as it was released before this one.
BEFORE = pathlib.Path(__file__).with_name("wsbalancer-0.1.0.tgz")


@pytest.mark.parametrize("helm", ["helm", "helm3"])
def test_the_chart_before_is_upgraded_and_rolled_back(cluster, helm):
    """Every object of the release's namespace keeps its name, no pod goes before a new one is ready, and the agents
    that are still of the old chart keep their rights in the application's namespace."""
    app, it = Namespace(cluster), Namespace(cluster)
    values = ("--set", f"services[0].name=web,services[0].namespace={app.name},replicaCount=3")
    it.tool(helm, "install", "wsb", BEFORE, *values)
    until(lambda: len(it.pods()) == 3, "the first pods", 60, 0.2)
    before = objects(it.tool(helm, "get", "manifest", "wsb"))
    service = it.get("services")[0]["spec"]["clusterIP"]

    def may():
        return it.tool("kubectl", "auth", "can-i", "watch", "endpointslices.discovery.k8s.io", "--as",
                       f"system:serviceaccount:{it.name}:wsb-wsbalancer", "--namespace", app.name, good=False).strip()

    fewest, stop = [3], threading.Event()

    def watch():
        while not stop.wait(0.05):
            ready = [pod for pod in it.get("pods") if any(
                c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", ()))]
            fewest.append(len(ready))
            assert may() == "yes"

    with concurrent.futures.ThreadPoolExecutor() as pool:
        watched = pool.submit(watch)
        it.tool(helm, "upgrade", "wsb", tools.CHART, *values)
        until(lambda: len(it.pods()) >= 3 and all(hook_of(pod) == "exec" for pod in it.running()), "the upgrade", 90, 0.2)
        stop.set()
        watched.result()
    assert min(fewest) >= 3
    after = objects(it.tool(helm, "get", "manifest", "wsb"))
    assert before - after == {("Role", "wsb-wsbalancer"), ("RoleBinding", "wsb-wsbalancer")} - after
    assert it.get("services")[0]["spec"]["clusterIP"] == service
    it.tool(helm, "rollback", "wsb", "1")
    until(lambda: len(it.pods()) >= 3 and all(hook_of(pod) == "httpGet" for pod in it.running()), "the rollback", 90, 0.2)
    assert may() == "yes"


def hook_of(pod):
    haproxy, = [c for c in pod["spec"]["containers"] if c["name"] == "haproxy"]
    return next(iter(haproxy["lifecycle"]["preStop"]))


@pytest.mark.parametrize("helm", ["helm", "helm3"])
@pytest.mark.parametrize("scaler", ["autoscaling.enabled=true", "keda.enabled=true,keda.version=2.20.0"])
def test_an_autoscaler_takes_over_the_number_that_there_is(namespace, helm, scaler):
    it = namespace
    if "keda" in scaler:
        it.tool("kubectl", "create", "--filename=-", text=SCALED_OBJECT, good=False)
        until(lambda: "scaledobjects" in it.tool("kubectl", "api-resources"), "KEDA's kind", 60, 0.5)
    it.tool(helm, "install", "wsb", tools.CHART, *SERVICE, "--set", "replicaCount=4")
    assert it.replicas() == [4]
    it.tool(helm, "upgrade", "wsb", tools.CHART, *SERVICE, "--set", scaler)
    assert it.replicas() == [4]
    # What the autoscaler does stays over further upgrades.
    it.tool("kubectl", "scale", "deployment/wsb-wsbalancer", "--replicas=7")
    it.tool(helm, "upgrade", "wsb", tools.CHART, *SERVICE, "--set", scaler, "--set", "image.tag=3.0-alpine")
    assert it.replicas() == [7]
    # Turned off, it leaves those that there are.
    if "keda" in scaler:
        it.tool("kubectl", "autoscale", "deployment/wsb-wsbalancer", "--max=10", "--name=keda-hpa-wsb-wsbalancer")
    refused = it.tool(helm, "upgrade", "wsb", tools.CHART, *SERVICE, "--set", "replicaCount=4", good=False, errors=True)
    assert "replicaCount 4 HAProxies, of 7 that there are" in refused and it.replicas() == [7]
    it.tool(helm, "upgrade", "wsb", tools.CHART, *SERVICE, "--set", "replicaCount=7")
    assert it.replicas() == [7]


def test_a_first_installation_begins_with_the_fewest(namespace):
    namespace.tool("helm", "install", "wsb", tools.CHART, *SERVICE, "--set",
                   "autoscaling.enabled=true,autoscaling.minReplicas=3")
    assert namespace.replicas() == [3]


@pytest.mark.parametrize("which", [0, 1], ids=["client-side", "server-side"])
def test_what_is_applied_without_helm_is_adopted_by_the_commands_of_the_message(namespace, which):
    """As Argo CD does: the chart is rendered where there is no cluster, and applied."""
    it = namespace
    apply = ["apply", "--filename=-", *([], ["--server-side", "--field-manager=argocd-controller"])[which]]

    def rendered(*values):
        return tools.template(*SERVICE, "--skip-tests", "--namespace", it.name, *values)

    it.tool("kubectl", *apply, text=rendered("--set", "replicaCount=4"))
    assert it.replicas() == [4]
    refused = tools.helm("template", "wsb", tools.CHART, *SERVICE, *SCALED, "--namespace", it.name)
    assert refused.returncode != 0
    command = [line for line in refused.stderr.splitlines() if line.strip().startswith("kubectl ")][which]
    done = subprocess.run(["sh", "-euc", command], capture_output=True, text=True, check=False,
                          env={**it.environment, "PATH": f"{tools.npm() / 'bin'}:{os.environ['PATH']}"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert it.replicas() == [4]
    it.tool("kubectl", *apply, text=rendered(*SCALED, "--set", "autoscaling.adopted=true"))
    assert it.replicas() == [4]
    assert it.get("horizontalpodautoscalers")


def test_without_the_commands_but_one_would_end(namespace):
    """What the refusal is for: the API's own default."""
    it = namespace
    for values in (("replicaCount=4",), ("autoscaling.enabled=true,autoscaling.adopted=true",)):
        it.tool("kubectl", "apply", "--filename=-",
                text=tools.template(*SERVICE, "--skip-tests", "--namespace", it.name, "--set", *values))
    assert it.replicas() == [1]


def test_two_releases_of_one_name_serve_one_application(cluster):
    app, first, second = (Namespace(cluster) for _ in range(3))
    values = ("--set", f"services[0].name=web,services[0].namespace={app.name}")
    for it in first, second:
        it.tool("helm", "install", "wsb", tools.CHART, *values)
    bound = {made["subjects"][0]["namespace"]: made["roleRef"]["name"] for made in app.get("rolebindings")}
    assert bound == {it.name: f"wsb-wsbalancer.{it.name}" for it in (first, second)}
    assert {made["metadata"]["name"] for made in app.get("roles")} == set(bound.values())
    first.tool("helm", "uninstall", "wsb", "--wait")
    assert second.tool("kubectl", "auth", "can-i", "watch", "endpointslices.discovery.k8s.io", "--as",
                       f"system:serviceaccount:{second.name}:wsb-wsbalancer", "--namespace", app.name).strip() == "yes"


@pytest.mark.parametrize("name", sorted(tools.scenarios()))
def test_the_api_server_takes_every_object_of_every_scenario(namespace, name):
    it = Namespace(namespace.cluster, "privileged") if name in ("daemonset", "hostnetwork") else namespace
    known = {line.split()[-1] for line in it.tool("kubectl", "api-resources", "--no-headers").splitlines()}
    made = [document for document in tools.documents(tools.scenario(name)) if document["kind"] in known]
    text = "\n---\n".join(json.dumps({**document, "metadata": {**document["metadata"], "namespace": it.name}})
                          for document in made)
    it.tool("kubectl", "create", "--dry-run=server", "--validate=strict", "--filename=-", text=text)
