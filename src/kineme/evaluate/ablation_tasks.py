"""What a model of the ablation's table is good for: classes by a head, prediction and interpolation by the
paper's heads, on the same budget for every row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kineme.corpus.place import RELATIVE
from kineme.evaluate import recognition
from kineme.evaluate.forecast_folds import ForecastFolds
from kineme.evaluate.forecasters import Fill, HeadRow, in_parts
from kineme.evaluate.learned import A4MerRow
from kineme.evaluate.motion_metrics import horizon_mpjpe, mpjpe
from kineme.evaluate.recognition_rows import Head, Reader, Row
from kineme.evaluate.representation import Fold
from kineme.evaluate.runs import slug
from kineme.models.a4mer import A4Mer
from kineme.models.a4mer.heads.bank import LEAST, Kind
from kineme.models.a4mer.heads.config import PRESETS
from kineme.nn.moments import RATE, truth

#: seconds ahead, and of gaps, at which the errors are taken
SECONDS = (1.0, 2.0)


@dataclass(frozen=True)
class _VariantHead(HeadRow):
    """The paper's head on a row of the table."""

    row: A4MerRow | None = None

    def base(self, folds: ForecastFolds, seed: int) -> A4Mer:
        """The row's model."""
        assert self.row is not None
        return self.row.fit(folds.fold, seed).model  # type: ignore[return-value]

    def tokens(self, seed: int) -> str:
        """See `HeadRow`."""
        return f"{self.name}-{self.kind}-{seed}"


def forecasts(
    row: A4MerRow, folds: ForecastFolds, seed: int, run: Path, steps: int = 0
) -> dict[str, dict[str, float]]:
    """Corpus -> MPJPE in mm: ``pred_1`` of the frame a second ahead, ``gap_1`` of all frames of a gap of one.

    steps : of the heads, where they are not the preset's.
    """
    config = PRESETS["paper"] if not steps else replace(PRESETS["paper"], steps=steps)
    found: dict[str, dict[str, float]] = {corpus: {} for corpus in folds.names}
    kinds: tuple[Kind, ...] = ("predictor", "interpolator")
    for kind in kinds:
        head = _VariantHead(row.name, kind, config, row.weights, row.models, row.preset, row)
        fill = head.fit(folds, seed, run / slug(row.name))
        for corpus in folds.names:
            made = _predicted(fill, folds, corpus) if kind == "predictor" else _filled(fill, folds, corpus)
            found[corpus] |= made
    return found


def _around(channels: np.ndarray) -> np.ndarray:
    """(B, T, 21, 3) millimetres around the pelvis, of channels (B, T, 66)."""
    return channels[..., :RELATIVE].reshape(*channels.shape[:2], -1, 3) * 1000


def _predicted(fill: Fill, folds: ForecastFolds, corpus: str) -> dict[str, float]:
    cuts, _ = folds.cuts(corpus, None, PRESETS["small"].longest)
    frames = [round(s * RATE) - 1 for s in SECONDS]
    times = (np.arange(frames[-1] + 1) + 1) / RATE
    made, channels = in_parts(fill, cuts, times)
    errors = horizon_mpjpe(_around(channels), _around(truth(cuts, made)), frames)
    return {f"pred_{s:g}": e for s, e in zip(SECONDS, errors, strict=True)}


def _filled(fill: Fill, folds: ForecastFolds, corpus: str) -> dict[str, float]:
    found = {}
    for gap in SECONDS:
        cuts, _ = folds.cuts(corpus, gap, LEAST)
        times = (np.arange(round(cuts.gap * RATE) - 1) + 1) / RATE
        made, channels = in_parts(fill, cuts, times)
        found[f"gap_{gap:g}"] = mpjpe(_around(channels), _around(truth(cuts, made)))
    return found


def classes(row: A4MerRow, fold: Fold, seed: int) -> dict[str, float]:
    """``head``: share of frames named rightly by a head on motifs that has seen all labelled windows."""
    reader = Reader("trained", fold, seed, row)
    values = recognition.measure([Row("", "trained", "motifs", Head())], fold, seed, reader, (0,))
    return {"head": next(v.value for v in values if v.metric == "top1_all")}
