# SPDX-License-Identifier: MIT
"""A namespace of the real API server that the chart is installed in, by real helm and kubectl."""
import json
import os
import subprocess
import time

import tools
from program import until
from scene import COUNTER


class Namespace:
    """A namespace with restricted Pod Security, and helm and kubectl for it."""

    def __init__(self, cluster, standard="restricted"):
        self.cluster = cluster
        self.name = f"chart-{next(COUNTER)}"
        self.environment = {**os.environ, "KUBECONFIG": str(cluster.folder / "kubeconfig"),
                            "HELM_CACHE_HOME": str(cluster.folder / "helm"), "HOME": str(cluster.folder),
                            "HELM_CONFIG_HOME": str(cluster.folder / "helm"),
                            "HELM_DATA_HOME": str(cluster.folder / "helm")}
        cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": self.name, "labels": {
            f"pod-security.kubernetes.io/{mode}": standard for mode in ("enforce", "warn")}}})
        # The sign of a namespace by which the chart knows that it sees a cluster.
        until(lambda: any(made["metadata"]["name"] == "kube-root-ca.crt" for made in self.get("configmaps")), "its ConfigMap")
        cluster.request("POST", f"/api/v1/namespaces/{self.name}/services", {
            "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"name": "ws", "port": 80}]}})

    def tool(self, name, *words, text=None, good=True, errors=False):
        done = subprocess.run([str(tools.npm() / "bin" / name), "--namespace", self.name, *map(str, words)],
                              input=text, capture_output=True, text=True, check=False, env=self.environment, timeout=120)
        assert not good or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        # A pod template that Pod Security refuses is accepted with a mere warning.
        assert "would violate" not in done.stderr, done.stderr
        return done.stderr if errors else done.stdout

    def running(self):
        return [pod for pod in self.get("pods") if "deletionTimestamp" not in pod["metadata"]]

    def replicas(self):
        return [made["spec"]["replicas"] for made in self.get("deployments")]

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
