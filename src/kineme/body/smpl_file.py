"""SMPL, SMPL-H and SMPL-X model files (``.npz``, ``.pkl``) that a user holds, read without running anything.

The files come from their makers under licences of their own; kineme ships none and fetches none. Arrays (V
vertices, J joints, B shape directions), as in Loper et al., *SMPL*, 2015: template v_template (V, 3), shape
directions shapedirs (V, 3, B), pose directions posedirs (V, 3, 9 (J - 1)), joint regressor J_regressor
(J, V), skinning weights (V, J), kintree_table (2, J) whose first row are the parents, faces f (F, 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kineme.errors import InputError
from kineme.formats.arrays import open_npz
from kineme.formats.pickle_words import ChumpyArray
from kineme.formats.safe_pickle import read_pickle

_KEYS = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table", "f")
_MAX_VERTICES, _MAX_JOINTS, _MAX_SHAPES = 200_000, 200, 1000
#: what says "no parent" in unsigned tables
_NO_PARENT = (-1, 2**32 - 1)
_NAMES = {24: "smpl", 52: "smplh", 55: "smplx"}


@dataclass(frozen=True, eq=False)
class SmplFile:
    """A body model's arrays, checked against each other. Immutable; metres; float32 and int32.

    Attributes
    ----------
    name : ``smpl``, ``smplh``, ``smplx``, or ``unknown`` for another number of joints.
    v_template : (V, 3). shapedirs : (V, 3, B). posedirs : (V, 3, 9 (J - 1)).
    joint_regressor : (J, V). weights : (V, J), rows sum to 1.
    parents : J indices, -1 for the root, parents before children. faces : (F, 3).
    """

    name: str
    v_template: np.ndarray
    shapedirs: np.ndarray
    posedirs: np.ndarray
    joint_regressor: np.ndarray
    weights: np.ndarray
    parents: tuple[int, ...]
    faces: np.ndarray

    @property
    def rest_joints(self) -> np.ndarray:
        """(J, 3) metres: the joints of the template, ``J_regressor @ v_template``."""
        return self.joint_regressor @ self.v_template


def read_smpl(path: str | Path) -> SmplFile:
    """The model in a ``.pkl`` or ``.npz``.

    Raises InputError where the file is no body model, is damaged, or asks for anything to be run.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError("there is no such model file", path)
    with open(path, "rb") as file:
        packed = file.read(2) == b"PK"
    values: Mapping[Any, Any] = open_npz(path, _KEYS) if packed else read_pickle(path)
    if not isinstance(values, dict) or not set(_KEYS) <= set(values):
        held = set(values) if isinstance(values, dict) else set()
        raise InputError(
            f"this is no SMPL model: it lacks {', '.join(k for k in _KEYS if k not in held)}", path
        )
    vertices = _numbers(values["v_template"], "v_template", path)
    if vertices.ndim != 2 or vertices.shape[1] != 3 or not 3 <= len(vertices) <= _MAX_VERTICES:
        raise InputError(f"'v_template' has the shape {vertices.shape} instead of (vertices, 3)", path)
    parents = _parents(values["kintree_table"], path)
    count, joints = len(vertices), len(parents)
    shapes = _numbers(values["shapedirs"], "shapedirs", path)
    if shapes.ndim != 3 or shapes.shape[:2] != (count, 3) or shapes.shape[2] > _MAX_SHAPES:
        raise InputError(f"'shapedirs' has the shape {shapes.shape} instead of ({count}, 3, shapes)", path)
    expected = {
        "posedirs": (count, 3, 9 * (joints - 1)),
        "J_regressor": (joints, count),
        "weights": (count, joints),
    }
    found = {name: _numbers(values[name], name, path, shape) for name, shape in expected.items()}
    sums = found["weights"].sum(axis=1)
    if np.abs(sums - 1).max() > 1e-3 or found["weights"].min() < -1e-6:
        raise InputError("the skinning weights of a vertex do not sum to 1", path)
    return SmplFile(
        _NAMES.get(joints, "unknown"),
        vertices,
        shapes,
        found["posedirs"],
        found["J_regressor"],
        found["weights"],
        parents,
        _faces(values["f"], count, path),
    )


def _plain(value: Any, shape: tuple[int, ...] | None) -> Any:
    """The array in a chumpy stub or a sparse matrix; a sparse matrix only of the shape that is expected."""
    if isinstance(value, ChumpyArray):
        return value.array
    if hasattr(value, "toarray") and value.shape == shape:
        return value.toarray()
    return value


def _numbers(value: Any, name: str, path: Path, shape: tuple[int, ...] | None = None) -> np.ndarray:
    value = _plain(value, shape)
    if shape is not None and getattr(value, "shape", None) != shape:
        raise InputError(f"{name!r} has the shape {getattr(value, 'shape', None)} instead of {shape}", path)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        raise InputError(f"{name!r} holds no plain numbers; save the model again as .npz", path)
    array = np.ascontiguousarray(value, dtype=np.float32)
    if not np.isfinite(array).all():
        raise InputError(f"{name!r} has a number that is not finite", path)
    array = array.view()
    array.setflags(write=False)
    return array


def _parents(table: Any, path: Path) -> tuple[int, ...]:
    table = _plain(table, None)
    fits = isinstance(table, np.ndarray) and table.dtype.kind in "iu" and table.ndim == 2 and len(table) == 2
    if not fits or not 2 <= table.shape[1] <= _MAX_JOINTS:
        raise InputError("'kintree_table' is no table of parents, two rows of joints", path)
    parents = [int(parent) for parent in table[0]]
    # the second row numbers the joints; in all published files it counts from 0
    if parents[0] not in (*_NO_PARENT, 2**64 - 1) or table[1].tolist() != list(range(len(parents))):
        raise InputError("'kintree_table' does not begin with its root, or skips joints", path)
    if any(not 0 <= parent < joint for joint, parent in enumerate(parents) if joint):
        raise InputError("'kintree_table' is no tree with parents before children", path)
    return (-1, *parents[1:])


def _faces(value: Any, vertices: int, path: Path) -> np.ndarray:
    value = _plain(value, None)
    if (
        not isinstance(value, np.ndarray)
        or value.dtype.kind not in "iu"
        or value.ndim != 2
        or value.shape[1] != 3
    ):
        raise InputError("'f' holds no triangles", path)
    if value.size and not (value.min() >= 0 and value.max() < vertices):
        raise InputError("'f' names a vertex that is not there", path)
    faces = np.ascontiguousarray(value, dtype=np.int32).view()
    faces.setflags(write=False)
    return faces
