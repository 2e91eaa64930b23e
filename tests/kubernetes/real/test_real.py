# SPDX-License-Identifier: MIT
"""Against a real control plane: whatever happens, the slots equal the pods within ten seconds of the fault's end,
and no live connection is cut."""
import contextlib
import shutil
import signal
import time

from field import Load
from program import run, until


def steady(it, load):
    """Ends a load on pods that lived all the time: nothing may have been lost."""
    report = load.stop()
    it.figures.clients(report)
    assert report["ok"] and report["dropped"] == 0 and report["failed"] == 0, report


@contextlib.contextmanager
def clients(it, n=40):
    """Clients that stay connected and talk all the time, over whatever happens."""
    it.haproxy.wait_up(len(it.workload.addresses))
    with Load(it.haproxy.url, connections=n, message_interval=0.2) as load:
        load.wait_standing()
        yield
        steady(it, load)


def test_the_first_list_fills_slots_and_names_pods(scene):
    it = scene(replicas=3)
    names = it.workload.create(5)
    it.start()
    it.expect()
    it.agent.wait_ready()
    pods = {pod["podIP"]: pod for pods in it.agent.json()["podMetrics"].values() for pod in pods}
    for number, name in enumerate(names):
        pod = pods[it.workload.addresses[name]]
        assert pod["podName"] == name and len(pod["pod_uid"]) == 36
        assert (pod["nodeName"], pod["zone"]) == (f"node-{number % 2}", f"zone-{number % 2}")
    it.agent.wait_log("replicas=3")
    it.balancers.terminate(next(iter(it.balancers.addresses)))
    it.agent.wait_log("replicas=2")


def test_a_services_own_port_is_named_where_the_service_may_be_read(scene):
    port = [{"service": "web:80", "backend": "ws"}]
    it = scene(kubernetes=port)
    it.keys["kubernetes"][0]["namespace"] = it.app
    it.workload.create(1)
    it.start()
    wrong = "Service web has no port 80: its pods listen on ws:8080"
    assert "the Service's own port" not in it.agent.wait_log(wrong)
    it.agent.stop()
    it.let_read_services()
    it.start()
    it.agent.wait_log(f"{wrong} (80 is the Service's own port, named ws)")


def test_three_hundred_pods_in_several_slices_then_none_then_all(scene):
    it = scene(slots=310)
    names = it.workload.create(300)
    it.start()
    it.expect()
    path = f"/apis/discovery.k8s.io/v1/namespaces/{it.app}/endpointslices"
    assert len(it.cluster.request("GET", path)["items"]) >= 3
    it.haproxy.wait_up(300)
    with Load(it.haproxy.url, connections=900, rate=600, message_interval=1) as load:
        load.wait_standing()
        sessions = [count for count in it.haproxy.sessions().values() if count]
        assert len(sessions) == 300 and min(sessions) >= 2 and max(sessions) <= 4, sessions
        steady(it, load)
    addresses = dict(it.workload.addresses)
    for name in names:
        it.workload.set_ready(name, addresses[name], ready=False)
    it.expect(drain=addresses.values())
    for name in names:
        it.cluster.request("DELETE", f"{it.workload.path}/pods/{name}?gracePeriodSeconds=0")
    it.expect()
    it.workload.create(300)
    it.expect()
    it.haproxy.reload()
    it.expect(deadline_s=3)


def test_a_rolling_restart_cuts_no_connection(scene):
    it = scene(slots=12)
    old = it.workload.create(8, alone=True)
    it.start()
    it.expect()
    it.haproxy.wait_up(8)
    with Load(it.haproxy.url, connections=200, rate=200, lifetime=2, lifetime_spread="fixed",
              message_interval=0.2) as load:
        load.wait_standing()
        ended = {}
        for name in old:
            it.workload.create(1, alone=True)
            ended[name] = it.workload.terminate(name)
            it.expect(drain=ended.values())
            # A pod that ends well waits for its clients.
            program = it.workload.programs[name]
            until(lambda pod=program: pod.count() == 0, "the pod to be left", 10)
            it.workload.finish(name)
            del ended[name]
            it.expect()
        steady(it, load)


