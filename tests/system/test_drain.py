# SPDX-License-Identifier: MIT
"""/drain makes HAProxy unready at once, and is answered when the time for it is over. And proc.synced
is set when the slots are full."""
import http.client
import os
import signal
import socket
import subprocess
import threading
import time

import pytest
from balancer import Agent, HAProxy
from fake_api import FakeApi, endpoint
from field import Load, Pod
from ports import free_port
from program import until

# As the chart has it.
READY = """
frontend stat
\tbind 127.0.0.1:{port}
\tmonitor-uri /ready
\tmonitor fail if {{ var(proc.stopping) -m int gt 0 }}
\tmonitor fail if !{{ var(proc.synced) -m int gt 0 }} {{ nbsrv(ws) lt 1 }}
"""


class Monitored(HAProxy):
    """HAProxy with a readiness monitor."""

    def __init__(self, addresses, **keys):
        self.ready_port = free_port()
        super().__init__(addresses, more=READY.format(port=self.ready_port), **keys)

    def status(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.ready_port, timeout=5)
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status
        finally:
            connection.close()

    def variables(self, pid=None):
        """proc.stopping and proc.synced of the worker that answers, None for one that is not set; no
        answer but pid's counts."""

        def asked():
            said = self.cli("get var proc.stopping;get var proc.synced;show info")
            info = dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)
            if info["Stopping"] != "0" or (pid and int(info["Pid"]) != pid):
                return None
            values = [info.get(f"proc.{name}", "undefined") for name in ("stopping", "synced")]
            return [int(value.split("<")[1].rstrip(">")) if "<" in value else None for value in values]

        return until(asked, "HAProxy's variables")


class Hook(threading.Thread):
    """Asks for /drain as a preStop hook does."""

    def __init__(self, agent):
        super().__init__()
        self.agent, self.answer, self.ended, self.took_s = agent, None, None, None
        self.start()

    def run(self):
        began = time.monotonic()
        try:
            self.answer = self.agent.get("/drain", timeout=60)
        except OSError as error:
            self.answer = error
        self.ended = time.monotonic()
        self.took_s = self.ended - began


@pytest.fixture(name="pods")
def fixture_pods():
    with Pod(n=2) as pods:
        yield pods


@pytest.fixture(name="haproxy")
def fixture_haproxy(pods):
    with Monitored(pods.addresses) as haproxy:
        haproxy.wait_up()
        until(lambda: haproxy.status() == 200, "HAProxy to be ready")
        yield haproxy


def is_tainted(haproxy):
    return int(haproxy.info()["Tainted"], 16) != 0


def test_haproxy_turns_unready_at_once_and_still_takes_connections(haproxy):
    with Agent(haproxy, drainDelay="4s") as agent:
        agent.wait_ready()
        assert not is_tainted(haproxy)
        began = time.monotonic()
        hook = Hook(agent)
        until(lambda: haproxy.status() == 503, "HAProxy to be unready")
        assert time.monotonic() - began < 1
        with Load(haproxy.url, connections=10, message_interval=0.1) as load:
            load.wait_standing()
            assert haproxy.status() == 503 and hook.is_alive()
            hook.join()
            assert load.stop()["ok"]
        assert hook.answer == (200, "drained\n")
        assert 3.9 < hook.took_s < 6
        agent.wait_log("drained: HAProxy may stop now")


def test_hooks_that_ask_meanwhile_are_answered_together(haproxy):
    with Agent(haproxy, drainDelay="2s") as agent:
        agent.wait_ready()
        first = [Hook(agent) for _ in range(3)]
        agent.wait_log("draining")
        time.sleep(1)  # half of the time
        late = Hook(agent)
        for hook in (*first, late):
            hook.join()
            assert hook.answer == (200, "drained\n")
        assert all(1.9 < hook.took_s < 3 for hook in first)
        ends = [hook.ended for hook in (*first, late)]
        assert max(ends) - min(ends) < 0.5 and late.took_s < 1.5
        assert sum("draining" in line for line in agent.err) == 1


