# SPDX-License-Identifier: MIT
"""Pods, HAProxy and the agent beside a real control plane."""
import itertools
import json
import os
import pathlib
import time

from balancer import Agent, HAProxy, make_dir
from cluster import FAR, ApiError
from field import Pod
from ports import free_port
from program import Program, binary, run, until
from watcher import Watcher

ACCOUNT = pathlib.Path("/run/secrets/kubernetes.io/serviceaccount")
SETTLED_S = 10.0  # back-off included
NOBODY = 65534
PORT = 8080
COUNTER = itertools.count(1)
ADDRESSES = (f"10.77.{block}.{host}" for block in range(1, 256) for host in range(1, 251))


def mount_account_folder():
    """/run belongs to this run alone, so that the agent finds its account where a pod would."""
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    ACCOUNT.mkdir(parents=True)


class AgentOfNobody(Agent):
    """The agent as an ordinary user, with the environment that a pod has."""

    def __init__(self, beside, **keys):  # pylint: disable=super-init-not-called
        self.dir = make_dir()
        self.dir.chmod(0o755)
        self.file = self.dir / "wsbalancer.yaml"
        self.http = f"127.0.0.1:{free_port()}"
        self.config = {"pollInterval": "500ms", "pollTimeout": "400ms", "listen": self.http, **keys}
        self.config["haproxy"] = {"socket": beside.socket, "backends": ["ws"], **keys.get("haproxy", {})}
        self.write()
        Program.__init__(self, ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                                "--no-new-privs", binary("wsbalancer"), "-c", str(self.file)],
                         {"KUBERNETES_SERVICE_HOST": FAR, "KUBERNETES_SERVICE_PORT": "6443"})


