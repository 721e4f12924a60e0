"""What a file does not say: its unit, its up axis, and what its position channels mean."""

from __future__ import annotations

import numpy as np

from kineme.formats.landmarks import Landmarks
from kineme.motion import Skeleton
from kineme.motion.kinematics import end_site_positions, forward_kinematics

#: name and metres of the units that motion files come in
UNITS: dict[str, float] = {
    "m": 1.0,
    "cm": 0.01,
    "mm": 0.001,
    "in": 0.0254,
    "ft": 0.3048,
    "dm": 0.1,
    "0.45 in": 0.0254 / 0.45,  # CMU's and HDM05's Acclaim files, and what was converted from them
}
_STATURE = 1.7
_LIKELY = (1.2, 2.1)
#: for the three common units also children and tall figures are let pass
_POSSIBLE = (0.8, 2.6)

_TO_Y_UP = {
    "+Y": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "-Y": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    "+Z": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "-Z": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "+X": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    "-X": ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
}


def to_y_up(axis: str) -> np.ndarray:
    """(3, 3) rotation that takes a world with `axis` (``+Z`` ...) up to one with +Y up."""
    return np.array(_TO_Y_UP[axis], dtype=np.float64)


def guess_unit(height: float) -> tuple[float, str, bool]:
    """Metres per unit for a body of `height` units, the unit's name, and whether a known unit fits.

    Of the known units those that make the body 1.2 to 2.1 m tall are candidates, and the one nearest to
    1.7 m is taken; metres, centimetres and millimetres may also make it 0.8 to 2.6 m. Where none fits the
    body is made 1.7 m tall.
    """
    fitting = [n for n, scale in UNITS.items() if _LIKELY[0] <= height * scale <= _LIKELY[1]]
    if not fitting:
        fitting = [n for n in ("m", "cm", "mm") if _POSSIBLE[0] <= height * UNITS[n] <= _POSSIBLE[1]]
    if fitting:
        best = min(fitting, key=lambda n: abs(np.log(height * UNITS[n] / _STATURE)))
        return UNITS[best], best, True
    if not (np.isfinite(height) and height > 0):
        return UNITS["cm"], "cm", False
    scale = _STATURE / height
    return scale, f"{scale:.4g} m", False


def unit_name(scale: float) -> str:
    """The name of the unit of `scale` metres, or the number itself."""
    for name, metres in UNITS.items():
        if abs(metres - scale) <= 1e-6 * metres:
            return name
    return f"{scale:.4g} m"


def _points(
    skeleton: Skeleton, rotations: np.ndarray, root: np.ndarray, moves: np.ndarray | None
) -> np.ndarray:
    """(S, P, 3) joints and bone ends."""
    positions, turned = forward_kinematics(skeleton, rotations, root, moves)
    return np.concatenate([positions, end_site_positions(skeleton, positions, turned)], axis=1)


def guess_up(
    skeleton: Skeleton,
    marks: Landmarks | None,
    rotations: np.ndarray,
    root: np.ndarray,
    moves: np.ndarray | None,
) -> str:
    """The up axis of the file's world, such as ``+Y``.

    Four witnesses with a vote each: where the head is over the feet in the take (`rotations` (S, J, 3, 3),
    `root` (S, 3), `moves` (S, J, 3) or None: sampled frames), where it is in the zero pose if that stands,
    along which axis the lowest point of the body keeps its height, and along which it is near 0. So a person
    who lies down for the whole take is told from one who stands in a world with another up axis. A tie goes
    to +Y.
    """
    if marks is None:
        return "+Y"
    points = _points(skeleton, rotations, root, moves)
    votes = _head_over_feet(points, marks).mean(axis=0)
    size = float(np.linalg.norm(points - points.mean(axis=1, keepdims=True), axis=-1).max())
    tolerance = 0.05 * max(size, 1e-9)
    zero = np.tile(np.eye(3), (1, len(skeleton), 1, 1))
    rest = _points(skeleton, zero, np.zeros((1, 3)), None)
    legs = _unit(rest[:, list(marks.hips)].mean(axis=1) - rest[:, list(marks.ankles)].mean(axis=1))
    trunk = _unit(rest[:, marks.head] - rest[:, list(marks.hips)].mean(axis=1))
    standing = (legs * trunk).sum() > 0.8
    rest_votes = _head_over_feet(rest, marks)[0] if standing else np.zeros(3)
    scores: dict[str, float] = {}
    for axis, letter in enumerate("XYZ"):
        for sign, name in ((1, "+"), (-1, "-")):
            lowest = (sign * points[..., axis]).min(axis=1)
            offset = sign * float(skeleton.offsets[0, axis])  # position channels may add to it
            floor = min(abs(float(np.median(lowest))), abs(float(np.median(lowest)) + offset))
            steady = np.exp(-np.std(lowest) / tolerance) + np.exp(-floor / tolerance)
            scores[name + letter] = sign * float(votes[axis] + rest_votes[axis]) + float(steady)
    scores["+Y"] += 0.05
    return max(scores, key=scores.__getitem__)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-12)


