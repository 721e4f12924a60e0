"""The weights that come with the package: small, licensed, and of use without training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from kineme.cli.motion_model import SHIPPED, load_model
from kineme.formats import load
from kineme.formats.hub import model_folder
from kineme.motion.bridge import bridge
from kineme.tasks.impute import impute
from kineme.tasks.missing import declared, spans_mask


def test_they_are_small_and_say_what_they_were_trained_on() -> None:
    folder = model_folder(SHIPPED, (), "")
    assert sum(file.stat().st_size for file in folder.iterdir()) < 4_000_000
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert all(word in card for word in ("CC BY-SA 3.0", "MIT", "NSF EIA-0196217", "kineme train hgvae"))
    assert "andai" not in card
    model = load_model(None)
    assert model.calibration is not None and model.noise is not None and len(model.config.joints) == 21


def test_an_arm_of_a_held_out_subject_comes_back_better_than_between_its_neighbours(
    unpacked: Callable[..., Path],
) -> None:
    """HDM05's dg is in no training split; the right arm of a jog is missing for 0.8 s."""
    folder = unpacked("hdm05/hdm05-11.zip", "*HDM_dg.asf", "*dg_jogLeftCircle4StepsRstart_008*")
    motion = load(next(folder.rglob("*dg_jogLeftCircle4StepsRstart_008*.amc")))
    spans = declared(motion, ["rhumerus", "rradius"], "60:156")
    missing = spans_mask(motion, spans)
    made = impute(motion, spans, load_model(None), samples=2).motion
    between = bridge(motion, missing)
    joints = [motion.skeleton.index(name) for name in ("rradius", "rwrist")]
    errors = [
        float(np.linalg.norm((m.positions - motion.positions)[60:156, joints], axis=-1).mean())
        for m in (made, between)
    ]
    assert errors[0] < 0.9 * errors[1]
