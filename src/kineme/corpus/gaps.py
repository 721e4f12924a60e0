"""Frames without usable numbers: interpolated where there are few in a row, otherwise refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.formats import ReadOptions, load_all
from kineme.formats.soundness import count_held
from kineme.motion import Motion
from kineme.motion.rotations import slerp
from kineme.motion.stretches import stretches

#: seconds in a row that are made up between their neighbours
LONGEST_GAP = 0.25


def read_motions(file: Path, options: ReadOptions) -> tuple[list[Motion], list[str]]:
    """Motions, and repairs that the reader made. Short gaps in the numbers are filled without being asked."""
    try:
        motions = load_all(file, options)
    except InputError:
        motions = [] if options.repair else _read_with_gaps(file, options)
        if not motions:
            raise
    repairs: list[str] = []
    mended = []
    for motion in motions:
        if len(motion) < 2:
            raise InputError("there is a single frame: a pose, not a motion; leave the file out", file)
        notes = _repair_notes(motion)
        held = _held_frames(motion)
        if held is not None and _longest_run(held) <= LONGEST_GAP * motion.fps:
            motion = fill_gaps(motion, held)
            notes = [note for note in notes if not count_held([note])]
            notes.append(f"{held.sum()} frames without usable numbers were interpolated")
        repairs += [text for note in notes if (text := note.removeprefix("repaired: ")) not in repairs]
        mended.append(motion)
    return mended, repairs


def _repair_notes(motion: Motion) -> list[str]:
    return [note for note in motion.provenance.notes if note.startswith("repaired: ")]


def _read_with_gaps(file: Path, options: ReadOptions) -> list[Motion]:
    """The motions of a file whose only fault are short gaps; empty where there is more to it."""
    try:
        motions = load_all(file, replace(options, repair=True))
    except InputError:
        return []
    for motion in motions:
        if not all(count_held([note]) for note in _repair_notes(motion)):
            return []
        held = _held_frames(motion)
        longest = count_held(motion.provenance.notes) if held is None else _longest_run(held)
        if longest > LONGEST_GAP * motion.fps:
            return []
    return motions


def _held_frames(motion: Motion) -> np.ndarray | None:
    """(T,) bool: the frames in which the reader held a neighbour; None where that is not certain."""
    same = np.ones(len(motion) - 1, dtype=bool)
    for array in _arrays(motion):
        same &= (np.diff(array, axis=0) == 0).reshape(len(same), -1).all(axis=1)
    count = count_held(motion.provenance.notes)
    return np.concatenate([[False], same]) if count and same.sum() == count else None


def _arrays(motion: Motion) -> list[np.ndarray]:
    arrays = (
        motion.root_translation,
        motion.local_rotations,
        motion.local_translations,
        motion.given_positions,
    )
    return [array for array in arrays if array is not None]


def _longest_run(flags: np.ndarray) -> int:
    return max((stop - start for start, stop in stretches(flags)), default=0)


def fill_gaps(motion: Motion, bad: np.ndarray) -> Motion:
    """The motion with frames `bad` (T,) made up between their sound neighbours, and held at the ends.

    Rotations go along the shortest arc, all else linearly. Raises InputError if no frame is sound.
    """
    good = np.flatnonzero(~bad)
    if len(good) == 0:
        raise InputError("no frame has usable numbers; export it again")
    where = np.flatnonzero(bad)
    after = np.searchsorted(good, where)
    low, high = good[np.maximum(after - 1, 0)], good[np.minimum(after, len(good) - 1)]
    low = np.where(after == 0, high, low)
    weight = np.where(high > low, (where - low) / np.maximum(high - low, 1), 0.0).astype(np.float32)

    def linear(array: np.ndarray | None) -> np.ndarray | None:
        if array is None:
            return None
        filled, share = array.copy(), weight.reshape(-1, *[1] * (array.ndim - 1))
        filled[where] = array[low] * (1 - share) + array[high] * share
        return filled

    rotations = motion.local_rotations
    if rotations is not None and len(where):
        rotations = rotations.copy()
        share = np.broadcast_to(weight[:, None], (len(where), rotations.shape[1]))
        rotations[where] = slerp(rotations[low], rotations[high], share)
    return motion.replace(
        root_translation=linear(motion.root_translation),
        local_rotations=rotations,
        local_translations=linear(motion.local_translations),
        given_positions=linear(motion.given_positions),
        source=None,
    )


def without_gaps(motion: Motion) -> tuple[Motion, list[str]]:
    """Frames with NaN or infinity interpolated where a run of them is short; InputError where one is long."""
    bad = np.zeros(len(motion), dtype=bool)
    for array in _arrays(motion):
        bad |= ~np.isfinite(array.reshape(len(motion), -1)).all(axis=1)
    if not bad.any():
        return motion, []
    longest = _longest_run(bad) / motion.fps
    if longest > LONGEST_GAP or bad.all():
        raise InputError(
            f"{bad.sum()} of {len(bad)} frames have no usable numbers, {longest:.2f} s of them in a row "
            f"(up to {LONGEST_GAP} s are interpolated); export it again"
        )
    return fill_gaps(motion, bad), [f"{bad.sum()} frames without usable numbers were interpolated"]
