"""The rotation mappings against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from kineme.motion import rotations as R

ORDERS = ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"]
_unit_interval = st.floats(-1, 1, width=32)


def vectors(*shape: int):
    return arrays(np.float64, (*shape, 3), elements=st.floats(-1, 1, width=32))


@st.composite
def quaternions(draw) -> np.ndarray:
    """Unit quaternions xyzw (4, 4), spread over all rotations."""
    values = draw(arrays(np.float64, (4, 4), elements=_unit_interval))
    norms = np.linalg.norm(values, axis=-1, keepdims=True)
    assume(norms.min() > 1e-2)
    return values / norms


@given(vectors(5))
def test_axis_angle_is_scipys(rotvec: np.ndarray) -> None:
    rotvec = rotvec * 1.8  # up to 3.1 rad: past pi the inverse has another answer
    expected = Rotation.from_rotvec(rotvec).as_matrix()
    assert np.allclose(R.axis_angle_to_matrix(rotvec), expected, atol=1e-6)
    assume(np.linalg.norm(rotvec, axis=-1).max() < 3.1)
    assert np.allclose(R.matrix_to_axis_angle(expected), rotvec, atol=1e-5)


@given(quaternions())
def test_quaternions_are_scipys_xyzw(quaternion: np.ndarray) -> None:
    expected = Rotation.from_quat(quaternion).as_matrix()
    assert np.allclose(R.quaternion_to_matrix(quaternion), expected, atol=1e-6)
    back = R.matrix_to_quaternion(expected)
    same = np.abs((back * quaternion).sum(-1))  # q and -q are one rotation
    assert np.allclose(same, 1, atol=1e-6)


@given(st.sampled_from(ORDERS), vectors(4))
def test_euler_is_scipys_intrinsic(order: str, angles: np.ndarray) -> None:
    degrees = angles * 180
    expected = Rotation.from_euler(
        order, degrees, degrees=True
    ).as_matrix()  # capitals are intrinsic in scipy
    assert np.allclose(R.euler_to_matrix(order, degrees), expected, atol=1e-9)


@given(st.sampled_from(ORDERS), quaternions())
def test_euler_round_trip(order: str, quaternion: np.ndarray) -> None:
    matrix = Rotation.from_quat(quaternion).as_matrix()
    again = R.euler_to_matrix(order, R.matrix_to_euler(order, matrix))
    assert np.allclose(again, matrix, atol=1e-6)


def test_euler_takes_whole_numbers_and_fewer_axes() -> None:
    assert np.allclose(R.euler_to_matrix("Z", np.array([90])) @ [1, 0, 0], [0, 1, 0])
    with pytest.raises(ValueError, match="empty"):
        R.euler_to_matrix("", np.zeros(0))


@given(quaternions())
def test_sixd_round_trip(quaternion: np.ndarray) -> None:
    matrix = Rotation.from_quat(quaternion).as_matrix()
    assert np.allclose(R.sixd_to_matrix(R.matrix_to_sixd(matrix)), matrix, atol=1e-9)


@given(arrays(np.float64, (3, 6), elements=_unit_interval))
def test_any_sixd_gives_a_rotation(sixd: np.ndarray) -> None:
    a, b = sixd[:, :3], sixd[:, 3:]
    assume(np.linalg.norm(np.cross(a, b), axis=-1).min() > 1e-3)
    matrix = R.sixd_to_matrix(sixd)
    assert np.allclose(matrix @ np.swapaxes(matrix, -1, -2), np.eye(3), atol=1e-9)
    assert np.allclose(np.linalg.det(matrix), 1)


@given(quaternions(), quaternions(), st.floats(0, 1))
def test_slerp_is_scipys(start: np.ndarray, end: np.ndarray, weight: float) -> None:
    a, b = Rotation.from_quat(start), Rotation.from_quat(end)
    between = a.inv() * b
    assume(between.magnitude().max() < 3.1)  # at pi either way round is the shortest
    expected = (a * Rotation.from_rotvec(between.as_rotvec() * weight)).as_matrix()
    found = R.slerp(a.as_matrix(), b.as_matrix(), np.full(4, weight))
    assert np.allclose(found, expected, atol=1e-5)


@given(vectors(6), vectors(6))
def test_rotation_between_is_the_smallest_that_works(a: np.ndarray, b: np.ndarray) -> None:
    na, nb = np.linalg.norm(a, axis=-1), np.linalg.norm(b, axis=-1)
    assume(min(na.min(), nb.min()) > 1e-3)
    a, b = a / na[:, None], b / nb[:, None]
    matrix = R.rotation_between(a, b)
    assert np.allclose((matrix @ a[..., None])[..., 0], b, atol=3e-5)
    assert np.allclose(matrix @ np.swapaxes(matrix, -1, -2), np.eye(3), atol=1e-5)
    angle = Rotation.from_matrix(matrix).magnitude()
    assert np.allclose(np.cos(angle), (a * b).sum(-1), atol=1e-5)  # no more than the angle between them


@pytest.mark.parametrize("tilt", [0.0, 1e-7, 1e-5, 1e-3])
@pytest.mark.parametrize("direction", np.vstack([np.eye(3), -np.eye(3), [[1, 2, 3]]]).tolist())
def test_rotation_between_opposite_directions(direction: list[float], tilt: float) -> None:
    a = np.array(direction) / np.linalg.norm(direction)
    b = -a + tilt * np.roll(a, 1)
    b /= np.linalg.norm(b)
    matrix = R.rotation_between(a, b)
    assert np.allclose(matrix @ a, b, atol=3e-5)
    assert np.isclose(np.linalg.det(matrix), 1)
    assert np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-5)


def test_rotation_between_keeps_single_precision_and_broadcasts() -> None:
    a = np.float32([[1, 0, 0], [0, 1, 0]])
    matrix = R.rotation_between(a, np.float32([0, 0, 1]))
    assert matrix.dtype == np.float32
    assert np.allclose((matrix @ a[..., None])[..., 0], [0, 0, 1])


def test_yaw_turns_plus_z_to_plus_x() -> None:
    assert np.allclose(R.yaw_matrix(np.pi / 2) @ [0, 0, 1], [1, 0, 0])
    assert R.yaw_matrix(np.zeros(4)).shape == (4, 3, 3)


def test_read_only_arrays_are_taken_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    matrix = np.eye(3)[None].copy()
    matrix.setflags(write=False)
    R.matrix_to_quaternion(matrix)
    assert not recwarn.list
