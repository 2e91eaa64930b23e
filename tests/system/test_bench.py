# SPDX-License-Identifier: MIT
"""The field benchmark in small: it runs, and what it prints and draws is whole."""
import json
import subprocess
import sys
import xml.etree.ElementTree as xml

import pytest

from program import ROOT

pytestmark = pytest.mark.alone


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
