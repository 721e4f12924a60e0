"""A training run with Lightning's Trainer, whatever the model: what all models' runs have in common."""

from __future__ import annotations

import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from kineme.errors import UsageError
from kineme.formats.atomic import clean_up
from kineme.formats.lock import folder_lock
from kineme.nn.repeatable import repeatable
from kineme.train.callbacks import AtomicCheckpoint, StepProgress


@contextmanager
def run_folder(run: Path) -> Iterator[None]:
    """The folder `run`, made if need be, for this process alone; what killed runs left in it is removed.

    Raises UsageError where another process trains there. The further processes of one run, which the
    Trainer starts, share the first one's lock.
    """
    first = os.environ.get("LOCAL_RANK", "0") == "0"
    with folder_lock(run, "training") if first else nullcontext():
        run.mkdir(parents=True, exist_ok=True)
        for folder in (run, run / "checkpoints") if first else ():
            clean_up(folder)
        yield


class RunModule(L.LightningModule):
    """What all runs have in common: they are of something, and go on with nothing else.

    Attributes
    ----------
    about : plain values that say what a run is of: settings, seed, data.
    """

    about: dict[str, Any]

    def told(self, loss: Tensor, values: dict[str, Tensor]) -> Tensor:
        """The loss, when the values of its parts are in the log."""
        for name, value in values.items():
            self.log(name, value.detach(), batch_size=1, sync_dist=True)
        return loss

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """What the run is of goes with the weights."""
        checkpoint["kineme_run"] = self.about

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse a run of something else."""
        if checkpoint.get("kineme_run") != self.about:
            raise UsageError(
                "the run to resume has other settings, another seed or other takes; name a new folder"
            )


class Steps(IterableDataset):
    """The numbers of the steps still to take; the batch of a step is made from its number."""

    def __init__(self, first: int, last: int):
        self.first, self.last = first, last

    def __iter__(self):
        return iter(range(self.first, self.last))


def train_module(
    module: RunModule,
    run: Path,
    total: int,
    clip_norm: float,
    progress: bool,
    options: dict[str, Any],
    *,
    watching: Iterable[L.Callback] = (),
    resume: bool = True,
) -> bool:
    """Take `module` through `total` steps, from where a run in the folder `run` stopped (with `resume`).

    The rest is `make_trainer`'s. Returns whether this process is the one to save the result. Raises
    UsageError where the run there is of something else.
    """
    last = run / "checkpoints" / "last.ckpt"
    first = steps_done(last) if resume else 0
    trainer = make_trainer(run, first, total, clip_norm, progress, options, watching)
    if first < total:
        _fit(trainer, module, DataLoader(Steps(first, total), batch_size=None), last if first else None)
    else:
        held = torch.load(last, map_location="cpu", weights_only=True)
        module.on_load_checkpoint(held)
        module.load_state_dict(held["state_dict"])
    return trainer.is_global_zero


def _fit(trainer: L.Trainer, module: RunModule, loader: DataLoader, checkpoint: Path | None) -> None:
    """The Trainer's `fit`, in which Ctrl-C is a KeyboardInterrupt as everywhere else."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        with repeatable():
            trainer.fit(module, loader, ckpt_path=checkpoint, weights_only=True)
    except SystemExit:
        # Lightning's answer to Ctrl-C, after which it would ignore every further one
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from None


def steps_done(checkpoint: Path) -> int:
    """Steps that an earlier run had taken; 0 where there is no checkpoint."""
    if not checkpoint.exists():
        return 0
    return int(torch.load(checkpoint, map_location="cpu", weights_only=True)["global_step"])


def make_trainer(
    run: Path,
    first: int,
    total: int,
    clip_norm: float,
    progress: bool,
    options: dict[str, Any],
    watching: Iterable[L.Callback] = (),
) -> L.Trainer:
    """A Trainer that keeps its checkpoint, CSV and TensorBoard logs in the folder `run`.

    first, total : steps that an earlier run has taken, and those of the whole run. watching : callbacks
    beside those that save and show progress. `options` go to Lightning's Trainer as they are. Raises UsageError
    where this machine cannot do what they say.
    """
    from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger

    quiet()
    callbacks: list[L.Callback] = [AtomicCheckpoint(run / "checkpoints" / "last.ckpt"), *watching]
    if progress:
        callbacks.append(StepProgress(total))
    defaults: dict[str, Any] = {
        "max_steps": total,
        "max_epochs": -1,
        "gradient_clip_val": clip_norm,
        "accelerator": "auto",
        "devices": 1,
        "logger": [
            CSVLogger(run / "csv", name="", version=f"from_step_{first:07d}"),
            TensorBoardLogger(run, name="", version="tensorboard"),
        ],
        "callbacks": callbacks,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "log_every_n_steps": min(10, max(1, total // 100)),
        "use_distributed_sampler": False,
    }
    if options.get("devices", 1) not in (1, "1"):
        defaults["strategy"] = "ddp_find_unused_parameters_true"
    try:
        return L.Trainer(**{**defaults, **options})
    except (MisconfigurationException, ValueError) as error:  # hardware that is not here
        said = ", ".join(f"{name} {value}" for name, value in options.items())
        raise UsageError(f"no training is possible with {said} on this machine ({error})") from None


def quiet() -> None:
    """Silence Lightning's banners and its advice about workers: our batches are made in the step."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for text in (
        ".*does not have many workers.*",
        ".*isinstance.*treespec.*",
        ".*Checkpoint directory.*",
        ".*`IterableDataset`.*",
    ):
        warnings.filterwarnings("ignore", text)
