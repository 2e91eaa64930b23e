#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make soak HOURS=n: the agent beside a real HAProxy, with clients that come and go, for a long time.

Each ten seconds a line: memory, descriptors, imbalance, the longest turn of the agent's loop and lines of
its log. Now and then HAProxy reloads, which happens in every life. Ends with 1 when memory or descriptors
grow from the second quarter to the last one, when a WebSocket is cut, or when a round or poll fails.
Writes build/soak.json.
"""
import argparse
import contextlib
import json
import pathlib
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

from balancer import Agent, HAProxy  # noqa: E402
from chaos import memory_kib  # noqa: E402
from field import Load, Pod  # noqa: E402
from program import ROOT  # noqa: E402

PODS = 8
CONNECTIONS = 800
LIFE_S = 60
RELOAD_S = 120
SAMPLE_S = 10
GROWTH_KIB = 1024  # between quarters; what a heap's edges make of the same needs
GROWTH_FILES = 2


def sample(agent, began):
    series = agent.series()
    imbalance = [value for name, value in series.items()
                 if name.startswith("wsbalancer_backend_imbalance_ratio")]
    return {"s": round(time.monotonic() - began, 1), "kib": memory_kib(agent), "files": agent.n_files(),
            "imbalance": round(max(imbalance, default=0.0), 4),
            "late_ms": round(1000 * series["wsbalancer_loop_late_seconds_max"], 2),
            "rounds": series["wsbalancer_rounds_total"], "skipped": series["wsbalancer_rounds_skipped_total"],
            "bad_polls": sum(value for name, value in series.items()
                             if name.startswith("wsbalancer_polls_total") and '"ok"' not in name),
            "log_lines": len(agent.err)}


def run(seconds, say):
    samples = []
    with contextlib.ExitStack() as stack:
        pods = [stack.enter_context(Pod(variant="release")) for _ in range(PODS)]
        haproxy = stack.enter_context(HAProxy([pod.address for pod in pods], hard_stop="1h"))
        haproxy.wait_up()
        agent = stack.enter_context(Agent(haproxy, variant="release", pollInterval="1s", pollTimeout="900ms"))
        agent.wait_ready()
        load = stack.enter_context(Load(
            haproxy.url, connections=CONNECTIONS, lifetime=LIFE_S, message_interval=5, rate=200,
            reconnect_ms=100, variant="release"))
        load.wait_standing()
        began = time.monotonic()
        reload_at = RELOAD_S
        while time.monotonic() - began < seconds:
            time.sleep(SAMPLE_S)
            samples.append(sample(agent, began))
            say(json.dumps(samples[-1]))
            if samples[-1]["s"] > reload_at:
                haproxy.reload()
                reload_at += RELOAD_S
        agent.stop()
        return samples, load.stop()


def quarter(samples, i, key):
    n = max(1, len(samples) // 4)
    return statistics.median(one[key] for one in samples[i * n:(i + 1) * n])


def verdict(samples, report):
    """What does not hold, in words."""
    if report["dropped"] or report["wrong"] or report["lost"]:
        yield f"connections were cut or mangled: {report}"
    if len(samples) >= 8:
        for key, limit in (("kib", GROWTH_KIB), ("files", GROWTH_FILES)):
            grown = quarter(samples, 3, key) - quarter(samples, 1, key)
            if grown > limit:
                yield f"{key} grew by {grown}"
    first, last = samples[0], samples[-1]
    rounds = last["rounds"] - first["rounds"]
    if rounds < 0.9 * (last["s"] - first["s"]):
        yield f"{rounds} rounds in {last['s'] - first['s']} s"
    if last["bad_polls"]:
        yield f"{last['bad_polls']} polls failed"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--hours", type=float, default=1.0)
    args = parser.parse_args()
    samples, report = run(args.hours * 3600, lambda line: print(line, flush=True))
    out = ROOT / "build/soak.json"
    out.write_text(json.dumps({"samples": samples, "clients": report}, indent=1) + "\n")
    print(f"{samples[-1]['s'] / 3600:.2f} hours: {samples[0]['kib']} to {samples[-1]['kib']} KiB,"
          f" {samples[0]['files']} to {samples[-1]['files']} descriptors, mean imbalance"
          f" {statistics.mean(one['imbalance'] for one in samples):.3f}, longest turn {samples[-1]['late_ms']} ms,"
          f" {report['dropped']} of {report.get('opened', '?')} connections cut")
    wrong = list(verdict(samples, report))
    if wrong:
        sys.exit("; ".join(wrong))


if __name__ == "__main__":
    main()
