# SPDX-License-Identifier: MIT
"""What runs a release's pods and leads clients to them: a kubelet and a kube-proxy as far as HAProxy's pods need them.

Each pod has a network namespace with an address of its own, and its containers are as in container.py. Probes, the stop
hook, the stop signal, the grace period and the order in which native sidecars start and end are the kubelet's; a
Service's address leads to its ready endpoints by the kernel's own address translation, brought up to date each second
at most. What is not: a container that ends or fails its liveness probe is not started again, but named in `faults`.
"""
import copy
import http.client
import itertools
import os
import shutil
import signal
import subprocess
import threading
import time
import traceback

from cluster import FAR, ApiError
from container import Container, Volumes
from program import binary, run, until

NODE, ADDRESS = "10.75.0.1", "10.76.0.{}"
SERVICES = "10.79.0.0/16"
NUMBERS = itertools.count(2)
LOOK_S = 0.05
PROXY_S = 1.0  # kube-proxy's own default between two changes
SIDECAR_S = 2.0  # what a sidecar has at least, when all others took the grace period

# What the images say: their program with its first options, and their stop signal. HAProxy's is docker.io's.
IMAGES = {"haproxy": ([shutil.which("haproxy"), "-W", "-db"], signal.SIGUSR1),
          "wsbalancer": ([binary("wsbalancer")], signal.SIGTERM)}


def client_of(cluster):
    """The cluster for a thread, with a connection of its own."""
    made = copy.copy(cluster)
    made.connection = None
    return made


def prepare_node():
    """Once: this network namespace becomes a node that forwards."""
    with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as file:
        file.write("1")
    run("ip", "address", "replace", f"{NODE}/32", "dev", "lo")
    # An address of a Service is nobody's: a route it must have, to be translated on its way.
    run("ip", "route", "replace", SERVICES, "dev", "lo", "src", "10.77.0.1")


class Sandbox:
    """A pod's network."""

    def __init__(self):
        number = next(NUMBERS)
        self.address = ADDRESS.format(number)
        self.pause = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        until(lambda: os.readlink(f"/proc/{self.pause.pid}/ns/net") != os.readlink("/proc/self/ns/net"), "a namespace")
        veth = f"pod{number}"
        run("ip", "link", "add", veth, "type", "veth", "peer", "name", "eth0", "netns", self.pause.pid)
        run("ip", "link", "set", veth, "up")
        run("ip", "route", "add", f"{self.address}/32", "dev", veth)
        for words in (["link", "set", "lo", "up"], ["address", "add", f"{self.address}/32", "dev", "eth0"],
                      ["link", "set", "eth0", "up"], ["route", "add", NODE, "dev", "eth0"],
                      ["route", "add", "default", "via", NODE]):
            run("nsenter", f"--net={self.path}", "ip", *words)

    @property
    def path(self):
        return f"/proc/{self.pause.pid}/ns/net"

    def close(self):
        """The pair of interfaces goes with the namespace."""
        self.pause.kill()
        self.pause.wait()


class PodContainer(Container):
    """A container in a pod's network."""

    def __init__(self, sandbox, folder, pod, container, volumes):
        self.sandbox, self.spec = sandbox, container
        self.context = {**pod["securityContext"], **container["securityContext"]}
        (program, *options), self.stop_signal = IMAGES[container["name"]]
        self.ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        self.probes = {kind: Probe(container[f"{kind}Probe"], sandbox.address, self.ports)
                       for kind in ("startup", "liveness", "readiness") if f"{kind}Probe" in container}
        self.end = None  # "by itself" or "killed", once it was told to stop
        self.held_s = None  # how long its hook took
        super().__init__(folder, pod, container, volumes, program, *options,
                         env={"KUBERNETES_SERVICE_HOST": FAR, "KUBERNETES_SERVICE_PORT": "6443"})

    def command(self, argv):
        return ["nsenter", f"--net={self.sandbox.path}", *argv]

    def run_hook(self, grace_s):
        """The hook before the stop, if there is one; it has the grace period, as the container has."""
        hook = self.spec.get("lifecycle", {}).get("preStop")
        if not hook:
            return
        began = time.monotonic()
        if "httpGet" in hook:
            Probe({"httpGet": hook["httpGet"], "timeoutSeconds": grace_s}, self.sandbox.address, self.ports).ask()
        else:
            user = [f"--reuid={self.context['runAsUser']}", f"--regid={self.context['runAsGroup']}",
                    f"--groups={self.context['fsGroup']}"]
            done = subprocess.run(["nsenter", "--target", str(self.pid), "--mount", "--root", "--net", "setpriv", *user,
                                   *hook["exec"]["command"]], capture_output=True, text=True, check=False,
                                  timeout=grace_s)
            assert done.returncode == 0, f"the hook of {self.spec['name']}: {done.stdout}{done.stderr}"
        self.held_s = time.monotonic() - began

    def stop(self, end):
        """The hook, the stop signal, and at `end` the kill."""
        self.run_hook(end - time.monotonic())
        self.terminate(end)

    def terminate(self, end):
        self.signal(self.stop_signal)
        try:
            self.process.wait(max(0.0, end - time.monotonic()))
            self.end = "by itself"
        except subprocess.TimeoutExpired:
            self.end = "killed"
            self.kill_all()

    def kill_all(self):
        """With its children, as a container's end does."""
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.pid)], capture_output=True, text=True,
                                  check=False).stdout.split() if self.running() else []
        self.process.kill()
        for child in map(int, children):
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.kill()


