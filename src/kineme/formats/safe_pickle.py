"""Pickles from strangers, read as data: nothing that they name is ever imported or called.

A pickle is a program. Here it runs on a machine of our own, which knows numbers, text, lists and
dictionaries; a class or function that the file asks for becomes a word of the allow-list in `pickle_words`,
or is refused by name. Arrays are made by our own code from bytes that the file holds, so nothing becomes
larger than the file is. What can be counted has a limit: bytes, instructions, how deep things are nested.

Text of Python 2 is read as Latin-1, which keeps the bytes of its arrays.
"""

from __future__ import annotations

import io
import pickletools
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kineme.errors import InputError
from kineme.formats.options import MAX_BYTES
from kineme.formats.pickle_words import WORDS, Budget, Call, Refused, Word, shown

#: most instructions of a pickle, and how deep its values may be nested
MAX_STEPS, MAX_NESTING = 8_000_000, 100
#: bytes that may be made beside those of the file: copies of text, members of sets
_SPARE = 64 * 1024**2

_Mark = object()
_KEYS = (str, bytes, int, float, bool, type(None))
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_SKIPPED = {"PROTO", "FRAME"}
_PUSHED = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}


def read_pickle(path: Path) -> Any:
    """The value that the pickle at `path` holds: dictionaries, lists, numbers, text, arrays.

    Also `scipy.sparse` matrices and `pickle_words.ChumpyArray`. A dictionary of any kind is a dict, text of
    Python 2 a str. Raises InputError where the file is no pickle, is damaged, asks for anything that is not
    on the allow-list, or is built to take too much memory.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"the pickle is larger than {MAX_BYTES / 1e9:.0f} GB; save it in parts", path)
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"it cannot be read ({error.strerror})", path) from None
    try:
        return parse_pickle(data)
    except InputError as error:
        raise InputError(error.message, path) from None


def parse_pickle(data: bytes) -> Any:
    """The value of a pickle in memory; see `read_pickle`."""
    budget = Budget(2 * len(data) + _SPARE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of text with odd escapes
            return _settle(_Machine(budget).run(data), budget)
    except Refused as error:
        raise InputError(str(error)) from None
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError) as error:
        reason = shown(str(error).split("\n")[0], 120)
        raise InputError(f"this is no pickle, or a damaged one ({reason})") from None


class _Machine:
    """The stack and the memo of a pickle; calls are noted down as `Call`, not made."""

    def __init__(self, budget: Budget):
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.budget = budget

    def run(self, data: bytes) -> Any:
        for count, (code, arg, _) in enumerate(pickletools.genops(io.BytesIO(data))):
            if count > MAX_STEPS:
                raise Refused(f"the pickle has more than {MAX_STEPS} instructions; save it as .npz")
            name = code.name
            if name in _PUSHED:
                if isinstance(arg, int) and abs(arg) >> 128:
                    raise Refused("the pickle holds a number of more than 128 bits")
                self.stack.append(arg)
            elif name in _CONSTANTS:
                self.stack.append(_CONSTANTS[name])
            elif name == "STOP":
                return self.stack.pop()
            elif name not in _SKIPPED:
                step = getattr(self, f"_{name.lower()}", None)
                if step is None:
                    raise Refused(f"the pickle uses {name}, which kineme does not follow")
                step(arg)
        raise Refused("the pickle is cut off")

    # --- the stack ---

    def _pop_to_mark(self) -> list[Any]:
        for at in range(len(self.stack) - 1, -1, -1):
            if self.stack[at] is _Mark:
                found = self.stack[at + 1 :]
                del self.stack[at:]
                return found
        raise Refused("the pickle is damaged (a mark is missing)")

    def _mark(self, _: Any) -> None:
        self.stack.append(_Mark)

    def _pop(self, _: Any) -> None:
        self.stack.pop()

    def _pop_mark(self, _: Any) -> None:
        self._pop_to_mark()

    def _dup(self, _: Any) -> None:
        self.stack.append(self.stack[-1])

    def _put(self, number: int) -> None:
        self.memo[number] = self.stack[-1]

    _binput = _long_binput = _put

    def _memoize(self, _: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def _get(self, number: int) -> None:
        self.stack.append(self.memo[number])

    _binget = _long_binget = _get

    # --- containers ---

    def _empty_list(self, _: Any) -> None:
        self.stack.append([])

    def _empty_dict(self, _: Any) -> None:
        self.stack.append({})

    def _empty_tuple(self, _: Any) -> None:
        self.stack.append(())

    def _empty_set(self, _: Any) -> None:
        self.budget.spend(256)
        self.stack.append(Call(WORDS["builtins", "set"], ()))

    def _list(self, _: Any) -> None:
        self.stack.append(self._pop_to_mark())

    def _tuple(self, _: Any) -> None:
        self.stack.append(tuple(self._pop_to_mark()))

    def _tuple1(self, _: Any) -> None:
        self._take_tuple(1)

    def _tuple2(self, _: Any) -> None:
        self._take_tuple(2)

    def _tuple3(self, _: Any) -> None:
        self._take_tuple(3)

    def _take_tuple(self, count: int) -> None:
        if len(self.stack) < count:
            raise Refused("the pickle is damaged (its stack is empty)")
        found = tuple(self.stack[-count:])
        del self.stack[-count:]
        self.stack.append(found)

    def _dict(self, _: Any) -> None:
        found = self._pop_to_mark()
        self.stack.append({})
        self._set_pairs(found)

    def _frozenset(self, _: Any) -> None:
        self.stack.append(Call(WORDS["builtins", "set"], (self._pop_to_mark(),)))

    def _append(self, _: Any) -> None:
        self._extend([self.stack.pop()])

    def _appends(self, _: Any) -> None:
        self._extend(self._pop_to_mark())

    _additems = _appends

    def _extend(self, found: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(found)
        elif isinstance(target, Call):
            target.items.extend(found)
        else:
            raise Refused("the pickle is damaged (items are put into what is no list)")

    def _setitem(self, _: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._set_pairs([key, value])

    def _setitems(self, _: Any) -> None:
        self._set_pairs(self._pop_to_mark())

    def _set_pairs(self, found: list[Any]) -> None:
        target = self.stack[-1]
        into = target if isinstance(target, dict) else target.pairs if isinstance(target, Call) else None
        if into is None or len(found) % 2:
            raise Refused("the pickle is damaged (items are put into what is no dictionary)")
        for key, value in zip(found[::2], found[1::2], strict=True):
            if not isinstance(key, _KEYS):  # the hash of nested tuples can take forever
                raise Refused("the pickle holds a dictionary whose keys are neither text nor numbers")
            into[key] = value

    # --- classes and functions ---

    def _global(self, named: str) -> None:
        module, _, name = named.partition(" ")
        self._push_word(module, name)

    def _stack_global(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise Refused("the pickle is damaged (a class without a name)")
        self._push_word(module, name)

    def _push_word(self, module: str, name: str) -> None:
        word = WORDS.get((module, name))
        if word is None:
            asked = shown(f"{module}.{name}", 80)
            raise Refused(
                f"the pickle asks for {asked}, which kineme does not run; "
                "it may hold numbers, text and NumPy arrays: save it again as .npz"
            )
        self.stack.append(word)

    def _reduce(self, _: Any) -> None:
        args, word = self.stack.pop(), self.stack.pop()
        self._call(word, args)

    _newobj = _reduce

    def _newobj_ex(self, _: Any) -> None:
        named = self.stack.pop()
        if named:
            raise Refused("the pickle is damaged (a class made by named arguments)")
        self._reduce(None)

    def _obj(self, _: Any) -> None:
        found = self._pop_to_mark()
        self._call(found[0], tuple(found[1:]))

    def _inst(self, named: str) -> None:
        args = tuple(self._pop_to_mark())
        self._global(named)
        self._call(self.stack.pop(), args)

    def _call(self, word: Any, args: Any) -> None:
        if not isinstance(word, Word) or not isinstance(args, tuple):
            raise Refused("the pickle is damaged (it calls what is no class)")
        self.budget.spend(64)
        self.stack.append(Call(word, args))

    def _build(self, _: Any) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(target, Call) or target.state is not None:
            raise Refused("the pickle is damaged (it gives a state to what has none)")
        target.state = state


def _parts(value: Any) -> Iterator[Any]:
    """What has to be settled before `value`."""
    if isinstance(value, list | tuple):
        yield from value
    elif isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, Call):
        yield from (value.args, value.state, value.items, value.pairs)


def _settle(root: Any, budget: Budget) -> Any:
    """`root` with every `Call` replaced by what it makes; without recursion, each shared part once."""
    settled: dict[int, tuple[int, Any]] = {}  # id -> how deep it is nested, what it became
    open_parts: list[tuple[Any, Iterator[Any]]] = []
    on_path: set[int] = set()

    def enter(value: Any) -> None:
        if not isinstance(value, list | tuple | dict | Call) or id(value) in settled:
            return
        if id(value) in on_path:
            raise Refused("the pickle holds something that contains itself")
        if len(on_path) > 4 * MAX_NESTING:
            raise Refused(f"the pickle is nested more than {MAX_NESTING} deep")
        on_path.add(id(value))
        open_parts.append((value, _parts(value)))

    def become(value: Any) -> Any:
        found = settled.get(id(value))
        return value if found is None else found[1]

    enter(root)
    while open_parts:
        value, parts = open_parts[-1]
        for part in parts:
            before = len(open_parts)
            enter(part)
            if len(open_parts) > before:
                break
        else:
            open_parts.pop()
            on_path.discard(id(value))
            depth = 1 + max((settled[id(p)][0] for p in _parts(value) if id(p) in settled), default=0)
            if depth > 4 * MAX_NESTING:  # a call is up to four steps: itself, its state, a tuple, a dtype
                raise Refused(f"the pickle is nested more than {MAX_NESTING} deep")
            settled[id(value)] = depth, _made(value, become, budget)
    return become(root)


def _made(value: Any, become: Any, budget: Budget) -> Any:
    if isinstance(value, list):
        return [become(part) for part in value]
    if isinstance(value, tuple):
        return tuple([become(part) for part in value])
    if isinstance(value, dict):
        return {key: become(part) for key, part in value.items()}
    call = Call(value.word, become(value.args), become(value.state))
    call.items, call.pairs = become(value.items), become(value.pairs)
    return value.word.make(call, budget)
