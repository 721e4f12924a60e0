"""The segments of takes as tables and as sheets of tiers, for other programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from kineme.corpus import Clip, Corpus
from kineme.formats.tiers import Kind, Sheet, Tier
from kineme.motion import Segment
from kineme.tasks.library import NO_SCALE, Library, scale_name


@dataclass(frozen=True)
class Row:
    """A segment as it stands in a table.

    Attributes
    ----------
    clip, file : the take and where it lies.
    level : ``atom``, ``motif`` or ``label``; scale : the motif's time scale in seconds, 0 for the others.
    start, end : seconds of the file, the end exclusive.
    id : of the atom or motif; empty for a label.
    name : its user's name for it, or the label's text; words : what it does.
    confidence : 0 to 1.
    """

    clip: str
    file: str
    level: str
    scale: float
    start: float
    end: float
    id: str
    name: str
    words: str
    confidence: float


def library_rows(library: Library, names: Mapping[str, str], *, every_scale: bool = False) -> Iterator[Row]:
    """The segments of a library's takes, take by take: atoms, motifs, labels.

    Parameters
    ----------
    names : motif id -> its user's name for it.
    every_scale : motifs at all time scales; only at the library's own otherwise.
    """
    words = {motif["id"]: motif["words"] for motif in library.motifs}
    by_clip: dict[str, list[Row]] = {}
    for s in library.segments.to_pylist():
        motif = s["level"] == "motif"
        if motif and not every_scale and s["scale"] != library.settings.timescale:
            continue
        said = (names.get(s["id"], ""), words.get(s["id"], "")) if motif else ("", "")
        row = Row(
            s["clip"], s["file"], s["level"], s["scale"], s["start"], s["end"], s["id"], *said,
            float(s["confidence"]),
        )  # fmt: skip
        by_clip.setdefault(s["clip"], []).append(row)
    for clip in library.corpus:
        yield from by_clip.get(clip.name, ())
        for s in _labels(clip):
            yield Row(
                clip.name, clip.source, "label", NO_SCALE, s.start, s.end, "", s.label, "", s.confidence
            )


def rows_text(rows: Iterable[Row], form: str) -> str:
    """Rows as CSV with a header, or as a JSON list of objects (`form` is ``csv`` or ``json``)."""
    if form == "json":
        return json.dumps([_rounded(row) for row in rows], indent=1, ensure_ascii=False) + "\n"
    text = io.StringIO()
    table = csv.DictWriter(text, [field.name for field in fields(Row)], lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow(_rounded(row))
    return text.getvalue()


def _rounded(row: Row) -> dict[str, Any]:
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(row).items()}


def library_sheets(
    library: Library, names: Mapping[str, str], *, every_scale: bool = False
) -> Iterator[Sheet]:
    """A sheet for each take of a library; parameters as for `library_rows`."""
    corpus = library.corpus
    kinds: dict[str, dict[str, Kind]] = {}
    for motif in library.motifs:
        tier = _tier_name("motif", motif["scale"], library.settings.timescale)
        text = _shown(motif["id"], names.get(motif["id"], ""), motif["words"])
        kinds.setdefault(tier, {})[motif["id"]] = Kind(text, motif["words"], motif["number"])
    found: dict[str, dict[str, list[Segment]]] = {}
    for row in library_rows(library, names, every_scale=every_scale):
        if row.level == "label":
            continue
        tier = _tier_name(row.level, row.scale, library.settings.timescale)
        segment = Segment(row.start, row.end, _shown(row.id, row.name, row.words), row.level, row.confidence)
        found.setdefault(row.clip, {}).setdefault(tier, []).append(segment)
        if row.level == "atom":
            kinds.setdefault(tier, {}).setdefault(row.id, Kind(row.id, "", int(row.id)))
    said = {
        tier: tuple(sorted(known.values(), key=lambda kind: kind.number)) for tier, known in kinds.items()
    }
    settings = asdict(library.settings) | {"model_sha256": library.model_checksum}
    for clip in corpus:
        tiers = found.get(clip.name, {})
        yield _sheet(
            clip, corpus, {name: (rows, said.get(name, ())) for name, rows in tiers.items()}, settings
        )


def found_sheets(
    corpus: Corpus,
    segments: Sequence[Iterable[Segment]],
    settings: Mapping[str, object],
    level: str = "both",
) -> Iterator[Sheet]:
    """A sheet for each clip of a corpus with its `segments`, as `Discovery.segments` has them."""
    for clip, its_own in zip(corpus, segments, strict=True):
        tiers: dict[str, tuple[list[Segment], tuple[Kind, ...]]] = {}
        for segment in its_own:
            if level in (segment.level, "both"):
                tiers.setdefault(_tier_name(segment.level), ([], ()))[0].append(segment)
        yield _sheet(clip, corpus, tiers, settings)


def _sheet(
    clip: Clip,
    corpus: Corpus,
    tiers: Mapping[str, tuple[list[Segment], tuple[Kind, ...]]],
    settings: Mapping[str, object],
) -> Sheet:
    made = [Tier(name, tuple(rows), kinds) for name, (rows, kinds) in tiers.items()]
    levels: dict[str, list[Segment]] = {}
    for label in _labels(clip):
        levels.setdefault("labels" if label.level == "label" else f"labels {label.level}", []).append(label)
    made += [Tier(name, tuple(rows), by_hand=True) for name, rows in levels.items()]
    written = next((row.mtime_ns for row in corpus.report if row.file == clip.source), 0)
    return Sheet(
        take=clip.name,
        tiers=tuple(made),
        file=clip.source,
        seconds=clip.source_start + clip.duration,
        sha256=clip.row.sha256,
        modified=datetime.fromtimestamp(written // 10**9, UTC),
        subject=clip.subject,
        settings=settings,
    )


def _labels(clip: Clip) -> list[Segment]:
    """A clip's labels in seconds of its file."""
    skipped = clip.source_start
    return [replace(s, start=s.start + skipped, end=s.end + skipped) for s in clip.labels]


def _tier_name(level: str, scale: float = NO_SCALE, default: float = NO_SCALE) -> str:
    other = level == "motif" and scale != default
    several = "classes" if level == "class" else f"{level}s"
    return f"{several} {scale_name(scale)}" if other else several


def _shown(motif: str, name: str, words: str) -> str:
    """What an annotation says: the user's name, else id and words."""
    return name or f"{motif} {words}".strip()
