#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make chaos: a real HAProxy, real pods, clients and agents under random faults, and what must hold
whatever happens.

Faults come one after another, several may stand at once; then all are healed, and after ten seconds of
quiet it is looked whether all is as if nothing had been:

- no WebSocket was cut but by its own pod's end;
- HAProxy has the weights that a second agent, started then beside the first with --dry-run, wants, by at
  most two steps; where a pod has lied and is not believed yet, within a minute and a half, in which HAProxy has
  those that the first wants;
- no server was at weight 0 but those whose pods drain;
- the agent has no more descriptors than before, and not much more memory;
- the agent's endpoint answers, and its record is written;
- where a Kubernetes API tells of pods, slots hold these and no others;
- no turn of its loop took over 100 ms, but for what the kernel, or a fault, kept it waiting.

Several HAProxys may share the pods, each with an agent; agent-checks may be asked beside the socket.

Prints what it does; ends with 1 and the seed at the first thing that does not hold.
"""
import argparse
import contextlib
import pathlib
import random
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

from program import until  # noqa: E402
from scene import Scene  # noqa: E402

QUIET_S = 10        # after the last fault
STEPS = 2           # of a weight, between what is and what a second agent wants
COMPARE_S = 15      # so long it may take until both are of the same moment
DOUBT_S = 90        # so long it may take until a pod that has lied is believed: a minute, and two rounds
TURN_S = 0.1        # of the agent's loop, in a release build
MEMORY_KIB = 4096   # that an agent may have grown by, from one quiet time to the next
FILES = 4           # descriptors, the same


class Guard:
    """Looks all the time, from a thread, at what may never be."""

    def __init__(self, scene):
        self.scene = scene
        self.found = []
        self.n_looks = 0
        self._zero = {}      # server: since when it is at weight 0 though its pod does not drain
        self._dropped = scene.dropped()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._done.wait(0.1):
            self.look()

    def look(self):
        self.n_looks += 1
        now = time.monotonic()
        dropped = self.scene.dropped()
        if dropped > self._dropped and now > self.scene.may_drop_until:
            self.found.append(f"{dropped - self._dropped} WebSockets were cut, and no pod had ended")
        self._dropped = dropped
        draining = self.scene.draining()
        for side in self.scene.sides:
            with contextlib.suppress(OSError):
                self._look_for_zero(side, draining, now)

    def _look_for_zero(self, side, draining, now):
        for name, weight in side.haproxy.weights().items():
            place = (side, name)
            if weight > 0 or name in draining:
                self._zero.pop(place, None)
            # A pod that has just stopped draining is heard of at the next poll.
            elif now - self._zero.setdefault(place, now) > 7:
                self.found.append(f"{name} has weight 0, and its pod does not drain")

    def check(self):
        assert not self.found, "; ".join(self.found)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self._done.set()
        self._thread.join()


def wanted(agent):
    """The weights that an agent has planned, by server."""
    return {row["server"]: row.get("weight") for rows in agent.json()["podMetrics"].values() for row in rows}


def difference(side, second):
    """Of the most different server, in steps."""
    weights, wants = side.haproxy.weights(), wanted(second)
    return max(abs(weights[name] - (wants.get(name) or 0)) for name in weights)


def says(agent):
    """What an agent's report has of each server, for a message."""
    return [" ".join(str(row.get(key)) for key in ("server", "state", "agentsConnections", "own_sessions", "weight",
                                                   "reason", "why"))
            for rows in agent.json()["podMetrics"].values() for row in rows]


def doubts(agent):
    return any(row["state"] == "disbelieved" for rows in agent.json()["podMetrics"].values() for row in rows)


def approach(side, other, words):
    """Waits until HAProxy has the weights that this agent wants; the difference."""
    best = 1000

    def alike():
        nonlocal best
        best = min(best, difference(side, other))
        return best <= STEPS

    try:
        until(alike, words, COMPARE_S)
    except AssertionError as error:
        raise AssertionError(f"{error}: {best} steps apart: HAProxy has {side.haproxy.weights()}, the agent says"
                             f" {says(side.agent)}, the other {says(other)}") from error
    return best


def compare(side):
    """HAProxy's weights against those that a second agent wants; the difference seen."""
    with side.second_agent() as second:
        second.wait_ready()
        time.sleep(3 * 0.25)
        try:
            return approach(side, second, "weights that a second agent wants too")
        except AssertionError:
            if not doubts(side.agent):
                raise
        # The second has seen no pod lie. The first believes one that did once it holds enough to tell, or after a
        # minute, and until then gives it what leastconn would.
        approach(side, side.agent, "weights that the agent wants")
        until(lambda: not doubts(side.agent), "a pod that had lied to be believed", DOUBT_S)
        return approach(side, second, "weights that a second agent wants too, nobody being in doubt")


