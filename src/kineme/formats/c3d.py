"""C3D: named points, and the segments of Theia, read with ezc3d (the extra ``c3d``).

Points that are no places (the angles, forces, moments and powers that Plug-in Gait writes among them) are
left out. A residual of -1 is a gap. Theia's files hold a 4 x 4 matrix for every segment; its origin is the
joint.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from kineme.errors import InputError
from kineme.formats.options import Format, ReadOptions
from kineme.formats.points import UNITS, Points, motion_of_points
from kineme.motion import Motion

#: groups of POINT whose members are no places
_NO_PLACES = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS", "REACTIONS", "MODELED_MARKERS_ANGLES")
#: Theia's segments -> the point at their origin
_THEIA = {
    "pelvis": "pelvis",
    "head": "head",
    **{
        f"{s[0]}_{segment}": f"{s}_{joint}"
        for s in ("left", "right")
        for segment, joint in (
            ("thigh", "hip"),
            ("shank", "knee"),
            ("foot", "ankle"),
            ("toes", "toes"),
            ("uarm", "shoulder"),
            ("larm", "elbow"),
            ("hand", "wrist"),
        )
    },
}


def _check_header(path: Path) -> None:
    """Refuses what is no C3D, or promises more than it holds, before a library makes room for it."""
    with open(path, "rb") as file:
        head = file.read(512)
    if len(head) < 512 or head[1] != 0x50:
        raise InputError("this is no C3D file, or it is cut off; export it again", path)
    block = head[0]
    with open(path, "rb") as file:
        file.seek(max(block - 1, 0) * 512)
        processor = file.read(4)[3:4]
    order = ">" if processor == b"\x56" else "<"
    points, analog, first, last = struct.unpack(order + "4H", head[2:10])
    frames = max(last - first + 1, 0)
    # the smallest a frame can be: four 16-bit integers a point
    if block == 0 or frames * (points * 8 + analog * 2) > path.stat().st_size:
        raise InputError(f"it promises {frames} frames of {points} points and is too short for them", path)


def _open(path: Path) -> Any:
    try:
        import ezc3d  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise InputError('C3D files need ezc3d: pip install "kineme[c3d]"', path) from None
    try:
        return ezc3d.c3d(str(path))
    except Exception as error:  # ezc3d raises what its C++ part throws
        reason = str(error).strip().split("\n")[0]
        raise InputError(f"it cannot be read ({reason}); export it again", path) from None


def _values(file: Any, group: str, name: str) -> list[Any]:
    """A parameter's values, together with those of NAME2, NAME3 ... that continue it."""
    found: list[Any] = []
    parameters = file["parameters"].get(group, {})
    for key in (name, *(f"{name}{k}" for k in range(2, 10))):
        if key in parameters:
            found += list(np.asarray(parameters[key]["value"]).reshape(-1))
    return found


def parse(path: Path) -> Points:
    """The points of a C3D file; raises InputError where there are none or the file is damaged."""
    _check_header(path)
    file = _open(path)
    rate = _values(file, "POINT", "RATE")
    units = [str(unit).strip().lower() for unit in _values(file, "POINT", "UNITS")]
    unit = UNITS.get(units[0]) if units else None
    rotations = file["data"].get("rotations")
    if rotations is not None and np.size(rotations):
        segments = _segments(file, np.asarray(rotations))
        if segments is not None:
            names, places, own_rate = segments
            return Points(
                names, places, own_rate or float(rate[0]), unit, ("joints are the origins of segments",)
            )
    names = [str(label).strip() for label in _values(file, "POINT", "LABELS")]
    values = np.asarray(file["data"]["points"])
    count = min(len(names), values.shape[1])
    if count == 0 or values.shape[2] == 0:
        raise InputError("there are no points in it", path)
    places = np.moveaxis(values[:3, :count], 0, -1).transpose(1, 0, 2).copy()
    residuals = file["data"].get("meta_points", {}).get("residuals")
    if residuals is not None and np.shape(residuals)[1:] == values.shape[1:]:
        places[np.asarray(residuals)[0, :count].T < 0] = np.nan
    apart = {str(label).strip() for group in _NO_PLACES for label in _values(file, "POINT", group)}
    kept = [index for index in range(count) if names[index] not in apart]
    notes = (f"{count - len(kept)} angles, forces and the like were left out",) if len(kept) < count else ()
    return Points(
        tuple(names[index] or f"point {index + 1}" for index in kept),
        places[:, kept],
        float(rate[0]) if rate else float("nan"),
        unit,
        notes,
    )


def _segments(file: Any, rotations: np.ndarray) -> tuple[tuple[str, ...], np.ndarray, float] | None:
    """Theia's segments (4, 4, R, T) as points; None where they are no body."""
    labels = [
        str(label).strip().removesuffix("_4X4").lower() for label in _values(file, "ROTATION", "LABELS")
    ]
    known = [k for k, label in enumerate(labels[: rotations.shape[2]]) if label in _THEIA]
    if len(known) < 12:
        return None
    places = rotations[:3, 3, known].transpose(2, 1, 0).astype(np.float64)
    rate = _values(file, "ROTATION", "RATE")
    return tuple(_THEIA[labels[k]] for k in known), places, float(rate[0]) if rate else 0.0


def read(path: Path, options: ReadOptions) -> list[Motion]:
    """The motion of a C3D file, as positions only. See `kineme.formats.load` for what is raised."""
    return [motion_of_points(parse(path), path, options, "c3d")]


def _sniff(path: Path, head: bytes) -> bool:
    return path.suffix.lower() == ".c3d" and head[1:2] == b"\x50"


FORMAT = Format("c3d", (".c3d",), "points of motion laboratories", read, None, _sniff)
