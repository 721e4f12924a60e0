"""The protocol **discovery**: the segments and codes that a method finds, and how they agree with labels."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from kineme.errors import UsageError
from kineme.evaluate import corpora, runs, tables
from kineme.evaluate.baselines import BASELINES
from kineme.evaluate.learned import A4MerRow, Packaged, Remined
from kineme.evaluate.representation import Fold, Method
from kineme.evaluate.request import Outcome, Request
from kineme.evaluate.tables import Column, Comparison, Row

#: one table a heading and a condition
TABLES = {
    "codes and probes": (
        Column("f1_codes", "F1 \\[random]", beside="f1_codes_random"),
        Column("recall_codes", "recall \\[decoys]", beside="decoys_codes"),
        Column("nmi", "NMI"),
        Column("ari", "ARI"),
        Column("knn_top1", "k-NN", factor=100, digits=1),
        Column("knn_top3", "top-3", factor=100, digits=1),
        Column("linear", "linear", factor=100, digits=1),
        *(Column(f"{outcome}_codes", outcome, digits=1) for outcome in ("hit", "missed", "false")),
    ),
    "mined segments": (
        Column("f1_mined", "F1 \\[random]", beside="f1_mined_random"),
        Column("recall_mined", "recall \\[decoys]", beside="decoys_mined"),
        Column("purity", "purity"),
        Column("segment_seconds", "seconds", digits=1),
        Column("motif_frames", "motif frames", digits=1),
        Column("motif_seconds", "motif seconds", digits=1),
        Column("coverage", "coverage"),
        *(Column(f"{outcome}_mined", outcome, digits=1) for outcome in ("hit", "missed", "false")),
    ),
}
#: what training must improve, level by level, and against whom
_COMPARED = {
    "atoms": ("nmi", "knn_top1", "linear"),
    "motifs": ("f1_codes", "f1_mined", "nmi", "knn_top1", "linear"),
}
_ALONE = ("k-means on frames", "PCA on 1 s clips")


def all_methods(models: Path, quick: bool) -> list[Method]:
    """The rows of the table; the quick version has the smallest preset only."""
    presets = ("tiny",) if quick else ("small", "tiny")
    learned: list[Method] = [
        A4MerRow(preset, weights, models)  # type: ignore[arg-type]
        for preset in presets
        for weights in ("trained", "random")
    ]
    again: list[Method] = [] if quick else [Remined(A4MerRow("small", "trained", models)), Packaged()]
    return [*learned, *again, *BASELINES]


def run(request: Request, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Measure, or read what was measured before. Raises UsageError for an unknown corpus or method."""
    protocol = "discovery-quick" if request.quick else "discovery"
    folder = request.run or corpora.cache_folder() / "evaluate" / protocol
    size = corpora.QUICK if request.quick else corpora.FULL
    methods = _chosen(all_methods(request.models or folder / "models", request.quick), request.methods)
    names = request.corpora or (("synthetic", "joined") if request.quick else corpora.CORPORA)
    for name in names:
        if name not in corpora.CORPORA:
            raise UsageError(f"there is no corpus {name!r}; there are {', '.join(corpora.CORPORA)}")
    folds: list[Fold] = []
    for name in names:
        say(f"opening {name}")
        folds += corpora.folds(name, size)
    checksum = hashlib.sha256("\n".join(fold.checksum for fold in folds).encode()).hexdigest()
    values = runs.measure_all(methods, folds, request.seeds, folder / "results", say)
    rows = tables.aggregate(values)
    return Outcome(protocol, checksum, tuple(rows), tuple(_comparisons(rows, names)), tuple(names))


def _chosen(methods: Sequence[Method], names: Sequence[str]) -> list[Method]:
    known = {method.name: method for method in methods}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no method {name!r}; there are {', '.join(known)}")
    return [known[name] for name in names] if names else list(methods)


def _comparisons(rows: Sequence[Row], conditions: Sequence[str]) -> list[Comparison]:
    """Each trained A4Mer against its random twin, raw mining and the two simplest representations."""
    methods = {row.method for row in rows}
    trained = sorted(
        m.removesuffix(": motifs") for m in methods if m.startswith("A4Mer") and m.endswith(": motifs")
    )
    found = []
    for name in (n for n in trained if "," not in n):
        for condition in conditions:
            for level, metrics in _COMPARED.items():
                rivals = [f"{name}, random weights: {level}", f"raw codes + mining: {level}", *_ALONE]
                pairs = [(rival, metric) for metric in metrics for rival in rivals]
                made = (tables.compare(rows, f"{name}: {level}", rival, m, condition) for rival, m in pairs)
                found += [comparison for comparison in made if comparison is not None]
    return found
