"""Statistics against counting by hand; columns that are not there are named."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

import pytest

from kineme.corpus import Corpus
from kineme.corpus.synthetic import generate
from kineme.errors import InputError, UsageError
from kineme.tasks.discover import SHORTEST, Discovery, discover
from kineme.tasks.library import CORPUS, Library, Settings, begin_library, write_results
from kineme.tasks.statistics import EVERYTHING, UNKNOWN, statistics
from small_models import small_model


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Library, Discovery]:
    folder = tmp_path_factory.mktemp("library") / "library"
    begin_library(folder)
    takes = generate(5, 4, 12.0)
    corpus = Corpus.from_motions(
        [take.motion for take in takes],
        folder / CORPUS,
        [take.name for take in takes],
        subjects=["anna", "bert", "anna", ""],
    )
    found = discover(corpus, small_model(corpus), motifs=5, scales=(0.5,))
    settings = Settings(2.0, SHORTEST, (0.5,), 5)
    return write_results(folder, corpus, found, settings, "abc", {}), found


def test_against_counting_by_hand(made: tuple[Library, Discovery]) -> None:
    library, found = made
    figures = statistics(library, "subject")
    assert [(g.name, g.clips) for g in figures.groups] == [("anna", 2), ("bert", 1), (UNKNOWN, 1)]
    members = {"anna": (0, 2), "bert": (1,), UNKNOWN: (3,)}
    assert len(figures.rows) == 3 * len(figures.motifs)
    for row in figures.rows:
        tracks = [found.scale.tracks[k] for k in members[row.group]]
        spans = [
            float(s) for t in tracks for n, s in zip(t.ids, t.seconds, strict=True) if str(n) == row.motif
        ]
        seconds = next(g.seconds for g in figures.groups if g.name == row.group)
        assert row.count == len(spans) and row.per_minute == pytest.approx(60 * len(spans) / seconds)
        assert row.share == pytest.approx(sum(spans) / seconds, abs=1e-6)
        assert row.mean == pytest.approx(mean(spans) if spans else 0.0)
        assert row.deviation == pytest.approx(stdev(spans) if len(spans) > 1 else 0.0)
        assert row.lower <= row.median <= row.upper
    for group, clips in members.items():
        pairs = Counter(
            (str(a), str(b))
            for k in clips
            for a, b in zip(found.scale.tracks[k].ids[:-1], found.scale.tracks[k].ids[1:], strict=True)
        )
        assert {(t.first, t.then): t.count for t in figures.transitions if t.group == group} == pairs
    for motif in {t.first for t in figures.transitions if t.group == "anna"}:
        shares = [t.share for t in figures.transitions if t.group == "anna" and t.first == motif]
        assert sum(shares) == pytest.approx(1)


def test_all_takes_together_and_another_scale(made: tuple[Library, Discovery]) -> None:
    library, found = made
    whole, fine = statistics(library), statistics(library, scale=0.5)
    assert [g.name for g in whole.groups] == [EVERYTHING]
    assert sum(row.count for row in whole.rows) == sum(map(len, found.scale.tracks))
    assert sum(row.count for row in fine.rows) == sum(map(len, found.scales[0].tracks))


def test_what_cannot_be_asked(made: tuple[Library, Discovery]) -> None:
    with pytest.raises(InputError, match="'age'.*it knows subject"):
        statistics(made[0], "age")
    with pytest.raises(UsageError, match="no time scale 3s"):
        statistics(made[0], scale=3.0)


def test_segments_of_another_corpus_are_noticed(made: tuple[Library, Discovery], tmp_path: Path) -> None:
    import shutil

    folder = shutil.copytree(made[0].folder, tmp_path / "copy")
    other = Corpus.open(folder / CORPUS).subset([True, True, False, True])
    motions = [clip.motion for clip in other]
    shutil.rmtree(folder / CORPUS)
    Corpus.from_motions(motions, folder / CORPUS, other.names)
    with pytest.raises(InputError, match="clips that are not there"):
        statistics(replace(made[0], folder=folder))
