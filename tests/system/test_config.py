# SPDX-License-Identifier: MIT
"""The command line and the configuration file, as a user meets them: one clear line and a status."""
import json
import os
import re
import socket
import subprocess

import pytest

from balancer import Agent, HAProxy
from certificate import make_certificate
from field import Pod
from ports import free_port
from program import ROOT, binary

GOOD = "haproxy: {socket: /run/haproxy/admin.sock}\n"
NAMED = "haproxy: {socket: /run/haproxy/admin.sock, backends: [ws]}\n"


def run(*arguments, env=None):
    """Runs wsbalancer to its end; a run that goes on is killed and fails the test."""
    return subprocess.run(
        [binary("wsbalancer"), *arguments], capture_output=True, text=True, timeout=20,
        stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})


def check(tmp_path, text, env=None):
    path = tmp_path / "wsbalancer.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path, run("-t", "-c", str(path), env=env)


def assert_refused(result, *lines, status=1):
    assert result.stderr == "".join(f"wsbalancer: {line}\n" for line in lines)
    assert result.stdout == ""
    assert result.returncode == status


def mistakes():
    """The blocks of tests/data/config_mistakes.txt: a list of (line or -, message), and the file."""
    table = (ROOT / "tests/data/config_mistakes.txt").read_text()
    for block in table.split("\n## ")[1:]:
        name, answers, text = re.fullmatch(r"(.*)\n((?:> .*\n)+)((?:.*\n)*.*)", block).groups()
        pairs = re.findall(r"^> (\d+|-): (.*)$", answers, re.M)
        assert len(pairs) == answers.count("\n")
        yield pytest.param(pairs, text, id=name.replace(" ", "_"))


MISTAKES = list(mistakes())


def test_the_table_of_mistakes_is_read_whole():
    assert len(MISTAKES) >= 30
    assert len({mistake.id for mistake in MISTAKES}) == len(MISTAKES)


@pytest.mark.parametrize("pairs, text", MISTAKES)
def test_each_mistake_gets_one_line_with_place_and_key(tmp_path, pairs, text):
    path, result = check(tmp_path, text)
    lines = [f"{path}: {message}" if line == "-" else f"{path}:{line}: {message}"
             for line, message in pairs]
    if len(pairs) == 16:
        lines.append(f"{path}: there may be more mistakes: only 16 are shown")
    assert_refused(result, *lines)


def test_a_mistake_stops_a_normal_start_in_the_same_way(tmp_path):
    path = tmp_path / "wsbalancer.yaml"
    path.write_text(GOOD + "pollInterval: soon\n")
    assert_refused(run("-c", str(path)),
                   f"{path}:2: pollInterval: invalid duration 'soon': "
                   "use auto, or a number with ms, s, m or h, such as 1s", status=78)


# Fails the first calloc that the program itself asks for, and none of its libraries'.
NO_CALLOC = """
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>
void *__libc_calloc(size_t n, size_t size);
void *calloc(size_t n, size_t size)
{
	static int looking, failed;
	Dl_info from;
	int is_programs = 0;
	if (!looking && !failed) {
		looking = 1;
		is_programs = dladdr(__builtin_return_address(0), &from) && strstr(from.dli_fname, "/wsbalancer");
		looking = 0;
	}
	failed |= is_programs;
	return is_programs ? NULL : __libc_calloc(n, size);
}
"""


def test_a_start_without_memory_or_event_loop_ends_with_a_word(tmp_path):
    path, library = tmp_path / "wsbalancer.yaml", tmp_path / "no_calloc.so"
    path.write_text(GOOD)
    subprocess.run(["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-x", "c", "-o", library, "-"], input=NO_CALLOC,
                   text=True, check=True)
    # A sanitizer has a calloc of its own.
    result = subprocess.run([binary("wsbalancer", "release"), "-c", path], capture_output=True, text=True, timeout=20,
                            env={**os.environ, "LD_PRELOAD": str(library)})
    assert (result.returncode, result.stderr) == (1, "wsbalancer: out of memory\n")
    # Only the event ports of Solaris are allowed.
    result = run("-c", str(path), env={"LIBEV_FLAGS": "32"})
    assert (result.returncode, result.stderr) == (1, "wsbalancer: libev does not start\n")


def test_a_good_file_is_ok(tmp_path):
    path, result = check(tmp_path, GOOD)
    assert (result.returncode, result.stdout) == (0, f"wsbalancer: {path}: ok\n")
    # A HAProxy may be there or not.
    assert all(": warning: haproxy.socket: " in line for line in result.stderr.splitlines())


def test_the_example_file_is_good():
    path = ROOT / "agent/etc/wsbalancer.yaml"
    assert run("-t", "-c", str(path)).returncode == 0


