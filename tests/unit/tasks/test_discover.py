"""Atoms and motifs of a corpus: the same in any company, in seconds of the files, none too short."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kineme.corpus import Clip, Corpus
from kineme.errors import InputError, UsageError
from kineme.models.a4mer import A4Mer
from kineme.tasks.discover import Discovery, discover
from small_models import small_corpus, small_model


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return small_corpus(tmp_path_factory.mktemp("discover") / "corpus")


@pytest.fixture(scope="module")
def model(corpus: Corpus) -> A4Mer:
    return small_model(corpus)


@pytest.fixture(scope="module")
def found(corpus: Corpus, model: A4Mer) -> Discovery:
    return discover(corpus, model)


def test_a_clip_has_the_same_segments_alone_and_in_company(
    corpus: Corpus, model: A4Mer, found: Discovery
) -> None:
    for k, clip in enumerate(corpus):
        alone = discover(corpus.subset([clip.name]), model)
        assert alone.segments[0] == found.segments[k]
    assert discover(corpus, model).segments == found.segments


def test_both_levels_tile_every_clip_and_no_segment_is_short(corpus: Corpus, found: Discovery) -> None:
    assert [scale.seconds for scale in found.scales] == [0.5, 1.0, 2.0, 4.0] and found.scale.seconds == 2.0
    for tracks in (found.atoms, *(scale.tracks for scale in found.scales)):
        for clip, track in zip(corpus, tracks, strict=True):
            assert track.borders[0] == 0.0 and track.borders[-1] == pytest.approx(clip.duration)
            assert (track.seconds >= 0.4 - 1e-6).all()
            assert ((track.confidence >= 0) & (track.confidence <= 1)).all()
    levels = [s.level for s in found.segments[0]]
    assert levels == sorted(levels) and set(levels) == {"atom", "motif"}


def test_a_longer_shortest_duration_is_kept(corpus: Corpus, model: A4Mer) -> None:
    made = discover(corpus, model, shortest=1.5)
    for tracks in (made.atoms, made.scale.tracks):
        assert all((track.seconds >= 1.5 - 1e-6).all() or len(track) == 1 for track in tracks)


def test_patterns_last_no_longer_than_twice_the_scale(corpus: Corpus, model: A4Mer) -> None:
    """Joined with their like they may; so the pieces that the scales are made of are looked at."""
    for clip in corpus:
        atoms = model.encode_atoms(np.asarray(clip.motion.positions), clip.fps)
        pieces = []
        for seconds in (1.0, 2.0, None):
            encoding = model.encode_level(atoms, clip.duration, seconds)
            several = encoding.atoms_per_motif > 1
            assert seconds is None or (encoding.motifs.frames[several] <= seconds * model.config.fps).all()
            pieces.append(len(encoding.patterns))
        assert pieces == sorted(pieces, reverse=True)


def test_reading_a_clip_gives_what_encoding_it_gives(corpus: Corpus, model: A4Mer) -> None:
    for clip in corpus:
        atoms = model.encode_atoms(np.asarray(clip.motion.positions), clip.fps)
        read = model.read_atoms(atoms, clip.duration, (1.0, np.inf))
        for longest, pieces in zip((1.0, None), read.covers, strict=True):
            encoding = model.encode_level(atoms, clip.duration, longest)
            assert np.array_equal(pieces.borders, encoding.seconds("motifs"))
            assert np.array_equal(pieces.tokens, encoding.motif_tokens)
            assert np.array_equal(read.borders, encoding.seconds("atoms"))
            assert np.array_equal(read.codes, encoding.codes)
            assert np.array_equal(read.confidence, encoding.code_confidence)


def test_a_coarser_scale_has_fewer_changes(corpus: Corpus, model: A4Mer) -> None:
    made = discover(corpus, model, scales=(0.0, 1.0, 8.0, 1000.0), shortest=0.0)
    changes = [sum(len(track) - 1 for track in scale.tracks) for scale in made.scales]
    assert changes[0] > changes[-1] == 0


def test_confidence_is_about_motifs_and_not_about_prototypes(corpus: Corpus, model: A4Mer) -> None:
    """With one motif for all prototypes, there is nothing to confuse it with."""
    one = discover(corpus, model, motifs=1)
    assert all(track.ids.tolist() == [1] and track.confidence.tolist() == [1.0] for track in one.scale.tracks)
    two = discover(corpus, model, motifs=2)
    assert {m.number for m in two.motifs} <= {1, *range(2, 257)} and len(two.motifs) <= 2


class Later:
    """A clip whose file has a rest pose before its first frame."""

    def __init__(self, clip: Clip, seconds: float):
        self.source_start, self.motion, self.fps, self.duration = (
            seconds,
            clip.motion,
            clip.fps,
            clip.duration,
        )


def test_times_are_those_of_the_file(corpus: Corpus, model: A4Mer, found: Discovery) -> None:
    later = discover([Later(corpus[0], 0.25)], model).segments[0]  # type: ignore[list-item]
    for a, b in zip(found.segments[0], later, strict=True):
        assert (b.start, b.end) == pytest.approx((a.start + 0.25, a.end + 0.25))
        assert replace(b, start=0.0, end=0.0) == replace(a, start=0.0, end=0.0)


def test_a_scale_of_ones_own_is_the_default(corpus: Corpus, model: A4Mer) -> None:
    made = discover(corpus, model, timescale=1.5)
    assert [s.seconds for s in made.scales] == [0.5, 1.0, 1.5, 2.0, 4.0] and made.default == 2
    assert made.motifs == made.scales[2].motifs and len(made.dendrogram) == len(made.motifs) - 1


def test_what_cannot_be_is_said(corpus: Corpus, model: A4Mer) -> None:
    with pytest.raises(InputError, match="no motifs yet"):
        discover(corpus, A4Mer.random(model.config))
    with pytest.raises(InputError, match="no clips"):
        discover([], model)
    with pytest.raises(UsageError, match="apart, not 1000"):
        discover(corpus, model, motifs=1000)


def test_motions_are_taken_as_they_are(corpus: Corpus, model: A4Mer) -> None:
    motion = corpus[0].motion
    one, several = discover(motion, model), discover([motion, corpus[1].motion], model)
    assert one.segments == discover(corpus.subset([corpus[0].name]), model).segments
    assert several.segments[0] == one.segments[0] and len(several.segments) == 2


def test_a_clip_of_two_frames_is_one_segment(tmp_path: Path, corpus: Corpus, model: A4Mer) -> None:
    short = Corpus.from_motions([corpus[0].motion[:2]], tmp_path / "short", ["short"])
    atoms, motifs = discover(short, model).segments[0]
    assert (atoms.start, motifs.start) == (0, 0) and atoms.end == motifs.end == pytest.approx(2 / 30)
