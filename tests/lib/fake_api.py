# SPDX-License-Identifier: MIT
"""A small Kubernetes API server for EndpointSlices, which does wrong what it is told to.

It speaks what client-go expects (real kubectl is the judge, in test_fake_api.py) and adds the faults that a
real API server does not have on cue. Every request and every byte is under the test's control.
"""
import collections
import http.server
import json
import queue
import socket
import ssl
import struct
import threading
import time
import urllib.parse

from ports import free_port

GROUP = "discovery.k8s.io/v1"
SLICES = f"/apis/{GROUP}/namespaces/"

# What kubectl asks before it asks for anything.
DISCOVERY = {
    "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [{
        "name": "discovery.k8s.io", "versions": [{"groupVersion": GROUP, "version": "v1"}],
        "preferredVersion": {"groupVersion": GROUP, "version": "v1"}}]},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": []},
    f"/apis/{GROUP}": {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": GROUP, "resources": [{
        "name": "endpointslices", "singularName": "endpointslice", "namespaced": True,
        "kind": "EndpointSlice", "verbs": ["get", "list", "watch"]}]},
}


def endpoint(address, ready=True, serving=None, terminating=False, pod=None, uid=None, node=None, zone=None):
    """An endpoint as the endpointslice controller writes it."""
    serving = ready if serving is None else serving
    made = {"addresses": [address],
            "conditions": {"ready": ready, "serving": serving, "terminating": terminating}}
    if pod:
        made["targetRef"] = {"kind": "Pod", "namespace": "default", "name": pod, "uid": uid or f"uid-{pod}"}
    if node:
        made["nodeName"] = node
    if zone:
        made["zone"] = zone
    return made


