# SPDX-License-Identifier: MIT
"""`wsbalancer status` and `wsbalancer top`, the latter on a real pseudo-terminal."""
import fcntl
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import termios

import jsonschema
import pytest

from balancer import SANITIZERS, Agent, HAProxy
from field import Load, Pod
from hostile import Hostile, with_body
from manypods import ManyPods
from ports import free_port
from program import ROOT, binary, until
from test_access import Pair

HOSTILE = "evil\x1b[31m\x07\x1b]0;title\x07\u202e\u0085<b>"


@pytest.fixture(scope="module")
def pods():
    with Pod(n=3, env={"POD_NAME": "web", "NODE_NAME": "node-a"}) as pods:
        yield pods


@pytest.fixture(scope="module")
def haproxy(pods):
    with HAProxy(pods.addresses) as haproxy:
        haproxy.wait_up()
        yield haproxy


@pytest.fixture(scope="module")
def agent(haproxy):
    with Agent(haproxy) as agent:
        agent.wait_ready()
        yield agent


def url(agent):
    return f"http://{agent.http}"


def status(*options, locale="C.UTF-8"):
    result = subprocess.run([binary("wsbalancer"), "status", *options], capture_output=True,
                            text=True, timeout=20, env={**os.environ, "LC_ALL": locale})
    assert not any(word in result.stderr for word in SANITIZERS), result.stderr
    return result


# --- status --------------------------------------------------------------------------------------


def test_status_prints_a_table(agent, haproxy, pods):
    with Load(haproxy.url, connections=30) as load:
        load.wait_standing()

        def settled():
            report = agent.json()
            return (report["totals"]["connections"] == 30 == report["totals"]["own_sessions"]
                    and report["verdict"]["text"].startswith("Balanced"))

        until(settled, "30 connections, as even as can be")
        result = status("--url", url(agent))
        assert result.returncode == 0 and result.stderr == ""
        lines = result.stdout.splitlines()
        assert lines[0] == agent.json()["verdict"]["text"]
        # Facts stand in as few lines as there is room for.
        assert re.search(r"^30 connections; 3 pods, 3 known, 3 take new connections; HAProxy \d\.\S+, up \d+ s;\n"
                         r"weights sent and read back \d\.\d s ago$", result.stdout, re.M), result.stdout
        rows = [line for line in lines if line.startswith(" web-")]
        assert len(rows) == 3 and sum(int(row.split()[1]) for row in rows) == 30
        assert all("\u2588" in row and row.endswith("steered") for row in rows)
        assert "\033" not in result.stdout, "no colours into a pipe"


def test_status_says_whole_reasons_and_what_to_do():
    with ManyPods(3) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy, cacheTTL="1s") as agent:
        agent.wait_ready()
        pods.answers[1] = b"no JSON"
        until(lambda: agent.json()["totals"]["pods_silent"] == 1, "the silent pod")
        out = status(agent.http).stdout
        assert "1 pod needs you\n" in out
        pod = next(pod for pod in agent.json()["podMetrics"]["ws"] if pod["state"] == "silent")
        assert re.search(r"^  pod-1  silent for \d+ s \(.*JSON.*\): " + re.escape(pod["remedy"]) + "$",
                         out, re.M)
        row = next(line for line in out.splitlines() if line.startswith("!pod-1"))
        assert re.search(r"silent for \d+ s \(.*JSON.*\)$", row)
        assert re.search(r"~\s+\d+ ", row), "what is reckoned is marked"


@pytest.mark.parametrize("bring, code, words", [
    (lambda haproxy, pods: None, 0, "Balanced"),
    (lambda haproxy, pods: pods.answers.__setitem__(0, {"agentsConnections": 900, "podName": "a"}),
     3, "Cannot level"),
    (lambda haproxy, pods: haproxy.stop(), 4, "Not steering"),
])
def test_the_verdict_is_an_exit_status(bring, code, words):
    with ManyPods(3) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy) as agent:
        agent.wait_ready()
        bring(haproxy, pods)
        until(lambda: status("--verdict", agent.http).returncode == code, f"exit status {code}")
        result = status("--verdict", agent.http)
        assert result.stdout.startswith(words) and result.stdout.count("\n") == 1


