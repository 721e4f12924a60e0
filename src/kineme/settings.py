"""Settings of models: frozen dataclasses of plain values, which go into folders and come back from strangers'."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Collection, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from functools import cache
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from kineme.errors import InputError, UsageError, did_you_mean, printable

#: no whole number of settings is as large; beyond it, JSON's readers elsewhere round
_LARGEST = 2**53
#: letters of an unknown name that are repeated, and how many unknown names are
_LETTERS, _NAMES = 40, 3
_ONE = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
_MANY = {bool: "truths", int: "whole numbers", float: "numbers", str: "texts"}


@dataclass(frozen=True)
class Settings:
    """Base of settings: texts, numbers, true or false, choices (`Literal`), tuples of these, and settings.

    Every object has values of the annotated types, however it was made: anything else is a UsageError of one
    sentence, and so is a number that is none (NaN). A list becomes a tuple. A subclass is a frozen dataclass
    that says what it is of, ``class XConfig(Settings, of="X")``; where it checks more, its ``__post_init__``
    calls this one first.
    """

    _of = ""

    def __init_subclass__(cls, of: str, **others: Any) -> None:
        super().__init_subclass__(**others)
        cls._of = of

    def __post_init__(self) -> None:
        for name, kind in _kinds(type(self)).items():
            given = getattr(self, name)
            try:
                read = _read(given, kind)
            except _Unfit:
                wanted = f"the {self._of} setting {name} must be {_said(kind)}"
                raise UsageError(f"{wanted}, not {_shown(given)}") from None
            if read is not given:
                object.__setattr__(self, name, read)

    def to_dict(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """From plain values, as of JSON; what is not among them has its default.

        Raises UsageError for a name that is unknown, one that is missing, and a value of another type.
        """
        if not isinstance(values, Mapping):
            raise UsageError(f"{cls._of} settings must be names with values, not {_shown(values)}")
        known = {field.name: field for field in fields(cls)}
        unknown = sorted(str(name)[:_LETTERS] for name in values if name not in known)
        if unknown:
            raise UsageError(f"unknown {cls._of} setting {_listed(unknown)}{_meant(unknown, known)}")
        for name, field in known.items():
            if name not in values and field.default is MISSING and field.default_factory is MISSING:
                raise UsageError(f"the {cls._of} setting {name} is missing")
        return cls(**values)

    @classmethod
    def from_file(cls, values: Mapping[str, Any], path: Path) -> Self:
        """`from_dict` of what stands in the file `path`, which its errors name (InputError)."""
        try:
            return cls.from_dict(values)
        except UsageError as error:
            raise InputError(str(error), path) from error


def check_least(settings: Any, least: int, *names: str) -> None:
    """UsageError that names the first of the settings `names` that is below `least`."""
    for name in names:
        if (value := getattr(settings, name)) < least:
            raise UsageError(f"{name} must be at least {least}, not {value}")


def check_heads(width: int, heads: int) -> None:
    """UsageError unless `heads` of attention share `width` features, an even number each."""
    if min(width, heads) < 1 or width % (2 * heads):
        raise UsageError(f"width {width} must be an even multiple of heads {heads}")


class _Unfit(Exception):
    """A value of another type."""


@cache
def _kinds(settings: type[Settings]) -> dict[str, Any]:
    hints = get_type_hints(settings)
    return {field.name: hints[field.name] for field in fields(settings)}


def _read(value: Any, kind: Any) -> Any:
    """The value as `kind` has it. Raises _Unfit."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        if any(type(value) is type(choice) and value == choice for choice in parts):
            return value
    elif origin is tuple:
        if isinstance(value, list | tuple) and (parts[1:] == (...,) or len(value) == len(parts)):
            kinds = parts[:1] * len(value) if parts[1:] == (...,) else parts
            return tuple(map(_read, value, kinds))
    elif kind in _ONE:
        return _plain(value, kind)
    elif isinstance(value, kind):
        return value
    elif issubclass(kind, Settings) and isinstance(value, Mapping):
        return kind.from_dict(value)
    raise _Unfit


def _plain(value: Any, kind: type) -> Any:
    """The same for what is not made of others; True is no number here, and numpy's numbers become Python's."""
    if kind in (bool, str):
        if isinstance(value, kind):
            return value
    elif isinstance(value, bool):
        raise _Unfit
    elif isinstance(value, Integral):
        if abs(whole := int(value)) < _LARGEST:
            return whole
    elif kind is float and isinstance(value, Real) and not math.isnan(value):
        return value if isinstance(value, float) else float(value)
    raise _Unfit


def _said(kind: Any, many: bool = False) -> str:
    """What a value must be, in words: *a number*, *numbers*, *a list of texts*."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        choices = [str(choice) for choice in parts]
        return " or ".join([", ".join(choices[:-1]), choices[-1]] if choices[1:] else choices)
    if origin is tuple:
        count = "" if parts[1:] == (...,) else f"{len(parts)} "
        return f"{'lists' if many else 'a list'} of {count}{_said(parts[0], many=True)}"
    if kind in _ONE:
        return _MANY[kind] if many else _ONE[kind]
    return f"{kind._of} settings"


def _shown(value: Any) -> str:
    if isinstance(value, int) and abs(value) >= _LARGEST:
        return "one of so many digits"
    return reprlib.repr(value)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return printable(", ".join(names[:_NAMES])) + more


def _meant(names: list[str], known: Collection[str]) -> str:
    advice = did_you_mean(names[:_NAMES], known, most=1)
    return f"; {advice}" if advice else ""
