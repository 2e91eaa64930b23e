# SPDX-License-Identifier: MIT
"""Rounds are recorded whatever the disk does, and replayed: with their own settings as they were."""
import json
import os
import pathlib
import re
import resource
import signal
import subprocess

import pytest

from balancer import Agent, HAProxy
from field import Load, Pod
from program import Program, binary, until


@pytest.fixture
def pods():
    with Pod(n=3) as pods:
        yield pods


@pytest.fixture
def haproxy(pods):
    with HAProxy(pods.addresses) as haproxy:
        haproxy.wait_up()
        yield haproxy


@pytest.fixture
def record(tmp_path):
    return tmp_path / "record"


def rounds(*paths):
    """The whole lines of record files."""
    lines = "".join(path.read_text() for path in paths if path.exists()).split("\n")
    return [json.loads(line) for line in lines[:-1]]


def wait_rounds(path, n):
    until(lambda: len(rounds(path)) >= n, f"{n} recorded rounds")


def children(pid):
    """The processes that a process has started and not yet reaped: pid and name."""
    found = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            number, name, state, parent = re.match(
                r"(\d+) \((.*)\) (\S) (\d+)", stat.read_text()).groups()
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            found[int(number)] = name
    return found


def writer(agent):
    """The pid of the process that writes the record."""

    def found():
        pids = [pid for pid, name in children(agent.pid).items() if name == "wsb-recorder"]
        return pids[0] if pids else None

    return until(found, "the process that writes the record")


def gone(pid):
    """It has ended, whoever is to reap it."""
    try:
        return " (wsb-recorder) Z " in pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


def results(metrics):
    """How recording went so far, by the words of the series."""
    metrics = metrics if isinstance(metrics, str) else metrics.get("/metrics")[1]
    return {word: int(n) for word, n in re.findall(
        r'^wsbalancer_records_total\{result="(\w+)"\} (\d+)$', metrics, re.M)}


def said(agent, event):
    return [line for line in list(agent.err) if event in line]


def replay(record, config, *options, stdin=None, variant=None):
    return subprocess.run(
        [binary("wsbalancer", variant), "--replay", str(record), "-c", str(config), *options],
        capture_output=True, text=True, timeout=60, input=stdin)


def table(result):
    """The columns behind a backend's name."""
    line = next(line for line in result.stdout.splitlines() if line.startswith("ws "))
    return line.replace(" %", "").split()[1:]


def steered_away(haproxy):
    weights = haproxy.weights()
    return weights["s1"] * 4 < weights["s2"]


def test_every_round_is_recorded_with_what_it_saw_and_what_it_planned(haproxy, pods, record):
    with Agent(haproxy, record=str(record)) as agent:
        with Load(pods.urls[0], connections=30, rate=2000) as load:
            load.wait_standing()
            until(lambda: steered_away(haproxy), "the loaded pod to get less")
            made = int(agent.series()["wsbalancer_rounds_total"])
            wait_rounds(record, made + 1)
            assert results(agent)["failed"] == 0
    before, last = rounds(record)[-2:]
    assert last["settings"]["poll_interval_ms"] == 200
    [backend] = last["backends"]
    servers = [dict(zip(last["columns"], row)) for row in backend["servers"]]
    assert [s["server"] for s in servers] == ["s1", "s2", "s3"]
    assert [s["address"] for s in servers] == pods.addresses
    assert servers[0]["count"] == 30 and servers[0]["own"] == 0 and servers[0]["heard"]
    assert servers[0]["weight"] * 4 < servers[1]["weight"]
    # What HAProxy was told in one round it shows in the next.
    [told] = before["backends"]
    assert [s["haproxy_weight"] for s in servers] == [
        row[before["columns"].index("weight")] for row in told["servers"]]
    times = [r["now_ms"] for r in rounds(record)]
    assert times == sorted(times)
    mask = os.umask(0)
    os.umask(mask)
    assert record.stat().st_mode & 0o777 == 0o640 & ~mask


def test_the_settings_of_the_record_replay_the_weights_of_the_record(haproxy, pods, record):
    with Agent(haproxy, record=str(record)) as agent:
        with Load(pods.urls[0], connections=30, rate=2000) as load:
            load.wait_standing()
            until(lambda: steered_away(haproxy), "the loaded pod to get less")
            with Load(haproxy.url, connections=200, rate=200) as more:
                more.wait_standing()
                haproxy.reload()
                wait_rounds(record, len(rounds(record)) + 5)
        agent.stop()
        result = replay(record, agent.file)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "\nsettings  as recorded\n" in result.stdout
    n, mean, largest, changes, replayed, fallbacks, replayed_fallbacks, _, peak = table(result)
    assert int(n) == len(rounds(record))
    assert (mean, largest) == ("0.00", "0")
    assert changes == replayed and float(changes) > 0
    assert fallbacks == replayed_fallbacks
    assert float(peak) > 50


