# SPDX-License-Identifier: MIT
"""wspod and wsload against an independent WebSocket implementation, Python's websockets."""
import asyncio
import contextlib
import http
import json
import os
import random
import resource
import signal
import socket
import ssl
import statistics
import subprocess
import time
import urllib.error
import urllib.request

import pytest
import websockets
from websockets.frames import Frame, Opcode

import field
from certificate import make_certificate
from field import chosen_extensions
from namespace import in_namespace
from ports import free_port
from program import binary, until


@pytest.fixture(name="pod", scope="module")
def one_pod():
    with field.Pod() as pod:
        yield pod


def connect(pod, path="", **options):
    options.setdefault("compression", None)
    return websockets.connect(pod.url + path, max_size=None, **options)


def closed_with(error):
    return error.rcvd.code if error.rcvd else None


# --- wspod: WebSockets ---------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_pod_says_where_it_listens(host):
    with field.Pod(host=host) as pod:
        assert pod.out == [f"listening {pod.address}"]
        assert pod.address.startswith(host + ":") and pod.port > 0
        assert pod.get("/health") == "ok\n"


@pytest.mark.parametrize("message", [
    "", b"", "x", b"\0\xff", "grüße, 世界", "a" * 125, b"b" * 126, b"c" * 65535, b"d" * 65536,
    b"e" * 65537, "ä" * 200000, os.urandom(3 << 20)], ids=lambda m: f"{type(m).__name__}-{len(m)}")
def test_pod_echoes(pod, message):
    async def scenario():
        async with connect(pod, "any/path?is=good") as ws:
            await ws.send(message)
            assert await asyncio.wait_for(ws.recv(), 10) == message

    asyncio.run(scenario())


def test_pod_echoes_many_messages_in_order(pod):
    async def scenario():
        dice = random.Random(7)
        messages = [dice.randbytes(dice.choice((0, 1, 200, 5000, 70000))) for _ in range(300)]
        async with connect(pod) as ws:
            sender = asyncio.ensure_future(send_all(ws, messages))
            for message in messages:
                assert await asyncio.wait_for(ws.recv(), 10) == message
            await sender

    async def send_all(ws, messages):
        for message in messages:
            await ws.send(message)

    asyncio.run(scenario())


@pytest.mark.parametrize("parts", [
    ["a", "", "b"], [b"x" * 70000, b"y", b"z" * 65536], ["é" * 40000] * 5, [b"", b""]])
def test_pod_echoes_a_fragmented_message_as_one(pod, parts):
    async def scenario():
        async with connect(pod) as ws:
            await ws.send(parts)
            assert await asyncio.wait_for(ws.recv(), 10) == parts[0][:0].join(parts)

    asyncio.run(scenario())


def test_pod_answers_a_ping_amid_a_fragmented_message(pod):
    async def scenario():
        async def parts():
            yield "first"
            await asyncio.wait_for(await ws.ping(b"amid"), 5)
            yield "second"

        async with connect(pod) as ws:
            await ws.send(parts())
            assert await asyncio.wait_for(ws.recv(), 10) == "firstsecond"

    asyncio.run(scenario())


@pytest.mark.parametrize("code,reason", [(1000, ""), (1001, "bye"), (3000, "x" * 123), (4999, "")])
def test_pod_returns_the_close_code_and_reason(pod, code, reason):
    async def scenario():
        async with connect(pod) as ws:
            await ws.close(code, reason)
            assert (ws.close_code, ws.close_reason) == (code, reason)

    asyncio.run(scenario())


def test_pod_sends_waiting_echoes_before_its_close(pod):
    async def scenario():
        # A client of websockets 13 and later stops reading at a queue of 16, and its close waits in vain.
        async with connect(pod, max_queue=None) as ws:
            for i in range(20):
                await ws.send(str(i))
            await ws.close()
            assert [await ws.recv() for _ in range(20)] == [str(i) for i in range(20)]

    asyncio.run(scenario())


