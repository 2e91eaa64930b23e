# SPDX-License-Identifier: MIT
"""The figures of a field benchmark as tables for people."""

BASE = "leastconn"


def ratio(line, base):
    """Of the mean imbalance to that of the base policy."""
    if not base or base["mean_imbalance"] == 0:
        return "-"
    return f"{line['mean_imbalance'] / base['mean_imbalance']:.2f}"


def mean_and_ratio(line, base):
    return f"{100 * line['mean_imbalance']:.1f} % {ratio(line, base):>5}"


def settling(line, _base):
    return "not" if line["settle_s"] is None else f"{line['settle_s']:.1f} s"


def changes(line, _base):
    return f"{line['weight_changes'] / line['seconds']:.1f}"


def table(title, lines, cell):
    policies = list(dict.fromkeys(line["policy"] for line in lines))
    scenarios = list(dict.fromkeys(line["scenario"] for line in lines))
    by_both = {(line["scenario"], line["policy"]): line for line in lines}
    wide = max(len(name) for name in scenarios + ["scenario"])
    yield ""
    yield title
    yield "scenario".ljust(wide) + "".join(policy.rjust(16) for policy in policies)
    for scenario in scenarios:
        base = by_both.get((scenario, BASE))
        yield scenario.ljust(wide) + "".join(
            cell(by_both[scenario, policy], base).rjust(16) if (scenario, policy) in by_both
            else "".rjust(16) for policy in policies)


def write(lines):
    yield from table(f"Mean imbalance (max/mean - 1), and its ratio to {BASE}'s", lines,
                     mean_and_ratio)
    yield from table("Time until it is under 5 % and stays there (not: not in this run)", lines,
                     settling)
    yield from table("Weight changes a second, of all servers in all HAProxies", lines, changes)