def test_an_address_needs_no_scheme_and_no_option(agent):
    for options in ([agent.http], ["-u", agent.http], ["--url", url(agent)]):
        assert status(*options).returncode == 0


def test_without_a_configuration_the_default_address_is_asked():
    result = status()
    assert result.returncode == 1 and "http://127.0.0.1:9180/" in result.stderr


def test_status_writes_ascii_where_the_locale_is(agent):
    result = status("--url", url(agent), locale="C")
    assert result.returncode == 0 and result.stdout.isascii()


def test_status_takes_the_address_from_the_configuration(agent):
    result = status("-c", str(agent.file))
    assert result.returncode == 0 and "web-0" in result.stdout


def test_status_as_json_is_the_report(agent):
    result = status("--url", f"{url(agent)}/balancer-metrics?pod=web-1", "--json")
    assert result.returncode == 0
    report = json.loads(result.stdout)
    jsonschema.Draft202012Validator(
        json.loads((ROOT / "agent/doc/report.schema.json").read_text())).validate(report)
    assert [pod["server"] for pod in report["podMetrics"]["ws"]] == ["s2"]


def test_status_of_an_agent_that_is_not_ready_is_1(haproxy):
    with Agent(haproxy, config={"socket": "/nonexistent/socket"}) as agent:
        agent.wait_http("/healthz")
        result = status("--url", url(agent))
        assert result.returncode == 1
        assert "not ready" in result.stdout and "HAProxy has not answered yet" in result.stdout


@pytest.mark.parametrize("options, wanted, code", [
    (["--url", f"http://127.0.0.1:{free_port()}"], "Failed to connect", 1),
    (["--url", "ftp://127.0.0.1"], "ftp", 1),
    (["--url", ":"], "invalid address", 1),
    (["-c", "/nonexistent.yaml"], "/nonexistent.yaml", 1),
    (["--url"], "a value is needed behind '--url'", 2),
    (["--interval", "1s"], "unknown option", 2),
    (["--urls", "x"], "unknown option '--urls': did you mean --url?", 2),
    (["--json", "--verdict"], "not allowed together with --verdict: '--json'", 2),
    (["127.0.0.9"], "http://127.0.0.9:9180/balancer-metrics", 1),
    (["http://127.0.0.9"], "http://127.0.0.9/balancer-metrics", 1),
    (["[::1]"], "http://[::1]:9180/balancer-metrics", 1),
    (["a:1", "extra"], "no further argument is expected, but there is 'extra'", 2),
])
def test_mistakes_are_told_in_one_line(options, wanted, code):
    result = status(*options)
    assert (result.returncode, result.stdout) == (code, "")
    assert wanted in result.stderr and result.stderr.count("\n") == 1


def test_what_is_no_agent_is_told(pods):
    result = status("--url", f"http://{pods.addresses[0]}/metric")
    assert result.returncode == 1 and "the answer is not an agent's report" in result.stderr and result.stdout == ""
    result = status("--url", f"http://{pods.addresses[0]}/nowhere")
    assert result.returncode == 1 and "404" in result.stderr


def test_token_and_certificate_come_from_the_configuration_or_the_command_line(haproxy, tmp_path):
    pair = Pair(tmp_path)
    token = tmp_path / "token"
    token.write_text("abc\n")
    with Agent(haproxy, listenTokenFile=str(token), **pair.keys()) as agent:
        until(lambda: status("-c", str(agent.file)).returncode == 0, "the agent to be ready")
        secure = f"https://{agent.http}"
        good = ["--url", secure, "--ca", str(pair.cert), "--token-file", str(token)]
        assert status(*good).returncode == 0
        assert "401" in status("--url", secure, "--ca", str(pair.cert)).stderr
        assert "certificate" in status("--url", secure, "--token-file", str(token)).stderr


