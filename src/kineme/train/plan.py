"""How much to train on how much motion, how long that takes here, and what the model card says."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch

from kineme.models.a4mer.batch import TakeBank, draw_windows, stage_one_batch
from kineme.models.a4mer.config import PRESETS, A4MerConfig
from kineme.models.a4mer.learner import A4MerLearner
from kineme.train import cards

#: minutes of motion below which `tiny` is enough
TINY_BELOW = 30.0
#: minutes from which each preset takes all of its steps
_WHOLE = {"tiny": 5.0, "small": 30.0}
#: what a step of joint training costs, in steps of stage 1
_JOINT_COST = 1.6


@dataclass(frozen=True)
class Plan:
    """A preset and the settings that it became for an amount of motion."""

    preset: str
    config: A4MerConfig


def plan_for(seconds: float, preset: str | None = None, steps: int | None = None) -> Plan:
    """Settings for so many seconds of motion.

    Below half an hour `tiny`, from there on `small`. Steps are the preset's; they shrink in proportion below
    5 minutes of motion (30 for `small`), to a third at the least, since fewer windows are sooner learnt by
    heart, and grow with the square root of the amount beyond 4 hours, to the double at the most.

    preset, steps : instead of these rules; `steps` are those of the first stage, joint steps go along.
    """
    minutes = seconds / 60
    name = preset or ("tiny" if minutes < TINY_BELOW else "small")
    base = PRESETS[name]
    share = 1.0
    if steps is not None:
        share = steps / base.steps
    elif name in _WHOLE:
        share = max(1 / 3, min(1.0, minutes / _WHOLE[name])) * float(np.clip(np.sqrt(minutes / 240), 1, 2))
    first, joint = (max(1, round(n * share)) for n in (base.steps, base.joint_steps))
    return Plan(name, replace(base, steps=first, joint_steps=joint))


def seconds_of_training(bank: TakeBank, config: A4MerConfig, seed: int, samples: int = 3) -> float:
    """About how long training takes on this machine: a few steps, timed, times their number."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with torch.random.fork_rng():
        learner = A4MerLearner(config)
    learner.fit_normalisation(bank, seed)
    learner.to(device)
    rng = np.random.default_rng(seed)
    took = []
    for _ in range(samples + 1):
        started = time.perf_counter()
        windows = draw_windows(bank, config, rng, config.batch_size)
        loss = learner.atom_loss(stage_one_batch(windows, config, rng).to(device)).total
        loss.backward()
        loss.item()  # waits for the device
        took.append(time.perf_counter() - started)
    step = float(np.median(took[1:]))  # the first one warms up
    return step * (config.steps + _JOINT_COST * config.joint_steps)


def model_card(
    data: Iterable[str],
    seconds: float,
    plan: Plan,
    seed: int,
    *,
    licence: str,
    command: str,
    checksum: str = "",
) -> str:
    """The README.md of an A4Mer model; see `train.cards.model_card`."""
    return cards.model_card(
        "A4Mer",
        "Action Atoms and Action Motifs",
        "`kineme index TAKES -o LIBRARY --model THIS_FOLDER` or `kineme.A4Mer.load(THIS_FOLDER)`",
        plan.config.to_dict(),
        data=data,
        seconds=seconds,
        preset=plan.preset,
        seed=seed,
        licence=licence,
        command=command,
        checksum=checksum,
    )
