# SPDX-License-Identifier: MIT
"""The lint of includes sees what it is for."""
import pytest

from includes import breaches

GOOD = {
    "main.c": '#include <ev.h>\n#include "build.h"\n#include "cli/top.h"\n#include "round.h"\n',
    "round.h": '#include "haproxy/push.h"\n',
    "cli/top.h": "",
    "haproxy/push.c": '#include "haproxy/push.h"\n#include <sys/socket.h>\n#include "io/log.h"\n',
    "haproxy/push.h": '#include "core/steer/steer.h"\n',
    "kube/discovery.c": '#include "haproxy/runtime.h"\n',
    "haproxy/runtime.h": "",
    "io/log.h": '#include "core/config/config.h"\n',
    "core/steer/steer.h": '#include "core/cluster/cluster.h"\n',
    "core/cluster/cluster.h": '#include <stddef.h>\n#include "core/plan/plan.h"\n',
    "core/plan/plan.h": '#include "core/base/text.h"\n',
    "core/base/text.h": "",
    "core/config/config.h": "",
}

# File, what it includes besides.
BAD = [
    ("core/cluster/cluster.h", '"io/log.h"'),         # the core, the shell
    ("core/base/text.h", '"core/config/config.h"'),   # upwards
    ("core/plan/plan.h", '"core/config/config.h"'),
    ("core/cluster/cluster.h", '"core/steer/other.h"'),
    ("core/steer/steer.h", '"build.h"'),
    ("core/config/config.h", "<time.h>\n#include <sys/socket.h>"),
    ("core/base/text.h", "<ev.h>"),
    ("haproxy/push.c", '"kube/discovery.h"'),         # one subject, another
    ("kube/discovery.c", '"haproxy/push.h"'),
    ("io/log.h", '"haproxy/runtime.h"'),
    ("cli/top.h", '"round.h"'),                       # a subject, the spine
    ("core/report/report.h", '"core/record/record.h"'),
    ("core/record/record.h", '"core/report/report.h"'),
]


def test_what_runs_downwards_is_good():
    assert not breaches(GOOD)


@pytest.mark.parametrize("path, included", BAD)
def test_what_runs_elsewhere_is_said_with_file_and_header(path, included):
    files = {**GOOD, path: GOOD.get(path, "") + f"#include {included}\n"}
    found, = breaches(files)
    assert found == f"agent/{path} must not include {included.split()[-1].strip('<>')}".replace('"', "")


@pytest.mark.parametrize("path, included", BAD)
def test_an_exception_is_let_through_and_refused_when_it_is_needed_no_more(path, included):
    exception = frozenset([f"{path} {included.split()[-1]}".translate(str.maketrans("", "", '<>"'))])
    files = {**GOOD, path: GOOD.get(path, "") + f"#include {included}\n"}
    assert not breaches(files, exception)
    assert breaches(GOOD, exception) == [f"includes.exceptions: no longer needed: {line}" for line in exception]


def test_modules_do_not_include_each_other():
    files = {**GOOD, "core/cluster/server.h": "", "core/cluster/server.c": '#include "core/cluster/cluster.h"\n'}
    files["core/cluster/cluster.h"] += '#include "core/cluster/server.h"\n'
    found, = breaches(files)
    assert found == ("agent: modules include each other: "
                     "core/cluster/cluster -> core/cluster/server -> core/cluster/cluster")
    exception = frozenset(["core/cluster/server.c core/cluster/cluster.h"])
    assert not breaches(files, exception)
    files["core/cluster/server.c"] = ""
    assert len(breaches(files, exception)) == 1


def test_a_folder_without_a_rule_is_a_breach():
    assert breaches({**GOOD, "core/new/thing.h": ""}) == ["agent/core/new: no rule says what it may include"]
