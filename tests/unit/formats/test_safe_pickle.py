"""The allow-list unpickler: what it reads, what it refuses, and that nothing runs or grows."""

from __future__ import annotations

import collections
import os
import pickle
import pickletools
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from kineme.errors import InputError
from kineme.formats.pickle_words import ChumpyArray
from kineme.formats.safe_pickle import parse_pickle, read_pickle
from pickles import py2_chumpy, py2_smpl, py2_string

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(plain, st.sampled_from(PROTOCOLS))
def test_plain_values_are_what_pickle_reads(value: Any, protocol: int) -> None:
    assert parse_pickle(pickle.dumps(value, protocol)) == value


ARRAYS = {
    "C": np.arange(24.0).reshape(2, 3, 4),
    "F": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "big-endian": np.arange(5, dtype=">i4"),
    "empty": np.zeros((0, 72)),
    "no dimensions": np.array(2.5),
    "text": np.array(["walk", "run"]),
    "bytes": np.array([b"a", b"bc"]),
    "bool": np.array([True, False]),
    "complex": np.array([1 + 2j]),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_are_what_numpy_reads(name: str, protocol: int) -> None:
    array = ARRAYS[name]
    found = parse_pickle(pickle.dumps({"x": array, "same": array}, protocol))
    assert found["x"].dtype == array.dtype
    np.testing.assert_array_equal(found["x"], array)
    assert found["same"] is found["x"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_scalars_dicts_sets_and_object_arrays(protocol: int) -> None:
    ragged = np.empty(2, dtype=object)
    ragged[0], ragged[1] = np.zeros((2, 3)), np.ones((1, 3))
    value = {
        "scalar": np.float32(1.5),
        "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
        "set": {1, "two"},
        "bytes": bytearray(b"xy"),
        "ragged": ragged,
    }
    found = parse_pickle(pickle.dumps(value, protocol))
    assert found["scalar"] == np.float32(1.5) and isinstance(found["scalar"], np.float32)
    assert list(found["ordered"].items()) == [("b", 1), ("a", 2)] and type(found["ordered"]) is dict
    assert found["set"] == {1, "two"} and bytes(found["bytes"]) == b"xy"
    assert found["ragged"].shape == (2,) and found["ragged"][1].shape == (1, 3)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", ["csc_matrix", "csr_matrix", "coo_matrix", "csc_array", "csr_array"])
def test_sparse_matrices(kind: str, protocol: int) -> None:
    dense = np.array([[0, 1.5, 0], [0, 0, 2.0]])
    found = parse_pickle(pickle.dumps(getattr(scipy.sparse, kind)(dense), protocol))
    np.testing.assert_array_equal(found.toarray(), dense)


def test_python_2_and_chumpy() -> None:
    found = parse_pickle(py2_smpl())
    assert isinstance(found["shapedirs"], ChumpyArray)
    np.testing.assert_array_equal(found["shapedirs"].array, np.arange(24.0).reshape(4, 3, 2))
    assert found["J_regressor"].shape == (2, 4) and found["bs_type"] == "lrotmin"
    np.testing.assert_array_equal(found["v_template"], np.arange(12.0).reshape(4, 3) - 128)


def test_a_chumpy_selection_is_followed() -> None:
    whole = np.arange(12.0).reshape(4, 3)
    state = {"a": whole, "idxs": np.array([0, 3]), "preferred_shape": (1, 2)}
    found = parse_pickle(py2_chumpy("chumpy.reordering", "Select", state))
    np.testing.assert_array_equal(found.array, [[0.0, 3.0]])


# --- what is refused --------------------------------------------------------------------------------------


class _Runs:
    def __init__(self, function: Any, *args: Any):
        self.how = (function, args)

    def __reduce__(self) -> Any:
        return self.how


class _Person:
    pass


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "make, name",
    [
        (lambda f: _Runs(os.system, f"touch {f}"), "system"),
        (lambda f: _Runs(eval, f"open({str(f)!r}, 'w')"), "eval"),
        (lambda f: _Runs(subprocess.Popen, ["touch", str(f)]), "Popen"),
        (lambda f: _Runs(getattr, "text", "format"), "getattr"),
        (lambda f: _Runs(np.load, str(f)), "numpy"),
        (lambda f: _Person(), "_Person"),
        (lambda f: {"poses": [np.zeros(3), _Runs(os.system, f"touch {f}")]}, "system"),
    ],
)
def test_nothing_is_run_and_what_was_asked_for_is_named(
    make: Any, name: str, protocol: int, tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps(make(mark), protocol))
    with pytest.raises(InputError, match=rf"evil\.pkl: the pickle asks for .*{name}.*save it again as \.npz"):
        read_pickle(path)
    assert not mark.exists()


def test_a_pickle_imports_nothing() -> None:
    code = (
        "import sys; from kineme.formats.safe_pickle import parse_pickle\n"
        "try: parse_pickle(b'cantigravity\\nfly\\n.')\nexcept Exception as e: print(type(e).__name__)\n"
        "print('antigravity' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["InputError", "False"]


def _array_state(shape: tuple[int, ...], data: bytes, kind: str = "f8") -> bytes:
    """An array of any shape and content, as protocol 0 spells it."""
    dims = "".join(f"L{n}L\n" for n in shape)
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(L0L\ntS'b'\ntR(L1L\n("
        + f"{dims}tcnumpy\ndtype\n(S'{kind}'\nI0\nI1\ntRI00\n".encode()
        + b"S"
        + repr(data)[1:].encode()
        + b"\ntb."
    )


def nested(depth: int) -> bytes:
    return b"]" * depth + b"a" * (depth - 1) + b"."


COPIES = b"X\x00\x00\x10\x00" + b"a" * 2**20 + b"q\x00" + b"c_codecs\nencode\nh\x00\x85R0" * 200 + b"N."
HOSTILE = {
    "claims 10 GB of bytes": (b"\x80\x04\x8e" + (10 * 2**30).to_bytes(8, "little") + b"xx.", "damaged"),
    "claims 4 GB of text": (b"\x80\x02X\xff\xff\xff\xff" + b"x.", "damaged"),
    "negative size": (b"T\xff\xff\xff\xffab.", "damaged"),
    "array of 8 TB": (_array_state((10**12,), b""), "size of an array"),
    "array without bytes per item": (_array_state((10**12,), b"", "S0"), "without a size"),
    "array of fields": (_array_state((1,), b"x", "V8"), "only plain numbers"),
    "100,000 lists deep": (nested(100_000), "nested more than"),
    "contains itself": (b"]q\x00h\x00a.", "contains itself"),
    "tuple of itself as a key": (b"}(I1\ntI2\ns.", "keys are neither"),
    "cut off": (pickle.dumps({"a": np.zeros(9)})[:-20], "damaged|cut off"),
    "no pickle": (b"<html>", "no pickle"),
    "nothing": (b"", "damaged|cut off"),
    "empty stack": (b".", "damaged"),
    "extension": (b"\x82\x01.", "EXT1"),
    "outside buffer": (b"\x80\x05\x97.", "NEXT_BUFFER"),
    "persistent id": (b"Pabc\n.", "PERSID"),
    "huge number": (b"\x8b" + (100_000).to_bytes(4, "little") + b"\x7f" * 100_000 + b".", "128 bits"),
    "long decimal number": (b"I" + b"9" * 100_000 + b"\n.", "damaged"),
    "control characters in a name": (b"c\x1b[31mos\nsystem\x07\n.", r"\\x1b\[31mos\.system\\x07"),
    "state of a list": (b"](I1\ntb.", "state"),
    "calls a number": (b"I1\n(tR.", "no class"),
    "copies without end": (COPIES, None),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    data, said = HOSTILE[name]
    path = tmp_path / "file.pkl"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        if said is None:
            assert read_pickle(path) is None  # what is thrown away is never made
        else:
            with pytest.raises(InputError, match=said) as caught:
                read_pickle(path)
            assert "\n" not in str(caught.value) and str(caught.value).isprintable()
        assert tracemalloc.get_traced_memory()[1] < 8 * len(data) + 2**24
    finally:
        tracemalloc.stop()


def test_copies_of_a_large_text_are_counted() -> None:
    text = b"X\x00\x00\x10\x00" + b"a" * 2**20 + b"q\x00"
    with pytest.raises(InputError, match="much more than the file"):
        parse_pickle(text + b"]" + b"c_codecs\nencode\nh\x00\x85Ra" * 200 + b".")


def test_a_shared_list_is_made_once() -> None:
    """Thirty lists, each holding the one before twice: 2^30 leaves if they were unfolded."""
    levels = b"".join(b"](h" + bytes([n]) + b"h" + bytes([n]) + b"eq" + bytes([n + 1]) for n in range(30))
    value = parse_pickle(b"]q\x00" + levels + b".")
    assert value[0] is value[1]


def test_too_many_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kineme.formats.safe_pickle.MAX_STEPS", 100)
    with pytest.raises(InputError, match="more than 100 instructions"):
        parse_pickle(b"]" + b"Na" * 60 + b".")


@given(st.binary(max_size=200))
def test_any_bytes_give_a_value_or_one_error(data: bytes) -> None:
    try:
        parse_pickle(data)
    except InputError:
        pass


@given(st.data())
def test_mutated_pickles_give_a_value_or_one_error(data: st.DataObject) -> None:
    whole = pickle.dumps(ARRAYS, data.draw(st.sampled_from(PROTOCOLS)))
    good = bytearray(py2_smpl() if data.draw(st.booleans()) else whole)
    for _ in range(data.draw(st.integers(1, 8))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        parse_pickle(bytes(good))
    except InputError:
        pass


def test_every_instruction_is_known_or_refused_on_purpose() -> None:
    from kineme.formats import safe_pickle

    ours = {
        name for name in safe_pickle._PUSHED | set(safe_pickle._CONSTANTS) | safe_pickle._SKIPPED | {"STOP"}
    }
    ours |= {
        code.name for code in pickletools.opcodes if hasattr(safe_pickle._Machine, f"_{code.name.lower()}")
    }
    refused = {code.name for code in pickletools.opcodes} - ours
    assert refused == {"PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4", "NEXT_BUFFER", "READONLY_BUFFER"}


def test_the_python_2_pickles_of_these_tests_are_real_pickles() -> None:
    assert pickle.loads(py2_string(b"caf\xe9"), encoding="latin1") == "café"
