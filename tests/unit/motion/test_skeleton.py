from __future__ import annotations

import numpy as np
import pytest

from kineme.errors import InputError
from kineme.motion import SMPL22, Skeleton
from kineme.motion.canonical import JOINTS, MIRROR, PARTS


def test_smpl22_is_an_adult_in_a_t_pose() -> None:
    places = dict(zip(SMPL22.names, SMPL22.rest_positions, strict=True))
    assert 1.6 < SMPL22.rest_height < 1.8
    assert places["left_wrist"][0] > 0.5 and places["right_wrist"][0] < -0.5  # +X is the body's left
    assert places["left_foot"][2] > places["left_ankle"][2]  # facing +Z
    assert np.allclose([places["left_wrist"][1], places["left_elbow"][1]], places["left_shoulder"][1])
    _, offsets = zip(*SMPL22.end_sites, strict=True)
    lowest = min(places["left_foot"][1] + y for _, y, _ in offsets)
    assert abs(lowest) < 1e-6  # stands on the floor


def test_mirror_pairs_and_parts_cover_the_body() -> None:
    assert [MIRROR[m] for m in MIRROR] == list(range(22))
    assert all(a.replace("left", "right") == JOINTS[MIRROR[j]] for j, a in enumerate(JOINTS) if "left" in a)
    assert sorted(j for part in PARTS.values() for j in part) == list(range(22))


def test_children_index_and_scaled() -> None:
    chain = Skeleton(("a", "b", "c"), (-1, 0, 0), np.eye(3), end_sites=((1, (0, 0, 2)),))
    assert chain.children == ((1, 2), (), ())
    assert chain.index("c") == 2
    with pytest.raises(InputError, match="no joint is called 'd'; the joints are a, b, c"):
        chain.index("d")
    half = chain.scaled(0.5)
    assert np.allclose(half.offsets, chain.offsets / 2) and half.end_sites == ((1, (0, 0, 1)),)
    assert half.same_tree(chain) and not half.same_tree(SMPL22)


def test_rest_rotations_move_the_rest_pose() -> None:
    quarter = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])  # +X to +Y
    rest = np.stack([quarter, np.eye(3)])
    bone = Skeleton(("a", "b"), (-1, 0), np.array([[0, 0, 0], [1, 0, 0]]), rest, ((1, (1, 0, 0)),))
    assert np.allclose(bone.rest_positions, [[0, 0, 0], [0, 1, 0]])
    assert np.isclose(bone.rest_height, 2)  # to the bone's end


def test_arrays_are_single_precision_and_read_only() -> None:
    assert SMPL22.offsets.dtype == np.float32 and SMPL22.rest_rotations.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        SMPL22.offsets[0] = 1


@pytest.mark.parametrize(
    ("names", "parents", "offsets", "message"),
    [
        ((), (), np.zeros((0, 3)), "no joints"),
        (("a", "b"), (-1,), np.zeros((2, 3)), "disagree"),
        (("a", "b"), (-1, 0), np.zeros((3, 3)), "disagree"),
        (("a", "b"), (-1, -1), np.zeros((2, 3)), "no tree"),
        (("a", "b", "c"), (-1, 2, 0), np.zeros((3, 3)), "no tree"),
        (("a", "b"), (0, 0), np.zeros((2, 3)), "no tree"),
    ],
)
def test_what_is_no_skeleton_is_rejected(names, parents, offsets, message) -> None:
    with pytest.raises(InputError, match=message):
        Skeleton(names, parents, offsets)


def test_what_is_printed_of_a_skeleton_is_short_whatever_its_joints_are_called() -> None:
    said = repr(SMPL22)
    assert said.startswith("Skeleton('smpl22', 22 joints, 1.") and "'pelvis', 'left_hip'" in said
    odd = Skeleton(tuple(f"{k}" + "\x1b\n" * 1000 for k in range(900)), (-1, *range(899)), np.ones((900, 3)))
    assert len(repr(odd)) < 400 and repr(odd).isprintable()
