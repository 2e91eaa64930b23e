# SPDX-License-Identifier: MIT
"""Draws the imbalance over time as SVG that reads well on light and on dark pages.

    figure.py build/bench/samples.json         # draws again what a benchmark has measured
"""
import dataclasses
import html
import json
import math
import pathlib
import sys

WIDTH, PLOT_HEIGHT = 860, 210
LEFT, RIGHT, TOP, GAP = 78, 156, 68, 58   # around and between the plots
MARK_ROW, LABEL_ROW = 17, 17

# Drawn in this order, the last on top. Told apart by colour-blind eyes too, and by their labels.
STYLES = {
    "roundrobin": "grey",
    "leastconn": "orange",
    "agent-check": "teal",
    "nginx": "grey",
    "envoy": "teal",
    "caddy": "violet",
    "agent": "blue",
}
NAMES = {
    "roundrobin": "roundrobin",
    "leastconn": "leastconn",
    "agent-check": "agent-check alone",
    "nginx": "nginx",
    "envoy": "Envoy",
    "caddy": "Caddy",
    "agent": "with the agent",
}
CSS = """
text{font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:#59636e}
.bg{fill:#fff;stroke:#d1d9e0}.grid{stroke:#e4e8ec}.axis{stroke:#9aa4ae}
.title{font-size:17px;font-weight:600;fill:#1f2328}.panel{font-weight:600;fill:#1f2328}
.mark{stroke:#59636e;stroke-dasharray:2 3}
.line{fill:none;stroke-linejoin:round}.name{font-weight:600}
.grey.line,.grey.lead{stroke:#818b98}.orange.line,.orange.lead{stroke:#c4500a}
.teal.line,.teal.lead{stroke:#12889a}.blue.line,.blue.lead{stroke:#0a58ca}
.violet.line,.violet.lead{stroke:#8250df}.violet.name{fill:#6f42c1}
.grey.name{fill:#6b7480}.orange.name{fill:#b34700}.teal.name{fill:#0e7585}.blue.name{fill:#0a58ca}
@media (prefers-color-scheme:dark){
text{fill:#9ba6b2}.bg{fill:#0d1117;stroke:#30363d}.grid{stroke:#21272e}.axis{stroke:#57606a}
.title,.panel{fill:#e6edf3}.mark{stroke:#9ba6b2}
.grey.line,.grey.lead{stroke:#7d8590}.orange.line,.orange.lead{stroke:#f0883e}
.teal.line,.teal.lead{stroke:#39b5c4}.blue.line,.blue.lead{stroke:#6cb0ff}
.violet.line,.violet.lead{stroke:#a371f7}.violet.name{fill:#bb8cff}
.grey.name{fill:#9ba6b2}.orange.name{fill:#f0883e}.teal.name{fill:#39b5c4}.blue.name{fill:#6cb0ff}}
""".replace("\n", "")


@dataclasses.dataclass
class Panel:
    name: str
    length_s: float
    marks: list    # (second, text)
    series: dict   # policy: [(second, imbalance), ...]


def nice_step(most, n):
    """A step of 1, 2 or 5 times a power of ten, so that about n of them reach most."""
    raw = most / n
    power = 10 ** math.floor(math.log10(raw))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= raw)


def text(x, y, what, cls="", anchor="start", more=""):
    cls = f' class="{cls}"' if cls else ""
    anchor = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{cls}{anchor}{more}>{html.escape(what)}</text>'


def line(x1, y1, x2, y2, cls):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{cls}"/>'