def test_other_settings_show_what_they_would_change(haproxy, pods, record, tmp_path):
    with Agent(haproxy, record=str(record)) as agent:
        with Load(pods.urls[0], connections=30, rate=2000) as load:
            load.wait_standing()
            until(lambda: steered_away(haproxy), "the loaded pod to get less")
            wait_rounds(record, len(rounds(record)) + 5)
        agent.stop()
    # What it names need not be here, and the polls' times change nothing that was recorded.
    other = tmp_path / "other.yaml"
    other.write_text("haproxy: {socket: /s, replicas: 3}\nmetricScheme: https\ntlsCA: /not/here\n"
                     "pollInterval: 200ms\npollTimeout: 200ms\nramp: 30s\n")
    result = replay(record, other)
    assert result.returncode == 0, result.stderr
    assert "\nsettings  replicas 3, was 1; ramp 30s, was 0s\n" in result.stdout
    assert float(table(result)[1]) > 0 and int(table(result)[2]) > 0
    other.write_text("haproxy: {socket: /s, backends: [another]}\n")
    assert table(replay(record, other))[1:3] == ["left", "alone"]


def test_the_end_tells_how_long_until_balance_or_that_only_closing_helps(haproxy, pods, record):
    with Agent(haproxy, record=str(record)) as agent:
        with Load(pods.urls[0], connections=60, rate=2000) as load:
            load.wait_standing()
            # Three pods, the fullest holds all: 3/1 - 1.
            until(lambda: agent.json()["totalConnections"] == 60, "all to be heard")
            heard = len(rounds(record))
            wait_rounds(record, heard + 2)  # the one under way, and one that has planned with them
            assert rounds(record)[-1]["backends"][0]["imbalance"] > 1.999
            recorded = record.read_text()
        last = replay("-", agent.file, stdin=recorded).stdout.partition("At the end, as recorded:\n")[2]
    assert last.startswith("ws: 3 pods hold 60 connections, imbalance 200.0 %, 0.0 new ones a second: "
                           "cannot level by new connections alone; s1 holds 40 too many\n"), last


def test_a_full_file_is_turned_over_and_no_round_is_lost(pods, record):
    # Seven hundred servers fill a mebibyte in a few rounds.
    more = "\n".join(f"\tserver more{i} {pods.addresses[0]} weight 100" for i in range(700))
    older = record.with_name("record.1")
    with HAProxy(pods.addresses, more=more) as haproxy:
        with Agent(haproxy, record=str(record), recordMaxSize="1MiB") as agent:
            inode = until(lambda: older.exists() and older.stat().st_ino, "the first full file")
            until(lambda: older.stat().st_ino != inode, "the second full file")
            # One under way, and one that waits for it.
            metrics = agent.get("/metrics")[1]
            made = int(re.search(r"^wsbalancer_rounds_total (\d+)", metrics, re.M).group(1))
            counts = results(metrics)
            assert counts["failed"] == 0
            assert made - 2 <= counts["written"] + counts["busy"] <= made
            agent.stop()
            size = 1 << 20
            assert 0.7 * size < older.stat().st_size <= size
            assert record.stat().st_size <= size
            kept = rounds(older, record)
            assert len(kept) >= 8
            times = [r["now_ms"] for r in kept]
            assert times == sorted(times)
            everything = older.read_text() + record.read_text()
            result = replay("-", agent.file, stdin=everything)
            assert result.returncode == 0 and int(table(result)[0]) == len(kept)
            assert list(record.parent.glob("record*")) in ([record, older], [older, record])


