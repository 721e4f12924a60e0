"""Training of heads: it learns, and a killed run ends with the same weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from kineme.corpus.synthetic import generate
from kineme.errors import UsageError
from kineme.models.a4mer import A4Mer, A4MerConfig
from kineme.models.a4mer.batch import TakeBank
from kineme.models.a4mer.heads.bank import build_bank, cuts_of
from kineme.models.a4mer.heads.config import HeadConfig
from kineme.models.a4mer.model import standard_positions
from kineme.nn.curve_net import distances
from kineme.nn.moments import inner_times, truth
from kineme.train.heads import kept_moments, train_head
from kineme.train.networks import Course, train_network

BASE = A4Mer.random(A4MerConfig(width=32, heads=2, encoder_layers=1, latent_layers=1))
CONFIG = HeadConfig(
    context_seconds=3.0, longest=1.0, near=8, waves=8, recalled=6, hidden=32, width=16, heads=2, steps=60
)
TAKES = TakeBank([standard_positions(t.motion) for t in generate(6, 6, 12.0, 30.0)], 30.0)


def regression(network: torch.nn.Module, rng: np.random.Generator):
    """A line to be learnt."""
    x = torch.from_numpy(rng.normal(size=(16, 3)).astype(np.float32))
    loss = (network(x) - x.sum(1, keepdim=True)).square().mean()
    return loss, {}


def test_a_run_that_was_stopped_ends_with_the_same_weights(tmp_path: Path) -> None:
    course = Course(steps=12, learning_rate=0.05, weight_decay=0.0)

    def network() -> torch.nn.Module:
        torch.manual_seed(0)
        return torch.nn.Linear(3, 1)

    whole = train_network(network(), regression, course, tmp_path / "whole", settings="line")

    class Stop(Exception):
        pass

    def interrupted(net: torch.nn.Module, rng: np.random.Generator):
        interrupted.steps += 1  # type: ignore[attr-defined]
        if interrupted.steps > 7:  # type: ignore[attr-defined]
            raise Stop
        return regression(net, rng)

    interrupted.steps = 0  # type: ignore[attr-defined]
    every_step = {"callbacks": [_saving(tmp_path / "half")]}
    with pytest.raises(Stop):
        train_network(
            network(), interrupted, course, tmp_path / "half", settings="line", trainer_options=every_step
        )
    again = train_network(network(), regression, course, tmp_path / "half", settings="line")
    for a, b in zip(whole.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    with pytest.raises(UsageError, match="other settings"):
        train_network(network(), regression, course, tmp_path / "half", settings="curve")


def _saving(run: Path):
    from kineme.train.callbacks import AtomicCheckpoint

    return AtomicCheckpoint(run / "checkpoints" / "last.ckpt", every_steps=1)


@pytest.mark.parametrize("kind", ["predictor", "interpolator"])
@pytest.mark.parametrize("route", ["curves", pytest.param("tokens", marks=pytest.mark.slow)])
def test_heads_learn(kind, route, tmp_path: Path) -> None:
    config = replace(CONFIG, route=route, layers=1, recalled=0)
    bank = build_bank(BASE.network, [(TAKES, 0.5)], config, kind)
    cuts = cuts_of(TAKES, 1.0, 3.0, None if kind == "predictor" else 0.8, 2.0)
    times = (np.arange(10) + 1) / 10 if kind == "predictor" else inner_times(0.8)
    errors = []
    for steps in (1, 250):
        head = train_head(BASE, bank, replace(config, steps=steps), kind, tmp_path / f"{steps}")
        made, found = head.curves(cuts, times)
        joints, _ = distances(torch.from_numpy(found[:, 0]), torch.from_numpy(truth(cuts, made)))
        errors.append(float(joints.mean()))
    assert errors[1] < 0.9 * errors[0]


def test_kept_moments_are_spread_over_the_takes() -> None:
    bank = build_bank(BASE.network, [(TAKES, 0.5)], CONFIG, "predictor")
    kept = kept_moments(bank, 40, 0)
    assert len(set(kept.tolist())) == 40
    assert len(set(bank.library.owner[kept].tolist())) == 6
    assert len(kept_moments(bank, 0, 0)) == bank.library.size


def test_the_same_seed_gives_the_same_head(tmp_path: Path) -> None:
    bank = build_bank(BASE.network, [(TAKES, 1.0)], CONFIG, "predictor")
    config = replace(CONFIG, steps=3)
    one, two, other = (
        train_head(BASE, bank, config, "predictor", tmp_path / name, seed=seed)
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    for a, b in zip(*(h.network.parameters() for h in (one, two)), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    assert any(
        (a != c).any() for a, c in zip(one.network.parameters(), other.network.parameters(), strict=True)
    )
