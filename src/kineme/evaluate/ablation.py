"""The protocol **ablation**: what each part of A4Mer is worth, every row on the same data and budget.

The paper's table: its objective and four without parts of it, full-sequence attention in the Encoder, motifs
that are frames or clips, and BERT-style targets. All rows start from the settings of the preset `small-paper`
with a smaller budget (`BUDGET`), and differ in what their name says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from kineme.errors import UsageError
from kineme.evaluate import corpora, runs, tables
from kineme.evaluate.ablation_tasks import SECONDS, classes, forecasts
from kineme.evaluate.forecast_folds import open_forecast
from kineme.evaluate.learned import A4MerRow
from kineme.evaluate.representation import Fold
from kineme.evaluate.request import Outcome, Request
from kineme.evaluate.runs import Value
from kineme.evaluate.tables import Column, Comparison, Row
from kineme.models.a4mer.config import PRESETS, A4MerConfig

#: steps of both stages: enough that a trained model differs from its random twin
BUDGET: dict[str, Any] = {"steps": 600, "joint_steps": 60, "batch_size": 8}
#: steps of the heads for prediction and interpolation; and seeds whose models are given heads: each takes two
#: minutes of a core, more than all else together
HEAD_STEPS, TASK_SEEDS = 200, 3
#: frames of the motifs that are clips: the mean length of the motifs of `full` on val
CLIP_FRAMES = 10
#: the row of the paper's method, to which all others are compared
FULL = "full"
#: what each row changes of it
VARIANTS: dict[str, dict[str, Any]] = {
    FULL: {},
    "local + λ global, no α": {"objective": "no_alpha"},
    "local only": {"objective": "local"},
    "local + global, equal weight": {"objective": "equal"},
    "plain JEPA, no decomposition": {"objective": "plain"},
    "full-sequence attention": {"attention": "sequence"},
    "one motif per frame": {"segmentation": "frame", "max_pattern": 1},
    "fixed clips": {"segmentation": "clip", "clip_frames": CLIP_FRAMES, "max_pattern": 1},
    "BERT-style targets": {"target": "input"},
}
#: the settings that we recommend, at this budget
OURS = "ours (preset small)"

TABLES = {
    "tokens": (
        Column("motif_frames", "motif length (SL)", digits=1),
        Column("knn_top1", "k-NN", factor=100, digits=1),
        Column("knn_top3", "top-3", factor=100, digits=1),
        Column("linear", "linear", factor=100, digits=1),
        Column("nmi", "NMI"),
        Column("f1_codes", "F1 codes"),
        Column("f1_mined", "F1 mined"),
    ),
    "tasks, by heads": (
        Column("head", "classes, %", factor=100, digits=1),
        *(Column(f"pred_{s:g}", f"MPJPE {s:g} s ahead, mm", digits=1) for s in SECONDS),
        *(Column(f"gap_{s:g}", f"gap of {s:g} s, mm", digits=1) for s in SECONDS),
    ),
}
_COMPARED = ("knn_top3", "linear", "nmi", "f1_codes", "head")
#: of these the lower is better
_ERRORS = tuple(f"{what}_{s:g}" for what in ("pred", "gap") for s in SECONDS)
#: what the figures of tasks depend on, beside what those of tokens do
_CODE = (
    "models/a4mer/*.py", "models/a4mer/heads/*.py", "nn/*.py", "tasks/*.py", "train/heads.py",
    "train/labelled.py", "train/recogniser.py", "train/networks.py", "corpus/place.py",
    "evaluate/ablation_tasks.py", "evaluate/forecast*.py", "evaluate/learned.py", "evaluate/recognition*.py",
)  # fmt: skip


def variants(quick: bool) -> dict[str, A4MerConfig]:
    """The settings of every row but the random one."""
    base = PRESETS["small-paper"]
    budget = {"steps": 4, "joint_steps": 2, "width": 16, "heads": 2, "latent_layers": 1} if quick else BUDGET
    made = {name: replace(base, **{**budget, **changes}) for name, changes in VARIANTS.items()}
    return {**made, OURS: replace(PRESETS["small"], **budget)}


def all_methods(models: Path, quick: bool) -> list[A4MerRow]:
    """The rows of the table."""
    made = [A4MerRow(name, "trained", models, config) for name, config in variants(quick).items()]
    return [*made, replace(made[0], weights="random")]


def run(request: Request, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Measure, or read what was measured before. Raises UsageError for an unknown corpus or method."""
    protocol = "ablation-quick" if request.quick else "ablation"
    folder = request.run or corpora.cache_folder() / "evaluate" / protocol
    methods = {m.name: m for m in all_methods(request.models or folder / "models", request.quick)}
    for name in request.methods:
        if name not in methods:
            raise UsageError(f"there is no method {name!r}; there are {', '.join(methods)}")
    names = request.corpora or (("synthetic",) if request.quick else ("joined", "hdm05"))
    size = corpora.QUICK if request.quick else corpora.FULL
    folds: list[Fold] = [fold for name in names for fold in corpora.folds(name, size)]
    chosen = [methods[name] for name in request.methods or methods]
    values = runs.measure_all(chosen, folds, request.seeds, folder / "results", say)
    values += _tasks(chosen, folds, names, request, folder, say)
    rows = tables.aggregate(values)
    checksum = hashlib.sha256("\n".join(fold.checksum for fold in folds).encode()).hexdigest()
    return Outcome(protocol, checksum, tuple(rows), tuple(comparisons(rows, names)), tuple(names))


def _tasks(
    rows: list[A4MerRow],
    folds: list[Fold],
    names: tuple[str, ...],
    request: Request,
    folder: Path,
    say: Callable[[str], None],
) -> list[Value]:
    """What every row's model is good for; what was measured before is read from ``folder/tasks``."""
    values: list[Value] = []
    moments = None
    for seed in request.seeds[:TASK_SEEDS]:
        for row in rows:
            state = " ".join(row.state(fold, seed) for fold in folds)
            said = (*(fold.checksum for fold in folds), runs.code_digest(_CODE), state, str(HEAD_STEPS))
            text = "\n".join(said)

            def made(row: A4MerRow = row, seed: int = seed) -> list[Value]:
                nonlocal moments
                say(f"tasks of {row.name}, seed {seed}")
                moments = moments or open_forecast(names, request.quick)
                steps = 4 if request.quick else HEAD_STEPS
                found = forecasts(row, moments, seed, folder / "heads" / runs.slug(row.name), steps)
                for fold in folds:
                    found[fold.corpus] |= classes(row, fold, seed)
                return [
                    Value(row.name, corpus, "", seed, "motif", metric, float(value))
                    for corpus, metrics in found.items()
                    for metric, value in metrics.items()
                ]

            key = hashlib.sha256(text.encode()).hexdigest()
            values += runs.kept_values(folder / "tasks" / f"{runs.slug(row.name)}-{seed}.json", key, made)
    return values


def comparisons(rows: list[Row], conditions: tuple[str, ...]) -> list[Comparison]:
    """The paper's method against every other row, in motifs."""
    rivals = [name for name in (*VARIANTS, f"{FULL}, random weights", OURS) if name != FULL]
    made = (
        tables.compare(
            rows, f"{FULL}: motifs", f"{rival}: motifs", metric, condition, lower=metric in _ERRORS
        )
        for condition in conditions
        for rival in rivals
        for metric in (*_COMPARED, *_ERRORS)
    )
    return [comparison for comparison in made if comparison is not None]
