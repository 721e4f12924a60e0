"""AMASS: SMPL-H ``*_poses.npz`` and SMPL-X ``*_stageii.npz``, as a motion of the canonical 22 joints.

Both hold axis-angle rotations of SMPL's joints in a world with +Z up, in metres. Fingers, face and the
body's shape (``betas``) are left out: the shape needs the licensed model, so bones get the canonical
proportions, and feet can float or sink by a few centimetres.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.formats import guess
from kineme.formats.arrays import open_npz
from kineme.formats.options import MAX_VALUE, Format, ReadOptions
from kineme.formats.quirks import note_quirks
from kineme.formats.soundness import check_amount, sound_frames
from kineme.motion import SMPL22, Motion, Provenance
from kineme.motion.canonical import JOINTS
from kineme.motion.retarget import to_standard_body
from kineme.motion.rotations import axis_angle_to_matrix, matrix_to_axis_angle

_BODY = 3 * len(JOINTS)
_RATES = ("mocap_framerate", "mocap_frame_rate", "fps")
#: where the pelvis of SMPL's mean body lies from the origin that ``trans`` moves, in the body's own axes
_PELVIS = np.array([-0.002, -0.223, 0.028])
_KEYS = ("poses", "trans", "root_orient", "pose_body", *_RATES)


def read(path: Path, options: ReadOptions) -> list[Motion]:
    """The motion of an AMASS file. See `kineme.formats.load` for what is raised."""
    arrays = open_npz(path, _KEYS)
    vectors, left_out = _vectors(arrays, path)
    trans = arrays.get("trans")
    if trans is None or trans.shape != (len(vectors), 3) or trans.dtype.kind not in "fiu":
        raise InputError("'trans' must have a row of three numbers for every frame of the poses", path)
    trans = trans.astype(np.float64)
    notes = ["canonical proportions (the body's own shape needs the licensed model)"]
    if left_out:
        notes.append(f"{left_out} were left out")
    numbers = np.concatenate([vectors, trans], axis=1)
    sound = np.all(np.abs(numbers) <= MAX_VALUE, axis=1)
    index, repairs = sound_frames(sound, options.repair, path)
    vectors, trans = vectors[index], trans[index]
    fps = options.fps or _rate(arrays, path)
    scale = options.unit or 1.0
    up = options.up or "+Z"
    turn = guess.to_y_up(up)
    local = axis_angle_to_matrix(vectors.reshape(len(vectors), len(JOINTS), 3))
    local[:, 0] = turn @ local[:, 0]
    root = (trans * scale + _PELVIS) @ turn.T
    provenance = Provenance(
        str(path), "amass", fps, scale, guess.unit_name(scale), up, tuple([*notes, *repairs]), {}
    )
    return [note_quirks(Motion(SMPL22, fps, root, local, provenance=provenance))]


def _vectors(arrays: dict[str, np.ndarray], path: Path) -> tuple[np.ndarray, str]:
    """Rotation vectors (T, 66) of the 22 joints, and what else the file holds."""
    if "poses" in arrays:
        poses = arrays["poses"]
        if poses.ndim != 2 or poses.shape[1] < _BODY or poses.shape[1] % 3 or poses.dtype.kind != "f":
            raise InputError(
                f"'poses' must have the shape (frames, 156) or (frames, 72), not {poses.shape}", path
            )
        result, left_out = poses[:, :_BODY], "fingers" if poses.shape[1] > 72 else ""
    else:
        root, body = arrays.get("root_orient"), arrays.get("pose_body")
        if root is None or body is None or root.ndim != 2 or body.ndim != 2:
            raise InputError("there is neither 'poses' nor 'root_orient' with 'pose_body' in this .npz", path)
        plain = root.dtype.kind == body.dtype.kind == "f"
        if root.shape[1] != 3 or body.shape != (len(root), _BODY - 3) or not plain:
            raise InputError(f"'root_orient' {root.shape} and 'pose_body' {body.shape} do not fit", path)
        result, left_out = np.concatenate([root, body], axis=1), "fingers and face"
    check_amount(len(result), len(JOINTS), path)
    if len(result) == 0:
        raise InputError("there are no frames in it", path)
    return result.astype(np.float64), left_out


def _rate(arrays: dict[str, np.ndarray], path: Path) -> float:
    for key in _RATES:
        if key in arrays and arrays[key].size == 1 and arrays[key].dtype.kind in "fiu":
            rate = float(arrays[key].reshape(()))
            if 0.5 <= rate <= 2000:
                return rate
    raise InputError("the file has no usable mocap_framerate; give it with --source-fps", path)


def write(motion: Motion, path: Path) -> None:
    """Write SMPL-H ``.npz``: ``poses`` (T, 156) with still fingers, ``trans``, zero ``betas``, +Z up.

    Zero ``betas`` say a mean body, so the root's way is scaled by the ratio of leg lengths.

    Raises InputError for a motion that is not of the canonical body with rotations.
    """
    if motion.local_rotations is None or motion.skeleton.names != JOINTS:
        raise InputError("an AMASS file holds the canonical 22 joints; retarget the motion first")
    motion = to_standard_body(motion)
    assert motion.local_rotations is not None
    turn = guess.to_y_up("+Z").T
    local = motion.local_rotations.astype(np.float64)
    local[:, 0] = turn @ local[:, 0]
    poses = np.zeros((len(motion), 156))
    poses[:, :_BODY] = matrix_to_axis_angle(local).reshape(len(motion), _BODY)
    with open(path, "wb") as file:
        np.savez_compressed(
            file,
            poses=poses,
            trans=motion.root_translation.astype(np.float64) @ turn.T - _PELVIS,
            betas=np.zeros(16),
            dmpls=np.zeros((len(motion), 8)),
            gender=np.array("neutral"),
            mocap_framerate=np.array(float(motion.fps)),
        )


def _sniff(path: Path, head: bytes) -> bool:
    if not head.startswith(b"PK"):
        return False
    try:
        names = set(open_npz(path, ()))
    except InputError:
        return False
    return "poses" in names or {"root_orient", "pose_body"} <= names


FORMAT = Format("amass", (".npz",), "AMASS SMPL-H or SMPL-X", read, write, _sniff)
