# SPDX-License-Identifier: MIT
"""Long-lived connections that are no WebSockets: server-sent events, a language model's stream, gRPC streams, and games
and MQTT in mode tcp. Each is filled from elsewhere on one pod, and new clients through HAProxy make the pods even."""
import contextlib
import http.server
import json
import socket
import socketserver
import threading
from concurrent import futures

import grpc
import pytest

from balancer import Agent, HAProxy
from ports import free_port
from program import until


class Counter:
    """How many are connected, and until when they are let stay."""

    def __init__(self):
        self.lock, self.n, self.over = threading.Lock(), 0, threading.Event()

    def __enter__(self):
        with self.lock:
            self.n += 1

    def __exit__(self, *_):
        with self.lock:
            self.n -= 1


class Threaded(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads, allow_reuse_address, request_queue_size = True, True, 128

    def __init__(self, host, handler, port=0):
        super().__init__((host, port), handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self):
        return "%s:%d" % self.server_address


def http_handler(counter, pages, stream=None):
    """Answers pages, {path: () -> (type, text)}; everything else is a stream whose end nobody waits for."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            if self.path in pages:
                kind, text = pages[self.path]()
                body = text.encode()
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.close_connection = True
            with counter:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(stream)
                    self.wfile.flush()
                    # Until the client goes, or the pod.
                    self.connection.settimeout(0.2)
                    while not counter.over.is_set():
                        with contextlib.suppress(TimeoutError):
                            if not self.connection.recv(1):
                                return

        do_POST = do_GET

        def log_message(self, *_):
            pass

    return Handler


def as_json(counter):
    return {"/metric": lambda: ("application/json", json.dumps({"agentsConnections": counter.n}))}


class HttpPod:
    """A pod that streams; its page is on the same port."""

    def __init__(self, host, stream, pages=as_json):
        self.counter = Counter()
        self.server = Threaded(host, http_handler(self.counter, pages(self.counter), stream))
        self.address = self.server.address

    def close(self):
        self.counter.over.set()
        self.server.shutdown()
        self.server.server_close()


def vllm_page(counter):
    return {"/metrics": lambda: ("text/plain", "# TYPE vllm:num_requests_running gauge\n"
                                 f'vllm:num_requests_running{{model_name="m"}} {counter.n}.0\n'
                                 "# TYPE vllm:num_requests_waiting gauge\n"
                                 'vllm:num_requests_waiting{model_name="m"} 0.0\n')}


class TcpPod:
    """Answers greeting with answer and then is quiet, as a game's server or an MQTT broker; its page is elsewhere."""

    def __init__(self, host, page_port, greeting, answer):
        self.counter = counter = Counter()

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.settimeout(0.2)
                got = b""
                with counter, contextlib.suppress(OSError):
                    while not counter.over.is_set():
                        with contextlib.suppress(TimeoutError):
                            chunk = self.request.recv(100)
                            if not chunk:
                                return
                            got += chunk
                            if got == greeting:
                                self.request.sendall(answer)

        self.server = Threaded(host, Handler)
        self.page = Threaded(host, http_handler(counter, as_json(counter)), page_port)
        self.address = self.server.address

    def close(self):
        self.counter.over.set()
        for server in (self.server, self.page):
            server.shutdown()
            server.server_close()


class GrpcPod:
    """A real gRPC server with one method, whose stream does not end; its page is elsewhere."""

    def __init__(self, host, page_port):
        self.counter = counter = Counter()

        def watch(request, context):
            with counter:
                yield b"first:" + request
                over = threading.Event()
                context.add_callback(over.set)
                over.wait()

        self.server = grpc.server(futures.ThreadPoolExecutor(max_workers=64))
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
            "test.Chat", {"Watch": grpc.unary_stream_rpc_method_handler(watch)}),))
        self.address = f"{host}:{self.server.add_insecure_port(host + ':0')}"
        self.server.start()
        self.page = Threaded(host, http_handler(counter, as_json(counter)), page_port)

    def close(self):
        self.server.stop(0).wait()
        self.page.shutdown()
        self.page.server_close()