def check_turns(agent):
    """The longest turn of the agent's loop, in ms, by its own word: what it worked, whatever else ran; and, but
    for what the process waited for a processor and pauses that a fault made, what it took."""
    series = agent.series()
    longest, busiest = (series[f"wsbalancer_loop_{name}_seconds_max"] for name in ("late", "busy"))
    assert busiest < TURN_S, f"the agent's loop worked for {busiest} s in one turn"
    waited = int(pathlib.Path(f"/proc/{agent.pid}/schedstat").read_text().split()[1]) / 1e9
    assert longest < TURN_S + waited or getattr(agent, "paused", False), \
        f"a turn of the loop took {longest} s, and {waited} s was waited for a processor in all"
    return 1000 * longest


def memory_kib(agent):
    for line in pathlib.Path(f"/proc/{agent.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


class Size:
    """Of an agent in quiet times: what it has once it has been through some faults is what it may keep."""

    def __init__(self):
        self._of = {}

    def check(self, agent):
        now = (memory_kib(agent), agent.n_files())
        first = self._of.setdefault(agent.pid, now)
        assert now[0] - first[0] <= MEMORY_KIB, f"the agent grew from {first[0]} to {now[0]} KiB"
        assert now[1] - first[1] <= FILES, f"the agent had {first[1]} descriptors, and has {now[1]}"
        return now


def bout(scene, guard, size, dice, n_faults, say):
    """Some faults, then quiet, then a look at everything."""
    for _ in range(n_faults):
        name = dice.choice(scene.faults())
        say(f"  {name.removeprefix('do_').replace('_', ' ')}")
        getattr(scene, name)(dice)
        time.sleep(dice.uniform(0.0, 1.5))
        for side in scene.sides:
            assert side.agent.running(), f"the agent ended: {side.agent.err[-20:]}"
        guard.check()
    scene.heal()
    time.sleep(QUIET_S)
    for side in scene.sides:
        look(scene, side, size, say)
    guard.check()


def look(scene, side, size, say):
    """Whether all is as if nothing had been."""
    recorded = side.recorded()
    assert side.agent.get("/healthz")[0] == 200
    steps = compare(side)
    if scene.cluster:
        until(lambda: scene.cluster.placed(side.haproxy) == sorted(scene.cluster.told),
              "slots to hold the pods that the API tells of")
    until(lambda: side.recorded() > recorded, "rounds to be recorded again")
    kib, files = size.check(side.agent)
    turn_ms = check_turns(side.agent) if scene.variant == "release" else 0
    say(f"quiet: weights within {steps} steps, {kib} KiB, {files} descriptors, longest turn {turn_ms:.0f} ms,"
        f" {side.dropped()} cut by pods that ended")


def play(seed, n_bouts, n_faults, variant, say=print):
    """Raises AssertionError when something does not hold."""
    dice = random.Random(seed)
    with contextlib.ExitStack() as stack:
        scene = Scene(stack, seed, variant)
        stack.callback(scene.close)
        for side in scene.sides:
            side.agent.wait_ready()
        size = Size()
        guard = stack.enter_context(Guard(scene))
        for i in range(n_bouts):
            say(f"bout {i + 1} of {n_bouts}")
            bout(scene, guard, size, dice, n_faults, say)
        for side in scene.sides:
            side.agent.stop()
            report = side.load.stop()
            assert report["wrong"] == report["lost"] == 0, report
        assert guard.n_looks > 10 * n_bouts


def play_told(seed, n_bouts, n_faults):
    """For tests: an error tells all that was played."""
    said = []
    try:
        play(seed, n_bouts, n_faults, variant=None, say=said.append)
    except AssertionError as error:
        raise AssertionError("\n".join([*said, str(error)])) from error


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--bouts", type=int, default=10, help="of faults and quiet (10)")
    parser.add_argument("--faults", type=int, default=12, help="in a bout (12)")
    parser.add_argument("--variant", default="release", help="of the agent: release or san")
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    try:
        play(args.seed, args.bouts, args.faults, args.variant, lambda line: print(line, flush=True))
    except AssertionError as error:
        sys.exit(f"seed {args.seed}: {error}")
    print(f"{args.bouts} bouts of {args.faults} faults: all held")


if __name__ == "__main__":
    main()
