"""What a payload refuses, and what its fingerprint stands for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from demo_takes import demo_payload
from kineme.motion.motion import Segment
from kineme.report.payload import Example, PageClip, PageSegment, PageSkeleton, Payload


@pytest.fixture(scope="module")
def payload() -> Payload:
    return demo_payload(3)


def _with_scale(payload: Payload, **changes: object) -> Payload:
    scale = replace(payload.scales[1], **changes)
    return replace(payload, scales=(payload.scales[0], scale, payload.scales[2]))


def test_a_skeleton_must_be_a_tree() -> None:
    with pytest.raises(ValueError, match="no tree"):
        PageSkeleton(names=("a", "b"), parents=(-1, 1), radii=(0.1, 0.1))
    with pytest.raises(ValueError, match="not there"):
        PageSkeleton(names=("a",), parents=(-1,), radii=(0.1,), across=(0, 1))


@pytest.mark.parametrize(
    "positions",
    [np.zeros((4, 2, 3), np.float32), np.zeros((4, 6), np.int16), np.zeros((0, 2, 3), np.int16)],
    ids=["metres", "flat", "empty"],
)
def test_positions_are_whole_millimetres(positions: np.ndarray) -> None:
    with pytest.raises(ValueError, match="clip 'walk'"):
        PageClip("walk", 1.0, 15.0, 0, positions)


def test_a_label_ends_after_it_starts() -> None:
    with pytest.raises(ValueError, match="label 'sit'"):
        PageClip("walk", 1.0, 15.0, 0, np.zeros((4, 2, 3), np.int16), labels=(Segment(0.5, 0.2, "sit"),))


def test_ids_are_unique_over_all_scales(payload: Payload) -> None:
    with pytest.raises(ValueError, match="stands in two scales"):
        replace(payload, scales=(payload.scales[1], payload.scales[1]))


def test_segments_are_of_known_motifs(payload: Payload) -> None:
    segments = ((PageSegment("motif", 0.0, 1.0, "m99"),), (), ())
    with pytest.raises(ValueError, match="m99"):
        _with_scale(payload, segments=segments)
    with pytest.raises(ValueError, match="cannot be"):
        _with_scale(payload, segments=((PageSegment("atom", 1.0, 1.0, "7"),), (), ()))
    with pytest.raises(ValueError, match="not about these clips"):
        _with_scale(payload, segments=((),))


def test_merges_are_a_dendrogram(payload: Payload) -> None:
    merges = payload.scales[1].merges
    with pytest.raises(ValueError, match="no dendrogram"):
        _with_scale(payload, merges=(*merges[:-1], merges[0]))
    with pytest.raises(ValueError, match="merges"):
        _with_scale(payload, merges=merges[:-1])


def test_examples_lie_in_clips(payload: Payload) -> None:
    motif = replace(payload.scales[1].motifs[0], examples=(Example(99, 0.0, 1.0),))
    with pytest.raises(ValueError, match="in no clip"):
        _with_scale(payload, motifs=(motif, *payload.scales[1].motifs[1:]))


def test_fingerprint_changes_with_the_motifs_only(payload: Payload) -> None:
    assert replace(payload, title="another title").fingerprint == payload.fingerprint
    motif = replace(payload.scales[1].motifs[0], count=payload.scales[1].motifs[0].count + 1)
    assert (
        _with_scale(payload, motifs=(motif, *payload.scales[1].motifs[1:])).fingerprint != payload.fingerprint
    )
