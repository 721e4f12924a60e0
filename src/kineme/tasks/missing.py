"""Which joints of a motion are missing in which frames: as a person says it, or found in the motion
itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kineme.errors import InputError, UsageError, did_you_mean
from kineme.motion import Motion
from kineme.motion.rigs import recognise_rig
from kineme.motion.stretches import stretches

#: seconds that a joint must stand still to a digit, while the body moves, to be taken for frozen
FROZEN_SECONDS = 0.15
#: ... and with which jump (radians, metres) it must come back to life, or last to the end this many seconds
FROZEN_JUMP, FROZEN_TO_END = np.deg2rad(0.5), 0.5
#: ... or last as long as that, where it is as still in at most this share of all other frames
FROZEN_ELSEWHERE = 0.02
#: a joint that falls to zero jumps there by at least this (radians, metres)
DROPPED_JUMP = (np.deg2rad(10.0), 0.05)


@dataclass(frozen=True)
class Span:
    """A joint missing over frames [start, stop) of the file, and why it is thought to be."""

    joint: str
    start: int
    stop: int
    reason: str


def spans_mask(motion: Motion, spans: Sequence[Span]) -> np.ndarray:
    """(T, J) bool."""
    missing = np.zeros((len(motion), len(motion.skeleton)), dtype=bool)
    for span in spans:
        missing[span.start : span.stop, motion.skeleton.index(span.joint)] = True
    return missing


def declared(motion: Motion, joints: Sequence[str], frames: str) -> list[Span]:
    """The named joints over ``a:b``: frames of the file from 0 on, b exclusive; an end left out is the
    clip's.

    Raises InputError for an unknown joint, with the nearest names, and UsageError for frames that are none.
    """
    match = re.fullmatch(r"\s*(\d*)\s*:\s*(\d*)\s*", frames)
    if match is None:
        raise UsageError(f"frames are given as FIRST:LAST, such as 120:180, not as {frames!r}")
    start, stop = int(match[1] or 0), int(match[2] or len(motion))
    if not 0 <= start < stop <= len(motion):
        raise UsageError(f"frames {frames} do not lie within the {len(motion)} frames of the motion")
    names = motion.skeleton.names
    for joint in joints:
        if joint not in names:
            raise InputError(f"no joint is called {joint!r}; {did_you_mean(joint, names, 'there are')}")
    return [Span(joint, start, stop, "named") for joint in dict.fromkeys(joints)]


def found_missing(motion: Motion) -> list[Span]:
    """Joints without numbers, frozen or dropped out, as `detect_holes`, `detect_frozen`, `detect_dropped`
    say."""
    spans = detect_holes(motion)
    for more in (detect_dropped(motion), detect_frozen(motion)):
        taken = spans_mask(motion, spans)
        for span in more:
            joint = motion.skeleton.index(span.joint)
            if not taken[span.start : span.stop, joint].all():
                spans.append(span)
    return sorted(spans, key=lambda s: (s.start, motion.skeleton.index(s.joint)))


def detect_holes(motion: Motion) -> list[Span]:
    """Stretches that held no usable numbers when the file was read (`Provenance.holes`)."""
    names = motion.skeleton.names
    return [Span(names[j], a, b, "no usable numbers") for j, a, b in motion.provenance.holes]


def detect_dropped(motion: Motion) -> list[Span]:
    """Stretches in which a joint that moves is exactly zero, with a jump to and from there.

    Zero is no rotation at all or, in a motion of positions, the origin. The root is not looked at.
    """
    values, zero = _values(motion)
    least = DROPPED_JUMP[motion.positions_only]
    away = _distance(motion, values, zero)  # (T, J) from zero
    gone = away < 1e-6
    spans = []
    for joint in range(1, len(motion.skeleton)):
        if gone[:, joint].mean() > 0.9:
            continue  # never animated
        for start, stop in stretches(gone[:, joint]):
            sides = [away[t, joint] for t in (start - 1, stop) if 0 <= t < len(motion)]
            if min(sides) > least:
                spans.append(Span(motion.skeleton.names[joint], start, stop, "dropped to zero"))
    return spans


def detect_frozen(motion: Motion) -> list[Span]:
    """Stretches in which a joint repeats its value to a digit while most others move.

    The frame whose value is held is sound. A still body, a joint that hardly ever moves, and feet of a motion
    of positions (which stand still on the floor) are no fault. The root is not looked at.
    """
    values, _ = _values(motion)
    if len(motion) < 3:
        return []
    step = _distance(motion, values[1:], values[:-1])  # (T - 1, J)
    same = step < 1e-7
    lively = same.mean(0) < 0.8
    lively[0] = False
    for joint in _standing(motion):
        lively[joint] = False
    if lively.sum() < 2:
        return []
    moving = (~same[:, lively]).mean(1) > 0.5
    spans = []
    for joint in np.flatnonzero(lively):
        usual = np.median(step[~same[:, joint], joint])
        for start, stop in stretches(same[:, joint]):
            long = (stop - start) / motion.fps
            back = step[stop, joint] if stop < len(step) else None
            sudden = long >= FROZEN_TO_END if back is None else back > max(3 * usual, FROZEN_JUMP)
            # a swing may come back to where it was held; then it is odd that it never was still elsewhere
            elsewhere = same[:, joint].sum() - (stop - start)
            sudden = sudden or (long >= FROZEN_TO_END and elsewhere <= FROZEN_ELSEWHERE * len(same))
            if long >= FROZEN_SECONDS and sudden and moving[start:stop].mean() > 0.8:
                spans.append(Span(motion.skeleton.names[joint], start + 1, stop + 1, "frozen"))
    return spans


def _values(motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """(T, J, 9) local rotations and their zero, or (T, J, 3) positions and theirs."""
    if motion.local_rotations is None:
        return motion.positions.astype(np.float64), np.zeros(3)
    flat = motion.local_rotations.reshape(len(motion), -1, 9).astype(np.float64)
    return flat, np.eye(3).reshape(9)


def _distance(motion: Motion, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Metres, or radians by the chord: |A - B| = 2 sqrt(2) sin(angle / 2)."""
    chord = np.linalg.norm(a - b, axis=-1)
    return chord if motion.positions_only else 2 * np.arcsin(np.clip(chord / np.sqrt(8), 0, 1))


def _standing(motion: Motion) -> list[int]:
    """Ankles and feet of a motion of positions."""
    if not motion.positions_only:
        return []
    joints = recognise_rig(motion.skeleton).joints
    feet = {source for name, source in joints.items() if name.endswith(("ankle", "foot"))}
    low = {j for j, name in enumerate(motion.skeleton.names) if name in feet}
    below = {j for j in range(len(motion.skeleton)) if low & set(motion.skeleton.ancestors(j))}
    return sorted(low | below)
