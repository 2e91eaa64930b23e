# SPDX-License-Identifier: MIT
"""A real Kubernetes control plane: etcd, kube-apiserver and kube-controller-manager, without nodes.

The tests run in a network namespace of their own, in which every address of 10.77.0.0/16 is local: pods live
there, for the API refuses loopback addresses. The control plane runs in a second namespace behind a pair of
virtual interfaces, so that the path to it can be cut. Nothing leaves the two.
"""
import base64
import contextlib
import http.client
import json
import os
import pathlib
import signal
import ssl
import subprocess
import time

from certificate import make_certificate
from program import run, until

HERE = pathlib.Path(__file__).resolve().parent
NEAR, FAR = "10.78.0.1", "10.78.0.2"
ISSUER = "https://kubernetes.default.svc"
PODS = "10.77.0.1/16"


class ApiError(Exception):
    def __init__(self, code, body):
        super().__init__(f"{code}: {body[:300]}")
        self.code = code


class Pki:
    """Keys and certificates, made with openssl."""

    def __init__(self, folder):
        self.folder = folder
        make_certificate(folder / "ca.crt", folder / "ca.key", "test-authority")
        self.issue("server", "/CN=kube-apiserver", f"subjectAltName=IP:{FAR},IP:127.0.0.1\n"
                   "extendedKeyUsage=serverAuth")
        self.issue("admin", "/O=system:masters/CN=admin", "extendedKeyUsage=clientAuth")
        run("openssl", "genrsa", "-out", folder / "accounts.key", "2048")
        run("openssl", "rsa", "-in", folder / "accounts.key", "-pubout", "-out", folder / "accounts.pub")

    def issue(self, name, subject, extensions):
        folder = self.folder
        (folder / f"{name}.ext").write_text(extensions)
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", subject,
            "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr")
        run("openssl", "x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "ca.crt", "-CAkey",
            folder / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", folder / f"{name}.ext", "-out",
            folder / f"{name}.crt")


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class Cluster:
    """The control plane. Use as a context manager."""

    def __init__(self, folder):
        self.folder = folder
        self.binaries = pathlib.Path(run(HERE / "build-binaries", "--where").strip())
        self.pki = Pki(folder)
        self.context = ssl.create_default_context(cafile=folder / "ca.crt")
        self.context.load_cert_chain(folder / "admin.crt", folder / "admin.key")
        self.connection = None
        self.processes = {}
        self.far = None

    def __enter__(self):
        try:
            self.make_networks()
            self.start("etcd")
            self.start("kube-apiserver")
            self.wait_ready()
            self.write_kubeconfig()
            self.start("kube-controller-manager")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in list(self.processes):
            self.kill(name)
        if self.far:
            self.far.kill()
            self.far.wait()

    def make_networks(self):
        run("ip", "link", "set", "lo", "up")
        run("ip", "address", "add", PODS, "dev", "lo")
        self.far = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        until(lambda: os.readlink(f"/proc/{self.far.pid}/ns/net") != os.readlink("/proc/self/ns/net"), "a namespace")
        run("ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", self.far.pid)
        run("ip", "address", "add", f"{NEAR}/24", "dev", "near")
        run("ip", "link", "set", "near", "up")
        for words in (["link", "set", "lo", "up"], ["address", "add", f"{FAR}/24", "dev", "far"],
                      ["link", "set", "far", "up"], ["route", "add", "default", "via", NEAR]):
            run(*self.inside("ip", *words))

    def inside(self, *argv):
        return ["nsenter", "--target", str(self.far.pid), "--net", *map(str, argv)]

    def cut_path(self):
        """From now on nothing passes and nobody is told."""
        run(*self.inside("ip", "link", "set", "far", "down"))

    def mend_path(self):
        run(*self.inside("ip", "link", "set", "far", "up"))
        # The route went with the link.
        run(*self.inside("ip", "route", "replace", "default", "via", NEAR))

    def argv(self, name):
        at = self.folder
        if name == "etcd":
            return ["--data-dir", at / "etcd", "--listen-client-urls", "http://127.0.0.1:2379",
                    "--advertise-client-urls", "http://127.0.0.1:2379", "--listen-peer-urls", "http://127.0.0.1:2380",
                    "--unsafe-no-fsync", "--log-level", "error"]
        if name == "kube-apiserver":
            return ["--etcd-servers", "http://127.0.0.1:2379", "--bind-address", "0.0.0.0", "--advertise-address", FAR,
                    "--secure-port", "6443", "--tls-cert-file", at / "server.crt", "--tls-private-key-file",
                    at / "server.key", "--client-ca-file", at / "ca.crt", "--service-account-key-file",
                    at / "accounts.pub", "--service-account-signing-key-file", at / "accounts.key",
                    "--service-account-issuer", ISSUER, "--service-cluster-ip-range", "10.79.0.0/16",
                    "--authorization-mode", "RBAC", "--cert-dir", at / "apiserver"]
        return ["--kubeconfig", at / "kubeconfig", "--service-account-private-key-file", at / "accounts.key",
                "--root-ca-file", at / "ca.crt", "--leader-elect=false", "--secure-port=0", "--controllers",
                "endpointslice-controller,deployment-controller,replicaset-controller,serviceaccount-controller,"
                "root-ca-certificate-publisher-controller,namespace-controller,garbage-collector-controller"]

    def start(self, name):
        log = open(self.folder / f"{name}.log", "ab")
        argv = [self.binaries / name, *self.argv(name)]
        self.processes[name] = subprocess.Popen(self.inside(*argv), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        log.close()

    def kill(self, name, number=signal.SIGKILL):
        process = self.processes.pop(name)
        process.send_signal(number)
        process.wait()

    def restart_api(self, number=signal.SIGKILL):
        """Ends the API server, if it runs, and starts it again."""
        if "kube-apiserver" in self.processes:
            self.kill("kube-apiserver", number)
        self.start("kube-apiserver")
        self.wait_ready()
        # The controllers would come back by themselves, but with delays of their own.
        self.kill("kube-controller-manager")
        self.start("kube-controller-manager")

    def signal(self, name, number):
        self.processes[name].send_signal(number)

    def wait_ready(self):
        def ready():
            process = self.processes["kube-apiserver"]
            assert process.poll() is None, (self.folder / "kube-apiserver.log").read_text()[-3000:]
            try:
                return self.request("GET", "/readyz", raw=True) == "ok"
            except (OSError, ApiError, http.client.HTTPException):
                return False

        until(ready, "the API server", 60, 0.1)

    def write_kubeconfig(self):
        config = {"apiVersion": "v1", "kind": "Config", "current-context": "admin", "clusters": [{
            "name": "test", "cluster": {"server": f"https://{FAR}:6443",
                                        "certificate-authority": str(self.folder / "ca.crt")}}],
            "users": [{"name": "admin", "user": {"client-certificate": str(self.folder / "admin.crt"),
                                                 "client-key": str(self.folder / "admin.key")}}],
            "contexts": [{"name": "admin", "context": {"cluster": "test", "user": "admin"}}]}
        (self.folder / "kubeconfig").write_text(json.dumps(config))

    def request(self, method, path, body=None, kind="application/json", raw=False, context=None, headers=()):
        """One request; the answer as a dict. The connection is kept."""
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPSConnection(FAR, 6443, context=context or self.context, timeout=10)
            try:
                self.connection.request(method, path, json.dumps(body) if body is not None else None,
                                        {"Content-Type": kind, **dict(headers)})
                answer = self.connection.getresponse()
                text = answer.read().decode()
                break
            except (OSError, http.client.HTTPException):
                self.connection.close()
                self.connection = None
                if attempt == 2:
                    raise
        if answer.status >= 400:
            raise ApiError(answer.status, text)
        return text if raw else json.loads(text)

    def status(self, path, token):
        """What a GET with a token, and nothing else, gets."""
        context = ssl.create_default_context(cafile=self.folder / "ca.crt")
        link = http.client.HTTPSConnection(FAR, 6443, context=context, timeout=10)
        with contextlib.closing(link):
            link.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            return link.getresponse().status

    def apply(self, path, body):
        """Creates an object, which may be there already."""
        try:
            return self.request("POST", path, body)
        except ApiError as error:
            if error.code != 409:
                raise
            return None

    def token(self, namespace, account, seconds=None):
        """A service account's token: from the API, or signed here when it must be short."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}"
        if seconds is None:
            body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
            return self.request("POST", f"{path}/token", body)["status"]["token"]
        uid = self.request("GET", path)["metadata"]["uid"]
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": [ISSUER], "sub": f"system:serviceaccount:{namespace}:{account}",
                  "iat": now - 600, "nbf": now - 600, "exp": now + seconds,
                  "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": account, "uid": uid}}}
        head = {"alg": "RS256", "typ": "JWT"}
        signed = base64url(json.dumps(head).encode()) + b"." + base64url(json.dumps(claims).encode())
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.folder / "accounts.key"],
                                   input=signed, capture_output=True, check=True).stdout
        return (signed + b"." + base64url(signature)).decode()
