# SPDX-License-Identifier: MIT
"""Programs: those that the tests start and watch, those that must succeed, and waiting for what they do.

The programs of build/ are used, or those of build/$VARIANT (as `make test` sets it: san), or what
`variant=` says.
"""
import os
import pathlib
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What is made once and kept, outside the tree. Found once: a test may give its programs another HOME.
CACHE = pathlib.Path(os.environ.get("WSB_CACHE") or
                     (os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) + "/haproxy-wsbalancer")
DEADLINE_S = 20.0


def binary(name, variant=None):
    """The path of a program as this test run built it."""
    variant = variant or os.environ.get("VARIANT", "release")
    path = ROOT / "build" / ("" if variant == "release" else variant) / name
    assert path.exists(), f"{path} is missing: make field VARIANT={variant}"
    return str(path)


def run(*argv, **options):
    """What a command says that must succeed; what it said is in the error when it does not."""
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{argv}: exit {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout


def until(condition, what, deadline_s=DEADLINE_S, pause_s=0.005):
    """Waits until condition() is true and returns what it returned."""
    end = time.monotonic() + deadline_s
    while True:
        result = condition()
        if result:
            return result
        assert time.monotonic() < end, f"waited {deadline_s} s in vain for {what}"
        time.sleep(pause_s)


class Program:
    """A child process whose output is gathered line by line, so that no pipe ever fills up."""

    def __init__(self, argv, env=None):
        self.argv = argv
        self.out, self.err = [], []
        self.reading = threading.Event()  # cleared: nobody reads what the program says
        self.reading.set()
        self.process = subprocess.Popen(
            self.command(argv), stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            text=True, env={**os.environ, **(env or {})})
        self._readers = [
            threading.Thread(target=self._gather, args=pair, daemon=True)
            for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))]
        for reader in self._readers:
            reader.start()

    def command(self, argv):
        """How the program is called; for those who run it elsewhere."""
        return argv

    def _gather(self, pipe, lines):
        with pipe:
            for line in pipe:
                lines.append(line.rstrip("\n"))
                self.reading.wait()

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def cpu_s(self):
        """Seconds of processor that it has used so far, to a hundredth."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    def n_files(self):
        """How many files it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def wait(self, deadline_s=DEADLINE_S):
        """Waits for the end, and for all of the output; the exit status."""
        self.reading.set()
        try:
            status = self.process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.argv} did not end in {deadline_s} s: {self.err}")
        for reader in self._readers:
            reader.join()
        return status

    def kill(self):
        """The last resort. Safe to call at any time."""
        self.reading.set()
        if self.running():
            self.process.kill()
        self.process.wait()
        for reader in self._readers:
            reader.join()

    def wait_line(self, lines, start, deadline_s=DEADLINE_S):
        """Waits for a line that starts so, and returns it."""

        def found():
            line = next((line for line in list(lines) if line.startswith(start)), None)
            assert line or self.running(), f"{self.argv} ended: {self.err}"
            return line

        return until(found, f"'{start}' from {self.argv[0]}", deadline_s)
