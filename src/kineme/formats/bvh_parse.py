"""The text of a BVH file to joints and one array of numbers; nothing is interpreted here.

There is no standard behind BVH: readers live off what exporters write. Tolerated are tabs, CR LF, Latin-1
names, a byte-order mark, names with spaces, braces on the same line, ``End Site`` in any case, six-number
OFFSETs (the last three count), any number of channels in any order on any joint, ``.03333``, rows that
are wrapped. Everything else ends in an `InputError` with its line.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.formats.options import (
    MAX_BVH_BYTES,
    MAX_DEPTH,
    MAX_HEADER_BYTES,
    MAX_JOINTS,
    MAX_POSES,
    MAX_VALUE,
    ReadOptions,
)
from kineme.formats.soundness import check_amount, hole_runs, mend_holes, sound_frames

_CHANNEL = re.compile(r"^([XYZ])(position|rotation)$", re.IGNORECASE)
_MOTION = re.compile(rb"^[ \t]*MOTION[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
#: bytes that are looked at in one step
_CHUNK = 16 * 1024**2
_FRAMES = re.compile(rb"\s*Frames[ \t]*:?[ \t]*([^\s]*)[ \t]*\r?\n", re.IGNORECASE)
_FRAME_TIME = re.compile(rb"\s*Frame[ \t]*Time[ \t]*:?[ \t]*([^\s]*)[ \t]*(?:\r?\n|$)", re.IGNORECASE)


@dataclass(frozen=True)
class BvhJoint:
    """One ROOT or JOINT as the file has it.

    Attributes
    ----------
    name : as written.
    parent : index of its parent; -1 for a root.
    offset : (x, y, z) in the file's units.
    channels : such as ``("Xposition", ..., "Yrotation")`` in the file's order, spelled so.
    column : where its channels start in a row.
    ends : offsets of its End Sites.
    """

    name: str
    parent: int
    offset: tuple[float, float, float]
    channels: tuple[str, ...]
    column: int
    ends: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True, eq=False)
class BvhFile:
    """A BVH file taken apart: the bytes of its header, its joints, float64 rows (T, C), and
    `Provenance.holes`."""

    header: bytes
    joints: tuple[BvhJoint, ...]
    values: np.ndarray
    frame_time: float
    frame_time_text: str
    notes: tuple[str, ...] = ()
    holes: tuple[tuple[int, int, int], ...] = ()


def parse(path: Path, options: ReadOptions) -> BvhFile:
    """Read `path`; raises InputError with the line at fault."""
    if path.stat().st_size > MAX_BVH_BYTES:
        raise InputError(f"the file is larger than {MAX_BVH_BYTES >> 30} GB; cut it into shorter takes", path)
    data = path.read_bytes()
    if b"\n" not in data[:4096]:
        data = data.replace(b"\r", b"\n")  # lines of the old Macintosh
    start = _MOTION.search(data)
    if start is None:
        _reject_without_motion(data, path)
    assert start is not None
    if start.start() > MAX_HEADER_BYTES:
        raise InputError(
            f"the hierarchy is larger than {MAX_HEADER_BYTES >> 20} MB, which is no body's", path
        )
    header = data[: start.start()]
    joints = parse_hierarchy(_decode(header), path)
    first_line = data.count(b"\n", 0, start.start()) + 1
    frames = _FRAMES.match(data, start.end())
    if frames is None or not (frames[1].isdigit() and len(frames[1]) <= 12):
        raise InputError("after MOTION a line such as 'Frames: 120' is missing", path, first_line + 1)
    time = _FRAME_TIME.match(data, frames.end())
    if time is None:
        raise InputError(
            "after Frames a line such as 'Frame Time: 0.0333333' is missing", path, first_line + 2
        )
    time_text = time[1].decode("latin-1")
    try:
        frame_time = float(time_text)
    except ValueError:
        raise InputError(f"the frame time {time_text[:40]!r} is not a number", path, first_line + 2) from None
    channels = sum(len(joint.channels) for joint in joints)
    check_amount(int(frames[1]), max(len(joints), channels), path)
    block_line = data.count(b"\n", 0, time.end()) + 1
    block = _Block(data[time.end() :], int(frames[1]), channels, block_line, path)
    del data
    values, notes = block.read(options.repair)
    holes: tuple[tuple[int, int, int], ...] = ()
    if options.holes:
        values, holes = _mend(values, joints, path)
    values, unusable = _check_values(values, joints, block, options.repair)
    return BvhFile(header, joints, values, frame_time, time_text, (*notes, *unusable), holes)


def _decode(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _reject_without_motion(data: bytes, path: Path) -> None:
    if not data.strip():
        raise InputError("the file is empty; export it again", path)
    if b"HIERARCHY" not in data[:4096].upper():
        raise InputError("this is no BVH file (it does not start with HIERARCHY)", path)
    last = data.count(b"\n") + 1
    raise InputError("the file ends before its MOTION section; it is cut off, export it again", path, last)


def parse_hierarchy(header: str, path: Path | None = None) -> tuple[BvhJoint, ...]:
    """The joints of a HIERARCHY section, parents before children, in the order of their channels."""
    return _HierarchyParser(header, path).joints()


class _HierarchyParser:
    """A walk over the header's tokens with an explicit stack, so that depth costs nothing."""

    def __init__(self, header: str, path: Path | None):
        self.path = path
        self.tokens = [
            (word, number)
            for number, line in enumerate(header.split("\n"), start=1)
            for word in line.replace("{", " { ").replace("}", " } ").split()
        ]
        self.at = 0
        self.found: list[dict] = []
        self.columns = 0

    def fail(self, message: str, line: int | None = None) -> InputError:
        if line is None and self.tokens:
            line = self.tokens[min(self.at, len(self.tokens) - 1)][1]
        return InputError(message, self.path, line)

    def joints(self) -> tuple[BvhJoint, ...]:
        if not self.tokens or self.tokens[0][0].upper() != "HIERARCHY":
            raise self.fail("this is no BVH file (it does not start with HIERARCHY)", 1)
        self.at = 1
        stack: list[int] = []  # open joints; -1 stands for an End Site
        while self.at < len(self.tokens):
            word, line = self.tokens[self.at]
            self.at += 1
            keyword = word.upper()
            if keyword in ("ROOT", "JOINT"):
                self._open_joint(keyword, stack, line)
            elif keyword in ("END", "ENDSITE"):
                self._name()
                if not stack or stack[-1] < 0:
                    raise self.fail("an End Site stands outside of a joint", line)
                stack.append(-1)
            elif keyword == "OFFSET":
                self._offset(stack, line)
            elif keyword == "CHANNELS":
                self._channels(stack, line)
            elif keyword == "}":
                if not stack:
                    raise self.fail("a closing brace has no opening one", line)
                stack.pop()
            else:
                raise self.fail(f"{word[:40]!r} was not expected here", line)
        if stack:
            raise self.fail(f"the hierarchy is cut off: {len(stack)} braces are never closed")
        if not self.found:
            raise self.fail("the hierarchy has no ROOT")
        return tuple(
            BvhJoint(j["name"], j["parent"], j["offset"], j["channels"], j["column"], tuple(j["ends"]))
            for j in self.found
        )

    def _name(self) -> str:
        """The words up to the opening brace, which is passed over."""
        words = []
        while self.at < len(self.tokens) and self.tokens[self.at][0] != "{":
            words.append(self.tokens[self.at][0])
            self.at += 1
            if len(words) > 32:
                raise self.fail("an opening brace is missing after a joint's name")
        if self.at >= len(self.tokens):
            raise self.fail("the hierarchy is cut off in the middle of a joint")
        self.at += 1
        return " ".join(words)

    def _open_joint(self, keyword: str, stack: list[int], line: int) -> None:
        if (keyword == "ROOT") != (not stack):
            raise self.fail(f"a {keyword} stands {'inside' if stack else 'outside'} of another joint", line)
        if stack and stack[-1] < 0:
            raise self.fail("a joint stands inside an End Site", line)
        if len(self.found) >= MAX_JOINTS:
            raise self.fail(f"there are more than {MAX_JOINTS} joints", line)
        if len(stack) >= MAX_DEPTH:
            raise self.fail(f"joints are nested more than {MAX_DEPTH} deep", line)
        self.found.append(
            {
                "name": self._name() or f"joint{len(self.found)}",
                "parent": stack[-1] if stack else -1,
                "offset": (0.0, 0.0, 0.0),
                "channels": (),
                "column": self.columns,
                "ends": [],
            }
        )
        stack.append(len(self.found) - 1)

    def _offset(self, stack: list[int], line: int) -> None:
        numbers = []
        while self.at < len(self.tokens) and self.tokens[self.at][1] == line:
            word = self.tokens[self.at][0]
            if word in "{}":
                break
            try:
                numbers.append(float(word))
            except ValueError:
                raise self.fail(f"OFFSET has {word[:40]!r}, which is not a number", line) from None
            self.at += 1
        if len(numbers) not in (3, 6):
            raise self.fail(f"OFFSET has {len(numbers)} numbers instead of 3", line)
        if not all(abs(n) <= MAX_VALUE for n in numbers):  # also false for NaN
            raise self.fail("OFFSET has a number that is no length", line)
        if not stack:
            raise self.fail("OFFSET stands outside of a joint", line)
        x, y, z = numbers[-3:]
        if stack[-1] >= 0:
            self.found[stack[-1]]["offset"] = (x, y, z)
        else:
            self.found[stack[-2]]["ends"].append((x, y, z))

    def _channels(self, stack: list[int], line: int) -> None:
        if not stack or stack[-1] < 0:
            raise self.fail("CHANNELS stands outside of a joint", line)
        joint = self.found[stack[-1]]
        if joint["channels"]:
            raise self.fail(f"the joint {joint['name']} has two CHANNELS lines", line)
        count = self.tokens[self.at][0] if self.at < len(self.tokens) else ""
        if not (count.isascii() and count.isdigit() and len(count) < 3 and int(count) <= 12):
            raise self.fail(f"CHANNELS must be followed by their number, not by {count[:40]!r}", line)
        self.at += 1
        names = []
        for word, _ in self.tokens[self.at : self.at + int(count)]:
            match = _CHANNEL.match(word)
            if match is None:
                raise self.fail(f"CHANNELS says {count} but then {word[:40]!r} is no channel", line)
            names.append(match[1].upper() + match[2].lower())
            self.at += 1
        joint["channels"], joint["column"] = tuple(names), self.columns
        self.columns += len(names)


