# SPDX-License-Identifier: MIT
"""What is made from the chart and kept in the repository is current: golden files, manifests, the README's table."""
import json
import subprocess
import sys

import pytest
import tools
import update
import yaml
from program import ROOT, run

MADE = update.made()


@pytest.mark.parametrize("path", MADE, ids=lambda path: str(path.relative_to(ROOT)))
def test_is_current(path):
    assert path.read_text(encoding="utf-8") == MADE[path], "see the difference, then run `make chart-update`"


def test_no_golden_file_is_left_over():
    assert set(update.GOLDEN.glob("*.yaml")) == {p for p in MADE if p.parent == update.GOLDEN}


@pytest.mark.parametrize("maker", ["readme.py", "schema.py"])
def test_the_readme_and_the_schema_are_current(maker):
    done = subprocess.run([sys.executable, ROOT / "k8s" / maker, "--check"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("folder", update.VARIANTS)
def test_kubectl_builds_the_manifests(folder):
    kubectl = tools.npm() / "bin/kubectl"
    docs = tools.documents(run(kubectl, "kustomize", update.MANIFESTS / folder))
    there = {(d["kind"], d["metadata"]["name"]) for d in docs}
    assert there == {(d["kind"], d["metadata"]["name"]) for d in tools.documents(MADE[update.MANIFESTS / folder
                                                                                      / "wsbalancer.yaml"])}


def test_kubectl_moves_the_manifests_to_another_namespace(tmp_path):
    """What the README of the manifests tells to do."""
    base = tmp_path / "base"
    run("cp", "-r", update.MANIFESTS / "endpointslices", base)
    (tmp_path / "kustomization.yaml").write_text("namespace: ws\nresources: [base]\n")
    docs = tools.documents(run(tools.npm() / "bin/kubectl", "kustomize", tmp_path))
    assert {d["metadata"]["namespace"] for d in docs} == {"ws"}
    assert tools.one(docs, "RoleBinding")["subjects"][0]["namespace"] == "ws"
    # What only the programs read names no namespace either.
    texts = [text for d in docs if d["kind"] == "ConfigMap" for text in d["data"].values()]
    assert texts and not [text for text in texts if "namespace:" in text or ".default" in text]


def walk_schema(schema, values, root, path=()):
    """Yields the paths where schema and values name different keys. extraConfig has those of the program."""
    if path[-1:] == ("extraConfig",):
        return
    if "$ref" in schema:
        schema = root["definitions"][schema["$ref"].rsplit("/", 1)[1]]
    if not isinstance(values, dict) or schema.get("additionalProperties") is not False:
        return
    known = set(schema["properties"])
    optional = {"initialDelaySeconds", "successThreshold", "terminationGracePeriodSeconds"} | {"global", "enabled"}
    for key in known ^ set(values):
        if key not in optional:
            yield ".".join((*path, key))
    for key in known & set(values):
        yield from walk_schema(schema["properties"][key], values[key], root, (*path, key))


def test_schema_and_values_know_the_same_keys():
    schema = json.loads((tools.CHART / "values.schema.json").read_text())
    values = yaml.safe_load((tools.CHART / "values.yaml").read_text())
    assert list(walk_schema(schema, values, schema)) == []
    del values["agent"]["config"]["metricPath"]
    values["image"]["typo"] = 1
    assert sorted(walk_schema(schema, values, schema)) == ["agent.config.metricPath", "image.typo"]
