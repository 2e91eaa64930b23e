# SPDX-License-Identifier: MIT
"""make install, make uninstall, and the texts that they put in place."""
import contextlib
import functools
import json
import os
import re
import signal
import stat
import subprocess

import pytest
import yaml

from balancer import HAProxy
from field import Load, Pod
from namespace import in_namespace
from ports import free_port
from program import ROOT, Program, until

MANUALS = ["man8/wsbalancer.8", "man5/wsbalancer.yaml.5"]


@pytest.fixture(name="build", scope="module")
def fixture_build(tmp_path_factory):
    """Where what is built is in no other test's way: other paths make another program."""
    return tmp_path_factory.mktemp("build")


@pytest.fixture(name="make", scope="module")
def fixture_make(build):
    return functools.partial(run_make, build)


def run_make(build, target, **settings):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    result = subprocess.run(
        ["make", target, f"BUILD={build}", "VARIANT=debug",
         *(f"{name}={value}" for name, value in settings.items())],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    return [line.split()[1].removeprefix(f"{build}/debug/") for line in result.stdout.splitlines()
            if line.startswith("  ")]


def files(root):
    """Every file below root, with the bits of its mode."""
    return {str(path.relative_to(root)): stat.S_IMODE(path.stat().st_mode)
            for path in root.rglob("*") if path.is_file()}


@pytest.fixture(name="prefix", scope="module")
def installed(make, tmp_path_factory):
    """An installation that can be used where it lies."""
    prefix = tmp_path_factory.mktemp("prefix")
    make("install", PREFIX=prefix, SYSCONFDIR=prefix / "etc")
    return prefix


def test_destdir_gets_all_files_and_no_path_names_it(make, tmp_path):
    make("install", DESTDIR=tmp_path, PREFIX="/usr")
    found = files(tmp_path)
    examples = "usr/share/doc/wsbalancer/examples/"
    assert {name: mode for name, mode in found.items() if not name.startswith(examples)} == {
        "usr/bin/wsbalancer": 0o755,
        "usr/share/man/man8/wsbalancer.8": 0o644,
        "usr/share/man/man5/wsbalancer.yaml.5": 0o644,
        "usr/lib/systemd/system/wsbalancer.service": 0o644,
        "usr/lib/systemd/system/wsbalancer@.service": 0o644,
        "usr/share/bash-completion/completions/wsbalancer": 0o644,
        "usr/share/zsh/site-functions/_wsbalancer": 0o644,
        "usr/share/fish/vendor_completions.d/wsbalancer.fish": 0o644,
        "etc/wsbalancer/wsbalancer.yaml": 0o644,
        **{f"usr/share/doc/wsbalancer/{name}.md": 0o644
           for name in ("RUNBOOKS", "TROUBLESHOOTING", "TUNING", "UPGRADE")},
    }
    assert found[examples + "wsbalancer.yaml"] == 0o644
    for name in found:
        assert str(tmp_path).encode() not in (tmp_path / name).read_bytes(), name


def test_prometheus_takes_what_is_installed_for_it(prefix):
    doc = prefix / "share/doc/wsbalancer"
    result = subprocess.run(["promtool", "check", "config", doc / "examples/prometheus.yml"],
                            capture_output=True, text=True, timeout=60)
    # It reads the rules too.
    assert result.returncode == 0 and "rules found" in result.stdout, result.stdout + result.stderr
    alerts = yaml.safe_load((doc / "examples/alerts.yaml").read_text())
    for rule in alerts["groups"][0]["rules"]:
        path, _, anchor = rule["annotations"]["runbook_url"].removeprefix("file://").partition("#")
        assert path == str(doc / "RUNBOOKS.md")
        assert f"\n## {anchor}\n" in (doc / "RUNBOOKS.md").read_text().lower()
    assert (doc / "examples/dashboard.json").exists()


def test_links_between_the_papers_lead_somewhere():
    for paper in ["README.md", "k8s/RUNBOOKS.md", *(f"agent/doc/{name}.md" for name in (
            "DESIGN", "TROUBLESHOOTING", "TUNING", "UPGRADE"))]:
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / paper).read_text()):
            assert "://" in link or ((ROOT / paper).parent / link).exists(), (paper, link)


def test_a_configuration_that_is_there_stays(make, tmp_path):
    settings = {"DESTDIR": tmp_path, "PREFIX": "/opt/wsb"}
    configuration = tmp_path / "etc/wsbalancer/wsbalancer.yaml"
    configuration.parent.mkdir(parents=True)
    configuration.write_text("mine\n")
    configuration.chmod(0o600)
    make("install", **settings)
    make("install", **settings)
    assert configuration.read_text() == "mine\n"
    make("uninstall", **settings)
    assert files(tmp_path) == {"etc/wsbalancer/wsbalancer.yaml": 0o600}


