# SPDX-License-Identifier: MIT
"""What happens in each scenario of the field benchmark."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Event:
    at_s: float
    do: str             # a method of Stage
    args: tuple = ()
    label: str = ""     # what the figure says of it


@dataclasses.dataclass(frozen=True)
class Front:
    """One of the ways into each balancer: a backend of its own over the first so many pods."""
    part: float = 1.0        # of the clients
    pods: int | None = None  # all


@dataclasses.dataclass(frozen=True)
class Scenario:
    key: str
    name: str
    length_s: float
    events: tuple
    settle_from_s: float = 0  # settling is counted from here
    late_pods: int = 0
    storms: tuple = ()        # (second, part of the clients)
    labels: tuple = ()        # (second, text) for what no event does
    life_s: float | None = None           # another mean life than the size's
    fronts: tuple = (Front(),)
    lines: int = 1                        # servers in HAProxy for each pod
    hard_stop_s: float = 600              # how long old workers live
    pod_options: dict = dataclasses.field(default_factory=dict)  # of wspod, by the pod's number


def rolling_restart(pods, every_s, down_s):
    for i in range(pods):
        yield Event(i * every_s, "stop_pod", (i,), f"{pods} pods restart, one by one" if i == 0 else "")
        yield Event(i * every_s + down_s, "start_pod", (i,))


def more_scenarios(size, quick):
    """What happens to HAProxies that many people run, beside the scenarios of the figure."""
    def seconds(full, short):
        return short if quick else full

    half = size.pods // 2
    return [
        Scenario("short", "lives of 5 s, and a reload", seconds(24, 12), (
            Event(4, "reload", (), "both HAProxies reload"),), life_s=5),
        Scenario("hard-end", "old workers end after 8 s", seconds(28, 16), (
            Event(0, "restart", (), "both HAProxies reload"),), hard_stop_s=8,
            labels=((8, "the old workers end"),)),
        Scenario("two-backends", "two backends over the same pods", seconds(28, 14), (
            Event(2, "reload", (), "both HAProxies reload"),),
            fronts=(Front(0.69), Front(0.31, half))),
        Scenario("join-shared", "two backends, pods join", seconds(32, 14), (
            Event(0, "start_pod", (size.pods,), "2 pods join"),
            Event(0, "start_pod", (size.pods + 1,))), late_pods=2,
            fronts=(Front(0.5), Front(0.5))),
        Scenario("lines", "four servers for each pod, pods join", seconds(32, 14), (
            Event(0, "start_pod", (size.pods,), "2 pods join"),
            Event(0, "start_pod", (size.pods + 1,))), late_pods=2, lines=4),
        Scenario("silent", "a pod that never says its count, and a reload", seconds(32, 14), (
            Event(2, "reload", (), "both HAProxies reload"),),
            pod_options={0: ("--metric-status", "500")}),
        Scenario("liar", "a pod that says 3, and a reload", seconds(32, 14), (
            Event(2, "reload", (), "both HAProxies reload"),), pod_options={0: ("--lie", "3")}),
        Scenario("old-counts", "pods that count every 5 s, a pod joins and a reload", seconds(40, 24), (
            Event(0, "start_pod", (size.pods,), "a pod joins"),
            Event(2, "reload", (), "both HAProxies reload"),), late_pods=1, life_s=20,
            pod_options={i: ("--metric-every", "5000") for i in range(size.pods + 1)}),
    ]


def peer_scenarios(size, quick):
    """What is asked of other balancers too."""
    wanted = ["scale-out", "short", "hard-end", "two-backends", "direct"]
    known = {s.key: s for s in all_scenarios(size, quick) + more_scenarios(size, quick)}
    return [known[key] for key in wanted]


def all_scenarios(size, quick):
    """In the order of the report. Second 0 is when everybody stands."""
    def seconds(full, short):
        return short if quick else full

    every_s, down_s = 3.0, 1.5
    return [
        Scenario("scale-out", "scale-out, then reload", seconds(36, 14), (
            Event(0, "start_pod", (size.pods,), "2 pods join"),
            Event(0, "start_pod", (size.pods + 1,)),
            Event(1, "reload", (), "both HAProxies reload")), settle_from_s=1, late_pods=2),
        Scenario("direct", "direct connections to 3 pods", seconds(40, 14), (
            Event(0, "connect_directly", (3, 0.6),
                  "3 pods get direct connections too"),)),
        Scenario("rolling", "rolling restart", size.pods * every_s + seconds(8, 4), tuple(
            rolling_restart(size.pods, every_s, down_s)),
            settle_from_s=(size.pods - 1) * every_s + down_s),
        Scenario("crash", "crash and return", seconds(26, 14), (
            Event(0, "kill_pod", (0,), "a pod crashes"),
            Event(seconds(8, 4), "start_pod", (0,), "it is back")), settle_from_s=seconds(8, 4)),
        Scenario("storm", "storm", seconds(16, 8), (), storms=((0, 0.5),),
                 labels=((0, "half of the clients reconnect within a second"),)),
    ]
