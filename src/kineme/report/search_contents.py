"""From the result of a search to its page: every stretch in its own skeleton."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from kineme.corpus import Clip, Corpus
from kineme.corpus.tables import OwnSkeleton
from kineme.report.body import Body, page_body
from kineme.report.contents import short_paths
from kineme.report.payload import PageClip, PageSkeleton
from kineme.report.results import PageMatch, ResultsPage
from kineme.report.words import describe
from kineme.tasks.search import Match, SearchResult

_SWAP = {"left": "right", "right": "left"}


def results_page(result: SearchResult, query: Clip, corpus: Corpus, library: str) -> ResultsPage:
    """The page of `result`: what was found in `corpus` for a stretch of the clip `query`.

    `library` : what the library is called.
    """
    bodies = _Bodies(short_paths([query.source, *(match.file for match in result.matches)]))
    said = describe([_canonical_places(query, result.start, result.end)], query.fps)
    parts = tuple(said.parts)
    asked = PageMatch(
        bodies.cut(query, query.source, result.start, result.end), result.start, result.end, parts=parts
    )
    cards = tuple(_card(bodies, corpus[match.clip], match, parts) for match in result.matches)
    return ResultsPage(
        title=f"More like {query.name}",
        lead=_lead(result, library),
        words=said.words,
        query=asked,
        matches=cards,
        skeletons=bodies.skeletons,
    )


def _card(bodies: _Bodies, clip: Clip, match: Match, parts: Sequence[str]) -> PageMatch:
    return PageMatch(
        motion=bodies.cut(clip, match.file, match.start, match.end),
        start=match.start,
        end=match.end,
        distance=match.distance,
        mirrored=match.mirrored,
        tempo=match.tempo,
        parts=tuple(_other_side(part) for part in parts) if match.mirrored else tuple(parts),
    )


def _other_side(part: str) -> str:
    return " ".join(_SWAP.get(word, word) for word in part.split())


def _lead(result: SearchResult, library: str) -> tuple[str, ...]:
    count, minutes = len(result.matches), result.seconds / 60
    takes = f"{result.clips} take" + ("s" if result.clips != 1 else "")
    if not count:
        return (f"Nothing in the {takes} of {library} can be compared with it.",)
    mirrored = sum(match.mirrored for match in result.matches)
    nearest = 100 * result.matches[0].distance
    sentences = [
        f"The {count} nearest stretches in {takes} of {library}, {minutes:.0f} min."
        if minutes >= 1.5
        else f"The {count} nearest stretches in {takes} of {library}.",
        f"The nearest is {nearest:.1f} cm a joint away.",
    ]
    if mirrored:
        sentences.append(f"{mirrored} of them {'is' if mirrored == 1 else 'are'} mirrored.")
    return tuple(sentences)


def _canonical_places(clip: Clip, start: float, end: float) -> np.ndarray:
    """World places (T, 22, 3) of a clip between two times of its file."""
    motion, first = clip.motion, round((start - clip.source_start) * clip.fps)
    first = int(np.clip(first, 0, len(motion) - 2))
    last = max(first + 2, round((end - clip.source_start) * clip.fps))
    return motion[first:last].positions


class _Bodies:
    """Cuts stretches out of clips; rigs of one height share a skeleton."""

    def __init__(self, short: Mapping[str, str]):
        self._short = short
        self._known: dict[tuple[OwnSkeleton, float], tuple[int, Body]] = {}

    @property
    def skeletons(self) -> tuple[PageSkeleton, ...]:
        """Those of all stretches that were cut."""
        return tuple(body.skeleton for _, body in self._known.values())

    def cut(self, clip: Clip, file: str, start: float, end: float) -> PageClip:
        """The stretch of a clip between two times of its file."""
        own, fps = clip.own_skeleton, clip.display_fps
        key = (own, round(clip.skeleton.rest_height, 2))
        if key not in self._known:
            self._known[key] = (len(self._known), page_body(own.names, own.parents, clip.own))
        number, body = self._known[key]
        first = int(np.clip(np.floor((start - clip.source_start) * fps), 0, clip.row.display_frames - 1))
        last = max(first + 1, int(np.ceil((end - clip.source_start) * fps)) + 1)
        return PageClip(
            name=clip.name,
            duration=max(end - start, 1 / fps),
            fps=fps,
            skeleton=number,
            positions=body.place(clip.own[first:last]),
            source=self._short[file],
        )
