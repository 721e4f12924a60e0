"""Labels, subjects and splits for clips: from file names, CSV, BABEL's JSON and hand-label files.

Everything becomes one `Annotations`: what is said about a clip, by the clip's key. A key is the file's name
without its ending, or as much of its path as tells it from others ("CMU/01/01_01_poses"); case counts.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from kineme.errors import InputError, UsageError
from kineme.motion import Segment

#: largest label file that is read, in bytes
MAX_BYTES = 256 * 1024**2
_KEYS = ("file", "clip", "name", "babel_sid")
_LABELS = ("label", "content", "class", "action", "motion")
_SUBJECTS = ("subject", "actor", "person")
_MEANT = {*_KEYS, *_LABELS, *_SUBJECTS, "start", "end", "level", "confidence", "group", "split"}
_WHOLE = float("inf")


@dataclass(frozen=True)
class Note:
    """A labelled stretch as a label file has it; `in_frames`: its times are frame numbers of the source."""

    segment: Segment
    in_frames: bool = False

    def in_seconds(self, fps: float) -> Segment:
        if not self.in_frames:
            return self.segment
        return replace(self.segment, start=self.segment.start / fps, end=self.segment.end / fps)


@dataclass(frozen=True)
class Annotations:
    """What label files say: `notes` and `columns` (subject, group, split, anything else) by clip key.

    `pattern` is matched against file names; `origin` is where this comes from, for messages.
    """

    notes: dict[str, tuple[Note, ...]] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    pattern: re.Pattern[str] | None = None
    origin: str = ""

    def key_of(self, file: str | Path) -> str | None:
        """The longest key that is the end of `file`'s path, with or without its suffix; None if none is."""
        path = PurePosixPath(Path(file).as_posix())
        bare = path.with_suffix("") if path.suffix else path
        keys = self._all_keys
        for depth in range(len(path.parts), 0, -1):
            for whole in (path, bare):
                key = "/".join(whole.parts[-depth:])
                if key in keys:
                    return key
        return None

    @cached_property
    def _all_keys(self) -> set[str]:
        return set(self.notes) | set(self.columns)

    def says_something(self, file: str | Path) -> bool:
        """Whether there is anything about the motion file `file`."""
        named = self.pattern is not None and self.pattern.search(Path(file).stem) is not None
        return named or self.key_of(file) is not None

    def unused(self, files: Iterable[str | Path]) -> list[str]:
        """The keys, sorted, that are about none of the motion files."""
        return sorted(self._all_keys - {self.key_of(file) for file in files})

    def of(self, file: str | Path, fps: float, duration: float) -> tuple[list[Segment], dict[str, str]]:
        """Segments in seconds of the source, cut to [0, `duration`], and columns for the motion file `file`.

        `fps` is the source's frame rate. Segments that lie outside of the motion are left out.
        """
        key = self.key_of(file)
        notes = list(self.notes.get(key, ())) if key is not None else []
        columns = dict(self.columns.get(key, {})) if key is not None else {}
        if self.pattern is not None and (match := self.pattern.search(Path(file).stem)):
            named = {name: value for name, value in match.groupdict().items() if value is not None}
            if "label" in named:
                notes.append(Note(Segment(0.0, _WHOLE, named.pop("label"))))
            columns |= named
        found = []
        for segment in (note.in_seconds(fps) for note in notes):
            start, end = max(segment.start, 0.0), min(segment.end, duration)
            if end > start:
                found.append(replace(segment, start=start, end=end))
        return sorted(found, key=lambda s: (s.start, s.end, s.level, s.label)), columns


def read_labels(source: Any) -> list[Annotations]:
    """Label sources of any kind.

    Parameters
    ----------
    source : a pattern with named groups over file names (``r"(?P<label>[a-z]+)_(?P<subject>\\d+)"``;
        ``label``, ``subject``, ``group`` and ``split`` have a meaning, others become `Clip.meta`); a CSV or
        JSON or text file; `Annotations`; or a sequence of these.

    Raises InputError for a file that cannot be understood, UsageError for a bad pattern.
    """
    if source is None:
        return []
    if isinstance(source, Annotations):
        return [source]
    if isinstance(source, str) and "(?P<" in source:
        try:
            return [Annotations(pattern=re.compile(source), origin=source)]
        except re.error as error:
            raise UsageError(f"the name pattern {source!r} is no regular expression: {error}") from None
    if isinstance(source, str | Path):
        return [replace(_read_file(Path(source)), origin=str(source))]
    return [entry for part in source for entry in read_labels(part)]