@pytest.mark.parametrize("how", ["reload", "restart"])
def test_a_new_process_is_told_without_waiting_for_a_round(pods, how):
    with Monitored(pods.addresses) as haproxy, \
            Agent(haproxy, drainDelay="6s", pollInterval="1h", cacheTTL="2h") as agent:
        agent.wait_ready()
        hook = Hook(agent)
        until(lambda: haproxy.variables() == [1, None], "HAProxy to be told")
        if how == "reload":
            pid = haproxy.reload()
        else:
            haproxy.stop()
            pid = haproxy.start_again()
        until(lambda: haproxy.variables(pid) == [1, None], "the new process to be told", 3)
        assert hook.is_alive()
        hook.join()
        assert hook.answer == (200, "drained\n")


def test_without_a_stop_haproxy_is_ready_again(haproxy):
    with Agent(haproxy, drainDelay="1s") as agent:
        agent.wait_ready()
        for n in 1, 2:
            hook = Hook(agent)
            until(lambda: haproxy.status() == 503, "HAProxy to be unready")
            assert "wsbalancer_haproxy_draining 1" in agent.get("/metrics")[1]
            hook.join()
            assert hook.answer == (200, "drained\n")
            assert haproxy.status() == 503
            until(lambda: haproxy.status() == 200, "HAProxy to be ready again", 3)
            until(lambda: sum("no stop has followed the drain" in line for line in agent.err) == n, "a word of it")
            assert "wsbalancer_haproxy_draining 0" in agent.get("/metrics")[1]


