"""Frames with numbers that no body can have: refused, or under `--repair` replaced by a neighbour."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.formats.options import MAX_POSES
from kineme.motion.stretches import stretches

_HELD = re.compile(r"repaired: (\d+) of \d+ frames have missing or unusable numbers")


def check_amount(frames: int, joints: int, path: Path) -> None:
    """Raises InputError where a motion would take gigabytes, however small the file that says so."""
    if frames * joints > MAX_POSES:
        raise InputError(
            f"{frames} frames of {joints} joints are too many at once; cut it into shorter takes", path
        )


def sound_frames(
    sound: np.ndarray, repair: bool, path: Path, example: str = "", line: int | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Which frame to take for each frame, and notes on what was replaced.

    Parameters
    ----------
    sound : (T,) bool; frames that may be used.
    repair : whether unsound frames may hold the last sound one (the first sound one at the beginning).
    example : what the first unsound number is, for the message; `line` is where it stands.

    Returns
    -------
    index (T,) of frames. Raises InputError where there are unsound frames and repairing was not asked for,
    or where none is sound.
    """
    index = np.arange(len(sound))
    if sound.all():
        return index, ()
    count, first = int((~sound).sum()), int(np.argmin(sound)) + 1
    what = f"{count} of {len(sound)} frames have missing or unusable numbers, the first is frame {first}"
    if example:
        what = f"{what} ({example})"
    if not sound.any():
        raise InputError(f"{what}; export it again", path, line)
    if not repair:
        raise InputError(
            f"{what}; export it again, or give --repair to hold the last sound frame there", path, line
        )
    index = np.maximum.accumulate(np.where(sound, index, -1))
    index[index < 0] = int(np.argmax(sound))
    return index, (f"repaired: {what}; they hold a neighbour",)


def count_held(notes: Iterable[str]) -> int:
    """How many frames of a motion hold a neighbour, from the notes that `sound_frames` made."""
    return sum(int(match[1]) for note in notes if (match := _HELD.match(note)))


def mend_holes(values: np.ndarray, sound: np.ndarray, path: Path) -> np.ndarray:
    """Columns (T, C) with what is not `sound` (T, C) on the line between its neighbours in time.

    Raises InputError where a column has no sound number.
    """
    empty = np.flatnonzero(~sound.any(axis=0))
    if len(empty):
        raise InputError(f"column {empty[0] + 1} of the motion has no usable number; export it again", path)
    mended, frames = values.copy(), np.arange(len(values))
    for column in np.flatnonzero(~sound.all(axis=0)):
        good = sound[:, column]
        mended[~good, column] = np.interp(frames[~good], frames[good], values[good, column])
    return mended


def hole_runs(missing: np.ndarray) -> tuple[tuple[int, int, int], ...]:
    """`Provenance.holes` of joints (T, J) without usable numbers."""
    gone = np.flatnonzero(missing.any(axis=0)).tolist()
    return tuple((joint, a, b) for joint in gone for a, b in stretches(missing[:, joint]))
