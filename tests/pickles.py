"""Pickles as Python 2 wrote them (protocol 2), byte by byte: today's pickle module no longer makes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse


def _text(data: bytes) -> bytes:
    """SHORT_BINSTRING or BINSTRING."""
    if len(data) < 256:
        return b"U" + bytes([len(data)]) + data
    return b"T" + len(data).to_bytes(4, "little") + data


def _number(value: int) -> bytes:
    return b"J" + int(value).to_bytes(4, "little", signed=True)


def _array(array: np.ndarray) -> bytes:
    kind = array.dtype.str[1:].encode()
    dtype = b"cnumpy\ndtype\n" + _text(kind) + _number(0) + _number(1) + b"\x87R"
    dtype += (
        b"("
        + _number(3)
        + _text(array.dtype.str[:1].encode())
        + b"NNN"
        + _number(-1) * 2
        + _number(0)
        + b"tb"
    )
    shape = b"(" + b"".join(map(_number, array.shape)) + b"t"
    made = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
        + _number(0)
        + b"\x85"
        + _text(b"b")
        + b"\x87R"
    )
    return made + b"(" + _number(1) + shape + dtype + b"\x89" + _text(array.tobytes()) + b"tb"


def _value(value: Any) -> bytes:
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, scipy.sparse.csc_matrix):
        state = {"_shape": value.shape, "data": value.data, "indices": value.indices, "indptr": value.indptr}
        return _object("scipy.sparse.csc", "csc_matrix", {**state, "maxprint": 50, "format": "csc"})
    if isinstance(value, tuple) and len(value) == 3 and value[:1] == ("chumpy",):
        return _object("chumpy.ch", value[1], value[2])
    if isinstance(value, tuple):
        return b"(" + b"".join(map(_value, value)) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(map(_value, value)) + b"e"
    if isinstance(value, dict):
        return b"}(" + b"".join(_text(k.encode()) + _value(v) for k, v in value.items()) + b"u"
    if isinstance(value, set):
        return b"c__builtin__\nset\n" + _value(list(value)) + b"\x85R"
    if value is None:
        return b"N"
    return (
        _number(value)
        if isinstance(value, int)
        else _text(value if isinstance(value, bytes) else value.encode())
    )


def _object(module: str, name: str, state: dict[str, Any]) -> bytes:
    return f"c{module}\n{name}\n".encode() + b")\x81" + _value(state) + b"b"


def py2(value: Any) -> bytes:
    """A pickle of dictionaries, lists, tuples, text, integers, arrays, and what `chumpy` makes."""
    return b"\x80\x02" + _value(value) + b"."


def py2_string(data: bytes) -> bytes:
    """A byte string, which Python 2 calls str."""
    return b"\x80\x02" + _text(data) + b"."


def py2_chumpy(module: str, name: str, state: dict[str, Any]) -> bytes:
    """One chumpy object."""
    return b"\x80\x02" + _object(module, name, state) + b"."


def chumpy(array: np.ndarray) -> tuple[str, str, dict[str, Any]]:
    """A chumpy array for `py2`, with the bookkeeping that its pickles have."""
    return (
        "chumpy",
        "Ch",
        {"x": array, "_dirty_vars": set(), "_itr": None, "_parents": {}, "_cache": {"drs": {}}},
    )


def py2_smpl() -> bytes:
    """A body model of four vertices and two joints, in the layout of SMPL's .pkl files."""
    return py2(
        {
            "J_regressor": scipy.sparse.csc_matrix(np.array([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])),
            "J_regressor_prior": scipy.sparse.csc_matrix(np.eye(2, 4)),
            "f": np.array([[0, 1, 2], [1, 2, 3]], dtype=np.uint32),
            "kintree_table": np.array([[4294967295, 0], [0, 1]], dtype=np.int64),
            "J": np.zeros((2, 3)),
            "weights_prior": np.full((4, 2), 0.5),
            "weights": np.array([[1.0, 0], [1, 0], [0.25, 0.75], [0, 1]]),
            "posedirs": np.arange(4 * 3 * 9.0).reshape(4, 3, 9),
            "v_template": np.arange(12.0).reshape(4, 3) - 128,
            "shapedirs": chumpy(np.arange(24.0).reshape(4, 3, 2)),
            "bs_style": "lbs",
            "bs_type": "lrotmin",
        }
    )
