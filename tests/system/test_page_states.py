# SPDX-License-Identifier: MIT
"""What the page says in each state that somebody must see, in real Chromium. A picture of each is
kept in build/page/."""
import contextlib
import re
import signal

import pytest

from balancer import Agent, HAProxy
from browser import Browser
from field import Load, Pod
from manypods import ManyPods
from program import until
from test_page import connections, fact, names, open_live

REPLICASET = "chat-7f9c6d5b8-"
SUFFIXES = ["k0s9d", "x2x4k", "7hfpq", "9lq2p", "zz81m", "m4v7c", "b6n2t", "q8w3r"]


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


@pytest.fixture(autouse=True)
def as_always(browser):
    browser.resize(1280, 900)
    browser.prefer("light")


def chat(i, n=107):
    return {"agentsConnections": n + i % 3, "podName": REPLICASET + SUFFIXES[i % 8],
            "nodeName": f"node-{i % 3}"}


@contextlib.contextmanager
def scene(n=8, answer=chat, level="admin", options=(), **keys):
    """So many pods with such answers, HAProxy before them, and an agent."""
    with ManyPods(n, answer) as pods, \
            HAProxy(pods.addresses, server="weight 100", level=level) as haproxy, \
            Agent(haproxy, *options, **keys) as agent:
        agent.wait_ready()
        yield pods, haproxy, agent


def verdict(browser):
    return browser.text(".verdict h2") or ""


def state(browser):
    return browser.run("return document.querySelector('.verdict')?.className") or ""


def line(browser, name):
    """The verdict's line of this name."""
    return browser.run(
        "return [...document.querySelectorAll('.verdict:first-child dt')].find((element) =>"
        " element.textContent === arguments[0])?.nextElementSibling.textContent", name)


def needs(browser):
    return dict(zip(browser.texts("#needs .name"),
                    browser.texts("#needs .name + span"))) \
        if browser.text("#needs h2") != "No pod needs you" else {}


def test_balanced(browser):
    with scene() as (_, _, agent):
        open_live(browser, agent)
        browser.until(lambda: verdict(browser) == "Balanced: every pod of ws is near its level",
                      "the verdict")
        assert "balanced" in state(browser)
        assert browser.driver.title == f"{verdict(browser)} \u00b7 wsbalancer"
        assert line(browser, "You") == "nothing"
        assert re.match(r"fullest pod [012] % above its level \(109 of 10[78]\)",
                        line(browser, "Now"))
        assert needs(browser) == {}
        # The end of a name is what tells pods of Kubernetes apart.
        for width in (1280, 760, 390):
            browser.resize(width, 900)
            assert browser.run(
                "return [...document.querySelectorAll('td.c-pod .name')].every((element) =>"
                " element.scrollWidth <= element.clientWidth + 1 &&"
                " getComputedStyle(element).textOverflow !== 'ellipsis')")
            assert browser.run("return document.documentElement.scrollWidth") <= width
        browser.resize(1280, 900)
        browser.picture("light")
        browser.prefer("dark")
        browser.picture("dark")
        browser.prefer("light")
        browser.resize(390, 844)
        browser.picture("narrow", whole=True)


def test_levelling(browser):
    """Real clients: a pod joins, and new connections fill it."""
    with Pod(n=4, env={"POD_NAME": "web"}, variant="release") as pods, \
            HAProxy(pods.addresses) as haproxy, Agent(haproxy) as agent:
        haproxy.cli("set server ws/s4 state maint")
        agent.wait_ready()
        with Load(haproxy.url, connections=240, rate=200, variant="release") as load:
            load.wait_standing()
            haproxy.cli("set server ws/s4 state ready")
            with Load(haproxy.url, connections=160, rate=5, variant="release"):
                open_live(browser, agent)
                browser.until(lambda: verdict(browser).startswith("Levelling: ws is balanced in"),
                              "the verdict")
                browser.until(lambda: "web-3 joined" in (line(browser, "Why") or ""), "the reason")
                assert "missing on 1 pod" in line(browser, "Now")
                assert re.match(r"\d+ of 100 new connections go to web-3, ", line(browser, "How"))
                assert "web-3 joined" in "".join(browser.texts("#events li"))
                assert names(browser)[0] == "web-3"
                browser.until(lambda: "M" in browser.run(
                    "return document.querySelector('#chart .event')?.getAttribute('d') ?? ''"),
                    "the event on the chart")
                browser.picture("levelling")