class Workload:
    """Pods of one Service. The test is their kubelet: it runs wspods and says what state they are in."""

    def __init__(self, cluster, namespace, name="web"):
        self.cluster, self.namespace, self.name = cluster, namespace, name
        self.path = f"/api/v1/namespaces/{namespace}"
        self.addresses = {}  # pod's name to address, of those that are ready
        self.programs = {}   # pod's name to its wspod
        cluster.request("POST", f"{self.path}/services", {
            "metadata": {"name": name}, "spec": {"selector": {"app": name}, "ports": [
                {"name": "ws", "port": 80, "targetPort": PORT}]}})

    def create(self, n, alone=False):
        """n more pods, which serve; all in one process, or each in its own. Returns their names."""
        made = {f"{self.name}-{next(COUNTER)}": next(ADDRESSES) for _ in range(n)}
        groups = [[name] for name in made] if alone else [list(made)]
        for group in groups:
            program = Pod(listen=[f"{made[name]}:{PORT}" for name in group])
            self.programs |= {name: program for name in group}
        for number, (name, address) in enumerate(made.items()):
            self.cluster.request("POST", f"{self.path}/pods", {
                "metadata": {"name": name, "labels": {"app": self.name}},
                "spec": {"nodeName": f"node-{number % 2}", "containers": [{"name": "c", "image": "none"}]}})
            self.set_ready(name, address)
        return list(made)

    def set_ready(self, name, address, ready=True):
        self.cluster.request("PATCH", f"{self.path}/pods/{name}/status", {"status": {
            "phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
            "conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}},
            kind="application/strategic-merge-patch+json")
        if ready:
            self.addresses[name] = address
        else:
            self.addresses.pop(name)

    def terminate(self, name):
        """The deletion begins; the pod serves on. Returns its address."""
        self.cluster.request("DELETE", f"{self.path}/pods/{name}?gracePeriodSeconds=300")
        return self.addresses.pop(name)

    def finish(self, name):
        """The pod is gone; its wspod ends when it is alone in it."""
        try:
            self.cluster.request("DELETE", f"{self.path}/pods/{name}?gracePeriodSeconds=0")
        except ApiError as error:
            if error.code != 404:
                raise
        self.addresses.pop(name, None)
        program = self.programs.pop(name)
        if program not in self.programs.values():
            program.stop()

    def close(self):
        for program in set(self.programs.values()):
            program.kill()


class Scene:
    """A Service in a namespace, HAProxy with slots, and the agent with the rights of a Role."""

    def __init__(self, cluster, figures, slots=20, replicas=0, **keys):
        number = next(COUNTER)
        self.figures = figures
        self.cluster = cluster
        self.app, self.own = f"app-{number}", f"balancer-{number}"
        for name in (self.app, self.own):
            cluster.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
            self.wait_account(name, "default")
            self.give_role(name)
        for node in range(2):
            cluster.apply("/api/v1/nodes", {"metadata": {
                "name": f"node-{node}", "labels": {"topology.kubernetes.io/zone": f"zone-{node}"}}})
        self.workload = Workload(cluster, self.app)
        self.keys = {"kubernetes": [{"service": "web", "namespace": self.app, "backend": "ws",
                                     "serverOptions": "check inter 500ms"}], **keys}
        self.balancers = None
        if replicas:
            self.balancers = Workload(cluster, self.own, "balancer")
            self.balancers.create(replicas)
            self.keys["haproxy"] = {"replicas": {"service": "balancer"}}
        self.write_account()
        self.haproxy = HAProxy([], servers={f"pod{i + 1}": "127.0.0.1:1" for i in range(slots)},
                               server="check inter 500ms weight 100 disabled", level="admin user nobody")
        self.haproxy.dir.chmod(0o755)
        self.agent = None

    def start(self):
        self.agent = AgentOfNobody(self.haproxy, **self.keys)

    def wait_account(self, namespace, name):
        def there():
            try:
                return self.cluster.request("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}")
            except ApiError:
                return None

        until(there, "the service account")

    def give_role(self, namespace):
        """What the chart gives: a Role in the application's namespace, bound to the agent's account."""
        rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
        self.cluster.apply(f"{rbac}/roles", {"metadata": {"name": "slices"}, "rules": [{
            "apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["get", "list", "watch"]}]})
        self.cluster.apply(f"{rbac}/rolebindings", {"metadata": {"name": "slices"}, "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "slices"}, "subjects": [
                {"kind": "ServiceAccount", "name": "default", "namespace": self.own}]})

    def let_read_services(self):
        """What the chart gives with rbac.readServices."""
        path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{self.app}/roles/slices"
        role = self.cluster.request("GET", path)
        role["rules"].append({"apiGroups": [""], "resources": ["services"], "resourceNames": ["web"], "verbs": ["get"]})
        self.cluster.request("PUT", path, role)

    def take_role(self, namespace):
        self.cluster.request("DELETE", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings/slices")

    def write_account(self, token=None):
        """What the kubelet writes; renamed into place, as the kubelet does."""
        files = {"token": token or self.cluster.token(self.own, "default"), "namespace": self.own,
                 "ca.crt": (self.cluster.folder / "ca.crt").read_text()}
        for name, text in files.items():
            (ACCOUNT / f"{name}.new").write_text(text)
            os.rename(ACCOUNT / f"{name}.new", ACCOUNT / name)

    def states(self):
        """Address to state, of the servers that are not in maintenance."""
        try:
            rows = [line.split() for line in self.haproxy.cli("show servers state ws").splitlines()[2:] if line]
        except OSError:
            return {}
        return {row[4]: {0: "ready", 8: "drain"}[int(row[6]) & 0x1b] for row in rows if not int(row[6]) & 0x23}

    def truth(self):
        """Address to state, as the slices say."""
        path = f"/apis/discovery.k8s.io/v1/namespaces/{self.app}/endpointslices"
        endpoints = [e for made in self.cluster.request("GET", path)["items"] for e in made["endpoints"] or ()]
        return {e["addresses"][0]: "ready" if e["conditions"]["ready"] else "drain" for e in endpoints}

    def watched(self, addresses=None):
        """While these servers, or all that there are now, must be ready all the time."""
        return Watcher(self.states, self.workload.addresses.values() if addresses is None else addresses)

    def expect(self, drain=(), deadline_s=SETTLED_S, asked=True):
        """Waits until the servers are the workload's ready pods, and those of drain. The time runs from when the
        slices say so; asked is False while the API server cannot be asked."""
        wanted = {address: "ready" for address in self.workload.addresses.values()}
        wanted |= {address: "drain" for address in drain}
        if asked:
            until(lambda: self.truth() == wanted, "the controller to write the slices", 60)

        def settled():
            assert self.agent.running(), self.agent.err
            return self.states() == wanted

        began = time.monotonic()
        try:
            until(settled, "slots", deadline_s)
            self.figures.right(time.monotonic() - began)
        except AssertionError as error:
            states = self.states()
            wrong = {a: (states.get(a), wanted.get(a)) for a in {*states, *wanted} if states.get(a) != wanted.get(a)}
            raise AssertionError("address: (is, should be): " + json.dumps(wrong)[:2000] + "\n" +
                                 "\n".join(self.agent.err[-30:])) from error

    def close(self, good):
        try:
            if self.agent:
                self.agent.__exit__(None if good else AssertionError, None, None)
        finally:
            self.haproxy.__exit__(AssertionError, None, None)
            self.workload.close()
            if self.balancers:
                self.balancers.close()
