"""Plots as SVG inside a page of their own: nothing is fetched, and text from file names is data, never
markup."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from kineme.errors import printable

WIDTH, HEIGHT, MARGIN = 900, 140, 40
#: scores are drawn up to so many times the span between the lowest score and the threshold
_MOST = 4.0
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 960px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1rem; margin: 1.5rem 0 .2rem; overflow-wrap: anywhere; }
svg { width: 100%; height: auto; background: #fafafa; }
.line { fill: none; stroke: #1f6feb; stroke-width: 1.5; }
.limit { stroke: #c0392b; stroke-dasharray: 5 4; } text { font-size: 11px; fill: #555; }
.over { fill: #c0392b; opacity: .15; } .joint { fill: #b7791f; opacity: .15; }
ul { margin: .2rem 0; padding-left: 1.2rem; font-size: .9rem; }
"""


class AlarmedClip(NamedTuple):
    """A clip to plot: its name, times (W,) in seconds and scores (W,) of windows, duration, and alarms as
    (start, end, rule, joints)."""

    name: str
    times: np.ndarray
    scores: np.ndarray
    end: float
    alarms: tuple[tuple[float, float, str, str], ...] = ()


def score_page(title: str, rows: Sequence[AlarmedClip], limit: float) -> str:
    """A page with a plot and a list of alarms a clip; `limit` is the threshold of a window's score."""
    parts = [
        f"<h2>{escape(printable(row.name))}</h2>\n{score_plot(row, limit)}{_alarm_list(row.alarms)}"
        for row in rows
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(printable(title))}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n<body>'
        f"<h1>{escape(printable(title))}</h1>\n<p>Each line is the mean surprise of a take's windows in nats; "
        f"the dashed line is the threshold, {limit:.3f}. Two rules raise an alarm. Red, rule <i>window</i>: the "
        "line is above the threshold. Ochre, rule <i>joint</i>: the evidence against a joint, which the line does "
        "not show, is above that joint's own threshold.</p>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _alarm_list(alarms: Sequence[tuple[float, float, str, str]]) -> str:
    items = "".join(
        f"<li>{start:.2f} to {end:.2f} s, by {escape(rule)}{': ' * bool(joints)}{escape(joints)}</li>"
        for start, end, rule, joints in alarms
    )
    return f"<ul>{items}</ul>" if items else ""


def score_plot(row: AlarmedClip, limit: float) -> str:
    """An SVG of scores over time, with the threshold, the stretches above it, and the other alarms."""
    times, scores, end = row.times, row.scores, row.end
    low = float(min(scores.min(), limit))
    high = max(limit + 0.1, min(float(scores.max()), low + _MOST * max(limit - low, 0.1)))

    def across(seconds: float) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * seconds / max(end, 1e-6)

    def down(score: float) -> float:
        return HEIGHT - 20 - (HEIGHT - 35) * (min(score, high) - low) / max(high - low, 1e-6)

    bands = [
        f'<rect class="joint" x="{across(start):.1f}" y="5" height="{HEIGHT - 25}" '
        f'width="{across(min(last, end)) - across(start):.1f}"/>'
        for start, last, rule, _ in row.alarms
        if "joint" in rule
    ]
    points = " ".join(
        f"{across(t):.1f},{down(s):.1f}" for t, s in zip(times.tolist(), scores.tolist(), strict=True)
    )
    half = (times[1] - times[0]) / 2 if len(times) > 1 else end / 2
    bands += [
        f'<rect class="over" x="{across(max(t - half, 0)):.1f}" y="5" height="{HEIGHT - 25}" '
        f'width="{across(min(t + half, end)) - across(max(t - half, 0)):.1f}"/>'
        for t, s in zip(times.tolist(), scores.tolist(), strict=True)
        if s > limit
    ]
    if len(times) == 1:
        points = f"{MARGIN},{down(float(scores[0])):.1f} {WIDTH - MARGIN},{down(float(scores[0])):.1f}"
    ticks = "".join(
        f'<text x="{across(at):.0f}" y="{HEIGHT - 5}" text-anchor="middle">{at:.1f} s</text>'
        for at in np.linspace(0, end, 5).tolist()
    )
    at = down(limit)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(bands)}'
        f'<line class="limit" x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{at:.1f}" y2="{at:.1f}"/>'
        f'<polyline class="line" points="{points}"/>{ticks}'
        f'<text x="2" y="{down(high) + 4:.0f}">{high:.2f}</text>'
        f'<text x="2" y="{down(low):.0f}">{low:.2f}</text></svg>'
    )
