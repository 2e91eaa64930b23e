# SPDX-License-Identifier: MIT
"""Every object of every scenario is of the published type of its kind."""
import copy

import pytest
import tools
import typecheck
from program import ROOT


@pytest.fixture(scope="module", name="said")
def fixture_said(tmp_path_factory):
    named = {name: tools.documents(tools.scenario(name)) for name in tools.scenarios()}
    for folder in ("manifests", "example"):
        for path in sorted((ROOT / "k8s" / folder).rglob("*.yaml")):
            if path.name != "kustomization.yaml":
                name = "-".join(path.relative_to(ROOT / "k8s").with_suffix("").parts)
                named[name] = tools.documents(path.read_text(encoding="utf-8"))
    spoilt = copy.deepcopy(named["default"])
    container = tools.one(spoilt, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    container["portz"] = container.pop("ports")
    tools.one(spoilt, "PodDisruptionBudget")["metadata"]["annotations"] = None
    tools.one(spoilt, "Service", "-wsbalancer")["spec"]["ports"][0]["port"] = "eighty"
    named["spoilt"] = spoilt
    return typecheck.complaints(tmp_path_factory.mktemp("types"), named)


def test_every_object_is_of_its_type(said):
    assert {name: text for name, text in said.items() if name != "spoilt"} == {}


@pytest.mark.parametrize("fault", ["'\"portz\"' does not exist", "Type 'null' is not assignable",
                                   "Type 'string' is not assignable to type 'number'"])
def test_a_spoilt_object_is_refused(said, fault):
    assert fault in said["spoilt"]