def test_hostile_names_cannot_drive_the_terminal():
    with ManyPods(2) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy) as agent:
        pods.answers[0] |= {"podName": HOSTILE, "nodeName": HOSTILE}
        pods.answers[1] |= {"podName": "\u4f60\u597d-pod", "nodeName": "n\u0301" * 30}
        agent.wait_ready()
        for locale in ("C.UTF-8", "C"):
            result = status("--url", url(agent), locale=locale)
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", result.stdout)
            assert "evil?[31m?" in result.stdout


def test_hostile_json_cannot_drive_the_terminal():
    words = "\x7f\u009b31m\u202e\u2028é\U0001f600"
    body = '\ufeff{"ready": true,\n\t"podMetrics": {}, "x": "%s\\u001b"}' % words
    with Hostile(lambda: with_body(body.encode())) as bad:
        result = status("--url", f"http://{bad.address}", "--json")
        assert result.returncode == 0
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e\ufeff]", result.stdout)
        assert json.loads(result.stdout) == {"ready": True, "podMetrics": {}, "x": words + "\x1b"}


@pytest.mark.parametrize("code", ["-1", "256", "1e999", "-9223372036854775808", "99999999999999999999", "null"])
def test_no_report_makes_the_exit_status(code):
    body = '{"ready": true, "podMetrics": {}, "verdict": {"text": "t", "exit_status": %s}}' % code
    with Hostile(lambda: with_body(body.encode())) as bad:
        assert status("--url", f"http://{bad.address}", "--verdict").returncode == 1


# --- top -----------------------------------------------------------------------------------------


# The sanitizer looks for leaks at the end of a program, and for that stops it with ptrace. A SIGCONT at that
# moment, as the kernel sends one to whoever is left behind on a terminal, undoes the stop, and it waits for ever.
NO_LEAK_CHECK = {"ASAN_OPTIONS": ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "detect_leaks=0"]))}


class Terminal:
    """A program on a pseudo-terminal."""

    def __init__(self, *argv, rows=24, columns=100, controlling=False, hangup=signal.SIG_DFL,
                 stdout=None, env=None):
        self.main, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(other)
        self.other = other
        self.out = ""

        def begin():
            signal.signal(signal.SIGHUP, hangup)
            if controlling:
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(argv, stdin=other, stdout=stdout or other, stderr=other,
                                        start_new_session=True, preexec_fn=begin,
                                        env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})})
        os.set_blocking(self.main, False)

    def read(self):
        try:
            while chunk := os.read(self.main, 65536):
                self.out += chunk.decode(errors="replace")
        except OSError:
            pass
        return self.out

    def until(self, text):
        until(lambda: text in self.read(), f"{text!r} on the terminal")

    def forget(self):
        self.read()
        self.out = ""

    def type(self, keys):
        os.write(self.main, keys.encode())

    def wait(self):
        until(lambda: self.read() is not None and self.process.poll() is not None, "the end")
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.close()

    def close(self):
        """As when its window is closed."""
        if self.main >= 0:
            os.close(self.main)
            os.close(self.other)
        self.main = -1


def top(agent, *options, **size):
    return Terminal(binary("wsbalancer"), "top", "--url", url(agent), "-i", "200ms", *options,
                    **size)


