# SPDX-License-Identifier: MIT
"""Balancers that are not HAProxy, for the benchmark of peers: nginx, Envoy and Caddy, each with the
balancing that its makers recommend for long connections.

A peer is made of frontends, each a list of pods' addresses, and has a .url for each; pods that are not up
are left out by its health checks (nginx: by failed connects, it has no others). reload() changes its
configuration in the way that its operators do: nginx starts new workers, Envoy and Caddy take the new
configuration into the running process. restart() is what ends the connections of before after hard_stop_s:
old workers, an old process, the handlers of before.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import urllib.request

from ports import free_port
from program import Program, until

HERE = pathlib.Path(__file__).resolve().parent


def program(name):
    """Where Envoy or Caddy is, once get-peers has run; None where it is not to be had."""
    where = subprocess.run([HERE / "get-peers", "--where"], check=True, stdout=subprocess.PIPE, text=True)
    path = pathlib.Path(where.stdout.strip()) / name
    return path if path.exists() else None


def installed():
    """The names of the peers that can be run here."""
    return [name for name in PEERS
            if (shutil.which("nginx") if name == "nginx" else program(name))]


def ports_of(addresses):
    return [(address.rpartition(":")[0], int(address.rpartition(":")[2])) for address in addresses]


class Peer:
    """What all have in common; a subclass writes its configuration and starts its program."""

    def __init__(self, frontends, hard_stop_s=600):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="wsb-"))
        self.frontends, self.hard_stop_s = frontends, hard_stop_s
        self.ports = [free_port() for _ in frontends]
        self.urls = [f"ws://127.0.0.1:{port}/" for port in self.ports]
        self.programs = []
        self.epoch = 0

    def start(self, argv, env=None):
        self.programs.append(Program([str(word) for word in argv], env))
        return self.programs[-1]

    def answers(self):
        """A plain request goes through."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[0]}/metric", timeout=1) as reply:
                return reply.status == 200
        except OSError:
            return False

    def wait_up(self):
        until(self.answers, f"{type(self).__name__} to answer")

    def weights(self):
        return {}

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for program in self.programs:
            if program.running():
                program.signal(signal.SIGTERM)
        for program in self.programs:
            try:
                program.wait(5)
            except AssertionError:
                pass  # killed by wait: it had connections to end
        shutil.rmtree(self.dir, ignore_errors=True)


class Nginx(Peer):
    """least_conn, with the counts of all workers in a shared zone."""

    def __init__(self, frontends, hard_stop_s=600):
        super().__init__(frontends, hard_stop_s)
        blocks = ""
        for i, (addresses, port) in enumerate(zip(frontends, self.ports)):
            servers = "".join(f"server {a} max_fails=1 fail_timeout=1s;" for a in addresses)
            blocks += f"""
upstream ws{i} {{ zone ws{i} 512k; least_conn; {servers} }}
server {{ listen 127.0.0.1:{port};
 location / {{ proxy_pass http://ws{i}; proxy_http_version 1.1;
  proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $upgrade;
  proxy_connect_timeout 2s; proxy_read_timeout 1h; proxy_send_timeout 1h; }} }}"""
        self.file = self.dir / "nginx.conf"
        self.file.write_text(f"""
daemon off; pid {self.dir}/pid; error_log stderr crit; user root;
worker_processes 2; worker_rlimit_nofile 20000; worker_shutdown_timeout {hard_stop_s}s;
events {{ worker_connections 10000; }}
http {{ access_log off; client_body_temp_path {self.dir}/b; proxy_temp_path {self.dir}/p;
 fastcgi_temp_path {self.dir}/f; uwsgi_temp_path {self.dir}/u; scgi_temp_path {self.dir}/s;
 map $http_upgrade $upgrade {{ default upgrade; '' ''; }}{blocks} }}
""")
        self.start(["nginx", "-p", self.dir, "-c", self.file, "-e", "stderr"])
        self.wait_up()
        self.version = subprocess.run(["nginx", "-v"], stderr=subprocess.PIPE, text=True,
                                      check=True).stderr.split("/")[1].strip()

    def reload(self):
        self.programs[0].signal(signal.SIGHUP)

    restart = reload