class Probe:
    """An httpGet probe, by the kubelet's rules: so many looks in a row turn it over."""

    def __init__(self, spec, address, ports, good=False):
        self.spec, self.good, self.last, self.streak, self.next = spec, good, good, 0, 0.0
        get = spec["httpGet"]
        self.where = (address, ports.get(get["port"], get["port"]), get["path"])

    def ask(self):
        address, port, path = self.where
        link = http.client.HTTPConnection(address, port, timeout=self.spec.get("timeoutSeconds", 1))
        try:
            link.request("GET", path, headers={"Connection": "close"})
            return 200 <= link.getresponse().status < 400
        except (OSError, http.client.HTTPException):
            return False
        finally:
            link.close()

    def look(self):
        """Asks if it is time; whether the probe succeeds, as far as is known."""
        if time.monotonic() >= self.next:
            good = self.ask()
            self.next = time.monotonic() + self.spec.get("periodSeconds", 10)
            self.streak = self.streak + 1 if good == self.last else 1
            self.last = good
            if self.streak >= self.spec.get("successThreshold" if good else "failureThreshold", 1 if good else 3):
                self.good = good
        return self.good


class RunningPod(threading.Thread):
    """A pod from its binding to its end."""

    def __init__(self, kubelet, made):
        super().__init__()
        self.kubelet, self.made = kubelet, made
        self.cluster = client_of(kubelet.cluster)
        self.name, self.spec = made["metadata"]["name"], made["spec"]
        self.path = f"{kubelet.path}/{self.name}"
        self.containers, self.sandbox, self.grace_s = {}, None, None
        self.began = time.monotonic()
        self.ready_s, self.told = None, None  # from its begin to its first readiness; what the API was told last
        self.start()

    def run(self):
        try:
            self.live()
        except Exception:  # pylint: disable=broad-exception-caught
            self.kubelet.faults.append(f"{self.name}: {traceback.format_exc()}")
        finally:
            for container in self.containers.values():
                container.kill_all()
            if self.sandbox:
                self.sandbox.close()

    def live(self):
        self.cluster.request("POST", f"{self.path}/binding", {
            "metadata": {"name": self.name}, "target": {"kind": "Node", "name": "node-0"}})
        self.sandbox = Sandbox()
        folder = self.kubelet.folder / self.name
        folder.mkdir()
        volumes = Volumes(folder, self.spec, self.files())
        for container in self.spec.get("initContainers", []):
            assert container["restartPolicy"] == "Always", "sidecars alone"
            self.start_container(folder, volumes, container)
            self.wait_started(container["name"])
        for container in self.spec["containers"]:
            self.start_container(folder, volumes, container)
        stopper = None
        while stopper is None or stopper.is_alive():
            self.look()
            if self.grace_s is not None and stopper is None:
                stopper = threading.Thread(target=self.stop_containers, args=[time.monotonic() + self.grace_s])
                stopper.start()
            if self.kubelet.done.wait(LOOK_S):
                return
        self.cluster.request("DELETE", f"{self.path}?gracePeriodSeconds=0")

    def files(self):
        """The files of each volume."""
        own = f"/api/v1/namespaces/{self.kubelet.namespace}"
        files = {}
        for volume in self.spec["volumes"]:
            if "configMap" in volume:
                files[volume["name"]] = self.cluster.request("GET", f"{own}/configmaps/{volume['configMap']['name']}")["data"]
            elif "projected" in volume:
                token = self.cluster.token(self.kubelet.namespace, self.spec["serviceAccountName"])
                files[volume["name"]] = {"token": token, "namespace": self.kubelet.namespace,
                                         "ca.crt": (self.cluster.folder / "ca.crt").read_text()}
        return files

    def start_container(self, folder, volumes, container):
        self.containers[container["name"]] = PodContainer(self.sandbox, folder, self.spec, container, volumes)

    def wait_started(self, name):
        """A native sidecar has passed its startup probe before others start."""
        container = self.containers[name]
        until(lambda: container.probes["startup"].look() or not container.running(), f"{name} to start", 60, LOOK_S)
        assert container.running(), f"{name} ended: {container.err[-20:]}"

    def look(self):
        """Probes all, and tells the API what turned over."""
        ready = True
        for name, container in self.containers.items():
            if container.end is None and not container.running() and self.grace_s is None:
                raise AssertionError(f"{name} ended: {container.err[-20:]} {container.out[-20:]}")
            ready = self.probe(container) and ready
        if ready != self.told:
            self.tell(ready)

    def probe(self, container):
        """Whether a container is ready."""
        probes = container.probes
        if not container.running():
            return False
        if "startup" in probes and not probes["startup"].good:
            return probes["startup"].look() and "readiness" not in probes
        if "liveness" in probes and self.grace_s is None:
            # It begins as a success.
            alive = probes["liveness"]
            alive.look()
            if not alive.good and alive.streak >= alive.spec["failureThreshold"]:
                raise AssertionError(f"the kubelet would start {container.spec['name']} again")
        return probes["readiness"].look() if "readiness" in probes else True

    def tell(self, ready):
        if ready and self.ready_s is None:
            self.ready_s = time.monotonic() - self.began
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        address = self.sandbox.address
        try:
            self.cluster.request("PATCH", f"{self.path}/status", {"status": {
                "phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": [{
                    "type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": now}]}},
                kind="application/strategic-merge-patch+json")
        except ApiError as error:
            if error.code != 404:
                raise
        self.told = ready

    def stop_containers(self, end):
        """All but sidecars at once, then the sidecars, the last one first."""
        mains = [self.containers[container["name"]] for container in self.spec["containers"]]
        threads = [threading.Thread(target=self.stop_container, args=[container, end]) for container in mains]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for container in reversed(self.spec.get("initContainers", [])):
            self.stop_container(self.containers[container["name"]], max(end, time.monotonic() + SIDECAR_S))

    def stop_container(self, container, end):
        try:
            container.stop(end)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            self.kubelet.faults.append(f"{self.name}: {error}")
            container.terminate(end)


