# SPDX-License-Identifier: MIT
"""Whether what an agent says of the time until balance comes true."""
import statistics

LEAST_S = 2  # a shorter time out of balance is chance


def episodes(samples):
    """Of (second, state of the verdict, seconds said or None): each time from the first that was not balanced
    to the one that was again, as (when that was, samples)."""
    before = []
    for at_s, state, said_s in samples:
        if state in ("levelling", "cannot_level"):
            before.append((at_s, said_s))
            continue
        if state == "balanced" and before and at_s - before[0][0] >= LEAST_S:
            yield at_s, before
        before = []


def said_over_taken(samples):
    """The median of all samples out of balance; None where there are none."""
    ratios = [said_s / (end_s - at_s) for end_s, before in episodes(samples)
              for at_s, said_s in before if said_s is not None]
    return statistics.median(ratios) if ratios else None