def _read_file(path: Path) -> Annotations:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError("the label file is larger than 256 MB", path)
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise InputError(f"the label file cannot be read ({error.strerror})", path) from None
    suffix = path.suffix.lower()
    if suffix == ".json":
        return _read_babel(text, path)
    if suffix == ".jsonl":
        from kineme.corpus.timeline import read_lines

        return read_lines(text, path)
    if suffix == ".csv":
        return _read_csv(text, path)
    if suffix == ".txt":
        return _read_spans(text, path)
    raise InputError(
        "labels are read from .csv, .json (BABEL, timelines), .jsonl (timelines) and .txt files", path
    )


def _read_csv(text: str, path: Path) -> Annotations:
    """Columns ``file,start,end,label`` (seconds), or one row a clip with a label for all of it.

    The clip is named by ``file``, ``clip`` or ``name``; the label of a whole clip by ``label``, ``content``,
    ``class`` or ``action``. ``level``, ``confidence``, ``subject`` (or ``actor``), ``group`` and ``split``
    mean what they say, in capitals, too; all other columns become `Clip.meta`. A spreadsheet may have put
    semicolons or tabs in place of commas, and then a comma into its numbers.
    """
    lines = text.splitlines()
    comma = next((mark for mark in ",;\t" if lines and mark in lines[0]), ",")
    rows = csv.DictReader(lines, delimiter=comma, skipinitialspace=True, restval="")
    names = [_column(name) for name in rows.fieldnames or [] if name]
    rows.fieldnames = names
    key = next((name for name in _KEYS if name in names), None)
    if key is None:
        raise InputError("the table needs a column 'file', 'clip' or 'name'", path, 1)
    label = next((name for name in _LABELS if name in names), None)
    if "start" in names and not {"end", "label"} <= set(names):
        raise InputError("a table of segments needs the columns file, start, end, label", path, 1)
    if not any(map(str.strip, lines[1:])):
        raise InputError("the table has the names of its columns and no line under them", path)
    used = {key, label, "start", "end", "level", "confidence"}
    notes: dict[str, list[Note]] = {}
    columns: dict[str, dict[str, str]] = {}
    for row in rows:
        if not any(row.values()):
            continue  # a line that was emptied in a spreadsheet
        clip = clip_key(row[key])
        if not clip:
            raise InputError(f"the column {key!r} is empty", path, rows.line_num)
        if label is not None and row[label]:
            notes.setdefault(clip, []).append(Note(_segment(row, label, path, rows.line_num)))
        rest = {name: value for name, value in row.items() if name in names and name not in used and value}
        own = columns.setdefault(clip, {})
        own |= {"subject" if name in _SUBJECTS else name: value for name, value in rest.items()}
    return Annotations({clip: tuple(found) for clip, found in notes.items()}, columns)


def _column(name: str) -> str:
    """A column's name: without capitals where it is one with a meaning."""
    name = name.strip()
    return name.lower() if name.lower() in _MEANT else name


def _segment(row: Mapping[str, str], label: str, path: Path, line: int) -> Segment:
    def number(name: str, otherwise: float) -> float:
        return float(row[name].replace(",", ".")) if row.get(name) else otherwise

    try:
        start, end, confidence = number("start", 0.0), number("end", _WHOLE), number("confidence", 1.0)
    except ValueError as error:
        raise InputError(f"a start, end or confidence is no number ({error})", path, line) from None
    if start < 0:
        raise InputError(f"the segment starts at {start:g} s, before its take, which begins at 0", path, line)
    if not start < end:
        raise InputError(f"the segment from {start:g} s to {end:g} s has no length", path, line)
    return Segment(start, end, row[label], row.get("level") or "label", confidence)


def _read_babel(text: str, path: Path) -> Annotations:
    """BABEL: ``{id: {"feat_p": path, "dur": s, "seq_ann" | "frame_ann": {"labels": [...]}}}``.

    Segments come from ``frame_ann``, and where there is none the sequence's label covers all of it. The files
    ``extra_*`` hold lists instead (``frame_anns``, ``seq_anns``), of which the first one is taken. ``feat_p``
    begins with the data set's name twice ("CMU/CMU/01/01_01_poses.npz"); clips are also found under one, and
    under the name that AMASS gives them for SMPL-X. A JSON of timelines goes to `corpus.timeline`.
    """
    from kineme.corpus.timeline import is_timeline, read_entries

    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"this is no JSON ({error})", path) from None
    if is_timeline(entries):
        return read_entries(entries, path)
    if not isinstance(entries, dict):
        raise InputError("a BABEL file is one object of sequences by id", path)
    notes: dict[str, tuple[Note, ...]] = {}
    for name, entry in entries.items():
        if not isinstance(entry, dict):
            raise InputError(f"the sequence {name!r} is no object", path)
        try:
            found = tuple(_babel_notes(entry))
            notes |= dict.fromkeys(_babel_keys(str(entry.get("feat_p") or name)), found)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise InputError(f"the labels of sequence {name!r} cannot be read ({error})", path) from None
    return Annotations(notes)