def test_pod_closes_with_1007_after_bad_utf8(pod):
    async def scenario():
        async with connect(pod) as ws:
            ws.transport.write(Frame(Opcode.TEXT, b"\xc3\x28").serialize(mask=True))
            with pytest.raises(websockets.ConnectionClosed) as caught:
                await asyncio.wait_for(ws.recv(), 5)
            assert closed_with(caught.value) == 1007

    asyncio.run(scenario())


@pytest.mark.parametrize("options,offered,chosen", [
    ([], None, None), ([], ["echo"], "echo"), ([], ["other", "echo"], "echo"), ([], ["other"], None),
    (["--subprotocol", "a.b", "--subprotocol", "c"], ["echo", "c", "a.b"], "c"),
    (["--no-subprotocol"], ["echo"], None)])
def test_pod_chooses_a_subprotocol_it_knows_or_none(options, offered, chosen):
    async def scenario(pod):
        async with connect(pod, subprotocols=offered) as ws:
            assert ws.subprotocol == chosen
            await ws.send("works")
            assert await asyncio.wait_for(ws.recv(), 5) == "works"

    with field.Pod(*options) as pod:
        asyncio.run(scenario(pod))


def test_pod_deflates_only_if_told_to(pod):
    async def scenario(a_pod, expected):
        async with connect(a_pod, compression="deflate") as ws:
            assert chosen_extensions(ws) == expected
            for message in ("x" * 100000, os.urandom(200000), "short"):
                await ws.send(message)
                assert await asyncio.wait_for(ws.recv(), 10) == message

    asyncio.run(scenario(pod, None))
    with field.Pod("--deflate") as deflating:
        asyncio.run(scenario(deflating, "permessage-deflate"))


def test_pod_gives_up_an_empty_message_that_it_cannot_deflate():
    async def scenario(pod):
        async with connect(pod, compression="deflate") as ws:
            await ws.send("")
            with pytest.raises(websockets.ConnectionClosed) as caught:
                await asyncio.wait_for(ws.recv(), 5)
            assert closed_with(caught.value) == 1011

    with field.Pod("--deflate") as pod:
        asyncio.run(scenario(pod))


def test_pod_closes_with_1001_and_ends_within_a_second_at_sigterm():
    async def scenario(pod):
        async with connect(pod) as ws, connect(pod) as other:
            started = time.monotonic()
            pod.signal(signal.SIGTERM)
            for each in (ws, other):
                with pytest.raises(websockets.ConnectionClosed) as caught:
                    await asyncio.wait_for(each.recv(), 5)
                assert closed_with(caught.value) == 1001
            assert await asyncio.to_thread(pod.wait) == 0
            assert time.monotonic() - started < 1.0

    with field.Pod() as pod:
        asyncio.run(scenario(pod))
        assert pod.err == []


def test_pod_ends_within_a_second_though_a_client_is_stuck():
    with field.Pod() as pod, socket.create_connection(("127.0.0.1", pod.port)) as stuck:
        stuck.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                      b"Sec-WebSocket-Version: 13\r\n\r\n")
        pod.wait_count(1)
        started = time.monotonic()
        pod.stop()
        assert time.monotonic() - started < 1.0


def ask_health(port, n):
    """n plain requests one after the other, each on a connection of its own."""
    for _ in range(n):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as plain:
            plain.sendall(b"GET /health HTTP/1.0\r\n\r\n")
            assert plain.recv(1000).startswith(b"HTTP/1.0 200")


