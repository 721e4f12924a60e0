"""Timelines of text: the annotations of BONES-SEED (SEED-Timeline), and others of that shape.

JSON Lines, an object a motion, or one JSON list (or object by name) of the same:

    {"filename": "jump_001__A022", "overview": "a person jumps twice",
     "events": [{"start_time": 0.0, "end_time": 1.2, "description": "jumps forward"}, ...]}

Times are seconds. The list may also be called ``segments`` or ``timeline``, its times ``start`` and ``end``,
its text ``text`` or ``label``. ``overview`` becomes the clip's column of that name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kineme.corpus.labels import Annotations, Note, clip_key
from kineme.errors import InputError
from kineme.motion import Segment

_NAMES = ("filename", "file", "motion_name", "name", "motion", "id")
_LISTS = ("events", "segments", "timeline")
_STARTS, _ENDS = ("start_time", "start", "start_t"), ("end_time", "end", "end_t")
_TEXTS = ("description", "text", "label", "caption")


def is_timeline(entries: Any) -> bool:
    """Whether parsed JSON has the shape of timelines (and not of BABEL)."""
    some = (
        entries if isinstance(entries, list) else list(entries.values()) if isinstance(entries, dict) else []
    )
    return any(isinstance(entry, dict) and _first(entry, _LISTS) is not None for entry in some[:20])


def read_lines(text: str, path: Path) -> Annotations:
    """The timelines of a JSON Lines file; raises InputError with the line at fault."""
    entries = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                entries.append((number, "", json.loads(line)))
            except (ValueError, RecursionError) as error:
                raise InputError(f"this is no JSON ({error})", path, number) from None
    return _annotations(entries, path)


def read_entries(entries: Any, path: Path) -> Annotations:
    """The timelines of one JSON list, or object by the motions' names."""
    named = [("", entry) for entry in entries] if isinstance(entries, list) else list(entries.items())
    return _annotations([(None, name, entry) for name, entry in named], path)


def _annotations(entries: list[tuple[int | None, str, Any]], path: Path) -> Annotations:
    notes: dict[str, tuple[Note, ...]] = {}
    columns: dict[str, dict[str, str]] = {}
    for line, name, entry in entries:
        if not isinstance(entry, dict):
            raise InputError("a timeline should be an object with a filename and events", path, line)
        name = str(_first(entry, _NAMES) or name)
        if not name:
            raise InputError("a timeline has no filename", path, line)
        try:
            notes[clip_key(name)] = tuple(_notes(entry))
        except (TypeError, ValueError, AttributeError) as error:
            raise InputError(f"the events of {name[:80]!r} cannot be read ({error})", path, line) from None
        if isinstance(overview := entry.get("overview"), str) and overview:
            columns[clip_key(name)] = {"overview": overview}
    return Annotations(notes, columns)


def _notes(entry: Mapping[str, Any]) -> Iterator[Note]:
    for event in _first(entry, _LISTS) or ():
        label = str(_first(event, _TEXTS) or "").strip()
        start, end = _first(event, _STARTS), _first(event, _ENDS)
        if start is None or end is None:
            raise ValueError("an event lacks its start or end")
        if label and float(end) > float(start):
            yield Note(Segment(max(float(start), 0.0), float(end), label))


def _first(entry: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((entry[name] for name in names if entry.get(name) is not None), None)