def test_variables_come_from_the_environment(tmp_path):
    text = NAMED + "metricHeaders: {Authorization: 'Bearer ${TOKEN}'}\nmetricPort: ${PORT}\n"
    path, result = check(tmp_path, text, env={"TOKEN": "a: b\\n", "PORT": "8080"})
    assert result.returncode == 0, result.stderr
    path, result = check(tmp_path, text, env={"TOKEN": "a", "PORT": "8080\nreplicas: 2"})
    assert_refused(result, f"{path}:3: metricPort: "
                           "the value must be one line of UTF-8 without control characters")


@pytest.mark.parametrize("token", ["hunter2\r\nX-Admin: 1", "hunter2 ", "hunter2\x1b", "hunter2\n"])
def test_a_secret_is_never_shown(tmp_path, token):
    text = GOOD + "metricHeaders: {Authorization: '${TOKEN}'}\n"
    path, result = check(tmp_path, text, env={"TOKEN": token})
    assert result.returncode == 1
    assert result.stderr.startswith(f"wsbalancer: {path}:2: metricHeaders.Authorization: ")
    assert "hunter2" not in result.stderr


@pytest.mark.parametrize("key, lines", [
    ("tlsCA", "tlsCA: {0}"),
    ("tlsCert", "{{tlsCert: {0}, tlsKey: /dev/null}}"),
    ("tlsKey", "{{tlsCert: /dev/null, tlsKey: {0}}}"),
    ("metricHeaders.X-Token", "metricHeaders: {{X-Token: {{file: {0}}}}}"),
])
def test_a_file_that_is_named_must_be_readable(tmp_path, key, lines):
    missing = tmp_path / "missing"
    settings = lines.format(missing).strip("{}") if lines.startswith("{{") else lines.format(missing)
    text = NAMED + "metricScheme: https\n" + settings.replace(", tls", "\ntls") + "\n"
    path, result = check(tmp_path, text)
    assert_refused(result, f"{path}: {key}: '{missing}' cannot be read: No such file or directory")
    missing.write_text("x")
    path, result = check(tmp_path, text)
    if key.startswith("tls"):
        assert result.returncode == 1 and "cannot be read" not in result.stderr, result.stderr
    else:
        assert result.returncode == 0, result.stderr


def test_a_record_must_be_writable(tmp_path):
    record = tmp_path / "missing" / "record"
    text = GOOD + f"record: {record}\n"
    path, result = check(tmp_path, text)
    assert_refused(result, f"{path}: record: '{record}' cannot be written: No such file or directory")
    record.parent.mkdir()
    assert check(tmp_path, text)[1].returncode == 0
    assert not record.exists()
    path, result = check(tmp_path, GOOD + f"record: {path}/record\n")
    assert_refused(result, f"{path}: record: '{path}/record' cannot be written: Not a directory")


def test_a_file_that_is_missing_or_too_long_is_refused(tmp_path):
    path = tmp_path / "missing.yaml"
    assert_refused(run("-t", "-c", str(path)), f"{path}: cannot be read: No such file or directory")
    assert_refused(run("-t", "-c", str(tmp_path)), f"{tmp_path}: cannot be read: Is a directory")
    mebibyte = 1024 * 1024
    path, result = check(tmp_path, GOOD + "#" * (mebibyte - len(GOOD)))
    assert result.returncode == 0, result.stderr
    path, result = check(tmp_path, GOOD + "#" * (mebibyte - len(GOOD) + 1))
    assert_refused(result, f"{path}: cannot be read: longer than 1 MiB")


@pytest.mark.parametrize("text, line, message", [
    (b"haproxy: {socket: /s}\nlisten: \xff\n", 2, "invalid YAML: invalid leading UTF-8 octet"),
    (b"haproxy: {socket: /s}\nlisten: \x1b[2J\n", 2, "invalid YAML: control characters are not allowed"),
    (b"[" * (1024 * 1024), 1, "nested too deeply"),
    (b'haproxy: {socket: "/\\e[2J\\u202e"}\n', 1,
     "haproxy.socket: the value must be one line of UTF-8 without control characters"),
    (b'"a\\n\\e[2Jb": 1\n', 1, "a\\n\\x1b[2Jb: unknown key: see wsbalancer.yaml(5)"),
], ids=["not UTF-8", "control characters", "a mebibyte of brackets", "a terminal's escapes",
        "a key of control characters"])
def test_hostile_bytes_get_one_clean_line(tmp_path, text, line, message):
    path, result = check(tmp_path, text)
    assert result.stderr.startswith(f"wsbalancer: {path}:{line}: {message}")
    assert result.stderr.endswith("\n") and result.stderr[:-1].isprintable()
    assert result.returncode == 1