def test_a_file_that_may_not_grow_is_said_once_and_steering_goes_on(haproxy, pods, record):
    with Agent(haproxy, record=str(record)) as agent:
        wait_rounds(record, 3)
        pid = writer(agent)
        resource.prlimit(pid, resource.RLIMIT_FSIZE,
                         (record.stat().st_size + 700, resource.RLIM_INFINITY))
        agent.wait_log("rounds are not recorded")
        failed = results(agent)["failed"]
        with Load(pods.urls[0], connections=30, rate=2000) as load:
            load.wait_standing()
            until(lambda: steered_away(haproxy), "the loaded pod to get less")
        until(lambda: results(agent)["failed"] > failed + 4, "more rounds that are not recorded")
        assert len(said(agent, "rounds are not recorded")) == 1
        # No part of a round is left in it.
        assert record.read_text().endswith("]}\n")
        kept = len(rounds(record))
        resource.prlimit(pid, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert "left_out=" in agent.wait_log("rounds are recorded again")
        wait_rounds(record, kept + 3)


class Wrapped(Program):
    """A program that another one starts."""

    def __init__(self, argv, env=None):
        super().__init__([*self.wrapper, *argv], env)


class AgentOnSmallDisk(Agent, Wrapped):
    """An agent that sees a small disk mounted on a directory."""

    def __init__(self, haproxy, disk, **keys):
        script = f'mount -t tmpfs -o size=16k none {disk} && exec "$@"'
        self.wrapper = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
        super().__init__(haproxy, **keys)


def can_mount():
    return subprocess.run(["unshare", "--map-root-user", "--mount", "true"],
                          stderr=subprocess.DEVNULL).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="no user namespaces here")
def test_a_full_disk_is_said_once_and_steering_goes_on(haproxy, pods, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    with AgentOnSmallDisk(haproxy, disk, record=str(disk / "record")) as agent:
        assert "No space left on device" in agent.wait_log("rounds are not recorded")
        with Load(pods.urls[0], connections=30, rate=2000) as load:
            load.wait_standing()
            until(lambda: steered_away(haproxy), "the loaded pod to get less")
        assert len(said(agent, "rounds are not recorded")) == 1
        full = pathlib.Path(f"/proc/{agent.pid}/root{disk}/record")
        assert full.read_text().endswith("]}\n")
        # Someone makes room by taking the file away.
        full.unlink()
        agent.wait_log("rounds are recorded again")
        assert len(rounds(full)) >= 1


def test_a_disk_that_hangs_costs_rounds_and_nothing_else(haproxy, pods, record):
    with Agent(haproxy, record=str(record)) as agent:
        wait_rounds(record, 3)
        pid = writer(agent)
        os.kill(pid, signal.SIGSTOP)
        try:
            agent.wait_log("a round is left out of the record")
            with Load(pods.urls[0], connections=30, rate=2000) as load:
                load.wait_standing()
                until(lambda: steered_away(haproxy), "the loaded pod to get less")
            busy = results(agent)["busy"]
            until(lambda: results(agent)["busy"] > busy + 3, "more rounds that are left out")
        finally:
            os.kill(pid, signal.SIGCONT)
        kept = len(rounds(record))
        wait_rounds(record, kept + 3)


def test_a_stop_does_not_wait_for_a_disk_that_hangs(haproxy, record):
    with Agent(haproxy, record=str(record), variant="release") as agent:
        wait_rounds(record, 3)
        pid = writer(agent)
        os.kill(pid, signal.SIGSTOP)
        try:
            # The writer has the agent's stderr, so not all of that can be waited for.
            agent.signal(signal.SIGTERM)
            agent.process.wait(1.0)
        finally:
            os.kill(pid, signal.SIGCONT)
        until(lambda: gone(pid), "the writer to end")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_writer_ends_with_the_agent_and_holds_nothing_of_its(haproxy, record, number):
    with Agent(haproxy, record=str(record)) as agent:
        wait_rounds(record, 1)
        pid = writer(agent)
        # The socket, the file, and what every process begins with.
        assert len(os.listdir(f"/proc/{pid}/fd")) == 5
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGHUP)
        wait_rounds(record, len(rounds(record)) + 2)
        assert writer(agent) == pid
        agent.signal(number)
        agent.wait(10)
        until(lambda: gone(pid), "the writer to end")
    assert record.read_text().endswith("]}\n")


def test_a_writer_that_dies_is_replaced(haproxy, record):
    with Agent(haproxy, record=str(record)) as agent:
        wait_rounds(record, 2)
        pid = writer(agent)
        os.kill(pid, signal.SIGKILL)
        assert "the process that writes the file has ended" in agent.wait_log(
            "rounds are not recorded")
        agent.wait_log("rounds are recorded again")
        assert writer(agent) != pid
        until(lambda: not os.path.exists(f"/proc/{pid}"), "it to be reaped")


