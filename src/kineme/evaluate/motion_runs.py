"""Measuring rows of the tables of HG-VAE: kept as they are measured, so that a stopped run goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from kineme.evaluate import corpora
from kineme.evaluate.motion_folds import MotionFold, open_folds
from kineme.evaluate.request import Outcome, Request
from kineme.evaluate.runs import Value, code_digest, kept_values, slug
from kineme.evaluate.tables import Comparison, Row, aggregate, compare
from kineme.models.hgvae.config import PRESETS, HGVAEConfig

#: sources that every figure of these tables depends on, beside those of all tables
CODE = (
    "models/*/network.py", "models/hgvae/*.py", "nn/*.py", "tasks/ascent.py", "tasks/anomaly.py",
    "tasks/evidence.py", "tasks/joins.py", "train/hgvae.py", "train/windows.py", "train/baselines.py",
    "corpus/bank.py", "corpus/occlusion.py", "evaluate/fillers.py",
    "evaluate/strangers.py", "evaluate/motion_*.py",
)  # fmt: skip
#: the model of the tables: `small` with 2,400 steps instead of 6,000, so that three seeds of everything
#: can be trained in an evening on one core; every row that is trained has as many windows
TABLE_CONFIG: HGVAEConfig = replace(PRESETS["small"], epochs=16, warmup_epochs=10.0)
#: ... and of those that are trained for one table alone: with classes, or without one action
SIDE_CONFIG: HGVAEConfig = replace(TABLE_CONFIG, epochs=2, warmup_epochs=1.2)
#: the model of the quick version: nothing is learnt in it
QUICK_CONFIG: HGVAEConfig = HGVAEConfig(
    levels=((67, 8), (1, 8)), path_features=8, epochs=1, epoch_windows=64, batch_size=32, warmup_epochs=1.0,
    noise_factors=16,
)  # fmt: skip

#: (fold, seed, folder of models) -> {metric: value}
Measure = Callable[[MotionFold, int, Path], Mapping[str, float]]


def setting(request: Request, protocol: str) -> tuple[HGVAEConfig, Path, Path, list[MotionFold], str]:
    """Model settings, run folder, folder of models, folds, and the protocol's name for this request."""
    config = QUICK_CONFIG if request.quick else TABLE_CONFIG
    name = f"{protocol}-quick" if request.quick else protocol
    folder = request.run or corpora.cache_folder() / "evaluate" / name
    models = request.models or folder.parent / ("hgvae-models-quick" if request.quick else "hgvae-models")
    names = request.corpora or (("synthetic",) if request.quick else ("joined", "hdm05"))
    folds = open_folds(names, corpora.QUICK if request.quick else corpora.FULL, config)
    return config, folder, models, folds, name


def measure_rows(
    rows: Mapping[str, Measure],
    folds: list[MotionFold],
    request: Request,
    folder: Path,
    models: Path,
    code: str,
    say: Callable[[str], None],
) -> list[Value]:
    """Every row on every fold with every seed; what was measured before is read from ``folder/results``."""
    values: list[Value] = []
    for name, measure in rows.items():
        for seed in request.seeds:
            for fold in folds:
                key = hashlib.sha256(
                    "\n".join([fold.checksum, code_digest((*CODE, code)), name]).encode()
                ).hexdigest()

                def made(
                    name: str = name, measure: Measure = measure, fold: MotionFold = fold, seed: int = seed
                ):
                    say(f"{name}, {fold.name}, seed {seed}")
                    found = measure(fold, seed, models)
                    return [Value(name, fold.name, "", seed, "window", k, float(v)) for k, v in found.items()]

                values += kept_values(
                    folder / "results" / slug(fold.name) / f"{slug(name)}-{seed}.json", key, made
                )
    return values


def outcome(
    protocol: str, folds: list[MotionFold], values: list[Value], compared: list[tuple[str, str, str]]
) -> Outcome:
    """Rows and comparisons (method, rival, metric) on every fold."""
    rows: list[Row] = aggregate(values)
    names = tuple(dict.fromkeys(value.corpus for value in values))
    found: list[Comparison] = []
    for condition in names:
        made = (compare(rows, a, b, metric, condition) for a, b, metric in compared)
        found += [comparison for comparison in made if comparison is not None]
    checksum = hashlib.sha256("\n".join(fold.checksum for fold in folds).encode()).hexdigest()
    return Outcome(protocol, checksum, tuple(rows), tuple(found), names)
