"""The errors and warnings that a person is meant to read: one sentence, what is wrong and what to do; and how
an unknown name is answered."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from pathlib import Path

#: control and formatting characters (which can turn the direction of text), ends of lines and paragraphs
_UNSEEN = {"Cc", "Cf", "Zl", "Zp"}

#: most characters of a sentence
_LONGEST = 1500
#: share of letters, as difflib counts it, from which on one name may have been meant by another
_LIKENESS = 0.5
#: letters of a word that are compared, and how many it needs for names that hold it to be meant
_LETTERS, _TELLING = 80, 3


def printable(text: str) -> str:
    """Text of a stranger's file as it may go to a terminal: on one line, with nothing that steers it."""
    if text.isprintable():
        return text
    return "".join(f"\\x{ord(c):02x}" if unicodedata.category(c) in _UNSEEN else c for c in text)


def near_names(word: str, known: Collection[str], most: int = 3) -> list[str]:
    """Up to `most` of the `known` names that may have been meant by `word`, whatever the case: that name, those that
    begin with it, those that hold it, and those that are spelled like it."""
    by_lower: dict[str, list[str]] = {}
    for name in known:
        by_lower.setdefault(name.lower(), []).append(name)
    lower = word[:_LETTERS].lower()  # a file may hold a word of a million letters
    near = [lower] if lower in by_lower else []
    if not near and len(lower) >= _TELLING:
        near = [name for name in by_lower if lower in name]
        near.sort(key=lambda name: not name.startswith(lower))
    near = near or get_close_matches(lower, by_lower, n=most, cutoff=_LIKENESS)
    return [name for one in near for name in by_lower[one]][:most]


def did_you_mean(
    words: str | Iterable[str], known: Collection[str], otherwise: str = "", most: int = 3, form: str = "{}"
) -> str:
    """What a sentence about unknown `words` ends in: ``did you mean A or B?``, or what there is.

    Parameters
    ----------
    otherwise : where nothing is like them, this and all `known` names; nothing is said where it is empty.
    most : names for each word. form : how a name is shown, such as ``"`kineme {}`"``.
    """
    words = [words] if isinstance(words, str) else words
    near = dict.fromkeys(name for word in words for name in near_names(word, known, most))
    if near:
        return f"did you mean {' or '.join(map(form.format, near))}?"
    return f"{otherwise} {', '.join(known)}" if otherwise else ""


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
