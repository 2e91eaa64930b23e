#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make bench-balance: the agent against HAProxy's own balancing, on real HAProxies; with --peers (make
bench-peers) against nginx, Envoy and Caddy too.

For each scenario the same clients come and go once for each policy and seed. Prints one JSON line a run,
then tables; writes figures and samples to build/bench. README.md beside this file explains all.
"""
import argparse
import contextlib
import dataclasses
import json
import pathlib
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

from program import ROOT  # noqa: E402
from truth import over, settled  # noqa: E402

import figure  # noqa: E402
import readme  # noqa: E402
import tables  # noqa: E402
from outlook import said_over_taken  # noqa: E402
from scenarios import all_scenarios, more_scenarios, peer_scenarios  # noqa: E402
from stage import FULL, PEER_POLICIES, POLICIES, QUICK, Stage  # noqa: E402

SETTLED = 0.05


def play(scenario, policy, size):
    """One run: the figures of it, and its samples as [second, imbalance]."""
    with contextlib.ExitStack() as stack:
        stage = Stage(stack, policy, size, scenario)
        stage.warm_up()
        for event in scenario.events:
            time.sleep(max(0.0, event.at_s - stage.watch.age_s()))
            getattr(stage, event.do)(*event.args)
        time.sleep(max(0.0, scenario.length_s - stage.watch.age_s()))
        samples = over(stage.watch.samples, 0, scenario.length_s)
        poll_s = stage.poll_s()
        reports = [load.stop() for load in stage.loads]
        changes, outlook = stage.watch.weight_changes, said_over_taken(stage.watch.outlook)
    values = [value for _, value in samples]
    settle_s = settled(samples, scenario.settle_from_s, SETTLED)
    line = {
        "scenario": scenario.name, "policy": policy.name,
        "seeds": [size.seed + i for i in range(len(reports))],
        "connections": [report["connections"] for report in reports],
        "pods": len(stage.addresses), "instances": size.instances, "life_s": stage.life_s,
        "poll_s": poll_s, "seconds": scenario.length_s,
        "mean_imbalance": round(sum(values) / len(values), 4),
        "peak_imbalance": round(max(values), 4),
        "last_10s_imbalance": round(statistics.mean(
            value for at_s, value in samples if at_s >= scenario.length_s - 10), 4),
        "settle_s": None if settle_s is None else round(settle_s, 1),
        **{key: sum(report[key] for report in reports)
           for key in ("opened", "failed", "dropped", "wrong", "lost")},
        "weight_changes": changes, "outlook_ratio": None if outlook is None else round(outlook, 2),
        "version": stage.version,
    }
    return line, [[round(at_s, 2), round(value, 4)] for at_s, value in samples]


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    keys = [scenario.key for scenario in all_scenarios(FULL, False) + more_scenarios(FULL, False)]
    parser.add_argument("--only", action="append", metavar="SCENARIO", choices=keys,
                        help=f"one of {', '.join(keys)}; again: one more")
    parser.add_argument("--policy", action="append",
                        choices=list(dict.fromkeys(p.name for p in POLICIES + PEER_POLICIES)),
                        help="only this policy; again: one more")
    parser.add_argument("--peers", action="store_true", help="other balancers, beside HAProxy")
    parser.add_argument("--readme", action="store_true",
                        help="what the README tells, in half an hour, and puts figure and numbers there")
    parser.add_argument("--quick", action="store_true", help="fewer clients, shorter runs")
    parser.add_argument("--seed", type=int, default=1, help="of the clients (1)")
    parser.add_argument("--seeds", type=int, default=1, metavar="N",
                        help="plays everything N times, with one seed after the other (1)")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "bench",
                        help="where figures and samples go (build/bench)")
    return parser.parse_args()


def chosen(args, size):
    """Scenarios and policies."""
    scenarios = (peer_scenarios(size, args.quick) if args.peers else
                 all_scenarios(size, args.quick) + more_scenarios(size, args.quick))
    policies = PEER_POLICIES if args.peers else POLICIES
    return ([s for s in scenarios if not args.only or s.key in args.only],
            [p for p in policies if not args.policy or p.name in args.policy])


def play_all(scenarios, policies, seeds, size, lines):
    """Adds a line a run; a panel of the figure for each scenario, by key."""
    panels = {}
    for scenario in scenarios:
        series = {}
        for seed in seeds:
            # All policies with one seed, one after the other: what the machine does meanwhile meets all.
            for policy in policies:
                line, samples = play(scenario, policy, dataclasses.replace(size, seed=seed))
                series.setdefault(policy.name, samples)
                lines.append(line)
                print(json.dumps(line), flush=True)
        marks = [(e.at_s, e.label) for e in scenario.events if e.label] + list(scenario.labels)
        panels[scenario.key] = figure.Panel(scenario.name, scenario.length_s, marks, series)
    return panels


def play_for_readme(args, size, lines):
    panels = {}
    for keys, names, n_seeds in readme.PLAN:
        args.only, args.policy = keys, names
        scenarios, policies = chosen(args, size)
        panels |= play_all(scenarios, policies, range(args.seed, args.seed + n_seeds), size, lines)
    return panels


def main():
    args = options()
    size = QUICK if args.quick else FULL
    args.out.mkdir(parents=True, exist_ok=True)
    lines = []
    if args.readme:
        panels = play_for_readme(args, size, lines)
    else:
        panels = play_all(*chosen(args, size), range(args.seed, args.seed + args.seeds), size, lines)
    for text in tables.write(lines):
        print(text)
    about = (f"{size.instances} balancers, HAProxy {lines[0]['version']}, {size.connections:,} WebSockets"
             f" that last {size.life_s} s in the mean, the same clients in every run")
    figure.save_all(panels, about, args.out)
    if args.readme:
        print(readme.rewrite(lines, args.out / "balance.svg"))


if __name__ == "__main__":
    main()