def spread(wanted, least, lowest):
    """Heights for labels near the wanted ones, at least so far apart, none below lowest."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    places, y = {}, -math.inf
    for above, i in enumerate(order):
        y = max(y + least, wanted[i])
        places[i] = min(y, lowest - (len(order) - 1 - above) * least)
    return places


class Plot:
    """One panel, its plot's upper left corner at LEFT, top."""

    def __init__(self, panel, top, most):
        self.panel, self.top, self.most = panel, top, most
        self.right = WIDTH - RIGHT
        self.bottom = top + PLOT_HEIGHT

    def x(self, at_s):
        return LEFT + (self.right - LEFT) * at_s / self.panel.length_s

    def y(self, value):
        return self.bottom - PLOT_HEIGHT * min(value, self.most) / self.most

    def axes(self):
        step = nice_step(100 * self.most, 5)
        for i in range(int(100 * self.most / step + 1e-9) + 1):
            y = self.y(i * step / 100)
            yield line(LEFT, y, self.right, y, "axis" if i == 0 else "grid")
            yield text(LEFT - 8, y + 4.5, f"{i * step:g} %", anchor="end")
        step = nice_step(self.panel.length_s, 8)
        for i in range(int(self.panel.length_s / step + 1e-9) + 1):
            yield line(self.x(i * step), self.bottom, self.x(i * step), self.bottom + 4, "axis")
            yield text(self.x(i * step), self.bottom + 19, f"{i * step:g}", anchor="middle")
        yield text((LEFT + self.right) / 2, self.bottom + 37, "seconds", anchor="middle")
        middle = (self.top + self.bottom) / 2
        yield text(24, middle, "above the mean", anchor="middle",
                   more=f' transform="rotate(-90 24 {middle:.1f})"')

    def marks(self):
        """Above the plot, with a line down; a later one that would touch stands higher."""
        for row, (at_s, what) in enumerate(reversed(self.panel.marks)):
            y = self.top - 8 - row * MARK_ROW
            yield line(self.x(at_s), y + 3, self.x(at_s), self.bottom, "mark")
            yield text(self.x(at_s) - 1, y, what)

    def path(self, policy):
        points = [f"{self.x(at_s):.1f},{self.y(value):.1f}"
                  for at_s, value in self.panel.series[policy]]
        wide = 2.4 if policy == "agent" else 1.6
        return (f'<polyline class="{STYLES[policy]} line" stroke-width="{wide}"'
                f' points="{" ".join(points)}"/>')

    def names(self, policies):
        """Each line's name at its end."""
        ends = [self.y(self.panel.series[policy][-1][1]) for policy in policies]
        places = spread(ends, LABEL_ROW, self.bottom - 2)
        for i, policy in enumerate(policies):
            style = STYLES[policy]
            yield line(self.right + 1, ends[i], self.right + 9, places[i], f"{style} lead")
            yield text(self.right + 12, places[i] + 4.5, NAMES[policy], f"{style} name")

    def draw(self):
        policies = [policy for policy in STYLES if policy in self.panel.series]
        title_y = self.top - 16 - len(self.panel.marks) * MARK_ROW
        yield text(LEFT, title_y, self.panel.name[0].upper() + self.panel.name[1:], "panel")
        yield from self.axes()
        yield from self.marks()
        for policy in policies:
            yield self.path(policy)
        yield from self.names(policies)


def draw(panels, about):
    """The whole figure. about is the line below its title."""
    most = max(value for panel in panels for samples in panel.series.values()
               for _, value in samples)
    step = nice_step(100 * most, 5) / 100
    most = math.ceil(most / step - 1e-9) * step or 1.0
    y, plots = TOP, []
    for panel in panels:
        y += 30 + len(panel.marks) * MARK_ROW
        plots.append(Plot(panel, y, most))
        y += PLOT_HEIGHT + GAP
    height = y - GAP + 52
    title = "Imbalance: how far the fullest pod is above the mean"
    said = ". ".join(f"{panel.name}: " + ", ".join(
        f"{NAMES[policy]} {100 * samples[-1][1]:.0f} % at the end"
        for policy, samples in panel.series.items()) for panel in panels)
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}"'
           f' viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-labelledby="t d">')
    yield f'<title id="t">{title}</title><desc id="d">{html.escape(said)}</desc>'
    yield f"<style>{CSS}</style>"
    yield f'<rect class="bg" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1:.0f}" rx="8"/>'
    yield text(24, 34, title, "title")
    yield text(24, 55, about)
    for plot in plots:
        yield from plot.draw()
    yield "</svg>"


def save(path, panels, about):
    path.write_text("\n".join(draw(panels, about)) + "\n")


def save_all(panels, about, out):
    """A figure a scenario, and balance.svg of the two that show most."""
    kept = {"about": about, "panels": {key: vars(panel) for key, panel in panels.items()}}
    (out / "samples.json").write_text(json.dumps(kept))
    for key, panel in panels.items():
        save(out / f"{key}.svg", [panel], about)
    both = [panels[key] for key in ("scale-out", "direct") if key in panels]
    if len(both) == 2:
        save(out / "balance.svg", both, about)


def main():
    path = pathlib.Path(sys.argv[1])
    kept = json.loads(path.read_text())
    panels = {key: Panel(**panel) for key, panel in kept["panels"].items()}
    save_all(panels, kept["about"], path.parent)


if __name__ == "__main__":
    main()