def _babel_keys(name: str) -> list[str]:
    keys = [clip_key(name)]
    first, _, rest = keys[0].partition("/")
    if rest.startswith(f"{first}/"):
        keys.append(rest)
    return keys + [key.removesuffix("_poses") + "_stageii" for key in keys if key.endswith("_poses")]


def _babel_notes(entry: Mapping[str, Any]) -> Iterable[Note]:
    frames = entry.get("frame_ann") or next(iter(entry.get("frame_anns") or ()), None)
    whole = entry.get("seq_ann") or next(iter(entry.get("seq_anns") or ()), None)
    for mark in (frames or whole or {}).get("labels") or ():
        label = str(mark.get("proc_label") or mark.get("raw_label") or "")
        start, end = mark.get("start_t"), mark.get("end_t")
        segment = Segment(float(start or 0.0), _WHOLE if end is None else float(end), label)
        if label:
            yield Note(segment)


def _read_spans(text: str, path: Path) -> Annotations:
    """The hand labels of long CMU takes: a line ``subject trial``, then lines ``label a b c``.

    b is the last frame (from 1) of the segment; a to c is the span of the change to the next.
    """
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines or len(lines[0][1]) != 2:
        raise InputError("the first line should be 'subject trial', such as '86 01'", path, 1)
    notes, start = [], 0
    for number, words in lines[1:]:
        if len(words) != 4 or not all(word.isdecimal() and len(word) < 12 for word in words[1:]):
            raise InputError("a line should be 'label a b c' with frame numbers a, b, c", path, number)
        end = int(words[2])
        if end <= start:
            raise InputError(f"the segment ends at frame {end}, before it starts", path, number)
        notes.append(Note(Segment(float(start), float(end), words[0]), in_frames=True))
        start = end
    return Annotations({"_".join(lines[0][1]): tuple(notes)})


def clip_key(text: str) -> str:
    """A clip key as written in a file: forward slashes, no ending that names a motion format."""
    path = PurePosixPath(text.strip().replace("\\", "/"))
    known = {".bvh", ".amc", ".npz", ".npy", ".csv", ".txt", ".fbx", ".c3d"}
    return str(path.with_suffix("") if path.suffix.lower() in known else path).lstrip("./")


def read_splits(source: Any) -> Annotations:
    """Which clip belongs to which split.

    Parameters
    ----------
    source : files of clip names, one a line, called ``*_train.txt``, ``*_val.txt`` ...; the common beginning
        of such files (``splits/hdm05``); a mapping from split to a file or to names; or None.

    Raises InputError for a file that cannot be read or a clip in two splits.
    """
    columns: dict[str, dict[str, str]] = {}
    for split, names in _splits(source):
        for name in names:
            if columns.setdefault(clip_key(name), {"split": split})["split"] != split:
                raise InputError(
                    f"the clip {name!r} is both in {columns[clip_key(name)]['split']} and in {split}"
                )
    return Annotations(columns=columns, origin="" if source is None else "the split files")


def _splits(source: Any) -> Iterable[tuple[str, list[str]]]:
    if source is None:
        return
    if isinstance(source, Mapping):
        for split, names in source.items():
            yield (
                str(split),
                _names(names) if isinstance(names, str | Path) else [str(name) for name in names],
            )
        return
    for path in [source] if isinstance(source, str | Path) else source:
        path = Path(path)
        files = [path] if path.is_file() else sorted(path.parent.glob(f"{path.name}_*.txt"))
        files = [file for file in files if file == path or "_" not in file.stem[len(path.name) + 1 :]]
        if not files:
            raise InputError("there is no split file of this name", path)
        for file in files:
            yield file.stem.rpartition("_")[2], _names(file)


def _names(path: str | Path) -> list[str]:
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the split file cannot be read ({error})", path) from None
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def as_groups(group: str | Mapping[str, str] | None) -> tuple[str, Annotations]:
    """The name of the column that groups clips, and what an explicit mapping from clip to group adds."""
    if group is None or isinstance(group, str):
        return group or "group", Annotations()
    return "group", Annotations(
        columns={clip_key(name): {"group": str(value)} for name, value in group.items()}
    )