@pytest.mark.parametrize("end", ["q", signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_top_gives_the_terminal_back(agent, end):
    with top(agent) as terminal:
        terminal.until("web-2")
        assert termios.tcgetattr(terminal.other) != terminal.before
        if isinstance(end, str):
            terminal.type(end)
        else:
            terminal.process.send_signal(end)
        assert terminal.wait() == 0
        assert terminal.read().endswith("\033[?7h\033[?25h\033[?1049l")
        assert termios.tcgetattr(terminal.other) == terminal.before
        assert not any(word in terminal.out for word in SANITIZERS), terminal.out


def test_top_follows_what_happens(agent, pods):
    with top(agent) as terminal:
        terminal.until("web-2")
        with Load(pods.urls[1], connections=77) as load:
            load.wait_standing()
            terminal.forget()
            terminal.until("77 connections")
        terminal.type("q")
        assert terminal.wait() == 0


def test_top_says_that_the_agent_is_gone_and_goes_on_when_it_is_back(haproxy):
    agent = Agent(haproxy)
    with agent:
        agent.wait_ready()
        with top(agent) as terminal:
            terminal.until("web-2")
            agent.stop()
            terminal.until("s ago")
            terminal.forget()
            with Agent(haproxy, listen=agent.http) as again:
                again.http = agent.http
                again.wait_ready()
                terminal.until("q quit")
                terminal.type("q")
                assert terminal.wait() == 0


def test_top_fits_any_size_and_scrolls():
    with ManyPods(60, lambda i: {"agentsConnections": 1000 - i, "podName": f"pod-{i:02}"}) as pods, \
            HAProxy(pods.addresses, server="weight 100") as haproxy, Agent(haproxy) as agent:
        agent.wait_ready()
        until(lambda: agent.json()["totals"]["pods_known"] == 60, "all pods")
        with top(agent, rows=12, columns=60) as terminal:
            terminal.until("pod-03")
            assert "pod-40" not in terminal.read()
            terminal.type("j" * 40)
            terminal.until("pod-40")
            terminal.type("\033[A" * 45)
            terminal.forget()
            terminal.until("pod-03")
            fcntl.ioctl(terminal.other, termios.TIOCSWINSZ, struct.pack("HHHH", 80, 41, 0, 0))
            terminal.process.send_signal(signal.SIGWINCH)
            terminal.until("pod-59")
            terminal.type("q")
            assert terminal.wait() == 0


def state_of(process):
    """As in /proc: "S" sleeps, "T" is stopped."""
    return pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]


def stop_by(number):
    def stop(terminal):
        terminal.process.send_signal(number)
        until(lambda: state_of(terminal.process) == "T", "it to stop")
    return stop


# How top stands when its terminal goes: what was done to it, and whether a hangup is told.
LAST_STATES = {
    "alone": (lambda terminal: None, signal.SIG_DFL),
    "stopped": (stop_by(signal.SIGSTOP), signal.SIG_DFL),
    "ctrl-z": (stop_by(signal.SIGTSTP), signal.SIG_DFL),
    "told of no hangup": (lambda terminal: None, signal.SIG_IGN),
    "stopped and told of no hangup": (stop_by(signal.SIGSTOP), signal.SIG_IGN),
    "ctrl-z and told of no hangup": (stop_by(signal.SIGTSTP), signal.SIG_IGN),
}


@pytest.mark.parametrize("controlling", [True, False], ids=["its own terminal", "somebody's terminal"])
@pytest.mark.parametrize("bring, hangup", LAST_STATES.values(), ids=LAST_STATES)
def test_top_ends_when_its_terminal_has_gone(agent, bring, hangup, controlling):
    with top(agent, controlling=controlling, hangup=hangup, env=NO_LEAK_CHECK) as terminal:
        terminal.until("web-2")
        bring(terminal)
        terminal.close()
        terminal.process.send_signal(signal.SIGCONT)
        until(lambda: terminal.process.poll() is not None, "the end")
        assert terminal.process.returncode in (0, 1), "by itself, and not by a signal"


@pytest.mark.parametrize("hangup", [signal.SIG_DFL, signal.SIG_IGN], ids=["told", "not told"])
def test_a_top_that_its_shell_has_left_behind_ends_with_the_terminal(agent, hangup, tmp_path):
    file = tmp_path / "pid"
    command = f"set -m; '{binary('wsbalancer')}' top {agent.http} & echo $! >'{file}'; read -r line"
    with Terminal("bash", "-c", command, controlling=True, hangup=hangup, env=NO_LEAK_CHECK) as terminal:
        until(lambda: file.exists() and file.read_text().endswith("\n"), "its id")
        pid = int(file.read_text())
        stat = pathlib.Path(f"/proc/{pid}/stat")
        # In the background: the terminal is not its own, so it is stopped.
        until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "it to be stopped")
        terminal.process.kill()
        terminal.process.wait()
        os.kill(pid, signal.SIGCONT)
        terminal.close()
        until(lambda: not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z",
              "the end")


