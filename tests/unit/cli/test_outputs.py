"""Outputs are looked at before the work begins: no input is lost, nothing is replaced unasked, places can be
written."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from kineme.cli.main import main
from kineme.cli.outputs import check_ending, check_free, folder_for
from kineme.cli.train_recogniser import check_out
from kineme.corpus import Corpus
from kineme.corpus.synthetic import generate
from kineme.errors import InputError, UsageError
from kineme.formats import save
from kineme.formats.atomic import atomic_folder, atomic_write
from kineme.models.a4mer.folder import FILES
from kineme.models.a4mer.heads.folder import write_head
from kineme.tasks.discover import SCALES, SHORTEST, discover
from kineme.tasks.library import CORPUS, MODEL, Settings, begin_library, folder_checksum, write_results
from small_models import small_model


@pytest.fixture
def takes(tmp_path: Path) -> Path:
    for seed, name in ((1, "walk"), (2, "wave")):
        save(generate(seed, 1, 2.0)[0].motion, tmp_path / f"{name}.bvh")
    (tmp_path / "afile").write_text("mine")
    return tmp_path


def run(*words) -> int:
    return main([str(word) for word in words])


@pytest.mark.parametrize(
    "words",
    [
        ["impute", "walk.bvh", "--auto", "-o", "walk.bvh"],
        ["impute", "walk.bvh", "--auto", "-o", "new.bvh", "--intervals", "walk.bvh"],
        ["impute", "walk.bvh", "--auto", "-o", "new.bvh", "--picture", "link.bvh"],
        ["compose", "walk.bvh", "wave.bvh", "-o", "wave.bvh"],
        ["compose", "walk.bvh", "wave.bvh", "-o", "sub/../walk.bvh"],
        ["convert", "walk.bvh", "-o", "walk.bvh"],
        ["convert", "walk.bvh", "wave.bvh", "-o", ".", "--to", "bvh"],
        ["recognise", "walk.bvh", "-o", "walk.bvh"],
        ["segment", ".", "-o", "walk.bvh"],
        ["anomaly", "walk.bvh", "-o", "walk.bvh"],
        ["anomaly", ".", "--page", "link.html"],
        ["predict", "walk.bvh", "-o", "out", "--page", "link.html"],
        ["search", "library", "walk.csv", "-o", "walk.csv"],
    ],
    ids=lambda words: " ".join(words[:2] + words[-2:]),
)
def test_no_input_is_written_over_even_with_overwrite(takes, words, monkeypatch, capsys) -> None:
    monkeypatch.chdir(takes)
    (takes / "sub").mkdir()
    os.link("walk.bvh", "link.bvh")
    for name in ("walk.csv", "link.html"):
        os.link("walk.bvh", name)
    before = {name: Path(name).read_bytes() for name in ("walk.bvh", "wave.bvh")}
    assert run(*words, "--overwrite") == 2
    assert "is an input and would be lost" in capsys.readouterr().err
    assert before == {name: Path(name).read_bytes() for name in before}


@pytest.mark.parametrize(
    "words, read",
    [
        (["segment", "07_01.amc", "-o", "07.asf"], "07.asf"),
        (["recognise", ".", "-o", "07.asf"], "07.asf"),
        (["anomaly", "07_01.amc", "--page", "link.html"], "07.asf"),
        (["convert", "07_01.amc", "-o", "link.bvh"], "07.asf"),
        (["convert", "07_01.amc", "-o", ".", "--to", "csv"], "07.asf"),
        (["impute", "07_01.amc", "--auto", "-o", "new.bvh", "--intervals", "07.asf"], "07.asf"),
        (["compose", "walk.bvh", "07_01.amc", "-o", "new.bvh", "--page", "link.html"], "07.asf"),
        (["interpolate", "07_01.amc", "--gap", "1:2", "-o", "link.bvh"], "07.asf"),
        (["search", "library", "07_01.amc", "-o", "link.html"], "07.asf"),
        (["segment", "07_01.amc", "--skeleton-file", "my.asf", "-o", "my.asf"], "my.asf"),
        (["segment", "walk.bvh", "--map", "my.toml", "-o", "my.toml"], "my.toml"),
        (["segment", "data/new_joints/01.npy", "-o", "data/texts/01.txt"], "data/texts/01.txt"),
        (["segment", "uestc.pkl", "-o", "info/names.txt"], "info/names.txt"),
        (["segment", "walk.bvh", "--model", "run", "-o", "run/model/config.json"], "run/model/config.json"),
        (
            ["predict", "walk.bvh", "--model", "run", "-o", "new", "--page", "head.html"],
            "run/model/heads/p/config.json",
        ),
        (["anomaly", "walk.bvh", "--model", "run/model", "-o", "run/model/README.md"], "run/model/README.md"),
        (["recognise", "walk.bvh", "--like", "taught", "-o", "taught/corpus.json"], "taught/corpus.json"),
    ],
    ids=lambda value: " ".join([value[0], *value[-2:]]) if isinstance(value, list) else "",
)
def test_what_is_read_beside_an_input_or_named_by_an_option_is_not_written_over(
    takes, words, read, monkeypatch, capsys
) -> None:
    """The files are empty but for their first lines: all is refused before they are read."""
    monkeypatch.chdir(takes)
    files = {
        name: f"{name}\n" for name in ("07.asf", "my.asf", "my.toml", "info/names.txt", "data/texts/01.txt")
    }
    files |= {"07_01.amc": ":FULLY-SPECIFIED\n", "uestc.pkl": "pose", "taught/corpus.json": "{}"}
    files |= {f"run/model/{name}": "{}" for name in ("config.json", "README.md", "heads/p/config.json")}
    for name, text in files.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    Path("data/new_joints").mkdir()
    np.save("data/new_joints/01.npy", np.zeros((3, 22, 3)))
    for link in ("link.html", "link.bvh", "07_01.csv"):
        os.link("07.asf", link)
    os.link("run/model/heads/p/config.json", "head.html")
    before = Path(read).read_bytes()
    assert run(*words, "--overwrite") == 2
    assert "is an input and would be lost" in capsys.readouterr().err
    assert Path(read).read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ["impute", "walk.bvh", "--auto", "-o", "there.bvh"],
        ["impute", "walk.bvh", "--auto", "-o", "new.bvh", "--intervals", "there.bvh"],
        ["compose", "walk.bvh", "wave.bvh", "-o", "there.bvh"],
        ["compose", "walk.bvh", "wave.bvh", "-o", "new.bvh", "--page", "there.html"],
        ["generate", "-o", ".", "--count", "2", "--label", "there"],
        ["predict", "walk.bvh", "-o", "new", "--page", "there.html"],
        ["segment", "walk.bvh", "-o", "there.csv"],
        ["recognise", "walk.bvh", "-o", "there.csv"],
        ["anomaly", "walk.bvh", "-o", "there.csv"],
        ["anomaly", "walk.bvh", "--page", "there.html"],
        ["convert", "walk.bvh", "wave.bvh", "-o", ".", "--to", "csv"],
        ["evaluate", "discovery", "--json", "there.csv"],
    ],
    ids=lambda words: " ".join(words),
)
def test_what_is_there_stays_unless_overwrite_is_said(takes, words, monkeypatch, capsys) -> None:
    monkeypatch.chdir(takes)
    for name in ("there.bvh", "there.html", "there_0_001.bvh", "there.csv", "wave.csv"):
        Path(name).write_text("mine")
    there = set(takes.iterdir())
    assert run(*words) == 2
    assert "add --overwrite" in capsys.readouterr().err
    assert set(takes.iterdir()) == there and Path("there.bvh").read_text() == "mine"


@pytest.mark.parametrize(
    "words", [["anomaly"], ["predict", "-o", "new"], ["compose", "wave.bvh", "-o", "new.bvh"]]
)
def test_a_page_is_html(takes, words, monkeypatch, capsys) -> None:
    monkeypatch.chdir(takes)
    before = Path("walk.bvh").read_bytes()
    for page in ("walk.bvh", "page.htm", "page"):
        assert run(words[0], "walk.bvh", *words[1:], "--page", page, "--overwrite") == 2
        assert "html" in capsys.readouterr().err and Path("walk.bvh").read_bytes() == before


def test_segments_of_each_take_are_refused_before_they_are_looked_for(takes, monkeypatch, capsys) -> None:
    def looked(*_, **__):
        raise AssertionError("looked for")

    monkeypatch.setattr("kineme.tasks.discover.discover", looked)
    (takes / "out").mkdir()
    (takes / "out" / "wave.eaf").write_text("mine")
    assert run("segment", takes, "-o", takes / "out", "--format", "eaf", "--jobs", "1") == 2
    assert "wave.eaf would be replaced; write elsewhere, or add --overwrite" in capsys.readouterr().err
    assert [path.name for path in (takes / "out").iterdir()] == ["wave.eaf"]


def test_overwrite_replaces_what_is_no_input(takes) -> None:
    out = takes / "both.bvh"
    out.write_text("mine")
    words = ["compose", takes / "walk.bvh", takes / "wave.bvh", "-o", out]
    assert run(*words) == 2 and out.read_text() == "mine"
    assert run(*words, "--overwrite") == 0 and out.read_text().startswith("HIERARCHY")


@pytest.mark.parametrize(
    "words",
    [
        ["compose", "walk.bvh", "wave.bvh", "-o", "afile/f.bvh"],
        ["compose", "walk.bvh", "wave.bvh", "-o", "new/f.bvh", "--page", "afile/x.html"],
        ["impute", "walk.bvh", "--auto", "-o", "afile/f.bvh"],
        ["generate", "-o", "afile/deeper"],
        ["convert", "walk.bvh", "-o", "afile/x", "--to", "npz"],
        ["recognise", "walk.bvh", "-o", "afile/x.csv"],
        ["segment", "walk.bvh", "-o", "afile/x", "--format", "eaf"],
        ["train", "compose", "walk.bvh", "-o", "afile"],
        ["train", "a4mer", "walk.bvh", "-o", "afile/run"],
        ["train", "recogniser", "walk.bvh", "-o", "afile/run"],
    ],
    ids=lambda words: " ".join(words),
)
def test_a_file_in_the_way_is_said_at_once(takes, words, monkeypatch, capsys) -> None:
    monkeypatch.chdir(takes)
    there = set(takes.iterdir())
    assert run(*words) == 2
    said = capsys.readouterr().err
    assert "afile is a file; name a folder" in said and said.count("\n") == 1
    assert set(takes.iterdir()) == there


@pytest.mark.parametrize("name", ["f.xyz", "f.amc", "f"])
@pytest.mark.parametrize("verb", ["compose", "impute"])
def test_an_ending_that_is_not_written_is_said_before_anything_is_read(
    tmp_path, name, verb, monkeypatch, capsys
) -> None:
    def read(*_):
        raise AssertionError("read")

    monkeypatch.setattr("kineme.cli.motion_model.read_one", read)
    words = {"compose": ["a.bvh", "b.bvh"], "impute": ["a.bvh", "--auto"]}[verb]
    assert run(verb, *words, "-o", tmp_path / name) == 2
    assert f"{tmp_path / name}: kineme writes .bvh" in capsys.readouterr().err


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of one take, which is called segments.csv."""
    folder = tmp_path_factory.mktemp("library")
    motion = generate(1, 1, 8.0)[0].motion
    (folder / "takes").mkdir()
    save(motion, folder / "takes" / "segments.csv")
    begin_library(folder / "library")
    corpus = Corpus.build(folder / "takes", folder / "library" / CORPUS, jobs=1, progress=False)
    model = small_model(corpus)
    model.save(folder / "library" / MODEL)
    checksum = folder_checksum(folder / "library" / MODEL, [name for name in FILES if name != "README.md"])
    settings, found = Settings(2.0, SHORTEST, SCALES, 4), discover(corpus, model, motifs=4)
    write_results(folder / "library", corpus, found, settings, checksum, {})
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ["export", "library", "--format", "csv", "-o", "takes", "--overwrite"],
        ["search", "library", "query.bvh", "--to", "1", "-o", "takes/segments.csv"],
        ["search", "library", "query.bvh", "--to", "1", "-o", "link.csv"],
    ],
    ids=lambda words: " ".join(words[:1] + words[-2:]),
)
def test_takes_of_a_library_are_inputs(library, words, monkeypatch, capsys) -> None:
    monkeypatch.chdir(library)
    take = library / "takes" / "segments.csv"
    before = take.read_bytes()
    if not Path("link.csv").exists():
        os.link(take, "link.csv")
        save(generate(2, 1, 2.0)[0].motion, "query.bvh")
    assert run(*words) == 2
    assert "is an input and would be lost" in capsys.readouterr().err
    assert take.read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        ["stats", "library", "-o", "there.html", "new.csv"],
        ["stats", "library", "-o", "page.html", "half.csv"],
        ["duplicates", "library", "-o", "there.csv"],
        ["search", "library", "query.bvh", "--to", "1", "-o", "there.html"],
        ["search", "library", "query.bvh", "--to", "1", "-o", "new.json", "--clips", "clips"],
    ],
    ids=lambda words: " ".join(words[:1] + words[-2:]),
)
def test_results_of_an_earlier_run_stay_unless_overwrite_is_said(library, words, monkeypatch, capsys) -> None:
    monkeypatch.chdir(library)
    save(generate(2, 1, 2.0)[0].motion, "query.bvh")
    Path("clips").mkdir(exist_ok=True)
    old = [Path(name) for name in ("there.html", "there.csv", "half.transitions.csv")]
    if "clips" in words:
        assert run("search", "library", "query.bvh", "--to", "1", "--clips", "clips", "--overwrite") == 0
        old.append(sorted(Path("clips").iterdir())[-1])
    for path in old:
        path.write_text("mine")
    there = {path for path in library.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert run(*words) == 2
    said = capsys.readouterr()
    assert "would be replaced; write elsewhere, or add --overwrite" in said.err and said.err.count("\n") == 1
    assert said.out == "" and {path for path in library.rglob("*") if path.is_file()} == there
    assert {path.read_text() for path in old} == {"mine"}
    assert run(*words, "--overwrite") == 0
    for path in Path().rglob("new.*"):
        path.unlink()


@pytest.mark.parametrize(
    "words",
    [
        ["stats", "library", "-o", "library/report.html"],
        ["search", "library", "query.bvh", "--to", "1", "-o", "library/library.json"],
        ["search", "library", "query.bvh", "--to", "1", "-o", "library/search/manifest.json"],
        ["duplicates", "library", "--format", "json", "-o", "library/corpus/corpus.json"],
        ["segment", "query.bvh", "--model", "library", "-o", "library/segments.parquet"],
        ["recognise", "query.bvh", "--like", "library", "-o", "library/model/config.json"],
        ["anomaly", "library", "-o", "library/names.json", "--format", "json"],
    ],
    ids=lambda words: " ".join(words[:1] + words[-1:]),
)
def test_no_file_of_a_library_is_written_over(library, words, monkeypatch, capsys) -> None:
    monkeypatch.chdir(library)
    save(generate(2, 1, 2.0)[0].motion, "query.bvh")
    for name in ("report.html", "names.json", "search/manifest.json"):
        Path("library", name).parent.mkdir(exist_ok=True)
        Path("library", name).touch()
    before = {path: path.read_bytes() for path in Path("library").rglob("*") if path.is_file()}
    assert run(*words, "--overwrite") == 2
    assert "is an input and would be lost" in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in Path("library").rglob("*") if path.is_file()}
    for name in ("report.html", "names.json", "search/manifest.json"):
        Path("library", name).unlink()


