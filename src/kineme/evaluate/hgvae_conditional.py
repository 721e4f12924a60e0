"""The protocol **hgvae-conditional** (Figures 3, 6 and 9): samples of a class, judged by a recogniser; a
map of z_0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path

import numpy as np
import torch

from kineme.evaluate.fillers import Learned
from kineme.evaluate.motion_folds import MotionFold
from kineme.evaluate.motion_runs import measure_rows, outcome, setting
from kineme.evaluate.request import Outcome, Request
from kineme.evaluate.tables import Column
from kineme.formats.atomic import atomic_write
from kineme.models.hgvae.config import HGVAEConfig
from kineme.models.hgvae.model import HGVAE

#: samples a class, and windows that the recogniser and the map see at most
SAMPLES, MOST = 25, 2000

TABLES = {
    "samples judged by a recogniser of real motion, percent": (
        Column("accuracy", "accuracy", factor=100, digits=1),
        Column("chance", "chance", factor=100, digits=1),
    ),
    "z0 of held-out windows": (Column("silhouette", "silhouette of the map", digits=3),),
}


def run(request: Request, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Measure, or read what was measured before; the map is written to ``<run>/z0-<corpus>-<seed>.svg``."""
    config, folder, models, folds, protocol = setting(request, "hgvae-conditional")
    labels = folds[0].labels
    config = replace(config, labels=labels, mirror=False, noise_factors=0)
    samples = 4 if request.quick else SAMPLES
    rows = {
        "real motion, held out": _real,
        "HG-VAE": _samples(config, samples, None, "best", folder),
        **{
            f"HG-VAE, {n} level{'s' * (n > 1)} drawn": _samples(config, samples, n, "best", None)
            for n in range(1, len(config.levels))
        },
        "HG-VAE, random weights": _samples(config, samples, None, "random", None),
    }
    chosen = {name: row for name, row in rows.items() if not request.methods or name in request.methods}
    values = measure_rows(chosen, folds, request, folder, models, "evaluate/hgvae_conditional.py", say)
    return outcome(protocol, folds, values, [("HG-VAE", "HG-VAE, random weights", "accuracy")])


def features(windows: np.ndarray) -> np.ndarray:
    """(n, F) what the recogniser sees of windows (n, C, frames): low frequencies of every channel."""
    from kineme.motion.dct import dct

    return dct(windows, min(8, windows.shape[2])).reshape(len(windows), -1)


def recogniser(fold: MotionFold, seed: int):
    """Logistic regression on real training windows of a single class each."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    known = fold.train.only((fold.train.labels >= 0) & (fold.train.lengths == fold.train.frames))
    order = np.random.default_rng([seed, 19]).permutation(len(known))[:MOST]
    batch = known.take(order)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200, C=0.01))
    return model.fit(features(batch.windows), batch.labels)


def _real(fold: MotionFold, seed: int, models: Path) -> dict[str, float]:
    test = fold.test.only((fold.test.labels >= 0) & (fold.test.lengths == fold.test.frames))
    batch = test.take(np.random.default_rng([seed, 20]).permutation(len(test))[:400])
    judge = recogniser(fold, seed)
    return {"accuracy": float(judge.score(features(batch.windows), batch.labels)), "chance": _chance(judge)}


def _chance(judge) -> float:
    return 1 / len(judge.classes_)


def _samples(config: HGVAEConfig, samples: int, levels: int | None, how: str, pictures: Path | None):
    def measure(fold: MotionFold, seed: int, models: Path) -> dict[str, float]:
        model = Learned("HG-VAE", how, config, tag="-classes").model(fold, seed, models)
        assert isinstance(model, HGVAE)
        judge = recogniser(fold, seed)
        right = []
        for label in judge.classes_.tolist():
            made = model.sample(samples, config.labels[label], levels=levels, seed=seed + 1000 * label)
            right.append(judge.predict(features(made.transpose(0, 2, 1))) == label)
        found = {"accuracy": float(np.concatenate(right).mean()), "chance": _chance(judge)}
        if levels is None:
            found["silhouette"] = _map(model, fold, seed, pictures)
        return found

    return measure


def _map(model: HGVAE, fold: MotionFold, seed: int, pictures: Path | None) -> float:
    """Silhouette of classes in a two-dimensional map of z_0's means, drawn where a folder is given."""
    from sklearn.metrics import silhouette_score

    test = fold.test.only((fold.test.labels >= 0) & (fold.test.lengths == fold.test.frames))
    batch = test.take(np.random.default_rng([seed, 21]).permutation(len(test))[:600])
    with torch.no_grad():
        top = model.network(model.normalise(batch.windows), sample=False).levels[0].latent
    flat = top.transpose(0, 1).flatten(1).numpy()
    points, how = plane(flat, seed)
    if pictures is not None:
        file = pictures / f"z0-{fold.name}-{seed}.svg"
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(file) as part:
            part.write_text(scatter(points, batch.labels, fold.labels, f"z0 by {how}"), encoding="utf-8")
    if len(np.unique(batch.labels)) < 2:
        return float("nan")
    return float(silhouette_score(points, batch.labels))


def plane(vectors: np.ndarray, seed: int) -> tuple[np.ndarray, str]:
    """(n, 2) by UMAP where it is installed, by PCA otherwise; and which it was."""
    try:
        from umap import UMAP  # type: ignore[import-not-found]
    except ImportError:
        from sklearn.decomposition import PCA

        return PCA(2, random_state=seed).fit_transform(vectors), "PCA"
    return np.asarray(UMAP(random_state=seed).fit_transform(vectors)), "UMAP"


def scatter(points: np.ndarray, labels: np.ndarray, names: tuple[str, ...], title: str) -> str:
    """An SVG of points (n, 2) in the colours of their classes."""
    low, high = points.min(0), points.max(0)
    at = 30 + 540 * (points - low) / np.maximum(high - low, 1e-9)
    used = sorted(set(labels.tolist()))
    hue = {label: round(360 * k / len(used)) for k, label in enumerate(used)}
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="hsl({hue[n]} 65% 45%)"/>'
        for (x, y), n in zip(at.tolist(), labels.tolist(), strict=True)
    )
    keys = "".join(
        f'<text x="620" y="{60 + 18 * k}" fill="hsl({hue[n]} 65% 35%)">{escape(names[n])}</text>'
        for k, n in enumerate(used)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 600" font-family="sans-serif">'
        f'<rect width="860" height="600" fill="white"/>{dots}'
        f'<text x="620" y="30">{escape(title)}</text>{keys}</svg>\n'
    )
