"""Whether label and split files fit the takes that they are about: what a person may have meant otherwise.

Labels that say nothing of any take, that lie beyond a take's end, or that go to two takes of one name teach a
model nonsense, so that each is worth a sentence.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from kineme.corpus.labels import Annotations
from kineme.corpus.tables import ClipData
from kineme.errors import InputError, InputWarning

#: seconds by which a label may end beyond its take: a time that was rounded to a whole second
SLACK = 0.5
#: files of one name that a sentence names
_NAMED = 3


def check_named(labels: Iterable[Annotations], split: Annotations, files: Sequence[str | Path]) -> None:
    """Raises InputError for a label or split source that says nothing about any of the files."""
    for note in (*labels, split):
        if note.origin and not any(note.says_something(file) for file in files):
            raise InputError(
                f"none of its names fits a motion file, such as {Path(files[0]).stem!r}", note.origin
            )


def warn_of_labels(labels: Iterable[Annotations], clips: Sequence[ClipData], fps: float) -> None:
    """Warns of lines about no motion, of names that fit several files, and of labels beyond their takes' ends.

    A split names a whole data set, often more than is at hand, so it is not looked at.
    """
    ends: dict[str, float] = {}
    rates: dict[str, float] = {}
    for clip in clips:
        row = clip.row
        ends[row.file] = max(ends.get(row.file, 0.0), row.source_start + row.frames / fps)
        rates[row.file] = row.source_fps
    for note in (note for note in labels if note.origin):
        for sentence in (_idle(note, ends), _shared(note, ends), _outside(note, ends, rates)):
            if sentence:
                warnings.warn(f"{note.origin}: {sentence}", InputWarning, stacklevel=2)


def _idle(note: Annotations, files: Iterable[str]) -> str:
    idle = note.unused(files)
    more = f" and {len(idle) - 1} more" if len(idle) > 1 else ""
    return f"its lines about {idle[0]}{more} fit no motion here and were left out" if idle else ""


def _shared(note: Annotations, files: Iterable[str]) -> str:
    """Of names that fit several files: they are about each, as a take may be there in two formats."""
    by_key: dict[str, list[str]] = {}
    for file in files:
        if (key := note.key_of(file)) is not None:
            by_key.setdefault(key, []).append(file)
    several = {key: found for key, found in by_key.items() if len(found) > 1}
    if not several:
        return ""
    key, found = next(iter(several.items()))
    base = os.path.commonpath([Path(file).parent for file in found])
    shown = [Path(file).relative_to(base).as_posix() for file in found[:_NAMED]]
    names = " and ".join(shown) if len(found) <= _NAMED else ", ".join(shown) + " …"
    more = f" (and {len(several) - 1} other names fit several)" if len(several) > 1 else ""
    return (
        f"the name {key} fits {len(found)} takes, {names}, and its lines are about each of them{more}; write as "
        f"much of the path as tells them apart, such as {shown[0]}"
    )


def _outside(note: Annotations, ends: Mapping[str, float], rates: Mapping[str, float]) -> str:
    """How many labels begin or end beyond their takes' ends, by more than a rounded time does."""
    total = beyond = 0
    in_frames = False
    for file, end in ends.items():
        notes = note.notes.get(note.key_of(file) or "", ())
        segments = [one.in_seconds(rates[file]) for one in dict.fromkeys(notes)]
        total += len(segments)
        lost = [s for s in segments if s.start >= end or end + SLACK < s.end < float("inf")]
        beyond += len(lost)
        in_frames |= any(one.in_frames for one in notes)
    if not beyond:
        return ""
    guess = "are these frames of another rate?" if in_frames else "are these frames? Times are seconds"
    lie = "lies outside of its take and was" if beyond == 1 else "lie outside of their takes and were"
    return f"{beyond} of {total} labels {lie} cut or left out ({guess})"
