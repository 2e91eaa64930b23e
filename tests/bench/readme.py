# SPDX-License-Identifier: MIT
"""The README's figure and its numbers, from a benchmark that has been played."""
import re
import shutil

from program import ROOT
from tables import median

README = ROOT / "README.md"
FIGURE = ROOT / "tests" / "bench" / "balance.svg"

# (scenario in the lines, its words)
TOLD = (("rolling restart", "rolling restart"), ("crash and return", "crash"), ("storm", "storm"))

# What is to be played for them, and some of the scenarios that are in no figure: in half an hour.
PLAN = (
    (("scale-out", "direct"), ("leastconn", "roundrobin", "agent", "agent-check"), 1),
    (("rolling", "crash", "storm"), ("leastconn", "agent"), 4),
    (("short", "hard-end", "two-backends", "silent", "liar", "old-counts"), ("leastconn", "agent"), 1),
)


def sentence(lines):
    """What the README says of the scenarios beside the figure."""
    def percent(scenario, policy):
        of = [line for line in lines if (line["scenario"], line["policy"]) == (scenario, policy)]
        return f"{100 * median(of, 'mean_imbalance'):.1f}"

    parts = [f"{words} {percent(name, 'agent')} % with the agent, {percent(name, 'leastconn')} without"
             for name, words in TOLD]
    return f"In the mean: {'; '.join(parts)}."


def wrapped(text, width=110):
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return "\n".join(lines)


def rewrite(lines, figure):
    """Puts them in place; the sentence."""
    said = sentence(lines)
    text = README.read_text(encoding="utf-8")
    found = re.search(r"In the mean: .*?without\.(\nFigure and numbers are of [^\n]*)?", text, re.DOTALL)
    assert found, "the README has no sentence that begins with 'In the mean: '"
    README.write_text(text.replace(found.group(), wrapped(said)), encoding="utf-8")
    shutil.copy(figure, FIGURE)
    return said
