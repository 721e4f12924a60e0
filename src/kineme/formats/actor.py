"""HumanAct12 and UESTC as ACTOR holds them: pickles of lists of clips, with an action for each clip.

- ``humanact12poses.pkl``: ``poses`` [(T, 72)] rotation vectors of SMPL, ``joints3D`` [(T, 24, 3)] metres,
  ``y`` [action from 0 to 11].
- ``vibe_cache_refined.pkl`` (UESTC): ``pose`` [(T, 72)], ``joints3d`` [(T, 49, 3)], ``orig_cam`` [(T, 4)];
  which clip is which stands in ``info/names.txt`` beside it (``a12_d3_p045_c1_color.avi``: action, view,
  person, camera), the names of the actions in ``info/action_classes.txt``.

Neither says its frame rate. HumanAct12 is taken at 20 frames per second, the rate at which it is commonly
shown, and UESTC at the 30 of its camera; `--source-fps` says otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kineme.errors import InputError
from kineme.formats.options import Format, ReadOptions
from kineme.formats.safe_pickle import read_pickle
from kineme.formats.smpl_pose import rotation_vectors, smpl_motion, up_axis
from kineme.formats.soundness import check_amount
from kineme.motion import Motion, Provenance, Segment
from kineme.motion.canonical import JOINTS

#: the coarse actions of HumanAct12 in the order of their numbers
HUMANACT12_ACTIONS = (
    *("warm up", "walk", "run", "jump", "drink", "lift dumbbell"),
    *("sit", "eat", "turn steering wheel", "phone", "boxing", "throw"),
)
_HUMANACT12_FPS, _UESTC_FPS = 20.0, 30.0
_VIDEO = re.compile(r"a(\d+)_d(\d+)_p(\d+)_c(\d+)")
_MAX_INFO_BYTES = 4 * 1024**2


@dataclass(frozen=True, eq=False)
class _Clip:
    vectors: np.ndarray  # (T, 22, 3)
    root: np.ndarray  # (T, 3)
    label: str
    note: str


def read(path: Path, options: ReadOptions) -> list[Motion]:
    """The clips of the data set, each with its action as a label; see `kineme.formats.load`."""
    data = read_pickle(path)
    keys = set(data) if isinstance(data, dict) else set()
    if {"v_template", "weights"} <= keys:
        raise InputError("this is a body model without motion", path)
    if {"poses", "joints3D", "y"} <= keys:
        clips, fps = _humanact12(data, path), _HUMANACT12_FPS
    elif {"pose", "joints3d"} <= keys:
        clips, fps = _uestc(data, path), _UESTC_FPS
    else:
        raise InputError(
            "of pickles, those of ACTOR are read (HumanAct12: poses, joints3D, y; UESTC: pose, joints3d)",
            path,
        )
    check_amount(sum(len(clip.vectors) for clip in clips), len(JOINTS), path)
    up = options.up or up_axis([clip.vectors for clip in clips])
    guessed = {} if options.up else {"up": up}
    if options.fps is None:
        guessed["fps"] = f"{fps:g}"
    fps = options.fps or fps
    motions = []
    for clip in clips:
        labels = (Segment(0.0, len(clip.vectors) / fps, clip.label),) if clip.label else ()
        told = Provenance(str(path), "actor", notes=(clip.note,), guessed=guessed)
        motions.append(smpl_motion(clip.vectors, clip.root, fps, up, told, options, labels))
    return motions


def _lists(data: dict[Any, Any], names: Sequence[str], path: Path) -> list[list[Any]]:
    """The entries of `names`, of which each must be a list of clips, all of the same length."""
    found = []
    for name in names:
        value = data[name]
        if isinstance(value, np.ndarray) and value.ndim:
            value = list(value)
        if not isinstance(value, list | tuple) or not value:
            raise InputError(f"{name!r} is no list of clips", path)
        found.append(list(value))
    if len({len(value) for value in found}) != 1:
        counts = ", ".join(f"{len(value)} of {name}" for name, value in zip(names, found, strict=True))
        raise InputError(f"there are not as many clips of each kind: {counts}", path)
    return found


def _humanact12(data: dict[Any, Any], path: Path) -> list[_Clip]:
    clips = []
    poses, joints, actions = _lists(data, ("poses", "joints3D", "y"), path)
    for number, (pose, places, action) in enumerate(zip(poses, joints, actions, strict=True)):
        vectors = rotation_vectors(pose, path, f"clip {number}")
        places = _array(places, path, number)
        if places.ndim != 3 or len(places) != len(vectors) or places.shape[1] < 1 or places.shape[2] != 3:
            raise InputError(f"clip {number} has joints3D of the shape {places.shape}", path)
        index = _number(action)
        if not 0 <= index < len(HUMANACT12_ACTIONS):
            raise InputError(f"clip {number} has an action that is none of HumanAct12's twelve", path)
        note = f"clip {number} of HumanAct12"
        clips.append(_Clip(vectors, places[:, 0], HUMANACT12_ACTIONS[index], note))
    return clips


def _uestc(data: dict[Any, Any], path: Path) -> list[_Clip]:
    (poses,) = _lists(data, ("pose",), path)
    cameras: list[Any] = [None] * len(poses)
    if "orig_cam" in data:
        poses, cameras = _lists(data, ("pose", "orig_cam"), path)
    videos, classes = map(_lines, _beside(path, ReadOptions()))
    if videos and len(videos) != len(poses):
        raise InputError(f"info/names.txt names {len(videos)} clips and there are {len(poses)}", path)
    clips = []
    for number, (pose, camera) in enumerate(zip(poses, cameras, strict=True)):
        vectors = rotation_vectors(pose, path, f"clip {number}")
        root = np.zeros((len(vectors), 3))
        if camera is not None:
            camera = _array(camera, path, number)
            if camera.shape != (len(vectors), 4):
                raise InputError(f"clip {number} has an orig_cam of the shape {camera.shape}", path)
            root[:, :2] = camera[:, 2:4] - camera[0, 2:4]  # metres across the picture; depth is not known
        label, video = "", ""
        if videos:
            match = _VIDEO.match(videos[number])
            if match is None:
                raise InputError(f"info/names.txt: {videos[number][:60]!r} is no video of UESTC", path)
            action = int(match[1])
            label = classes[action] if action < len(classes) else f"action {action}"
            video = f", action {action}, view {int(match[2])}, person {int(match[3])}, camera {int(match[4])}"
        clips.append(
            _Clip(vectors, root, label, f"clip {number} of UESTC{video}; its way in depth is left out")
        )
    return clips


def _array(value: Any, path: Path, number: int) -> np.ndarray:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        raise InputError(f"clip {number} holds no array of numbers", path)
    return value.astype(np.float64)


def _number(value: Any) -> int:
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "iu":
        value = value.reshape(-1)[0]
    return int(value) if isinstance(value, int | np.integer) else -1


def _beside(path: Path, options: ReadOptions) -> list[Path]:
    """Of UESTC: which clip is which, and what the actions are called."""
    return [path.parent / "info" / name for name in ("names.txt", "action_classes.txt")]


def _lines(file: Path) -> list[str]:
    """The lines of a file; none where it is absent."""
    if not file.is_file() or file.stat().st_size > _MAX_INFO_BYTES:
        return []
    return file.read_text(encoding="utf-8", errors="replace").splitlines()


def _sniff(path: Path, head: bytes) -> bool:
    return path.suffix.lower() == ".pkl" and any(key in head for key in (b"pose", b"joints3", b"orig_cam"))


FORMAT = Format("actor", (".pkl",), "HumanAct12 or UESTC as ACTOR holds them", read, None, _sniff, _beside)
