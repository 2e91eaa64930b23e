#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The page by axe (accessibility, every rule) and lighthouse (accessibility, best practices, speed, layout shift), with
8 and with 1,000 pods, light and dark, wide and narrow, while all is well and while pods and HAProxy fail
(`make test-page`). Both come from npm, by the lock file beside this one, into a cache."""
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/lib"), str(ROOT / "tests/system")]

from balancer import Agent, HAProxy  # noqa: E402
from browser import Browser  # noqa: E402
from manypods import ManyPods  # noqa: E402
from program import CACHE, until  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
OUT = ROOT / "build" / "page"
FILES = ("package.json", "package-lock.json", ".npmrc")
# Of 100. The page asks for itself each second, so that it is never quite idle.
SCORES = {"accessibility": 100, "best-practices": 100, "performance": 90}
SHIFT_MAX = 0.1


def npm():
    """The folder with node_modules, installed if it is not there yet."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()
    place = CACHE / f"page-{digest[:16]}"
    place.mkdir(parents=True, exist_ok=True)
    with open(place / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "complete").exists():
            for name in FILES:
                shutil.copy(HERE / name, place)
            subprocess.run(["npm", "ci", "--no-progress"], cwd=place,
                           check=True)
            (place / "complete").touch()
    return place / "node_modules"


@contextlib.contextmanager
def scene(n):
    def answer(i):
        return {"agentsConnections": 100 + i % 5, "podName": f"chat-7f9c6d5b8-{i:05}",
                "nodeName": f"node-{i % 4}"}

    with ManyPods(n, answer) as pods, HAProxy(pods.addresses, server="weight 100") as haproxy, \
            Agent(haproxy, variant="release", pollInterval="1s", pollTimeout="900ms",
                  cacheTTL="4s") as agent:
        agent.wait_ready()
        until(lambda: agent.json()["totals"]["pods_known"] == n, "all pods")
        yield pods, haproxy, agent


def axe(browser, source, where):
    """What axe finds, one line each."""
    browser.run(source)
    found = browser.driver.execute_async_script(
        "axe.run(document, {resultTypes: ['violations']}).then((r) => arguments[0](r.violations))")
    return [f"axe, {where}: {rule['id']}: {node['target']}: {rule['help']}"
            for rule in found for node in rule["nodes"]]


def axe_everywhere(browser, source, agent, where):
    found = []
    browser.open(f"http://{agent.http}/balancer-metrics?refreshInterval=1")
    browser.until(lambda: browser.text("#live-text").startswith("Live"), "the page to be live")
    for scheme in ("light", "dark"):
        for width in (1280, 390):
            browser.prefer(scheme)
            browser.resize(width, 900)
            found += axe(browser, source, f"{where}, {scheme}, {width} wide")
    return found


def lighthouse(modules, agent, where):
    path = OUT / f"lighthouse-{where.replace(' ', '-')}.json"
    subprocess.run(
        ["node", str(modules / "lighthouse/cli/index.js"), f"http://{agent.http}/balancer-metrics",
         "--quiet", "--preset=desktop", "--output=json", f"--output-path={path}",
         f"--only-categories={','.join(SCORES)}", "--max-wait-for-load=20000",
         "--chrome-flags=--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage"],
        check=True, env={**os.environ, "CHROME_PATH": "/usr/bin/chromium"})
    report = json.loads(path.read_text())
    found = []
    for name, least in SCORES.items():
        score = round(100 * report["categories"][name]["score"])
        print(f"lighthouse, {where}: {name} {score}")
        if score < least:
            worst = [audit["id"] for audit in report["audits"].values()
                     if audit.get("score") is not None and audit["score"] < 0.9]
            found.append(f"lighthouse, {where}: {name} is {score}, not {least}: {worst}")
    shift = report["audits"]["cumulative-layout-shift"]["numericValue"]
    print(f"lighthouse, {where}: layout shift {shift:.3f}")
    if shift >= SHIFT_MAX:
        found.append(f"lighthouse, {where}: layout shift {shift:.3f}")
    return found


def main():
    modules = npm()
    source = (modules / "axe-core/axe.min.js").read_text()
    found = []
    OUT.mkdir(parents=True, exist_ok=True)
    with Browser() as browser:
        with scene(8) as (pods, haproxy, agent):
            found += axe_everywhere(browser, source, agent, "8 pods")
            found += lighthouse(modules, agent, "8 pods")
            pods.answers[0] = b"no JSON"
            until(lambda: agent.json()["totals"]["pods_silent"] == 1, "the silent pod")
            found += axe_everywhere(browser, source, agent, "a silent pod")
            haproxy.stop()
            until(lambda: not agent.json()["haproxy"]["reached"], "HAProxy to be missed")
            found += axe_everywhere(browser, source, agent, "HAProxy gone")
        with scene(1000) as (pods, haproxy, agent):
            found += axe_everywhere(browser, source, agent, "1,000 pods")
            found += lighthouse(modules, agent, "1,000 pods")
    print("\n".join(found) or "axe and lighthouse find nothing")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
