# SPDX-License-Identifier: MIT
"""What each test measured, for the table at the end of a run: seconds until HAProxy's servers were right, and what
clients lost."""

MADE = {}  # a test's name to its figures


class Figures:
    """Of one test."""

    def __init__(self, name):
        self.right_s, self.opened, self.failed, self.dropped = [], 0, 0, 0
        MADE[name] = self

    def right(self, seconds):
        """HAProxy's servers were as they should be, so long after Kubernetes' slices said so."""
        self.right_s.append(seconds)

    def clients(self, report):
        """The report of a wsload that has ended."""
        self.opened += report["opened"]
        self.failed += report["failed"]
        self.dropped += report["dropped"]

    def row(self):
        clients = (f"{self.opened:>9} {self.failed:>8} {self.dropped:>6}" if self.opened
                   else f"{'-':>9} {'-':>8} {'-':>6}")
        return f"{max(self.right_s, default=0):>7.2f} {len(self.right_s):>5} {clients}"


def table():
    """Lines, of the tests that measured something."""
    rows = [f"{figures.row()}  {name}" for name, figures in MADE.items() if figures.right_s or figures.opened]
    return [f"{'worst s':>7} {'of':>5} {'connected':>9} {'in vain':>8} {'lost':>6}  until HAProxy was right, and WebSockets",
            *rows] if rows else []