def test_hooks_that_ask_again_and_again_hold_nothing_for_longer(haproxy):
    with Agent(haproxy, drainDelay="1s") as agent:
        agent.wait_ready()
        began = time.monotonic()
        # Fifty in one packet, answered one after the other.
        with socket.create_connection(agent.http.split(":")) as s:
            s.settimeout(10)
            s.sendall(b"GET /drain HTTP/1.1\r\nHost: localhost\r\n\r\n" * 49
                      + b"GET /drain HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            said = b""
            while chunk := s.recv(65536):
                said += chunk
        assert said.count(b"\r\n\r\ndrained\n") == 50
        assert 0.9 < time.monotonic() - began < 2
        until(lambda: haproxy.status() == 200, "HAProxy to be ready again", 3)


# As the manual has it, with a short wait between two looks.
HOOK = """
f=$1; : > $f; n=0
while [ -e $f ] && [ $n -lt $2 ]; do sleep 0.1; n=$((n + 1)); done
[ ! -e $f ]
"""


class ShellHook:
    """Asks by a file, as an exec hook does."""

    def __init__(self, file, looks=100):
        self.began = time.monotonic()
        self.process = subprocess.Popen(["sh", "-c", HOOK, "hook", str(file), str(looks)])

    def end(self):
        """Seconds that it took; it must not have given up."""
        assert self.process.wait(20) == 0
        return time.monotonic() - self.began


def test_a_file_asks_for_a_drain_and_goes_when_it_is_over(haproxy):
    file = haproxy.dir / "drain"
    with Agent(haproxy, drainDelay="2s", drainFile=str(file)) as agent:
        agent.wait_ready()
        hooks = [ShellHook(file), ShellHook(file)]
        until(lambda: haproxy.status() == 503, "HAProxy to be unready")
        assert time.monotonic() - hooks[0].began < 1
        assert all(1.9 < hook.end() < 3.5 for hook in hooks)
        # What comes now finds it drained.
        assert ShellHook(file).end() < 1
        until(lambda: haproxy.status() == 200, "HAProxy to be ready again", 4)
        assert sum("draining" in line for line in agent.err) == 1


def test_an_agent_that_stops_lets_the_hooks_go(haproxy):
    file = haproxy.dir / "drain"
    with Agent(haproxy, drainDelay="1m", drainFile=str(file)) as agent:
        agent.wait_ready()
        hook = ShellHook(file)
        until(lambda: haproxy.status() == 503, "HAProxy to be unready")
        agent.stop()
        assert hook.end() < 5
        assert haproxy.status() == 503


def test_a_hook_that_no_agent_sees_ends_by_itself_and_its_file_asks_for_nothing_later(haproxy):
    file = haproxy.dir / "drain"
    assert ShellHook(file, looks=3).process.wait(5) == 1
    os.utime(file, (time.time() - 3, time.time() - 3))
    with Agent(haproxy, drainDelay="1s", drainFile=str(file)) as agent:
        agent.wait_ready()
        until(lambda: not file.exists(), "the file to go")
        assert haproxy.status() == 200
        assert not any("draining" in line for line in agent.err)


@pytest.mark.parametrize("keys, options", [({"drainDelay": "0s"}, ()), ({}, ("--dry-run",))])
def test_with_nothing_to_wait_for_a_file_goes_at_once(haproxy, keys, options):
    file = haproxy.dir / "drain"
    with Agent(haproxy, *options, drainFile=str(file), **keys) as agent:
        agent.wait_ready()
        assert ShellHook(file).end() < 1
        assert haproxy.status() == 200


def test_a_file_that_cannot_be_removed_is_said(haproxy):
    file = haproxy.dir / "drain"
    file.mkdir()
    with Agent(haproxy, drainDelay="0s", drainFile=str(file)) as agent:
        assert "Is a directory" in agent.wait_log("a drain's file cannot be removed")


def test_a_new_configuration_moves_the_file(haproxy):
    old, new = haproxy.dir / "old", haproxy.dir / "new"
    with Agent(haproxy, drainDelay="1m", drainFile=str(old)) as agent:
        agent.wait_ready()
        hook = ShellHook(old)
        agent.wait_log("draining")
        until(lambda: haproxy.status() == 503, "HAProxy to be unready")
        agent.config["drainFile"] = str(new)
        agent.write()
        agent.signal(signal.SIGHUP)
        assert hook.end() < 5


def test_a_haproxy_that_cannot_be_told_is_told_later(haproxy):
    with Agent(haproxy, drainDelay="2s") as agent:
        agent.wait_ready()
        hidden = haproxy.socket + ".hidden"
        os.rename(haproxy.socket, hidden)
        hook = Hook(agent)
        agent.wait_log("HAProxy was not told of its readiness")
        assert haproxy.status() == 200
        os.rename(hidden, haproxy.socket)
        until(lambda: haproxy.status() == 503, "HAProxy to be told", 2)
        hook.join()
        assert hook.answer == (200, "drained\n")
        # And the same when it is taken back.
        os.rename(haproxy.socket, hidden)
        time.sleep(3)  # past the moment when it is
        assert haproxy.status() == 503
        os.rename(hidden, haproxy.socket)
        until(lambda: haproxy.status() == 200, "HAProxy to be ready again", 5)
        agent.wait_log("no stop has followed the drain")


def test_a_hook_hears_that_haproxy_was_not_told(pods):
    with Monitored(pods.addresses, level="operator") as haproxy, Agent(haproxy, drainDelay="500ms") as agent:
        agent.wait_ready()
        hook = Hook(agent)
        hook.join()
        assert hook.answer == (503, "not drained: HAProxy was not told: Permission denied\n")
        assert haproxy.status() == 200
        assert "Permission denied" in agent.wait_log("HAProxy was not told of its readiness")


def test_a_drained_haproxy_that_stops_is_no_error(haproxy):
    """As in Kubernetes, where the agent outlives HAProxy: its socket is closed, its WebSockets live on."""
    with Agent(haproxy, drainDelay="1s") as agent, Load(haproxy.url, connections=5, message_interval=0.1) as load:
        agent.wait_ready()
        load.wait_standing()
        hook = Hook(agent)
        hook.join()
        assert hook.answer == (200, "drained\n")
        haproxy.signal(signal.SIGUSR1)
        agent.wait_http("/readyz", 503)
        assert "wsbalancer_haproxy_draining 1" in agent.get("/metrics")[1]
        time.sleep(3)  # past the moment when HAProxy would be made ready again
        assert haproxy.running()
        assert load.stop()["ok"]
        # HAProxy 2.6.12 often crashes in the very last moment of a soft stop, with an agent or without.
        haproxy.wait()
        wrong = [line for line in agent.err if " error " in line or "no stop has followed" in line]
        assert wrong == [] and any("HAProxy does not answer" in line for line in agent.err)


def test_a_dry_run_answers_at_once_and_tells_haproxy_nothing(haproxy):
    with Agent(haproxy, "--dry-run", drainDelay="1h") as agent:
        agent.wait_ready()
        assert agent.get("/drain") == (200, "not drained: a dry run: HAProxy is told nothing\n")
        assert haproxy.variables() == [None, None] and not is_tainted(haproxy)


def test_without_a_delay_hooks_are_answered_at_once_and_haproxy_is_told_nothing(haproxy):
    with Agent(haproxy, drainDelay="0s") as agent:
        agent.wait_ready()
        assert agent.get("/drain") == (200, "not drained: drainDelay is 0s: HAProxy is told nothing\n")
        assert haproxy.variables() == [None, None] and not is_tainted(haproxy)


def test_without_a_socket_hooks_are_answered_at_once(pods):
    services = [{"name": "ws", "servers": [{"name": "s1", "address": pods.address}]}]
    with Agent(None, services=services, agentCheck={"listen": f"127.0.0.1:{free_port()}"}) as agent:
        agent.wait_ready()
        assert agent.get("/drain") == (200, "not drained: haproxy.socket is not set: HAProxy cannot be told\n")


@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_only_get_drains(haproxy, method):
    with Agent(haproxy) as agent:
        agent.wait_ready()
        host, port = agent.http.split(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=5)
        connection.request(method, "/drain")
        answer = connection.getresponse()
        assert answer.status == 405 and "GET" in answer.headers["Allow"]
        connection.close()
        assert haproxy.variables() == [None, None]


def test_an_answer_outlasts_the_time_after_which_an_idle_connection_is_closed(haproxy):
    with Agent(haproxy, drainDelay="23s") as agent:
        agent.wait_ready()
        hook = Hook(agent)
        agent.wait_log("draining")
        host, port = agent.http.split(":")
        with socket.create_connection((host, int(port)), timeout=30) as idle:
            assert idle.recv(1) == b""
            assert hook.is_alive()
        hook.join()
        assert hook.answer == (200, "drained\n") and hook.took_s > 22.9


def test_an_agent_that_stops_answers_its_hooks_and_leaves_haproxy_draining(haproxy):
    with Agent(haproxy, drainDelay="1h") as agent:
        agent.wait_ready()
        hooks = [Hook(agent) for _ in range(3)]
        until(lambda: haproxy.status() == 503, "HAProxy to be unready")
        until(lambda: sum("ESTABLISHED" in line for line in established(agent)) >= 3, "all to have asked")
        assert agent.get("/healthz")[0] == 200
        agent.stop()
        for hook in hooks:
            hook.join()
            assert hook.answer == (503, "not drained: the agent stops\n")
        assert haproxy.status() == 503


def established(agent):
    """The agent's connections of /proc/net/tcp that stand."""
    port = f":{int(agent.http.split(':')[1]):04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table]
    return ["ESTABLISHED" for row in rows if row[1].endswith(port) and row[3] == "01"]


def test_however_many_ask_probes_are_answered(haproxy):
    with Agent(haproxy, drainDelay="3s") as agent:
        agent.wait_ready()
        hooks = [Hook(agent) for _ in range(100)]
        until(lambda: sum(hook.answer is not None for hook in hooks) == 100 - 32, "those that are too many")
        assert agent.get("/healthz")[0] == 200
        for hook in hooks:
            hook.join()
        answers = sorted(hook.answer for hook in hooks)
        assert answers == [(200, "drained\n")] * 32 + [(503, "Too many wait already.\n")] * 68


def test_hooks_survive_a_new_configuration_and_are_cut_by_a_new_address(haproxy):
    with Agent(haproxy, drainDelay="3s") as agent:
        agent.wait_ready()
        hook = Hook(agent)
        until(lambda: haproxy.status() == 503, "HAProxy to be unready")
        agent.config["drainDelay"] = "0s"
        agent.write()
        agent.signal(signal.SIGHUP)
        agent.wait_log("configuration read again")
        assert hook.is_alive()
        hook.join()
        assert hook.answer == (200, "drained\n") and hook.took_s > 2.9
    with Agent(haproxy, drainDelay="1h") as agent:
        agent.wait_ready()
        hook = Hook(agent)
        until(lambda: len(established(agent)) > 0, "the hook to have asked")
        agent.http = agent.config["listen"] = f"127.0.0.1:{free_port()}"
        agent.write()
        agent.signal(signal.SIGHUP)
        agent.wait_http("/healthz")
        hook.join()
        assert isinstance(hook.answer, OSError)


# ---- proc.synced ----


@pytest.fixture(name="api")
def fixture_api():
    with FakeApi() as api:
        yield api


def in_kubernetes(haproxy, api, **keys):
    return Agent(haproxy, kubernetes=[{"service": "web", "namespace": "default", "backend": "ws"}],
                 kubernetesAPI={"server": api.url}, **keys)


def slots(n=2):
    return Monitored([], servers={f"pod{i + 1}": "127.0.0.1:1 disabled" for i in range(n)})


def set_ready(api, pods, *indexes):
    api.set_slice("web-1", [endpoint("127.0.0.1", pod=f"web-{i}") for i in indexes],
                  ports=[{"name": "ws", "port": pods.ports[0], "protocol": "TCP"}])


def test_haproxy_is_ready_when_its_slots_are_full_and_stays_so_without_pods(pods, api):
    with slots() as haproxy:
        assert haproxy.status() == 503
        set_ready(api, pods, 0)
        with in_kubernetes(haproxy, api) as agent:
            until(lambda: haproxy.status() == 200, "HAProxy to be ready")
            until(lambda: haproxy.variables() == [0, 1], "HAProxy to be told")
            set_ready(api, pods)
            until(lambda: all(row["status"] == "MAINT" for row in haproxy.stat().values()), "the pod to go")
            assert haproxy.status() == 200
            # A new process is so when its own slots have been filled: with nothing, here.
            pid = haproxy.reload()
            until(lambda: haproxy.variables(pid) == [0, 1], "the new process to be told")
            agent.check_sanitizers()


def test_a_haproxy_whose_slots_are_not_full_is_not_synced(pods, api):
    with slots() as haproxy:
        api.list_faults.append({"kind": "hang", "seconds": 2})
        set_ready(api, pods, 0)
        with in_kubernetes(haproxy, api) as agent:
            agent.wait_http("/healthz")
            until(lambda: agent.json()["haproxy"]["reached"], "a round")
            looks = 0
            while True:
                said, tainted = haproxy.variables(), is_tainted(haproxy)
                if api.count("list") > 1:
                    break
                assert said == [None, None] and not tainted
                looks += 1
            assert looks > 10
            until(lambda: haproxy.variables() == [0, 1], "HAProxy to be told")
            assert is_tainted(haproxy)


def test_a_new_process_is_not_synced_before_its_own_slots_are_full(pods, api):
    with slots() as haproxy:
        set_ready(api, pods, 0)
        with in_kubernetes(haproxy, api):
            until(lambda: haproxy.variables() == [0, 1], "HAProxy to be told")
            pid = haproxy.reload()

            def synced():
                said = haproxy.cli("get var proc.synced;show servers state ws;show info")
                assert f"Pid: {pid}\n" in said
                is_synced, is_full = "value=<1>" in said, f" {pods.ports[0]} - " in said
                assert is_full or not is_synced, said
                return is_synced

            until(synced, "the new process to be told")


def test_an_agent_that_starts_takes_back_a_drain_of_one_before(pods, api):
    with slots() as haproxy:
        set_ready(api, pods, 0)
        with in_kubernetes(haproxy, api, drainDelay="1h") as agent:
            until(lambda: haproxy.status() == 200, "HAProxy to be ready")
            Hook(agent)
            until(lambda: haproxy.status() == 503, "HAProxy to be unready")
            agent.process.kill()
            agent.wait()
        with in_kubernetes(haproxy, api):
            until(lambda: haproxy.status() == 200, "HAProxy to be ready again")


def test_a_drain_outlasts_a_reload_with_empty_slots(pods, api):
    with slots() as haproxy:
        set_ready(api, pods, 0)
        with in_kubernetes(haproxy, api, drainDelay="5s") as agent:
            until(lambda: haproxy.variables() == [0, 1], "HAProxy to be told")
            hook = Hook(agent)
            until(lambda: haproxy.variables() == [1, 1], "HAProxy to be told")
            pid = haproxy.reload()
            until(lambda: haproxy.variables(pid) == [1, 1], "the new process to be told", 4)
            hook.join()
            assert hook.answer == (200, "drained\n")
            until(lambda: haproxy.variables(pid) == [0, 1], "the drain to be taken back", 10)
