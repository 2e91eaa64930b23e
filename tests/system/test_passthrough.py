# SPDX-License-Identifier: MIT
"""WebSockets through the shipped haproxy.cfg: nothing is lost or changed on the way."""
import asyncio
import re
import subprocess
import urllib.parse
import urllib.request

import pytest
import websockets

from balancer import HAPROXY, Agent, HAProxy, make_dir
from field import Pod, chosen_extensions
from ports import free_port
from program import ROOT, Program, binary, until

SHIPPED = ROOT / "haproxy" / "haproxy.cfg"


def test_the_shipped_configuration_is_valid_without_a_warning():
    done = subprocess.run([*HAPROXY, "-c", "-f", str(SHIPPED)], capture_output=True, text=True)
    assert done.returncode == 0
    # Since 3.0 nothing is said of a valid one.
    assert (done.stdout + done.stderr).strip() in ("", "Configuration file is valid")


class ShippedHAProxy(HAProxy):
    """The shipped file with other ports, paths and pods, and nothing else changed."""

    def __init__(self, addresses, agent_port, check_port):
        self.dir = make_dir()
        self.socket = str(self.dir / "admin.sock")
        self.port, self.stats_port = free_port(), free_port()
        text = SHIPPED.read_text()
        for old, new, n in [
                ("bind :80\n", f"bind 127.0.0.1:{self.port}\n", 1),
                ("bind 127.0.0.1:8404", f"bind 127.0.0.1:{self.stats_port}", 1),
                ("/run/haproxy/admin.sock", self.socket, 1),
                ("127.0.0.1:9180", f"127.0.0.1:{agent_port}", 1),
                ("agent-port 9181", f"agent-port {check_port}", 1),
                ("\tuser haproxy\n\tgroup haproxy\n\tchroot /var/lib/haproxy\n", "\tnoreuseport\n", 1),
                ("log /dev/log local0 info", "log stdout format raw local0", 1)]:
            assert text.count(old) == n, old
            text = text.replace(old, new)
        for i, address in enumerate(addresses):
            text = text.replace(f"10.0.0.{11 + i}:8080", address)
        assert "10.0.0.1" not in re.sub(r"10\.0\.0\.0/8", "", text)
        (self.dir / "haproxy.cfg").write_text(text)
        self.servers = {f"pod{i + 1}": a for i, a in enumerate(addresses)}
        Program.__init__(self, [*HAPROXY, "-W", "-f", str(self.dir / "haproxy.cfg")])
        self.wait_pid()


def test_the_two_shipped_files_belong_together(tmp_path):
    """As the README installs them: nothing to warn of, and no backend but that of the pods."""
    agent_port = free_port()
    with Pod(n=3) as pods, ShippedHAProxy(pods.addresses, agent_port, free_port()) as haproxy:
        haproxy.wait_up()
        text = (ROOT / "agent/etc/wsbalancer.yaml").read_text()
        for old, new in [("socket: /run/haproxy/admin.sock", f"socket: {haproxy.socket}"),
                         ("listen: 127.0.0.1:9180", f"listen: 127.0.0.1:{agent_port}")]:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        file = tmp_path / "wsbalancer.yaml"
        file.write_text(text)
        check = subprocess.run([binary("wsbalancer"), "check", "-c", str(file)], capture_output=True, text=True,
                               timeout=30)
        assert check.returncode == 0, check.stdout + check.stderr
        assert all(line.startswith("ok ") for line in check.stdout.splitlines()), check.stdout
        with Agent(haproxy, text=text) as agent:
            agent.http = f"127.0.0.1:{agent_port}"
            agent.wait_ready()
            until(haproxy.is_level, "equal weights")
            report = agent.json()
            assert list(report["podMetrics"]) == ["ws"] and report["totals"]["pods_known"] == 3, report["totals"]
            assert not [line for line in agent.err if re.match(r"\S+ (warn|error) ", line)], agent.err


@pytest.fixture(scope="module")
def shipped():
    agent_port, check_port = free_port(), free_port()
    with Pod("--subprotocol", "chat.v2", "--deflate", n=3, env={"POD_NAME": "web"}) as pods:
        with ShippedHAProxy(pods.addresses, agent_port, check_port) as haproxy:
            with Agent(haproxy, listen=f"127.0.0.1:{agent_port}",
                       agentCheck={"listen": f"127.0.0.1:{check_port}"}) as agent:
                agent.http = f"127.0.0.1:{agent_port}"
                agent.wait_ready()
                until(haproxy.is_level, "equal weights")
                haproxy.wait_up()
                yield haproxy, pods, agent