def test_results_in_a_librarys_folder_are_no_part_of_it(library) -> None:
    for name in ("stats.csv", "stats.html"):
        out = library / "library" / name
        out.write_text("mine")
        assert run("stats", library / "library", "-o", out, "--overwrite") == 0
        assert out.read_text() != "mine"
        out.unlink()


def test_what_lies_in_a_corpus_is_not_lost_with_it(takes, capsys) -> None:
    words = ["ingest", takes / "walk.bvh", takes / "wave.bvh", "-o", takes / "corpus", "--jobs", "1"]
    assert run(*words) == 0
    (takes / "corpus" / "labels.csv").write_text("name,label\nwalk,walk\n")
    assert run(*words, "--labels", takes / "corpus" / "labels.csv") == 2
    assert "labels.csv would be lost with the corpus" in capsys.readouterr().err
    assert (takes / "corpus" / "labels.csv").read_text().startswith("name")


def test_a_trained_head_or_model_stays_unless_overwrite_is_said(library, tmp_path) -> None:
    model = shutil.copytree(library / "library" / MODEL, tmp_path / "model")
    write_head(model, "recogniser", {}, {"w": np.ones(3, np.float32)}, "# it\n")
    (tmp_path / "empty").mkdir()
    for out in ("new", "empty"):
        check_out(tmp_path / out, model, "recogniser", False)
    check_out(model, model, "predictor", False)
    with pytest.raises(UsageError, match="the recogniser in .* would be replaced; .* --overwrite"):
        check_out(model, model, "recogniser", False)
    with pytest.raises(UsageError, match="the model in .* would be replaced; .* give it as --model"):
        check_out(model, library / "library" / MODEL, "predictor", False)
    check_out(model, library / "library" / MODEL, "predictor", True)
    with pytest.raises(InputError, match="is no model's folder"):
        check_out(library / "takes", model, "predictor", True)


