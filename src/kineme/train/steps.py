"""Training of any network whose batches are made in the step: each is a pure function of (seed, step), so a
run that was killed goes on to the same weights as one that was not."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from kineme.errors import UsageError
from kineme.train.running import Steps, fit, make_trainer, run_folder, steps_done

#: (network, randomness of the step, device) -> loss and what to log
Loss = Callable[[nn.Module, np.random.Generator, torch.device], tuple[Tensor, dict[str, Tensor]]]


class StepModule(L.LightningModule):
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
        loss, told = self._loss(self.network, rng, self.device)
        for name, value in told.items():
            self.log(name, value.detach(), batch_size=1, sync_dist=True)
        return loss

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """What the run is of goes with the weights."""
        checkpoint["kineme_run"] = self.about

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse a run with other settings or takes."""
        if checkpoint.get("kineme_run") != self.about:
            raise UsageError(
                "the run to resume has other settings, another seed or other takes; name a new folder"
            )


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
        last = run / "checkpoints" / "last.ckpt"
        module = StepModule(network.train(), loss, steps, learning_rate, decay, seed, settings)
        first = steps_done(last)
        trainer = make_trainer(run, first, steps, clip_norm, progress, trainer_options or {})
        if first < steps:
            fit(trainer, module, DataLoader(Steps(first, steps), batch_size=None), last if first else None)
        else:
            held = torch.load(last, map_location="cpu", weights_only=True)
            module.on_load_checkpoint(held)
            module.load_state_dict(held["state_dict"])
        network.cpu().eval().requires_grad_(False)
        return trainer.is_global_zero
