# SPDX-License-Identifier: MIT
"""The figures of a field benchmark as tables for people. Of several seeds: medians."""
import statistics

BASE = "leastconn"


def median(lines, key):
    return statistics.median(line[key] for line in lines)


def ratio(lines, base, key):
    """Of the imbalance to that of the base policy: the median over seeds, each paired with its own."""
    of_seed = {line["seeds"][0]: line for line in base or ()}
    pairs = [(line[key], of_seed[line["seeds"][0]][key]) for line in lines
             if line["seeds"][0] in of_seed]
    if not pairs or any(own == 0 for _, own in pairs):
        return "-"
    return f"{statistics.median(value / own for value, own in pairs):.2f}"


def mean_and_ratio(lines, base):
    return f"{100 * median(lines, 'mean_imbalance'):.1f} % {ratio(lines, base, 'mean_imbalance'):>5}"


def end_and_ratio(lines, base):
    return (f"{100 * median(lines, 'last_10s_imbalance'):.1f} %"
            f" {ratio(lines, base, 'last_10s_imbalance'):>5}")


def peak(lines, _base):
    return f"{100 * median(lines, 'peak_imbalance'):.0f} %"


def settling(lines, _base):
    times = [line["settle_s"] for line in lines]
    return "not" if None in times else f"{statistics.median(times):.1f} s"


def outlook(lines, _base):
    ratios = [line["outlook_ratio"] for line in lines if line["outlook_ratio"] is not None]
    return f"{statistics.median(ratios):.2f}" if ratios else "-"


def changes(lines, _base):
    return f"{statistics.median(line['weight_changes'] / line['seconds'] for line in lines):.1f}"


def table(title, lines, cell):
    policies = list(dict.fromkeys(line["policy"] for line in lines))
    scenarios = list(dict.fromkeys(line["scenario"] for line in lines))
    by_both = {}
    for line in lines:
        by_both.setdefault((line["scenario"], line["policy"]), []).append(line)
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
    yield from table("The same in the last 10 s", lines, end_and_ratio)
    yield from table("Peak", lines, peak)
    yield from table("Time until it is under 5 % and stays there (not: not in this run)", lines,
                     settling)
    yield from table("Seconds until balance as the agent said, over what it took (median)", lines, outlook)
    yield from table("Weight changes a second, of all servers in all HAProxies", lines, changes)