def test_pod_does_not_slow_down_with_the_clients_that_wait():
    """Each client costs about the same: beside a crowd that says nothing, and when after a stall
    thousands have asked, half of them in vain. A cost that grows with those that wait would let one
    stall become the next."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    n = min(3000, hard // 4)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with field.Pod(n=100) as pod, contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

        def dial(i):
            return stack.enter_context(
                socket.create_connection(("127.0.0.1", pod.ports[i % 100]), timeout=20))

        ask_health(pod.port, 100)
        before = pod.cpu_s()
        ask_health(pod.port, n)
        alone = pod.cpu_s() - before

        for i in range(n):
            dial(i)
        until(lambda: pod.n_files() >= n + 100, "the crowd to be accepted")
        before = pod.cpu_s()
        ask_health(pod.port, n)
        crowded = pod.cpu_s() - before

        pod.signal(signal.SIGSTOP)
        stalled = [dial(i) for i in range(n)]
        for each in stalled:
            each.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        for each in stalled[::2]:
            each.close()
        before = pod.cpu_s()
        pod.signal(signal.SIGCONT)
        for each in stalled[1::2]:
            assert each.recv(1000).startswith(b"HTTP/1.0 200")
        caught_up = pod.cpu_s() - before

        started = time.monotonic()
        pod.stop()
        ended_s = time.monotonic() - started
    assert max(crowded, caught_up) < 2 * alone + 0.05, (alone, crowded, caught_up)
    assert ended_s < 1.5


def test_pod_ends_within_a_second_though_a_thousand_connections_stay_open():
    with field.Pod() as pod, contextlib.ExitStack() as stack:
        for _ in range(min(1000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)):
            plain = stack.enter_context(
                socket.create_connection(("127.0.0.1", pod.port), timeout=20))
            plain.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert plain.recv(1000).startswith(b"HTTP/1.1 200")
        started = time.monotonic()
        pod.stop()
        assert time.monotonic() - started < 1.0


# --- wspod: plain requests -----------------------------------------------------------------------


def test_metric_counts_the_websockets_of_each_pod():
    async def scenario(pod):
        async with connect(pod), websockets.connect(pod.urls[1]), connect(pod):
            assert (pod.count(0), pod.count(1)) == (2, 1)
        await asyncio.to_thread(pod.wait_count, 0, 0)
        await asyncio.to_thread(pod.wait_count, 0, 1)

    with field.Pod(n=2) as pod:
        asyncio.run(scenario(pod))


@pytest.mark.parametrize("env,n,expected", [
    ({}, 1, {}),
    ({"POD_NAME": "web-0", "POD_IP": "10.0.0.1", "NODE_NAME": "n1"}, 1,
     {"podName": "web-0", "podIP": "10.0.0.1", "nodeName": "n1"}),
    ({"POD_NAME": 'q"\\\n<é>'}, 1, {"podName": 'q"\\\n<é>'}),
    ({"POD_NAME": "web"}, 2, {"podName": "web-1"})])
def test_metric_tells_the_identity_that_is_set(env, n, expected):
    with field.Pod(n=n, env=env) as pod:
        assert pod.metric(n - 1) == {"agentsConnections": 0, **expected}


def test_metric_tells_capacity_and_draining():
    with field.Pod("--capacity", "500") as pod:
        assert pod.metric() == {"agentsConnections": 0, "capacity": 500}
        pod.toggle_draining()
        assert pod.metric() == {"agentsConnections": 0, "capacity": 500, "draining": True}
        pod.toggle_draining()
        assert pod.metric() == {"agentsConnections": 0, "capacity": 500}


@pytest.mark.parametrize("options,path,status,body", [
    ([], "/metric?x=1", 200, '{"agentsConnections":0}'),
    ([], "/metrics", 404, None), ([], "/", 404, None), ([], "/health", 200, "ok\n"),
    (["--lie", "-7"], "/metric", 200, '{"agentsConnections":-7}'),
    (["--draining"], "/metric", 200, '{"agentsConnections":0,"draining":true}'),
    (["--metric-status", "503"], "/metric", 503, '{"agentsConnections":0}'),
    (["--metric-body", "{}"], "/metric", 200, "{}"),
    (["--metric-body", ""], "/metric", 200, ""),
    (["--metric-body", "x" * 100000], "/metric", 200, "x" * 100000),
    (["--metric-path", "/a/b"], "/a/b", 200, '{"agentsConnections":0}'),
    (["--metric-path", "/a/b"], "/metric", 404, None)])
def test_plain_request_is_answered_as_told(options, path, status, body):
    with field.Pod(*options) as pod:
        try:
            assert (200, pod.get(path)) == (status, body)
        except urllib.error.HTTPError as error:
            assert error.code == status
            assert body is None or error.read().decode() == body


def test_metric_comes_as_late_as_told():
    with field.Pod("--metric-delay", "150") as pod:
        started = time.monotonic()
        assert pod.count() == 0
        assert 0.15 <= time.monotonic() - started < 1.0


def test_metric_is_silent_if_told_to_and_speaks_again():
    with field.Pod("--no-metric") as pod:
        with pytest.raises(TimeoutError):
            pod.get("/metric", timeout=0.2)
        assert pod.get("/health") == "ok\n"
        pod.signal(signal.SIGUSR2)
        until(lambda: speaks(pod), "the metric to come back")


def speaks(pod):
    with contextlib.suppress(TimeoutError):
        return pod.get("/metric", timeout=0.2) != ""


def test_plain_requests_reuse_a_connection(pod):
    with socket.create_connection(("127.0.0.1", pod.port), timeout=5) as plain:
        reader = plain.makefile("rb")
        for request in (b"GET /metric", b"HEAD /metric", b"GET /health"):
            plain.sendall(request + b" HTTP/1.1\r\nHost: pod\r\n\r\n")
            assert reader.readline().startswith(b"HTTP/1.1 200")
            headers = dict(line.lower().split(b": ", 1) for line in iter(reader.readline, b"\r\n"))
            length = int(headers[b"content-length"])
            assert length > 0
            if not request.startswith(b"HEAD"):
                assert len(reader.read(length)) == length


@pytest.mark.parametrize("garbage", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\0" * 100, b"GET / HTTP/1.1\r\nA: " + b"x" * 9000,
    b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"],
    ids=["tls", "zeros", "long-header", "half-an-upgrade", "h2c"])
def test_pod_survives_garbage(pod, garbage):
    with socket.create_connection(("127.0.0.1", pod.port), timeout=5) as peer:
        with contextlib.suppress(ConnectionError):
            peer.sendall(garbage + b"\r\n\r\n")
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(4096):
                pass
    assert pod.count() == 0 and pod.err == []


# --- wsload --------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def server(handler, **options):
    """A WebSocket server of the judge's; its URL."""
    async with websockets.serve(handler, "127.0.0.1", 0, compression=None, **options) as serving:
        yield "ws://127.0.0.1:%d/" % serving.sockets[0].getsockname()[1]