def _head_over_feet(points: np.ndarray, marks: Landmarks) -> np.ndarray:
    return _unit(points[:, marks.head] - points[:, list(marks.ankles)].mean(axis=1))


def guess_channels(
    skeleton: Skeleton,
    rotations: np.ndarray,
    positions: np.ndarray,
    has_position: np.ndarray,
    up: str,
) -> tuple[str, bool]:
    """What position channels mean, and whether the file leaves another choice.

    Parameters
    ----------
    skeleton : in the file's units, its offsets those of the file, the root's included.
    rotations : (S, J, 3, 3) sampled frames.
    positions : (S, J, 3) the channels' numbers, the OFFSET where a joint has none.
    has_position : (J,) which joints have position channels.

    Returns
    -------
    ``replace``, ``add`` or ``add-root`` and True where other meanings would give another motion.

    Joints below the root vote by whether their numbers lie nearer to their OFFSET (replace) or to zero
    (add). What they leave open, and the root, is settled by which reading puts the lowest point of the
    body nearest to the floor at height 0 in the median over frames.
    """
    offsets = skeleton.offsets.astype(np.float64)
    size = max(np.abs(offsets).max(), 1e-9)
    open_ = has_position & (np.abs(offsets).max(axis=1) > 1e-4 * size)
    if not open_.any():
        return "replace", False
    inner = np.flatnonzero(open_[1:]) + 1
    to_offset = np.linalg.norm(np.median(positions[:, inner], axis=0) - offsets[inner], axis=-1)
    to_zero = np.linalg.norm(np.median(positions[:, inner], axis=0), axis=-1)
    replacing = int((to_offset < 0.2 * to_zero).sum())
    adding = int((to_zero < 0.2 * to_offset).sum())
    choices = list(dict.fromkeys(["replace", "add", "add-root"]))
    if len(inner) and replacing != adding:
        choices = ["replace", "add-root"] if replacing > adding else ["add"]
    elif not len(inner):
        choices = ["replace", "add"]
    if not open_[0]:
        choices = [c for c in choices if c != "add-root"]
    axis, sign = "XYZ".index(up[1]), 1 if up[0] == "+" else -1
    distances = []
    for choice in choices:
        root, moves = apply_channels(choice, offsets, positions, has_position)
        lowest = (sign * _points(skeleton, rotations, root, moves)[..., axis]).min(axis=1)
        distances.append(abs(float(np.median(lowest))))
    return choices[int(np.argmin(distances))], True


def apply_channels(
    meaning: str, offsets: np.ndarray, positions: np.ndarray, has_position: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Root places (S, 3) and local translations (S, J, 3) under one meaning of position channels."""
    adds = has_position & (meaning == "add")
    adds[0] = has_position[0] and meaning in ("add", "add-root")
    moves = positions + np.where(adds[:, None], offsets, 0)
    return moves[:, 0], moves