def test_top_ends_when_what_it_writes_to_has_gone(agent):
    main, other = pty.openpty()
    with top(agent, stdout=other) as terminal:
        os.close(other)
        until(lambda: b"web-2" in os.read(main, 65536), "the table")
        os.close(main)
        assert terminal.wait() in (0, 1)


def test_top_wants_a_terminal(agent):
    result = subprocess.run([binary("wsbalancer"), "top", "--url", url(agent)],
                            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    assert result.returncode == 1 and "not a terminal" in result.stderr


# --- top on the screen that a user sees ------------------------------------------------------------


class Tmux:
    """top in a shell in tmux: what stands on the screen, and keys as a keyboard sends them."""

    def __init__(self, agent, columns=100, rows=30, **env):
        self.dir = tempfile.mkdtemp()
        self.call = ["tmux", "-S", f"{self.dir}/tmux", "-f", "/dev/null"]
        # A shell with jobs, as a user has one.
        self.tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), "bash", "--norc",
                  env={**os.environ, "LC_ALL": "C.UTF-8", "PS1": "shell$ ", **NO_LEAK_CHECK, **env})
        self.until("shell$")
        self.type(f"{binary('wsbalancer')} top -i 200ms {agent.http}", "Enter")

    def tmux(self, *words, env=None):
        return subprocess.run([*self.call, *words], check=True, capture_output=True, text=True,
                              env=env).stdout

    def type(self, *keys):
        for key in keys:
            self.tmux("send-keys", key)

    def screen(self, *options):
        return self.tmux("capture-pane", "-p", *options)

    def until(self, text):
        until(lambda: text in self.screen(), f"{text!r} on the screen:\n{self.screen()}")

    def rows(self):
        return re.findall(r"^[ !?.-](pod-\d+)", self.screen(), re.M)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.tmux("kill-server")
        shutil.rmtree(self.dir, ignore_errors=True)


@pytest.fixture(scope="module")
def sixty():
    """Sixty pods, the last of which is silent."""
    with ManyPods(60, lambda i: {"agentsConnections": 1000 - 2 * i, "podName": f"pod-{i:02}",
                                 "nodeName": f"node-{i % 4}"}) as pods, \
            HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy, pollInterval="1s", pollTimeout="900ms", cacheTTL="3s") as agent:
        agent.wait_ready()
        pods.answers[59] = b"no JSON"
        until(lambda: agent.json()["totals"]["pods_silent"] == 1, "the silent pod")
        yield agent


@pytest.mark.parametrize("columns, rows", [(80, 24), (120, 40), (200, 50)])
def test_top_shows_verdict_trouble_and_keys_at_any_size(sixty, columns, rows):
    with Tmux(sixty, columns, rows) as tmux:
        tmux.until("q quit  ? keys  / filter  s sort: trouble")
        lines = tmux.screen().rstrip("\n").split("\n")
        assert lines[0].startswith(sixty.json()["verdict"]["text"][:columns])
        assert lines[-1].startswith("q quit  ? keys  / filter  s sort: trouble")
        until(lambda: tmux.rows()[0] == "pod-59", "trouble first")
        assert max(map(len, lines)) <= columns
        # It can be read without colours.
        until(lambda: "!pod-59" in tmux.screen(), "its mark")


