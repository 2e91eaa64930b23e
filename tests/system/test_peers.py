# SPDX-License-Identifier: MIT
"""`peers`: links from each instance's page to the others'."""
import json
import signal

from balancer import Agent, HAProxy
from browser import Browser
from field import Pod
from program import until


def links(browser):
    return dict(zip(browser.texts("nav a.peer"),
                    browser.run("return [...document.querySelectorAll('nav a.peer')].map((a) => a.href)")))


def test_each_page_leads_to_those_of_the_other_instances():
    with Pod(n=2) as pods, HAProxy(pods.addresses) as haproxy, HAProxy(pods.addresses) as second, \
            Agent(second) as other, Browser() as browser:
        other.wait_ready()
        page = f"http://{other.http}/balancer-metrics"
        with Agent(haproxy, peers=[page], config={"replicas": 2}) as agent:
            agent.wait_ready()
            assert agent.json()["agent"]["peers"] == [page]
            assert other.json()["agent"]["peers"] == []
            browser.open(f"http://{agent.http}/balancer-metrics")
            assert links(browser) == {other.http: page}
            browser.find("nav a.peer").click()
            browser.until(lambda: browser.driver.current_url.startswith(page), "the other's page")
            browser.until(lambda: (browser.text("#live-text") or "").startswith("Live"), "it to be live")
            assert links(browser) == {}
            # SIGHUP takes others.
            agent.file.write_text(json.dumps(agent.config | {
                "peers": ["https://b.example.com/w?x=<b>&y='1'", page]}))
            agent.signal(signal.SIGHUP)
            until(lambda: len(agent.json()["agent"]["peers"]) == 2, "the new peers")
            browser.open(f"http://{agent.http}/balancer-metrics")
            assert list(links(browser)) == ["b.example.com", other.http]
            assert browser.complaints() == []
