"""The page of a search: the query and what is like it, playing side by side, in one file.

It is made of the report's own player and style, and holds only the stretches that it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kineme.formats.atomic import atomic_write
from kineme.report.document import write_document
from kineme.report.encode import pack_positions
from kineme.report.page import FORMAT, clip_entry, skeleton_entry
from kineme.report.payload import PageClip, PageSkeleton

#: the page's script, in the order in which the parts build on each other
SCRIPTS = (
    "data.js", "colour.js", "dom.js", "figure.js", "loop.js", "gallery.js", "export.js", "theme.js",
    "results.js",
)  # fmt: skip


@dataclass(frozen=True)
class PageMatch:
    """One card: `motion` is the stretch alone, its time 0 the file's `start`.

    Attributes
    ----------
    start, end : seconds of the file. distance : metres a joint; None for the query itself.
    mirrored, tempo : as in `tasks.search.Match`. parts : body parts that move most.
    """

    motion: PageClip
    start: float
    end: float
    distance: float | None = None
    mirrored: bool = False
    tempo: float = 1.0
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResultsPage:
    """What the page shows. `lead` : sentences under the title; `words` : what the query does."""

    title: str
    lead: tuple[str, ...]
    words: str
    query: PageMatch
    matches: tuple[PageMatch, ...]
    skeletons: tuple[PageSkeleton, ...]


def write_results(page: ResultsPage, path: Path) -> None:
    """Writes the page, whole or not at all."""
    shown = (page.query, *page.matches)
    blocks = [(f"clip-{k}", pack_positions(match.motion.positions)) for k, match in enumerate(shown)]
    with atomic_write(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as file:
        write_document(
            file,
            "results.html",
            SCRIPTS,
            title=page.title,
            data={"INDEX": _index(page, shown)},
            blocks=blocks,
        )


def _index(page: ResultsPage, shown: Sequence[PageMatch]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "title": page.title,
        "lead": list(page.lead),
        "words": page.words,
        "skeletons": [skeleton_entry(s) for s in page.skeletons],
        "clips": [clip_entry(match.motion) for match in shown],
        "cards": [_card(match) for match in shown],
    }


def _card(match: PageMatch) -> dict[str, Any]:
    return {
        "start": round(match.start, 3),
        "end": round(match.end, 3),
        "distance": None if match.distance is None else round(match.distance, 4),
        "mirrored": match.mirrored,
        "tempo": round(match.tempo, 3),
        "parts": list(match.parts),
    }
