"""How much is trained on how much, and the card."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kineme.models.a4mer import PRESETS
from kineme.models.a4mer.batch import TakeBank
from kineme.train.plan import Plan, model_card, plan_for, seconds_of_training

TINY, SMALL = PRESETS["tiny"], PRESETS["small"]


@pytest.mark.parametrize(
    "minutes, preset, steps",
    [
        (0.5, "tiny", TINY.steps / 3),
        (4, "tiny", TINY.steps * 0.8),
        (5, "tiny", TINY.steps),
        (29, "tiny", TINY.steps),
        (30, "small", SMALL.steps),
        (240, "small", SMALL.steps),
        (540, "small", SMALL.steps * 1.5),
        (10_000, "small", SMALL.steps * 2),
    ],
)
def test_size_and_steps_fit_the_amount_of_motion(minutes: float, preset: str, steps: float) -> None:
    plan = plan_for(minutes * 60)
    assert plan.preset == preset and plan.config.steps == round(steps)
    joint = PRESETS[preset].joint_steps * steps / PRESETS[preset].steps
    assert plan.config.joint_steps == pytest.approx(joint, abs=0.51)


def test_what_is_asked_for_wins() -> None:
    assert plan_for(60.0, preset="small").preset == "small"
    plan = plan_for(60.0, steps=TINY.steps * 2)
    assert (plan.config.steps, plan.config.joint_steps) == (TINY.steps * 2, TINY.joint_steps * 2)
    assert plan_for(1e6, preset="base").config == PRESETS["base"]


def test_the_estimate_grows_with_the_steps_and_leaves_the_seed_alone() -> None:
    import torch

    rng = np.random.default_rng(0)
    bank = TakeBank([np.cumsum(rng.normal(0, 0.01, (1200, 22, 3)), axis=0)], 30.0)
    config = plan_for(60.0, steps=100).config
    state = torch.random.get_rng_state()
    assert 0 < seconds_of_training(bank, config, seed=0, samples=1) < 3600
    assert torch.equal(state, torch.random.get_rng_state())


def test_the_cards_header_is_yaml_with_every_setting() -> None:
    name = 'takes: "odd" # name'
    text = model_card(
        [name], 90.0, Plan("tiny", TINY), 7, licence="CC BY 4.0", command="kineme train a4mer x -o y"
    )
    head = text.split("---\n")[1]
    values = {}
    for line in head.splitlines():
        key, _, value = line.partition(": ")
        if value:
            values[key] = json.loads(value)  # JSON is YAML
    assert values["datasets"] == [name] and values["data_licence"] == "CC BY 4.0" and values["seed"] == 7
    assert values["command"] == "kineme train a4mer x -o y"
    settings = {k.strip(): v for k, v in values.items() if k.startswith("  ")}
    assert settings == TINY.to_dict()
    assert "1.5 minutes" in text and text.count("---\n") == 2