def report_against(handler, options=None, **load_options):
    """Runs wsload for a moment against a handler; the report."""

    async def scenario():
        async with server(handler, **(options or {})) as url:
            load_options.setdefault("duration", 0.4)
            with field.Load(url, connections=4, message_interval=0.05, reconnect_ms=20,
                            **load_options) as load:
                return await asyncio.to_thread(load.report)

    return asyncio.run(scenario())


async def honest(ws):
    async for message in ws:
        await ws.send(message)


@pytest.mark.parametrize("options", [
    {}, {"text": True}, {"message_bytes": 0}, {"message_bytes": 300000, "message_interval": 0.2},
    {"deflate": True, "text": True, "message_bytes": 3000}], ids=str)
def test_load_finds_nothing_wrong_with_an_honest_server(options):
    async def scenario():
        async with websockets.serve(honest, "127.0.0.1", 0, max_size=None) as serving:
            url = "ws://127.0.0.1:%d/x?y" % serving.sockets[0].getsockname()[1]
            wanted = {"connections": 5, "message_interval": 0.05, "duration": 0.6, **options}
            with field.Load(url, **wanted) as load:
                return await asyncio.to_thread(load.report)

    report = asyncio.run(scenario())
    assert report["ok"] and report["opened"] == report["closed"] == 5
    assert report["messages"] >= 5
    assert 0 < report["echo_us"]["count"] <= report["messages"]
    assert report["bytes"] == report["messages"] * report["message_bytes"]


async def corrupt(ws):
    async for message in ws:
        spoilt = bytearray(message)
        spoilt[-1] ^= 1
        await ws.send(bytes(spoilt))


async def shorten(ws):
    async for message in ws:
        await ws.send(message[:-1])


async def lengthen(ws):
    async for message in ws:
        await ws.send(message + b"x")


async def change_type(ws):
    async for message in ws:
        await ws.send(message.decode())


