# SPDX-License-Identifier: MIT
"""Servers that HAProxy's resolvers fill: a slot that moves is another pod, and the ends are warned of."""
import ipaddress
import socket
import threading
import time

from balancer import Agent, HAProxy
from field import Load, Pod
from ports import free_port
from program import until


class Dns:
    """Answers every question for an A record with .addresses."""

    def __init__(self):
        self.addresses = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                query, client = self.socket.recvfrom(512)
            except OSError:
                return
            end = query.index(b"\0", 12) + 5
            found = self.records(int.from_bytes(query[end - 4:end - 2], "big"))
            header = query[:2] + b"\x81\x80\0\1" + len(found).to_bytes(2, "big") + b"\0\0\0\0"
            self.socket.sendto(header + query[12:end] + b"".join(found), client)

    def records(self, kind):
        """What is known of this kind, RFC 1035; A is 1."""
        addresses = self.addresses if kind == 1 else []
        return [b"\xc0\x0c\0\1\0\1\0\0\0\x05\0\4" + ipaddress.ip_address(a).packed for a in addresses]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def template(dns, n, port):
    """The lines of a backend with n slots, and of its resolvers."""
    resolvers = (f"resolvers dns\n\tnameserver one 127.0.0.1:{dns.port}\n"
                 "\taccepted_payload_size 8192\n\ttimeout resolve 200ms\n\ttimeout retry 200ms\n"
                 "\thold obsolete 0s\n")
    line = (f"\tserver-template pod {n} web.test:{port} weight 100 resolvers dns init-addr none "
            "resolve-prefer ipv4")
    return line, resolvers


def test_a_slot_that_dns_moves_is_another_pod():
    with Dns() as dns, Pod(listen=[f"127.0.0.1:{free_port('')}"]) as first:
        port = first.port
        with Pod(listen=[f"127.0.0.2:{port}", f"127.0.0.3:{port}"], env={"POD_NAME": "later"}) as later:
            dns.addresses = ["127.0.0.1", "127.0.0.2"]
            line, resolvers = template(dns, 4, port)
            with HAProxy([], backend=line, more=resolvers) as haproxy, Agent(haproxy) as agent, \
                    Load(first.url, connections=30, rate=2000) as load:
                load.wait_standing()

                def pods():
                    return {p["address"].split(":")[0]: p for p in agent.json()["podMetrics"]
                            .get(f"http://web.test:{port}", []) if p["address"]}

                until(lambda: set(pods()) == {"127.0.0.1", "127.0.0.2"}, "both pods")
                until(lambda: pods()["127.0.0.1"]["haproxy_weight"] * 2 <
                      pods()["127.0.0.2"]["haproxy_weight"], "the loaded pod's small weight")
                dns.addresses = ["127.0.0.3", "127.0.0.2"]
                until(lambda: set(pods()) == {"127.0.0.2", "127.0.0.3"}, "the slot to move")
                until(lambda: pods()["127.0.0.3"]["haproxy_weight"] ==
                      pods()["127.0.0.2"]["haproxy_weight"] != 100, "the new pod's own weight")
                assert pods()["127.0.0.3"]["podName"] == "later-1"
                assert not any("found by DNS" in line for line in agent.err)
            later.stop()


def test_a_template_without_a_free_slot_is_said_once():
    with Dns() as dns, Pod() as pod:
        dns.addresses = ["127.0.0.1", "127.0.0.2"]
        line, resolvers = template(dns, 2, pod.port)
        with HAProxy([], backend=line, more=resolvers) as haproxy, Agent(haproxy) as agent:
            assert "servers=2" in agent.wait_log("every server found by DNS is in use")
            # Further rounds say nothing more.
            until(lambda: time.time() - agent.json()["agent"]["started_at"] > 2, "some rounds")
            assert sum("found by DNS" in line for line in agent.err) == 1


def test_an_answer_that_is_almost_full_is_warned_of():
    with Dns() as dns:
        dns.addresses = [f"127.1.{i // 200}.{i % 200 + 1}" for i in range(405)]
        line, resolvers = template(dns, 450, 9)
        with HAProxy([], backend=line, more=resolvers) as haproxy, Agent(haproxy) as agent:
            assert "servers=405" in agent.wait_log("close to what a DNS answer over UDP holds")