def test_keys_of_top(sixty):
    with Tmux(sixty, 110, 24) as tmux:
        tmux.until("pod-59")
        first = tmux.rows()
        tmux.type("PageDown")
        until(lambda: tmux.rows()[0] not in first, "the next page")
        assert "POD " in tmux.screen(), "the head stays"
        tmux.type("End")
        tmux.type("s")
        tmux.until("sort: name")
        until(lambda: tmux.rows()[0] == "pod-00", "names in order")
        tmux.type("End")
        until(lambda: tmux.rows()[-1] == "pod-59", "the end")
        tmux.type("Home")
        until(lambda: tmux.rows()[0] == "pod-00", "the beginning")
        tmux.type("r")
        tmux.until("sort: name, reversed")
        until(lambda: tmux.rows()[0] == "pod-59", "the other way round")
        tmux.type("r", "s")
        tmux.until("sort: connections")
        until(lambda: tmux.rows()[0] == "pod-00", "the fullest")
        for name in ("level", "next", "since", "trouble"):
            tmux.type("s")
            tmux.until(f"sort: {name}")
        tmux.type("/", "n", "o", "d", "e", "-", "3", "Space", "p", "o", "d", "-", "5")
        until(lambda: set(tmux.rows()) == {"pod-51", "pod-55", "pod-59"}, "the filter")
        tmux.type("BSpace", "BSpace", "BSpace", "BSpace", "BSpace", "Enter")
        tmux.until("/ filter: node-3")
        tmux.type("Escape")
        until(lambda: len(tmux.rows()) > 3, "no filter")
        tmux.type("?")
        tmux.until("the other way round")
        tmux.type("?")
        tmux.until("POD ")
        tmux.type("q")
        tmux.until("shell$")


def test_ctrl_z_and_fg(sixty):
    with Tmux(sixty) as tmux:
        tmux.until("pod-59")
        tmux.type("C-z")
        tmux.until("Stopped")
        tmux.type("echo 6 x 7 = $((6 * 7))", "Enter")
        tmux.until("6 x 7 = 42")
        tmux.type("fg", "Enter")
        tmux.until("q quit")
        tmux.type("s")
        tmux.until("sort: name")
        tmux.type("q")
        tmux.until("shell$")


def test_a_stopped_top_can_be_ended(sixty):
    with Tmux(sixty) as tmux:
        tmux.until("pod-59")
        tmux.type("C-z")
        tmux.until("Stopped")
        tmux.type("kill %1; wait; echo all $((40 + 2)) ended", "Enter")
        tmux.until("all 42 ended")


def test_no_color_is_whole(sixty):
    with Tmux(sixty, NO_COLOR="1") as tmux:
        tmux.until("pod-59")
        # With -e the screen comes with its colours.
        assert "\033[3" not in tmux.screen("-e") and "\033[1" not in tmux.screen("-e")


# --- the words of the command line -----------------------------------------------------------------


def run(*words):
    return subprocess.run([binary("wsbalancer"), *words], capture_output=True, text=True, timeout=20)


def help_options(*words):
    """The long options that -h tells of."""
    return set(re.findall(r"^  (?:-\w, |    )--([\w-]+)", run(*words, "-h").stdout, re.M))


def test_a_wrong_command_gets_a_proposal():
    result = run("tpo")
    assert (result.returncode, result.stderr) == (
        2, "wsbalancer: unknown command 'tpo': did you mean top?\n")
    assert "unknown command 'xyzzy': see wsbalancer -h" in run("xyzzy").stderr
    assert "name a shell" in run("completion", "ksh").stderr


