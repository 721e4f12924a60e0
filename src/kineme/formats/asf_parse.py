"""The text of an ASF file to bones, and the lines of Acclaim files; nothing is interpreted here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kineme.errors import InputError
from kineme.formats.options import (
    MAX_DEPTH,
    MAX_HEADER_BYTES,
    MAX_JOINTS,
    MAX_TEXT_BYTES,
    MAX_VALUE,
    MAX_WORDS,
)

_DOF = ("tx", "ty", "tz", "rx", "ry", "rz", "l")


@dataclass
class AsfBone:
    """One bone as the file says it: direction and length in its units, axis in degrees or radians."""

    name: str
    line: int
    direction: tuple[float, ...] = (0.0, 0.0, 0.0)
    length: float = 0.0
    axis: tuple[float, ...] = (0.0, 0.0, 0.0)
    axis_order: str = "XYZ"
    dof: tuple[str, ...] = ()
    position: tuple[float, ...] = (0.0, 0.0, 0.0)  # of the root only


@dataclass
class Asf:
    """A skeleton file as it is written, before anything is converted."""

    path: Path
    length_unit: float | None = None
    degrees: bool = True
    bones: dict[str, AsfBone] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)

    def ordered(self) -> list[AsfBone]:
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


def text_of(path: Path, most: int = MAX_TEXT_BYTES) -> str:
    """An Acclaim file's text with plain line ends; InputError where it cannot be read or is too large."""
    try:
        if path.stat().st_size > most:
            raise InputError(f"the file is larger than {most >> 20} MB; cut it into shorter takes", path)
        data = path.read_bytes()
        if len(data) > MAX_WORDS and sum(map(data.count, (b" ", b"\t", b"\n", b"\r"))) > MAX_WORDS:
            raise InputError("the file has more than 40 million words; cut it into shorter takes", path)
        text = data.decode("latin-1")
    except OSError as error:
        raise InputError(f"it cannot be read ({error.strerror})", path) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lines_of(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, words) of every line that is neither blank nor a comment."""
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.split()
        if words and words[0][0] != "#":
            yield number, words


def _numbers(words: list[str], count: int, path: Path, line: int) -> tuple[float, ...]:
    try:
        values = tuple(float(word) for word in words[:count])
    except ValueError:
        raise InputError(f"{' '.join(words)[:60]!r} should be {count} numbers", path, line) from None
    if len(values) < count or not all(abs(v) <= MAX_VALUE for v in values):
        raise InputError(f"{' '.join(words)[:60]!r} should be {count} usable numbers", path, line)
    return values


def parse_asf(path: Path) -> Asf:
    """The bones of an ASF file; raises InputError with the line at fault."""
    asf = Asf(path)
    section, bone = "", None
    for line, words in lines_of(text_of(path, MAX_HEADER_BYTES)):
        if words[0].startswith(":"):
            section, bone = words[0].lower(), None
            if section == ":root":
                bone = asf.bones["root"] = AsfBone("root", line, dof=("tx", "ty", "tz", "rx", "ry", "rz"))
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


def _root_line(bone: AsfBone, words: list[str], path: Path, line: int) -> None:
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


def _bone_line(asf: Asf, bone: AsfBone | None, words: list[str], line: int) -> AsfBone | None:
    key = words[0].lower()
    if key == "begin":
        return AsfBone("", line)
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


def _hierarchy_line(asf: Asf, words: list[str], line: int) -> None:
    for name in words:
        if name not in asf.bones:
            raise InputError(f"the hierarchy names {name[:40]!r}, which is no bone", asf.path, line)
    for child in words[1:]:
        if child in asf.parents or child == "root":
            raise InputError(f"{child!r} has two parents or hangs on itself", asf.path, line)
        asf.parents[child] = words[0]
