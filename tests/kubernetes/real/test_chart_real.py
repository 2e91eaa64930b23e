# SPDX-License-Identifier: MIT
"""The chart on a real API server, in a namespace with restricted Pod Security, by real helm and kubectl."""
import json
import os
import subprocess
import time

import pytest
import tools
import yaml
from program import until
from scene import COUNTER


class Namespace:
    """A namespace with restricted Pod Security, and helm and kubectl for it."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.name = f"chart-{next(COUNTER)}"
        self.environment = {**os.environ, "KUBECONFIG": str(cluster.folder / "kubeconfig"),
                            "HELM_CACHE_HOME": str(cluster.folder / "helm"), "HOME": str(cluster.folder),
                            "HELM_CONFIG_HOME": str(cluster.folder / "helm"),
                            "HELM_DATA_HOME": str(cluster.folder / "helm")}
        cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": self.name, "labels": {
            f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}}})
        cluster.request("POST", f"/api/v1/namespaces/{self.name}/services", {
            "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"name": "ws", "port": 80}]}})

    def tool(self, name, *words, text=None, good=True):
        done = subprocess.run([str(tools.npm() / "bin" / name), "--namespace", self.name, *map(str, words)],
                              input=text, capture_output=True, text=True, check=False, env=self.environment, timeout=120)
        assert not good or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        # A pod template that Pod Security refuses is accepted with a mere warning.
        assert "would violate" not in done.stderr, done.stderr
        return done.stdout

    def get(self, kind):
        return json.loads(self.tool("kubectl", "get", kind, "--output=json"))["items"]

    def pods(self):
        """The release's pods, by the image of their HAProxy. No node runs them: they are said to be ready here, or
        a Deployment would wait for them for ever."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        for pod in self.get("pods"):
            if not any(condition["type"] == "Ready" for condition in pod.get("status", {}).get("conditions", ())):
                self.cluster.request(
                    "PATCH", f"/api/v1/namespaces/{self.name}/pods/{pod['metadata']['name']}/status", {"status": {
                        "phase": "Running", "conditions": [{
                            "type": "Ready", "status": "True", "lastTransitionTime": now}]}},
                    kind="application/strategic-merge-patch+json")
        return [next(c["image"] for c in pod["spec"]["containers"] if c["name"] == "haproxy")
                for pod in self.get("pods") if "deletionTimestamp" not in pod["metadata"]]

    def wait_pods(self, n, tag):
        def made():
            failed = [condition for made in self.get("replicasets")
                      for condition in made.get("status", {}).get("conditions", ())
                      if condition["type"] == "ReplicaFailure" and condition["status"] == "True"]
            assert failed == []
            return sum(image.endswith(tag) for image in self.pods()) >= n

        until(made, f"{n} pods of {tag}", 60, 0.2)


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


def test_the_agents_account_may_read_slices_and_nothing_else(namespace):
    it = namespace
    it.tool("helm", "install", "wsb", tools.CHART, "--set", "services[0].name=web")
    account = next(made["subjects"][0]["name"] for made in it.get("rolebindings"))

    def may(verb, kind, where=it.name):
        return it.tool("kubectl", "auth", "can-i", verb, kind, "--as", f"system:serviceaccount:{it.name}:{account}",
                       "--namespace", where, good=False).strip() == "yes"

    assert may("list", "endpointslices.discovery.k8s.io") and may("watch", "endpointslices.discovery.k8s.io")
    assert not may("update", "endpointslices.discovery.k8s.io")
    assert not may("list", "endpointslices.discovery.k8s.io", "default")
    for kind in ("pods", "secrets", "configmaps", "services"):
        assert not may("get", kind) and not may("list", kind), kind


@pytest.mark.parametrize("name", sorted(tools.scenarios()))
def test_the_api_server_takes_every_object_of_every_scenario(namespace, name):
    it = namespace
    known = {line.split()[-1] for line in it.tool("kubectl", "api-resources", "--no-headers").splitlines()}
    made = [document for document in tools.documents(tools.scenario(name)) if document["kind"] in known]
    text = "\n---\n".join(json.dumps({**document, "metadata": {**document["metadata"], "namespace": it.name}})
                          for document in made)
    it.tool("kubectl", "create", "--dry-run=server", "--validate=strict", "--filename=-", text=text)