def test_silent_liar_and_draining(browser):
    with Pod("--lie", "3", env={"POD_NAME": "chat-liar"}, variant="release") as liar, \
            Pod(n=3, env={"POD_NAME": "chat"}, variant="release") as honest, \
            HAProxy([liar.address, *honest.addresses]) as haproxy, \
            Agent(haproxy, cacheTTL="30s") as agent, \
            Load(haproxy.url, connections=200, rate=1000, variant="release") as load:
        load.wait_standing()
        agent.wait_ready()
        haproxy.cli("set server ws/s4 state drain")
        open_live(browser, agent)
        browser.until(lambda: "chat-liar" in needs(browser), "the liar")
        assert re.match(r"not believed: says 3 connections, HAProxy holds \d+: its /metric must count",
                        needs(browser)["chat-liar"])
        assert names(browser)[0] == "chat-liar", "trouble stands first"
        # What is reckoned is marked, is in no comparison, and is not called known.
        first = browser.find("tbody tr")
        assert first.find_element("css selector", ".c-connections").text.startswith("\u2248")
        assert first.find_element("css selector", ".c-deviation").text == ""
        assert "reckoned" in fact(browser, "connections") and "3 known" in fact(browser, "pods")
        assert "drained in HAProxy" in browser.texts(".why")
        browser.picture("liar-draining")


def test_a_silent_pod_says_for_how_long_and_what_stands_for_it(browser):
    with scene(cacheTTL="8s") as (pods, _, agent):
        open_live(browser, agent)
        pods.answers[0] = b"no JSON"
        name = REPLICASET + SUFFIXES[0]
        browser.until(lambda: "its last count stands until 8 s" in needs(browser).get(name, ""),
                      "the stale pod")
        browser.until(lambda: re.match(r"silent for \d+ s \(.*JSON\): is metricPath right",
                                       needs(browser).get(name, "")), "the silent pod")
        # It was heard: nobody says that it never was.
        assert not any("never" in text for text in browser.texts(".why"))
        assert "7 known" in fact(browser, "pods")
        assert line(browser, "You") == "see to the pods that need you"
        browser.picture("silent")


def test_haproxy_gone_and_back(browser):
    with scene() as (_, haproxy, agent):
        open_live(browser, agent)
        browser.until(lambda: "balanced" in state(browser), "balance")
        haproxy.stop()
        browser.until(lambda: re.match(
            r"Not steering ws: HAProxy has not answered for \d+ s", verdict(browser)),
            "the verdict")
        assert "not_steering" in state(browser)
        assert "bad" in browser.run("return document.querySelector('#facts span.bad').className")
        # The age grows, and nothing is called steered or level.
        seconds = int(re.search(r"for (\d+) s", fact(browser, "has not answered"))[1])
        browser.until(lambda: int(re.search(r"for (\d+) s", fact(browser, "has not answered"))[1])
                      >= seconds + 2, "the age to grow")
        assert set(browser.texts(".why")) == {"not steered: HAProxy does not answer"}
        assert fact(browser, "pods") == "8 pods, 8 known", "nobody knows what takes connections"
        assert "take new connections" not in agent.get("/balancer-metrics", accept="text/html")[1].split("<script>")[0]
        assert set(browser.texts("td.c-deviation")) == {""}
        # The last point is as old as it is: the line ends before the right end.
        end = browser.run("const d = document.querySelector('#chart .line').getAttribute('d');"
                          "return Number(d.match(/L([\\d.]+) [^L]*$/)[1])")
        assert end < 995
        browser.picture("haproxy-gone")
        # The log says the same, and what to do.
        until(lambda: re.search(r"warn +verdict backend=ws says=\"Not steering ws: HAProxy has not "
                                r"answered for \d+ s\" why=.* you=\"see that HAProxy runs", "\n".join(agent.err)), "the log")
        haproxy.start_again()
        haproxy.wait_up()
        # A socket of this host is looked at each second.
        until(lambda: agent.json()["haproxy"]["reached"], "HAProxy to be found", 3)
        browser.until(lambda: "not_steering" not in state(browser), "the page to say so")
        until(lambda: re.search(r"info +verdict backend=ws says=\"Balanced: ",
                                "\n".join(agent.err)), "the log")
        assert "HAProxy answered again" in "".join(browser.texts("#events li"))


