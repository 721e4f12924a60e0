"""Skeletons that files of bare joints come in: names and parents, asked for by name, never by count."""

from __future__ import annotations

from kineme.errors import UsageError
from kineme.motion.canonical import JOINTS, PARENTS

_HAND = ("index", "middle", "pinky", "ring", "thumb")
_SMPL_HANDS = tuple(
    f"{side}_{finger}{k}" for side in ("left", "right") for finger in _HAND for k in (1, 2, 3)
)
_SMPL_HAND_PARENTS = tuple(
    wrist if k == 0 else 22 + 15 * side + 3 * finger + k - 1
    for side, wrist in ((0, 20), (1, 21))
    for finger in range(5)
    for k in range(3)
)

_H36M = (
    *(("pelvis", -1), ("right_hip", 0), ("right_knee", 1), ("right_ankle", 2)),
    *(("left_hip", 0), ("left_knee", 4), ("left_ankle", 5)),
    *(("spine", 0), ("thorax", 7), ("nose", 8), ("head", 9)),
    *(("left_shoulder", 8), ("left_elbow", 11), ("left_wrist", 12)),
    *(("right_shoulder", 8), ("right_elbow", 14), ("right_wrist", 15)),
)

_SKELETONS: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "smpl22": (JOINTS, PARENTS),
    "smpl24": ((*JOINTS, "left_hand", "right_hand"), (*PARENTS, 20, 21)),
    "smplh52": ((*JOINTS, *_SMPL_HANDS), (*PARENTS, *_SMPL_HAND_PARENTS)),
    "h36m17": (tuple(name for name, _ in _H36M), tuple(parent for _, parent in _H36M)),
}
#: what `known_skeleton` knows
SKELETON_NAMES: tuple[str, ...] = tuple(_SKELETONS)


def known_skeleton(name: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Joint names and parents of the skeleton called `name`; raises UsageError with the known ones."""
    try:
        return _SKELETONS[name.lower()]
    except KeyError:
        raise UsageError(f"no skeleton is called {name!r}; there are {', '.join(_SKELETONS)}") from None


def skeleton_by_names(names: tuple[str, ...]) -> tuple[str, tuple[int, ...]] | None:
    """The known skeleton with exactly these names in this order, and its parents; None if there is none."""
    for name, (known, parents) in _SKELETONS.items():
        if known == tuple(names):
            return name, parents
    return None
