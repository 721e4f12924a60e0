"""The user's names for motifs: cleaned, checked, kept for one library only."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kineme.errors import InputError
from kineme.report.names import LONGEST, Names, check_known, clean_name, names_for, read_names, write_names


@given(st.text(max_size=LONGEST))
def test_a_clean_name_is_one_line_and_stays_clean(text: str) -> None:
    clean = clean_name(text)
    assert not any(unicodedata.category(character).startswith("C") for character in clean)
    assert clean == clean_name(clean) == clean.strip()


def test_round_trip(tmp_path: Path) -> None:
    names = Names("abc", {"m1": "Grüße, 手を振る", "m2": "<b>wave</b>"})
    write_names(names, tmp_path / "names.json")
    assert read_names(tmp_path / "names.json") == names
    assert list(tmp_path.iterdir()) == [tmp_path / "names.json"]


def test_a_name_is_given_changed_and_taken_away() -> None:
    names = Names("abc").with_name("m1", " wave\n hello ").with_name("m2", "sit")
    assert names.names == {"m1": "wave hello", "m2": "sit"}
    assert names.with_name("m1", "  ").names == {"m2": "sit"}
    with pytest.raises(InputError, match="at most 80"):
        names.with_name("m1", "x" * 81)


def test_names_of_another_library_are_not_taken(tmp_path: Path) -> None:
    assert names_for("abc", tmp_path) == Names("abc")
    write_names(Names("abc", {"m1": "wave"}), tmp_path / "names.json")
    assert names_for("abc", tmp_path).names == {"m1": "wave"}
    assert names_for("other", tmp_path) == Names("other")


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"[1, 2]", b'{"names": {"m1": 3}, "format": 1}', b'{"names": {}, "format": 2}',
     b"[" * 100_000, json.dumps({"format": 1, "names": {"m1": "x" * 200}}).encode()],
    ids=["empty", "binary", "list", "number", "format", "deep", "long"],
)  # fmt: skip
def test_files_that_are_no_names_are_refused_by_name(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match="mine.json"):
        read_names(path)


def test_unknown_motifs_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no motif m7"):
        check_known({"m7": "wave", "m1": "sit"}, {"m1", "m2"})
