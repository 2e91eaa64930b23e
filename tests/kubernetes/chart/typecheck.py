# SPDX-License-Identifier: MIT
"""Checks Kubernetes objects against the published types of their kinds, strictly, with tsc.

Each object becomes a typed constant, so that an unknown field, a null and a wrong type are errors of the compiler.
"""
import json
import re
import subprocess

import tools

PACKAGES = {
    "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
    "keda.sh": "@kubernetes-models/keda",
    "cert-manager.io": "@kubernetes-models/cert-manager",
}
OPTIONS = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext",
           "--moduleResolution", "nodenext", "--pretty", "false"]


def module(api_version):
    group = api_version.split("/")[0]
    return f"{PACKAGES.get(group, 'kubernetes-models')}/{api_version}"


def source(docs):
    lines = []
    for number, document in enumerate(docs):
        kind = document["kind"]
        name = f"{kind}{number}"
        lines.append(f'import type {{ I{kind} as T{name} }} from "{module(document["apiVersion"])}";')
        lines.append(f"export const {name}: T{name} = {json.dumps(document, indent=1)};")
    return "\n".join(lines) + "\n"


def complaints(folder, named):
    """Type-checks {name: documents} in one run of the compiler; {name: what it says} of those it refuses."""
    (folder / "node_modules").symlink_to(tools.npm() / "node_modules")
    files = []
    for name, docs in named.items():
        files.append(f"{name}.mts")
        (folder / files[-1]).write_text(source(docs), encoding="utf-8")
    compiler = tools.npm() / "node_modules/typescript/bin/tsc"
    done = subprocess.run(["node", compiler, *OPTIONS, *files], cwd=folder, capture_output=True, text=True,
                          check=False)
    said = {}
    for line in done.stdout.splitlines():
        match = re.match(r"(?:.*/)?([^/(]+)\.mts\(", line)
        if match or not said:
            said.setdefault(match.group(1) if match else "", []).append(line)
    assert (done.returncode == 0) == (not said), done.stdout + done.stderr
    return {name: "\n".join(lines) for name, lines in said.items()}
