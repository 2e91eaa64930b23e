# SPDX-License-Identifier: MIT
"""What a run is made of: pods, balancers in front of them, and clients."""
import dataclasses
import time

from balancer import Agent, HAProxy
from peers import PEERS, installed
from field import Load, Pod
from ports import free_port
from program import until
from truth import Watch


@dataclasses.dataclass(frozen=True)
class Policy:
    name: str
    balance: str = ""  # HAProxy's algorithm
    agent: str = ""    # how the agent reaches HAProxy: "socket", "check" or not at all
    peer: str = ""     # another balancer than HAProxy


POLICIES = [
    Policy("leastconn", "leastconn"),
    Policy("roundrobin", "roundrobin"),
    Policy("agent", "leastconn", "socket"),
    Policy("agent-check", "roundrobin", "check"),
]
PEER_POLICIES = [POLICIES[0], POLICIES[2], *(Policy(name, peer=name) for name in installed())]


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
# The warm-up has room for a machine that is busy: clients stand after 2 s.
QUICK = Size(connections=800, life_s=20, rate=400, warm_s=8)


class Measure(Watch):
    """What the pods say, and how often a weight in HAProxy is another than the sample before."""

    def __init__(self, addresses, haproxies, start_s):
        super().__init__(addresses, start_s=start_s)
        self.weight_changes = 0
        self._weights = [None] * len(haproxies)
        self._haproxies = haproxies
        self.agents = []   # the first is asked what it foresees
        self.outlook = []  # (second, state of its verdict, seconds until balance or None)

    def _ask_agent(self):
        try:
            backend = self.agents[0].json()["backends"][0]
        except (OSError, IndexError):
            return
        self.outlook.append((self.age_s(), backend["verdict"]["state"],
                             (backend["outlook"] or {}).get("seconds")))

    def sample(self):
        super().sample()
        if self.agents:
            self._ask_agent()
        for i, haproxy in enumerate(self._haproxies):
            try:
                weights = haproxy.weights()  # of peers: none
            except OSError:
                continue
            if self._weights[i]:
                self.weight_changes += sum(
                    weights[name] != before for name, before in self._weights[i].items())
            self._weights[i] = weights


class Fronted(HAProxy):
    """A HAProxy with a frontend for each list of addresses: the first leads to the backend "ws", the next
    to "ws2", and so on. lines: servers for each address."""

    def __init__(self, fronts, lines=1, **options):
        ports = [free_port() for _ in fronts[1:]]
        line = options["server"]
        more = "".join(
            f"frontend websocket{i}\n\tbind 127.0.0.1:{port}\n\tdefault_backend ws{i}\n"
            f"backend ws{i}\n\tbalance {options['balance']}\n" + "".join(
                f"\tserver s{j + 1} {address} {line.replace('{name}', f's{j + 1}')}\n"
                for j, address in enumerate(addresses))
            for i, (port, addresses) in enumerate(zip(ports, fronts[1:]), 2))
        servers = {f"s{i + 1}" + (f"-{k + 1}" if lines > 1 else ""): address
                   for i, address in enumerate(fronts[0]) for k in range(lines)}
        super().__init__([], servers=servers, more=more, **options)
        self.urls = [self.url, *(f"ws://127.0.0.1:{port}/" for port in ports)]
        self.backends = ["ws", *(f"ws{i}" for i in range(2, len(fronts) + 1))]
        self.version = self.info()["Version"]
        self.up = lines * (len(fronts[0]))

    restart = HAProxy.reload


class Stage:
    """One run. Everything in it ends with the stack."""

    def __init__(self, stack, policy, size, scenario):
        self.policy, self.size, self.scenario = policy, size, scenario
        self._stack = stack
        self.pods = [stack.enter_context(Pod(*scenario.pod_options.get(i, ()), variant="release"))
                     for i in range(size.pods)]
        self.addresses = [pod.address for pod in self.pods]
        self.addresses += [f"127.0.0.1:{free_port()}" for _ in range(scenario.late_pods)]
        self.pods += [None] * scenario.late_pods
        self._check_ports = [free_port() for _ in range(size.instances)]
        self.balancers = [self._balancer(port) for port in self._check_ports]
        self.version = self.balancers[0].version
        began_s = time.monotonic()
        storm = [f"{size.warm_s + at_s}:{part}" for at_s, part in scenario.storms]
        self.loads = [self.load(
            [balancer.urls[i] for balancer in self.balancers],
            round(size.connections * front.part), size.seed + 100 * i,
            rate=size.rate * front.part, storm=storm) for i, front in enumerate(scenario.fronts)]
        self.watch = stack.enter_context(
            Measure(self.addresses, self.balancers, began_s + size.warm_s))

    def _balancer(self, check_port):
        fronts = [self.addresses[:front.pods] for front in self.scenario.fronts]
        if self.policy.peer:
            return self._stack.enter_context(
                PEERS[self.policy.peer](fronts, self.scenario.hard_stop_s))
        haproxy = self._stack.enter_context(Fronted(
            fronts, self.scenario.lines, balance=self.policy.balance,
            server=self._server_line(self.policy, check_port),
            hard_stop=f"{self.scenario.hard_stop_s:g}s"))
        haproxy.wait_up(self.size.pods * self.scenario.lines)
        return haproxy

    @staticmethod
    def _server_line(policy, port):
        line = "weight 100 check inter 200ms"
        if policy.agent == "check":
            line += (f" agent-check agent-addr 127.0.0.1 agent-port {port} agent-inter 1s"
                     ' agent-send "ws/{name}\\n"')
        return line

    def _start_agents(self):
        """One beside each HAProxy, if the policy wants any."""
        keys = {"pollInterval": "auto", "pollTimeout": "auto", "variant": "release"}
        for haproxy, port in zip(self.balancers, self._check_ports):
            if self.policy.agent == "socket":
                agent = Agent(haproxy, config={"replicas": self.size.instances,
                                               "backends": haproxy.backends}, **keys)
            elif self.policy.agent == "check":
                servers = [{"name": name, "address": address}
                           for name, address in haproxy.servers.items()]
                agent = Agent(None, services=[{"name": "ws", "servers": servers}],
                              agentCheck={"listen": f"127.0.0.1:{port}"}, **keys)
            else:
                return
            self._stack.enter_context(agent).wait_ready()
            self.watch.agents.append(agent)

    def poll_s(self):
        """How often pods are asked at the end; None where nobody does."""
        agents = self.watch.agents
        return agents[0].json()["agent"]["poll_interval_s"] if agents else None

    def load(self, urls, connections, seed, **options):
        return self._stack.enter_context(Load(
            *urls, connections=connections, lifetime=self.life_s, message_interval=5,
            seed=seed, variant="release", **options))

    @property
    def life_s(self):
        return self.scenario.life_s or self.size.life_s

    def standing(self):
        return sum(answer["agentsConnections"] for answer in self.watch.answers.values())

    # ---- what happens in scenarios ----

    def start_pod(self, i):
        self.pods[i] = self._stack.enter_context(Pod(
            *self.scenario.pod_options.get(i, ()), listen=[self.addresses[i]], variant="release"))

    def stop_pod(self, i):
        """As Kubernetes does: the pod says goodbye to its clients."""
        self.pods[i].stop()

    def kill_pod(self, i):
        self.pods[i].kill()

    def reload(self):
        for balancer in self.balancers:
            balancer.reload()

    def restart(self):
        """A reload whose old workers end with what they hold after hard_stop_s."""
        for balancer in self.balancers:
            balancer.restart()

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
