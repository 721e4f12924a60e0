"""The page of a search: the query and what is like it, playing side by side, in one file.

It is made of the report's own player and style, and holds only the stretches that it shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kineme.report.payload import PageClip, PageSkeleton
from kineme.report.players import write_players


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
    content = {"words": page.words, "cards": [_card(match) for match in shown]}
    clips = [match.motion for match in shown]
    write_players(path, "results", page.title, page.lead, page.skeletons, clips, content)


def _card(match: PageMatch) -> dict[str, Any]:
    return {
        "start": round(match.start, 3),
        "end": round(match.end, 3),
        "distance": None if match.distance is None else round(match.distance, 4),
        "mirrored": match.mirrored,
        "tempo": round(match.tempo, 3),
        "parts": list(match.parts),
    }
