"""HumanML3D: ``new_joints/*.npy`` (T, 22, 3) and ``new_joint_vecs/*.npy`` (T, 263), at 20 frames per second.

Both hold positions of SMPL's 22 joints, with +Y up, in metres; the rotations among the 263 numbers were made
from positions and are left out. The motions are marked as positions only. Captions in ``texts/ID.txt`` beside
these folders become labels.

The 263 numbers of a frame: half the turn of the facing to the next frame [rad], way of the root to the next
frame in the ground plane (2), height of the root, places of 21 joints from the root on the ground seen along
the facing (63), and 126 + 66 + 4 numbers that places do not need (rotations, speeds, feet on the ground).
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.formats.arrays import open_npy
from kineme.formats.joints import motion_of_joints
from kineme.formats.options import Format, ReadOptions
from kineme.formats.soundness import check_amount
from kineme.motion import Motion, Segment
from kineme.motion.canonical import JOINTS

#: frames per second of the whole data set
FPS = 20.0
_WIDTH = 263
_JOINTS_FOLDER, _VECTORS_FOLDER = "new_joints", "new_joint_vecs"
_MAX_TEXT_BYTES = 1024**2


def read(path: Path, options: ReadOptions) -> list[Motion]:
    """The motion of one file, with its captions; see `kineme.formats.load`."""
    array = open_npy(path)
    if array.dtype.kind != "f" or array.ndim < 2 or not len(array):
        raise InputError("HumanML3D's files hold floating point numbers, a row a frame", path)
    check_amount(len(array), len(JOINTS), path)
    if array.ndim == 2 and array.shape[1] == _WIDTH:
        places = positions_of_vectors(np.array(array, dtype=np.float64))
        note = "positions of HumanML3D's vectors; their rotations are left out"
    elif array.shape[1:] == (len(JOINTS), 3):
        places, note = np.array(array, dtype=np.float64), "positions of HumanML3D"
    else:
        raise InputError(
            f"HumanML3D's files have the shape (frames, 22, 3) or (frames, 263), not {array.shape}", path
        )
    motion = motion_of_joints(places, "smpl22", options.fps or FPS, path, options, "humanml3d", note)
    return [motion.replace(labels=_captions(path, motion.duration))]


def positions_of_vectors(vectors: np.ndarray) -> np.ndarray:
    """(T, 22, 3) metres of vectors (T, 263).

    The facing of a frame is the sum of the turns before it; the root's way is seen along the facing of the
    frame that it leads to.
    """
    turned = np.concatenate([[0.0], np.cumsum(vectors[:-1, 0])]) * -2
    along = np.zeros((len(vectors), 3))
    along[1:, [0, 2]] = vectors[:-1, 1:3]
    root = np.cumsum(_about_y(turned, along[:, None])[:, 0], axis=0)
    root[:, 1] = vectors[:, 3]
    rest = _about_y(turned, vectors[:, 4:67].reshape(len(vectors), 21, 3))
    rest[..., [0, 2]] += root[:, None, [0, 2]]
    return np.concatenate([root[:, None], rest], axis=1)


def _about_y(angles: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (T, K, 3) turned about +Y by angles (T,) in radians."""
    cosine, sine = np.cos(angles)[:, None], np.sin(angles)[:, None]
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    return np.stack([cosine * x + sine * z, y, cosine * z - sine * x], axis=-1)


def _captions(path: Path, duration: float) -> tuple[Segment, ...]:
    """Lines ``caption#words with tags#start#end`` in seconds; 0 and 0 is the whole clip."""
    (file,) = _beside(path, ReadOptions())
    if not file.is_file() or file.stat().st_size > _MAX_TEXT_BYTES:
        return ()
    found = []
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split("#")
        try:
            start, end = float(words[2]), float(words[3])
        except (IndexError, ValueError):
            continue  # a line that is no caption takes nothing from the motion
        if not (math.isfinite(start) and math.isfinite(end) and 0 <= start < end):
            start, end = 0.0, duration
        if words[0].strip() and start < duration:
            found.append(Segment(start, min(end, duration), words[0].strip(), "caption"))
    return tuple(found)


def _beside(path: Path, options: ReadOptions) -> list[Path]:
    """Its captions."""
    return [path.parent.parent / "texts" / f"{path.stem}.txt"]


def _sniff(path: Path, head: bytes) -> bool:
    """By the folder that the data set puts them in, or by the width of its vectors; never by 22 joints."""
    if path.suffix.lower() != ".npy" or not head.startswith(b"\x93NUMPY"):
        return False
    try:
        array = open_npy(path)
    except InputError:
        return False
    if array.ndim == 2 and array.shape[1] == _WIDTH:
        contacts = np.asarray(array[:64, -4:])
        return array.dtype.kind == "f" and bool(np.isin(contacts, (0, 1)).all())
    return path.parent.name == _JOINTS_FOLDER and array.shape[1:] == (len(JOINTS), 3)


FORMAT = Format("humanml3d", (".npy",), "HumanML3D's joints or vectors", read, None, _sniff, _beside)