@pytest.mark.parametrize("arguments, line", [
    (["-x"], "unknown option '-x': see wsbalancer -h"),
    (["--dryrun"], "unknown option '--dryrun': did you mean --dry-run?"),
    (["--frobnicate"], "unknown option '--frobnicate': see wsbalancer -h"),
    (["--dry-run=no"], "no value is allowed for '--dry-run=no': see wsbalancer -h"),
    (["-c"], "a file is needed behind '-c': see wsbalancer -h"),
    (["wsbalancer.yaml"], "unknown command 'wsbalancer.yaml': did you mean -c wsbalancer.yaml?"),
    (["-t", "a\nb"], "unknown command 'a\\nb': see wsbalancer -h"),
], ids=lambda value: value[-1].replace("\n", " ") if isinstance(value, list) else "")
def test_a_wrong_command_line_gets_one_line_and_status_2(arguments, line):
    assert_refused(run(*arguments), line, status=2)


def test_help_and_version_go_to_stdout():
    for option in ("-h", "--help"):
        result = run(option)
        assert result.stdout.startswith("usage: wsbalancer ")
        assert (result.stderr, result.returncode) == ("", 0)
    for option in ("-V", "--version"):
        result = run(option)
        assert re.fullmatch(r"wsbalancer \d+\.\d+\.\d+\n", result.stdout)
        assert (result.stderr, result.returncode) == ("", 0)


def test_every_option_stands_in_the_man_page():
    manual = (ROOT / "agent/doc/wsbalancer.8").read_text()
    options = re.findall(r"--([a-z-]+)", run("-h").stdout)
    assert len(options) >= 5
    for option in options:
        assert re.search(rf"^\.It .*Fl -{option}\b", manual, re.M), option


def make_pair(tmp_path, name):
    cert, key = tmp_path / f"{name}.pem", tmp_path / f"{name}.key"
    make_certificate(cert, key, "pod")
    return cert, key


REFUSED_AT_START = {
    "an empty token": ("listenTokenFile: {0}/empty", "listenTokenFile: ", "is empty"),
    "a token of two words": ("listenTokenFile: {0}/words", "listenTokenFile: ", "is not one word"),
    "a directory for a token": ("listenTokenFile: {0}", "listenTokenFile: ", "Is a directory"),
    "a FIFO for a token": ("listenTokenFile: {0}/fifo", "listenTokenFile: ", "not a regular file"),
    "a FIFO for authorities": ("metricScheme: https\ntlsCA: {0}/fifo", "tlsCA: ", "not a regular file"),
    "a device for a pod certificate": (
        "metricScheme: https\ntlsCert: /dev/zero\ntlsKey: {0}/a.key", "tlsCert: ", "not a regular file"),
    "a FIFO for a pod key": (
        "metricScheme: https\ntlsCert: {0}/a.pem\ntlsKey: {0}/fifo", "tlsCert: ", "not a regular file"),
    "a FIFO for a certificate": (
        "listenTLSCert: {0}/fifo\nlistenTLSKey: {0}/a.key", "listenTLSCert", "not a regular file"),
    "an empty file for a header": (
        "metricHeaders: {{X-A: {{file: {0}/empty}}}}", "metricHeaders: X-A: ", "is empty"),
    "a FIFO for a header": (
        "metricHeaders: {{X-A: {{file: {0}/fifo}}}}", "metricHeaders: X-A: ",
        "not a regular file"),
    "a device for a header": (
        "metricHeaders: {{X-A: {{file: /dev/zero}}}}", "metricHeaders: X-A: ",
        "not a regular file"),
    "control characters in a header": (
        "metricHeaders: {{X-A: {{file: {0}/control}}}}", "metricHeaders: X-A: ",
        "not a header value"),
    "a directory for a record": ("record: {0}", "record: ", "Is a directory"),
    "a FIFO for a record": ("record: {0}/fifo", "record: ", "not a regular file"),
    "a certificate and another's key": (
        "listenTLSCert: {0}/a.pem\nlistenTLSKey: {0}/b.key", "listenTLSCert", "do not belong together"),
    "garbage for authorities": ("metricScheme: https\ntlsCA: {0}/words", "tlsCA: ", "no certificate in PEM"),
    "a pod certificate and another's key": (
        "metricScheme: https\ntlsCert: {0}/a.pem\ntlsKey: {0}/b.key", "tlsCert: ", "do not belong together"),
    "an address that is not here": ("listen: 192.0.2.77:9180", "listen: ", "Cannot assign requested address"),
    "a name that is none": ("listen: nowhere.invalid:9180", "listen: ", ""),
    "an agent-check's address that is not here": (
        "agentCheck: {{listen: '192.0.2.77:9181'}}", "agentCheck.listen: ", "Cannot assign requested address"),
    "Kubernetes outside a pod": ("kubernetes: [{{service: web, backend: ws}}]", "kubernetes: ", "not in a pod"),
}


