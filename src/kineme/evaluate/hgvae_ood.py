"""The protocol **hgvae-ood** (Figures 1 and 7): how well scores tell clean motion from damaged and foreign
motion."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from kineme.errors import UsageError
from kineme.evaluate.corruptions import CORRUPTIONS, largest_acceleration, worst_body
from kineme.evaluate.fillers import ConditionalPCA, Learned
from kineme.evaluate.motion_folds import QUICK_WINDOWS, MotionFold
from kineme.evaluate.motion_runs import SIDE_CONFIG, measure_rows, outcome, setting
from kineme.evaluate.request import Outcome, Request
from kineme.evaluate.tables import Column
from kineme.models.hgvae.config import HGVAEConfig
from kineme.models.hgvae.model import HGVAE
from kineme.tasks.evidence import Usual, motion_terms, window_terms

WINDOWS, SOUND = 100, 250
#: the content of `joined` that is left out of training for the column `foreign`
FOREIGN = "run"
#: (windows) -> (n,) the higher, the less likely
Score = Callable[[np.ndarray], np.ndarray]

TABLES = {
    "AUROC, clean against": (
        Column("occluded", "0.5% occluded", digits=3),
        Column("frozen", "frozen joint", digits=3),
        Column("swapped", "swapped limbs", digits=3),
        Column("foreign", "foreign action", digits=3),
    ),
}


def run(request: Request, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Measure, or read what was measured before."""
    config, folder, models, folds, protocol = setting(request, "hgvae-ood")
    count = QUICK_WINDOWS if request.quick else WINDOWS
    makers = scorers(config)
    rows = {name: _measure(make, count) for name, make in makers.items()}
    side = scorers(config if request.quick else SIDE_CONFIG)
    rows |= {f"{name}, {FOREIGN} left out": _foreign(make, count) for name, make in side.items()}
    for name in request.methods:
        if name not in rows:
            raise UsageError(f"there is no method {name!r}; there are {', '.join(rows)}")
    rows = {name: row for name, row in rows.items() if not request.methods or name in request.methods}
    code = "evaluate/[hc]*o*.py"
    values = measure_rows(rows, folds, request, folder, models, code, say)
    best = "HG-VAE: all evidence"
    rivals = (
        "acceleration",
        "bone lengths and sides",
        "jumps and standstills",
        "PCA: worst joint",
        "HG-VAE, random weights: all evidence",
    )
    return outcome(protocol, folds, values, [(best, rival, m) for m in CORRUPTIONS for rival in rivals])


Maker = Callable[[MotionFold, int, Path], Score]


def scorers(config: HGVAEConfig) -> Mapping[str, Maker]:
    """The rows: how windows are scored."""
    trained, random = Learned("HG-VAE", "best", config), Learned("HG-VAE", "random", config)
    return {
        "HG-VAE: all evidence": _evidence(trained),
        "HG-VAE: worst joint": _joints(trained),
        "HG-VAE: worst number": _numbers(trained),
        "HG-VAE: window": _mean(trained),
        "HG-VAE: log p(z | x)": _latent(trained),
        "HG-VAE, random weights: all evidence": _evidence(random),
        "HG-VAE, random weights: worst joint": _joints(random),
        "PCA: worst joint": _pca,
        "jumps and standstills": _moves,
        "acceleration": lambda fold, seed, models: (
            lambda windows: largest_acceleration(windows, fold.train.channels)
        ),
        "bone lengths and sides": lambda fold, seed, models: (
            lambda windows: worst_body(windows, fold.train.channels)
        ),
    }


#: the model and the terms of its windows that the last rows were made of: most rows look at the same
_models: dict[tuple, HGVAE] = {}
_known: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}


def _hgvae(learned: Learned, fold: MotionFold, seed: int, models: Path) -> HGVAE:
    key = (learned, fold.training, fold.checksum, seed, models)
    if key not in _models:
        model = learned.model(fold, seed, models)
        assert isinstance(model, HGVAE)
        _models[key] = model
    return _models[key]