def test_tables_elsewhere_are_written(library, tmp_path) -> None:
    assert run("export", library / "library", "--format", "csv", "-o", tmp_path) == 0
    assert (tmp_path / "segments.csv").read_text().startswith("clip,file,level")


@pytest.mark.parametrize(
    "words",
    [
        ["hgvae", "walk.bvh", "--conditional"],
        ["hgvae", "walk.bvh", "--split", "nowhere"],
        ["hgvae", "long.bvh", "--calibrate", "nowhere"],
        ["hgvae", "walk.bvh"],
        ["mae", "walk.bvh", "--precision", "8"],
        ["mae", "walk.bvh", "--devices", "0"],
        ["mae", "walk.bvh", "--split", "nowhere"],
        ["a4mer", "walk.bvh", "--split", "nowhere"],
        ["compose", "labelled.npz", "--split", "nowhere"],
        ["a4mer", "afile"],
    ],
    ids=lambda words: " ".join(words),
)
def test_a_training_that_cannot_begin_leaves_no_folder(takes, words, monkeypatch, capsys) -> None:
    def began(*_, **__):
        raise AssertionError("began")

    monkeypatch.setattr("kineme.train.running.train_module", began)
    monkeypatch.chdir(takes)
    save(generate(1, 1, 2.0)[0].motion, takes / "labelled.npz")
    save(generate(1, 1, 6.0)[0].motion, takes / "long.bvh")
    there = set(takes.iterdir())
    assert run("train", *words, "-o", "run") == 2
    assert "Traceback" not in capsys.readouterr().err and set(takes.iterdir()) == there
    (takes / "run").mkdir()
    (takes / "run" / "notes.txt").write_text("mine")
    assert run("train", *words, "-o", "run") == 2
    assert (takes / "run" / "notes.txt").read_text() == "mine"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a file system that takes no files")
