"""Search: changed copies are found where they lie; the result is sound; what cannot be asked is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import kineme
from kineme.corpus import Corpus
from kineme.corpus.synthetic import generate
from kineme.errors import InputError, UsageError
from kineme.evaluate.planted import add_noise, retime
from kineme.models.a4mer.folder import FILES
from kineme.motion import Motion
from kineme.motion.frame import mirror, turn
from kineme.motion.motion import Provenance
from kineme.tasks.alike import alike_stretches
from kineme.tasks.discover import SCALES, SHORTEST, discover
from kineme.tasks.library import (
    CORPUS,
    MODEL,
    Library,
    Settings,
    begin_library,
    folder_checksum,
    write_results,
)
from kineme.tasks.search import SearchResult, library_index, nearest, query_poses, search
from kineme.tasks.search_index import open_index, update_index
from small_models import small_model

START, END = 2.0, 3.6
FACTOR = 1.3


@pytest.fixture(scope="module")
def query() -> Motion:
    return generate(11, 1, 8.0)[0].motion.replace(provenance=Provenance())


@pytest.fixture(scope="module")
def library(query: Motion, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Five takes of others, and four copies of the query's take."""
    rng = np.random.default_rng(0)
    motions = {take.name: take.motion for take in generate(5, 5, 10.0)}
    motions |= {
        "turned": turn(query, 2.0),
        "mirrored": mirror(query),
        "slower": retime(query, FACTOR),
        "noisy": add_noise(query, rng),
    }
    motions = {name: m.replace(provenance=Provenance(file=f"/{name}.bvh")) for name, m in motions.items()}
    folder = tmp_path_factory.mktemp("library") / "library"
    begin_library(folder)
    corpus = Corpus.from_motions(motions.values(), folder / CORPUS, motions)
    model = small_model(corpus)
    model.save(folder / MODEL)
    checksum = folder_checksum(folder / MODEL, [name for name in FILES if name != "README.md"])
    settings = Settings(2.0, SHORTEST, SCALES, 4)
    return write_results(folder, corpus, discover(corpus, model, motifs=4), settings, checksum, {})


@pytest.fixture(scope="module")
def result(library: Library, query: Motion) -> SearchResult:
    return kineme.search(library, query, START, END, top=6)


def test_changed_copies_come_first_and_lie_where_they_should(result: SearchResult) -> None:
    first = {match.clip: match for match in result.matches[:4]}
    assert set(first) == {"turned", "mirrored", "slower", "noisy"}
    for name, match in first.items():
        factor = FACTOR if name == "slower" else 1.0
        assert match.start == pytest.approx(START * factor, abs=0.2)
        assert match.end == pytest.approx(END * factor, abs=0.2)
        assert match.tempo == pytest.approx(factor, abs=0.15)
        assert match.mirrored == (name == "mirrored")


def test_a_result_is_sound(result: SearchResult, library: Library) -> None:
    assert (result.start, result.end, result.clips) == (START, END, 9)
    assert result.seconds == pytest.approx(library.corpus.duration)
    distances = [match.distance for match in result.matches]
    assert len(distances) == 6 and distances == sorted(distances) and 0 <= distances[0] < 0.01
    for match in result.matches:
        clip = library.corpus[match.clip]
        assert 0 <= match.start < match.end <= clip.duration and match.file == clip.source
        assert 0.5 - 1e-5 <= match.tempo <= 2 + 1e-5
    spans = [(m.clip, m.start, m.end) for m in result.matches]
    for k, (clip, start, end) in enumerate(spans):
        for other, a, b in spans[:k]:
            assert clip != other or min(end, b) - max(start, a) <= 0.5 * min(end - start, b - a) + 1e-9


def test_the_same_on_every_run(result: SearchResult, library: Library, query: Motion) -> None:
    assert search(library.folder, query, START, END, top=6) == result


def test_without_mirrored_ones(library: Library, query: Motion) -> None:
    found = search(library, query, START, END, mirror=False)
    assert not any(match.mirrored for match in found.matches)


