# SPDX-License-Identifier: MIT
"""What people see is said in the same words everywhere: from agent/core/terms.h and the tables of verdicts, states
and events. Whoever shows it takes it from there, or from the report that does."""
import json
import pathlib
import re

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
CORE = TOP / "agent/core"
TERMS = CORE / "terms.h"

# What the page says of itself and of its own link to the agent, which no report can tell.
PAGES_OWN = {
    "and more", "No answer from the agent", "Show all", "just now", "Gone; last answer",
    "Old: updated", "Live, updated", "Not refreshing, updated", "The agent has not answered since ( ).",
    "HAProxy goes on with the weights that it has. Below is what was known last.", "Last at , at most",
    "Arrow keys read the points.", "Nothing was planned yet.", "it answers", "no answer in 10 s", "no connection",
    "use strict",
}
# Classes of elements.
NO_WORDS = re.compile(r"(card|x|bar|shape|more|unseen)( [a-z]+)*")


def code(path):
    """The text without comments."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    return re.sub(r"(?<=\s)//.*", "", text) if path.suffix == ".js" else text


def literals(path):
    """Strings in C, those side by side as one."""
    text = re.sub(r'"\s*\n?\s*"', "", code(path))
    return [m[1] for m in re.finditer(r'"((?:[^"\\\n]|\\.)*)"', text)]


def table(path, start, column=0):
    """A column of strings of an array of structs."""
    body = re.search(re.escape(start) + r".*?\n\t?\};", code(path), re.S)[0]
    return [re.findall(r'"((?:[^"\\]|\\.)*)"', row)[column] for row in re.findall(r"\] = \{?([^\n]*\"[^\n]*)", body)]


STATES = table(CORE / "report/report_pod.c", "states[REPORT_N_STATES]")
VERDICTS = table(CORE / "report/verdict.c", "states[VERDICT_N_STATES]")
VERDICT_NAMES = table(CORE / "report/verdict.c", "states[VERDICT_N_STATES]", 1)
EVENTS = table(CORE / "events.c", "words[]")
OUTLOOKS = table(CORE / "plan/outlook.c", "names[]")
TERM_TEXTS = dict(re.findall(r'#define (TERM_\w+)[\s\\]+"([^"]+)"', TERMS.read_text()))


def test_the_tables_are_found():
    assert len(STATES) == 16 and len(VERDICTS) == 6 == len(VERDICT_NAMES) and len(EVENTS) == 9 and len(OUTLOOKS) == 4
    assert len(TERM_TEXTS) == TERMS.read_text().count("#define TERM_")


def sources():
    return [path for ending in ("*.c", "*.h") for path in sorted((TOP / "agent").rglob(ending)) if path != TERMS]


def said_again(paths):
    """(file, term) of a sentence that is written out where the term should stand; two words may be others'."""
    return [(path.name, name) for path in paths for text in literals(path)
            for name, term in TERM_TEXTS.items() if term in text and len(term.split()) > 2]


def test_a_term_is_written_once():
    assert said_again(sources()) == []
    used = "".join(code(path) for path in sources())
    assert [name for name in TERM_TEXTS if not re.search(rf"\b{name}\b", used)] == []


def test_a_sentence_that_is_written_again_is_found(tmp_path):
    (tmp_path / "a.c").write_text('\tlog_warn("HAProxy does "\n\t\t "not answer at all", LOG_NONE);\n')
    assert said_again([tmp_path / "a.c"]) == [("a.c", "TERM_HAPROXY_SILENT")]


def pages_words(text):
    """Sentences in the page's script, without what is filled in."""
    for found in re.findall(r'"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`', text):
        said = re.sub(r"\$\{(?:[^{}]|\{[^}]*\})*\}", " ", found[1:-1]).replace("\\u00b7", "")
        said = " ".join(said.split())
        if len(re.findall(r"(?<!\S)[A-Za-z]{2,}", said)) > 1 and not re.search("[<={]", said):
            yield said.lstrip(". ")


def strange(text):
    return {said for said in pages_words(text) if said not in PAGES_OWN and not NO_WORDS.fullmatch(said)}


def test_the_page_says_nothing_that_the_agent_says():
    assert strange(code(TOP / "agent/page/page.js")) == set()
    assert strange('setText(a, pod.weight ? "by chance" : `${n} pods need you`);') == {"by chance", "pods need you"}
    page = code(TOP / "agent/page/page.js") + (TOP / "agent/page/page.html").read_text()
    # Of the agent no report can tell.
    page = page.replace("The agent has not answered since", "")
    assert [term for term in TERM_TEXTS.values() if len(term.split()) > 1 and term in page] == []


# No label of wsbalancer_backend_servers, wsbalancer_server_state or wsbalancer_backend_verdict.
SLOTS = {"used", "free", "added", "unplaced", "quarantined"}


@pytest.mark.parametrize("name", ["k8s/chart/files/alerts.yaml", "k8s/chart/files/dashboard.json"])
def test_alerts_and_dashboard_ask_for_states_that_there_are(name):
    text = (TOP / name).read_text().replace('\\"', '"')
    asked = {state for found in re.findall(r'state(?:=|!=|=~|!~)"([^"]*)"', text) for state in found.split("|")}
    assert asked and asked <= {*STATES, *VERDICTS, *SLOTS}, asked - {*STATES, *VERDICTS, *SLOTS}


def enums(schema, path=""):
    if isinstance(schema, dict):
        if "enum" in schema:
            yield path, schema["enum"]
        for key, value in schema.items():
            yield from enums(value, f"{path}/{key}")


def test_the_schema_has_the_words_of_the_tables():
    found = {}
    for path, words in enums(json.loads((TOP / "agent/doc/report.schema.json").read_text())):
        key = "/".join(part for part in path.split("/") if part not in ("properties", "items", "$defs"))
        found.setdefault("/".join(key.split("/")[-2:]), words)
    assert sorted(found["verdict/state"]) == sorted(VERDICTS), found
    assert sorted(found["outlook/verdict"]) == sorted(OUTLOOKS), found
    assert sorted(found["events/kind"]) == sorted(EVENTS), found
    assert sorted(next(words for key, words in found.items() if "heard" in words and "stale" in words)) == sorted(STATES)


def test_troubleshooting_quotes_verdicts_as_they_are():
    texts = "\n".join([*literals(CORE / "report/verdict.c"), *TERM_TEXTS.values()])
    quotes = [quote for quote in re.findall(r'^\| "([^"]+)" \|', (TOP / "agent/doc/TROUBLESHOOTING.md").read_text(), re.M)
              if quote.startswith(tuple(VERDICT_NAMES))]
    assert len(quotes) >= 5
    for quote in quotes:
        name = next(name for name in VERDICT_NAMES if quote.startswith(name))
        assert quote[len(name):].strip(" :.") in texts, quote
