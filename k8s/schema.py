#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes what the chart's schema has from elsewhere: agent.extraConfig from the program's own table of keys, and which
values must be there from values.yaml.

schema.py            writes k8s/chart/values.schema.json anew
schema.py --check    only says whether it is current, by its exit code

The keys that the chart writes itself are let through here: the templates refuse them with words of their own.
"""
import json
import pathlib
import re
import sys

import yaml

TOP = pathlib.Path(__file__).resolve().parents[1]
SCHEMA = TOP / "k8s/chart/values.schema.json"
PRESETS = TOP / "agent/core/metric/metric_preset.c"
KEYS = TOP / "agent/core/config/config_keys.c"
# Written by the chart, or of no use beside a HAProxy of its own.
WRITTEN = {"haproxy", "kubernetes", "agentCheck", "listen", "drainDelay", "drainFile", "closeOver", "closeRate", "services",
           "listenTokenFile", "listenTLSCert", "listenTLSKey"}
TEXTS = {"duration": "^[0-9]+(ms|s|m|h)$", "size": "^[0-9]+(KiB|MiB|GiB)$", "url": "^https?://[^/]+:[0-9]+$", "file": "", "host": "",
         "target": "", "metric_key": ""}


def rows(text, table):
    """The rows of one array of struct config_key."""
    body = re.search(rf"struct config_key {table}\[\] = {{(.*?\n)}};", text, re.DOTALL).group(1)
    # The keys of how pods are asked are a macro, since they stand in several tables.
    if "METRIC_KEYS(" in body:
        body += re.search(r"#define METRIC_KEYS\(\w+\) \\\n(.*?)\n\n", text, re.DOTALL).group(1).replace("\\\n", "\n") + "\n"
    return re.findall(r"{(\.key = .*?)},? *\n", body, re.DOTALL)


def value_schema(kind, row):
    choices = re.search(r'\.choices = "([^"]*)"', row)
    if choices:
        return {"enum": choices.group(1).split()}
    if kind == "own_port":
        return {"type": "integer", "minimum": 0, "maximum": 65535}
    if kind == "preset":
        return {"enum": re.findall(r'^\t{"(\w+)",', PRESETS.read_text(encoding="utf-8"), re.MULTILINE)}
    if kind in ("bool", "truth"):
        return {"type": "boolean"}
    if kind == "share":
        return {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
    if kind == "unsigned":
        least, most = (re.search(rf"\.{end} = (\d+)", row) for end in ("min", "max"))
        return {"type": "integer", "minimum": int(least.group(1)) if least else 0, "maximum": int(most.group(1))}
    if "automatic = true" in row:
        return {"type": "string", "pattern": "^(auto|[0-9]+(ms|s|m|h))$"}
    if kind in TEXTS:
        return {"type": "string", "pattern": TEXTS[kind]} if TEXTS[kind] else {"type": "string"}
    raise ValueError(f"config_keys.c: no schema is known for the kind {kind}")


def mapping_schema(text, table, given=frozenset()):
    """given: keys that are let through."""
    properties = {}
    for row in rows(text, table):
        key = re.search(r'\.key = "([^"]*)"', row).group(1)
        kind = re.search(r"IS\((\w+),", row)
        below = re.search(r"\.mapping = &(\w+)", row)
        if key in given:
            properties[key] = {}
        elif kind:
            properties[key] = value_schema(kind.group(1), row)
            if properties[key] != {"type": "string"}:
                # ${NAME} takes the environment's.
                properties[key] = {"anyOf": [properties[key], {"type": "string", "pattern": "[$]{"}]}
        elif below:
            properties[key] = mapping_schema(text, f"{below.group(1)}_keys")
        else:
            properties[key] = {"type": "array", "items": {"type": "string"}}  # as all lists so far are
    return {"type": "object", "additionalProperties": False, "properties": properties}


def resolved(schema, whole):
    """A schema, or what it refers to."""
    return whole["definitions"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


# Each may be taken away for the other's sake.
EITHER = {"maxUnavailable"}


def needed(values, schema, whole):
    """The schema of a map whose values null would take away with no word, and something else would happen than by default.
    Lists, maps of free keys and what is empty are as if they were empty then."""
    names, below = [], {}
    for name, value in values.items():
        own = resolved(schema["properties"][name], whole)
        if value in ("", {}) or isinstance(value, list) or name in EITHER:
            continue
        if isinstance(value, dict):
            if own.get("additionalProperties") is not False or name.endswith("Probe"):
                continue
            below[name] = needed(value, own, whole)
        names.append(name)
    return {"required": names, "properties": {name: made for name, made in below.items() if made["required"]}}


def needed_block(schema, values):
    made = needed(values, schema, schema)
    lines = [f'        "{key}": {json.dumps(below)}' for key, below in made["properties"].items()]
    return ('    "needed": {\n      "description": "Values that null must not take away, made from values.yaml by k8s/schema.py",\n'
            f'      "required": {json.dumps(made["required"])},\n      "properties": {{\n' + ",\n".join(lines) + "\n      }\n    },\n")


def block(values):
    made = mapping_schema(KEYS.read_text(encoding="utf-8"), "root_keys", WRITTEN | set(values["agent"]["config"]))
    lines = [f'        "{key}": {json.dumps(schema)}' for key, schema in made["properties"].items()]
    return ('    "extraConfig": {\n      "description": "Made from the program\'s table of keys by k8s/schema.py",\n'
            '      "type": "object",\n      "additionalProperties": false,\n      "properties": {\n'
            + ",\n".join(lines) + "\n      }\n    },\n")


def main():
    now = SCHEMA.read_text(encoding="utf-8")
    values = yaml.safe_load((TOP / "k8s/chart/values.yaml").read_text(encoding="utf-8"))
    made = {"extraConfig": block(values), "needed": needed_block(json.loads(now), values)}
    wanted = now
    for name, text in made.items():
        wanted = re.sub(rf'    "{name}": {{\n      "description".*?\n    }},\n', lambda _, text=text: text, wanted, flags=re.DOTALL)
    if "--check" in sys.argv[1:]:
        if now != wanted:
            sys.exit("k8s/chart/values.schema.json is not current: run `make chart-update`")
        return
    SCHEMA.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
