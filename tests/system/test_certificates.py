# SPDX-License-Identifier: MIT
"""HAProxy's certificates: until when they are valid, and renewed files that HAProxy gets without a reload."""
import os
import re
import socket
import ssl
import time

import pytest

from balancer import Agent, HAProxy, make_dir
from certificate import make_certificate
from field import Pod
from ports import free_port
from program import run, until

LOOK_S = 45  # a look is ten seconds after the last


class Secret:
    """A folder that a kubelet would mount: its files are links through ..data, which is swapped in one step."""

    def __init__(self, folder, name="ws.example.com", cert="tls.crt", key="tls.crt.key"):
        self.folder, self.name, self.cert, self.key = folder, name, cert, key
        self.n = 0
        folder.mkdir(parents=True)
        self.renew()
        for file in {cert, key}:
            (folder / file).symlink_to(f"..data/{file}")

    def make(self):
        """A pair, as texts."""
        make_certificate(f"{self.folder}/made.crt", f"{self.folder}/made.key", self.name, f"DNS:{self.name}")
        pair = [(self.folder / f"made.{end}") for end in ("crt", "key")]
        texts = [file.read_text() for file in pair]
        for file in pair:
            file.unlink()
        return texts

    def renew(self, cert=None, key=None):
        """A new pair, or the given texts in place of its halves; the certificate's fingerprint."""
        made = self.make()
        cert, key = cert or made[0], key or made[1]
        self.n += 1
        data = self.folder / f"..{self.n}"
        data.mkdir()
        if self.cert == self.key:
            (data / self.cert).write_text(cert + key)
        else:
            (data / self.cert).write_text(cert)
            (data / self.key).write_text(key)
        link = self.folder / "..new"
        link.symlink_to(data.name)
        os.rename(link, self.folder / "..data")
        return self.print()

    def print(self):
        return run("openssl", "x509", "-in", self.folder / "..data" / self.cert, "-noout", "-serial").split("=")[1].strip()


def served(port, name="ws.example.com"):
    """The serial number of the certificate that a new client is shown."""
    context = ssl._create_unverified_context()  # pylint: disable=protected-access
    with socket.create_connection(("127.0.0.1", port), 5) as plain, \
            context.wrap_socket(plain, server_hostname=name) as tls:
        pem = ssl.DER_cert_to_PEM_cert(tls.getpeercert(binary_form=True))
    return run("openssl", "x509", "-noout", "-serial", input=pem).split("=")[1].strip()


