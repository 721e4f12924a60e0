"""From what was discovered to what a page shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kineme.corpus import Clip, Corpus
from kineme.motion import Segment
from kineme.report.contents import page_contents, short_paths
from kineme.report.payload import Payload
from kineme.tasks.discover import Discovery, discover
from small_models import small_corpus, small_model


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return small_corpus(tmp_path_factory.mktemp("contents") / "corpus")


@pytest.fixture(scope="module")
def found(corpus: Corpus) -> Discovery:
    return discover(corpus, small_model(corpus), motifs=4)


@pytest.fixture(scope="module")
def payload(corpus: Corpus, found: Discovery) -> Payload:
    return page_contents(corpus, found, "Takes", notes=("One file was left out.",), model={"Model": "A4Mer"})


def test_the_page_has_the_segments_that_were_found(found: Discovery, payload: Payload) -> None:
    scale = payload.scales[payload.default_scale]
    assert scale.seconds == found.scale.seconds == 2.0 and scale.name == "2 s"
    for said, there in zip(scale.segments, found.segments, strict=True):
        rows = [(s.level, s.start, s.end, s.id, pytest.approx(s.confidence)) for s in said]
        assert rows == [(s.level, s.start, s.end, s.label, s.confidence) for s in there]
    assert [(m.id, m.count) for m in scale.motifs] == [(str(m.number), m.count) for m in found.motifs]
    assert scale.merges == found.dendrogram
    assert scale.transitions == tuple((str(a), str(b), n) for a, b, n in found.transitions)


def test_every_motif_is_described_and_has_examples(payload: Payload) -> None:
    for scale in payload.scales:
        for motif in scale.motifs:
            assert motif.words and motif.examples and motif.name == ""
            for example in motif.examples:
                assert 0 <= example.start < example.end <= payload.clips[example.clip].duration + 1e-6


def test_other_scales_have_ids_of_their_own(payload: Payload) -> None:
    assert all(m.id.startswith("0.5 s/") for m in payload.scales[0].motifs)
    assert payload.summary[-1] == "One file was left out." and payload.title == "Takes"


def test_clips_are_shown_in_their_own_skeleton(corpus: Corpus, payload: Payload) -> None:
    for clip, shown in zip(corpus, payload.clips, strict=True):
        body = payload.skeletons[shown.skeleton]
        assert shown.fps == clip.display_fps and len(shown.positions) == len(clip.display)
        assert abs(body.height - clip.skeleton.rest_height) < 0.15
        assert (shown.name, shown.source, shown.duration) == (clip.name, clip.source, clip.duration)


class Later(Clip):
    """A clip whose file has a second of rest pose before its first frame, and a label."""

    def __init__(self, clip: Clip):
        self._clip = clip
        self.row = replace(clip.row, source_start=1.0)
        self.labels = (Segment(0.5, 2.0, "waves"),)

    def __getattribute__(self, name: str):
        own = ("_clip", "row", "labels", "source_start", "name", "source")
        return object.__getattribute__(self, name) if name in own else getattr(self._clip, name)


def test_what_was_dropped_at_the_start_is_shown_as_the_first_pose(corpus: Corpus, tmp_path: Path) -> None:
    clip = Later(corpus[0])
    made = page_contents([clip], discover([clip], small_model(corpus)), "Late")
    shown = made.clips[0]
    assert shown.duration == pytest.approx(clip.duration + 1.0)
    assert len(shown.positions) == len(clip.display) + 15
    assert (shown.positions[:15] == shown.positions[15]).all()
    assert np.abs(np.diff(shown.positions[15:].astype(int), axis=0)).max() > 0
    assert [(s.start, s.end) for s in shown.labels] == [(1.5, 3.0)]
    assert made.scales[0].segments[0][0].start == 1.0


def test_the_page_tells_no_folder_above_the_takes() -> None:
    short = short_paths(["/home/ann/takes/a.bvh", "/home/ann/takes/b/c.bvh", "made up"])
    assert list(short.values()) == ["takes/a.bvh", "takes/b/c.bvh", "made up"]
    assert short_paths(["/a.bvh"]) == {"/a.bvh": "a.bvh"}
