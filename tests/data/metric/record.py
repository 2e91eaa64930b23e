#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Records anew what servers answer (README.md in this folder): make record-presets.

Go modules and npm packages are built in a cache outside the tree. A server that cannot be had is said and
left as it is. What is recorded is what it answers: look at the difference before it is kept."""
import asyncio
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

import websockets

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[2]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "haproxy-wsbalancer/presets"
MODULES = {  # program: module, version, package
    "nats-server": ("github.com/nats-io/nats-server/v2", "v2.15.3", ""),
    "centrifugo": ("github.com/centrifugal/centrifugo/v6", "v6.9.1", ""),
    "anycable-go": ("github.com/anycable/anycable-go", "v1.5.0", "/cmd/anycable-go"),
    "mercure": ("github.com/dunglas/mercure", "v0.18.2", None),
}
HUB = """package main

import (
	"net/http"

	"github.com/dunglas/mercure"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	registry := prometheus.NewRegistry()
	hub, err := mercure.NewHub(mercure.WithAnonymous(), mercure.WithMetrics(mercure.NewPrometheusMetrics(registry)))
	if err != nil {
		panic(err)
	}
	http.Handle("/.well-known/mercure", hub)
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	panic(http.ListenAndServe("127.0.0.1:18100", nil))
}
"""


def build(name):
    module, version, package = MODULES[name]
    folder = CACHE / name
    binary = folder / name
    if binary.exists():
        return binary
    folder.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod"}

    def go(*words):
        subprocess.run(["go", *words], cwd=folder, env=environment, check=True)

    if not (folder / "go.mod").exists():
        go("mod", "init", "presets")
    go("get", f"{module}@{version}")
    if package is None:
        (folder / "main.go").write_text(HUB)
    go("build", "-o", str(binary), "." if package is None else module + package)
    return binary


@contextlib.contextmanager
def running(port, *command, cwd=None):
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


def save(name, url, body=None):
    request = urllib.request.Request(url, data=body)
    with urllib.request.urlopen(request, timeout=5) as answer:
        (HERE / name).write_bytes(answer.read())


def nats():
    with running(18222, str(build("nats-server")), "-m", "18222", "-p", "14222"), contextlib.ExitStack() as stack:
        for _ in range(2):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", 14222)))
            client.sendall(b'CONNECT {"verbose":false}\r\nPING\r\n')
            client.recv(4096)
        time.sleep(0.5)
        save("nats-varz.json", "http://127.0.0.1:18222/varz")


async def with_websockets(n, url, then, first=None, **options):
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(n):
            client = await stack.enter_async_context(websockets.connect(url, **options))
            if first:
                await client.send(first)
            await client.recv()
        await asyncio.to_thread(then)


def centrifugo():
    config = CACHE / "centrifugo.json"
    program = build("centrifugo")
    config.write_text(json.dumps({
        "prometheus": {"enabled": True}, "http_server": {"port": "18000"}, "client": {"insecure": True},
        "http_api": {"insecure": True}}))

    def read():
        time.sleep(1)
        save("centrifugo.prom", "http://127.0.0.1:18000/metrics")
        save("centrifugo-info.json", "http://127.0.0.1:18000/api/info", b"{}")

    with running(18000, str(program), "-c", str(config)):
        asyncio.run(with_websockets(3, "ws://127.0.0.1:18000/connection/websocket", read, '{"id":1,"connect":{}}'))


def anycable():
    def read():
        time.sleep(12)
        save("anycable.prom", "http://127.0.0.1:18400/metrics")

    with running(18400, str(build("anycable-go")), "--port", "18400", "--metrics_http=/metrics",
                 "--broadcast_adapter=http", "--norpc", "--public"):
        asyncio.run(with_websockets(2, "ws://127.0.0.1:18400/cable", read, subprotocols=["actioncable-v1-json"]))


def mercure():
    with running(18100, str(build("mercure"))), contextlib.ExitStack() as stack:
        for _ in range(3):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", 18100)))
            client.sendall(b"GET /.well-known/mercure?topic=a HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(1)
        save("mercure.prom", "http://127.0.0.1:18100/metrics")


def wspod():
    with running(18304, str(TOP / "build/wspod"), "--listen", "127.0.0.1:18304"):
        save("wspod.json", "http://127.0.0.1:18304/metric")


def main():
    recorders = [nats, centrifugo, anycable, mercure, wspod]
    wanted = sys.argv[1:]
    failed = []
    for recorder in recorders:
        if wanted and recorder.__name__ not in wanted:
            continue
        try:
            recorder()
            print("recorded", recorder.__name__)
        except (OSError, subprocess.CalledProcessError) as error:
            failed.append(recorder.__name__)
            print(f"cannot record {recorder.__name__}: {error}", file=sys.stderr)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
