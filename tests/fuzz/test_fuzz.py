"""A short run of the fuzzer, the same inputs every time; `make fuzz` is the long one."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.mutate import mutated
from fuzz.seeds import Seed, made, real
from fuzz.trial import attempt, input_of, warm_up

SEEDS = made()


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    warm_up(SEEDS)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)
def test_the_seeds_are_sound(seed: Seed) -> None:
    if seed.name != "joints.csv":  # it has an empty cell, which --repair fills
        assert attempt(seed, seed.data, 1) == "read"
    assert attempt(seed, seed.data, 0) == "read"


@pytest.mark.parametrize("number", range(len(SEEDS)), ids=[seed.name for seed in SEEDS])
def test_unsound_files_are_read_or_refused(number: int) -> None:
    for turn in range(15):
        seed, data = input_of(number + turn * len(SEEDS), SEEDS, seed=1)
        outcome = attempt(seed, data, turn)
        assert outcome in ("read", "refused"), (seed.name, turn, outcome)


def test_unsound_real_files_are_read_or_refused(data_dir: Path) -> None:
    seeds = list(real(data_dir))
    for number in range(3 * len(seeds)):
        seed, data = input_of(number, seeds, seed=1)
        outcome = attempt(seed, data, number)
        assert outcome in ("read", "refused"), (seed.name, number, outcome)


@given(st.sampled_from(SEEDS), st.randoms(use_true_random=False))
def test_any_chain_of_changes(seed: Seed, rng: random.Random) -> None:
    assert attempt(seed, mutated(seed.data, rng, most=12)) in ("read", "refused")