def test_a_pod_that_is_unready_for_a_while_keeps_its_connections(scene):
    it = scene()
    names = it.workload.create(3, alone=True)
    it.start()
    it.expect()
    it.haproxy.wait_up(3)
    with Load(it.haproxy.url, connections=30, message_interval=0.2) as load:
        load.wait_standing()
        address = it.workload.addresses[names[0]]
        for _ in range(3):
            it.workload.set_ready(names[0], address, ready=False)
            it.expect(drain=[address])
            it.workload.set_ready(names[0], address)
            it.expect()
        assert it.workload.programs[names[0]].count() == 10
        steady(it, load)


def test_haproxy_reloads_and_restarts(scene):
    it = scene(slots=4)
    it.workload.create(6)
    it.start()
    it.expect()
    it.haproxy.wait_up(6)
    with Load(it.haproxy.url, connections=60, message_interval=0.2) as load:
        load.wait_standing()
        for _ in range(3):
            it.haproxy.reload()
            it.expect(deadline_s=3)
        steady(it, load)
    before = int(it.haproxy.info()["Pid"])
    it.haproxy.signal(signal.SIGTERM)
    it.haproxy.wait(10)
    type(it.haproxy).__bases__[0].__init__(it.haproxy, it.haproxy.argv)
    it.haproxy.wait_pid(but=before)
    it.expect(deadline_s=5)


def test_the_api_server_is_killed_and_has_forgotten_the_version(scene):
    it = scene()
    it.workload.create(4)
    it.start()
    it.expect()
    it.haproxy.wait_up(4)
    with Load(it.haproxy.url, connections=40, message_interval=0.2) as load, it.watched():
        load.wait_standing()
        for _ in range(2):
            it.cluster.restart_api()
            it.workload.create(1)
            it.expect()
        steady(it, load)


def test_an_outage_of_the_api_outlives_a_reload_of_haproxy(scene):
    it = scene()
    it.workload.create(4)
    it.start()
    it.expect()
    with clients(it):
        it.cluster.kill("kube-apiserver")
        it.agent.wait_log("the Kubernetes API fails")
        it.haproxy.reload()
        it.expect(deadline_s=3, asked=False)
        time.sleep(5)
        it.expect(deadline_s=0.1, asked=False)
        it.cluster.restart_api()
        it.workload.create(1)
        it.expect()


def test_an_agent_that_restarts_in_an_outage_of_the_api_takes_what_haproxy_has(scene):
    it = scene()
    it.workload.create(4)
    it.start()
    it.expect()
    with clients(it), it.watched():
        it.cluster.kill("kube-apiserver")
        it.agent.wait_log("the Kubernetes API fails")
        it.agent.stop()
        it.start()
        it.agent.wait_log("Kubernetes does not tell of the pods")
        it.expect(deadline_s=0.1, asked=False)
        it.cluster.restart_api()
        it.workload.create(1)
        it.expect()
    it.cluster.kill("kube-apiserver")
    it.agent.stop()
    it.start()
    it.agent.wait_log("Kubernetes does not tell of the pods")
    with clients(it):
        it.haproxy.reload()
        it.expect(deadline_s=3, asked=False)
    it.cluster.restart_api()
    it.expect()


def test_the_api_server_stops_in_good_order(scene):
    it = scene()
    it.workload.create(3)
    it.start()
    it.expect()
    with it.watched(), clients(it):
        it.cluster.restart_api(signal.SIGTERM)
        it.workload.create(1)
        it.expect()


def test_the_api_server_stands_still(scene):
    it = scene()
    it.workload.create(3)
    it.start()
    it.expect()
    with it.watched(), clients(it):
        it.cluster.signal("kube-apiserver", signal.SIGSTOP)
        time.sleep(12)
        it.cluster.signal("kube-apiserver", signal.SIGCONT)
        until(lambda: it.cluster.wait_ready() is None, "the API server")
        it.workload.create(1)
        it.expect()


