# SPDX-License-Identifier: MIT
"""The field benchmark in small: it runs, and what it prints and draws is whole."""
import json
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest

from program import ROOT

sys.path.insert(0, str(ROOT / "tests" / "bench"))

import readme  # noqa: E402
from outlook import said_over_taken  # noqa: E402

pytestmark = pytest.mark.alone


def test_what_the_outlook_said_is_held_against_what_it_took():
    samples = [(0, "balanced", 0.0), (1, "levelling", 2.0), (2, "levelling", None), (3, "levelling", 4.0),
               (5, "balanced", 0.0), (6, "levelling", 9.0), (7, "balanced", 0.0), (8, "levelling", 1.0)]
    # A second out of balance is none, and nobody knows when the last time would have ended.
    assert said_over_taken(samples) == (2.0 / 4 + 4.0 / 2) / 2
    assert said_over_taken(samples[5:]) is None


def test_the_readme_has_the_sentence_that_a_benchmark_puts_there(tmp_path, monkeypatch):
    copy, figure = tmp_path / "README.md", tmp_path / "balance.svg"
    copy.write_text(readme.README.read_text())
    figure.write_text("<svg/>")
    monkeypatch.setattr(readme, "README", copy)
    monkeypatch.setattr(readme, "FIGURE", tmp_path / "kept.svg")
    lines = [{"scenario": scenario, "policy": policy, "mean_imbalance": mean}
             for scenario, _ in readme.TOLD for policy, mean in (("agent", 0.0123), ("leastconn", 0.0456))]
    said = readme.rewrite(lines, figure)
    assert said.startswith("In the mean: rolling restart 1.2 % with the agent, 4.6 without; crash 1.2")
    assert " ".join(copy.read_text().split()).count(said) == 1
    assert "Figure and numbers are of" not in copy.read_text()
    assert (tmp_path / "kept.svg").read_text() == "<svg/>"


def test_what_the_agent_foresees_comes_true(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "tests/bench/balance.py", "--quick", "--only", "scale-out", "--policy", "agent",
         "--out", tmp_path],
        capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout.splitlines()[0])
    assert line["poll_s"] == 0.25, line
    # Of 800 clients chance is a large part; at full size it is right within a quarter.
    assert 0.5 <= line["outlook_ratio"] <= 2, line


def test_the_field_benchmark_prints_a_line_a_run_and_draws_them(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "tests/bench/balance.py", "--quick", "--only", "storm",
         "--policy", "leastconn", "--policy", "agent", "--out", tmp_path],
        capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [line["policy"] for line in lines] == ["leastconn", "agent"]
    for line in lines:
        assert line["opened"] > 1.4 * sum(line["connections"]), line  # half of them came twice
        assert line["failed"] == line["dropped"] == line["wrong"] == line["lost"] == 0, line
        assert 0 < line["mean_imbalance"] < 0.1, line
    assert lines[0]["weight_changes"] == 0 < lines[1]["weight_changes"]

    figure = xml.parse(tmp_path / "storm.svg")
    drawn = figure.findall(".//{http://www.w3.org/2000/svg}polyline")
    samples = json.loads((tmp_path / "samples.json").read_text())["panels"]["storm"]["series"]
    assert sorted(len(line.get("points").split()) for line in drawn) == \
        sorted(len(series) for series in samples.values())
