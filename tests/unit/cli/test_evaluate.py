"""`kineme evaluate`: the table on the screen and in the file are the same figures."""

from __future__ import annotations

import json

import pytest

from kineme.cli.main import main


@pytest.mark.slow
def test_a_small_table(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KINEME_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KINEME_DATA", str(tmp_path / "nowhere"))
    file = tmp_path / "table.json"
    words = ["evaluate", "discovery", "--quick", "--corpora", "synthetic", "--json", str(file)]
    words += ["--seeds", "0", "1", "--methods", "raw codes + mining", "PCA on 1 s clips"]
    assert main(words) == 0
    first = capsys.readouterr()
    held = json.loads(file.read_text())
    assert held["protocol"] == "discovery-quick"
    assert held["seeds"] == [0, 1]
    assert held["command"].startswith("kineme evaluate discovery --quick --seeds 0 1")
    assert str(tmp_path) not in held["command"]
    assert len(held["corpus_sha256"]) == 64
    rows = {(r["method"], r["metric"], r["condition"]): r for r in held["rows"]}
    nmi = rows["raw codes + mining: motifs", "nmi", "synthetic"]
    assert nmi["n"] == 2 and 0 < nmi["mean"] < 1
    assert f"{nmi['mean']:.2f} ±{nmi['std']:.2f}" in first.out
    assert main(words) == 2 and "add --overwrite" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0  # read from the run folder
    again = capsys.readouterr()
    assert again.out == first.out
    assert "of 4" in first.err and "of 4" not in again.err


def test_list_and_unknown_names(capsys):
    assert main(["evaluate", "--list"]) == 0
    assert capsys.readouterr().out.startswith("discovery  ")
    assert main(["evaluate", "nonsense"]) == 2
    assert "`kineme evaluate` makes discovery" in capsys.readouterr().err
    assert main(["evaluate", "discovery", "--methods", "nonsense"]) == 2
    assert "there is no method 'nonsense'; there are A4Mer small" in capsys.readouterr().err
    assert main(["evaluate", "discovery", "--corpora", "nonsense"]) == 2
    assert "there is no corpus 'nonsense'" in capsys.readouterr().err
    assert main(["evaluate", "discovery", "--text-encoder", "nobody/nothing"]) == 2
    assert "the table discovery reads no text" in capsys.readouterr().err


def test_a_text_model_that_is_not_to_be_had_is_said_before_anything_is_measured(monkeypatch, capsys) -> None:
    from kineme.evaluate import compose

    def measured(*_, **__):
        raise AssertionError("measured")

    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(compose, "run", measured)
    monkeypatch.setattr("kineme.formats.hub.socket.create_connection", offline)
    assert main(["evaluate", "compose", "--text-encoder", "nobody/nothing"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("kineme: ")
