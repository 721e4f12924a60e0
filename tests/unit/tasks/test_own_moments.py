"""A take's own moments are recalled, too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kineme.corpus.synthetic import generate
from kineme.models.a4mer import A4Mer, A4MerConfig
from kineme.models.a4mer.batch import TakeBank
from kineme.models.a4mer.heads.bank import build_bank
from kineme.models.a4mer.heads.config import HeadConfig
from kineme.models.a4mer.heads.head import Head, make_network
from kineme.models.a4mer.model import standard_positions
from kineme.nn.moments import Cuts
from kineme.tasks.own_moments import MOST, with_own_moments

PLACES = [standard_positions(take.motion) for take in generate(7, 2, 20.0, 30.0)]
BASE = A4Mer.random(A4MerConfig(width=32, heads=2, encoder_layers=1, latent_layers=1))
CONFIG = HeadConfig(context_seconds=3.0, longest=1.0, near=8, waves=8, recalled=4, hidden=16, steps=1)


@pytest.fixture(scope="module", params=["predictor", "interpolator"])
def head(request: pytest.FixtureRequest) -> Head:
    """A head that knows the second take alone."""
    bank = build_bank(BASE.network, [(TakeBank(PLACES[1:], 30.0), 1.0)], CONFIG, request.param)
    return Head(request.param, CONFIG, BASE, make_network(CONFIG, BASE, request.param).eval(), bank.library)


def test_moments_of_the_take_are_added_and_bounded(head: Head) -> None:
    gap = None if head.kind == "predictor" else 0.8
    more = with_own_moments(head, [PLACES[0]], 30.0, gap)
    assert head.library is not None and more.library is not None
    added = more.library.size - head.library.size
    assert 20 < added <= 2 * 1.3 * MOST  # strides are whole frames
    assert with_own_moments(head, [PLACES[0][:30]], 30.0, gap) is head
    bare = replace(head, library=None)
    assert with_own_moments(bare, [PLACES[0]], 30.0, gap) is bare


def test_what_was_seen_before_is_done_again(head: Head) -> None:
    """The very moment, seen before, is recalled with what followed."""
    now = np.array([300])
    then = None if head.kind == "predictor" else now + 24
    gap = None if then is None else 0.8
    cuts = Cuts(PLACES[0], 30.0, np.zeros(1, dtype=np.int64), np.array([len(PLACES[0]) - 1]), now, then)
    times = (np.arange(20) + 1) / 30
    true = PLACES[0][301:321]
    errors = []
    for one in (head, with_own_moments(head, [PLACES[0]], 30.0, gap)):
        made, channels = one.curves(cuts, times)
        errors.append(np.linalg.norm(made.place.positions(channels[:, 0])[0] - true, axis=-1).mean())
    assert errors[1] < 0.85 * errors[0]  # the rest is of the untrained network