async def repeat_the_one_before(ws):
    before = b"0" * 64
    async for message in ws:
        await ws.send(before)
        before = message


async def echo_twice(ws):
    async for message in ws:
        await ws.send(message)
        await ws.send(message)


async def greet(ws):
    await ws.send("welcome")
    await honest(ws)


@pytest.mark.parametrize("handler", [corrupt, shorten, lengthen, repeat_the_one_before])
def test_load_counts_every_wrong_echo(handler):
    report = report_against(handler)
    assert not report["ok"]
    assert report["wrong"] > 4 and report["messages"] == 0
    assert report["dropped"] == report["failed"] == report["lost"] == 0


def test_load_counts_an_echo_of_the_wrong_type():
    report = report_against(change_type, text=False, message_bytes=0)
    assert report["wrong"] > 4 and report["messages"] == 0


@pytest.mark.parametrize("handler", [echo_twice, greet])
def test_load_counts_a_message_that_nobody_asked_for(handler):
    report = report_against(handler)
    assert not report["ok"] and report["wrong"] >= 4 and report["messages"] > 0


def test_load_counts_echoes_that_never_come():
    async def silent(ws):
        async for _ in ws:
            pass

    report = report_against(silent, echo_timeout=0.1)
    assert not report["ok"]
    assert report["lost"] >= 4 and report["messages"] == report["wrong"] == 0


def test_load_measures_how_long_echoes_take():
    async def take_100_ms(ws):
        async for message in ws:
            await asyncio.sleep(0.1)
            await ws.send(message)

    echo = report_against(take_100_ms, duration=0.8)["echo_us"]
    assert 100_000 <= echo["p50"] <= echo["p90"] <= echo["p99"] <= echo["max"]
    assert echo["count"] >= 8 and echo["p50"] < 300_000


def test_load_counts_a_stall_against_the_messages_behind_it_too():
    async def stall_once(ws):
        message = await ws.recv()
        await asyncio.sleep(0.5)
        await ws.send(message)
        await honest(ws)

    # Of the 20 messages that are due in a second, 10 are due in the stall: they wait 250 ms on
    # average, though each comes back at once when it is sent at last.
    echo = report_against(stall_once, duration=1.0)["echo_us"]
    assert echo["p90"] > 200_000


def test_load_ends_lives_when_they_should():
    lives = []

    async def measure(ws):
        began = time.monotonic()
        await honest(ws)
        lives.append(time.monotonic() - began)

    report = report_against(measure, lifetime=0.2, lifetime_spread="fixed", duration=0.7)
    assert report["ok"] and report["opened"] >= 8
    assert all(0.15 <= life <= 0.6 for life in sorted(lives)[4:])


@pytest.mark.parametrize("code", [1011, None])
def test_load_counts_drops_and_reconnects(code):
    async def drop(ws):
        await ws.send(await ws.recv())
        if code:
            await ws.close(code)
        else:
            ws.transport.abort()

    report = report_against(drop)
    assert not report["ok"]
    assert report["opened"] > 8 and report["dropped"] > 4 and report["wrong"] == 0
    assert list(report["why_dropped"]) == [str(code or 1006)]
    assert report["targets"][0]["dropped"] == report["dropped"]


def test_load_tolerates_as_many_drops_as_allowed():
    async def drop(ws):
        await ws.send(await ws.recv())
        await ws.close(1001)

    assert report_against(drop, allow_dropped=100000)["ok"]


def test_load_counts_refusals_with_their_status():
    async def refuse(connection, _request):
        if hasattr(connection, "respond"):
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "no")
        return http.HTTPStatus.SERVICE_UNAVAILABLE, [], b"no"  # before websockets 14

    report = report_against(honest, {"process_request": refuse})
    assert not report["ok"] and report["opened"] == 0 and report["failed"] >= 4
    assert report["why_failed"] == {"HTTP 503": report["failed"]}


