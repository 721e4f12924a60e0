"""The first look, against looking place by place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import naive
from kineme.tasks import scan as scan_module
from kineme.tasks.poses import COARSE_COLUMNS, COLUMNS, at_times, mirrored, quantise, restore
from kineme.tasks.scan import TEMPOS, least_of_blocks, scan, seek
from kineme.tasks.search_index import PoseIndex

#: seed, lengths of the clips, length of the query, whether it is mirrored, too
SEARCHES = (
    st.integers(0, 10**6),
    st.lists(st.integers(1, 90), min_size=1, max_size=5),
    st.integers(5, 40),
    st.booleans(),
)


def clips(seed: int, lengths: list[int]) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [quantise(np.cumsum(rng.normal(0, 0.05, (n, COLUMNS)), axis=0)) for n in lengths]


@settings(max_examples=15)
@given(*SEARCHES)
def test_it_looks_at_every_place(seed: int, lengths: list[int], long: int, mirror: bool) -> None:
    rows = clips(seed, lengths)
    query = restore(clips(seed + 1, [long])[0])
    found = scan(PoseIndex.of(rows), query, mirror, 5)
    length = (long - 1) / 2
    share = np.linspace(0, 1, int(np.clip(round(length * 2 / 10 / 0.45) + 1, 4, 5)))
    looks = [
        at_times(look, share * (long - 1))[:, COARSE_COLUMNS]
        for look in ([query, mirrored(query)] if mirror else [query])
    ]
    values = naive.scan_values([restore(r[::2, COARSE_COLUMNS]) for r in rows], looks, share, length, TEMPOS)
    if not values:
        assert not len(found.clip)
        return
    best = min(values, key=lambda place: (values[place], place))
    first = (int(found.clip[0]), int(found.begin[0]) // 2)
    assert values[first] == pytest.approx(values[best], rel=1e-3, abs=1e-4)
    for clip, begin in zip(found.clip, found.begin, strict=True):
        assert (int(clip), int(begin) // 2) in values  # inside a clip


def check_blocks(seed: int, lengths: list[int], long: int, mirror: bool) -> None:
    """The least value of every block is that of its places, looked at one by one."""
    rows = clips(seed, lengths)
    query = restore(clips(seed + 1, [long])[0])
    index, sought = PoseIndex.of(rows), seek(query, mirror)
    length, share = (long - 1) / 2, np.linspace(0, 1, sought.moments)
    looks = [
        at_times(look, share * (long - 1))[:, COARSE_COLUMNS]
        for look in ([query, mirrored(query)] if mirror else [query])
    ]
    values = naive.scan_values([restore(r[::2, COARSE_COLUMNS]) for r in rows], looks, share, length, TEMPOS)
    expected = np.full(-(-int(index.starts[-1]) // sought.size), np.inf)
    for (clip, row), value in values.items():
        block = (index.starts[clip] + row) // sought.size
        expected[block] = min(expected[block], value)
    found = least_of_blocks(index, sought) + (looks[0] ** 2).sum()  # of a place's value: the same for all
    fits = np.isfinite(expected)
    assert np.array_equal(found < 1e20, fits)
    assert found[fits] == pytest.approx(expected[fits], rel=1e-3, abs=1e-3)


@settings(max_examples=15)
@given(*SEARCHES)
def test_the_least_value_of_every_block(seed: int, lengths: list[int], long: int, mirror: bool) -> None:
    check_blocks(seed, lengths, long, mirror)


def test_a_query_that_reaches_further_than_a_byte_counts() -> None:
    check_blocks(7, [1500, 30, 900], 560, True)


def test_chunks_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    index = PoseIndex.of(clips(3, [300, 20, 500, 41]))
    query = restore(clips(4, [18])[0])
    whole = scan(index, query, True, 12)
    monkeypatch.setattr(scan_module, "_CHUNK", 16)
    monkeypatch.setattr(scan_module, "_PRODUCT", 16)
    monkeypatch.setattr(scan_module.os, "cpu_count", lambda: 3)
    parts = scan(index, query, True, 12)
    for name in ("clip", "begin", "tempo", "mirrored"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name))


def test_the_least_of_many() -> None:
    values = np.random.default_rng(0).permutation(50_000).astype(np.float32)
    assert set(scan_module._least(values, 20).tolist()) == set(np.argsort(values)[:20].tolist())
    flat = np.zeros(50_000, np.float32)
    assert len(scan_module._least(flat, 20)) == 20
