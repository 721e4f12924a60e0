"""Where a take jumps: places that no body reaches in one frame, as where its numbers dropped out.

What a take did there is no movement of a person, so nothing is learnt or recalled from it.
"""

from __future__ import annotations

import warnings

import numpy as np

from kineme.errors import InputWarning
from kineme.motion import Motion

#: metres a second of the pelvis: the fastest runner was measured at 12.4
PELVIS = 13.0
#: metres a second of any other joint against the pelvis: the hand of a pitcher and the foot of a kicker reach 25
LIMB = 30.0


def jumps(places: np.ndarray, fps: float) -> np.ndarray:
    """(T,) metres a second at which a frame of places (T, 22, 3) was jumped to; 0 where a body can do it."""
    found = np.zeros(len(places))
    if len(places) < 2:
        return found
    steps = np.diff(places.astype(np.float64), axis=0) * fps
    pelvis = np.linalg.norm(steps[:, 0], axis=-1)
    limb = np.linalg.norm(steps - steps[:, :1], axis=-1).max(-1)
    found[1:] = np.where((pelvis > PELVIS) | (limb > LIMB), np.maximum(pelvis, limb), 0.0)
    return found


def sound_parts(places: np.ndarray, fps: float) -> list[np.ndarray]:
    """Places (T, 22, 3) cut where they jump, without parts that are one pose to a digit, as where the numbers
    dropped out."""
    at = np.flatnonzero(jumps(places, fps))
    if not len(at):
        return [places]
    return [part for part in np.split(places, at) if len(part) > 1 and np.ptp(part, axis=0).max() > 0]


def after_jumps(places: np.ndarray, fps: float, least: float) -> int:
    """The first frame from which on nothing jumps any more; 0 where fewer than `least` seconds are left."""
    start = int(np.flatnonzero(jumps(places, fps)).max(initial=0))
    return start if (len(places) - start) / fps >= least else 0


def warn_of_jumps(motion: Motion, speeds: np.ndarray) -> None:
    """Warns where any of `speeds` (T,), as of `jumps`, of all frames of `motion`, is none of a body."""
    at = np.flatnonzero(speeds)
    if not len(at):
        return
    more = f" (and {len(at) - 1} more)" if len(at) > 1 else ""
    where = f"{motion.provenance.file}: " if motion.provenance.file else ""
    warnings.warn(
        f"{where}this take jumps at {at[0] / motion.fps:.2f} s{more}, at {speeds[at[0]]:.0f} m/s, which no body "
        "does; what lies beyond a jump is left out where there is enough without it",
        InputWarning,
        stacklevel=3,
    )
