"""Adding takes to a library: what is known of the others is kept, and is what would be found."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kineme.corpus import Corpus
from kineme.corpus.synthetic import generate
from kineme.formats.checksums import file_record
from kineme.models.a4mer import A4Mer
from kineme.tasks.discover import SCALES, SHORTEST, ClipReader, ClipTracks, Discovery, discover
from kineme.tasks.known import known_tracks, take_key
from kineme.tasks.library import SEGMENTS, TAKES, TOKENS, Settings, begin_library, write_results
from kineme.tasks.track import Track
from small_models import small_model

SETTINGS = Settings(2.0, SHORTEST, SCALES, 4)
MODEL = "abc"
TRACK_FIELDS = ("borders", "ids", "confidence", "tokens")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Corpus, A4Mer]:
    """Seven takes, two of the same motion, and a model of all of them."""
    takes = [take.motion for take in generate(5, 6, 6.0)]
    folder = tmp_path_factory.mktemp("known")
    names = [f"take {k}" for k in range(7)]
    corpus = Corpus.from_motions([*takes, takes[2]], folder / "corpus", names)
    return corpus, small_model(corpus)


def library_of(corpus: Corpus, model: A4Mer, folder: Path) -> Discovery:
    begin_library(folder)
    found = discover(corpus, model, motifs=4)
    write_results(folder, corpus, found, SETTINGS, MODEL, {}, [take_key(clip) for clip in corpus])
    return found


def same(a: Track, b: Track) -> bool:
    pairs = [(getattr(a, name), getattr(b, name)) for name in TRACK_FIELDS]
    return all(x.dtype == y.dtype and np.array_equal(x, y) for x, y in pairs)


def alike(a: ClipTracks, b: ClipTracks) -> bool:
    return same(a.atoms, b.atoms) and all(map(same, a.scales, b.scales))


@given(st.sets(st.integers(0, 6), min_size=1), st.sets(st.integers(0, 6), min_size=1))
@settings(max_examples=15, deadline=None)
def test_what_is_kept_is_what_would_be_found(
    made: tuple[Corpus, A4Mer], tmp_path_factory: pytest.TempPathFactory, before: set[int], after: set[int]
) -> None:
    """Takes come and go: kept or found anew, every clip has the same tracks, and so has the whole."""
    corpus, model = made
    folder = tmp_path_factory.mktemp("library")
    old = corpus.subset([k in before for k in range(7)])
    new = corpus.subset([k in after for k in range(7)])
    library_of(old, model, folder)
    reader = ClipReader(model, 4)
    had = known_tracks(folder, SETTINGS, MODEL, reader)
    assert set(had) == {take_key(clip) for clip in old}
    keys = [take_key(clip) for clip in new]
    kept = {place: had[key] for place, key in enumerate(keys) if key in had}
    assert all(alike(tracks, reader.read(new[place])) for place, tracks in kept.items())
    added = discover(new, model, motifs=4, known=lambda _: kept)
    anew = discover(new, model, motifs=4)
    assert all(map(same, added.atoms, anew.atoms))
    for a, b in zip(added.scales, anew.scales, strict=True):
        assert all(map(same, a.tracks, b.tracks))
        assert (a.seconds, a.motifs, a.transitions, a.merges) == (
            b.seconds,
            b.motifs,
            b.transitions,
            b.merges,
        )


def test_a_key_tells_motion_body_and_beginning_apart(made: tuple[Corpus, A4Mer]) -> None:
    corpus, _ = made
    keys = [take_key(clip) for clip in corpus]
    assert len(set(keys)) == 6 and keys[2] == keys[6]
    clip = corpus[0]
    clip.row = replace(clip.row, source_start=0.5)
    assert take_key(clip) != keys[0]


@pytest.fixture()
def library(made: tuple[Corpus, A4Mer], tmp_path: Path) -> Path:
    corpus, model = made
    library_of(corpus.subset(["take 0", "take 1"]), model, tmp_path / "library")
    return tmp_path / "library"


@pytest.mark.parametrize(
    "other",
    [
        {"settings": replace(SETTINGS, shortest=0.5)},
        {"settings": replace(SETTINGS, motifs=5)},
        {"model_checksum": "abd"},
        {"folder": Path("nowhere")},
    ],
)
def test_another_model_or_other_settings_know_nothing(
    library: Path, made: tuple[Corpus, A4Mer], other: dict
) -> None:
    asked = {
        "folder": library,
        "settings": SETTINGS,
        "model_checksum": MODEL,
        "reader": ClipReader(made[1], 4),
    }
    assert len(known_tracks(**asked)) == 2
    assert known_tracks(**{**asked, **other}) == {}


def test_another_version_knows_nothing(
    library: Path, made: tuple[Corpus, A4Mer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kineme.__version__", "99.0")
    assert known_tracks(library, SETTINGS, MODEL, ClipReader(made[1], 4)) == {}


@pytest.mark.parametrize("name", [SEGMENTS, TAKES, TOKENS])
@pytest.mark.parametrize("content", [b"", b"junk", None])
def test_damaged_tables_know_nothing(
    library: Path, made: tuple[Corpus, A4Mer], name: str, content: bytes | None
) -> None:
    (library / name).unlink() if content is None else (library / name).write_bytes(content)
    assert known_tracks(library, SETTINGS, MODEL, ClipReader(made[1], 4)) == {}


def lie(column: str, value: float) -> object:
    def change(table: pa.Table) -> pa.Table:
        at, old = table.schema.get_field_index(column), table[column].to_numpy().copy()
        old[3] = value
        return table.set_column(at, column, pa.array(old, table.schema.field(column).type))

    return change


@pytest.mark.parametrize(
    "change",
    [
        lie("start", np.nan), lie("end", -1.0), lie("number", -1), lie("confidence", 2.0), lie("scale", 7.0),
        lambda table: table.slice(0, len(table) - 1), lambda table: pa.concat_tables([table, table]),
        lambda table: table.take(list(range(len(table)))[::-1]),
    ],
)  # fmt: skip
def test_tables_that_lie_know_nothing(
    library: Path, made: tuple[Corpus, A4Mer], change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger's library may hold anything under sums that fit."""
    table = pq.read_table(library / SEGMENTS)
    pq.write_table(change(table).replace_schema_metadata(table.schema.metadata), library / SEGMENTS)
    head = (library / "library.json").read_text()
    record = file_record(library / SEGMENTS)
    import json

    told = json.loads(head)
    told["files"][SEGMENTS] = record
    (library / "library.json").write_text(json.dumps(told))
    assert known_tracks(library, SETTINGS, MODEL, ClipReader(made[1], 4)) == {}


def test_a_library_without_keys_knows_nothing(made: tuple[Corpus, A4Mer], tmp_path: Path) -> None:
    """One of an older version."""
    corpus, model = made
    begin_library(tmp_path / "library")
    write_results(tmp_path / "library", corpus, discover(corpus, model, motifs=4), SETTINGS, MODEL, {})
    assert not (tmp_path / "library" / TAKES).exists()
    assert known_tracks(tmp_path / "library", SETTINGS, MODEL, ClipReader(model, 4)) == {}
    shutil.rmtree(tmp_path / "library")
