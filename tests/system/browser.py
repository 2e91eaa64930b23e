# SPDX-License-Identifier: MIT
"""Real Chromium, without a window, for tests of the page.

    with Browser() as browser:
        browser.open(f"http://{agent.http}/balancer-metrics")
        browser.until(lambda: browser.texts("td.c-pod") == ["web-0"], "the pod")
"""
import json
import pathlib
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys

from program import ROOT, until

PICTURES = ROOT / "build" / "page"
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-default-apps", "--no-first-run", "--hide-scrollbars", "--lang=en-GB")


class Browser:
    def __init__(self, javascript=True, width=1280, height=900):
        self._profile = tempfile.TemporaryDirectory(prefix="wsb-chromium-")
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for flag in FLAGS:
            options.add_argument(flag)
        options.add_argument(f"--user-data-dir={self._profile.name}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        if not javascript:
            options.add_experimental_option(
                "prefs", {"profile.managed_default_content_settings.javascript": 2})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.resize(width, height)

    def open(self, url):
        """A new document; what was logged before is forgotten."""
        self.driver.get(url)
        self.driver.get_log("browser")

    def run(self, script, *arguments):
        """Runs JavaScript: the value of its return."""
        return self.driver.execute_script(script, *arguments)

    def command(self, name, **parameters):
        """A command of Chromium's own protocol."""
        return self.driver.execute_cdp_cmd(name, parameters)

    def cpu_s(self):
        """Seconds of processor that the page's main thread has used: however busy the machine is, the same
        work takes about the same."""
        self.command("Performance.enable", timeDomain="threadTicks")
        metrics = self.command("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    def resize(self, width, height):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height,
                     deviceScaleFactor=1, mobile=False)

    def prefer(self, scheme):
        """ "light" or "dark"."""
        self.command("Emulation.setEmulatedMedia",
                     features=[{"name": "prefers-color-scheme", "value": scheme}])

    def find(self, selector):
        return self.driver.find_element("css selector", selector)

    def texts(self, selector):
        """What all matching elements say, in one go: a list of 1,000 must not take a second."""
        return self.run("return [...document.querySelectorAll(arguments[0])]"
                        ".map((element) => element.textContent)", selector)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.textContent", selector)

    def type(self, selector, text):
        """Replaces what stands in an input, by keys."""
        self.find(selector).send_keys(Keys.CONTROL, "a")
        self.find(selector).send_keys(text or Keys.DELETE)

    def press(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def until(self, condition, what):
        return until(condition, what)

    def complaints(self):
        """What the console has said since the document was opened or this was asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requested(self):
        """The addresses of all requests since the start or since this was asked."""
        events = [json.loads(entry["message"])["message"]
                  for entry in self.driver.get_log("performance")]
        return [event["params"]["request"]["url"] for event in events
                if event["method"] == "Network.requestWillBeSent"]

    def picture(self, name, whole=False):
        """Keeps a screenshot in build/page/, of the whole page or of what is in view."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        path = pathlib.Path(PICTURES / f"{name}.png")
        if whole:
            width, height = self.run(
                "return [innerWidth, Math.min(4000, document.documentElement.scrollHeight)]")
            self.resize(width, height)
        assert self.driver.save_screenshot(str(path))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.driver.quit()
        self._profile.cleanup()
