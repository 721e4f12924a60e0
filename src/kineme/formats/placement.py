"""A file's skeleton put into our world: +Y up, metres, with a rest pose that stands and faces +Z."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from kineme.formats import guess
from kineme.formats.landmarks import find_landmarks
from kineme.formats.options import ReadOptions
from kineme.formats.rest_pose import find_rest_pose
from kineme.motion import Skeleton
from kineme.motion.rigs import recognise_rig

#: with a unit that the file states, a body this tall in metres is believed
_BELIEVED = (0.8, 2.6)


@dataclass(frozen=True, eq=False)
class Placement:
    """What was decided about a skeleton and its world.

    Attributes
    ----------
    skeleton : in metres, with its rest pose and its rig's name.
    up, turn : the file's up axis, and the rotation (3, 3) from its world to ours.
    scale, units : metres per unit of the file, and that unit's name.
    guessed, notes : for the provenance.
    """

    skeleton: Skeleton
    up: str
    turn: np.ndarray
    scale: float
    units: str
    guessed: dict[str, str]
    notes: tuple[str, ...]


def find_placement(
    raw: Skeleton,
    rotations: np.ndarray,
    root: np.ndarray,
    moves: np.ndarray | None,
    options: ReadOptions,
    stated_unit: float | None = None,
) -> Placement:
    """Finds axis, rest pose and unit, as far as the options do not say them.

    Parameters
    ----------
    raw : the skeleton in the file's units and axes.
    rotations, root, moves : sampled frames, (S, J, 3, 3), (S, 3) and (S, J, 3) or None, as in the file.
    stated_unit : metres per unit by the file's own word; not believed where no body comes of it.
    """
    raw = options.mapped(raw)
    rig = recognise_rig(raw)
    marks = find_landmarks(raw, rig)
    guessed: dict[str, str] = {}
    up = options.up or guess.guess_up(raw, marks, rotations, root, moves)
    if options.up is None:
        guessed["up"] = up
    turn = guess.to_y_up(up)
    upright = rotations.copy()
    upright[:, 0] = turn @ upright[:, 0]
    rest = find_rest_pose(raw, marks, upright)
    skeleton = replace(raw, offsets=rest.offsets, rest_rotations=rest.rotations, name=rig.rig)
    scale, units, notes = choose_unit(skeleton.rest_height, options, guessed, stated_unit)
    notes = (*([rest.note] if rest.note else []), *notes)
    return Placement(skeleton.scaled(scale), up, turn, scale, units, guessed, notes)


def choose_unit(
    height: float, options: ReadOptions, guessed: dict[str, str], stated: float | None = None
) -> tuple[float, str, tuple[str, ...]]:
    """Metres per unit, its name and notes, for a body of `height` units; a guess is entered in `guessed`."""
    if options.unit is not None:
        return options.unit, guess.unit_name(options.unit), ()
    if stated is not None and _BELIEVED[0] <= stated * height <= _BELIEVED[1]:
        return stated, guess.unit_name(stated), ()
    scale, units, fits = guess.guess_unit(height)
    guessed["unit"] = units
    note = f"no usual unit makes the body 1.2 to 2.1 m tall: one unit was taken as {units}"
    return scale, units, () if fits else (note,)
