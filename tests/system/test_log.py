# SPDX-License-Identifier: MIT
"""The log waits for nobody and does not drown its reader."""
import fcntl
import os
import re
import signal
import subprocess

import pytest

from balancer import Agent, HAProxy
from field import Pod
from manypods import ManyPods
from program import until

PIPE_BYTES, ROUNDS = 4096, 60


class Unread(Agent):
    """An agent whose standard error nobody reads until read() does."""

    def __init__(self, haproxy, **keys):
        super().__init__(haproxy, **keys)
        self.wait_http("/healthz")
        self.stop()
        read_end, write_end = os.pipe()
        fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.pipe = os.fdopen(read_end, "rb")
        self.flags = fcntl.fcntl(write_end, fcntl.F_GETFL)
        self.write_end = write_end
        self.process = subprocess.Popen(self.argv, stderr=write_end, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL)
        self.err = []

    def read(self):
        """All that has been written; ends with the agent."""
        os.close(self.write_end)
        return self.pipe.read().decode().splitlines()


@pytest.mark.parametrize("format_", ["text", "json"])
def test_an_unread_log_stops_nothing_and_says_what_was_lost(format_):
    with Pod(n=100) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy:
        agent = Unread(haproxy, log={"level": "debug", "format": format_}, pollInterval="100ms",
                       pollTimeout="100ms")
        try:
            agent.wait_ready()
            # Far more than pipe and agent hold.
            agent.wait_rounds(ROUNDS, 60)
            assert fcntl.fcntl(agent.write_end, fcntl.F_GETFL) == agent.flags
            # Read again for a while: every line is whole, and one says how many are missing.
            os.set_blocking(agent.pipe.fileno(), False)
            said = b""

            def lost():
                nonlocal said
                said += agent.pipe.read() or b""
                return re.search(rb"wsbalancer: (\d+) lines of the log were lost", said)

            assert int(until(lost, "a word of what was lost")[1]) > 100
            lines = said.decode().splitlines()[:-1]
            whole = r'\{"time":".*\}' if format_ == "json" else r"20\d\d-\S+Z (info |debug|warn |error) .*"
            assert all(re.fullmatch(whole, line) or "were lost" in line for line in lines), lines
            os.set_blocking(agent.pipe.fileno(), True)
            agent.process.send_signal(signal.SIGTERM)
            assert "stopped" in agent.read()[-1]
            assert agent.process.wait(5) == 0
        finally:
            agent.process.kill()
            agent.process.wait()


def test_an_agent_whose_log_nobody_reads_ends_when_it_is_told():
    with Pod(n=100) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy:
        agent = Unread(haproxy, log={"level": "debug"}, pollInterval="100ms", pollTimeout="100ms")
        try:
            agent.wait_ready()
            agent.wait_rounds(ROUNDS, 60)
            agent.process.send_signal(signal.SIGTERM)
            assert agent.process.wait(5) == 0
        finally:
            agent.process.kill()
            agent.process.wait()


def test_a_closed_standard_error_is_no_reason_to_end():
    with Pod() as pods, HAProxy(pods.addresses) as haproxy:
        agent = Unread(haproxy)
        try:
            agent.wait_ready()
            os.close(agent.write_end)
            agent.pipe.close()
            haproxy.reload()
            until(lambda: agent.json()["haproxy"]["reloads"] == 1, "the reload to be seen")
        finally:
            agent.process.kill()
            agent.process.wait()


def test_many_pods_that_flap_are_told_in_one_line():
    with ManyPods(200) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy, pollInterval="200ms") as agent:
        agent.wait_ready()
        good = pods.answers[0]
        lines, event = len(agent.err), "further pods could not be polled, or could again"

        def told():
            """After ten seconds of it."""
            pods.answers[:] = [b"{}"] * 200
            agent.wait_rounds(2)
            pods.answers[:] = [good] * 200
            agent.wait_rounds(2)
            return any(event in line for line in list(agent.err))

        until(told, "the one line", 60)
        said = agent.wait_log(event)
        assert int(re.search(r"could_not=(\d+)", said)[1]) > 500
        assert len(agent.err) - lines < 60, agent.err[lines:]


def test_a_closed_standard_error_is_no_socket_of_the_agents(tmp_path):
    with Pod() as pod, HAProxy([pod.address]) as haproxy, Agent(haproxy) as agent:
        haproxy.wait_up()
        agent.wait_ready()
        config = tmp_path / "wsbalancer.yaml"
        config.write_bytes(agent.file.read_bytes())
        agent.stop()
        process = subprocess.Popen(["sh", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', agent.argv[0], str(config)])

        def answers():
            try:
                return agent.get("/readyz")[0] == 200
            except OSError:
                return False

        try:
            until(answers, "the agent to be ready")
            assert [os.readlink(f"/proc/{process.pid}/fd/{fd}") for fd in range(3)] == 3 * ["/dev/null"]
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            process.kill()
            process.wait()
