"""How much each part of a body moves (eq. 2 and 9 of the paper), over the 22 canonical joints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.signal import butter, sosfiltfilt

from kineme.errors import InputError
from kineme.motion.canonical import JOINTS, PARTS

Scheme = Literal["sides", "four"]

_LEGS = tuple(sorted(PARTS["left leg"] + PARTS["right leg"]))
#: name -> part -> canonical joints. `four` are the issue's parts; `sides` tells the arms apart, so that one
#: of them can wave while the other swings. Legs stay one part: half of a walk is no walk.
SCHEMES: dict[str, dict[str, tuple[int, ...]]] = {
    "sides": {
        "left arm": PARTS["left arm"],
        "right arm": PARTS["right arm"],
        "legs": _LEGS,
        "torso": PARTS["torso"],
        "head": PARTS["head"],
    },
    "four": {
        "arms": tuple(sorted(PARTS["left arm"] + PARTS["right arm"])),
        "legs": _LEGS,
        "torso": PARTS["torso"],
        "head": PARTS["head"],
    },
}
#: square metres a frame below which a part does not move: a tenth of a millimetre
STILL = 1e-8
#: frames a second, and Hz up to which movement counts, for clips of any rate
RATE, CUTOFF = 30.0, 6.0


def motion_energy(
    positions: np.ndarray, parts: Mapping[str, tuple[int, ...]] = SCHEMES["sides"], root: int = 0
) -> np.ndarray:
    """Eq. 2 and 9: E (J,) in square metres a frame, the same for all joints of a part.

        E_n = 1 / (|Omega| (T - 1)) * sum over n in Omega, t >= 2 of |y(n, t) - y(n, t-1)|^2

    Parameters
    ----------
    positions : (T, J, 3) metres. The root's place is taken off first: otherwise who walks moves the arms
        further than who waves.
    parts : part -> joints; a joint of none has no energy.
    root : the joint that is taken off.

    What moves less than `STILL` counts as not moving; so does a clip of one frame.
    """
    energies = np.zeros(positions.shape[1], dtype=np.float64)
    if len(positions) < 2:
        return energies
    body = np.asarray(positions, np.float64) - positions[:, root, None]
    steps = np.square(np.diff(body, axis=0)).sum(-1).mean(0)  # (J,)
    for joints in parts.values():
        energies[list(joints)] = steps[list(joints)].mean()
    energies[energies < STILL] = 0.0
    return energies


def steady_energy(
    positions: np.ndarray, fps: float, parts: Mapping[str, tuple[int, ...]] = SCHEMES["sides"]
) -> np.ndarray:
    """`motion_energy` of a clip of any rate, in square metres a frame of `RATE`.

    Steps from frame to frame grow with noise where there are many of them and cut corners where there are few,
    so places (T, J, 3) are low-passed (Butterworth, second order, both ways) and read at one rate.
    """
    places = np.asarray(positions, np.float64)
    if len(places) < 2:
        return motion_energy(places, parts)
    if fps > 2 * CUTOFF:
        sections = butter(2, CUTOFF, fs=fps, output="sos")
        places = sosfiltfilt(sections, places, axis=0, padlen=min(len(places) - 1, round(fps)))
    times = np.arange(len(places)) / fps
    count = max(2, int(times[-1] * RATE + 1e-6) + 1)
    at = np.minimum(np.arange(count) / RATE, times[-1])
    return motion_energy(CubicSpline(times, places)(at), parts)


def part_values(values: np.ndarray, parts: Mapping[str, tuple[int, ...]]) -> dict[str, float]:
    """What the joints of each part have in common, such as its energy."""
    return {part: float(values[joints[0]]) for part, joints in parts.items()}


def parts_of(scheme: str) -> dict[str, tuple[int, ...]]:
    """The parts of a scheme. Raises InputError for a name that there is not."""
    if scheme not in SCHEMES:
        raise InputError(f"no division of the body is called {scheme!r}; there are {', '.join(SCHEMES)}")
    return SCHEMES[scheme]


assert all(sorted(j for p in s.values() for j in p) == list(range(len(JOINTS))) for s in SCHEMES.values())
