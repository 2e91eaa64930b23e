# SPDX-License-Identifier: MIT
"""The agent and one real HAProxy: weights arrive, and are right again after every fault."""
import os
import signal
import time

import pytest

from balancer import Agent, HAProxy
from field import Load, Pod
from ports import free_port
from program import until


@pytest.fixture
def pods():
    with Pod(n=3, env={"POD_NAME": "web"}) as pods:
        yield pods


@pytest.fixture
def haproxy(pods):
    with HAProxy(pods.addresses) as haproxy:
        haproxy.wait_up()
        yield haproxy


def loaded(pods, n, index=0):
    """n connections to one pod that HAProxy knows nothing of."""
    return Load(pods.urls[index], connections=n, rate=2000)


def wait_steered_away(haproxy, name="s1"):
    """Waits until one server has by far the least weight."""

    def steered():
        weights = haproxy.weights()
        rest = [w for server, w in weights.items() if server != name]
        return weights[name] * 2 < min(rest)

    until(steered, f"{name} to get a small weight, not {haproxy.weights()}")


def test_equal_pods_have_equal_weights(haproxy):
    with Agent(haproxy) as agent:
        agent.wait_ready()
        until(haproxy.is_level, "equal weights")


def test_a_pods_first_word_is_not_kept_waiting_for_the_next_round(haproxy):
    with Agent(haproxy, pollInterval="30s", pollTimeout="1s", cacheTTL="1m") as agent:
        agent.wait_ready()
        until(haproxy.is_level, "equal weights", 5)


def test_foreign_connections_lower_a_pods_weight(haproxy, pods):
    with Agent(haproxy) as agent, loaded(pods, 30) as load:
        load.wait_standing()
        wait_steered_away(haproxy)
        with Load(haproxy.url, connections=30, rate=200) as more:
            more.wait_standing()
            # leastconn alone would give the loaded pod 10 of the 30, an even spread none.
            counts = [pods.count(i) for i in range(3)]
            assert sum(counts) == 60 and counts[0] < 35, counts
        report = agent.json()
        assert report["totalConnections"] == sum(
            p["agentsConnections"] for p in report["podMetrics"]["ws"])


def test_a_reload_takes_no_weight_away(haproxy, pods):
    with Agent(haproxy) as agent, loaded(pods, 30) as load:
        load.wait_standing()
        wait_steered_away(haproxy)
        before = int(haproxy.info()["Pid"])
        haproxy.reload()
        assert int(haproxy.info()["Pid"]) != before
        wait_steered_away(haproxy)
        agent.wait_log("HAProxy was reloaded or restarted")


def test_a_restart_of_haproxy_is_survived_and_said_once(pods):
    with HAProxy(pods.addresses) as haproxy, loaded(pods, 30) as load:
        load.wait_standing()
        with Agent(haproxy) as agent:
            agent.wait_ready()
            wait_steered_away(haproxy)
            haproxy.stop()
            agent.wait_http("/readyz", 503)
            assert agent.get("/healthz")[0] == 200
            # The same files and ports, another process.
            haproxy.start_again()
            agent.wait_http("/readyz", 200)
            wait_steered_away(haproxy)
            # The first, then each time the number doubles.
            assert 1 <= agent.logged("HAProxy does not answer") <= 5, agent.err


def test_a_missing_socket_is_waited_for(pods):
    with HAProxy(pods.addresses) as haproxy:
        haproxy.stop()
        os.path.exists(haproxy.socket) and os.unlink(haproxy.socket)
        with Agent(haproxy) as agent:
            agent.wait_log("HAProxy does not answer")
            assert agent.get("/readyz")[0] == 503


def test_a_socket_that_cannot_be_connected_is_named_with_the_systems_reason(pods):
    with HAProxy(pods.addresses) as haproxy:
        for socket, said in [("/nonexistent/sock", "/nonexistent/sock: No such file or directory"),
                             ("127.0.0.1:1", "127.0.0.1 port 1: Connection refused")]:
            with Agent(haproxy, config={"socket": socket}) as agent:
                assert said in agent.wait_log("HAProxy does not answer")


