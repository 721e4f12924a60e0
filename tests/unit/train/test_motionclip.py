"""MotionCLIP's training: motions come to lie near the names of their actions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from kineme.models.compose.batch import PairBank
from kineme.models.compose.motionclip import MotionCLIP, MotionCLIPConfig
from kineme.models.compose.objective import alignment
from kineme.train.motionclip import train_motionclip
from small_compose import SMALL, actions


def test_motions_come_to_lie_near_their_names(tmp_path) -> None:
    acts = [action for action in actions() if action.label != "run"]
    body = replace(SMALL, labels=("walk", "wave"), steps=40, learning_rate=5e-3, batch_size=8, dropout=0.0)
    drawn = PairBank(acts, replace(body, singles=1.0)).draw(32, np.random.default_rng(0))

    def apart(model: MotionCLIP) -> float:
        own = model.texts(["walk", "wave"])[drawn.actions.argmax(1)]
        return float(alignment(model.network.encode(drawn.frames, drawn.valid), own))

    config = MotionCLIPConfig(body, text_weight=1.0)
    model = train_motionclip(acts, config, tmp_path / "run", progress=False)
    assert apart(model) < 0.5 * apart(MotionCLIP.random(config))
    held = MotionCLIP.load(tmp_path / "run" / "model")
    torch.testing.assert_close(held.sample(["walk while wave"]), model.sample(["walk while wave"]))


def test_the_weight_of_texts_has_an_effect_and_the_seed_gives_the_weights(tmp_path) -> None:
    config = MotionCLIPConfig(replace(SMALL, steps=2))
    made = [
        train_motionclip(actions(), replace(config, text_weight=weight), tmp_path / name, progress=False)
        for name, weight in (("one", 0.1), ("same", 0.1), ("none", 0.0))
    ]
    one, same, none = (model.sample(["walk"]) for model in made)
    assert torch.equal(one, same) and not torch.allclose(one, none, atol=1e-6)
