"""Streams: the same whatever the chunks, in time, and in the end what `discover` finds."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.small_models import CONFIG

from kineme.corpus.synthetic import generate
from kineme.errors import InputError, UsageError
from kineme.models.a4mer import A4Mer
from kineme.models.a4mer.model import standard_positions
from kineme.motion import Motion
from kineme.motion.canonical import SMPL22
from kineme.motion.time import resample
from kineme.tasks.discover import WholeTake, discover
from kineme.tasks.stream import Heard, Stream


@cache
def _take(fps: float = 30.0) -> Motion:
    return resample(generate(4, 1, 9.0)[0].motion, fps)


@cache
def _model() -> A4Mer:
    model = A4Mer.random(CONFIG, 0)
    takes = [generate(seed, 1, 14.0)[0].motion for seed in (4, 5)]
    return model.with_vocabulary([model.encode_atoms(standard_positions(t), t.fps) for t in takes], 0)


def _heard(motion: Motion, cuts: list[int]) -> tuple[list[Heard], Stream]:
    stream, heard = Stream(_model()), []
    edges = [0, *sorted({c for c in cuts if 0 < c < len(motion)}), len(motion)]
    for a, b in zip(edges, edges[1:], strict=False):
        heard += stream.push(motion[a:b])
    return heard, stream


@cache
def _reference() -> tuple[list[Heard], list]:
    heard, stream = _heard(_take(), [])
    return heard, stream.close().segments


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(1, 269), max_size=25))
def test_any_chunking_gives_the_same(cuts: list[int]) -> None:
    heard, stream = _heard(_take(), cuts)
    assert heard == _reference()[0] and len(heard) > 5
    assert stream.close().segments == _reference()[1]


def test_at_the_end_it_is_what_discover_finds() -> None:
    offline = discover([WholeTake(_take())], _model(), scales=())
    assert _reference()[1] == offline.segments


def test_atoms_are_those_of_the_whole_take() -> None:
    """Borders are final when they are heard; only the last atom, which the end cuts, is not heard."""
    take = _take()
    level = _model().encode_atoms(standard_positions(take), take.fps)
    ends = (np.cumsum(level.frames) - 0.5) / CONFIG.fps
    heard = [h.end for h in _reference()[0]]
    np.testing.assert_allclose(heard, ends[: len(heard)])
    assert len(ends) - len(heard) <= 2
    assert all(a.end == b.start for a, b in zip(_reference()[0], _reference()[0][1:], strict=False))


@pytest.mark.parametrize("fps", [15.0, 24.0, 30.0, 50.0, 120.0])
def test_atoms_come_within_half_a_second(fps: float) -> None:
    take, stream, late = _take(fps), Stream(_model()), []
    for frame in range(len(take)):
        late += [stream.seconds - h.end for h in stream.push(take[frame : frame + 1])]
    assert late and max(late) <= 0.5 + 1e-9


def test_positions_as_arrays() -> None:
    places = _take().positions
    stream = Stream(_model(), fps=30.0, skeleton=_take().skeleton)
    heard = [h for at in range(0, len(places), 7) for h in stream.push(places[at : at + 7])]
    whole = Motion.from_positions(_take().skeleton, 30.0, places)
    assert [h.end for h in heard] and stream.close().segments == discover(
        [WholeTake(whole)], _model(), scales=()
    ).segments


def test_a_camera_may_use_its_buffer_again() -> None:
    """Frames are copied as they come, however many there are already."""
    take, buffer = _take(), np.zeros((1, 22, 3), np.float32)
    stream, heard = Stream(_model(), fps=30.0, skeleton=_take().skeleton), []
    for frame in take.positions:
        buffer[0] = frame
        heard += stream.push(buffer)
    whole = Stream(_model(), fps=30.0, skeleton=take.skeleton)
    assert heard == whole.push(take.positions) and heard
    assert stream.close().segments == whole.close().segments


@pytest.mark.parametrize("change", [{"segmentation": "frame"}, {"segmentation": "clip", "clip_frames": 4}])
def test_other_segmentations(change: dict) -> None:
    from dataclasses import replace

    base = A4Mer.random(replace(CONFIG, **change), 0)
    take = _take()
    level = base.encode_atoms(standard_positions(take), take.fps)
    stream = Stream(base.with_vocabulary([level], 0))
    ends = [h.end for h in stream.push(take)]
    np.testing.assert_allclose(ends, ((np.cumsum(level.frames) - 0.5) / CONFIG.fps)[: len(ends)])
    assert len(ends) >= len(level) - 3


def test_what_does_not_fit_is_a_sentence() -> None:
    take = _take()
    with pytest.raises(InputError, match="no motifs yet"):
        Stream(A4Mer.random(CONFIG, 0))
    stream = Stream(_model())
    with pytest.raises(InputError, match="no frame came in"):
        stream.close()
    with pytest.raises(UsageError, match="fps="):
        stream.push(np.zeros((3, 22, 3)))
    with pytest.raises(InputError, match="shape"):
        Stream(_model(), fps=30.0).push(np.zeros((3, 21, 3)))
    stream.push(take[:9])
    with pytest.raises(InputError, match="goes on with"):
        stream.push(Motion.from_positions(SMPL22, 30.0, take.positions[:3]))
    with pytest.raises(InputError, match="goes on with"):
        stream.push(resample(take, 20.0)[:4])
    stream.push(take[9:60])
    stream.close()
    with pytest.raises(UsageError, match="closed"):
        stream.push(take[:1])


def test_another_rig(data_dir: Path) -> None:
    """Acclaim at 120 fps, in chunks of all sizes: the atoms of the whole take, and `close` as `discover`."""
    from kineme.formats import load

    take = load(data_dir / "cmu" / "samples" / "02_03.amc")
    whole = WholeTake(take)
    level = _model().encode_atoms(standard_positions(whole.motion), take.fps)
    ends = (np.cumsum(level.frames) - 0.5) / CONFIG.fps
    played = []
    for size in (1, 50, len(take)):
        stream = Stream(_model())
        played.append([h for at in range(0, len(take), size) for h in stream.push(take[at : at + size])])
        assert stream.close().segments == discover([whole], _model(), scales=()).segments
    assert played[0] == played[1] == played[2]
    np.testing.assert_allclose([h.end for h in played[0]], ends[: len(played[0])])
    assert len(ends) - len(played[0]) <= 2


def test_pieces_are_retargeted_as_the_whole_is(data_dir: Path) -> None:
    from kineme.formats import load
    from kineme.motion.retarget import PieceByPiece, retarget

    take = load(data_dir / "cmu" / "samples" / "02_01.amc")
    piecewise = PieceByPiece(take)
    places = np.concatenate([piecewise(take[at : at + 40]).positions for at in range(0, len(take), 40)])
    np.testing.assert_allclose(places, retarget(take).positions, atol=1e-5)