def test_a_socket_without_rights_is_said_and_waited_for(pods):
    with HAProxy(pods.addresses, level="user") as haproxy, Agent(haproxy) as agent:
        assert "level admin" in agent.wait_log("HAProxy does not answer")
        assert agent.get("/readyz")[0] == 503


def test_a_socket_that_lets_read_and_not_write_is_said(pods):
    with HAProxy(pods.addresses, level="operator") as haproxy, Agent(haproxy) as agent:
        assert "Permission denied" in agent.wait_log("HAProxy did not take a command")


def test_a_weight_that_someone_changed_is_repaired_and_counted(haproxy):
    with Agent(haproxy) as agent:
        agent.wait_ready()
        until(haproxy.is_level, "equal weights")
        agent.wait_rounds(2)  # so that it has read its weights back
        haproxy.cli("set server ws/s2 weight 3")
        until(lambda: agent.series()["wsbalancer_weight_repairs_total"], "the repair to be counted")
        until(haproxy.is_level, "the weight to be repaired")
        agent.wait_rounds(2)
        assert agent.series()["wsbalancer_weight_repairs_total"] == 1


def test_a_dead_pod_is_left_to_the_health_check(haproxy, pods):
    with Agent(haproxy) as agent, Pod() as mortal:
        host, port = mortal.address.split(":")
        haproxy.cli("set server ws/s1 state maint")
        haproxy.cli(f"set server ws/s1 addr {host} port {port}")
        haproxy.cli("set server ws/s1 state ready")
        agent.wait_ready()
        mortal.kill()
        until(lambda: haproxy.stat()["s1"]["status"] == "DOWN", "the health check to notice")
        until(lambda: agent.json()["podMetrics"]["ws"][0]["state"] == "down", "the agent to see")
        until(lambda: haproxy.weights()["s2"] == haproxy.weights()["s3"], "the others to be even")


def test_a_slot_given_to_another_pod_starts_anew(haproxy, pods):
    with Agent(haproxy) as agent, loaded(pods, 30) as load, Pod(env={"POD_NAME": "new"}) as new:
        load.wait_standing()
        wait_steered_away(haproxy)
        host, port = new.address.split(":")
        haproxy.cli(f"set server ws/s1 addr {host} port {port}")
        until(haproxy.is_level, "the new pod to have the weight of the others, which are empty too")

        def named():
            pod = agent.json()["podMetrics"]["ws"][0]
            return pod.get("podName") == "new" and pod["agentsConnections"] == 0

        until(named, "the new pod's own name and count")


def test_a_draining_pod_gets_weight_0_and_keeps_its_connections(haproxy, pods):
    with Pod(env={"POD_NAME": "drain"}) as pod, Load(pod.url, connections=5) as load:
        load.wait_standing()
        host, port = pod.address.split(":")
        haproxy.cli(f"set server ws/s1 addr {host} port {port}")
        with Agent(haproxy) as agent:
            agent.wait_ready()
            pod.toggle_draining()
            until(lambda: haproxy.weights()["s1"] == 0, "weight 0")
            assert pod.count() == 5
            pod.toggle_draining()
            until(lambda: haproxy.weights()["s1"] > 0, "its weight back")


def test_servers_in_maintenance_are_neither_polled_nor_steered(haproxy, pods):
    haproxy.cli("set server ws/s1 state maint")
    with Agent(haproxy) as agent:
        agent.wait_ready()
        until(lambda: haproxy.is_level(names=["s2", "s3"]), "the others to be steered")
        assert haproxy.weights()["s1"] == 100
        pod = agent.json()["podMetrics"]["ws"][0]
        assert pod["state"] == "maint" and pod["counted_at"] is None, pod


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_takes_less_than_a_second_and_puts_the_weights_back(haproxy, pods, number):
    with Agent(haproxy, variant="release") as agent:
        agent.wait_ready()
        until(haproxy.is_level, "equal weights")
        began = time.monotonic()
        agent.stop(number)
        assert time.monotonic() - began < 1.0
        assert set(haproxy.weights().values()) == {100}


def test_a_dry_run_plans_and_sends_nothing(haproxy, pods):
    with Agent(haproxy, "--dry-run") as agent, loaded(pods, 30) as load:
        load.wait_standing()
        agent.wait_ready()

        def planned():
            report = agent.json()
            return report["dry_run"] and report["podMetrics"]["ws"][0]["weight"] < 60

        until(planned, "a plan")
        agent.stop()
        assert set(haproxy.weights().values()) == {100}


