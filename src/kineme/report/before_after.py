"""A picture of a repaired motion: its poses as they were given, and below as they are now."""

from __future__ import annotations

import numpy as np

from kineme.motion import Motion
from kineme.motion.canonical import PARENTS
from kineme.motion.frame import facing_positions
from kineme.motion.retarget import retarget, to_standard_body
from kineme.motion.rotations import yaw_matrix

#: poses of a row, and sizes in the picture's units
POSES, STEP, HEIGHT, MARGIN = 6, 160, 300, 30
#: seen from the front, turned by this (radians), so that limbs do not hide each other
VIEW = np.deg2rad(-35.0)
#: metres that a joint moved by if it was repaired
MOVED = 1e-3
SOUND, GIVEN, REPAIRED, FAINT = "#445566", "#d03030", "#208060", "#666666"


def before_after(before: Motion, after: Motion) -> str:
    """An SVG of two motions of one rig, in poses over the frames in which they differ.

    Bones whose joint moved are red above, where `before` is, and green below. Raises InputError for a rig
    that cannot be mapped, ValueError where nothing moved.
    """
    places = [to_standard_body(retarget(motion)).positions for motion in (before, after)]
    moved = np.linalg.norm(places[1] - places[0], axis=-1) > MOVED
    frames = np.flatnonzero(moved.any(1))
    if not len(frames):
        raise ValueError("the motions do not differ")
    shown = frames[np.linspace(0, len(frames) - 1, POSES).round().astype(int)]
    views = [_view(part[shown]) for part in places]
    low, high = min(v[..., 1].min() for v in views), max(v[..., 1].max() for v in views)
    scale = (HEIGHT - 2 * MARGIN) / max(high - low, 1e-6)
    parts = []
    rows = (("as given", GIVEN), ("repaired", REPAIRED))
    for row, (view, (words, colour)) in enumerate(zip(views, rows, strict=True)):
        parts.append(f'<text x="10" y="{row * HEIGHT + 24}" fill="{colour}">{words}</text>')
        for column, pose in enumerate(view):
            middle, bottom = STEP * (column + 0.7), (row + 1) * HEIGHT - MARGIN / 2
            at = np.stack([middle + scale * pose[:, 0], bottom - scale * (pose[:, 1] - low)], axis=1)
            parts += _bones(at, moved[shown[column]], colour)
    for column, frame in enumerate(shown.tolist()):
        parts.append(
            f'<text x="{STEP * (column + 0.7):.0f}" y="{2 * HEIGHT + 14}" '
            f'text-anchor="middle" fill="{FAINT}">{frame / before.fps:.2f} s</text>'
        )
    width, height = round(STEP * (POSES + 0.4)), 2 * HEIGHT + 24
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="15"><rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n'
    )


def _view(places: np.ndarray) -> np.ndarray:
    """(n, 22, 2) metres to the picture's right and up of places (n, 22, 3)."""
    local, _ = facing_positions(places)
    seen = np.einsum("ab,tjb->tja", yaw_matrix(np.array([VIEW]))[0], local)
    return np.stack([-seen[..., 0], seen[..., 1]], axis=-1)


def _bones(at: np.ndarray, moved: np.ndarray, colour: str) -> list[str]:
    """Lines between joints at (22, 2) and their parents; those that moved in their own colour, on top."""
    found = []
    for joint in sorted(range(1, len(PARENTS)), key=lambda j: bool(moved[j])):
        (x1, y1), (x2, y2) = at[joint].tolist(), at[PARENTS[joint]].tolist()
        stroke, width = (colour, 5) if moved[joint] else (SOUND, 3)
        found.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}" '
            f'stroke-width="{width}" stroke-linecap="round"/>'
        )
    return found
