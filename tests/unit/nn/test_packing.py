"""Packed ragged batches against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import naive
from kineme.nn.attention import SegmentAttention, SegmentCrossAttention, SequenceAttention, segment_pool
from kineme.nn.ema import ema_update
from kineme.nn.packing import Layout, Packing

lengths_of = st.lists(st.integers(1, 9), min_size=1, max_size=30)


@given(lengths_of)
def test_packing_is_a_permutation_that_keeps_segments_together(lengths):
    packing = Packing.of(np.array(lengths))
    assert sorted(packing.order.tolist()) == list(range(sum(lengths)))
    owner = np.repeat(np.arange(len(lengths)), lengths)[packing.order.numpy()]
    blocks = packing.split_items(torch.from_numpy(owner))
    segments = packing.split_segments(torch.arange(len(lengths)))
    assert [tuple(block.shape[::-1]) for block in blocks] == list(packing.blocks)
    for block, numbers in zip(blocks, segments, strict=True):
        assert (block == block[:, :1]).all()
        assert packing.rank[block[:, 0]].tolist() == numbers.tolist()


def test_an_empty_segment_is_refused():
    with pytest.raises(ValueError, match="at least one item"):
        Packing.of(np.array([2, 0, 1]))


@given(lengths_of, st.sampled_from(["max", "mean"]))
def test_segment_pool(lengths, how):
    x = torch.randn(sum(lengths), 5)
    packing = Packing.of(np.array(lengths))
    found = segment_pool(x[packing.order], packing, how)[packing.rank]
    expected = [part.amax(0) if how == "max" else part.mean(0) for part in x.split(lengths)]
    torch.testing.assert_close(found, torch.stack(expected))


@given(lengths_of)
def test_segment_attention_equals_one_segment_at_a_time(lengths):
    torch.manual_seed(1)
    layer = SegmentAttention(8, 2)
    x = torch.randn(sum(lengths), 8)
    packing = Packing.of(np.array(lengths))
    found = torch.empty_like(x)
    found[packing.order] = layer(x[packing.order], packing)
    torch.testing.assert_close(found, naive.segment_attention(x, lengths, layer), atol=1e-5, rtol=1e-4)


def test_cross_attention_reads_its_own_segment_only():
    torch.manual_seed(0)
    layer, lengths = SegmentCrossAttention(8, 2), [3, 1, 4]
    packing = Packing.of(np.array(lengths))
    x, z = torch.randn(8, 8), torch.randn(3, 8)
    changed = x.clone()
    changed[3] += 5  # the item of the middle segment

    def run(items):
        return layer(z[packing.rank.argsort()], items[packing.order], packing)[packing.rank]

    before, after = run(x), run(changed)
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert not torch.allclose(before[1], after[1])


def test_sequences_of_a_batch_do_not_see_one_another():
    torch.manual_seed(0)
    layer, counts = SequenceAttention(8, 2), np.array([3, 5])
    x, times = torch.randn(8, 8), torch.arange(8.0)
    both = layer(x, times, Layout.of(counts))
    alone = layer(x[3:], times[3:], Layout.of(counts[1:]))
    torch.testing.assert_close(both[3:], alone)


def test_only_differences_of_time_matter():
    torch.manual_seed(0)
    layer = SequenceAttention(8, 2)
    x, times, layout = torch.randn(6, 8), torch.rand(6) * 10, Layout.of(np.array([6]))
    torch.testing.assert_close(layer(x, times, layout), layer(x, times + 7, layout), atol=1e-5, rtol=1e-4)


def test_layout_spreads_and_gathers():
    layout = Layout.of(np.array([2, 0, 3]))
    x = torch.randn(5, 4)
    grid = layout.spread(x)
    assert grid.shape == (3, 3, 4) and torch.equal(layout.gather(grid), x)
    assert torch.equal(grid[1], torch.zeros(3, 4))


def test_ema_moves_by_its_decay():
    average, model = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    expected = 0.9 * average.weight.detach() + 0.1 * model.weight.detach()
    ema_update(average, model, 0.9)
    torch.testing.assert_close(average.weight.detach(), expected)