class Envoy(Peer):
    """LEAST_REQUEST that looks at every host (FULL_SCAN), pods checked by TCP each 200 ms."""

    def __init__(self, frontends, hard_stop_s=600):
        super().__init__(frontends, hard_stop_s)
        self.program = program("envoy")
        self.write_listeners()
        (self.dir / "envoy.json").write_text(json.dumps({
            "node": {"id": "bench", "cluster": "bench"},
            "admin": {"address": self.address(free_port())},
            "dynamic_resources": {"lds_config": {
                "resource_api_version": "V3",
                "path_config_source": {"path": str(self.dir / "lds.json")}}},
            "static_resources": {"clusters": [
                self.cluster(i, addresses) for i, addresses in enumerate(frontends)]},
        }))
        self.run()
        self.version = subprocess.run([self.program, "--version"], stdout=subprocess.PIPE, text=True,
                                      check=True).stdout.rsplit("/", 4)[1]

    @staticmethod
    def address(port, host="127.0.0.1"):
        return {"socket_address": {"address": host, "port_value": port}}

    def cluster(self, i, addresses):
        breaker = {"max_connections": 100000, "max_requests": 100000, "max_pending_requests": 100000}
        return {
            "name": f"ws{i}", "type": "STATIC", "connect_timeout": "2s",
            "load_balancing_policy": {"policies": [{"typed_extension_config": {
                "name": "envoy.load_balancing_policies.least_request",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.load_balancing_policies"
                             ".least_request.v3.LeastRequest",
                    "selection_method": "FULL_SCAN"}}}]},
            "circuit_breakers": {"thresholds": [breaker]},
            "health_checks": [{
                "timeout": "1s", "interval": "0.2s", "no_traffic_interval": "0.2s",
                "unhealthy_threshold": 2, "healthy_threshold": 2, "tcp_health_check": {}}],
            "load_assignment": {"cluster_name": f"ws{i}", "endpoints": [{"lb_endpoints": [
                {"endpoint": {"address": self.address(port, host)}}
                for host, port in ports_of(addresses)]}]},
        }

    def write_listeners(self):
        """Another stat prefix each time: the listener is replaced, the clusters stay."""
        self.epoch += 1
        resources = [{
            "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
            "name": f"front{i}", "address": self.address(port),
            "filter_chains": [{"filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network"
                             ".http_connection_manager.v3.HttpConnectionManager",
                    "stat_prefix": f"front{i}_{self.epoch}",
                    "upgrade_configs": [{"upgrade_type": "websocket"}],
                    "stream_idle_timeout": "0s",
                    "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.http.router"
                                 ".v3.Router"}}],
                    "route_config": {"name": "all", "virtual_hosts": [{
                        "name": "all", "domains": ["*"], "routes": [{
                            "match": {"prefix": "/"},
                            "route": {"cluster": f"ws{i}", "timeout": "0s",
                                      "retry_policy": {"retry_on": "connect-failure",
                                                       "num_retries": 3}}}]}]}}}]}],
        } for i, port in enumerate(self.ports)]
        new = self.dir / "lds.new"
        new.write_text(json.dumps({"resources": resources}))
        os.replace(new, self.dir / "lds.json")

    def run(self):
        base = self.dir / "base-id"
        which = (["--base-id", base.read_text().strip()] if base.exists() else
                 ["--use-dynamic-base-id", "--base-id-path", base])
        self.start([self.program, "-c", self.dir / "envoy.json", "--log-level", "off",
                    "--concurrency", 2, "--drain-time-s", self.hard_stop_s,
                    "--parent-shutdown-time-s", self.hard_stop_s,
                    "--restart-epoch", len(self.programs), *which])
        self.wait_up()

    def reload(self):
        self.write_listeners()

    def restart(self):
        """Hot restart: a new process takes the sockets, the old one ends after hard_stop_s."""
        self.run()


class Caddy(Peer):
    """least_conn, pods checked each 200 ms."""

    def __init__(self, frontends, hard_stop_s=600):
        super().__init__(frontends, hard_stop_s)
        self.program = program("caddy")
        self.admin = free_port()
        (self.dir / "caddy.json").write_text(json.dumps(self.config()))
        self.start([self.program, "run", "--config", self.dir / "caddy.json"],
                   {"HOME": str(self.dir), "XDG_CONFIG_HOME": str(self.dir),
                    "XDG_DATA_HOME": str(self.dir)})
        self.wait_up()
        self.version = subprocess.run([self.program, "version"], stdout=subprocess.PIPE, text=True,
                                      check=True).stdout.split()[0].lstrip("v")

    def config(self):
        self.epoch += 1
        return {
            "admin": {"listen": f"127.0.0.1:{self.admin}"},
            "logging": {"logs": {"default": {"level": "ERROR"}}},
            "apps": {"http": {"servers": {f"front{i}": {
                "listen": [f"127.0.0.1:{port}"], "automatic_https": {"disable": True},
                "protocols": ["h1"],
                "routes": [{"handle": [
                    {"handler": "headers", "response": {"set": {"X-Epoch": [str(self.epoch)]}}},
                    {"handler": "reverse_proxy",
                     "upstreams": [{"dial": address} for address in addresses],
                     "load_balancing": {"selection_policy": {"policy": "least_conn"},
                                        "try_duration": "2s", "try_interval": "50ms"},
                     "health_checks": {"active": {"uri": "/metric", "interval": "200ms",
                                                  "timeout": "1s"},
                                       "passive": {"fail_duration": "1s"}},
                     "stream_close_delay": f"{self.hard_stop_s}s",
                     "transport": {"protocol": "http", "dial_timeout": "2s"}}]}],
            } for i, (addresses, port) in enumerate(zip(self.frontends, self.ports))}}},
        }

    def reload(self):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.admin}/load", json.dumps(self.config()).encode(),
            {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as reply:
            assert reply.status == 200

    restart = reload


PEERS = {"nginx": Nginx, "envoy": Envoy, "caddy": Caddy}
