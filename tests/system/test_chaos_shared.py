# SPDX-License-Identifier: MIT
"""Random faults where two HAProxys share the pods, and a Kubernetes API tells of more pods: in a file of its own, so
that it runs beside test_chaos."""
import sys

from program import ROOT

sys.path.insert(0, str(ROOT / "tests" / "chaos"))

from chaos import play_told  # noqa: E402


def test_whatever_happens_to_two_haproxys_the_weights_come_back_and_nothing_is_cut():
    play_told(seed=5, n_bouts=1, n_faults=12)
