"""A damaged library, corpus or model says which file it is and how to get it back; then it comes back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from kineme.cli.main import main
from kineme.corpus import Corpus
from kineme.errors import InputError
from kineme.models.a4mer import A4Mer
from small_models import small_corpus, small_model, write_takes

LIBRARY_FILES = ("segments.parquet", "tokens.npy", "motifs.parquet", "takes.parquet", "cards.json")
CORPUS_FILES = ("frames.npy", "display.npy", "clips.parquet", "labels.parquet", "skeletons.json")
MODEL_FILES = ("model.safetensors", "codebook.safetensors", "patterns.parquet", "motifs.safetensors")


def command(*words: str | Path) -> int:
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with takes, a model and a library."""
    folder = tmp_path_factory.mktemp("damage")
    write_takes(folder / "takes", takes=2)
    small_model(small_corpus(folder / "corpus", takes=3, seed=8)).save(folder / "model")
    assert command("index", folder / "takes", "-o", folder / "library", "--model", folder / "model") == 0
    return folder


@pytest.fixture()
def mine(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "made")


def flip(path: Path) -> None:
    """Another byte in the middle: the size stays."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x55
    path.write_bytes(data)


def test_whole_folders_pass(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("check", made / "library", made / "corpus", made / "model") == 0
    said = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[1] for line in said] == [
        "a library, 17 files are whole",
        "a corpus, 7 files are whole",
        "a model, 5 files are whole",
    ]


@pytest.mark.parametrize(
    "name",
    [
        *LIBRARY_FILES,
        *(f"corpus/{name}" for name in CORPUS_FILES),
        *(f"model/{name}" for name in MODEL_FILES),
    ],
)
def test_a_changed_byte_is_found_and_the_file_is_named(
    name: str, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(mine / "library" / name)
    assert command("check", mine / "library") == 2
    said = capsys.readouterr().err
    assert f"{mine / 'library' / name}: is damaged" in said and "`kineme index`" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("name", ["segments.parquet", "corpus/frames.npy", "corpus/clips.parquet"])
def test_the_advice_works(name: str, made: Path, mine: Path) -> None:
    flip(mine / "library" / name)
    assert command("index", made / "takes", "-o", mine / "library", "--model", made / "model") == 0
    assert command("check", mine / "library") == 0
    whole = pq.read_table(made / "library" / "segments.parquet")
    assert pq.read_table(mine / "library" / "segments.parquet").equals(whole)


@pytest.mark.parametrize("name", MODEL_FILES)
def test_a_damaged_model_is_not_used(name: str, mine: Path) -> None:
    flip(mine / "model" / name)
    with pytest.raises(InputError, match=f"{name}: .*(copy|train) .*again"):
        A4Mer.load(mine / "model")


def test_an_edited_card_is_no_damage_and_an_edited_setting_is(mine: Path) -> None:
    card = mine / "model" / "README.md"
    card.write_text(card.read_text() + "\nMine.\n")
    assert A4Mer.load(mine / "model").card.endswith("Mine.\n")
    config = mine / "model" / "config.json"
    config.write_text(config.read_text().replace('"min_support": ', '"min_support": 1'))
    with pytest.raises(InputError, match=r"config\.json: is damaged"):
        A4Mer.load(mine / "model")


def test_folders_of_versions_without_checksums_open(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in (
        mine / "library",
        mine / "corpus",
        mine / "model",
        mine / "library/corpus",
        mine / "library/model",
    ):
        (folder / "checksums.json").unlink(missing_ok=True)
    head = json.loads((mine / "library" / "library.json").read_text())
    del head["files"], head["oldest_reader"]
    (mine / "library" / "library.json").write_text(json.dumps(head))
    assert command("check", mine / "library", mine / "corpus", mine / "model") == 0
    assert capsys.readouterr().out.count("kept no checksums") == 3
    assert command("index", mine / "takes", "-o", mine / "library") == 0


@pytest.mark.parametrize("name", ["library/library.json", "corpus/corpus.json", "model/config.json"])
def test_a_later_format_opens_where_it_says_so(name: str, mine: Path) -> None:
    path = mine / name
    head = json.loads(path.read_text())
    path.write_text(json.dumps({**head, "format": 7, "oldest_reader": 1}))
    (path.parent / "checksums.json").unlink(missing_ok=True)
    assert command("check", path.parent) == 0
    path.write_text(json.dumps({**head, "format": 7, "oldest_reader": 7}))
    assert command("check", path.parent) == 2


@pytest.mark.parametrize(
    "name, run",
    [
        ("library/library.json", "kineme index"),
        ("corpus/corpus.json", "ingest the takes again"),
        ("model/config.json", "train it again"),
    ],
)
def test_a_format_that_is_too_old_says_what_to_run(
    name: str, run: str, mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = mine / name
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 0}))
    (path.parent / "checksums.json").unlink(missing_ok=True)
    assert command("check", path.parent) == 2
    said = capsys.readouterr().err
    assert "older kineme" in said and run in said


def test_a_corpus_is_opened_without_reading_it_whole(mine: Path) -> None:
    flip(mine / "corpus" / "frames.npy")
    assert len(Corpus.open(mine / "corpus")) == 3
    with open(mine / "corpus" / "frames.npy", "ab") as file:
        file.write(b"more")
    with pytest.raises(InputError, match=r"frames\.npy: is damaged .*again"):
        Corpus.open(mine / "corpus")