def endpoint(address):
    host, _, port = address.rpartition(":")
    return host, int(port)


class RawClient:
    """Sends a request and waits for what a stream begins with."""

    def __init__(self, address, request, wanted):
        self.socket = socket.create_connection(endpoint(address), timeout=10)
        self.socket.sendall(request)
        got = b""
        while wanted not in got:
            chunk = self.socket.recv(4096)
            assert chunk, got
            got += chunk

    def close(self):
        self.socket.close()


class GrpcClient:
    def __init__(self, address):
        # A channel of its own for each: channels to one address would share a connection.
        self.channel = grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        self.call = self.channel.unary_stream("/test.Chat/Watch")(b"me", timeout=60)
        assert next(self.call) == b"first:me"

    def close(self):
        self.call.cancel()
        self.channel.close()


EVENT = b"data: {\"token\": \"Hel\"}\n\n"
GET = b"GET /events HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n"
ASK = b'{"stream": true}'
POST = b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(ASK), ASK)
# MQTT 3.1.1: CONNECT of client "a", and CONNACK.
CONNECT, CONNACK = b"\x10\x0d\0\4MQTT\4\2\0\x3c\0\1a", b"\x20\2\0\0"

# How its pod is made at an address, with a page at a port; how a client is; what is set; how HAProxy leads to it.
KINDS = {
    "server-sent events": (lambda host, _: HttpPod(host, EVENT), lambda a: RawClient(a, GET, EVENT), {}, "http"),
    "a language model": (lambda host, _: HttpPod(host, EVENT, vllm_page), lambda a: RawClient(a, POST, EVENT),
                         {"preset": "vllm"}, "http"),
    "MQTT": (lambda host, port: TcpPod(host, port, CONNECT, CONNACK), lambda a: RawClient(a, CONNECT, CONNACK), {}, "tcp"),
    "a game": (lambda host, port: TcpPod(host, port, b"JOIN\n", b"WELCOME\n"),
               lambda a: RawClient(a, b"JOIN\n", b"WELCOME\n"), {}, "tcp"),
    "gRPC streams": (GrpcPod, GrpcClient, {}, "h2"),
}


def configuration(pods, how, port):
    servers = "\n".join(f"\tserver p{i} {pod.address} weight 100{' proto h2' if how == 'h2' else ''}"
                        for i, pod in enumerate(pods))
    mode = "\tmode tcp\n" if how == "tcp" else ""
    return (f"frontend streams\n{mode}\ttimeout client 1h\n\tbind 127.0.0.1:{port}{' proto h2' if how == 'h2' else ''}\n"
            f"\tdefault_backend streams\n"
            f"backend streams\n{mode}\tbalance leastconn\n\ttimeout server 1h\n{servers}\n")


@pytest.mark.parametrize("kind", KINDS)
def test_streams_are_levelled_like_websockets(kind):
    make, connect, metric, how = KINDS[kind]
    port, page_port = free_port(), free_port()
    with contextlib.ExitStack() as stack:
        # One port for all pages, as pods have it that differ by their addresses.
        pods = [make(f"127.0.0.{11 + i}", page_port) for i in range(2)]
        for pod in pods:
            stack.callback(pod.close)
        if hasattr(pods[0], "page"):
            metric = metric | {"metricPort": page_port}
        haproxy = stack.enter_context(HAProxy([pods[0].address], more=configuration(pods, how, port)))
        agent = stack.enter_context(Agent(haproxy, config={"backends": [{"name": "streams", **metric}]}))

        def open_streams(address, n):
            for _ in range(n):
                stack.callback(connect(address).close)

        open_streams(pods[0].address, 12)
        agent.wait_ready()
        until(lambda: sorted(p["reported"] or 0 for p in sum(agent.json()["podMetrics"].values(), [])) == [0, 12],
              "the agent to know of the streams that are there")
        for _ in range(12):
            open_streams(f"127.0.0.1:{port}", 1)
            agent.wait_rounds(2)
        # leastconn alone would make 18 and 6 of it.
        assert [pod.counter.n for pod in pods] == pytest.approx([12, 12], abs=2)
