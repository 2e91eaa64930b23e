#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes the table of values in the chart's README from the comments in values.yaml.

readme.py            writes k8s/chart/README.md anew
readme.py --check    only says whether it is current, by its exit code

A value is documented by the comment that begins with `# --` right above its key; further comment lines
continue it. `# @section NAME` begins a table of its own. A map with such a comment is one value; a map
without is gone into. A key that ends up with no comment is an error.
"""
import json
import pathlib
import re
import sys

import yaml

CHART = pathlib.Path(__file__).resolve().parent / "chart"
BEGIN, END = "<!-- values: begin -->", "<!-- values: end -->"
KEY = re.compile(r"^( *)([A-Za-z][A-Za-z0-9_.-]*):(?: |$)")


class DocsError(Exception):
    """A value without a comment, or a comment without a value."""


def lookup(values, path):
    for key in path:
        values = values[key]
    return values


def entries(text):
    """Yields (section, path, description) for each value in the order of the file."""
    values = yaml.safe_load(text)
    section, comment, parents, documented = "Values", [], [], None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("# @section "):
            section = stripped[len("# @section "):]
            continue
        if stripped.startswith("# -- "):
            comment = [stripped[len("# -- "):]]
            continue
        if stripped.startswith("#"):
            if comment:
                comment.append(stripped[1:].strip())
            continue
        match = KEY.match(line)
        if not match:
            continue
        depth = len(match.group(1)) // 2
        if documented is not None and depth > documented:
            continue  # inside a map that is described as one
        parents = parents[:depth] + [match.group(2)]
        documented = None
        if comment:
            documented = depth
            yield section, tuple(parents), " ".join(comment)
            comment = []
        elif not isinstance(lookup(values, parents), dict):
            raise DocsError(f"values.yaml:{number}: {'.'.join(parents)} has no comment")


def cell(text):
    return text.replace("|", "\\|")


def table(text):
    values = yaml.safe_load(text)
    lines, last = [], None
    for section, path, description in entries(text):
        if section != last:
            lines += ["", f"### {section}", "", "| value | default | what it does |", "|---|---|---|"]
            last = section
        default = json.dumps(lookup(values, path), ensure_ascii=False)
        lines.append(f"| `{'.'.join(path)}` | {cell(f'`{default}`')} | {cell(description)} |")
    return "\n".join(lines[1:])


def render(readme, values):
    before, rest = readme.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n\n{table(values)}\n\n{END}{after}"


def main():
    readme = CHART / "README.md"
    now = readme.read_text(encoding="utf-8")
    wanted = render(now, (CHART / "values.yaml").read_text(encoding="utf-8"))
    if "--check" in sys.argv[1:]:
        if now != wanted:
            sys.exit("k8s/chart/README.md is not current: run `make chart-update`")
        return
    readme.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
