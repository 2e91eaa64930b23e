# SPDX-License-Identifier: MIT
"""Each test that "Who may do what" in DESIGN.md names is there."""
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DESIGN = (ROOT / "agent/doc/DESIGN.md").read_text()
ROWS = [line for line in DESIGN.split("## Who may do what", 1)[1].split("\n## ", 1)[0].splitlines()
        if line.startswith("| ") and not line.startswith("| who ")]


def sources(name):
    return [path.read_text() for path in ROOT.glob(f"tests/**/{name}.*") if path.suffix in (".py", ".c")]


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_the_test_of_a_threat_is_there(row):
    who, _, stops, test = [cell.strip() for cell in row.strip("|").split("|")]
    if not test:
        assert stops.startswith("nothing here"), f"{who}: no test"
        return
    name, claim = re.fullmatch(r"`(test_\w+)`(?:: (.+))?", test).groups()
    texts = sources(name)
    assert texts, f"no such file: {name}"
    if claim:
        # In C a test is named START_TEST(claim), in Python test_claim.
        found = re.compile(rf"\b(?:def test_|START_TEST\(){claim.replace(' ', '_')}[()]")
        assert any(map(found.search, texts)), f"{name} has no test of that name: {claim}"


def test_there_are_threats():
    assert len(ROWS) > 20
