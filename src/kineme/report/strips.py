"""Motion as a strip of figures from left to right, a moment each: a picture that needs no player.

Text from file names is data, never markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from kineme.motion import Motion
from kineme.motion.canonical import PARENTS
from kineme.motion.frame import facing_angle
from kineme.motion.retarget import retarget
from kineme.motion.rotations import yaw_matrix

#: seconds between figures, of what was observed on either side, and pixels of a figure
EVERY, AROUND, WIDTH, HEIGHT = 0.25, 1.0, 74, 190
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; padding: 0 1rem; max-width: 1400px; }
h1 { font-size: 1.4rem; } h2 { font-size: 1rem; margin: 1.2rem 0 .2rem; overflow-wrap: anywhere; }
svg { max-width: 100%; height: auto; background: #fafafa; display: block; }
line { stroke-width: 2.5; stroke-linecap: round; } .known line { stroke: #8a8f98; } .made line { stroke:
#1f6feb; } text { font-size: 11px; fill: #555; }
"""


@dataclass(frozen=True, eq=False)
class Strip:
    """One row: `motion` with the frames from `start` to `stop` made up."""

    name: str
    motion: Motion
    start: int
    stop: int


def strip_page(title: str, lead: str, strips: Sequence[Strip]) -> str:
    """The page with a row of figures for each strip, all seen from their front left."""
    rows = "\n".join(f"<h2>{escape(strip.name)}</h2>\n{strip_picture(strip)}" for strip in strips)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n<body>'
        f"<h1>{escape(title)}</h1>\n<p>{escape(lead)} A figure every {EVERY:g} s, seen from where the body "
        f"faced when the made part began.</p>\n{rows}\n</body></html>\n"
    )


def strip_picture(strip: Strip) -> str:
    """An SVG of the made part and a second on either side."""
    motion, fps = strip.motion, strip.motion.fps
    around = round(AROUND * fps)
    low, high = max(0, strip.start - around), min(len(motion), strip.stop + around)
    places = retarget(motion[low:high]).positions
    step = max(1, round(EVERY * fps))
    first = (strip.start - 1 - low) % step  # the last known frame is one of those shown
    shown = np.arange(first, len(places), step)
    angle = float(facing_angle(places[max(0, strip.start - 1 - low)][None])[0])
    turn = yaw_matrix(-angle - 0.9).astype(np.float32)
    figures = []
    scale = (HEIGHT - 30) / max(1.2, float(places[..., 1].max()))
    for number, frame in enumerate(shown):
        seen = (places[frame] - places[frame, :1] * np.array([1, 0, 1])) @ turn.T
        x, y = WIDTH * (number + 0.5) + seen[:, 0] * scale, HEIGHT - 18 - seen[:, 1] * scale
        kind = "made" if strip.start <= low + frame < strip.stop else "known"
        lines = "".join(
            f'<line x1="{x[p]:.1f}" y1="{y[p]:.1f}" x2="{x[j]:.1f}" y2="{y[j]:.1f}"/>'
            for j, p in enumerate(PARENTS)
            if p >= 0
        )
        label = (
            ""
            if number % 2
            else f'<text x="{WIDTH * (number + 0.5):.0f}" y="{HEIGHT - 3}" text-anchor="middle">'
            f"{(low + frame) / fps:.2f} s</text>"
        )
        figures.append(f'<g class="{kind}">{lines}</g>{label}')
    width = WIDTH * len(shown)
    return f'<svg viewBox="0 0 {width} {HEIGHT}" width="{width}" role="img">{"".join(figures)}</svg>'
