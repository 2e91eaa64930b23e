# SPDX-License-Identifier: MIT
"""The rendered wsbalancer.yaml: the agent itself takes it, and refuses one that is spoilt."""
import json
import subprocess

import pytest
import tools
import yaml
from program import ROOT
from test_haproxy import make_secret

AGENT = ROOT / "build" / "wsbalancer"


def check(config, folder):
    """What the agent says to a configuration; the files that Secrets would hold lie in the folder."""
    for name in "ca.crt", "authorization", "token":
        (folder / name).write_text("x\n")
    make_secret(folder / "access")
    text = yaml.safe_dump(config).replace("/etc/metric", str(folder))
    for name, there in ("token", "token"), ("tls.crt", "access/tls.crt"), ("tls.key", "access/tls.crt.key"):
        text = text.replace(f"/etc/wsbalancer-access/{name}", f"{folder}/{there}")
    file = folder / "wsbalancer.yaml"
    file.write_text(text)
    return subprocess.run([AGENT, "--syntax", "-c", file], capture_output=True, text=True, check=False)


def rendered(name):
    return yaml.safe_load(tools.agent_yaml(tools.documents(tools.scenario(name))))


@pytest.mark.parametrize("name", tools.scenarios())
def test_the_agent_takes_its_configuration(name, tmp_path):
    done = check(rendered(name), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


# Values of agent.extraConfig, which the schema of the chart and the program judge alike.
EXTRA = [("ramp", "30s", True), ("ramp", "soon", False), ("ramp", "1h30m", False), ("ramp", 30, False),
         ("maxShare", 0.5, True), ("maxShare", 2, False), ("maxShare", 0, False),
         ("capacityMax", 8, True), ("capacityMax", 0, False), ("capacityMax", 1.5, False),
         ("recordMaxSize", "1GiB", True), ("recordMaxSize", "1GB", False), ("kubernetesAPI", {"silence": "1m"}, True),
         ("kubernetesAPI", {"silense": "1m"}, False), ("kubernetesAPI", {"server": "https://10.0.0.1:443"}, True),
         ("kubernetesAPI", {"server": "10.0.0.1"}, False), ("rampp", "30s", False)]


@pytest.mark.parametrize("key, value, good", EXTRA)
def test_the_charts_schema_and_the_agent_judge_alike(key, value, good, tmp_path):
    assert (check({**rendered("default"), key: value}, tmp_path).returncode == 0) == good
    done = tools.helm("template", "wsb", tools.CHART, "--set", "services[0].name=my-app", "--set-json",
                      f"agent.extraConfig={json.dumps({key: value})}")
    assert (done.returncode == 0) == good, done.stderr


@pytest.mark.parametrize("key, value", [("noSuchKey", 1), ("metricPath", "metric"), ("listen", "nowhere")])
def test_the_agent_refuses_a_spoilt_configuration(key, value, tmp_path):
    done = check({**rendered("default"), key: value}, tmp_path)
    assert done.returncode != 0 and key in done.stdout + done.stderr
