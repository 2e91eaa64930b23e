# SPDX-License-Identifier: MIT
"""make demo: it runs, says how it ended, and leaves nothing behind."""
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from balancer import make_dir
from program import ROOT

DEMO = str(ROOT / "tests" / "field" / "demo.py")


def in_session(sid):
    """The processes of a session that still run."""
    left = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == sid and fields[0] != "Z":
            left.append(stat.parent.name)
    return left


@pytest.mark.parametrize("ended_by", ["seconds", "SIGINT", "SIGTERM"])
def test_the_demo_ends_with_the_imbalance_and_leaves_nothing_behind(ended_by):
    folder = make_dir()
    env = {**os.environ, "TMPDIR": str(folder), "VARIANT": "release", "COLUMNS": "100"}
    if ended_by == "seconds":
        env["DEMO_SECONDS"] = "6"
    demo = subprocess.Popen(["/usr/bin/python3", DEMO], stdout=subprocess.PIPE, text=True, env=env,
                            start_new_session=True)
    lines = []
    for line in demo.stdout:
        lines.append(line.rstrip("\n"))
        if ended_by != "seconds" and "imbalance (max" in line:
            demo.send_signal(getattr(signal, ended_by))
    assert demo.wait(30) == 0
    assert re.fullmatch(r"imbalance \d+\.\d %", lines[-1]), lines[-3:]
    if ended_by == "seconds":
        # All clients have come by then, and two leastconn HAProxies that count right spread them.
        assert float(lines[-1].split()[1]) < 20, lines[-1]
    deadline = time.monotonic() + 5
    while in_session(demo.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert in_session(demo.pid) == []
    assert list(folder.iterdir()) == []
    folder.rmdir()
