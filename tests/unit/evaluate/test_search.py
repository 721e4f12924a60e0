"""The protocol search: copies are what they say, rivals find an exact copy, the quick table fills."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kineme.corpus.synthetic import generate
from kineme.errors import UsageError
from kineme.evaluate import search as protocol
from kineme.evaluate.planted import (
    CONDITIONS,
    Planted,
    Query,
    draw_queries,
    is_hit,
    plant,
    retime,
)
from kineme.evaluate.searchers import Cascade, Chance, Searcher, Span, pca_clips, raw_warping
from kineme.motion import Motion
from kineme.motion.frame import mirror


@pytest.fixture(scope="module")
def motions() -> list[Motion]:
    return [take.motion for take in generate(9, 6, 7.0)]


def test_queries_take_turns_through_the_groups(motions: list[Motion]) -> None:
    groups = ["a", "b", "b", "b", "b", "b"]
    found = draw_queries(motions, groups, 3, (0.8, 2.0), 4)
    assert found == draw_queries(motions, groups, 3, (0.8, 2.0), 4)
    assert found != draw_queries(motions, groups, 3, (0.8, 2.0), 5)
    assert [groups[q.clip] for q in found].count("a") == 1
    assert len({q.clip for q in found}) == 3
    assert all(0.8 <= q.end - q.start <= 2.0 and q.end <= 7.0 for q in found)


def test_a_still_clip_is_not_asked_for(motions: list[Motion]) -> None:
    rotations = motions[0].local_rotations
    assert rotations is not None
    still = motions[0].replace(
        root_translation=np.repeat(motions[0].root_translation[:1], len(motions[0]), axis=0),
        local_rotations=np.repeat(rotations[:1], len(rotations), axis=0),
    )
    assert draw_queries([still], ["a"], 1, (0.8, 2.0), 0) == []


def test_a_re_timed_copy_does_the_same_later(motions: list[Motion]) -> None:
    slow = retime(motions[0], 1.25)
    assert len(slow) == int((len(motions[0]) - 1) * 1.25) + 1
    assert np.allclose(slow.positions[125], motions[0].positions[100], atol=1e-5)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_copies_are_changed_and_lie_where_it_is_said(motions: list[Motion], condition: str) -> None:
    query = Query(0, 1.0, 2.5, 7)
    bodies = [motions[1].skeleton.scaled(1.2)]
    copy, again = (plant(motions[0], query, condition, bodies) for _ in range(2))
    assert np.array_equal(copy.motion.positions, again.motion.positions)
    factor = len(copy.motion) / len(motions[0])
    assert 0.69 <= factor <= 1.41 and copy.start == pytest.approx(query.start * factor, rel=0.01)
    if condition in ("mirrored", "other skeleton", "noise"):
        expected = {"mirrored": mirror(motions[0])}.get(condition, motions[0])
        away = np.abs(copy.motion.positions - expected.positions).max()
        assert (away < 1e-6) if condition == "mirrored" else (0.005 < away < 3)
    assert (copy.motion.skeleton is bodies[0]) == (condition in ("other skeleton", "all at once"))


def test_a_hit_shares_half_of_the_union(motions: list[Motion]) -> None:
    planted = Planted(motions[0], 1.0, 3.0)
    assert is_hit(planted, 1.0, 3.0) and is_hit(planted, 1.0, 2.0) and is_hit(planted, 0.0, 4.0)
    assert not is_hit(planted, 1.0, 1.9) and not is_hit(planted, 2.0, 4.0) and not is_hit(planted, 5.0, 6.0)
    found = [Span(3, 1.0, 3.0), Span(0, 5.0, 6.0), Span(0, 1.1, 3.0)]
    assert protocol.rank_of(found, 0, planted) == 2
    assert protocol.rank_of(found[:2], 0, planted) == protocol.TOP


def test_every_method_finds_an_exact_copy(motions: list[Motion]) -> None:
    methods: list[Searcher] = [Cascade(), raw_warping(), pca_clips(motions)]
    for searcher in methods:
        index = searcher.index([searcher.prepare(motion) for motion in motions])
        first = searcher.find(index, searcher.ask(motions[2], 2.0, 4.0), 5)[0]
        assert first.clip == 2 and abs(first.start - 2.0) < 0.25 and abs(first.end - 4.0) < 0.25, (
            searcher.name
        )
        mirrored = searcher.prepare(mirror(motions[2]))
        kept = [searcher.prepare(motion) for motion in motions]
        kept[2] = mirrored
        first = searcher.find(searcher.index(kept), searcher.ask(motions[2], 2.0, 4.0), 5)[0]
        assert first.clip == 2 and abs(first.start - 2.0) < 0.25, searcher.name


def test_chance_stays_inside_its_clips() -> None:
    chance = Chance(0)
    found = chance.find(chance.index([3.0, 0.5, 9.0]), 2.0, 50)
    assert all(
        span.clip in (0, 2) and 0 <= span.start and span.end <= (3.0, 0.5, 9.0)[span.clip] + 1e-6
        for span in found
    )


def test_an_unknown_method_or_corpus(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no method 'oracle'"):
        protocol.run(protocol.Request(quick=True, methods=("oracle",), run=tmp_path))
    with pytest.raises(UsageError, match="no corpus 'joined'"):
        protocol.run(protocol.Request(quick=True, corpora=("joined",), run=tmp_path))


def test_the_quick_table_fills_and_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KINEME_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(protocol, "QUICK", protocol.Size(2, (1_000,), 1))
    said: list[str] = []
    request = protocol.Request(
        (0,), True, (), ("kineme search", "A4Mer small tokens", "random"), tmp_path / "run"
    )
    outcome = protocol.run(request, said.append)
    found = {(row.method, row.metric): row.mean for row in outcome.rows}
    for condition in CONDITIONS:
        assert 0 <= found["random", f"recall10_{protocol._slug(condition)}"] <= 1
    assert found["kineme search", "recall10_mirrored"] == 1
    assert found["kineme search", "p95_1000"] > 0
    count = len(said)
    assert protocol.run(request, said.append).rows == outcome.rows
    assert len(said) == count + 1  # nothing was measured again
