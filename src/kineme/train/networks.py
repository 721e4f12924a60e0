"""Training of small networks by steps: AdamW, a cosine, and a moving average of the weights, which is kept.

Every batch is a pure function of (seed, step), so a run that was killed goes on to the same weights as one
that was not.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kineme.nn.ema import ema_update
from kineme.train.running import RunModule, run_folder, train_module

#: (network, the step's randomness) -> loss and what to log; torch's own randomness is seeded with the step
StepLoss = Callable[[nn.Module, np.random.Generator], tuple[Tensor, dict[str, Tensor]]]


@dataclass(frozen=True)
class Course:
    """How long and how fast.

    Attributes
    ----------
    steps : how many. learning_rate, weight_decay : AdamW's. rise : steps until the peak. clip_norm : largest
        gradient norm. average : decay of the moving average.
    """

    steps: int
    learning_rate: float
    weight_decay: float
    rise: int = 60
    clip_norm: float = 1.0
    average: float = 0.99

    def rate(self, step: int) -> float:
        """Learning rate of a step over its peak."""
        rise = min(1.0, (step + 1) / min(self.rise, max(1, self.steps // 10)))
        return rise * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / self.steps)))


class NetworkModule(RunModule):
    """A network, the moving average of its weights, and its loss."""

    def __init__(self, network: nn.Module, loss: StepLoss, course: Course, seed: int, settings: Any):
        super().__init__()
        self.network, self.average = network, copy.deepcopy(network).requires_grad_(False)
        self._loss, self.course, self.seed, self._step = loss, course, seed, 0
        self.about = {"settings": settings, "course": asdict(course), "seed": seed}

    def configure_optimizers(self) -> Any:
        """AdamW."""
        course = self.course
        optimizer = torch.optim.AdamW(
            self.network.parameters(), course.learning_rate, (0.9, 0.95), weight_decay=course.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, course.rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, step: int, _: int) -> Tensor:
        """The loss of a step; `step` is its number from 0."""
        self._step = step
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed * 1_000_003 + step)
            loss, told = self._loss(self.network, np.random.default_rng([self.seed, 31, step]))
        return self.told(loss, told)

    def optimizer_step(self, *args: Any, **rest: Any) -> None:
        """One step; the moving average follows, quickly at first, before a checkpoint can be written."""
        super().optimizer_step(*args, **rest)
        step = self._step + 1
        ema_update(self.average, self.network, min(self.course.average, step / (step + 10)))


def train_network(
    network: nn.Module,
    loss: StepLoss,
    course: Course,
    run: Path,
    *,
    settings: Any,
    seed: int = 0,
    progress: bool = False,
    trainer_options: dict[str, Any] | None = None,
) -> nn.Module:
    """Train `network`; returns the moving average of its weights, in evaluation mode.

    A run found in the folder `run` goes on where it stopped. `settings` are plain values that say what it is
    of: a run of others is not resumed (UsageError).
    """
    with run_folder(run):
        module = NetworkModule(network.train(), loss, course, seed, settings)
        options = {"accelerator": "cpu", **(trainer_options or {})}
        train_module(module, run, course.steps, course.clip_norm, progress, options)
        return module.average.cpu().eval().requires_grad_(False)
