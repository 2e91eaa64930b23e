#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make bench-scale: what the agent costs with many pods, beside what it costs nginx to be all of them.

One nginx with one worker answers /metric at an address of 127.0.0.0/8 for each pod; a real HAProxy has a
server for each; the agent asks each pod once a second. For each number of pods: processor time of agent and
nginx for each poll, memory for each pod, before and after reports, how long /metrics and the JSON take, and
how late the loop was meanwhile. nginx is the measure: both are measured in the same seconds, so the ratio
says something on a busy machine too. Prints a table, and writes build/bench/scale.json.
"""
import argparse
import contextlib
import ipaddress
import json
import os
import pathlib
import resource
import shutil
import signal
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib"), str(HERE)]

from balancer import Agent, HAProxy, make_dir  # noqa: E402
from ports import free_port  # noqa: E402
from program import ROOT, Program, until  # noqa: E402

FIRST = ipaddress.IPv4Address("127.1.0.1")
POLLED = 'wsbalancer_polls_total{result="ok"}'
REPORTS = 5  # of each format; the median counts
ALONE_KIB_PODS = 1  # memory of an agent that has one pod is nobody's share


class Nginx(Program):
    """One worker that is every pod."""

    def __init__(self, stack):
        self.port = free_port("")
        self.dir = make_dir()
        stack.callback(shutil.rmtree, self.dir, ignore_errors=True)
        folders = "".join(f"{name}_temp_path {self.dir}/{name}; "
                          for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.dir / "nginx.conf").write_text(f"""
daemon off; pid {self.dir}/pid; error_log stderr crit; worker_processes 1; worker_rlimit_nofile 30000;
{"user root;" if os.geteuid() == 0 else ""}
events {{ worker_connections 20000; }}
http {{ access_log off; {folders} keepalive_timeout 1h; keepalive_requests 1000000000; keepalive_time 24h;
 default_type application/json;
 server {{ listen 0.0.0.0:{self.port} backlog=10000;
  location /metric {{ return 200 '{{"agentsConnections": 100, "podName": "web-$server_addr", "nodeName": "node-1"}}'; }} }} }}