def _terms(model: HGVAE, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean surprise and terms of evidence of whole windows."""
    key = (id(model), hash(windows.tobytes()))  # models stay in `_models`, so that no id comes again
    if key not in _known:
        _known[key] = window_terms(windows, np.ones((len(windows), windows.shape[2]), bool), model)
    return _known[key]


def _evidence(learned: Learned) -> Maker:
    """What `kineme anomaly` looks at, over all joints of a window."""

    def make(fold: MotionFold, seed: int, models: Path) -> Score:
        model = _hgvae(learned, fold, seed, models)
        usual = Usual.fit(_terms(model, _sound(fold, seed))[1])
        return lambda windows: usual.joints(_terms(model, windows)[1]).max(1)

    return make


def _moves(fold: MotionFold, seed: int, models: Path) -> Score:
    """The terms of that evidence which need no model."""

    def terms(windows: np.ndarray) -> np.ndarray:
        exists = np.ones((len(windows), windows.shape[2]), bool)
        moves = motion_terms(windows, exists, fold.train.channels, HGVAEConfig.fps)
        return np.concatenate([np.zeros_like(moves), moves], axis=2)  # in the places of the model's terms

    usual = Usual.fit(terms(_sound(fold, seed)))
    return lambda windows: usual.joints(terms(windows)).max(1)


def _joints(learned: Learned) -> Maker:
    def make(fold: MotionFold, seed: int, models: Path) -> Score:
        model = _hgvae(learned, fold, seed, models)
        return _worst(lambda w: _terms(model, w)[1][..., 0], fold, seed)

    return make


def _numbers(learned: Learned) -> Maker:
    """The most surprising single number against its own channel's median in the window."""

    def make(fold: MotionFold, seed: int, models: Path) -> Score:
        model = _hgvae(learned, fold, seed, models)

        def channels(windows: np.ndarray) -> np.ndarray:
            with torch.no_grad():
                parts = [model.surprise(model.normalise(w)) for w in np.array_split(windows, 8) if len(w)]
            each = torch.cat(parts)
            return (each.amax(2) - each.median(2).values).numpy()

        return _worst(channels, fold, seed)

    return make


def _mean(learned: Learned) -> Maker:
    def make(fold: MotionFold, seed: int, models: Path) -> Score:
        model = _hgvae(learned, fold, seed, models)
        return lambda w: _terms(model, w)[0]

    return make


def _latent(learned: Learned) -> Maker:
    def make(fold: MotionFold, seed: int, models: Path) -> Score:
        model = _hgvae(learned, fold, seed, models)

        def score(windows: np.ndarray) -> np.ndarray:
            with torch.no_grad():
                parts = [
                    -model.score(model.normalise(w), "latent") for w in np.array_split(windows, 8) if len(w)
                ]
            return torch.cat(parts).numpy()

        return score

    return make


def _pca(fold: MotionFold, seed: int, models: Path) -> Score:
    gaussian, mean, deviation = ConditionalPCA().gaussian(fold, seed)
    owners = fold.train.channels.owners

    def joints(windows: np.ndarray) -> np.ndarray:
        flat = torch.from_numpy((windows - mean[:, None]) / deviation[:, None]).flatten(1)
        each = -gaussian.leave_one_out(flat).view(windows.shape).mean(2).numpy()
        return np.stack([each[:, owners == k].mean(1) for k in range(owners.max() + 1)], axis=1)

    return _worst(joints, fold, seed)


def _sound(fold: MotionFold, seed: int) -> np.ndarray:
    """Windows of the val takes, to measure what is usual on."""
    whole = fold.val.only(fold.val.lengths == fold.val.frames)
    return whole.take(np.random.default_rng([seed, 16]).permutation(len(whole))[:SOUND]).windows


def _worst(joints: Callable[[np.ndarray], np.ndarray], fold: MotionFold, seed: int) -> Score:
    """The worst joint's score, each in deviations from its median on val windows."""
    sound = joints(_sound(fold, seed))
    middle = np.median(sound, axis=0)
    spread = np.maximum(np.quantile(sound, 0.9, axis=0) - middle, 1e-9)
    return lambda windows: ((joints(windows) - middle) / spread).max(1)


def _measure(make: Maker, count: int):
    def measure(fold: MotionFold, seed: int, models: Path) -> dict[str, float]:
        score, windows = make(fold, seed, models), fold.test_windows(count, seed)
        clean, mean = score(windows), fold.train.statistics()[0]
        found = {}
        for number, (name, corrupt) in enumerate(CORRUPTIONS.items()):
            rng = np.random.default_rng([seed, 17, number])
            found[name] = auroc(clean, score(corrupt(windows, fold.train.channels, mean, rng)))
        return found

    return measure


def _foreign(make: Maker, count: int):
    """A model that has not seen one content, on test windows of that content against those of all others."""

    def measure(fold: MotionFold, seed: int, models: Path) -> dict[str, float]:
        if FOREIGN not in fold.labels:
            return {}
        number = fold.labels.index(FOREIGN)
        home = replace(
            fold,
            training=f"{fold.training}-no-{FOREIGN}",
            train=fold.train.only(fold.train.labels != number),
            val=fold.val.only(fold.val.labels != number),
        )
        test = fold.test.only(fold.test.lengths == fold.test.frames)
        strange, known = (
            test.only(test.labels == number),
            test.only((test.labels != number) & (test.labels >= 0)),
        )
        if not len(strange) or not len(known) or not len(home.train):
            return {}
        score = make(home, seed, models)
        rng = np.random.default_rng([seed, 18])
        parts = (bank.take(rng.permutation(len(bank))[:count]).windows for bank in (known, strange))
        return {"foreign": auroc(*(score(part) for part in parts))}

    return measure


def auroc(clean: np.ndarray, other: np.ndarray) -> float:
    """Probability that a window of `other` scores higher than a clean one, ties by halves."""
    from sklearn.metrics import roc_auc_score

    scores = np.nan_to_num(np.concatenate([clean, other]), posinf=1e30, neginf=-1e30)
    return float(roc_auc_score(np.repeat([0, 1], [len(clean), len(other)]), scores))
