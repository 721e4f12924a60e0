"""The torch side of skinning against numpy's; points spread over a surface; Anny by its joints' places."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kineme.body import CapsuleBody
from kineme.body.posing import SkinnedBody, face_normals, joints_of, rotation_of
from kineme.corpus.synthetic import generate
from kineme.motion import SMPL22, Motion
from kineme.motion.retarget import to_body, to_standard_body
from kineme.motion.rotations import matrix_to_sixd


@pytest.fixture(scope="module")
def walk() -> Motion:
    return to_standard_body(generate(1, 1, 4.0)[0].motion)[::1][:6]


def tensors(motion: Motion) -> tuple[torch.Tensor, torch.Tensor]:
    assert motion.local_rotations is not None
    return torch.from_numpy(motion.local_rotations.copy()), torch.from_numpy(motion.root_translation.copy())


def test_skinning_is_numpys(walk) -> None:
    skin = CapsuleBody().skin
    made = SkinnedBody(skin)(*tensors(walk))
    expected = skin.posed(walk.positions, walk.global_rotations)
    np.testing.assert_allclose(made.vertices.numpy(), expected, atol=1e-5)
    np.testing.assert_allclose(made.joints.numpy(), walk.positions, atol=1e-5)
    np.testing.assert_allclose(made.normals.norm(dim=-1).numpy(), 1, atol=1e-4)


def test_joints_take_a_batch(walk) -> None:
    rotations, root = tensors(walk)
    offsets = torch.from_numpy(SMPL22.offsets.copy())
    places, turns = joints_of(SMPL22.parents, offsets, rotations[None], root[None])
    np.testing.assert_allclose(places[0].numpy(), walk.positions, atol=1e-5)
    np.testing.assert_allclose(turns[0].numpy(), walk.global_rotations, atol=1e-5)


def test_sixd_is_numpys(walk) -> None:
    sixd = torch.from_numpy(matrix_to_sixd(walk.local_rotations))
    np.testing.assert_allclose(rotation_of(3 * sixd).numpy(), walk.local_rotations, atol=1e-5)


def test_spread_points_lie_on_the_surface_and_move_with_it(walk) -> None:
    skin = CapsuleBody().skin
    body = SkinnedBody(skin, 1500)
    made = body(*tensors(walk))
    assert made.vertices.shape == (len(walk), 1500, 3)
    lengths = SkinnedBody(skin, 1500).weights.sum(0)
    torch.testing.assert_close(lengths, torch.ones(1500))
    # every point is within the bounds of the posed mesh, and near its vertices' capsules
    mesh = skin.posed(walk.positions, walk.global_rotations)
    for points, corners in zip(made.vertices.numpy(), mesh, strict=True):
        assert (points >= corners.min(0) - 1e-4).all() and (points <= corners.max(0) + 1e-4).all()
    limbs = made.vertices[0].numpy()
    shin = walk.positions[0, [4, 7]].mean(0)  # the middle of the left shin, where no capsule has a vertex
    assert np.linalg.norm(limbs - shin, axis=1).min() < 0.08
    assert np.linalg.norm(mesh[0] - shin, axis=1).min() > 0.1


def test_no_point_is_spread_inside_of_another_capsule() -> None:
    body = SkinnedBody(CapsuleBody().skin, 3000)
    still = torch.eye(3).repeat(1, 22, 1, 1)
    points = body(still, torch.from_numpy(SMPL22.offsets[:1].copy())).vertices[0].numpy()
    pelvis = SMPL22.rest_positions[0]
    assert np.linalg.norm(points - pelvis, axis=1).min() > 0.06


def test_normals_of_faces_point_outwards() -> None:
    skin = CapsuleBody().skin
    found = face_normals(
        torch.from_numpy(skin.vertices.copy())[None], torch.from_numpy(skin.faces.astype("int64"))
    )
    assert float((found[0] * torch.from_numpy(skin.normals.copy())).sum(-1).median()) > 0.9


@pytest.mark.slow  # the first Anny on a machine builds its rig, for about a minute
def test_anny_stands_where_the_joints_are(walk) -> None:
    pytest.importorskip("anny", reason='needs pip install "kineme[body]"')
    from kineme.body.anny import AnnyBody
    from kineme.errors import InputError

    body = AnnyBody()
    motion = to_body(walk, body.skeleton)
    rotations, root = tensors(motion)
    made = body(rotations.requires_grad_(), root)
    np.testing.assert_allclose(made.joints.detach().numpy(), motion.positions, atol=1e-4)
    made.vertices.square().sum().backward()
    assert rotations.grad is not None and torch.isfinite(rotations.grad).all()
    skinned = body.skin.posed(motion.positions, motion.global_rotations)
    apart = np.linalg.norm(skinned - body.vertices(motion), axis=-1)
    assert np.median(apart) < 1e-3 and np.quantile(apart, 0.99) < 0.03
    height = made.vertices[0, :, 1].detach()
    assert 1.4 < float(height.max() - height.min()) < 2.0
    with pytest.raises(InputError, match="knows no beard"):
        AnnyBody(beard=1.0)