@pytest.mark.parametrize("name", REFUSED_AT_START)
def test_what_a_start_refuses_the_check_refuses_in_the_same_words(tmp_path, name):
    # A resolver that is asked twice may have two words for the same: its own server came late.
    def same_words(said):
        return said.replace("Temporary failure in name resolution", "Name or service not known")

    lines, key, said = REFUSED_AT_START[name]
    (tmp_path / "empty").write_text("")
    (tmp_path / "words").write_text("two words\n")
    (tmp_path / "control").write_bytes(b"a\x01b\n")
    os.mkfifo(tmp_path / "fifo")
    for pair in "ab":
        make_pair(tmp_path, pair)
    text = NAMED + lines.format(tmp_path) + "\n"
    path, checked = check(tmp_path, text)
    assert checked.returncode == 1 and said in checked.stderr, checked.stderr
    assert checked.stderr.startswith(f"wsbalancer: {path}: {key}"), checked.stderr
    started = run("-c", str(path))
    assert (started.returncode, same_words(started.stderr)) == (78, same_words(checked.stderr))
    # As a text there is nothing wrong with it.
    syntax = run("--syntax", "-c", str(path))
    assert (syntax.returncode, syntax.stdout) == (0, f"wsbalancer: {path}: ok\n"), syntax.stderr


def test_the_check_passes_beside_a_running_agent(tmp_path):
    with Pod() as pods, HAProxy(pods.addresses) as haproxy, \
            Agent(haproxy, agentCheck={"listen": "127.0.0.1:0".replace(":0", f":{free_port()}")}) as agent:
        agent.wait_ready()
        result = run("-t", "-c", str(agent.file))
        assert result.returncode == 0, result.stderr
        asked = agent.series()["wsbalancer_rounds_total"]
        assert asked > 0


def test_syntax_finds_mistakes_in_the_text(tmp_path):
    path = tmp_path / "wsbalancer.yaml"
    path.write_text(GOOD + "pollInterval: soon\n")
    assert run("--syntax", "-c", str(path)).returncode == 1


# --- what -t warns of ------------------------------------------------------------------------------


def test_check_warns_of_what_is_probably_not_meant_and_refuses_nothing(tmp_path):
    with Pod() as pod, HAProxy([pod.address]) as haproxy, Agent(haproxy) as agent:
        agent.wait_ready()
        result = run("-t", "-c", str(agent.file))
        assert (result.returncode, result.stderr) == (0, ""), "beside its own agent, and all is well"
        path = tmp_path / "c.yaml"
        path.write_text(json.dumps({
            "haproxy": {"socket": haproxy.socket, "backends": [
                "ws", "w*", "wss", {"name": "other", "metricKey": "data->open"}]},
            "metricKey": "$.data.open", "capacityKey": "/limits/max"}))
        result = run("-t", "-c", str(path))
        assert result.returncode == 0 and result.stdout == f"wsbalancer: {path}: ok\n"
        begin = f"wsbalancer: {path}: warning: "
        assert result.stderr.splitlines() == [
            f"{begin}metricKey: '$.data.open' is taken to the letter: for a path, write data.open",
            f"{begin}capacityKey: '/limits/max' is taken to the letter: for a path, write limits.max",
            f"{begin}metricKey: 'data->open' is taken to the letter: for a path, write data.open",
            f"{begin}haproxy.backends: HAProxy has no backend wss: did you mean ws?",
            f"{begin}haproxy.backends: HAProxy has no backend other: is it in haproxy.cfg, and HAProxy "
            "reloaded?"]


def test_check_warns_where_haproxy_cannot_be_asked(tmp_path):
    path = tmp_path / "c.yaml"
    place = tmp_path / "s"
    path.write_text(json.dumps({"haproxy": {"socket": "/nonexistent/s"}}))
    result = run("-t", "-c", str(path))
    assert result.returncode == 0
    assert "/nonexistent/s: No such file or directory: does it run, and does 'stats" in result.stderr
    path.write_text(json.dumps({"haproxy": {"socket": str(place)}}))
    # One that takes connections and says nothing.
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(place))
        silent.listen(5)
        result = run("-t", "-c", str(path))
    assert result.returncode == 0 and "no answer within a second" in result.stderr
    # Its text alone is nobody's affair but its own.
    assert run("--syntax", "-c", str(path)).stderr == ""
