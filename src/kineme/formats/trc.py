"""TRC (Motion Analysis, OpenSim, OpenCap): named points as a table of text, tabs between the columns."""

from __future__ import annotations

from pathlib import Path

from kineme.errors import InputError
from kineme.formats.number_rows import number_rows, text_of
from kineme.formats.options import Format, ReadOptions
from kineme.formats.points import UNITS, Points, motion_of_points
from kineme.motion import Motion

_TITLES = 5


def parse(path: Path) -> Points:
    """The points of a TRC file; raises InputError with the line at fault."""
    lines = text_of(path).split("\n")
    if len(lines) < _TITLES or not lines[0].startswith("PathFileType"):
        raise InputError("this is no TRC file: its first line should be PathFileType 4 (X/Y/Z)", path, 1)
    said = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=False))
    said = {key.strip(): value.strip() for key, value in said.items()}
    names = tuple(word.strip() for word in lines[3].split("\t")[2:] if word.strip())
    try:
        fps = float(said.get("DataRate", "nan"))
        count = int(said.get("NumMarkers", len(names)))
    except ValueError:
        raise InputError("DataRate and NumMarkers should be numbers", path, 3) from None
    if count != len(names):
        raise InputError(f"the header names {len(names)} points and promises {count}", path, 4)
    values = number_rows(lines[_TITLES:], 2 + 3 * count, "\t", path, _TITLES + 1)
    if not len(values):
        raise InputError("there are no frames under the header", path, _TITLES + 1)
    notes: tuple[str, ...] = ()
    if said.get("NumFrames", "").isdigit() and int(said["NumFrames"]) != len(values):
        notes = (f"the header promises {said['NumFrames']} frames, there are {len(values)}",)
    places = values[:, 2:].reshape(len(values), count, 3)
    unit = UNITS.get(said.get("Units", "").lower())
    if unit is None and said.get("Units"):
        notes = (*notes, f"the header's unit {said['Units'][:20]!r} is not known")
    return Points(names, places, fps, unit, notes)


def read(path: Path, options: ReadOptions) -> list[Motion]:
    """The motion of a TRC file, as positions only. See `kineme.formats.load` for what is raised."""
    return [motion_of_points(parse(path), path, options, "trc")]


def _sniff(path: Path, head: bytes) -> bool:
    return head.lstrip(b"\xef\xbb\xbf").startswith(b"PathFileType")


FORMAT = Format("trc", (".trc",), "named points of OpenSim and OpenCap", read, None, _sniff)