def test_load_backs_off_from_a_port_where_nobody_listens():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = "ws://127.0.0.1:%d/" % reserved.getsockname()[1]
        with field.Load(url, connections=4, duration=1, reconnect_ms=40) as load:
            report = load.report()
    # Waits of 40, 80, 160, 320 ms, each half to one and a half: 4 to 6 attempts of each client.
    assert 4 * 3 < report["failed"] <= 4 * 7
    assert not report["ok"] and report["opened"] == 0


def test_load_gives_up_on_a_handshake_that_never_ends():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = "ws://127.0.0.1:%d/" % deaf.getsockname()[1]
        with field.Load(url, connections=2, duration=0.6, connect_timeout=0.2) as load:
            report = load.report()
    assert report["why_failed"] == {"no answer in time": 2}


def test_load_asks_for_its_subprotocol():
    chosen = []

    async def note(ws):
        chosen.append(ws.subprotocol)
        await honest(ws)

    assert report_against(note, {"subprotocols": ["echo"]}, subprotocol="echo")["ok"]
    assert chosen == ["echo"] * 4


def test_load_stands_and_closes_with_1000_at_sigterm():
    codes = []

    async def note(ws):
        await honest(ws)
        codes.append(ws.close_code)

    async def scenario():
        async with server(note) as url:
            with field.Load(url, connections=30, rate=1000, message_interval=0.1) as load:
                await asyncio.to_thread(load.wait_standing)
                return await asyncio.to_thread(load.stop)

    report = asyncio.run(scenario())
    assert report["ok"] and report["most_open"] == report["closed"] == 30
    assert codes == [1000] * 30


def test_load_keeps_its_number_while_lives_end(pod):
    pod.wait_count(0)
    with field.Load(pod.url, connections=50, rate=1000, lifetime=0.5, message_interval=0.1,
                    ping_interval=0.1) as load:
        load.wait_standing()
        counts, end = [], time.monotonic() + 0.6
        while time.monotonic() < end:
            counts.append(pod.count())
        report = load.stop()
    assert report["ok"] and report["opened"] > 60
    # A busy machine may be slow to replace a few; it never holds more.
    assert statistics.median(counts) >= 45 and max(counts) <= 52
    assert report["pongs"] > 0
    pod.wait_count(0)


def test_load_ends_by_itself_when_lives_are_not_replaced(pod):
    with field.Load(pod.url, connections=10, rate=1000, lifetime=0.1, no_replace=True,
                    lifetime_spread="fixed") as load:
        report = load.report()
    assert report["ok"] and report["opened"] == report["closed"] == 10


def test_load_takes_its_targets_in_turn():
    with field.Pod(n=3) as pod, field.Load(*pod.urls, connections=30, rate=1000) as load:
        load.wait_standing()
        assert [pod.count(i) for i in range(3)] == [10, 10, 10]
        assert load.stop()["ok"]


def test_storm_makes_a_share_close_and_reconnect(pod):
    # All stand by then, and all are back at the end.
    with field.Load(pod.url, connections=40, rate=1000, storm="1:0.5", duration=2.5,
                    reconnect_ms=50, message_interval=0.1) as load:
        report = load.report()
    assert report["ok"] and report["opened"] == 60 and report["closed"] == 60


def test_same_seed_gives_the_same_messages():
    async def first_message(seed):
        seen = asyncio.get_running_loop().create_future()

        async def note(ws):
            async for message in ws:
                if not seen.done():
                    seen.set_result(message)
                await ws.send(message)

        async with server(note) as url:
            with field.Load(url, connections=1, message_interval=0.05, seed=seed) as load:
                message = await asyncio.wait_for(seen, 10)
                await asyncio.to_thread(load.stop)
        return message

    messages = [asyncio.run(first_message(seed)) for seed in (5, 5, 6)]
    assert messages[0] == messages[1] != messages[2]


