"""Acclaim: an ASF skeleton and the AMC motions of its subject.

In the ASF a bone's own place is its far end. Here every bone becomes a joint **at its start** that carries
the bone's rotation and name; its far end is where its children start, or an end site. The root is a joint
called ``root``. So ``lfemur`` is the hip joint, ``ltibia`` the knee, ``lfoot`` the ankle, as in the BVH
conversions of the same data.

Kinematics (Acclaim file specification, 1993): with C the rotation of a bone's ``axis`` and M that of its
``dof`` values, its local rotation is C M C^-1, where ``XYZ`` means Rz Ry Rx.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.formats.asf_parse import Asf, AsfBone, lines_of, parse_asf, text_of
from kineme.formats.options import MAX_VALUE, Format, ReadOptions
from kineme.formats.placement import find_placement
from kineme.formats.quirks import note_quirks
from kineme.formats.soundness import check_amount, sound_frames
from kineme.motion import Motion, Provenance, Skeleton
from kineme.motion.rotations import euler_to_matrix

#: frames per second of CMU and HDM05, taken where the options do not say
_FPS = 120.0
#: comments and keywords before the first frame
_HEAD = re.compile(r"(?:[ \t]*+(?:[#:][^\n]*+)?\n)*+")
#: frames that are looked at for the up axis and the rest pose
_SAMPLES = 64


def find_asf(amc: Path, options: ReadOptions) -> Path:
    """The skeleton of an AMC file.

    The option; or beside it the ASF of the same name, the one whose name is the longest beginning of the
    AMC's (``02_01.amc`` and ``02.asf``), or the only one there is.
    """
    if options.skeleton_file is not None:
        if not Path(options.skeleton_file).is_file():
            raise InputError("there is no such skeleton file", options.skeleton_file)
        return Path(options.skeleton_file)
    there = sorted(f for f in amc.parent.iterdir() if f.suffix.lower() == ".asf")
    stem = amc.stem.lower()
    fitting = [f for f in there if re.match(re.escape(f.stem.lower()) + r"([^a-z0-9]|$)", stem)]
    if fitting:
        return max(fitting, key=lambda f: len(f.stem))
    if len(there) == 1:
        return there[0]
    found = f"none of {', '.join(f.name for f in there[:5])} fits" if there else "there is none beside it"
    raise InputError(f"an AMC needs the ASF of its subject, and {found}; name it with --skeleton-file", amc)


def parse_amc(
    path: Path, bones: list[AsfBone], repair: bool = False
) -> tuple[dict[str, np.ndarray], bool, tuple[str, ...]]:
    """Values (T, dofs) by bone, whether the angles are in degrees, and notes; InputError with the line."""
    widths = {bone.name: len(bone.dof) for bone in bones if bone.dof}
    text = text_of(path)
    head = _HEAD.match(text)
    start = head.end() if head is not None else 0
    degrees = re.search(r"^\s*:RAD", text[:start], re.MULTILINE | re.IGNORECASE) is None
    notes: tuple[str, ...] = ()
    values = _regular_frames(text[start:].split(), widths)
    if values is None:
        frames = _Frames(path, widths)
        notes = frames.read(text, repair)
        values = np.array(frames.rows)
    index, repairs = sound_frames(np.all(np.abs(values) <= MAX_VALUE, axis=1), repair, path)
    edges = np.cumsum([0, *widths.values()])
    parts = {name: values[index, a:b] for name, a, b in zip(widths, edges[:-1], edges[1:], strict=True)}
    return parts, degrees, (*notes, *repairs)


def _regular_frames(words: list[str], widths: dict[str, int]) -> np.ndarray | None:
    """All numbers (T, dofs) in one step where every frame names the same bones; None where one differs."""
    size = 1 + sum(1 + width for width in widths.values())  # the frame's number, names and values
    if not words or len(words) % size or not all(word.isdigit() for word in words[::size]):
        return None
    columns: dict[str, int] = {}
    column = 1
    while column < size:
        name = words[column]
        if name not in widths or name in columns:
            return None
        columns[name] = column + 1
        column += 1 + widths[name]
    frames = len(words) // size
    if any(words[column - 1 :: size].count(name) != frames for name, column in columns.items()):
        return None
    numbers = [words[columns[name] + k :: size] for name, width in widths.items() for k in range(width)]
    try:
        return np.array(numbers, dtype=np.float64).T
    except ValueError:
        return None


class _Frames:
    """The frames of an AMC line by line: bones in any order, and the first line at fault."""

    def __init__(self, path: Path, widths: dict[str, int]):
        self.path, self.widths = path, widths
        self.rows: list[list[float]] = []
        self.current: dict[str, list[float]] = {}
        self.started = False

    def read(self, text: str, repair: bool) -> tuple[str, ...]:
        """Fills `rows`. With `repair` a note is given instead of an error, where frames came before it."""
        trouble, line = "", 0
        for number, words in lines_of(text):
            trouble, line = self._line(words), number
            if trouble:
                break
        else:
            trouble = self._close() if self.started else ""
        if not trouble and not self.rows:
            raise InputError("there are no frames in it; export it again", self.path)
        if not trouble:
            return ()
        if repair and self.rows:
            return (f"repaired: line {line}: {trouble}; {len(self.rows)} complete frames kept",)
        advice = f", or keep the {len(self.rows)} complete frames with --repair" if self.rows else ""
        raise InputError(f"{trouble}; export it again{advice}", self.path, line)

    def _line(self, words: list[str]) -> str:
        """What is wrong with a line, or nothing."""
        name, values = words[0], words[1:]
        if name.isdigit() and not values:
            trouble = self._close() if self.started else ""
            self.current, self.started = {}, True
            return trouble
        if name.startswith(":"):
            return ""
        if not self.started:
            return "this is no AMC file: a frame number is missing before the first bone"
        if name not in self.widths:
            return f"{name[:40]!r} is no moving bone of the skeleton ({', '.join(list(self.widths)[:6])} ...)"
        if len(values) != self.widths[name]:
            return f"{name} has {len(values)} numbers where the skeleton has {self.widths[name]}"
        try:
            self.current[name] = [float(value) for value in values]
        except ValueError:
            return f"{name} has a word that is not a number"
        return ""

    def _close(self) -> str:
        """Ends the current frame."""
        lacking = [name for name in self.widths if name not in self.current]
        if lacking:
            return f"frame {len(self.rows) + 1} has no values for {', '.join(lacking[:5])}"
        self.rows.append([value for name in self.widths for value in self.current[name]])
        return ""


def _axis_matrix(bone: AsfBone, degrees: bool) -> np.ndarray:
    angles = np.array(bone.axis) if degrees else np.rad2deg(bone.axis)
    return euler_to_matrix(bone.axis_order[::-1], angles[::-1])  # XYZ is Rz Ry Rx


def _local_rotations(
    bone: AsfBone, values: np.ndarray | None, frames: int, asf: Asf, degrees: bool
) -> np.ndarray:
    turns = [(d[1].upper(), k) for k, d in enumerate(bone.dof) if d[0] == "r"]
    if values is None or not turns:
        return np.broadcast_to(np.eye(3), (frames, 3, 3))
    angles = values[:, [k for _, k in turns]]
    if not degrees:
        angles = np.rad2deg(angles)
    moved = euler_to_matrix("".join(axis for axis, _ in turns)[::-1], angles[:, ::-1])
    axis = _axis_matrix(bone, asf.degrees)
    return axis @ moved @ axis.T


def read(path: Path, options: ReadOptions) -> list[Motion]:
    """The motion of an AMC file with the ASF of its subject."""
    asf = parse_asf(find_asf(path, options))
    bones = asf.ordered()
    values, degrees, notes = parse_amc(path, bones, options.repair)
    if any(dof[0] in "tl" for bone in bones[1:] for dof in bone.dof):
        notes = (*notes, "translations of bones other than the root were left out")
    frames = len(next(iter(values.values())))
    check_amount(frames, len(bones), path)
    local = np.stack([_local_rotations(b, values.get(b.name), frames, asf, degrees) for b in bones], axis=1)
    root = np.tile(np.array(bones[0].position), (frames, 1))
    for column, dof in enumerate(bones[0].dof):
        if dof[0] == "t":
            root[:, "xyz".index(dof[1])] += values["root"][:, column]

    sample = np.unique(np.linspace(0, frames - 1, _SAMPLES).astype(int))
    stated = None if not asf.length_unit else 0.0254 / asf.length_unit
    placed = find_placement(_skeleton(asf, bones), local[sample], root[sample], None, options, stated)
    local[:, 0] = placed.turn @ local[:, 0]
    guessed = placed.guessed if options.fps is not None else placed.guessed | {"fps": f"{_FPS:g}"}
    provenance = Provenance(
        file=str(path),
        format="amc",
        fps=options.fps or _FPS,
        unit_scale=placed.scale,
        units=placed.units,
        up_axis=placed.up,
        notes=(*notes, *placed.notes),
        guessed=guessed,
    )
    places = root @ placed.turn.T * placed.scale
    return [note_quirks(Motion(placed.skeleton, provenance.fps, places, local, provenance=provenance))]


def _skeleton(asf: Asf, bones: list[AsfBone]) -> Skeleton:
    """Joints at the starts of bones, in the file's units; leaves have their far ends as end sites."""
    names = tuple(bone.name for bone in bones)
    parents = tuple(-1 if name == "root" else names.index(asf.parents[name]) for name in names)
    reach = [tuple(part * bone.length for part in bone.direction) for bone in bones]  # start to far end
    offsets = np.array([(0.0, 0.0, 0.0) if parent < 0 else reach[parent] for parent in parents])
    leaves = sorted(set(range(len(bones))) - set(parents))
    ends = tuple((joint, (reach[joint][0], reach[joint][1], reach[joint][2])) for joint in leaves)
    return Skeleton(names, parents, offsets, end_sites=ends)


def _sniff(path: Path, head: bytes) -> bool:
    lines = [line.strip() for line in head.split(b"\n")[:200]]
    return any(line.upper() in (b":FULLY-SPECIFIED", b":DEGREES", b":RADIANS") for line in lines)


def _beside(path: Path, options: ReadOptions) -> list[Path]:
    try:
        return [find_asf(path, options)]
    except InputError:
        return []


FORMAT = Format("amc", (".amc",), "Acclaim motion with its ASF skeleton", read, None, _sniff, _beside)
