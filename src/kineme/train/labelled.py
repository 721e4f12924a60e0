"""Training of any network that gives classes to the items of a sequence, on labels.

Every batch is a pure function of (seed, step): stretches of takes, drawn where there are labels.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kineme.errors import InputError
from kineme.train.running import RunModule, train_module


@dataclass(frozen=True, eq=False)
class LabelledRow:
    """A take: items (K, D), the frames (K,) each stands for, and how many of each class are among them.

    `targets` : (K, classes); an item without labels has zeros and is context only. `own` : (T,) the class of
    every frame, -1 without one; `poses` : (T, P) of every frame. Neither is needed by `train_labelled`.
    """

    items: np.ndarray
    frames: np.ndarray
    targets: np.ndarray
    own: np.ndarray | None = None
    poses: np.ndarray | None = None


@dataclass(frozen=True)
class LabelSchedule:
    """How long, how fast, how cautiously; `frames` is the length of a stretch, `smoothing` of the labels."""

    steps: int
    batch_size: int
    frames: int
    learning_rate: float
    weight_decay: float
    smoothing: float


def label_loss(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Mean cross-entropy of labelled frames: logits (N, C) of items, targets (N, C) frames of each class."""
    held = targets.sum(1, keepdim=True)
    wanted = (1 - smoothing) * targets + smoothing * held / targets.shape[1]
    return -(wanted * logits.log_softmax(1)).sum() / held.sum().clamp(min=1)


def draw_stretch(row: LabelledRow, frames: int, rng: np.random.Generator) -> slice:
    """The items of a stretch of about so many frames that holds a labelled item; the whole of a short row."""
    ends = np.cumsum(row.frames)
    if ends[-1] <= frames:
        return slice(0, len(ends))
    labelled = np.flatnonzero(row.targets.any(1))
    middle = int(labelled[rng.integers(len(labelled))])
    first = ends[middle] - rng.integers(0, frames)
    first = int(np.clip(first, 0, ends[-1] - frames))
    start = int(np.searchsorted(ends, first, side="right"))
    stop = int(np.searchsorted(ends, first + frames, side="right"))
    return slice(min(start, middle), max(stop, middle + 1))


class LabelModule(RunModule):
    """A network and the cross-entropy of its frames."""

    def __init__(self, network: nn.Module, rows: Sequence[LabelledRow], schedule: LabelSchedule, seed: int):
        super().__init__()
        self.network, self.schedule, self.seed = network, schedule, seed
        self.about = {"schedule": asdict(schedule), "seed": seed}
        self.rows = [row for row in rows if row.targets.any()]
        if not self.rows:
            raise InputError("no frame has a label; `kineme ingest --labels` attaches them")
        weight = np.array([row.targets.sum() for row in self.rows])
        self.share = weight / weight.sum()

    def rate(self, step: int) -> float:
        """Learning rate of a step over its peak: a short rise, then a cosine to zero."""
        total = self.schedule.steps
        rise = min(1.0, (step + 1) / max(1, total // 20))
        return rise * 0.5 * (1 + math.cos(math.pi * min(1.0, step / total)))

    def configure_optimizers(self) -> Any:
        """AdamW with weight decay on matrices only."""
        parameters = list(self.network.parameters())
        groups = [
            {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": self.schedule.weight_decay},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=self.schedule.learning_rate, foreach=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, step: int, _: int) -> Tensor:
        """One step; `step` is its number from 0."""
        rng = np.random.default_rng([self.seed, 2, step])
        chosen = rng.choice(len(self.rows), size=self.schedule.batch_size, p=self.share)
        cuts = [(self.rows[i], draw_stretch(self.rows[i], self.schedule.frames, rng)) for i in chosen]
        items, frames, targets = (
            torch.from_numpy(np.concatenate([getattr(row, name)[cut] for row, cut in cuts])).to(self.device)
            for name in ("items", "frames", "targets")
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**62)))
            logits = self.network(items, frames.float(), [cut.stop - cut.start for _, cut in cuts])
        loss = label_loss(logits, targets, self.schedule.smoothing)
        return self.told(loss, {"cross_entropy": loss})


def train_labelled(
    network: nn.Module,
    rows: Sequence[LabelledRow],
    schedule: LabelSchedule,
    seed: int = 0,
    *,
    progress: bool = False,
    trainer_options: dict[str, Any] | None = None,
) -> nn.Module:
    """Train `network` in place; it takes a minute at most, so a run that was stopped begins anew.

    The network is called with items (N, D), their frames (N,) and the number of items of each sequence.
    Raises InputError where nothing is labelled.
    """
    module = LabelModule(network.train(), rows, schedule, seed)
    with tempfile.TemporaryDirectory(prefix="kineme-") as folder:
        options = {"logger": False, **(trainer_options or {})}
        if not progress:
            options = {"callbacks": [], **options}
        train_module(module, Path(folder), schedule.steps, 1.0, progress, options)
    return network.cpu().eval().requires_grad_(False)
