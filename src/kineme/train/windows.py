"""Training of any network on windows of channels: every batch is a pure function of (seed, step), so a run
that was killed goes on to the same weights as one that was not."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kineme.corpus.bank import Batch, WindowBank, step_windows
from kineme.errors import InputError
from kineme.train.running import RunModule, run_folder, train_module


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes
    ----------
    epochs : times that `per_epoch` windows (0: all) are gone through, `batch_size` at a time.
    learning_rate : Adam's; `decay` lets it fall along a cosine to a hundredth, after a short rise.
    clip_norm : largest gradient norm. gate_rate : by how much faster parameters of a single number learn.
    """

    epochs: int
    per_epoch: int
    batch_size: int
    learning_rate: float
    decay: bool
    clip_norm: float
    gate_rate: float = 1.0

    def steps_per_epoch(self, windows: int) -> int:
        """Steps of an epoch of a bank of so many windows."""
        count = min(self.per_epoch or windows, windows)
        return max(1, count // min(self.batch_size, count))

    def rate(self, step: int, total: int) -> float:
        """Learning rate of a step over its peak."""
        if not self.decay:
            return 1.0
        rise = min(1.0, (step + 1) / min(100, max(1, total // 20)))
        return rise * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / max(1, total))))


#: (network, batch, epoch with fraction, numpy and torch randomness of the step) -> loss and what to log
StepLoss = Callable[
    [nn.Module, Batch, float, np.random.Generator, torch.Generator], tuple[Tensor, dict[str, Tensor]]
]


class WindowModule(RunModule):
    """A network and its loss as `Schedule` says. `settings` decide whether a run may be resumed."""

    def __init__(
        self,
        network: nn.Module,
        loss: StepLoss,
        bank: WindowBank,
        schedule: Schedule,
        seed: int,
        settings: Any,
    ):
        super().__init__()
        self.network = network
        self._loss, self.bank, self.schedule, self.seed = loss, bank, schedule, seed
        self.about = {
            "settings": settings,
            "schedule": asdict(schedule),
            "seed": seed,
            "frames": len(bank.values),
        }
        self.per_epoch = schedule.steps_per_epoch(len(bank))
        self.total = schedule.epochs * self.per_epoch

    def configure_optimizers(self) -> Any:
        """Adam."""
        rate, parameters = self.schedule.learning_rate, list(self.network.parameters())
        groups = [
            {"params": [p for p in parameters if p.ndim > 0], "lr": rate},
            {"params": [p for p in parameters if p.ndim == 0], "lr": rate * self.schedule.gate_rate},
        ]
        optimizer = torch.optim.Adam([group for group in groups if group["params"]])
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: self.schedule.rate(s, self.total))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, step: int, _: int) -> Tensor:
        """One step; `step` is its number from 0."""
        per_epoch = self.schedule.per_epoch or len(self.bank)
        windows = step_windows(self.seed, step, len(self.bank), self.schedule.batch_size, per_epoch)
        windows = windows[self.global_rank :: self.trainer.world_size]
        rng = np.random.default_rng([self.seed, 1, step, self.global_rank])
        noise = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
        batch = self.bank.take(windows)
        loss, told = self._loss(self.network, batch, step / self.per_epoch, rng, noise)
        return self.told(loss, told)


def train_windows(
    network: nn.Module,
    loss: StepLoss,
    bank: WindowBank,
    schedule: Schedule,
    run: Path,
    *,
    settings: Any,
    seed: int = 0,
    progress: bool = True,
    trainer_options: dict[str, Any] | None = None,
) -> bool:
    """Train `network` in place; a run found in the folder `run` goes on where it stopped.

    `settings` are plain values: a run of others is not resumed. Returns whether this process is the one to
    save the result. Raises InputError for too little motion, UsageError where a run to resume does not fit.
    """
    if not (bank.lengths == bank.frames).any():
        seconds = len(bank.values)
        raise InputError(
            f"no take is as long as a window of {bank.frames} frames; there are {seconds} in all"
        )
    with run_folder(run):
        module = WindowModule(network.train(), loss, bank, schedule, seed, settings)
        main = train_module(module, run, module.total, schedule.clip_norm, progress, trainer_options or {})
        network.cpu().eval().requires_grad_(False)
        return main
