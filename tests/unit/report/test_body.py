"""Which joints of a rig are drawn, as what, and what is added where a skeleton ends early."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from demo_takes import demo_takes
from kineme.formats import ReadOptions, load_all
from kineme.motion.canonical import JOINTS, SMPL22
from kineme.report.body import page_body

PLACES = demo_takes(1)[0].positions


def _with_floor_root() -> tuple[list[str], list[int], np.ndarray]:
    """The canonical body under a root that lies still on the floor, as some rigs have it."""
    names = ["joint_Root", *JOINTS]
    parents = [-1, 0, *(p + 1 for p in SMPL22.parents[1:])]
    return names, parents, np.concatenate([np.zeros((len(PLACES), 1, 3), np.float32), PLACES], axis=1)


def test_canonical_body_gets_a_head_hands_and_toes() -> None:
    body = page_body(JOINTS, SMPL22.parents, PLACES)
    assert body.kept == tuple(range(22))
    assert [JOINTS[start] for start, *_ in body.ends] == [
        "left_foot",
        "right_foot",
        "head",
        "left_wrist",
        "right_wrist",
    ]
    assert body.skeleton.names[22:] == (
        "left_foot end",
        "right_foot end",
        "head end",
        "left_wrist end",
        "right_wrist end",
    )
    assert abs(body.skeleton.height - 1.70) < 0.03
    assert body.skeleton.across == (1, 2)


def test_places_are_millimetres_over_the_middle_of_the_floor() -> None:
    body = page_body(JOINTS, SMPL22.parents, PLACES)
    shown = body.place(PLACES + np.float32([30.0, 0.0, 9.0]))
    assert shown.dtype == np.int16 and shown.shape == (len(PLACES), 27, 3)
    assert np.abs(shown[..., [0, 2]].min(axis=(0, 1)) + shown[..., [0, 2]].max(axis=(0, 1))).max() <= 2
    apart = np.linalg.norm(shown[:, 4] - shown[:, 1].astype(float), axis=1)  # left hip to left knee
    np.testing.assert_allclose(apart, 400, atol=2)
    head, top = JOINTS.index("head"), body.skeleton.names.index("head end")
    np.testing.assert_allclose(
        np.linalg.norm(shown[:, top] - shown[:, head].astype(float), axis=1), 100, atol=2
    )


def test_wide_motion_keeps_its_width() -> None:
    body = page_body(JOINTS, SMPL22.parents, PLACES)
    wide = PLACES + np.linspace(0, 90, len(PLACES), dtype=np.float32)[:, None, None] * np.float32([1, 0, 0])
    shown = body.place(wide)
    assert shown.dtype == np.int32
    assert abs(int(shown[-1, 0, 0]) - int(shown[0, 0, 0]) - 1000 * (wide[-1, 0, 0] - wide[0, 0, 0])) <= 2


def test_a_root_on_the_floor_is_not_drawn() -> None:
    names, parents, places = _with_floor_root()
    body = page_body(names, parents, places)
    assert body.skeleton.names[0] == "pelvis" and "joint_Root" not in body.skeleton.names
    assert body.skeleton.parents[0] == -1 and min(body.skeleton.parents[1:]) == 0


def test_fingers_may_be_left_out_and_the_hand_stays() -> None:
    wrist = JOINTS.index("left_wrist")
    names = [*JOINTS, "left_index1", "left_thumb1", "left_index2"]
    parents = [*SMPL22.parents, wrist, wrist, 22]
    step = np.float32([0.08, 0, 0])
    fingers = [PLACES[:, wrist] + step, PLACES[:, wrist] + 0.5 * step, PLACES[:, wrist] + 1.5 * step]
    body = page_body(names, parents, np.concatenate([PLACES, np.stack(fingers, axis=1)], axis=1))
    thin = [name for name, detail in zip(body.skeleton.names, body.skeleton.detail, strict=True) if detail]
    assert thin == ["left_index1", "left_thumb1", "left_index2"]
    assert {body.skeleton.parts[body.skeleton.names.index(name)] for name in thin} == {"left arm"}


def test_moving_limbs_are_told_from_the_trunk() -> None:
    skeleton = page_body(JOINTS, SMPL22.parents, PLACES).skeleton
    part = dict(zip(skeleton.names, skeleton.parts, strict=True))
    assert part["left_elbow"] == part["left_wrist end"] == "left arm"
    assert part["right_knee"] == part["right_foot end"] == "right leg"
    assert part["left_shoulder"] == part["right_hip"] == part["neck"] == "torso"


def test_a_thing_that_is_no_body_is_drawn_whole() -> None:
    places = np.cumsum(np.random.default_rng(0).normal(0, 0.01, (20, 3, 3)), axis=0)
    body = page_body(["a", "b", "c"], [-1, 0, 1], places)
    assert body.kept == (0, 1, 2) and body.ends == () and body.skeleton.across is None


def test_arms_that_end_in_bone_ends_have_forearms(unpacked: Callable[..., Path]) -> None:
    folder = unpacked("reactidle/reactidle.zip", "*000_genuine*")
    motion = load_all(next(folder.rglob("*000_genuine*.bvh")), ReadOptions())[0][:40]
    ends = [joint for joint, _ in motion.skeleton.end_sites]
    names = [*motion.skeleton.names, *(f"{motion.skeleton.names[j]} end" for j in ends)]
    places = np.concatenate([motion.positions, motion.end_positions], axis=1)
    body = page_body(names, [*motion.skeleton.parents, *ends], places)
    part = dict(zip(body.skeleton.names, body.skeleton.parts, strict=True))
    assert part["forearm.L end"] == "left arm" and part["foot.R end"] == "right leg"
    assert 1.4 < body.skeleton.height < 1.9
