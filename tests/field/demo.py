#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make demo: two HAProxies with an agent each, pods that join, a reload, and how it levels out.

Everything is real and on loopback: wspod, HAProxy, wsbalancer, wsload. Runs until Ctrl-C, or for
DEMO_SECONDS; leaves no process and no file behind. The last line is the imbalance at the end.
"""
import contextlib
import os
import pathlib
import shutil
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from balancer import Agent, HAProxy  # noqa: E402
from field import Load, Pod  # noqa: E402
from ports import free_port  # noqa: E402

PODS, LATE_PODS = 6, 2
CLIENTS, LIFE_S = 480, 40  # so about 12 clients a second come and go
JOIN_S, RELOAD_S = 15, 20
BAR = 40


class Stopped(Exception):
    """Ctrl-C, or a polite request to end."""


def stop(_number, _frame):
    raise Stopped


def counts(pods):
    """Connections of each pod, by its own word."""
    return [pod.count(i) if pod else 0 for pod, i in pods]


def imbalance(values):
    mean = sum(values) / len(values) if values else 0
    return 100 * (max(values) / mean - 1) if mean else 0.0


def draw(seconds, pods, agents, events):
    """The table, as lines."""
    report = agents[0].json()
    rows = report["podMetrics"].get("ws", [])
    own = [r["own_sessions"] for r in rows]
    other = [r["own_sessions"] for r in agents[1].json()["podMetrics"].get("ws", [])]
    held = counts(pods)
    there = [n for n, (pod, _) in zip(held, pods) if pod]
    most = max(held + [1])
    mean = sum(there) / len(there)
    width = shutil.get_terminal_size((100, 24)).columns
    bar = max(10, min(BAR, width - 52))
    yield f"wsbalancer demo   {seconds:3.0f} s   two HAProxies, {len(there)} pods, {sum(held)} clients"
    yield ""
    yield "  pod     connections" + " " * (bar - 8) + "  by A  by B   weight in A   why"
    for i, (row, n) in enumerate(zip(rows, held)):
        if not pods[i][0]:
            yield f"  pod-{i}       -"
            continue
        filled = round(bar * n / most)
        line = ["█"] * filled + [" "] * (bar - filled)
        mark = round(bar * mean / most)
        if mark < bar:
            line[mark] = "│" if line[mark] == " " else "┃"
        b = other[i] if i < len(other) else 0
        yield (f"  pod-{i}  {n:5d} {''.join(line)} {own[i]:5d} {b:5d}"
               f"   {row['haproxy_weight']:11d}   {row['why']}")
    yield ""
    yield f"  imbalance (max/mean - 1): {imbalance(there):5.1f} %      the line in the bars is the mean"
    yield f"  page of A: http://{agents[0].http}/balancer-metrics"
    yield f"  page of B: http://{agents[1].http}/balancer-metrics"
    yield ""
    for at, text in events:
        yield f"  {at:3.0f} s  {text}"


def show(lines, first):
    if sys.stdout.isatty():
        # Home, each line cleared to its end, the rest cleared: no flicker.
        sys.stdout.write(("\033[2J" if first else "") + "\033[H")
        sys.stdout.write("".join(f"{line}\033[K\n" for line in lines) + "\033[J")
    else:
        sys.stdout.write("\n".join(lines) + "\n\n")
    sys.stdout.flush()


def next_round(began, done):
    """Waits for the next second of the demo; the seconds since it began."""
    time.sleep(max(0.0, began + done + 1 - time.monotonic()))
    return time.monotonic() - began


def play(stack, end_s):
    early = stack.enter_context(Pod(n=PODS, env={"POD_NAME": "pod"}))
    late_ports = [free_port() for _ in range(LATE_PODS)]
    addresses = early.addresses + [f"127.0.0.1:{port}" for port in late_ports]
    haproxies = [stack.enter_context(HAProxy(addresses)) for _ in range(2)]
    for haproxy in haproxies:
        haproxy.wait_up(PODS)
    agents = [stack.enter_context(Agent(
        haproxy, config={"replicas": 2}, pollInterval="1s", pollTimeout="500ms"))
        for haproxy in haproxies]
    for agent in agents:
        agent.wait_ready()
    stack.enter_context(Load(
        *[haproxy.url for haproxy in haproxies], connections=CLIENTS, rate=150,
        lifetime=LIFE_S, message_interval=2, message_bytes=64))
    pods = [(early, i) for i in range(PODS)] + [(None, i) for i in range(LATE_PODS)]
    events = [(0, f"{PODS} pods, {CLIENTS} clients that stay {LIFE_S} s in the mean")]
    began = time.monotonic()
    seconds, reloaded, first = 0.0, False, True
    last = 0.0
    try:
        while end_s is None or seconds < end_s:
            if seconds >= JOIN_S and not pods[-1][0]:
                # By the names that the table gives them, which are those on the pages.
                pods[PODS:] = [(stack.enter_context(Pod(
                    listen=[f"127.0.0.1:{port}"], env={"POD_NAME": f"pod-{PODS + i}"})), 0)
                    for i, port in enumerate(late_ports)]
                events.append((seconds, f"{LATE_PODS} pods join"))
            if seconds >= RELOAD_S and not reloaded:
                for haproxy in haproxies:
                    haproxy.reload()
                reloaded = True
                events.append((seconds, "both HAProxies reload: each counts from zero again"))
            lines = list(draw(seconds, pods, agents, events))
            last = imbalance([n for n, (pod, _) in zip(counts(pods), pods) if pod])
            show(lines, first)
            first = False
            seconds = next_round(began, seconds)
    except Stopped:
        # The terminal has echoed ^C.
        print()
    return last


def main():
    end_s = os.environ.get("DEMO_SECONDS")
    if end_s is not None and not end_s.isdigit():
        sys.exit(f"demo: DEMO_SECONDS is '{end_s}': use a whole number of seconds")
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    last = 0.0
    with contextlib.ExitStack() as stack:
        try:
            last = play(stack, int(end_s) if end_s else None)
        except Stopped:
            pass
        # The end has begun; a second Ctrl-C must not leave half of it undone.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print(f"imbalance {last:.1f} %")


if __name__ == "__main__":
    main()
