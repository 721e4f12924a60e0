"""Many integer sequences of different lengths in two flat arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

_INT32 = np.iinfo(np.int32)


@dataclass(frozen=True, eq=False)
class Ragged:
    """S sequences of N integers in all; sequence s is ``values[offsets[s]:offsets[s + 1]]`` (may be empty).

    Parameters
    ----------
    values : (N,) int32, the sequences end to end.
    offsets : (S + 1,) int64, from 0 to N, never falling.

    Raises
    ------
    ValueError : values that are no 32-bit integers, or offsets that do not partition them.
    """

    values: np.ndarray
    offsets: np.ndarray

    def __post_init__(self) -> None:
        values, offsets = np.asarray(self.values), np.asarray(self.offsets)
        for name, array in (("values", values), ("offsets", offsets)):
            if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
                raise ValueError(f"Ragged.{name} must be one row of integers, not {array.dtype}{array.shape}")
        if values.size and not (_INT32.min <= int(values.min()) and int(values.max()) <= _INT32.max):
            raise ValueError("Ragged.values must fit 32-bit integers")
        ends = offsets.size and offsets[0] == 0 and offsets[-1] == len(values)
        if not ends or (offsets[1:] < offsets[:-1]).any():
            raise ValueError(f"Ragged.offsets must rise from 0 to the number of values, {len(values)}")
        object.__setattr__(self, "values", np.ascontiguousarray(values, np.int32))
        object.__setattr__(self, "offsets", np.ascontiguousarray(offsets, np.int64))

    @classmethod
    def from_lists(cls, lists: Iterable[Sequence[int] | np.ndarray]) -> Ragged:
        """From one list or (T,) integer array a sequence."""
        rows = [np.asarray(row) if len(row) else np.zeros(0, np.int32) for row in lists]
        return cls.from_lengths(np.concatenate([np.zeros(0, np.int32), *rows]), [len(row) for row in rows])

    @classmethod
    def from_lengths(cls, values: np.ndarray, lengths: Sequence[int] | np.ndarray) -> Ragged:
        """From flat values (N,) and the length of each sequence (S,)."""
        return cls(values, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64))

    def to_lists(self) -> list[list[int]]:
        """One list of Python integers a sequence."""
        return [row.tolist() for row in self]

    @property
    def lengths(self) -> np.ndarray:
        """(S,) int64, the number of values of each sequence."""
        return np.diff(self.offsets)

    def span(self, first: int, last: int) -> Ragged:
        """Sequences first to last - 1, as views."""
        offsets = self.offsets[first : last + 1]
        return Ragged(self.values[offsets[0] : offsets[-1]], offsets - offsets[0])

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> np.ndarray:
        """(T,) view of one sequence."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"sequence {index} of {len(self)}")
        index %= len(self)
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def __iter__(self) -> Iterator[np.ndarray]:
        bounds = self.offsets.tolist()
        return (self.values[a:b] for a, b in zip(bounds[:-1], bounds[1:], strict=True))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ragged):
            return NotImplemented
        return np.array_equal(self.values, other.values) and np.array_equal(self.offsets, other.offsets)

    __hash__ = None  # type: ignore[assignment]  # holds arrays

    def __repr__(self) -> str:
        return f"Ragged({len(self)} sequences, {len(self.values)} values)"