def test_sighup_takes_a_new_configuration_and_refuses_a_bad_one(haproxy, pods):
    with Agent(haproxy) as agent:
        agent.wait_ready()
        agent.file.write_text("pollInterval: never\nlisten: nowhere\n")
        agent.signal(signal.SIGHUP)
        for mistake in (":1: pollInterval: invalid duration", ":2: listen: invalid listen address"):
            line = agent.wait_log(mistake)
            assert "configuration refused, keeping the previous one" in line
        assert agent.get("/readyz")[0] == 200
        agent.config["haproxy"]["replicas"] = 2
        agent.config["balancerMetricPath"] = "/other"
        agent.write()
        agent.signal(signal.SIGHUP)
        agent.wait_log("configuration read again")
        agent.wait_http("/other?format=json")
        with loaded(pods, 30) as load:
            load.wait_standing()
            wait_steered_away(haproxy)


def test_sighup_with_other_backends_puts_the_old_ones_weights_back(pods):
    more = f"backend other\n\tbalance leastconn\n\tserver o1 {pods.addresses[0]} weight 50"
    with HAProxy(pods.addresses, more=more) as haproxy, Agent(haproxy) as agent:
        until(haproxy.is_level, "equal weights")
        agent.config["haproxy"]["backends"] = ["other"]
        agent.write()
        agent.signal(signal.SIGHUP)
        until(lambda: haproxy.is_level("other", 50), "the other backend to be steered")
        until(lambda: set(haproxy.weights().values()) == {100}, "the old one's weights to be back")


def test_backends_that_cannot_be_steered_are_said_and_left_alone(pods):
    with HAProxy(pods.addresses, balance="source") as haproxy, Agent(haproxy) as agent:
        assert "balance=source" in agent.wait_log("backend is left alone")
        agent.wait_ready()
        assert set(haproxy.weights().values()) == {100}
        pod = agent.json()["podMetrics"]["ws"][0]
        assert pod["why"] == "left alone: balance source", pod


def test_without_named_backends_all_that_can_be_are_steered(pods):
    more = (f"backend two\n\tbalance roundrobin\n\tserver t1 {pods.addresses[0]} weight 50\n"
            f"backend three\n\tbalance source\n\tserver u1 {pods.addresses[0]} weight 50\n"
            f"backend four\n\tbalance random\n\tserver v1 {pods.addresses[1]} weight 50")
    with HAProxy(pods.addresses, more=more) as haproxy:
        with Agent(haproxy, config={"backends": []}) as agent:
            until(lambda: haproxy.is_level("two", 50), "roundrobin to be steered")
            until(lambda: haproxy.is_level("four", 50), "random to be steered")
            assert haproxy.weights("three") == {"u1": 50}
            assert [b["name"] for b in agent.json()["backends"]] == ["ws", "two", "four"]


def test_a_backend_that_haproxy_lacks_is_said(haproxy):
    with Agent(haproxy, config={"backends": ["ws", "nope"]}) as agent:
        assert "backend=nope" in agent.wait_log("names a backend that HAProxy has not")
        until(haproxy.is_level, "the other to be steered")


def test_backup_and_weight_zero_servers_are_left_alone(pods):
    a, b, c = pods.addresses
    servers = {"s1": a, "s2": f"{b} backup", "s3": f"{c} weight 0"}
    with HAProxy([], servers=servers, server="") as haproxy, Agent(haproxy) as agent:
        until(lambda: haproxy.is_level(names=["s1"], configured=1), "the one that is steered")
        assert haproxy.weights()["s2"] == 1 and haproxy.weights()["s3"] == 0
        states = [p["state"] for p in agent.json()["podMetrics"]["ws"]]
        assert states[1:] == ["backup", "weight_zero"], states


def test_a_tcp_stats_socket_works_too(pods):
    port = free_port()
    more = f"global\n\tstats socket ipv4@127.0.0.1:{port} level admin"
    with HAProxy(pods.addresses, more=more) as haproxy:
        with Agent(haproxy, config={"socket": f"localhost:{port}"}):
            until(haproxy.is_level, "equal weights")
