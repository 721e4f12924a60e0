"""Training A4Mer with Lightning's Trainer: devices, precision, DDP and loggers are its own switches.

Every batch is a pure function of (seed, step), so a run that was killed goes on to the same weights as one
that was not, and N processes that share a batch follow the loss of one process that takes it whole.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from kineme.errors import InputError
from kineme.models.a4mer.batch import Batch, TakeBank, draw_windows, stage_one_batch
from kineme.models.a4mer.config import A4MerConfig
from kineme.models.a4mer.learner import A4MerLearner, joint_batch
from kineme.models.a4mer.model import A4Mer
from kineme.models.a4mer.vocabulary import Vocabulary, build_vocabulary
from kineme.symbols import Codebook, Patterns, Ragged
from kineme.train.callbacks import CollapseWatch
from kineme.train.running import RunModule, run_folder, train_module

#: takes that the vocabulary is mined from in training, in seconds of motion at most
MINING_SECONDS = 6 * 3600.0


class A4MerModule(RunModule):
    """A4Mer's three phases as one run of ``config.steps + config.joint_steps`` steps."""

    def __init__(self, config: A4MerConfig, bank: TakeBank, seed: int):
        super().__init__()
        self.config, self.bank, self.seed = config, bank, seed
        self.about = {"settings": config.to_dict(), "seed": seed, "frames": len(bank.positions)}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.learner = A4MerLearner(config)
        self.learner.fit_normalisation(bank, seed)
        self.vocabulary: Vocabulary | None = None
        self.frozen: torch.nn.Module | None = None  # stage 1 as the vocabulary knows it

    def rate(self, step: int) -> float:
        """Learning rate of a step over its peak: warm-up, then a cosine to zero, in each phase anew."""
        config = self.config
        joint = step >= config.steps
        total = config.joint_steps if joint else config.steps
        at = step - config.steps if joint else step
        rise = max(1, int(total * config.warmup))
        peak = 0.5 if joint else 1.0  # the joint phase starts from weights that are worth keeping
        if at < rise:
            return peak * (at + 1) / rise
        return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, (at - rise) / max(1, total - rise))))

    def configure_optimizers(self) -> Any:
        """AdamW with weight decay on matrices only."""
        trained = [p for p in self.learner.parameters() if p.requires_grad]
        groups = [
            {"params": [p for p in trained if p.ndim >= 2], "weight_decay": self.config.weight_decay},
            {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
        ]
        # foreach: all tensors in one call, which the CPU would not do unasked
        rate = self.config.learning_rate
        optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), foreach=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, self.rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, step: int, _: int) -> torch.Tensor:
        """One step; `step` is its number from 0."""
        rng = np.random.default_rng([self.seed, step])
        share = (self.global_rank, self.trainer.world_size)
        windows = draw_windows(self.bank, self.config, rng, self.config.batch_size)
        if step < self.config.steps:
            batch = stage_one_batch(windows, self.config, rng, share)
            loss = self.learner.atom_loss(batch.to(self.device))
            self._log_losses(atoms=loss)
            return loss.total
        self._mine()
        assert self.vocabulary is not None and self.frozen is not None
        batch = joint_batch(windows, self.config, rng, self.frozen, self.vocabulary, share)  # type: ignore[arg-type]
        first, second = self.learner.joint_loss(batch.to(self.device))
        self._log_losses(atoms=first, motifs=second)
        return first.total + second.total

    def gauge_batch(self) -> Batch:
        """A fixed batch that the collapse gauges look at."""
        rng = np.random.default_rng([self.seed, 10**9])
        windows = draw_windows(self.bank, self.config, rng, min(16, self.config.batch_size))
        return stage_one_batch(windows, self.config, rng).to(self.device)

    def _log_losses(self, **losses: Any) -> None:
        for name, loss in losses.items():
            for part in ("total", "local", "overall"):
                value = getattr(loss, part).detach()
                self.log(f"{name}/{part}", value, batch_size=1, sync_dist=True, prog_bar=part == "total")

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Move the weights, then their average: before any callback sees the step as done."""
        super().optimizer_step(*args, **kwargs)
        total = self.config.steps + self.config.joint_steps
        self.learner.update_average(min(1.0, (self.trainer.global_step + 1) / total))

    @torch.no_grad()
    def _mine(self) -> None:
        """Phase 2, once: freeze the stage 1 learnt so far and mine its vocabulary over the takes."""
        if self.frozen is not None:
            return
        frozen = copy.deepcopy(self.learner.average).eval()
        if self.vocabulary is None:
            model = A4Mer(self.config, frozen)
            atoms = [model.encode_atoms(take, self.bank.fps) for take in mining_takes(self.bank, self.seed)]
            self.vocabulary = build_vocabulary(atoms, self.config, self.seed)
        object.__setattr__(
            self, "frozen", frozen
        )  # no submodule: it is in no checkpoint's weights but its own

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """The vocabulary and the frozen stage go with the weights, as plain tensors."""
        super().on_save_checkpoint(checkpoint)
        if self.vocabulary is None or self.frozen is None:
            return
        patterns = self.vocabulary.patterns
        checkpoint["a4mer_vocabulary"] = {
            "centres": torch.from_numpy(self.vocabulary.codes.centres.copy()),
            "values": torch.from_numpy(patterns.codes.values.copy()),
            "offsets": torch.from_numpy(patterns.codes.offsets.copy()),
            "support": torch.from_numpy(patterns.support.copy()),
            "axes": torch.from_numpy(self.vocabulary.axes.copy()),
            "spread": torch.tensor(self.vocabulary.spread, dtype=torch.float64),
        }
        checkpoint["a4mer_frozen"] = self.frozen.state_dict()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuse a run with other settings or takes; bring back the vocabulary."""
        super().on_load_checkpoint(checkpoint)
        held = checkpoint.get("a4mer_vocabulary")
        if held is not None:
            arrays = {k: v.cpu().numpy() for k, v in held.items()}
            patterns = Patterns(Ragged(arrays["values"], arrays["offsets"]), arrays["support"])
            codes = Codebook(arrays["centres"])
            self.vocabulary = Vocabulary(codes, patterns, arrays["axes"], float(arrays["spread"]))
            frozen = copy.deepcopy(self.learner.average).eval()
            frozen.load_state_dict(checkpoint["a4mer_frozen"])
            object.__setattr__(self, "frozen", frozen)


