"""How often and how long each motif occurs, and what follows what, by subject or other group of takes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kineme.corpus import Clip, Corpus
from kineme.errors import InputError, UsageError
from kineme.tasks.library import Library, motif_words

#: what a group of clips that a column says nothing about is called
UNKNOWN = "(not said)"
#: the one group where none is asked for
EVERYTHING = "all takes"
_BUILT_IN = ("subject", "group", "split")


@dataclass(frozen=True)
class MotifStatistic:
    """One motif in one group.

    Attributes
    ----------
    per_minute : occurrences a minute of the group's takes. share : of their time, in [0, 1].
    mean, deviation, lower, median, upper : seconds of an occurrence; the sample deviation (0 for a single
        one) and the quartiles. All 0 where the motif does not occur.
    """

    group: str
    motif: str
    count: int
    per_minute: float
    share: float
    mean: float
    deviation: float
    lower: float
    median: float
    upper: float


@dataclass(frozen=True)
class Transition:
    """How often one motif follows another without a gap; `share` : of all that follows the first."""

    group: str
    first: str
    then: str
    count: int
    share: float


@dataclass(frozen=True)
class Group:
    """Clips that belong together, and how long they last."""

    name: str
    clips: int
    seconds: float


@dataclass(frozen=True)
class Statistics:
    """Motifs by group.

    Attributes
    ----------
    by : the column. scale : seconds, the time scale. groups : by name, the unknown one last.
    motifs : ids, the most frequent first; words : id -> what it does.
    rows : group by group, every motif. transitions : group by group, the most frequent first.
    """

    by: str
    scale: float
    groups: tuple[Group, ...]
    motifs: tuple[str, ...]
    words: dict[str, str]
    rows: tuple[MotifStatistic, ...]
    transitions: tuple[Transition, ...]


def statistics(library: Library, by: str = "", scale: float | None = None) -> Statistics:
    """The statistics of a library.

    Parameters
    ----------
    by : ``subject``, ``group``, ``split``, or a column of the label files; "" takes all clips together.
    scale : time scale in seconds; the library's own if not given.

    Raises InputError where no clip has such a column, or the library is empty; UsageError for a time scale
    that it does not have.
    """
    corpus = library.corpus
    if not len(corpus):
        raise InputError("holds no clips; `kineme index` adds some", library.folder)
    scale = library.settings.timescale if scale is None else scale
    if scale not in (library.settings.timescale, *library.settings.scales):
        known = ", ".join(f"{s:g}s" for s in sorted({library.settings.timescale, *library.settings.scales}))
        raise UsageError(f"the library has no time scale {scale:g}s; it has {known}")
    of_clip = group_names(corpus, by)
    seconds, clips = defaultdict(float), Counter(of_clip.values())
    for clip in corpus:
        seconds[of_clip[clip.name]] += clip.duration
    names = sorted(seconds, key=lambda name: (name == UNKNOWN, name))
    spans, follows = _occurrences(library, scale, of_clip)
    total = Counter({motif: sum(map(len, found.values())) for motif, found in spans.items()})
    motifs = [motif for motif, _ in sorted(total.items(), key=lambda item: (-item[1], item[0]))]
    rows = [
        _row(name, motif, spans[motif].get(name, []), seconds[name]) for name in names for motif in motifs
    ]
    return Statistics(
        by=by,
        scale=scale,
        groups=tuple(Group(name, clips[name], seconds[name]) for name in names),
        motifs=tuple(motifs),
        words=motif_words(library),
        rows=tuple(rows),
        transitions=tuple(t for name in names for t in _transitions(name, follows[name])),
    )


def group_names(corpus: Corpus, by: str) -> dict[str, str]:
    """Clip name -> group. Raises InputError where no clip has the column `by`."""
    if not by:
        return dict.fromkeys(corpus.names, EVERYTHING)
    found = {clip.name: _value(clip, by) for clip in corpus}
    if not any(found.values()):
        known = sorted(
            {key for clip in corpus for key in clip.meta}
            | {name for name in _BUILT_IN if any(_value(clip, name) for clip in corpus)}
        )
        has = f"it knows {', '.join(known)}" if known else "`kineme index --labels` can add some"
        raise InputError(f"says nothing about the {by!r} of its clips; {has}", corpus.folder)
    return {name: value or UNKNOWN for name, value in found.items()}


def _value(clip: Clip, by: str) -> str:
    value = getattr(clip, by) if by in _BUILT_IN else clip.meta.get(by)
    return "" if value is None else str(value)


def _occurrences(
    library: Library, scale: float, of_clip: dict[str, str]
) -> tuple[dict[str, dict[str, list[float]]], dict[str, Counter[tuple[str, str]]]]:
    """Motif -> group -> seconds of each occurrence; group -> (motif, next motif) -> count."""
    import pyarrow.compute as pc

    table = library.segments
    chosen = pc.and_(pc.equal(table["level"], "motif"), pc.equal(table["scale"], scale))
    table = table.filter(chosen).select(["clip", "start", "end", "id"])
    spans: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    follows: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    last: tuple[str, str, float] | None = None
    for clip, start, end, motif in zip(*(column.to_pylist() for column in table.columns), strict=True):
        group = of_clip.get(clip)
        if group is None:
            raise InputError(
                "has segments of clips that are not there; run `kineme index` again", library.folder
            )
        spans[motif][group].append(end - start)
        if last is not None and last[0] == clip and abs(last[2] - start) < 1e-3:
            follows[group][last[1], motif] += 1
        last = (clip, motif, end)
    return spans, follows


def _row(group: str, motif: str, spans: Sequence[float], seconds: float) -> MotifStatistic:
    if not spans:
        return MotifStatistic(group, motif, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    length = np.array(spans)
    lower, median, upper = (float(q) for q in np.quantile(length, [0.25, 0.5, 0.75]))
    deviation = float(length.std(ddof=1)) if len(length) > 1 else 0.0
    rate, share = 60 * len(length) / seconds, float(length.sum() / seconds)
    return MotifStatistic(
        group,
        motif,
        len(length),
        rate,
        min(share, 1.0),
        float(length.mean()),
        deviation,
        lower,
        median,
        upper,
    )


def _transitions(group: str, follows: Counter[tuple[str, str]]) -> list[Transition]:
    leaving: Counter[str] = Counter()
    for (first, _), count in follows.items():
        leaving[first] += count
    ordered = sorted(follows.items(), key=lambda item: (-item[1], item[0]))
    return [Transition(group, a, b, n, n / leaving[a]) for (a, b), n in ordered]
