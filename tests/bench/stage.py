# SPDX-License-Identifier: MIT
"""What a run is made of: pods, HAProxies that balance them in one of four ways, and clients."""
import dataclasses
import time

from balancer import Agent, HAProxy
from field import Load, Pod, until
from ports import free_port
from truth import Watch

POLL_S = 1.0  # the agent's default


@dataclasses.dataclass(frozen=True)
class Policy:
    name: str
    balance: str
    agent: str = ""  # how the agent reaches HAProxy: "socket", "check" or not at all


POLICIES = [
    Policy("leastconn", "leastconn"),
    Policy("roundrobin", "roundrobin"),
    Policy("agent", "leastconn", "socket"),
    Policy("agent-check", "roundrobin", "check"),
]


@dataclasses.dataclass(frozen=True)
class Size:
    connections: int
    life_s: float      # mean, exponential
    rate: float        # opened a second at the start
    warm_s: float      # from the first connection to second 0 of the scenario
    pods: int = 8
    instances: int = 2
    seed: int = 1


FULL = Size(connections=3000, life_s=40, rate=750, warm_s=8)
QUICK = Size(connections=800, life_s=20, rate=400, warm_s=5)


class Measure(Watch):
    """What the pods say, and how often a weight in HAProxy is another than the sample before."""

    def __init__(self, addresses, haproxies, start_s):
        super().__init__(addresses, start_s=start_s)
        self.weight_changes = 0
        self._weights = [None] * len(haproxies)
        self._haproxies = haproxies

    def sample(self):
        super().sample()
        for i, haproxy in enumerate(self._haproxies):
            try:
                weights = haproxy.weights()
            except OSError:
                continue
            if self._weights[i]:
                self.weight_changes += sum(
                    weights[name] != before for name, before in self._weights[i].items())
            self._weights[i] = weights


class Stage:
    """One run. Everything in it ends with the stack."""

    def __init__(self, stack, policy, size, late_pods=0, storms=(), hard_stop="10m"):
        self.policy, self.size = policy, size
        self._stack = stack
        self.pods = [stack.enter_context(Pod(variant="release")) for _ in range(size.pods)]
        self.addresses = [pod.address for pod in self.pods]
        self.addresses += [f"127.0.0.1:{free_port()}" for _ in range(late_pods)]
        self.pods += [None] * late_pods
        self._check_ports = [free_port() for _ in range(size.instances)]
        self.haproxies = [stack.enter_context(HAProxy(
            self.addresses, balance=policy.balance, server=self._server_line(policy, port),
            hard_stop=hard_stop)) for port in self._check_ports]
        for haproxy in self.haproxies:
            haproxy.wait_up(size.pods)
        self.version = self.haproxies[0].info()["Version"]
        began_s = time.monotonic()
        self.loads = [self.load(
            [haproxy.url for haproxy in self.haproxies], size.connections, size.seed,
            rate=size.rate, storm=[f"{size.warm_s + at_s}:{part}" for at_s, part in storms])]
        self.watch = stack.enter_context(
            Measure(self.addresses, self.haproxies, began_s + size.warm_s))

    @staticmethod
    def _server_line(policy, port):
        line = "weight 100 check inter 200ms"
        if policy.agent == "check":
            line += (f" agent-check agent-addr 127.0.0.1 agent-port {port} agent-inter 1s"
                     ' agent-send "ws/{name}\\n"')
        return line

    def _start_agents(self):
        """One beside each HAProxy, if the policy wants any."""
        keys = {"pollInterval": f"{POLL_S:g}s", "pollTimeout": "500ms", "variant": "release"}
        for haproxy, port in zip(self.haproxies, self._check_ports):
            if self.policy.agent == "socket":
                agent = Agent(haproxy, config={"replicas": self.size.instances}, **keys)
            elif self.policy.agent == "check":
                servers = [{"name": name, "address": address}
                           for name, address in haproxy.servers.items()]
                agent = Agent(None, services=[{"name": "ws", "servers": servers}],
                              agentCheck={"listen": f"127.0.0.1:{port}"}, **keys)
            else:
                return
            self._stack.enter_context(agent).wait_ready()

    def load(self, urls, connections, seed, **options):
        return self._stack.enter_context(Load(
            *urls, connections=connections, lifetime=self.size.life_s, message_interval=5,
            seed=seed, variant="release", **options))

    def standing(self):
        return sum(answer["agentsConnections"] for answer in self.watch.answers.values())

    # ---- what happens in scenarios ----

    def start_pod(self, i):
        self.pods[i] = self._stack.enter_context(
            Pod(listen=[self.addresses[i]], variant="release"))

    def stop_pod(self, i):
        """As Kubernetes does: the pod says goodbye to its clients."""
        self.pods[i].stop()

    def kill_pod(self, i):
        self.pods[i].kill()

    def reload(self):
        for haproxy in self.haproxies:
            haproxy.reload()

    def connect_directly(self, pods, part):
        """To each of so many pods, this part of what it holds through HAProxy on average."""
        n = round(pods * part * self.size.connections / self.size.pods)
        urls = [f"ws://{address}/" for address in self.addresses[:pods]]
        self.loads.append(self.load(urls, n, self.size.seed + 1, rate=n / 2))

    def warm_up(self):
        """Returns at second 0. Agents start when the clients stand, so that every policy begins with
        pods as HAProxy itself has filled them."""
        until(lambda: self.standing() > 0.98 * self.size.connections, "the clients to stand")
        self._start_agents()
        # A machine that is late here is too busy to measure anything.
        assert self.watch.age_s() < -1, f"second 0 is {self.watch.age_s():.1f} s ago"
        time.sleep(-self.watch.age_s())
