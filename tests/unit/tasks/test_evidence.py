"""Terms of evidence against joints, on windows made by hand and on broken ones."""

from __future__ import annotations

import numpy as np
import pytest

from kineme.motion.channels import Channels
from kineme.tasks.calibrate import usual_of
from kineme.tasks.evidence import JUMP_MM, STILL_MM, TERMS, Usual, motion_terms, window_terms
from small_hgvae import small_bank, small_hgvae

CHANNELS = Channels()
JOINTS = len(CHANNELS.joints)


def test_jumps_and_standstills_are_what_they_are_by_hand() -> None:
    """All joints go 2 mm a frame; one is held for half a second and comes back with a jump."""
    window = np.zeros((1, len(CHANNELS), 50), dtype=np.float32)
    window[0, : 3 * JOINTS : 3] = 2.0 * np.arange(50)
    window[0, 9, 20:33] = window[0, 9, 20]
    found = motion_terms(window, np.ones((1, 50), bool), CHANNELS, 25.0)
    assert found.shape == (1, JOINTS + 1, 2) and (found[0, JOINTS] == 0).all()
    assert found[0, 3, 1] == pytest.approx(-np.log(STILL_MM), rel=1e-4)
    assert found[0, 3, 0] == pytest.approx(np.log(26 + JUMP_MM), rel=1e-4)
    others = np.delete(found[0, :JOINTS], 3, axis=0)
    np.testing.assert_allclose(others, [[np.log(JUMP_MM), -np.log(2 + STILL_MM)]] * (JOINTS - 1), atol=1e-4)


def test_frames_that_do_not_exist_do_not_stand_still() -> None:
    rng = np.random.default_rng(0)
    window = np.cumsum(rng.normal(size=(1, len(CHANNELS), 50)), axis=2).astype(np.float32)
    window[..., 30:] = window[..., 29:30]
    exists = (np.arange(50) < 30)[None]
    found = motion_terms(window, exists, CHANNELS, 25.0)
    np.testing.assert_allclose(found, motion_terms(window[..., :30], exists[:, :30], CHANNELS, 25.0))
    assert (motion_terms(window, np.arange(50)[None] < 2, CHANNELS, 25.0) == 0).all()


def test_usual_motion_counts_little_and_each_term_that_is_not_counts() -> None:
    terms = np.random.default_rng(1).normal(size=(500, 3, len(TERMS)))
    usual = Usual.fit(terms)
    assert usual.joints(terms).max() == pytest.approx(1.0)
    for term in range(len(TERMS)):
        odd = terms[:1].copy()
        odd[0, 1, term] = usual.middle[1, term] + 20 * usual.spread[1, term]
        found = usual.joints(odd)[0]
        assert found[1] > 3 and found[[0, 2]].max() <= 1
    flat = Usual.fit(np.zeros((4, 2, len(TERMS))))
    assert np.isfinite(flat.joints(np.ones((1, 2, len(TERMS))))).all()


def test_a_frozen_joint_is_the_one_with_the_most_evidence() -> None:
    model, bank = small_hgvae(), small_bank()
    windows = bank.only(bank.lengths == bank.frames).all().windows
    exists = np.ones((len(windows), bank.frames), bool)
    usual = Usual.fit(window_terms(windows, exists, model)[1])
    frozen = windows[:8].copy()
    wrist = 3 * CHANNELS.joints.index("left_wrist")
    frozen[:, wrist : wrist + 3, 4:16] = frozen[:, wrist : wrist + 3, 4:5]
    found = usual.joints(window_terms(frozen, exists[:8], model)[1])
    assert (found.argmax(1) == wrist // 3).mean() > 0.8


def test_models_of_before_have_no_usual() -> None:
    calibration = small_hgvae().calibration
    assert calibration is not None and usual_of(calibration) is not None
    values = calibration.to_dict()
    del values["usual"], values["usual_spread"]
    assert usual_of(type(calibration).from_dict(values)) is None
    with pytest.raises(ValueError, match="usual"):
        type(calibration).from_dict({**calibration.to_dict(), "usual": [[1.0], [1.0, 2.0]]})