def test_uninstall_disables_the_service_that_it_installed_and_no_other(build):
    """With real systemctl, where /etc/systemd/system and /usr/local are empty and go with the test."""
    make = f"make -s BUILD={build} VARIANT=debug PREFIX=$prefix SYSCONFDIR=/usr/local/etc"
    script = f"""
        mount -t tmpfs tmpfs /etc/systemd/system
        mount -t tmpfs tmpfs /usr/local
        wanted=/etc/systemd/system/multi-user.target.wants/wsbalancer.service
        prefix=/usr/local; {make} install
        systemctl enable wsbalancer
        test "$(readlink $wanted)" = /usr/local/lib/systemd/system/wsbalancer.service
        prefix=/usr/local/other; {make} install; {make} uninstall
        test -L $wanted
        prefix=/usr/local; {make} uninstall
        test ! -L $wanted"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    result = subprocess.run(in_namespace("sh", "-eux", "-c", script), cwd=ROOT, env=environment,
                            capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr


def test_the_installed_program_takes_the_installed_configuration(prefix):
    result = subprocess.run([prefix / "bin/wsbalancer", "-t", "-c",
                             prefix / "etc/wsbalancer/wsbalancer.yaml"],
                            capture_output=True, text=True, timeout=20)
    assert result.returncode == 0, result.stderr


def installed_program(root, *arguments):
    return subprocess.run([root / "bin/wsbalancer", *arguments], capture_output=True, text=True, timeout=20,
                          check=True).stdout


def test_what_is_built_already_gets_the_paths_and_the_version_of_the_installation(make, tmp_path):
    make("agent")
    again = make("install", PREFIX=tmp_path, SYSCONFDIR=tmp_path / "etc", VERSION="4.7.11")
    assert f"(default {tmp_path}/etc/wsbalancer/wsbalancer.yaml)" in installed_program(tmp_path, "--help")
    assert installed_program(tmp_path, "-V") == "wsbalancer 4.7.11\n"
    # And only what names them is made again.
    assert "agent/cli/options.o" in again
    assert "libcore.a" not in again


def test_what_is_made_with_other_flags_is_made_again(make):
    make("agent")
    assert not make("agent")
    again = make("agent", CPPFLAGS="-DNDEBUG")
    assert {"agent/main.o", "agent/core/plan/planner.o", "page/page_data.o", "wsbalancer"} <= set(again)


def test_man_pages_are_clean(prefix):
    for name in MANUALS:
        page = prefix / "share/man" / name
        result = subprocess.run(["mandoc", "-T", "lint", "-W", "style", page],
                                capture_output=True, text=True, timeout=20)
        # Whether other manuals are installed is the machine's matter.
        assert not [line for line in result.stdout.splitlines()
                    if "referenced manual not found" not in line]
        paths = re.findall(r"\S*/wsbalancer/wsbalancer\.yaml", page.read_text())
        assert set(paths) == {f"{prefix}/etc/wsbalancer/wsbalancer.yaml"}


def test_systemd_takes_the_unit(prefix):
    unit = prefix / "lib/systemd/system/wsbalancer.service"
    text = unit.read_text()
    assert f"ExecStart={prefix}/bin/wsbalancer -c {prefix}/etc/wsbalancer/wsbalancer.yaml\n" in text
    result = subprocess.run(["systemd-analyze", "verify", "--man=no", unit],
                            capture_output=True, text=True, timeout=60)
    # Units of the machine itself may be odd; only what is said of this one counts.
    assert "wsbalancer" not in result.stdout + result.stderr


def test_systemd_takes_the_unit_of_one_of_several(prefix, tmp_path):
    template = (prefix / "lib/systemd/system/wsbalancer@.service").read_text()
    assert f"ExecStart={prefix}/bin/wsbalancer -c {prefix}/etc/wsbalancer/%i.yaml\n" in template
    assert "StateDirectory=wsbalancer/%i\n" in template
    unit = tmp_path / "wsbalancer@edge.service"
    unit.write_text(template)
    result = subprocess.run(["systemd-analyze", "verify", "--man=no", unit],
                            capture_output=True, text=True, timeout=60)
    assert "wsbalancer" not in result.stdout + result.stderr


def test_the_unit_leaves_little_to_an_intruder(prefix):
    unit = prefix / "lib/systemd/system/wsbalancer.service"
    result = subprocess.run(
        ["systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=20", unit],
        capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout.splitlines()[-1:]


def test_two_haproxies_of_one_host_have_an_agent_each(prefix):
    """The unit's own command lines, with the name that stands behind @, beside two HAProxies of the same pods."""
    template = (prefix / "lib/systemd/system/wsbalancer@.service").read_text()
    start = re.search(r"^ExecStart=(.*)$", template, re.M)[1]
    check = re.search(r"^ExecReload=(.*-t .*)$", template, re.M)[1]
    with contextlib.ExitStack() as stack:
        pod = stack.enter_context(Pod(n=2))
        haproxies = {name: stack.enter_context(HAProxy(pod.addresses)) for name in ("edge", "inner")}
        agents = {}
        for name, haproxy in haproxies.items():
            http = f"127.0.0.1:{free_port()}"
            (prefix / f"etc/wsbalancer/{name}.yaml").write_text(json.dumps(
                {"listen": http, "pollInterval": "200ms", "pollTimeout": "150ms",
                 "haproxy": {"socket": haproxy.socket, "replicas": 2}}))
            subprocess.run(check.replace("%i", name).split(), check=True, capture_output=True, timeout=20)
            agents[name] = Program(start.replace("%i", name).split())
            stack.callback(agents[name].kill)
            until(lambda: subprocess.run([prefix / "bin/wsbalancer", "status", http], capture_output=True).returncode
                  == 0, f"the agent of {name} to be ready")
        # What one HAProxy holds is to the other what others hold.
        load = stack.enter_context(Load(haproxies["edge"].url, connections=40))
        load.wait_standing()
        for name, haproxy in haproxies.items():
            until(haproxy.is_steered, f"weights in {name}")
        # The end of one agent is none of the other's business.
        agents["edge"].signal(signal.SIGTERM)
        assert agents["edge"].wait(10) == 0
        assert set(haproxies["edge"].weights().values()) == {100}
        assert haproxies["inner"].is_steered()
        agents["inner"].signal(signal.SIGTERM)
        assert agents["inner"].wait(10) == 0
        load.stop()
