"""SMPL's rotation vectors as motions of the canonical body: what the readers of its data sets share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.formats import guess
from kineme.formats.options import MAX_VALUE, ReadOptions
from kineme.formats.quirks import note_quirks
from kineme.formats.soundness import sound_frames
from kineme.motion import SMPL22, Motion, Provenance, Segment
from kineme.motion.canonical import INDEX, JOINTS
from kineme.motion.kinematics import forward_kinematics
from kineme.motion.rotations import axis_angle_to_matrix

#: clips and frames that are looked at for the up axis
_CLIPS, _FRAMES = 200, 16
_ANKLES = [INDEX["left_ankle"], INDEX["right_ankle"]]


def up_axis(clips: Sequence[np.ndarray]) -> str:
    """The axis, such as ``-Y``, along which bodies stand on the whole: the median way from ankles to head.

    Parameters
    ----------
    clips : rotation vectors (T, 22, 3) each.
    """
    ways = []
    for clip in clips[:: max(1, len(clips) // _CLIPS)]:
        some = clip[:: max(1, len(clip) // _FRAMES)]
        places, _ = forward_kinematics(SMPL22, axis_angle_to_matrix(some), np.zeros((len(some), 3)))
        ways.append(places[:, INDEX["head"]] - places[:, _ANKLES].mean(axis=1))
    way = np.median(np.concatenate(ways), axis=0)
    axis = int(np.argmax(np.abs(way)))
    return ("+" if way[axis] > 0 else "-") + "XYZ"[axis]


def smpl_motion(
    vectors: np.ndarray,
    root: np.ndarray,
    fps: float,
    up: str,
    provenance: Provenance,
    options: ReadOptions,
    labels: tuple[Segment, ...] = (),
) -> Motion:
    """A motion of the canonical body, moved up or down so that its lowest joint is on the floor.

    Parameters
    ----------
    vectors : (T, 22, 3) rotation vectors, root : (T, 3) the pelvis in metres; both in the file's world.
    up : the up axis of that world. provenance : without what is decided here.

    Raises InputError for numbers that no body has.
    """
    numbers = np.concatenate([vectors.reshape(len(vectors), -1), root], axis=1).astype(np.float64)
    sound = np.all(np.abs(numbers) <= MAX_VALUE, axis=1)
    index, repairs = sound_frames(sound, options.repair, Path(provenance.file))
    numbers = numbers[index]
    turn = guess.to_y_up(up)
    local = axis_angle_to_matrix(numbers[:, :-3].reshape(-1, len(JOINTS), 3))
    local[:, 0] = turn @ local[:, 0]
    root = numbers[:, -3:] @ turn.T
    places, _ = forward_kinematics(SMPL22, local, root)
    root = root - np.array([0, places[..., 1].min(), 0])
    notes = (
        *("canonical proportions (the body's own shape needs the licensed model)", *provenance.notes),
        *("the lowest joint is put on the floor", *repairs),
    )
    told = Provenance(provenance.file, provenance.format, fps, 1.0, "m", up, notes, dict(provenance.guessed))
    return note_quirks(Motion(SMPL22, fps, root, local, labels=labels, provenance=told))


def rotation_vectors(array: object, path: Path, what: str) -> np.ndarray:
    """(T, 22, 3) of an array (T, 66 or more) or (T, J, 3); InputError where it is none."""
    if (
        not isinstance(array, np.ndarray)
        or array.dtype.kind != "f"
        or array.ndim not in (2, 3)
        or not len(array)
    ):
        raise InputError(f"{what} holds no rotation vectors", path)
    flat = array.reshape(len(array), -1)
    if flat.shape[1] < 3 * len(JOINTS) or flat.shape[1] % 3:
        raise InputError(f"{what} has {flat.shape[1]} numbers a frame, where SMPL has 72", path)
    return flat[:, : 3 * len(JOINTS)].reshape(len(flat), len(JOINTS), 3)
