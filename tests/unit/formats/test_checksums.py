"""Damage is told by the file's name; formats by their number."""

from __future__ import annotations

from pathlib import Path

import pytest

from kineme.errors import InputError
from kineme.formats.checksums import CHECKSUMS, check_format, read_checksums, verify, write_checksums


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.npy").write_bytes(b"12345")
    (tmp_path / "b.json").write_bytes(b"{}")
    write_checksums(tmp_path, ("a.npy", "b.json", "absent"))
    return tmp_path


def _verify(folder: Path, whole: bool = True) -> None:
    verify(folder, read_checksums(folder), "copy it again", whole=whole)


def test_an_untouched_folder_is_sound(folder: Path) -> None:
    assert set(read_checksums(folder)) == {"a.npy", "b.json"}
    _verify(folder)
    assert read_checksums(folder / "elsewhere") == {}


def test_a_changed_byte_is_found_by_content_only(folder: Path) -> None:
    (folder / "a.npy").write_bytes(b"12346")
    _verify(folder, whole=False)
    with pytest.raises(InputError, match=r"a\.npy: is damaged \(its content .*copy it again"):
        _verify(folder)


@pytest.mark.parametrize("whole", [True, False])
def test_a_cut_and_a_missing_file(folder: Path, whole: bool) -> None:
    (folder / "a.npy").write_bytes(b"123")
    with pytest.raises(InputError, match=r"a\.npy: is damaged \(3 bytes instead of 5\); copy it again"):
        _verify(folder, whole)
    (folder / "a.npy").unlink()
    with pytest.raises(InputError, match=r"a\.npy: is missing; copy it again"):
        _verify(folder, whole)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"files": 1}',
        '{"files": {"../x": {"bytes": 1, "sha256": ""}}}',
        '{"files": {"a": 1}}',
    ],
)
def test_a_damaged_list_is_named(folder: Path, text: str) -> None:
    (folder / CHECKSUMS).write_text(text)
    with pytest.raises(InputError, match=r"checksums\.json: is damaged"):
        read_checksums(folder)


def test_formats() -> None:
    def read(number: object, **more: object) -> int:
        return check_format(
            {"format": number, **more}, "library", 3, 2, "run `kineme index` again", Path("lib")
        )

    assert read(2) == 2 and read(3) == 3
    assert read(4, oldest_reader=3) == 4  # a later version that this one can still read
    with pytest.raises(InputError, match=r"lib: is of a newer kineme \(library format 4\); upgrade"):
        read(4)
    with pytest.raises(InputError, match="newer"):
        read(5, oldest_reader=4)
    with pytest.raises(InputError, match=r"older kineme \(library format 1\); run `kineme index` again"):
        read(1)
    for number in (None, "1", [1]):
        with pytest.raises(ValueError):
            read(number)
