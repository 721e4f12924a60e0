"""The protocol **search**: are changed copies of a stretch found among real takes, and how quickly.

For every query (a stretch of 0.8 to 4 s of a held-out clip) and every condition, one changed copy of the
query's clip takes the clip's place among the other held-out clips, and the query, unchanged, is looked for.
It is found where one of the first ten stretches shares half of the union with the planted one. No distractor
is replicated, and many are real repetitions of the same move by the same person. Latency is measured on the
same clips replicated to 10^4 and 10^6 atoms, one query at a time, everything in memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from kineme.corpus import Corpus
from kineme.errors import UsageError
from kineme.evaluate import corpora, runs, tables
from kineme.evaluate.baselines import CONFIG, model_input
from kineme.evaluate.discovery import Outcome, Request
from kineme.evaluate.held_out import open_held_out
from kineme.evaluate.learned import A4MerRow, random_model, take_bank
from kineme.evaluate.planted import CONDITIONS, Planted, Query, draw_queries, is_hit, plant
from kineme.evaluate.runs import Value
from kineme.evaluate.searchers import (
    Cascade,
    Chance,
    Searcher,
    Span,
    pca_clips,
    raw_warping,
    token_warping,
)
from kineme.evaluate.tables import Column
from kineme.models.a4mer.config import PRESETS
from kineme.models.a4mer.segment import atom_lengths
from kineme.motion import Motion
from kineme.motion.skeleton import Skeleton

__all__ = ["TABLES", "Request", "run"]

TOP = 10
QUERY_SECONDS = (0.8, 4.0)
CONDITION = "held-out"
METHODS = ("kineme search", "A4Mer small tokens", "raw DTW", "PCA on 1 s clips", "random")


def _slug(condition: str) -> str:
    return condition.replace(" ", "_").replace("-", "_")


TABLES = {
    "recall@10 \\[recall@1] of planted copies": tuple(
        Column(f"recall10_{_slug(c)}", c, beside=f"recall1_{_slug(c)}") for c in CONDITIONS
    ),
    "latency in ms, median \\[95th percentile]": (
        Column("p50_10000", "10,000 atoms", digits=0, beside="p95_10000"),
        Column("p50_1000000", "1,000,000 atoms", digits=0, beside="p95_1000000"),
        Column("cpu50_10000", "processor, 10,000", digits=0, beside="cpu95_10000"),
        Column("cpu50_1000000", "processor, 1,000,000", digits=0, beside="cpu95_1000000"),
        Column("hours_10000", "hours of 10,000", digits=1),
        Column("hours_1000000", "hours of 1,000,000", digits=0),
    ),
}
_CODE = (
    *(f"tasks/{name}.py" for name in ("alignment", "poses", "scan", "search", "search_index")),
    *(f"evaluate/{name}.py" for name in ("planted", "searchers", "search")),
    *(f"models/a4mer/{name}.py" for name in ("features", "segment", "encoding", "network")),
)


@dataclass(frozen=True)
class Size:
    """How much is measured: queries a seed, sizes of replicated libraries in atoms, queries timed on each."""

    queries: int
    atoms: tuple[int, ...]
    timed: int


FULL, QUICK = Size(60, (10_000, 1_000_000), 60), Size(4, (10_000,), 3)


@dataclass(frozen=True, eq=False)
class _Clips:
    """The clips that are searched."""

    motions: list[Motion]
    groups: list[str]
    skeletons: list[Skeleton]

    @classmethod
    def of(cls, corpus: Corpus) -> _Clips:
        return cls(
            [clip.motion for clip in corpus],
            [clip.group for clip in corpus],
            [clip.skeleton for clip in corpus],
        )

    def others(self, clip: int) -> list[Skeleton]:
        """Bodies of the other data sets, or of the other clips where there is one data set only."""
        away = [s for s, g in zip(self.skeletons, self.groups, strict=True) if g != self.groups[clip]]
        return away or [s for k, s in enumerate(self.skeletons) if k != clip]


def run(request: Request, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Measure, or read what was measured before. Raises UsageError for an unknown corpus or method."""
    for name in request.corpora:
        if name != CONDITION:
            raise UsageError(f"there is no corpus {name!r}; there is {CONDITION}")
    for name in request.methods:
        if name not in METHODS:
            raise UsageError(f"there is no method {name!r}; there are {', '.join(METHODS)}")
    size, names = QUICK if request.quick else FULL, request.methods or METHODS
    folder = request.run or corpora.cache_folder() / "evaluate" / f"search{'-quick' if request.quick else ''}"
    models = request.models or corpora.cache_folder() / "evaluate" / "discovery" / "models"
    say("opening the held-out clips")
    corpus = open_held_out("test", request.quick)
    clips = _Clips.of(corpus)
    values: list[Value] = []
    for seed in request.seeds:
        for name in names:
            searcher, state = _searcher(name, clips, seed, models, request.quick)
            key = f"{corpus.checksum} {runs.code_digest(_CODE)} {state} {size}"
            job = _Job(cache(searcher), clips, size, seed, say)
            for kind, measure in (("recall", job.recall), ("latency", job.latency)):
                file = folder / "results" / f"{_slug(name)}-{kind}-{seed}.json"
                values += runs.kept_values(file, key, measure)
    return Outcome("search", corpus.checksum, tuple(tables.aggregate(values)), (), (CONDITION,))