class WebSocket:
    """One that stands, over TLS."""

    def __init__(self, port):
        context = ssl._create_unverified_context()  # pylint: disable=protected-access
        self.tls = context.wrap_socket(socket.create_connection(("127.0.0.1", port), 5),
                                       server_hostname="ws.example.com")
        self.tls.sendall(b"GET / HTTP/1.1\r\nHost: ws.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                         b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: d3NiYWxhbmNlci10ZXN0MQ==\r\n\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.tls.recv(1)
        assert head.startswith(b"HTTP/1.1 101 "), head

    def lives(self):
        """A ping is answered, whatever comes between."""
        self.tls.sendall(b"\x89\x80\x00\x00\x00\x00")
        return b"\x8a\x00" in self.tls.recv(4096)


@pytest.fixture(name="folder")
def fixture_folder():
    return make_dir()


class Site:
    """A pod behind a HAProxy that takes TLS with what crt says."""

    def __init__(self, crt, bufsize=None):
        self.port = free_port()
        self.pod = Pod()
        self.haproxy = HAProxy(self.pod.addresses, bufsize=bufsize, more=f"""
frontend tls
	bind 127.0.0.1:{self.port} ssl {crt}
	default_backend ws
""")
        self.haproxy.wait_up()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.haproxy.__exit__(*error)
        self.pod.__exit__(*error)

    def agent(self, *options, **keys):
        return Agent(self.haproxy, *options, config={"reloadCertificates": True, **keys})

    def commit(self, file, cert, key):
        """As somebody does by hand."""
        # 2.6 takes the extension away.
        name = f"{file}.crt" if self.haproxy.info()["Version"].startswith("2.") else file
        assert "created" in self.haproxy.cli(f"set ssl cert {name} <<\n{cert}{key}")
        assert "Success!" in self.haproxy.cli(f"commit ssl cert {file}")

    def wait_served(self, wanted, name="ws.example.com"):
        until(lambda: served(self.port, name) == wanted, "the renewed certificate", LOOK_S, 0.2)


def series(agent, name):
    """Samples of a family of HAProxy's certificates, by the file's name."""
    return {key.split('"')[1].rpartition("/")[2]: value for key, value in agent.series().items()
            if key.startswith(f"wsbalancer_haproxy_certificate_{name}{{")}


@pytest.mark.parametrize("files", [("tls.crt", "tls.crt.key"), ("site.pem", "site.pem")], ids=["two files", "one file"])
def test_a_renewed_certificate_is_served_and_no_websocket_ends(folder, files):
    secret = Secret(folder / "tls", cert=files[0], key=files[1])
    with Site(f"crt {folder}/tls/{files[0]}") as site, site.agent() as agent:
        agent.wait_ready()
        websocket = WebSocket(site.port)
        before = secret.print()
        assert served(site.port) == before
        until(lambda: series(agent, "end_timestamp_seconds"), "the certificate in the series", LOOK_S)
        wanted = secret.renew()
        assert wanted != before
        site.wait_served(wanted)
        agent.wait_log("HAProxy has got a renewed certificate")
        assert websocket.lives()
        assert int(site.haproxy.info()["Uptime_sec"]) >= 0 and site.haproxy.running()
        until(lambda: agent.series()["wsbalancer_haproxy_certificates_reloaded_total"] == 1, "the count")
        told, = until(lambda: [told for told in agent.json()["certificates"] if told["given_at"]], "the time")
        assert 0 <= agent.json()["written_at"] - told["given_at"] < LOOK_S and not told["bad"]
        words = r" is valid for 4\d h \d+ min, renewed \d+ s ago"
        assert re.fullmatch(f"certificate {re.escape(told['file'])}{words}", told["text"]), told
        # People are told the same: by status, and on the page.
        fact, = [fact for fact in agent.json()["facts"] if fact["before"] == "certificate "]
        assert fact["look"] == "" and re.fullmatch(f"certificate {re.escape(told['file'])}{words}", fact["text"]), fact
        page = agent.get("/balancer-metrics", accept="text/html")[1]
        assert f"<span>certificate <b>{told['file']}</b> is valid for" in page
        assert "PRIVATE KEY" not in "\n".join(agent.err)


def test_without_the_setting_no_file_is_read_but_the_end_is_told(folder):
    secret = Secret(folder / "tls")
    with Site(f"crt {folder}/tls/tls.crt") as site, site.agent(reloadCertificates=False) as agent:
        agent.wait_ready()
        before = secret.print()
        ends = until(lambda: series(agent, "end_timestamp_seconds"), "the certificate in the series", LOOK_S)
        assert abs(ends["tls.crt"] - time.time() - 2 * 86400) < 600
        assert abs(series(agent, "begin_timestamp_seconds")["tls.crt"] - time.time()) < 600
        told, = agent.json()["certificates"]
        assert told["file"] == f"{folder}/tls/tls.crt" and told["error"] is None
        assert told["ends_at"] - told["begins_at"] == 2 * 86400
        secret.renew()
        # A certificate that somebody gives HAProxy by hand shows that the agent has looked since.
        begun = series(agent, "begin_timestamp_seconds")["tls.crt"]
        until(lambda: time.time() > begun + 2, "another second")
        site.commit(f"{folder}/tls/tls.crt", *secret.make())
        by_hand = served(site.port)
        assert by_hand not in (before, secret.print())
        until(lambda: series(agent, "begin_timestamp_seconds")["tls.crt"] > begun, "another look", LOOK_S)
        assert served(site.port) == by_hand


def test_a_pair_that_does_not_fit_is_never_committed_and_tried_again(folder):
    secret = Secret(folder / "tls")
    before = secret.print()
    with Site(f"crt {folder}/tls/tls.crt") as site, site.agent() as agent:
        agent.wait_ready()
        cert, key = secret.make()
        secret.renew(cert=cert)
        line = agent.wait_log("HAProxy has not got a certificate from its file")
        assert "do not belong together" in line and "tls.crt" in line
        until(lambda: series(agent, "failed") == {"tls.crt": 1}, "the series", LOOK_S)
        fact, = [fact for fact in agent.json()["facts"] if fact["before"] == "certificate "]
        assert fact["look"] == "bad" and "do not belong together" in fact["text"], fact
        assert served(site.port) == before
        assert "# transaction" not in site.haproxy.cli("show ssl cert")
        secret.renew(cert=cert, key=key)
        site.wait_served(secret.print())
        until(lambda: series(agent, "failed") == {"tls.crt": 0}, "the series", LOOK_S)


def test_a_chain_over_haproxys_buffer_is_said_and_a_shorter_one_taken(folder):
    secret = Secret(folder / "tls")
    with Site(f"crt {folder}/tls/tls.crt", bufsize=16384) as site, site.agent() as agent:
        agent.wait_ready()
        before = secret.print()
        cert, key = secret.make()
        secret.renew(cert=cert * 40, key=key)
        line = agent.wait_log("HAProxy has not got a certificate from its file")
        assert "raise tune.bufsize" in line, line
        assert served(site.port) == before
        secret.renew(cert=cert, key=key)
        site.wait_served(secret.print())


def test_all_of_a_list_and_of_a_folder(folder):
    listed = [Secret(folder / f"secret-{n}", f"{n}.example.com") for n in range(2)]
    (folder / "list.txt").write_text("".join(f"{secret.folder}/tls.crt\n" for secret in listed))
    every = Secret(folder / "all", "all.example.com", cert="all.pem", key="all.pem")
    with Site(f"crt-list {folder}/list.txt crt {folder}/all") as site, site.agent() as agent:
        agent.wait_ready()
        for secret in [*listed, every]:
            assert served(site.port, secret.name) == secret.print()
        for secret in [*listed, every]:
            secret.renew()
        for secret in [*listed, every]:
            site.wait_served(secret.print(), secret.name)
        until(lambda: agent.series()["wsbalancer_haproxy_certificates_reloaded_total"] == 3, "the count", LOOK_S)
        # The new process reads the files itself.
        site.haproxy.reload()
        for secret in [*listed, every]:
            assert served(site.port, secret.name) == secret.print()
        every.renew()
        site.wait_served(every.print(), every.name)
        assert agent.series()["wsbalancer_haproxy_certificates_reloaded_total"] == 4


def test_what_was_renewed_while_the_agent_was_away_is_given_at_its_start(folder):
    secret = Secret(folder / "tls")
    with Site(f"crt {folder}/tls/tls.crt") as site:
        wanted = secret.renew()
        assert served(site.port) != wanted
        with site.agent("--dry-run") as agent:
            agent.wait_ready()
            until(lambda: series(agent, "end_timestamp_seconds"), "a look", LOOK_S)
            assert served(site.port) != wanted
        with site.agent():
            site.wait_served(wanted)


def test_somebody_elses_transaction_is_left_alone(folder):
    ours, other = Secret(folder / "ours"), Secret(folder / "other", "other.example.com", cert="o.pem", key="o.pem")
    with Site(f"crt {folder}/ours/tls.crt crt {folder}/other/o.pem") as site:
        begun, before = other.make(), ours.print()
        assert "created" in site.haproxy.cli(f"set ssl cert {folder}/other/o.pem <<\n{begun[0]}{begun[1]}")
        wanted = ours.renew()
        with site.agent() as agent:
            agent.wait_ready()
            assert "somebody else" in agent.wait_log("HAProxy has not got a certificate from its file")
            assert served(site.port) == before
            assert f"*{folder}/other/o.pem" in site.haproxy.cli("show ssl cert")
            assert "Success!" in site.haproxy.cli(f"commit ssl cert {folder}/other/o.pem")
            site.wait_served(wanted)


def test_a_chain_alone_that_is_renewed_is_given_too(folder):
    """HAProxy shows the certificate's fingerprint, and the chain's not."""
    secret = Secret(folder / "tls")
    cert, key = secret.make()
    secret.renew(cert=cert, key=key)
    with Site(f"crt {folder}/tls/tls.crt") as site, site.agent() as agent:
        agent.wait_ready()
        until(lambda: series(agent, "failed"), "a look", LOOK_S)
        secret.renew(cert=cert + secret.make()[0], key=key)
        until(lambda: agent.series()["wsbalancer_haproxy_certificates_reloaded_total"] == 1, "the chain", LOOK_S, 0.1)
        shown = run("openssl", "s_client", "-connect", f"127.0.0.1:{site.port}", "-showcerts", input="")
        assert shown.count("BEGIN CERTIFICATE") == 2
