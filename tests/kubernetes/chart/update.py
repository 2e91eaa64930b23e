#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes anew what is made from the chart: golden files, plain manifests, the README's table (`make chart-update`)."""
import pathlib
import re
import subprocess
import sys
import textwrap

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))

import tools  # noqa: E402
from program import ROOT  # noqa: E402

GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
MANIFESTS = ROOT / "k8s" / "manifests"
DASHBOARD = tools.CHART / "files" / "dashboard.json"

MONITORING = "podMonitor.enabled=true,prometheusRule.enabled=true,grafanaDashboard.enabled=true"
# Folder of k8s/manifests: the scenario, values over it, and the objects that belong there (none: all).
VARIANTS = {
    "endpointslices": ("default", (), ()),
    "dns": ("dns", (), ()),
    "monitoring": ("default", ("--set", MONITORING),
                   ("PodMonitor", "PrometheusRule", "ConfigMap/wsbalancer-dashboard")),
}
HEAD = "# Made from k8s/chart by `make chart-update`; see README.md beside this folder.\n"


def golden(name):
    """
    A scenario's text; few slots, for they are all alike, and in the place of the dashboard, whole, the name of its
    file: it is no part of what the chart makes.
    """
    dashboard = textwrap.indent(DASHBOARD.read_text(encoding="utf-8"), "    ")
    return tools.scenario(name, "--set", "slots=3").replace(dashboard, "    (files/dashboard.json)\n")


def plain(name, values, kinds):
    """A scenario without what only Helm needs."""
    text = tools.template("-f", tools.scenarios()[name], "--skip-tests", *values, release="wsbalancer")
    text = re.sub(r"(?m)^ *(helm\.sh/chart|app\.kubernetes\.io/managed-by): .*\n", "", text)
    text = re.sub(r"(?m)^# Source: .*\n", "", text)
    parts = [part.strip("\n") for part in re.split(r"(?m)^---\n", text)]
    kept = []
    for part in filter(None, parts):
        doc = tools.documents(part)[0]
        names = (doc["kind"], f"{doc['kind']}/{doc['metadata']['name']}")
        if not kinds or set(kinds) & set(names):
            kept.append(part)
    return HEAD + "---\n" + "\n---\n".join(kept) + "\n"


def made():
    """Every file that is made from the chart, and its text."""
    files = {GOLDEN / f"{name}.yaml": golden(name) for name in tools.scenarios()}
    for folder, variant in VARIANTS.items():
        files[MANIFESTS / folder / "wsbalancer.yaml"] = plain(*variant)
    return files


def main():
    subprocess.run([sys.executable, ROOT / "k8s/schema.py"], check=True)
    GOLDEN.mkdir(exist_ok=True)
    files = made()
    for old in GOLDEN.glob("*.yaml"):
        if old not in files:
            old.unlink()
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, ROOT / "k8s/readme.py"], check=True)


if __name__ == "__main__":
    main()
