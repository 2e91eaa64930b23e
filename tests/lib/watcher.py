# SPDX-License-Identifier: MIT
"""Looks again and again whether servers that must take clients all the time do.

    with Watcher(lab.states, ["127.0.1.1"]):
        ...
"""
import threading


class Watcher:
    """states() gives each server's address and state; the wanted ones are to be "ready" at each look, and each
    look is to succeed."""

    def __init__(self, states, wanted):
        self.states, self.wanted = states, set(wanted)
        self.looks, self.wrong = 0, []
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self):
        while True:
            try:
                ready = {address for address, state in self.states().items() if state == "ready"}
                if not self.wanted <= ready:
                    self.wrong.append(self.wanted - ready)
            except Exception as error:  # it would end the thread, and with it the test's question
                self.wrong.append(error)
            self.looks += 1
            if self.done.wait(0.02):
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.done.set()
        self.thread.join()
        if kind is None:
            assert self.looks > 1 and self.wrong == []
