"""The protocol **prediction**: how motion goes on, 0.4 to 4 s ahead, from ten seconds of context.

Errors are of the joints around the pelvis, in the heading of the last observed frame, at the horizon's frame
alone; and in the world, with the pelvis' way. `same action` : of those moments whose action has not
changed by then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kineme.corpus.place import RELATIVE
from kineme.errors import UsageError
from kineme.evaluate import corpora
from kineme.evaluate.forecast_folds import ForecastFolds, open_forecast
from kineme.evaluate.forecasters import LONGER, Fill, Retrieval, Simple, in_parts, learned_rows
from kineme.evaluate.motion_metrics import horizon_mpjpe
from kineme.evaluate.request import Outcome, Request
from kineme.evaluate.runs import Value, code_digest, kept_values, slug
from kineme.evaluate.tables import Column, Comparison, aggregate, compare
from kineme.models.a4mer.heads.config import PRESETS
from kineme.nn.moments import RATE, truth

HORIZONS = (0.4, 1.0, 2.0, 4.0)
_KINDS = {"all": "all frames", "same": "same action", "world": "in the world"}
TABLES = {
    f"MPJPE, mm, {words}": tuple(Column(f"{kind}_{h:g}", f"{h:g} s", digits=1) for h in HORIZONS)
    for kind, words in _KINDS.items()
}
#: whom our row is compared with at 1, 2 and 4 s
RIVALS = (
    "repeat last pose", "constant velocity", "k-NN retrieval", "direct MLP", "direct Transformer",
    "direct MLP, recalled poses", "direct MLP, trained longer", "direct Transformer, trained longer",
    "A4Mer, paper's head", "A4Mer, random weights",
)  # fmt: skip
CODE = (
    "corpus/place.py", "nn/*.py", "models/a4mer/*.py", "models/a4mer/heads/*.py",
    "models/predictors/direct/*.py", "train/heads.py", "train/networks.py", "evaluate/forecast*.py",
    "evaluate/motion_metrics.py",
)  # fmt: skip


def run(request: Request, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Measure, or read what was measured before."""
    folder, folds, values = measured_rows(
        "prediction", request, [*_rows(request)], measure, ("evaluate/prediction.py",), say
    )
    metrics = [f"{kind}_{h:g}" for kind in ("all", "same") for h in HORIZONS[1:]]
    compared = [(rival, "A4Mer", metric) for metric in metrics for rival in RIVALS]
    compared += [(rival, "A4Mer, trained longer", metric) for metric in metrics for rival in LONGER]
    return outcome_of(folder.name, folds, values, compared)


def _rows(request: Request):
    models, preset, steps = setting(request)
    ours = PRESETS["small"]
    return (
        Simple("repeat last pose", "hold"),
        Simple("constant velocity", "move"),
        Retrieval("predictor", ours),
        *learned_rows("predictor", models, preset, steps),
    )


def setting(request: Request) -> tuple[Path, str, int]:
    """Folder of trained models, their preset, and steps of every row in the quick version."""
    name = "discovery-quick" if request.quick else "discovery"
    models = request.models or corpora.cache_folder() / "evaluate" / name / "models"
    return models, "tiny" if request.quick else "small", 8 if request.quick else 0


def measured_rows(
    protocol: str,
    request: Request,
    rows: list,
    measure_row: Callable[[Fill, ForecastFolds, str], dict[str, float]],
    code: tuple[str, ...],
    say: Callable[[str], None],
) -> tuple[Path, ForecastFolds, list[Value]]:
    """Every row with every seed on every corpus; what was measured before is read from ``folder/results``."""
    name = f"{protocol}-quick" if request.quick else protocol
    folder = request.run or corpora.cache_folder() / "evaluate" / name
    known = {row.name: row for row in rows}
    for method in request.methods:
        if method not in known:
            raise UsageError(f"there is no method {method!r}; there are {', '.join(known)}")
    chosen = [known[m] for m in request.methods] if request.methods else rows
    names = request.corpora or (("synthetic",) if request.quick else ("joined", "hdm05"))
    folds = open_forecast(names, request.quick)
    runs = (
        folder / "runs" / code_digest((*CODE, *code))[:12]
    )  # what other code has trained is not gone on with
    values: list[Value] = []
    certain: dict[tuple[str, str], dict[str, float]] = {}  # what is the same with every seed
    for seed in request.seeds:
        for row in chosen:
            fill: list[Fill] = []
            for corpus in folds.names:
                text = "\n".join([folds.checksum, code_digest((*CODE, *code)), row.name, corpus])
                key = hashlib.sha256(text.encode()).hexdigest()

                def made(row=row, seed=seed, corpus=corpus, fill=fill) -> list[Value]:
                    found = certain.get((row.name, corpus))
                    if found is None:
                        say(f"{row.name}, {corpus}, seed {seed}")
                        if not fill:
                            fill.append(row.fit(folds, seed, runs))
                        found = measure_row(fill[0], folds, corpus)
                    if not hasattr(row, "config") or isinstance(row, Retrieval):
                        certain[row.name, corpus] = found
                    return [Value(row.name, corpus, "", seed, "window", k, v) for k, v in found.items()]

                file = folder / "results" / slug(corpus) / f"{slug(row.name)}-{seed}.json"
                values += kept_values(file, key, made)
    order = {row.name: k for k, row in enumerate(chosen)}
    return folder, folds, sorted(values, key=lambda v: order[v.method])


def outcome_of(
    protocol: str, folds: ForecastFolds, values: list[Value], compared: list[tuple[str, str, str]]
) -> Outcome:
    """Rows and comparisons (rival, ours, metric) on every corpus; lower is better, so the rival comes
    first."""
    rows = aggregate(values)
    found: list[Comparison] = []
    for condition in folds.names:
        made = (compare(rows, a, b, metric, condition) for a, b, metric in compared)
        found += [comparison for comparison in made if comparison is not None]
    checksum = hashlib.sha256(folds.checksum.encode()).hexdigest()
    return Outcome(protocol, checksum, tuple(rows), tuple(found), folds.names)


def measure(fill: Fill, folds: ForecastFolds, corpus: str) -> dict[str, float]:
    """All metrics of a row on a corpus, in mm."""
    cuts, within = folds.cuts(corpus, None, PRESETS["small"].longest)
    times = (np.arange(round(max(HORIZONS) * RATE)) + 1) / RATE
    frames = [round(h * RATE) - 1 for h in HORIZONS]
    made, channels = in_parts(fill, cuts, times[: frames[-1] + 1])
    true = truth(cuts, made)
    around, real = (c[..., :RELATIVE].reshape(*c.shape[:2], -1, 3) * 1000 for c in (channels, true))
    world, real_world = (_world(c) for c in (channels, true))
    keep = [within(h) for h in HORIZONS]
    found = {"all": horizon_mpjpe(around, real, frames), "same": horizon_mpjpe(around, real, frames, keep)}
    found["world"] = horizon_mpjpe(world, real_world, frames)
    return {f"{kind}_{h:g}": v for kind, row in found.items() for h, v in zip(HORIZONS, row, strict=True)}


def _world(channels: np.ndarray) -> np.ndarray:
    """(B, T, 22, 3) millimetres from where the body stood, of channels (B, T, 66)."""
    root = channels[..., RELATIVE:][..., None, :]
    around = channels[..., :RELATIVE].reshape(*channels.shape[:2], -1, 3)
    return np.concatenate([root, around + root], axis=2) * 1000