def test_lives_are_of_seed_and_client_alone_whatever_is_said():
    async def lives(seed, message_interval):
        """How long the first client's first three connections stood."""
        seen, third = [], asyncio.get_running_loop().create_future()

        async def note(ws):
            began = time.monotonic()
            async for message in ws:
                await ws.send(message)
            seen.append(time.monotonic() - began)
            if len(seen) == 3:
                third.set_result(True)

        async with server(note) as url:
            with field.Load(url, connections=1, lifetime=0.6, message_interval=message_interval,
                            seed=seed):
                await asyncio.wait_for(third, 20)
        return seen

    def differ(a, b):
        return max(abs(x - y) for x, y in zip(a, b))

    silent, talking = (asyncio.run(lives(5, interval)) for interval in (0, 0.02))
    assert differ(silent, talking) < 0.15, (silent, talking)
    other = asyncio.run(lives(6, 0))
    assert differ(silent, other) > 0.15, (silent, other)


@pytest.fixture(name="certificate", scope="module")
def self_signed_certificate(tmp_path_factory):
    """Paths of a certificate for localhost and its key."""
    directory = tmp_path_factory.mktemp("tls")
    cert, key = str(directory / "cert.pem"), str(directory / "key.pem")
    make_certificate(cert, key, "localhost", "DNS:localhost")
    return cert, key


def test_tls_serves_websockets_and_the_metric(certificate):
    cert, key = certificate
    trust = ssl.create_default_context(cafile=cert)

    async def scenario(pod):
        url = f"wss://localhost:{pod.port}/"
        async with websockets.connect(url, ssl=trust, compression=None) as ws:
            for message in ("text", os.urandom(300000)):
                await ws.send(message)
                assert await asyncio.wait_for(ws.recv(), 10) == message
            await asyncio.to_thread(plain_over_tls, pod)

    def plain_over_tls(pod):
        url = f"https://localhost:{pod.port}/metric"
        with urllib.request.urlopen(url, context=trust, timeout=5) as answer:
            assert json.load(answer) == {"agentsConnections": 1}

    with field.Pod("--cert", cert, "--key", key) as pod:
        asyncio.run(scenario(pod))


@pytest.mark.parametrize("insecure", [True, False])
def test_load_speaks_tls_and_trusts_strangers_only_if_told_to(certificate, insecure):
    cert, key = certificate
    with field.Pod("--cert", cert, "--key", key) as pod:
        with field.Load(f"wss://localhost:{pod.port}/", connections=5, message_interval=0.1,
                        message_bytes=20000, duration=0.6, insecure=insecure) as load:
            report = load.report()
    assert report["ok"] == insecure
    assert (report["messages"] >= 5) == insecure and (report["failed"] >= 5) != insecure


