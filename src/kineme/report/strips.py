"""Motion as a strip of figures from left to right, a moment each: a picture that needs no player.

Text from file names is data, never markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO

import numpy as np

from kineme.errors import printable
from kineme.motion import Motion
from kineme.motion.canonical import PARENTS
from kineme.motion.frame import facing_angle
from kineme.motion.retarget import retarget
from kineme.motion.rotations import yaw_matrix
from kineme.report.document import write_document

#: seconds between figures, of what was observed on either side, and pixels of a figure
EVERY, AROUND, WIDTH, HEIGHT = 0.25, 1.0, 56, 172


@dataclass(frozen=True, eq=False)
class Strip:
    """One row: `motion` with the frames from `start` to `stop` made up."""

    name: str
    motion: Motion
    start: int
    stop: int


def strip_page(title: str, lead: str, strips: Sequence[Strip]) -> str:
    """The page with a row of figures for each strip, all seen from their front left."""
    rows = [f'<p class="lead">{escape(printable(lead))}</p>']
    every = {round(1000 / s.motion.fps * _step(s.motion.fps)) / 1000 for s in strips}
    often = " or ".join(f"{seconds:g}" for seconds in sorted(every))
    rows.append(
        f'<p class="note">A figure every {often} s, seen from the front left of the body as it faced when '
        "the made part began.</p>"
    )
    for strip in strips:
        figures, (wide, high) = _figures(strip)
        drawn = "".join(
            f'<figure class="{kind}"><svg viewBox="0 0 {wide:.0f} {high:.0f}" width="{wide:.0f}" '
            f'height="{high:.0f}" role="img" aria-label="{label}">{lines}</svg>'
            f"<figcaption>{label}</figcaption></figure>"
            for kind, label, lines in figures
        )
        rows.append(
            f'<h2 class="query-head">{escape(printable(strip.name))}</h2>\n<div class="strip">{drawn}</div>'
        )
    page = StringIO()
    markup = {"HEADING": escape(printable(title)), "BODY": "\n".join(rows)}
    write_document(page, "stats.html", (), title=title, data={}, markup=markup)
    return page.getvalue()


def strip_picture(strip: Strip) -> str:
    """One SVG of the made part and a second on either side."""
    figures, (wide, high) = _figures(strip)
    drawn = []
    for number, (kind, label, lines) in enumerate(figures):
        text = (
            f'<text x="{wide * 0.5:.0f}" y="{high + 12:.0f}" text-anchor="middle" font-size="11" '
            f'font-family="sans-serif" fill="#555">{label}</text>'
        )
        colour = {"made": "#1f6feb", "known": "#8a8f98"}[kind]
        drawn.append(
            f'<g class="{kind}" transform="translate({number * wide:.0f} 0)" stroke="{colour}" '
            f'stroke-width="2.5" stroke-linecap="round">{lines}</g>'
            f'<g transform="translate({number * wide:.0f} 0)">{text if number % 2 == 0 else ""}</g>'
        )
    width, height = wide * len(figures), high + 18
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'role="img">{"".join(drawn)}</svg>'
    )


def _step(fps: float) -> int:
    """Frames from one figure to the next."""
    return max(1, round(EVERY * fps))


def _figures(strip: Strip) -> tuple[list[tuple[str, str, str]], tuple[float, float]]:
    """(kind, time, lines) of each figure, and the width and height that all of them fit into."""
    motion, fps = strip.motion, strip.motion.fps
    around = round(AROUND * fps)
    low, high = max(0, strip.start - around), min(len(motion), strip.stop + around)
    places = retarget(motion[low:high]).positions
    step = _step(fps)
    first = (strip.start - 1 - low) % step  # the last known frame is one of those shown
    shown = np.arange(first, len(places), step)
    angle = float(facing_angle(places[max(0, strip.start - 1 - low)][None])[0])
    turn = yaw_matrix(-angle - 0.9).astype(np.float32)
    scale = (HEIGHT - 12) / max(1.2, float(places[..., 1].max()))
    seen = (places[shown] - places[shown, :1] * np.array([1, 0, 1])) @ turn.T * scale
    wide = max(WIDTH, 2 * float(np.abs(seen[..., 0]).max()) + 8)
    found = []
    for frame, body in zip(shown, seen, strict=True):
        x, y = wide / 2 + body[:, 0], HEIGHT - 6 - body[:, 1]
        lines = "".join(
            f'<line x1="{x[p]:.1f}" y1="{y[p]:.1f}" x2="{x[j]:.1f}" y2="{y[j]:.1f}"/>'
            for j, p in enumerate(PARENTS)
            if p >= 0
        )
        kind = "made" if strip.start <= low + frame < strip.stop else "known"
        found.append((kind, f"{(low + frame) / fps:.2f} s", lines))
    return found, (wide, HEIGHT)