def _word_starts(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Where words begin in `data` (N,), and its bytes after a line break (N + 1,)."""
    text = np.frombuffer(b"\n" + data, np.uint8)
    blank = text <= 32
    return blank[:-1] & ~blank[1:], text


def _count_words(data: bytes) -> int:
    return sum(
        int(np.count_nonzero(_word_starts(data[at : at + _CHUNK])[0])) for at in range(0, len(data), _CHUNK)
    )


class _Block:
    """The numbers after ``Frame Time``."""

    def __init__(self, data: bytes, frames: int, channels: int, line: int, path: Path):
        self.data, self.frames, self.channels, self.line, self.path = data, frames, channels, line, path

    def read(self, repair: bool) -> tuple[np.ndarray, tuple[str, ...]]:
        """(T, C) float64 and notes about repairs."""
        if self.channels == 0:
            raise InputError("no joint has channels, so nothing can move", self.path)
        if self.frames == 0:
            raise InputError("the file says 'Frames: 0'; there is no motion in it", self.path)
        if self._rows_fit():
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error", DeprecationWarning)  # how older numpy reports a bad number
                    values = np.fromstring(self.data, sep=" ", dtype=np.float64)
                if values.size == self.frames * self.channels:
                    return values.reshape(self.frames, self.channels), ()
            except (ValueError, DeprecationWarning):
                pass
        return self._explain(repair)

    def _rows_fit(self) -> bool:
        """Whether there are as many words as the header says, a row a line or wrapped."""
        total, even, first = 0, True, 0
        for counts in self._words_per_line():
            first = first or int(counts[0])
            even = even and bool((counts == self.channels).all())
            total += int(counts.sum())
        return total == self.frames * self.channels and (even or first < self.channels)

    def _words_per_line(self) -> Iterator[np.ndarray]:
        """How many words each non-blank line holds, for some megabytes at a time."""
        at = 0
        while at < len(self.data):
            end = self.data.find(b"\n", min(at + _CHUNK, len(self.data)))
            end = len(self.data) if end < 0 else end
            starts, text = _word_starts(self.data[at:end])
            edges = np.flatnonzero(text[:-1] == 10)  # the first stands before the chunk
            counts = np.add.reduceat(starts, edges, dtype=np.int64) if len(edges) else np.zeros(0, np.int64)
            counts = counts[counts > 0]
            if len(counts):
                yield counts
            at = end + 1

    def _explain(self, repair: bool) -> tuple[np.ndarray, tuple[str, ...]]:
        """The slow way: line by line up to the first bad one. Raises, or gives the whole rows before it."""
        rows: list[np.ndarray] = []
        trouble, line = "", self.line
        for number, text in enumerate(io.BytesIO(self.data), start=self.line):
            if text.isspace():
                continue
            line = number
            count = len(text.split()) if len(text) < _CHUNK else _count_words(text)
            if count != self.channels:
                trouble = f"this line has {count} numbers where the hierarchy has {self.channels} channels"
                break
            try:
                row = np.array(text.split()).astype(np.float64)
            except ValueError:
                trouble = "this line has a word that is not a number"
                break
            if len(rows) < MAX_POSES // self.channels:
                rows.append(row)
        if not trouble and len(rows) == self.frames:
            return np.array(rows), ()
        if not trouble:
            trouble = f"there are {len(rows)} frames where the header says {self.frames}"
        else:
            trouble = (
                f"{trouble}; {len(rows)} of the {self.frames} frames of the header come before it complete"
            )
        if not rows:
            raise InputError(f"{trouble}; export it again", self.path, line)
        if not repair:
            advice = f"export it again, or keep the {len(rows)} complete frames with --repair"
            raise InputError(f"{trouble}; {advice}", self.path, line)
        return np.array(rows), (f"repaired: line {line}: {trouble}; {len(rows)} frames kept",)

    def line_of(self, frame: int) -> int | None:
        """The line of row `frame`, where rows are not wrapped."""
        seen = -1
        for line, text in enumerate(io.BytesIO(self.data), start=self.line):
            seen += bool(text.strip())
            if seen == frame:
                return line
        return None


def _check_values(
    values: np.ndarray, joints: tuple[BvhJoint, ...], block: _Block, repair: bool
) -> tuple[np.ndarray, tuple[str, ...]]:
    """No NaN, no infinity, nothing absurdly large; with `repair` such frames copy a sound neighbour."""
    low, high = values.min(), values.max()  # NaN if there is any
    if -MAX_VALUE <= low and high <= MAX_VALUE:
        return values, ()
    sound = np.all(np.abs(values) <= MAX_VALUE, axis=1)
    frame = int(np.argmin(sound))
    column = int(np.argmin(np.abs(values[frame]) <= MAX_VALUE))
    joint = next(j for j in reversed(joints) if j.channels and j.column <= column)
    channel = joint.channels[column - joint.column]
    example = f"{channel} of {joint.name} is {values[frame, column]:g}"
    index, notes = sound_frames(sound, repair, block.path, example, block.line_of(frame))
    return values[index], notes


def _mend(
    values: np.ndarray, joints: tuple[BvhJoint, ...], path: Path
) -> tuple[np.ndarray, tuple[tuple[int, int, int], ...]]:
    """Values without unusable numbers, and the stretches of joints that had any."""
    with np.errstate(invalid="ignore"):
        sound = np.abs(values) <= MAX_VALUE  # also false for NaN
    if sound.all():
        return values, ()
    missing = np.stack([~sound[:, j.column : j.column + len(j.channels)].all(axis=1) for j in joints], axis=1)
    return mend_holes(values, sound, path), hole_runs(missing)