def test_a_file_belongs_to_one_agent(haproxy, record):
    with Agent(haproxy, record=str(record)) as agent:
        wait_rounds(record, 1)
        with Agent(haproxy, "--dry-run", record=str(record)) as second:
            assert "another process writes to the file" in second.wait_log(
                "rounds are not recorded")
            agent.stop()
            second.wait_log("rounds are recorded again")
        assert replay(record, agent.file).stderr == ""


@pytest.mark.parametrize("make, reason", [
    (lambda path: os.mkfifo(path), "not a regular file"),
    (lambda path: path.symlink_to("/dev/null"), "Too many levels of symbolic links"),
])
def test_only_a_regular_file_is_written_to(haproxy, record, make, reason):
    with Agent(haproxy, record=str(record)) as agent:
        wait_rounds(record, 2)
        record.unlink()
        make(record)
        assert reason in agent.wait_log("rounds are not recorded")
        agent.wait_ready()
    # Nor is it taken at a start.
    with Agent(haproxy, record=str(record)) as agent:
        assert agent.wait() == 78
        assert any(reason in line for line in agent.err), agent.err


def test_a_file_that_is_moved_away_is_made_anew(haproxy, record):
    with Agent(haproxy, record=str(record)):
        wait_rounds(record, 2)
        record.rename(record.with_name("moved"))
        until(record.exists, "another file")
        wait_rounds(record, 2)


def test_a_line_that_was_cut_is_ended_and_left_out(haproxy, record):
    record.write_text('{"version":1,"wall_ms":17')
    with Agent(haproxy, record=str(record)) as agent:
        until(lambda: record.read_text().count("\n") >= 3, "rounds behind it")
        agent.stop()
        lines = record.read_text().splitlines()
        assert lines[0] == '{"version":1,"wall_ms":17'
        result = replay(record, agent.file)
        assert result.returncode == 0
        assert result.stderr == f"wsbalancer: {record}:1: not a round: not JSON\n"
        assert int(table(result)[0]) == len(lines) - 1


def test_sighup_begins_ends_and_moves_the_record(haproxy, record):
    def configure(agent, **keys):
        agent.config = {k: v for k, v in agent.config.items() if k != "record"} | keys
        agent.write()
        agent.err.clear()
        agent.signal(signal.SIGHUP)
        agent.wait_log("configuration read again")

    with Agent(haproxy) as agent:
        agent.wait_ready()
        assert children(agent.pid) == {}
        configure(agent, record=str(record))
        wait_rounds(record, 2)
        pid = writer(agent)
        configure(agent, record=str(record), cacheTTL="20s")
        wait_rounds(record, len(rounds(record)) + 2)
        assert writer(agent) == pid
        assert rounds(record)[-1]["settings"]["cache_ttl_ms"] == 20000
        other = record.with_name("other")
        configure(agent, record=str(other))
        wait_rounds(other, 2)
        configure(agent)
        until(lambda: children(agent.pid) == {}, "the writer to end")


@pytest.mark.parametrize("text, line", [
    (None, "cannot be found"),
    ("", "no recorded round in it"),
    ("{}\n", "no recorded round in it"),
])
def test_what_cannot_be_replayed_gets_a_clear_line(tmp_path, record, text, line):
    config = tmp_path / "wsbalancer.yaml"
    config.write_text("haproxy: {socket: /s}\n")
    if text is not None:
        record.write_text(text)
    result = replay(record, config)
    said = "No such file or directory" if text is None else line
    assert result.stderr.endswith(f"wsbalancer: {record}: {said}\n")
    assert (result.stdout, result.returncode) == ("", 1)


def test_a_bad_configuration_is_refused_by_a_replay_too(tmp_path, record):
    config = tmp_path / "wsbalancer.yaml"
    config.write_text("haproxy: {socket: /s}\nramp: soon\n")
    result = replay(record, config)
    assert result.returncode == 1
    assert result.stderr.startswith(f"wsbalancer: {config}:2: ramp: invalid duration 'soon'")


def test_any_bytes_and_endless_lines_are_no_rounds(tmp_path, record):
    config = tmp_path / "wsbalancer.yaml"
    config.write_text("haproxy: {socket: /s}\n")
    record.write_bytes(b"\0\xff\n[[[[[[[[[[[[\n" + b"[" * (65 << 20) + b"\nnull\n")
    result = replay(record, config, variant="release")
    assert result.returncode == 1
    assert "record:1: not a round: not JSON" in result.stderr
    assert result.stderr.endswith(f"wsbalancer: {record}: no recorded round in it\n")
