"""Training of any network whose batches are made in the step: each is a pure function of (seed, step), so a
run that was killed goes on to the same weights as one that was not."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kineme.train.running import RunModule, run_folder, train_module

#: (network, share of the steps that is done, randomness of the step, device) -> loss and what to log
Loss = Callable[[nn.Module, float, np.random.Generator, torch.device], tuple[Tensor, dict[str, Tensor]]]


class StepModule(RunModule):
    """A network and its loss, AdamW. `settings` decide whether a run may be resumed."""

    def __init__(
        self,
        network: nn.Module,
        loss: Loss,
        steps: int,
        learning_rate: float,
        decay: bool,
        seed: int,
        settings: Any,
    ):
        super().__init__()
        self.network, self._loss = network, loss
        self.steps, self.learning_rate, self.decay, self.seed = steps, learning_rate, decay, seed
        self.about = {"settings": settings, "steps": steps, "learning_rate": learning_rate, "seed": seed}

    def configure_optimizers(self) -> Any:
        """AdamW; with `decay` its rate rises over a twentieth of the steps and falls along a cosine."""
        learnt = [p for p in self.network.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(learnt, lr=self.learning_rate)
        if not self.decay:
            return optimizer
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def rate(self, step: int) -> float:
        """Learning rate of a step over its peak."""
        rise = min(1.0, (step + 1) / max(1, self.steps // 20))
        return rise * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / max(1, self.steps))))

    def training_step(self, step: int, _: int) -> Tensor:
        """One step; `step` is its number from 0."""
        rng = np.random.default_rng([self.seed, 1, step, self.global_rank])
        torch.manual_seed(int(rng.integers(2**62)))  # dropout, too, is of the step
        loss, told = self._loss(self.network, step / self.steps, rng, self.device)
        return self.told(loss, told)


def train_steps(
    network: nn.Module,
    loss: Loss,
    steps: int,
    run: Path,
    *,
    learning_rate: float,
    settings: Any,
    decay: bool = False,
    clip_norm: float = 1.0,
    seed: int = 0,
    progress: bool = True,
    trainer_options: dict[str, Any] | None = None,
) -> bool:
    """Train `network` in place; a run found in the folder `run` goes on where it stopped.

    `settings` are plain values: a run of others is not resumed. Returns whether this process is the one to
    save the result. Raises UsageError where a run to resume does not fit.
    """
    with run_folder(run):
        module = StepModule(network.train(), loss, steps, learning_rate, decay, seed, settings)
        main = train_module(module, run, steps, clip_norm, progress, trainer_options or {})
        network.cpu().eval().requires_grad_(False)
        return main
