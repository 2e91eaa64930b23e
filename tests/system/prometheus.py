# SPDX-License-Identifier: MIT
"""A real Prometheus, for tests of what is asked of it.

    with Prometheus({"web": ["127.0.0.1:9180"]}, rules=path) as prometheus:
        prometheus.query("up")  # [({"scenario": "web", ...}, 1.0)]
"""
import json
import shutil
import urllib.parse
import urllib.request

import yaml

from balancer import make_dir
from ports import free_port
from program import Program, until


class Prometheus(Program):
    """targets: addresses to scrape, by the value of their label scenario. Scrapes and evaluates
    five times a second."""

    def __init__(self, targets, rules=None):
        self.dir = make_dir()
        self.address = f"127.0.0.1:{free_port()}"
        config = {
            "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms",
                       "evaluation_interval": "200ms"},
            "rule_files": [str(rules)] if rules else [],
            "scrape_configs": [{"job_name": "wsbalancer", "honor_labels": True, "static_configs": [
                {"targets": addresses, "labels": {"scenario": name}}
                for name, addresses in targets.items()]}],
        }
        (self.dir / "prometheus.yml").write_text(yaml.safe_dump(config))
        super().__init__([
            "prometheus", f"--config.file={self.dir}/prometheus.yml",
            f"--storage.tsdb.path={self.dir}/data", f"--web.listen-address={self.address}",
            "--log.level=error"])
        try:
            until(self._is_ready, "Prometheus to be ready")
        except AssertionError:
            self.kill()
            raise

    def _is_ready(self):
        assert self.running(), f"Prometheus ended: {self.err}"
        try:
            return urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=5).status == 200
        except OSError:
            return False

    def query(self, expression):
        """What the expression gives now: labels and value of each series."""
        url = f"http://{self.address}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                data = json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{expression}: {error.read().decode()}") from None
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(series["metric"], float(series["value"][1])) for series in data["result"]]

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)
