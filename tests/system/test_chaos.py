# SPDX-License-Identifier: MIT
"""Random faults, in small; `make chaos` plays as many as are wanted. Two HAProxys are in test_chaos_shared."""
import sys

import pytest

from program import ROOT

sys.path.insert(0, str(ROOT / "tests" / "chaos"))

from chaos import play_told  # noqa: E402


@pytest.mark.parametrize("seed", [6, 7])  # one HAProxy, and one with agent-checks
def test_whatever_happens_the_weights_come_back_and_nothing_is_cut(seed):
    play_told(seed, n_bouts=1, n_faults=12)
