#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Whether each #include below agent/ goes where the structure in agent/doc/DESIGN.md lets it go.

    tests/lint/includes.py [TOP]

Says each breach in a line and ends with 1 if there is one. includes.exceptions names those that stand for now,
as "file included"; one that is no longer needed is a breach too, so the list can only get shorter.
"""
import collections
import pathlib
import re
import sys

# What a folder's files may include beside their own folder's: a folder, or a single header. The core first, in
# the data's order; nothing in it includes the shell.
BASE = ["core/base"]
IN = [*BASE, "core/config", "core/haproxy", "core/kube", "core/metric"]
KNOWN = [*IN, "core/plan", "core/cluster"]
LOOKED_AT = [*KNOWN, "core/steer", "core"]
CORE = [*LOOKED_AT, "core/report", "core/record"]
SHELL = [*CORE, "io", "haproxy/runtime.h", "build.h"]  # build.h is made by the Makefile
MAY_INCLUDE = {
    "core/base": [],
    "core/config": [*BASE, "core/metric"],  # what metricKey may say is the format's affair
    "core/haproxy": BASE,
    "core/metric": BASE,
    "core/plan": BASE,
    "core/kube": [*BASE, "core/haproxy"],
    "core/cluster": [*IN, "core/plan"],
    "core/steer": [*BASE, "core/config", "core/haproxy", "core/plan", "core/cluster"],
    "core": [*KNOWN, "core/steer"],  # settings and stats
    "core/report": LOOKED_AT,
    "core/record": LOOKED_AT,
    "io": [*BASE, "core/config"],  # knows no subject; configuration is what it opens, and who says how to log
    "haproxy": SHELL,
    "pods": SHELL,
    "kube": SHELL,
    "http": [*SHELL, "haproxy/drain.h"],  # /drain is asked there, and done by the drain
    "record": SHELL,
    "announce": SHELL,
    "cli": SHELL,
    "": [*SHELL, "haproxy", "pods", "kube", "http", "record", "announce", "cli"],  # the spine joins them all
}

# What the core may have from the system and from libraries: no socket, no file, no clock, no thread.
PURE = {"arpa/inet.h", "assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h", "stdarg.h",
        "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "strings.h", "sys/un.h", "time.h",
        "json-c/json.h", "json-c/linkhash.h", "json.h", "regex.h", "yaml.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)', re.MULTILINE)


def folder_of(path):
    return path.rpartition("/")[0]


def module_of(path):
    return path.rpartition(".")[0]


def includes(files):
    """(file, included, whether it is in quotes) for each line of {path below agent/: text}."""
    return [(path, included, quote == '"') for path, text in sorted(files.items())
            for quote, included in INCLUDE.findall(text)]


def is_allowed(path, included, quoted):
    folder = folder_of(path)
    if not quoted:
        return not folder.startswith("core") or included in PURE
    if included in MAY_INCLUDE[folder] or folder_of(included) in MAY_INCLUDE[folder]:
        return True
    return folder_of(included) == folder and included != "build.h"


def circle(files, left_out=()):
    """Modules (x.c and x.h are one) that include each other in a circle, or None."""
    graph = collections.defaultdict(set)
    for path, included, quoted in includes(files):
        if quoted and module_of(included) != module_of(path) and f"{path} {included}" not in left_out:
            graph[module_of(path)].add(module_of(included))
    done, way = set(), []

    def follow(module):
        if module in way:
            return [*way[way.index(module):], module]
        if module in done:
            return None
        way.append(module)
        found = next(filter(None, map(follow, sorted(graph[module]))), None)
        way.pop()
        done.add(module)
        return found

    return next(filter(None, map(follow, sorted(graph))), None)


def is_needed(files, exceptions, exception, forbidden):
    return exception in forbidden or circle(files, exceptions - {exception}) is not None


def breaches(files, exceptions=frozenset()):
    """What is wrong with {path below agent/: text}, as lines."""
    unknown = sorted({folder_of(path) for path in files} - set(MAY_INCLUDE))
    if unknown:
        return [f"agent/{folder}: no rule says what it may include" for folder in unknown]
    forbidden = {f"{path} {included}" for path, included, quoted in includes(files)
                 if not is_allowed(path, included, quoted)}
    found = [f"agent/{' must not include '.join(line.split())}" for line in sorted(forbidden - exceptions)]
    turns = circle(files, exceptions)
    if turns:
        return [*found, "agent: modules include each other: " + " -> ".join(turns)]
    return found + [f"includes.exceptions: no longer needed: {line}" for line in sorted(exceptions)
                    if not is_needed(files, exceptions, line, forbidden)]


def read_tree(top):
    agent = top / "agent"
    return {str(path.relative_to(agent)): path.read_text() for path in agent.rglob("*.[ch]")}


def read_exceptions():
    lines = (pathlib.Path(__file__).parent / "includes.exceptions").read_text().splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def main(top):
    files = read_tree(top)
    if not files:
        sys.exit(f"includes: nothing to look at in {top}/agent")
    found = breaches(files, read_exceptions())
    for line in found:
        print(line)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "."))