class LoadByName(field.Load):
    """wsload where the name "both" has these addresses, in a mount namespace of its own."""

    def __init__(self, hosts, *urls, **options):
        self.hosts = hosts
        super().__init__(*urls, **options)

    def command(self, argv):
        return in_namespace("sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(self.hosts), *argv)


@pytest.fixture(name="hosts")
def two_addresses_of_a_name(tmp_path):
    path = tmp_path / "hosts"
    path.write_text("::1 both\n127.0.0.1 both\n")
    return path


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_load_finds_the_address_of_a_name_that_answers(hosts, host):
    with field.Pod(host=host) as pod:
        with LoadByName(hosts, f"ws://both:{pod.port}/", connections=40, rate=200, lifetime=0.2,
                        duration=1) as load:
            load.wait_standing()
            report = load.report()
    assert report["ok"] and report["failed"] == 0 and report["opened"] > 60, report


def test_an_attempt_fails_once_however_many_addresses_there_are_and_why_is_the_truth(hosts, certificate):
    cert, key = certificate
    with field.Pod("--cert", cert, "--key", key) as pod:
        options = {"connections": 1, "duration": 0.5, "reconnect_ms": 60000}
        with LoadByName(hosts, f"wss://both:{pod.port}/", **options) as load:
            distrusted = load.report()
        with LoadByName(hosts, f"wss://127.0.0.1:{pod.port}/", **options) as load:
            named = load.report()
    # libwebsockets words it as its version has it, and one way for names and another for addresses.
    for report in (distrusted, named):
        [why] = report["why_failed"]
        assert any(word in why.lower() for word in ("cert", "ssl", "tls")), report
    assert distrusted["failed"] == 1
    with LoadByName(hosts, f"wss://both:{free_port()}/", **options) as load:
        assert load.report()["failed"] == 1


# --- command lines -------------------------------------------------------------------------------


@pytest.mark.parametrize("argv,clue", [
    (["wspod", "--listen", "localhost:80"], "ADDR:PORT"),
    (["wspod", "--listen", "127.0.0.1"], "ADDR:PORT"),
    (["wspod", "--listen", "127.0.0.1:65536"], "ADDR:PORT"),
    (["wspod", "--listen", "::1:80"], "ADDR:PORT"),
    (["wspod", "--listen", "[::1:80"], "ADDR:PORT"),
    (["wspod", "--listen", "127.0.0.1:+1"], "ADDR:PORT"),
    (["wspod", "--capacity", "0"], "from 1 to"),
    (["wspod", "--lie", "1.5"], "whole number"),
    (["wspod", "--lie", "99999999999999999999"], "whole number"),
    (["wspod", "--metric-status", "99"], "from 200 to 599"),
    (["wspod", "--metric-path", "metric"], "begin with '/'"),
    (["wspod", "--metric-delay", ""], "whole number"),
    (["wspod", "--subprotocol", "a b"], "letters"),
    (["wspod", "--cert", "x"], "go together"),
    (["wspod", "--nonsense"], "unknown option '--nonsense'"),
    (["wspod", "-z"], "unknown option '-z'"),
    (["wspod", "--listen"], "needs a value"),
    (["wspod", "word"], "'word' belongs to no option"),
    (["wsload", "--target", "http://127.0.0.1/"], "ws://"),
    (["wsload", "--target", "ws://"], "ws://"),
    (["wsload", "--target", "ws://127.0.0.1:0/"], "ws://"),
    (["wsload", "--target", "ws://127.0.0.1:1x/"], "ws://"),
    (["wsload", "--target", "ws://no-such-host.invalid/"], "cannot be found"),
    (["wsload", "--connections", "-1"], "from 1 to"),
    (["wsload", "--connections", " 1"], "whole number"),
    (["wsload", "--rate", "nan"], "must be a number"),
    (["wsload", "--rate", "1e400"], "must be a number"),
    (["wsload", "--lifetime", "0x10"], "must be a number"),
    (["wsload", "--lifetime-spread", "normal"], "exponential"),
    (["wsload", "--storm", "5"], "SECOND:FRACTION"),
    (["wsload", "--storm", "5:1.1"], "SECOND:FRACTION"),
    (["wsload", "--json=1"], "unknown option"),
], ids=lambda value: " ".join(value[1:]) if isinstance(value, list) else None)
def test_wrong_command_line_gives_one_line_and_status_2(argv, clue):
    # A name server that does not answer is asked again and again.
    done = subprocess.run([binary(argv[0]), *argv[1:]], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(argv[0] + ": ") and clue in done.stderr


@pytest.mark.parametrize("name", ["wspod", "wsload"])
def test_help_fits_a_terminal(name):
    done = subprocess.run([binary(name), "--help"], capture_output=True, text=True,
                          timeout=10, check=False)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith(f"usage: {name} ")
    assert all(len(line) <= 100 for line in done.stdout.splitlines())


def test_pod_says_which_address_is_taken(pod):
    done = subprocess.run([binary("wspod"), "--listen", pod.address], capture_output=True,
                          text=True, timeout=10, check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "in use" in done.stderr


def test_report_is_readable_without_json(pod):
    done = subprocess.run([binary("wsload"), "--target", pod.url, "--connections", "3",
                           "--duration", "0.3", "--message-interval", "0.1", "--progress"],
                          capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("opened     3 ") and done.stdout.endswith("\nok\n")
    assert "standing 3 after " in done.stderr


def test_progress_is_json_lines(pod):
    with field.Load(pod.url, connections=5, duration=2.2, message_interval=0.1,
                    progress=True) as load:
        report = load.report()
        lines = load.progress()
    assert len(lines) == 2 and lines[1]["open"] == 5
    assert report["messages"] >= lines[1]["messages"] > lines[0]["messages"]
    assert json.dumps(report)
