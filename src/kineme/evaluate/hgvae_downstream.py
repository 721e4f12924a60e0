"""The protocol **hgvae-downstream** (Figure 5): predictors that are given occluded motion, filled in
different ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from kineme.corpus.bank import WindowBank
from kineme.errors import UsageError
from kineme.evaluate.fillers import Fill, Learned, mean_fill
from kineme.evaluate.hgvae_imputation import hidden_features
from kineme.evaluate.motion_folds import QUICK_WINDOWS, TEST_WINDOWS, MotionFold
from kineme.evaluate.motion_metrics import mpjpe
from kineme.evaluate.motion_runs import measure_rows, outcome, setting
from kineme.evaluate.request import Outcome, Request
from kineme.evaluate.tables import Column
from kineme.models.hgvae.config import HGVAEConfig
from kineme.models.predictors.convseq2seq import ConvSeq2Seq
from kineme.models.predictors.hisrepitself import HisRepItself
from kineme.models.predictors.repeat_last import RepeatLast
from kineme.models.predictors.simlpe import SiMLPe
from kineme.train.predictors import train_predictor
from kineme.train.windows import Schedule

HISTORY, FUTURE = 50, 25
SHARES = (0.05, 0.1, 0.25, 0.5)
#: predicted frames that are shown by themselves, from 1, at 25 a second: 80, 160, 320, 400, 560, 1000 ms
HORIZONS = (2, 4, 8, 10, 14, 25)
PREDICTORS: dict[str, Callable[[int], nn.Module]] = {
    "repeat last pose": lambda channels: RepeatLast(FUTURE),
    "ConvSeq2Seq": lambda channels: ConvSeq2Seq(channels, HISTORY, FUTURE, width=32, code=128),
    "HisRepItself": lambda channels: HisRepItself(channels, FUTURE),
    "siMLPe": lambda channels: SiMLPe(channels, HISTORY, FUTURE, blocks=24),
}
FILLS = ("mean", "HM-VAE", "HG-VAE")

TABLES = {
    "MPJPE of the 25 predicted frames, mm, by the share of the input's features that are hidden": (
        Column("whole", "none", digits=1),
        *(Column(f"hidden_{s * 100:g}", f"{s * 100:g}%", digits=1) for s in SHARES),
        Column("eq6", "none, eq. 6", digits=1),
    ),
    "MPJPE at a horizon, mm, nothing hidden": tuple(
        Column(f"at_{frame}", f"{frame * 40} ms", digits=1) for frame in HORIZONS
    ),
}


def run(request: Request, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Measure, or read what was measured before."""
    config, folder, models, folds, protocol = setting(request, "hgvae-downstream")
    count = QUICK_WINDOWS if request.quick else TEST_WINDOWS
    pairs = {f"{predictor}, {fill}": (predictor, fill) for predictor in PREDICTORS for fill in FILLS}
    for name in request.methods:
        if name not in pairs:
            raise UsageError(f"there is no method {name!r}; there are {', '.join(pairs)}")
    epochs = 1 if request.quick else 2
    schedule = Schedule(epochs, 64 if request.quick else 3200, 32, 1e-3, True, 10.0)
    rows = {name: _measure(*pairs[name], config, schedule, count) for name in request.methods or tuple(pairs)}
    values = measure_rows(rows, folds, request, folder, models, "evaluate/hgvae_downstream.py", say)
    compared = [
        (f"{predictor}, {rival}", f"{predictor}, HG-VAE", f"hidden_{s * 100:g}")
        for predictor in PREDICTORS
        for rival in FILLS[:2]
        for s in SHARES
    ]
    return outcome(protocol, folds, values, compared)


def longer(bank: WindowBank, frames: int, stride: int) -> WindowBank:
    """Windows of another length over the same clips."""
    ends = np.flatnonzero(np.diff(bank.clips)) + 1
    first = [bank.starts[0], *bank.starts[ends]]
    clips = np.split(bank.values, first[1:])
    return WindowBank(clips, bank.channels, frames, stride=stride)


def _measure(predictor: str, fill: str, config: HGVAEConfig, schedule: Schedule, count: int):
    def measure(fold: MotionFold, seed: int, models: Path) -> dict[str, float]:
        network = _predictor(predictor, fold, schedule, seed, models)
        filler = mean_fill(fold) if fill == "mean" else Learned(fill, "best", config).fit(fold, seed, models)
        bank = longer(fold.test, HISTORY + FUTURE, HISTORY)
        whole = bank.only(bank.lengths == bank.frames)
        order = np.random.default_rng([seed, 22]).permutation(len(whole))[:count]
        windows = whole.take(order).windows
        return _errors(network, filler, fold, windows, seed)

    return measure


def _predictor(name: str, fold: MotionFold, schedule: Schedule, seed: int, models: Path) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PREDICTORS[name](len(fold.train.channels))
    if not list(network.parameters()):
        return network
    run_folder = models / fold.training / f"{name.lower()}-{seed}"
    return train_predictor(
        network, longer(fold.train, HISTORY + FUTURE, 5), HISTORY, replace(schedule), run_folder, seed=seed
    )


def _errors(
    network: nn.Module, fill: Fill, fold: MotionFold, windows: np.ndarray, seed: int
) -> dict[str, float]:
    """Errors with nothing hidden, and with shares of the history's features hidden and filled."""
    mean, deviation = fold.train.statistics()
    history, channels = windows[:, :, :HISTORY], fold.train.channels
    true = channels.relative(windows.transpose(0, 2, 1)) * 1000

    def predict(seen: np.ndarray) -> np.ndarray:
        normal = torch.from_numpy(((seen.transpose(0, 2, 1) - mean) / deviation).astype(np.float32))
        with torch.no_grad():
            made = network.eval()(normal).numpy() * deviation + mean
        return channels.relative(made) * 1000

    clear, future = predict(history), true[:, HISTORY:]
    found = {"whole": mpjpe(clear, future)}
    found["eq6"] = mpjpe(np.concatenate([true[:, :HISTORY], clear], axis=1), true)
    found |= {f"at_{k}": mpjpe(clear, future, slice(k - 1, k)) for k in HORIZONS}
    for share in SHARES:
        missing = hidden_features(fold, history, share, seed)
        found[f"hidden_{share * 100:g}"] = mpjpe(predict(fill(history, missing)), future)
    return found
