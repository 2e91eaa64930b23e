# SPDX-License-Identifier: MIT
"""Random faults, in small; `make chaos` plays as many as are wanted."""
import sys

import pytest

from program import ROOT

sys.path.insert(0, str(ROOT / "tests" / "chaos"))

import chaos  # noqa: E402


@pytest.mark.parametrize("seed", [6, 7, 8])  # one HAProxy, with agent-checks, two HAProxys
def test_whatever_happens_the_weights_come_back_and_nothing_is_cut(seed):
    said = []
    try:
        chaos.play(seed=seed, n_bouts=1, n_faults=12, variant=None, say=said.append)
    except AssertionError as error:
        raise AssertionError("\n".join([*said, str(error)])) from error