def test_the_pages_links_lead_to_the_agent_through_haproxy(shipped):
    """Each of them but the one to the pods' table, as a browser would follow it."""
    haproxy, pods, _ = shipped
    page = f"http://127.0.0.1:{haproxy.port}/balancer-metrics"
    with urllib.request.urlopen(page, timeout=5) as answer:
        links = re.findall(r'<a [^>]*href="([^"#]+)"', answer.read().decode())
    assert len(links) >= 2
    found = []
    for link in links:
        with urllib.request.urlopen(urllib.parse.urljoin(page, link), timeout=5) as answer:
            found.append(answer.headers["Content-Type"].partition(";")[0])
            body = answer.read().decode()
            assert "wsbalancer_haproxy_up 1" in body or "podMetrics" in body, link
    assert sorted(found) == ["application/json", "text/plain"]


# Without compression but where it is tested, and there with one small message: libwebsockets 4.1 in the
# pod cannot deflate an empty message, and loses itself in large ones.

def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 20))


@pytest.mark.parametrize("message", [
    "hello", "", b"", "grüße \U0001f600", b"\x00\xff" * 10, "x" * 125, "x" * 126, b"y" * 65535,
    b"z" * 65536, b"w" * 1_000_000,
], ids=lambda m: f"{type(m).__name__}-{len(m)}")
def test_a_message_comes_back_as_it_was(shipped, message):
    async def talk():
        async with websockets.connect(shipped[0].url, max_size=None, compression=None) as ws:
            await ws.send(message)
            assert await ws.recv() == message

    run(talk())


def test_a_fragmented_message_comes_back_whole(shipped):
    async def talk():
        async with websockets.connect(shipped[0].url, compression=None) as ws:
            await ws.send(iter(["frag", "men", "ted"]))
            assert await ws.recv() == "fragmented"

    run(talk())


def test_pings_are_answered_by_the_pod(shipped):
    async def talk():
        async with websockets.connect(shipped[0].url) as ws:
            await asyncio.wait_for(await ws.ping(b"payload"), 5)

    run(talk())


@pytest.mark.parametrize("code", [1000, 1001, 1008, 3000, 4999])
def test_a_close_code_comes_back(shipped, code):
    async def talk():
        ws = await websockets.connect(shipped[0].url)
        await ws.close(code, "bye")
        assert ws.close_code == code

    run(talk())


def test_a_subprotocol_is_negotiated_with_the_pod(shipped):
    async def talk():
        async with websockets.connect(shipped[0].url, subprotocols=["chat.v1", "chat.v2"]) as ws:
            assert ws.subprotocol == "chat.v2"

    run(talk())


def test_the_extension_headers_pass(shipped):
    """What the pod says to an offer of compression, HAProxy says too."""
    async def offered(url):
        async with websockets.connect(url, compression="deflate") as ws:
            await ws.send("x" * 1000)
            assert await ws.recv() == "x" * 1000
            return chosen_extensions(ws)

    direct = run(offered(shipped[1].url))
    assert run(offered(shipped[0].url)) == direct
    assert direct and "permessage-deflate" in direct


def test_the_balancers_page_is_served_to_this_host(shipped):
    haproxy, _, _ = shipped
    import json
    import urllib.request
    url = f"http://127.0.0.1:{haproxy.port}/balancer-metrics?format=json"
    with urllib.request.urlopen(url) as answer:
        assert len(json.load(answer)["podMetrics"]["ws"]) == 3


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_the_balancers_page_is_not_served_through_another_proxy(shipped, header):
    import urllib.error
    import urllib.request
    url = f"http://127.0.0.1:{shipped[0].port}/balancer-metrics"
    request = urllib.request.Request(url, headers={header: "127.0.0.1"})
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request)
    assert error.value.code == 404


def test_the_balancers_page_is_asked_for_by_any_name_of_haproxys(shipped):
    import urllib.request
    url = f"http://127.0.0.1:{shipped[0].port}/balancer-metrics"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Host": "www.example.com"})) as answer:
        assert answer.status == 200


def test_haproxys_own_series_are_served(shipped):
    import urllib.request
    with urllib.request.urlopen(f"http://127.0.0.1:{shipped[0].stats_port}/metrics") as answer:
        assert "haproxy_server_current_sessions" in answer.read().decode()


def test_the_log_names_the_server(shipped):
    haproxy = shipped[0]

    async def talk():
        async with websockets.connect(haproxy.url + "find-me") as ws:
            await ws.send("x")
            await ws.recv()

    run(talk())
    line = until(lambda: next((x for x in haproxy.out + haproxy.err if "find-me" in x), None),
                 "the log line")
    assert re.search(r" ws/pod[123] ", line), line