class Kubelet(threading.Thread):
    """Runs the pods of a namespace. A context: at its end they are gone."""

    def __init__(self, cluster, namespace, folder):
        super().__init__()
        prepare_node()
        self.cluster, self.namespace, self.folder = client_of(cluster), namespace, folder
        self.path = f"/api/v1/namespaces/{namespace}/pods"
        self.pods, self.faults = {}, []  # by uid, those that are gone too
        self.done = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        self.done.set()
        self.join()
        for pod in self.pods.values():
            pod.join()
        assert kind or self.faults == [], self.faults

    def run(self):
        while not self.done.wait(LOOK_S):
            try:
                for made in self.cluster.request("GET", self.path)["items"]:
                    self.see(made)
            except Exception:  # pylint: disable=broad-exception-caught
                self.faults.append(traceback.format_exc())
                return

    def see(self, made):
        uid, grace = made["metadata"]["uid"], made["metadata"].get("deletionGracePeriodSeconds")
        if uid in self.pods:
            if "deletionTimestamp" in made["metadata"]:
                self.pods[uid].grace_s = grace
        elif "deletionTimestamp" not in made["metadata"]:
            self.pods[uid] = RunningPod(self, made)

    def ready(self):
        """The pods that are ready and not told to stop."""
        return [pod for pod in list(self.pods.values()) if pod.told and pod.grace_s is None]

    def gone(self):
        return [pod for pod in list(self.pods.values()) if not pod.is_alive()]


class Proxy(threading.Thread):
    """Leads a Service's first port to its endpoints, as kube-proxy does: to the ready ones, and where there are none to
    those that end but still serve. Connections that stand stay where they are."""

    def __init__(self, cluster, namespace, service):
        super().__init__()
        self.cluster, self.faults = client_of(cluster), []
        path = f"/api/v1/namespaces/{namespace}/services/{service}"
        spec = cluster.request("GET", path)["spec"]
        self.address, self.port = spec["clusterIP"], spec["ports"][0]["port"]
        self.slices = (f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
                       f"?labelSelector=kubernetes.io/service-name={service}")
        self.chain, self.targets, self.done = f"SVC{next(NUMBERS)}", None, threading.Event()

    def __enter__(self):
        self.sync()
        to = ["-d", self.address, "-p", "tcp"]
        run("iptables", "-w", "-t", "nat", "-A", "OUTPUT", *to, "--dport", self.port, "-j", self.chain)
        # Without an endpoint it was not translated.
        run("iptables", "-w", "-A", "OUTPUT", *to, "-j", "REJECT", "--reject-with", "tcp-reset")
        self.start()
        return self

    def __exit__(self, kind, *_):
        self.done.set()
        self.join()
        assert kind or self.faults == [], self.faults

    def run(self):
        while not self.done.wait(PROXY_S):
            try:
                self.sync()
            except Exception:  # pylint: disable=broad-exception-caught
                self.faults.append(traceback.format_exc())
                return

    def sync(self):
        slices = self.cluster.request("GET", self.slices)["items"]
        ends = [(end["addresses"][0], made["ports"][0]["port"], end["conditions"])
                for made in slices for end in made["endpoints"] or () if made["ports"]]
        targets = sorted({end[:2] for end in ends if end[2]["ready"]} or {
            end[:2] for end in ends if end[2]["serving"] and end[2]["terminating"]})
        if targets == self.targets:
            return
        rules = [f"-A {self.chain} -p tcp -m statistic --mode random --probability {1 / (len(targets) - n):.6f} "
                 f"-j DNAT --to-destination {address}:{port}" for n, (address, port) in enumerate(targets)]
        run("iptables-restore", "--noflush", "-w", input="\n".join(["*nat", f":{self.chain} - [0:0]", *rules, "COMMIT\n"]))
        self.targets = targets
