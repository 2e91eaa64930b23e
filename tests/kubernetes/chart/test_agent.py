# SPDX-License-Identifier: MIT
"""The rendered wsbalancer.yaml: the agent itself takes it, and refuses one that is spoilt."""
import subprocess

import pytest
import tools
import yaml
from test_haproxy import make_certificate

AGENT = tools.TOP / "build" / "wsbalancer"


def check(config, folder):
    """What the agent says to a configuration; the files that Secrets would hold lie in the folder."""
    for name in "ca.crt", "authorization", "token":
        (folder / name).write_text("x\n")
    make_certificate(folder / "access")
    text = yaml.safe_dump(config).replace("/etc/metric", str(folder))
    for name, there in ("token", "token"), ("tls.crt", "access/tls.crt"), ("tls.key", "access/tls.crt.key"):
        text = text.replace(f"/etc/wsbalancer-access/{name}", f"{folder}/{there}")
    file = folder / "wsbalancer.yaml"
    file.write_text(text)
    return subprocess.run([AGENT, "-t", "-c", file], capture_output=True, text=True, check=False)


def rendered(name):
    return yaml.safe_load(tools.agent_yaml(tools.documents(tools.scenario(name))))


@pytest.mark.parametrize("name", tools.scenarios())
def test_the_agent_takes_its_configuration(name, tmp_path):
    done = check(rendered(name), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("key, value", [("noSuchKey", 1), ("metricPath", "metric"), ("listen", "nowhere")])
def test_the_agent_refuses_a_spoilt_configuration(key, value, tmp_path):
    done = check({**rendered("default"), key: value}, tmp_path)
    assert done.returncode != 0 and key in done.stdout + done.stderr
