"""Energies and coupling: every equation against the slow twin, and what must hold whatever the numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import naive
from kineme.models.compose.coupling import (
    couple_labels,
    couple_positions,
    couple_root,
    couple_rotations,
    joint_share,
    mixing_rate,
)
from kineme.models.compose.energy import RATE, SCHEMES, motion_energy, steady_energy
from kineme.motion.canonical import INDEX
from kineme.motion.rotations import axis_angle_to_matrix, matrix_to_sixd, sixd_to_matrix

energies = st.lists(st.floats(0, 10).map(lambda e: 0.0 if e < 1e-6 else e), min_size=3, max_size=3)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_energy_is_the_printed_sum(scheme) -> None:
    positions = np.random.default_rng(0).normal(size=(5, 22, 3))
    expected = naive.motion_energy(positions, SCHEMES[scheme])
    np.testing.assert_allclose(motion_energy(positions, SCHEMES[scheme]), expected, rtol=1e-9)


def test_energy_is_equal_in_a_part_and_blind_to_where_the_body_goes() -> None:
    rng = np.random.default_rng(1)
    positions = rng.normal(size=(6, 22, 3))
    energy = motion_energy(positions)
    for joints in SCHEMES["sides"].values():
        assert len(set(energy[list(joints)])) == 1
    walked = positions + np.arange(6)[:, None, None] * np.array([0.3, 0, 0.1])
    np.testing.assert_allclose(motion_energy(walked), energy, rtol=1e-9)


@given(
    fps=st.sampled_from([20.0, 24.0, 25.0, 30.0, 60.0, 100.0, 120.0, 240.0]),
    hertz=st.floats(0.3, 3.0),
    phase=st.floats(0, 6.28),
)
def test_steady_energy_does_not_depend_on_the_rate(fps, hertz, phase) -> None:
    """Nor on a millimetre of noise, as which it is measured at a high one; eq. 2 alone does."""

    def swinging(rate: float) -> np.ndarray:
        angle = 2 * np.pi * hertz * np.arange(round(6 * rate)) / rate + phase
        places = np.zeros((len(angle), 22, 3))
        places[:, INDEX["right_wrist"], :2] = 0.4 * np.stack([np.sin(angle), np.cos(angle)], axis=1)
        return places

    noise = np.random.default_rng(0).normal(scale=1e-3, size=(round(6 * fps), 22, 3))
    wrist = INDEX["right_wrist"]
    want = steady_energy(swinging(RATE), RATE)[wrist]
    assert steady_energy(swinging(fps), fps)[wrist] == pytest.approx(want, rel=0.06)
    noisy = steady_energy(swinging(fps) + noise, fps)[wrist]
    assert noisy == pytest.approx(want, rel=0.06, abs=1e-6)
    assert want < motion_energy(swinging(RATE))[wrist] * 1.05


def test_energy_of_what_stands_still_is_zero() -> None:
    still = np.tile(np.random.default_rng(2).normal(size=(1, 22, 3)), (4, 1, 1))
    assert not motion_energy(still + np.arange(4)[:, None, None]).any()
    assert not motion_energy(still[:1]).any()
    one = still.copy()
    one[2, INDEX["left_wrist"], 0] += 0.1
    moved = motion_energy(one)
    assert moved[INDEX["left_shoulder"]] == pytest.approx(2 * 0.01 / (4 * 3)) and moved[INDEX["head"]] == 0


@given(energies, energies, st.floats(0.001, 0.999))
def test_shares_lie_between_and_are_the_printed_ones(first, second, rate) -> None:
    one, other = (torch.tensor([e], dtype=torch.float64) for e in (first, second))
    share = joint_share(one, other, torch.tensor([rate], dtype=torch.float64))[0]
    assert bool(((share >= 0) & (share <= 1)).all())
    swapped = joint_share(other, one, torch.tensor([1 - rate], dtype=torch.float64))[0]
    torch.testing.assert_close(share + swapped, torch.ones(3, dtype=torch.float64))
    places = torch.randn(2, 1, 1, 3, 3, dtype=torch.float64)
    mixed = couple_positions(places[0], places[1], share[None])
    for joint, (e, o) in enumerate(zip(first, second, strict=True)):
        if rate * e + (1 - rate) * o > 0:
            a, b = (places[k, 0, 0, joint].numpy() for k in range(2))
            np.testing.assert_allclose(mixed[0, 0, joint], naive.coupled_joint(a, b, rate, e, o), atol=1e-9)


def test_shares_of_the_motionless() -> None:
    """Both still: lambda decides. One still: the other gives everything that it moves."""
    first, second = torch.tensor([[0.0, 0.0, 2.0]]), torch.tensor([[0.0, 3.0, 0.0]])
    share = joint_share(first, second, torch.tensor([0.3]))
    torch.testing.assert_close(share, torch.tensor([[0.3, 0.0, 1.0]]))
    for rate in (0.0, 1.0):
        assert torch.isfinite(joint_share(first, second, torch.tensor([rate]))).all()


def test_rates_are_what_the_paper_draws() -> None:
    generator = torch.Generator().manual_seed(0)
    rates = mixing_rate(20_000, "gaussian", 0.1, generator)
    assert abs(float(rates.mean()) - 0.5) < 0.005 and abs(float(rates.std()) - 0.1) < 0.005
    wide = mixing_rate(20_000, "gaussian", 2.0, generator)
    assert float(wide.min()) == 0 and float(wide.max()) == 1
    flat = mixing_rate(20_000, "uniform", generator=generator)
    assert abs(float(flat.std()) - 12**-0.5) < 0.01
    assert mixing_rate(3, "half").tolist() == [0.5] * 3


def test_labels_mix_by_the_rate() -> None:
    a, b = torch.eye(3)[:1], torch.eye(3)[1:2]
    torch.testing.assert_close(couple_labels(a, b, torch.tensor([0.7])), torch.tensor([[0.7, 0.3, 0.0]]))


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_mixed_rotations_are_rotations_and_keep_the_ends(seed, value) -> None:
    vectors = np.random.default_rng(seed).normal(scale=2, size=(2, 1, 4, 3, 3))
    sixd = [torch.from_numpy(matrix_to_sixd(axis_angle_to_matrix(v))) for v in vectors]
    share = torch.tensor([[1.0, 0.0, value]], dtype=torch.float64)
    mixed = couple_rotations(sixd[0], sixd[1], share)
    matrices = sixd_to_matrix(mixed.numpy())
    np.testing.assert_allclose(
        matrices @ np.swapaxes(matrices, -1, -2), np.broadcast_to(np.eye(3), matrices.shape), atol=1e-8
    )
    np.testing.assert_allclose(mixed[:, :, 0], sixd[0][:, :, 0], atol=1e-8)
    np.testing.assert_allclose(mixed[:, :, 1], sixd[1][:, :, 1], atol=1e-8)


def test_opposite_rotations_do_not_vanish() -> None:
    """Half a turn apart and mixed half and half, the mean of both has no direction."""
    one = torch.tensor([1.0, 0, 0, 0, 1.0, 0])[None, None, None]
    other = torch.tensor([-1.0, 0, 0, 0, 1.0, 0])[None, None, None]
    torch.testing.assert_close(couple_rotations(one, other, torch.tensor([[0.5]])), one)


def test_the_root_goes_one_way() -> None:
    ways = torch.randn(2, 2, 5, 3)
    mixed = couple_root(ways[0], ways[1], torch.tensor([0.6, 0.4]))
    assert torch.equal(mixed[0], ways[0, 0]) and torch.equal(mixed[1], ways[1, 1])