def test_refused_weights_are_not_shown_as_set(browser):
    uneven = lambda i: chat(i, 100 + 10 * (i == 0))
    with scene(answer=uneven, level="operator") as (_, _, agent):
        open_live(browser, agent)
        browser.until(lambda: verdict(browser) == "Not steering ws: HAProxy refuses the weights",
                      "the verdict")
        assert "ermission denied" in line(browser, "Why")
        assert "level admin" in line(browser, "You")
        assert "refused" in fact(browser, "weights")
        weights = [re.search(r"weight (\d+)", text)[1] for text in browser.texts(".more-of-pod")]
        assert set(weights) == {"100"}
        assert any(text.startswith("weight 100 in HAProxy, which does not take")
                   for text in browser.texts(".why"))
        browser.picture("refused")


def test_agent_gone(browser):
    with scene() as (_, _, agent):
        open_live(browser, agent)
        agent.signal(signal.SIGKILL)
        agent.wait()
        browser.until(lambda: "has not answered since" in browser.text("#gone"), "a notice")
        assert browser.driver.title == "No answer from the agent \u00b7 wsbalancer"
        browser.picture("agent-gone")


def test_dry_run_and_few_known(browser):
    with scene(options=["--dry-run"], cacheTTL="1s") as (pods, _, agent):
        open_live(browser, agent)
        browser.until(lambda: "dry run" in verdict(browser), "the dry run")
        assert fact(browser, "weights") == "weights are planned and none is sent"
    with scene(cacheTTL="1s") as (pods, _, agent):
        open_live(browser, agent)
        for i in range(5):
            pods.answers[i] = b"no JSON"
        browser.until(lambda: "fewer than half of the pods are known" in verdict(browser),
                      "the verdict")
        assert line(browser, "Why") == "3 of 8 pods are known"
        assert browser.text("#needs h2") == "5 pods need you"
        assert len(needs(browser)) == 2 and "and 3 more" in browser.text("#needs .rest")
        browser.picture("few-known")


def test_the_first_rounds_are_no_imbalance(browser):
    """Pods that were not asked yet count as nothing, which is not 700 %."""
    slow = lambda i: chat(i)
    with scene(answer=slow, pollInterval="1s") as (_, _, agent):
        open_live(browser, agent)
        until(lambda: len(agent.json()["history"]) >= 3, "points")
        assert max(point[1] for point in agent.json()["history"]) < 0.1


def test_paper_shows_all_rows_and_no_controls(browser):
    with scene(120, lambda i: {"agentsConnections": 100, "podName": f"chat-{i}"}) as (_, _, agent):
        open_live(browser, agent)
        browser.until(lambda: len(names(browser)) == 100, "the first rows")
        browser.run("dispatchEvent(new Event('beforeprint'))")
        assert len(names(browser)) == 120
        browser.command("Emulation.setEmulatedMedia", media="print")
        assert not browser.find("#controls").is_displayed()
        assert not browser.find("nav").is_displayed()
        browser.picture("print")
        browser.command("Emulation.setEmulatedMedia", media="")


