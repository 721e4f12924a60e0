"""Labels of a training are looked at before the takes and the model are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from kineme.cli.labelled import need_labels
from kineme.cli.main import main
from kineme.errors import InputError, UsageError
from kineme.models.a4mer import A4Mer
from small_models import small_corpus, write_takes


@pytest.fixture
def takes(tmp_path: Path) -> Path:
    write_takes(tmp_path / "takes", 2, 3.0)
    return tmp_path / "takes"


def _labels(folder: Path, *lines: str) -> Path:
    path = folder / "labels.csv"
    path.write_text("\n".join(["file,start,end,label", *lines]))
    return path


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ((), "no line under them"),
        (("a,-1,1,walk",), "starts at -1 s"),
        (("a,0,1,walk", "a,1,2,walk"), "only one class, 'walk'"),
        (None, "motion files have none"),
    ],
)
def test_what_cannot_be_learnt_is_said_first(takes, tmp_path, lines, says, monkeypatch, capsys) -> None:
    def load(*_):
        raise AssertionError("the model was read")

    monkeypatch.setattr(A4Mer, "load", load)
    given = [] if lines is None else ["--labels", str(_labels(tmp_path, *lines))]
    assert main(["train", "recogniser", str(takes), "-o", str(tmp_path / "run"), *given]) == 2
    said = capsys.readouterr()
    assert says in said.err and "learning" not in said.out + said.err and said.err.count("\n") == 1


def test_one_class_in_a_corpus_ends_before_it_is_said_what_is_learnt(tmp_path, capsys) -> None:
    corpus = small_corpus(tmp_path / "corpus", 1, 3.0)
    table = _labels(tmp_path, "take,0,2,walk")
    with pytest.raises(UsageError, match="is a corpus, which has its labels"):
        need_labels([corpus.folder], [str(table)])
    write_takes(tmp_path / "takes", 1, 3.0)
    pattern = r"(?P<label>[a-z]+)"
    assert need_labels([tmp_path / "takes"], [pattern]) is None
    words = ["train", "recogniser", str(tmp_path / "takes"), "-o", str(tmp_path / "run"), "--labels", pattern]
    assert main(words) == 2
    said = capsys.readouterr()
    assert "there is only one class" in said.err and "learning" not in said.out + said.err


def test_labels_of_files_are_those_of_their_tables(takes, tmp_path) -> None:
    assert need_labels([takes], [str(_labels(tmp_path, "a,0,1,walk", "a,1,2,run"))]) == {"walk", "run"}
    with pytest.raises(InputError, match="motion files have none"):
        need_labels([takes])
