"""Body model files, from small ones in exactly the layout of SMPL's."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from kineme.body.smpl_file import read_smpl
from kineme.errors import InputError
from pickles import py2_smpl

V, J, B = 9, 24, 10
PARENTS = (0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21)


def _model(**changes: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    weights = rng.random((V, J))
    table = np.array([PARENTS, range(J)], dtype=np.uint32)
    table[0, 0] = 2**32 - 1
    model = {
        "v_template": rng.normal(size=(V, 3)),
        "shapedirs": rng.normal(size=(V, 3, B)),
        "posedirs": rng.normal(size=(V, 3, 9 * (J - 1))),
        "J_regressor": np.full((J, V), 1 / V),
        "weights": weights / weights.sum(axis=1, keepdims=True),
        "kintree_table": table,
        "f": np.array([[0, 1, 2], [6, 7, 8]], dtype=np.uint32),
    }
    return model | changes


def _npz(path: Path, model: dict[str, Any]) -> Path:
    np.savez(path, **model)
    return path


def test_a_pickle_and_an_npz_hold_the_same_model(tmp_path: Path) -> None:
    model = _model()
    sparse = model | {"J_regressor": scipy.sparse.csc_matrix(model["J_regressor"])}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(sparse, 2))
    a, b = read_smpl(tmp_path / "a.pkl"), read_smpl(_npz(tmp_path / "b.npz", model))
    assert a.name == b.name == "smpl" and a.parents == b.parents == (-1, *PARENTS[1:])
    for name in ("v_template", "shapedirs", "posedirs", "joint_regressor", "weights", "faces"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
        assert not getattr(a, name).flags.writeable
    np.testing.assert_allclose(a.rest_joints, np.tile(model["v_template"].mean(axis=0), (J, 1)), atol=1e-6)


def test_a_pickle_of_python_2_with_chumpy(tmp_path: Path) -> None:
    (tmp_path / "basicModel_f_lbs_10_207_0_v1.0.0.pkl").write_bytes(py2_smpl())
    model = read_smpl(tmp_path / "basicModel_f_lbs_10_207_0_v1.0.0.pkl")
    assert model.name == "unknown" and model.parents == (-1, 0)  # two joints
    np.testing.assert_array_equal(model.shapedirs, np.arange(24.0).reshape(4, 3, 2))
    np.testing.assert_array_equal(model.joint_regressor, [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])


def test_arrays_that_are_not_wanted_are_not_read(tmp_path: Path) -> None:
    """SMPL-X's file has pickled objects beside the arrays."""
    model = _model(part2num=np.array({"a": 1}, dtype=object))
    assert read_smpl(_npz(tmp_path / "SMPLX.npz", model)).name == "smpl"


def _table(*parents: int) -> np.ndarray:
    return np.array([parents, range(len(parents))], dtype=np.int64)


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"v_template": np.zeros((2, 3))}, "'v_template' has the shape"),
        ({"v_template": np.zeros((300_000, 3), np.float16)}, "'v_template' has the shape"),
        ({"v_template": np.full((V, 3), np.nan)}, "not finite"),
        ({"shapedirs": np.zeros((V, 2, B))}, "'shapedirs' has the shape"),
        ({"posedirs": np.zeros((V, 3, 9))}, "'posedirs' has the shape"),
        ({"J_regressor": np.zeros((J, 3))}, "'J_regressor' has the shape"),
        ({"weights": np.ones((V, J))}, "do not sum to 1"),
        ({"weights": np.array(["a"])}, "'weights' has the shape"),
        ({"kintree_table": _table(-1, 1)}, "no tree"),
        ({"kintree_table": _table(-1, 2, 1)}, "no tree"),
        ({"kintree_table": _table(0, 0)}, "begin with its root"),
        ({"kintree_table": np.zeros((2, 10**5), int)}, "no table of parents"),
        ({"f": np.array([[0, 1, V]])}, "a vertex that is not there"),
        ({"f": np.zeros((2, 4), int)}, "no triangles"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = _npz(tmp_path / "model.npz", _model(**changes))
    with pytest.raises(InputError, match=said) as caught:
        read_smpl(path)
    assert str(caught.value).startswith(str(path))


def test_a_sparse_regressor_of_a_wrong_shape_is_never_unpacked(tmp_path: Path) -> None:
    huge = scipy.sparse.coo_matrix(([1.0], ([0], [0])), shape=(9_999_999, 9_999_999))
    (tmp_path / "a.pkl").write_bytes(pickle.dumps(_model(J_regressor=huge), 2))
    with pytest.raises(InputError, match="'J_regressor' has the shape"):
        read_smpl(tmp_path / "a.pkl")


def test_other_files(tmp_path: Path) -> None:
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"v_template": 1}))
    with pytest.raises(InputError, match="no SMPL model: it lacks shapedirs"):
        read_smpl(tmp_path / "a.pkl")
    (tmp_path / "b.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(InputError, match="asks for os.system"):
        read_smpl(tmp_path / "b.pkl")
    with pytest.raises(InputError, match="no such model file"):
        read_smpl(tmp_path / "none.pkl")