def status(code, reason, message):
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code,
            "reason": reason, "message": message}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        api = self.server.api
        url = urllib.parse.urlsplit(self.path)
        query = {key: values[0] for key, values in urllib.parse.parse_qs(url.query).items()}
        if url.path in DISCOVERY:
            self.answer(200, DISCOVERY[url.path])
        elif url.path.startswith("/api/v1/namespaces/") and "/services/" in url.path:
            name = url.path.rpartition("/")[2]
            api.note("service", query, self.headers)
            if name in api.services:
                self.answer(200, api.services[name])
            else:
                self.answer(403, status(403, "Forbidden", f'services "{name}" is forbidden'))
        elif not (url.path.startswith(SLICES) and url.path.endswith("/endpointslices")):
            self.answer(404, status(404, "NotFound", "no such path"))
        elif api.tokens is not None and self.headers.get("Authorization") not in api.bearers():
            api.note("401", query, self.headers)
            self.answer(401, status(401, "Unauthorized", "Unauthorized"))
        elif query.get("watch") in ("1", "true"):
            api.note("watch", query, self.headers)
            self.watch(api, query)
        elif "limit" in query:
            # Whether the server answers at all: no test counts it, and no fault of the lists meets it.
            api.note("probe", query, self.headers)
            if not api.frozen.is_set():
                self.answer(200, api.listing(query))
            else:
                api.stopping.wait(60)
                self.cut(True)
        else:
            api.note("list", query, self.headers)
            if api.frozen.is_set():
                api.stopping.wait(60)
                self.cut(True)
                return
            self.list(api, query)

    def answer(self, code, body, **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode() + b"\n"
        self.send_response(code)
        self.send_header("Content-Type", "text/plain" if code == 429 else "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def list(self, api, query):
        fault = api.next_fault(api.list_faults)
        kind = fault.pop("kind", "ok")
        if kind == "http":
            code = fault["code"]
            headers = {"Retry_After": str(fault["retry_after"])} if "retry_after" in fault else {}
            body = b"too many\n" if code == 429 else status(code, "Because", f"the test says {code}")
            self.answer(code, body, **headers)
            return
        body = json.dumps(api.listing(query)).encode() + b"\n"
        if kind == "slow":
            time.sleep(fault["seconds"])
        elif kind == "body":
            body = fault["body"]
        elif kind == "huge":
            body = b'{"metadata":{"resourceVersion":"1"},"pad":"' + b"x" * fault["bytes"] + b'"}'
        if kind in ("half", "rst"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:len(body) // 2])
            self.cut(kind == "rst")
        elif kind == "hang":
            api.stopping.wait(fault["seconds"])
            self.cut(True)
        else:
            self.answer(200, body)

    def cut(self, reset=False):
        """Ends the connection: with a FIN, or with a RST."""
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        try:
            self.wfile.flush()
        except OSError:
            pass
        self.connection.close()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def watch(self, api, query):
        fault = api.next_fault(api.watch_faults)
        kind = fault.pop("kind", "ok")
        if kind == "http":
            self.answer(fault["code"], status(fault["code"], "Because", "the test says so"))
            return
        events = queue.Queue()
        with api.lock:
            past = api.events_after(query.get("resourceVersion", "0"))
            if past is not None:
                for event in past:
                    events.put(("event", event))
            if kind == "ok" and past is not None:
                api.watches.append(events)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            if past is None:
                error = {"type": "ERROR", "object": status(410, "Expired", "too old resource version")}
                self.chunk(json.dumps(error).encode() + b"\n")
                self.chunk(b"")
            elif kind == "raw":
                self.chunk(fault["bytes"])
                self.chunk(b"")
            elif kind == "clean":
                self.chunk(b"")
            elif kind in ("fin", "rst"):
                self.cut(kind == "rst")
            elif kind == "stall":
                api.stopping.wait(fault["seconds"])
                self.cut(True)
            else:
                end = time.monotonic() + float(query.get("timeoutSeconds", "1800"))
                self.stream(api, events, end)
        except OSError:
            self.close_connection = True
        finally:
            with api.lock:
                if events in api.watches:
                    api.watches.remove(events)

    def stream(self, api, events, end):
        while time.monotonic() < end and not api.stopping.is_set():
            try:
                what, value = events.get(timeout=0.05)
            except queue.Empty:
                continue
            if what == "event":
                for piece in api.framing(value):
                    self.chunk(piece)
            elif what == "raw":
                self.chunk(value)
            elif value == "clean":
                break
            elif value == "half":
                self.chunk(b'{"type":"MODIFIED","object":{"metadata":{"name":"ha')
                self.cut()
                return
            else:
                self.cut(value == "rst")
                return
        self.chunk(b"")


def plain(event):
    return [json.dumps(event).encode() + b"\n"]


def byte_by_byte(event):
    return [bytes([byte]) for byte in json.dumps(event, ensure_ascii=False).encode() + b"\n"]


def pretty_crlf(event):
    return [json.dumps(event, indent=2).replace("\n", "\r\n").encode() + b"\r\n"]


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


class FakeApi:
    """One namespace's EndpointSlices. Use as a context manager."""

    def __init__(self, tls=None, tokens=None):
        self.tls = tls          # certificate and key, or None for plain HTTP
        self.tokens = tokens    # the tokens that are taken, or None for anybody
        self.lock = threading.RLock()
        self.services = {}      # name to Service, of those that may be read
        self.slices = {}
        self.history = []       # (version, event)
        self.version = 100
        self.floor = 100        # older versions are forgotten
        self.watches = []
        self.list_faults = collections.deque()
        self.watch_faults = collections.deque()
        self.requests = []      # (kind, query, headers)
        self.framing = plain
        self.stopping = threading.Event()
        self.frozen = threading.Event()  # connections are taken, and nothing is answered
        self.server = None
        self.port = free_port()  # not of those that the kernel gives: nobody may get it while the server is away

    def __enter__(self):
        self.up()
        return self

    def __exit__(self, *_):
        self.down()

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def up(self):
        """Listens, on the same port as before."""
        self.stopping.clear()
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.api = self
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def down(self):
        """Ends all watches and takes no more connections."""
        self.end_watches("rst")
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def bearers(self):
        return [f"Bearer {token}" for token in self.tokens]

    def note(self, kind, query, headers):
        with self.lock:
            self.requests.append((kind, query, dict(headers)))

    def count(self, kind):
        with self.lock:
            return sum(1 for request in self.requests if request[0] == kind)

    def next_fault(self, faults):
        with self.lock:
            return dict(faults.popleft()) if faults else {}

    def listing(self, query):
        with self.lock:
            return {"kind": "EndpointSliceList", "apiVersion": GROUP,
                    "metadata": {"resourceVersion": str(self.version)},
                    "items": [made for made in self.slices.values() if self.selected(made, query)]}

    @staticmethod
    def selected(made, query):
        selector = query.get("labelSelector")
        if not selector:
            return True
        name, _, value = selector.partition("=")
        return made["metadata"]["labels"].get(name) == value

    def events_after(self, version):
        """What a watch from that version is told first; None: it is forgotten. From the future: nothing."""
        if not version.isdigit() or int(version) < self.floor:
            return None
        return [event for at, event in self.history if at > int(version)]

    def publish(self, kind, made):
        with self.lock:
            self.version += 1
            made["metadata"]["resourceVersion"] = str(self.version)
            event = {"type": kind, "object": json.loads(json.dumps(made))}
            self.history.append((self.version, event))
            for watch in self.watches:
                watch.put(("event", event))

    def set_slice(self, name, endpoints, service="web", ports=None, family="IPv4"):
        """Makes or changes a slice and tells the watches."""
        with self.lock:
            kind = "MODIFIED" if name in self.slices else "ADDED"
            made = {"kind": "EndpointSlice", "apiVersion": GROUP, "addressType": family,
                    "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}",
                                 "labels": {"kubernetes.io/service-name": service}},
                    "endpoints": endpoints,
                    "ports": [{"name": "ws", "port": 8080, "protocol": "TCP"}] if ports is None else ports}
            self.slices[name] = made
            self.publish(kind, made)

    def delete_slice(self, name):
        with self.lock:
            self.publish("DELETED", self.slices.pop(name))

    def change_unseen(self, name, endpoints):
        """A change that no watch is told of: only a list shows it."""
        with self.lock:
            self.slices[name]["endpoints"] = endpoints

    def bookmark(self):
        with self.lock:
            event = {"type": "BOOKMARK", "object": {
                "kind": "EndpointSlice", "apiVersion": GROUP, "addressType": "", "endpoints": None, "ports": None,
                "metadata": {"resourceVersion": str(self.version), "creationTimestamp": None}}}
            for watch in self.watches:
                watch.put(("event", event))

    def send_raw(self, data):
        """Bytes into every watch, as one chunk."""
        with self.lock:
            for watch in self.watches:
                watch.put(("raw", data))

    def end_watches(self, how):
        """clean, fin, rst, or half: a FIN within an object."""
        with self.lock:
            for watch in self.watches:
                watch.put(("end", how))

    def forget(self):
        """Versions so far are too old from now on."""
        with self.lock:
            self.version += 1
            self.floor = self.version
            self.history.clear()
