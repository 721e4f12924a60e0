"""`kineme open` and `kineme name` as a user types them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from demo_takes import demo_payload
from kineme.cli.main import main
from kineme.report.names import Names, read_names, write_names
from kineme.report.page import page_motifs, write_page


@pytest.fixture
def library(tmp_path: Path) -> Path:
    write_page(demo_payload(2), tmp_path / "library" / "report.html")
    return tmp_path / "library"


def test_a_name_goes_into_the_library_and_its_page(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["name", str(library), "m2", "strolls"]) == 0
    assert "1 motif has a name" in capsys.readouterr().out
    assert read_names(library / "names.json").names == {"m2": "strolls"}
    assert '"m2":"strolls"' in (library / "report.html").read_text(encoding="utf-8")
    assert main(["name", str(library), "m2", ""]) == 0
    assert read_names(library / "names.json").names == {}


def test_motifs_are_listed(library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["name", str(library), "m1", "[bold]waits"])
    capsys.readouterr()
    assert main(["name", str(library)]) == 0
    printed = capsys.readouterr().out
    assert "stands still" in printed and "[bold]waits" in printed and "m5" in printed


def test_a_name_that_several_motifs_have_is_said_once(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for motif, name in (("m1", "same"), ("m2", "same"), ("m3", "other")):
        assert main(["name", str(library), motif, name]) == 0
        said.append(capsys.readouterr().err)
    assert said[0] == said[2] == ""
    assert (
        said[1] == "kineme: motifs m1 and m2 are called 'same'; `kineme cut` tells them apart by id alone\n"
    )


def test_a_file_of_names_is_taken(library: Path, tmp_path: Path) -> None:
    main(["name", str(library), "m1", "waits"])
    fingerprint, _ = page_motifs(library / "report.html")
    write_names(Names(fingerprint, {"m2": "strolls"}), tmp_path / "down.json")
    assert main(["name", str(library), "--from", str(tmp_path / "down.json")]) == 0
    assert read_names(library / "names.json").names == {"m1": "waits", "m2": "strolls"}


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["m99", "x"], "no motif 'm99'"),
        (["m1", "x" * 81], "at most 80"),
        (["m1", "x", "--from", "names.json"], "either"),
        (["--from", "{other}"], "another library"),
        (["--from", "{missing}"], "No such file"),
    ],
)
def test_mistakes_are_said(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], complaint: str
) -> None:
    write_names(Names("0123456789abcdef", {"m1": "x"}), tmp_path / "other.json")
    places = {"other": tmp_path / "other.json", "missing": tmp_path / "missing.json"}
    assert main(["name", str(library), *(word.format(**places) for word in words)]) == 2
    assert complaint in capsys.readouterr().err
    assert not (library / "names.json").exists()


def test_a_folder_that_is_no_library(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["name", str(tmp_path), "m1", "x"], ["open", str(tmp_path), "--no-browser"]):
        assert main(words) == 2
        assert "kineme index" in capsys.readouterr().err


def test_open_serves_until_ctrl_c(library: Path) -> None:
    command = [sys.executable, "-m", "kineme", "open", str(library), "--no-browser"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    try:
        assert process.stdout is not None
        url = re.search(r"http://127\.0\.0\.1:\d+/\S+/", process.stdout.readline())
        assert url is not None
        wish = json.dumps({"id": "m1", "name": "waits"}).encode()
        origin = url[0].rsplit("/", 2)[0]
        headers = {"Content-Type": "application/json", "Origin": origin}
        request = urllib.request.Request(f"{url[0]}names", wish, headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert answer.status == 204
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()
    assert '"m1":"waits"' in (library / "report.html").read_text(encoding="utf-8")
