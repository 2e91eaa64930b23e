# SPDX-License-Identifier: MIT
"""Pods that are asked over TLS, and the files that this needs while others replace them."""
import os

import pytest

from balancer import Agent, HAProxy
from certificate import make_certificate
from field import Pod
from program import until


class Files:
    """A certificate that signs itself, of pod and client alike, and its key."""

    def __init__(self, directory):
        self.cert, self.key = directory / "pod.pem", directory / "pod.key"
        make_certificate(str(self.cert), str(self.key), "localhost", "DNS:localhost")
        # The agent's own copies, so that the pod's stay.
        self.of = {"tlsCA": directory / "ca.pem", "tlsCert": directory / "own.pem", "tlsKey": directory / "own.key"}
        for name, path in self.of.items():
            path.write_bytes((self.key if name == "tlsKey" else self.cert).read_bytes())

    def pod(self, listen=None):
        return Pod("--cert", str(self.cert), "--key", str(self.key), listen=listen)

    def keys(self):
        return {"metricScheme": "https", "tlsServerName": "localhost",
                **{name: str(path) for name, path in self.of.items()}}


@pytest.fixture(name="files")
def files_fixture(tmp_path):
    return Files(tmp_path)


def polls(agent, outcome):
    return agent.series()[f'wsbalancer_polls_total{{result="{outcome}"}}']


@pytest.mark.parametrize("name", ["tlsCA", "tlsCert", "tlsKey"])
def test_a_fifo_in_the_place_of_a_file_for_tls_stops_nothing(files, name, tmp_path):
    with files.pod() as pod, HAProxy([pod.address], server="weight 100 check check-ssl verify none inter 100ms") \
            as haproxy, Agent(haproxy, **files.keys()) as agent:
        haproxy.wait_up()
        agent.wait_ready()
        good = files.of[name].read_bytes()
        files.of[name].unlink()
        os.mkfifo(files.of[name])
        # The connection that stands is of before; the next one wants the file.
        pod.stop()
        with files.pod(listen=[pod.address]):
            assert f"{name}: not a regular file" in agent.wait_log("not a regular file")
            before = agent.series()["wsbalancer_rounds_total"]
            until(lambda: agent.series()["wsbalancer_rounds_total"] > before + 2, "rounds to go on")
            fresh = tmp_path / "fresh"
            fresh.write_bytes(good)
            os.replace(fresh, files.of[name])
            heard = polls(agent, "ok")
            until(lambda: polls(agent, "ok") > heard, "the pod to be heard again")


def test_renewed_authorities_are_noticed(files, tmp_path):
    with files.pod() as pod, HAProxy([pod.address], server="weight 100 check check-ssl verify none inter 100ms") \
            as haproxy, Agent(haproxy, **files.keys()) as agent:
        haproxy.wait_up()
        agent.wait_ready()
        (tmp_path / "new").mkdir()
        new = Files(tmp_path / "new")
        pod.stop()
        with new.pod(listen=[pod.address]):
            until(lambda: polls(agent, "tls_failed") > 0, "a certificate that nobody has signed to be refused")
            os.replace(new.of["tlsCA"], files.of["tlsCA"])
            heard = polls(agent, "ok")
            until(lambda: polls(agent, "ok") > heard, "the pod to be heard again")
