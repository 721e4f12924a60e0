"""Any motion goes to BVH and back: under 0.1 mm and 0.01 degrees, in every unit, axis and channel order."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

import naive
from kineme.formats import load, save
from kineme.motion import SMPL22, Motion
from kineme.motion.kinematics import forward_kinematics

ORDERS = ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"]


def tree_text(
    parents: list[int], offsets: np.ndarray, orders: list[str], moving: list[bool]
) -> tuple[str, list[int]]:
    """A HIERARCHY, and the joints in the order of their channels."""
    lines, order = ["HIERARCHY"], []

    def put(joint: int, pad: str) -> None:
        order.append(joint)
        places = "Xposition Yposition Zposition " if moving[joint] else ""
        turns = " ".join(f"{axis}rotation" for axis in orders[joint])
        lines.append(f"{pad}{'JOINT' if joint else 'ROOT'} j{joint}\n{pad}{{")
        lines.append(f"{pad} OFFSET {' '.join(repr(float(x)) for x in offsets[joint])}")
        lines.append(f"{pad} CHANNELS {6 if moving[joint] else 3} {places}{turns}")
        for child, parent in enumerate(parents):
            if parent == joint:
                put(child, pad + " ")
        lines.append(f"{pad} End Site\n{pad} {{\n{pad}  OFFSET 0 1 0\n{pad} }}\n{pad}}}")

    put(0, "")
    return "\n".join(lines) + "\n", order


@st.composite
def bvh_texts(draw: st.DrawFn) -> str:
    count = draw(st.integers(2, 7))
    parents = [-1] + [draw(st.integers(0, joint - 1)) for joint in range(1, count)]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    offsets = np.round(rng.normal(size=(count, 3)) * draw(st.sampled_from([0.3, 30.0])), 5)
    orders = [draw(st.sampled_from(ORDERS)) for _ in range(count)]
    moving = [draw(st.booleans()) for _ in range(count)]
    head, order = tree_text(parents, offsets, orders, moving)
    frames = draw(st.integers(1, 4))
    columns = []
    for joint in order:
        if moving[joint]:
            columns.append(offsets[joint] + rng.normal(size=(frames, 3)))
        columns.append(rng.uniform(-400, 400, (frames, 3)))
    rows = [" ".join(repr(float(x)) for x in row) for row in np.round(np.concatenate(columns, axis=1), 6)]
    return f"{head}MOTION\nFrames: {frames}\nFrame Time: 0.02\n" + "\n".join(rows) + "\n"


@given(bvh_texts(), st.sampled_from(["replace", "add", "add-root"]), st.sampled_from(["+Y", "+Z", "-X"]))
def test_reading_equals_the_naive_twin(text: str, meaning: str, up: str):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.bvh")
        path.write_text(text)
        motion = load(path, channels=meaning, up=up, unit=0.01)
    assert isinstance(motion, Motion)
    turn = motion.source.turn
    for frame, places in enumerate(naive.bvh_positions(text, meaning != "replace", meaning == "add")):
        expected = np.array([turn @ places[name] / 100 for name in motion.skeleton.names])
        np.testing.assert_allclose(motion.positions[frame], expected, atol=2e-5)


@given(
    bvh_texts(),
    st.sampled_from(["replace", "add", "add-root"]),
    st.sampled_from(["+Y", "+Z", "-X"]),
    st.data(),
)
def test_untouched_numbers_are_kept_and_edited_joints_come_back(
    text: str, meaning: str, up: str, data: st.DataObject
):
    told = {"channels": meaning, "up": up, "unit": 0.01}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.bvh")
        path.write_text(text)
        motion = load(path, **told)
        assert isinstance(motion, Motion)
        save(motion, Path(folder, "b.bvh"))
        again = load(Path(folder, "b.bvh"), **told)
        joint = data.draw(st.integers(0, len(motion.skeleton) - 1))
        frame = data.draw(st.integers(0, len(motion) - 1))
        local = motion.local_rotations.copy()
        local[frame, joint] = Rotation.random(random_state=data.draw(st.integers(0, 999))).as_matrix()
        edited = motion.replace(local_rotations=local)
        save(edited, Path(folder, "c.bvh"))
        changed = load(Path(folder, "c.bvh"), **told)
    assert again.source.header == motion.source.header
    np.testing.assert_array_equal(again.source.values, motion.source.values)
    other = changed.source.values != motion.source.values
    columns = motion.source.joints[joint].column + np.arange(len(motion.source.joints[joint].channels))
    assert not np.delete(other, columns, axis=1).any() and not np.delete(other, frame, axis=0).any()
    close_to(changed, edited)


def close_to(ours: Motion, theirs: Motion) -> None:
    """Under 0.1 mm and 0.01 degrees, joints paired by name."""
    index = [ours.skeleton.index(name) for name in theirs.skeleton.names]
    assert np.linalg.norm(ours.positions[:, index] - theirs.positions, axis=-1).max() < 1e-4
    between = np.swapaxes(ours.global_rotations[:, index], -1, -2).astype(float) @ theirs.global_rotations
    assert Rotation.from_matrix(between.reshape(-1, 3, 3)).magnitude().max() < np.deg2rad(0.01)


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.sampled_from([24.0, 30.0, 59.94, 120.0]))
def test_any_motion_survives_a_plain_write(seed: int, frames: int, fps: float):
    """Limbs at any angle, gimbal lock included, and bones that move."""
    rng = np.random.default_rng(seed)
    turns = Rotation.random(frames * 22, random_state=seed).as_matrix().reshape(frames, 22, 3, 3)
    turns[:, ::5] = Rotation.from_euler("ZXY", [[30, 90, 10]], degrees=True).as_matrix()
    turns[:, :4] = np.eye(3)  # trunk and hips upright, so that axes and unit are guessed as they are
    turns[:, [4, 5]] = np.eye(3)
    moves = np.tile(SMPL22.offsets, (frames, 1, 1))
    moves[:, [9, 16]] += 0.01 * rng.normal(size=(frames, 2, 3)).astype(np.float32)
    root = np.array([0, 0.93, 0]) + 0.01 * rng.normal(size=(frames, 3))
    moves[:, 0] = root
    motion = Motion(SMPL22, fps, root, turns, moves)
    with tempfile.TemporaryDirectory() as folder:
        save(motion, Path(folder, "a.bvh"))
        again = load(Path(folder, "a.bvh"), unit=0.01, up="+Y", channels="replace")
    assert isinstance(again, Motion) and abs(again.fps - fps) < 1e-3
    close_to(again, motion)
    expected, _ = forward_kinematics(SMPL22, turns, root, moves)
    index = [again.skeleton.index(name) for name in SMPL22.names]
    np.testing.assert_allclose(again.positions[:, index], expected, atol=1e-4)