@pytest.mark.parametrize("n", [200, 1000])
def test_many_pods(browser, n):
    """A phone is not 173,000 pixels long, and nothing jumps while the page comes to life."""
    with scene(n, lambda i: {"agentsConnections": 100 + i % 7, "podName": f"chat-{i}",
                             "nodeName": f"node-{i % 20}"},
               variant="release", pollInterval="1s", pollTimeout="900ms") as (pods, _, agent):
        until(lambda: agent.json()["totals"]["pods_known"] == n, "all pods")
        browser.open(f"http://{agent.http}/balancer-metrics?refreshInterval=1")
        browser.run("window.shift = 0; window.moved = []; new PerformanceObserver((list) => list.getEntries().forEach("
                    "(entry) => { window.shift += entry.value; window.moved.push([entry.value, ...entry.sources"
                    ".map((source) => source.node?.id || source.node?.className || '?')]); }))"
                    ".observe({type: 'layout-shift', buffered: true})")
        browser.until(lambda: len(names(browser)) == 100, "the first rows")
        pods.answers[n // 2] = {"agentsConnections": 300, "podName": "far", "nodeName": "x"}
        browser.until(lambda: names(browser)[0] == "far", "the farthest first")
        assert browser.run("return shift") < 0.1, browser.run("return moved")
        browser.picture(f"pods-{n}")
        browser.resize(390, 844)
        assert browser.run("return document.documentElement.scrollHeight") < 12000
        browser.resize(1280, 900)
        browser.find("#all").click()
        assert len(names(browser)) == n
        assert browser.complaints() == []


def test_the_level_can_be_seen_on_its_own_bar(browser):
    from test_page import contrast
    with scene() as (_, _, agent):
        open_live(browser, agent)
        for scheme in ("light", "dark"):
            browser.prefer(scheme)
            level, halo, own = (browser.run(
                "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]",
                *which) for which in ((".bar .level", "stroke"), (".bar .halo", "stroke"),
                                      (".bar .own", "fill")))
            assert contrast(level, halo) >= 3 and contrast(halo, own) >= 3


def test_errors_are_text_and_fingers_can_read_the_chart(browser):
    with scene() as (pods, haproxy, agent):
        haproxy.cli("set server ws/s1 state drain")
        pods.answers[0] = b"no JSON"
        open_live(browser, agent)
        browser.until(lambda: any(text.startswith("last error: ") and "JSON" in text
                                  for text in browser.texts(".error")), "the error as text")
        assert browser.run("return document.querySelectorAll('td[title]').length") == 0
        browser.until(lambda: "L" in (browser.run(
            "return document.querySelector('#chart .line')?.getAttribute('d')") or ""), "a chart")
        browser.command("Emulation.setTouchEmulationEnabled", enabled=True)
        box = browser.run("const b = document.getElementById('chart').getBoundingClientRect();"
                          "return [b.x + b.width * 0.9, b.y + b.height / 2]")
        browser.command("Input.dispatchTouchEvent", type="touchStart",
                        touchPoints=[{"x": box[0], "y": box[1]}])
        browser.command("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        assert re.match(r"\d\d:\d\d:\d\d: [\d.]+ %", browser.text("#readout"))
        browser.command("Emulation.setTouchEmulationEnabled", enabled=False)


def test_connections_of_all_pods_are_told(browser):
    with scene() as (_, _, agent):
        open_live(browser, agent)
        browser.until(lambda: sum(connections(browser)) == sum(107 + i % 3 for i in range(8)),
                      "the counts")


# What Chromium counts as layout shift: below 0.1 is good, https://web.dev/articles/cls.
SHIFT_GOOD = 0.1
COUNT_SHIFTS = """window.shifts = []; new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
        shifts.push([entry.value, entry.sources.map((source) => source.node?.id ?? "")]);
}).observe({type: "layout-shift", buffered: true});"""

TABLE_TOP = "return document.getElementById('pods').getBoundingClientRect().top + scrollY"


@pytest.mark.parametrize("width", [1280, 390])
def test_little_moves_when_the_page_comes_to_life_and_pods_begin_to_need_somebody(browser, width):
    script = browser.command("Page.addScriptToEvaluateOnNewDocument", source=COUNT_SHIFTS)
    try:
        with scene(100, cacheTTL="1s") as (pods, _, agent):
            browser.resize(width, 900)
            open_live(browser, agent)
            shifts = browser.run("return shifts")
            assert sum(value for value, _ in shifts) < SHIFT_GOOD, shifts
            if width < 760:
                return  # a line of a pod that needs somebody is several there
            top = browser.run(TABLE_TOP)
            for i in range(40):
                pods.answers[i] = b"no JSON"
            browser.until(lambda: browser.text("#needs h2") == "40 pods need you", "the pods")
            # In the table they come first: that is a move that was asked for.
            assert browser.run(TABLE_TOP) - top < 0.1 * 900
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", **script)


def test_of_balance_random_nobody_knows_who_is_next(browser):
    with ManyPods(3, chat) as pods, \
            HAProxy(pods.addresses, server="weight 100", balance="random") as haproxy, \
            Agent(haproxy) as agent:
        agent.wait_ready()
        _, body = agent.get("/balancer-metrics", accept="text/html")
        assert body.count('<td class="c-share">by chance</td>') == 3
        open_live(browser, agent)
        assert browser.texts("td.c-share") == ["by chance"] * 3