def _searcher(
    name: str, clips: _Clips, seed: int, models: Path, quick: bool
) -> tuple[Callable[[], Searcher], str]:
    """What makes the method, and what its figures depend on beside corpus and code."""
    if name == "A4Mer small tokens":
        if quick:
            return lambda: token_warping(
                random_model(PRESETS["tiny"], take_bank(clips.motions), seed), name
            ), ""
        row, (fold,) = A4MerRow("small", "trained", models), corpora.folds("joined")
        return lambda: token_warping(row.fit(fold, seed).model, name), row.state(fold, seed)
    made: dict[str, Callable[[], Searcher]] = {
        "kineme search": Cascade,
        "raw DTW": raw_warping,
        "PCA on 1 s clips": lambda: pca_clips(clips.motions),
        "random": lambda: Chance(seed),
    }
    return made[name], ""


@dataclass(frozen=True, eq=False)
class _Job:
    """The measurements of one method with one seed; `make` gives the method, and is called when needed."""

    make: Callable[[], Searcher]
    clips: _Clips
    size: Size
    seed: int
    say: Callable[[str], None]

    @cached_property
    def queries(self) -> list[Query]:
        return draw_queries(
            self.clips.motions, self.clips.groups, self.size.queries, QUERY_SECONDS, self.seed
        )

    @cached_property
    def prepared(self) -> list[Any]:
        return [self.make().prepare(motion) for motion in self.clips.motions]

    def recall(self) -> list[Value]:
        """Recall at 1 and at TOP of every condition."""
        searcher, figures = self.make(), {}
        for condition in CONDITIONS:
            self.say(f"{searcher.name}, seed {self.seed}: {condition}")
            ranks = [_rank(searcher, self.clips, self.prepared, query, condition) for query in self.queries]
            figures[f"recall10_{_slug(condition)}"] = float(np.mean([rank < TOP for rank in ranks]))
            figures[f"recall1_{_slug(condition)}"] = float(np.mean([rank < 1 for rank in ranks]))
        return self._values(figures)

    def latency(self) -> list[Value]:
        """Milliseconds a query at every size."""
        searcher, figures = self.make(), {}
        for atoms in self.size.atoms:
            if atoms > 100_000 and not isinstance(searcher, Cascade | Chance):
                continue  # minutes a query
            self.say(f"{searcher.name}, seed {self.seed}: latency at {atoms:,} atoms")
            figures |= _latency(searcher, self.clips, self.prepared, self.queries[: self.size.timed], atoms)
        return self._values(figures)

    def _values(self, figures: dict[str, float]) -> list[Value]:
        return [
            Value(self.make().name, CONDITION, "", self.seed, "search", metric, value)
            for metric, value in figures.items()
        ]


def _rank(searcher: Searcher, clips: _Clips, prepared: Sequence[Any], query: Query, condition: str) -> int:
    """Place of the planted copy among what is found, from 0; TOP where it is not."""
    copy = plant(clips.motions[query.clip], query, condition, clips.others(query.clip))
    kept = list(prepared)
    kept[query.clip] = searcher.prepare(copy.motion)
    asked = searcher.ask(clips.motions[query.clip], query.start, query.end)
    return rank_of(searcher.find(searcher.index(kept), asked, TOP), query.clip, copy)


def rank_of(found: Sequence[Span], clip: int, copy: Planted) -> int:
    """Place of the first stretch that is the planted one; TOP where none is."""
    hits = (k for k, span in enumerate(found) if span.clip == clip and is_hit(copy, span.start, span.end))
    return next(hits, TOP)


def _latency(
    searcher: Searcher, clips: _Clips, prepared: Sequence[Any], queries: Sequence[Query], atoms: int
) -> dict[str, float]:
    """Milliseconds a query on the clips replicated to so many atoms, and the hours of motion that makes.

    By the clock, and of the processor (all threads together), which other programs hardly change.
    """
    own = sum(len(atom_lengths(model_input(motion)[1], CONFIG)) for motion in clips.motions)
    times = max(1, round(atoms / own))
    index = searcher.index([clip for _ in range(times) for clip in prepared])
    asked = [searcher.ask(clips.motions[q.clip], q.start, q.end) for q in queries]
    searcher.find(index, asked[0], TOP)
    taken, worked = [], []
    for query in asked:
        start, began = time.perf_counter(), time.process_time()
        searcher.find(index, query, TOP)
        taken.append(1000 * (time.perf_counter() - start))
        worked.append(1000 * (time.process_time() - began))
    hours = times * sum(motion.duration for motion in clips.motions) / 3600
    found = {f"hours_{atoms}": hours}
    for name, values in (("p", taken), ("cpu", worked)):
        half, most = np.percentile(values, [50, 95])
        found |= {f"{name}50_{atoms}": float(half), f"{name}95_{atoms}": float(most)}
    return found
