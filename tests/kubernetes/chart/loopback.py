# SPDX-License-Identifier: MIT
"""A real HAProxy with the configuration that the chart makes, and what stands around it in a pod: no container."""
import base64
import contextlib
import hashlib
import http.server
import pathlib
import re
import socket
import ssl
import subprocess
import threading

import tools
from balancer import ask
from ports import free_port
from program import DEADLINE_S, until


def held_port():
    """
    A socket bound to a port that the kernel gave. HAProxy binds with SO_REUSEPORT, so it can share the port,
    and nobody else takes it meanwhile; this socket does not listen, so no connection comes here.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind(("127.0.0.1", 0))
    return held


def local(cfg, folder):
    """The configuration moved to this machine: on loopback only, files in the test's folder."""
    for place in "/run/haproxy/", "/usr/local/etc/haproxy/", "/etc/haproxy/":
        cfg = cfg.replace(place, f"{folder}/")
    return re.sub(r"(?m)^(    bind ):+(\d+)( v4v6)?", r"\g<1>127.0.0.1:\2", cfg)


class Answers(http.server.BaseHTTPRequestHandler):
    """Opens a WebSocket where asked to (to no end but the handshake), else says who it is and what it was sent."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.headers.get("Upgrade") == "websocket":
            accept = websocket_accept(self.headers["Sec-WebSocket-Key"])
            self.send_response(101)
            for name, value in ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.flush()
            self.rfile.read(1)
            self.close_connection = True
            return
        body = f"{self.server.name}\n{self.path}\n{self.headers}".encode()
        if self.path == "/metric" and self.server.connections is not None:
            body = b'{"agentsConnections": %d, "podName": "%s"}' % (self.server.connections, self.server.name.encode())
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


def websocket_accept(key):
    """RFC 6455, 4.2.2; HAProxy verifies it."""
    return base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()


@contextlib.contextmanager
def server(name, port=0, connections=None):
    """An HTTP server under a name, which may report connections at /metric; gives its port."""
    with new_server(name, port, connections) as httpd:
        with serving(httpd):
            yield httpd.server_address[1]


def new_server(name, port=0, connections=None, handler=Answers):
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    httpd.name = name
    httpd.connections = connections
    return httpd


@contextlib.contextmanager
def serving(httpd):
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        httpd.shutdown()
        thread.join()


class Balancer:
    """HAProxy as the chart configures it."""

    def __init__(self, folder, *values, services=None):
        """services: a file of values that names the Services; else there is one, my-app."""
        self.folder = pathlib.Path(folder)
        self.held = [held_port() for _ in range(3)]
        self.http, self.https, self.stat = (held.getsockname()[1] for held in self.held)
        self.agent, self.check = free_port(), free_port()
        ports = (f"containerPorts.http={self.http},containerPorts.https={self.https},"
                 f"containerPorts.stat={self.stat},agent.port={self.agent},agent.agentCheck.port={self.check}")
        named = ("-f", services) if services else ("--set", "services[0].name=my-app")
        self.text = tools.template(*named, "--set", f"slots=4,{ports}", *values)
        self.file = self.folder / "haproxy.cfg"
        self.docs = tools.documents(self.text)
        files = tools.one(self.docs, "ConfigMap", "-haproxy")["data"]
        for name, text in files.items():
            (self.folder / name).write_text(local(text, self.folder))
        self.process = None

    def __enter__(self):
        path = self.folder / "haproxy.log"
        with open(path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(["haproxy", "-W", "-db", "-f", self.file], stdout=log, stderr=log)

        def answers():
            assert self.process.poll() is None, path.read_text()
            return self.try_get("/live") == 200

        try:
            until(answers, "HAProxy answers")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(DEADLINE_S)
        finally:
            self.process.kill()
            for held in self.held:
                held.close()

    def try_get(self, path):
        try:
            return self.get(path, port=self.stat)[0]
        except OSError:
            return None

    def get(self, path, port=None, headers="", host="h"):
        """Status and whole answer of one request."""
        with socket.create_connection(("127.0.0.1", port or self.http), DEADLINE_S) as link:
            link.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n".encode())
            answer = b"".join(iter(lambda: link.recv(65536), b"")).decode()
        return int(answer.split()[1]), answer

    def tls_get(self, path, headers="", name="ws.example.com"):
        """The whole answer of one request inside TLS; the certificate must be that of the folder, and for the name."""
        context = ssl.create_default_context(cafile=self.folder / "tls/tls.crt")
        with socket.create_connection(("127.0.0.1", self.https), DEADLINE_S) as raw, \
                context.wrap_socket(raw, server_hostname=name) as link:
            link.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}\r\n".encode())
            return b"".join(iter(lambda: link.recv(65536), b"")).decode()

    @contextlib.contextmanager
    def open_tls(self, name):
        """A connection inside TLS, whatever certificate there is."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.https), DEADLINE_S) as raw, \
                context.wrap_socket(raw, server_hostname=name) as link:
            yield link

    def presented(self, name):
        """The certificate that a client is shown who asks for this name."""
        with self.open_tls(name) as link:
            return ssl.DER_cert_to_PEM_cert(link.getpeercert(binary_form=True)).strip()

    def open_websocket(self):
        """A connection whose WebSocket handshake went through; the caller closes it."""
        link = socket.create_connection(("127.0.0.1", self.http), DEADLINE_S)
        link.sendall(b"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                     b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: d3NiYWxhbmNlci10ZXN0MQ==\r\n\r\n")
        return link

    def command(self, line):
        """What the Runtime API answers."""
        return ask(self.folder / "admin.sock", line)

    def synced(self):
        """What the agent says when it has filled the slots."""
        self.command("experimental-mode on;set var proc.synced int(1)")

    def fill(self, slot, port, backend="my-app"):
        """What the agent does with a pod that is ready."""
        self.command(f"set server {backend}/{slot} addr 127.0.0.1 port {port};"
                     f"set server {backend}/{slot} state ready")
