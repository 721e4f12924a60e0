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
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.formats.options import MAX_BYTES, MAX_DEPTH, MAX_JOINTS, MAX_VALUE, Format, ReadOptions
from kineme.formats.placement import find_placement
from kineme.formats.quirks import note_quirks
from kineme.formats.soundness import sound_frames
from kineme.motion import Motion, Provenance, Skeleton
from kineme.motion.rotations import euler_to_matrix

#: frames per second of CMU and HDM05, taken where the options do not say
_FPS = 120.0
#: frames that are looked at for the up axis and the rest pose
_SAMPLES = 64
_DOF = ("tx", "ty", "tz", "rx", "ry", "rz", "l")


@dataclass
class _Bone:
    name: str
    line: int
    direction: tuple[float, ...] = (0.0, 0.0, 0.0)
    length: float = 0.0
    axis: tuple[float, ...] = (0.0, 0.0, 0.0)
    axis_order: str = "XYZ"
    dof: tuple[str, ...] = ()
    position: tuple[float, ...] = (0.0, 0.0, 0.0)  # of the root only


@dataclass
class _Asf:
    path: Path
    length_unit: float | None = None
    degrees: bool = True
    bones: dict[str, _Bone] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)

    def ordered(self) -> list[_Bone]:
        """Bones with parents before children; raises InputError for a cycle or a bone without parent."""
        children: dict[str, list[str]] = {}
        for child, parent in self.parents.items():
            children.setdefault(parent, []).append(child)
        result, stack = [], [("root", 0)]
        while stack:
            name, depth = stack.pop()
            if depth > MAX_DEPTH:
                raise InputError(f"bones are nested more than {MAX_DEPTH} deep", self.path)
            result.append(self.bones[name])
            stack.extend((child, depth + 1) for child in reversed(children.get(name, [])))
        lost = set(self.bones) - {bone.name for bone in result}
        if lost:
            named = ", ".join(sorted(lost)[:5])
            raise InputError(
                f"these bones do not hang on the root (no parent in :hierarchy, or a cycle): {named}",
                self.path,
            )
        return result


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """(line number, words) of every line that is neither blank nor a comment."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(
                f"the file is larger than {MAX_BYTES / 1e9:.0f} GB; cut it into shorter takes", path
            )
        text = path.read_bytes().decode("latin-1")
    except OSError as error:
        raise InputError(f"it cannot be read ({error.strerror})", path) from None
    lines = enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1)
    return [(number, line.split()) for number, line in lines if line.strip() and line.lstrip()[0] != "#"]


def _numbers(words: list[str], count: int, path: Path, line: int) -> tuple[float, ...]:
    try:
        values = tuple(float(word) for word in words[:count])
    except ValueError:
        raise InputError(f"{' '.join(words)[:60]!r} should be {count} numbers", path, line) from None
    if len(values) < count or not all(abs(v) <= MAX_VALUE for v in values):
        raise InputError(f"{' '.join(words)[:60]!r} should be {count} usable numbers", path, line)
    return values


def parse_asf(path: Path) -> _Asf:
    """The bones of an ASF file; raises InputError with the line at fault."""
    asf = _Asf(path)
    section, bone = "", None
    for line, words in _lines(path):
        if words[0].startswith(":"):
            section, bone = words[0].lower(), None
            if section == ":root":
                bone = asf.bones["root"] = _Bone("root", line, dof=("tx", "ty", "tz", "rx", "ry", "rz"))
        elif section == ":units":
            if words[0] == "length":
                asf.length_unit = _numbers(words[1:], 1, path, line)[0]
            elif words[0] == "angle":
                asf.degrees = not words[-1].lower().startswith("rad")
        elif section == ":root" and bone is not None:
            _root_line(bone, words, path, line)
        elif section == ":bonedata":
            bone = _bone_line(asf, bone, words, line)
        elif section == ":hierarchy" and words[0] not in ("begin", "end"):
            _hierarchy_line(asf, words, line)
    if "root" not in asf.bones or len(asf.bones) < 2:
        raise InputError("this ASF has no :root or no :bonedata; export it again", path)
    return asf


def _root_line(bone: _Bone, words: list[str], path: Path, line: int) -> None:
    key = words[0].lower()
    if key == "order":
        bone.dof = tuple(word.lower() for word in words[1:])
        if not set(bone.dof) <= set(_DOF):
            raise InputError(f"the root's order {' '.join(words[1:])[:60]!r} is not understood", path, line)
    elif key == "axis":
        bone.axis_order = _axis_order(words[-1], path, line)
    elif key == "position":
        bone.position = _numbers(words[1:], 3, path, line)
    elif key == "orientation":
        bone.axis = _numbers(words[1:], 3, path, line)


def _axis_order(word: str, path: Path, line: int) -> str:
    order = word.upper()
    if sorted(order) != ["X", "Y", "Z"]:
        raise InputError(f"the axis order {word[:20]!r} is not one such as XYZ", path, line)
    return order


def _bone_line(asf: _Asf, bone: _Bone | None, words: list[str], line: int) -> _Bone | None:
    key = words[0].lower()
    if key == "begin":
        return _Bone("", line)
    if bone is None:
        raise InputError(f"{words[0][:40]!r} stands outside of begin and end", asf.path, line)
    if key == "name" and len(words) > 1:
        if words[1] in asf.bones:
            raise InputError(f"there are two bones called {words[1]!r}", asf.path, line)
        if len(asf.bones) >= MAX_JOINTS:
            raise InputError(f"there are more than {MAX_JOINTS} bones", asf.path, line)
        bone.name = words[1]
        asf.bones[bone.name] = bone
    elif key == "direction":
        bone.direction = _numbers(words[1:], 3, asf.path, line)
    elif key == "length":
        bone.length = _numbers(words[1:], 1, asf.path, line)[0]
    elif key == "axis":
        bone.axis = _numbers(words[1:], 3, asf.path, line)
        bone.axis_order = _axis_order(words[4], asf.path, line) if len(words) > 4 else "XYZ"
    elif key == "dof":
        bone.dof = tuple(word.lower() for word in words[1:])
        if not set(bone.dof) <= set(_DOF):
            raise InputError(f"the dof {' '.join(words[1:])[:60]!r} are not understood", asf.path, line)
    elif key == "end":
        return None
    return bone


def _hierarchy_line(asf: _Asf, words: list[str], line: int) -> None:
    for name in words:
        if name not in asf.bones:
            raise InputError(f"the hierarchy names {name[:40]!r}, which is no bone", asf.path, line)
    for child in words[1:]:
        if child in asf.parents or child == "root":
            raise InputError(f"{child!r} has two parents or hangs on itself", asf.path, line)
        asf.parents[child] = words[0]


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
    path: Path, bones: list[_Bone], repair: bool = False
) -> tuple[dict[str, np.ndarray], bool, tuple[str, ...]]:
    """Values (T, dofs) by bone, whether the angles are in degrees, and notes; InputError with the line."""
    widths = {bone.name: len(bone.dof) for bone in bones if bone.dof}
    order = list(widths)
    degrees = True
    rows: list[list[float]] = []
    current: dict[str, list[str]] = {}
    started = 0
    trouble: tuple[str, int] | None = None

    def close(line: int) -> tuple[str, int] | None:
        lacking = [name for name in order if name not in current]
        if lacking:
            return f"frame {len(rows) + 1} has no values for {', '.join(lacking[:5])}", line
        try:
            rows.append([float(value) for name in order for value in current[name]])
        except ValueError:
            return f"frame {len(rows) + 1} has a word that is not a number", started
        return None

    line = 0
    for line, words in _lines(path):
        head = words[0]
        if head.isdigit() and len(words) == 1:
            if started and (trouble := close(line)):
                break
            current, started = {}, line
        elif head.startswith(":"):
            degrees = degrees and not head.upper().startswith(":RAD")
        elif not started:
            raise InputError(
                "this is no AMC file (a frame number is missing before the first bone)", path, line
            )
        elif head not in widths:
            raise InputError(f"{head[:40]!r} is no moving bone of the skeleton {_named(bones)}", path, line)
        elif len(words) - 1 != widths[head]:
            trouble = f"{head} has {len(words) - 1} numbers where the skeleton has {widths[head]}", line
            break
        else:
            current[head] = words[1:]
    else:
        if started:
            trouble = close(line)
    return _amc_result(path, rows, widths, degrees, trouble, repair)


def _named(bones: list[_Bone]) -> str:
    return f"({', '.join(bone.name for bone in bones[:6])} ...)"


def _amc_result(
    path: Path,
    rows: list[list[float]],
    widths: dict[str, int],
    degrees: bool,
    trouble: tuple[str, int] | None,
    repair: bool,
) -> tuple[dict[str, np.ndarray], bool, tuple[str, ...]]:
    notes: tuple[str, ...] = ()
    if trouble is not None:
        message, line = trouble
        if not repair or not rows:
            advice = f", or keep the {len(rows)} complete frames with --repair" if rows else ""
            raise InputError(f"{message}; export it again{advice}", path, line)
        notes = (f"repaired: line {line}: {message}; {len(rows)} complete frames kept",)
    if not rows:
        raise InputError("there are no frames in it; export it again", path)
    values = np.array(rows)
    index, repairs = sound_frames(np.all(np.abs(values) <= MAX_VALUE, axis=1), repair, path)
    values, notes = values[index], (*notes, *repairs)
    edges = np.cumsum([0, *widths.values()])
    parts = {name: values[:, a:b] for name, a, b in zip(widths, edges[:-1], edges[1:], strict=True)}
    return parts, degrees, notes


def _axis_matrix(bone: _Bone, degrees: bool) -> np.ndarray:
    angles = np.array(bone.axis) if degrees else np.rad2deg(bone.axis)
    return euler_to_matrix(bone.axis_order[::-1], angles[::-1])  # XYZ is Rz Ry Rx


def _local_rotations(
    bone: _Bone, values: np.ndarray | None, frames: int, asf: _Asf, degrees: bool
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


def _skeleton(asf: _Asf, bones: list[_Bone]) -> Skeleton:
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


FORMAT = Format("amc", (".amc",), "Acclaim motion with its ASF skeleton", read, None, _sniff)
