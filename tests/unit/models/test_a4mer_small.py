"""The released A4Mer of the package: frozen to the bit, small, and of use without training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.golden.make_a4mer import FILE, FPS, kind_of_machine, outputs

from kineme.formats.hub import SHIPPED
from kineme.models.a4mer import A4Mer
from kineme.models.a4mer.encoding import encode_atoms
from kineme.models.a4mer.features import clip_features
from kineme.models.a4mer.folder import find_model
from kineme.models.a4mer.network import Segmented
from kineme.models.a4mer.segment import atom_lengths

WHOLE = ("atom_frames", "codes", "motif_frames", "prototypes")


@pytest.fixture(scope="module")
def model() -> A4Mer:
    return A4Mer.from_pretrained("a4mer-small")


@pytest.fixture(scope="module")
def frozen() -> dict[str, np.ndarray]:
    with np.load(FILE, allow_pickle=False) as held:
        return {name: held[name] for name in held.files}


def test_they_are_small_and_say_what_they_were_trained_on() -> None:
    folder = find_model("a4mer-small")
    assert folder == SHIPPED / "a4mer-small"
    assert sum(file.stat().st_size for file in folder.iterdir() if file.is_file()) < 9_000_000
    card = (folder / "README.md").read_text(encoding="utf-8")
    words = ("CC BY-SA 3.0", "MIT", "NSF EIA-0196217", "kineme train a4mer", "train splits", "F1")
    assert all(word in card for word in words)


def test_the_released_model_is_frozen(model: A4Mer, frozen: dict[str, np.ndarray]) -> None:
    """To the bit on the kind of processor that wrote the file; within rounding on others."""
    found = outputs(model.encode_positions(frozen["positions"], FPS))
    for name in WHOLE:
        np.testing.assert_array_equal(found[name], frozen[name], err_msg=name)
    tolerance = 0 if str(frozen["kind"]) == kind_of_machine() else 1e-5
    for name in set(found) - set(WHOLE):
        np.testing.assert_allclose(found[name], frozen[name], rtol=0, atol=tolerance, err_msg=name)


def test_twice_is_the_same_to_the_bit(model: A4Mer, frozen: dict[str, np.ndarray]) -> None:
    again = A4Mer.from_pretrained("a4mer-small")
    one, two = (outputs(m.encode_positions(frozen["positions"], FPS)) for m in (model, again))
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_batch_size_changes_nothing(model: A4Mer, frozen: dict[str, np.ndarray]) -> None:
    features, facing = clip_features(frozen["positions"], FPS, model.config.fps)
    lengths = atom_lengths(facing, model.config)
    alone = encode_atoms(model.network, features, lengths)
    times = [(np.arange(len(features)) + 0.5) / model.config.fps] * 5
    ones = [np.ones(len(features), dtype=np.int64)] * 5
    with torch.inference_mode():
        many = model.network.encode_atoms(
            torch.from_numpy(np.tile(features, (5, 1))), Segmented.of([lengths] * 5, ones, times)
        )
    for h in many.h.unflatten(0, (5, -1)).numpy():
        np.testing.assert_allclose(h, alone.h, rtol=0, atol=1e-6 * max(1.0, float(np.abs(alone.h).max())))


def test_threads_change_nothing(model: A4Mer, frozen: dict[str, np.ndarray]) -> None:
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            found.append(outputs(model.encode_positions(frozen["positions"], FPS)))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        for name, value in found[0].items():
            scale = max(1.0, float(np.abs(value).max()))
            np.testing.assert_allclose(other[name], value, rtol=0, atol=1e-6 * scale, err_msg=name)


def test_actions_of_a_held_out_person_have_other_codes(model: A4Mer, unpacked: Callable[..., Path]) -> None:
    """Two actions of HDM05's dg, who is in no training split, share no code."""
    from kineme.formats import load
    from kineme.models.a4mer.model import standard_positions
    from kineme.motion.retarget import retarget
    from kineme.motion.time import resample

    folder = unpacked("hdm05/hdm05-11.zip", "*HDM_dg.asf", "*dg_jogLeft*_00*", "*dg_rotateArms*_00*")
    clips = [
        standard_positions(resample(retarget(load(sorted(folder.rglob(name))[0])), FPS))
        for name in ("*dg_jogLeft*.amc", "*dg_rotateArms*.amc")
    ]
    found = [model.encode_positions(clip, FPS) for clip in clips]
    shared = set(found[0].codes.tolist()) & set(found[1].codes.tolist())
    assert not shared
