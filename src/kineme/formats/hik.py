"""Humans in Kitchens: ``poses/KITCHEN_PERSON_SEQUENCE.npz``, SMPL-X rotations of a person at 25 fps.

Arrays: ``transforms`` (T, 6) translation and rotation vector of the body, ``smpl`` (T, 21, 3) rotation
vectors of the joints below the pelvis, ``poses3d`` (T, 29, 3) metres with the pelvis first, ``frames`` (T,)
numbers of video frames, ``act`` (T, 82) which activities go on, ``betas`` (10,). Where frame numbers jump,
another motion begins. Activities become labels, in the data set's own words; several go on at a time.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.formats.arrays import open_npz
from kineme.formats.options import Format, ReadOptions
from kineme.formats.smpl_pose import smpl_motion, up_axis
from kineme.formats.soundness import check_amount
from kineme.motion import Motion, Provenance, Segment
from kineme.motion.canonical import JOINTS

FPS = 25.0
_KEYS = ("transforms", "smpl", "poses3d", "frames", "act")
#: the columns of ``act``
ACTIVITIES: tuple[str, ...] = tuple(
    """
    carry cake|carry cup|carry plate|carry whiteboard eraser|carry whiteboard marker
    check water in coffee machine|clean countertop|clean dish|close cupboard|close dishwasher
    close drawer|close fridge|close window|cut cake in pieces|draw on whiteboard
    drink|eat cake|eat fruit|empty cup in sink|empty dishwasher
    empty ground from coffee machine|empty water from coffee machine|erase on whiteboard|fill coffee beens
    fill water tank|fill water to coffee machine|fussball|kneeling|kneeling down|leaning
    leaning down|listening|make coffee|mark coffee|open cupboard
    open dishwasher|open drawer|open fridge|open window|peal fruit
    phone call|place cake on plate|place cake on table|place cup onto coffee machine|place in dishwasher
    place sheet onto whiteboard|place water tank in coffee machine|pour kettle|pour milk|press coffee button
    put cake in fridge|put cup in microwave|put sugar in cup|put teabag in cup|put water in glass
    put water in kettle|read paper|remove sheet from whiteboard|sitting|sitting down
    squatting|standing|standing up|start dishwasher|start microwave
    steps|take cake out of fridge|take cup from coffee machine|take cup out of microwave
    take dish out of cupboard
    take kettle|take milk|take piece of cake|take teabag|take water from sink
    take water tank from coffee machine|talking|throw in trash|use laptop|use smartphone
    walking|washing hands
    """.strip()
    .replace("\n", "|")
    .split("|")
)
ACTIVITIES = tuple(name.strip() for name in ACTIVITIES)


def read(path: Path, options: ReadOptions) -> list[Motion]:
    """The unbroken stretches of one person's motion; see `kineme.formats.load`."""
    arrays = open_npz(path, _KEYS)
    for name in _KEYS:
        if name not in arrays or arrays[name].dtype.kind not in "fiub" or not arrays[name].ndim:
            raise InputError(f"the array {name!r} is missing or holds no numbers", path)
    count = len(arrays["smpl"])
    shapes = {"transforms": (count, 6), "smpl": (count, 21, 3), "frames": (count,)}
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise InputError(f"{name!r} has the shape {arrays[name].shape} instead of {shape}", path)
    places, acts = arrays["poses3d"], arrays["act"]
    if places.ndim != 3 or len(places) != count or places.shape[1] < 1 or places.shape[2] != 3 or count == 0:
        raise InputError(f"'poses3d' has the shape {places.shape} instead of ({count}, 29, 3)", path)
    if acts.shape != (count, len(ACTIVITIES)):
        raise InputError(f"'act' has the shape {acts.shape} instead of {(count, len(ACTIVITIES))}", path)
    check_amount(count, len(JOINTS), path)
    vectors = np.concatenate([arrays["transforms"][:, None, 3:], arrays["smpl"]], axis=1).astype(np.float64)
    up = options.up or up_axis([vectors])
    frames = arrays["frames"].astype(np.float64)
    edges = [0, *(np.flatnonzero(np.diff(frames) != 1) + 1).tolist(), count]
    fps = options.fps or FPS
    motions = []
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        notes = (f"from video frame {frames[start]:.0f}",)
        told = Provenance(str(path), "hik", notes=notes, guessed={} if options.up else {"up": up})
        labels = _labels(acts[start:stop], fps)
        cut = slice(start, stop)
        motions.append(smpl_motion(vectors[cut], places[cut, 0], fps, up, told, options, labels))
    return motions


def _labels(acts: np.ndarray, fps: float) -> tuple[Segment, ...]:
    """The runs of every activity, in the order of their beginnings."""
    found = []
    on = np.pad(acts > 0.5, ((1, 1), (0, 0))).astype(np.int8)
    for column, name in enumerate(ACTIVITIES):
        steps = np.diff(on[:, column])
        for start, stop in zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1), strict=True):
            found.append(Segment(float(start / fps), float(stop / fps), name))
    return tuple(sorted(found, key=lambda segment: (segment.start, segment.end, segment.label)))


def _sniff(path: Path, head: bytes) -> bool:
    if not head.startswith(b"PK"):
        return False
    try:
        return {"transforms", "smpl", "poses3d", "act"} <= set(open_npz(path, ()))
    except InputError:
        return False


FORMAT = Format("hik", (".npz",), "Humans in Kitchens", read, None, _sniff)