def test_where_nothing_can_be_written_the_users_own_name_is_said(takes, capsys) -> None:
    assert run("compose", takes / "walk.bvh", takes / "wave.bvh", "-o", "/proc/w3.bvh") == 2
    said = capsys.readouterr().err
    assert "in /proc" in said and "name another place" in said and ".kineme-" not in said
    assert run("ingest", takes / "walk.bvh", "-o", "/proc/w3") == 2
    said = capsys.readouterr().err
    assert "in /proc" in said and "name another place" in said and ".kineme-" not in said


def test_errors_name_what_the_temporary_stands_for(tmp_path) -> None:
    target = tmp_path / "walk.bvh"
    with pytest.raises(OSError) as caught, atomic_write(target) as temporary:
        temporary.unlink()
    assert caught.value.filename == str(target) and not list(tmp_path.iterdir())
    with pytest.raises(OSError) as caught, atomic_folder(tmp_path / "run") as work:
        open(work / "a" / "b")
    assert caught.value.filename == str(tmp_path / "run" / "a" / "b")
    with pytest.raises(OSError) as caught, atomic_write(target):
        open(tmp_path / "other")
    assert caught.value.filename == str(tmp_path / "other")


def test_targets_of_one_command(tmp_path) -> None:
    one = tmp_path / "one"
    with pytest.raises(UsageError, match="written twice"):
        check_free([one, tmp_path / "." / "one"], False)
    with pytest.raises(UsageError, match="is a folder; name a file"):
        check_free([tmp_path], True)
    os.mkfifo(one)
    with pytest.raises(UsageError, match="no ordinary file"):
        check_free([one], True)
    assert folder_for(tmp_path / "new" / "er") == tmp_path / "new" / "er"
    assert not (tmp_path / "new").exists()
    check_ending(tmp_path / "x.GLB")
    with pytest.raises(InputError, match="a name without a suffix"):
        check_ending(tmp_path / "x")
