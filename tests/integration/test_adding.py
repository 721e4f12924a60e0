"""A library to which takes are added: what is known stays, what is new is found, and it costs what is new."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from kineme.cli.main import main
from kineme.models.a4mer import A4Mer
from kineme.report.names import read_names
from kineme.tasks.discover import ClipReader
from kineme.tasks.known import take_key
from kineme.tasks.library import open_library
from kineme.tasks.mined import read_mined
from small_models import small_corpus, small_model, write_takes

TABLES = ("segments.parquet", "tokens.npy", "motifs.parquet", "takes.parquet")


def index(*words: str | Path) -> int:
    return main(["index", *map(str, words), "--jobs", "1"])


def content(folder: Path, *, search: bool = True) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    return {name: text for name, text in found.items() if search or not name.startswith("search/")}


def rows_of(library: Path, clip: str) -> list[dict]:
    table = open_library(library).segments
    return table.filter(pc.equal(table["clip"], clip)).to_pylist()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with motifs of other takes."""
    folder = tmp_path_factory.mktemp("model")
    small_model(small_corpus(folder / "corpus", takes=4, seed=8)).save(folder / "small")
    return folder / "small"


@pytest.fixture(scope="module")
def made(model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path], Path]:
    """A folder of eight takes, the files of two that are not in it, and a library of the eight."""
    folder = tmp_path_factory.mktemp("made")
    more = write_takes(folder / "takes", takes=10, seconds=8.0)[8:]
    (folder / "more").mkdir()
    more = [Path(shutil.move(file, folder / "more")) for file in more]
    assert index(folder / "takes", "-o", folder / "library", "--model", model, "--mine") == 0
    return folder / "takes", more, folder / "library"


@pytest.fixture()
def place(made: tuple[Path, list[Path], Path], tmp_path: Path) -> Path:
    """A copy of the library whose takes are where they were."""
    return shutil.copytree(made[2], tmp_path / "library")


@pytest.fixture()
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of frames of each clip that was encoded."""
    seen: list[int] = []
    real = A4Mer.encode_atoms

    def encode(self: A4Mer, positions: np.ndarray, fps: float):
        seen.append(len(positions))
        return real(self, positions, fps)

    monkeypatch.setattr(A4Mer, "encode_atoms", encode)
    return seen


def test_with_nothing_new_no_byte_changes(
    made: tuple[Path, list[Path], Path],
    model: Path,
    place: Path,
    encoded: list[int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = content(place)
    for words in ([], ["--model", model, "--mine"], ["--keep"]):
        assert index(made[0], "-o", place, *words) == 0
        assert content(place) == before, words
        said = capsys.readouterr().out
        assert "no take is new" in said and "--mine looks for motifs anew" in said
    assert encoded == []


def test_takes_that_are_added_leave_the_others_alone(
    made: tuple[Path, list[Path], Path],
    place: Path,
    encoded: list[int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    takes, more, _ = made
    before = {name: rows_of(place, name) for name in open_library(place).corpus.names}
    motifs, weights = open_library(place).motifs, content(place / "model")
    named = motifs[-1]["id"]
    assert main(["name", str(place), named, "my own"]) == 0
    assert index(takes, more[0], "-o", place) == 0
    said = capsys.readouterr().out
    assert "1 take was segmented, 8 of 9 are as they were" in said and "--mine" in said
    assert len(encoded) == 1
    library = open_library(place)
    assert {name: rows_of(place, name) for name in before} == before
    assert content(place / "model") == weights
    assert read_names(place / "names.json").names == {named: "my own"}
    # the new take's spans are those of the library's words
    reader = ClipReader(A4Mer.load(place / "model"))
    clip = library.corpus[more[0].stem]
    found, rows = reader.read(clip), rows_of(place, clip.name)
    for scale, track in zip((0.0, *reader.steps), (found.atoms, *found.scales), strict=True):
        own = [row for row in rows if row["scale"] == scale]
        assert [row["start"] for row in own] == track.borders[:-1].tolist()
        assert [row["end"] for row in own] == track.borders[1:].tolist()
        assert [row["number"] for row in own] == track.ids.tolist()
    # and the whole is what these words say of all takes
    assert index(takes, more[0], "-o", tmp_path / "fresh", "--model", place / "model") == 0
    for name in TABLES:
        assert (tmp_path / "fresh" / name).read_bytes() == (place / name).read_bytes(), name
    count = sum(motif["count"] for motif in library.motifs)
    assert count == sum(row["level"] == "motif" for row in library.segments.to_pylist())


def test_takes_that_changed_or_went_away(
    made: tuple[Path, list[Path], Path],
    place: Path,
    encoded: list[int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    takes = shutil.copytree(made[0], tmp_path / "takes")
    assert index(takes, "-o", place) == 0
    assert encoded == []  # the same motion elsewhere
    gone, changed, *others = sorted(takes.iterdir())
    gone.unlink()
    shutil.copyfile(made[1][1], changed)
    before = {file.stem: rows_of(place, file.stem) for file in others}
    assert index(takes, "-o", place) == 0
    said = capsys.readouterr().out
    assert "1 take was segmented, 6 of 7 are as they were, 2 of before are gone" in said
    assert len(encoded) == 1
    assert {name: rows_of(place, name) for name in before} == before
    assert rows_of(place, gone.stem) == [] and rows_of(place, changed.stem)
    fresh = tmp_path / "fresh"
    assert index(takes, "-o", fresh, "--model", place / "model") == 0
    for name in TABLES:
        assert (fresh / name).read_bytes() == (place / name).read_bytes(), name
    assert index(made[0], "-o", place) == 0  # and back
    assert {name: rows_of(place, name) for name in before} == {
        name: [{**row, "file": str(made[0] / f"{name}.bvh")} for row in rows] for name, rows in before.items()
    }


def test_much_that_is_new_has_motifs_mined_anew(
    made: tuple[Path, list[Path], Path],
    model: Path,
    place: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Two of eight are more than a fifth; the result is that of a new library, byte for byte."""
    takes, more, _ = made
    kept = shutil.copytree(place, tmp_path / "kept")
    assert index(takes, *more, "-o", place) == 0
    said = capsys.readouterr().out
    assert "all 10 takes were segmented" in said
    assert "25% as much motion is new as they were found in, more than 20%; with --keep" in said
    assert index(takes, *more, "-o", tmp_path / "fresh", "--model", model, "--mine") == 0
    assert content(place) == content(tmp_path / "fresh")
    record = read_mined(place / "model")
    assert record is not None
    assert record.keys == tuple(take_key(clip) for clip in open_library(place).corpus)

    assert index(takes, *more, "-o", kept, "--keep") == 0
    assert "2 takes were segmented, 8 of 10 are as they were" in capsys.readouterr().out
    assert content(kept / "model") == content(made[2] / "model")
    assert "motifs mined in 8 of these takes" in (kept / "report.html").read_text(encoding="utf-8")
    assert index(takes, *more, "-o", kept, "--mine") == 0
    assert content(kept) == content(tmp_path / "fresh")


