"""The segments of a take, as annotation tools see them: tiers of labelled stretches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kineme.motion import Segment

#: what neither XML 1.0 nor HDF5 can hold: control characters and halves of characters
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Kind:
    """One of the things that a tier tells apart.

    Attributes
    ----------
    text : as the segments' `label` says it.
    meaning : in plain words; empty where there are none.
    number : the model's own; -1 for a person's label.
    """

    text: str
    meaning: str = ""
    number: int = -1


@dataclass(frozen=True)
class Tier:
    """Segments of one sort.

    Attributes
    ----------
    name : ``atoms``, ``motifs``, ``labels`` ...
    segments : in seconds of the take, by rising start; `Segment.label` is what is shown.
    kinds : everything that could have occurred.
    by_hand : whether a person made them. Those of a model tile the take without overlap.
    """

    name: str
    segments: tuple[Segment, ...]
    kinds: tuple[Kind, ...] = ()
    by_hand: bool = False


@dataclass(frozen=True)
class Sheet:
    """All tiers of a take.

    Attributes
    ----------
    take : its name; `file` : where it lies; `sha256` : of the file.
    seconds : how long it is.
    modified : when the file was written last.
    subject : who moves; empty where it is not known.
    settings : how the segments were found, for the record.
    """

    take: str
    tiers: tuple[Tier, ...]
    file: str = ""
    seconds: float = 0.0
    sha256: str = ""
    modified: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    subject: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)


def plain_text(text: str) -> str:
    """`text` with a replacement character for everything that XML or HDF5 cannot hold."""
    return _UNWRITABLE.sub("\ufffd", text)


def without_overlap(segments: Iterable[Segment]) -> list[list[Segment]]:
    """The segments in as few rows as it takes for none to overlap another of its row."""
    rows: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda s: (s.start, s.end)):
        row = next((row for row in rows if row[-1].end <= segment.start), None)
        if row is None:
            rows.append([segment])
        else:
            row.append(segment)
    return rows
