"""What `kineme anomaly` and `kineme impute` need to know of a model, measured on motion that it has not
seen."""

from __future__ import annotations

import numpy as np
import torch

from kineme.corpus.bank import WindowBank
from kineme.corpus.occlusion import joint_gaps
from kineme.errors import InputError
from kineme.models.hgvae.model import HGVAE, Calibration
from kineme.tasks.anomaly import threshold
from kineme.tasks.ascent import BEST, Ascent, fill_windows, missing_spread
from kineme.tasks.evidence import TERMS, Usual, window_terms
from kineme.tasks.joins import join_windows

#: share of sound windows that may raise an alarm
FALSE_ALARMS = 0.01
#: gaps for which widths are measured, seconds, and how many joints are hidden in them
GAPS, GAP_JOINTS = (0.12, 0.52, 1.0, 2.0), 3
LEVEL = 0.9


def check_enough(bank: WindowBank, measured_on: str) -> None:
    """Raises InputError where `bank` has too few whole windows to be measured on."""
    count = int((bank.lengths == bank.frames).sum())
    if count < 2:
        raise InputError(
            f"{measured_on} has {count} whole window{'' if count == 1 else 's'} of {bank.frames} frames, and "
            "thresholds are measured on two at least; give more or longer takes"
        )


def calibrate(
    model: HGVAE,
    bank: WindowBank,
    measured_on: str,
    *,
    windows: int = 256,
    seed: int = 0,
    ascent: Ascent = BEST,
) -> Calibration:
    """Thresholds at a false-alarm rate of `FALSE_ALARMS`, and widths that hold 90 % of hidden places.

    measured_on : what the windows are, in words. Raises InputError as `check_enough`.
    """
    check_enough(bank, measured_on)
    rng = np.random.default_rng([seed, 3])
    whole = bank.only(bank.lengths == bank.frames)
    order = rng.permutation(len(whole))[: 4 * windows]
    batch = whole.take(order)
    scores, terms = window_terms(batch.windows, batch.valid, model)
    # what is usual is measured on every other clip, or the first half of a single one; thresholds on the
    # others
    clips, rank = np.unique(whole.clips, return_inverse=True)
    apart = rank[order] % 2 if len(clips) > 1 else order >= len(whole) // 2
    usual = Usual.fit(terms[apart == 0])
    joints = usual.joints(terms[apart == 1])
    ratios = [
        float(np.quantile(_ratios(model, batch.windows[:windows], gap, rng, seed, ascent), LEVEL))
        for gap in GAPS
    ]
    return Calibration(
        FALSE_ALARMS,
        float(threshold(scores, FALSE_ALARMS)),
        tuple(threshold(joints, FALSE_ALARMS / joints.shape[1]).tolist()),
        tuple(ratios),
        GAPS,
        measured_on,
        tuple(map(tuple, usual.middle.tolist())),
        tuple(map(tuple, usual.spread.tolist())),
    )


def usual_of(calibration: Calibration) -> Usual | None:
    """What is usual for each joint; None in a model that was calibrated before that was measured."""
    if not calibration.usual_spread:
        return None
    usual = Usual(np.array(calibration.usual), np.array(calibration.usual_spread))
    if usual.middle.shape != usual.spread.shape or usual.middle.shape[1] != len(TERMS):
        raise InputError(
            "the model's calibration is of another kineme; train it again, or name another model"
        )
    return usual


def joint_thresholds(calibration: Calibration) -> tuple[float, ...]:
    """The evidence from which a joint raises an alarm.

    Not below 1 where what is usual was measured, since sound windows came up to that: the highest of one half
    of the calibration's clips is 1, and the other half may stay below.
    """
    if not calibration.usual_spread:
        return calibration.joints
    return tuple(max(1.0, own) for own in calibration.joints)


def _ratios(
    model: HGVAE, windows: np.ndarray, seconds: float, rng: np.random.Generator, seed: int, ascent: Ascent
) -> np.ndarray:
    """(n,) of hidden numbers, how many of its deviations an estimate is off."""
    places = 3 * len(model.config.joints)
    hidden = np.zeros(windows.shape, dtype=bool)
    length = max(1, round(seconds * model.fps))
    hidden[:, :places] = joint_gaps(rng, (len(windows), places, windows.shape[2]), GAP_JOINTS, length)
    found = []
    for at in range(0, len(windows), 64):
        missing, truth = torch.from_numpy(hidden[at : at + 64]), model.normalise(windows[at : at + 64])
        filled = fill_windows(model, truth, missing, ascent).windows
        wide = missing_spread(model, filled, missing, 8, seed)
        joined = join_windows(filled.numpy(), missing.numpy(), model.fps)
        found.append((np.abs(joined - truth.numpy()) / np.maximum(wide.numpy(), 1e-9))[hidden[at : at + 64]])
    return np.concatenate(found)