def mining_takes(bank: TakeBank, seed: int, seconds: float = MINING_SECONDS) -> list[np.ndarray]:
    """All takes of a bank as they are, or so many drawn by seed that they last about `seconds`."""
    takes = [bank.positions[a:b] for a, b in zip(bank.offsets[:-1], bank.offsets[1:], strict=True)]
    if bank.seconds <= seconds:
        return takes
    order = np.random.default_rng(seed).permutation(len(takes))
    count = int(np.searchsorted(np.cumsum([len(takes[i]) for i in order]), seconds * bank.fps)) + 1
    return [takes[i] for i in sorted(order[:count])]


def train_a4mer(
    bank: TakeBank,
    config: A4MerConfig,
    run: Path,
    *,
    seed: int = 0,
    resume: bool = True,
    card: str = "",
    progress: bool = True,
    trainer_options: dict[str, Any] | None = None,
) -> A4Mer:
    """Train A4Mer on takes and write the model to ``run/model``.

    `run` holds checkpoints, CSV and TensorBoard logs; a run found there goes on where it stopped.
    `trainer_options` go to Lightning's Trainer as they are (devices, precision, strategy ...).

    Raises InputError for takes too short to learn from, UsageError where a run to resume does not fit.
    """
    if bank.seconds < config.window_seconds:
        raise InputError(
            f"{bank.seconds:.0f} s of motion are too little to train on; "
            f"give at least {config.window_seconds:.0f} s"
        )
    with run_folder(run):
        return _train(bank, config, run, seed, resume, card, progress, trainer_options or {})


def _train(
    bank: TakeBank,
    config: A4MerConfig,
    run: Path,
    seed: int,
    resume: bool,
    card: str,
    progress: bool,
    options: dict[str, Any],
) -> A4Mer:
    module = A4MerModule(config, bank, seed)
    total = config.steps + config.joint_steps
    main = train_module(
        module, run, total, config.clip_norm, progress, options, watching=[CollapseWatch()], resume=resume
    )
    model = A4Mer(config, copy.deepcopy(module.learner.average).cpu(), card=card)
    atoms = [model.encode_atoms(take, bank.fps) for take in mining_takes(bank, seed)]
    model = model.with_vocabulary(atoms, seed)
    if main:
        model.save(run / "model")
    return model


def bank_of(motions: Iterable[Any], fps: float) -> TakeBank:
    """A bank from motions of any humanoid rig, resampled to `fps`, on the standard body."""
    from kineme.models.a4mer.model import standard_positions
    from kineme.motion.time import resample

    return TakeBank([standard_positions(resample(m, fps)) for m in motions], fps)
