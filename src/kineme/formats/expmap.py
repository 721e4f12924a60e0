"""Exponential maps as text: the CMU-mocap and Human3.6M benchmarks of motion prediction.

A row a frame, separated by commas or blanks, without a header: the root's place and a vector of three
numbers for every joint. 117 columns are the CMU benchmark (38 joints), 99 are Human3.6M (32 joints). Both
store **minus** the rotation vector for matrices that act on column vectors (their code multiplies row
vectors).

The CMU text was checked against the AMC files that it was made from, and is corrected unless `legacy` is
asked for: row 0 is a rest pose and is dropped; the rows are 120 a second, not 50; one unit is 56.4 mm, not
70; the root's rotation was composed in the wrong order; the skeleton lacks the thorax and half of the
forearm. The file names no subject, so everybody has the bones of CMU's subject 02; with the subject's own
ASF (`skeleton_file`) joints are where the AMC has them. With `legacy` the motion is what published numbers
are measured on: every second row at a nominal 25 per second, 70 mm to the unit, nothing corrected in root
and skeleton.

Human3.6M comes at 50 per second in millimetres; with `legacy` every second row is taken.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.formats.asf_parse import parse_asf
from kineme.formats.expmap_tables import CMU, CMU_LEFT_OUT, H36M
from kineme.formats.number_rows import number_rows, text_of
from kineme.formats.options import MAX_VALUE, Format, ReadOptions
from kineme.formats.placement import find_placement
from kineme.formats.quirks import note_quirks
from kineme.formats.soundness import sound_frames
from kineme.motion import Motion, Provenance, Skeleton
from kineme.motion.rotations import axis_angle_to_matrix, euler_to_matrix, matrix_to_euler

#: columns of a row, and the benchmark that has them
_COLUMNS = {3 + 3 * len(CMU): "cmu", 3 + 3 * len(H36M): "h36m"}
#: frames per second, and metres per unit, as recorded and as the CMU benchmark takes them
_FPS, _LEGACY_FPS = {"cmu": 120.0, "h36m": 50.0}, 25.0
_UNIT, _LEGACY_UNIT = {"cmu": 0.0254 / 0.45, "h36m": 0.001}, 0.07
_SAMPLES = 64


def read(path: Path, options: ReadOptions) -> list[Motion]:
    """The motion of an exponential-map text file. See `kineme.formats.load` for what is raised."""
    lines = text_of(path).split("\n")
    if "," not in lines[0]:
        lines = [",".join(line.split()) for line in lines]
    count = len(lines[0].split(","))
    kind = _COLUMNS.get(count)
    if kind is None:
        raise InputError(
            f"a row has {count} numbers; exponential maps have 117 (CMU) or 99 (Human3.6M)", path, 1
        )
    values = number_rows(lines, count, ",", path, 1)
    index, notes = sound_frames(np.all(np.abs(values) <= MAX_VALUE, axis=1), options.repair, path)
    values = values[index]
    if options.legacy:
        values, notes = values[::2], (*notes, f"legacy: every second row, called {_LEGACY_FPS:g} per second")
    elif kind == "cmu":
        if len(values) < 2:
            raise InputError("there is only the rest pose of row 1 in it; export it again", path)
        values, notes = values[1:], (*notes, "row 1 is a rest pose: dropped")
    local = axis_angle_to_matrix(-values[:, 3:].reshape(len(values), -1, 3))
    if kind == "cmu" and not options.legacy:
        local[:, 0] = _recomposed(local[:, 0])
        notes = (*notes, "the root's rotation was composed anew")
    skeleton, told = _skeleton(kind, options)
    return [_placed(skeleton, kind, values[:, :3], local, path, options, (*notes, *told))]


def _recomposed(root: np.ndarray) -> np.ndarray:
    """The root's rotations (T, 3, 3) with angles that were read in one order put together in the other."""
    z, x, y = matrix_to_euler("ZXY", root).T
    return euler_to_matrix("ZYX", np.stack([z, y, x], axis=-1))


def _skeleton(kind: str, options: ReadOptions) -> tuple[Skeleton, tuple[str, ...]]:
    """The benchmark's skeleton in the file's units, and what is to be said about it."""
    if kind == "h36m":
        return Skeleton(tuple(row[0] for row in H36M), tuple(row[1] for row in H36M), _array(H36M)), ()
    names, parents, bones, _ = zip(*CMU, strict=True)
    offsets = _array(CMU)
    if options.legacy:
        offsets[np.isin(bones, CMU_LEFT_OUT)] = 0
        note = "legacy: the benchmark's skeleton, 70 mm to the unit, the root's rotation as stored"
        return Skeleton(names, parents, offsets), (note,)
    if options.skeleton_file is None:
        note = (
            "the file has no bone lengths: they are those of CMU subject 02 (give --skeleton-file for others)"
        )
        return Skeleton(names, parents, offsets), (note,)
    asf = parse_asf(Path(options.skeleton_file))
    lacking = sorted(set(filter(None, bones)) - set(asf.bones))
    if lacking:
        raise InputError(
            f"the skeleton has no bone {lacking[0]!r}; CMU's ASF files do", options.skeleton_file
        )
    for joint, bone in enumerate(bones):
        if bone:
            offsets[joint] = np.array(asf.bones[bone].direction) * asf.bones[bone].length
    return Skeleton(names, parents, offsets), ()


def _array(table: tuple) -> np.ndarray:
    return np.array([row[-1] for row in table], dtype=np.float64)


def _placed(
    skeleton: Skeleton,
    kind: str,
    root: np.ndarray,
    local: np.ndarray,
    path: Path,
    options: ReadOptions,
    notes: tuple[str, ...],
) -> Motion:
    """The motion in metres with +Y up."""
    legacy_unit = options.legacy and kind == "cmu" and options.unit is None
    if legacy_unit:
        options = replace(options, unit=_LEGACY_UNIT)
    sample = np.unique(np.linspace(0, len(root) - 1, _SAMPLES).astype(int))
    placed = find_placement(skeleton, local[sample], root[sample], None, options, _UNIT[kind])
    local[:, 0] = placed.turn @ local[:, 0]
    fps = options.fps or (_LEGACY_FPS if options.legacy else _FPS[kind])
    provenance = Provenance(
        file=str(path),
        format="expmap",
        fps=fps,
        unit_scale=placed.scale,
        units=placed.units,
        up_axis=placed.up,
        notes=(*notes, *placed.notes),
        guessed=placed.guessed,
    )
    places = root @ placed.turn.T * placed.scale
    return note_quirks(Motion(placed.skeleton, fps, places, local, provenance=provenance))


def _sniff(path: Path, head: bytes) -> bool:
    first = head.split(b"\n")[0]
    words = first.split(b",") if b"," in first else first.split()
    if b"\n" not in head and len(head) >= 4096 or len(words) not in _COLUMNS:
        return False
    try:
        return bool(np.isfinite([float(word) for word in words]).all())
    except ValueError:
        return False


FORMAT = Format("expmap", (".txt",), "exponential maps of the CMU and H3.6M benchmarks", read, None, _sniff)
