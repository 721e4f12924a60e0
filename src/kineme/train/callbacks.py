"""What happens around a training step: checkpoints that are never half-written, gauges, progress."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import lightning as L
import torch

from kineme.formats.atomic import atomic_write


class AtomicCheckpoint(L.Callback):
    """Write `path` every so many seconds and at the end, through a temporary file.

    A kill in the middle leaves the checkpoint before it. Which steps are saved does not change the weights.
    """

    def __init__(self, path: Path, every_seconds: float = 30.0, every_steps: int | None = None):
        self.path, self.every_seconds, self.every_steps = path, every_seconds, every_steps
        self._last = time.monotonic()

    def save(self, trainer: L.Trainer) -> None:
        """Save now."""
        if trainer.world_size > 1:  # saving is collective: every rank enters it, rank 0 writes
            trainer.save_checkpoint(self.path.with_suffix(".tmp"))
            if trainer.is_global_zero:
                self.path.with_suffix(".tmp").replace(self.path)
        else:
            with atomic_write(self.path) as temporary:
                trainer.save_checkpoint(temporary)
        self._last = time.monotonic()

    def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
        """Save when it is time."""
        due = time.monotonic() - self._last > self.every_seconds
        if trainer.world_size > 1:  # the clocks of ranks differ: decide by steps alone
            due = trainer.global_step % 500 == 0
        if self.every_steps is not None:
            due = trainer.global_step % self.every_steps == 0
        if due:
            self.save(trainer)

    def on_train_end(self, trainer: L.Trainer, *_: Any) -> None:
        """Save the last state."""
        self.save(trainer)


class CollapseWatch(L.Callback):
    """Log how far the tokens are from collapse, and say clearly when they approach it.

    Collapse means that tokens of different movements become alike: their deviation and effective rank fall,
    their cosines rise to 1, and codes made from them mean nothing, while the loss looks better than ever.
    """

    def __init__(self, every: int = 100, least_rank: float = 4.0, highest_cosine: float = 0.95):
        self.every, self.least_rank, self.highest_cosine = every, least_rank, highest_cosine
        self.warned = False

    def on_train_batch_end(self, trainer: L.Trainer, module: Any, *_: Any) -> None:
        """Measure on a fixed batch every `every` steps."""
        if trainer.global_step % self.every or not hasattr(module, "gauge_batch"):
            return
        gauges = module.learner.gauges(module.gauge_batch())
        for name, value in gauges._asdict().items():
            module.log(f"gauges/{name}", value, batch_size=1, rank_zero_only=True)
        low = gauges.rank < self.least_rank or gauges.cosine_across > self.highest_cosine
        if low and not self.warned:
            self.warned = True
            from rich.console import Console

            Console(stderr=True).print(
                f"[bold yellow]warning[/]: the tokens are collapsing at step {trainer.global_step} "
                f"(effective rank {gauges.rank:.1f}, mean cosine across takes {gauges.cosine_across:.2f}); "
                "try a lower learning rate, a slower moving average (ema_start) or more varied takes"
            )


class StepProgress(L.Callback):
    """One line: steps done, loss, time left."""

    def __init__(self, total: int):
        self.total = total
        self.bar: Any = None

    def on_train_start(self, trainer: L.Trainer, *_: Any) -> None:
        """Open the bar (on the first rank only)."""
        if not trainer.is_global_zero:
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.bar = Progress(
            TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("loss {task.fields[loss]}"),
            TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
            console=Console(stderr=True), speed_estimate_period=60,
        )  # fmt: skip
        self.bar.start()
        self.task = self.bar.add_task("training", total=self.total, completed=trainer.global_step, loss="")

    def on_train_batch_end(self, trainer: L.Trainer, module: Any, outputs: Any, *_: Any) -> None:
        """Move the bar."""
        if self.bar is not None:
            loss = outputs["loss"] if isinstance(outputs, dict) else outputs
            shown = f"{float(loss):.4f}" if isinstance(loss, torch.Tensor) else ""
            self.bar.update(self.task, completed=trainer.global_step, loss=shown)

    def on_exception(self, trainer: L.Trainer, module: Any, exception: BaseException) -> None:
        """Close the bar, so that what is said next stands below it."""
        self._close()

    def teardown(self, trainer: L.Trainer, module: Any, stage: str) -> None:
        """Close the bar."""
        self._close()

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
