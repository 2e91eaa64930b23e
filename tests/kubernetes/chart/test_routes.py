# SPDX-License-Identifier: MIT
"""Which Service gets which request: the most specific entry, wherever it stands in the list."""
import contextlib
import json

import loopback
import pytest
import tools
import yaml

LISTED = [
    ("services-values.yaml", [
        ("chat.example.com", "/", "chat"), ("CHAT.example.org:8080", "/x", "chat"),
        ("www.example.com", "/feed", "feed"), ("www.example.com", "/feed/a", "feed"),
        ("www.example.com", "/v2/feed/1", "feed"), ("www.example.com", "/feeder", "rest"),
        ("other", "/feed", "rest"), ("other", "/", "rest")]),
    # The least specific first.
    ([{"name": "rest"}, {"name": "paths", "paths": ["/a"]}, {"name": "wild", "hosts": ["*.example.com"]},
      {"name": "wilder", "hosts": ["*.eu.example.com"]}, {"name": "host", "hosts": ["www.example.com"]},
      {"name": "deep", "hosts": ["www.example.com"], "paths": ["/a", "/a/b/c"]},
      {"name": "deeper", "hosts": ["www.example.com"], "paths": ["/a/b/", "/a/b/c/d"]}], [
        ("other", "/", "rest"), ("example.com", "/", "rest"), ("other", "/a/1", "paths"), ("other", "/ab", "rest"),
        ("x.example.com", "/a", "wild"), ("y.x.example.com", "/", "wild"), ("X.EU.Example.com:80", "/a", "wilder"),
        ("www.example.com", "/", "host"), ("www.example.com", "/a", "deep"), ("www.example.com", "/a/b", "deeper"),
        ("www.example.com", "/a/b/c", "deep"), ("www.example.com", "/a/b/c/d/e", "deeper"),
        ("www.example.com", "/a/bc", "deep")]),
    # The root path is any path.
    ([{"name": "all", "paths": ["/"]}, {"name": "host", "hosts": ["h"], "paths": ["/", "/x"]}], [
        ("other", "/", "all"), ("other", "/x", "all"), ("h", "/y", "host")]),
    # One Service with two ports, and its namesake elsewhere.
    ([{"name": "web", "port": "ws"}, {"name": "web", "port": 9000, "paths": ["/admin"]},
      {"name": "web", "namespace": "apps", "paths": ["/apps"]}], [
        ("h", "/", "web.default.ws"), ("h", "/admin", "web.default.9000"), ("h", "/apps/1", "web.apps")]),
]


@pytest.mark.parametrize("services, asked", LISTED)
def test_requests_go_to_the_most_specific(services, asked, tmp_path):
    path = tools.CHART / "ci" / services if isinstance(services, str) else tmp_path / "values.yaml"
    if not isinstance(services, str):
        path.write_text(yaml.safe_dump({"services": services}))
    with loopback.Balancer(tmp_path, services=path) as haproxy, contextlib.ExitStack() as stack:
        for name in tools.backends(haproxy.docs):
            haproxy.fill("pod1", stack.enter_context(loopback.server(name)), backend=name)
        got = [(host, path, haproxy.get(path, host=host)[1].split("\r\n\r\n", 1)[1].split("\n")[0])
               for host, path, _ in asked]
    assert got == asked


def test_the_order_of_the_list_is_of_no_meaning():
    values = LISTED[1][0]
    made = {tools.template("--set-json", f"services={json.dumps(order)}").split("frontend fe_clients")[1]
            .split("backend be_agent")[0].split("default_backend")[0].split("option forwardfor")[1]
            for order in (values, values[::-1])}
    assert len(made) == 1


def test_each_entry_is_watched_for_its_own_backend():
    docs = tools.documents(tools.template("--set-json", f"services={json.dumps(LISTED[3][0])}"))
    config = yaml.safe_load(tools.agent_yaml(docs))
    assert [(k["service"], k.get("namespace"), k["backend"]) for k in config["kubernetes"]] == [
        ("web:ws", None, "web.default.ws"), ("web:9000", None, "web.default.9000"), ("web", "apps", "web.apps")]
    assert config["haproxy"]["backends"] == ["web.default.ws", "web.default.9000", "web.apps"]


def test_an_unknown_host_gets_404_where_nothing_takes_the_rest(tmp_path):
    with loopback.Balancer(tmp_path, "--set", "services[0].hosts={a.example.com}") as haproxy:
        assert haproxy.get("/")[0] == 404