def test_etcd_is_put_back_to_an_older_state(scene):
    """The agent's version is then of the future, from which a watch would be told nothing."""
    it = scene()
    it.workload.create(3)
    it.start()
    it.expect()
    saved = it.cluster.folder / "etcd.saved"
    before = dict(it.workload.addresses)
    for name in ("kube-controller-manager", "kube-apiserver"):
        it.cluster.kill(name)
    it.cluster.kill("etcd", signal.SIGTERM)
    shutil.copytree(it.cluster.folder / "etcd", saved)
    for name in ("etcd", "kube-apiserver"):
        it.cluster.start(name)
    it.cluster.wait_ready()
    it.cluster.start("kube-controller-manager")
    later = it.workload.create(2)
    it.expect()
    with it.watched(before.values()), clients(it):
        for name in ("kube-controller-manager", "kube-apiserver", "etcd"):
            it.cluster.kill(name)
        shutil.rmtree(it.cluster.folder / "etcd")
        saved.rename(it.cluster.folder / "etcd")
        for name in ("etcd", "kube-apiserver"):
            it.cluster.start(name)
        it.cluster.wait_ready()
        it.cluster.start("kube-controller-manager")
        for name in later:
            it.workload.addresses.pop(name)
        it.expect()
        it.workload.create(1)
        it.expect()


def test_a_token_expires_and_is_renewed(scene):
    it = scene()
    it.workload.create(3)
    # The API server takes a token for a minute longer than it says.
    it.write_account(it.cluster.token(it.own, "default", seconds=-50))
    it.start()
    it.expect()
    with it.watched(), clients(it):
        time.sleep(11)
        it.cluster.restart_api()
        it.agent.wait_log("HTTP 401")
        it.workload.create(1)
        time.sleep(3)
        it.write_account()
        it.expect()


def test_the_role_is_taken_away_and_given_back(scene):
    it = scene()
    it.workload.create(3)
    it.start()
    it.expect()
    with it.watched(), clients(it):
        it.take_role(it.app)
        it.cluster.restart_api()
        line = it.agent.wait_log("HTTP 403")
        assert "cannot list resource" in line
        it.workload.create(1)
        time.sleep(3)
        it.give_role(it.app)
        it.expect()


def test_the_path_to_the_api_server_is_cut_and_mended(scene):
    it = scene()
    names = it.workload.create(4)
    it.start()
    it.expect()
    gone = it.workload.addresses[names[0]]
    for seconds in (3, 20):
        until(lambda: it.cluster.wait_ready() is None, "the API server")
        with it.watched([a for a in it.workload.addresses.values() if a != gone]), clients(it):
            it.cluster.cut_path()
            try:
                # On the far side a pod turns unready, or ready again.
                ready = "False" if seconds == 3 else "True"
                status = ('{"status":{"conditions":[{"type":"Ready","status":"%s"}]}}' % ready)
                at = it.cluster.folder
                run(*it.cluster.inside("curl", "-sf", "-X", "PATCH", "--cacert", at / "ca.crt", "--cert",
                                       at / "admin.crt", "--key", at / "admin.key", "-H",
                                       "Content-Type: application/strategic-merge-patch+json", "-d", status,
                                       f"https://127.0.0.1:6443{it.workload.path}/pods/{names[0]}/status"))
                time.sleep(seconds)
            finally:
                it.cluster.mend_path()
            if seconds == 3:
                it.workload.addresses.pop(names[0])
                it.expect(drain=[gone])
            else:
                it.workload.addresses[names[0]] = gone
                it.expect()


def test_a_hundred_changes_a_second_end_in_the_truth(scene):
    it = scene(slots=40)
    steady_pods = it.workload.create(5)
    names = it.workload.create(20)
    it.start()
    it.expect()
    it.haproxy.wait_up(25)
    addresses = {name: it.workload.addresses[name] for name in names}
    steadily = [it.workload.addresses[name] for name in steady_pods]
    with Load(it.haproxy.url, connections=50, message_interval=0.2) as load, it.watched(steadily):
        load.wait_standing()
        began = time.monotonic()
        for step in range(500):
            name = names[step % len(names)]
            it.workload.set_ready(name, addresses[name], ready=name not in it.workload.addresses)
            time.sleep(max(0.0, began + (step + 1) * 0.01 - time.monotonic()))
        spent = time.monotonic() - began
        unready = [address for name, address in addresses.items() if name not in it.workload.addresses]
        it.expect(drain=unready)
        assert spent < 10, f"500 changes took {spent} s"
        steady(it, load)
