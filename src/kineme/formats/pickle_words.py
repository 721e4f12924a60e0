"""The allow-list of `safe_pickle`: which classes and functions a pickle may name, and what we make of them.

Nothing here calls what the file names. A word's `make` takes the arguments and the state that the file gives,
checks them, and builds the value with our own code.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kineme.formats.arrays import check_text

_DTYPE = re.compile(r"([<>|=]?)([biufcSUO])(\d{0,6})")
#: largest side of a sparse matrix
_MAX_SIDE = 10_000_000


class Refused(Exception):
    """What the pickle asks for is not given."""


class Budget:
    """Bytes that may still be made."""

    def __init__(self, left: int):
        self.left = left

    def spend(self, count: int) -> None:
        """Raises `Refused` once there are none left."""
        self.left -= count
        if self.left < 0:
            raise Refused("the pickle unpacks to much more than the file's size; it is not read")


@dataclass(frozen=True)
class Word:
    """A class or function on the allow-list. `make` : (the call with its parts made, budget) -> value."""

    name: str
    make: Callable[[Call, Budget], Any]


@dataclass(eq=False)
class Call:
    """A word with its arguments, the state it is given afterwards, and what is put into it."""

    word: Word
    args: tuple[Any, ...]
    state: Any = None
    items: list[Any] = field(default_factory=list)
    pairs: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ChumpyArray:
    """What stands for a chumpy array, which body models of Python 2 hold: the numbers, nothing else."""

    array: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        return self.array.shape


def shown(text: str, most: int = 60) -> str:
    """Text of a file as it may be printed: no control characters, not longer than `most`."""
    plain = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text[: most + 1])
    return plain if len(text) <= most else plain[: most - 1] + "…"


def _need(fits: bool, what: str) -> None:
    if not fits:
        raise Refused(f"the pickle is damaged ({what})")


def _tuple(value: Any, least: int, what: str) -> tuple[Any, ...]:
    _need(isinstance(value, tuple) and len(value) >= least, what)
    return value


def _bytes(value: Any, budget: Budget) -> bytes:
    if isinstance(value, str):  # of Python 2
        budget.spend(len(value))
        return value.encode("latin-1")
    _need(isinstance(value, bytes | bytearray), "bytes are missing")
    return value if isinstance(value, bytes) else bytes(value)


# --- numpy -----------------------------------------------------------------------------------------------


def _dtype(call: Call, _: Budget) -> np.dtype:
    spelled = call.args[0] if call.args else None
    if isinstance(spelled, bytes):
        spelled = spelled.decode("latin-1")
    match = _DTYPE.fullmatch(spelled) if isinstance(spelled, str) else None
    if match is None:
        raise Refused(
            f"the pickle holds an array of {shown(str(spelled)[:99])}; only plain numbers and text are read"
        )
    order, kind, size = match.groups()
    state = call.state
    if state is not None:
        state = _tuple(state, 5, "the state of a dtype")
        if state[2] is not None or state[3] is not None or state[4] is not None:
            raise Refused("the pickle holds an array with fields; only plain numbers and text are read")
        order = state[1].decode("latin-1") if isinstance(state[1], bytes) else state[1]
        _need(order in ("<", ">", "|", "="), "the byte order of a dtype")
    if kind == "O":
        return np.dtype(object)
    found = np.dtype(f"{'' if order == '|' else order}{kind}{size}")
    _need(found.itemsize > 0, "a dtype without a size")
    return found


def _shape(value: Any) -> tuple[int, ...]:
    fits = isinstance(value, tuple) and len(value) <= 16
    _need(fits and all(isinstance(n, int) and 0 <= n < 2**48 for n in value), "the shape of an array")
    return value


def _array(call: Call, budget: Budget) -> np.ndarray:
    state = _tuple(call.state, 4, "an array without content")
    _need(len(state) < 6, "an array without content")
    shape, dtype, fortran, content = state[-4:]
    _need(isinstance(dtype, np.dtype), "an array without a dtype")
    shape = _shape(shape)
    order = "F" if fortran else "C"
    if dtype.hasobject:
        _need(isinstance(content, list) and len(content) == math.prod(shape), "the size of an array")
        flat = np.empty(len(content), dtype=object)
        for at, value in enumerate(content):
            flat[at] = value
        return flat.reshape(shape, order=order)
    data = _bytes(content, budget)
    _need(len(data) == math.prod(shape) * dtype.itemsize, "the size of an array")
    return check_text(np.frombuffer(data, dtype).reshape(shape, order=order))


def _from_buffer(call: Call, budget: Budget) -> np.ndarray:
    _need(len(call.args) == 4, "an array without content")
    content, dtype, shape, order = call.args
    _need(isinstance(dtype, np.dtype) and not dtype.hasobject, "an array without a dtype")
    data = _bytes(content, budget)
    shape = _shape(shape)
    _need(len(data) == math.prod(shape) * dtype.itemsize, "the size of an array")
    return check_text(np.frombuffer(data, dtype).reshape(shape, order="F" if order == "F" else "C"))


def _scalar(call: Call, budget: Budget) -> Any:
    _need(len(call.args) == 2 and isinstance(call.args[0], np.dtype), "a number without a dtype")
    dtype = call.args[0]
    _need(not dtype.hasobject, "a number that is an object")
    data = _bytes(call.args[1], budget)
    _need(len(data) == dtype.itemsize, "the size of a number")
    return check_text(np.frombuffer(data, dtype))[0]


# --- scipy.sparse and chumpy ------------------------------------------------------------------------------


def _sparse(kind: str) -> Callable[[Call, Budget], Any]:
    def make(call: Call, _: Budget) -> Any:
        from scipy import sparse

        state = call.state
        _need(isinstance(state, dict), "a sparse matrix without content")
        shape = _shape(state.get("_shape", state.get("shape")))
        _need(len(shape) == 2 and max(shape) <= _MAX_SIDE, "the shape of a sparse matrix")
        if kind == "coo":
            places = state.get("coords", (state.get("row"), state.get("col")))
            _need(isinstance(places, tuple) and len(places) == 2, "the places of a sparse matrix")
            parts = [state.get("data"), *places]
        else:
            parts = [state.get("data"), state.get("indices"), state.get("indptr")]
        _need(all(isinstance(p, np.ndarray) and p.ndim == 1 for p in parts), "the parts of a sparse matrix")
        data, *places = parts
        _need(
            data.dtype.kind in "fiub" and all(p.dtype.kind in "iu" for p in places), "a sparse matrix's kind"
        )
        if kind == "coo":
            return sparse.coo_matrix((data, (places[0], places[1])), shape=shape)
        made = {"csc": sparse.csc_matrix, "csr": sparse.csr_matrix}[kind]((data, *places), shape=shape)
        made.check_format(full_check=True)
        return made

    return make


def _chumpy(call: Call, _: Budget) -> ChumpyArray:
    held = call.state.get("x") if isinstance(call.state, dict) else None
    held = held.array if isinstance(held, ChumpyArray) else held
    _need(isinstance(held, np.ndarray) and held.dtype.kind in "fiu", "a chumpy array without numbers")
    assert isinstance(held, np.ndarray)
    return ChumpyArray(held)


def _chumpy_select(call: Call, _: Budget) -> ChumpyArray:
    """Some elements of another array: the older body models slice their shape directions this way."""
    state = call.state if isinstance(call.state, dict) else {}
    source, places, shape = state.get("a"), state.get("idxs"), state.get("preferred_shape")
    source = source.array if isinstance(source, ChumpyArray) else source
    _need(isinstance(source, np.ndarray) and isinstance(places, np.ndarray), "a chumpy selection")
    assert isinstance(source, np.ndarray) and isinstance(places, np.ndarray)
    _need(source.dtype.kind in "fiu" and places.dtype.kind in "iu", "a chumpy selection")
    fits = places.size == 0 or (places.min() >= 0 and places.max() < source.size)
    _need(bool(fits), "a chumpy selection")
    picked = source.reshape(-1)[places.reshape(-1)]
    return ChumpyArray(picked if shape is None else picked.reshape(_shape(shape)))


# --- Python's own -----------------------------------------------------------------------------------------


def _mapping(call: Call, _: Budget) -> dict:
    found: dict = {}
    given = call.args[0] if call.args else []
    _need(isinstance(given, list | tuple | dict), "a dictionary")
    pairs = list(given.items()) if isinstance(given, dict) else given
    for pair in pairs:
        _need(isinstance(pair, list | tuple) and len(pair) == 2, "a pair of a dictionary")
        _need(isinstance(pair[0], str | bytes | int | float), "a key of a dictionary")
        found[pair[0]] = pair[1]
    return found | call.pairs


def _set(call: Call, budget: Budget) -> set:
    given = call.args[0] if call.args else []
    _need(isinstance(given, list | tuple | set), "a set")
    members = [*given, *call.items]
    budget.spend(64 * len(members))
    plain = (str, bytes, int, float, bool, type(None), np.generic)
    _need(all(isinstance(member, plain) for member in members), "a set of other things than text and numbers")
    return set(members)


def _encode(call: Call, budget: Budget) -> bytes:
    _need(bool(call.args) and isinstance(call.args[0], str), "bytes")
    return _bytes(call.args[0], budget)


def _byte_string(call: Call, budget: Budget) -> bytes:
    """How protocols below 3 and 5 write bytes and bytearrays."""
    if not call.args:
        return b""
    return _bytes(call.args[0], budget)


def _reconstructed(call: Call, budget: Budget) -> Any:
    """`copyreg._reconstructor(class, base, state)`: how protocols 0 and 1 make a class."""
    _need(len(call.args) == 3 and isinstance(call.args[0], Word), "a class")
    made = Call(call.args[0], (), call.state)
    made.items, made.pairs = call.items, call.pairs
    return made.word.make(made, budget)


def _nothing(call: Call, _: Budget) -> Any:
    raise Refused(f"the pickle makes a bare {call.word.name}")


def _words() -> dict[tuple[str, str], Word]:
    found: dict[tuple[str, str], Word] = {}

    def add(modules: tuple[str, ...], name: str, make: Callable[[Call, Budget], Any]) -> None:
        for module in modules:
            found[module, name] = Word(name, make)

    inner = ("numpy.core", "numpy._core")
    add(("numpy",), "dtype", _dtype)
    add(("numpy",), "ndarray", _nothing)
    add(tuple(f"{m}.multiarray" for m in inner), "_reconstruct", _array)
    add(tuple(f"{m}.multiarray" for m in inner), "scalar", _scalar)
    add(tuple(f"{m}.numeric" for m in inner), "_frombuffer", _from_buffer)
    for kind in ("csc", "csr", "coo"):
        places = (f"scipy.sparse.{kind}", f"scipy.sparse._{kind}")
        add(places, f"{kind}_matrix", _sparse(kind))
        add(places, f"{kind}_array", _sparse(kind))
    add(("chumpy.ch", "chumpy"), "Ch", _chumpy)
    add(("chumpy.reordering",), "Select", _chumpy_select)
    add(("collections",), "OrderedDict", _mapping)
    add(("_codecs",), "encode", _encode)
    add(("copy_reg", "copyreg"), "_reconstructor", _reconstructed)
    own = ("builtins", "__builtin__")
    add(own, "dict", _mapping)
    for name in ("set", "frozenset"):
        add(own, name, _set)
    for name in ("bytes", "bytearray"):
        add(own, name, _byte_string)
    add(own, "object", _nothing)
    return found


#: (module, name) -> what we make of it; everything else is refused
WORDS = _words()
