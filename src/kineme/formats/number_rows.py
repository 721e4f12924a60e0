"""Rows of numbers in text, quickly where all is well and line by line where it is not."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from kineme.errors import InputError
from kineme.formats.options import MAX_TEXT_BYTES


def text_of(path: Path) -> str:
    """A text file's content with plain line ends; InputError where it is too large or cannot be read."""
    try:
        if path.stat().st_size > MAX_TEXT_BYTES:
            raise InputError(
                f"the file is larger than {MAX_TEXT_BYTES >> 20} MB; cut it into shorter takes", path
            )
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"it cannot be read ({error.strerror})", path) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def number_rows(lines: list[str], columns: int, separator: str, path: Path, first: int) -> np.ndarray:
    """Numbers (T, `columns`) of lines; an empty cell is NaN.

    `first` is the number of the first line in the file. Blank lines are left out. Raises InputError with the
    line that has too few or too many cells, or a word that is not a number.
    """
    body = separator.join(line.rstrip(separator + " ") for line in lines if line.strip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)
            values = np.fromstring(body, sep=" " if separator == "\t" else separator, dtype=np.float64)
        if values.size and values.size == columns * sum(bool(line.strip()) for line in lines):
            if separator == "\t" and "\t\t" in body:
                raise ValueError
            return values.reshape(-1, columns)
    except (ValueError, DeprecationWarning):
        pass
    rows = [_row(line, columns, separator, path, first + k) for k, line in enumerate(lines) if line.strip()]
    return np.array(rows, dtype=np.float64).reshape(-1, columns)


def _row(line: str, columns: int, separator: str, path: Path, number: int) -> list[float]:
    words = line.split(separator)
    while len(words) > columns and not words[-1].strip():
        words.pop()
    words += [""] * (columns - len(words)) if separator == "\t" else []  # empty cells at the end are cut off
    if len(words) != columns:
        raise InputError(f"there are {len(words)} cells where {columns} belong", path, number)
    try:
        return [float(word) if word.strip() else np.nan for word in words]
    except ValueError:
        raise InputError("there is a cell that is not a number", path, number) from None