""")
        super().__init__(["nginx", "-p", str(self.dir), "-c", str(self.dir / "nginx.conf"), "-e", "stderr"])
        stack.callback(self.stop)
        self.worker = until(self._find_worker, "nginx's worker")

    def stop(self):
        """The worker has the pipes too, and ends only where the master is asked to end."""
        if self.running():
            self.signal(signal.SIGTERM)
            self.wait()

    def _find_worker(self):
        assert self.running(), self.err
        children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return int(children[0]) if children else None


def cpu_us(pid):
    """On a processor so far, to the nanosecond, of all threads."""
    return sum(int((task / "schedstat").read_text().split()[0]) / 1000
               for task in pathlib.Path(f"/proc/{pid}/task").iterdir())


def memory_kib(pid):
    """Its own pages: what programs share counts for nobody."""
    fields = dict(line.split(":", 1) for line in
                  pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(fields["RssAnon"].split()[0])


class Setting:
    """The parts of a measurement, which end with the stack."""

    def __init__(self, stack, n):
        self.n = n
        self.nginx = Nginx(stack)
        addresses = [f"{FIRST + i}:{self.nginx.port}" for i in range(n)]
        self.haproxy = stack.enter_context(HAProxy(addresses, server="weight 100"))
        self.agent = stack.enter_context(Agent(
            self.haproxy, variant="release", pollInterval="1s", pollTimeout="900ms"))
        self.agent.wait_ready()
        # The first weights of thousands of servers take HAProxy seconds.
        until(self.is_settled, f"{n} pods to be asked and planned again and again", 60, pause_s=0.9)

    def is_settled(self):
        series = self.agent.series()
        return series[POLLED] >= 5 * self.n and series["wsbalancer_rounds_total"] >= 5

    def polled(self):
        return self.agent.series()[POLLED]

    def wait_quiet(self):
        """Returns in the middle between two rounds, far from the polls that end shortly before each: so whole
        seconds later as many polls have ended as there are pods and seconds."""
        planned_s = max(value for name, value in self.agent.series().items()
                        if name.startswith("wsbalancer_backend_last_plan_timestamp_seconds"))
        time.sleep((planned_s + 0.25 - time.time()) % 1.0)

    def timed(self, path):
        """Median of the time until a report has come whole, ms; and its bytes."""
        took = []
        for _ in range(REPORTS):
            began = time.monotonic()
            size = len(self.agent.get(path, timeout=60)[1])
            took.append((time.monotonic() - began) * 1000)
            time.sleep(0.3)
        return round(statistics.median(took), 1), size


def measure(n, seconds):
    with contextlib.ExitStack() as stack:
        setting = Setting(stack, n)
        before_kib = memory_kib(setting.agent.pid)
        setting.wait_quiet()
        polls = setting.polled()
        # What the question itself costs is none of the polls'.
        agent_us, nginx_us, began = cpu_us(setting.agent.pid), cpu_us(setting.nginx.worker), time.monotonic()
        time.sleep(seconds)
        agent_us = cpu_us(setting.agent.pid) - agent_us
        nginx_us = cpu_us(setting.nginx.worker) - nginx_us
        took_s = time.monotonic() - began
        polls = setting.polled() - polls
        series = setting.agent.series()
        told = {name: value for name, value in series.items() if value and name.startswith(
            ("wsbalancer_polls_total", "wsbalancer_rounds", "wsbalancer_loop_late", "process_cpu"))}
        assert polls > 0.9 * n * took_s, f"{polls} good polls of {n} pods in {took_s:.1f} s: {told}"
        metrics_ms, metrics_bytes = setting.timed("/metrics")
        json_ms, json_bytes = setting.timed("/balancer-metrics?format=json")
        after_kib = memory_kib(setting.agent.pid)
        # Thousands of weights that go back are no part of this.
        setting.agent.kill()
        return {"pods": n, "missed": round(1 - polls / (n * took_s), 3),
                "agent_us": round(agent_us / polls, 1), "nginx_us": round(nginx_us / polls, 1),
                "ratio": round(agent_us / nginx_us, 2), "kib_before": before_kib, "kib_after": after_kib,
                "metrics_ms": metrics_ms, "metrics_bytes": metrics_bytes, "json_ms": json_ms,
                "json_bytes": json_bytes,
                "late_ms": round(1000 * series.get("wsbalancer_loop_late_seconds_max", 0), 1)}


def with_shares(rows):
    """Memory for each pod, beyond what an agent with one pod has."""
    alone, rows = rows[0], rows[1:]
    for row in rows:
        for when in ("before", "after"):
            row[f"kib_{when}_each"] = round((row[f"kib_{when}"] - alone["kib_before"]) / row["pods"], 1)
    return rows


def show(rows):
    print("| pods | agent, µs a pod and second | nginx | ratio | KiB a pod | after reports | /metrics, ms"
          " | JSON, ms |\n|---|---|---|---|---|---|---|---|")
    for row in rows:
        print(f"| {row['pods']:,} | {row['agent_us']:.0f} | {row['nginx_us']:.0f} | {row['ratio']:.1f} |"
              f" {row['kib_before_each']:.1f} | {row['kib_after_each']:.1f} | {row['metrics_ms']:.0f} |"
              f" {row['json_ms']:.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--pods", type=int, nargs="+", default=[100, 1000, 4000, 9000])
    parser.add_argument("--seconds", type=int, default=20, help="of each measurement (20)")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/bench")
    args = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < 2 * max(args.pods) + 1000:
        sys.exit(f"{hard} open files are allowed, which {max(args.pods)} pods do not fit in")
    args.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for n in [ALONE_KIB_PODS, *args.pods]:
        rows.append(measure(n, 3 if n == ALONE_KIB_PODS else args.seconds))
        print(f"{n} pods are measured", file=sys.stderr)
    rows = with_shares(rows)
    show(rows)
    (args.out / "scale.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
