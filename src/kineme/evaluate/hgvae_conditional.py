"""The protocol **hgvae-conditional** (Figures 3, 6 and 9): samples of a class, judged by a recogniser; a
map of z_0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kineme.evaluate.fillers import Learned
from kineme.evaluate.motion_folds import MotionFold
from kineme.evaluate.motion_runs import measure_rows, outcome, setting
from kineme.evaluate.request import Outcome, Request
from kineme.evaluate.tables import Column
from kineme.formats.atomic import atomic_write
from kineme.models.hgvae.config import CONDITIONAL, HGVAEConfig
from kineme.models.hgvae.model import HGVAE
from kineme.train.hgvae import measure_latents

#: samples a class; training windows of a class that the recogniser sees at most, and held-out ones
SAMPLES, SEEN, HELD = 25, 150, 40
#: training of the model with the class at every level: 600 steps, a quarter of those of the paper's condition
STEPS: dict[str, Any] = {"epochs": 4, "warmup_epochs": 2.5}
#: of folds and seeds; rows share them
_recognisers: dict[tuple, Any] = {}

TABLES = {
    "samples judged by a recogniser of real motion, percent": (
        Column("accuracy", "accuracy", factor=100, digits=1),
        Column("chance", "chance", factor=100, digits=1),
        Column("diversity", "diversity (training windows: 100)", factor=100, digits=0),
    ),
    "z0 of held-out windows": (Column("silhouette", "silhouette of the map", digits=3),),
}


def run(request: Request, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Measure, or read what was measured before; the map is written to ``<run>/z0-<corpus>-<seed>.svg``."""
    config, folder, models, folds, protocol = setting(request, "hgvae-conditional")
    labels = folds[0].labels
    paper = replace(config, labels=labels, mirror=False, noise_factors=0)
    config = replace(paper, **CONDITIONAL, **({} if request.quick else STEPS))
    samples = 4 if request.quick else SAMPLES
    rows = {
        "real motion, held out": _real,
        "HG-VAE": _samples(config, samples),
        "HG-VAE, drawn from the prior": _samples(config, samples, prior=True),
        "HG-VAE, paper's condition": _samples(paper, samples, pictures=folder),
        **{
            f"HG-VAE, {n} level{'s' * (n > 1)} drawn": _samples(config, samples, n)
            for n in range(1, len(config.levels))
        },
        "HG-VAE, random weights": _samples(config, samples, how="random"),
    }
    chosen = {name: row for name, row in rows.items() if not request.methods or name in request.methods}
    values = measure_rows(chosen, folds, request, folder, models, "evaluate/hgvae_conditional.py", say)
    rivals = ("HG-VAE, drawn from the prior", "HG-VAE, paper's condition", "HG-VAE, random weights")
    return outcome(protocol, folds, values, [("HG-VAE", rival, "accuracy") for rival in rivals])


def features(windows: np.ndarray) -> np.ndarray:
    """(n, F) what the recogniser sees of windows (n, C, frames): low frequencies of every channel."""
    from kineme.motion.dct import dct

    return dct(windows, min(8, windows.shape[2])).reshape(len(windows), -1)


def recogniser(fold: MotionFold, seed: int):
    """Logistic regression on real training windows of a single class each, all classes counting alike."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    key = (fold.training, fold.checksum, seed)
    if key not in _recognisers:
        batch = fold.train.of_each_class(SEEN, np.random.default_rng([seed, 19]))
        model = make_pipeline(
            StandardScaler(), LogisticRegression(max_iter=300, C=0.01, class_weight="balanced")
        )
        _recognisers[key] = model.fit(features(batch.windows), batch.labels)
    return _recognisers[key]


def judged(judge, windows: dict[int, np.ndarray], fold: MotionFold, seed: int) -> dict[str, float]:
    """Accuracy and diversity of windows (n, C, frames) by class, every class counting alike.

    Diversity is the mean distance of any two windows of a class, in the recogniser's standardised features,
    over that of training windows of the class; classes of which there are not two are left out.
    """
    seen = fold.train.of_each_class(HELD, np.random.default_rng([seed, 22]))
    right, spread = [], []
    for label, own in windows.items():
        right.append(float((judge.predict(features(own)) == label).mean()))
        apart = [_apart(judge, part) for part in (own, seen.windows[seen.labels == label])]
        if min(len(own), int((seen.labels == label).sum())) > 1 and apart[1] > 0:
            spread.append(apart[0] / apart[1])
    return {
        "accuracy": float(np.mean(right)),
        "chance": 1 / len(judge.classes_),
        "diversity": float(np.mean(spread)) if spread else float("nan"),
    }


def _apart(judge, windows: np.ndarray) -> float:
    from scipy.spatial.distance import pdist

    return float(pdist(judge[0].transform(features(windows))).mean()) if len(windows) > 1 else 0.0


def _real(fold: MotionFold, seed: int, models: Path) -> dict[str, float]:
    batch = fold.test.of_each_class(HELD, np.random.default_rng([seed, 20]))
    own = {label: batch.windows[batch.labels == label] for label in np.unique(batch.labels).tolist()}
    return judged(recogniser(fold, seed), own, fold, seed)


def _samples(
    config: HGVAEConfig,
    samples: int,
    levels: int | None = None,
    how: str = "best",
    pictures: Path | None = None,
    prior: bool = False,
):
    """Samples of the classes that the test takes have, of which the recogniser knows more.

    prior : draw every latent by itself.
    """

    def measure(fold: MotionFold, seed: int, models: Path) -> dict[str, float]:
        tag = "-classes" if config.condition == "top" else "-classes-every"
        model = Learned("HG-VAE", how, config, tag=tag).model(fold, seed, models)
        assert isinstance(model, HGVAE)
        model.latents = None
        if not prior:  # models that are kept from an earlier run may have none
            measure_latents(model, fold.train, seed, config.latent_factors)
        judge = recogniser(fold, seed)
        made = {
            label: model.sample(samples, config.labels[label], levels=levels, seed=seed + 1000 * label)
            for label in np.unique(fold.test.labels[fold.test.labels >= 0]).tolist()
        }
        windows = {label: values.transpose(0, 2, 1) for label, values in made.items()}
        found = judged(judge, windows, fold, seed)
        if levels is None and not prior:
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