def test_a_clip_of_the_library_is_not_its_own_match(library: Library) -> None:
    clip = library.corpus["turned"]
    found = search(library, clip, START, END, top=4)
    near = [m for m in found.matches if m.clip == "turned" and not m.mirrored]
    assert all(min(m.end, END) - max(m.start, START) <= 0.5 * (END - START) for m in near)
    assert found.matches[0].clip in ("noisy", "mirrored", "slower")


def test_copies_of_the_query_leave_room_for_other_matches(library: Library, tmp_path: Path) -> None:
    """Eight copies of the query's take; they are the query, and not among the matches."""
    take = library.corpus["turned"]
    motions = {clip.name: clip.motion for clip in library.corpus}
    motions |= {f"copy{k}": take.motion for k in range(8)}
    corpus = Corpus.from_motions(motions.values(), tmp_path / "corpus", motions)
    update_index(tmp_path / "index", corpus)
    index = open_index(tmp_path / "index")
    query = query_poses(take.motion, START, END)
    itself = {
        k: (START, END) for k, name in enumerate(motions) if name == "turned" or name.startswith("copy")
    }
    found = nearest(index, query, 6, without=itself)
    assert len(found.clip) == 6 == len(nearest(index, query, 6).clip)
    for clip, a, b, flag in zip(found.clip, found.start, found.end, found.mirrored, strict=True):
        assert flag or clip not in itself or min(b, END) - max(a, START) <= 0.5 * min(b - a, END - START)
    names = list(motions)
    assert {names[k] for k in found.clip.tolist()} >= {"mirrored", "slower", "noisy"}


@pytest.mark.parametrize("seconds", [0.45, 0.96, 2.2])
def test_no_match_is_shorter_than_half_or_longer_than_double(library: Library, seconds: float) -> None:
    """Standing still is like any shorter or longer stretch of standing still."""
    still = generate(3, 1, 8.0)[0].motion
    still = still.replace(
        root_translation=still.root_translation[[0] * len(still)],
        local_rotations=still.local_rotations[[0] * len(still)],
    )
    found = search(library, still, 1.0, 1.0 + seconds, top=40)
    assert len(found.matches) >= 10
    assert all(0.5 - 1e-5 <= match.tempo <= 2 + 1e-5 for match in found.matches)


def test_more_of_every_motif(library: Library) -> None:
    corpus = library.corpus
    found = discover(corpus, small_model(corpus), motifs=4, scales=(0.5,))
    index = library_index(library, corpus)
    for scale, near in zip(found.scales, alike_stretches(index, corpus, found, count=5), strict=True):
        assert set(near) == {motif.number for motif in scale.motifs}
        for motif in scale.motifs:
            example, stretches = motif.examples[0], near[motif.number]
            assert len(stretches) <= 5
            for s in stretches:
                assert 0 <= s.start < s.end <= list(corpus)[s.clip].duration
                same = s.clip == example.clip and not s.mirrored
                assert not same or min(s.end, example.end) - max(s.start, example.start) < s.end - s.start


@pytest.mark.parametrize(
    "start, end, said",
    [
        (1.0, 1.2, "shorter than an atom"),
        (2.0, 1.0, "ends before it begins"),
        (-1.0, 2.0, "outside of the motion"),
        (7.0, 9.0, "outside of the motion"),
        (float("nan"), 2.0, "outside of the motion"),
    ],
)
def test_queries_that_cannot_be_asked(
    library: Library, query: Motion, start: float, end: float, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        search(library, query, start, end)


def test_a_query_longer_than_any_clip(library: Library) -> None:
    with pytest.raises(InputError, match="longest clip lasts"):
        search(library, generate(1, 1, 16.0)[0].motion)


def test_no_match_is_no_number(library: Library, query: Motion) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        search(library, query, START, END, top=0)


def test_another_model_is_said_and_nothing_is_written(
    library: Library, query: Motion, tmp_path: Path
) -> None:
    folder = shutil.copytree(library.folder, tmp_path / "library")
    shutil.rmtree(folder / "search", ignore_errors=True)
    head = json.loads((folder / "library.json").read_text())
    head["model_sha256"] = "0" * 64
    (folder / "library.json").write_text(json.dumps(head))
    before = sorted(path.as_posix() for path in folder.rglob("*"))
    with pytest.raises(InputError, match="another model"):
        search(folder, query, START, END)
    assert sorted(path.as_posix() for path in folder.rglob("*")) == before
