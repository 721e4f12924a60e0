"""Eq. 6 against its slow twin; the right number of patches, and the right ones."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

import naive
from kineme.render.attention import attention_map, kept_patches, patch_means


def test_attention_is_the_printed_sum() -> None:
    rng = np.random.default_rng(0)
    pixels, energy = rng.uniform(0, 8, size=(2, 3, 2)), rng.uniform(size=3)
    found = attention_map(torch.from_numpy(pixels), torch.from_numpy(energy), 8)
    np.testing.assert_allclose(found[1].numpy(), naive.attention(pixels[1], energy, 8), rtol=1e-9)
    each = attention_map(torch.from_numpy(pixels), torch.from_numpy(np.stack([energy, 2 * energy])), 8)
    np.testing.assert_allclose(each[1], 2 * found[1])


@given(st.integers(0, 1000), st.floats(0.01, 1))
def test_a_share_of_patches_is_kept_the_highest(seed, share) -> None:
    attention = torch.rand(2, 64, 64, generator=torch.Generator().manual_seed(seed))
    kept = kept_patches(attention, 16, share)
    means = patch_means(attention, 16)
    assert kept.shape == (2, 16) and kept.sum(1).tolist() == [max(1, int(16 * share))] * 2
    for row, value in zip(kept, means, strict=True):
        assert not (~row).any() or float(value[row].min()) >= float(value[~row].max())


def test_a_third_of_196_patches_around_the_moving_joint() -> None:
    pixels = torch.tensor([[[40.0, 24.0], [200.0, 200.0]]])
    kept = kept_patches(attention_map(pixels, torch.tensor([1.0, 0.0]), 224))[0]
    assert int(kept.sum()) == 65
    rows, columns = np.divmod(np.flatnonzero(kept.numpy()), 14)
    assert kept.view(14, 14)[1, 2] and rows.max() < 9 and columns.max() < 11
    assert not kept.view(14, 14)[12, 12]


def test_no_energy_keeps_as_many() -> None:
    kept = kept_patches(attention_map(torch.rand(1, 3, 2) * 64, torch.zeros(3), 64))
    assert int(kept.sum()) == 5
