"""SMPL's linear blend skinning against loops over vertices and joints, on a small model of its layout."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kineme.body.smpl import SmplBody
from kineme.body.smpl_file import SmplFile
from kineme.errors import InputError
from kineme.motion import Motion
from kineme.motion.canonical import PARENTS
from kineme.motion.rotations import axis_angle_to_matrix

V, J, B = 12, 24, 3
TREE = (*PARENTS, 20, 21)


def small_model() -> SmplFile:
    rng = np.random.default_rng(0)
    weights, regressor = rng.random((V, J)) ** 4, rng.random((J, V))
    return SmplFile(
        "smpl",
        rng.normal(size=(V, 3)).astype(np.float32),
        0.1 * rng.normal(size=(V, 3, B)).astype(np.float32),
        0.05 * rng.normal(size=(V, 3, 9 * (J - 1))).astype(np.float32),
        (regressor / regressor.sum(1, keepdims=True)).astype(np.float32),
        (weights / weights.sum(1, keepdims=True)).astype(np.float32),
        TREE,
        np.array([[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]], np.int32),
    )


def by_loops(file: SmplFile, betas, rotations, root):
    """Loper et al. 2015, equations 2 to 10, a joint and a vertex at a time."""
    shaped = file.v_template + file.shapedirs[..., : len(betas)] @ betas
    joints = file.joint_regressor @ shaped
    whole = [*rotations, *[np.eye(3)] * (J - 22)]
    bent = np.concatenate([(r - np.eye(3)).ravel() for r in whole[1:]])
    posed = shaped + file.posedirs @ bent
    world: list[np.ndarray] = []
    for joint, parent in enumerate(TREE):
        step = np.eye(4)
        step[:3, :3] = whole[joint]
        step[:3, 3] = joints[joint] - joints[parent] if parent >= 0 else root
        world.append(step if parent < 0 else world[parent] @ step)
    vertices = np.zeros((V, 3))
    for v in range(V):
        for joint in range(J):
            moved = world[joint][:3, :3] @ (posed[v] - joints[joint]) + world[joint][:3, 3]
            vertices[v] += file.weights[v, joint] * moved
    return vertices, np.stack([m[:3, 3] for m in world])[:22]


def test_vertices_are_those_of_the_loops() -> None:
    file, rng = small_model(), np.random.default_rng(1)
    turns = axis_angle_to_matrix(0.5 * rng.normal(size=(2, 22, 3)))
    root, betas = rng.normal(size=(2, 3)), [0.5, -1.0]
    body = SmplBody(file, betas)
    made = body(torch.from_numpy(turns).float(), torch.from_numpy(root).float())
    for frame in range(2):
        vertices, joints = by_loops(file, betas, turns[frame], root[frame])
        np.testing.assert_allclose(made.vertices[frame].numpy(), vertices, atol=1e-4)
        np.testing.assert_allclose(made.joints[frame].numpy(), joints, atol=1e-4)
    motion = Motion(body.skeleton, 30.0, root, turns)
    np.testing.assert_allclose(body.vertices(motion), made.vertices.numpy(), atol=1e-4)
    np.testing.assert_allclose(motion.positions, made.joints.numpy(), atol=1e-4)


def test_gradients_reach_the_pose_and_the_skin_is_for_files() -> None:
    body = SmplBody(small_model())
    turns = torch.eye(3).repeat(1, 22, 1, 1).requires_grad_()
    made = body(turns, torch.zeros(1, 3))
    (made.vertices.square().sum() + made.normals.sum()).backward()
    assert turns.grad is not None and bool(turns.grad.abs().amax((0, 2, 3)).all())
    skin = body.skin
    assert skin.joints.max() < 22 and skin.weights.shape == (V, 4)
    np.testing.assert_allclose(skin.weights.sum(1), 1, atol=1e-5)


def test_what_no_body_can_be_made_of(tmp_path) -> None:
    with pytest.raises(InputError, match=r"smpl\.is\.tue\.mpg\.de"):
        SmplBody(tmp_path / "SMPL_NEUTRAL.npz")
    with pytest.raises(InputError, match="3 shapes"):
        SmplBody(small_model(), [0.0] * 4)
