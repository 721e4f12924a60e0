"""The heads that come with the package."""

from __future__ import annotations

import numpy as np
import pytest

import kineme
from kineme.corpus.synthetic import generate
from kineme.formats.hub import SHIPPED as WEIGHTS
from kineme.models.a4mer.heads.head import Head

TAKE = generate(11, 1, 12.0, 60.0)[0].motion


@pytest.mark.parametrize("kind", ["predictor", "interpolator"])
def test_a_head_is_small_and_says_where_it_is_from(kind) -> None:
    folder = WEIGHTS / "a4mer-small" / "heads" / kind
    assert (folder / "model.safetensors").stat().st_size < 2_500_000
    card = (folder / "README.md").read_text()
    for word in ("CMU", "HDM05", "CC BY-SA 3.0", "MIT", f"kineme train {kind} takes"):
        assert word in card
    assert "andai" not in card.split("Made by")[0]  # a table of its scores names it
    head = Head.named("a4mer-small", kind)
    assert head.library is not None and head.library.size == head.config.library


def test_futures_and_gaps_need_no_training() -> None:
    first, second = kineme.predict(TAKE, 1.0, samples=2)
    assert len(first.motion) == len(TAKE) + 60
    assert np.abs(first.motion.positions[-1] - second.motion.positions[-1]).max() > 1e-3
    filled = kineme.interpolate(TAKE, 5.0, 6.0)
    error = np.linalg.norm(filled.motion.positions - TAKE.positions, axis=-1)[300:360].mean()
    assert error < 0.35
    speed = np.linalg.norm(np.diff(filled.motion.positions, axis=0), axis=-1).max(-1) * 60
    assert speed[298:362].max() < 8.0