def test_motifs_that_came_with_the_model_stay(
    made: tuple[Path, list[Path], Path], model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    takes, more, _ = made
    assert index(more[0], "-o", tmp_path / "library", "--model", model) == 0
    assert index(takes, more[0], "-o", tmp_path / "library") == 0
    assert "8 takes were segmented, 1 of 9 is as it was" in capsys.readouterr().out
    now = content(tmp_path / "library" / "model")
    assert now.pop("mined.json") and now == content(model)


def test_short_takes_that_become_long_are_mined(
    made: tuple[Path, list[Path], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without a model little motion is told by the package's motifs, and more by its own."""
    monkeypatch.setattr("kineme.cli.index_model.ENOUGH_SECONDS", 12.0)
    files = sorted(made[0].iterdir())
    assert index(files[0], "-o", tmp_path / "library") == 0
    assert index(*files[:3], "-o", tmp_path / "library") == 0
    assert "long enough by now" in capsys.readouterr().out
    assert index(*files[:3], "-o", tmp_path / "fresh", "--title", files[0].name) == 0
    assert content(tmp_path / "library") == content(tmp_path / "fresh")


def test_a_run_that_is_stopped_leaves_the_library_as_it_was(
    made: tuple[Path, list[Path], Path],
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    encoded: list[int],
) -> None:
    """Tables, page and model are those of before; the next run takes up the motifs that were mined."""
    takes, more, _ = made
    old = {name: text for name, text in content(place).items() if not name.startswith(("corpus/", "search/"))}

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("kineme.report.page.staged_page", stopped)
        assert index(takes, *more, "-o", place) == 130
    now = content(place)
    assert {name: now[name] for name in old} == old
    assert open_library(place).segments.num_rows and len(encoded) == 20  # mined, and read
    encoded.clear()
    assert index(takes, *more, "-o", place) == 0
    assert len(encoded) == 10
    assert not [path for path in place.rglob(".*")]


def test_keeping_and_mining_at_once_is_a_mistake(
    made: tuple[Path, list[Path], Path], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(place)
    for words in (["--mine"], ["--train"]):
        assert index(made[0], "-o", place, "--keep", *words) == 2
        assert f"--keep keeps the motifs and {words[0]} makes new ones" in capsys.readouterr().err
    assert content(place) == before


def test_a_library_of_an_older_version_is_brought_up_to_date(
    made: tuple[Path, list[Path], Path], place: Path, encoded: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    """Without keys and without a record of its motifs: all takes are found anew, once, by the motifs it has."""
    import json

    tables = {name: (place / name).read_bytes() for name in TABLES}
    head = json.loads((place / "library.json").read_text())
    head.pop("kineme")
    head["files"].pop("takes.parquet")
    (place / "library.json").write_text(json.dumps(head))
    (place / "takes.parquet").unlink()
    (place / "model" / "mined.json").unlink()
    assert index(made[0], "-o", place) == 0
    assert "all 8 takes were segmented" in capsys.readouterr().out and len(encoded) == 8
    assert {name: (place / name).read_bytes() for name in TABLES} == tables
    assert index(made[0], "-o", place) == 0
    assert len(encoded) == 8
