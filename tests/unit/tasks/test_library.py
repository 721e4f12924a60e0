"""The library's folder: what is written comes back, and what is damaged is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from kineme.corpus import Corpus
from kineme.errors import InputError, UsageError
from kineme.tasks.discover import SCALES, SHORTEST, Discovery, discover
from kineme.tasks.library import (
    CORPUS,
    HEAD,
    SEGMENTS,
    TOKENS,
    Library,
    Settings,
    begin_library,
    folder_checksum,
    is_library,
    open_library,
    segment_table,
    write_results,
)
from small_models import small_corpus, small_model

SETTINGS = Settings(2.0, SHORTEST, SCALES, 4)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Library, Corpus, Discovery]:
    folder = tmp_path_factory.mktemp("library") / "library"
    begin_library(folder)
    corpus = small_corpus(folder / CORPUS)
    found = discover(corpus, small_model(corpus), motifs=4)
    words = {str(found.motifs[0].number): "waves"}
    return write_results(folder, corpus, found, SETTINGS, "abc", words), corpus, found


@pytest.fixture()
def folder(made: tuple[Library, Corpus, Discovery], tmp_path: Path) -> Path:
    """A copy to damage."""
    return shutil.copytree(made[0].folder, tmp_path / "copy")


def test_what_is_written_comes_back(made: tuple[Library, Corpus, Discovery]) -> None:
    library, corpus, found = made
    again = open_library(library.folder)
    assert again == library and again.settings == SETTINGS
    assert again.corpus.checksum == corpus.checksum == again.corpus_checksum
    assert again.segments.equals(segment_table(corpus, found)[0])


def test_every_segment_is_a_row_and_has_its_token(made: tuple[Library, Corpus, Discovery]) -> None:
    library, corpus, found = made
    rows = library.segments.to_pylist()
    assert library.tokens.shape == (len(rows), found.atoms[0].tokens.shape[1])
    k = 0
    tracks = [("atom", 0.0, found.atoms), *(("motif", s.seconds, s.tracks) for s in found.scales)]
    for level, seconds, of_clips in tracks:
        for clip, track in zip(corpus, of_clips, strict=True):
            for n in range(len(track)):
                row = rows[k]
                assert (row["clip"], row["file"], row["level"], row["scale"]) == (
                    clip.name, clip.source, level, seconds,
                )  # fmt: skip
                assert (row["start"], row["end"], row["number"]) == (
                    track.borders[n], track.borders[n + 1], track.ids[n],
                )  # fmt: skip
                plain = level == "atom" or seconds == 2.0
                assert row["id"] == (f"{track.ids[n]}" if plain else f"{seconds:g} s/{track.ids[n]}")
                assert np.array_equal(library.tokens[k], track.tokens[n])
                k += 1
    assert k == len(rows)


def test_the_motifs_stand_in_a_table(made: tuple[Library, Corpus, Discovery]) -> None:
    library, _, found = made
    rows = pq.read_table(library.folder / "motifs.parquet").to_pylist()
    assert len(rows) == sum(len(scale.motifs) for scale in found.scales)
    default = {row["id"]: row for row in rows if row["scale"] == 2.0}
    for motif in found.motifs:
        row = default[str(motif.number)]
        assert (row["count"], row["mean_seconds"]) == (motif.count, motif.mean_seconds)
        assert len(row["examples"]) == len(motif.examples)
        assert row["similar"] == [str(n) for n in motif.similar]
    assert default[str(found.motifs[0].number)]["words"] == "waves"


def test_another_library_or_none_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: is no library \(it has no library.json\)"):
        open_library(tmp_path / "nowhere")
    head = json.loads((folder / HEAD).read_text())
    (folder / HEAD).write_text(json.dumps({**head, "format": 2, "oldest_reader": 2}))
    with pytest.raises(InputError, match="newer kineme .*upgrade"):
        open_library(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1, "finished": true}', "null"])
def test_a_damaged_head_is_one_sentence(folder: Path, text: str) -> None:
    (folder / HEAD).write_text(text)
    with pytest.raises(InputError, match=r"library.json: is damaged .* run `kineme index` again"):
        open_library(folder)


@pytest.mark.parametrize("name", [SEGMENTS, TOKENS])
def test_damaged_tables_are_named(folder: Path, name: str) -> None:
    library = open_library(folder)
    for content in (b"", b"PAR1junk", None):
        (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
        with pytest.raises(InputError, match=f"{name}: is (missing|damaged)"):
            _ = library.segments if name == SEGMENTS else library.tokens


def test_tables_of_two_runs_are_not_mixed(
    folder: Path, made: tuple[Library, Corpus, Discovery], tmp_path: Path
) -> None:
    _, corpus, found = made
    other = tmp_path / "other"
    begin_library(other)
    write_results(other, corpus, found, Settings(2.0, 0.4, SCALES), "abc", {})
    shutil.copy(other / SEGMENTS, folder / SEGMENTS)
    with pytest.raises(InputError, match="of another run"):
        _ = open_library(folder).segments


def test_an_unfinished_library_says_how_to_go_on(tmp_path: Path) -> None:
    begin_library(tmp_path / "new")
    assert is_library(tmp_path / "new")
    with pytest.raises(InputError, match="is not finished"):
        open_library(tmp_path / "new")
    begin_library(tmp_path / "new")


def test_other_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="other things"):
        begin_library(tmp_path)
    with pytest.raises(UsageError, match="is a file"):
        begin_library(tmp_path / "thesis.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_old_library_stays_until_the_new_one_is_there(folder: Path) -> None:
    begin_library(folder)
    assert open_library(folder).segments.num_rows


def test_the_checksum_sees_content_and_names(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    one = folder_checksum(tmp_path, ["a", "b"])
    (tmp_path / "b").write_text("2")
    two = folder_checksum(tmp_path, ["b", "a"])
    assert len({one, two, folder_checksum(tmp_path, ["b"])}) == 3
    (tmp_path / "a").write_text("3")
    assert folder_checksum(tmp_path, ["a", "b"]) not in (one, two)
