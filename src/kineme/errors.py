"""The errors and warnings that a person is meant to read: one sentence, what is wrong and what to do."""

from __future__ import annotations

import unicodedata
from pathlib import Path

#: control and formatting characters (which can turn the direction of text), ends of lines and paragraphs
_UNSEEN = {"Cc", "Cf", "Zl", "Zp"}

#: most characters of a sentence
_LONGEST = 1500


def printable(text: str) -> str:
    """Text of a stranger's file as it may go to a terminal: on one line, with nothing that steers it."""
    if text.isprintable():
        return text
    return "".join(f"\\x{ord(c):02x}" if unicodedata.category(c) in _UNSEEN else c for c in text)


class KinemeError(Exception):
    """Base of every error that the command line prints as one sentence with exit code 2."""


class InputError(KinemeError):
    """A file or folder that cannot be used.

    Parameters
    ----------
    message : what is wrong and what to do about it, without the file's name.
    path : the file at fault; put first in the sentence.
    line : 1-based line of a text file, where one is to blame.
    """

    def __init__(self, message: str, path: str | Path | None = None, line: int | None = None):
        self.message, self.path, self.line = message, path, line
        where = "" if path is None else f"{path}" + (f", line {line}" if line else "") + ": "
        said = where + message  # a file may hold a word of a million letters
        super().__init__(printable(said if len(said) <= _LONGEST else said[:_LONGEST] + " …"))

    def __reduce__(self):  # crosses process borders in the parallel ingest
        return type(self), (self.message, self.path, self.line)


class UsageError(KinemeError):
    """Options or arguments that do not fit together."""


class InputWarning(UserWarning):
    """Something of the input that was left out, where the work goes on; printed as one sentence."""
