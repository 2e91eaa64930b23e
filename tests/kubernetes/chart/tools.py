# SPDX-License-Identifier: MIT
"""helm for the chart's tests, and what it makes of the chart."""
import functools
import os
import re
import subprocess

import yaml

from npm import npm
from program import ROOT

CHART = ROOT / "k8s" / "chart"
KUBE_VERSION = "1.33.0"
RELEASE = "wsb"


def helm(*arguments, program="helm"):
    """Runs helm, away from the user's own settings, and returns what it did."""
    home = npm() / f"home-{program}"
    environment = {**os.environ, "HELM_CACHE_HOME": f"{home}/cache", "HELM_CONFIG_HOME": f"{home}/config",
                   "HELM_DATA_HOME": f"{home}/data", "KUBECONFIG": os.devnull}
    return subprocess.run([npm() / "bin" / program, *map(str, arguments)], capture_output=True, text=True,
                          check=False, env=environment)


def template(*arguments, kube_version=KUBE_VERSION, release=RELEASE):
    """The text that `helm template` makes, which must succeed."""
    done = helm("template", release, CHART, "--kube-version", kube_version, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def scenarios():
    """Name and values file of every scenario."""
    return {path.name[:-len("-values.yaml")]: path for path in sorted(CHART.glob("ci/*-values.yaml"))}


def scenario_kube_version(path):
    found = re.search(r"kube-version: ([0-9.]+)", path.read_text(encoding="utf-8"))
    return found.group(1) if found else KUBE_VERSION


@functools.lru_cache(maxsize=None)
def scenario(name, *arguments):
    """The text of a scenario."""
    path = scenarios()[name]
    return template("-f", path, *arguments, kube_version=scenario_kube_version(path))


def one(docs, kind, suffix=""):
    """The only document of that kind whose name ends so."""
    found = [d for d in docs if d["kind"] == kind and d["metadata"]["name"].endswith(suffix)]
    assert len(found) == 1, [(d["kind"], d["metadata"]["name"]) for d in docs]
    return found[0]


def haproxy_cfg(docs):
    return one(docs, "ConfigMap", "-haproxy")["data"]["haproxy.cfg"]


def backends(docs):
    """The Services' backends."""
    entries = yaml.safe_load(agent_yaml(docs))["haproxy"]["backends"]
    return [entry if isinstance(entry, str) else entry["name"] for entry in entries]


def agent_yaml(docs):
    return one(docs, "ConfigMap", "-agent")["data"]["wsbalancer.yaml"]


def containers(docs):
    """The workload's pod, its haproxy container and its agent container."""
    workload, = [d for d in docs if d["kind"] in ("Deployment", "DaemonSet")]
    pod = workload["spec"]["template"]["spec"]
    every = {c["name"]: c for c in pod.get("initContainers", []) + pod["containers"]}
    return pod, every["haproxy"], every["wsbalancer"]