COMMANDS = ("top", "status", "check", "advise", "completion")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_tells_about_itself(command):
    for option in ("-h", "--help"):
        result = run(command, option)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.startswith(f"usage: wsbalancer {command} ") and "--help" in result.stdout
    result = run(command, "--nonsense")
    assert result.returncode == 2 and f"see wsbalancer {command} -h" in result.stderr
    assert f"wsbalancer {command}" in run("-h").stdout or command == "status"


def test_completion_help_and_manual_name_the_same_options():
    manual = (ROOT / "agent/doc/wsbalancer.8").read_text()
    for command in ([], *([name] for name in COMMANDS)):
        for name in help_options(*command):
            assert re.search(rf"Fl -{name}\b", manual), name
    for shell in ("zsh", "fish"):
        script = run("completion", shell).stdout
        for name in help_options().union(*map(help_options, COMMANDS)):
            assert name in script, (shell, name)


COMPLETED = [
    ("wsbalancer ", {"top", "status", "check", "completion"}),
    ("wsbalancer --", lambda: help_options()),
    ("wsbalancer top --", lambda: help_options("top")),
    ("wsbalancer status --", lambda: help_options("status")),
    ("wsbalancer completion ", {"bash", "zsh", "fish"}),
    ("wsbalancer sta", {"status"}),
]


@pytest.mark.parametrize("line, wanted", COMPLETED)
def test_fish_completes(line, wanted, tmp_path):
    wanted = wanted() if callable(wanted) else wanted
    script = f"{binary('wsbalancer')} completion fish | source; complete -C '{line}'"
    found = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True,
                           check=True, env={**os.environ, "HOME": str(tmp_path)})
    assert found.stderr == ""
    assert {word.split("\t")[0].removeprefix("--") for word in found.stdout.splitlines()} >= wanted


@pytest.mark.parametrize("line, wanted", COMPLETED)
def test_zsh_completes(line, wanted, tmp_path):
    """As with a user's keys: zsh's completion works in its line editor alone."""
    wanted = wanted() if callable(wanted) else wanted
    (tmp_path / "_wsbalancer").write_text(run("completion", "zsh").stdout)
    (tmp_path / ".zshrc").write_text(
        f"PS1='shell$ '; fpath=({tmp_path} $fpath); autoload -U compinit; compinit -u -d {tmp_path}/d\n"
        f"path=({pathlib.Path(binary('wsbalancer')).parent} $path); unsetopt AUTO_MENU\n"
        "LISTMAX=1000; zstyle ':completion:*' list-prompt ''\n")
    with Terminal("zsh", "-i", rows=50, columns=100, controlling=True,
                  env={"ZDOTDIR": str(tmp_path), "HOME": str(tmp_path), "TERM": "dumb"}) as terminal:
        terminal.until("shell$ ")
        terminal.forget()
        terminal.type(f"{line}\t\t")
        try:
            until(lambda: all(re.search(rf"\b{word}\b", terminal.read()) for word in wanted), "all words")
        except AssertionError:
            raise AssertionError(f"{wanted} wanted, but: {terminal.read()}") from None
        assert "error" not in terminal.read() and "not found" not in terminal.read()


@pytest.mark.parametrize("line, wanted", [
    ("wsbalancer ", help_options),
    ("wsbalancer top --", lambda: help_options("top")),
    ("wsbalancer status --", lambda: help_options("status")),
    ("wsbalancer check --", lambda: help_options("check")),
    ("wsbalancer advise --", lambda: help_options("advise")),
    ("wsbalancer completion ", lambda: {"bash", "zsh", "fish"}),
])
def test_bash_completes(line, wanted):
    words = line.split(" ")
    script = (f"eval \"$({binary('wsbalancer')} completion bash)\"; "
              f"COMP_WORDS=({' '.join(words[:-1])} '{words[-1]}'); COMP_CWORD={len(words) - 1}; "
              "_wsbalancer; printf '%s\\n' \"${COMPREPLY[@]}\"")
    found = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    assert {word.removeprefix("--") for word in found.split()} >= wanted()
