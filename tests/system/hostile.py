# SPDX-License-Identifier: MIT
"""Servers that answer HTTP requests with bytes of the test's own, for as long as the client stays."""
import itertools
import socket
import socketserver
import threading
import zlib

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Hostile:
    """answer() gives the pieces of each answer; .address is where it listens. Heads of requests are added
    to heads, which is a list."""

    def __init__(self, answer, heads=None):
        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    while line := self.rfile.readline():
                        head = [line]
                        while line.strip():
                            line = self.rfile.readline()
                            head.append(line)
                        if heads is not None:
                            heads.append(b"".join(head).decode())
                        for piece in answer():
                            self.connection.sendall(piece)
                except OSError:
                    pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.server.shutdown()
        self.server.server_close()


def with_body(body, *headers):
    """A whole answer."""
    lines = b"".join(header + b"\r\n" for header in headers)
    return [OK + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body]


def gzip_bomb(times=4, blocks=60_000_000):
    """Gzip around gzip around ... around a stream of blocks that hold nothing."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    empty = b"\x00\x00\x00\xff\xff" * 20000
    data = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
    body = packer.compress(data)
    for _ in range(blocks // 20000):
        body += packer.compress(empty)
    body += packer.flush()
    for _ in range(times - 2):
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        body = packer.compress(body) + packer.flush()
    return body


def endless(head, piece):
    return lambda: itertools.chain([head], itertools.repeat(piece))
